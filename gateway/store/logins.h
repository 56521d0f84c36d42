/*
 * logins.h - the table of logins. Only the SHA-256 of a token is kept, so that a copy of the
 * database logs nobody in. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_LOGINS_H
#define SEKISHO_STORE_LOGINS_H

#include "store/db.h"

enum { LOGIN_TOKEN_HASH = 32 };

/* As kept in the database. */
enum login_state { LOGIN_PASSWORD = 1, LOGIN_FULL = 2 };

struct login_row {
	int64_t id;
	uint8_t token[LOGIN_TOKEN_HASH];
	int64_t account, device;
	int64_t state; /* enum login_state */
	int64_t expires_s, used_s;
	bool locked; /* the password must be given again */
};

nodiscard enum err login_row_by_token(struct db *db, const uint8_t token[LOGIN_TOKEN_HASH],
				      struct login_row *ret);
nodiscard enum err login_row_by_id(struct db *db, int64_t id, struct login_row *ret);
nodiscard enum err login_row_add(struct db *db, const struct login_row *row, int64_t *ret_id);
nodiscard enum err login_row_touch(struct db *db, int64_t id, int64_t used_s);

nodiscard enum err login_row_set_locked(struct db *db, int64_t id, bool locked);

/* Deleting none is no error. */
nodiscard enum err login_row_delete(struct db *db, int64_t id);
nodiscard enum err login_row_delete_account(struct db *db, int64_t account);
nodiscard enum err login_row_delete_device(struct db *db, int64_t device);
/* Those of the device that wait for their code. */
nodiscard enum err login_row_delete_waiting(struct db *db, int64_t device);
/* Those that expired before now_s or, when complete, were last used before idle_s. */
nodiscard enum err login_row_purge(struct db *db, int64_t now_s, int64_t idle_s);

/* How many complete logins there are. */
nodiscard enum err login_row_count(struct db *db, int64_t *ret);

#endif
