#include "vault/rules.h"

#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "store/vault/rule_rows.h"
#include "vault/grants.h"
#include "vault/numbers.h"

_Static_assert(NUMBERS_ROOM == 16, "rules.h has room for a number");

static enum err wrong(struct desk_reply *reply, enum err err, const char *field)
{
	if (err && !reply->field)
		reply->field = field;
	return err;
}

enum err rules_class(struct records *records, uint64_t id)
{
	struct class_row class;
	enum err err = class_by_id(records->db, id, &class);

	return !err && class.retired ? ERR_WRONG_STATE : err;
}

enum err rules_purpose(struct records *records, uint64_t id)
{
	struct purpose_row purpose;
	enum err err = purpose_by_id(records->db, id, &purpose);

	return !err && purpose.retired ? ERR_WRONG_STATE : err;
}

enum err rules_take(struct records *records, const struct desk_ask *ask, struct desk_reply *reply,
		    struct record_row *row)
{
	uint64_t purposes[RECORD_PURPOSES];
	size_t count = 0;
	enum err err = desk_id(ask, reply, "class", &row->class);

	if (!err)
		err = wrong(reply, rules_class(records, row->class), "class");
	if (!err)
		err = desk_ids(ask, reply, "purposes", RECORD_PURPOSES, purposes, &count);
	for (size_t i = 0; !err && i < count; i++)
		err = wrong(reply, rules_purpose(records, purposes[i]), "purposes");
	if (!err)
		record_set_purposes(row, purposes, count);
	return err;
}

enum err rules_number(const struct desk_ask *ask, struct desk_reply *reply,
		      enum protected_kind kind, char ret[NUMBERS_ROOM])
{
	const json_t *number = json_object_get(ask->body, "number");
	const json_t *again = json_object_get(ask->body, "again");
	char second[NUMBERS_ROOM] = "";
	enum err err = OK;

	ret[0] = '\0';
	if (!number && !again)
		return OK;
	if (!json_is_string(number))
		return desk_wrong(reply, "number");
	if (!json_is_string(again))
		return desk_wrong(reply, "again");
	numbers_plain(json_string_value(number), ret);
	numbers_plain(json_string_value(again), second);
	if (!numbers_right(kind, ret))
		err = desk_wrong(reply, "number");
	else if (!util_streq(ret, second))
		err = desk_wrong(reply, "again");
	secret_wipe(second, sizeof(second));
	if (err)
		secret_wipe(ret, NUMBERS_ROOM);
	return err;
}

enum err rules_client(struct records *records, uint64_t id)
{
	struct record_row client;
	enum err err = records_row(records, id, &client);

	if (!err && client.kind != KIND_CLIENT)
		err = ERR_NOT_FOUND;
	return !err && (client.state != STATE_ACTIVE || client.removed) ? ERR_WRONG_STATE : err;
}

static enum err check_parent(struct records *records, const struct record_row *row)
{
	struct record_row parent;
	enum err err = records_row(records, row->parent, &parent);

	if (!err && (parent.kind != KIND_EMPLOYEE || parent.client != row->client))
		err = ERR_NOT_FOUND;
	return !err && (parent.state > STATE_ACTIVE || parent.removed) ? ERR_WRONG_STATE : err;
}

enum err rules_place(struct records *records, const struct desk_ask *ask, struct desk_reply *reply,
		     struct record_row *row)
{
	const bool depends = row->kind == KIND_DEPENDANT;
	enum err err = desk_id(ask, reply, "client", &row->client);

	if (!err)
		err = desk_id_or(ask, reply, "parent", &row->parent);
	if (!err && depends != (row->parent != 0))
		err = desk_wrong(reply, "parent");
	if (!err)
		err = wrong(reply,
			    grants_need(records, &ask->who, depends ? row->parent : row->client,
					GRANT_EDIT),
			    depends ? "parent" : "client");
	/* Of another client than the parent's nothing is said. */
	if (!err && depends)
		err = wrong(reply, check_parent(records, row), "parent");
	return err ? err : wrong(reply, rules_client(records, row->client), "client");
}
