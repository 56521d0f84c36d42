/* Operations 28 and 29: asking to collect, to dispose of, and saying that all is entered. */
#include "base/secret.h"
#include "base/util.h"
#include "vault/disposal.h"
#include "vault/grants.h"
#include "vault/op_request.h"
#include "vault/rules.h"

/* ---- collect -----------------------------------------------------------------------------------
 */

struct collecting {
	struct record_row row;
	struct content content;
	char number[NUMBERS_ROOM];
	const char *why;
};

static enum err take_collect(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply, struct collecting *ret)
{
	int64_t kind = 0;
	enum err err =
		desk_members(ask, reply, "kind", "record_kind", "client", "parent", "class",
			     "purposes", "name", "kana", "fields", "number", "again", "why", NULL);

	if (!err)
		err = desk_int(ask, reply, "record_kind", KIND_EMPLOYEE, KIND_PAYEE, &kind);
	ret->row.kind = kind;
	if (!err)
		err = rules_place(records, ask, reply, &ret->row);
	if (!err)
		err = rules_take(records, ask, reply, &ret->row);
	if (!err)
		err = content_of_body(records, ask, reply, kind, NULL, &ret->content);
	if (!err)
		err = rules_number(ask, reply, (enum protected_kind)kind, ret->number);
	return err ? err : desk_text_or(ask, reply, "why", REQUEST_WORDS, &ret->why);
}

static enum err collect(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	const struct change_by by = { ask->who.account, ask->now_s };
	struct collecting new = { .why = "" };
	uint64_t request = 0;
	enum err err = take_collect(records, ask, reply, &new);

	const bool entered = new.number[0];
	reply->client = new.row.client;
	new.row.state = entered ? STATE_WAITING : STATE_REQUESTED;
	if (!err && !ask->go)
		reply->detail = json_pack("{s:i, s:I, s:b}", "kind", REQUEST_COLLECT, "record_kind",
					  (json_int_t) new.row.kind, "number", entered);
	if (!err && ask->go)
		err = record_create(records, &new.row, &new.content, entered ? new.number : NULL,
				    &by);
	if (!err && ask->go)
		err = requests_add(records, &new.row, REQUEST_COLLECT, entered, 0, new.why, &by,
				   &request);
	if (!err && ask->go)
		reply->body = json_pack("{s:[I], s:I}", "requests", (json_int_t)request, "record",
					(json_int_t) new.row.id);
	if (!err && ask->go)
		reply->record = new.row.id;
	secret_wipe(new.number, sizeof(new.number));
	content_finish(&new.content);
	return err || reply->body || reply->detail ? err : ERR_NOMEM;
}

/* ---- dispose -----------------------------------------------------------------------------------
 */

static enum err dispose_one(struct records *records, const struct desk_ask *ask, uint64_t id,
			    const char *why, const char **ret_field, uint64_t *ret_request)
{
	const struct change_by by = { ask->who.account, ask->now_s };
	struct request_row open;
	struct record_row row;
	enum err err = grants_need(records, &ask->who, id,
				   ask->who.duty == DUTY_MANAGE ? GRANT_VIEW : GRANT_EDIT);

	if (!err)
		err = records_row(records, id, &row);
	if (!err)
		err = disposal_may(&row, ask->now_s, ret_field);
	if (!err && !ask->go) {
		err = requests_open_of(records, id, &open);
		return err == ERR_NOT_FOUND ? OK : err ? err : ERR_WRONG_STATE;
	}
	return err ? err
		   : requests_add(records, &row, REQUEST_DISPOSE, true, 0, why, &by, ret_request);
}

static enum err dispose(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	uint64_t ids[REQUESTS_AT_ONCE], request = 0;
	const char *why = "";
	size_t count = 0;
	json_t *list;
	enum err err = desk_members(ask, reply, "kind", "records", "why", NULL);

	if (!err)
		err = desk_ids(ask, reply, "records", REQUESTS_AT_ONCE, ids, &count);
	if (!err)
		err = desk_text_or(ask, reply, "why", REQUEST_WORDS, &why);
	if (err)
		return err;
	list = json_array();
	reply->record = ids[0];
	for (size_t i = 0; !err && i < count; i++) {
		err = dispose_one(records, ask, ids[i], why, &reply->field, &request);
		if (err && !reply->field)
			reply->field = "records";
		json_array_append_new(list, json_integer((json_int_t)(ask->go ? request : ids[i])));
	}
	if (!err && ask->go)
		reply->body = json_pack("{s:O}", "requests", list);
	if (!err && !ask->go)
		reply->detail = json_pack("{s:i, s:O}", "kind", REQUEST_DISPOSE, "records", list);
	json_decref(list);
	return err || reply->body || reply->detail ? err : ERR_NOMEM;
}

enum err op_request_add(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	int64_t kind = 0;
	enum err err = desk_int(ask, reply, "kind", REQUEST_COLLECT, REQUEST_DISPOSE, &kind);

	if (err)
		return err;
	if (kind == REQUEST_COLLECT)
		return collect(records, ask, reply);
	return kind == REQUEST_DISPOSE ? dispose(records, ask, reply) : desk_wrong(reply, "kind");
}

/* ---- entered -----------------------------------------------------------------------------------
 */

enum err op_request_submit(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	enum request_state next;
	struct request_case one;
	uint64_t id = 0;
	enum err err = desk_members(ask, reply, "request", NULL);

	if (!err)
		err = desk_id(ask, reply, "request", &id);
	if (!err)
		err = request_case_get(records, &ask->who, id, &one);
	if (err)
		return err;
	reply->record = one.row.id;
	reply->client = one.row.client;
	err = life_may((enum request_kind)one.request.kind, (enum request_state)one.request.state,
		       one.request.ready, LIFE_SUBMIT, &one.part, &next);
	if (!err && ask->go)
		err = requests_entered(records, &one.row);
	if (!err && ask->go)
		reply->body = json_object();
	if (!err && !ask->go)
		reply->detail = json_pack("{s:I}", "request", (json_int_t)id);
	return err || reply->body || reply->detail ? err : ERR_NOMEM;
}
