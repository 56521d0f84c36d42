/*
 * request_rows.h - what somebody has asked for and somebody else decides. Changes go between
 * guard_before and guard_after (vault/guard.h).
 */
#ifndef SEKISHO_STORE_VAULT_REQUEST_ROWS_H
#define SEKISHO_STORE_VAULT_REQUEST_ROWS_H

#include "store/db.h"

enum { REQUEST_DATA_KEY = 40, REQUEST_SEALED = 8192 };

struct request_row {
	uint64_t id;
	int64_t kind; /* enum request_kind */
	uint64_t record;
	int64_t version; /* of the number that is to be approved, 0: none */
	int64_t asked;
	uint64_t asked_by;
	int64_t state;   /* enum request_state */
	bool ready;      /* it waits for nothing but approval */
	int64_t decided; /* 0: it is not */
	uint64_t decided_by;
	bool has_words; /* why and answer, sealed */
	uint8_t data_key[REQUEST_DATA_KEY];
	uint8_t sealed[REQUEST_SEALED];
	size_t sealed_len;
};

/* The number that the next one gets. */
nodiscard enum err request_next_id(struct db *db, uint64_t *ret);
/* row->id: as request_next_id's. ERR_EXISTS: there is an open one about the record. */
nodiscard enum err request_insert(struct db *db, const struct request_row *row);
/* All that may change: version, state, ready, decided, decided_by and the words. */
nodiscard enum err request_update(struct db *db, const struct request_row *row);
nodiscard enum err request_by_id(struct db *db, uint64_t id, struct request_row *ret);
/* The open one about a record. ERR_NOT_FOUND. */
nodiscard enum err request_open_of(struct db *db, uint64_t record, struct request_row *ret);

/* Of a state, the newest first: request_next. */
void request_select_state(struct query *query, struct db *db, int64_t state);
/* All about a record, decided ones, too, after the one given. */
void request_select_record(struct query *query, struct db *db, uint64_t record, uint64_t after);
nodiscard enum err request_next(struct query *query, struct request_row *ret, bool *ret_more);

#endif
