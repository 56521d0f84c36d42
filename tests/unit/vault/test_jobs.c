/* What takes long goes in slices: others are asked and answered in between. */
#include "unit/vault/life_office.h"

#include <openssl/evp.h>

#include "vault/imports.h"
#include "vault/staging.h"

enum { ROWS = 60 };

static int start(void **state)
{
	struct office *office = office_of_life();
	const struct grants_hand hand = { 99, 1 };
	const struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
				       .subject = SATO.account,
				       .object_kind = GRANT_EVERYTHING,
				       .rights = { GRANT_EXPORT, true, 0 } };

	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &hand));
	assert_ok(records_commit(&office->records, 0));
	office->desk.jobs.slice_us = 0; /* it pauses wherever it can */
	*state = office;
	return 0;
}

static int stop(void **state)
{
	office_free(*state);
	return 0;
}

/* A file of so many rows, looked through and asked for. */
static long long bring_file(struct office *office, const char *file, int rows)
{
	static char text[IMPORT_PIECE * 2];

	EVP_EncodeBlock((unsigned char *)text, (const uint8_t *)file, (int)strlen(file));
	assert_ok(office_ask(office, SATO, OP_import_begin,
			     "{\"client\":1,\"class\":1,\"purposes\":[1]}"));
	const long long import = office_number(office, "import");
	assert_ok(office_ask(office, SATO, OP_import_add,
			     "{\"import\":%lld,\"offset\":0,\"data\":\"%s\"}", import, text));
	assert_ok(office_ask(office, SATO, OP_import_preview, "{\"import\":%lld}", import));
	assert_int_equal(office_number(office, "error_count"), 0);
	assert_int_equal(office_number(office, "rows"), rows);
	assert_ok(office_ask(office, SATO, OP_import_ask, "{\"import\":%lld}", import));
	return import;
}

/* So many employees, the first one with a number. */
static long long bring(struct office *office)
{
	static char file[IMPORT_PIECE];
	int at = snprintf(file, sizeof(file), "name,kind,parent,number\n");

	for (int i = 0; i < ROWS; i++)
		at += snprintf(file + at, sizeof(file) - (size_t)at, "e%d,employee,,%s\n", i,
			       i == 0 ? OFFICE_PERSONAL : "");
	return bring_file(office, file, ROWS);
}

/* An order that is under way now. */
static void begin(struct office *office, struct desk_person who, unsigned op, const char *body)
{
	office->starts = true;
	office_ask(office, who, op, "%s", body);
	office->starts = false;
	assert_true(office->held);
	assert_non_null(office->desk.jobs.first);
	office->waited = office->request;
	office->waited_err = ERR_COUNT;
	office->between = true;
}

static void apply(struct office *office, long long import)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"import\":%lld}", import);
	begin(office, TANAKA, OP_import_apply, body);
}

static void go_on(struct office *office, int slices)
{
	for (int i = 0; i < slices && office->desk.jobs.first; i++)
		assert_ok(loop_step(office->loop, 1000));
}

static enum err finish(struct office *office)
{
	while (office->desk.jobs.first)
		assert_ok(loop_step(office->loop, 1000));
	office->between = false;
	return office->waited_err;
}

static int64_t rows_in_db(struct office *office)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->records.db,
		   "SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM record_number) +"
		   " (SELECT count(*) FROM record_version) + (SELECT count(*) FROM staging)");
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static void check_none(struct office *office)
{
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":1}"));
	assert_int_equal(office_number(office, "total"), 0);
	assert_ok(office_ask(office, SATO, OP_record_find, "{\"number\":\"" OFFICE_PERSONAL "\"}"));
	assert_int_equal(office_number(office, "total"), 0);
}

/* ---- an import ---------------------------------------------------------------------------------
 */

static void test_others_are_answered_and_see_nothing_of_it(void **state)
{
	struct office *office = *state;

	apply(office, bring(office));
	for (int i = 0; i < ROWS; i++) {
		go_on(office, 1);
		assert_int_equal(office->waited_err, ERR_COUNT);
		check_none(office);
		assert_err(office_ask(office, SATO, OP_record_show, "{\"record\":%llu}",
				      (unsigned long long)office->records.staging.first),
			   ERR_NOT_FOUND);
		/* Others change what they like. */
		assert_ok(office_ask(office, SATO, OP_record_change,
				     "{\"record\":1,\"name\":\"n%d\",\"kana\":\"\",\"fields\":{}}",
				     i));
	}
	assert_ok(office_ask(office, TANAKA, OP_work_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_string_equal(office_row_text(office, 0, "op"), "import apply");
	assert_true(office_row_number(office, 0, "done") > 0);
	assert_true(office_row_number(office, 0, "total") > 0);
	assert_ok(office_ask(office, SATO, OP_work_list, "{}"));
	assert_int_equal(office_rows(office), 0);
	assert_ok(finish(office));
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":1}"));
	assert_int_equal(office_number(office, "total"), ROWS);
	assert_ok(office_ask(office, SATO, OP_record_find, "{\"number\":\"" OFFICE_PERSONAL "\"}"));
	assert_int_equal(office_number(office, "total"), 1);
	office_again(office);
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":1,\"text\":\"e\"}"));
	assert_int_equal(office_number(office, "total"), ROWS);
}

/* In the order of lists, whatever came in between. */
static void test_the_order_of_lists(void **state)
{
	struct office *office = *state;
	char before[16] = "";

	apply(office, bring(office));
	for (int i = 0; i < 20; i++) {
		char name[16];

		go_on(office, 2);
		snprintf(name, sizeof(name), "e%d+", i * 3);
		office_add(office, KIND_PAYEE, 1, 0, name, "", NULL);
	}
	assert_ok(finish(office));
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":1}"));
	assert_int_equal(office_rows(office), ROWS + 20);
	for (size_t i = 0; i < ROWS + 20; i++) {
		assert_true(strcmp(before, office_row_text(office, i, "name")) <= 0);
		snprintf(before, sizeof(before), "%s", office_row_text(office, i, "name"));
		assert_ok(office_ask(office, SATO, OP_record_show, "{\"record\":%lld}",
				     (long long)office_row_number(office, i, "id")));
		assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":1}"));
	}
}

/* What was right when its row was read is not any more: nothing is entered. */
static void test_what_others_change_counts(void **state)
{
	struct office *office = *state;
	const long long import = bring(office);
	const int64_t before = rows_in_db(office);

	apply(office, import);
	go_on(office, 5);
	assert_ok(office_ask(office, TANAKA, OP_class_change,
			     "{\"class\":1,\"name\":\"x\",\"name_en\":\"\",\"start\":\"x\","
			     "\"start_en\":\"\",\"retired\":true}"));
	assert_err(finish(office), ERR_WRONG_STATE);
	assert_int_equal(rows_in_db(office), before);
	check_none(office);
}

static void test_a_number_that_others_enter_meanwhile(void **state)
{
	struct office *office = *state;

	apply(office, bring(office));
	go_on(office, 5);
	assert_true(office->records.staging.first != 0);
	office_add(office, KIND_EMPLOYEE, 1, 0, "x", "", OFFICE_PERSONAL);
	assert_err(finish(office), ERR_WRONG_STATE);
}

static int64_t below(struct office *office, uint64_t employee)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->records.db, "SELECT count(*) FROM record WHERE parent = ?");
	query_i64(&query, (int64_t)employee);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

/* Those who are half entered are passed over when an employee ends, not those behind them. */
static void test_an_employee_ends_meanwhile(void **state)
{
	struct office *office = *state;
	const uint64_t employee = office_add(office, KIND_EMPLOYEE, 1, 0, "p", "", NULL).id;
	const long long import =
		bring_file(office, "name,kind,parent\na,dependant,p\nb,dependant,p\n", 2);

	apply(office, import);
	while (!below(office, employee))
		go_on(office, 1);
	const uint64_t behind = office_add(office, KIND_DEPENDANT, 1, employee, "c", "", NULL).id;
	assert_true(behind > office->records.staging.first);
	assert_ok(office_ask(office, SATO, OP_record_end,
			     "{\"records\":[%llu],\"started\":\"2026-04-01\"}",
			     (unsigned long long)employee));
	assert_int_equal(office_record(office, employee).state, STATE_ENDED);
	assert_int_equal(office_record(office, behind).state, STATE_ENDED);
	assert_err(finish(office), ERR_WRONG_STATE);
}

/* While all is checked for the last time nobody changes anything, but everybody looks. */
static void test_changes_wait_for_the_last_check(void **state)
{
	struct office *office = *state;
	const uint64_t other = office_add(office, KIND_CLIENT, 0, 0, "x", "", NULL).id;

	apply(office, bring(office));
	go_on(office, 3);
	assert_ok(office_ask(office, SATO, OP_record_change,
			     "{\"record\":%llu,\"name\":\"y\",\"kana\":\"\",\"fields\":{}}",
			     (unsigned long long)other));
	while (!office->records.settling)
		go_on(office, 1);
	office->starts = true;
	office_ask(office, SATO, OP_record_remove, "{\"record\":%llu}", (unsigned long long)other);
	office->starts = false;
	assert_false(office->answered);
	const uint32_t request = office->request;
	assert_ok(office_ask(office, SUZUKI, OP_record_show, "{\"record\":1}"));
	assert_true(office->records.settling);
	office->request = request;
	office->answered = false;
	assert_ok(finish(office));
	assert_true(office->answered);
	assert_ok(office->err);
	assert_true(office_record(office, other).removed != 0);
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":1}"));
	assert_int_equal(office_number(office, "total"), ROWS);
}

static void test_taken_back_by_who_approved(void **state)
{
	struct office *office = *state;
	const long long import = bring(office);
	const int64_t before = rows_in_db(office);

	apply(office, import);
	go_on(office, 10);
	assert_true(rows_in_db(office) > before);
	desk_cancel(&office->desk, office->waited);
	assert_int_not_equal(finish(office), OK);
	assert_int_equal(rows_in_db(office), before);
	/* It can be approved again. */
	assert_ok(office_ask(office, TANAKA, OP_import_apply, "{\"import\":%lld}", import));
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":1}"));
	assert_int_equal(office_number(office, "total"), ROWS);
}

static void test_taken_back_by_who_brought_it(void **state)
{
	struct office *office = *state;
	const long long import = bring(office);

	apply(office, import);
	go_on(office, 10);
	assert_ok(office_ask(office, SATO, OP_import_cancel, "{\"import\":%lld}", import));
	assert_err(finish(office), ERR_NOT_FOUND);
	check_none(office);
	assert_ok(office_ask(office, SATO, OP_import_list, "{}"));
	assert_int_equal(office_rows(office), 0);
}

static void test_sealed_in_the_midst(void **state)
{
	struct office *office = *state;
	const long long import = bring(office);
	const int64_t before = rows_in_db(office);

	apply(office, import);
	go_on(office, 10);
	desk_clear(&office->desk);
	records_seal(&office->records);
	office->between = false;
	office_open(office);
	assert_true(rows_in_db(office) > before);
	check_none(office);
	desk_ready(&office->desk);
	finish(office);
	assert_int_equal(rows_in_db(office), before);
	assert_int_equal(office->notices, 0);
	/* No number is given twice. */
	const uint64_t id = office_add(office, KIND_EMPLOYEE, 1, 0, "x", "", NULL).id;
	assert_true(id > ROWS + 1);
}

/* An old copy, out of the midst of an import, of which something was disposed of since. */
static void test_disposed_of_again_beside_what_is_half_entered(void **state)
{
	struct office *office = *state;
	const uint64_t record = office_collect(office, OFFICE_OTHER);
	const long long import = bring(office);

	apply(office, import);
	go_on(office, 10);
	desk_clear(&office->desk);
	records_seal(&office->records);
	office->between = false;
	assert_ok(records_open(&office->records, office->root, 1));
	assert_true(office->records.staging.first != 0);
	assert_ok(records_floor(&office->records, office->counter, &record, 1, true));
	assert_int_equal(office->records.state, RECORDS_READY);
	assert_int_equal(office_record(office, record).state, STATE_DISPOSED);
	desk_ready(&office->desk);
	finish(office);
	check_none(office);
}

/* A second one begins after the first; what only looks does not wait. */
static void test_more_than_one(void **state)
{
	struct office *office = *state;
	const long long first = bring(office);
	size_t looked = 0;

	apply(office, first);
	go_on(office, 3);
	assert_err(office_ask(office, TANAKA, OP_import_apply, "{\"import\":%lld}", first),
		   ERR_WRONG_STATE);
	assert_ok(office_ask(office, SATO, OP_import_begin,
			     "{\"client\":1,\"kind\":2,\"class\":1,\"purposes\":[1]}"));
	const long long second = office_number(office, "import");
	assert_ok(office_ask(office, SATO, OP_import_add,
			     "{\"import\":%lld,\"offset\":0,\"data\":\"bmFtZQphCg==\"}", second));
	assert_ok(office_ask(office, SATO, OP_import_preview, "{\"import\":%lld}", second));
	assert_int_equal(office_number(office, "rows"), 1);
	assert_ok(office_ask(office, SATO, OP_import_ask, "{\"import\":%lld}", second));
	assert_int_equal(office->waited_err, ERR_COUNT);
	const uint32_t waited = office->waited;
	office->starts = true;
	office_ask(office, KATO, OP_import_apply, "{\"import\":%lld}", second);
	office->starts = false;
	while (office->waited_err == ERR_COUNT) {
		assert_false(office->answered);
		go_on(office, 1);
		looked++;
	}
	assert_int_equal(office->waited, waited);
	assert_ok(finish(office));
	assert_true(office->answered);
	assert_ok(office->err);
	assert_true(looked > 5);
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":1}"));
	assert_int_equal(office_number(office, "total"), ROWS + 1);
}

static void dispose(struct office *office, uint64_t record)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"requests\":[%lld]}",
		 office_ask_dispose(office, SATO, record));
	begin(office, TANAKA, OP_dispose_approve, body);
}

/* One turn for each, however much somebody asks for. */
static void test_no_more_turns_than_others(void **state)
{
	struct office *office = *state;

	for (int i = 0; i < 3; i++) {
		office->starts = true;
		office_ask(office, SATO, OP_export_count, "{\"purpose\":1}");
	}
	office->starts = false;
	office->between = true;
	go_on(office, 1);
	assert_ok(office_ask(office, SATO, OP_work_list, "{}"));
	assert_int_equal(office_rows(office), 3);
	size_t begun = 0;
	for (size_t i = 0; i < 3; i++)
		begun += !office_row_flag(office, i, "waiting");
	assert_int_equal(begun, 1);
	/* Somebody else does not wait for all of them. */
	assert_ok(office_ask(office, SUZUKI, OP_due_list, "{}"));
	assert_non_null(office->desk.jobs.first);
	finish(office);
}

static enum err count_exports(struct office *office, uint64_t account)
{
	office->starts = true;
	enum err err = office_ask(office, (struct desk_person){ account, DUTY_USE },
				  OP_export_count, "{\"purpose\":1}");
	office->starts = false;
	return office->answered ? err : OK;
}

static void test_nobody_takes_every_place(void **state)
{
	struct office *office = *state;

	for (size_t i = 0; i < JOBS_OF_ONE; i++)
		assert_ok(count_exports(office, 100));
	assert_err(count_exports(office, 100), ERR_FULL);
	assert_string_equal(office->field, "own");
	for (size_t i = JOBS_OF_ONE; i < JOBS_MAX; i++)
		assert_ok(count_exports(office, 100 + i / JOBS_OF_ONE));
	assert_err(count_exports(office, 200), ERR_FULL);
	assert_string_equal(office->field, "all");
	/* Places are free again as jobs end. */
	finish(office);
	assert_ok(count_exports(office, 100));
	finish(office);
}

/* ---- disposal ----------------------------------------------------------------------------------
 */

static void test_a_key_that_many_have(void **state)
{
	struct office *office = *state;
	uint64_t some = 0;

	for (int i = 0; i < 20; i++)
		some = office_active(office);
	office_end(office, some);
	const uint64_t key = office_record(office, some).key;
	char number[NUMBERS_ROOM];

	dispose(office, some);
	for (int i = 0; i < 15; i++) {
		go_on(office, 1);
		assert_int_equal(office->waited_err, ERR_COUNT);
		assert_ok(office_ask(office, SATO, OP_record_show, "{\"record\":%llu}",
				     (unsigned long long)(some - 1)));
		assert_ok(office_ask(office, SATO, OP_record_change,
				     "{\"record\":%llu,\"name\":\"n%d\",\"kana\":\"\","
				     "\"fields\":{}}",
				     (unsigned long long)(some - 1 - (uint64_t)i), i));
		assert_int_equal(office_record(office, some).state, STATE_ENDED);
	}
	assert_ok(finish(office));
	assert_int_equal(office_record(office, some).state, STATE_DISPOSED);
	for (uint64_t id = some - 19; id < some; id++) {
		const struct record_row row = office_record(office, id);

		assert_int_not_equal(row.key, key);
		assert_ok(record_get_number(&office->records, &row, number));
	}
}

/* It is on hold now: what was begun leaves everything as it was. */
static void test_not_to_be_disposed_of_any_more(void **state)
{
	struct office *office = *state;
	uint64_t some = 0;
	char number[NUMBERS_ROOM];

	for (int i = 0; i < 20; i++)
		some = office_active(office);
	office_end(office, some);
	dispose(office, some);
	go_on(office, 8);
	assert_ok(office_ask(office, KATO, OP_record_hold, "{\"record\":%llu,\"hold\":true}",
			     (unsigned long long)some));
	assert_err(finish(office), ERR_WRONG_STATE);
	for (uint64_t id = some - 19; id <= some; id++) {
		const struct record_row row = office_record(office, id);

		assert_ok(record_get_number(&office->records, &row, number));
	}
}

/* ---- export ------------------------------------------------------------------------------------
 */

static void test_rights_that_change_end_an_export(void **state)
{
	struct office *office = *state;
	const struct grants_hand hand = { 99, 1 };
	const struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
				       .subject = SUZUKI.account,
				       .object_kind = GRANT_CLIENT,
				       .object = 1,
				       .rights = { .level = GRANT_VIEW } };

	for (int i = 0; i < 10; i++)
		office_add(office, KIND_PAYEE, 1, 0, "x", "", NULL);
	office->starts = true;
	office_ask(office, SATO, OP_export_count, "{\"purpose\":1}");
	office->starts = false;
	office->waited = office->request;
	office->between = true;
	go_on(office, 3);
	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &hand));
	assert_ok(records_commit(&office->records, 0));
	assert_err(finish(office), ERR_WRONG_STATE);
	assert_ok(office_ask(office, SATO, OP_export_count, "{\"purpose\":1}"));
	assert_int_equal(office_number(office, "rows"), 11);
}

/* ---- another root key --------------------------------------------------------------------------
 */

static void another_root(struct office *office, int64_t generation)
{
	struct keyring *keyring = &office->records.keyring;
	struct secret *fresh = NULL;

	assert_ok(secret_random(32, &fresh));
	assert_ok(keyring_prepare(keyring, office->folder, office->root, generation, fresh,
				  generation + 1));
	assert_ok(keyring_take_root(keyring, fresh, generation + 1));
	secret_free(office->root);
	office->root = fresh;
}

/* While something is under way: one after every few slices. */
static void change_root(struct office *office, int64_t *generation)
{
	while (office->desk.jobs.first) {
		go_on(office, 5);
		another_root(office, (*generation)++);
	}
	assert_ok(finish(office));
}

/* Every record but that one, also after the next start. */
static void check_readable(struct office *office, int64_t generation, uint64_t count, uint64_t but)
{
	for (int again = 0; again < 2; again++) {
		assert_int_equal(index_count(office->records.index), count);
		for (uint64_t id = 1; id <= count; id++) {
			_cleanup_content_ struct content content = { 0 };
			struct record_row row = office_record(office, id);

			if (id != but)
				assert_ok(record_get_content(&office->records, &row, 0, &content));
		}
		records_seal(&office->records);
		assert_ok(records_open(&office->records, office->root, generation));
		assert_ok(records_floor(&office->records, office->counter, NULL, 0, true));
	}
	assert_int_equal(office->notices, 0);
}

static void test_a_new_root_key_during_an_import(void **state)
{
	struct office *office = *state;
	int64_t generation = 1;

	apply(office, bring(office));
	change_root(office, &generation);
	assert_true(generation > 5);
	check_readable(office, generation, 1 + ROWS, 0);
}

static void test_a_new_root_key_during_a_disposal(void **state)
{
	struct office *office = *state;
	int64_t generation = 1;
	uint64_t some = 0;

	for (int i = 0; i < 20; i++)
		some = office_active(office);
	office_end(office, some);
	dispose(office, some);
	change_root(office, &generation);
	assert_true(generation > 2);
	assert_int_equal(office_record(office, some).state, STATE_DISPOSED);
	check_readable(office, generation, some, some);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_others_are_answered_and_see_nothing_of_it,
						start, stop),
		cmocka_unit_test_setup_teardown(test_the_order_of_lists, start, stop),
		cmocka_unit_test_setup_teardown(test_what_others_change_counts, start, stop),
		cmocka_unit_test_setup_teardown(test_a_number_that_others_enter_meanwhile, start,
						stop),
		cmocka_unit_test_setup_teardown(test_an_employee_ends_meanwhile, start, stop),
		cmocka_unit_test_setup_teardown(test_changes_wait_for_the_last_check, start, stop),
		cmocka_unit_test_setup_teardown(test_taken_back_by_who_approved, start, stop),
		cmocka_unit_test_setup_teardown(test_taken_back_by_who_brought_it, start, stop),
		cmocka_unit_test_setup_teardown(test_sealed_in_the_midst, start, stop),
		cmocka_unit_test_setup_teardown(test_disposed_of_again_beside_what_is_half_entered,
						start, stop),
		cmocka_unit_test_setup_teardown(test_more_than_one, start, stop),
		cmocka_unit_test_setup_teardown(test_no_more_turns_than_others, start, stop),
		cmocka_unit_test_setup_teardown(test_nobody_takes_every_place, start, stop),
		cmocka_unit_test_setup_teardown(test_a_key_that_many_have, start, stop),
		cmocka_unit_test_setup_teardown(test_not_to_be_disposed_of_any_more, start, stop),
		cmocka_unit_test_setup_teardown(test_rights_that_change_end_an_export, start, stop),
		cmocka_unit_test_setup_teardown(test_a_new_root_key_during_an_import, start, stop),
		cmocka_unit_test_setup_teardown(test_a_new_root_key_during_a_disposal, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
