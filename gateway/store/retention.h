/*
 * retention.h - how long is kept what is kept: the classes of recordings, and which recordings and
 * entries of the audit log are due. Errors are those of db.h; ERR_WRONG_STATE: what is on hold or
 * goes on is not disposed of.
 */
#ifndef SEKISHO_STORE_RETENTION_H
#define SEKISHO_STORE_RETENTION_H

#include "store/recordings.h"

struct retention_row {
	char name[RETENTION_NAME_MAX + 1];
	int64_t days;
	int64_t hosts, recordings, held; /* of this class */
};

/* Makes a class or changes it, for recordings that begin from now on. */
nodiscard enum err retention_set(struct db *db, const char *name, int64_t days);
nodiscard enum err retention_exists(struct db *db, const char *name, bool *ret);

/* By name; then retention_next until *ret_more is false. */
void retention_list(struct query *query, struct db *db);
nodiscard enum err retention_next(struct query *query, struct retention_row *ret, bool *ret_more);

/* The first recording that may go now, or whose file is still to be removed. ERR_NOT_FOUND: none.
 */
nodiscard enum err retention_due(struct db *db, int64_t now_ms, struct recording_row *ret);
nodiscard enum err retention_unremoved(struct db *db, struct recording_row *ret);

/* audit_seq: the entry that says so, in the same transaction. */
nodiscard enum err retention_dispose(struct db *db, int64_t recording, int64_t now_ms,
				     int64_t audit_seq);
nodiscard enum err retention_removed(struct db *db, int64_t recording);

/* reason: at most 256 characters; "" with hold unset. ERR_NOT_FOUND: none, or disposed of. */
nodiscard enum err retention_hold(struct db *db, int64_t recording, bool hold, const char *reason);

/*
 * Entries of the audit log from before that say something of people, without a gap, at most so
 * many: of sessions whose recording is still there all are kept. ERR_NOT_FOUND: none.
 */
nodiscard enum err retention_log_due(struct db *db, int64_t before_ms, int64_t most,
				     int64_t *ret_first, int64_t *ret_last);

/* What sessions that ended before say of clients, and why somebody ended them; not of those whose
 * recording is still there. */
nodiscard enum err retention_forget_sessions(struct db *db, int64_t before_ms);

/* Whether the audit log has an entry of that time. ERR_NOT_FOUND: it has none. */
nodiscard enum err retention_witness(struct db *db, int64_t from_ms, int64_t to_ms);

#endif
