/*
 * session_viewers.c - who looks at a session: a viewer comes, unlocks the picture, and leaves when
 * the login that it came with is over.
 */
#include "broker/documents.h"
#include "broker/exporting.h"
#include "broker/playback.h"
#include "broker/records.h"
#include "broker/watch.h"
#include "wire/ipc.h"

enum err session_add_viewer(struct session *session, unsigned monitor, const char *joined,
			    int *ret_fd)
{
	const struct msg_session_viewer viewer = { .viewer = ++session->viewer_number,
						   .monitor = (uint8_t)monitor,
						   .joined = joined };
	int pair[2];
	enum err err;

	if (!session->worker)
		return ERR_UNAVAILABLE;
	err = ipc_pair(pair);
	if (err)
		return err;
	err = channel_send(session->worker, MSG_session_viewer, &viewer, pair[0]);
	if (err) {
		close(pair[1]);
		return err;
	}
	*ret_fd = pair[1];
	return OK;
}

/* A viewer that is gone at once takes the place of the one there, which is closed by the worker,
 * and those of other monitors with it. */
static void session_drop_viewer(struct session *session)
{
	int fd;

	session->row.login = 0;
	if (session_alive(session) && session->viewers &&
	    session_add_viewer(session, 0, "", &fd) == OK)
		close(fd);
}

void session_leave_login(struct broker *broker, int64_t login, int64_t device)
{
	for (struct session *session = broker->sessions; session; session = session->next)
		if (session->row.login == login ||
		    (!session->row.login && session->row.device == device))
			session_drop_viewer(session);
	playback_leave_login(broker, login);
	exporting_leave_login(broker, login);
	documents_leave_login(broker, login);
	watch_leave_login(broker, login);
	records_leave_login(broker, login);
}

enum err session_unlock(struct session *session)
{
	const struct msg_session_unlocked unlocked = { 0 };
	enum err err;

	if (!session->worker)
		return ERR_UNAVAILABLE;
	err = channel_send(session->worker, MSG_session_unlocked, &unlocked, -1);
	if (err)
		return err;
	session->may_say += SESSION_SAYS_VIEWER;
	session_set_state(session, !session->pictured ? SESSION_CONNECTING
				   : session->viewers ? SESSION_ACTIVE
						      : SESSION_DETACHED);
	return OK;
}

void session_check_login(struct session *session, int64_t now_s)
{
	struct broker *broker = session->broker;
	struct login_row login;
	struct device device;
	enum err err;

	if (!session->viewers)
		return;
	err = login_row_by_id(broker->db, session->row.login, &login);
	if (!err)
		err = device_by_id(broker->db, login.device, &device);
	if (!err && (now_s >= login.expires_s || !login_device_valid(&device, now_s)))
		err = ERR_NOT_FOUND;
	if (!err && session->row.state == SESSION_ACTIVE && now_s - login.used_s >= 60)
		err = login_row_touch(broker->db, login.id, now_s);
	if (err == ERR_NOT_FOUND)
		session_drop_viewer(session);
}
