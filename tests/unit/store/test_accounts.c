#include "unit/store/fixture.h"

#include <sys/wait.h>

enum { RACERS = 16, ROUNDS = 20 };

static void names(void **state)
{
	char long_name[ACCOUNT_NAME_MAX + 2];

	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	assert_false(account_name_valid(long_name));
	long_name[ACCOUNT_NAME_MAX] = '\0';
	assert_true(account_name_valid(long_name));
	assert_true(account_name_valid("sato.h-1_2"));
	assert_false(account_name_valid(""));
	assert_false(account_name_valid("Sato"));
	assert_false(account_name_valid("sa to"));
	assert_false(account_name_valid("佐藤"));
	assert_false(account_name_valid(".hidden"));
	assert_false(account_name_valid("-option"));
}

static void a_step_is_taken_once(void **state)
{
	struct fixture *fixture = *state;

	assert_ok(account_set_totp(fixture->db, fixture->account, "sealed", 6, 100));
	assert_err(account_take_totp_step(fixture->db, fixture->account, 99), ERR_NOT_FOUND);
	/* The code that was shown when the secret was set up. */
	assert_err(account_take_totp_step(fixture->db, fixture->account, 100), ERR_NOT_FOUND);
	assert_ok(account_take_totp_step(fixture->db, fixture->account, 101));
	assert_err(account_take_totp_step(fixture->db, fixture->account, 101), ERR_NOT_FOUND);
	assert_err(account_take_totp_step(fixture->db, fixture->account, 100), ERR_NOT_FOUND);
	assert_err(account_take_totp_step(fixture->db, 999, 200), ERR_NOT_FOUND);
}

/* Its own connection, and a retry where the lock was taken: only the step decides who wins. */
static int race_one(const struct fixture *fixture, int start)
{
	struct db *db = NULL;
	char byte;
	int won = 0;

	if (db_open(fixture->path, &db))
		return 99;
	if (read(start, &byte, 1) < 0)
		return 99;
	for (int64_t step = 1; step <= ROUNDS; step++) {
		enum err err;

		do {
			err = account_take_totp_step(db, fixture->account, step);
		} while (err == ERR_UNAVAILABLE);
		if (err != OK && err != ERR_NOT_FOUND)
			return 99;
		won += err == OK;
	}
	db_close(db);
	return won;
}

static void many_processes_have_one_winner(void **state)
{
	struct fixture *fixture = *state;
	pid_t pids[RACERS];
	int gate[2], total = 0;

	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < RACERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			close(gate[1]);
			_exit(race_one(fixture, gate[0]));
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < RACERS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 99);
		total += WEXITSTATUS(status);
	}
	/* A later step that is taken first makes the earlier ones worthless, so there may be fewer.
	 */
	assert_in_range(total, 1, ROUNDS);
	assert_err(account_take_totp_step(fixture->db, fixture->account, ROUNDS), ERR_NOT_FOUND);
}

static void two_connections_one_step(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_db_ struct db *other = fixture_connect(fixture);

	for (int64_t step = 1; step <= 50; step++) {
		struct db *first = step % 2 ? fixture->db : other,
			  *second = step % 2 ? other : fixture->db;

		assert_ok(account_take_totp_step(first, fixture->account, step));
		assert_err(account_take_totp_step(second, fixture->account, step), ERR_NOT_FOUND);
	}
}

static void fields_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct account account;
	uint8_t sealed[ACCOUNT_TOTP_MAX];

	memset(sealed, 0xa5, sizeof(sealed));
	assert_ok(account_set_totp(fixture->db, fixture->account, sealed, sizeof(sealed), 5));
	assert_ok(account_set_password(fixture->db, fixture->account, "$other"));
	assert_ok(account_set_tries(fixture->db, fixture->account, 4, 123456789));
	assert_ok(account_set_locked(fixture->db, fixture->account, true));
	assert_ok(account_set_disabled(fixture->db, fixture->account, true));
	assert_ok(account_by_id(fixture->db, fixture->account, &account));
	assert_int_equal(account.totp_len, sizeof(sealed));
	assert_memory_equal(account.totp, sealed, sizeof(sealed));
	assert_string_equal(account.password, "$other");
	assert_int_equal(account.failures, 4);
	assert_int_equal(account.next_try_ms, 123456789);
	assert_true(account.locked && account.disabled);
	assert_err(account_set_locked(fixture->db, 999, true), ERR_NOT_FOUND);
	assert_err(account_by_name(fixture->db, "nobody", &account), ERR_NOT_FOUND);
	assert_err(account_by_name(fixture->db, "sato' OR '1'='1", &account), ERR_NOT_FOUND);
}

static void list_is_in_order(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query = { 0 };
	const char *const wanted[] = { "abe", "sato", "suzuki" };
	struct account account;
	bool more;

	fixture_account(fixture->db, "suzuki");
	fixture_account(fixture->db, "abe");
	account_list(&query, fixture->db, 0);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_ok(account_next(&query, &account, &more));
		assert_true(more);
		assert_string_equal(account.name, wanted[i]);
	}
	assert_ok(account_next(&query, &account, &more));
	assert_false(more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		fixture_test(a_step_is_taken_once),
		fixture_test(many_processes_have_one_winner),
		fixture_test(two_connections_one_step),
		fixture_test(fields_come_back),
		fixture_test(list_is_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
