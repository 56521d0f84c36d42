#include "log.h"

static void entries_are_leaves(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query = { 0 };
	const struct tree_store tree = audit_tree(fixture->db);
	struct audit_row row;
	uint8_t root[TREE_HASH], leaf[TREE_HASH], commitment[AUDIT_HASH];
	struct tree_proof proof;
	uint64_t size;
	bool more;

	log_append(fixture->db, 5);
	assert_ok(audit_size(fixture->db, &size));
	assert_int_equal(size, 5);
	assert_ok(tree_root(&tree, size, root));
	audit_row_list(&query, fixture->db, 1);
	for (uint64_t seq = 1; seq <= size; seq++) {
		assert_ok(audit_row_next(&query, &row, &more));
		assert_true(more);
		assert_int_equal(row.seq, seq);
		assert_string_equal(row.account, "sato");
		assert_true(row.time_ms > 1600000000000);
		assert_ok(entry_commitment(&row, NULL, commitment));
		assert_memory_equal(commitment, row.commitment, sizeof(commitment));
		assert_ok(entry_leaf(&row, leaf));
		assert_ok(tree_inclusion(&tree, seq - 1, size, &proof));
		assert_true(tree_includes(seq - 1, size, leaf, &proof, root));
	}
	assert_string_equal(row.detail, "{\"n\":4}");
}

/* What cannot be guessed from the leaf: two entries that are the same have nothing in common. */
static void commitments_are_salted(void **state)
{
	struct fixture *fixture = *state;
	struct audit_row one, two;
	char text[ENTRY_LEAF_MAX];

	log_append_one(fixture->db, "login", NULL);
	log_append_one(fixture->db, "login", NULL);
	one = log_row(fixture->db, 1);
	two = log_row(fixture->db, 2);
	assert_memory_not_equal(one.salt, two.salt, sizeof(one.salt));
	assert_memory_not_equal(one.commitment, two.commitment, sizeof(one.commitment));
	assert_ok(entry_leaf_text(&one, text));
	assert_null(strstr(text, "sato"));
	assert_null(strstr(text, "192.0.2.1"));
}

static void the_database_refuses_every_change(void **state)
{
	static const char *const changes[] = {
		"UPDATE audit SET account = 'x' WHERE seq = 2",
		"UPDATE audit SET detail = '{}' WHERE seq = 2",
		/* Not all of it, or more than that. */
		"UPDATE audit SET salt = NULL, disposed = 1 WHERE seq = 2",
		"UPDATE audit SET salt = NULL, disposed = 1, account = '', device = 0, "
		"address = '', host = 0, session = '', detail = '{}', time_ms = 1 WHERE seq = 2",
		"UPDATE audit SET salt = NULL, disposed = 1, account = '', device = 0, "
		"address = '', host = 0, session = '', detail = '{}', event = 'x' WHERE seq = 2",
		"DELETE FROM audit WHERE seq = 3",
		"DELETE FROM audit",
		"INSERT OR REPLACE INTO audit SELECT seq, version, 1, event, account, device, "
		"address, host, session, detail, salt, commitment, disposed FROM audit WHERE seq = "
		"3",
		/* Neither a gap nor a second one of the same number, nor one of the old kind. */
		"INSERT INTO audit SELECT 9, version, time_ms, event, account, device, "
		"address, host, session, detail, salt, commitment, disposed FROM audit WHERE seq = "
		"3",
		"INSERT INTO audit SELECT 3, version, time_ms, event, account, device, "
		"address, host, session, detail, salt, commitment, disposed FROM audit WHERE seq = "
		"3",
		"INSERT INTO audit SELECT 4, 1, time_ms, event, account, device, "
		"address, host, session, detail, NULL, commitment, 0 FROM audit WHERE seq = 3",
		"UPDATE audit_node SET hash = zeroblob(32) WHERE idx = 0",
		"DELETE FROM audit_node WHERE idx = 2",
		"INSERT OR REPLACE INTO audit_node VALUES (0, 2, zeroblob(32))",
		"INSERT INTO audit_node VALUES (0, 4, zeroblob(32))",
		"UPDATE audit_checkpoint SET note = 'x'",
		"DELETE FROM audit_checkpoint",
		"INSERT INTO audit_checkpoint VALUES (1, 'x', 0)",
		"INSERT OR REPLACE INTO audit_checkpoint VALUES (2, 'x', 0)",
	};
	struct fixture *fixture = *state;

	log_append(fixture->db, 3);
	assert_ok(audit_note_add(fixture->db,
				 &(const struct audit_note){ .size = 2, .note = "a note" }));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		assert_err(db_exec(fixture->db, changes[i]), ERR_WRONG_STATE);
	log_assert(fixture->db, VERIFY_NO_KEY);
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
	/* Rolled back: neither is there, nor a leaf. */
	log_append(fixture->db, 1);
	log_assert(fixture->db, VERIFY_NO_KEY);
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
	assert_err(log_try(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "x", .account = text };
	assert_err(log_try(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "x", .account = "\xff" };
	assert_err(log_try(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "x", .session = "abc" };
	assert_err(log_try(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "" };
	assert_err(log_try(fixture->db, &entry), ERR_INVALID);
	/* It would be two lines of a leaf. */
	entry = (struct audit_entry){ .event = "x\ny" };
	assert_err(log_try(fixture->db, &entry), ERR_INVALID);
	entry = (struct audit_entry){ .event = "x\ty" };
	assert_err(log_try(fixture->db, &entry), ERR_INVALID);
	assert_ok(db_exec(fixture->db,
			  "CREATE TRIGGER full BEFORE INSERT ON audit_node WHEN NEW.level = 1 "
			  "BEGIN SELECT RAISE(ABORT, 'x'); END"));
	entry = (struct audit_entry){ .event = "x" };
	assert_ok(log_try(fixture->db, &entry));
	assert_err(log_try(fixture->db, &entry), ERR_WRONG_STATE);
	log_assert(fixture->db, VERIFY_NO_KEY);
}

static int64_t pages_of(struct db *db)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "PRAGMA page_count");
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

/* An entry is there with all its nodes, or not at all. */
static void a_full_disk_leaves_a_sound_log(void **state)
{
	struct fixture *fixture = *state;
	const struct audit_entry entry = { .event = "x" };
	char sql[64];
	enum err err;
	int count = 0;

	log_append(fixture->db, 3);
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
		 (long long)pages_of(fixture->db) + 2);
	assert_ok(db_exec(fixture->db, sql));
	while (!(err = log_try(fixture->db, &entry)) && count < 1000)
		count++;
	assert_err(err, ERR_FULL);
	log_assert(fixture->db, VERIFY_NO_KEY);
	assert_ok(db_exec(fixture->db, "PRAGMA max_page_count = 1000000"));
	log_append(fixture->db, 3);
	log_assert(fixture->db, VERIFY_NO_KEY);
}

/* Nothing is built on what does not fit together. */
static void a_damaged_tree_takes_no_more(void **state)
{
	struct fixture *fixture = *state;
	const struct audit_entry entry = { .event = "x" };

	log_append(fixture->db, 4);
	log_tamper(fixture->db, "DELETE FROM audit_node WHERE level = 0 AND idx = 3");
	assert_err(log_try(fixture->db, &entry), ERR_WRONG_STATE);
	log_tamper(fixture->db, "DELETE FROM audit WHERE seq > 2");
	assert_err(log_try(fixture->db, &entry), ERR_WRONG_STATE);
}

static void a_detail_that_is_too_long_is_cut(void **state)
{
	struct fixture *fixture = *state;
	char text[AUDIT_DETAIL_MAX + 1];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_append_one(fixture->db, "x", json_pack("{s:s}", "text", text));
	assert_string_equal(log_row(fixture->db, 1).detail, "{\"cut\":true}");
	log_assert(fixture->db, VERIFY_NO_KEY);
}

static enum err dispose(struct db *db, int64_t first, int64_t last)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	const struct audit_entry entry = { .account = "suzuki" };
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = audit_dispose(db, first, last, &entry);
	return err ? err : db_tx_commit(&tx);
}

static void disposal_leaves_the_tree_valid(void **state)
{
	struct fixture *fixture = *state;
	const struct tree_store tree = audit_tree(fixture->db);
	uint8_t before[TREE_HASH], after[TREE_HASH];
	struct audit_row row;
	struct log_verdict verdict;

	log_append(fixture->db, 9);
	assert_ok(tree_root(&tree, 9, before));
	assert_err(dispose(fixture->db, 3, 10), ERR_INVALID);
	assert_err(dispose(fixture->db, 0, 2), ERR_INVALID);
	assert_err(dispose(fixture->db, 4, 3), ERR_INVALID);
	assert_ok(dispose(fixture->db, 3, 5));
	/* Again, and with some more. */
	assert_ok(dispose(fixture->db, 4, 7));
	assert_ok(tree_root(&tree, 9, after));
	assert_memory_equal(before, after, sizeof(before));
	row = log_row(fixture->db, 4);
	assert_true(row.disposed);
	assert_string_equal(row.account, "");
	assert_string_equal(row.detail, "{}");
	assert_string_equal(row.event, "entry");
	row = log_row(fixture->db, 11);
	assert_string_equal(row.event, AUDIT_EVENT_DISPOSED);
	assert_string_equal(row.detail, "{\"first\":4,\"last\":7}");
	log_verify(fixture->db, NULL, &verdict);
	assert_int_equal(verdict.finding, VERIFY_NO_KEY);
	assert_int_equal(verdict.disposed, 5);
	/* Nobody said so of this one. */
	assert_ok(audit_row_dispose(fixture->db, 8));
	log_verify(fixture->db, NULL, &verdict);
	assert_int_equal(verdict.finding, VERIFY_PAYLOAD_MISSING);
	assert_int_equal(verdict.first_bad, 8);
	assert_err(audit_row_dispose(fixture->db, 8), ERR_WRONG_STATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(entries_are_leaves),
		fixture_test(commitments_are_salted),
		fixture_test(the_database_refuses_every_change),
		fixture_test(only_with_what_it_records),
		fixture_test(what_cannot_be_written_fails),
		fixture_test(a_full_disk_leaves_a_sound_log),
		fixture_test(a_damaged_tree_takes_no_more),
		fixture_test(a_detail_that_is_too_long_is_cut),
		fixture_test(disposal_leaves_the_tree_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
