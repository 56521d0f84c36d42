/*
 * accounts.h - the table of people. Rows are never deleted: the audit log and sessions refer to
 * them. Errors are those of db.h; ERR_NOT_FOUND where a row is named that is not there.
 */
#ifndef SEKISHO_STORE_ACCOUNTS_H
#define SEKISHO_STORE_ACCOUNTS_H

#include "store/db.h"

enum {
	ACCOUNT_NAME_MAX = 64,
	ACCOUNT_FULL_NAME_MAX = 128,
	ACCOUNT_PASSWORD_MAX = 255, /* of the PHC string */
	ACCOUNT_TOTP_MAX = 256,     /* of the sealed secret */
};

/* As kept in the database; each a bit. An auditor sees recordings and the audit log, and uses no
 * PC. */
enum account_role { ACCOUNT_STAFF = 1, ACCOUNT_ADMIN = 2, ACCOUNT_AUDITOR = 4 };

/* Whether an administrator or auditor may look on at somebody's session; as kept in the database.
 */
enum account_watch {
	ACCOUNT_WATCH_NO = 0,
	ACCOUNT_WATCH_VIEW = 1,
	ACCOUNT_WATCH_CONTROL = 2, /* and ask to take over */
};

/* What somebody of the staff has to do with the vault's records; as kept in the database. */
enum account_duty {
	ACCOUNT_DUTY_NONE = 0,
	ACCOUNT_DUTY_USE = 1,
	ACCOUNT_DUTY_MANAGE = 2, /* decides and gives grants */
};

struct account {
	int64_t id;
	char name[ACCOUNT_NAME_MAX + 1];
	char full_name[ACCOUNT_FULL_NAME_MAX * 4 + 1];
	int64_t role; /* enum account_role */
	char password[ACCOUNT_PASSWORD_MAX + 1];
	uint8_t totp[ACCOUNT_TOTP_MAX];
	size_t totp_len; /* 0: none set, so nobody can log in */
	int64_t failures;
	int64_t next_try_ms; /* wall clock */
	bool locked, disabled;
	int64_t watch; /* enum account_watch */
	int64_t duty;  /* enum account_duty */
};

/* a-z 0-9 . _ - and at most 64 of them, the first a letter or digit. */
bool account_name_valid(const char *name);

nodiscard enum err account_by_name(struct db *db, const char *name, struct account *ret);
nodiscard enum err account_by_id(struct db *db, int64_t id, struct account *ret);

/* By name; after: only those behind the account with that number, 0 for all. Then account_next
 * until *ret_more is false. */
void account_list(struct query *query, struct db *db, int64_t after);
nodiscard enum err account_next(struct query *query, struct account *ret, bool *ret_more);

/* Takes name, full_name, role and password. */
nodiscard enum err account_add(struct db *db, const struct account *account, int64_t *ret_id);
nodiscard enum err account_set_password(struct db *db, int64_t id, const char *password);
/* step: the first one that may not log in any more. */
nodiscard enum err account_set_totp(struct db *db, int64_t id, const void *sealed, size_t len,
				    int64_t step);
nodiscard enum err account_set_watch(struct db *db, int64_t id, enum account_watch watch);
/* ERR_INVALID: the account is not of the staff. */
nodiscard enum err account_set_duty(struct db *db, int64_t id, enum account_duty duty);
nodiscard enum err account_set_disabled(struct db *db, int64_t id, bool disabled);

/*
 * The replay guard (RFC 6238 §5.2): takes the step of an accepted code, in one statement.
 * ERR_NOT_FOUND when this or a later step was taken before, by whatever process or connection.
 */
nodiscard enum err account_take_totp_step(struct db *db, int64_t id, int64_t step);

/* Tries. */
nodiscard enum err account_set_tries(struct db *db, int64_t id, int64_t failures,
				     int64_t next_try_ms);
nodiscard enum err account_set_locked(struct db *db, int64_t id, bool locked);

#endif
