#include "edge/api.h"

#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "edge/api_field.h"
#include "edge/est.h"

#define TEXT(message, field, min_bytes, max_bytes)                                                 \
	{                                                                                          \
#field, FIELD_STRING, false, min_bytes, max_bytes,                                 \
			offsetof(struct msg_##message, field), NULL                                \
	}

static const struct api_field no_fields[] = { { 0 } };

static const struct api_field login_fields[] = {
	TEXT(login_password, account, 1, 64),
	TEXT(login_password, password, 1, 256),
	{ 0 },
};

static const struct api_field totp_fields[] = {
	TEXT(login_totp, code, 1, 16),
	{ 0 },
};

static const struct api_field credential_fields[] = {
	TEXT(session_open, user, 0, 256),
	TEXT(session_open, password, 0, 256),
	TEXT(session_open, domain, 0, 256),
	{ 0 },
};

/* The desktop's limits are those of docs/protocol.md §4. */
static const struct api_field open_fields[] = {
	{ "host", FIELD_U64, false, 1, INT64_MAX, offsetof(struct msg_session_open, host), NULL },
	{ "width", FIELD_U16, false, 64, 7680, offsetof(struct msg_session_open, width), NULL },
	{ "height", FIELD_U16, false, 64, 4320, offsetof(struct msg_session_open, height), NULL },
	{ "layout", FIELD_LAYOUT, false, 0, 0, offsetof(struct msg_session_open, layout), NULL },
	{ "credentials", FIELD_OBJECT, true, 0, 0, 0, credential_fields },
	{ "keep", FIELD_BOOL, true, 0, 1, offsetof(struct msg_session_open, keep), NULL },
	{ "client", FIELD_STRING, true, 0, 256, offsetof(struct msg_session_open, client), NULL },
	{ 0 },
};

static const struct api_field unlock_fields[] = {
	TEXT(unlock, password, 1, 256),
	{ 0 },
};

static const struct api_field session_unlock_fields[] = {
	TEXT(session_unlock, password, 1, 256),
	{ 0 },
};

#define CODE(message)                                                                              \
	{                                                                                          \
		"code", FIELD_STRING, false, 1, EST_CODE_MAX,                                      \
			offsetof(struct msg_##message, code), NULL                                 \
	}

#define COMPATIBLE(message)                                                                        \
	{                                                                                          \
		"compatible", FIELD_BOOL, false, 0, 1, offsetof(struct msg_##message, compatible), \
			NULL                                                                       \
	}

#define WHOLE(message, field, max_bytes)                                                           \
	{                                                                                          \
#field, FIELD_WHOLE, false, 1, max_bytes, offsetof(struct msg_##message, field),   \
			NULL                                                                       \
	}

static const struct api_field renew_fields[] = { COMPATIBLE(device_renew), { 0 } };

static const struct api_field order_fields[] = {
	WHOLE(admin_order, arguments, API_BODY_MAX),
	{ 0 },
};

static const struct api_field record_fields[] = {
	WHOLE(record_ask, body, API_RECORD_MAX),
	{ 0 },
};

static const struct api_field look_fields[] = { CODE(enrol_look), { 0 } };

static const struct api_field request_fields[] = {
	CODE(enrol_request),
	{ "csr", FIELD_BYTES, false, 1, EST_CSR_MAX, offsetof(struct msg_enrol_request, csr),
	  NULL },
	{ "key_place", FIELD_PLACE, false, 0, 0, offsetof(struct msg_enrol_request, key_place),
	  NULL },
	{ 0 },
};

static const struct api_field file_fields[] = {
	CODE(enrol_file),
	COMPATIBLE(enrol_file),
	{ 0 },
};

static const struct api_field enroll_fields[] = {
	WHOLE(est_simpleenroll, csr, EST_CSR_MAX),
	{ 0 },
};

static const struct api_field reenroll_fields[] = {
	WHOLE(est_simplereenroll, csr, EST_CSR_MAX),
	{ 0 },
};

static const struct api_field ocsp_fields[] = {
	WHOLE(ocsp, question, EST_QUESTION_MAX),
	{ 0 },
};

static const struct api_field alarm_fields[] = {
	TEXT(audit_alarm, kind, 1, 32),
	{ "kept", FIELD_U64, false, 0, INT64_MAX, offsetof(struct msg_audit_alarm, kept), NULL },
	{ "shown", FIELD_U64, false, 0, INT64_MAX, offsetof(struct msg_audit_alarm, shown), NULL },
	{ 0 },
};

static const struct api_field recording_fields[] = {
	TEXT(recording_open, purpose, 1, 1024),
	TEXT(recording_open, code, 1, 16),
	{ 0 },
};

#define EXPORT_TIME(name, member)                                                                  \
	{                                                                                          \
		name, FIELD_U64, true, 0, INT64_MAX,                                               \
			offsetof(struct msg_recording_export, member), NULL                        \
	}

/* A recipient of no bytes is refused by the broker, which has it in the audit log. */
static const struct api_field export_fields[] = {
	TEXT(recording_export, purpose, 1, 1024),
	TEXT(recording_export, code, 1, 16),
	TEXT(recording_export, recipient, 0, 12288),
	TEXT(recording_export, language, 1, 8),
	EXPORT_TIME("from", from_us),
	EXPORT_TIME("to", to_us),
	{ 0 },
};

static const struct api_field note_fields[] = {
	{ "at", FIELD_U64, false, 0, (int64_t)1 << 53, offsetof(struct msg_note_add, at), NULL },
	TEXT(note_add, text, 1, 1600),
	{ 0 },
};

static const struct api_field note_withdraw_fields[] = {
	{ "note", FIELD_U64, false, 1, INT64_MAX, offsetof(struct msg_note_withdraw, note), NULL },
	{ 0 },
};

static const struct api_field watch_fields[] = {
	TEXT(live_watch, purpose, 1, 1024),
	TEXT(live_watch, code, 1, 16),
	{ 0 },
};

static const struct api_field live_end_fields[] = {
	TEXT(live_end, reason, 1, 1024),
	{ 0 },
};

#define MAYBE_TEXT(message, field, max_bytes)                                                      \
	{                                                                                          \
#field, FIELD_STRING, true, 0, max_bytes, offsetof(struct msg_##message, field),   \
			NULL                                                                       \
	}
#define MAYBE_NUMBER(message, name, field)                                                         \
	{                                                                                          \
		name, FIELD_U64, true, 0, INT64_MAX, offsetof(struct msg_##message, field), NULL   \
	}

#define SESSION_FIELDS(message)                                                                    \
	MAYBE_TEXT(message, person, 64), MAYBE_TEXT(message, pc, 64),                              \
		MAYBE_NUMBER(message, "device", audited_device), MAYBE_TEXT(message, client, 256), \
		MAYBE_TEXT(message, event, 64), MAYBE_NUMBER(message, "from", from),               \
		MAYBE_NUMBER(message, "to", to), MAYBE_NUMBER(message, "shortest", shortest),      \
		MAYBE_NUMBER(message, "longest", longest), MAYBE_NUMBER(message, "time", time),    \
		MAYBE_NUMBER(message, "number", number),                                           \
	{                                                                                          \
		0                                                                                  \
	}

static const struct api_field sessions_fields[] = { SESSION_FIELDS(audit_sessions) };
static const struct api_field live_fields[] = { SESSION_FIELDS(audit_live) };

static const struct api_field entries_fields[] = {
	TEXT(audit_entries, list, 1, 16),
	MAYBE_TEXT(audit_entries, person, 64),
	MAYBE_TEXT(audit_entries, event, 64),
	MAYBE_NUMBER(audit_entries, "from", from),
	MAYBE_NUMBER(audit_entries, "to", to),
	MAYBE_NUMBER(audit_entries, "time", time),
	MAYBE_NUMBER(audit_entries, "number", number),
	{ 0 },
};

static const struct api_field filter_fields[] = {
	TEXT(audit_filter_save, name, 1, 256),
	TEXT(audit_filter_save, query, 1, 1024),
	{ 0 },
};

static const struct api_field report_fields[] = {
	TEXT(audit_report, list, 1, 16),
	TEXT(audit_report, form, 1, 8),
	MAYBE_TEXT(audit_report, person, 64),
	MAYBE_TEXT(audit_report, pc, 64),
	MAYBE_NUMBER(audit_report, "from", from),
	MAYBE_NUMBER(audit_report, "to", to),
	{ 0 },
};

#define SESSION(message) offsetof(struct msg_##message, session)

const struct route api_routes[] = {
	{ METHOD_GET, "/api/office", 0, no_fields, 0, ROUTE_OFFICE },
	{ METHOD_POST, "/api/login", MSG_login_password, login_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/login/totp", MSG_login_totp, totp_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/logout", MSG_logout, no_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/api/me", MSG_me, no_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/unlock", MSG_unlock, unlock_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/api/hosts", MSG_host_list, no_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/hosts/{host}/wake", MSG_host_wake, no_fields,
	  offsetof(struct msg_host_wake, host), ROUTE_PLAIN },
	{ METHOD_GET, "/api/sessions", MSG_session_list, no_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/sessions", MSG_session_open, open_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/api/sessions/{session}", MSG_session_show, no_fields, SESSION(session_show),
	  ROUTE_PLAIN },
	{ METHOD_DELETE, "/api/sessions/{session}", MSG_session_end, no_fields,
	  SESSION(session_end), ROUTE_PLAIN },
	{ METHOD_POST, "/api/sessions/{session}/unlock", MSG_session_unlock, session_unlock_fields,
	  SESSION(session_unlock), ROUTE_PLAIN },
	{ METHOD_GET, "/api/sessions/{session}/stream", MSG_session_attach, no_fields,
	  SESSION(session_attach), ROUTE_STREAM },
	{ METHOD_GET, "/api/sessions/{session}/stream/{monitor}", MSG_session_attach, no_fields,
	  SESSION(session_attach), ROUTE_STREAM },
	{ METHOD_POST, "/api/device/renew", MSG_device_renew, renew_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/api/audit/checkpoint", MSG_audit_checkpoint, no_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/api/audit/checkpoint/{size}", MSG_audit_checkpoint, no_fields,
	  offsetof(struct msg_audit_checkpoint, old), ROUTE_PLAIN },
	{ METHOD_POST, "/api/audit/alarm", MSG_audit_alarm, alarm_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/api/audit/choices", MSG_audit_choices, no_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/audit/sessions", MSG_audit_sessions, sessions_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/audit/live", MSG_audit_live, live_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/audit/entries", MSG_audit_entries, entries_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/api/audit/sessions/{session}", MSG_audit_session, no_fields,
	  SESSION(audit_session), ROUTE_PLAIN },
	{ METHOD_POST, "/api/audit/filters", MSG_audit_filter_save, filter_fields, 0, ROUTE_PLAIN },
	{ METHOD_DELETE, "/api/audit/filters/{filter}", MSG_audit_filter_remove, no_fields,
	  offsetof(struct msg_audit_filter_remove, filter), ROUTE_PLAIN },
	{ METHOD_POST, "/api/audit/report", MSG_audit_report, report_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/api/recordings", MSG_recording_list, no_fields,
	  offsetof(struct msg_recording_list, before), ROUTE_LIST },
	{ METHOD_POST, "/api/recordings/{session}/open", MSG_recording_open, recording_fields,
	  SESSION(recording_open), ROUTE_PLAIN },
	{ METHOD_GET, "/api/recordings/{session}/stream", MSG_recording_attach, no_fields,
	  SESSION(recording_attach), ROUTE_STREAM },
	{ METHOD_GET, "/api/auditors", MSG_auditor_list, no_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/recordings/{session}/export", MSG_recording_export, export_fields,
	  SESSION(recording_export), ROUTE_PLAIN },
	{ METHOD_GET, "/api/recordings/{session}/export/stream", MSG_recording_export_attach,
	  no_fields, SESSION(recording_export_attach), ROUTE_STREAM },
	{ METHOD_GET, "/api/recordings/{session}/notes", MSG_note_list, no_fields,
	  SESSION(note_list), ROUTE_PLAIN },
	{ METHOD_POST, "/api/recordings/{session}/notes", MSG_note_add, note_fields,
	  SESSION(note_add), ROUTE_PLAIN },
	{ METHOD_POST, "/api/recordings/{session}/notes/withdraw", MSG_note_withdraw,
	  note_withdraw_fields, SESSION(note_withdraw), ROUTE_PLAIN },
	{ METHOD_GET, "/api/live", MSG_live_list, no_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/api/live/{session}/watch", MSG_live_watch, watch_fields,
	  SESSION(live_watch), ROUTE_PLAIN },
	{ METHOD_GET, "/api/live/{session}/stream", MSG_live_attach, no_fields,
	  SESSION(live_attach), ROUTE_STREAM },
	{ METHOD_POST, "/api/live/{session}/end", MSG_live_end, live_end_fields, SESSION(live_end),
	  ROUTE_PLAIN },
	{ METHOD_GET, "/api/vault/streams/{session}", MSG_record_attach, no_fields,
	  offsetof(struct msg_record_attach, stream), ROUTE_STREAM },
	{ METHOD_GET, "/api/admin/{command}", MSG_admin_look, no_fields, 0, ROUTE_ADMIN },
	{ METHOD_GET, "/api/admin/{command}/{after}", MSG_admin_look, no_fields,
	  offsetof(struct msg_admin_look, after), ROUTE_ADMIN },
	{ METHOD_POST, "/api/admin/{command}", MSG_admin_order, order_fields, 0, ROUTE_ADMIN },
	{ METHOD_POST, "/api/vault/{operation}", MSG_record_ask, record_fields, 0, ROUTE_PLAIN },
};
const size_t api_route_count = ARRAY_SIZE(api_routes);

/* No labels of CAs (RFC 7030 §3.2.2): the office has one. */
const struct route api_enrol_routes[] = {
	{ METHOD_GET, "/enrol/api/office", 0, no_fields, 0, ROUTE_OFFICE },
	{ METHOD_POST, "/enrol/api/look", MSG_enrol_look, look_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/enrol/api/request", MSG_enrol_request, request_fields, 0, ROUTE_PLAIN },
	{ METHOD_POST, "/enrol/api/file", MSG_enrol_file, file_fields, 0, ROUTE_PLAIN },
	{ METHOD_GET, "/.well-known/est/cacerts", MSG_est_cacerts, no_fields, 0, ROUTE_EST },
	{ METHOD_GET, "/.well-known/est/csrattrs", MSG_est_csrattrs, no_fields, 0, ROUTE_EST },
	{ METHOD_POST, "/.well-known/est/simpleenroll", MSG_est_simpleenroll, enroll_fields, 0,
	  ROUTE_EST },
	{ METHOD_POST, "/.well-known/est/simplereenroll", MSG_est_simplereenroll, reenroll_fields,
	  0, ROUTE_EST },
	{ METHOD_POST, "/ocsp", MSG_ocsp, ocsp_fields, 0, ROUTE_OCSP },
	{ METHOD_GET, "/ocsp/{question}", MSG_ocsp, ocsp_fields, 0, ROUTE_OCSP },
	{ METHOD_GET, "/ca.crt", 0, no_fields, 0, ROUTE_CA },
	{ METHOD_GET, "/crl.der", 0, no_fields, 0, ROUTE_CRL },
	{ METHOD_GET, "/crl/{issuer}.der", 0, no_fields, 0, ROUTE_CRL },
};
const size_t api_enrol_route_count = ARRAY_SIZE(api_enrol_routes);

/* Every request begins with REQUEST_HEAD, so that one function fills it. */
#define SAME_HEAD(message)                                                                         \
	_Static_assert(                                                                            \
		offsetof(struct msg_##message, request) == offsetof(struct msg_me, request) &&     \
			offsetof(struct msg_##message, device) ==                                  \
				offsetof(struct msg_me, device) &&                                 \
			offsetof(struct msg_##message, address) ==                                 \
				offsetof(struct msg_me, address) &&                                \
			offsetof(struct msg_##message, token) == offsetof(struct msg_me, token),   \
		#message " begins with REQUEST_HEAD")
SAME_HEAD(login_password);
SAME_HEAD(login_totp);
SAME_HEAD(logout);
SAME_HEAD(host_list);
SAME_HEAD(host_wake);
SAME_HEAD(session_list);
SAME_HEAD(session_open);
SAME_HEAD(session_show);
SAME_HEAD(session_end);
SAME_HEAD(session_unlock);
SAME_HEAD(session_attach);
SAME_HEAD(unlock);
SAME_HEAD(device_renew);
SAME_HEAD(recording_list);
SAME_HEAD(recording_open);
SAME_HEAD(recording_attach);
SAME_HEAD(auditor_list);
SAME_HEAD(recording_export);
SAME_HEAD(recording_export_attach);
SAME_HEAD(note_list);
SAME_HEAD(note_add);
SAME_HEAD(note_withdraw);
SAME_HEAD(live_list);
SAME_HEAD(live_watch);
SAME_HEAD(live_attach);
SAME_HEAD(live_end);
SAME_HEAD(record_attach);
SAME_HEAD(admin_look);
SAME_HEAD(admin_order);
SAME_HEAD(record_ask);
SAME_HEAD(audit_checkpoint);
SAME_HEAD(audit_alarm);
SAME_HEAD(audit_choices);
SAME_HEAD(audit_sessions);
SAME_HEAD(audit_live);
SAME_HEAD(audit_entries);
SAME_HEAD(audit_session);
SAME_HEAD(audit_filter_save);
SAME_HEAD(audit_filter_remove);
SAME_HEAD(audit_report);
SAME_HEAD(enrol_look);
SAME_HEAD(enrol_request);
SAME_HEAD(enrol_file);
SAME_HEAD(est_cacerts);
SAME_HEAD(est_csrattrs);
SAME_HEAD(est_simpleenroll);
SAME_HEAD(est_simplereenroll);
SAME_HEAD(ocsp);

void api_init(void)
{
	/* Bodies hold passwords. */
	json_set_alloc_funcs(secret_malloc, secret_malloc_free);
}

enum err api_error(struct buf *buf, enum err error, const char *field, unsigned retry_s)
{
	enum err err;

	/* Codes and field names are our own constants: nothing to escape. */
	err = buf_printf(buf, "{\"error\":\"%s\"", err_code(error));
	if (!err && field)
		err = buf_printf(buf, ",\"field\":\"%s\"", field);
	if (!err && retry_s)
		err = buf_printf(buf, ",\"retry_s\":%u", retry_s);
	return err ? err : buf_add(buf, "}", 1);
}

enum err api_office(struct buf *buf, const char *office, const char *gateway)
{
	json_t *object = json_pack("{s:s,s:s}", "office", office, "version", SEKISHO_VERSION);
	json_t *url = gateway ? json_sprintf("%s/", gateway) : NULL;
	bool lacks = gateway && json_object_set_new(object, "gateway", url);
	char *text = object && !lacks ? json_dumps(object, JSON_COMPACT) : NULL;
	enum err err;

	json_decref(object);
	if (!text)
		return ERR_NOMEM;
	err = buf_add(buf, text, strlen(text));
	secret_malloc_free(text);
	return err;
}
