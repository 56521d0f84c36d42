/* Operations 38 and 39: records are disposed of, and the paper that says so. */
#include <stdlib.h>

#include "base/util.h"
#include "store/vault/rule_rows.h"
#include "vault/disposal.h"
#include "vault/grants.h"
#include "vault/op_request.h"

/* ---- approved ----------------------------------------------------------------------------------
 */

/* Those of one order. */
struct batch {
	struct request_row requests[REQUESTS_AT_ONCE];
	struct record_row rows[REQUESTS_AT_ONCE];
	struct disposal_count counts[REQUESTS_AT_ONCE];
	bool early[REQUESTS_AT_ONCE];
	size_t count;
};

static bool in_batch(const struct batch *batch, uint64_t record)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->rows[i].id == record)
			return true;
	return false;
}

/* Nobody is left without the client or employee whose he is. */
static enum err check_below(struct records *records, const struct batch *batch, uint64_t record)
{
	_cleanup_query_ struct query query;
	bool more = true;
	enum err err = OK;

	disposal_select_below(&query, records->db, record);
	while (!err && more) {
		err = query_next(&query, &more);
		if (!err && more && !in_batch(batch, (uint64_t)query_col_i64(&query, 0)))
			err = ERR_WRONG_STATE;
	}
	return err;
}

static enum err take(struct records *records, const struct desk_ask *ask, struct desk_reply *reply,
		     uint64_t id, struct batch *batch)
{
	struct request_case one;
	enum request_state next;
	enum err err = request_case_get(records, &ask->who, id, &one);

	if (!err && one.request.kind != REQUEST_DISPOSE)
		err = ERR_INVALID;
	if (!err)
		err = life_may(REQUEST_DISPOSE, (enum request_state)one.request.state,
			       one.request.ready, LIFE_APPROVE, &one.part, &next);
	if (!err)
		err = disposal_may(&one.row, ask->now_s, &reply->field);
	if (err)
		return err;
	one.request.state = next;
	one.request.decided = ask->now_s;
	one.request.decided_by = ask->who.account;
	batch->requests[batch->count] = one.request;
	batch->rows[batch->count] = one.row;
	batch->early[batch->count] = disposal_early(&one.row, ask->now_s);
	batch->count++;
	return OK;
}

static enum err take_all(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply, struct batch *batch)
{
	uint64_t ids[REQUESTS_AT_ONCE];
	size_t count = 0;
	enum err err = desk_members(ask, reply, "requests", NULL);

	if (!err)
		err = desk_ids(ask, reply, "requests", REQUESTS_AT_ONCE, ids, &count);
	for (size_t i = 0; !err && i < count; i++) {
		err = take(records, ask, reply, ids[i], batch);
		if (err && !reply->field)
			reply->field = "requests";
	}
	for (size_t i = 0; !err && i < count; i++) {
		err = check_below(records, batch, batch->rows[i].id);
		if (err)
			reply->field = "below";
	}
	if (batch->count) {
		reply->record = batch->rows[0].id;
		reply->client = batch->rows[0].client;
	}
	return err;
}

static enum err note(struct records *records, const struct desk_ask *ask, const struct batch *batch,
		     size_t at)
{
	const struct record_row *row = &batch->rows[at];
	const struct disposal_row disposal = { .record = row->id,
					       .disposed = ask->now_s,
					       .asked_by = batch->requests[at].asked_by,
					       .approved_by = ask->who.account,
					       .early = batch->early[at],
					       .versions = batch->counts[at].versions,
					       .numbers = batch->counts[at].numbers,
					       .documents = batch->counts[at].documents,
					       .key_destroyed = row->key,
					       .counter = records->counter + 1,
					       .seq = ask->seq };
	enum err err = disposal_insert(records->db, &disposal);

	return err ? err : guard_after_id(&records->guard, GUARDED_DISPOSAL, row->id);
}

static enum err destroy(struct records *records, const struct desk_ask *ask, struct batch *batch)
{
	enum err err = OK;

	/* Before their words go. */
	for (size_t i = 0; !err && i < batch->count; i++)
		err = requests_set(records, &batch->requests[i]);
	if (!err)
		err = disposal_destroy(records, batch->rows, batch->count, ask->now_s,
				       batch->counts);
	for (size_t i = 0; !err && i < batch->count; i++)
		err = note(records, ask, batch, i);
	return err;
}

static enum err say(const struct desk_ask *ask, const struct batch *batch, struct desk_reply *reply)
{
	json_t *requests = json_array(), *list = json_array();

	for (size_t i = 0; i < batch->count; i++) {
		const json_int_t record = (json_int_t)batch->rows[i].id;

		json_array_append_new(requests, json_integer((json_int_t)batch->requests[i].id));
		json_array_append_new(list, ask->go ? json_pack("{s:I, s:I}", "record", record,
								"disposed", (json_int_t)ask->now_s)
						    : json_integer(record));
	}
	if (ask->go)
		reply->body = json_pack("{s:O}", "rows", list);
	else
		reply->detail = json_pack("{s:O, s:O}", "requests", requests, "records", list);
	json_decref(requests);
	json_decref(list);
	return reply->body || reply->detail ? OK : ERR_NOMEM;
}

/* What takes long comes first; then everything is looked at again, and done at once. */
static enum err dispose(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply, struct batch *batch)
{
	enum err err = disposal_make_way(records, batch->rows, batch->count, ask->seq);

	batch->count = 0;
	if (!err)
		err = records_begin(records);
	if (!err)
		err = take_all(records, ask, reply, batch);
	if (!err)
		err = destroy(records, ask, batch);
	if (!err)
		err = records_commit(records, ask->seq);
	records_abort(records);
	return err;
}

enum err op_dispose_approve(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply)
{
	_cleanup_free_ struct batch *batch = calloc(1, sizeof(*batch));
	enum err err = batch ? take_all(records, ask, reply, batch) : ERR_NOMEM;

	if (!err && ask->go)
		err = dispose(records, ask, reply, batch);
	return err ? err : say(ask, batch, reply);
}

/* ---- the certificate ---------------------------------------------------------------------------
 */

static enum err add_rules(struct records *records, const struct record_row *row, json_t *paper)
{
	struct purpose_row purpose;
	struct class_row class;
	json_t *purposes = json_array();
	enum err err = class_by_id(records->db, row->class, &class);

	for (size_t i = 0; !err && i < row->purpose_count; i++) {
		err = purpose_by_id(records->db, record_purpose(row, i), &purpose);
		if (!err)
			json_array_append_new(purposes,
					      json_pack("{s:I, s:s, s:s}", "id",
							(json_int_t)purpose.id, "name",
							purpose.name, "name_en", purpose.name_en));
	}
	if (!err)
		json_object_set_new(paper, "class",
				    json_pack("{s:I, s:s, s:s, s:I}", "id", (json_int_t) class.id,
					      "name", class.name, "name_en", class.name_en, "years",
					      (json_int_t) class.years));
	json_object_set_new(paper, "purposes", purposes);
	return err;
}

static json_t *paper_of(const struct record_row *row, const struct disposal_row *disposal)
{
	char started[16] = "", due[16] = "";

	if (row->has_started)
		desk_date_text(row->started, started);
	if (row->has_due)
		desk_date_text(row->due, due);
	return json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
			 " s:I, s:I}",
			 "record", (json_int_t)row->id, "kind", (json_int_t)row->kind, "client",
			 (json_int_t)row->client, "created", (json_int_t)row->created, "started",
			 started, "due", due, "early", disposal->early, "disposed",
			 (json_int_t)disposal->disposed, "asked_by", (json_int_t)disposal->asked_by,
			 "approved_by", (json_int_t)disposal->approved_by, "versions",
			 (json_int_t)disposal->versions, "numbers", (json_int_t)disposal->numbers,
			 "documents", (json_int_t)disposal->documents, "key_destroyed",
			 (json_int_t)disposal->key_destroyed, "counter",
			 (json_int_t)disposal->counter, "seq", (json_int_t)disposal->seq);
}

enum err op_certificate_show(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply)
{
	struct disposal_row disposal;
	struct record_row row;
	uint64_t id = 0;
	enum err err = desk_members(ask, reply, "record", NULL);

	if (!err)
		err = desk_id(ask, reply, "record", &id);
	if (!err)
		err = grants_need(records, &ask->who, id, GRANT_VIEW);
	if (!err)
		err = records_row(records, id, &row);
	if (!err)
		err = disposal_by_record(records->db, id, &disposal);
	if (!err)
		err = guard_check_id(&records->guard, GUARDED_DISPOSAL, id);
	if (err)
		return err;
	reply->body = paper_of(&row, &disposal);
	return reply->body ? add_rules(records, &row, reply->body) : ERR_NOMEM;
}
