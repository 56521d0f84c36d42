/*
 * watches.h - the table of those who look on at sessions now, for the broker that comes after a
 * crash. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_WATCHES_H
#define SEKISHO_STORE_WATCHES_H

#include "store/accounts.h"
#include "store/sessions.h"

struct watch_row {
	int64_t id;
	uint8_t session[SESSION_ROW_ID];
	int64_t device;
	int64_t begun_s;
	char account_name[ACCOUNT_NAME_MAX + 1]; /* from the table of accounts */
};

nodiscard enum err watch_row_add(struct db *db, const uint8_t session[SESSION_ROW_ID],
				 int64_t account, int64_t device, int64_t begun_s, int64_t *ret_id);
/* Deleting none is no error. */
nodiscard enum err watch_row_delete(struct db *db, int64_t id);

/* The first with a number above after; ERR_NOT_FOUND: there is none. */
nodiscard enum err watch_row_after(struct db *db, int64_t after, struct watch_row *ret);

#endif
