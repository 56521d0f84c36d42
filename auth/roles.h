/*
 * roles.h - the roles and duties of accounts by their codes.
 */
#ifndef SEKISHO_AUTH_ROLES_H
#define SEKISHO_AUTH_ROLES_H

#include "store/accounts.h"

/* "staff", "admin" or "auditor"; "unknown" for anything else. */
const char *role_code(int64_t role);

/* ERR_INVALID for an unknown code. */
nodiscard enum err role_parse(const char *code, enum account_role *ret);

/* Of a duty with records: "", "use" or "manage". "none" is parsed too. */
const char *duty_code(int64_t duty);
nodiscard enum err duty_parse(const char *code, enum account_duty *ret);

#endif
