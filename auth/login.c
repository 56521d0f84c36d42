#include "auth/login.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "auth/throttle.h"
#include "auth/totp.h"

enum { LOGIN_TOKEN_BYTES = LOGIN_TOKEN_TEXT / 2 };

bool login_device_valid(const struct device *device, int64_t now_s)
{
	return device->state != DEVICE_REVOKED && now_s < device->not_after_s;
}

/* A count that has reached the limit is as good as locked: the try that brought it there may still
 * be under way, or the process died before it could write the lock. */
static bool account_is_locked(const struct account *account, const struct login_policy *policy)
{
	return account->locked || account->failures >= policy->failures;
}

static bool device_is_locked(const struct device *device, const struct login_policy *policy)
{
	return device->state == DEVICE_LOCKED || device->failures >= policy->failures;
}

static enum err login_load(struct db *db, const struct login_try *try, struct account *ret_account,
			   struct device *ret_device)
{
	enum err err = device_by_id(db, try->device, ret_device);

	*ret_account = (struct account){ 0 };
	if (!err && try->account)
		err = account_by_id(db, try->account, ret_account);
	return err;
}

enum err login_count(struct db *db, const struct login_policy *policy, const struct login_try *try,
		     int64_t now_ms, int64_t *ret_wait_ms)
{
	struct account account;
	struct device device;
	int64_t wait_ms;
	enum err err;

	assert(db_in_transaction(db));
	err = login_load(db, try, &account, &device);
	if (err)
		return err;
	if (device_is_locked(&device, policy) || account_is_locked(&account, policy))
		return ERR_LOCKED;
	wait_ms = MAX(throttle_left_ms(device.next_try_ms, now_ms),
		      throttle_left_ms(account.next_try_ms, now_ms));
	if (wait_ms > 0) {
		*ret_wait_ms = wait_ms;
		return ERR_THROTTLED;
	}
	err = device_set_tries(db, device.id, device.failures + 1,
			       now_ms + throttle_wait_ms(device.failures + 1));
	if (!err && try->account)
		err = account_set_tries(db, account.id, account.failures + 1,
					now_ms + throttle_wait_ms(account.failures + 1));
	return err;
}

enum err login_refund(struct db *db, const struct login_try *try)
{
	struct account account;
	struct device device;
	enum err err;

	assert(db_in_transaction(db));
	err = login_load(db, try, &account, &device);
	if (!err && device.failures > 0)
		err = device_set_tries(db, device.id, device.failures - 1, 0);
	if (!err && account.failures > 0)
		err = account_set_tries(db, account.id, account.failures - 1, 0);
	return err;
}

enum err login_fail(struct db *db, const struct login_policy *policy, const struct login_try *try,
		    bool *ret_locked)
{
	struct account account;
	struct device device;
	bool locked = false;
	enum err err;

	assert(db_in_transaction(db));
	err = login_load(db, try, &account, &device);
	if (!err && device.state == DEVICE_ACTIVE && device_is_locked(&device, policy)) {
		err = device_set_state(db, device.id, DEVICE_LOCKED);
		locked = true;
	}
	if (!err && try->account && !account.locked && account_is_locked(&account, policy)) {
		err = account_set_locked(db, account.id, true);
		locked = true;
	}
	if (!err)
		*ret_locked = locked;
	return err;
}

enum err login_reset(struct db *db, const struct login_try *try)
{
	enum err err = OK;

	assert(db_in_transaction(db));
	if (try->device)
		err = device_set_tries(db, try->device, 0, 0);
	if (!err && try->account)
		err = account_set_tries(db, try->account, 0, 0);
	return err;
}

enum err login_check_code(struct db *db, int64_t account, const struct secret *key,
			  const char *code, int64_t now_s)
{
	uint64_t step;
	enum err err;

	assert(db_in_transaction(db));
	err = totp_check(key, code, now_s, &step);
	if (err)
		return err;
	err = account_take_totp_step(db, account, (int64_t)step);
	return err == ERR_NOT_FOUND ? ERR_LOGIN : err;
}

static enum err login_hash(const char *token, uint8_t ret_hash[LOGIN_TOKEN_HASH])
{
	return EVP_Digest(token, strlen(token), ret_hash, NULL, EVP_sha256(), NULL) ? OK
										    : ERR_CRYPTO;
}

static enum err login_make_token(char ret_token[LOGIN_TOKEN_TEXT + 1],
				 uint8_t ret_hash[LOGIN_TOKEN_HASH])
{
	uint8_t random[LOGIN_TOKEN_BYTES];

	util_random(random, sizeof(random));
	util_hex(random, sizeof(random), ret_token);
	secret_wipe(random, sizeof(random));
	return login_hash(ret_token, ret_hash);
}

enum err login_begin(struct db *db, const struct login_try *try, int64_t now_s,
		     char ret_token[LOGIN_TOKEN_TEXT + 1])
{
	struct login_row row = {
		.account = try->account,
		.device = try->device,
		.state = LOGIN_PASSWORD,
		.expires_s = now_s + LOGIN_WAIT_S,
		.used_s = now_s,
	};
	enum err err;
	int64_t id;

	assert(db_in_transaction(db));
	err = login_row_delete_waiting(db, try->device);
	if (!err)
		err = login_make_token(ret_token, row.token);
	return err ? err : login_row_add(db, &row, &id);
}

enum err login_complete(struct db *db, const struct login_policy *policy,
			const struct login_row *waiting, int64_t now_s,
			char ret_token[LOGIN_TOKEN_TEXT + 1], struct login_row *ret)
{
	struct login_row row = {
		.account = waiting->account,
		.device = waiting->device,
		.state = LOGIN_FULL,
		.expires_s = now_s + policy->length_s,
		.used_s = now_s,
	};
	enum err err;

	assert(db_in_transaction(db));
	err = login_row_delete(db, waiting->id);
	if (!err)
		err = login_make_token(ret_token, row.token);
	if (!err)
		err = login_row_add(db, &row, &row.id);
	if (!err)
		*ret = row;
	return err;
}

enum err login_find(struct db *db, const struct login_policy *policy, const char *token,
		    int64_t device, int64_t now_s, struct login_row *ret)
{
	uint8_t hash[LOGIN_TOKEN_HASH];
	struct login_row row;
	enum err err;

	if (strlen(token) != LOGIN_TOKEN_TEXT)
		return ERR_AUTH;
	err = login_hash(token, hash);
	if (err)
		return err;
	err = login_row_by_token(db, hash, &row);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_AUTH : err;
	if (row.device != device || now_s >= row.expires_s ||
	    (row.state == LOGIN_FULL && now_s - row.used_s >= policy->idle_s))
		return ERR_AUTH;
	*ret = row;
	return OK;
}
