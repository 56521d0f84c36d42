/* Grants as they lie in the database, against the model of them. */
#include "unit/unit.h"

#include "unit/vault/grants_model.h"
#include "unit/vault/grants_office.h"

static enum err toggle(struct office *office, const struct grant_member *member)
{
	enum err err = grants_member_take(&office->records, member);

	return err == ERR_NOT_FOUND ? grants_member_add(&office->records, member) : err;
}

/* People's groups are 1 to 3, clients' 4 to 6, as the model has them. */
static void found_office(struct office *office, struct model *m)
{
	uint64_t id;
	char name[16];

	assert_ok(records_begin(&office->records));
	for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
		const struct grant_place *place = &m->places[record];

		model_move(m, record);
		assert_int_equal(office_record(office, record <= MODEL_CLIENTS ? 1 : 2,
					       record <= MODEL_CLIENTS ? 0 : place->client,
					       place->parent),
				 record);
	}
	for (uint64_t group = 1; group <= MODEL_PEOPLE_GROUPS + MODEL_CLIENT_GROUPS; group++) {
		snprintf(name, sizeof(name), "group %d", (int)group);
		assert_ok(grants_group_add(&office->records,
					   group <= MODEL_PEOPLE_GROUPS ? GRANT_GROUP_PEOPLE
									: GRANT_GROUP_CLIENTS,
					   name, &id));
		assert_int_equal(id, group);
	}
	assert_ok(records_commit(&office->records, 0));
}

static void some_change(struct office *office, struct model *m)
{
	struct grant_row row = model_some_row();
	struct grant_member person = { 1 + model_random(MODEL_PEOPLE_GROUPS),
				       1 + model_random(MODEL_PEOPLE) };
	struct grant_member client = { MODEL_PEOPLE_GROUPS + 1 + model_random(MODEL_CLIENT_GROUPS),
				       1 + model_random(MODEL_CLIENTS) };

	switch (model_random(4)) {
	case 0:
		assert_ok(toggle(office, &person));
		model_toggle(m->people, &m->people_count, person.group, person.member);
		break;
	case 1:
		assert_ok(toggle(office, &client));
		model_toggle(m->clients, &m->client_count, client.group, client.member);
		break;
	case 2:
		if (m->count) {
			size_t at = model_random(m->count);

			assert_ok(grants_take(&office->records, &m->rows[at]));
			m->rows[at] = m->rows[--m->count];
		}
		break;
	default:
		assert_ok(grants_give(&office->records, &row, &office_hand));
		*model_row(m, &row) = row;
		break;
	}
}

static void compare(struct office *office, const struct model *m)
{
	for (uint64_t person = 1; person <= MODEL_PEOPLE; person++) {
		bool approver = person == MODEL_PEOPLE;
		const struct desk_person who = { person, approver ? DUTY_MANAGE : DUTY_USE };

		for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
			struct grant_rights wanted =
				model_decide(m, person, approver, &m->places[record]);
			struct grant_rights got;

			assert_ok(grants_of(&office->records, &who, record, &got));
			assert_true(grants_rights_same(&got, &wanted));
			assert_err(grants_need(&office->records, &who, record, GRANT_EDIT),
				   wanted.level == GRANT_NONE  ? ERR_NOT_FOUND
				   : wanted.level < GRANT_EDIT ? ERR_DENIED
							       : OK);
		}
	}
}

static void random_changes_are_as_the_model_says(void **state)
{
	static struct model m, before;
	struct office *office = office_of_grants();

	(void)state;
	model_seed();
	memset(&m, 0, sizeof(m));
	found_office(office, &m);
	for (int round = 0; round < 60; round++) {
		before = m;
		assert_ok(records_begin(&office->records));
		for (uint64_t i = 0, count = 1 + model_random(6); i < count; i++)
			some_change(office, &m);
		if (model_random(4) == 0) /* within the transaction, too */
			compare(office, &m);
		if (model_random(3) == 0) {
			records_abort(&office->records);
			m = before;
		} else {
			assert_ok(records_commit(&office->records, 0));
		}
		compare(office, &m);
	}
	office_reopen(office);
	compare(office, &m);
	office_free(office);
}

/* Nobody gets in by a row that the vault has not written. */
static void a_row_changed_behind_its_back_gives_nothing(void **state)
{
	static const char *const changes[] = {
		"UPDATE grant_row SET level = 4 WHERE subject = 1",
		"UPDATE grant_row SET subject = 7 WHERE subject = 1",
		"UPDATE grant_member SET member = 7",
		"UPDATE grant_group SET kind = 1 WHERE kind = 2",
		"INSERT INTO grant_row SELECT 1, 7, 4, 0, 4, 1, 1, 0, 0, mac FROM grant_row LIMIT "
		"1",
	};
	const struct desk_person who = { 7, DUTY_USE }, first = { 1, DUTY_USE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct office *office = office_of_grants();
		struct grant_rights rights;
		uint64_t client, people, clients;

		assert_ok(records_begin(&office->records));
		client = office_record(office, 1, 0, 0);
		assert_ok(grants_group_add(&office->records, GRANT_GROUP_PEOPLE, "a", &people));
		assert_ok(grants_group_add(&office->records, GRANT_GROUP_CLIENTS, "b", &clients));
		assert_ok(grants_member_add(&office->records, &(struct grant_member){ people, 1 }));
		assert_ok(
			grants_member_add(&office->records, &(struct grant_member){ clients, 7 }));
		assert_ok(records_commit(&office->records, 0));
		office_give(
			office,
			&(struct grant_row){
				GRANT_ACCOUNT, GRANT_CLIENT, 1, client, { GRANT_VIEW, false, 0 } });
		office_give(office, &(struct grant_row){ GRANT_PEOPLE,
							 GRANT_EVERYTHING,
							 people,
							 0,
							 { GRANT_PERMISSIONS, false, 0 } });
		office_give(office,
			    &(struct grant_row){ GRANT_PEOPLE,
						 GRANT_EVERYTHING,
						 clients, /* of no people: it speaks to nobody */
						 0,
						 { GRANT_PERMISSIONS, false, 0 } });
		assert_ok(db_exec(office->records.db, changes[i]));
		/* Either the row is not his, or it is seen that it is no good. */
		if (i > 0)
			assert_err(grants_of(&office->records, &who, client, &rights), ERR_INVALID);
		else
			assert_err(grants_of(&office->records, &first, client, &rights),
				   ERR_INVALID);
		office_free(office);
	}
}

static void a_group_goes_with_all_that_is_about_it(void **state)
{
	struct office *office = office_of_grants();
	struct grant_rights rights;
	uint64_t client, people, clients, again;
	const struct desk_person who = { 7, DUTY_USE };

	(void)state;
	assert_ok(records_begin(&office->records));
	client = office_record(office, 1, 0, 0);
	assert_ok(grants_group_add(&office->records, GRANT_GROUP_PEOPLE, "a", &people));
	assert_ok(grants_group_add(&office->records, GRANT_GROUP_CLIENTS, "a", &clients));
	assert_err(grants_group_add(&office->records, GRANT_GROUP_CLIENTS, "a", &again),
		   ERR_EXISTS);
	assert_ok(grants_group_rename(&office->records, clients, "b"));
	assert_ok(grants_member_add(&office->records, &(struct grant_member){ people, 7 }));
	assert_err(grants_member_add(&office->records, &(struct grant_member){ people, 7 }),
		   ERR_EXISTS);
	assert_ok(grants_member_add(&office->records, &(struct grant_member){ clients, client }));
	assert_ok(records_commit(&office->records, 0));
	office_give(
		office,
		&(struct grant_row){
			GRANT_PEOPLE, GRANT_CLIENTS, people, clients, { GRANT_EDIT, false, 0 } });
	office_give(office,
		    &(struct grant_row){
			    GRANT_ACCOUNT, GRANT_CLIENTS, 8, clients, { GRANT_EDIT, false, 0 } });
	assert_ok(grants_of(&office->records, &who, client, &rights));
	assert_int_equal(rights.level, GRANT_EDIT);
	assert_ok(records_begin(&office->records));
	assert_ok(grants_group_drop(&office->records, clients));
	assert_ok(records_commit(&office->records, 0));
	assert_ok(grants_of(&office->records, &who, client, &rights));
	assert_int_equal(rights.level, GRANT_NONE);
	assert_ok(records_begin(&office->records));
	assert_ok(grants_group_drop(&office->records, people));
	assert_err(grants_group_drop(&office->records, people), ERR_NOT_FOUND);
	assert_ok(records_commit(&office->records, 0));
	/* Nothing is left, and what is left is whole. */
	office_reopen(office);
	assert_int_equal(office->records.state, RECORDS_READY);
	for (unsigned table = GUARDED_GROUP; table <= GUARDED_GRANT; table++) {
		_cleanup_query_ struct query query;

		guarded_select(&query, office->records.db, table, NULL);
		assert_err(query_one(&query), ERR_NOT_FOUND);
	}
	office_free(office);
}

static void refuses_rows_that_say_nothing(void **state)
{
	static const struct grant_row wrong[] = {
		{ 0, GRANT_CLIENT, 1, 1, { GRANT_VIEW, false, 0 } },
		{ 3, GRANT_CLIENT, 1, 1, { GRANT_VIEW, false, 0 } },
		{ GRANT_ACCOUNT, 0, 1, 1, { GRANT_VIEW, false, 0 } },
		{ GRANT_ACCOUNT, 5, 1, 1, { GRANT_VIEW, false, 0 } },
		{ GRANT_ACCOUNT, GRANT_CLIENT, 0, 1, { GRANT_VIEW, false, 0 } },
		{ GRANT_ACCOUNT, GRANT_CLIENT, 1, 0, { GRANT_VIEW, false, 0 } },
		{ GRANT_ACCOUNT, GRANT_EVERYTHING, 1, 1, { GRANT_VIEW, false, 0 } },
		{ GRANT_ACCOUNT, GRANT_CLIENT, 1, 1, { GRANT_LEVELS, false, 0 } },
		{ GRANT_ACCOUNT, GRANT_CLIENT, 1, 1, { GRANT_NONE, true, 0 } },
	};
	struct office *office = office_of_grants();

	(void)state;
	assert_ok(records_begin(&office->records));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(grants_give(&office->records, &wrong[i], &office_hand), ERR_INVALID);
	assert_err(grants_take(&office->records,
			       &(struct grant_row){ GRANT_ACCOUNT, GRANT_CLIENT, 1, 1, { 0 } }),
		   ERR_NOT_FOUND);
	records_abort(&office->records);
	office_free(office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_are_as_the_model_says),
		cmocka_unit_test(a_row_changed_behind_its_back_gives_nothing),
		cmocka_unit_test(a_group_goes_with_all_that_is_about_it),
		cmocka_unit_test(refuses_rows_that_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
