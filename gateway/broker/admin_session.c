/*
 * admin_session.c - sekisho session … and status
 */
#include "base/clock.h"
#include "broker/admin_inventory.h"
#include "broker/pki.h"
#include "broker/session.h"
#include "broker/siem_link.h"
#include "broker/vault_link.h"
#include "store/invites.h"
#include "wire/enums.h"

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

/* ---- status ----------------------------------------------------------------------------- */

enum { EXPIRING_DAYS = 14 };

struct status_counts {
	int64_t now_s, expiring, pending, logins;
};

static enum err count_expiring(void *ctx, const struct inventory_row *row, bool *ret_stop)
{
	struct status_counts *counts = ctx;
	int64_t left_s = row->device.not_after_s - counts->now_s;

	(void)ret_stop;
	if (row->device.state != DEVICE_REVOKED && left_s > 0 && left_s < EXPIRING_DAYS * 86400)
		counts->expiring++;
	return OK;
}

static enum err count_pending(struct db *db, struct status_counts *counts)
{
	_cleanup_query_ struct query query = { 0 };
	struct invite invite;
	bool more;
	enum err err;

	/* None waits longer than an invitation is good for. */
	invite_list(&query, db, counts->now_s - 2 * 86400, 0);
	while (!(err = invite_next(&query, &invite, &more)) && more)
		counts->pending +=
			invite.state == ENROL_PENDING && counts->now_s < invite.expires_s;
	return err;
}

static enum err add_state(struct admin_call *call, const char *part, const char *state)
{
	return admin_row(call, json_pack("[s, s]", part, state));
}

static enum err add_count(struct admin_call *call, const char *part, int64_t count)
{
	return admin_row(call, json_pack("[s, I]", part, (json_int_t)count));
}

static const char *up(const struct channel *channel)
{
	return channel ? "up" : "down";
}

/* Only while there is something to do about it. */
static enum err add_auditors(struct admin_call *call)
{
	int64_t now_s = clock_wall_s(), until_s = recording_auditors_end(call->broker, now_s);

	if (!until_s)
		return OK;
	return add_state(call, "auditors", until_s > now_s ? "ending" : "expired");
}

static enum err add_collector(struct admin_call *call)
{
	struct siem_status status;
	enum err err = siem_link_status(call->broker->collector, &status);

	return err ? err : add_state(call, "siem", status.state);
}

static enum err status_parts(struct admin_call *call)
{
	const struct broker *broker = call->broker;
	enum err err = add_state(call, "broker", "up");

	if (!err)
		err = add_state(call, "monitor", up(broker->monitor));
	if (!err)
		err = add_state(call, "edge",
				broker->edge && pki_edge_is_waiting(broker->pki)
					? "waiting"
					: up(broker->edge));
	if (!err)
		err = add_state(call, "signer", up(broker->signer));
	if (!err)
		err = add_state(call, "probe", up(broker->probe));
	if (!err)
		err = add_state(call, "vault", up(broker->vault));
	if (!err && broker->settings.siem_address[0])
		err = add_collector(call);
	if (!err && vault_link_is(broker->house))
		err = add_state(call, "house-key", vault_state_code(vault_link_is(broker->house)));
	if (!err && broker->signer)
		err = add_state(call, "ca", pki_is_locked(broker->pki) ? "locked" : "unlocked");
	if (!err)
		err = add_state(call, "recording",
				recording_condition(call->broker, clock_wall_s()));
	if (!err)
		err = add_auditors(call);
	return err;
}

enum err admin_status(struct admin_call *call)
{
	struct broker *broker = call->broker;
	struct status_counts counts = { .now_s = clock_wall_s() };
	enum err err = login_row_count(broker->db, &counts.logins);

	if (!err)
		err = inventory_each(broker, 0, count_expiring, &counts);
	if (!err)
		err = count_pending(broker->db, &counts);
	if (!err)
		err = admin_columns(call, "part,state");
	if (!err)
		err = status_parts(call);
	if (!err)
		err = add_count(call, "sessions", (int64_t)session_count(broker, 0));
	if (!err)
		err = add_count(call, "logins", counts.logins);
	if (!err)
		err = add_count(call, "pending", counts.pending);
	if (!err)
		err = add_count(call, "expiring", counts.expiring);
	return err;
}
