/*
 * copy_rows.h - copies of grants that wait for approval. Each row is guarded: changes go between
 * guard_before and guard_after (vault/guard.h).
 */
#ifndef SEKISHO_STORE_VAULT_COPY_ROWS_H
#define SEKISHO_STORE_VAULT_COPY_ROWS_H

#include "store/db.h"

enum { COPY_TARGETS = 100, COPY_DIGEST = 32 };

struct copy_row {
	uint64_t id;
	int64_t asked;
	uint64_t asked_by;
	int64_t kind; /* enum grant_copy_kind (vault/grants_plan.h) */
	bool replace, groups;
	uint64_t source;
	uint8_t targets[COPY_TARGETS * 8]; /* big-endian */
	size_t target_count;
	uint8_t digest[COPY_DIGEST];
};

/* row->id is not looked at. */
nodiscard enum err copy_insert(struct db *db, const struct copy_row *row, uint64_t *ret_id);
nodiscard enum err copy_delete(struct db *db, uint64_t id);
nodiscard enum err copy_by_id(struct db *db, uint64_t id, struct copy_row *ret);
/* All, by id. */
void copy_select(struct query *query, struct db *db);
nodiscard enum err copy_next(struct query *query, struct copy_row *ret, bool *ret_more);

#endif
