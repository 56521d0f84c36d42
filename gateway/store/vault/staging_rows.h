/*
 * staging_rows.h - numbers of records that are being entered and are not there for anybody yet.
 * The row is guarded (vault/guard.h).
 */
#ifndef SEKISHO_STORE_VAULT_STAGING_ROWS_H
#define SEKISHO_STORE_VAULT_STAGING_ROWS_H

#include "store/db.h"

/* first 0: none. */
struct staging_row {
	uint64_t first, last;
};

/* The one that there is; first 0: there is none. */
nodiscard enum err staging_get(struct db *db, struct staging_row *ret);
/* For so many records: numbers that no other record gets. Its MAC is still missing. */
nodiscard enum err staging_add(struct db *db, uint64_t count, struct staging_row *ret);
nodiscard enum err staging_drop(struct db *db, uint64_t first);

#endif
