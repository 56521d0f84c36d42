#include "unit/store/fixture.h"

#include <sys/stat.h>

#include "store/migrate.h"

static int64_t count(struct db *db, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static void opening_makes_a_private_file(void **state)
{
	const struct fixture *fixture = *state;
	struct stat status;

	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(count(fixture->db, "SELECT max(version) FROM migration"),
			 migrate_latest(&migrations_gateway));
}

static void commits_are_durable_and_rows_survive(void **state)
{
	struct fixture *fixture = *state;
	struct account account;

	assert_int_equal(count(fixture->db, "PRAGMA synchronous"), 2);
	assert_int_equal(count(fixture->db, "PRAGMA foreign_keys"), 1);
	assert_int_equal(count(fixture->db, "PRAGMA secure_delete"), 1);
	db_close(fixture->db);
	fixture->db = fixture_connect(fixture);
	assert_ok(account_by_name(fixture->db, "sato", &account));
	assert_int_equal(account.id, fixture->account);
	assert_string_equal(account.full_name, "佐藤 花子");
}

static void a_newer_database_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct db *db = NULL;

	assert_ok(db_exec(fixture->db, "INSERT INTO migration VALUES (9999, 0)"));
	assert_err(db_open(fixture->path, &db), ERR_WRONG_STATE);
	assert_null(db);
}

static void what_is_not_committed_is_not_there(void **state)
{
	struct fixture *fixture = *state;

	{
		_cleanup_tx_ struct db_tx tx = { 0 };

		assert_ok(db_tx_begin(&tx, fixture->db));
		fixture_account(fixture->db, "suzuki");
		assert_int_equal(count(fixture->db, "SELECT count(*) FROM account"), 2);
	}
	assert_false(db_in_transaction(fixture->db));
	assert_int_equal(count(fixture->db, "SELECT count(*) FROM account"), 1);
}

static void a_second_writer_is_told_so(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_db_ struct db *other = fixture_connect(fixture);
	_cleanup_tx_ struct db_tx tx = { 0 }, other_tx = { 0 };

	assert_ok(db_tx_begin(&tx, fixture->db));
	assert_err(db_tx_begin(&other_tx, other), ERR_UNAVAILABLE);
	assert_ok(db_tx_commit(&tx));
	assert_ok(db_tx_begin(&other_tx, other));
}

/* A transaction on a full disk fails as a whole, and the database works on once there is room. */
static void a_full_disk_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	int64_t pages = count(fixture->db, "PRAGMA page_count");
	enum err err = OK;
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%lld", (long long)pages);
	assert_int_equal(count(fixture->db, sql), pages);
	{
		_cleanup_tx_ struct db_tx tx = { 0 };

		assert_ok(db_tx_begin(&tx, fixture->db));
		for (int i = 0; i < 10000 && !err; i++) {
			struct account account = { .role = ACCOUNT_STAFF, .password = "x" };
			int64_t id;

			snprintf(account.name, sizeof(account.name), "person%d", i);
			err = account_add(fixture->db, &account, &id);
		}
		assert_err(err, ERR_FULL);
	}
	assert_int_equal(count(fixture->db, "SELECT count(*) FROM account"), 1);
	assert_int_equal(count(fixture->db, "PRAGMA max_page_count=1000000"), 1000000);
	fixture_account(fixture->db, "suzuki");
}

static void constraints_have_their_errors(void **state)
{
	struct fixture *fixture = *state;
	struct account account = { .name = "sato", .role = ACCOUNT_STAFF, .password = "x" };
	struct device device = { .name = "pc", .owner = 999 };
	int64_t id;

	assert_err(account_add(fixture->db, &account, &id), ERR_EXISTS);
	account.role = 3;
	snprintf(account.name, sizeof(account.name), "suzuki");
	assert_err(account_add(fixture->db, &account, &id), ERR_INVALID);
	assert_err(device_add(fixture->db, &device, &id), ERR_NOT_FOUND);
	assert_err(db_exec(fixture->db, "INSERT INTO host_grant VALUES ('one', 1, 0)"),
		   ERR_INVALID);
	assert_err(db_exec(fixture->db, "UPDATE account SET name = printf('%65s', 'x')"),
		   ERR_INVALID);
	assert_err(db_exec(fixture->db, "UPDATE device SET device_key = x'00'"), ERR_INVALID);
}

/* A value of a database that somebody changed by hand must not overflow anything. */
static void columns_do_not_overflow(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query;
	uint8_t blob[4];
	char text[4];

	query_init(&query, fixture->db, "SELECT 'abcd', x'0102030405', 'abc'");
	assert_ok(query_one(&query));
	query_col_str(&query, 2, text, sizeof(text));
	assert_string_equal(text, "abc");
	assert_ok(query_err(&query));
	query_col_str(&query, 0, text, sizeof(text));
	assert_string_equal(text, "");
	assert_err(query_err(&query), ERR_INTERNAL);
	query.err = OK;
	assert_int_equal(query_col_blob(&query, 1, blob, sizeof(blob)), 0);
	assert_err(query_err(&query), ERR_INTERNAL);
}

static void wrong_sql_is_an_error_not_a_crash(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query;
	bool row;

	query_init(&query, fixture->db, "SELECT nothing FROM nowhere WHERE x = ?");
	query_i64(&query, 1);
	assert_err(query_next(&query, &row), ERR_INTERNAL);
}

static void deleted_ids_are_not_used_again(void **state)
{
	struct fixture *fixture = *state;
	int64_t first = fixture_host(fixture->db, "受付PC");

	assert_ok(host_remove(fixture->db, first));
	assert_true(fixture_host(fixture->db, "受付PC") > first);
}

/* The step that makes the table of accounts anew, done once more on a database that is in use. */
static void accounts_survive_their_new_table(void **state)
{
	static const char *const kept[] = {
		"SELECT count(*) FROM account WHERE name = 'sato' AND password = '$argon2id$none'",
		"SELECT count(*) FROM device WHERE owner = 1",
		"SELECT count(*) FROM device_owner WHERE account = 1",
	};
	struct fixture *fixture = *state;
	_cleanup_tx_ struct db_tx tx = { 0 };
	const char *step = NULL;

	fixture_account(fixture->db, "yamada");
	assert_ok(db_exec(fixture->db, "DELETE FROM account WHERE name = 'yamada'"));
	for (int64_t version = 1; !step || !strstr(step, "role IN (1, 2, 4)"); version++)
		assert_non_null(step = migrate_sql(&migrations_gateway, version));
	assert_ok(db_tx_begin(&tx, fixture->db));
	assert_ok(db_exec(fixture->db, step));
	assert_ok(db_tx_commit(&tx));
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		assert_int_equal(count(fixture->db, kept[i]), 1);
	assert_int_equal(count(fixture->db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	/* Who refers to an account still needs it, and a number is used once. */
	assert_err(db_exec(fixture->db, "DELETE FROM account WHERE name = 'sato'"), ERR_NOT_FOUND);
	assert_int_equal(fixture_account(fixture->db, "suzuki"), 3);
	assert_err(db_exec(fixture->db, "UPDATE account SET role = 3"), ERR_INVALID);
	assert_ok(db_exec(fixture->db, "UPDATE account SET role = 4"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(opening_makes_a_private_file),
		fixture_test(commits_are_durable_and_rows_survive),
		fixture_test(a_newer_database_is_left_alone),
		fixture_test(what_is_not_committed_is_not_there),
		fixture_test(a_second_writer_is_told_so),
		fixture_test(a_full_disk_changes_nothing),
		fixture_test(constraints_have_their_errors),
		fixture_test(columns_do_not_overflow),
		fixture_test(wrong_sql_is_an_error_not_a_crash),
		fixture_test(deleted_ids_are_not_used_again),
		fixture_test(accounts_survive_their_new_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
