/*
 * login.h - the rules of logging in, as steps on the database. All but login_find need an open
 * transaction, so that the caller can put the audit entry beside them. Times come from the caller:
 * wall clock.
 *
 * Who is told what. A try counts against the device always, and against the account only when the
 * device is the account's own: otherwise a colleague's laptop could lock anybody out. "Locked" is
 * told apart from a wrong password for a device that is locked itself, or whose owner, named in the
 * try, is locked: it is said before the password is looked at and to the holder of that device's
 * key only, so it tells nothing about the password. In every other case (unknown account, disabled
 * account, somebody else's device, no TOTP secret, wrong password, wrong code) the answer is
 * ERR_LOGIN after the same work.
 */
#ifndef SEKISHO_AUTH_LOGIN_H
#define SEKISHO_AUTH_LOGIN_H

#include "base/secret.h"
#include "store/accounts.h"
#include "store/devices.h"
#include "store/logins.h"

enum {
	LOGIN_TOKEN_TEXT = 64, /* hex digits of 32 random bytes */
	LOGIN_WAIT_S = 300,    /* between password and code */
};

struct login_policy {
	int64_t failures; /* until account and device are locked */
	int64_t length_s; /* until a login ends */
	int64_t idle_s;   /* unused, until a login ends */
};

/* Whom a try counts against. */
struct login_try {
	int64_t account; /* 0: no account's */
	int64_t device;
};

/* Not revoked and its certificate not over; a locked one is. */
bool login_device_valid(const struct device *device, int64_t now_s);

/*
 * Counts a try before anything is compared. ERR_THROTTLED, with *ret_wait_ms, when it comes too
 * early, and ERR_LOCKED; in both cases nothing is counted and nothing may be compared.
 */
nodiscard enum err login_count(struct db *db, const struct login_policy *policy,
			       const struct login_try *try, int64_t now_ms, int64_t *ret_wait_ms);

/* The try was right but the login is not complete: takes back its count. */
nodiscard enum err login_refund(struct db *db, const struct login_try *try);

/* The try was wrong: locks what has reached the limit. *ret_locked: something was locked just now.
 */
nodiscard enum err login_fail(struct db *db, const struct login_policy *policy,
			      const struct login_try *try, bool *ret_locked);

/* The login is complete, or an administrator unlocks: no failures any more. */
nodiscard enum err login_reset(struct db *db, const struct login_try *try);

/*
 * Compares the code and takes its step, so that it is good once in the whole system. ERR_LOGIN
 * otherwise. key is the account's TOTP secret.
 */
nodiscard enum err login_check_code(struct db *db, int64_t account, const struct secret *key,
				    const char *code, int64_t now_s);

/* After the right password: a token for login_complete only. Ends what the device had begun before.
 */
nodiscard enum err login_begin(struct db *db, const struct login_try *try, int64_t now_s,
			       char ret_token[LOGIN_TOKEN_TEXT + 1]);

/* After the right code: the waiting login ends and a complete one with another token begins. */
nodiscard enum err login_complete(struct db *db, const struct login_policy *policy,
				  const struct login_row *waiting, int64_t now_s,
				  char ret_token[LOGIN_TOKEN_TEXT + 1], struct login_row *ret);

/*
 * The login of a token that came from device. ERR_AUTH: no such token, another device's, expired,
 * or idle too long. Whether account and device are still welcome is the caller's to check.
 */
nodiscard enum err login_find(struct db *db, const struct login_policy *policy, const char *token,
			      int64_t device, int64_t now_s, struct login_row *ret);

#endif
