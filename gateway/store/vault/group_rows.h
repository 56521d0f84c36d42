/*
 * group_rows.h - groups of people and of clients. Each row is guarded: changes go between
 * guard_before and guard_after (vault/guard.h).
 */
#ifndef SEKISHO_STORE_VAULT_GROUP_ROWS_H
#define SEKISHO_STORE_VAULT_GROUP_ROWS_H

#include "store/db.h"
#include "store/vault/grants.h"

enum { GROUP_NAME = 128 }; /* characters */

struct group_row {
	uint64_t id;
	enum grant_group_kind kind;
	char name[GROUP_NAME * 4 + 1];
	int64_t members; /* how many */
};

/* ERR_EXISTS: a group of this kind has that name. */
nodiscard enum err group_insert(struct db *db, enum grant_group_kind kind, const char *name,
				uint64_t *ret_id);
nodiscard enum err group_rename(struct db *db, uint64_t id, const char *name);
/* ERR_NOT_FOUND. Without its members: they go first. */
nodiscard enum err group_delete(struct db *db, uint64_t id);

nodiscard enum err group_by_id(struct db *db, uint64_t id, struct group_row *ret);
/* By name, read with group_next. */
void group_select(struct query *query, struct db *db, enum grant_group_kind kind);
nodiscard enum err group_next(struct query *query, struct group_row *ret, bool *ret_more);
nodiscard enum err group_count(struct db *db, enum grant_group_kind kind, int64_t *ret);

/* ERR_EXISTS: it is in it already. */
nodiscard enum err group_member_insert(struct db *db, const struct grant_member *member);
nodiscard enum err group_member_delete(struct db *db, const struct grant_member *member);

/* Read with group_member_next: those of a group, in the order of their numbers after one; the
 * groups of a kind that a member is in. */
void group_member_select(struct query *query, struct db *db, uint64_t group, uint64_t after);
void group_member_select_of(struct query *query, struct db *db, enum grant_group_kind kind,
			    uint64_t member);
nodiscard enum err group_member_next(struct query *query, struct grant_member *ret, bool *ret_more);

#endif
