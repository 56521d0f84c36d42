#include "worker/worker.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/hands.h"
#include "worker/limits.h"
#include "worker/link.h"
#include "worker/screen.h"
#include "worker/start.h"
#include "worker/stream/viewer.h"

enum {
	CLOSING_MAX = 4,	/* viewers that still get their last status */
	EVENTS_MAX = 64,	/* entries for the audit log from one session */
	TRUST_WAIT_MS = 10000,
	FINISH_US = 100000,	/* the broker reads our last state before it hears of our exit */
	NAME_MAX_SHOWN = 64,
};

struct worker {
	struct loop *loop;
	struct link link;
	worker_remote_new new_rdp, new_vnc;
	enum session_state state;
	enum end_reason reason;
	struct start start;
	struct limits limits;
	struct screen screen;
	struct hands hands;
	struct remote *remote; /* owned */
	struct viewer *viewer; /* owned; the present one */
	struct viewer *closing[CLOSING_MAX]; /* owned */
	struct loop_timer connect_timer; /* connects; then waits for the first picture */
	struct loop_timer limits_timer;
	struct loop_timer finish_timer;
	struct msg_worker_state reported;
	unsigned events;
	bool told_no_resize;
	char context[16 + 2 * WIRE_SESSION_ID];
};

static void worker_end(struct worker *worker, enum end_reason reason);
static void run_limits(struct worker *worker);

/* ---- states ------------------------------------------------------------------------------------ */

static bool greeted(const struct worker *worker)
{
	return worker->viewer && worker->viewer->greeted;
}

/* Tells the broker, when something is new. */
static void report(struct worker *worker)
{
	struct msg_worker_state now = {
		.state = (uint8_t)worker->state,
		.reason = (uint8_t)worker->reason,
		.viewers = greeted(worker),
		.width = (uint16_t)worker->screen.surface.width,
		.height = (uint16_t)worker->screen.surface.height,
	};
	if (memcmp(&now, &worker->reported, sizeof(now)) == 0)
		return;
	worker->reported = now;
	link_send(&worker->link, MSG_worker_state, &now);
}

static void tell_status(struct worker *worker)
{
	struct msg_status status = { .state = (uint8_t)worker->state, .reason = (uint8_t)worker->reason };
	if (greeted(worker))
		viewer_send(worker->viewer, MSG_status, &status);
}

/* The only place where the state changes. */
static void set_state(struct worker *worker, enum session_state state)
{
	if (worker->state != state && worker->state != SESSION_ENDED) {
		log_info("session-state", "from=%s to=%s reason=%s", session_state_code(worker->state),
			 session_state_code(state), end_reason_code(worker->reason));
		worker->state = state;
		tell_status(worker);
	}
	report(worker);
}

/* The state that follows from the PC and the viewer, where neither time nor the broker decides. */
static void settle(struct worker *worker)
{
	if (worker->state == SESSION_STARTING || worker->state == SESSION_LOCKED)
		report(worker);
	else if (!worker->screen.pictured)
		set_state(worker, SESSION_CONNECTING);
	else
		set_state(worker, greeted(worker) ? SESSION_ACTIVE : SESSION_DETACHED);
}

static void tell_event(struct worker *worker, const char *event, const char *detail)
{
	struct msg_worker_event msg = { .event = event, .detail = detail };
	if (worker->events >= EVENTS_MAX)
		return;
	worker->events++;
	link_send(&worker->link, MSG_worker_event, &msg);
}

static void notice(struct worker *worker, enum notice_kind kind, uint32_t seconds)
{
	struct msg_notice msg = { .kind = (uint8_t)kind, .seconds = seconds };
	if (greeted(worker))
		viewer_send_keyed(worker->viewer, kind, MSG_notice, &msg);
}

/* ---- viewer ------------------------------------------------------------------------------------ */

/* Takes the viewer away with a last word, or with END_NONE and SESSION_STARTING when it is gone already. */
static void drop_viewer(struct worker *worker, enum session_state state, enum end_reason reason)
{
	struct viewer *viewer = util_take_ptr(worker->viewer);
	if (!viewer)
		return;
	screen_show(&worker->screen, NULL);
	hands_release(&worker->hands);
	if (viewer->greeted && state != SESSION_LOCKED)
		limits_viewer_left(&worker->limits, clock_mono_us());
	if (state == SESSION_STARTING)
		return;
	viewer_free(worker->closing[CLOSING_MAX - 1]);
	memmove(&worker->closing[1], &worker->closing[0], sizeof(worker->closing) - sizeof(worker->closing[0]));
	worker->closing[0] = viewer;
	viewer_close(viewer, state, reason);
}

static bool forget_closing(struct worker *worker, const struct viewer *viewer)
{
	for (size_t i = 0; i < CLOSING_MAX; i++) {
		if (worker->closing[i] != viewer)
			continue;
		worker->closing[i] = NULL;
		return true;
	}
	return false;
}

static void welcome(struct worker *worker)
{
	const struct msg_session_start *start = &worker->start.msg;
	struct msg_hello hello = {
		.version = VIEWER_VERSION,
		.label = start->label,
		.state = (uint8_t)worker->state,
		/* Not known before the PC answers; NOTICE_NO_RESIZE follows when it cannot. */
		.can_resize = !worker->screen.pictured || (worker->remote && worker->remote->can_resize),
		.view_only = start->view_only,
	};
	memcpy(hello.session, start->session, sizeof(hello.session));
	viewer_send(worker->viewer, MSG_hello, &hello);
	tell_status(worker);
}

static void on_viewer_hello(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	struct worker *worker = ctx;
	bool resumed = worker->limits.seen;
	if (viewer != worker->viewer)
		return;
	limits_viewer_came(&worker->limits);
	worker->told_no_resize = false;
	welcome(worker);
	settle(worker);
	if (resumed)
		notice(worker, NOTICE_RESUMED, 0);
	/* A warning that is out was meant for the person, not for the connection. */
	worker->limits.warned_idle = worker->limits.warned_length = false;
	screen_show(&worker->screen, viewer);
	hands_resize(&worker->hands, width, height);
	run_limits(worker);
}

static void on_input(struct worker *worker)
{
	if (!limits_input(&worker->limits, clock_mono_us()))
		return;
	notice(worker, NOTICE_CLEAR, 0);
	run_limits(worker);
}

static void on_viewer_key(void *ctx, struct viewer *viewer, const struct msg_key *key)
{
	struct worker *worker = ctx;
	if (viewer != worker->viewer)
		return;
	on_input(worker);
	hands_key(&worker->hands, key);
}

static void on_viewer_text(void *ctx, struct viewer *viewer, const char *text)
{
	struct worker *worker = ctx;
	if (viewer != worker->viewer)
		return;
	on_input(worker);
	hands_text(&worker->hands, text);
}

static void on_viewer_pointer(void *ctx, struct viewer *viewer, const struct msg_pointer *pointer)
{
	struct worker *worker = ctx;
	if (viewer != worker->viewer)
		return;
	on_input(worker);
	hands_pointer(&worker->hands, pointer);
}

static void on_viewer_resize(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	struct worker *worker = ctx;
	if (viewer == worker->viewer)
		hands_resize(&worker->hands, width, height);
}

static void on_viewer_release(void *ctx, struct viewer *viewer)
{
	struct worker *worker = ctx;
	if (viewer == worker->viewer)
		hands_release(&worker->hands);
}

static void on_viewer_still_here(void *ctx, struct viewer *viewer)
{
	struct worker *worker = ctx;
	if (viewer == worker->viewer)
		on_input(worker);
}

static void on_viewer_refresh(void *ctx, struct viewer *viewer)
{
	struct worker *worker = ctx;
	if (viewer == worker->viewer)
		screen_refresh(&worker->screen);
}

static void on_viewer_room(void *ctx, struct viewer *viewer)
{
	struct worker *worker = ctx;
	if (viewer == worker->viewer)
		screen_room(&worker->screen);
}

static void on_viewer_gone(void *ctx, struct viewer *viewer, enum err why)
{
	struct worker *worker = ctx;
	if (why == ERR_PROTOCOL)
		tell_event(worker, "viewer-protocol", "{}");
	if (forget_closing(worker, viewer))
		return;
	if (viewer != worker->viewer)
		return;
	log_info("viewer-left", "viewer=%u why=%s", viewer->number, why ? err_code(why) : "refused");
	drop_viewer(worker, SESSION_STARTING, END_NONE);
	settle(worker);
	run_limits(worker);
}

static const struct viewer_ops viewer_ops = {
	.hello = on_viewer_hello,
	.key = on_viewer_key,
	.text = on_viewer_text,
	.pointer = on_viewer_pointer,
	.resize = on_viewer_resize,
	.release_keys = on_viewer_release,
	.still_here = on_viewer_still_here,
	.refresh = on_viewer_refresh,
	.room = on_viewer_room,
	.gone = on_viewer_gone,
};

static void take_viewer(struct worker *worker, uint32_t number, int fd)
{
	struct viewer *viewer;
	enum err err = viewer_new(worker->loop, fd, number, &viewer_ops, worker, &viewer);
	if (err) {
		log_error("viewer-new", "viewer=%u error=%s", number, err_code(err));
		return;
	}
	log_info("viewer-came", "viewer=%u", number);
	drop_viewer(worker, SESSION_DETACHED, END_REPLACED);
	worker->viewer = viewer;
	if (worker->state == SESSION_LOCKED || worker->state == SESSION_ENDED)
		drop_viewer(worker, worker->state, worker->reason);
	else
		settle(worker);
}

static void on_cannot_resize(void *ctx)
{
	struct worker *worker = ctx;
	if (!worker->told_no_resize)
		notice(worker, NOTICE_NO_RESIZE, 0);
	worker->told_no_resize = true;
}

/* ---- PC ---------------------------------------------------------------------------------------- */

static void first_picture(struct worker *worker)
{
	loop_timer_cancel(&worker->connect_timer);
	settle(worker);
}

static uint8_t *on_resized(void *ctx, unsigned width, unsigned height, size_t *ret_stride)
{
	struct worker *worker = ctx;
	uint8_t *data = screen_resized(&worker->screen, width, height, ret_stride);
	if (data) {
		hands_set_desktop(&worker->hands, width, height);
		report(worker);
	}
	return data;
}

static void on_damaged(void *ctx, int x, int y, int width, int height)
{
	struct worker *worker = ctx;
	bool pictured = worker->screen.pictured;
	screen_damaged(&worker->screen, x, y, width, height);
	if (!pictured)
		first_picture(worker);
}

static void on_frame_done(void *ctx)
{
	struct worker *worker = ctx;
	bool pictured = worker->screen.pictured;
	screen_frame_done(&worker->screen);
	if (!pictured)
		first_picture(worker);
}

static void on_cursor(void *ctx, unsigned hot_x, unsigned hot_y, unsigned width, unsigned height, const uint8_t *rgba)
{
	struct worker *worker = ctx;
	screen_cursor(&worker->screen, hot_x, hot_y, width, height, rgba);
}

static void on_bell(void *ctx)
{
	struct worker *worker = ctx;
	struct msg_bell bell = { 0 };
	if (worker->screen.viewer)
		viewer_send(worker->viewer, MSG_bell, &bell);
}

static bool on_trust(void *ctx, const uint8_t fingerprint[32])
{
	struct worker *worker = ctx;
	struct msg_pin_question question;
	struct ipc_received answer;
	if (!worker->link.broker)
		return false;
	memcpy(question.fingerprint, fingerprint, sizeof(question.fingerprint));
	link_send(&worker->link, MSG_pin_question, &question);
	enum err err = channel_wait(worker->link.broker, MSG_pin_answer, TRUST_WAIT_MS, &answer);
	if (err) {
		log_warn("pin-question", "error=%s", err_code(err));
		return false;
	}
	bool trusted = answer.msg.pin_answer.trusted == 1;
	ipc_received_finish(&answer);
	return trusted && worker->state != SESSION_ENDED;
}

/* Only what needs no escaping in JSON. */
static void on_channel_refused(void *ctx, const char *name)
{
	struct worker *worker = ctx;
	char shown[NAME_MAX_SHOWN + 1], detail[NAME_MAX_SHOWN + 32];
	size_t len = strnlen(name, NAME_MAX_SHOWN);
	for (size_t i = 0; i < len; i++)
		shown[i] = isalnum((unsigned char)name[i]) || strchr("-_.:#", name[i]) ? name[i] : '?';
	shown[len] = '\0';
	snprintf(detail, sizeof(detail), "{\"channel\":\"%s\"}", shown);
	log_warn("channel-refused", "channel=\"%s\"", shown);
	tell_event(worker, "channel-refused", detail);
}

static void on_ended(void *ctx, enum end_reason reason)
{
	struct worker *worker = ctx;
	/* There is nobody left to let go of keys. */
	hands_set_remote(&worker->hands, NULL);
	worker_end(worker, reason);
}

static const struct remote_events remote_events = {
	.resized = on_resized,
	.damaged = on_damaged,
	.frame_done = on_frame_done,
	.cursor = on_cursor,
	.bell = on_bell,
	.trust = on_trust,
	.channel_refused = on_channel_refused,
	.ended = on_ended,
};

/* The reason why it failed, or END_NONE. */
static enum end_reason connect_remote(struct worker *worker)
{
	bool rdp = worker->start.msg.protocol == PROTOCOL_RDP;
	worker_remote_new make = rdp ? worker->new_rdp : worker->new_vnc;
	struct remote_config config;
	enum end_reason reason = END_PC_PROTOCOL;
	start_remote_config(&worker->start, &config);
	enum err err = make(worker->loop, &config, &remote_events, worker, &worker->remote);
	if (err) {
		log_error("remote-new", "error=%s", err_code(err));
		return END_GATEWAY;
	}
	err = worker->remote->ops->connect(worker->remote, &reason);
	/* It is not needed again: a lost PC connection ends the session. */
	start_wipe(&worker->start);
	worker->remote->config.password = "";
	if (!err)
		return END_NONE;
	log_warn("pc-connect", "error=%s reason=%s", err_code(err), end_reason_code(reason));
	return reason;
}

static void on_connect_timer(struct loop_timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, connect_timer);
	if (worker->state == SESSION_ENDED)
		return;
	if (worker->remote) {
		log_warn("pc-no-picture", "seconds=%u", worker->remote->config.connect_s);
		worker_end(worker, END_PC_TIMEOUT);
		return;
	}
	enum end_reason reason = connect_remote(worker);
	if (reason) {
		worker_end(worker, reason);
	} else if (worker->state != SESSION_ENDED) {
		if (!worker->screen.pictured)
			loop_timer_set(timer, (uint64_t)worker->remote->config.connect_s * 1000000);
		screen_set_remote(&worker->screen, worker->remote);
		hands_set_remote(&worker->hands, worker->remote);
	}
}

/* ---- time -------------------------------------------------------------------------------------- */

static void lock(struct worker *worker)
{
	set_state(worker, SESSION_LOCKED);
	drop_viewer(worker, SESSION_LOCKED, END_NONE);
	report(worker);
}

static void act_on_limit(struct worker *worker, enum limits_event event)
{
	const struct limits *limits = &worker->limits;
	uint64_t now = clock_mono_us();
	bool locks = limits->config.idle_lock_s < limits->config.idle_logoff_s;
	switch (event) {
	case LIMITS_WARN_IDLE:
		notice(worker, locks ? NOTICE_IDLE_LOCK : NOTICE_IDLE_LOGOFF, limits_idle_left(limits, now));
		break;
	case LIMITS_WARN_LENGTH:
		notice(worker, NOTICE_LENGTH, limits_length_left(limits, now));
		break;
	case LIMITS_LOCK:
		lock(worker);
		break;
	case LIMITS_END_IDLE:
		worker_end(worker, END_IDLE);
		break;
	case LIMITS_END_LENGTH:
		worker_end(worker, END_LENGTH);
		break;
	case LIMITS_END_RESUME:
		worker_end(worker, END_RESUME);
		break;
	case LIMITS_END_BROKER:
		worker_end(worker, END_GATEWAY);
		break;
	case LIMITS_NOTHING:
		break;
	}
}

static void run_limits(struct worker *worker)
{
	uint64_t wait_us = 0;
	while (worker->state != SESSION_ENDED && worker->state != SESSION_STARTING) {
		enum limits_event event = limits_next(&worker->limits, clock_mono_us(), &wait_us);
		if (event == LIMITS_NOTHING) {
			loop_timer_set(&worker->limits_timer, wait_us);
			return;
		}
		act_on_limit(worker, event);
	}
}

static void on_limits_timer(struct loop_timer *timer)
{
	run_limits(container_of(timer, struct worker, limits_timer));
}

/* ---- the end ----------------------------------------------------------------------------------- */

static void free_viewers(struct worker *worker)
{
	viewer_free(worker->viewer);
	worker->viewer = NULL;
	for (size_t i = 0; i < CLOSING_MAX; i++) {
		viewer_free(worker->closing[i]);
		worker->closing[i] = NULL;
	}
}

static bool somebody_closing(const struct worker *worker)
{
	for (size_t i = 0; i < CLOSING_MAX; i++)
		if (worker->closing[i])
			return true;
	return false;
}

/* Outside of every callback of the remote. Viewers linger for a second at most. */
static void on_finish_timer(struct loop_timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, finish_timer);
	remote_free(worker->remote);
	worker->remote = NULL;
	if (somebody_closing(worker))
		loop_timer_set(timer, FINISH_US);
	else
		loop_stop(worker->loop, 0);
}

/* The only way a session ends. */
static void worker_end(struct worker *worker, enum end_reason reason)
{
	if (worker->state == SESSION_ENDED)
		return;
	worker->reason = reason;
	drop_viewer(worker, SESSION_ENDED, reason);
	screen_set_remote(&worker->screen, NULL);
	hands_set_remote(&worker->hands, NULL);
	loop_timer_cancel(&worker->connect_timer);
	loop_timer_cancel(&worker->limits_timer);
	set_state(worker, SESSION_ENDED);
	loop_timer_set(&worker->finish_timer, FINISH_US);
}

/* ---- broker ------------------------------------------------------------------------------------ */

static void name_session(struct worker *worker)
{
	char hex[2 * WIRE_SESSION_ID + 1];
	util_hex(worker->start.msg.session, WIRE_SESSION_ID, hex);
	snprintf(worker->context, sizeof(worker->context), "session=%s", hex);
	log_context(worker->context);
}

static void start_session(struct worker *worker, const struct msg_session_start *msg)
{
	if (worker->state != SESSION_STARTING) {
		log_error("session-start-twice", "state=%s", session_state_code(worker->state));
		return;
	}
	enum err err = start_keep(&worker->start, msg);
	if (err) {
		log_error("session-start", "error=%s", err_code(err));
		worker_end(worker, END_GATEWAY);
		return;
	}
	name_session(worker);
	struct limits_config config = {
		.idle_warn_s = msg->idle_warn_s,
		.idle_lock_s = msg->idle_lock_s,
		.idle_logoff_s = msg->idle_logoff_s,
		.resume_s = msg->resume_s,
		.length_s = msg->length_s,
	};
	limits_init(&worker->limits, &config, clock_mono_us());
	worker->hands.view_only = msg->view_only != 0;
	set_state(worker, SESSION_CONNECTING);
	/* In a turn of its own: connecting blocks, and what the broker sent with this should come first. */
	loop_timer_set(&worker->connect_timer, 0);
	run_limits(worker);
}

static void unlock(struct worker *worker)
{
	if (worker->state != SESSION_LOCKED)
		return;
	limits_unlocked(&worker->limits, clock_mono_us());
	set_state(worker, worker->screen.pictured ? SESSION_DETACHED : SESSION_CONNECTING);
	run_limits(worker);
}

static void on_broker_message(void *ctx, const struct wire_type *type, const union wire_any *msg, int fd)
{
	_cleanup_close_ int passed = fd;
	struct worker *worker = ctx;
	struct msg_worker_pong pong;
	switch (type->id) {
	case MSG_session_start:
		start_session(worker, &msg->session_start);
		break;
	case MSG_session_viewer:
		if (worker->state != SESSION_STARTING)
			take_viewer(worker, msg->session_viewer.viewer, util_take_fd(&passed));
		break;
	case MSG_session_stop:
		worker_end(worker, msg->session_stop.reason ? (enum end_reason)msg->session_stop.reason : END_TERMINATED);
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
	struct msg_worker_hello hello = { .state = (uint8_t)worker->state, .viewers = greeted(worker) };
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
		worker_end(worker, END_GATEWAY);
		return;
	}
	limits_broker_left(&worker->limits, clock_mono_us());
	run_limits(worker);
}

static void on_monitor_left(void *ctx)
{
	worker_end(ctx, END_GATEWAY);
}

static const struct link_ops link_ops = {
	.broker_came = on_broker_came,
	.broker_left = on_broker_left,
	.message = on_broker_message,
	.monitor_left = on_monitor_left,
};

enum err worker_new(struct loop *loop, int monitor_fd, worker_remote_new rdp, worker_remote_new vnc, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return ERR_NOMEM;
	*worker = (struct worker){ .loop = loop, .new_rdp = rdp, .new_vnc = vnc, .state = SESSION_STARTING };
	loop_timer_init(loop, &worker->connect_timer, on_connect_timer);
	loop_timer_init(loop, &worker->limits_timer, on_limits_timer);
	loop_timer_init(loop, &worker->finish_timer, on_finish_timer);
	hands_init(&worker->hands, loop, on_cannot_resize, worker);
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
	free_viewers(worker);
	link_finish(&worker->link);
	hands_finish(&worker->hands);
	screen_finish(&worker->screen);
	start_finish(&worker->start);
	log_context(NULL);
	free(worker);
}
