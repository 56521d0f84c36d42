#include "unit/store/fixture.h"

#include <liboath/oath.h>

#include "auth/login.h"
#include "auth/totp.h"

static const struct login_policy policy = { .failures = 5, .length_s = 3600, .idle_s = 600 };

/* Runs func in a transaction that commits when it answers OK. */
#define in_tx(db, expression)                                                                      \
	({                                                                                         \
		_cleanup_tx_ struct db_tx tx_ = { 0 };                                             \
		enum err err_;                                                                     \
		assert_ok(db_tx_begin(&tx_, db));                                                  \
		err_ = (expression);                                                               \
		if (!err_)                                                                         \
			assert_ok(db_tx_commit(&tx_));                                             \
		err_;                                                                              \
	})

static struct login_try own(const struct fixture *fixture)
{
	return (struct login_try){ .account = fixture->account, .device = fixture->device };
}

static struct account account_of(const struct fixture *fixture)
{
	struct account account;

	assert_ok(account_by_id(fixture->db, fixture->account, &account));
	return account;
}

static struct device device_of(const struct fixture *fixture)
{
	struct device device;

	assert_ok(device_by_id(fixture->db, fixture->device, &device));
	return device;
}

/* ---- counting --------------------------------------------------------------------------- */

static void tries_slow_down_and_are_counted_first(void **state)
{
	struct fixture *fixture = *state;
	const struct login_try try = own(fixture);
	int64_t wait_ms = 0;

	for (int i = 1; i <= 3; i++) {
		assert_ok(in_tx(fixture->db,
				login_count(fixture->db, &policy, &try, 1000, &wait_ms)));
		assert_int_equal(account_of(fixture).failures, i);
		assert_int_equal(device_of(fixture).failures, i);
	}
	assert_err(in_tx(fixture->db, login_count(fixture->db, &policy, &try, 1999, &wait_ms)),
		   ERR_THROTTLED);
	assert_int_equal(wait_ms, 1);
	assert_int_equal(account_of(fixture).failures, 3);
	assert_ok(in_tx(fixture->db, login_count(fixture->db, &policy, &try, 2000, &wait_ms)));
	assert_err(in_tx(fixture->db, login_count(fixture->db, &policy, &try, 2000, &wait_ms)),
		   ERR_THROTTLED);
	assert_int_equal(wait_ms, 2000);
}

static void a_restart_forgets_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct login_try try = own(fixture);
	int64_t wait_ms;

	for (int i = 0; i < 3; i++)
		assert_ok(in_tx(fixture->db,
				login_count(fixture->db, &policy, &try, 1000, &wait_ms)));
	db_close(fixture->db);
	fixture->db = fixture_connect(fixture);
	assert_err(in_tx(fixture->db, login_count(fixture->db, &policy, &try, 1500, &wait_ms)),
		   ERR_THROTTLED);
}

static enum err fail_at(const struct fixture *fixture, const struct login_try *try, int64_t now_ms,
			bool *ret_locked)
{
	int64_t wait_ms;
	enum err err = in_tx(fixture->db, login_count(fixture->db, &policy, try, now_ms, &wait_ms));

	return err ? err : in_tx(fixture->db, login_fail(fixture->db, &policy, try, ret_locked));
}

static void the_last_failure_locks_both(void **state)
{
	struct fixture *fixture = *state;
	const struct login_try try = own(fixture);
	bool locked = false;

	for (int64_t i = 1; i <= policy.failures; i++) {
		assert_false(locked);
		assert_ok(fail_at(fixture, &try, i * 100000, &locked));
	}
	assert_true(locked);
	assert_true(account_of(fixture).locked);
	assert_int_equal(device_of(fixture).state, DEVICE_LOCKED);
	assert_err(fail_at(fixture, &try, 99000000, &locked), ERR_LOCKED);
	/* Locked is for good: only an administrator changes it. */
	assert_ok(in_tx(fixture->db, login_reset(fixture->db, &try)));
	assert_err(fail_at(fixture, &try, 99000000, &locked), ERR_LOCKED);
	assert_ok(account_set_locked(fixture->db, fixture->account, false));
	assert_err(fail_at(fixture, &try, 99000000, &locked), ERR_LOCKED);
	assert_ok(device_set_state(fixture->db, fixture->device, DEVICE_ACTIVE));
	assert_ok(fail_at(fixture, &try, 99000000, &locked));
}

/* The process died between counting the last try and locking. */
static void a_full_count_is_a_lock(void **state)
{
	struct fixture *fixture = *state;
	const struct login_try try = own(fixture);
	int64_t wait_ms;

	assert_ok(account_set_tries(fixture->db, fixture->account, policy.failures, 0));
	assert_err(in_tx(fixture->db, login_count(fixture->db, &policy, &try, 1000, &wait_ms)),
		   ERR_LOCKED);
	assert_ok(account_set_tries(fixture->db, fixture->account, 0, 0));
	assert_ok(device_set_tries(fixture->db, fixture->device, policy.failures, 0));
	assert_err(in_tx(fixture->db, login_count(fixture->db, &policy, &try, 1000, &wait_ms)),
		   ERR_LOCKED);
}

static void somebody_elses_device_counts_against_itself(void **state)
{
	struct fixture *fixture = *state;
	const struct login_try foreign = { .device = fixture->device };
	const struct login_try try = own(fixture);
	bool locked = false;
	int64_t wait_ms;

	for (int64_t i = 1; i <= policy.failures; i++)
		assert_ok(fail_at(fixture, &foreign, i * 100000, &locked));
	assert_true(locked);
	assert_int_equal(account_of(fixture).failures, 0);
	assert_false(account_of(fixture).locked);
	assert_err(
		in_tx(fixture->db, login_count(fixture->db, &policy, &foreign, 99000000, &wait_ms)),
		ERR_LOCKED);
	assert_err(in_tx(fixture->db, login_count(fixture->db, &policy, &try, 99000000, &wait_ms)),
		   ERR_LOCKED);
}

static void a_right_password_takes_its_count_back(void **state)
{
	struct fixture *fixture = *state;
	const struct login_try try = own(fixture);
	int64_t wait_ms;
	bool locked;

	assert_ok(fail_at(fixture, &try, 100000, &locked));
	for (int i = 0; i < 20; i++) {
		assert_ok(in_tx(fixture->db,
				login_count(fixture->db, &policy, &try, 200000, &wait_ms)));
		assert_ok(in_tx(fixture->db, login_refund(fixture->db, &try)));
	}
	/* But not those of others: a right password must not make room for more codes. */
	assert_int_equal(account_of(fixture).failures, 1);
	assert_int_equal(device_of(fixture).failures, 1);
	assert_ok(in_tx(fixture->db, login_reset(fixture->db, &try)));
	assert_int_equal(account_of(fixture).failures, 0);
	assert_int_equal(device_of(fixture).failures, 0);
}

/* ---- codes ------------------------------------------------------------------------------ */

static void code_at(const struct secret *key, int64_t now_s, char ret[TOTP_DIGITS + 1])
{
	assert_int_equal(oath_totp_generate(secret_text(key), secret_len(key), now_s, TOTP_STEP_S,
					    0, TOTP_DIGITS, ret),
			 OATH_OK);
}

static void a_code_is_good_once(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_db_ struct db *other = fixture_connect(fixture);
	_cleanup_secret_ struct secret *key = NULL;
	const int64_t now_s = 1700000000;
	char code[TOTP_DIGITS + 1], next[TOTP_DIGITS + 1];

	assert_ok(totp_new(&key));
	assert_ok(
		account_set_totp(fixture->db, fixture->account, "x", 1, (int64_t)totp_step(now_s)));
	code_at(key, now_s, code);
	/* Set-up seeds the guard, so the code that was on the screen then does not log in. */
	assert_err(in_tx(fixture->db,
			 login_check_code(fixture->db, fixture->account, key, code, now_s)),
		   ERR_LOGIN);
	code_at(key, now_s + 60, code);
	assert_ok(in_tx(fixture->db,
			login_check_code(fixture->db, fixture->account, key, code, now_s + 60)));
	assert_err(in_tx(fixture->db,
			 login_check_code(fixture->db, fixture->account, key, code, now_s + 60)),
		   ERR_LOGIN);
	assert_err(in_tx(other, login_check_code(other, fixture->account, key, code, now_s + 61)),
		   ERR_LOGIN);
	/* One from before an accepted one is gone too. */
	code_at(key, now_s + 30, code);
	assert_err(in_tx(fixture->db,
			 login_check_code(fixture->db, fixture->account, key, code, now_s + 60)),
		   ERR_LOGIN);
	code_at(key, now_s + 90, next);
	assert_ok(in_tx(fixture->db,
			login_check_code(fixture->db, fixture->account, key, next, now_s + 90)));
	assert_err(in_tx(fixture->db,
			 login_check_code(fixture->db, fixture->account, key, "", now_s + 200)),
		   ERR_LOGIN);
}

/* ---- tokens ----------------------------------------------------------------------------- */

static void token_begin(const struct fixture *fixture, int64_t now_s,
			char token[LOGIN_TOKEN_TEXT + 1])
{
	const struct login_try try = own(fixture);

	assert_ok(in_tx(fixture->db, login_begin(fixture->db, &try, now_s, token)));
}

static void token_complete(const struct fixture *fixture, int64_t now_s, const char *waiting,
			   char token[LOGIN_TOKEN_TEXT + 1])
{
	struct login_row row, full;

	assert_ok(login_find(fixture->db, &policy, waiting, fixture->device, now_s, &row));
	assert_ok(in_tx(fixture->db,
			login_complete(fixture->db, &policy, &row, now_s, token, &full)));
	assert_int_equal(full.state, LOGIN_FULL);
}

static void a_token_is_bound_to_its_device(void **state)
{
	struct fixture *fixture = *state;
	int64_t second = fixture_device(fixture->db, fixture->account, 9);
	char waiting[LOGIN_TOKEN_TEXT + 1], token[LOGIN_TOKEN_TEXT + 1];
	struct login_row row;

	token_begin(fixture, 1000, waiting);
	assert_err(login_find(fixture->db, &policy, waiting, second, 1000, &row), ERR_AUTH);
	token_complete(fixture, 1000, waiting, token);
	assert_ok(login_find(fixture->db, &policy, token, fixture->device, 1000, &row));
	assert_err(login_find(fixture->db, &policy, token, second, 1000, &row), ERR_AUTH);
}

static void tokens_change_and_are_kept_hashed(void **state)
{
	struct fixture *fixture = *state;
	char waiting[LOGIN_TOKEN_TEXT + 1], token[LOGIN_TOKEN_TEXT + 1],
		again[LOGIN_TOKEN_TEXT + 1];
	uint8_t bytes[LOGIN_TOKEN_HASH];
	struct login_row row;

	token_begin(fixture, 1000, waiting);
	assert_int_equal(strlen(waiting), LOGIN_TOKEN_TEXT);
	token_complete(fixture, 1000, waiting, token);
	assert_string_not_equal(waiting, token);
	assert_err(login_find(fixture->db, &policy, waiting, fixture->device, 1000, &row),
		   ERR_AUTH);
	assert_ok(login_find(fixture->db, &policy, token, fixture->device, 1000, &row));
	assert_ok(util_unhex(token, bytes, sizeof(bytes)));
	assert_memory_not_equal(row.token, bytes, sizeof(bytes));
	/* A second try of the same device ends the first one's token. */
	token_begin(fixture, 1000, waiting);
	token_begin(fixture, 1000, again);
	assert_err(login_find(fixture->db, &policy, waiting, fixture->device, 1000, &row),
		   ERR_AUTH);
	assert_ok(login_find(fixture->db, &policy, again, fixture->device, 1000, &row));
}

static void tokens_run_out(void **state)
{
	struct fixture *fixture = *state;
	char waiting[LOGIN_TOKEN_TEXT + 1], token[LOGIN_TOKEN_TEXT + 1];
	struct login_row row;

	token_begin(fixture, 1000, waiting);
	assert_ok(login_find(fixture->db, &policy, waiting, fixture->device,
			     1000 + LOGIN_WAIT_S - 1, &row));
	assert_err(login_find(fixture->db, &policy, waiting, fixture->device, 1000 + LOGIN_WAIT_S,
			      &row),
		   ERR_AUTH);
	token_complete(fixture, 1000, waiting, token);
	assert_ok(login_find(fixture->db, &policy, token, fixture->device, 1000 + policy.idle_s - 1,
			     &row));
	assert_err(login_find(fixture->db, &policy, token, fixture->device, 1000 + policy.idle_s,
			      &row),
		   ERR_AUTH);
	/* Use keeps it alive, up to its length. */
	for (int64_t now_s = 1000; now_s < 1000 + policy.length_s; now_s += 300) {
		assert_ok(login_find(fixture->db, &policy, token, fixture->device, now_s, &row));
		assert_ok(login_row_touch(fixture->db, row.id, now_s));
	}
	assert_err(login_find(fixture->db, &policy, token, fixture->device, 1000 + policy.length_s,
			      &row),
		   ERR_AUTH);
}

static void rubbish_is_no_token(void **state)
{
	struct fixture *fixture = *state;
	static const char *const tokens[] = {
		"",
		"-",
		"a",
		"' OR 1=1 --",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"00000000000000000000000000000000000000000000000000000000000000000",
	};
	struct login_row row;

	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		assert_err(login_find(fixture->db, &policy, tokens[i], fixture->device, 1000, &row),
			   ERR_AUTH);
}

static void devices_end(void **state)
{
	struct device device = { .state = DEVICE_ACTIVE, .not_after_s = 100 };

	(void)state;
	assert_true(login_device_valid(&device, 99));
	assert_false(login_device_valid(&device, 100));
	device.state = DEVICE_REVOKED;
	assert_false(login_device_valid(&device, 99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(tries_slow_down_and_are_counted_first),
		fixture_test(a_restart_forgets_nothing),
		fixture_test(the_last_failure_locks_both),
		fixture_test(a_full_count_is_a_lock),
		fixture_test(somebody_elses_device_counts_against_itself),
		fixture_test(a_right_password_takes_its_count_back),
		fixture_test(a_code_is_good_once),
		fixture_test(a_token_is_bound_to_its_device),
		fixture_test(tokens_change_and_are_kept_hashed),
		fixture_test(tokens_run_out),
		fixture_test(rubbish_is_no_token),
		cmocka_unit_test(devices_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
