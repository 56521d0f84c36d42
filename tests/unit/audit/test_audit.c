#include "unit/store/fixture.h"

#include "audit/audit.h"

static enum err append(struct db *db, const struct audit_entry *entry)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = audit_append(db, entry);
	return err ? err : db_tx_commit(&tx);
}

static void append_some(struct db *db, int count)
{
	for (int i = 0; i < count; i++) {
		const struct audit_entry entry = { .event = "login",
						   .account = "sato",
						   .device = 1,
						   .address = "192.0.2.1",
						   .detail = json_pack("{s:i}", "n", i) };

		assert_ok(append(db, &entry));
	}
}

static int64_t verify(struct db *db)
{
	int64_t bad = -1;

	assert_ok(audit_verify(db, &bad));
	return bad;
}

static void entries_are_chained(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query = { 0 };
	struct audit_row row;
	uint8_t prev[AUDIT_HASH] = { 0 };
	bool more;

	append_some(fixture->db, 5);
	assert_int_equal(verify(fixture->db), 0);
	audit_row_list(&query, fixture->db, 1);
	for (int64_t seq = 1; seq <= 5; seq++) {
		assert_ok(audit_row_next(&query, &row, &more));
		assert_true(more);
		assert_int_equal(row.seq, seq);
		assert_memory_equal(row.prev, prev, sizeof(prev));
		assert_string_equal(row.account, "sato");
		assert_true(row.time_ms > 1600000000000);
		memcpy(prev, row.hash, sizeof(prev));
	}
	assert_string_equal(row.detail, "{\"n\":4}");
}

static void the_database_refuses_every_change(void **state)
{
	struct fixture *fixture = *state;

	append_some(fixture->db, 3);
	assert_err(db_exec(fixture->db, "UPDATE audit SET account = 'x' WHERE seq = 2"),
		   ERR_WRONG_STATE);
	assert_err(db_exec(fixture->db, "DELETE FROM audit WHERE seq = 3"), ERR_WRONG_STATE);
	assert_err(db_exec(fixture->db, "DELETE FROM audit"), ERR_WRONG_STATE);
	assert_err(db_exec(fixture->db, "INSERT OR REPLACE INTO audit SELECT seq, 1, event, "
					"account, device, address, host,"
					" session, detail, prev, hash FROM audit WHERE seq = 3"),
		   ERR_WRONG_STATE);
	/* Neither a gap nor a fork. */
	assert_err(db_exec(fixture->db, "INSERT INTO audit SELECT 9, time_ms, event, account, "
					"device, address, host,"
					" session, detail, hash, hash FROM audit WHERE seq = 3"),
		   ERR_WRONG_STATE);
	assert_err(db_exec(fixture->db, "INSERT INTO audit SELECT 4, time_ms, event, account, "
					"device, address, host,"
					" session, detail, prev, hash FROM audit WHERE seq = 3"),
		   ERR_WRONG_STATE);
	assert_int_equal(verify(fixture->db), 0);
}

/* Somebody who can write the file drops the triggers first. */
static void a_changed_entry_shows(void **state)
{
	static const char *const changes[] = {
		"UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 2",
		"UPDATE audit SET event = 'logout' WHERE seq = 2",
		"UPDATE audit SET account = 'suzuki' WHERE seq = 2",
		"UPDATE audit SET device = 2 WHERE seq = 2",
		"UPDATE audit SET address = '192.0.2.2' WHERE seq = 2",
		"UPDATE audit SET host = 2 WHERE seq = 2",
		"UPDATE audit SET session = printf('%032d', 0) WHERE seq = 2",
		"UPDATE audit SET detail = '{}' WHERE seq = 2",
		/* The border between two fields moves. */
		"UPDATE audit SET event = 'logins', account = 'ato' WHERE seq = 2",
		"DELETE FROM audit WHERE seq = 2",
	};
	struct fixture *fixture = *state;

	append_some(fixture->db, 4);
	assert_ok(
		db_exec(fixture->db, "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete"));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_tx_ struct db_tx tx = { 0 };

		assert_ok(db_tx_begin(&tx, fixture->db));
		assert_ok(db_exec(fixture->db, changes[i]));
		assert_int_equal(verify(fixture->db), 2);
	}
	assert_int_equal(verify(fixture->db), 0);
}

static void only_with_what_it_records(void **state)
{
	struct fixture *fixture = *state;
	const struct audit_entry entry = { .event = "account-add", .detail = json_object() };

	assert_err(audit_append(fixture->db, &entry), ERR_WRONG_STATE);
	{
		const struct audit_entry again = { .event = "account-add" };
		_cleanup_tx_ struct db_tx tx = { 0 };

		assert_ok(db_tx_begin(&tx, fixture->db));
		fixture_account(fixture->db, "suzuki");
		assert_ok(audit_append(fixture->db, &again));
	}
	/* Rolled back: neither is there. */
	append_some(fixture->db, 1);
	assert_int_equal(verify(fixture->db), 0);
	assert_ok(db_exec(fixture->db,
			  "INSERT INTO account (name, full_name, role, password, created)"
			  " VALUES ('suzuki', '', 1, 'x', 0)"));
}

/* Fail closed: whoever sees the error must not go on. */
static void what_cannot_be_written_fails(void **state)
{
	struct fixture *fixture = *state;
	char text[AUDIT_EVENT_MAX + 2];
	struct audit_entry entry = { .event = text };

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_err(append(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "x", .account = text };
	assert_err(append(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "x", .account = "\xff" };
	assert_err(append(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "x", .session = "abc" };
	assert_err(append(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "" };
	assert_err(append(fixture->db, &entry), ERR_INVALID);
	assert_ok(db_exec(
		fixture->db,
		"CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'x'); END"));
	entry = (struct audit_entry){ .event = "x" };
	assert_err(append(fixture->db, &entry), ERR_WRONG_STATE);
}

static void a_detail_that_is_too_long_is_cut(void **state)
{
	struct fixture *fixture = *state;
	char text[AUDIT_DETAIL_MAX + 1];
	_cleanup_query_ struct query query = { 0 };
	struct audit_row row;
	bool more;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_ok(append(fixture->db,
			 &(const struct audit_entry){
				 .event = "x", .detail = json_pack("{s:s}", "text", text) }));
	audit_row_list(&query, fixture->db, 1);
	assert_ok(audit_row_next(&query, &row, &more));
	assert_string_equal(row.detail, "{\"cut\":true}");
	assert_int_equal(verify(fixture->db), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(entries_are_chained),
		fixture_test(the_database_refuses_every_change),
		fixture_test(a_changed_entry_shows),
		fixture_test(only_with_what_it_records),
		fixture_test(what_cannot_be_written_fails),
		fixture_test(a_detail_that_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
