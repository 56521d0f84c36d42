/*
 * roles.h - the roles of accounts by their codes.
 */
#ifndef SEKISHO_AUTH_ROLES_H
#define SEKISHO_AUTH_ROLES_H

#include "store/accounts.h"

/* "staff", "admin" or "auditor"; "unknown" for anything else. */
const char *role_code(int64_t role);

/* ERR_INVALID for an unknown code. */
nodiscard enum err role_parse(const char *code, enum account_role *ret);

#endif
