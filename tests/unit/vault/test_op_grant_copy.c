/* Copying grants: shown first, asked for by one, approved by another, and nothing but what was
 * shown. */
#include "unit/vault/grants_office.h"

#define PERSON_COPY "\"kind\":\"person\",\"from\":1,\"to\":[2]"

/* Account 1 has rights to client 1 and to everything, and is in a group. */
static int start(void **state)
{
	struct office *office = office_of_grants();

	assert_ok(records_begin(&office->records));
	assert_int_equal(office_record(office, KIND_CLIENT, 0, 0), 1);
	assert_int_equal(office_record(office, KIND_EMPLOYEE, 1, 0), 2);
	assert_int_equal(office_record(office, KIND_EMPLOYEE, 1, 0), 3);
	assert_ok(records_commit(&office->records, 0));
	office_give(office, &(struct grant_row){
				    GRANT_ACCOUNT, GRANT_CLIENT, 1, 1, { GRANT_EDIT, true, 2 } });
	office_give(office,
		    &(struct grant_row){
			    GRANT_ACCOUNT, GRANT_EVERYTHING, 1, 0, { GRANT_VIEW, false, 0 } });
	assert_ok(office_ask(office, TANAKA, OP_group_add, "{\"kind\":\"people\",\"name\":\"P\"}"));
	assert_ok(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"add\":[1]}"));
	*state = office;
	return 0;
}

static int stop(void **state)
{
	office_free(*state);
	return 0;
}

static void preview(struct office *office, const char *copy, char digest[65])
{
	assert_ok(office_ask(office, TANAKA, OP_grant_copy_preview, "{%s}", copy));
	assert_false(office->held);
	snprintf(digest, 65, "%s", json_string_value(json_object_get(office->answer, "digest")));
	assert_int_equal(strlen(digest), 64);
}

static int64_t ask(struct office *office, const char *copy)
{
	char digest[65];

	preview(office, copy, digest);
	assert_ok(office_ask(office, TANAKA, OP_grant_copy_ask, "{%s,\"digest\":\"%s\"}", copy,
			     digest));
	assert_true(office->held);
	return office_number(office, "copy");
}

static enum err apply(struct office *office, struct desk_person who, int64_t copy)
{
	return office_ask(office, who, OP_grant_copy_apply, "{\"copy\":%d}", (int)copy);
}

static uint8_t level(struct office *office, struct desk_person who, uint64_t record)
{
	struct grant_rights rights = { 0 };

	assert_ok(grants_of(&office->records, &who, record, &rights));
	return rights.level;
}

static void what_was_shown_happens_when_another_approves(void **state)
{
	struct office *office = *state;
	int64_t copy;

	assert_ok(office_ask(office, TANAKA, OP_grant_copy_preview,
			     "{" PERSON_COPY ",\"groups\":true}"));
	assert_int_equal(office_rows(office), 3);
	assert_int_equal(office_number(office, "added"), 3);
	assert_int_equal(office_number(office, "next"), 0);
	assert_int_equal(office_row_number(office, 0, "group"), 1);
	assert_string_equal(office_row_text(office, 0, "group_name"), "P");
	assert_false(office_row_flag(office, 1, "had"));
	assert_int_equal(office_row_number(office, 1, "client"), 1);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(office_row(office, 1), "after"), "level")),
			 GRANT_EDIT);
	copy = ask(office, PERSON_COPY ",\"groups\":true");
	assert_int_equal(level(office, SUZUKI, 2), GRANT_NONE);
	assert_ok(office_ask(office, KATO, OP_grant_copy_list, "{}"));
	assert_int_equal(office_rows(office), 1);
	assert_int_equal(office_row_number(office, 0, "asked_by"), 3);
	assert_false(office_row_flag(office, 0, "mine"));
	assert_ok(office_ask(office, KATO, OP_grant_copy_show, "{\"copy\":%d}", (int)copy));
	assert_int_equal(office_rows(office), 3);
	assert_true(json_is_true(json_object_get(office->answer, "same")));
	/* Not he who asked. */
	assert_err(apply(office, TANAKA, copy), ERR_DENIED);
	assert_string_equal(office->field, "self");
	office_reopen(office); /* and what waits is still there */
	assert_ok(apply(office, KATO, copy));
	assert_true(office->held);
	assert_int_equal(json_integer_value(json_object_get(office->detail, "added")), 3);
	assert_int_equal(level(office, SUZUKI, 2), GRANT_EDIT);
	assert_ok(office_ask(office, TANAKA, OP_group_members, "{\"group\":1}"));
	assert_int_equal(office_rows(office), 2);
	assert_err(apply(office, KATO, copy), ERR_NOT_FOUND);
	office_reopen(office);
}

static void nothing_else_happens(void **state)
{
	static const char *const changes[] = {
		/* of the source, and of the target */
		"{\"account\":1,\"record\":2,\"level\":1}",
		"{\"account\":1,\"client\":1,\"level\":1}",
		"{\"account\":1,\"client\":1,\"take\":true}",
		"{\"account\":2,\"client\":1,\"level\":1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct office *office = *state;
		char digest[65];
		int64_t copy = ask(office, PERSON_COPY);

		preview(office, PERSON_COPY, digest);
		assert_ok(office_ask(office, TANAKA, OP_grant_set, "%s", changes[i]));
		uint8_t before = level(office, SUZUKI, 2);
		assert_err(apply(office, KATO, copy), ERR_WRONG_STATE);
		assert_string_equal(office->field, "digest");
		assert_int_equal(level(office, SUZUKI, 2), before);
		assert_err(office_ask(office, TANAKA, OP_grant_copy_ask,
				      "{" PERSON_COPY ",\"digest\":\"%s\"}", digest),
			   ERR_WRONG_STATE);
		assert_ok(office_ask(office, KATO, OP_grant_copy_show, "{\"copy\":%d}", (int)copy));
		assert_true(json_is_false(json_object_get(office->answer, "same")));
		stop(state);
		start(state);
	}
}

static void nobody_approves_what_changes_his_own_rights(void **state)
{
	struct office *office = *state;
	int64_t copy = ask(office, "\"kind\":\"person\",\"from\":1,\"to\":[4]");

	assert_err(apply(office, KATO, copy), ERR_DENIED);
	assert_string_equal(office->field, "self");
	/* By a group that he is in, or comes into. */
	assert_ok(office_ask(office, TANAKA, OP_grant_set,
			     "{\"people\":1,\"record\":2,\"level\":3}"));
	assert_ok(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"add\":[4]}"));
	copy = ask(office, "\"kind\":\"record\",\"from\":2,\"to\":[3]");
	assert_err(apply(office, KATO, copy), ERR_DENIED);
	assert_ok(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"take\":[4]}"));
	assert_ok(apply(office, KATO, copy));
	copy = ask(office, "\"kind\":\"person\",\"from\":1,\"to\":[4],\"groups\":true");
	assert_err(apply(office, KATO, copy), ERR_DENIED);
	/* A third may. */
	assert_ok(apply(office, (struct desk_person){ 5, DUTY_MANAGE }, copy));
	assert_int_equal(level(office, KATO, 2), GRANT_EXPORT); /* by the group, nearer */
}

static void it_is_taken_back_or_refused(void **state)
{
	struct office *office = *state;
	int64_t copy = ask(office, PERSON_COPY);

	assert_ok(office_ask(office, TANAKA, OP_grant_copy_drop, "{\"copy\":%d}", (int)copy));
	assert_err(apply(office, KATO, copy), ERR_NOT_FOUND);
	copy = ask(office, PERSON_COPY);
	assert_ok(office_ask(office, KATO, OP_grant_copy_drop, "{\"copy\":%d}", (int)copy));
	assert_ok(office_ask(office, KATO, OP_grant_copy_list, "{}"));
	assert_int_equal(office_rows(office), 0);
	for (int i = 0; i < 20; i++)
		(void)ask(office, PERSON_COPY);
	char digest[65];
	preview(office, PERSON_COPY, digest);
	assert_err(office_ask(office, TANAKA, OP_grant_copy_ask,
			      "{" PERSON_COPY ",\"digest\":\"%s\"}", digest),
		   ERR_FULL);
}

static void what_waits_cannot_be_exchanged(void **state)
{
	struct office *office = *state;
	int64_t copy = ask(office, PERSON_COPY);

	assert_ok(db_exec(office->records.db, "UPDATE grant_copy SET asked_by = 9"));
	assert_err(apply(office, TANAKA, copy), ERR_INVALID);
}

static void refuses_what_makes_no_sense(void **state)
{
	static const char *const wrong[] = {
		"{\"kind\":\"person\",\"from\":1,\"to\":[1]}",
		"{\"kind\":\"person\",\"from\":1,\"to\":[]}",
		"{\"kind\":\"person\",\"from\":1,\"to\":[2,2]}",
		"{\"kind\":\"people\",\"from\":1,\"to\":[2]}",
		"{\"kind\":\"record\",\"from\":2,\"to\":[3],\"groups\":true}",
		"{\"kind\":\"client\",\"from\":1,\"to\":[2]}",
		"{\"kind\":\"person\",\"from\":1,\"to\":[2],\"after\":10001}",
		"{\"kind\":\"person\",\"from\":1,\"to\":[2],\"x\":1}",
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(office_ask(office, TANAKA, OP_grant_copy_preview, "%s", wrong[i]),
			   ERR_INVALID);
	assert_err(office_ask(office, TANAKA, OP_grant_copy_preview,
			      "{\"kind\":\"record\",\"from\":2,\"to\":[99]}"),
		   ERR_NOT_FOUND);
	assert_err(office_ask(office, TANAKA, OP_grant_copy_ask,
			      "{" PERSON_COPY ",\"digest\":\"00\"}"),
		   ERR_INVALID);
	assert_err(office_ask(office, SATO, OP_grant_copy_preview, "{" PERSON_COPY "}"),
		   ERR_DENIED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(what_was_shown_happens_when_another_approves),
		TEST(nothing_else_happens),
		TEST(nobody_approves_what_changes_his_own_rights),
		TEST(it_is_taken_back_or_refused),
		TEST(what_waits_cannot_be_exchanged),
		TEST(refuses_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
