/*
 * handle_unlock.c - the password again, after nobody was there: it opens the login and the sessions
 * that the login left locked.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/handlers.h"
#include "broker/person.h"
#include "broker/session.h"

struct unlock_job {
	struct broker *broker;
	struct reply_to to;
	struct person_try try;
	int64_t login;
	/* That was named, as it was then; account is 0 when none was. */
	struct session_row session;
};

static bool is_meant(const struct unlock_job *job, const struct session *session)
{
	return session->row.account == job->try.login.account &&
	       (session->row.login == job->login ||
		memcmp(session->row.id, job->session.id, sizeof(job->session.id)) == 0);
}

/* Everything is looked up again: the account may be locked by now, the login been cut. */
static enum err check_again(const struct unlock_job *job, struct login_row *ret)
{
	struct account account;
	struct login_row login;
	int64_t now_s = clock_wall_s();
	enum err err = login_row_by_id(job->broker->db, job->login, &login);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_AUTH : err;
	if (now_s >= login.expires_s ||
	    !person_welcome(job->broker, &job->try.login, now_s, &account))
		return ERR_AUTH;
	*ret = login;
	return OK;
}

static enum err record(struct unlock_job *job, const struct login_row *login)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = job->broker->db;
	struct audit_entry entry = person_audit(&job->try, "unlock", NULL);
	char id[SESSION_ID_TEXT + 1];
	enum err err = db_tx_begin(&tx, db);

	if (job->session.account) {
		util_hex(job->session.id, sizeof(job->session.id), id);
		entry.session = id;
		entry.host = job->session.host;
	}
	if (!err)
		err = login_refund(db, &job->try.login);
	if (!err)
		err = login_row_set_locked(db, login->id, false);
	if (!err)
		err = login_row_touch(db, login->id, clock_wall_s());
	if (!err)
		err = audit_append(db, &entry);
	return err ? err : db_tx_commit(&tx);
}

/* One without a worker ends soon; the others and the login are open all the same. */
static void unlock_sessions(struct unlock_job *job)
{
	for (struct session *session = job->broker->sessions; session; session = session->next) {
		enum err err;

		if (session->row.state != SESSION_LOCKED || !is_meant(job, session))
			continue;
		err = session_unlock(session);
		if (err)
			log_warn("session-unlock-failed", "session=%s error=%s", session->id_text,
				 err_code(err));
	}
}

static void answer(struct unlock_job *job)
{
	const struct session *session = session_find(job->broker, job->session.id);

	reply_json(job->broker, &job->to, 200, "",
		   !job->session.account ? json_object()
		   : session             ? session_json(&session->row)
					 : session_json(&job->session));
}

static void unlock_done(void *ctx, enum err result, const char *hash)
{
	_cleanup_free_ struct unlock_job *job = ctx;
	struct login_row login;
	enum err err = result;

	(void)hash;
	if (err == ERR_LOGIN)
		err = person_failed(job->broker, &job->try, "unlock");
	else if (!err)
		err = check_again(job, &login);
	if (!err)
		err = record(job, &login);
	if (err) {
		reply_error(job->broker, &job->to, err);
		return;
	}
	throttle_refund(job->broker->addresses, job->try.address);
	unlock_sessions(job);
	answer(job);
}

static enum err unlock(struct request *request, const struct session_row *session, const char *text)
{
	_cleanup_secret_ struct secret *password = NULL;
	_cleanup_free_ struct unlock_job *job = calloc(1, sizeof(*job));
	enum err err;

	if (!job)
		return ERR_NOMEM;
	job->broker = request->broker;
	job->to = request->to;
	job->login = request->login.id;
	if (session)
		job->session = *session;
	person_try_init(&job->try, request->account.id, request->device.id, request->account.name,
			request->head->address);
	err = secret_new(text, strlen(text), &password);
	if (!err)
		err = person_compare(request->broker, &request->to, &job->try, password,
				     request->account.password, unlock_done, job);
	if (!err)
		util_take_ptr(job);
	return err == ERR_THROTTLED ? OK : err;
}

enum err handle_unlock(struct request *request)
{
	if (!request->login.locked)
		return ERR_WRONG_STATE;
	return unlock(request, NULL, request->msg->unlock.password);
}

enum err handle_session_unlock(struct request *request)
{
	const struct msg_session_unlock *msg = &request->msg->session_unlock;
	struct session_row row;
	enum err err = session_mine(request, msg->session, &row);

	if (err)
		return err;
	if (!request->login.locked && row.state != SESSION_LOCKED)
		return ERR_WRONG_STATE;
	return unlock(request, &row, msg->password);
}
