#include "unit/vault/records_office.h"

#include "base/clock.h"
#include "vault/grants.h"
#include "vault/grants_change.h"

/* Sato may edit client A's records and see numbers there, Suzuki sees one person of it. */
struct scene {
	struct office *office;
	uint64_t a, b, hanako, child, ichiro;
};

static void give(struct office *office, struct desk_person who, int object_kind, uint64_t object,
		 uint8_t level, bool number)
{
	const struct grants_hand hand = { 99, 1800000000 };
	const struct grant_row row = { GRANT_ACCOUNT,
				       (uint8_t)object_kind,
				       who.account,
				       object,
				       { level, number, DOCUMENT_NO_ROLE } };

	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, &row, &hand));
	assert_ok(records_commit(&office->records, 0));
}

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct office *office = scene->office = office_of_records();

	scene->a = office_add(office, KIND_CLIENT, 0, 0, "あおば商事", "アオバショウジ",
			      OFFICE_CORPORATE)
			   .id;
	scene->b =
		office_add(office, KIND_CLIENT, 0, 0, "いろは工務店", "イロハコウムテン", NULL).id;
	scene->hanako = office_add(office, KIND_EMPLOYEE, scene->a, 0, "山田 花子", "ヤマダ ハナコ",
				   OFFICE_PERSONAL)
				.id;
	scene->child = office_add(office, KIND_DEPENDANT, scene->a, scene->hanako, "山田 次郎",
				  "ヤマダ ジロウ", OFFICE_OTHER)
			       .id;
	scene->ichiro = office_add(office, KIND_EMPLOYEE, scene->b, 0, "山本 一郎",
				   "ヤマモト イチロウ", OFFICE_PERSONAL)
				.id;
	give(office, SATO, GRANT_CLIENT, scene->a, GRANT_EDIT, true);
	give(office, SUZUKI, GRANT_RECORD, scene->child, GRANT_VIEW, false);
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

static void expect_rows(struct office *office, size_t count)
{
	assert_ok(office->err);
	assert_int_equal(office_rows(office), count);
	assert_int_equal(office_number(office, "total"), count);
	assert_int_equal(office_number(office, "next"), 0);
}

static const char *text_of(const struct office *office, const char *name)
{
	return json_string_value(json_object_get(office->answer, name));
}

/* ---- lists -------------------------------------------------------------------------------------
 */

static void lists_have_what_one_may_see(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	assert_ok(office_ask(office, SATO, OP_client_list, "{}"));
	expect_rows(office, 1);
	assert_int_equal(office_row_number(office, 0, "id"), scene->a);
	assert_ok(office_ask(office, TANAKA, OP_client_list, "{}"));
	expect_rows(office, 2);
	assert_string_equal(office_row_text(office, 0, "name"), "あおば商事");
	assert_true(office_row_flag(office, 0, "has_number"));
	/* Suzuki sees a person, but not whose employee it is nor of which client. */
	assert_ok(office_ask(office, SUZUKI, OP_client_list, "{}"));
	expect_rows(office, 0);
	assert_ok(office_ask(office, SUZUKI, OP_record_list, "{}"));
	expect_rows(office, 1);
	assert_string_equal(office_row_text(office, 0, "client_name"), "");
	assert_ok(office_ask(office, SUZUKI, OP_record_show, "{\"record\":%d}", (int)scene->child));
	assert_string_equal(text_of(office, "parent_name"), "");
	assert_string_equal(text_of(office, "client_name"), "");
	/* A client's list is of its people. */
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":%d}", (int)scene->a));
	expect_rows(office, 2);
	assert_string_equal(office_row_text(office, 0, "client_name"), "あおば商事");
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":%d}", (int)scene->b));
	expect_rows(office, 0);
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"parent\":%d}", (int)scene->hanako));
	expect_rows(office, 1);
	assert_int_equal(office_row_number(office, 0, "parent"), scene->hanako);
	/* Nobody without a grant, and no auditor. */
	assert_ok(office_ask(office, (struct desk_person){ 9, DUTY_USE }, OP_record_list, "{}"));
	expect_rows(office, 0);
	assert_err(office_ask(office, (struct desk_person){ 9, DUTY_AUDIT }, OP_record_list, "{}"),
		   ERR_DENIED);
}

static void names_are_looked_for(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	assert_ok(office_ask(office, TANAKA, OP_record_list, "{\"text\":\"やま\"}"));
	expect_rows(office, 3);
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"text\":\"やま\"}"));
	expect_rows(office, 2);
	assert_ok(office_ask(office, TANAKA, OP_record_list, "{\"text\":\"やま\",\"kind\":3}"));
	expect_rows(office, 1);
	assert_ok(office_ask(office, TANAKA, OP_record_list, "{\"text\":\"やま\",\"state\":4}"));
	expect_rows(office, 0);
	assert_ok(office_ask(office, TANAKA, OP_record_list, "{\"text\":\"山口\"}"));
	expect_rows(office, 0);
	assert_err(office_ask(office, TANAKA, OP_record_list, "{\"kind\":5}"), ERR_INVALID);
	assert_err(office_ask(office, TANAKA, OP_record_list, "{\"state\":7}"), ERR_INVALID);
	assert_err(office_ask(office, TANAKA, OP_record_list, "{\"name\":\"x\"}"), ERR_INVALID);
}

/* To find a number is to know whose it is. */
static void a_number_is_found_by_whom_it_may_be_shown_to(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	/* Only so, and the log hears of whom before anybody else does. */
	assert_err(office_ask(office, SATO, OP_record_list, "{\"number\":\"1234-5678-9018\"}"),
		   ERR_INVALID);
	assert_err(office_ask(office, SATO, OP_record_find, "{}"), ERR_INVALID);
	assert_ok(office_ask(office, SATO, OP_record_find, "{\"number\":\"1234-5678-9018\"}"));
	assert_true(office->held);
	char *detail = json_dumps(office->detail, JSON_COMPACT);
	assert_string_equal(detail, "{\"found\":1,\"records\":[3]}");
	secret_malloc_free(detail);
	expect_rows(office, 1);
	assert_int_equal(office_row_number(office, 0, "id"), scene->hanako);
	assert_ok(office_ask(office, SUZUKI, OP_record_find, "{\"number\":\"" OFFICE_OTHER "\"}"));
	expect_rows(office, 0);
	assert_ok(
		office_ask(office, TANAKA, OP_record_find, "{\"number\":\"" OFFICE_PERSONAL "\"}"));
	expect_rows(office, 0);
	assert_err(office_ask(office, SATO, OP_record_find, "{\"number\":\"123456789012\"}"),
		   ERR_INVALID);
	assert_string_equal(office->field, "number");
	/* A hash that was put elsewhere finds nothing, and is named. */
	assert_ok(db_exec(office->records.db,
			  "UPDATE record_number SET found = (SELECT found FROM record_number AS"
			  " other WHERE record = 3) WHERE record = 4"));
	office->notices = 0;
	assert_ok(office_ask(office, SATO, OP_record_find, "{\"number\":\"" OFFICE_PERSONAL "\"}"));
	expect_rows(office, 1);
	assert_int_equal(office->notices, 2); /* it was looked for twice */
}

static void long_lists_come_in_pages(void **state)
{
	enum { MANY = 250 };
	struct scene *scene = *state;
	struct office *office = scene->office;
	size_t seen = 0;
	int64_t next = 0, total = 0;
	char name[64], before[64] = "";

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "従業員%03d", (i * 37) % MANY);
		office_add(office, KIND_EMPLOYEE, i % 2 ? scene->a : scene->b, 0, name, "", NULL);
	}
	do {
		assert_ok(office_ask(office, SATO, OP_record_list,
				     next ? "{\"client\":%d,\"text\":\"従業員\",\"after\":%d}"
					  : "{\"client\":%d,\"text\":\"従業員\"}",
				     (int)scene->a, (int)next));
		for (size_t i = 0; i < office_rows(office); i++) {
			assert_true(strcmp(before, office_row_text(office, i, "name")) < 0);
			snprintf(before, sizeof(before), "%s", office_row_text(office, i, "name"));
		}
		seen += office_rows(office);
		total = office_number(office, "total");
		next = office_number(office, "next");
	} while (next);
	assert_int_equal(seen, MANY / 2);
	assert_int_equal(total, MANY / 2);
	/* Where somebody is in the order whom one may not see is not told. */
	assert_err(office_ask(office, SATO, OP_record_list, "{\"after\":%d}", (int)scene->ichiro),
		   ERR_INVALID);
	assert_err(office_ask(office, SATO, OP_record_list, "{\"after\":100000}"), ERR_INVALID);
}

/* ---- one record --------------------------------------------------------------------------------
 */

static void a_record_is_shown_with_its_mask(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	assert_ok(office_ask(office, SATO, OP_record_show, "{\"record\":%d}", (int)scene->child));
	assert_true(office->held);
	assert_int_equal(office->held_record, scene->child);
	assert_int_equal(office->held_client, scene->a);
	assert_string_equal(text_of(office, "name"), "山田 次郎");
	assert_string_equal(text_of(office, "kana"), "ヤマダ ジロウ");
	assert_string_equal(text_of(office, "parent_name"), "山田 花子");
	assert_string_equal(text_of(office, "client_name"), "あおば商事");
	assert_string_equal(text_of(office, "due"), "");
	assert_true(json_is_true(json_object_get(office->answer, "has_number")));
	assert_int_equal(json_array_size(json_object_get(office->answer, "purposes")), 2);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(office->answer, "rights"), "level")),
			 GRANT_EDIT);
	char *text = json_dumps(office->answer, 0);
	assert_null(strstr(text, OFFICE_OTHER));
	secret_malloc_free(text);
	/* What one may not see is not there. */
	assert_err(office_ask(office, SATO, OP_record_show, "{\"record\":%d}", (int)scene->ichiro),
		   ERR_NOT_FOUND);
	assert_err(office_ask(office, SATO, OP_record_show, "{\"record\":99999}"), ERR_NOT_FOUND);
	assert_ok(
		office_ask(office, TANAKA, OP_record_show, "{\"record\":%d}", (int)scene->ichiro));
}

static void a_change_makes_a_version(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	assert_err(office_ask(office, SUZUKI, OP_record_change, "{\"record\":%d,\"name\":\"x\"}",
			      (int)scene->child),
		   ERR_DENIED);
	assert_err(office_ask(office, TANAKA, OP_record_change, "{\"record\":%d,\"name\":\"x\"}",
			      (int)scene->child),
		   ERR_DENIED);
	assert_err(office_ask(office, SATO, OP_record_change, "{\"record\":%d,\"name\":\" \"}",
			      (int)scene->child),
		   ERR_INVALID);
	assert_err(office_ask(office, SATO, OP_record_change,
			      "{\"record\":%d,\"name\":\"x\",\"fields\":{\"other\":\"y\"}}",
			      (int)scene->child),
		   ERR_INVALID);
	assert_string_equal(office->field, "fields");
	assert_ok(office_ask(office, SATO, OP_record_change,
			     "{\"record\":%d,\"name\":\"田中 次郎\",\"kana\":\"タナカ ジロウ\"}",
			     (int)scene->child));
	assert_int_equal(office_number(office, "version"), 2);
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"text\":\"田中\"}"));
	expect_rows(office, 1);
	assert_ok(
		office_ask(office, SATO, OP_record_versions, "{\"record\":%d}", (int)scene->child));
	assert_int_equal(office_rows(office), 2);
	assert_int_equal(office_row_number(office, 0, "version"), 2);
	assert_int_equal(office_row_number(office, 0, "made_by"), SATO.account);
	assert_ok(office_ask(office, SATO, OP_record_version, "{\"record\":%d,\"version\":1}",
			     (int)scene->child));
	assert_true(office->held);
	assert_string_equal(text_of(office, "name"), "山田 次郎");
	assert_err(office_ask(office, SATO, OP_record_version, "{\"record\":%d,\"version\":3}",
			      (int)scene->child),
		   ERR_NOT_FOUND);
	assert_err(office_ask(office, SUZUKI, OP_record_version, "{\"record\":%d,\"version\":1}",
			      (int)scene->hanako),
		   ERR_NOT_FOUND);
	assert_err(office_ask(office, SUZUKI, OP_record_versions, "{\"record\":%d}",
			      (int)scene->hanako),
		   ERR_NOT_FOUND);
}

static void set_state(struct office *office, uint64_t id, int64_t state)
{
	struct record_row row;

	assert_ok(records_row(&office->records, id, &row));
	row.state = state;
	assert_ok(records_begin(&office->records));
	assert_ok(records_set_row(&office->records, &row));
	assert_ok(records_commit(&office->records, 0));
}

static void what_waits_or_has_ended_is_not_changed(void **state)
{
	static const struct {
		int64_t state;
		enum err err;
	} cases[] = { { STATE_REQUESTED, OK },
		      { STATE_WAITING, ERR_WRONG_STATE },
		      { STATE_ACTIVE, OK },
		      { STATE_ENDED, ERR_WRONG_STATE },
		      { STATE_REFUSED, ERR_WRONG_STATE } };
	struct scene *scene = *state;
	struct office *office = scene->office;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_state(office, scene->child, cases[i].state);
		assert_err(office_ask(office, SATO, OP_record_change,
				      "{\"record\":%d,\"name\":\"x\"}", (int)scene->child),
			   cases[i].err);
	}
}

static void the_bin(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	/* Those who belong to it would be found no more. */
	assert_err(
		office_ask(office, SATO, OP_record_remove, "{\"record\":%d}", (int)scene->hanako),
		ERR_WRONG_STATE);
	assert_string_equal(office->field, "others");
	assert_err(office_ask(office, SATO, OP_record_remove, "{\"record\":%d}", (int)scene->a),
		   ERR_WRONG_STATE);
	assert_err(
		office_ask(office, SUZUKI, OP_record_remove, "{\"record\":%d}", (int)scene->child),
		ERR_DENIED);
	assert_err(
		office_ask(office, SATO, OP_record_restore, "{\"record\":%d}", (int)scene->child),
		ERR_WRONG_STATE);
	assert_ok(office_ask(office, SATO, OP_record_remove, "{\"record\":%d}", (int)scene->child));
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":%d}", (int)scene->a));
	expect_rows(office, 1);
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"text\":\"次郎\",\"state\":3}"));
	expect_rows(office, 0);
	/* It is found in the bin, by those who may see it. */
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"removed\":true}"));
	expect_rows(office, 1);
	assert_err(office_ask(office, SATO, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			      (int)scene->child),
		   ERR_WRONG_STATE);
	assert_err(office_ask(office, SATO, OP_record_change, "{\"record\":%d,\"name\":\"x\"}",
			      (int)scene->child),
		   ERR_WRONG_STATE);
	assert_ok(office_ask(office, SATO, OP_record_show, "{\"record\":%d}", (int)scene->child));
	assert_true(json_is_true(json_object_get(office->answer, "removed")));
	/* Now nobody belongs to her any more who is listed. */
	assert_ok(
		office_ask(office, SATO, OP_record_remove, "{\"record\":%d}", (int)scene->hanako));
	assert_ok(
		office_ask(office, SATO, OP_record_restore, "{\"record\":%d}", (int)scene->hanako));
	assert_ok(
		office_ask(office, SATO, OP_record_restore, "{\"record\":%d}", (int)scene->child));
	assert_ok(office_ask(office, SATO, OP_record_list, "{\"client\":%d}", (int)scene->a));
	expect_rows(office, 2);
}

/* ---- the number --------------------------------------------------------------------------------
 */

static void a_number_is_shown_for_its_purpose(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;
	const int hanako = (int)scene->hanako;

	assert_ok(office_ask(office, SATO, OP_record_reveal, "{\"record\":%d,\"purpose\":2}",
			     hanako));
	assert_true(office->held);
	assert_int_equal(office->held_record, scene->hanako);
	assert_int_equal(json_integer_value(json_object_get(office->detail, "purpose")), 2);
	assert_string_equal(json_string_value(json_object_get(office->detail, "purpose_name")),
			    "社会保険");
	assert_string_equal(text_of(office, "number"), OFFICE_PERSONAL);
	assert_in_range(office_number(office, "until") - clock_wall_s(), 30, 60);
	assert_err(
		office_ask(office, SATO, OP_record_reveal, "{\"record\":%d,\"purpose\":3}", hanako),
		ERR_INVALID);
	assert_string_equal(office->field, "purpose");
	assert_err(office_ask(office, SATO, OP_record_reveal, "{\"record\":%d}", hanako),
		   ERR_INVALID);
	/* Without the right; without the record; managers never. */
	assert_err(office_ask(office, SUZUKI, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			      (int)scene->child),
		   ERR_DENIED);
	assert_false(office->held);
	assert_err(office_ask(office, SUZUKI, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			      hanako),
		   ERR_NOT_FOUND);
	assert_err(office_ask(office, TANAKA, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			      hanako),
		   ERR_DENIED);
	give(office, SATO, GRANT_RECORD, scene->hanako, GRANT_PERMISSIONS, false);
	assert_err(
		office_ask(office, SATO, OP_record_reveal, "{\"record\":%d,\"purpose\":1}", hanako),
		ERR_DENIED);
}

static void a_number_is_shown_while_it_is_in_use(void **state)
{
	static const struct {
		int64_t state;
		enum err err;
	} cases[] = { { STATE_REQUESTED, ERR_WRONG_STATE },
		      { STATE_WAITING, ERR_WRONG_STATE },
		      { STATE_ACTIVE, OK },
		      { STATE_ENDED, OK },
		      { STATE_REFUSED, ERR_WRONG_STATE } };
	struct scene *scene = *state;
	struct office *office = scene->office;
	const struct record_row none =
		office_add(office, KIND_PAYEE, scene->a, 0, "支払先", "", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_state(office, scene->hanako, cases[i].state);
		assert_err(office_ask(office, SATO, OP_record_reveal,
				      "{\"record\":%d,\"purpose\":1}", (int)scene->hanako),
			   cases[i].err);
	}
	assert_err(office_ask(office, SATO, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			      (int)none.id),
		   ERR_NOT_FOUND);
	assert_string_equal(office->field, "number");
}

static void what_is_damaged_is_said(void **state)
{
	struct scene *scene = *state;
	struct office *office = scene->office;

	assert_ok(db_exec(office->records.db,
			  "UPDATE record_version SET sealed = zeroblob(64) WHERE record = 4;"
			  "UPDATE record_number SET sealed = zeroblob(40) WHERE record = 4"));
	assert_err(office_ask(office, SATO, OP_record_show, "{\"record\":%d}", (int)scene->child),
		   ERR_INVALID);
	assert_string_equal(office->field, "damaged");
	assert_err(office_ask(office, SATO, OP_record_reveal, "{\"record\":%d,\"purpose\":1}",
			      (int)scene->child),
		   ERR_INVALID);
	assert_string_equal(office->field, "damaged");
	assert_string_equal(office->notice, "vault-damaged");
	/* It can be entered anew. */
	assert_ok(office_ask(office, SATO, OP_record_change,
			     "{\"record\":%d,\"name\":\"山田 次郎\"}", (int)scene->child));
	assert_ok(office_ask(office, SATO, OP_record_show, "{\"record\":%d}", (int)scene->child));
}

int main(void)
{
#define scene_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		scene_test(lists_have_what_one_may_see),
		scene_test(names_are_looked_for),
		scene_test(a_number_is_found_by_whom_it_may_be_shown_to),
		scene_test(long_lists_come_in_pages),
		scene_test(a_record_is_shown_with_its_mask),
		scene_test(a_change_makes_a_version),
		scene_test(what_waits_or_has_ended_is_not_changed),
		scene_test(the_bin),
		scene_test(a_number_is_shown_for_its_purpose),
		scene_test(a_number_is_shown_while_it_is_in_use),
		scene_test(what_is_damaged_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
