/* Operations 35 to 37: a record ends, is held back, and is due. */
#include <stdlib.h>

#include "base/util.h"
#include "store/vault/rule_rows.h"
#include "vault/disposal.h"
#include "vault/due.h"
#include "vault/grants.h"
#include "vault/index.h"
#include "vault/op_request.h"
#include "vault/staging.h"

enum { DAY_S = 86400, AT_ONCE = 100, PAGE = 100 };

/* ---- ended -------------------------------------------------------------------------------------
 */

struct ending {
	bool manages;
	bool again;      /* "started" is "": it is active again */
	int64_t started; /* a date */
	json_t *rows;
};

static enum err set_dates(struct records *records, const struct ending *ending,
			  struct record_row *row)
{
	struct class_row class;
	enum err err = class_by_id(records->db, row->class, &class);

	row->state = ending->again ? STATE_ACTIVE : STATE_ENDED;
	row->has_started = row->has_due = !ending->again;
	row->started = ending->again ? 0 : ending->started;
	row->due = err || ending->again ? 0 : due_date(ending->started, (unsigned)class.years);
	return err;
}

static enum err end_row(struct records *records, const struct desk_ask *ask, struct ending *ending,
			struct record_row *row)
{
	char due[16] = "";
	enum err err = set_dates(records, ending, row);

	if (!err && ask->go)
		err = records_set_row(records, row);
	if (!err && row->has_due)
		desk_date_text(row->due, due);
	return err || !json_array_append_new(
			      ending->rows,
			      json_pack("{s:I, s:s}", "id", (json_int_t)row->id, "due", due))
		       ? err
		       : ERR_NOMEM;
}

/* A dependant goes with its employee, unless it ended on a day of its own. */
static bool goes_along(const struct record_row *row, const struct record_row *before)
{
	if (before->state == STATE_ACTIVE)
		return row->state == STATE_ACTIVE;
	return row->state == STATE_ENDED && row->started == before->started;
}

static enum err end_below(struct records *records, const struct desk_ask *ask,
			  struct ending *ending, const struct record_row *before)
{
	uint64_t after = 0;
	enum err err = OK;

	/* One at a time, as what is being read must not change. */
	while (!err) {
		struct record_row row;

		err = disposal_next_below(records->db, before->id, after, &after);
		/* Of an import that is under way: its last check sees that the employee ended. */
		if (!err && staging_has(records, after))
			continue;
		if (!err)
			err = records_row(records, after, &row);
		if (!err && !row.removed && goes_along(&row, before))
			err = end_row(records, ask, ending, &row);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* As a dependant of one that was before it in the list. */
static bool ended_already(const struct ending *ending, uint64_t id)
{
	const json_t *row;
	size_t i;

	json_array_foreach(ending->rows, i,
			   row) if (json_integer_value(json_object_get(row, "id")) ==
				    (json_int_t)id) return true;
	return false;
}

static enum err end_one(struct records *records, const struct desk_ask *ask, uint64_t id,
			struct ending *ending)
{
	struct record_row row, before;
	enum err err =
		grants_need(records, &ask->who, id, ending->manages ? GRANT_VIEW : GRANT_EDIT);

	if (!err)
		err = records_row(records, id, &row);
	if (err)
		return err;
	if (row.removed ||
	    (row.state != STATE_ENDED && (row.state != STATE_ACTIVE || ending->again)))
		return ERR_WRONG_STATE;
	if (row.state == STATE_ENDED && !ending->manages)
		return ERR_DENIED;
	before = row;
	err = end_row(records, ask, ending, &row);
	return err || row.kind != KIND_EMPLOYEE ? err : end_below(records, ask, ending, &before);
}

static json_t *detail_of(const struct ending *ending, const char *started)
{
	json_t *ids = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach(ending->rows, i, row) if (i < AT_ONCE)
		json_array_append(ids, json_object_get(row, "id"));
	return json_pack("{s:s, s:o, s:I}", "started", started, "records", ids, "count",
			 (json_int_t)json_array_size(ending->rows));
}

enum err op_record_end(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply)
{
	struct ending ending = { .manages = ask->who.duty == DUTY_MANAGE };
	const char *started = "";
	uint64_t ids[AT_ONCE];
	size_t count = 0;
	enum err err = desk_members(ask, reply, "records", "started", NULL);

	if (!err)
		err = desk_ids(ask, reply, "records", AT_ONCE, ids, &count);
	if (!err)
		err = desk_text_or(ask, reply, "started", 10, &started);
	ending.again = !*started;
	if (!err && *started)
		err = desk_date(ask, reply, "started", &ending.started);
	if (!err && *started && due_started_check(ending.started, due_today(ask->now_s)))
		err = desk_wrong(reply, "started");
	if (!err && ending.again && !ending.manages)
		err = ERR_DENIED;
	if (err)
		return err;
	reply->record = ids[0];
	ending.rows = json_array();
	for (size_t i = 0; !err && i < count; i++) {
		if (!ended_already(&ending, ids[i]))
			err = end_one(records, ask, ids[i], &ending);
		if (err && !reply->field)
			reply->field = "records";
	}
	if (!err && ask->go)
		reply->body = json_pack("{s:O}", "rows", ending.rows);
	if (!err && !ask->go)
		reply->detail = detail_of(&ending, started);
	json_decref(ending.rows);
	return err || reply->body || reply->detail ? err : ERR_NOMEM;
}

enum err op_record_hold(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	struct record_row row;
	uint64_t id = 0;
	bool hold = false;
	enum err err = desk_members(ask, reply, "record", "hold", NULL);

	if (!err)
		err = desk_id(ask, reply, "record", &id);
	if (!err)
		err = desk_flag(ask, reply, "hold", &hold);
	if (!err)
		err = grants_need(records, &ask->who, id, GRANT_VIEW);
	if (!err)
		err = records_row(records, id, &row);
	if (err)
		return err;
	reply->record = id;
	reply->client = row.client;
	if (row.state == STATE_DISPOSED || row.state == STATE_REFUSED)
		return ERR_WRONG_STATE;
	row.hold = hold;
	if (ask->go)
		err = records_set_row(records, &row);
	if (!err && ask->go)
		reply->body = json_object();
	if (!err && !ask->go)
		reply->detail = json_pack("{s:b}", "hold", hold);
	return err || reply->body || reply->detail ? err : ERR_NOMEM;
}

/* ---- due ---------------------------------------------------------------------------------------
 */

struct due_list {
	struct records *records;
	const struct desk_ask *ask;
	const struct grants_view *view;
	uint64_t skip; /* rows that were shown already */
	int64_t total;
	int64_t damaged;
	json_t *rows;
	uint64_t *ids; /* of all that are due */
	size_t count, room;
};

static enum err add_due(struct due_list *list, const struct record_row *row,
			const struct grant_rights *rights)
{
	const bool manages = list->ask->who.duty == DUTY_MANAGE;
	const char *field = NULL;
	struct request_row open = { 0 };
	char started[16] = "", due[16] = "";
	enum err err = requests_open_of(list->records, row->id, &open);
	const bool asked = !err, disposes = asked && open.kind == REQUEST_DISPOSE;

	if (err && err != ERR_NOT_FOUND)
		return err;
	if (row->has_started)
		desk_date_text(row->started, started);
	if (row->has_due && !row->removed)
		desk_date_text(row->due, due);
	return json_array_append_new(
		       list->rows,
		       json_pack("{s:I, s:I, s:s, s:I, s:s, s:I, s:s, s:s, s:I, s:b, s:I, s:b}",
				 "id", (json_int_t)row->id, "kind", (json_int_t)row->kind, "name",
				 grants_name(list->records, &list->ask->who, row->id), "client",
				 (json_int_t)row->client, "client_name",
				 grants_name(list->records, &list->ask->who, row->client), "class",
				 (json_int_t)row->class, "started", started, "due", due, "removed",
				 (json_int_t)row->removed, "hold", row->hold, "request",
				 (json_int_t)(disposes ? open.id : 0), "may_ask",
				 !asked && (manages || rights->level >= GRANT_EDIT) &&
					 !disposal_may(row, list->ask->now_s, &field)))
		       ? ERR_NOMEM
		       : OK;
}

static enum err note_id(struct due_list *list, uint64_t id)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		uint64_t *grown = reallocarray(list->ids, room, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		list->ids = grown;
		list->room = room;
	}
	list->ids[list->count++] = id;
	return OK;
}

/* Their numbers alone, as no query stays open in a pause. */
static enum err read_due(struct due_list *list, int64_t before)
{
	_cleanup_query_ struct query query;
	bool more = true;
	enum err err = OK;

	disposal_select_due(&query, list->records->db, before,
			    list->ask->now_s - (int64_t)DUE_BIN * DAY_S);
	while (!err && more) {
		err = query_next(&query, &more);
		if (!err && more)
			err = note_id(list, (uint64_t)query_col_i64(&query, 0));
	}
	return err;
}

static enum err show_due(struct due_list *list, uint64_t id, const struct grant_rights *rights)
{
	struct record_row row;
	enum err err = records_row(list->records, id, &row);

	/* It is named, and the others are shown. */
	if (err == ERR_INVALID) {
		records_damaged(list->records, "record", id, 0);
		list->damaged++;
		return OK;
	}
	return err ? err : add_due(list, &row, rights);
}

static enum err list_due(struct due_list *list, int64_t before)
{
	enum err err = read_due(list, before);

	for (size_t i = 0; !err && i < list->count; i++) {
		const struct index_entry *entry = index_find(list->records->index, list->ids[i]);
		struct grant_rights rights;

		if (!entry)
			continue;
		grants_decide(list->view,
			      &(struct grant_place){ entry->id, entry->parent, entry->client },
			      &rights, NULL);
		if (rights.level < GRANT_VIEW)
			continue;
		list->total++;
		if ((uint64_t)list->total > list->skip &&
		    json_array_size(list->rows) + (size_t)list->damaged < PAGE)
			err = show_due(list, list->ids[i], &rights);
		if (!err)
			err = jobs_may_pause(list->records);
	}
	return err;
}

enum err op_due_list(struct records *records, const struct desk_ask *ask, struct desk_reply *reply)
{
	_cleanup_grants_view_ struct grants_view *view = NULL;
	struct due_list list = { .records = records, .ask = ask };
	const char *text = "";
	int64_t before = due_today(ask->now_s);
	enum err err = desk_members(ask, reply, "before", "after", NULL);

	if (!err)
		err = desk_text_or(ask, reply, "before", 10, &text);
	if (!err && *text)
		err = desk_date(ask, reply, "before", &before);
	if (!err)
		err = desk_id_or(ask, reply, "after", &list.skip);
	if (!err)
		err = grants_view_open(records, &ask->who, &view);
	if (err)
		return err;
	list.view = view;
	list.rows = json_array();
	err = list_due(&list, before);
	const int64_t shown = (int64_t)(list.skip + json_array_size(list.rows)) + list.damaged;
	if (!err)
		reply->body = json_pack("{s:O, s:I, s:I, s:I}", "rows", list.rows, "total",
					(json_int_t)list.total, "next",
					(json_int_t)(shown < list.total ? shown : 0), "damaged",
					(json_int_t)list.damaged);
	json_decref(list.rows);
	free(list.ids);
	return err || reply->body ? err : ERR_NOMEM;
}
