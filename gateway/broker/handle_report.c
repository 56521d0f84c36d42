/*
 * handle_report.c - what the audit console begins and ends with: what there is to choose from, an
 * auditor's saved filters, and the audit log's word that something leaves on paper or as a file.
 */
#include <string.h>

#include "base/log.h"
#include "broker/handlers.h"
#include "broker/quota.h"
#include "store/console.h"
#include "store/saved_filters.h"

enum { CHOICE_BYTES = 24 * 1024 /* of each list, in an answer's 96 KiB */ };

/* ---- choices ---------------------------------------------------------------------------- */

typedef json_t *choice_json(const struct console_choice *choice);

static json_t *person_json(const struct console_choice *choice)
{
	return json_pack("{s:s, s:s}", "name", choice->name, "full_name", choice->more);
}

static json_t *pc_json(const struct console_choice *choice)
{
	return json_pack("{s:s}", "name", choice->name);
}

static json_t *device_json(const struct console_choice *choice)
{
	return json_pack("{s:I, s:s, s:s}", "number", (json_int_t)choice->number, "name",
			 choice->name, "owner", choice->more);
}

/* As many as fit; *more is set when that is not all. */
static enum err add_choices(json_t *body, const char *name, struct query *query, choice_json *make,
			    bool *more)
{
	struct console_choice choice;
	json_t *list = json_array();
	size_t bytes = 0;
	enum err err = OK;

	while (!err) {
		json_t *row;
		bool is_one = true;

		err = console_choice_next(query, &choice, &is_one);
		if (err || !is_one)
			break;
		if (bytes >= CHOICE_BYTES) {
			*more = true;
			break;
		}
		row = make(&choice);
		bytes += row ? json_dumpb(row, NULL, 0, JSON_COMPACT) + 1 : 0;
		err = json_array_append_new(list, row) ? ERR_NOMEM : OK;
	}
	return json_object_set_new(body, name, list) && !err ? ERR_NOMEM : err;
}

static enum err add_filters(struct request *request, json_t *body)
{
	_cleanup_query_ struct query query = { 0 };
	struct saved_filter filter;
	json_t *list = json_array();
	enum err err = OK;
	bool more = true;

	saved_filter_list(&query, request->broker->db, request->account.id);
	while (!err) {
		err = saved_filter_next(&query, &filter, &more);
		if (err || !more)
			break;
		if (json_array_append_new(list,
					  json_pack("{s:I, s:s, s:s}", "id", (json_int_t)filter.id,
						    "name", filter.name, "query", filter.query)))
			err = ERR_NOMEM;
	}
	return json_object_set_new(body, "filters", list) && !err ? ERR_NOMEM : err;
}

static enum err add_lists(struct request *request, json_t *body)
{
	_cleanup_query_ struct query people = { 0 }, pcs = { 0 }, devices = { 0 };
	struct db *db = request->broker->db;
	bool more = false;
	enum err err;

	console_people(&people, db);
	err = add_choices(body, "people", &people, person_json, &more);
	if (err)
		return err;
	console_pcs(&pcs, db);
	err = add_choices(body, "pcs", &pcs, pc_json, &more);
	if (err)
		return err;
	console_devices(&devices, db);
	err = add_choices(body, "devices", &devices, device_json, &more);
	if (!err && json_object_set_new(body, "more", json_boolean(more)))
		err = ERR_NOMEM;
	return err ? err : add_filters(request, body);
}

enum err handle_audit_choices(struct request *request)
{
	const struct settings *settings = &request->broker->settings;
	json_t *body = json_pack("{s:s, s:I, s:I, s:b}", "office", settings->gateway_office,
				 "from_hour", (json_int_t)settings->report_from_hour, "to_hour",
				 (json_int_t)settings->report_to_hour, "weekends",
				 settings->report_weekends);
	enum err err = body ? add_lists(request, body) : ERR_NOMEM;

	if (err) {
		json_decref(body);
		return err;
	}
	reply_json(request->broker, &request->to, 200, "", body);
	return OK;
}

/* ---- saved filters ---------------------------------------------------------------------- */

static bool text_is_good(const char *text, size_t max)
{
	size_t characters = 0;

	for (const char *at = text; *at; at++) {
		if ((uint8_t)*at < 0x20 || *at == 0x7f)
			return false;
		characters += ((uint8_t)*at & 0xc0) != 0x80;
	}
	return characters > 0 && characters <= max && strspn(text, " ") != strlen(text);
}

enum err handle_audit_filter_save(struct request *request)
{
	const struct msg_audit_filter_save *msg = &request->msg->audit_filter_save;
	struct broker *broker = request->broker;
	bool name = text_is_good(msg->name, SAVED_NAME_MAX);
	int64_t id = 0;
	enum err err;

	if (!name || !text_is_good(msg->query, SAVED_QUERY_MAX)) {
		reply_error_field(broker, &request->to, ERR_INVALID, name ? "query" : "name");
		return OK;
	}
	err = quota_take(broker, &request->to, request->account.id, QUOTA_CONSOLE);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = saved_filter_put(broker->db, request->account.id, msg->name, msg->query, &id);
	if (err)
		return err;
	reply_json(broker, &request->to, 200, "", json_pack("{s:I}", "id", (json_int_t)id));
	return OK;
}

enum err handle_audit_filter_remove(struct request *request)
{
	uint64_t id = request->msg->audit_filter_remove.filter;
	enum err err = id > INT64_MAX ? ERR_INVALID
				      : saved_filter_remove(request->broker->db,
							    request->account.id, (int64_t)id);

	if (err)
		return err;
	reply_json(request->broker, &request->to, 200, "", json_object());
	return OK;
}

/* ---- reports ---------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (util_streq(text, all[i]))
			return true;
	return false;
}

static const char *bad_field(const struct msg_audit_report *msg)
{
	static const char *const known[] = { "report", "sessions" }, *const forms[] = { "print",
											"csv" };
	enum console_list list;

	if (!is_one_of(msg->list, known, ARRAY_SIZE(known)) && console_list_parse(msg->list, &list))
		return "list";
	if (!is_one_of(msg->form, forms, ARRAY_SIZE(forms)))
		return "form";
	return msg->from > INT64_MAX ? "from" : msg->to > INT64_MAX ? "to" : NULL;
}

enum err handle_audit_report(struct request *request)
{
	const struct msg_audit_report *msg = &request->msg->audit_report;
	const char *field = bad_field(msg);
	struct broker *broker = request->broker;
	struct audit_note note = { 0 };
	struct audit_entry entry;
	enum err err;

	if (field) {
		reply_error_field(broker, &request->to, ERR_INVALID, field);
		return OK;
	}
	err = quota_take(broker, &request->to, request->account.id, QUOTA_CONSOLE);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = audit_note_last(broker->db, &note);
	if (err && err != ERR_NOT_FOUND)
		return err;
	entry = request_audit(request, "audit-report",
			      json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "list", msg->list, "form",
					msg->form, "person", msg->person, "pc", msg->pc, "from",
					(json_int_t)msg->from, "to", (json_int_t)msg->to));
	err = broker_audit(broker, &entry);
	if (err)
		return err;
	reply_json(broker, &request->to, 200, "",
		   json_pack("{s:I, s:s, s:s}", "time", (json_int_t)request->now_s * 1000,
			     "gateway", broker->settings.gateway_name, "checkpoint", note.note));
	return OK;
}

bool console_denied(struct request *request, enum err why)
{
	struct audit_entry entry;
	enum err err =
		quota_take(request->broker, &request->to, request->account.id, QUOTA_CONSOLE);

	if (!err) {
		log_warn("audit-refused", "user=%s error=%s", request->account.name, err_code(why));
		entry = request_audit(request, "audit-refused",
				      json_pack("{s:s}", "error", err_code(why)));
		err = broker_audit(request->broker, &entry);
	}
	if (err && err != ERR_THROTTLED)
		log_error("audit-refusal-unrecorded", "error=%s", err_code(err));
	return err == ERR_THROTTLED;
}
