/*
 * Random grants, groups, copies and records, changed as people change them, and every answer
 * (lists, counts, searches, records) against the model of what each person may.
 */
#include "unit/vault/grants_model.h"
#include "unit/vault/records_office.h"

#include "vault/grants.h"

/* They decide about all others and are in no grant. The model's last person manages, too. */
static const struct desk_person chief = { 90, DUTY_MANAGE }, other_chief = { 91, DUTY_MANAGE };

static struct model m;
static bool numbered[MODEL_RECORDS + 1], over[MODEL_RECORDS + 1], requested[MODEL_RECORDS + 1];
static int64_t kinds[MODEL_RECORDS + 1];

static struct desk_person person_of(uint64_t person)
{
	return (struct desk_person){ person, person == MODEL_PEOPLE ? DUTY_MANAGE : DUTY_USE };
}

static struct grant_rights wanted(uint64_t person, uint64_t record)
{
	return model_decide(&m, person, person == MODEL_PEOPLE, &m.places[record]);
}

/* Its time is over. */
static void end_record(struct office *office, struct record_row *row)
{
	row->state = STATE_ENDED;
	row->has_started = row->has_due = true;
	row->started = row->due = 1;
	assert_ok(records_begin(&office->records));
	assert_ok(records_set_row(&office->records, row));
	assert_ok(records_commit(&office->records, 0));
}

static void found_office(struct office *office)
{
	for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
		const struct grant_place *place = &m.places[record];
		char name[32], kana[32];

		model_move(&m, record);
		kinds[record] = record <= MODEL_CLIENTS ? KIND_CLIENT
				: place->parent         ? KIND_DEPENDANT
							: KIND_EMPLOYEE;
		numbered[record] = record > MODEL_CLIENTS && record % 3 == 0;
		snprintf(name, sizeof(name), "%s %d", record % 2 ? "青木" : "馬場", (int)record);
		snprintf(kana, sizeof(kana), "%s", record % 2 ? "アオキ" : "ババ");
		struct record_row row = office_add(
			office, kinds[record], record <= MODEL_CLIENTS ? 0 : place->client,
			place->parent, name, kana, numbered[record] ? OFFICE_PERSONAL : NULL);
		assert_int_equal(row.id, record);
		over[record] = record > MODEL_CLIENTS && record % 5 == 0;
		if (over[record])
			end_record(office, &row);
	}
	for (int group = 1; group <= MODEL_PEOPLE_GROUPS + MODEL_CLIENT_GROUPS; group++) {
		assert_ok(office_ask(office, chief, OP_group_add,
				     "{\"kind\":\"%s\",\"name\":\"%d\"}",
				     group <= MODEL_PEOPLE_GROUPS ? "people" : "clients", group));
		assert_int_equal(office_number(office, "id"), group);
	}
}

/* ---- changes -------------------------------------------------------------------------------- */

static enum err set(struct office *office, struct desk_person who, const struct grant_row *row,
		    bool take)
{
	static const char *const objects[] = { "", "record", "client", "clients" };
	char object[64] = "\"everything\":true", rights[96] = "\"take\":true";

	if (row->object_kind != GRANT_EVERYTHING)
		snprintf(object, sizeof(object), "\"%s\":%d", objects[row->object_kind],
			 (int)row->object);
	if (!take)
		snprintf(rights, sizeof(rights), "\"level\":%d,\"number\":%s,\"document\":%d",
			 row->rights.level, row->rights.number ? "true" : "false",
			 row->rights.document);
	return office_ask(office, who, OP_grant_set, "{\"%s\":%d,%s,%s}",
			  row->subject_kind == GRANT_ACCOUNT ? "account" : "people",
			  (int)row->subject, object, rights);
}

static struct grant_row *model_find(const struct grant_row *row)
{
	for (size_t i = 0; i < m.count; i++)
		if (grants_row_same(&m.rows[i], row))
			return &m.rows[i];
	return NULL;
}

static void model_take(struct grant_row *row)
{
	*row = m.rows[--m.count];
}

static void some_row(struct office *office)
{
	struct grant_row row = model_some_row(), *there = model_find(&row);
	bool take = there && model_random(2);

	assert_ok(set(office, chief, &row, take));
	if (take)
		model_take(there);
	else
		*model_row(&m, &row) = row;
}

static void some_member(struct office *office, bool people)
{
	struct grant_member *members = people ? m.people : m.clients;
	size_t *count = people ? &m.people_count : &m.client_count;
	uint64_t group = people ? 1 + model_random(MODEL_PEOPLE_GROUPS)
				: MODEL_PEOPLE_GROUPS + 1 + model_random(MODEL_CLIENT_GROUPS);
	uint64_t member = 1 + model_random(people ? MODEL_PEOPLE : MODEL_CLIENTS);

	assert_ok(office_ask(office, chief, OP_group_change, "{\"group\":%d,\"%s\":[%d]}",
			     (int)group, model_in(members, *count, group, member) ? "take" : "add",
			     (int)member));
	model_toggle(members, count, group, member);
}

/* One who uses records decides about another: if he may, everything that changes is within his own
 * rights. */
static void some_user(struct office *office)
{
	struct grant_rights mine[MODEL_RECORDS + 1], before[MODEL_RECORDS + 1], after;
	uint64_t user = 1 + model_random(MODEL_PEOPLE - 1);
	struct grant_row row = model_some_row(), *there;

	/* Mostly one who decides about something. */
	for (int i = 0; i < 100 && (row.subject_kind != GRANT_ACCOUNT || !row.object ||
				    wanted(user, row.object).level < GRANT_PERMISSIONS);
	     i++) {
		user = 1 + model_random(MODEL_PEOPLE - 1);
		row = model_some_row();
	}
	there = model_find(&row);
	bool take = there && model_random(2);
	uint64_t other = row.subject;

	for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
		mine[record] = wanted(user, record);
		before[record] = model_decide(&m, other, false, &m.places[record]);
	}
	enum err err = set(office, person_of(user), &row, take);
	if (err)
		return;
	assert_int_equal(row.subject_kind, GRANT_ACCOUNT);
	assert_true(row.object_kind == GRANT_RECORD || row.object_kind == GRANT_CLIENT);
	assert_int_not_equal(other, user);
	if (take)
		model_take(there);
	else
		*model_row(&m, &row) = row;
	for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
		after = model_decide(&m, other, false, &m.places[record]);
		if (grants_rights_same(&before[record], &after))
			continue;
		assert_true(grants_rights_within(&before[record], &mine[record]));
		assert_true(grants_rights_within(&after, &mine[record]));
	}
}

/* Who may change a record asks for another number. */
static void some_request(struct office *office)
{
	uint64_t person = 1 + model_random(MODEL_PEOPLE - 1);
	uint64_t record = 1 + model_random(MODEL_RECORDS);

	if (!numbered[record] || over[record] || requested[record])
		return;
	requested[record] = wanted(person, record).level >= GRANT_EDIT;
	enum err err = office_ask(office, person_of(person), OP_record_number_set,
				  "{\"record\":%d,\"number\":\"" OFFICE_OTHER
				  "\",\"again\":\"" OFFICE_OTHER "\"}",
				  (int)record);
	assert_int_equal(err == OK, requested[record]);
}

/* The model follows what was shown. */
static void follow(const json_t *change)
{
	static const char *const objects[] = { "", "record", "client", "clients" };
	const json_t *after = json_object_get(change, "after");
	const json_t *account = json_object_get(change, "account");
	struct grant_row row = { .subject_kind = account ? GRANT_ACCOUNT : GRANT_PEOPLE };

	row.subject =
		(uint64_t)json_integer_value(account ? account : json_object_get(change, "people"));
	if (json_object_get(change, "group")) {
		model_toggle(m.people, &m.people_count,
			     (uint64_t)json_integer_value(json_object_get(change, "group")),
			     row.subject);
		return;
	}
	row.object_kind = GRANT_EVERYTHING;
	for (uint8_t kind = GRANT_RECORD; kind <= GRANT_CLIENTS; kind++)
		if (json_object_get(change, objects[kind])) {
			row.object_kind = kind;
			row.object = (uint64_t)json_integer_value(
				json_object_get(change, objects[kind]));
		}
	if (!after) {
		model_take(model_find(&row));
		return;
	}
	row.rights = (struct grant_rights){
		(uint8_t)json_integer_value(json_object_get(after, "level")),
		json_is_true(json_object_get(after, "number")),
		(uint8_t)json_integer_value(json_object_get(after, "document")),
	};
	*model_row(&m, &row) = row;
}

static void some_copy(struct office *office)
{
	static const char *const words[] = { "person", "record", "client" };
	uint64_t kind = model_random(3);
	uint64_t below = kind == 0 ? MODEL_PEOPLE : kind == 1 ? MODEL_RECORDS : MODEL_CLIENTS;
	uint64_t from = 1 + model_random(below), to = 1 + model_random(below);
	char copy[160];

	if (from == to)
		return;
	snprintf(copy, sizeof(copy),
		 "\"kind\":\"%s\",\"from\":%d,\"to\":[%d],\"replace\":%s,\"groups\":%s",
		 words[kind], (int)from, (int)to, model_random(2) ? "true" : "false",
		 kind == 0 && model_random(2) ? "true" : "false");
	assert_ok(office_ask(office, chief, OP_grant_copy_preview, "{%s}", copy));
	if (office_rows(office) == 0)
		return;
	const json_t *rows = json_object_get(office->answer, "rows"), *change;
	size_t i;

	json_array_foreach(rows, i, change) follow(change);
	char digest[80];
	snprintf(digest, sizeof(digest), "%s",
		 json_string_value(json_object_get(office->answer, "digest")));
	assert_ok(office_ask(office, chief, OP_grant_copy_ask, "{%s,\"digest\":\"%s\"}", copy,
			     digest));
	int waiting = (int)office_number(office, "copy");
	assert_err(office_ask(office, chief, OP_grant_copy_apply, "{\"copy\":%d}", waiting),
		   ERR_DENIED);
	assert_ok(office_ask(office, other_chief, OP_grant_copy_apply, "{\"copy\":%d}", waiting));
}

/* ---- answers -------------------------------------------------------------------------------- */

static void expect_list(struct office *office, uint64_t person, const char *key,
			const bool listed[])
{
	bool got[MODEL_RECORDS + 1] = { false };
	size_t count = 0;

	for (size_t i = 0; i < office_rows(office); i++) {
		int64_t record = office_row_number(office, i, key);
		int64_t client = office_row_number(office, i, "client");
		bool named = office_row_text(office, i, "client_name")[0] != '\0';

		assert_in_range(record, 1, MODEL_RECORDS);
		assert_false(got[record]);
		got[record] = true;
		assert_int_equal(named, wanted(person, (uint64_t)client).level >= GRANT_VIEW);
	}
	for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
		assert_int_equal(got[record], listed[record]);
		count += listed[record];
	}
	assert_int_equal(office_number(office, "total"), count);
	assert_int_equal(office_number(office, "next"), 0);
}

struct look {
	uint64_t client, parent;
	bool clients, odd, number, over, requested;
};

static void check_list(struct office *office, uint64_t person, const struct look *look, unsigned op,
		       const char *body)
{
	bool listed[MODEL_RECORDS + 1] = { false };

	for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
		const struct grant_place *place = &m.places[record];
		struct grant_rights rights = wanted(person, record);

		listed[record] = rights.level >= GRANT_VIEW &&
				 (!look->clients || kinds[record] == KIND_CLIENT) &&
				 (!look->client || (place->client == look->client &&
						    kinds[record] != KIND_CLIENT)) &&
				 (!look->parent || place->parent == look->parent) &&
				 (!look->odd || record % 2) && (!look->over || over[record]) &&
				 (!look->requested || requested[record]) &&
				 (!look->number || (numbered[record] && rights.number));
	}
	assert_ok(office_ask(office, person_of(person), op, "%s", body));
	expect_list(office, person, look->requested ? "record" : "id", listed);
}

static void check_lists(struct office *office, uint64_t person)
{
	uint64_t client = 1 + model_random(MODEL_CLIENTS);
	uint64_t parent = MODEL_CLIENTS + 1 + model_random(4);
	char body[64];

	check_list(office, person, &(struct look){ .clients = true }, OP_client_list, "{}");
	check_list(office, person, &(struct look){ 0 }, OP_record_list, "{}");
	check_list(office, person, &(struct look){ .odd = true }, OP_record_list,
		   "{\"text\":\"あおき\"}");
	check_list(office, person, &(struct look){ .number = true }, OP_record_find,
		   "{\"number\":\"" OFFICE_PERSONAL "\"}");
	check_list(office, person, &(struct look){ .over = true }, OP_due_list, "{}");
	check_list(office, person, &(struct look){ .requested = true }, OP_request_list, "{}");
	snprintf(body, sizeof(body), "{\"client\":%d}", (int)client);
	check_list(office, person, &(struct look){ .client = client }, OP_record_list, body);
	snprintf(body, sizeof(body), "{\"parent\":%d}", (int)parent);
	check_list(office, person, &(struct look){ .parent = parent }, OP_record_list, body);
}

static void check_export(struct office *office, uint64_t person)
{
	int64_t rows = 0, left_out = 0, numbers = 0;

	for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
		struct grant_rights rights = wanted(person, record);

		rows += rights.level >= GRANT_EXPORT;
		left_out += rights.level >= GRANT_VIEW && rights.level < GRANT_EXPORT;
		numbers += rights.level >= GRANT_EXPORT && rights.number && numbered[record];
	}
	assert_ok(office_ask(office, person_of(person), OP_export_count,
			     "{\"purpose\":1,\"numbers\":true}"));
	assert_int_equal(office_number(office, "rows"), rows);
	assert_int_equal(office_number(office, "left_out"), left_out);
	assert_int_equal(office_number(office, "numbers"), numbers);
}

static void check_rights(const json_t *json, const struct grant_rights *rights)
{
	assert_int_equal(json_integer_value(json_object_get(json, "level")), rights->level);
	assert_int_equal(json_is_true(json_object_get(json, "number")), rights->number);
	assert_int_equal(json_integer_value(json_object_get(json, "document")), rights->document);
}

/* What somebody may not see answers as what there is not. */
static void check_record(struct office *office, uint64_t person, uint64_t record)
{
	static const unsigned looks[] = { OP_record_show, OP_record_versions, OP_record_history,
					  OP_grant_list };
	struct grant_rights rights = wanted(person, record);
	bool decides = person == MODEL_PEOPLE || rights.level == GRANT_PERMISSIONS ||
		       grants_document_may(&rights, DOCUMENT_OWN);

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		enum err err = office_ask(office, person_of(person), looks[i], "{\"record\":%d}",
					  (int)record);

		if (rights.level == GRANT_NONE) {
			char field[64];

			assert_err(err, ERR_NOT_FOUND);
			assert_false(office->held);
			snprintf(field, sizeof(field), "%s", office->field);
			assert_err(
				office_ask(office, person_of(person), looks[i], "{\"record\":999}"),
				ERR_NOT_FOUND);
			assert_string_equal(office->field, field);
			continue;
		}
		assert_err(err, looks[i] == OP_grant_list && !decides ? ERR_DENIED : OK);
		if (looks[i] == OP_record_show)
			check_rights(json_object_get(office->answer, "rights"), &rights);
	}
	enum err reveal = office_ask(office, person_of(person), OP_record_reveal,
				     "{\"record\":%d,\"purpose\":1}", (int)record);
	if (person == MODEL_PEOPLE)
		assert_err(reveal, ERR_DENIED);
	else if (rights.level == GRANT_NONE)
		assert_err(reveal, ERR_NOT_FOUND);
	else
		assert_int_equal(reveal == OK, numbered[record] && rights.number);
}

/* What those who decide are told of others is what these may. */
static void check_told(struct office *office, uint64_t record)
{
	const json_t *people, *person;
	size_t i;

	assert_ok(office_ask(office, chief, OP_grant_list, "{\"record\":%d}", (int)record));
	people = json_object_get(office->answer, "people");
	json_array_foreach(people, i, person)
	{
		uint64_t account = (uint64_t)json_integer_value(json_object_get(person, "account"));
		struct grant_rights rights = model_decide(&m, account, false, &m.places[record]);
		json_int_t at = json_integer_value(json_object_get(person, "row"));

		check_rights(person, &rights);
		if (at >= 0)
			check_rights(office_row(office, (size_t)at), &rights);
	}
}

static void every_answer_is_as_the_model_says(void **state)
{
	struct office *office = office_of_records();

	(void)state;
	model_seed();
	memset(&m, 0, sizeof(m));
	found_office(office);
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 4; i++) {
			some_row(office);
			some_member(office, model_random(2));
			some_user(office);
			some_request(office);
		}
		some_copy(office);
		for (uint64_t person = 1; person <= MODEL_PEOPLE; person++) {
			check_lists(office, person);
			check_export(office, person);
			for (int i = 0; i < 3; i++)
				check_record(office, person, 1 + model_random(MODEL_RECORDS));
		}
		check_told(office, 1 + model_random(MODEL_RECORDS));
	}
	office_free(office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_is_as_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
