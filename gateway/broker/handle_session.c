/*
 * handle_session.c - requests about sessions that are there. A session of somebody else is as good
 * as none.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/handlers.h"
#include "broker/person.h"
#include "broker/session.h"

static struct session *mine(struct request *request, const uint8_t id[WIRE_SESSION_ID])
{
	struct session *session = session_find(request->broker, id);

	return session && session->row.account == request->account.id ? session : NULL;
}

enum err handle_session_list(struct request *request)
{
	json_t *list = json_array();

	for (struct session *session = request->broker->sessions; session; session = session->next)
		if (session->row.account == request->account.id && session_alive(session) &&
		    json_array_append_new(list, session_json(&session->row)) != 0) {
			json_decref(list);
			return ERR_NOMEM;
		}
	reply_json(request->broker, &request->to, 200, "", json_pack("{s:o}", "sessions", list));
	return OK;
}

/* The end of a session can be asked for although memory has forgotten it. */
static enum err mine_or_ended(struct request *request, const uint8_t id[WIRE_SESSION_ID],
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
	enum err err = mine_or_ended(request, request->msg->session_show.session, &row);

	if (err)
		return err;
	reply_json(request->broker, &request->to, 200, "", session_json(&row));
	return OK;
}

enum err handle_session_end(struct request *request)
{
	struct session *session = mine(request, request->msg->session_end.session);
	struct session_row row;
	enum err err;

	if (session)
		session_finish(session, END_LOGOUT, SESSION_STOP_MS);
	err = mine_or_ended(request, request->msg->session_end.session, &row);
	if (err)
		return err;
	reply_json(request->broker, &request->to, 200, "", session_json(&row));
	return OK;
}

/* ---- viewing -----------------------------------------------------------------------------------
 */

static enum err attach_record(struct request *request, struct session *session)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	struct audit_entry entry = request_audit(request, "session-attach", NULL);
	enum err err = db_tx_begin(&tx, db);

	entry.host = session->row.host;
	entry.session = session->id_text;
	if (!err)
		err = session_row_set_device(db, session->row.id, request->device.id);
	if (!err)
		err = audit_append(db, &entry);
	return err ? err : db_tx_commit(&tx);
}

enum err handle_session_attach(struct request *request)
{
	struct session *session = mine(request, request->msg->session_attach.session);
	enum err err;
	int fd;

	if (!session)
		return ERR_NOT_FOUND;
	if (!session_alive(session))
		return ERR_WRONG_STATE;
	if (session->row.state == SESSION_LOCKED)
		return ERR_LOCKED;
	if (!session->worker)
		return ERR_UNAVAILABLE;
	err = attach_record(request, session);
	if (!err)
		err = session_add_viewer(session, &fd);
	if (err)
		return err;
	session->row.device = request->device.id;
	session->login = request->login.id;
	reply_fd(request->broker, &request->to, session_json(&session->row), fd);
	return OK;
}

/* ---- unlocking ---------------------------------------------------------------------------------
 */

struct unlock_job {
	struct broker *broker;
	struct reply_to to;
	struct person_try try;
	uint8_t session[WIRE_SESSION_ID];
	int64_t login;
};

/* Everything is looked up again: the session may have ended, the login been cut. */
static enum err unlock_now(struct unlock_job *job, struct session **ret)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = job->broker->db;
	struct session *session = session_find(job->broker, job->session);
	struct audit_entry entry = person_audit(&job->try, "session-unlock", NULL);
	struct login_row login;
	enum err err = login_row_by_id(db, job->login, &login);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_AUTH : err;
	if (!session || session->row.state != SESSION_LOCKED ||
	    session->row.account != job->try.login.account)
		return ERR_WRONG_STATE;
	entry.session = session->id_text;
	entry.host = session->row.host;
	err = db_tx_begin(&tx, db);
	if (!err)
		err = login_refund(db, &job->try.login);
	if (!err)
		err = audit_append(db, &entry);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		err = session_unlock(session);
	if (!err)
		*ret = session;
	return err;
}

static void unlock_done(void *ctx, enum err result, const char *hash)
{
	_cleanup_free_ struct unlock_job *job = ctx;
	struct session *session = NULL;
	enum err err = result;

	(void)hash;
	if (err == ERR_LOGIN)
		err = person_failed(job->broker, &job->try, "unlock");
	else if (!err)
		err = unlock_now(job, &session);
	if (err) {
		reply_error(job->broker, &job->to, err);
		return;
	}
	throttle_refund(job->broker->addresses, job->try.address);
	reply_json(job->broker, &job->to, 200, "", session_json(&session->row));
}

enum err handle_session_unlock(struct request *request)
{
	const struct msg_session_unlock *msg = &request->msg->session_unlock;
	_cleanup_secret_ struct secret *password = NULL;
	_cleanup_free_ struct unlock_job *job = NULL;
	const struct session *session = mine(request, msg->session);
	enum err err;

	if (!session)
		return ERR_NOT_FOUND;
	if (session->row.state != SESSION_LOCKED)
		return ERR_WRONG_STATE;
	job = calloc(1, sizeof(*job));
	if (!job)
		return ERR_NOMEM;
	job->broker = request->broker;
	job->to = request->to;
	job->login = request->login.id;
	memcpy(job->session, msg->session, sizeof(job->session));
	person_try_init(&job->try, request->account.id, request->device.id, request->account.name,
			request->head->address);
	err = secret_new(msg->password, strlen(msg->password), &password);
	if (!err)
		err = person_compare(request->broker, &request->to, &job->try, password,
				     request->account.password, unlock_done, job);
	if (!err)
		util_take_ptr(job);
	return err == ERR_THROTTLED ? OK : err;
}
