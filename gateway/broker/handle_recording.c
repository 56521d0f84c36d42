/*
 * handle_recording.c - recordings, for auditors: what there are, opening one for a purpose and with
 * a fresh code, and its stream. Every refusal is in the audit log.
 */
#include <string.h>

#include "base/log.h"
#include "broker/handlers.h"
#include "broker/opening.h"
#include "broker/playback.h"
#include "broker/quota.h"
#include "broker/session.h"
#include "store/playbacks.h"

enum { LIST_BYTES = 80 * 1024 }; /* of an answer's 96 KiB */

static const uint8_t *session_of(const struct request *request, uint16_t id)
{
	switch (id) {
	case MSG_recording_open:
		return request->msg->recording_open.session;
	case MSG_recording_attach:
		return request->msg->recording_attach.session;
	case MSG_recording_export:
		return request->msg->recording_export.session;
	case MSG_recording_export_attach:
		return request->msg->recording_export_attach.session;
	case MSG_note_list:
		return request->msg->note_list.session;
	case MSG_note_add:
		return request->msg->note_add.session;
	case MSG_note_withdraw:
		return request->msg->note_withdraw.session;
	default:
		return NULL;
	}
}

bool recording_denied(struct request *request, uint16_t id, enum err why)
{
	enum err err =
		quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORDING);

	if (!err)
		err = opening_record_refusal(request, "recording-refused", session_of(request, id),
					     why, NULL);
	if (err && err != ERR_THROTTLED)
		log_error("recording-refusal-unrecorded", "error=%s", err_code(err));
	return err == ERR_THROTTLED;
}

/* ---- the list --------------------------------------------------------------------------- */

static json_t *shown_json(const struct playback_shown *shown, int64_t now_s)
{
	const struct recording_row *row = &shown->row;
	int64_t until_ms = row->ended_ms ? row->ended_ms : now_s * 1000;
	char id[SESSION_ID_TEXT + 1];

	util_hex(row->session, sizeof(row->session), id);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:s, s:b}", "id", id, "person",
		shown->account, "full_name", shown->full_name, "pc", shown->host, "device",
		shown->device, "address", shown->address, "started", (json_int_t)row->started_ms,
		"ended", row->ended_ms ? json_integer((json_int_t)row->ended_ms) : json_null(),
		"seconds", (json_int_t)(MAX(until_ms - row->started_ms, (int64_t)0) / 1000), "size",
		(json_int_t)row->size, "state", recording_state_code((unsigned)row->state), "hold",
		row->hold);
}

static enum err list(struct request *request, json_t *rows, int64_t *ret_next)
{
	_cleanup_query_ struct query query = { 0 };
	struct playback_shown shown;
	size_t bytes = 0;
	int64_t last = 0;
	bool more;
	enum err err;

	playback_shown_list(&query, request->broker->db,
			    (int64_t)request->msg->recording_list.before);
	while (!(err = playback_shown_next(&query, &shown, &more)) && more) {
		json_t *row = shown_json(&shown, request->now_s);

		bytes += row ? json_dumpb(row, NULL, 0, JSON_COMPACT) + 1 : 0;
		if (row && last && bytes > LIST_BYTES) {
			json_decref(row);
			*ret_next = last;
			return OK;
		}
		if (!row || json_array_append_new(rows, row))
			return ERR_NOMEM;
		last = shown.row.id;
	}
	return err;
}

enum err handle_recording_list(struct request *request)
{
	json_t *rows = json_array();
	int64_t next = 0;
	enum err err = ERR_INVALID;

	if (request->msg->recording_list.before <= INT64_MAX)
		err = rows ? list(request, rows, &next) : ERR_NOMEM;
	if (err) {
		json_decref(rows);
		return err;
	}
	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:o, s:o}", "recordings", rows, "next",
			     next ? json_integer((json_int_t)next) : json_null()));
	return OK;
}

/* ---- opening ---------------------------------------------------------------------------- */

static enum err take_code(struct request *request, const struct opening *opening)
{
	const struct msg_recording_open *msg = &request->msg->recording_open;
	char id[SESSION_ID_TEXT + 1];
	struct audit_entry entry = request_audit(request, "recording-open",
						 json_pack("{s:s}", "purpose", msg->purpose));

	util_hex(msg->session, sizeof(msg->session), id);
	entry.session = id;
	entry.host = opening->session.host;
	return opening_take_code(request, msg->code, "recording", &entry);
}

static enum err open_it(struct request *request, struct opening *opening)
{
	const struct msg_recording_open *msg = &request->msg->recording_open;
	const struct playback_order order = {
		.session = msg->session,
		.host = opening->session.host,
		.marks = { opening->marks.data, opening->marks.len },
		.live = opening->row.state == RECORDING_OPEN,
		.fd = util_take_fd(&opening->fd),
	};
	char id[SESSION_ID_TEXT + 1];
	enum err err = playback_begin(request, &order);

	if (err)
		return err;
	util_hex(msg->session, sizeof(msg->session), id);
	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:s++}", "stream", "/api/recordings/", id, "/stream"));
	return OK;
}

enum err handle_recording_open(struct request *request)
{
	const struct msg_recording_open *msg = &request->msg->recording_open;
	struct opening opening;
	enum err err;

	err = quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORDING);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	opening_init(&opening);
	err = opening_prepare(request, msg->session, msg->purpose, &opening);
	if (err) {
		err = opening_refuse(request, "recording-refused", msg->session, err,
				     opening.field);
	} else {
		err = take_code(request, &opening);
		if (!err)
			err = open_it(request, &opening);
		else if (err == ERR_THROTTLED) /* answered */
			err = opening_record_refusal(request, "recording-refused", msg->session,
						     err, "code");
		else
			err = opening_refuse(request, "recording-refused", msg->session, err, NULL);
	}
	opening_finish(&opening);
	return err;
}

enum err handle_recording_attach(struct request *request)
{
	const uint8_t *session = request->msg->recording_attach.session;
	int fd;
	enum err err =
		quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORDING);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = playback_take(request, session, &fd);
	if (err)
		return opening_refuse(request, "recording-refused", session, err, NULL);
	reply_fd(request->broker, &request->to, json_object(), fd);
	return OK;
}
