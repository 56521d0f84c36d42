#include "unit/vault/office.h"

#include "store/vault/rule_rows.h"

static int start(void **state)
{
	*state = office_new();
	return 0;
}

static int stop(void **state)
{
	office_free(*state);
	return 0;
}

static void test_purposes(void **state)
{
	struct office *office = *state;

	assert_ok(office_ask(office, TANAKA, OP_purpose_add,
			     "{\"name\":\"源泉徴収事務\",\"name_en\":\"Withholding\"}"));
	assert_true(office->held);
	int64_t id = office_number(office, "id");
	assert_ok(office_ask(office, TANAKA, OP_purpose_add, "{\"name\":\"雇用保険\"}"));
	assert_err(office_ask(office, TANAKA, OP_purpose_add, "{\"name\":\"雇用保険\"}"),
		   ERR_EXISTS);
	assert_string_equal(office->field, "name");
	assert_err(office_ask(office, SATO, OP_purpose_add, "{\"name\":\"x\"}"), ERR_DENIED);
	assert_err(office_ask(office, TANAKA, OP_purpose_add, "{\"name\":\" \"}"), ERR_INVALID);
	assert_err(office_ask(office, TANAKA, OP_purpose_add, "{\"name\":\"x\",\"y\":1}"),
		   ERR_INVALID);

	assert_ok(office_ask(office, TANAKA, OP_purpose_retire,
			     "{\"purpose\":%lld,\"retired\":true}", (long long)id));
	assert_err(
		office_ask(office, TANAKA, OP_purpose_retire, "{\"purpose\":99,\"retired\":true}"),
		ERR_NOT_FOUND);
	assert_ok(office_ask(office, TANAKA, OP_purpose_list, "{}"));
	assert_int_equal(office_rows(office), 2);
	assert_string_equal(office_row_text(office, 0, "name_en"), "Withholding");
	assert_true(office_row_flag(office, 0, "retired"));
	assert_false(office_row_flag(office, 1, "retired"));
	assert_int_equal(office_row_number(office, 0, "records"), 0);
	assert_err(office_ask(office, SATO, OP_purpose_list, "{\"x\":1}"), ERR_INVALID);
}

static void test_purposes_are_counted(void **state)
{
	struct office *office = *state;

	assert_ok(office_ask(office, TANAKA, OP_purpose_add, "{\"name\":\"a\"}"));
	assert_ok(office_ask(office, TANAKA, OP_purpose_add, "{\"name\":\"b\"}"));
	assert_ok(office_ask(office, TANAKA, OP_class_add,
			     "{\"name\":\"c\",\"start\":\"d\",\"years\":7}"));
	assert_ok(records_begin(&office->records));
	for (uint64_t id = 1; id <= 3; id++) {
		struct record_row row = { .id = id,
					  .kind = KIND_CLIENT,
					  .state = STATE_ACTIVE,
					  .client = id,
					  .class = 1,
					  .purpose_count = id == 3 ? 1 : 2,
					  .key = 1 };

		row.purposes[RECORD_PURPOSE - 1] = id == 3 ? 2 : 1;
		row.purposes[2 * RECORD_PURPOSE - 1] = 2;
		assert_ok(records_add_row(&office->records, &row));
	}
	assert_ok(records_commit(&office->records, 0));
	assert_ok(office_ask(office, TANAKA, OP_purpose_list, "{}"));
	assert_int_equal(office_row_number(office, 0, "records"), 2);
	assert_int_equal(office_row_number(office, 1, "records"), 3);
	/* He sees none of them. */
	assert_ok(office_ask(office, SATO, OP_purpose_list, "{}"));
	assert_null(json_object_get(json_array_get(json_object_get(office->answer, "rows"), 0),
				    "records"));
}

static void test_at_most_200(void **state)
{
	struct office *office = *state;
	uint64_t id;

	assert_ok(records_begin(&office->records));
	for (int i = 0; i < RULES_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		assert_ok(purpose_insert(office->records.db, name, "", &id));
	}
	assert_err(purpose_insert(office->records.db, "one more", "", &id), ERR_FULL);
	records_abort(&office->records);
}

static void test_classes(void **state)
{
	struct office *office = *state;

	assert_ok(office_ask(office, TANAKA, OP_class_add,
			     "{\"name\":\"扶養控除等申告書\",\"start\":\"翌年1月10日の翌日\","
			     "\"start_en\":\"11 January of the next year\",\"years\":7}"));
	int64_t id = office_number(office, "id");
	assert_int_equal(json_integer_value(json_object_get(office->detail, "years")), 7);
	assert_err(office_ask(office, TANAKA, OP_class_add,
			      "{\"name\":\"x\",\"start\":\"y\",\"years\":6}"),
		   ERR_INVALID);
	assert_string_equal(office->field, "years");
	assert_err(office_ask(office, TANAKA, OP_class_add, "{\"name\":\"x\",\"years\":7}"),
		   ERR_INVALID);
	assert_string_equal(office->field, "start");
	assert_err(office_ask(office, SATO, OP_class_add,
			      "{\"name\":\"x\",\"start\":\"y\",\"years\":7}"),
		   ERR_DENIED);

	for (int years = 0; years <= 10; years++) {
		bool known = years == 2 || years == 3 || years == 4 || years == 5 || years == 7;

		assert_err(office_ask(office, TANAKA, OP_class_add,
				      "{\"name\":\"y%d\",\"start\":\"s\",\"years\":%d}", years,
				      years),
			   known ? OK : ERR_INVALID);
	}

	/* The years stay what they were promised to be. */
	assert_err(office_ask(office, TANAKA, OP_class_change,
			      "{\"class\":%lld,\"name\":\"x\",\"start\":\"y\",\"years\":2}",
			      (long long)id),
		   ERR_INVALID);
	assert_ok(office_ask(office, TANAKA, OP_class_change,
			     "{\"class\":%lld,\"name\":\"x\",\"start\":\"y\",\"retired\":true}",
			     (long long)id));
	assert_err(office_ask(office, TANAKA, OP_class_change,
			      "{\"class\":77,\"name\":\"x\",\"start\":\"y\"}"),
		   ERR_NOT_FOUND);
	assert_ok(office_ask(office, SATO, OP_class_list, "{}"));
	assert_int_equal(office_rows(office), 6);
	assert_string_equal(office_row_text(office, 0, "name"), "x");
	assert_string_equal(office_row_text(office, 0, "start_en"), "");
	assert_int_equal(office_row_number(office, 0, "years"), 7);
	assert_true(office_row_flag(office, 0, "retired"));
}

static enum err set_fields(struct office *office, const char *fields)
{
	return office_ask(office, TANAKA, OP_template_set, "{\"kind\":2,\"fields\":%s}", fields);
}

static void test_templates(void **state)
{
	struct office *office = *state;
	static const char *const wrong[] = {
		"{}",
		"[{\"key\":\"A\",\"ja\":\"a\",\"en\":\"\",\"required\":false}]",
		"[{\"key\":\"\",\"ja\":\"a\",\"en\":\"\",\"required\":false}]",
		"[{\"key\":\"a\",\"ja\":\" \",\"en\":\"\",\"required\":false}]",
		"[{\"key\":\"a\",\"ja\":\"a\",\"en\":\"\"}]",
		"[{\"key\":\"a\",\"ja\":\"a\",\"en\":\"\",\"required\":1}]",
		"[{\"key\":\"a\",\"ja\":\"a\",\"en\":\"\",\"required\":true,\"x\":1}]",
		"[{\"key\":\"a\",\"ja\":\"a\",\"en\":\"\",\"required\":true},"
		"{\"key\":\"a\",\"ja\":\"b\",\"en\":\"\",\"required\":true}]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(set_fields(office, wrong[i]), ERR_INVALID);
	assert_ok(set_fields(office, "[{\"key\":\"hired\",\"ja\":\"入社日\",\"en\":\"Hired\","
				     "\"required\":true}]"));
	assert_err(office_ask(office, SATO, OP_template_set, "{\"kind\":2,\"fields\":[]}"),
		   ERR_DENIED);
	assert_ok(office_ask(office, SATO, OP_template_list, "{}"));
	assert_int_equal(office_rows(office), 4);
	assert_int_equal(json_array_size(json_object_get(office_row(office, 0), "fields")), 0);
	const json_t *fields = json_object_get(office_row(office, 1), "fields");
	assert_int_equal(json_array_size(fields), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(fields, 0), "ja")),
			    "入社日");
}

static void test_everything_is_there_again(void **state)
{
	struct office *office = *state;

	assert_ok(office_ask(office, TANAKA, OP_purpose_add, "{\"name\":\"a\"}"));
	records_seal(&office->records);
	office_open(office);
	assert_ok(office_ask(office, SATO, OP_purpose_list, "{}"));
	assert_int_equal(office_rows(office), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_purposes, start, stop),
		cmocka_unit_test_setup_teardown(test_purposes_are_counted, start, stop),
		cmocka_unit_test_setup_teardown(test_at_most_200, start, stop),
		cmocka_unit_test_setup_teardown(test_classes, start, stop),
		cmocka_unit_test_setup_teardown(test_templates, start, stop),
		cmocka_unit_test_setup_teardown(test_everything_is_there_again, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
