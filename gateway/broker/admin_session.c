/*
 * admin_session.c - sekisho session … and status
 */
#include "broker/admin.h"
#include "broker/session.h"

enum err admin_session_list(struct admin_call *call)
{
	enum err err = admin_columns(call, "id,user,host,state,viewers,device,started,until");

	for (const struct session *session = call->broker->sessions; session && !err;
	     session = session->next) {
		const struct session_row *row = &session->row;

		if (session_alive(session))
			err = admin_row(call,
					json_pack("[s, s, s, s, i, I, I, I]", session->id_text,
						  row->account_name, row->host_name,
						  session_state_code((unsigned)row->state),
						  (int)session->viewers, (json_int_t)row->device,
						  (json_int_t)row->started_s,
						  (json_int_t)row->until_s));
	}
	return err;
}

static enum err end_record(struct admin_call *call, const struct session *session)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, call->broker->db);

	if (!err)
		err = admin_audit(call, "session-terminate",
				  json_pack("{s:s, s:s}", "session", session->id_text, "account",
					    session->row.account_name));
	return err ? err : db_tx_commit(&tx);
}

enum err admin_session_end(struct admin_call *call)
{
	struct session *session = session_find_text(call->broker, admin_text(call, "id"));
	enum err err;

	if (!session || !session_alive(session))
		return admin_wrong(call, ERR_NOT_FOUND, "id", "there is no such live session");
	err = end_record(call, session);
	if (!err)
		session_finish(session, END_TERMINATED, SESSION_STOP_MS);
	return err;
}

static const char *up(const struct channel *channel)
{
	return channel ? "up" : "down";
}

enum err admin_status(struct admin_call *call)
{
	const struct broker *broker = call->broker;
	int64_t logins = 0;
	enum err err = login_row_count(broker->db, &logins);

	if (!err)
		err = admin_columns(call, "part,state");
	if (!err)
		err = admin_row(call, json_pack("[s, s]", "broker", "up"));
	if (!err)
		err = admin_row(call, json_pack("[s, s]", "monitor", up(broker->monitor)));
	if (!err)
		err = admin_row(call, json_pack("[s, s]", "edge", up(broker->edge)));
	if (!err)
		err = admin_row(call, json_pack("[s, s]", "signer", up(broker->signer)));
	if (!err)
		err = admin_row(call, json_pack("[s, s]", "probe", up(broker->probe)));
	if (!err)
		err = admin_row(call, json_pack("[s, I]", "sessions",
						(json_int_t)session_count(broker, 0)));
	if (!err)
		err = admin_row(call, json_pack("[s, I]", "logins", (json_int_t)logins));
	return err;
}
