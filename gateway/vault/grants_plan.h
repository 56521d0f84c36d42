/*
 * grants_plan.h - what copying grants would change, exactly: rows as they are in, changes and their
 * digest out, without a database.
 */
#ifndef SEKISHO_VAULT_GRANTS_PLAN_H
#define SEKISHO_VAULT_GRANTS_PLAN_H

#include "store/vault/grants.h"

enum {
	GRANT_COPY_TARGETS = 100,
	GRANT_COPY_CHANGES = 10000,
	GRANT_COPY_DIGEST = 32,
};

enum grant_copy_kind { GRANT_COPY_PERSON = 1, GRANT_COPY_RECORD = 2, GRANT_COPY_CLIENT = 3 };

/* The rows that a person (as subject, not those of his groups), a record or a client (as object)
 * has, for others of that kind. replace: what these have beside is taken away. groups: of a person,
 * membership of groups as well. */
struct grant_copy {
	enum grant_copy_kind kind;
	bool replace, groups;
	uint64_t from, to[GRANT_COPY_TARGETS];
	size_t count;
};

/* ERR_INVALID: no target, one twice, the source among them, or groups of what is no person. */
nodiscard enum err grants_copy_check(const struct grant_copy *copy);

/* A row's rights, or an account's (row.subject) membership of a group of people (row.object). had
 * and has: was it there, will it be; before and after: then the rights. */
struct grant_change {
	bool member, had, has;
	struct grant_row row; /* its rights do not count */
	struct grant_rights before, after;
};

struct grant_changes {
	struct grant_change *items; /* by target, in the order of the copy; owned */
	size_t count, room;
	size_t added, changed, removed;
	size_t unchanged;                  /* are as they will be */
	uint8_t digest[GRANT_COPY_DIGEST]; /* SHA-256 of the copy and of all changes */
};

void grants_changes_finish(struct grant_changes *changes);
#define _cleanup_changes_ _cleanup_(grants_changes_finish)

/*
 * rows: at least all those that the source and the targets have; members: at least all those of
 * groups of people whose member is one of them. Others do not matter. ERR_TOO_BIG: more changes
 * than GRANT_COPY_CHANGES; ERR_INVALID as grants_copy_check, ERR_NOMEM, ERR_CRYPTO. The caller
 * finishes ret.
 */
nodiscard enum err grants_plan(const struct grant_copy *copy, const struct grant_row *rows,
			       size_t count, const struct grant_member *members,
			       size_t member_count, struct grant_changes *ret);

#endif
