#include "siem/ocsf.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/util.h"

enum class {
	FINDING = 2004,
	ACCOUNT_CHANGE = 3001,
	AUTHENTICATION = 3002,
	ENTITY = 3004,
	USER_ACCESS = 3005,
	API = 6003,
};

enum { TYPE_FACTOR = 100, CATEGORY_FACTOR = 1000, OTHER = 99 };

/* status_id; findings have their own. */
static const struct outcome {
	int id;
	const char *name;
} UNKNOWN = { 0, "Unknown" }, SUCCESS = { 1, "Success" }, FAILURE = { 2, "Failure" },
  NEW = { 1, "New" }, RESOLVED = { 4, "Resolved" };

enum severity { INFORMATIONAL = 1, LOW, MEDIUM, HIGH };

static const char *const severity_names[] = {
	[INFORMATIONAL] = "Informational", [LOW] = "Low", [MEDIUM] = "Medium", [HIGH] = "High"
};

static const struct row {
	const char *event;
	enum class class;
	int activity;
	const char *activity_name;
	const struct outcome *outcome;
	enum severity severity;
} rows[] = {
#define EVENT(event, class, activity, name, outcome, severity)                                     \
	{ event, class, activity, name, &outcome, severity },
#include "siem/events.def"
#undef EVENT
};

static const struct row *row_of(const char *event)
{
	static const struct row other = { "", API, OTHER, "Other", &UNKNOWN, INFORMATIONAL };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (util_streq(rows[i].event, event))
			return &rows[i];
	return &other;
}

unsigned ocsf_severity(const char *event)
{
	return row_of(event)->severity;
}

bool ocsf_knows(const char *event)
{
	return row_of(event)->event[0] != '\0';
}

/* ---- what OCSF calls things ------------------------------------------------------------- */

/* One entry on its way: what of it is asked for again and again. */
struct translation {
	const struct msg_siem_entry *entry;
	const char *gateway;
	json_t *detail; /* owned */
	char uid[320];
};

static const char *detail_text(const struct translation *t, const char *name)
{
	const char *text = json_string_value(json_object_get(t->detail, name));

	return text ? text : "";
}

/* The object, or NULL when something did not fit into memory. */
static json_t *whole(json_t *object, int failed)
{
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *number_text(uint64_t number)
{
	return json_sprintf("%" PRIu64, number);
}

/* Who did it; an order at the gateway's own terminal has no account but a user id of the system. */
static json_t *user_of(const struct translation *t)
{
	const json_t *uid = json_object_get(t->detail, "uid");

	if (t->entry->account[0])
		return json_pack("{s:s}", "name", t->entry->account);
	if (json_is_integer(uid))
		return json_pack("{s:o, s:s}", "uid",
				 number_text((uint64_t)json_integer_value(uid)), "domain",
				 t->gateway);
	return json_pack("{s:s, s:i}", "name", "unknown", "type_id", 0);
}

/* Whom it was done to. */
static json_t *target_of(const struct translation *t)
{
	const char *name = detail_text(t, "account");

	return name[0] ? json_pack("{s:s}", "name", name) : user_of(t);
}

static json_t *actor_of(const struct translation *t)
{
	json_t *actor = json_pack("{s:s, s:o}", "app_name", "sekisho", "user", user_of(t));

	if (!t->entry->session[0])
		return actor;
	return whole(actor, json_object_set_new(actor, "session",
						json_pack("{s:s}", "uid", t->entry->session)));
}

static int set_text(json_t *object, const char *name, const char *text)
{
	return text[0] ? json_object_set_new(object, name, json_string(text)) : 0;
}

static int set_number(json_t *object, const char *name, uint64_t number)
{
	return number ? json_object_set_new(object, name, number_text(number)) : 0;
}

/* The person's device; the gateway itself when it came from no other. */
static json_t *source_of(const struct translation *t)
{
	const struct msg_siem_entry *entry = t->entry;
	json_t *source = json_object();

	if (!entry->address[0] && !entry->device)
		return whole(source, set_text(source, "hostname", t->gateway));
	return whole(source, set_text(source, "ip", entry->address) ||
				     set_text(source, "name", entry->device_name) ||
				     set_number(source, "uid", entry->device));
}

/* The office's PC. */
static json_t *pc_of(const struct translation *t)
{
	json_t *pc = json_object();

	return whole(pc, set_number(pc, "uid", t->entry->host) ||
				 set_text(pc, "name", t->entry->host_name));
}

/* ---- classes ---------------------------------------------------------------------------- */

static int add_common(json_t *event, const struct translation *t)
{
	if (json_object_set_new(event, "actor", actor_of(t)) ||
	    json_object_set_new(event, "src_endpoint", source_of(t)))
		return -1;
	return t->entry->host ? json_object_set_new(event, "dst_endpoint", pc_of(t)) : 0;
}

static int add_authentication(json_t *event, const struct translation *t)
{
	return json_object_set_new(event, "user", user_of(t)) ||
	       json_object_set_new(event, "service", json_pack("{s:s}", "name", "Sekisho")) ||
	       json_object_set_new(event, "is_remote", json_true());
}

static int add_account_change(json_t *event, const struct translation *t)
{
	return json_object_set_new(event, "user", target_of(t));
}

static int add_user_access(json_t *event, const struct translation *t)
{
	const char *host = detail_text(t, "host"), *device = detail_text(t, "device");
	const char *name = host[0] ? host : device;
	const char *right = util_streq(t->entry->event, "host-grant-view") ? "view" : "use";

	return json_object_set_new(event, "user", target_of(t)) ||
	       json_object_set_new(event, "privileges", json_pack("[s]", right)) ||
	       json_object_set_new(event, "resource",
				   json_pack("{s:s}", "name", name[0] ? name : "unknown"));
}

/* The event's first word is the kind of thing. */
static int add_entity(json_t *event, const struct translation *t)
{
	size_t len = strcspn(t->entry->event, "-");
	const json_t *id = json_object_get(t->detail, "id");
	const char *name = detail_text(t, "name");
	json_t *entity = json_pack("{s:s%}", "type", t->entry->event, len);
	int failed = 0;

	if (!name[0] && len == strlen("host"))
		name = detail_text(t, "host");
	if (t->entry->session[0])
		failed = set_text(entity, "uid", t->entry->session);
	else if (json_is_integer(id))
		failed = set_number(entity, "uid", (uint64_t)json_integer_value(id));
	if (!failed)
		failed = set_text(entity, "name", name[0] ? name : t->gateway);
	return json_object_set_new(event, "entity", whole(entity, failed));
}

static int add_api(json_t *event, const struct translation *t)
{
	return json_object_set_new(event, "api", json_pack("{s:s}", "operation", t->entry->event));
}

static int add_finding(json_t *event, const struct translation *t)
{
	const char *kind = detail_text(t, "kind");

	return json_object_set_new(
		event, "finding_info",
		json_pack("{s:o, s:s, s:[s]}", "title",
			  json_sprintf("The audit log is not believed: %s", kind[0] ? kind : "?"),
			  "uid", t->uid, "types", "audit-log"));
}

static int add_class(json_t *event, const struct translation *t, const struct row *row)
{
	switch (row->class) {
	case FINDING:
		return add_finding(event, t);
	case ACCOUNT_CHANGE:
		return add_account_change(event, t);
	case AUTHENTICATION:
		return add_authentication(event, t);
	case ENTITY:
		return add_entity(event, t);
	case USER_ACCESS:
		return add_user_access(event, t);
	case API:
	default:
		return add_api(event, t);
	}
}

/* ---- the event -------------------------------------------------------------------------- */

static json_t *metadata_of(const struct translation *t)
{
	return json_pack("{s:s, s:{s:s, s:s, s:s}, s:s, s:I, s:s, s:s, s:s}", "version",
			 OCSF_VERSION, "product", "name", "Sekisho", "vendor_name", "Sekisho",
			 "version", SEKISHO_VERSION, "uid", t->uid, "sequence",
			 (json_int_t)t->entry->seq, "event_code", t->entry->event, "log_name",
			 "audit", "log_provider", t->gateway);
}

/* The entry as it is in the log, by the names of its export (docs/audit.md). */
static json_t *whole_of(const struct translation *t)
{
	const struct msg_siem_entry *entry = t->entry;

	return json_pack("{s:I, s:s, s:s, s:I, s:s, s:s, s:I, s:s, s:s, s:O, s:b}", "seq",
			 (json_int_t)entry->seq, "event", entry->event, "account", entry->account,
			 "device", (json_int_t)entry->device, "device_name", entry->device_name,
			 "address", entry->address, "host", (json_int_t)entry->host, "host_name",
			 entry->host_name, "session", entry->session, "detail", t->detail,
			 "disposed", (int)(entry->disposed != 0));
}

static json_t *event_of(const struct translation *t)
{
	const struct row *row = row_of(t->entry->event);
	json_t *event = json_pack(
		"{s:i, s:s, s:i, s:i, s:i, s:I, s:i, s:s, s:i, s:s, s:s, s:o, s:o}", "activity_id",
		row->activity, "activity_name", row->activity_name, "category_uid",
		(int)row->class / CATEGORY_FACTOR, "class_uid", (int)row->class, "type_uid",
		(int)row->class * TYPE_FACTOR + row->activity, "time",
		(json_int_t)t->entry->time_ms, "severity_id", (int)row->severity, "severity",
		severity_names[row->severity], "status_id", row->outcome->id, "status",
		row->outcome->name, "message", t->entry->event, "metadata", metadata_of(t),
		"unmapped", whole_of(t));

	return whole(event, !event || add_common(event, t) || add_class(event, t, row) ||
				    set_text(event, "status_detail", detail_text(t, "error")));
}

/* ASCII: neither a byte order mark (RFC 5424 §6.4) nor an encoding can then be taken wrongly. */
static enum err add_event(struct buf *out, const struct translation *t)
{
	json_t *event = event_of(t);
	_cleanup_free_ char *text = NULL;

	if (!event)
		return ERR_NOMEM;
	text = json_dumps(event, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_SORT_KEYS);
	json_decref(event);
	if (!text)
		return ERR_NOMEM;
	/* The one control character that JSON leaves as it is; collectors rewrite it. */
	for (char *del = text; (del = strchr(del, 0x7f));)
		*del = '?';
	return strlen(text) > OCSF_EVENT_MAX ? ERR_TOO_BIG : buf_add(out, text, strlen(text));
}

enum err ocsf_add(struct buf *out, const struct msg_siem_entry *entry, const char *gateway)
{
	struct translation t = { .entry = entry, .gateway = gateway };
	enum err err = ERR_TOO_BIG;

	snprintf(t.uid, sizeof(t.uid), "%s/%" PRIu64, gateway, entry->seq);
	t.detail = json_loads(entry->detail, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(t.detail))
		err = add_event(out, &t);
	if (err == ERR_TOO_BIG) {
		json_decref(t.detail);
		t.detail = json_pack("{s:b}", "cut", 1);
		err = t.detail ? add_event(out, &t) : ERR_NOMEM;
	}
	json_decref(t.detail);
	return err;
}
