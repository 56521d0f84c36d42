/*
 * audit_rows.h - the audit log's tables. Rows are only ever added, by audit/audit.h, and lose what
 * they say of people when that is disposed of; the database refuses the rest.
 */
#ifndef SEKISHO_STORE_AUDIT_ROWS_H
#define SEKISHO_STORE_AUDIT_ROWS_H

#include "store/db.h"

enum {
	AUDIT_EVENT_MAX = 64,
	AUDIT_ACCOUNT_MAX = 64,
	AUDIT_ADDRESS_MAX = 64,
	AUDIT_SESSION_MAX = 32, /* hex digits */
	AUDIT_DETAIL_MAX = 2048,
	AUDIT_HASH = 32,
	AUDIT_SALT = 32,
	AUDIT_NOTE_MAX = 2048,
};

/* Version 1 is from before there was a tree: docs/audit.md. */
enum audit_version { AUDIT_CHAINED = 1, AUDIT_SALTED = 2 };

struct audit_row {
	int64_t seq; /* from 1, without gaps */
	int64_t version;
	int64_t time_ms;
	char event[AUDIT_EVENT_MAX + 1];
	char account[AUDIT_ACCOUNT_MAX + 1]; /* "" for none */
	int64_t device;                      /* 0 for none */
	char address[AUDIT_ADDRESS_MAX + 1];
	int64_t host;
	char session[AUDIT_SESSION_MAX + 1];
	char detail[AUDIT_DETAIL_MAX + 1]; /* a JSON object */
	uint8_t salt[AUDIT_SALT];          /* zero in version 1, and when disposed */
	uint8_t commitment[AUDIT_HASH];
	bool disposed; /* account to salt are empty */
};

nodiscard enum err audit_row_add(struct db *db, const struct audit_row *row);

/* Number of the last one, 0 when there is none. */
nodiscard enum err audit_row_last(struct db *db, int64_t *ret_seq);

/* Takes away what the entry says of people. ERR_WRONG_STATE: done already; ERR_NOT_FOUND. */
nodiscard enum err audit_row_dispose(struct db *db, int64_t seq);

/* In order from seq on; then audit_row_next until *ret_more is false. */
void audit_row_list(struct query *query, struct db *db, int64_t seq);
/* The newest alarms and what was accepted of them, the newest first. */
void audit_row_alarms(struct query *query, struct db *db, int64_t limit);
/* What was said of break-glass, the newest first. */
void audit_row_glass(struct query *query, struct db *db, int64_t limit);
/* The "recording-mark" entries of a session, by its id in hexadecimal, in order. */
void audit_row_marks(struct query *query, struct db *db, const char *session);
/* The newest of one event about the vault itself: "vault-unsealed", or one of what can be wrong
 * with it. Both 0 when there is none. */
nodiscard enum err audit_row_vault(struct db *db, const char *event, int64_t *ret_seq,
				   int64_t *ret_time_ms);
/* What is about a record of the vault (store/records.h) and says anything yet, the newest first;
 * before: only with a lower number, 0 for all. */
void audit_row_record(struct query *query, struct db *db, uint64_t record, int64_t before);
nodiscard enum err audit_row_next(struct query *query, struct audit_row *ret, bool *ret_more);

/* ---- the tree --------------------------------------------------------------------------- */

nodiscard enum err audit_node_add(struct db *db, unsigned level, uint64_t index,
				  const uint8_t hash[AUDIT_HASH]);
/* ERR_NOT_FOUND */
nodiscard enum err audit_node_read(struct db *db, unsigned level, uint64_t index,
				   uint8_t ret_hash[AUDIT_HASH]);
/* How many leaves there are. */
nodiscard enum err audit_node_leaves(struct db *db, uint64_t *ret_count);
/* How many nodes of all levels. */
nodiscard enum err audit_node_count(struct db *db, uint64_t *ret_count);

/* ---- checkpoints ------------------------------------------------------------------------ */

struct audit_note {
	int64_t size;
	int64_t time_ms;               /* when it was kept; nothing vouches for it */
	char note[AUDIT_NOTE_MAX + 1]; /* a signed note */
};

nodiscard enum err audit_note_add(struct db *db, const struct audit_note *note);
/* The newest; ERR_NOT_FOUND. */
nodiscard enum err audit_note_last(struct db *db, struct audit_note *ret);
/* All, the smallest first. */
void audit_note_list(struct query *query, struct db *db);
nodiscard enum err audit_note_next(struct query *query, struct audit_note *ret, bool *ret_more);

#endif
