/* Operations 30 and 31: which requests there are, and what somebody may do with them. */
#include "vault/op_request.h"

#include <stdlib.h>

#include "base/util.h"
#include "vault/grants.h"
#include "vault/index.h"

enum { PAGE = 100 };

enum err request_case_get(struct records *records, const struct desk_person *who, uint64_t request,
			  struct request_case *ret)
{
	enum err err = requests_get(records, request, &ret->request);

	if (!err)
		err = grants_need(records, who, ret->request.record, GRANT_VIEW);
	if (!err)
		err = records_row(records, ret->request.record, &ret->row);
	return err ? err : requests_part(records, who, &ret->request, &ret->row, &ret->part);
}

enum err request_cases(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply, request_case_do *act)
{
	uint64_t ids[REQUESTS_AT_ONCE];
	size_t count = 0;
	json_t *requests, *about;
	enum err err = desk_ids(ask, reply, "requests", REQUESTS_AT_ONCE, ids, &count);

	if (err)
		return err;
	requests = json_array();
	about = json_array();
	for (size_t i = 0; !err && i < count; i++) {
		struct request_case one;

		err = request_case_get(records, &ask->who, ids[i], &one);
		if (!err && i == 0) {
			reply->record = one.row.id;
			reply->client = one.row.client;
		}
		if (!err) {
			json_array_append_new(about, json_integer((json_int_t)one.row.id));
			json_array_append_new(requests, json_integer((json_int_t)ids[i]));
			err = act(records, ask, reply, &one);
		}
		if (err && !reply->field)
			reply->field = "requests";
	}
	if (!err && ask->go)
		reply->body = json_pack("{s:O}", "requests", requests);
	if (!err && !ask->go)
		reply->detail = json_pack("{s:O, s:O}", "requests", requests, "records", about);
	json_decref(requests);
	json_decref(about);
	return err || reply->body || reply->detail ? err : ERR_NOMEM;
}

/* ---- what is shown -----------------------------------------------------------------------------
 */

static bool may(const struct request_case *one, enum life_act act)
{
	enum request_state next;

	return life_may((enum request_kind)one->request.kind,
			(enum request_state)one->request.state, one->request.ready, act, &one->part,
			&next) == OK;
}

static json_t *shown(struct records *records, const struct desk_person *who,
		     const struct request_case *one)
{
	const struct request_row *request = &one->request;
	const struct record_row *row = &one->row;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:b,"
			 " s:{s:b, s:b, s:b, s:b}}",
			 "id", (json_int_t)request->id, "kind", (json_int_t)request->kind, "state",
			 (json_int_t)request->state, "record", (json_int_t)row->id, "record_kind",
			 (json_int_t)row->kind, "record_state", (json_int_t)row->state, "name",
			 grants_name(records, who, row->id), "client", (json_int_t)row->client,
			 "client_name", grants_name(records, who, row->client), "asked",
			 (json_int_t)request->asked, "asked_by", (json_int_t)request->asked_by,
			 "decided", (json_int_t)request->decided, "decided_by",
			 (json_int_t)request->decided_by, "ready", request->ready, "may", "submit",
			 may(one, LIFE_SUBMIT), "approve", may(one, LIFE_APPROVE), "refuse",
			 may(one, LIFE_REFUSE), "withdraw", may(one, LIFE_WITHDRAW));
}

/* What is asked for, and how far that has come. */
struct listing {
	struct records *records;
	const struct desk_ask *ask;
	int64_t kind;
	bool mine;
	uint64_t after;
	json_t *rows;
	int64_t total;
	uint64_t last; /* the last one on the page, when there are more */
	bool more;
	int64_t damaged;
};

static enum err list_one(struct listing *list, const struct grants_view *view, uint64_t id,
			 uint64_t record)
{
	const struct index_entry *entry = index_find(list->records->index, record);
	struct request_case one;
	enum err err;

	if (!entry ||
	    !grants_may_see(view, &(struct grant_place){ record, entry->parent, entry->client }))
		return OK;
	list->total++;
	if (list->after && id >= list->after)
		return OK;
	if (json_array_size(list->rows) == PAGE) {
		list->more = true;
		return OK;
	}
	err = request_case_get(list->records, &list->ask->who, id, &one);
	list->last = id;
	/* It is named, and the others are shown. */
	if (err == ERR_INVALID) {
		records_damaged(list->records, "request", id, 0);
		list->damaged++;
		return OK;
	}
	return err ? err
	       : json_array_append_new(list->rows, shown(list->records, &list->ask->who, &one))
		       ? ERR_NOMEM
		       : OK;
}

static enum err list_all(struct listing *list, int64_t state)
{
	_cleanup_grants_view_ struct grants_view *view = NULL;
	_cleanup_query_ struct query query;
	struct request_row request;
	bool more = true;
	enum err err = grants_view_open(list->records, &list->ask->who, &view);

	request_select_state(&query, list->records->db, state);
	while (!err && more) {
		err = request_next(&query, &request, &more);
		if (err || !more || (list->kind && request.kind != list->kind) ||
		    (list->mine && request.asked_by != list->ask->who.account))
			continue;
		err = list_one(list, view, request.id, request.record);
	}
	return err;
}

/* A number that may be missing. */
static enum err number_or(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			  int64_t max, int64_t *ret)
{
	return json_object_get(ask->body, name) ? desk_int(ask, reply, name, 1, max, ret) : OK;
}

enum err op_request_list(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct listing list = { .records = records, .ask = ask };
	int64_t state = REQUEST_OPEN;
	enum err err = desk_members(ask, reply, "state", "kind", "mine", "after", NULL);

	if (!err)
		err = number_or(ask, reply, "state", REQUEST_WITHDRAWN, &state);
	if (!err)
		err = number_or(ask, reply, "kind", REQUEST_DISPOSE, &list.kind);
	if (!err)
		err = desk_flag(ask, reply, "mine", &list.mine);
	if (!err)
		err = desk_id_or(ask, reply, "after", &list.after);
	if (err)
		return err;
	list.rows = json_array();
	err = list_all(&list, state);
	if (!err)
		reply->body = json_pack("{s:O, s:I, s:I, s:I}", "rows", list.rows, "total",
					(json_int_t)list.total, "next",
					(json_int_t)(list.more ? list.last : 0), "damaged",
					(json_int_t)list.damaged);
	json_decref(list.rows);
	return err || reply->body ? err : ERR_NOMEM;
}

enum err op_request_show(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct request_case one;
	json_t *words = NULL, *purposes;
	uint64_t id = 0;
	enum err err = desk_members(ask, reply, "request", NULL);

	if (!err)
		err = desk_id(ask, reply, "request", &id);
	if (!err)
		err = request_case_get(records, &ask->who, id, &one);
	if (!err)
		err = requests_words(records, &one.request, &one.row, &words);
	if (err)
		return err;
	purposes = json_array();
	for (size_t i = 0; i < one.row.purpose_count; i++)
		json_array_append_new(purposes,
				      json_integer((json_int_t)record_purpose(&one.row, i)));
	reply->body = shown(records, &ask->who, &one);
	json_object_update_new(reply->body, words);
	json_object_update_new(reply->body, json_pack("{s:o, s:I, s:I}", "purposes", purposes,
						      "class", (json_int_t)one.row.class, "parent",
						      (json_int_t)one.row.parent));
	return reply->body ? OK : ERR_NOMEM;
}
