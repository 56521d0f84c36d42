/*
 * session_worker.c - what goes to a worker at its start and what comes from it. A worker speaks to
 * PCs, so nothing it says is taken on trust: its session is the channel's, states must be known
 * ones, and a lock is lifted by a password only.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/credential.h"
#include "broker/watch.h"

enum { CLOCK_SLACK_S = 5 };

/* ---- start ------------------------------------------------------------------------------ */

static void start_limits(const struct settings *settings, struct msg_session_start *start)
{
	start->connect_s = (uint16_t)settings->session_connect_seconds;
	start->idle_warn_s = (uint32_t)(settings->session_idle_warn_minutes * 60);
	start->idle_lock_s = (uint32_t)(settings->session_idle_lock_minutes * 60);
	start->idle_logoff_s = (uint32_t)(settings->session_idle_logoff_minutes * 60);
	start->resume_s = (uint32_t)(settings->session_resume_minutes * 60);
	start->length_s = (uint32_t)(settings->session_max_hours * 3600);
}

/* Kept ones are unsealed only now. */
static enum err start_credentials(struct session *session)
{
	struct session_start *start = &session->start;
	struct pc_login login = { 0 };
	enum err err;

	if (!start->kept)
		return OK;
	err = credential_open(session->broker, session->row.account, session->row.host, &login);
	if (err)
		return err;
	start->user = login.user;
	start->password = login.password;
	start->domain = login.domain;
	return OK;
}

static const char *text_of(const struct secret *secret)
{
	return secret ? secret_text(secret) : "";
}

static enum err start_send(struct session *session, const struct host_row *host,
			   const uint8_t *tls_ca, size_t tls_ca_len)
{
	const struct session_start *start = &session->start;
	struct msg_session_start msg = {
		.label = session->row.host_name,
		.view_only = session->row.view_only,
		.protocol = (uint8_t)host->protocol,
		.security = (uint8_t)host->security,
		.address = host->address,
		.port = (uint16_t)host->port,
		.user = text_of(start->user),
		.password = text_of(start->password),
		.domain = text_of(start->domain),
		.pin = { host->pin, host->has_pin ? sizeof(host->pin) : 0 },
		.tls_ca = { tls_ca, tls_ca_len },
		.width = start->width,
		.height = start->height,
		.layout = start->layout,
		.audio = host->audio,
		.video = host->video,
	};

	memcpy(msg.session, session->row.id, sizeof(msg.session));
	start_limits(&session->broker->settings, &msg);
	return channel_send(session->worker, MSG_session_start, &msg, -1);
}

enum err session_send_start(struct session *session)
{
	_cleanup_free_ uint8_t *tls_ca = malloc(HOST_TLS_CA_MAX);
	struct db *db = session->broker->db;
	struct host_row host;
	size_t tls_ca_len = 0;
	enum err err = tls_ca ? OK : ERR_NOMEM;

	if (!err)
		err = host_by_id(db, session->row.host, session->row.account, &host);
	if (!err)
		err = host_tls_ca(db, session->row.host, tls_ca, &tls_ca_len);
	if (!err)
		err = start_credentials(session);
	if (!err)
		err = session->start.recording ? recording_send(session, session->start.recording)
					       : ERR_RECORDING;
	if (!err)
		err = start_send(session, &host, tls_ca, tls_ca_len);
	session_start_finish(&session->start);
	return err;
}

/* ---- what it says ----------------------------------------------------------------------- */

/* A login that was kept and did not fit is forgotten, or each new try would count against the
 * person on the PC. */
static void forget_credentials(struct session *session)
{
	enum err err = credential_forget(session->broker, &session->row, "refused by the PC");

	if (err)
		log_warn("credentials-not-forgotten", "session=%s error=%s", session->id_text,
			 err_code(err));
}

static bool has_passed(const struct session *session, int64_t seconds)
{
	return clock_wall_s() - session->row.started_s >= seconds - CLOCK_SLACK_S;
}

/* The log must not blame the person or an administrator on the word of a worker. */
static bool may_be(const struct session *session, enum end_reason reason)
{
	const struct settings *settings = &session->broker->settings;

	switch (reason) {
	case END_NONE:
	case END_LOGOUT:
	case END_TERMINATED:
	case END_REVOKED_ACCOUNT:
	case END_REVOKED_DEVICE:
	case END_REVOKED_PC:
	case END_REPLACED:
	case END_ADMINISTRATOR:
		return false; /* ours to give; after it nothing is asked any more */
	case END_IDLE:
		return has_passed(session, settings->session_idle_logoff_minutes * 60);
	case END_LENGTH:
		return has_passed(session, settings->session_max_hours * 3600);
	case END_RESUME:
		return has_passed(session, settings->session_resume_minutes * 60);
	case END_PC_CLOSED:
	case END_PC_UNREACHABLE:
	case END_PC_TIMEOUT:
	case END_PC_PROTOCOL:
	case END_PC_LOGIN:
	case END_PC_CERTIFICATE:
	case END_PC_SECURITY:
	case END_PC_TOO_BIG:
	case END_CRASHED:
	case END_GATEWAY:
	case END_VERSION:
	case END_RECORDING:
		return true;
	}
	return false;
}

static void worker_broken(struct session *session, const char *field)
{
	log_warn("session-worker-broken", "session=%s field=%s", session->id_text, field);
	session_finish(session, END_CRASHED, 0);
}

/* The audit log cannot be shortened: nobody may fill it. False: the session is over. */
static bool may_say(struct session *session)
{
	if (session->said++ < session->may_say)
		return true;
	worker_broken(session, "amount");
	return false;
}

static void worker_ended(struct session *session, unsigned reason)
{
	session->workers_word = may_be(session, (enum end_reason)reason);
	if (!session->workers_word)
		reason = END_CRASHED;
	if (reason == END_PC_LOGIN && session->used_kept)
		forget_credentials(session);
	session_finish(session, (enum end_reason)reason, SESSION_STOP_MS);
}

static void worker_says(struct session *session, unsigned state, unsigned reason, uint8_t viewers)
{
	session->viewers = viewers;
	if (state != session->row.state && !may_say(session))
		return;
	switch (state) {
	case SESSION_ENDED:
		worker_ended(session, reason);
		return;
	case SESSION_STARTING:
	case SESSION_CONNECTING:
		if (session->pictured || session->row.state > state) {
			if (session->row.state != SESSION_LOCKED)
				worker_broken(session, "state");
			return;
		}
		__attribute__((fallthrough));
	case SESSION_ACTIVE:
	case SESSION_DETACHED:
		if (session->row.state == SESSION_LOCKED)
			return;
		__attribute__((fallthrough));
	case SESSION_LOCKED:
		session_set_state(session, (enum session_state)state);
		return;
	default:
		worker_broken(session, "state");
	}
}

static void worker_hello(struct session *session, const struct msg_worker_hello *hello)
{
	if (hello->state == SESSION_STARTING) {
		/* A fresh worker greets before it has its orders; one that waits for those of an
		 * earlier broker would wait for ever. */
		if (session->adopted)
			session_finish(session, END_GATEWAY, SESSION_STOP_MS);
		return;
	}
	if (memcmp(hello->session, session->row.id, sizeof(hello->session)) != 0) {
		worker_broken(session, "session");
		return;
	}
	worker_says(session, hello->state, END_CRASHED, hello->viewers);
	if (session_alive(session))
		session_check_login(session, clock_wall_s());
}

/* ---- the PC's certificate --------------------------------------------------------------- */

/* Trust on first use: stored once, with its audit entry, before the worker may go on. */
static enum err pin_store(struct session *session, const uint8_t *fingerprint)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = session->broker->db;
	char text[2 * HOST_PIN + 1];
	struct audit_entry entry = {
		.event = "host-pinned",
		.account = session->row.account_name,
		.device = session->row.device,
		.host = session->row.host,
		.session = session->id_text,
	};
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = host_set_pin(db, session->row.host, fingerprint);
	if (err)
		return err;
	util_hex(fingerprint, HOST_PIN, text);
	entry.detail = json_pack("{s:s, s:s}", "host", session->row.host_name, "sha256", text);
	err = audit_append(db, &entry);
	return err ? err : db_tx_commit(&tx);
}

static void pin_question(struct session *session, const struct msg_pin_question *question)
{
	struct msg_pin_answer answer = { 0 };
	struct host_row host;
	enum err err;

	if (!may_say(session))
		return;
	err = host_by_id(session->broker->db, session->row.host, session->row.account, &host);
	if (!err && !host.has_pin)
		err = pin_store(session, question->fingerprint);
	else if (!err)
		err = memcmp(host.pin, question->fingerprint, sizeof(host.pin)) == 0 ? OK
										     : ERR_DENIED;
	answer.trusted = err == OK;
	if (err)
		log_warn("pin-refused", "session=%s error=%s", session->id_text, err_code(err));
	if (channel_send(session->worker, MSG_pin_answer, &answer, -1) != OK)
		log_warn("pin-answer-failed", "session=%s", session->id_text);
}

/* ---- events ----------------------------------------------------------------------------- */

/* The event's name goes into the detail: a worker must not write entries that look like ours. */
static void worker_event(struct session *session, const struct msg_worker_event *event)
{
	json_t *detail = json_loads(event->detail, JSON_REJECT_DUPLICATES, NULL);
	const struct audit_entry entry = {
		.event = "worker-event",
		.account = session->row.account_name,
		.device = session->row.device,
		.host = session->row.host,
		.session = session->id_text,
		.detail = json_pack("{s:s, s:o}", "event", event->event, "detail",
				    json_is_object(detail) ? detail
							   : (json_decref(detail), json_object())),
	};

	if (!may_say(session)) {
		json_decref(entry.detail);
		return;
	}
	if (broker_audit(session->broker, &entry)) {
		log_error("session-record-failed", "session=%s", session->id_text);
		session_finish(session, END_GATEWAY, SESSION_STOP_MS);
	}
}

static void worker_marks(struct session *session, const struct msg_record_mark *mark)
{
	enum err err = recording_mark(session, mark);

	if (err == ERR_PROTOCOL) {
		worker_broken(session, "recording");
	} else if (err) {
		log_error("session-record-failed", "session=%s error=%s", session->id_text,
			  err_code(err));
		session_finish(session, END_RECORDING, SESSION_STOP_MS);
	}
}

static void worker_message(void *ctx, struct channel *channel, const struct wire_type *type,
			   const union wire_any *msg, int fd)
{
	struct session *session = ctx;

	(void)channel;
	if (fd >= 0)
		close(fd);
	if (type->id == MSG_worker_pong) {
		session->pong_ms = clock_mono_ms();
		return;
	}
	/* The last comes after the session's end. */
	if (type->id == MSG_record_mark)
		worker_marks(session, &msg->record_mark);
	if (!session_alive(session))
		return;
	if (type->id == MSG_worker_hello)
		worker_hello(session, &msg->worker_hello);
	else if (type->id == MSG_worker_state)
		worker_says(session, msg->worker_state.state, msg->worker_state.reason,
			    msg->worker_state.viewers);
	else if (type->id == MSG_pin_question)
		pin_question(session, &msg->pin_question);
	else if (type->id == MSG_worker_event)
		worker_event(session, &msg->worker_event);
	else if (type->id == MSG_watch_says)
		watch_worker_says(session, &msg->watch_says);
}

/* The monitor tells when the process is gone; until then the timer sees to it. */
static void worker_closed(void *ctx, struct channel *channel, enum err why)
{
	struct session *session = ctx;

	(void)channel;
	session->worker = NULL;
	log_info("session-worker-closed", "session=%s why=%s", session->id_text, err_code(why));
	session_finish(session, END_CRASHED, SESSION_STOP_MS);
}

const struct channel_ops session_worker_ops = { .message = worker_message,
						.closed = worker_closed };
