/*
 * grant_rows.h - reads who was given what.
 */
#ifndef SEKISHO_STORE_VAULT_GRANT_ROWS_H
#define SEKISHO_STORE_VAULT_GRANT_ROWS_H

#include "store/db.h"
#include "store/vault/grants.h"

/* The rows of one account itself. */
void grant_select_account(struct query *query, struct db *db, uint64_t account);
nodiscard enum err grant_next(struct query *query, struct grant_row *ret, bool *ret_more);

#endif
