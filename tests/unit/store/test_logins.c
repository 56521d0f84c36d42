#include "unit/store/fixture.h"

#include "store/logins.h"

static int64_t add(const struct fixture *fixture, uint8_t token, enum login_state login_state,
		   int64_t expires_s, int64_t used_s)
{
	struct login_row row = { .token = { token },
				 .account = fixture->account,
				 .device = fixture->device,
				 .state = login_state,
				 .expires_s = expires_s,
				 .used_s = used_s };
	int64_t id = 0;

	assert_ok(login_row_add(fixture->db, &row, &id));
	return id;
}

static bool there(const struct fixture *fixture, int64_t id)
{
	struct login_row row;
	enum err err = login_row_by_id(fixture->db, id, &row);

	assert_true(err == OK || err == ERR_NOT_FOUND);
	return err == OK;
}

static void found_by_token(void **state)
{
	struct fixture *fixture = *state;
	const uint8_t token[LOGIN_TOKEN_HASH] = { 9 }, other[LOGIN_TOKEN_HASH] = { 8 };
	int64_t id = add(fixture, 9, LOGIN_FULL, 100, 50);
	struct login_row row;

	assert_ok(login_row_by_token(fixture->db, token, &row));
	assert_int_equal(row.id, id);
	assert_int_equal(row.device, fixture->device);
	assert_err(login_row_by_token(fixture->db, other, &row), ERR_NOT_FOUND);
	assert_ok(login_row_touch(fixture->db, id, 60));
	assert_ok(login_row_by_id(fixture->db, id, &row));
	assert_int_equal(row.used_s, 60);
}

static void locked_until_it_is_said_otherwise(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = add(fixture, 5, LOGIN_FULL, 100, 50),
		other = add(fixture, 6, LOGIN_FULL, 100, 50);
	struct login_row row;

	assert_ok(login_row_set_locked(fixture->db, id, true));
	assert_ok(login_row_by_id(fixture->db, id, &row));
	assert_true(row.locked);
	assert_ok(login_row_by_id(fixture->db, other, &row));
	assert_false(row.locked);
	assert_ok(login_row_set_locked(fixture->db, id, false));
	assert_ok(login_row_by_id(fixture->db, id, &row));
	assert_false(row.locked);
	assert_err(login_row_set_locked(fixture->db, 999, true), ERR_NOT_FOUND);
}

static void purge_takes_the_expired_and_the_idle(void **state)
{
	struct fixture *fixture = *state;
	int64_t expired = add(fixture, 1, LOGIN_FULL, 1000, 999);
	int64_t idle = add(fixture, 2, LOGIN_FULL, 2000, 500);
	int64_t good = add(fixture, 3, LOGIN_FULL, 2000, 501);
	int64_t waiting = add(fixture, 4, LOGIN_PASSWORD, 1001, 400);
	int64_t count;

	assert_ok(login_row_purge(fixture->db, 1000, 500));
	assert_false(there(fixture, expired));
	assert_false(there(fixture, idle));
	assert_true(there(fixture, good));
	assert_true(there(fixture, waiting));
	assert_ok(login_row_count(fixture->db, &count));
	assert_int_equal(count, 1);
}

static void deleting_takes_only_what_is_meant(void **state)
{
	struct fixture *fixture = *state;
	int64_t waiting = add(fixture, 1, LOGIN_PASSWORD, 100, 0),
		full = add(fixture, 2, LOGIN_FULL, 100, 0);

	assert_ok(login_row_delete_waiting(fixture->db, fixture->device));
	assert_false(there(fixture, waiting));
	assert_true(there(fixture, full));
	assert_ok(login_row_delete_device(fixture->db, fixture->device + 1));
	assert_ok(login_row_delete_account(fixture->db, fixture->account + 1));
	assert_true(there(fixture, full));
	assert_ok(login_row_delete_device(fixture->db, fixture->device));
	assert_false(there(fixture, full));
	full = add(fixture, 3, LOGIN_FULL, 100, 0);
	assert_ok(login_row_delete_account(fixture->db, fixture->account));
	assert_false(there(fixture, full));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(found_by_token),
		fixture_test(locked_until_it_is_said_otherwise),
		fixture_test(purge_takes_the_expired_and_the_idle),
		fixture_test(deleting_takes_only_what_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
