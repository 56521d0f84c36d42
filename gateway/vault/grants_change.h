/*
 * grants_change.h - changes of grants and groups: rows, their MACs, and that what is known in
 * memory is read anew. Within a transaction of records.h; whether somebody may change them is for
 * the handlers.
 */
#ifndef SEKISHO_VAULT_GRANTS_CHANGE_H
#define SEKISHO_VAULT_GRANTS_CHANGE_H

#include "store/vault/grant_rows.h"
#include "store/vault/group_rows.h"
#include "vault/records.h"

/* Who changes something, and when. */
struct grants_hand {
	uint64_t account;
	int64_t now_s;
};

/* Gives these rights in place of what the subject had to the object. ERR_INVALID: not a valid row,
 * or the old one is damaged. */
nodiscard enum err grants_give(struct records *records, const struct grant_row *row,
			       const struct grants_hand *hand);
/* ERR_NOT_FOUND: there is no such row. Its rights do not count. */
nodiscard enum err grants_take(struct records *records, const struct grant_row *row);
/* The rights of the row of that subject and object, checked. ERR_NOT_FOUND, ERR_INVALID. */
nodiscard enum err grants_row(struct records *records, const struct grant_row *row,
			      struct grant_rights *ret);

/* A group, checked. ERR_NOT_FOUND; ERR_INVALID: damaged. */
nodiscard enum err grants_group(struct records *records, uint64_t id, struct group_row *ret);
/* ERR_EXISTS: that kind has one of this name. */
nodiscard enum err grants_group_add(struct records *records, enum grant_group_kind kind,
				    const char *name, uint64_t *ret_id);
nodiscard enum err grants_group_rename(struct records *records, uint64_t id, const char *name);
/* With its members, and all rows that it is subject or object of. */
nodiscard enum err grants_group_drop(struct records *records, uint64_t id);
/* ERR_EXISTS, ERR_NOT_FOUND. */
nodiscard enum err grants_member_add(struct records *records, const struct grant_member *member);
nodiscard enum err grants_member_take(struct records *records, const struct grant_member *member);
/* Is it in the group? ERR_INVALID: its row is damaged. */
nodiscard enum err grants_member_is(struct records *records, const struct grant_member *member,
				    bool *ret);

#endif
