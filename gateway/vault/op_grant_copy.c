/* Operations 49 to 54: copying grants. What would change is shown first, one who manages asks for
 * exactly that, and another lets it happen if it still is exactly that. */
#include <string.h>

#include "base/util.h"
#include "store/vault/copy_rows.h"
#include "vault/grants.h"
#include "vault/grants_body.h"
#include "vault/grants_copy.h"

enum { COPIES_MAX = 20, CHANGES_SHOWN = 200, DIGEST_TEXT = 2 * GRANT_COPY_DIGEST + 1 };

_Static_assert((int)COPY_TARGETS == (int)GRANT_COPY_TARGETS &&
		       (int)COPY_DIGEST == (int)GRANT_COPY_DIGEST,
	       "what waits is what was planned");

static const char *const kinds[] = { [GRANT_COPY_PERSON] = "person",
				     [GRANT_COPY_RECORD] = "record",
				     [GRANT_COPY_CLIENT] = "client" };

/* ---- what is to be copied ------------------------------------------------------------------- */

static enum err check_end(struct records *records, struct desk_reply *reply,
			  enum grant_copy_kind kind, uint64_t id, const char *field)
{
	struct record_row row;
	enum err err = kind == GRANT_COPY_PERSON ? OK : records_row(records, id, &row);

	if (err == ERR_NOT_FOUND)
		reply->field = field;
	return !err && kind == GRANT_COPY_CLIENT && row.kind != KIND_CLIENT
		       ? desk_wrong(reply, field)
		       : err;
}

static enum err take_copy(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply, struct grant_copy *ret)
{
	size_t kind = 0;
	enum err err = desk_word(ask, reply, "kind", kinds, ARRAY_SIZE(kinds), &kind);

	ret->kind = (enum grant_copy_kind)kind;
	if (!err)
		err = desk_id(ask, reply, "from", &ret->from);
	if (!err)
		err = desk_ids(ask, reply, "to", GRANT_COPY_TARGETS, ret->to, &ret->count);
	if (!err)
		err = desk_flag(ask, reply, "replace", &ret->replace);
	if (!err)
		err = desk_flag(ask, reply, "groups", &ret->groups);
	if (!err && grants_copy_check(ret))
		err = desk_wrong(reply, "to");
	if (!err)
		err = check_end(records, reply, ret->kind, ret->from, "from");
	for (size_t i = 0; !err && i < ret->count; i++)
		err = check_end(records, reply, ret->kind, ret->to[i], "to");
	return err;
}

/* ---- how it is said ------------------------------------------------------------------------- */

static json_t *say_change(struct records *records, const struct desk_person *who,
			  const struct grant_change *change)
{
	struct group_row group;
	json_t *json;

	if (change->member) {
		json = json_pack("{s:I, s:I}", "account", (json_int_t)change->row.subject, "group",
				 (json_int_t)change->row.object);
		if (!grants_group(records, change->row.object, &group))
			json_object_set_new(json, "group_name", json_string(group.name));
	} else {
		json = grants_body_say_row(records, &change->row, who);
	}
	json_object_update_new(json,
			       json_pack("{s:b, s:b}", "had", change->had, "has", change->has));
	if (!change->member && change->had)
		json_object_set_new(json, "before", grants_body_say_rights(&change->before));
	if (!change->member && change->has)
		json_object_set_new(json, "after", grants_body_say_rights(&change->after));
	return json;
}

static json_t *say_counts(const struct grant_changes *changes)
{
	char digest[DIGEST_TEXT];

	util_hex(changes->digest, GRANT_COPY_DIGEST, digest);
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "digest", digest, "added",
			 (json_int_t)changes->added, "changed", (json_int_t)changes->changed,
			 "removed", (json_int_t)changes->removed, "unchanged",
			 (json_int_t)changes->unchanged);
}

/* after: how many were shown before. */
static enum err say_changes(struct records *records, const struct desk_person *who,
			    const struct grant_changes *changes, uint64_t after,
			    struct desk_reply *reply)
{
	size_t end = MIN(changes->count, after + CHANGES_SHOWN);
	json_t *rows = json_array();
	enum err err = desk_give(reply, json_pack("{s:o, s:I}", "rows", rows, "next",
						  (json_int_t)(end < changes->count ? end : 0)));

	for (size_t i = after; !err && i < end; i++) {
		if (json_array_append_new(rows, say_change(records, who, &changes->items[i])))
			err = ERR_NOMEM;
	}
	return err || !json_object_update_new(reply->body, say_counts(changes)) ? err : ERR_NOMEM;
}

static json_t *say_copy(const struct grant_copy *copy)
{
	json_t *to = json_array();

	for (size_t i = 0; i < copy->count; i++)
		json_array_append_new(to, json_integer((json_int_t)copy->to[i]));
	return json_pack("{s:s, s:I, s:o, s:b, s:b}", "kind", kinds[copy->kind], "from",
			 (json_int_t)copy->from, "to", to, "replace", copy->replace, "groups",
			 copy->groups);
}

/* ---- preview and asking --------------------------------------------------------------------- */

enum err op_grant_copy_preview(struct records *records, const struct desk_ask *ask,
			       struct desk_reply *reply)
{
	_cleanup_changes_ struct grant_changes changes = { 0 };
	struct grant_copy copy = { 0 };
	uint64_t after = 0;
	enum err err =
		desk_members(ask, reply, "kind", "from", "to", "replace", "groups", "after", NULL);

	if (!err)
		err = take_copy(records, ask, reply, &copy);
	if (!err)
		err = desk_id_or(ask, reply, "after", &after);
	if (!err && after > GRANT_COPY_CHANGES)
		err = desk_wrong(reply, "after");
	if (!err)
		err = grants_copy_plan(records, &copy, &changes);
	return err ? err : say_changes(records, &ask->who, &changes, after, reply);
}

static enum err take_digest(const struct desk_ask *ask, struct desk_reply *reply,
			    uint8_t ret[GRANT_COPY_DIGEST])
{
	const char *text = "";
	enum err err = desk_text(ask, reply, "digest", DIGEST_TEXT - 1, &text);

	return !err && util_unhex(text, ret, GRANT_COPY_DIGEST) ? desk_wrong(reply, "digest") : err;
}

/* Nothing else happens than what was looked at. */
static enum err same(const struct grant_changes *changes, const uint8_t digest[GRANT_COPY_DIGEST],
		     struct desk_reply *reply)
{
	if (memcmp(changes->digest, digest, GRANT_COPY_DIGEST) == 0)
		return OK;
	reply->field = "digest";
	return ERR_WRONG_STATE;
}

static enum err count_copies(struct records *records)
{
	_cleanup_query_ struct query query;
	struct copy_row row;
	size_t count = 0;
	bool more = true;
	enum err err = OK;

	copy_select(&query, records->db);
	while (!err && more) {
		err = copy_next(&query, &row, &more);
		count += !err && more;
	}
	return !err && count >= COPIES_MAX ? ERR_FULL : err;
}

static void put_id(uint8_t *at, uint64_t id)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(id >> (56 - 8 * i));
}

static enum err keep(struct records *records, const struct desk_ask *ask,
		     const struct grant_copy *copy, const uint8_t digest[GRANT_COPY_DIGEST],
		     uint64_t *ret_id)
{
	struct copy_row row = {
		.asked = ask->now_s,
		.asked_by = ask->who.account,
		.kind = copy->kind,
		.replace = copy->replace,
		.groups = copy->groups,
		.source = copy->from,
		.target_count = copy->count,
	};
	enum err err;

	for (size_t i = 0; i < copy->count; i++)
		put_id(row.targets + 8 * i, copy->to[i]);
	memcpy(row.digest, digest, GRANT_COPY_DIGEST);
	err = copy_insert(records->db, &row, ret_id);
	return err ? err : guard_after_id(&records->guard, GUARDED_COPY, *ret_id);
}

/* What the audit log says: the copy, and how much it changes. */
static enum err say_entry(struct desk_reply *reply, uint64_t id, const struct grant_copy *copy,
			  const struct grant_changes *changes)
{
	json_t *json = say_copy(copy);

	if (id)
		json_object_set_new(json, "copy", json_integer((json_int_t)id));
	json_object_update_new(json, say_counts(changes));
	return desk_say(reply, json);
}

enum err op_grant_copy_ask(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	_cleanup_changes_ struct grant_changes changes = { 0 };
	struct grant_copy copy = { 0 };
	uint8_t digest[GRANT_COPY_DIGEST];
	uint64_t id = 0;
	enum err err =
		desk_members(ask, reply, "kind", "from", "to", "replace", "groups", "digest", NULL);

	if (!err)
		err = take_copy(records, ask, reply, &copy);
	if (!err)
		err = take_digest(ask, reply, digest);
	if (!err)
		err = count_copies(records);
	if (!err)
		err = grants_copy_plan(records, &copy, &changes);
	if (!err)
		err = same(&changes, digest, reply);
	if (!err && changes.count == 0)
		err = desk_wrong(reply, "to"); /* there is nothing to do */
	if (!err && !ask->go)
		return say_entry(reply, 0, &copy, &changes);
	if (!err)
		err = keep(records, ask, &copy, digest, &id);
	return err ? err : desk_give(reply, json_pack("{s:I}", "copy", (json_int_t)id));
}

/* ---- what waits ----------------------------------------------------------------------------- */

static void copy_of(const struct copy_row *row, struct grant_copy *ret)
{
	*ret = (struct grant_copy){
		.kind = (enum grant_copy_kind)row->kind,
		.replace = row->replace,
		.groups = row->groups,
		.from = row->source,
		.count = row->target_count,
	};
	for (size_t i = 0; i < 8 * row->target_count; i++)
		ret->to[i / 8] = ret->to[i / 8] << 8 | row->targets[i];
}

static enum err take_waiting(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply, struct copy_row *ret)
{
	uint64_t id = 0;
	enum err err = desk_id(ask, reply, "copy", &id);

	if (!err)
		err = guard_check_id(&records->guard, GUARDED_COPY, id);
	if (!err)
		err = copy_by_id(records->db, id, ret);
	if (err == ERR_NOT_FOUND)
		reply->field = "copy";
	return err;
}

static json_t *say_waiting(const struct copy_row *row, const struct desk_ask *ask)
{
	struct grant_copy copy;

	copy_of(row, &copy);
	json_t *json = say_copy(&copy);
	json_object_update_new(json, json_pack("{s:I, s:I, s:I, s:b}", "copy", (json_int_t)row->id,
					       "asked", (json_int_t)row->asked, "asked_by",
					       (json_int_t)row->asked_by, "mine",
					       row->asked_by == ask->who.account));
	return json;
}

/* Records and clients have names that people know. */
static void say_names(struct records *records, const struct copy_row *row,
		      const struct desk_ask *ask, json_t *json)
{
	struct grant_copy copy;
	json_t *to;

	if (row->kind == GRANT_COPY_PERSON)
		return;
	copy_of(row, &copy);
	to = json_array();
	for (size_t i = 0; i < copy.count; i++)
		json_array_append_new(to, json_string(grants_name(records, &ask->who, copy.to[i])));
	json_object_set_new(json, "from_name",
			    json_string(grants_name(records, &ask->who, copy.from)));
	json_object_set_new(json, "to_names", to);
}

enum err op_grant_copy_list(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply)
{
	_cleanup_query_ struct query query;
	json_t *rows = json_array();
	struct copy_row row;
	bool more = true;
	enum err err = desk_give(reply, json_pack("{s:o}", "rows", rows));

	if (!err)
		err = desk_members(ask, reply, NULL);
	copy_select(&query, records->db);
	while (!err && more) {
		err = copy_next(&query, &row, &more);
		if (!err && more)
			err = guard_check_id(&records->guard, GUARDED_COPY, row.id);
		if (!err && more && json_array_append_new(rows, say_waiting(&row, ask)))
			err = ERR_NOMEM;
		if (!err && more)
			say_names(records, &row, ask,
				  json_array_get(rows, json_array_size(rows) - 1));
	}
	return err;
}

enum err op_grant_copy_show(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply)
{
	_cleanup_changes_ struct grant_changes changes = { 0 };
	struct grant_copy copy;
	struct copy_row row;
	uint64_t after = 0;
	enum err err = desk_members(ask, reply, "copy", "after", NULL);

	if (!err)
		err = take_waiting(records, ask, reply, &row);
	if (!err)
		err = desk_id_or(ask, reply, "after", &after);
	if (!err && after > GRANT_COPY_CHANGES)
		err = desk_wrong(reply, "after");
	if (err)
		return err;
	copy_of(&row, &copy);
	err = grants_copy_plan(records, &copy, &changes);
	if (!err)
		err = say_changes(records, &ask->who, &changes, after, reply);
	if (!err && json_object_update_new(reply->body, say_waiting(&row, ask)))
		err = ERR_NOMEM;
	if (!err && json_object_set_new(
			    reply->body, "same",
			    json_boolean(!memcmp(changes.digest, row.digest, GRANT_COPY_DIGEST))))
		err = ERR_NOMEM;
	return err;
}

/* ---- deciding ------------------------------------------------------------------------------- */

/* Nobody approves what he asked for, nor what changes his own rights. */
static enum err not_himself(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply, const struct copy_row *row,
			    const struct grant_changes *changes)
{
	bool his = row->asked_by == ask->who.account;
	enum err err = OK;

	for (size_t i = 0; !err && !his && i < changes->count; i++) {
		const struct grant_row *change = &changes->items[i].row;

		if (changes->items[i].member || change->subject_kind == GRANT_ACCOUNT)
			his = change->subject == ask->who.account;
		else
			err = grants_member_is(
				records,
				&(struct grant_member){ change->subject, ask->who.account }, &his);
	}
	if (!err && his) {
		reply->field = "self";
		err = ERR_DENIED;
	}
	return err;
}

static enum err forget(struct records *records, uint64_t id)
{
	enum err err = guard_before_id(&records->guard, GUARDED_COPY, id);

	return err ? err : copy_delete(records->db, id);
}

enum err op_grant_copy_apply(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply)
{
	const struct grants_hand hand = { ask->who.account, ask->now_s };
	_cleanup_changes_ struct grant_changes changes = { 0 };
	struct grant_copy copy;
	struct copy_row row;
	enum err err = desk_members(ask, reply, "copy", NULL);

	if (!err)
		err = take_waiting(records, ask, reply, &row);
	if (err)
		return err;
	copy_of(&row, &copy);
	err = grants_copy_plan(records, &copy, &changes);
	if (!err)
		err = not_himself(records, ask, reply, &row, &changes);
	if (!err)
		err = same(&changes, row.digest, reply);
	if (!err && !ask->go)
		return say_entry(reply, row.id, &copy, &changes);
	if (!err)
		err = grants_copy_carry_out(records, &changes, &hand);
	if (!err)
		err = forget(records, row.id);
	return err ? err : desk_give(reply, say_counts(&changes));
}

/* Who asked takes it back, anybody else who manages refuses it. */
enum err op_grant_copy_drop(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply)
{
	struct copy_row row;
	enum err err = desk_members(ask, reply, "copy", NULL);

	if (!err)
		err = take_waiting(records, ask, reply, &row);
	if (err)
		return err;
	if (!ask->go)
		return desk_say(reply, say_waiting(&row, ask));
	err = forget(records, row.id);
	return err ? err : desk_give(reply, json_object());
}
