#include "unit/vault/life_office.h"

#include "base/clock.h"

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

static enum err end(struct office *office, struct desk_person who, uint64_t id, const char *date)
{
	return office_ask(office, who, OP_record_end, "{\"records\":[%llu],\"started\":\"%s\"}",
			  (unsigned long long)id, date);
}

static void test_years_of_the_class(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office);

	assert_ok(end(office, SATO, id, "2026-04-01"));
	assert_string_equal(office_row_text(office, 0, "due"), "2031-04-01");
	assert_int_equal(office_record(office, id).state, STATE_ENDED);

	/* What has begun is a manager's to correct, or to take back. */
	assert_err(end(office, SATO, id, "2026-05-01"), ERR_DENIED);
	assert_err(end(office, SATO, id, ""), ERR_DENIED);
	assert_ok(end(office, TANAKA, id, "2026-05-01"));
	assert_string_equal(office_row_text(office, 0, "due"), "2031-05-01");
	assert_ok(end(office, TANAKA, id, ""));
	assert_string_equal(office_row_text(office, 0, "due"), "");
	assert_int_equal(office_record(office, id).state, STATE_ACTIVE);
	assert_false(office_record(office, id).has_due);
	assert_err(end(office, TANAKA, id, ""), ERR_WRONG_STATE);
}

static void test_dates(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office);
	char date[16];

	desk_date_text(due_today(clock_wall_s()) + DUE_AHEAD + 2, date);
	assert_err(end(office, SATO, id, date), ERR_INVALID);
	assert_err(end(office, SATO, id, "1969-12-31"), ERR_INVALID);
	assert_err(end(office, SATO, id, "2026-04-31"), ERR_INVALID);
	assert_string_equal(office->field, "started");
	desk_date_text(due_today(clock_wall_s()) + DUE_AHEAD - 1, date);
	assert_ok(end(office, SATO, id, date));
}

static void test_dependants_go_along(void **state)
{
	struct office *office = *state;
	uint64_t id = office_active(office);
	uint64_t one = office_add(office, KIND_DEPENDANT, 1, id, "a", "", NULL).id;
	uint64_t two = office_add(office, KIND_DEPENDANT, 1, id, "b", "", NULL).id;

	assert_ok(end(office, SATO, two, "2020-01-01"));
	/* One that is in the list by itself, too. */
	assert_ok(office_ask(office, SATO, OP_record_end,
			     "{\"records\":[%llu,%llu],\"started\":\"2026-04-01\"}",
			     (unsigned long long)id, (unsigned long long)one));
	assert_int_equal(office_rows(office), 2);
	assert_int_equal(office_record(office, one).state, STATE_ENDED);
	assert_ok(end(office, TANAKA, id, ""));
	assert_int_equal(office_record(office, one).state, STATE_ACTIVE);
	assert_int_equal(office_record(office, two).state, STATE_ENDED);
}

static void test_only_what_is_in_use(void **state)
{
	struct office *office = *state;
	uint64_t id = office_collect(office, "");

	assert_err(end(office, SATO, id, "2026-04-01"), ERR_WRONG_STATE);
	assert_err(end(office, (struct desk_person){ 77, DUTY_USE }, id, "2026-04-01"),
		   ERR_NOT_FOUND);
	assert_err(end(office, SATO, 999, "2026-04-01"), ERR_NOT_FOUND);
}

static void test_due_list(void **state)
{
	struct office *office = *state;
	uint64_t late = office_active(office), early = office_active(office);
	uint64_t never = office_active(office);

	assert_ok(end(office, SATO, late, "2020-01-01"));
	assert_ok(end(office, SATO, early, "2010-01-01"));
	assert_ok(end(office, SATO, never, "2026-01-01"));
	assert_ok(office_ask(office, SATO, OP_due_list, "{}"));
	assert_int_equal(office_rows(office), 2);
	assert_int_equal(office_row_number(office, 0, "id"), early);
	assert_int_equal(office_row_number(office, 1, "id"), late);
	assert_string_equal(office_row_text(office, 0, "due"), "2015-01-01");
	assert_string_equal(office_row_text(office, 0, "name"), "山田");
	assert_true(office_row_flag(office, 0, "may_ask"));
	assert_ok(office_ask(office, SATO, OP_due_list, "{\"before\":\"2031-01-01\"}"));
	assert_int_equal(office_rows(office), 3);
	assert_false(office_row_flag(office, 2, "may_ask"));
	assert_ok(office_ask(office, SATO, OP_due_list, "{\"before\":\"2030-12-31\"}"));
	assert_int_equal(office_rows(office), 2);

	long long request = office_ask_dispose(office, SATO, early);
	assert_ok(office_ask(office, TANAKA, OP_record_hold, "{\"record\":%llu,\"hold\":true}",
			     (unsigned long long)late));
	assert_ok(office_ask(office, TANAKA, OP_due_list, "{}"));
	assert_int_equal(office_row_number(office, 0, "request"), request);
	assert_false(office_row_flag(office, 0, "may_ask"));
	assert_true(office_row_flag(office, 1, "hold"));
	assert_false(office_row_flag(office, 1, "may_ask"));
	assert_ok(office_ask(office, (struct desk_person){ 77, DUTY_USE }, OP_due_list, "{}"));
	assert_int_equal(office_number(office, "total"), 0);
}

static void test_due_pages(void **state)
{
	struct office *office = *state;
	struct record_row row = office_new_row(KIND_EMPLOYEE, 1, 0);

	row.state = STATE_ENDED;
	row.has_due = row.has_started = true;
	assert_ok(records_begin(&office->records));
	for (int i = 0; i < 101; i++) {
		row.due = 1000 - i;
		assert_ok(record_create(&office->records, &row, NULL, NULL, &office_by));
	}
	assert_ok(records_commit(&office->records, 0));
	assert_ok(office_ask(office, SATO, OP_due_list, "{}"));
	assert_int_equal(office_rows(office), 100);
	assert_int_equal(office_row_number(office, 0, "id"), row.id);
	assert_int_equal(office_number(office, "next"), 100);
	assert_ok(office_ask(office, SATO, OP_due_list, "{\"after\":100}"));
	assert_int_equal(office_rows(office), 1);
	assert_int_equal(office_number(office, "next"), 0);
}

/* It is named, and the others are shown. */
static void test_one_that_is_damaged(void **state)
{
	struct office *office = *state;
	uint64_t first = office_active(office), second = office_active(office);

	office_end(office, first);
	office_end(office, second);
	assert_ok(office_ask(office, SATO, OP_due_list, "{}"));
	assert_int_equal(office_number(office, "damaged"), 0);
	assert_ok(db_exec(office->records.db, "UPDATE record SET due = 1 WHERE id ="
					      " (SELECT min(id) FROM record WHERE state = 4)"));
	assert_ok(office_ask(office, SATO, OP_due_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_int_equal(office_row_number(office, 0, "id"), second);
	assert_int_equal(office_number(office, "damaged"), 1);
	assert_int_equal(office_number(office, "total"), 2);
	assert_int_equal(office_number(office, "next"), 0);
	assert_string_equal(office->notice, "vault-damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_years_of_the_class, start, stop),
		cmocka_unit_test_setup_teardown(test_dates, start, stop),
		cmocka_unit_test_setup_teardown(test_dependants_go_along, start, stop),
		cmocka_unit_test_setup_teardown(test_only_what_is_in_use, start, stop),
		cmocka_unit_test_setup_teardown(test_due_list, start, stop),
		cmocka_unit_test_setup_teardown(test_due_pages, start, stop),
		cmocka_unit_test_setup_teardown(test_one_that_is_damaged, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
