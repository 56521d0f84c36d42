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

/* ---- duties ---------------------------------------------------------------------------------- */

static const char *const duties[] = {
	[ACCOUNT_DUTY_NONE] = "none", [ACCOUNT_DUTY_USE] = "use", [ACCOUNT_DUTY_MANAGE] = "manage"
};

const char *duty_code(int64_t duty)
{
	return duty > 0 && duty < (int64_t)ARRAY_SIZE(duties) ? duties[duty] : "";
}

enum err duty_parse(const char *code, enum account_duty *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(duties); i++) {
		if (util_streq(duties[i], code)) {
			*ret = (enum account_duty)i;
			return OK;
		}
	}
	return ERR_INVALID;
}
