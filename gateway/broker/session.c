#include "broker/session.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/checkpoint.h"
#include "broker/documents.h"
#include "broker/exporting.h"
#include "broker/host.h"
#include "broker/playback.h"
#include "broker/records.h"
#include "broker/watch.h"

bool session_alive(const struct session *session)
{
	return session->row.state != SESSION_ENDED;
}

struct session *session_find(struct broker *broker, const uint8_t id[WIRE_SESSION_ID])
{
	for (struct session *session = broker->sessions; session; session = session->next)
		if (memcmp(session->row.id, id, WIRE_SESSION_ID) == 0)
			return session;
	return NULL;
}

struct session *session_find_text(struct broker *broker, const char *id)
{
	uint8_t bytes[WIRE_SESSION_ID];

	return util_unhex(id, bytes, sizeof(bytes)) ? NULL : session_find(broker, bytes);
}

struct session *session_on_host(struct broker *broker, int64_t host)
{
	for (struct session *session = broker->sessions; session; session = session->next)
		if (session_alive(session) && session->row.host == host)
			return session;
	return NULL;
}

size_t session_count(const struct broker *broker, int64_t account)
{
	size_t count = 0;

	for (const struct session *session = broker->sessions; session; session = session->next)
		if (session_alive(session) && (!account || session->row.account == account))
			count++;
	return count;
}

json_t *session_json(const struct session_row *row)
{
	char id[SESSION_ID_TEXT + 1];

	util_hex(row->id, sizeof(row->id), id);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:b, s:s, s:s}", "id", id, "host",
			 (json_int_t)row->host, "host_name", row->host_name, "state",
			 session_state_code((unsigned)row->state), "reason",
			 end_reason_code((unsigned)row->reason), "started",
			 (json_int_t)row->started_s, "until", (json_int_t)row->until_s, "view_only",
			 row->view_only, "ended_by", row->ended_by, "ended_words",
			 row->ended_words);
}

/* ---- life ------------------------------------------------------------------------------- */

static void secret_drop(struct secret **secret)
{
	secret_free(*secret);
	*secret = NULL;
}

void session_start_finish(struct session_start *start)
{
	secret_drop(&start->user);
	secret_drop(&start->password);
	secret_drop(&start->domain);
	recording_start_free(start->recording);
	start->recording = NULL;
}

enum err session_mark(struct broker *broker, int64_t account, const char *event)
{
	const struct msg_session_mark msg = { .event = event };
	enum err err = OK;

	for (struct session *session = broker->sessions; session; session = session->next) {
		if (session->row.account != account || !session_alive(session) || !session->worker)
			continue;
		if (channel_send(session->worker, MSG_session_mark, &msg, -1)) {
			log_warn("session-unmarked", "session=%s", session->id_text);
			err = ERR_UNAVAILABLE;
		}
	}
	return err;
}

static void session_timer_due(struct loop_timer *timer);

static struct session *session_add(struct broker *broker, const struct session_row *row)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->broker = broker;
	session->row = *row;
	util_hex(row->id, sizeof(row->id), session->id_text);
	session->may_say = SESSION_SAYS;
	session->pictured = row->state == SESSION_ACTIVE || row->state == SESSION_DETACHED;
	loop_timer_init(broker->loop, &session->timer, session_timer_due);
	session->next = broker->sessions;
	broker->sessions = session;
	return session;
}

static void session_free(struct session *session)
{
	struct session **link = &session->broker->sessions;

	while (*link != session)
		link = &(*link)->next;
	*link = session->next;
	loop_timer_cancel(&session->timer);
	channel_free(session->worker);
	session_start_finish(&session->start);
	reply_text_free(session->ended_who);
	free(session);
}

/* One that is over, with its worker. */
static void session_done(struct session *session)
{
	recording_over(session->broker, session->row.id);
	session_free(session);
}

void session_forget_all(struct broker *broker)
{
	while (broker->sessions)
		session_free(broker->sessions);
}

enum err session_load(struct broker *broker)
{
	_cleanup_query_ struct query query;
	struct session_row row;
	struct session *session;
	bool more;
	enum err err;

	session_row_list_live(&query, broker->db);
	while (!(err = session_row_next(&query, &row, &more)) && more) {
		session = session_add(broker, &row);
		if (!session)
			return ERR_NOMEM;
		session->process = true;
		loop_timer_set(&session->timer, SESSION_ADOPT_S * 1000000ULL);
		log_info("session-expected", "session=%s", session->id_text);
	}
	return err;
}

static void session_answer_opener(struct session *session, enum err err)
{
	if (!session->opener_waits)
		return;
	session->opener_waits = false;
	if (err)
		reply_error(session->broker, &session->opener, err);
	else
		reply_json(session->broker, &session->opener, REPLY_CREATED, "",
			   session_json(&session->row));
}

enum err session_new(struct broker *broker, const struct session_row *row,
		     struct session_start *start, const struct reply_to *opener)
{
	struct msg_worker_spawn spawn;
	struct session *session = session_add(broker, row);
	enum err err;

	if (!session) {
		session_start_finish(start);
		return ERR_NOMEM;
	}
	session->start = *start;
	session->used_kept = start->kept;
	*start = (struct session_start){ 0 };
	session->opener = *opener;
	memcpy(spawn.session, row->id, sizeof(spawn.session));
	spawn.protocol = session->start.protocol;
	err = broker_tell_monitor(broker, MSG_worker_spawn, &spawn);
	if (err) {
		session_finish(session, END_GATEWAY, SESSION_STOP_MS);
		return err;
	}
	session->process = true;
	session->opener_waits = true;
	loop_timer_set(&session->timer, SESSION_SPAWN_S * 1000000ULL);
	return OK;
}

/* ---- state ------------------------------------------------------------------------------ */

/*
 * Whoever comes back to a session that nobody used may be somebody else. So not the session alone
 * is locked but the login, and stays so whatever becomes of the session.
 */
static enum err session_lock_login(const struct session *session)
{
	const struct session_row *row = &session->row;
	bool idle = row->state == SESSION_ENDED && row->reason == END_IDLE;
	enum err err;

	if (!row->login || (row->state != SESSION_LOCKED && !idle))
		return OK;
	err = login_row_set_locked(session->broker->db, row->login, true);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err session_save(struct session *session, const char *event, json_t *detail)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = session->broker->db;
	const struct session_row *row = &session->row;
	const struct audit_entry entry = {
		.event = event,
		.account = row->account_name,
		.device = row->device,
		.host = row->host,
		.session = session->id_text,
		.detail = detail,
	};
	enum err err = db_tx_begin(&tx, db);

	if (!err && row->state == SESSION_ENDED)
		err = session_row_end(db, row->id, row->reason, row->ended_s);
	else if (!err)
		err = session_row_set_state(db, row->id, row->state);
	if (!err)
		err = session_lock_login(session);
	if (err) {
		json_decref(detail);
		return err;
	}
	err = audit_append(db, &entry);
	return err ? err : db_tx_commit(&tx);
}

void session_set_state(struct session *session, enum session_state state)
{
	static const char *const events[] = {
		[SESSION_ACTIVE] = "session-active",
		[SESSION_DETACHED] = "session-detached",
		[SESSION_LOCKED] = "session-locked",
	};
	enum err err = OK;

	if (session->row.state == state)
		return;
	log_info("session-state", "session=%s from=%s to=%s", session->id_text,
		 session_state_code((unsigned)session->row.state), session_state_code(state));
	session->row.state = state;
	session->pictured =
		session->pictured || state == SESSION_ACTIVE || state == SESSION_DETACHED;
	if (state < ARRAY_SIZE(events) && events[state])
		err = session_save(session, events[state], NULL);
	else
		err = session_row_set_state(session->broker->db, session->row.id, state);
	/* What cannot be recorded does not go on. */
	if (err) {
		log_error("session-record-failed", "session=%s error=%s", session->id_text,
			  err_code(err));
		session_finish(session, END_GATEWAY, SESSION_STOP_MS);
	}
}

/* Stopping a worker must not hang on a full disk: the record is tried again by session_tick. */
static void session_save_end(struct session *session)
{
	enum err err = session_save(session, "session-end",
				    json_pack("{s:s, s:s}", "reason",
					      end_reason_code((unsigned)session->row.reason), "by",
					      session->workers_word ? "worker" : "gateway"));

	session->unsaved = err != OK;
	if (!err)
		checkpoint_soon(session->broker->checkpoints);
	if (err)
		log_error("session-record-failed", "session=%s error=%s", session->id_text,
			  err_code(err));
}

static void session_kill(struct session *session)
{
	struct msg_worker_kill kill;
	enum err err;

	memcpy(kill.session, session->row.id, sizeof(kill.session));
	err = broker_tell_monitor(session->broker, MSG_worker_kill, &kill);
	if (err)
		log_warn("session-kill-failed", "session=%s error=%s", session->id_text,
			 err_code(err));
}

static enum err session_tell_stop(struct session *session, enum end_reason reason)
{
	const struct msg_session_stop stop = { .reason = (uint8_t)reason };
	const struct msg_session_terminate terminate = { .reason = (uint8_t)reason,
							 .who = session->ended_who };

	if (!session->worker)
		return ERR_UNAVAILABLE;
	return session->ended_who
		       ? channel_send(session->worker, MSG_session_terminate, &terminate, -1)
		       : channel_send(session->worker, MSG_session_stop, &stop, -1);
}

static void session_stop_worker(struct session *session, enum end_reason reason, unsigned kill_ms)
{
	if (!session->process)
		return;
	if (session_tell_stop(session, reason) == OK) {
		loop_timer_set(&session->timer, kill_ms * 1000ULL);
		return;
	}
	session_kill(session);
	loop_timer_set(&session->timer, SESSION_STOP_MS * 1000ULL);
}

/* The PC went, or was not there: the menu must not go on calling it reachable. */
static bool pc_failed(enum end_reason reason)
{
	return reason == END_PC_UNREACHABLE || reason == END_PC_TIMEOUT || reason == END_PC_CLOSED;
}

void session_finish(struct session *session, enum end_reason reason, unsigned kill_ms)
{
	if (!session_alive(session))
		return;
	log_info("session-end", "session=%s reason=%s", session->id_text, end_reason_code(reason));
	loop_timer_cancel(&session->timer);
	session_start_finish(&session->start);
	session->row.state = SESSION_ENDED;
	session->row.reason = reason;
	session->row.ended_s = clock_wall_s();
	session_stop_worker(session, reason, kill_ms);
	watch_session_over(session);
	session_save_end(session);
	session_answer_opener(session, ERR_UNAVAILABLE);
	if (pc_failed(reason))
		host_doubt(session->broker->hosts, session->row.host);
}

void session_terminate(struct session *session, const struct account *by, const char *words)
{
	json_t *who = json_pack("{s:s, s:s, s:s}", "account", by->name, "name", by->full_name,
				"words", words);

	reply_text_free(session->ended_who);
	session->ended_who = who ? json_dumps(who, JSON_COMPACT) : NULL;
	json_decref(who);
	snprintf(session->row.ended_by, sizeof(session->row.ended_by), "%s", by->full_name);
	snprintf(session->row.ended_words, sizeof(session->row.ended_words), "%s", words);
	session_finish(session, END_ADMINISTRATOR, SESSION_STOP_MS);
}

void session_cut(struct broker *broker, int64_t account, int64_t device, int64_t host)
{
	/* What was taken away is the right to the most special of them. */
	enum end_reason reason = host     ? END_REVOKED_PC
				 : device ? END_REVOKED_DEVICE
					  : END_REVOKED_ACCOUNT;

	for (struct session *session = broker->sessions; session; session = session->next)
		if ((!account || session->row.account == account) &&
		    (!device || session->row.device == device) &&
		    (!host || session->row.host == host))
			session_finish(session, reason, SESSION_CUT_MS);
	/* Recordings are opened by the same people from the same devices. */
	if (!host) {
		playback_cut(broker, account, device);
		exporting_cut(broker, account, device);
		documents_cut(broker, account, device);
		watch_cut(broker, account, device);
		records_cut(broker, account, device);
	}
}

static void session_timer_due(struct loop_timer *timer)
{
	struct session *session = container_of(timer, struct session, timer);

	if (session_alive(session)) {
		/* No worker has come in time. */
		log_warn("session-no-worker", "session=%s", session->id_text);
		session_finish(session, END_GATEWAY, SESSION_STOP_MS);
	} else if (session->process && session->kills++ < SESSION_KILLS) {
		session_kill(session);
		loop_timer_set(&session->timer, SESSION_STOP_MS * 1000ULL);
	} else {
		/* The monitor knows of none: it went while no broker was there to be told. */
		session->process = false;
	}
}

/* ---- worker process --------------------------------------------------------------------- */

/* A worker that nobody knows any more still needs somebody to end it. */
static struct session *session_stray(struct broker *broker, const uint8_t id[WIRE_SESSION_ID])
{
	struct session_row row = { .state = SESSION_ENDED, .reason = END_GATEWAY };

	memcpy(row.id, id, WIRE_SESSION_ID);
	return session_add(broker, &row);
}

void session_worker_started(struct broker *broker, const struct msg_worker_started *msg, int fd)
{
	struct session *session = session_find(broker, msg->session);
	enum err err;

	if (!session)
		session = session_stray(broker, msg->session);
	if (!session) {
		close(fd);
		return;
	}
	session->process = true;
	session->adopted = msg->adopted != 0;
	channel_free(session->worker);
	session->worker = NULL;
	err = channel_new(broker->loop, fd, WIRE_BROKER, WIRE_WORKER, &session_worker_ops, session,
			  &session->worker);
	log_info("session-worker", "session=%s pid=%u adopted=%u", session->id_text, msg->pid,
		 msg->adopted);
	session->pong_ms = clock_mono_ms();
	if (!session_alive(session)) {
		session_stop_worker(session, END_GATEWAY, SESSION_STOP_MS);
		return;
	}
	loop_timer_cancel(&session->timer);
	/* One that was started by an earlier broker has its orders already. */
	if (!err && !msg->adopted)
		err = session_send_start(session);
	if (err) {
		log_error("session-start-failed", "session=%s error=%s", session->id_text,
			  err_code(err));
		session_finish(session, END_GATEWAY, SESSION_STOP_MS);
		return;
	}
	session_answer_opener(session, OK);
}

void session_worker_exited(struct broker *broker, const struct msg_worker_exited *msg)
{
	struct session *session = session_find(broker, msg->session);

	if (!session)
		return;
	log_info("session-worker-exited", "session=%s status=%u", session->id_text, msg->status);
	channel_free(session->worker);
	session->worker = NULL;
	session->process = false;
	session_finish(session, END_CRASHED, SESSION_STOP_MS);
	loop_timer_cancel(&session->timer);
	if (!session->unsaved)
		session_done(session);
}

/* ---- every few seconds ------------------------------------------------------------------ */

static void session_tick_one(struct session *session, int64_t now_s)
{
	const struct msg_worker_ping ping = { .number = (uint32_t)now_s };

	/* The worker ends itself in time; this is for one that does not. */
	if (now_s > session->row.until_s + SESSION_SILENT_S)
		session_finish(session, END_LENGTH, SESSION_STOP_MS);
	if (!session_alive(session) || !session->worker)
		return;
	if (clock_mono_ms() - session->pong_ms > SESSION_SILENT_S * 1000ULL) {
		log_warn("session-silent", "session=%s", session->id_text);
		session_finish(session, END_CRASHED, 0);
		return;
	}
	if (channel_send(session->worker, MSG_worker_ping, &ping, -1) == ERR_FULL)
		session_finish(session, END_CRASHED, 0);
	session_check_login(session, now_s);
}

void session_tick(struct broker *broker)
{
	int64_t now_s = clock_wall_s();
	struct session *next;

	for (struct session *session = broker->sessions; session; session = next) {
		next = session->next;
		if (session_alive(session))
			session_tick_one(session, now_s);
		else if (session->unsaved)
			session_save_end(session);
		if (!session_alive(session) && !session->process && !session->unsaved)
			session_done(session);
	}
}
