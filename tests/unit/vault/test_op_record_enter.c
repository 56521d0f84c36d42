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

#define CLIENT "{\"name\":\"緑会\",\"class\":1,\"purposes\":[1]"

static void test_a_client(void **state)
{
	struct office *office = *state;
	char number[NUMBERS_ROOM];

	assert_ok(office_ask(office, TANAKA, OP_client_add,
			     CLIENT ",\"kana\":\"ミドリカイ\",\"number\":\"8-7001-1000-5901\","
				    "\"again\":\"" OFFICE_CORPORATE "\"}"));
	struct record_row row = office_record(office, (uint64_t)office_number(office, "record"));
	assert_int_equal(row.state, STATE_ACTIVE);
	assert_int_equal(row.kind, KIND_CLIENT);
	assert_int_equal(row.client, row.id);
	assert_ok(record_get_number(&office->records, &row, number));
	assert_string_equal(number, OFFICE_CORPORATE);
	assert_ok(office_ask(office, TANAKA, OP_client_add, CLIENT "}"));
}

/* A person's number is not entered without anybody's approval. */
static void test_a_client_without_a_right_number(void **state)
{
	struct office *office = *state;
	static const char *const wrong[] = {
		CLIENT ",\"number\":\"" OFFICE_PERSONAL "\",\"again\":\"" OFFICE_PERSONAL "\"}",
		CLIENT ",\"number\":\"" OFFICE_CORPORATE "\",\"again\":\"" OFFICE_PERSONAL "\"}",
		CLIENT ",\"number\":\"" OFFICE_CORPORATE "\"}",
		CLIENT ",\"number\":\"8700110005902\",\"again\":\"8700110005902\"}",
		CLIENT ",\"state\":3}",
		"{\"name\":\"緑会\",\"class\":9,\"purposes\":[1]}",
		"{\"name\":\"緑会\",\"class\":1,\"purposes\":[]}",
		"{\"class\":1,\"purposes\":[1]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_not_equal(office_ask(office, TANAKA, OP_client_add, "%s", wrong[i]), OK);
}

static enum err enter(struct office *office, struct desk_person who, uint64_t record,
		      const char *number)
{
	return office_ask(office, who, OP_record_number_set,
			  "{\"record\":%llu,\"number\":\"%s\",\"again\":\"%s\"}",
			  (unsigned long long)record, number, number);
}

static void test_the_first_number(void **state)
{
	struct office *office = *state;
	char number[NUMBERS_ROOM];
	uint64_t id = office_collect(office, "");
	long long request = office_request(office);

	assert_err(enter(office, SUZUKI, id, OFFICE_CORPORATE), ERR_INVALID);
	assert_err(enter(office, SUZUKI, id, ""), ERR_INVALID);
	/* An approver has no right to change it. */
	assert_err(enter(office, TANAKA, id, OFFICE_PERSONAL), ERR_DENIED);
	assert_ok(enter(office, SUZUKI, id, OFFICE_PERSONAL));
	assert_int_equal(office_number(office, "request"), 0);
	struct record_row row = office_record(office, id);
	assert_int_equal(row.state, STATE_WAITING);
	assert_ok(record_get_number(&office->records, &row, number));
	assert_string_equal(number, OFFICE_PERSONAL);
	/* What waits stays as it was entered. */
	assert_err(enter(office, SUZUKI, id, OFFICE_OTHER), ERR_WRONG_STATE);
	assert_ok(office_ask(office, TANAKA, OP_request_approve, "{\"requests\":[%lld]}", request));
}

static void test_another_number(void **state)
{
	struct office *office = *state;
	char number[NUMBERS_ROOM];
	struct record_row row =
		office_add(office, KIND_EMPLOYEE, 1, 0, "山田", "ヤマダ", OFFICE_PERSONAL);

	assert_ok(enter(office, SATO, row.id, OFFICE_OTHER));
	long long request = office_number(office, "request");
	assert_true(request > 0);
	assert_err(enter(office, SATO, row.id, OFFICE_OTHER), ERR_WRONG_STATE);
	/* The old one counts until somebody else approves. */
	row = office_record(office, row.id);
	assert_int_equal(row.state, STATE_ACTIVE);
	assert_ok(record_get_number(&office->records, &row, number));
	assert_string_equal(number, OFFICE_PERSONAL);
	assert_ok(office_ask(office, TANAKA, OP_request_approve, "{\"requests\":[%lld]}", request));
	row = office_record(office, row.id);
	assert_ok(record_get_number(&office->records, &row, number));
	assert_string_equal(number, OFFICE_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_client, start, stop),
		cmocka_unit_test_setup_teardown(test_a_client_without_a_right_number, start, stop),
		cmocka_unit_test_setup_teardown(test_the_first_number, start, stop),
		cmocka_unit_test_setup_teardown(test_another_number, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
