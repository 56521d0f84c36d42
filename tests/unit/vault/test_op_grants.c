/* What may be asked about grants and groups, and who may change them. */
#include "unit/vault/grants_office.h"

/* Client 1 with its employee 2, her dependant 3 and employee 4; client 5 with employee 6. */
static int start(void **state)
{
	struct office *office = office_of_grants();

	assert_ok(records_begin(&office->records));
	assert_int_equal(office_record(office, KIND_CLIENT, 0, 0), 1);
	assert_int_equal(office_record(office, KIND_EMPLOYEE, 1, 0), 2);
	assert_int_equal(office_record(office, KIND_DEPENDANT, 1, 2), 3);
	assert_int_equal(office_record(office, KIND_EMPLOYEE, 1, 0), 4);
	assert_int_equal(office_record(office, KIND_CLIENT, 0, 0), 5);
	assert_int_equal(office_record(office, KIND_EMPLOYEE, 5, 0), 6);
	assert_ok(records_commit(&office->records, 0));
	*state = office;
	return 0;
}

static int stop(void **state)
{
	office_free(*state);
	return 0;
}

static enum err set(struct office *office, struct desk_person who, const char *body)
{
	return office_ask(office, who, OP_grant_set, "%s", body);
}

static struct grant_rights rights_of(struct office *office, struct desk_person who, uint64_t record)
{
	struct grant_rights rights = { 0 };

	assert_ok(grants_of(&office->records, &who, record, &rights));
	return rights;
}

static const json_t *detail(const struct office *office, const char *name)
{
	return json_object_get(office->detail, name);
}

static void those_who_manage_give_and_take(void **state)
{
	struct office *office = *state;

	assert_ok(set(office, TANAKA,
		      "{\"account\":1,\"client\":1,\"level\":2,\"number\":true,\"document\":5}"));
	assert_true(office->held);
	assert_int_equal(office->held_record, 1);
	assert_int_equal(office->held_client, 1);
	assert_true(json_is_null(detail(office, "before")));
	assert_int_equal(json_integer_value(json_object_get(detail(office, "after"), "level")), 2);
	struct grant_rights rights = rights_of(office, SATO, 3);
	assert_true(grants_rights_same(&rights, &(struct grant_rights){ GRANT_EDIT, true, 5 }));
	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":2,\"preset\":4}"));
	rights = rights_of(office, SATO, 3);
	assert_true(grants_rights_same(
		&rights, &(struct grant_rights){ GRANT_EXPORT, false, DOCUMENT_EDITOR }));
	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":3,\"preset\":1,\"number\":true}"));
	rights = rights_of(office, SATO, 3);
	assert_true(grants_rights_same(&rights, &(struct grant_rights){ GRANT_VIEW, true, 0 }));
	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":3,\"take\":true}"));
	assert_true(json_is_null(detail(office, "after")));
	assert_int_equal(rights_of(office, SATO, 3).level, GRANT_EXPORT);
	assert_err(set(office, TANAKA, "{\"account\":1,\"record\":3,\"take\":true}"),
		   ERR_NOT_FOUND);
	assert_ok(set(office, TANAKA, "{\"account\":1,\"everything\":true,\"level\":1}"));
	assert_int_equal(rights_of(office, SATO, 6).level, GRANT_VIEW);
	assert_ok(set(office, TANAKA, "{\"account\":1,\"client\":5,\"level\":0}"));
	assert_int_equal(rights_of(office, SATO, 6).level, GRANT_NONE);
}

static void refuses_bodies_that_make_no_sense(void **state)
{
	static const char *const wrong[][2] = {
		{ "{\"record\":2,\"level\":1}", "account" },
		{ "{\"account\":1,\"people\":1,\"record\":2,\"level\":1}", "account" },
		{ "{\"account\":1,\"level\":1}", "record" },
		{ "{\"account\":1,\"record\":2,\"client\":1,\"level\":1}", "client" },
		{ "{\"account\":1,\"record\":2,\"everything\":true,\"level\":1}", "record" },
		{ "{\"account\":1,\"client\":2,\"level\":1}", "client" },
		{ "{\"account\":1,\"record\":2}", "level" },
		{ "{\"account\":1,\"record\":2,\"level\":5}", "level" },
		{ "{\"account\":1,\"record\":2,\"level\":0,\"number\":true}", "level" },
		{ "{\"account\":1,\"record\":2,\"level\":0,\"document\":5}", "level" },
		{ "{\"account\":1,\"record\":2,\"level\":1,\"document\":8}", "document" },
		{ "{\"account\":1,\"record\":2,\"preset\":6}", "preset" },
		{ "{\"account\":1,\"record\":2,\"preset\":1,\"level\":1}", "preset" },
		{ "{\"account\":1,\"record\":2,\"take\":true,\"level\":1}", "take" },
		{ "{\"account\":1,\"record\":2,\"level\":1,\"x\":1}", "body" },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_err(set(office, TANAKA, wrong[i][0]), ERR_INVALID);
		assert_string_equal(office->field, wrong[i][1]);
		assert_false(office->held);
	}
	assert_err(set(office, TANAKA, "{\"account\":1,\"record\":99,\"level\":1}"), ERR_NOT_FOUND);
	assert_err(set(office, TANAKA, "{\"people\":99,\"record\":2,\"level\":1}"), ERR_NOT_FOUND);
	assert_err(set(office, TANAKA, "{\"account\":1,\"clients\":99,\"level\":1}"),
		   ERR_NOT_FOUND);
}

static void nobody_gives_himself_rights(void **state)
{
	struct office *office = *state;
	uint64_t people, clients;

	assert_err(set(office, TANAKA, "{\"account\":3,\"record\":2,\"level\":1}"), ERR_DENIED);
	assert_string_equal(office->field, "self");
	/* The other one may, and then not by what he has. */
	assert_ok(set(office, KATO, "{\"account\":3,\"record\":2,\"preset\":5}"));
	assert_err(set(office, TANAKA, "{\"account\":3,\"record\":2,\"take\":true}"), ERR_DENIED);
	/* Not by a group either: neither what it may, nor who is in it. */
	assert_ok(office_ask(office, TANAKA, OP_group_add, "{\"kind\":\"people\",\"name\":\"P\"}"));
	people = (uint64_t)office_number(office, "id");
	assert_err(office_ask(office, TANAKA, OP_group_change, "{\"group\":%d,\"add\":[1,3]}",
			      (int)people),
		   ERR_DENIED);
	assert_string_equal(office->field, "self");
	assert_ok(office_ask(office, KATO, OP_group_change, "{\"group\":%d,\"add\":[1,3]}",
			     (int)people));
	assert_err(office_ask(office, TANAKA, OP_grant_set,
			      "{\"people\":%d,\"everything\":true,\"level\":4}", (int)people),
		   ERR_DENIED);
	assert_err(office_ask(office, TANAKA, OP_group_change, "{\"group\":%d,\"take\":[3]}",
			      (int)people),
		   ERR_DENIED);
	assert_err(office_ask(office, TANAKA, OP_group_drop, "{\"group\":%d}", (int)people),
		   ERR_DENIED);
	/* Nor by the clients of a group that he has rights to. */
	assert_ok(
		office_ask(office, TANAKA, OP_group_add, "{\"kind\":\"clients\",\"name\":\"C\"}"));
	clients = (uint64_t)office_number(office, "id");
	assert_ok(office_ask(office, TANAKA, OP_group_change, "{\"group\":%d,\"add\":[1]}",
			     (int)clients));
	assert_ok(office_ask(office, KATO, OP_grant_set,
			     "{\"account\":3,\"clients\":%d,\"level\":3}", (int)clients));
	assert_err(office_ask(office, TANAKA, OP_group_change, "{\"group\":%d,\"add\":[5]}",
			      (int)clients),
		   ERR_DENIED);
	assert_string_equal(office->field, "self");
	assert_err(office_ask(office, TANAKA, OP_group_drop, "{\"group\":%d}", (int)clients),
		   ERR_DENIED);
	assert_ok(office_ask(office, KATO, OP_group_change, "{\"group\":%d,\"add\":[5]}",
			     (int)clients));
	assert_int_equal(rights_of(office, TANAKA, 6).level, GRANT_EXPORT);
}

static void users_decide_up_to_their_own_rights(void **state)
{
	struct office *office = *state;

	/* Nobody whom the record is not shown to learns that it is there. */
	assert_err(set(office, SATO, "{\"account\":2,\"record\":2,\"level\":1}"), ERR_NOT_FOUND);
	char field[64];
	snprintf(field, sizeof(field), "%s", office->field);
	assert_err(set(office, SATO, "{\"account\":2,\"record\":99,\"level\":1}"), ERR_NOT_FOUND);
	assert_string_equal(office->field, field);
	assert_err(set(office, SATO, "{\"account\":2,\"client\":2,\"level\":1}"), ERR_NOT_FOUND);
	assert_ok(set(office, TANAKA, "{\"account\":1,\"client\":1,\"preset\":4}"));
	assert_err(set(office, SATO, "{\"account\":2,\"record\":2,\"level\":1}"), ERR_DENIED);
	assert_string_equal(office->field, "level");
	assert_ok(set(office, TANAKA, "{\"account\":1,\"client\":1,\"preset\":5}"));
	assert_ok(set(office, SATO, "{\"account\":2,\"record\":2,\"preset\":5}"));
	/* Not more than he has, and not of one who has more. */
	assert_err(set(office, SATO, "{\"account\":2,\"record\":2,\"level\":1,\"number\":true}"),
		   ERR_DENIED);
	assert_string_equal(office->field, "beyond");
	assert_ok(set(office, TANAKA, "{\"account\":2,\"record\":4,\"level\":1,\"number\":true}"));
	assert_err(set(office, SATO, "{\"account\":2,\"record\":4,\"level\":0}"), ERR_DENIED);
	assert_err(set(office, SATO, "{\"account\":2,\"record\":4,\"take\":true}"), ERR_DENIED);
	assert_string_equal(office->field, "beyond");
	/* Not himself, not groups, not everything, not other clients. */
	assert_err(set(office, SATO, "{\"account\":1,\"record\":2,\"level\":1}"), ERR_DENIED);
	assert_string_equal(office->field, "self");
	assert_err(set(office, SATO, "{\"people\":1,\"record\":2,\"level\":1}"), ERR_DENIED);
	assert_err(set(office, SATO, "{\"account\":2,\"clients\":1,\"level\":1}"), ERR_DENIED);
	assert_err(set(office, SATO, "{\"account\":2,\"everything\":true,\"level\":1}"),
		   ERR_DENIED);
	assert_err(set(office, SATO, "{\"account\":2,\"client\":5,\"level\":1}"), ERR_NOT_FOUND);
}

static void what_is_kept_from_a_user_is_not_his_to_give(void **state)
{
	struct office *office = *state;

	assert_ok(set(office, TANAKA, "{\"account\":1,\"client\":1,\"preset\":5}"));
	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":4,\"level\":0}"));
	assert_err(set(office, SATO, "{\"account\":2,\"client\":1,\"level\":1}"), ERR_DENIED);
	assert_string_equal(office->field, "beyond");
	/* Where the other's rights do not change nothing is given. */
	assert_ok(set(office, TANAKA, "{\"account\":2,\"record\":4,\"level\":1}"));
	assert_ok(set(office, SATO, "{\"account\":2,\"client\":1,\"level\":2}"));
	/* Nor by a record of the client's alone, which says nothing of those to come. */
	assert_ok(set(office, TANAKA, "{\"account\":1,\"client\":5,\"level\":1}"));
	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":5,\"preset\":5}"));
	assert_err(set(office, SATO, "{\"account\":2,\"client\":5,\"level\":2}"), ERR_DENIED);
}

/* The seventh right of the table: deciding about document roles, and nothing else. */
static void a_co_owner_decides_about_document_roles(void **state)
{
	struct office *office = *state;

	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":2,\"level\":1,\"document\":1}"));
	assert_ok(set(office, TANAKA, "{\"account\":2,\"client\":1,\"level\":1}"));
	assert_ok(set(office, SATO, "{\"account\":2,\"record\":2,\"level\":1,\"document\":4}"));
	assert_err(set(office, SATO, "{\"account\":2,\"record\":2,\"level\":0}"), ERR_DENIED);
	assert_string_equal(office->field, "level");
	/* And a level alone does not do. */
	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":2,\"level\":4,\"document\":2}"));
	assert_ok(set(office, SATO, "{\"account\":2,\"record\":2,\"level\":2,\"document\":4}"));
	assert_err(set(office, SATO, "{\"account\":2,\"record\":2,\"level\":2,\"document\":5}"),
		   ERR_DENIED);
	assert_string_equal(office->field, "document");
}

static void lists_what_counts_and_why(void **state)
{
	struct office *office = *state;
	const json_t *people;

	assert_ok(office_ask(office, TANAKA, OP_group_add,
			     "{\"kind\":\"people\",\"name\":\"給与\"}"));
	assert_ok(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"add\":[1,2]}"));
	assert_ok(set(office, TANAKA, "{\"people\":1,\"everything\":true,\"level\":1}"));
	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":2,\"preset\":3}"));
	assert_ok(set(office, TANAKA, "{\"account\":1,\"record\":6,\"preset\":3}"));
	assert_ok(office_ask(office, TANAKA, OP_grant_list, "{\"record\":3}"));
	assert_int_equal(office_rows(office), 2);
	assert_int_equal(office_row_number(office, 0, "record"), 2);
	assert_int_equal(office_row_number(office, 0, "level"), GRANT_EDIT);
	assert_int_equal(office_row_number(office, 0, "given_by"), 3);
	assert_true(office_row_flag(office, 1, "everything"));
	assert_string_equal(office_row_text(office, 1, "people_name"), "給与");
	people = json_object_get(office->answer, "people");
	assert_int_equal(json_array_size(people), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *person = json_array_get(people, i);
		json_int_t account = json_integer_value(json_object_get(person, "account"));

		assert_int_equal(json_integer_value(json_object_get(person, "row")),
				 account == 1 ? 0 : 1);
		assert_int_equal(json_integer_value(json_object_get(person, "level")),
				 account == 1 ? GRANT_EDIT : GRANT_VIEW);
	}
	/* Who only reads it is not told. */
	assert_err(office_ask(office, SATO, OP_grant_list, "{\"record\":3}"), ERR_DENIED);
	assert_err(office_ask(office, SUZUKI, OP_grant_list, "{\"record\":99}"), ERR_NOT_FOUND);
	assert_err(office_ask(office, SATO, OP_grant_person, "{\"account\":1}"), ERR_DENIED);

	assert_ok(office_ask(office, TANAKA, OP_grant_person, "{\"account\":1}"));
	assert_int_equal(office_rows(office), 3);
	assert_int_equal(json_array_size(json_object_get(office->answer, "groups")), 1);
	assert_int_equal(office_number(office, "next"), 0);
	assert_int_equal(office_row_number(office, 1, "record"), 6);
}

static void a_long_list_comes_in_parts(void **state)
{
	struct office *office = *state;
	size_t count = 0;
	int64_t after = 0;

	assert_ok(records_begin(&office->records));
	for (int i = 0; i < 450; i++) {
		const struct grant_row row = {
			GRANT_ACCOUNT, GRANT_RECORD, 1, (uint64_t)(1000 + i), { GRANT_VIEW, 0, 0 }
		};

		assert_ok(grants_give(&office->records, &row, &office_hand));
	}
	assert_ok(records_commit(&office->records, 0));
	for (int part = 0; part < 3; part++) {
		assert_ok(after ? office_ask(office, TANAKA, OP_grant_person,
					     "{\"account\":1,\"after\":%d}", (int)after)
				: office_ask(office, TANAKA, OP_grant_person, "{\"account\":1}"));
		for (size_t i = 0; i < office_rows(office); i++, count++)
			assert_int_equal(office_row_number(office, i, "record"), 1000 + count);
		after = office_number(office, "next");
		assert_int_equal(after, part == 2 ? 0 : 200 * (part + 1));
	}
	assert_int_equal(count, 450);
}

static void groups_come_and_go(void **state)
{
	struct office *office = *state;

	assert_ok(office_ask(office, TANAKA, OP_group_add,
			     "{\"kind\":\"clients\",\"name\":\"法人\"}"));
	assert_err(office_ask(office, TANAKA, OP_group_add,
			      "{\"kind\":\"clients\",\"name\":\"法人\"}"),
		   ERR_EXISTS);
	assert_string_equal(office->field, "name");
	assert_err(office_ask(office, TANAKA, OP_group_add, "{\"kind\":\"x\",\"name\":\"y\"}"),
		   ERR_INVALID);
	assert_err(office_ask(office, SATO, OP_group_add, "{\"kind\":\"people\",\"name\":\"y\"}"),
		   ERR_DENIED);
	assert_ok(
		office_ask(office, TANAKA, OP_group_rename, "{\"group\":1,\"name\":\"法人顧問\"}"));
	/* Clients only, each once. */
	assert_err(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"add\":[2]}"),
		   ERR_INVALID);
	assert_string_equal(office->field, "add");
	assert_err(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"add\":[99]}"),
		   ERR_NOT_FOUND);
	assert_ok(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"add\":[1,5]}"));
	assert_err(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"add\":[5]}"),
		   ERR_EXISTS);
	assert_ok(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"take\":[1]}"));
	assert_err(office_ask(office, TANAKA, OP_group_change, "{\"group\":1,\"take\":[1]}"),
		   ERR_NOT_FOUND);
	assert_err(office_ask(office, TANAKA, OP_group_change, "{\"group\":1}"), ERR_INVALID);
	assert_ok(office_ask(office, TANAKA, OP_group_members, "{\"group\":1}"));
	assert_int_equal(office_rows(office), 1);
	assert_int_equal(office_row_number(office, 0, "id"), 5);
	assert_ok(office_ask(office, TANAKA, OP_group_list, "{\"kind\":\"clients\"}"));
	assert_int_equal(office_rows(office), 1);
	assert_string_equal(office_row_text(office, 0, "name"), "法人顧問");
	assert_int_equal(office_row_number(office, 0, "members"), 1);
	assert_ok(office_ask(office, TANAKA, OP_group_list, "{\"kind\":\"people\"}"));
	assert_int_equal(office_rows(office), 0);
	/* A group of clients is no subject, one of people no object. */
	assert_err(set(office, TANAKA, "{\"people\":1,\"everything\":true,\"level\":1}"),
		   ERR_NOT_FOUND);
	assert_ok(office_ask(office, TANAKA, OP_group_drop, "{\"group\":1}"));
	assert_err(office_ask(office, TANAKA, OP_group_drop, "{\"group\":1}"), ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(those_who_manage_give_and_take),
		TEST(refuses_bodies_that_make_no_sense),
		TEST(nobody_gives_himself_rights),
		TEST(users_decide_up_to_their_own_rights),
		TEST(what_is_kept_from_a_user_is_not_his_to_give),
		TEST(a_co_owner_decides_about_document_roles),
		TEST(lists_what_counts_and_why),
		TEST(a_long_list_comes_in_parts),
		TEST(groups_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
