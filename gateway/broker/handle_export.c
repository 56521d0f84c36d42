/*
 * handle_export.c - videos of recordings, for auditors: to whom one can be encrypted, ordering it
 * for a purpose and with a fresh code, and its stream. Every refusal is in the audit log.
 */
#include "broker/exporting.h"
#include "broker/handlers.h"
#include "broker/quota.h"
#include "broker/session.h"

/* ---- recipients ------------------------------------------------------------------------- */

static json_t *auditor_json(const struct auditor_row *row)
{
	char fingerprint[2 * AUDITOR_FINGERPRINT + 1];

	util_hex(row->fingerprint, sizeof(row->fingerprint), fingerprint);
	return json_pack("{s:I, s:s, s:s, s:I, s:s}", "id", (json_int_t)row->id, "name", row->name,
			 "kind", auditor_kind_code((unsigned)row->kind), "until",
			 (json_int_t)row->not_after_s, "fingerprint", fingerprint);
}

/* Those of addressee_find; the office has a few. */
enum err handle_auditor_list(struct request *request)
{
	_cleanup_query_ struct query query = { 0 };
	json_t *rows = json_array();
	struct auditor_row row;
	bool more;
	enum err err;

	auditor_list(&query, request->broker->db);
	while (!(err = auditor_next(&query, &row, &more)) && more) {
		if (row.state != AUDITOR_USED || row.kind != AUDITOR_PERSON ||
		    row.not_after_s <= request->now_s)
			continue;
		if (json_array_append_new(rows, auditor_json(&row)))
			err = ERR_NOMEM;
		if (err)
			break;
	}
	if (err) {
		json_decref(rows);
		return err;
	}
	reply_json(request->broker, &request->to, 200, "", json_pack("{s:o}", "auditors", rows));
	return OK;
}

/* ---- ordering --------------------------------------------------------------------------- */

static const struct msg_recording_export *message(const struct request *request)
{
	return &request->msg->recording_export;
}

/* What else has to be known before the code is used up. */
static enum err check(struct request *request, struct opening *opening, struct addressee *recipient)
{
	const struct msg_recording_export *msg = message(request);
	enum err err = opening_prepare(request, msg->session, msg->purpose, opening);

	if (err)
		return err;
	opening->field = "to";
	if (msg->to_us > INT64_MAX || (msg->to_us && msg->from_us >= msg->to_us))
		return ERR_INVALID;
	opening->field = "from";
	if (msg->from_us > INT64_MAX)
		return ERR_INVALID;
	opening->field = "language";
	if (!util_streq(msg->language, "ja") && !util_streq(msg->language, "en"))
		return ERR_INVALID;
	opening->field = "recipient";
	err = addressee_find(request->broker->db, msg->recipient, request->now_s, recipient);
	if (err)
		return err;
	opening->field = "export";
	err = exporting_room(request->broker, request->account.id);
	if (!err)
		opening->field = NULL;
	return err;
}

static enum err take_code(struct request *request, const struct opening *opening,
			  const struct addressee *recipient)
{
	const struct msg_recording_export *msg = message(request);
	char id[SESSION_ID_TEXT + 1];
	struct audit_entry entry = request_audit(
		request, "recording-export",
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "purpose", msg->purpose, "recipient",
			  recipient->fingerprint, "subject", recipient->subject, "auditor",
			  (json_int_t)recipient->auditor, "from_us", (json_int_t)msg->from_us,
			  "to_us", (json_int_t)msg->to_us));

	util_hex(msg->session, sizeof(msg->session), id);
	entry.session = id;
	entry.host = opening->session.host;
	return opening_take_code(request, msg->code, "recording", &entry);
}

static enum err begin(struct request *request, struct opening *opening,
		      const struct addressee *recipient)
{
	const struct msg_recording_export *msg = message(request);
	const struct exporting_order order = {
		.session = msg->session,
		.opening = opening,
		.recipient = recipient,
		.purpose = msg->purpose,
		.language = msg->language,
		.from_us = msg->from_us,
		.to_us = msg->to_us,
	};
	char id[SESSION_ID_TEXT + 1];
	enum err err = exporting_begin(request, &order);

	if (err)
		return err;
	util_hex(msg->session, sizeof(msg->session), id);
	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:s++}", "stream", "/api/recordings/", id, "/export/stream"));
	return OK;
}

static enum err order(struct request *request, struct opening *opening, struct addressee *recipient)
{
	const uint8_t *session = message(request)->session;
	enum err err = check(request, opening, recipient);

	if (err)
		return opening_refuse(request, "recording-refused", session, err, opening->field);
	err = take_code(request, opening, recipient);
	if (!err)
		return begin(request, opening, recipient);
	if (err == ERR_THROTTLED) /* answered */
		return opening_record_refusal(request, "recording-refused", session, err, "code");
	return opening_refuse(request, "recording-refused", session, err, NULL);
}

enum err handle_recording_export(struct request *request)
{
	struct addressee recipient;
	struct opening opening;
	enum err err =
		quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORDING);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	opening_init(&opening);
	addressee_init(&recipient);
	err = order(request, &opening, &recipient);
	addressee_finish(&recipient);
	opening_finish(&opening);
	return err;
}

enum err handle_recording_export_attach(struct request *request)
{
	const uint8_t *session = request->msg->recording_export_attach.session;
	int fd;
	enum err err =
		quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORDING);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = exporting_take(request, session, &fd);
	if (err)
		return opening_refuse(request, "recording-refused", session, err, NULL);
	reply_fd(request->broker, &request->to, json_object(), fd);
	return OK;
}
