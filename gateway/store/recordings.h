/*
 * recordings.h - the table of recordings, one row for each session. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_RECORDINGS_H
#define SEKISHO_STORE_RECORDINGS_H

#include "store/sessions.h"

enum { RECORDING_HASH = 32 };

/* For the other files of this folder; recording_load reads the columns, which are a query's first.
 */
#define RECORDING_SELECT "SELECT " RECORDING_COLUMNS " FROM recording"
#define RECORDING_COLUMNS                                                                          \
	"recording.id, recording.session, recording.state, keys, started_ms, ended_ms, size,"      \
	" chunks, hash, hold, recording.retention, keep_days, disposed_ms, disposed_seq"

struct recording_row {
	int64_t id;
	uint8_t session[SESSION_ROW_ID];
	int64_t state;                /* enum recording_state of wire/enums.h */
	bool keys;                    /* keys and text are in it */
	int64_t started_ms, ended_ms; /* ended_ms 0: goes on */
	int64_t size, chunks;
	uint8_t hash[RECORDING_HASH]; /* running hash after so many chunks */
	bool hold;
	char retention[RETENTION_NAME_MAX + 1]; /* its class */
	int64_t keep_days;                      /* after its end */
	int64_t disposed_ms, disposed_seq;      /* 0: not disposed of */
};

enum { RECORDING_COLUMN_COUNT = 14 };
nodiscard enum err recording_load(struct query *query, struct recording_row *ret);

/* What lists show beside it. */
struct recording_shown {
	struct recording_row row;
	char account[ACCOUNT_NAME_MAX + 1];
	char host[HOST_NAME_MAX_BYTES + 1];
};

/* An open one, with nothing in it: session, keys and started_ms count. It is kept as its PC's class
 * says; the session's row is there already. */
nodiscard enum err recording_row_add(struct db *db, const struct recording_row *row);
nodiscard enum err recording_row_by_id(struct db *db, int64_t id, struct recording_row *ret);
/* The query's only row. ERR_NOT_FOUND. */
nodiscard enum err recording_row_one(struct query *query, struct recording_row *ret);
/* The newest that has an end and was neither lost nor disposed of; ERR_NOT_FOUND. */
nodiscard enum err recording_row_newest(struct db *db, struct recording_row *ret);
nodiscard enum err recording_row_get(struct db *db, const uint8_t session[SESSION_ROW_ID],
				     struct recording_row *ret);

/* state, ended_ms, size, chunks and hash; one that is not open any more stays: ERR_NOT_FOUND. */
nodiscard enum err recording_row_update(struct db *db, const struct recording_row *row);

/* Open ones whose session has ended; then recording_row_next until *ret_more is false. */
void recording_row_list_left(struct query *query, struct db *db);
nodiscard enum err recording_row_next(struct query *query, struct recording_row *ret,
				      bool *ret_more);

/* The newest first; only those with a lower number than before, 0 for all. */
void recording_list(struct query *query, struct db *db, int64_t before);
nodiscard enum err recording_next(struct query *query, struct recording_shown *ret, bool *ret_more);

#endif
