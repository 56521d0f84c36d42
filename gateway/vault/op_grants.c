/* Operations 40 to 42: what grants there are about a record or for a person, and changing one. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vault/grants.h"
#include "vault/grants_body.h"
#include "vault/grants_change.h"

enum { LIST_ROWS = 300, LIST_PEOPLE = 300, PERSON_ROWS = 200 };

static enum err refused(struct desk_reply *reply, const char *why)
{
	reply->field = why;
	return ERR_DENIED;
}

static enum err check_given(struct records *records, const struct grant_row *row)
{
	const int64_t keys[] = { row->subject_kind, (int64_t)row->subject, row->object_kind,
				 (int64_t)row->object };

	return guard_check(&records->guard, GUARDED_GRANT, keys);
}

static json_t *say_given(struct records *records, const struct desk_person *who,
			 const struct grant_given *given)
{
	json_t *json = grants_body_say_row(records, &given->row, who);

	json_object_update_new(json, grants_body_say_rights(&given->row.rights));
	json_object_update_new(json, json_pack("{s:I, s:I}", "given", (json_int_t)given->given,
					       "given_by", (json_int_t)given->given_by));
	return json;
}

/* ---- grant list: of a record ---------------------------------------------------------------- */

struct list {
	struct records *records;
	const struct desk_person *who; /* asks */
	struct grant_place place;
	struct grant_row rows[LIST_ROWS];
	size_t count;
	uint64_t people[LIST_PEOPLE];
	size_t people_count;
	json_t *json;
};

static enum err add_person(struct list *list, uint64_t account)
{
	for (size_t i = 0; i < list->people_count; i++) {
		if (list->people[i] == account)
			return OK;
	}
	if (list->people_count == LIST_PEOPLE)
		return ERR_TOO_BIG;
	list->people[list->people_count++] = account;
	return OK;
}

static enum err add_people_of(struct list *list, uint64_t group)
{
	_cleanup_query_ struct query query;
	struct grant_member member;
	bool more = true;
	enum err err = OK;

	group_member_select(&query, list->records->db, group, 0);
	while (!err && more) {
		err = group_member_next(&query, &member, &more);
		if (!err && more)
			err = add_person(list, member.member);
	}
	return err;
}

static enum err add_row(struct list *list, const struct grant_given *given)
{
	enum err err =
		list->count < LIST_ROWS ? check_given(list->records, &given->row) : ERR_TOO_BIG;

	if (!err)
		err = given->row.subject_kind == GRANT_ACCOUNT
			      ? add_person(list, given->row.subject)
			      : add_people_of(list, given->row.subject);
	if (err)
		return err;
	list->rows[list->count++] = given->row;
	return json_array_append_new(list->json, say_given(list->records, list->who, given))
		       ? ERR_NOMEM
		       : OK;
}

static enum err add_rows(struct list *list, enum grant_object kind, uint64_t object)
{
	_cleanup_query_ struct query query;
	struct grant_given given;
	bool more = true;
	enum err err = OK;

	grant_select_object(&query, list->records->db, kind, object);
	while (!err && more) {
		err = grant_next(&query, &given, &more);
		if (!err && more)
			err = add_row(list, &given);
	}
	return err;
}

static enum err add_groups(struct list *list)
{
	_cleanup_query_ struct query query;
	struct grant_member member;
	bool more = true;
	enum err err = OK;

	group_member_select_of(&query, list->records->db, GRANT_GROUP_CLIENTS, list->place.client);
	while (!err && more) {
		err = group_member_next(&query, &member, &more);
		if (!err && more)
			err = add_rows(list, GRANT_CLIENTS, member.group);
	}
	return err;
}

/* From near to far. */
static enum err add_all(struct list *list)
{
	enum err err = add_rows(list, GRANT_RECORD, list->place.record);

	if (!err && list->place.parent)
		err = add_rows(list, GRANT_RECORD, list->place.parent);
	if (!err)
		err = add_rows(list, GRANT_CLIENT, list->place.client);
	if (!err)
		err = add_groups(list);
	return err ? err : add_rows(list, GRANT_EVERYTHING, 0);
}

static json_t *say_person(const struct list *list, const struct grants_view *view, uint64_t account)
{
	const struct grant_row *by = NULL;
	struct grant_rights rights;
	json_int_t at = -1;
	json_t *json;

	grants_decide(view, &list->place, &rights, &by);
	for (size_t i = 0; by && i < list->count; i++) {
		if (grants_row_same(&list->rows[i], by))
			at = (json_int_t)i;
	}
	json = json_pack("{s:I, s:I}", "account", (json_int_t)account, "row", at);
	json_object_update_new(json, grants_body_say_rights(&rights));
	return json;
}

/* What each of them may, as those who use records. */
static enum err say_people(struct list *list, json_t *people)
{
	for (size_t i = 0; i < list->people_count; i++) {
		const struct desk_person who = { list->people[i], DUTY_USE };
		_cleanup_grants_view_ struct grants_view *view = NULL;
		enum err err = grants_view_open(list->records, &who, &view);

		if (!err && json_array_append_new(people, say_person(list, view, who.account)))
			err = ERR_NOMEM;
		if (err)
			return err;
	}
	return OK;
}

/* Who decides about others' rights to it may see them. */
static enum err may_list(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply, uint64_t record)
{
	struct grant_rights rights = { 0 };
	enum err err = grants_need(records, &ask->who, record, GRANT_VIEW);

	if (err || ask->who.duty == DUTY_MANAGE)
		return err;
	err = grants_of(records, &ask->who, record, &rights);
	if (!err && rights.level < GRANT_PERMISSIONS && !grants_document_may(&rights, DOCUMENT_OWN))
		err = refused(reply, "level");
	return err;
}

enum err op_grant_list(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply)
{
	struct record_row row;
	uint64_t record = 0;
	json_t *people;
	enum err err = desk_members(ask, reply, "record", NULL);

	if (!err)
		err = desk_id(ask, reply, "record", &record);
	if (!err)
		err = may_list(records, ask, reply, record);
	if (!err)
		err = records_row(records, record, &row);
	if (err)
		return err;
	_cleanup_free_ struct list *list = calloc(1, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	list->records = records;
	list->who = &ask->who;
	list->place = (struct grant_place){ row.id, row.parent, row.client };
	list->json = json_array();
	people = json_array();
	reply->body = json_pack("{s:o, s:o}", "rows", list->json, "people", people);
	err = reply->body ? add_all(list) : ERR_NOMEM;
	return err ? err : say_people(list, people);
}

/* ---- grant person --------------------------------------------------------------------------- */

static enum err say_groups_of(struct records *records, uint64_t account, json_t *groups)
{
	_cleanup_query_ struct query query;
	struct grant_member member;
	struct group_row group;
	bool more = true;
	enum err err = OK;

	group_member_select_of(&query, records->db, GRANT_GROUP_PEOPLE, account);
	while (!err && more) {
		err = group_member_next(&query, &member, &more);
		if (!err && more)
			err = grants_group(records, member.group, &group);
		if (!err && more &&
		    json_array_append_new(groups,
					  json_pack("{s:I, s:s}", "id", (json_int_t)group.id,
						    "name", group.name)))
			err = ERR_NOMEM;
	}
	return err;
}

/* Those after the first so many; *ret_next: how many are before the next part, 0: that was all. */
static enum err say_rows_of(struct records *records, const struct desk_person *who,
			    uint64_t account, int64_t after, json_t *rows, int64_t *ret_next)
{
	_cleanup_query_ struct query query;
	struct grant_given given;
	bool more = true;
	enum err err = OK;

	grant_select_person(&query, records->db, account);
	for (int64_t at = 0; !err && more; at++) {
		err = grant_next(&query, &given, &more);
		if (err || !more || at < after)
			continue;
		if (at == after + PERSON_ROWS) {
			*ret_next = at;
			return OK;
		}
		err = check_given(records, &given.row);
		if (!err && json_array_append_new(rows, say_given(records, who, &given)))
			err = ERR_NOMEM;
	}
	return err;
}

enum err op_grant_person(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	json_t *groups = json_array(), *rows = json_array();
	uint64_t account = 0, after = 0;
	int64_t next = 0;

	reply->body = json_pack("{s:o, s:o}", "groups", groups, "rows", rows);
	enum err err = reply->body ? desk_members(ask, reply, "account", "after", NULL) : ERR_NOMEM;
	if (!err)
		err = desk_id(ask, reply, "account", &account);
	if (!err)
		err = desk_id_or(ask, reply, "after", &after);
	if (!err)
		err = say_groups_of(records, account, groups);
	if (!err)
		err = say_rows_of(records, &ask->who, account, (int64_t)MIN(after, 1000000), rows,
				  &next);
	return err || !json_object_set_new(reply->body, "next", json_integer(next)) ? err
										    : ERR_NOMEM;
}

/* ---- grant set ------------------------------------------------------------------------------ */

/* Nobody decides about himself, nor about a group that he is in. */
static enum err not_himself(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply, const struct grant_row *row)
{
	const struct grant_member member = { row->subject, ask->who.account };
	bool his = row->subject_kind == GRANT_ACCOUNT && row->subject == ask->who.account;
	enum err err = OK;

	if (row->subject_kind == GRANT_PEOPLE)
		err = grants_member_is(records, &member, &his);
	return !err && his ? refused(reply, "self") : err;
}

struct step {
	struct grants_view *mine, *before, *after;
};

static void step_finish(struct step *step)
{
	grants_view_free(step->mine);
	grants_view_free(step->before);
	grants_view_free(step->after);
}

/* May he make this of the subject's rights at one place? Neither more than his own, nor of one who
 * has more; levels and numbers with level permissions, document roles with the right to own. */
static enum err may_at(const struct step *step, const struct grant_place *place,
		       struct desk_reply *reply)
{
	struct grant_rights mine, before, after;

	grants_decide(step->mine, place, &mine, NULL);
	grants_decide(step->before, place, &before, NULL);
	grants_decide(step->after, place, &after, NULL);
	if (grants_rights_same(&before, &after))
		return OK;
	if (!grants_rights_within(&before, &mine) || !grants_rights_within(&after, &mine))
		return refused(reply, "beyond");
	if ((before.level != after.level || before.number != after.number) &&
	    mine.level < GRANT_PERMISSIONS)
		return refused(reply, "level");
	if (before.document != after.document && !grants_document_may(&mine, DOCUMENT_OWN))
		return refused(reply, "document");
	return OK;
}

/* Wherever the row speaks: at the records that there are, and at those that will be. */
static enum err may_everywhere(struct records *records, const struct step *step,
			       const struct grant_row *row, uint64_t client,
			       struct desk_reply *reply)
{
	_cleanup_query_ struct query query;
	struct record_row record;
	bool more = true;
	enum err err =
		may_at(step,
		       &(struct grant_place){ 0, row->object_kind == GRANT_RECORD ? row->object : 0,
					      client },
		       reply);

	record_select(&query, records->db, client, 0);
	while (!err && more) {
		err = record_next(&query, &record, &more);
		if (!err && more &&
		    (row->object_kind == GRANT_CLIENT || record.id == row->object ||
		     record.parent == row->object))
			err = may_at(
				step,
				&(struct grant_place){ record.id, record.parent, record.client },
				reply);
	}
	return err;
}

/* One who uses records. */
static enum err may_user(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply, const struct grant_row *row, bool take)
{
	const struct desk_person other = { row->subject, DUTY_USE };
	_cleanup_(step_finish) struct step step = { 0 };
	struct record_row record;
	enum err err = may_list(records, ask, reply, row->object);

	if (!err)
		err = records_row(records, row->object, &record);
	if (!err)
		err = grants_view_open(records, &ask->who, &step.mine);
	if (!err)
		err = grants_view_open(records, &other, &step.before);
	if (!err)
		err = grants_view_if(records, row->subject, row, take, &step.after);
	return err ? err : may_everywhere(records, &step, row, record.client, reply);
}

/* What the audit log says. */
static json_t *say_change(struct records *records, const struct grant_row *row, bool take)
{
	struct grant_rights before = { 0 };
	bool had = !grants_row(records, row, &before);
	json_t *json = grants_body_say_row(records, row, NULL);

	json_object_set_new(json, "before", had ? grants_body_say_rights(&before) : json_null());
	json_object_set_new(json, "after",
			    take ? json_null() : grants_body_say_rights(&row->rights));
	return json;
}

enum err op_grant_set(struct records *records, const struct desk_ask *ask, struct desk_reply *reply)
{
	const struct grants_hand hand = { ask->who.account, ask->now_s };
	struct grant_row row = { 0 };
	struct grant_rights rights, had;
	bool take = false;
	enum err err = desk_members(ask, reply, GRANTS_BODY_ROW, GRANTS_BODY_RIGHTS, NULL);

	if (!err)
		err = grants_body_row(records, ask, reply, &row);
	if (!err)
		err = grants_body_rights(ask, reply, &rights, &take);
	if (err)
		return err;
	row.rights = rights;
	grants_body_place(records, &row, reply);
	err = not_himself(records, ask, reply, &row);
	if (!err && ask->who.duty != DUTY_MANAGE)
		err = may_user(records, ask, reply, &row, take);
	if (!err && take)
		err = grants_row(records, &row, &had);
	if (err)
		return err;
	if (!ask->go)
		return desk_say(reply, say_change(records, &row, take));
	err = take ? grants_take(records, &row) : grants_give(records, &row, &hand);
	return err ? err : desk_give(reply, json_object());
}
