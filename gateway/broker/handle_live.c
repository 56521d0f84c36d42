/*
 * handle_live.c - sessions that go on, for administrators and auditors: which there are, looking on
 * for a purpose and with a fresh code, and ending one with a reason. Every refusal is in the audit
 * log.
 */
#include <string.h>

#include "base/log.h"
#include "broker/handlers.h"
#include "broker/opening.h"
#include "broker/quota.h"
#include "broker/watch.h"

enum { LIST_BYTES = 80 * 1024 }; /* of an answer's 96 KiB */

/* ---- refusals --------------------------------------------------------------------------- */

static const char refused[] = "session-watch-refused";

static const uint8_t *session_of(const struct request *request, uint16_t id)
{
	return id == MSG_live_watch    ? request->msg->live_watch.session
	       : id == MSG_live_attach ? request->msg->live_attach.session
	       : id == MSG_live_end    ? request->msg->live_end.session
				       : NULL;
}

bool live_denied(struct request *request, uint16_t id, enum err why)
{
	enum err err = quota_take(request->broker, &request->to, request->account.id, QUOTA_WATCH);

	if (!err)
		err = opening_record_refusal(request, refused, session_of(request, id), why, NULL);
	if (err && err != ERR_THROTTLED)
		log_error("watch-refusal-unrecorded", "error=%s", err_code(err));
	return err == ERR_THROTTLED;
}

/* ---- the list --------------------------------------------------------------------------- */

static json_t *live_json(struct broker *broker, const struct session *session)
{
	const struct session_row *row = &session->row;
	struct account account;
	struct device device;

	if (account_by_id(broker->db, row->account, &account) ||
	    device_by_id(broker->db, row->device, &device))
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:b, s:o}", "id",
			 session->id_text, "person", account.name, "full_name", account.full_name,
			 "pc", row->host_name, "device", device.name, "address",
			 device.seen_address, "started", (json_int_t)row->started_s, "state",
			 session_state_code((unsigned)row->state), "view_only", row->view_only,
			 "watchers", watch_names(session));
}

/* more: there are some that do not fit. */
static enum err list(struct broker *broker, json_t *rows, bool *ret_more)
{
	size_t bytes = 0;

	*ret_more = false;
	for (const struct session *session = broker->sessions; session; session = session->next) {
		json_t *row = session_alive(session) ? live_json(broker, session) : NULL;

		if (!session_alive(session))
			continue;
		bytes += row ? json_dumpb(row, NULL, 0, JSON_COMPACT) + 1 : 0;
		if (row && bytes > LIST_BYTES) {
			json_decref(row);
			*ret_more = true;
			return OK;
		}
		if (!row || json_array_append_new(rows, row))
			return ERR_NOMEM;
	}
	return OK;
}

enum err handle_live_list(struct request *request)
{
	json_t *rows = json_array();
	bool more = false;
	enum err err = rows ? list(request->broker, rows, &more) : ERR_NOMEM;

	if (err) {
		json_decref(rows);
		return err;
	}
	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:o, s:b, s:i}", "sessions", rows, "more", more, "watch",
			     (int)watch_right(&request->account)));
	return OK;
}

/* ---- looking on ------------------------------------------------------------------------- */

static enum err watch_check(struct request *request, const struct session *session,
			    const char **ret_field)
{
	*ret_field = NULL;
	if (!watch_right(&request->account))
		return ERR_DENIED;
	if (!session || !session_alive(session))
		return ERR_NOT_FOUND;
	*ret_field = "self";
	if (session->row.account == request->account.id)
		return ERR_DENIED;
	*ret_field = "purpose";
	if (!opening_purpose_is_good(request->msg->live_watch.purpose))
		return ERR_INVALID;
	*ret_field = "watchers";
	return watch_full(session, request->account.id) ? ERR_WRONG_STATE : OK;
}

static enum err take_code(struct request *request, const struct session *session)
{
	const struct msg_live_watch *msg = &request->msg->live_watch;
	struct audit_entry entry =
		request_audit(request, "session-watch",
			      json_pack("{s:s, s:s, s:b}", "purpose", msg->purpose, "person",
					session->row.account_name, "may_control",
					watch_right(&request->account) == ACCOUNT_WATCH_CONTROL));

	entry.session = session->id_text;
	entry.host = session->row.host;
	return opening_take_code(request, msg->code, "watch", &entry);
}

static enum err watch(struct request *request, struct session *session)
{
	enum err err = watch_begin(request, session, request->msg->live_watch.purpose);

	if (err)
		return err;
	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:s++}", "stream", "/api/live/", session->id_text, "/stream"));
	return OK;
}

enum err handle_live_watch(struct request *request)
{
	const uint8_t *id = request->msg->live_watch.session;
	struct session *session = session_find(request->broker, id);
	const char *field;
	enum err err = quota_take(request->broker, &request->to, request->account.id, QUOTA_WATCH);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = watch_check(request, session, &field);
	if (err)
		return opening_refuse(request, refused, id, err, field);
	err = take_code(request, session);
	if (!err)
		return watch(request, session);
	if (err == ERR_THROTTLED) /* answered */
		return opening_record_refusal(request, refused, id, err, "code");
	return opening_refuse(request, refused, id, err, NULL);
}

enum err handle_live_attach(struct request *request)
{
	const uint8_t *id = request->msg->live_attach.session;
	int fd;
	enum err err = quota_take(request->broker, &request->to, request->account.id, QUOTA_WATCH);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = watch_right(&request->account) ? watch_take(request, id, &fd) : ERR_DENIED;
	if (err)
		return opening_refuse(request, refused, id, err, NULL);
	reply_fd(request->broker, &request->to, json_object(), fd);
	return OK;
}

/* ---- ending ----------------------------------------------------------------------------- */

static bool may_end(const struct account *account)
{
	return account->role == ACCOUNT_ADMIN || watch_right(account);
}

/* With the words for the person, which must not be lost when the broker is. */
static enum err record_words(struct request *request, struct session *session)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	const char *words = request->msg->live_end.reason;
	struct audit_entry entry = request_audit(
		request, "session-terminated",
		json_pack("{s:s, s:s}", "reason", words, "person", session->row.account_name));
	enum err err = db_tx_begin(&tx, db);

	entry.session = session->id_text;
	entry.host = session->row.host;
	if (!err)
		err = session_row_set_words(db, session->row.id, request->account.full_name, words);
	if (err) {
		json_decref(entry.detail);
		return err;
	}
	err = audit_append(db, &entry);
	return err ? err : db_tx_commit(&tx);
}

enum err handle_live_end(struct request *request)
{
	const struct msg_live_end *msg = &request->msg->live_end;
	struct session *session = session_find(request->broker, msg->session);
	enum err err = quota_take(request->broker, &request->to, request->account.id, QUOTA_WATCH);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	if (!may_end(&request->account))
		return opening_refuse(request, refused, msg->session, ERR_DENIED, NULL);
	if (!session || !session_alive(session))
		return opening_refuse(request, refused, msg->session, ERR_NOT_FOUND, NULL);
	if (!opening_purpose_is_good(msg->reason))
		return opening_refuse(request, refused, msg->session, ERR_INVALID, "reason");
	err = record_words(request, session);
	if (err)
		return err;
	session_terminate(session, &request->account, msg->reason);
	reply_json(request->broker, &request->to, 200, "", json_object());
	return OK;
}
