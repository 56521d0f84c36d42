/*
 * Who can write the database changes one thing, or many that fit together: each is found and named.
 */
#include "log.h"

struct desk {
	struct fixture *fixture;
	struct db *db;
	struct log_signer signer;
	struct verify_wish wish;
};

static int setup(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	void *fixture;

	assert_int_equal(fixture_setup(&fixture), 0);
	desk->fixture = fixture;
	desk->db = desk->fixture->db;
	log_signer_init(&desk->signer);
	desk->wish.keys = &desk->signer.key;
	desk->wish.key_count = 1;
	*state = desk;
	return 0;
}

static int teardown(void **state)
{
	struct desk *desk = *state;
	void *fixture = desk->fixture;

	log_signer_finish(&desk->signer);
	fixture_teardown(&fixture);
	free(desk);
	return 0;
}

#define desk_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct log_verdict judge(struct desk *desk)
{
	struct log_verdict verdict;

	log_verify(desk->db, &desk->wish, &verdict);
	return verdict;
}

static void assert_found(struct desk *desk, enum verify_finding finding, uint64_t first,
			 uint64_t last)
{
	struct log_verdict verdict = judge(desk);

	assert_string_equal(verify_code(verdict.finding), verify_code(finding));
	assert_int_equal(verdict.first_bad, first);
	assert_int_equal(verdict.last_bad, last);
}

/* Times a minute apart, so that intervals can be told; the leaves are made anew. */
static void spread(struct desk *desk)
{
	log_tamper(desk->db, "UPDATE audit SET time_ms = seq * 60000;"
			     "DELETE FROM audit_node");
	assert_ok(audit_catch_up(desk->db));
}

static void a_sound_log_is_green(void **state)
{
	struct desk *desk = *state;
	struct log_verdict verdict;

	for (int i = 0; i < 5; i++) {
		log_append(desk->db, 3);
		log_sign(desk->db, &desk->signer, (uint64_t)(i + 1) * 3);
	}
	verdict = judge(desk);
	assert_int_equal(verdict.finding, VERIFY_SOUND);
	assert_int_equal(verify_color(verdict.finding), VERIFY_GREEN);
	assert_int_equal(verdict.entries, 15);
	assert_int_equal(verdict.anchored, 15);
	assert_int_equal(verdict.checkpoints, 5);
	/* A few that came just now. */
	log_append(desk->db, 2);
	assert_found(desk, VERIFY_SOUND, 0, 0);
	assert_int_equal(judge(desk).anchored, 15);
}

static void what_is_not_proved_is_amber(void **state)
{
	struct desk *desk = *state;
	struct log_verdict verdict;

	assert_found(desk, VERIFY_UNANCHORED, 0, 0);
	log_append(desk->db, 8);
	assert_found(desk, VERIFY_UNANCHORED, 1, 8);
	log_sign(desk->db, &desk->signer, 0);
	assert_found(desk, VERIFY_UNANCHORED, 1, 8);
	spread(desk);
	log_sign(desk->db, &desk->signer, 3);
	verdict = judge(desk);
	assert_int_equal(verdict.finding, VERIFY_UNANCHORED);
	assert_int_equal(verify_color(verdict.finding), VERIFY_AMBER);
	assert_int_equal(verdict.first_bad, 4);
	assert_int_equal(verdict.last_bad, 8);
	assert_int_equal(verdict.from_ms, 3 * 60000);
	assert_int_equal(verdict.to_ms, 8 * 60000);
	log_verify(desk->db, NULL, &verdict);
	assert_int_equal(verdict.finding, VERIFY_NO_KEY);
	assert_int_equal(verify_color(verdict.finding), VERIFY_AMBER);
}

/* A clock that was set back is no tampering. */
static void times_may_step_back(void **state)
{
	struct desk *desk = *state;

	log_append(desk->db, 12);
	log_tamper(desk->db, "UPDATE audit SET time_ms = 90000000 - seq * 3600000;"
			     "DELETE FROM audit_node");
	assert_ok(audit_catch_up(desk->db));
	log_sign(desk->db, &desk->signer, 8);
	assert_found(desk, VERIFY_SOUND, 0, 0);
}

/* Whatever their times say. */
static void too_many_without_a_checkpoint_are_amber(void **state)
{
	struct desk *desk = *state;

	log_append(desk->db, 1);
	log_sign(desk->db, &desk->signer, 1);
	{
		_cleanup_tx_ struct db_tx tx = { 0 };
		assert_ok(db_tx_begin(&tx, desk->db));
		for (int i = 0; i < VERIFY_YOUNG_ENTRIES; i++)
			assert_ok(audit_append(desk->db,
					       &(const struct audit_entry){ .event = "entry" }));
		assert_ok(db_tx_commit(&tx));
	}
	assert_found(desk, VERIFY_SOUND, 0, 0);
	log_append(desk->db, 1);
	assert_found(desk, VERIFY_UNANCHORED, 2, VERIFY_YOUNG_ENTRIES + 2);
}

static void each_change_of_an_entry_is_named(void **state)
{
	static const struct {
		const char *sql;
		enum verify_finding finding;
		uint64_t first, last;
	} changes[] = {
		{ "UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 5", VERIFY_ENTRY_CHANGED, 5,
		  5 },
		{ "UPDATE audit SET event = 'logout' WHERE seq = 5", VERIFY_ENTRY_CHANGED, 5, 5 },
		{ "UPDATE audit SET commitment = zeroblob(32) WHERE seq = 5", VERIFY_ENTRY_CHANGED,
		  5, 5 },
		{ "UPDATE audit SET version = 1, salt = NULL WHERE seq = 5", VERIFY_ENTRY_CHANGED,
		  5, 5 },
		{ "UPDATE audit SET account = 'suzuki' WHERE seq = 5", VERIFY_PAYLOAD_CHANGED, 5,
		  5 },
		{ "UPDATE audit SET device = 2 WHERE seq = 5", VERIFY_PAYLOAD_CHANGED, 5, 5 },
		{ "UPDATE audit SET address = '192.0.2.2' WHERE seq = 5", VERIFY_PAYLOAD_CHANGED, 5,
		  5 },
		{ "UPDATE audit SET host = 2 WHERE seq = 5", VERIFY_PAYLOAD_CHANGED, 5, 5 },
		{ "UPDATE audit SET session = printf('%032d', 0) WHERE seq = 5",
		  VERIFY_PAYLOAD_CHANGED, 5, 5 },
		{ "UPDATE audit SET detail = '{}' WHERE seq = 5", VERIFY_PAYLOAD_CHANGED, 5, 5 },
		{ "UPDATE audit SET salt = zeroblob(32) WHERE seq = 5", VERIFY_PAYLOAD_CHANGED, 5,
		  5 },
		/* The border between two fields moves. */
		{ "UPDATE audit SET account = 'sato1', address = '92.0.2.1' WHERE seq = 5",
		  VERIFY_PAYLOAD_CHANGED, 5, 5 },
		{ "UPDATE audit SET account = '', device = 0, address = '', host = 0, session = "
		  "'', "
		  "detail = '{}', salt = NULL, disposed = 1 WHERE seq = 5",
		  VERIFY_PAYLOAD_MISSING, 5, 5 },
		{ "DELETE FROM audit WHERE seq = 5", VERIFY_ENTRY_MISSING, 5, 5 },
		{ "DELETE FROM audit WHERE seq BETWEEN 5 AND 7", VERIFY_ENTRY_MISSING, 5, 7 },
		{ "DELETE FROM audit WHERE seq = 1", VERIFY_ENTRY_MISSING, 1, 1 },
		/* Swapped. */
		{ "UPDATE audit SET seq = 100 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = "
		  "6;"
		  "UPDATE audit SET seq = 6 WHERE seq = 100",
		  VERIFY_ENTRY_CHANGED, 5, 5 },
		{ "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5",
		  VERIFY_ENTRY_CHANGED, 5, 5 },
		{ "UPDATE audit SET seq = 99 WHERE seq = 12", VERIFY_ENTRY_MISSING, 12, 98 },
		{ "UPDATE audit_node SET hash = zeroblob(32) WHERE level = 0 AND idx = 4",
		  VERIFY_ENTRY_CHANGED, 5, 5 },
		{ "UPDATE audit_node SET hash = zeroblob(32) WHERE level = 1 AND idx = 2",
		  VERIFY_TREE_CHANGED, 5, 6 },
		{ "UPDATE audit_node SET hash = zeroblob(32) WHERE level = 3 AND idx = 0",
		  VERIFY_TREE_CHANGED, 1, 8 },
		{ "DELETE FROM audit_node WHERE level = 2 AND idx = 1", VERIFY_TREE_CHANGED, 5, 8 },
		{ "DELETE FROM audit_node WHERE level = 0 AND idx = 11", VERIFY_TREE_CHANGED, 12,
		  12 },
		{ "INSERT INTO audit_node VALUES (9, 0, zeroblob(32))", VERIFY_TREE_CHANGED, 1,
		  12 },
		{ "UPDATE audit_checkpoint SET note = replace(note, '8', '7') WHERE size = 8",
		  VERIFY_CHECKPOINT_FALSE, 8, 8 },
		{ "UPDATE audit_checkpoint SET size = 7 WHERE size = 8", VERIFY_CHECKPOINT_FALSE, 7,
		  7 },
		{ "UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE "
		  "size = 4)"
		  " WHERE size = 8",
		  VERIFY_CHECKPOINT_FALSE, 8, 8 },
		{ "DELETE FROM audit WHERE seq > 9", VERIFY_TAIL_CUT, 10, 12 },
		{ "DELETE FROM audit_node", VERIFY_TREE_CHANGED, 1, 1 },
		/* With its checkpoint, but not its nodes. */
		{ "DELETE FROM audit WHERE seq > 9; DELETE FROM audit_checkpoint WHERE size > 9",
		  VERIFY_TAIL_CUT, 10, 12 },
		/* With its nodes, but not its checkpoint. */
		{ "DELETE FROM audit WHERE seq > 9; DELETE FROM audit_node WHERE (idx + 1) << "
		  "level > 9",
		  VERIFY_TAIL_CUT, 10, 12 },
		/* One more, on the end, that is no leaf. */
		{ "INSERT INTO audit SELECT 13, version, time_ms, event, account, device, address, "
		  "host, "
		  "session, detail, salt, commitment, disposed FROM audit WHERE seq = 12",
		  VERIFY_TREE_CHANGED, 13, 13 },
	};
	struct desk *desk = *state;

	log_append(desk->db, 12);
	spread(desk);
	log_sign(desk->db, &desk->signer, 4);
	log_sign(desk->db, &desk->signer, 8);
	log_sign(desk->db, &desk->signer, 12);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_tx_ struct db_tx tx = { 0 };

		assert_ok(db_tx_begin(&tx, desk->db));
		log_tamper(desk->db, changes[i].sql);
		assert_found(desk, changes[i].finding, changes[i].first, changes[i].last);
	}
	assert_found(desk, VERIFY_SOUND, 0, 0);
}

/* Behind a disposal that the log tells of, somebody puts in who else did it. */
static void what_was_disposed_of_has_no_new_words(void **state)
{
	static const char *const words[] = {
		"account = 'suzuki'",           "device = 2",
		"address = '192.0.2.2'",        "host = 2",
		"session = printf('%032d', 0)", "detail = '{\"n\":7}'",
	};
	struct desk *desk = *state;
	const struct audit_entry by = { 0 };

	log_append(desk->db, 12);
	{
		_cleanup_tx_ struct db_tx tx = { 0 };
		assert_ok(db_tx_begin(&tx, desk->db));
		assert_ok(audit_dispose(desk->db, 4, 6, &by));
		assert_ok(db_tx_commit(&tx));
	}
	log_sign(desk->db, &desk->signer, 13);
	assert_found(desk, VERIFY_SOUND, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		_cleanup_tx_ struct db_tx tx = { 0 };
		char sql[128];

		snprintf(sql, sizeof(sql), "UPDATE audit SET %s WHERE seq = 5", words[i]);
		assert_ok(db_tx_begin(&tx, desk->db));
		log_tamper(desk->db, sql);
		assert_found(desk, VERIFY_PAYLOAD_CHANGED, 5, 5);
	}
}

static void the_time_is_told(void **state)
{
	struct desk *desk = *state;
	struct log_verdict verdict;

	log_append(desk->db, 8);
	spread(desk);
	log_tamper(desk->db, "UPDATE audit SET account = 'suzuki' WHERE seq = 5");
	verdict = judge(desk);
	assert_int_equal(verdict.from_ms, 4 * 60000);
	assert_int_equal(verdict.to_ms, 6 * 60000);
	log_tamper(desk->db, "DELETE FROM audit WHERE seq IN (2, 3)");
	verdict = judge(desk);
	assert_int_equal(verdict.finding, VERIFY_ENTRY_MISSING);
	assert_int_equal(verdict.from_ms, 1 * 60000);
	assert_int_equal(verdict.to_ms, 4 * 60000);
}

/* Entry, commitment and every node above, all of it made anew: only what was signed tells. */
static void a_rewritten_history_shows_between_checkpoints(void **state)
{
	struct desk *desk = *state;
	struct log_verdict verdict;

	log_append(desk->db, 12);
	spread(desk);
	for (uint64_t size = 3; size <= 12; size += 3)
		log_sign(desk->db, &desk->signer, size);
	log_tamper(desk->db, "UPDATE audit SET event = 'nothing' WHERE seq = 8;"
			     "DELETE FROM audit_node");
	assert_ok(audit_catch_up(desk->db));
	verdict = judge(desk);
	assert_int_equal(verdict.finding, VERIFY_HISTORY_REWRITTEN);
	assert_int_equal(verify_color(verdict.finding), VERIFY_RED);
	assert_int_equal(verdict.first_bad, 7);
	assert_int_equal(verdict.last_bad, 9);
	assert_int_equal(verdict.from_ms, 6 * 60000);
	assert_int_equal(verdict.to_ms, 9 * 60000);
	assert_int_equal(verdict.anchored, 6);
	/* The checkpoints after it are taken away too: what is left proves less. */
	log_tamper(desk->db, "DELETE FROM audit_checkpoint WHERE size > 6");
	assert_found(desk, VERIFY_UNANCHORED, 7, 12);
}

/* Somebody else kept a checkpoint: the signer, a browser, paper. */
static void what_was_kept_elsewhere_counts(void **state)
{
	struct desk *desk = *state;
	struct audit_note kept;

	log_append(desk->db, 12);
	spread(desk);
	log_sign(desk->db, &desk->signer, 4);
	kept = log_note(desk->db, &desk->signer, 11);
	desk->wish.anchors = &kept;
	desk->wish.anchor_count = 1;
	assert_found(desk, VERIFY_SOUND, 0, 0);
	/* The whole tail is gone, everything that the file knew of it. */
	log_tamper(desk->db, "DELETE FROM audit WHERE seq > 9;"
			     "DELETE FROM audit_node WHERE (idx + 1) << level > 9");
	assert_found(desk, VERIFY_TAIL_CUT, 10, 11);
	/* And other entries stand there instead. */
	log_append(desk->db, 3);
	assert_found(desk, VERIFY_HISTORY_REWRITTEN, 5, 11);
	kept.note[3] ^= 1;
	assert_found(desk, VERIFY_CHECKPOINT_FALSE, 11, 11);
}

static void a_fork_is_named(void **state)
{
	struct desk *desk = *state;
	struct audit_note kept;

	log_append(desk->db, 6);
	kept = log_note(desk->db, &desk->signer, 6);
	log_tamper(desk->db, "DELETE FROM audit WHERE seq > 4;"
			     "DELETE FROM audit_node WHERE (idx + 1) << level > 4");
	log_append(desk->db, 2);
	log_sign(desk->db, &desk->signer, 6);
	assert_found(desk, VERIFY_SOUND, 0, 0);
	desk->wish.anchors = &kept;
	desk->wish.anchor_count = 1;
	assert_found(desk, VERIFY_FORK, 1, 6);
}

static void another_key_signs_nothing_here(void **state)
{
	struct desk *desk = *state;
	struct log_signer stranger;

	log_append(desk->db, 6);
	log_signer_init(&stranger);
	log_sign(desk->db, &stranger, 6);
	assert_found(desk, VERIFY_CHECKPOINT_FALSE, 6, 6);
	/* Unless it is known as a later key of this gateway. */
	const struct note_key keys[] = { desk->signer.key, stranger.key };
	desk->wish.keys = keys;
	desk->wish.key_count = ARRAY_SIZE(keys);
	assert_found(desk, VERIFY_SOUND, 0, 0);
	log_append(desk->db, 1);
	log_sign(desk->db, &desk->signer, 7);
	assert_found(desk, VERIFY_SOUND, 0, 0);
	log_signer_finish(&stranger);
}

/* One bit of one value at a time, of every row and column. */
static void every_byte_counts(void **state)
{
	static const struct {
		const char *table, *column, *key;
		int bytes;
	} columns[] = {
		{ "audit", "event", "seq", 5 },      { "audit", "account", "seq", 4 },
		{ "audit", "address", "seq", 9 },    { "audit", "detail", "seq", 7 },
		{ "audit", "salt", "seq", 32 },      { "audit", "commitment", "seq", 32 },
		{ "audit_node", "hash", "idx", 32 }, { "audit_checkpoint", "note", "size", 190 },
	};
	struct desk *desk = *state;

	log_append(desk->db, 5);
	log_sign(desk->db, &desk->signer, 5);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		for (int at = 1; at <= columns[i].bytes; at++) {
			_cleanup_tx_ struct db_tx tx = { 0 };
			char sql[512];
			const char *column = columns[i].column;
			bool text = strcmp(column, "salt") != 0 && strcmp(column, "hash") != 0 &&
				    strcmp(column, "commitment") != 0;
			/* The character becomes its neighbour; in a hash, a byte another. */
			snprintf(sql, sizeof(sql),
				 text ? "UPDATE %s SET %s = substr(%s, 1, %d) || "
					"char(unicode(substr(%s, %d, 1)) + "
					"1) || substr(%s, %d) WHERE %s = 5 AND length(%s) >= %d"
				      : "UPDATE %s SET %s = CAST(substr(%s, 1, %d) || "
					"iif(substr(%s, %d, 1) = "
					"x'00', x'01', x'00') || substr(%s, %d) AS BLOB) WHERE %s "
					"IN (4, 5) AND "
					"length(%s) >= %d",
				 columns[i].table, column, column, at - 1, column, at, column,
				 at + 1, columns[i].key, column, at);
			assert_ok(db_tx_begin(&tx, desk->db));
			log_tamper(desk->db, sql);
			assert_int_equal(verify_color(judge(desk).finding), VERIFY_RED);
		}
	assert_found(desk, VERIFY_SOUND, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(a_sound_log_is_green),
		desk_test(what_is_not_proved_is_amber),
		desk_test(times_may_step_back),
		desk_test(too_many_without_a_checkpoint_are_amber),
		desk_test(each_change_of_an_entry_is_named),
		desk_test(what_was_disposed_of_has_no_new_words),
		desk_test(the_time_is_told),
		desk_test(a_rewritten_history_shows_between_checkpoints),
		desk_test(what_was_kept_elsewhere_counts),
		desk_test(a_fork_is_named),
		desk_test(another_key_signs_nothing_here),
		desk_test(every_byte_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
