/*
 * playbacks.h - what an auditor is shown of recordings, and what the audit log says of one. Errors
 * are those of db.h.
 */
#ifndef SEKISHO_STORE_PLAYBACKS_H
#define SEKISHO_STORE_PLAYBACKS_H

#include "store/accounts.h"
#include "store/audit_rows.h"
#include "store/devices.h"
#include "store/recordings.h"

struct playback_shown {
	struct recording_row row;
	char account[ACCOUNT_NAME_MAX + 1];
	char full_name[ACCOUNT_FULL_NAME_MAX * 4 + 1];
	char host[HOST_NAME_MAX_BYTES + 1];
	char device[DEVICE_NAME_MAX + 1];
	char address[AUDIT_ADDRESS_MAX +
		     1]; /* from which the session was opened; "" once disposed */
};

/* The newest first, only those with a lower number than before, 0 for all; then playback_shown_next
 * until *ret_more is false. */
void playback_shown_list(struct query *query, struct db *db, int64_t before);
nodiscard enum err playback_shown_next(struct query *query, struct playback_shown *ret,
				       bool *ret_more);

#endif
