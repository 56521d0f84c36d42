#include "unit/vault/life_office.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "vault/disposal.h"
#include "vault/sealing.h"

static int start(void **state)
{
	*state = office_of_life();
	return 0;
}

static int stop(void **state)
{
	office_free(*state);
	return 0;
}

static int64_t count(struct db *db, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static enum err approve(struct office *office, struct desk_person who, long long request)
{
	return office_ask(office, who, OP_dispose_approve, "{\"requests\":[%lld]}", request);
}

static void test_disposed_of(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office), other = office_active(office);
	struct record_row before = office_record(office, id), row;
	_cleanup_content_ struct content content = { 0 };
	const uint8_t *key;

	office_end(office, id);
	long long request = office_ask_dispose(office, SATO, id);
	assert_err(office_ask(office, KATO, OP_request_approve, "{\"requests\":[%lld]}", request),
		   ERR_INVALID);
	assert_err(approve(office, SATO, request), ERR_DENIED);
	assert_ok(approve(office, TANAKA, request));
	assert_int_equal(office_row_number(office, 0, "record"), id);
	uint64_t counter = office->counter, seq = office->seq;

	/* Nothing is left, neither here nor in a copy. */
	row = office_record(office, id);
	assert_int_equal(row.state, STATE_DISPOSED);
	assert_true(row.disposed > 0);
	assert_int_equal(
		count(office->records.db, "SELECT count(*) FROM record_version WHERE record = 2"),
		0);
	assert_int_equal(
		count(office->records.db, "SELECT count(*) FROM record_number WHERE record = 2"),
		0);
	assert_int_equal(
		count(office->records.db,
		      "SELECT count(*) FROM request WHERE record = 2 AND sealed IS NOT NULL"),
		0);
	assert_string_equal(index_find(office->records.index, id)->name, "");
	assert_ok(office_ask(office, SATO, OP_record_show, "{\"record\":%llu}",
			     (unsigned long long)id));
	assert_int_equal(office_number(office, "disposed"), row.disposed);
	assert_err(keyring_use(&office->records.keyring, before.key, &key), ERR_NOT_FOUND);

	/* And all of the others of that group. */
	row = office_record(office, other);
	assert_true(row.key != before.key);
	assert_ok(record_get_content(&office->records, &row, 0, &content));
	assert_string_equal(content.name, "山田");
	assert_ok(office_ask(office, SATO, OP_request_list, "{\"state\":2,\"kind\":1}"));
	for (size_t i = 0; i < office_rows(office); i++)
		if (office_row_number(office, i, "record") == (int64_t)other)
			request = office_row_number(office, i, "id");
	assert_ok(office_ask(office, SATO, OP_request_show, "{\"request\":%lld}", request));
	assert_string_equal(json_string_value(json_object_get(office->answer, "why")), "入社");

	assert_ok(office_ask(office, SATO, OP_certificate_show, "{\"record\":%llu}",
			     (unsigned long long)id));
	assert_int_equal(office_number(office, "asked_by"), SATO.account);
	assert_int_equal(office_number(office, "approved_by"), TANAKA.account);
	assert_int_equal(office_number(office, "versions"), 1);
	assert_int_equal(office_number(office, "numbers"), 1);
	assert_int_equal(office_number(office, "documents"), 0);
	assert_int_equal(office_number(office, "key_destroyed"), before.key);
	assert_int_equal(office_number(office, "counter"), counter);
	assert_int_equal(office_number(office, "seq"), seq);
	assert_true(json_is_false(json_object_get(office->answer, "early")));
	assert_string_equal(json_string_value(json_object_get(office->answer, "due")),
			    "2015-04-01");
	assert_int_equal(json_array_size(json_object_get(office->answer, "purposes")), 1);
	assert_err(office_ask(office, SATO, OP_certificate_show, "{\"record\":%llu}",
			      (unsigned long long)other),
		   ERR_NOT_FOUND);
	office_again(office);
	assert_ok(office_ask(office, SATO, OP_certificate_show, "{\"record\":%llu}",
			     (unsigned long long)id));
}

/* Who entered it may agree; who asks for it may not. */
static void test_another_approves(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office);

	office_end(office, id);
	long long request = office_ask_dispose(office, TANAKA, id);
	assert_err(approve(office, TANAKA, request), ERR_DENIED);
	assert_ok(approve(office, KATO, request));
}

static void test_not_before_its_time(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office);

	assert_err(office_ask(office, SATO, OP_request_add, "{\"kind\":3,\"records\":[%llu]}",
			      (unsigned long long)id),
		   ERR_WRONG_STATE);
	office_end(office, id);
	assert_ok(office_ask(office, TANAKA, OP_record_hold, "{\"record\":%llu,\"hold\":true}",
			     (unsigned long long)id));
	assert_err(office_ask(office, SATO, OP_request_add, "{\"kind\":3,\"records\":[%llu]}",
			      (unsigned long long)id),
		   ERR_WRONG_STATE);
	assert_string_equal(office->field, "hold");
	assert_ok(office_ask(office, TANAKA, OP_record_hold, "{\"record\":%llu,\"hold\":false}",
			     (unsigned long long)id));
	long long request = office_ask_dispose(office, SATO, id);

	/* What was right when it was asked for need not be any more. */
	assert_ok(office_ask(office, TANAKA, OP_record_hold, "{\"record\":%llu,\"hold\":true}",
			     (unsigned long long)id));
	assert_err(approve(office, TANAKA, request), ERR_WRONG_STATE);
	assert_ok(office_ask(office, TANAKA, OP_record_hold, "{\"record\":%llu,\"hold\":false}",
			     (unsigned long long)id));
	assert_ok(office_ask(office, KATO, OP_record_end, "{\"records\":[%llu],\"started\":\"\"}",
			     (unsigned long long)id));
	assert_err(approve(office, TANAKA, request), ERR_WRONG_STATE);
	assert_int_equal(office_record(office, id).state, STATE_ACTIVE);
	assert_err(office_ask(office, SATO, OP_record_hold, "{\"record\":%llu,\"hold\":true}",
			      (unsigned long long)id),
		   ERR_DENIED);
}

static void bin(struct office *office, uint64_t id, int64_t since)
{
	struct record_row row = office_record(office, id);

	row.removed = since;
	assert_ok(records_begin(&office->records));
	assert_ok(records_set_row(&office->records, &row));
	assert_ok(records_commit(&office->records, 0));
}

static void test_out_of_the_bin(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office);

	bin(office, id, clock_wall_s() - DUE_BIN * 86400 + 60);
	assert_err(office_ask(office, SATO, OP_request_add, "{\"kind\":3,\"records\":[%llu]}",
			      (unsigned long long)id),
		   ERR_WRONG_STATE);
	bin(office, id, clock_wall_s() - DUE_BIN * 86400);
	assert_ok(office_ask(office, SATO, OP_due_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_string_equal(office_row_text(office, 0, "due"), "");
	assert_ok(approve(office, TANAKA, office_ask_dispose(office, SATO, id)));
	assert_ok(office_ask(office, SATO, OP_certificate_show, "{\"record\":%llu}",
			     (unsigned long long)id));
	assert_true(json_is_true(json_object_get(office->answer, "early")));
}

/* No dependant without its employee, nobody without his client. */
static void test_nobody_is_left_behind(void **state)
{
	struct office *office = *state;
	uint64_t employee = office_active(office);
	uint64_t dependant =
		office_add(office, KIND_DEPENDANT, 1, employee, "花子", "ハナコ", NULL).id;

	office_end(office, employee);
	assert_int_equal(office_record(office, dependant).state, STATE_ENDED);
	long long request = office_ask_dispose(office, SATO, employee);
	assert_err(approve(office, TANAKA, request), ERR_WRONG_STATE);
	assert_string_equal(office->field, "below");
	long long other = office_ask_dispose(office, SATO, dependant);
	assert_ok(office_ask(office, TANAKA, OP_dispose_approve, "{\"requests\":[%lld,%lld]}",
			     request, other));
	assert_int_equal(office_record(office, dependant).state, STATE_DISPOSED);
}

static void test_all_or_none(void **state)
{
	struct office *office = *state;
	uint64_t ids[2] = { office_active(office), office_active(office) };
	long long requests[2];

	for (size_t i = 0; i < 2; i++) {
		office_end(office, ids[i]);
		requests[i] = office_ask_dispose(office, i ? KATO : SATO, ids[i]);
	}
	assert_err(office_ask(office, KATO, OP_dispose_approve, "{\"requests\":[%lld,%lld]}",
			      requests[0], requests[1]),
		   ERR_DENIED);
	assert_int_equal(office_record(office, ids[0]).state, STATE_ENDED);
	assert_ok(office_ask(office, TANAKA, OP_dispose_approve, "{\"requests\":[%lld,%lld]}",
			     requests[0], requests[1]));
	assert_int_equal(office_rows(office), 2);
	assert_int_equal(json_array_size(json_object_get(office->detail, "records")), 2);
}

/* ---- documents ---------------------------------------------------------------------------------
 */

static void add_document(struct office *office, uint64_t record, char ret_path[128])
{
	struct record_row row = office_record(office, record);
	const struct sealing_of of = { SEALING_DOCUMENT, &row, 1, 1 };
	uint8_t data_key[SEALING_DATA_KEY], sealed[4 + SEALING_MORE];
	_cleanup_query_ struct query query;

	assert_ok(records_begin(&office->records));
	assert_ok(sealing_put(&office->records, &of, "name", 4, data_key, sealed));
	assert_ok(
		db_exec(office->records.db,
			"INSERT INTO document (id, record, version, versions, created, created_by,"
			" mac) VALUES (1, 2, 1, 1, 1, 1, zeroblob(32))"));
	assert_ok(guard_after_id(&office->records.guard, GUARDED_DOCUMENT, 1));
	query_init(&query, office->records.db,
		   "INSERT INTO document_version (document, version, made, made_by, size,"
		   " data_key, sealed, quarantined) VALUES (1, 1, 1, 1, 1, ?, ?, 0)");
	query_blob(&query, data_key, sizeof(data_key));
	query_blob(&query, sealed, sizeof(sealed));
	assert_ok(query_run_one(&query));
	assert_ok(records_commit(&office->records, 0));

	snprintf(ret_path, 128, "%s/documents", office->folder);
	assert_int_equal(mkdir(ret_path, 0700), 0);
	snprintf(ret_path, 128, "%s/documents/1-1", office->folder);
	FILE *file = fopen(ret_path, "w");
	assert_non_null(file);
	fclose(file);
}

static void test_with_its_documents(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office);
	char path[128];
	struct stat at;

	assert_int_equal(id, 2);
	add_document(office, id, path);
	office_end(office, id);
	assert_ok(approve(office, TANAKA, office_ask_dispose(office, SATO, id)));
	assert_int_equal(count(office->records.db, "SELECT count(*) FROM document"), 0);
	assert_int_equal(count(office->records.db, "SELECT count(*) FROM document_version"), 0);
	assert_int_not_equal(stat(path, &at), 0);
	assert_ok(office_ask(office, SATO, OP_certificate_show, "{\"record\":2}"));
	assert_int_equal(office_number(office, "documents"), 1);
	office_again(office);
	assert_int_equal(office->notices, 0);
}

static void test_documents_of_others_are_kept(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office), gone = office_active(office);
	uint8_t sealed[4 + SEALING_MORE], data_key[SEALING_DATA_KEY];
	_cleanup_secret_ struct secret *name = NULL;
	_cleanup_query_ struct query query;
	struct stat at;
	char path[128];

	add_document(office, id, path);
	office_end(office, gone);
	assert_ok(approve(office, TANAKA, office_ask_dispose(office, SATO, gone)));
	assert_int_equal(stat(path, &at), 0);
	query_init(&query, office->records.db, "SELECT data_key, sealed FROM document_version");
	assert_ok(query_one(&query));
	query_col_blob(&query, 0, data_key, sizeof(data_key));
	query_col_blob(&query, 1, sealed, sizeof(sealed));
	struct record_row row = office_record(office, id);
	assert_ok(sealing_get(&office->records,
			      &(struct sealing_of){ SEALING_DOCUMENT, &row, 1, 1 }, data_key,
			      sealed, sizeof(sealed), &name));
	assert_string_equal(secret_text(name), "name");
}

/* ---- a copy that was put back ------------------------------------------------------------------
 */

static void test_disposed_of_again(void **state)
{
	struct office *office = *state;
	uint64_t ids[] = { office_active(office), 999 };
	struct record_row row = office_record(office, ids[0]);
	const uint8_t *key;

	/* The vault as of before, and a broker that knows. */
	office_end(office, ids[0]);
	office_ask_dispose(office, SATO, ids[0]);
	records_seal(&office->records);
	assert_ok(records_open(&office->records, office->root, 1));
	assert_ok(records_floor(&office->records, office->counter, ids, 2, false));
	assert_int_equal(office->records.state, RECORDS_WAITING);
	assert_ok(records_floor(&office->records, office->counter, NULL, 0, true));
	assert_string_equal(office->notice, "vault-disposed-again");
	assert_int_equal(office_record(office, ids[0]).state, STATE_DISPOSED);
	assert_err(keyring_use(&office->records.keyring, row.key, &key), ERR_NOT_FOUND);
	assert_int_equal(
		count(office->records.db, "SELECT count(*) FROM record_version WHERE record = 2"),
		0);
	assert_ok(office_ask(office, SATO, OP_request_list, "{}"));
	assert_int_equal(office_rows(office), 0);
	assert_ok(office_ask(office, SATO, OP_certificate_show, "{\"record\":2}"));
	assert_int_equal(office_number(office, "asked_by"), 0);

	/* Once. */
	office->notices = 0;
	records_forget_floor(&office->records);
	assert_ok(records_floor(&office->records, office->counter, ids, 2, true));
	assert_int_equal(office->notices, 0);
	office_again(office);
}

/* Killed between the commit and the key's end. */
static void test_keys_of_nobody_go(void **state)
{
	struct office *office = *state;
	const uint8_t *used;
	uint64_t key = 0;

	assert_ok(keyring_group(&office->records.keyring, 1, 1, 1999, &key));
	office_again(office);
	assert_err(keyring_use(&office->records.keyring, key, &used), ERR_NOT_FOUND);
	assert_ok(keyring_use(&office->records.keyring, office_record(office, 1).key, &used));
}

/* Nothing is destroyed by what did not come to its end. */
static void test_not_without_the_commit(void **state)
{
	struct office *office = *state;
	struct record_row row = office_record(office, office_active(office));
	struct disposal_count counts;
	uint64_t key = row.key;
	const uint8_t *used;

	assert_ok(records_begin(&office->records));
	assert_ok(disposal_destroy(&office->records, &row, 1, 1, &counts));
	records_abort(&office->records);
	assert_ok(records_begin(&office->records));
	assert_ok(records_commit(&office->records, 0));
	assert_ok(keyring_use(&office->records.keyring, key, &used));
	_cleanup_content_ struct content content = { 0 };
	row = office_record(office, row.id);
	assert_ok(record_get_content(&office->records, &row, 0, &content));
}

/* The wrapped key and what it opened are in no file any more. */
static void test_nothing_stays_in_the_files(void **state)
{
	static const char *const files[] = { "records.db", "records.db-wal", "keys.db",
					     "keys.db-wal" };
	struct office *office = *state;
	uint64_t id = office_active(office);
	struct record_row row = office_record(office, id);
	struct group_key_row key;
	uint8_t sealed[24];

	assert_ok(group_key_by_id(office->records.keyring.db, row.key, 1, &key));
	{
		_cleanup_query_ struct query query;
		struct record_sealed version;
		bool more;

		record_version_select(&query, office->records.db, id, 1);
		assert_ok(record_version_next(&query, &version, &more));
		memcpy(sealed, version.sealed, sizeof(sealed));
	}
	office_end(office, id);
	assert_ok(approve(office, TANAKA, office_ask_dispose(office, SATO, id)));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];
		_cleanup_free_ char *data = NULL;
		size_t len = 0;

		snprintf(path, sizeof(path), "%s/%s", office->folder, files[i]);
		if (util_read_file(path, 1 << 24, &data, &len))
			continue;
		assert_null(memmem(data, len, key.wrapped, sizeof(key.wrapped)));
		assert_null(memmem(data, len, sealed, sizeof(sealed)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_disposed_of, start, stop),
		cmocka_unit_test_setup_teardown(test_another_approves, start, stop),
		cmocka_unit_test_setup_teardown(test_not_before_its_time, start, stop),
		cmocka_unit_test_setup_teardown(test_out_of_the_bin, start, stop),
		cmocka_unit_test_setup_teardown(test_nobody_is_left_behind, start, stop),
		cmocka_unit_test_setup_teardown(test_all_or_none, start, stop),
		cmocka_unit_test_setup_teardown(test_with_its_documents, start, stop),
		cmocka_unit_test_setup_teardown(test_documents_of_others_are_kept, start, stop),
		cmocka_unit_test_setup_teardown(test_disposed_of_again, start, stop),
		cmocka_unit_test_setup_teardown(test_keys_of_nobody_go, start, stop),
		cmocka_unit_test_setup_teardown(test_not_without_the_commit, start, stop),
		cmocka_unit_test_setup_teardown(test_nothing_stays_in_the_files, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
