/*
 * A database that is only read, as a copy is: nothing in it changes.
 */
#include "log.h"

static void it_is_read_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	struct db *copy = NULL;
	uint64_t size;

	log_append(fixture->db, 3);
	assert_ok(db_open_read(fixture->path, &copy));
	assert_ok(audit_size(copy, &size));
	assert_int_equal(size, 3);
	/* While the gateway goes on: one state of it for all that is read. */
	log_append(fixture->db, 2);
	assert_ok(audit_size(copy, &size));
	assert_int_equal(size, 3);
	log_assert(copy, VERIFY_NO_KEY);
	assert_int_not_equal(db_exec(copy, "DELETE FROM account"), OK);
	db_close(copy);
	log_assert(fixture->db, VERIFY_NO_KEY);
}

static void a_strange_name_is_no_uri(void **state)
{
	struct fixture *fixture = *state;
	struct db *copy = NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s?mode=rwc", fixture->path);
	assert_err(db_open_read(path, &copy), ERR_NOT_FOUND);
	assert_err(db_open_read("/nowhere/at-all", &copy), ERR_NOT_FOUND);
}

static void another_version_is_not_guessed_at(void **state)
{
	struct fixture *fixture = *state;
	struct db *copy = NULL;

	assert_ok(db_exec(fixture->db, "INSERT INTO migration VALUES (999, 0)"));
	assert_err(db_open_read(fixture->path, &copy), ERR_WRONG_STATE);
	assert_ok(db_exec(fixture->db, "DELETE FROM migration WHERE version > 5"));
	assert_err(db_open_read(fixture->path, &copy), ERR_WRONG_STATE);
}

static void rubbish_is_no_database(void **state)
{
	struct fixture *fixture = *state;
	struct db *copy = NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s/rubbish", fixture->folder);
	assert_ok(util_write_file(path, "rubbish", 7, 0600));
	assert_int_not_equal(db_open_read(path, &copy), OK);
	assert_null(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(it_is_read_as_it_is),
		fixture_test(a_strange_name_is_no_uri),
		fixture_test(another_version_is_not_guessed_at),
		fixture_test(rubbish_is_no_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
