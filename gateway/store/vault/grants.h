/*
 * grants.h - who may do what with the vault's records: rows of grants, groups of people and of
 * clients. Which row counts is said in vault/grants_decide.h.
 */
#ifndef SEKISHO_STORE_VAULT_GRANTS_H
#define SEKISHO_STORE_VAULT_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum grant_subject { GRANT_ACCOUNT = 1, GRANT_PEOPLE = 2 };

/* From near to far. */
enum grant_object { GRANT_RECORD = 1, GRANT_CLIENT = 2, GRANT_CLIENTS = 3, GRANT_EVERYTHING = 4 };

enum grant_group_kind { GRANT_GROUP_PEOPLE = 1, GRANT_GROUP_CLIENTS = 2 };

/* level: enum grant_level, document: enum document_role (vault/grants_decide.h). number: may have a
 * Personal Number shown. */
struct grant_rights {
	uint8_t level;
	bool number;
	uint8_t document;
};

struct grant_row {
	uint8_t subject_kind, object_kind;
	uint64_t subject, object; /* object 0: everything */
	struct grant_rights rights;
};

/* A group has a member: an account, or a client's record. */
struct grant_member {
	uint64_t group, member;
};

#endif
