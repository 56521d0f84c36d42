#include "worker/worker.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/attach.h"
#include "worker/control.h"
#include "worker/pc.h"
#include "worker/session.h"

static void name_session(struct worker *worker)
{
	char hex[2 * WIRE_SESSION_ID + 1];
	util_hex(worker->start.msg.session, WIRE_SESSION_ID, hex);
	snprintf(worker->context, sizeof(worker->context), "session=%s", hex);
	log_context(worker->context);
}

/* ---- recording -------------------------------------------------------------------------- */

static void on_record_mark(void *ctx, const struct msg_record_mark *mark)
{
	struct worker *worker = ctx;
	link_send(&worker->link, MSG_record_mark, mark);
}

static void on_record_held(void *ctx, bool held)
{
	struct worker *worker = ctx;
	(void)held;
	screen_held(&worker->screen);
}

static void on_record_failed(void *ctx, enum err err)
{
	(void)err;
	session_end(ctx, END_RECORDING);
}

static const struct recorder_events recorder_events = {
	.mark = on_record_mark,
	.held = on_record_held,
	.failed = on_record_failed,
};

/* Without one there is no session: start_session sees to that. */
static void record_session(struct worker *worker, const struct msg_session_record *msg, int fd)
{
	_cleanup_close_ int file = fd;
	if (worker->recorder || worker->state != SESSION_STARTING) {
		log_error("session-record-twice", "state=%s", session_state_code(worker->state));
		return;
	}
	const struct recorder_config config = {
		.fd = util_take_fd(&file),
		.session = msg->session,
		.recipients = msg->recipients,
		.meta = msg->meta,
		.keys = msg->keys == 1,
	};
	enum err err =
		recorder_new(worker->loop, &config, &recorder_events, worker, &worker->recorder);
	if (err)
		log_error("recorder", "error=%s", err_code(err));
	worker->screen.recorder = worker->recorder;
}

/* ---- the broker's orders ---------------------------------------------------------------- */

static void start_session(struct worker *worker, const struct msg_session_start *msg)
{
	if (worker->state != SESSION_STARTING) {
		log_error("session-start-twice", "state=%s", session_state_code(worker->state));
		return;
	}
	enum err err = start_keep(&worker->start, worker->protocol, msg);
	if (err) {
		log_error("session-start", "error=%s", err_code(err));
		session_end(worker, END_GATEWAY);
		return;
	}
	name_session(worker);
	if (!worker->recorder) {
		session_end(worker, END_RECORDING);
		return;
	}
	struct limits_config config = {
		.idle_warn_s = msg->idle_warn_s,
		.idle_lock_s = msg->idle_lock_s,
		.idle_logoff_s = msg->idle_logoff_s,
		.resume_s = msg->resume_s,
		.length_s = msg->length_s,
	};
	limits_init(&worker->limits, &config, clock_mono_us());
	worker->hands.view_only = msg->view_only != 0;
	session_set_state(worker, SESSION_CONNECTING);
	/* In a turn of its own: connecting blocks, and what the broker sent with this should come
	 * first. */
	loop_timer_set(&worker->connect_timer, 0);
	session_run_limits(worker);
}

static void unlock(struct worker *worker)
{
	if (worker->state != SESSION_LOCKED)
		return;
	limits_unlocked(&worker->limits, clock_mono_us());
	session_set_state(worker, worker->screen.pictured ? SESSION_DETACHED : SESSION_CONNECTING);
	session_run_limits(worker);
}

static void terminate(struct worker *worker, const struct msg_session_terminate *msg)
{
	if (msg->who[0] == '{' && worker->state != SESSION_ENDED)
		snprintf(worker->ended_who, sizeof(worker->ended_who), "%s", msg->who);
	session_end(worker, msg->reason ? (enum end_reason)msg->reason : END_TERMINATED);
}

static void on_broker_message(void *ctx, const struct wire_type *type, const union wire_any *msg,
			      int fd)
{
	_cleanup_close_ int passed = fd;
	struct worker *worker = ctx;
	struct msg_worker_pong pong;
	switch (type->id) {
	case MSG_session_record:
		record_session(worker, &msg->session_record, util_take_fd(&passed));
		break;
	case MSG_session_start:
		start_session(worker, &msg->session_start);
		break;
	case MSG_session_viewer:
		if (worker->state != SESSION_STARTING)
			attach_take(worker, &msg->session_viewer, util_take_fd(&passed));
		break;
	case MSG_session_stop:
		session_end(worker, msg->session_stop.reason
					    ? (enum end_reason)msg->session_stop.reason
					    : END_TERMINATED);
		break;
	case MSG_session_terminate:
		terminate(worker, &msg->session_terminate);
		break;
	case MSG_session_watch:
		watch_take(worker, &msg->session_watch, util_take_fd(&passed));
		break;
	case MSG_watch_stop:
		watch_stop(worker, msg->watch_stop.watch, (enum end_reason)msg->watch_stop.reason);
		break;
	case MSG_watch_control:
		control_allowed(worker, &msg->watch_control);
		break;
	case MSG_session_mark:
		recorder_event(worker->recorder, 0, msg->session_mark.event);
		break;
	case MSG_session_unlocked:
		unlock(worker);
		break;
	case MSG_worker_ping:
		pong.number = msg->worker_ping.number;
		link_send(&worker->link, MSG_worker_pong, &pong);
		break;
	default:
		/* A pin_answer that came too late. */
		break;
	}
}

static void on_broker_came(void *ctx)
{
	struct worker *worker = ctx;
	struct msg_worker_hello hello = { .state = (uint8_t)worker->state,
					  .viewers = (uint8_t)session_viewers(worker) };
	/* It knows of nobody who looks on, and could end that for nobody. */
	watch_drop_all(worker, SESSION_DETACHED, END_GATEWAY, false);
	memcpy(hello.session, worker->start.msg.session, sizeof(hello.session));
	link_send(&worker->link, MSG_worker_hello, &hello);
	limits_broker_came(&worker->limits);
	if (worker->state != SESSION_STARTING)
		link_send(&worker->link, MSG_worker_state, &worker->reported);
}

static void on_broker_left(void *ctx)
{
	struct worker *worker = ctx;
	if (worker->state == SESSION_STARTING) {
		session_end(worker, END_GATEWAY);
		return;
	}
	watch_drop_all(worker, SESSION_DETACHED, END_GATEWAY, false);
	limits_broker_left(&worker->limits, clock_mono_us());
	session_run_limits(worker);
}

static void on_monitor_left(void *ctx)
{
	session_end(ctx, END_GATEWAY);
}

static const struct link_ops link_ops = {
	.broker_came = on_broker_came,
	.broker_left = on_broker_left,
	.message = on_broker_message,
	.monitor_left = on_monitor_left,
};

enum err worker_new(struct loop *loop, int monitor_fd, enum protocol protocol,
		    worker_remote_new make, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return ERR_NOMEM;
	*worker = (struct worker){
		.loop = loop, .protocol = protocol, .make = make, .state = SESSION_STARTING
	};
	loop_timer_init(loop, &worker->connect_timer, pc_connect_due);
	loop_timer_init(loop, &worker->limits_timer, session_limits_due);
	loop_timer_init(loop, &worker->finish_timer, session_finish_due);
	hands_init(&worker->hands, loop, &attach_hands_events, worker);
	watch_init(worker);
	enum err err = screen_init(&worker->screen, loop);
	if (!err)
		err = link_init(&worker->link, loop, monitor_fd, &link_ops, worker);
	if (err) {
		worker_free(worker);
		return err;
	}
	*ret = worker;
	return OK;
}

void worker_stop(struct worker *worker)
{
	session_end(worker, END_GATEWAY);
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	loop_timer_cancel(&worker->connect_timer);
	loop_timer_cancel(&worker->limits_timer);
	loop_timer_cancel(&worker->finish_timer);
	screen_set_remote(&worker->screen, NULL);
	hands_set_remote(&worker->hands, NULL);
	remote_free(worker->remote);
	watch_free(worker);
	attach_free(worker);
	link_finish(&worker->link);
	hands_finish(&worker->hands);
	ear_finish(&worker->ear);
	screen_finish(&worker->screen);
	recorder_free(worker->recorder);
	start_finish(&worker->start);
	log_context(NULL);
	free(worker);
}
