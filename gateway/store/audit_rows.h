/*
 * audit_rows.h - the audit log's table. Rows are only ever added, by audit/audit.h; the database
 * refuses the rest.
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
};

struct audit_row {
	int64_t seq; /* from 1, without gaps */
	int64_t time_ms;
	char event[AUDIT_EVENT_MAX + 1];
	char account[AUDIT_ACCOUNT_MAX + 1]; /* "" for none */
	int64_t device;                      /* 0 for none */
	char address[AUDIT_ADDRESS_MAX + 1];
	int64_t host;
	char session[AUDIT_SESSION_MAX + 1];
	char detail[AUDIT_DETAIL_MAX + 1]; /* a JSON object */
	uint8_t prev[AUDIT_HASH], hash[AUDIT_HASH];
};

nodiscard enum err audit_row_add(struct db *db, const struct audit_row *row);

/* *ret_seq is 0 and ret_hash zero when there is no row yet. */
nodiscard enum err audit_row_last(struct db *db, int64_t *ret_seq, uint8_t ret_hash[AUDIT_HASH]);

/* In order from seq on; then audit_row_next until *ret_more is false. */
void audit_row_list(struct query *query, struct db *db, int64_t seq);
nodiscard enum err audit_row_next(struct query *query, struct audit_row *ret, bool *ret_more);

#endif
