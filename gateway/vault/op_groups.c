/* Operations 43 to 48: groups of people and of clients, which grants are given to and about. */
#include "base/util.h"
#include "vault/grants.h"
#include "vault/grants_change.h"

enum { GROUPS_MAX = 200, GROUP_MEMBERS_MAX = 5000, MEMBERS_AT_ONCE = 100, MEMBERS_SHOWN = 500 };

static const char *const kinds[] = {
	[GRANT_GROUP_PEOPLE] = "people", [GRANT_GROUP_CLIENTS] = "clients"
};

static enum err take_kind(const struct desk_ask *ask, struct desk_reply *reply,
			  enum grant_group_kind *ret)
{
	size_t kind = 0;
	enum err err = desk_word(ask, reply, "kind", kinds, ARRAY_SIZE(kinds), &kind);

	*ret = (enum grant_group_kind)kind;
	return err;
}

static enum err take_group(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply, struct group_row *ret)
{
	uint64_t id = 0;
	enum err err = desk_id(ask, reply, "group", &id);

	if (!err)
		err = grants_group(records, id, ret);
	if (err == ERR_NOT_FOUND)
		reply->field = "group";
	return err;
}

/* Who is in a group of people, or has rights by a group of clients, does not decide who else is. */
static enum err not_his_own(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply, const struct group_row *group)
{
	const struct grant_member member = { group->id, ask->who.account };
	_cleanup_grants_view_ struct grants_view *view = NULL;
	const struct grant_row *rows = NULL;
	bool his = false;
	enum err err;

	if (group->kind == GRANT_GROUP_PEOPLE) {
		err = grants_member_is(records, &member, &his);
	} else {
		err = grants_view_open(records, &ask->who, &view);
		for (size_t i = 0, count = err ? 0 : grants_view_rows(view, &rows); i < count; i++)
			his = his ||
			      (rows[i].object_kind == GRANT_CLIENTS && rows[i].object == group->id);
	}
	if (!err && his) {
		reply->field = "self";
		err = ERR_DENIED;
	}
	return err;
}

/* ---- groups --------------------------------------------------------------------------------- */

enum err op_group_list(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply)
{
	_cleanup_query_ struct query query = { 0 };
	enum grant_group_kind kind = GRANT_GROUP_PEOPLE;
	json_t *rows = json_array();
	struct group_row group;
	bool more = true;
	enum err err = desk_give(reply, json_pack("{s:o}", "rows", rows));

	if (!err)
		err = desk_members(ask, reply, "kind", NULL);
	if (!err)
		err = take_kind(ask, reply, &kind);
	if (err)
		return err;
	group_select(&query, records->db, kind);
	while (!err && more) {
		err = group_next(&query, &group, &more);
		if (!err && more &&
		    json_array_append_new(rows, json_pack("{s:I, s:s, s:I}", "id",
							  (json_int_t)group.id, "name", group.name,
							  "members", (json_int_t)group.members)))
			err = ERR_NOMEM;
	}
	return err;
}

enum err op_group_add(struct records *records, const struct desk_ask *ask, struct desk_reply *reply)
{
	enum grant_group_kind kind = GRANT_GROUP_PEOPLE;
	const char *name = "";
	int64_t count = 0;
	uint64_t id = 0;
	enum err err = desk_members(ask, reply, "kind", "name", NULL);

	if (!err)
		err = take_kind(ask, reply, &kind);
	if (!err)
		err = desk_text(ask, reply, "name", GROUP_NAME, &name);
	if (!err)
		err = group_count(records->db, kind, &count);
	if (!err && count >= GROUPS_MAX)
		err = ERR_FULL;
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:s, s:s}", "kind", kinds[kind], "name", name));
	if (!err)
		err = grants_group_add(records, kind, name, &id);
	if (err == ERR_EXISTS)
		reply->field = "name";
	return err ? err : desk_give(reply, json_pack("{s:I}", "id", (json_int_t)id));
}

enum err op_group_rename(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct group_row group;
	const char *name = "";
	enum err err = desk_members(ask, reply, "group", "name", NULL);

	if (!err)
		err = take_group(records, ask, reply, &group);
	if (!err)
		err = desk_text(ask, reply, "name", GROUP_NAME, &name);
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:I, s:s, s:s, s:s}", "group",
						 (json_int_t)group.id, "kind", kinds[group.kind],
						 "before", group.name, "name", name));
	if (!err)
		err = grants_group_rename(records, group.id, name);
	if (err == ERR_EXISTS)
		reply->field = "name";
	return err ? err : desk_give(reply, json_object());
}

enum err op_group_drop(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply)
{
	struct group_row group;
	enum err err = desk_members(ask, reply, "group", NULL);

	if (!err)
		err = take_group(records, ask, reply, &group);
	if (!err)
		err = not_his_own(records, ask, reply, &group);
	if (!err && !ask->go)
		return desk_say(reply,
				json_pack("{s:I, s:s, s:s, s:I}", "group", (json_int_t)group.id,
					  "kind", kinds[group.kind], "name", group.name, "members",
					  (json_int_t)group.members));
	if (!err)
		err = grants_group_drop(records, group.id);
	return err ? err : desk_give(reply, json_object());
}

/* ---- members -------------------------------------------------------------------------------- */

static json_t *say_member(struct records *records, const struct desk_person *who,
			  const struct group_row *group, uint64_t member)
{
	json_t *json = json_pack("{s:I}", "id", (json_int_t)member);

	if (group->kind == GRANT_GROUP_CLIENTS)
		json_object_set_new(json, "name", json_string(grants_name(records, who, member)));
	return json;
}

enum err op_group_members(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply)
{
	_cleanup_query_ struct query query = { 0 };
	json_t *rows = json_array();
	struct grant_member member = { 0 };
	struct group_row group;
	uint64_t after = 0, next = 0;
	bool more = true;
	enum err err = desk_give(reply, json_pack("{s:o}", "rows", rows));

	if (!err)
		err = desk_members(ask, reply, "group", "after", NULL);
	if (!err)
		err = take_group(records, ask, reply, &group);
	if (!err)
		err = desk_id_or(ask, reply, "after", &after);
	if (err)
		return err;
	group_member_select(&query, records->db, group.id, after);
	while (!err && more) {
		err = group_member_next(&query, &member, &more);
		if (err || !more)
			break;
		if (json_array_size(rows) == MEMBERS_SHOWN) {
			next = after;
			break;
		}
		after = member.member;
		if (json_array_append_new(rows, say_member(records, &ask->who, &group, after)))
			err = ERR_NOMEM;
	}
	if (!err &&
	    json_object_update_new(
		    reply->body, json_pack("{s:I, s:s, s:s, s:I, s:I}", "id", (json_int_t)group.id,
					   "kind", kinds[group.kind], "name", group.name, "members",
					   (json_int_t)group.members, "next", (json_int_t)next)))
		err = ERR_NOMEM;
	return err;
}

struct members {
	uint64_t add[MEMBERS_AT_ONCE], take[MEMBERS_AT_ONCE];
	size_t add_count, take_count;
};

static enum err take_ids(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			 uint64_t *ret, size_t *ret_count)
{
	if (json_array_size(json_object_get(ask->body, name)) == 0 &&
	    (!json_object_get(ask->body, name) || json_is_array(json_object_get(ask->body, name))))
		return OK;
	return desk_ids(ask, reply, name, MEMBERS_AT_ONCE, ret, ret_count);
}

static enum err take_members(const struct desk_ask *ask, struct desk_reply *reply,
			     struct members *ret)
{
	enum err err = take_ids(ask, reply, "add", ret->add, &ret->add_count);

	if (!err)
		err = take_ids(ask, reply, "take", ret->take, &ret->take_count);
	if (!err && ret->add_count + ret->take_count == 0)
		err = desk_wrong(reply, "add");
	return err;
}

/* Nobody puts himself into a group; only clients are in groups of clients; who comes is not in it,
 * and who goes is. */
static enum err check_members(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply, const struct group_row *group,
			      const struct members *members)
{
	struct record_row record = { .kind = KIND_CLIENT };
	enum err err = OK;
	bool there = false;

	for (size_t i = 0; !err && i < members->add_count; i++) {
		struct grant_member member = { group->id, members->add[i] };

		if (group->kind == GRANT_GROUP_CLIENTS)
			err = records_row(records, member.member, &record);
		else if (member.member == ask->who.account)
			err = ERR_DENIED;
		if (!err && record.kind != KIND_CLIENT)
			err = ERR_INVALID;
		if (!err)
			err = grants_member_is(records, &member, &there);
		if (!err && there)
			err = ERR_EXISTS;
		if (err)
			reply->field = err == ERR_DENIED ? "self" : "add";
	}
	for (size_t i = 0; !err && i < members->take_count; i++) {
		err = grants_member_is(
			records, &(struct grant_member){ group->id, members->take[i] }, &there);
		if (!err && !there)
			err = ERR_NOT_FOUND;
		if (err)
			reply->field = "take";
	}
	return err;
}

static json_t *say_ids(const uint64_t *ids, size_t count)
{
	json_t *json = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(json, json_integer((json_int_t)ids[i]));
	return json;
}

enum err op_group_change(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct members members = { 0 };
	struct group_row group;
	enum err err = desk_members(ask, reply, "group", "add", "take", NULL);

	if (!err)
		err = take_group(records, ask, reply, &group);
	if (!err)
		err = take_members(ask, reply, &members);
	if (!err)
		err = not_his_own(records, ask, reply, &group);
	if (!err)
		err = check_members(records, ask, reply, &group, &members);
	if (!err && (size_t)group.members + members.add_count > GROUP_MEMBERS_MAX)
		err = ERR_FULL;
	if (!err && !ask->go)
		return desk_say(reply,
				json_pack("{s:I, s:s, s:o, s:o}", "group", (json_int_t)group.id,
					  "kind", kinds[group.kind], "add",
					  say_ids(members.add, members.add_count), "take",
					  say_ids(members.take, members.take_count)));
	for (size_t i = 0; !err && i < members.take_count; i++)
		err = grants_member_take(records,
					 &(struct grant_member){ group.id, members.take[i] });
	for (size_t i = 0; !err && i < members.add_count; i++)
		err = grants_member_add(records,
					&(struct grant_member){ group.id, members.add[i] });
	return err ? err : desk_give(reply, json_object());
}
