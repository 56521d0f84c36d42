#include "unit/vault/records_office.h"

#include "vault/grants.h"
#include "vault/grants_change.h"

/* Sato has no rights, but for editing one client. Tanaka manages. */
#define SATO_GLASS   ((struct desk_person){ 1, DUTY_USE | DUTY_GLASS })
#define TANAKA_GLASS ((struct desk_person){ 3, DUTY_MANAGE | DUTY_GLASS })

struct scene {
	struct office *office;
	int mine, other;
};

static int setup(void **state)
{
	const struct grants_hand hand = { 99, 1800000000 };
	struct grant_row row = { .subject_kind = GRANT_ACCOUNT,
				 .subject = 1,
				 .object_kind = GRANT_RECORD,
				 .rights = { .level = GRANT_EXPORT } };
	struct scene *scene = calloc(1, sizeof(*scene));
	struct office *office = scene->office = office_of_records();
	uint64_t client = office_add(office, KIND_CLIENT, 0, 0, "あおば商事", "アオバ", NULL).id;

	scene->mine = (int)office_add(office, KIND_EMPLOYEE, client, 0, "山田 花子", "ヤマダ",
				      OFFICE_PERSONAL)
			      .id;
	scene->other = (int)office_add(office, KIND_EMPLOYEE, client, 0, "山本 一郎", "ヤマモト",
				       OFFICE_OTHER)
			       .id;
	row.object = (uint64_t)scene->mine;
	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &hand));
	assert_ok(records_commit(&office->records, 0));
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	office_free(scene->office);
	free(scene);
	return 0;
}

static void everything_is_seen_while_it_is_said(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	assert_ok(office_ask(office, SATO, OP_record_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_err(office_ask(office, SATO, OP_record_show, "{\"record\":%d}", scene->other),
		   ERR_NOT_FOUND);
	assert_ok(office_ask(office, SATO_GLASS, OP_record_list, "{}"));
	assert_int_equal(office_rows(office), 3);
	assert_ok(office_ask(office, SATO_GLASS, OP_record_show, "{\"record\":%d}", scene->other));
	assert_true(json_is_true(json_object_get(office->answer, "glass")));
	assert_ok(
		office_ask(office, SATO_GLASS, OP_record_history, "{\"record\":%d}", scene->other));
	/* The next order without it is as before it. */
	assert_ok(office_ask(office, SATO, OP_record_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_ok(office_ask(office, SATO, OP_record_show, "{\"record\":%d}", scene->mine));
	assert_true(json_is_false(json_object_get(office->answer, "glass")));
}

static void numbers_stay_behind_their_purpose(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	assert_err(office_ask(office, SATO, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			      scene->mine),
		   ERR_DENIED);
	assert_err(office_ask(office, SATO_GLASS, OP_record_reveal, "{\"record\":%d,\"purpose\":7}",
			      scene->other),
		   ERR_INVALID);
	assert_ok(office_ask(office, SATO_GLASS, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			     scene->other));
	/* Whoever manages reveals nothing but so. */
	assert_err(office_ask(office, TANAKA, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			      scene->other),
		   ERR_DENIED);
	assert_ok(office_ask(office, TANAKA_GLASS, OP_record_reveal,
			     "{\"record\":%d,\"purpose\":1}", scene->other));
}

/* What is no looking is answered as if there were none of it, also where somebody has rights. */
static void it_is_for_looking_alone(void **state)
{
	static const struct desk_person auditor = { 5, DUTY_AUDIT | DUTY_GLASS };
	struct scene *scene = *state;
	struct office *office = scene->office;

	assert_err(office_ask(office, SATO_GLASS, OP_record_change,
			      "{\"record\":%d,\"name\":\"x\",\"kana\":\"\",\"fields\":{}}",
			      scene->other),
		   ERR_NOT_FOUND);
	assert_err(
		office_ask(office, SATO_GLASS, OP_record_remove, "{\"record\":%d}", scene->other),
		ERR_NOT_FOUND);
	assert_err(office_ask(office, SATO_GLASS, OP_request_approve, "{\"requests\":[1]}"),
		   ERR_DENIED);
	/* He may export the one, but not its number. */
	assert_ok(office_ask(office, SATO_GLASS, OP_export_count,
			     "{\"numbers\":true,\"purpose\":1}"));
	assert_int_equal(office_number(office, "rows"), 1);
	assert_int_equal(office_number(office, "numbers"), 0);
	assert_err(office_ask(office, auditor, OP_record_list, "{}"), ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_is_seen_while_it_is_said, setup,
						teardown),
		cmocka_unit_test_setup_teardown(numbers_stay_behind_their_purpose, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_for_looking_alone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
