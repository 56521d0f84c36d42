#include "unit/vault/life_office.h"

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

static enum err decide(struct office *office, struct desk_person who, unsigned op, long long id)
{
	return op == OP_request_refuse
		       ? office_ask(office, who, op, "{\"requests\":[%lld],\"answer\":\"no\"}", id)
		       : office_ask(office, who, op, "{\"requests\":[%lld]}", id);
}

static void test_collect_with_a_number(void **state)
{
	struct office *office = *state;
	char number[NUMBERS_ROOM];
	uint64_t id = office_collect(office, OFFICE_PERSONAL);
	long long request = office_request(office);
	struct record_row row = office_record(office, id);

	assert_int_equal(row.state, STATE_WAITING);
	assert_int_equal(office->held_client, 1);
	assert_ok(record_get_number(&office->records, &row, number));
	assert_string_equal(number, OFFICE_PERSONAL);

	/* Who asked may not, nor who only uses records; an approver may. */
	assert_err(decide(office, SATO, OP_request_approve, request), ERR_DENIED);
	assert_err(decide(office, SUZUKI, OP_request_approve, request), ERR_DENIED);
	assert_ok(decide(office, TANAKA, OP_request_approve, request));
	assert_int_equal(office_record(office, id).state, STATE_ACTIVE);
	assert_err(decide(office, KATO, OP_request_approve, request), ERR_WRONG_STATE);
}

static void test_nobody_approves_his_own(void **state)
{
	struct office *office = *state;
	const struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
				       .subject = TANAKA.account,
				       .object_kind = GRANT_EVERYTHING,
				       .rights = { .level = GRANT_EDIT } };

	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &(struct grants_hand){ 99, 1 }));
	assert_ok(records_commit(&office->records, 0));
	assert_ok(office_ask(office, TANAKA, OP_request_add,
			     "{\"kind\":1,\"record_kind\":4,\"client\":1,\"class\":2,"
			     "\"purposes\":[2],\"name\":\"講師\",\"number\":\"" OFFICE_CORPORATE
			     "\",\"again\":\"" OFFICE_CORPORATE "\"}"));
	long long request = office_request(office);
	assert_err(decide(office, TANAKA, OP_request_approve, request), ERR_DENIED);
	assert_err(decide(office, TANAKA, OP_request_refuse, request), ERR_DENIED);
	assert_ok(decide(office, KATO, OP_request_approve, request));
}

/* Whoever entered the number may not approve it, though somebody else asked. */
static void test_nobody_approves_what_he_entered(void **state)
{
	struct office *office = *state;
	uint64_t id = office_collect(office, "");
	long long request = office_request(office);
	struct record_row row = office_record(office, id);
	int64_t version = 0;

	assert_int_equal(row.state, STATE_REQUESTED);
	assert_err(decide(office, TANAKA, OP_request_approve, request), ERR_WRONG_STATE);
	assert_ok(records_begin(&office->records));
	assert_ok(record_put_number(&office->records, &row, OFFICE_PERSONAL,
				    &(struct change_by){ TANAKA.account, 1 }, &version));
	assert_ok(record_use_number(&office->records, &row, version));
	assert_ok(requests_entered(&office->records, &row));
	assert_err(requests_entered(&office->records, &row), ERR_WRONG_STATE);
	assert_ok(records_commit(&office->records, 0));
	assert_int_equal(office_record(office, id).state, STATE_WAITING);
	assert_err(decide(office, TANAKA, OP_request_approve, request), ERR_DENIED);
	assert_ok(decide(office, KATO, OP_request_approve, request));
}

static void test_submit(void **state)
{
	struct office *office = *state;
	uint64_t id = office_collect(office, "");
	long long request = office_request(office);

	assert_ok(office_ask(office, SUZUKI, OP_request_show, "{\"request\":%lld}", request));
	const json_t *may = json_object_get(office->answer, "may");
	assert_true(json_is_true(json_object_get(may, "submit")));
	assert_true(json_is_false(json_object_get(may, "approve")));
	assert_true(json_is_false(json_object_get(may, "withdraw")));
	assert_ok(office_ask(office, SUZUKI, OP_request_submit, "{\"request\":%lld}", request));
	assert_int_equal(office_record(office, id).state, STATE_WAITING);
	assert_err(office_ask(office, SATO, OP_request_submit, "{\"request\":%lld}", request),
		   ERR_WRONG_STATE);
	assert_ok(decide(office, TANAKA, OP_request_approve, request));
}

static int64_t count(struct office *office, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->records.db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static void number_sealed(struct office *office, uint64_t record, uint8_t ret[24])
{
	_cleanup_query_ struct query query;
	struct record_sealed number;
	bool more = false;

	record_number_select(&query, office->records.db, record, 0);
	assert_ok(record_number_next(&query, &number, &more));
	assert_true(more);
	memcpy(ret, number.sealed, 24);
}

static bool is_on_disk(const struct office *office, const uint8_t bytes[24])
{
	static const char *const files[] = { "records.db", "records.db-wal" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];
		_cleanup_free_ char *data = NULL;
		size_t len = 0;

		snprintf(path, sizeof(path), "%s/%s", office->folder, files[i]);
		if (!util_read_file(path, 1 << 24, &data, &len) && memmem(data, len, bytes, 24))
			found = true;
	}
	return found;
}

/* The group's key goes on, so nothing that it opens may be left. */
static void test_what_is_refused_stays_in_no_file(void **state)
{
	struct office *office = *state;
	uint8_t sealed[24];
	uint64_t id = office_collect(office, OFFICE_PERSONAL);

	number_sealed(office, id, sealed);
	assert_true(is_on_disk(office, sealed));
	assert_ok(decide(office, TANAKA, OP_request_refuse, office_request(office)));
	assert_false(is_on_disk(office, sealed));

	id = office_active(office);
	assert_ok(office_ask(office, SATO, OP_record_number_set,
			     "{\"record\":%llu,\"number\":\"%s\",\"again\":\"%s\"}",
			     (unsigned long long)id, OFFICE_OTHER, OFFICE_OTHER));
	number_sealed(office, id, sealed);
	assert_true(is_on_disk(office, sealed));
	assert_ok(decide(office, SATO, OP_request_withdraw, office_number(office, "request")));
	assert_false(is_on_disk(office, sealed));
}

static void test_refused_is_destroyed(void **state)
{
	struct office *office = *state;
	uint64_t id = office_collect(office, OFFICE_PERSONAL);
	long long request = office_request(office);

	assert_err(office_ask(office, TANAKA, OP_request_refuse, "{\"requests\":[%lld]}", request),
		   ERR_INVALID);
	assert_string_equal(office->field, "answer");
	assert_ok(decide(office, TANAKA, OP_request_refuse, request));
	assert_int_equal(office_record(office, id).state, STATE_REFUSED);
	assert_int_equal(count(office, "SELECT count(*) FROM record_number"), 0);
	assert_int_equal(count(office, "SELECT count(*) FROM record_version WHERE record > 1"), 0);
	assert_string_equal(index_find(office->records.index, id)->name, "");

	/* Why is still there, for who asked. */
	assert_ok(office_ask(office, SATO, OP_request_show, "{\"request\":%lld}", request));
	assert_string_equal(json_string_value(json_object_get(office->answer, "answer")), "no");
	assert_string_equal(json_string_value(json_object_get(office->answer, "why")), "入社");
	assert_int_equal(office_number(office, "decided_by"), TANAKA.account);
}

static void test_withdrawn(void **state)
{
	struct office *office = *state;
	uint64_t id = office_collect(office, OFFICE_PERSONAL);
	long long request = office_request(office);

	assert_err(decide(office, SUZUKI, OP_request_withdraw, request), ERR_DENIED);
	assert_err(decide(office, TANAKA, OP_request_withdraw, request), ERR_DENIED);
	assert_ok(decide(office, SATO, OP_request_withdraw, request));
	assert_int_equal(office_record(office, id).state, STATE_REFUSED);
	assert_int_equal(count(office, "SELECT count(*) FROM record_number"), 0);
}

static long long ask_number(struct office *office, struct record_row *row, uint64_t by)
{
	const struct change_by hand = { by, 1 };
	int64_t version = 0;
	uint64_t request = 0;

	assert_ok(records_begin(&office->records));
	assert_ok(record_put_number(&office->records, row, OFFICE_OTHER, &hand, &version));
	assert_ok(requests_add(&office->records, row, REQUEST_NUMBER, true, version, "", &hand,
			       &request));
	assert_err(requests_add(&office->records, row, REQUEST_NUMBER, true, version, "", &hand,
				&request),
		   ERR_WRONG_STATE);
	assert_ok(records_commit(&office->records, 0));
	return (long long)request;
}

static void test_another_number(void **state)
{
	struct office *office = *state;
	struct record_row row = office_record(office, office_active(office));
	char number[NUMBERS_ROOM];

	long long request = ask_number(office, &row, SATO.account);
	assert_ok(record_get_number(&office->records, &row, number));
	assert_string_equal(number, OFFICE_PERSONAL);
	assert_ok(decide(office, TANAKA, OP_request_refuse, request));
	assert_int_equal(count(office, "SELECT count(*) FROM record_number"), 1);

	request = ask_number(office, &row, SATO.account);
	assert_ok(decide(office, TANAKA, OP_request_approve, request));
	row = office_record(office, row.id);
	assert_ok(record_get_number(&office->records, &row, number));
	assert_string_equal(number, OFFICE_OTHER);
	request = ask_number(office, &row, TANAKA.account);
	assert_err(decide(office, TANAKA, OP_request_approve, request), ERR_DENIED);
}

static void test_several_all_or_none(void **state)
{
	struct office *office = *state;
	uint64_t ids[2];
	long long requests[2];

	for (size_t i = 0; i < 2; i++) {
		ids[i] = office_collect(office, i ? "" : OFFICE_PERSONAL);
		requests[i] = office_request(office);
	}
	assert_err(office_ask(office, TANAKA, OP_request_approve, "{\"requests\":[%lld,%lld]}",
			      requests[0], requests[1]),
		   ERR_WRONG_STATE);
	assert_int_equal(office_record(office, ids[0]).state, STATE_WAITING);
	assert_ok(office_ask(office, SATO, OP_request_submit, "{\"request\":%lld}", requests[1]));
	assert_ok(office_ask(office, TANAKA, OP_request_approve,
			     "{\"requests\":[%lld,%lld],\"answer\":\"確認\"}", requests[0],
			     requests[1]));
	assert_int_equal(json_array_size(json_object_get(office->detail, "records")), 2);
	assert_int_equal(office_record(office, ids[1]).state, STATE_ACTIVE);
}

static void test_list(void **state)
{
	struct office *office = *state;
	uint64_t first = office_collect(office, OFFICE_PERSONAL);
	long long request = office_request(office);
	uint64_t second = office_collect(office, "");

	assert_ok(office_ask(office, TANAKA, OP_request_list, "{}"));
	assert_int_equal(office_rows(office), 2);
	assert_int_equal(office_row_number(office, 0, "record"), second);
	assert_int_equal(office_row_number(office, 1, "record"), first);
	assert_string_equal(office_row_text(office, 1, "name"), "山田");
	assert_string_equal(office_row_text(office, 1, "client_name"), "青葉商店");
	assert_true(office_row_flag(office, 1, "ready"));
	assert_false(office_row_flag(office, 0, "ready"));
	assert_true(json_is_true(
		json_object_get(json_object_get(office_row(office, 1), "may"), "approve")));
	assert_int_equal(office_number(office, "total"), 2);
	assert_int_equal(office_number(office, "next"), 0);

	assert_ok(decide(office, TANAKA, OP_request_approve, request));
	assert_ok(office_ask(office, TANAKA, OP_request_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_ok(office_ask(office, TANAKA, OP_request_list, "{\"state\":2}"));
	assert_int_equal(office_rows(office), 1);
	assert_ok(office_ask(office, SUZUKI, OP_request_list, "{\"mine\":true}"));
	assert_int_equal(office_rows(office), 0);
	assert_ok(office_ask(office, SATO, OP_request_list, "{\"kind\":3}"));
	assert_int_equal(office_rows(office), 0);
	assert_err(office_ask(office, SATO, OP_request_list, "{\"kind\":4}"), ERR_INVALID);

	/* Nobody hears of what he may not see. */
	struct desk_person stranger = { 77, DUTY_USE };
	assert_ok(office_ask(office, stranger, OP_request_list, "{}"));
	assert_int_equal(office_number(office, "total"), 0);
	assert_err(office_ask(office, stranger, OP_request_show, "{\"request\":%lld}", request),
		   ERR_NOT_FOUND);
	assert_err(decide(office, stranger, OP_request_withdraw, request), ERR_NOT_FOUND);
}

static void test_pages(void **state)
{
	struct office *office = *state;
	struct record_row row = office_new_row(KIND_EMPLOYEE, 1, 0);
	uint64_t id;

	assert_ok(records_begin(&office->records));
	for (int i = 0; i < 101; i++) {
		assert_ok(record_create(&office->records, &row, NULL, NULL, &office_by));
		assert_ok(requests_add(&office->records, &row, REQUEST_COLLECT, false, 0, "",
				       &office_by, &id));
	}
	assert_ok(records_commit(&office->records, 0));
	assert_ok(office_ask(office, SATO, OP_request_list, "{}"));
	assert_int_equal(office_rows(office), 100);
	assert_int_equal(office_number(office, "total"), 101);
	assert_ok(office_ask(office, SATO, OP_request_list, "{\"after\":%lld}",
			     (long long)office_number(office, "next")));
	assert_int_equal(office_rows(office), 1);
	assert_int_equal(office_row_number(office, 0, "id"), 1);
	assert_int_equal(office_number(office, "next"), 0);
}

static enum err collect(struct office *office, const char *more)
{
	return office_ask(office, SATO, OP_request_add, "{\"kind\":1,\"name\":\"a\",%s}", more);
}

static void test_what_may_be_asked_for(void **state)
{
	struct office *office = *state;
	static const struct {
		const char *body, *field;
		enum err err;
	} wrong[] = {
		{ "\"record_kind\":1,\"client\":1,\"class\":1,\"purposes\":[1]", "record_kind",
		  ERR_INVALID },
		{ "\"record_kind\":2,\"client\":9,\"class\":1,\"purposes\":[1]", "client",
		  ERR_NOT_FOUND },
		{ "\"record_kind\":2,\"client\":2,\"class\":1,\"purposes\":[1]", "client",
		  ERR_NOT_FOUND },
		{ "\"record_kind\":2,\"client\":1,\"class\":9,\"purposes\":[1]", "class",
		  ERR_NOT_FOUND },
		{ "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[]", "purposes",
		  ERR_INVALID },
		{ "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[9]", "purposes",
		  ERR_NOT_FOUND },
		{ "\"record_kind\":3,\"client\":1,\"class\":1,\"purposes\":[1]", "parent",
		  ERR_INVALID },
		{ "\"record_kind\":3,\"client\":1,\"parent\":1,\"class\":1,\"purposes\":[1]",
		  "parent", ERR_NOT_FOUND },
		/* Not whether there is such a client. */
		{ "\"record_kind\":3,\"client\":9,\"parent\":2,\"class\":1,\"purposes\":[1]",
		  "parent", ERR_NOT_FOUND },
		{ "\"record_kind\":2,\"client\":1,\"parent\":2,\"class\":1,\"purposes\":[1]",
		  "parent", ERR_INVALID },
		{ "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[1],"
		  "\"fields\":{\"x\":\"y\"}",
		  "fields", ERR_INVALID },
		{ "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[1],"
		  "\"number\":\"123456789012\",\"again\":\"123456789012\"",
		  "number", ERR_INVALID },
		{ "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[1],"
		  "\"number\":\"123456789018\",\"again\":\"023456789013\"",
		  "again", ERR_INVALID },
		{ "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[1],"
		  "\"number\":\"123456789018\"",
		  "again", ERR_INVALID },
		{ "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[1],"
		  "\"number\":\"8700110005901\",\"again\":\"8700110005901\"",
		  "number", ERR_INVALID },
	};

	office_active(office); /* record 2 */
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_err(collect(office, wrong[i].body), wrong[i].err);
		assert_string_equal(office->field, wrong[i].field);
	}
	assert_ok(collect(office, "\"record_kind\":3,\"client\":1,\"parent\":2,\"class\":1,"
				  "\"purposes\":[1]"));

	/* Not under rules that are not chosen any more. */
	assert_ok(
		office_ask(office, TANAKA, OP_purpose_retire, "{\"purpose\":1,\"retired\":true}"));
	assert_err(collect(office, "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[1]"),
		   ERR_WRONG_STATE);
	assert_ok(collect(office, "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[2]"));
	assert_ok(office_ask(office, TANAKA, OP_class_change,
			     "{\"class\":1,\"name\":\"x\",\"start\":\"y\",\"retired\":true}"));
	assert_err(collect(office, "\"record_kind\":2,\"client\":1,\"class\":1,\"purposes\":[2]"),
		   ERR_WRONG_STATE);
}

static void test_only_who_may_change(void **state)
{
	struct office *office = *state;
	const struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
				       .subject = 55,
				       .object_kind = GRANT_EVERYTHING,
				       .rights = { .level = GRANT_VIEW } };
	const struct desk_person reader = { 55, DUTY_USE };

	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &(struct grants_hand){ 99, 1 }));
	assert_ok(records_commit(&office->records, 0));
	assert_err(office_ask(office, reader, OP_request_add,
			      "{\"kind\":1,\"record_kind\":2,\"client\":1,\"class\":1,"
			      "\"purposes\":[1],\"name\":\"a\"}"),
		   ERR_DENIED);
	assert_err(office_ask(office, (struct desk_person){ 56, DUTY_USE }, OP_request_add,
			      "{\"kind\":1,\"record_kind\":2,\"client\":1,\"class\":1,"
			      "\"purposes\":[1],\"name\":\"a\"}"),
		   ERR_NOT_FOUND);
}

/* It is named, and the others are shown. */
static void test_one_that_is_damaged(void **state)
{
	struct office *office = *state;

	office_collect(office, OFFICE_PERSONAL);
	const long long damaged = office_request(office);
	office_collect(office, OFFICE_OTHER);
	char sql[80];

	snprintf(sql, sizeof(sql), "UPDATE request SET asked_by = 9 WHERE id = %lld", damaged);
	assert_ok(office_ask(office, TANAKA, OP_request_list, "{}"));
	assert_int_equal(office_rows(office), 2);
	assert_int_equal(office_number(office, "damaged"), 0);
	assert_ok(db_exec(office->records.db, sql));
	assert_ok(office_ask(office, TANAKA, OP_request_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_int_equal(office_number(office, "damaged"), 1);
	assert_string_equal(office->notice, "vault-damaged");
	assert_int_equal(office_row_number(office, 0, "id"), damaged + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_collect_with_a_number, start, stop),
		cmocka_unit_test_setup_teardown(test_nobody_approves_his_own, start, stop),
		cmocka_unit_test_setup_teardown(test_nobody_approves_what_he_entered, start, stop),
		cmocka_unit_test_setup_teardown(test_submit, start, stop),
		cmocka_unit_test_setup_teardown(test_refused_is_destroyed, start, stop),
		cmocka_unit_test_setup_teardown(test_what_is_refused_stays_in_no_file, start, stop),
		cmocka_unit_test_setup_teardown(test_withdrawn, start, stop),
		cmocka_unit_test_setup_teardown(test_another_number, start, stop),
		cmocka_unit_test_setup_teardown(test_several_all_or_none, start, stop),
		cmocka_unit_test_setup_teardown(test_list, start, stop),
		cmocka_unit_test_setup_teardown(test_pages, start, stop),
		cmocka_unit_test_setup_teardown(test_what_may_be_asked_for, start, stop),
		cmocka_unit_test_setup_teardown(test_only_who_may_change, start, stop),
		cmocka_unit_test_setup_teardown(test_one_that_is_damaged, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
