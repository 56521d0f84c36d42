/*
 * grant_rows.h - who was given what, and the groups of people and of clients. Each row is guarded:
 * changes go between guard_before and guard_after (vault/guard.h).
 */
#ifndef SEKISHO_STORE_VAULT_GRANT_ROWS_H
#define SEKISHO_STORE_VAULT_GRANT_ROWS_H

#include "store/db.h"
#include "store/vault/grants.h"

/* A row, and since when, by whose hand. */
struct grant_given {
	struct grant_row row;
	int64_t given;
	uint64_t given_by;
};

/* That of row's subject and object. ERR_NOT_FOUND. */
nodiscard enum err grant_by_key(struct db *db, const struct grant_row *row,
				struct grant_given *ret);

/* Each of these is read with grant_next. Those of a subject; those of an account and of all groups
 * of people that it is in; those about an object. */
void grant_select_subject(struct query *query, struct db *db, enum grant_subject kind,
			  uint64_t subject);
void grant_select_person(struct query *query, struct db *db, uint64_t account);
void grant_select_object(struct query *query, struct db *db, enum grant_object kind,
			 uint64_t object);
nodiscard enum err grant_next(struct query *query, struct grant_given *ret, bool *ret_more);

nodiscard enum err grant_insert(struct db *db, const struct grant_given *given);
/* Rights, given and given_by. ERR_NOT_FOUND. */
nodiscard enum err grant_update(struct db *db, const struct grant_given *given);
nodiscard enum err grant_delete(struct db *db, const struct grant_row *row);

/* Members of groups of clients that grant_select_person's rows are about; read with
 * group_member_next. */
void grant_select_clients(struct query *query, struct db *db, uint64_t account);

#endif
