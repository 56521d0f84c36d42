/* Operations 2 and 6: a client is taken on, and a number is entered. */
#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "vault/op_record.h"
#include "vault/requests.h"
#include "vault/rules.h"

/* ---- a client ----------------------------------------------------------------------------------
 */

struct taking_on {
	struct record_row row;
	struct content content;
	char number[NUMBERS_ROOM];
};

/* Whom the office works for is no secret, and a Corporate Number is public. A person's own number
 * is collected as everybody's is, which another approves. */
static enum err take_client(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply, struct taking_on *ret)
{
	enum err err = desk_members(ask, reply, "class", "purposes", "name", "kana", "fields",
				    "number", "again", NULL);

	ret->row.kind = KIND_CLIENT;
	ret->row.state = STATE_ACTIVE;
	if (!err)
		err = rules_take(records, ask, reply, &ret->row);
	if (!err)
		err = content_of_body(records, ask, reply, KIND_CLIENT, NULL, &ret->content);
	if (!err)
		err = rules_number(ask, reply, KIND_CLIENT, ret->number);
	if (!err && ret->number[0] && strlen(ret->number) != NUMBERS_CORPORATE)
		err = desk_wrong(reply, "number");
	return err;
}

enum err op_client_add(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply)
{
	const struct change_by by = { ask->who.account, ask->now_s };
	struct taking_on new = { 0 };
	enum err err = take_client(records, ask, reply, &new);

	if (!err && !ask->go)
		err = desk_say(reply, json_pack("{s:b}", "number", new.number[0] != '\0'));
	else if (!err)
		err = record_create(records, &new.row, &new.content,
				    new.number[0] ? new.number : NULL, &by);
	if (!err && ask->go)
		err = desk_give(reply, json_pack("{s:I}", "record", (json_int_t) new.row.id));
	if (!err && ask->go)
		reply->record = new.row.id;
	secret_wipe(new.number, sizeof(new.number));
	return err;
}

/* ---- a number ----------------------------------------------------------------------------------
 */

/* The first one, for what was asked for; or another one, which counts when it is approved. */
static enum err enter(struct records *records, struct record_row *row, const char *number,
		      const struct change_by *by, uint64_t *ret_request)
{
	int64_t version = 0;
	enum err err = record_put_number(records, row, number, by, &version);

	if (err)
		return err;
	if (row->state == STATE_ACTIVE)
		return requests_add(records, row, REQUEST_NUMBER, true, version, "", by,
				    ret_request);
	err = record_use_number(records, row, version);
	return err ? err : requests_entered(records, row);
}

/* What waits is decided first. */
static enum err may_enter(struct records *records, const struct record_row *row)
{
	struct request_row open;
	enum err err;

	if (row->removed || (row->state != STATE_ACTIVE && row->state != STATE_REQUESTED))
		return ERR_WRONG_STATE;
	err = requests_open_of(records, row->id, &open);
	if (err && err != ERR_NOT_FOUND)
		return err;
	return (row->state == STATE_REQUESTED) == !err ? OK : ERR_WRONG_STATE;
}

enum err op_record_number_set(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply)
{
	const struct change_by by = { ask->who.account, ask->now_s };
	char number[NUMBERS_ROOM] = "";
	struct record_seen seen = { 0 };
	uint64_t request = 0;
	enum err err = desk_members(ask, reply, "record", "number", "again", NULL);

	if (!err)
		err = record_seen_get(records, ask, reply, GRANT_EDIT, &seen);
	if (!err)
		err = may_enter(records, &seen.row);
	if (!err)
		err = rules_number(ask, reply, (enum protected_kind)seen.row.kind, number);
	if (!err && !number[0])
		err = desk_wrong(reply, "number");
	if (!err && !ask->go)
		err = desk_say(reply,
			       json_pack("{s:b}", "first", seen.row.state == STATE_REQUESTED));
	else if (!err)
		err = enter(records, &seen.row, number, &by, &request);
	if (!err && ask->go)
		err = desk_give(reply, json_pack("{s:I}", "request", (json_int_t)request));
	secret_wipe(number, sizeof(number));
	return err;
}
