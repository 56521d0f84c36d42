/*
 * handle_session.c - requests about sessions that are there. A session of somebody else is as good
 * as none.
 */
#include <string.h>

#include "broker/handlers.h"
#include "broker/quota.h"
#include "broker/session.h"

static struct session *mine(struct request *request, const uint8_t id[WIRE_SESSION_ID])
{
	struct session *session = session_find(request->broker, id);

	return session && session->row.account == request->account.id ? session : NULL;
}

/* To a locked login all its person's sessions are. */
static json_t *seen_json(const struct request *request, const struct session_row *row)
{
	struct session_row seen = *row;

	if (request->login.locked && seen.state != SESSION_ENDED)
		seen.state = SESSION_LOCKED;
	return session_json(&seen);
}

enum err handle_session_list(struct request *request)
{
	json_t *list = json_array();

	for (struct session *session = request->broker->sessions; session; session = session->next)
		if (session->row.account == request->account.id && session_alive(session) &&
		    json_array_append_new(list, seen_json(request, &session->row)) != 0) {
			json_decref(list);
			return ERR_NOMEM;
		}
	reply_json(request->broker, &request->to, 200, "", json_pack("{s:o}", "sessions", list));
	return OK;
}

/* The end of a session can be asked for although memory has forgotten it. */
enum err session_mine(struct request *request, const uint8_t id[WIRE_SESSION_ID],
		      struct session_row *ret)
{
	const struct session *session = mine(request, id);
	struct session_row row;
	enum err err;

	if (session) {
		*ret = session->row;
		return OK;
	}
	err = session_row_get(request->broker->db, id, &row);
	if (err)
		return err;
	if (row.account != request->account.id || row.state != SESSION_ENDED ||
	    request->now_s - row.ended_s > SESSION_SHOW_S)
		return ERR_NOT_FOUND;
	*ret = row;
	return OK;
}

enum err handle_session_show(struct request *request)
{
	struct session_row row;
	enum err err = session_mine(request, request->msg->session_show.session, &row);

	if (err)
		return err;
	reply_json(request->broker, &request->to, 200, "", seen_json(request, &row));
	return OK;
}

enum err handle_session_end(struct request *request)
{
	struct session *session = mine(request, request->msg->session_end.session);
	struct session_row row;
	enum err err;

	if (session)
		session_finish(session, END_LOGOUT, SESSION_STOP_MS);
	err = session_mine(request, request->msg->session_end.session, &row);
	if (err)
		return err;
	reply_json(request->broker, &request->to, 200, "", session_json(&row));
	return OK;
}

/* ---- viewing ---------------------------------------------------------------------------- */

static enum err attach_record(struct request *request, struct session *session, unsigned monitor)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	json_t *detail = monitor ? json_pack("{s:i}", "monitor", (int)monitor) : NULL;
	struct audit_entry entry = request_audit(request, "session-attach", detail);
	enum err err = db_tx_begin(&tx, db);

	entry.host = session->row.host;
	entry.session = session->id_text;
	if (err) {
		json_decref(detail);
		return err;
	}
	if (!monitor)
		err = session_row_set_viewer(db, session->row.id, request->device.id,
					     request->login.id);
	if (!err)
		err = audit_append(db, &entry);
	else
		json_decref(detail);
	return err ? err : db_tx_commit(&tx);
}

static enum err attach_allowed(const struct request *request, const struct session *session,
			       unsigned monitor)
{
	if (!session_alive(session))
		return ERR_WRONG_STATE;
	if (session->row.state == SESSION_LOCKED)
		return ERR_LOCKED;
	if (!session->worker)
		return ERR_UNAVAILABLE;
	if (!monitor)
		return OK;
	if (monitor >= SESSION_MONITORS)
		return ERR_INVALID;
	/* Another window of whoever has the first: nobody looks on from elsewhere. */
	if (session->row.login != request->login.id || session->row.device != request->device.id)
		return ERR_WRONG_STATE;
	/* After a lost connection both come back in any order. */
	return session->viewers ? OK : ERR_UNAVAILABLE;
}

/* The recording says who looks from where. */
static enum err add_viewer(struct request *request, struct session *session, unsigned monitor,
			   int *ret_fd)
{
	json_t *event = json_pack("{s:s, s:s, s:s}", "event", "viewer-joined", "device",
				  request->device.name, "address", request->head->address);
	char *joined = event ? json_dumps(event, JSON_COMPACT) : NULL;
	enum err err = joined ? session_add_viewer(session, monitor, joined, ret_fd) : ERR_NOMEM;

	reply_text_free(joined);
	json_decref(event);
	return err;
}

enum err handle_session_attach(struct request *request)
{
	struct session *session = mine(request, request->msg->session_attach.session);
	unsigned monitor = request->msg->session_attach.monitor;
	enum err err = session ? attach_allowed(request, session, monitor) : ERR_NOT_FOUND;
	int fd;

	if (err)
		return err;
	err = quota_take(request->broker, &request->to, request->account.id, QUOTA_SESSION);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = attach_record(request, session, monitor);
	if (!err)
		err = add_viewer(request, session, monitor, &fd);
	if (err)
		return err;
	if (!monitor) {
		session->row.device = request->device.id;
		session->row.login = request->login.id;
	}
	session->may_say += SESSION_SAYS_VIEWER;
	reply_fd(request->broker, &request->to, session_json(&session->row), fd);
	return OK;
}
