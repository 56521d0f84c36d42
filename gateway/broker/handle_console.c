/*
 * handle_console.c - the audit console's lists: sessions, live ones too, and the audit log, by
 * pages that each look at a bounded number of rows. Looking at them is no entry of the log; what
 * leaves the gateway is (handle_report.c).
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "broker/handlers.h"
#include "broker/session.h"
#include "store/console.h"

enum { LIST_BYTES = 80 * 1024 /* of an answer's 96 KiB */ };

/* ---- pages ------------------------------------------------------------------------------ */

struct page {
	json_t *rows;
	size_t count, bytes;
	struct console_place last; /* of the rows */
	bool full;
};

/* Takes row over; one that does not fit any more is left for the next page. */
static enum err page_add(struct page *page, json_t *row, struct console_place place)
{
	if (!row)
		return ERR_NOMEM;
	page->bytes += json_dumpb(row, NULL, 0, JSON_COMPACT) + 1;
	if (page->count && page->bytes > LIST_BYTES) {
		page->full = true;
		json_decref(row);
		return OK;
	}
	if (json_array_append_new(page->rows, row))
		return ERR_NOMEM;
	page->last = place;
	page->full = ++page->count == CONSOLE_PAGE;
	return OK;
}

/* end: of the window, zero behind the oldest row. page->rows is taken over. */
static void page_reply(struct request *request, const struct page *page, struct console_place end)
{
	struct console_place next = page->full ? page->last : end;
	json_t *place = next.time || next.number
				? json_pack("{s:I, s:I}", "time", (json_int_t)next.time, "number",
					    (json_int_t)next.number)
				: json_null();

	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:o, s:o}", "rows", page->rows, "next", place));
}

/* ---- sessions --------------------------------------------------------------------------- */

static bool is_look(const char *event)
{
	return util_streq(event, "recording-open") || util_streq(event, "session-watch") ||
	       util_streq(event, "recording-export");
}

static enum err add_event(const struct console_event *event, json_t *events, json_t *watched)
{
	json_int_t before = json_integer_value(json_object_get(events, event->event));

	if (json_object_set_new(events, event->event,
				json_integer(before + (json_int_t)event->count)))
		return ERR_NOMEM;
	if (!is_look(event->event))
		return OK;
	for (size_t i = 0; i < json_array_size(watched); i++)
		if (util_streq(json_string_value(json_array_get(watched, i)), event->account))
			return OK;
	return json_array_append_new(watched, json_string(event->account)) ? ERR_NOMEM : OK;
}

/* What happened in it, and who looked at it. */
static enum err add_events(struct db *db, const char *id, json_t *row)
{
	_cleanup_query_ struct query query = { 0 };
	json_t *events = json_object(), *watched = json_array();
	struct console_event event;
	enum err err = OK;
	bool more = true;

	console_event_list(&query, db, id);
	while (!err && more) {
		err = console_event_next(&query, &event, &more);
		if (!err && more)
			err = add_event(&event, events, watched);
	}
	if (json_object_set_new(row, "events", events) && !err)
		err = ERR_NOMEM;
	if (json_object_set_new(row, "watched", watched) && !err)
		err = ERR_NOMEM;
	return err;
}

static json_t *session_row_json(const struct console_session *session, const char *id,
				int64_t now_s)
{
	const struct session_row *row = &session->row;
	int64_t until_s = row->ended_s ? row->ended_s : now_s;

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:o, s:I, s:s, s:I, "
		"s:b}",
		"id", id, "person", row->account_name, "full_name", session->full_name, "pc",
		row->host_name, "device_number", (json_int_t)row->device, "device", session->device,
		"address", session->address, "client", row->client, "state",
		session_state_code((unsigned)row->state), "reason",
		end_reason_code((unsigned)row->reason), "view_only", row->view_only, "started",
		(json_int_t)row->started_s * 1000, "ended",
		row->ended_s ? json_integer((json_int_t)row->ended_s * 1000) : json_null(),
		"seconds", (json_int_t)MAX(until_s - row->started_s, (int64_t)0), "recording",
		session->recording ? recording_state_code((unsigned)session->recording) : "none",
		"size", (json_int_t)session->size, "hold", session->hold);
}

static enum err add_session(struct request *request, struct page *page,
			    const struct console_session *session)
{
	char id[SESSION_ID_TEXT + 1];
	enum err err;
	json_t *row;

	util_hex(session->row.id, sizeof(session->row.id), id);
	row = session_row_json(session, id, request->now_s);
	err = row ? add_events(request->broker->db, id, row) : ERR_NOMEM;
	if (err) {
		json_decref(row);
		return err;
	}
	return page_add(page, row, session->place);
}

static enum err fill_sessions(struct request *request, struct query *query, struct page *page)
{
	struct console_session session;
	enum err err = OK;
	bool more = true;

	while (!err && more && !page->full) {
		err = console_session_next(query, &session, &more);
		if (!err && more)
			err = add_session(request, page, &session);
	}
	return err;
}

static bool numbers_fit(const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] > INT64_MAX)
			return false;
	return true;
}

/* Both messages have the same fields behind the head. */
static enum err read_filter(const struct msg_audit_sessions *msg, struct console_filter *filter,
			    struct console_place *after)
{
	const uint64_t numbers[] = { msg->audited_device, msg->from, msg->to,    msg->shortest,
				     msg->longest,        msg->time, msg->number };

	if (!numbers_fit(numbers, ARRAY_SIZE(numbers)))
		return ERR_INVALID;
	*filter = (struct console_filter){
		.person = msg->person,
		.pc = msg->pc,
		.client = msg->client,
		.event = msg->event,
		.device = (int64_t)msg->audited_device,
		.from_ms = (int64_t)msg->from,
		.to_ms = (int64_t)msg->to,
		.shortest_s = (int64_t)msg->shortest,
		.longest_s = (int64_t)msg->longest,
	};
	*after = (struct console_place){ (int64_t)msg->time, (int64_t)msg->number };
	return OK;
}
static_assert(sizeof(struct msg_audit_live) == sizeof(struct msg_audit_sessions) &&
		      offsetof(struct msg_audit_live, number) ==
			      offsetof(struct msg_audit_sessions, number),
	      "both are read as one");

static enum err answer_sessions(struct request *request, bool live)
{
	_cleanup_query_ struct query query = { 0 };
	struct db *db = request->broker->db;
	struct page page = { .rows = json_array() };
	struct console_place after, end = { 0 };
	struct console_filter filter;
	enum err err = read_filter(&request->msg->audit_sessions, &filter, &after);

	if (!err && !page.rows)
		err = ERR_NOMEM;
	if (!err && !live)
		err = console_session_window(db, &filter, after, &end);
	if (!err && live)
		console_live_list(&query, db, &filter, after, request->now_s);
	else if (!err)
		console_session_list(&query, db, &filter, after, end, request->now_s);
	if (!err)
		err = fill_sessions(request, &query, &page);
	if (err) {
		json_decref(page.rows);
		return err;
	}
	page_reply(request, &page, end);
	return OK;
}

enum err handle_audit_sessions(struct request *request)
{
	return answer_sessions(request, false);
}

enum err handle_audit_live(struct request *request)
{
	return answer_sessions(request, true);
}

/* ---- the audit log ---------------------------------------------------------------------- */

/* Whose session it is that an entry names. */
static enum err add_session_of(struct db *db, const char *text, json_t *json)
{
	uint8_t id[SESSION_ROW_ID];
	struct session_row row;
	enum err err;

	if (!*text || util_unhex(text, id, sizeof(id)))
		return OK;
	err = session_row_get(db, id, &row);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	return json_object_set_new(json, "of",
				   json_pack("{s:s, s:s, s:I}", "person", row.account_name, "pc",
					     row.host_name, "started",
					     (json_int_t)row.started_s * 1000))
		       ? ERR_NOMEM
		       : OK;
}

static json_t *entry_json(const struct console_entry *entry)
{
	const struct audit_row *row = &entry->row;
	json_t *detail = json_loads(row->detail, JSON_REJECT_DUPLICATES, NULL);

	return json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:b}", "seq",
			 (json_int_t)row->seq, "time", (json_int_t)row->time_ms, "event",
			 row->event, "person", row->account, "full_name", entry->full_name,
			 "device", entry->device, "address", row->address, "pc", entry->host,
			 "session", row->session, "detail", detail ? detail : json_object(),
			 "disposed", row->disposed, "first_device", entry->first_device,
			 "first_address", entry->first_address);
}

static enum err fill_entries(struct request *request, struct query *query, struct page *page)
{
	struct console_entry entry;
	enum err err = OK;
	bool more = true;

	while (!err && more && !page->full) {
		json_t *row;

		err = console_entry_next(query, &entry, &more);
		if (err || !more)
			break;
		row = entry_json(&entry);
		err = row ? add_session_of(request->broker->db, entry.row.session, row) : ERR_NOMEM;
		if (err)
			json_decref(row);
		else
			err = page_add(page, row,
				       (struct console_place){ entry.row.time_ms, entry.row.seq });
	}
	return err;
}

enum err handle_audit_entries(struct request *request)
{
	const struct msg_audit_entries *msg = &request->msg->audit_entries;
	const uint64_t numbers[] = { msg->from, msg->to, msg->time, msg->number };
	const struct console_filter filter = { .person = msg->person,
					       .event = msg->event,
					       .from_ms = (int64_t)msg->from,
					       .to_ms = (int64_t)msg->to };
	const struct console_place after = { (int64_t)msg->time, (int64_t)msg->number };
	_cleanup_query_ struct query query = { 0 };
	struct db *db = request->broker->db;
	struct page page = { .rows = NULL };
	enum console_list list = CONSOLE_LOGINS;
	struct console_place end;
	enum err err = numbers_fit(numbers, ARRAY_SIZE(numbers)) ? OK : ERR_INVALID;

	if (!err)
		err = console_list_parse(msg->list, &list);
	if (!err)
		err = console_entry_window(db, list, &filter, after, &end);
	if (err)
		return err;
	page.rows = json_array();
	console_entry_list(&query, db, list, &filter, after, end);
	err = page.rows ? fill_entries(request, &query, &page) : ERR_NOMEM;
	if (err) {
		json_decref(page.rows);
		return err;
	}
	page_reply(request, &page, end);
	return OK;
}

/* Of one that says more than an answer holds, the beginning. */
enum err handle_audit_session(struct request *request)
{
	_cleanup_query_ struct query query = { 0 };
	struct page page = { .rows = json_array() };
	char id[SESSION_ID_TEXT + 1];
	enum err err;

	util_hex(request->msg->audit_session.session, WIRE_SESSION_ID, id);
	console_entry_session(&query, request->broker->db, id);
	err = page.rows ? fill_entries(request, &query, &page) : ERR_NOMEM;
	if (err) {
		json_decref(page.rows);
		return err;
	}
	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:o, s:b}", "rows", page.rows, "more", page.full));
	return OK;
}
