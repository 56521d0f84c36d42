#include "auth/roles.h"

static const struct {
	enum account_role role;
	const char *code;
} roles[] = {
	{ ACCOUNT_STAFF, "staff" },
	{ ACCOUNT_ADMIN, "admin" },
	{ ACCOUNT_AUDITOR, "auditor" },
};

const char *role_code(int64_t role)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if ((int64_t)roles[i].role == role)
			return roles[i].code;
	return "unknown";
}

enum err role_parse(const char *code, enum account_role *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (util_streq(roles[i].code, code)) {
			*ret = roles[i].role;
			return OK;
		}
	}
	return ERR_INVALID;
}
