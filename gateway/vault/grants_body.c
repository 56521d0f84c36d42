#include "vault/grants_body.h"

#include "base/util.h"
#include "vault/grants.h"
#include "vault/grants_change.h"

/* ---- whom and of what ----------------------------------------------------------------------- */

static enum err take_subject(const struct desk_ask *ask, struct desk_reply *reply,
			     struct grant_row *ret)
{
	uint64_t account = 0, people = 0;
	enum err err = desk_id_or(ask, reply, "account", &account);

	if (!err)
		err = desk_id_or(ask, reply, "people", &people);
	if (!err && !account == !people)
		err = desk_wrong(reply, "account");
	ret->subject_kind = account ? GRANT_ACCOUNT : GRANT_PEOPLE;
	ret->subject = account ? account : people;
	return err;
}

static enum err take_object(const struct desk_ask *ask, struct desk_reply *reply,
			    struct grant_row *ret)
{
	static const struct {
		const char *name;
		enum grant_object kind;
	} objects[] = { { "record", GRANT_RECORD },
			{ "client", GRANT_CLIENT },
			{ "clients", GRANT_CLIENTS } };
	bool everything = false;
	enum err err = desk_flag(ask, reply, "everything", &everything);

	if (everything)
		ret->object_kind = GRANT_EVERYTHING;
	for (size_t i = 0; !err && i < ARRAY_SIZE(objects); i++) {
		uint64_t id = 0;

		err = desk_id_or(ask, reply, objects[i].name, &id);
		if (!err && id && ret->object_kind)
			err = desk_wrong(reply, objects[i].name); /* one of them, not two */
		if (!err && id) {
			ret->object_kind = objects[i].kind;
			ret->object = id;
		}
	}
	return err || ret->object_kind ? err : desk_wrong(reply, "record");
}

static enum err missing(struct desk_reply *reply, const char *field)
{
	reply->field = field;
	return ERR_NOT_FOUND;
}

static enum err refused(struct desk_reply *reply, const char *field)
{
	reply->field = field;
	return ERR_DENIED;
}

static enum err group_there(struct records *records, struct desk_reply *reply, uint64_t id,
			    enum grant_group_kind kind, const char *field)
{
	struct group_row group;
	enum err err = grants_group(records, id, &group);

	return err == ERR_NOT_FOUND || (!err && group.kind != kind) ? missing(reply, field) : err;
}

/* What he may not see is not there. */
static enum err record_there(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply, const struct grant_row *row)
{
	struct record_row record = { 0 };
	enum err err = grants_need(records, &ask->who, row->object, GRANT_VIEW);

	if (!err)
		err = records_row(records, row->object, &record);
	if (err == ERR_NOT_FOUND)
		return missing(reply, row->object_kind == GRANT_CLIENT ? "client" : "record");
	if (!err && row->object_kind == GRANT_CLIENT && record.kind != KIND_CLIENT)
		return desk_wrong(reply, "client");
	return err;
}

enum err grants_body_row(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply, struct grant_row *ret)
{
	struct grant_row row = { 0 };
	enum err err = take_subject(ask, reply, &row);

	if (!err)
		err = take_object(ask, reply, &row);
	if (!err && ask->who.duty != DUTY_MANAGE &&
	    (row.subject_kind == GRANT_PEOPLE || row.object_kind >= GRANT_CLIENTS))
		err = refused(reply, "people");
	if (!err && row.subject_kind == GRANT_PEOPLE)
		err = group_there(records, reply, row.subject, GRANT_GROUP_PEOPLE, "people");
	if (!err && row.object_kind == GRANT_CLIENTS)
		err = group_there(records, reply, row.object, GRANT_GROUP_CLIENTS, "clients");
	if (!err && (row.object_kind == GRANT_RECORD || row.object_kind == GRANT_CLIENT))
		err = record_there(records, ask, reply, &row);
	if (!err)
		*ret = row;
	return err;
}

void grants_body_place(struct records *records, const struct grant_row *row,
		       struct desk_reply *reply)
{
	struct record_row record;

	if (row->object_kind != GRANT_RECORD && row->object_kind != GRANT_CLIENT)
		return;
	reply->record = row->object;
	if (!records_row(records, row->object, &record))
		reply->client = record.client;
}

/* ---- rights --------------------------------------------------------------------------------- */

static bool has(const struct desk_ask *ask, const char *name)
{
	return json_object_get(ask->body, name) != NULL;
}

/* One of the five, with or without the number right. */
static enum err take_preset(const struct desk_ask *ask, struct desk_reply *reply,
			    struct grant_rights *ret)
{
	int64_t preset = 0;
	enum err err = has(ask, "level") || has(ask, "document") ? desk_wrong(reply, "preset") : OK;

	if (!err)
		err = desk_int(ask, reply, "preset", 1, GRANT_PRESETS, &preset);
	if (!err)
		err = grants_preset((unsigned)preset, ret);
	return err ? err : desk_flag(ask, reply, "number", &ret->number);
}

static enum err take_rights(const struct desk_ask *ask, struct desk_reply *reply,
			    struct grant_rights *ret)
{
	int64_t level = 0, document = 0;
	enum err err = desk_int(ask, reply, "level", GRANT_NONE, GRANT_LEVELS - 1, &level);

	if (!err && has(ask, "document"))
		err = desk_int(ask, reply, "document", DOCUMENT_NO_ROLE, DOCUMENT_ROLES - 1,
			       &document);
	if (!err)
		err = desk_flag(ask, reply, "number", &ret->number);
	ret->level = (uint8_t)level;
	ret->document = (uint8_t)document;
	return err || grants_rights_valid(ret) ? err : desk_wrong(reply, "level");
}

enum err grants_body_rights(const struct desk_ask *ask, struct desk_reply *reply,
			    struct grant_rights *ret, bool *ret_take)
{
	struct grant_rights rights = { 0 };
	bool take = false;
	enum err err = desk_flag(ask, reply, "take", &take);

	if (!err && take)
		err = has(ask, "level") || has(ask, "number") || has(ask, "document") ||
				      has(ask, "preset")
			      ? desk_wrong(reply, "take")
			      : OK;
	else if (!err && has(ask, "preset"))
		err = take_preset(ask, reply, &rights);
	else if (!err)
		err = take_rights(ask, reply, &rights);
	if (!err) {
		*ret = rights;
		*ret_take = take;
	}
	return err;
}

/* ---- answers -------------------------------------------------------------------------------- */

json_t *grants_body_say_rights(const struct grant_rights *rights)
{
	return json_pack("{s:i, s:b, s:i}", "level", rights->level, "number", rights->number,
			 "document", rights->document);
}

static void say_group(struct records *records, json_t *json, const char *name, uint64_t id)
{
	struct group_row group;

	if (!grants_group(records, id, &group))
		json_object_set_new(json, name, json_string(group.name));
}

json_t *grants_body_say_row(struct records *records, const struct grant_row *row,
			    const struct desk_person *who)
{
	static const char *const subjects[] = {
		[GRANT_ACCOUNT] = "account", [GRANT_PEOPLE] = "people"
	};
	static const char *const objects[] = {
		[GRANT_RECORD] = "record", [GRANT_CLIENT] = "client", [GRANT_CLIENTS] = "clients"
	};
	json_t *json = json_pack("{s:I}", subjects[row->subject_kind], (json_int_t)row->subject);

	if (row->object_kind == GRANT_EVERYTHING)
		json_object_set_new(json, "everything", json_true());
	else
		json_object_set_new(json, objects[row->object_kind],
				    json_integer((json_int_t)row->object));
	if (who && row->subject_kind == GRANT_PEOPLE)
		say_group(records, json, "people_name", row->subject);
	if (who && row->object_kind == GRANT_CLIENTS)
		say_group(records, json, "clients_name", row->object);
	if (who && (row->object_kind == GRANT_RECORD || row->object_kind == GRANT_CLIENT))
		json_object_set_new(json, "name",
				    json_string(grants_name(records, who, row->object)));
	return json;
}
