#include "worker/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/attach.h"

enum {
	EVENTS_MAX = 64,
	RECORDED_US = 2000000, /* for the end of the recording */
	FINISH_US = 100000,    /* the broker reads our last state before it hears of our exit */
};

/* ---- states ----------------------------------------------------------------------------- */

static bool greeted(const struct window *window)
{
	return window->viewer && window->viewer->greeted;
}

unsigned session_viewers(const struct worker *worker)
{
	unsigned count = 0;
	for (size_t i = 0; i < SESSION_WINDOWS; i++)
		count += greeted(&worker->windows[i]);
	return count;
}

static bool same_report(const struct msg_worker_state *a, const struct msg_worker_state *b)
{
	return a->state == b->state && a->reason == b->reason && a->viewers == b->viewers &&
	       a->width == b->width && a->height == b->height;
}

void session_report(struct worker *worker)
{
	struct msg_worker_state now = {
		.state = (uint8_t)worker->state,
		.reason = (uint8_t)worker->reason,
		.viewers = (uint8_t)session_viewers(worker),
		.width = (uint16_t)worker->screen.surface.width,
		.height = (uint16_t)worker->screen.surface.height,
	};
	if (same_report(&now, &worker->reported))
		return;
	worker->reported = now;
	link_send(&worker->link, MSG_worker_state, &now);
}

void session_tell_status(struct worker *worker)
{
	struct msg_status status = { .state = (uint8_t)worker->state,
				     .reason = (uint8_t)worker->reason };
	for (size_t i = 0; i < SESSION_WINDOWS; i++)
		if (worker->windows[i].viewer && worker->windows[i].welcomed)
			viewer_send(worker->windows[i].viewer, MSG_status, &status);
}

void session_happens(struct worker *worker, unsigned viewer, const char *event)
{
	session_happens_so(worker, viewer, event, "{}");
}

void session_happens_so(struct worker *worker, unsigned viewer, const char *event,
			const char *detail)
{
	char json[1200];
	int len = snprintf(json, sizeof(json), "{\"event\":\"%s\"%s%s", event,
			   detail[1] == '}' ? "" : ",", detail + 1);
	if (len > 0 && (size_t)len < sizeof(json))
		recorder_event(worker->recorder, viewer, json);
}

static void record_end(struct worker *worker)
{
	char json[WATCH_WHO_MAX + 128];
	const char *who = worker->ended_who;
	snprintf(json, sizeof(json), "{\"event\":\"ended\",\"reason\":\"%s\"%s%s",
		 end_reason_code(worker->reason), *who ? "," : "", *who ? who + 1 : "}");
	recorder_event(worker->recorder, 0, json);
}

static void record_state(struct worker *worker, enum session_state state)
{
	if (state == SESSION_LOCKED)
		session_happens(worker, 0, "locked");
	else if (worker->state == SESSION_LOCKED && state != SESSION_ENDED)
		session_happens(worker, 0, "unlocked");
	if (state == SESSION_ENDED)
		record_end(worker);
	else
		recorder_expect_password(worker->recorder);
}

void session_set_state(struct worker *worker, enum session_state state)
{
	if (worker->state != state && worker->state != SESSION_ENDED) {
		record_state(worker, state);
		log_info("session-state", "from=%s to=%s reason=%s",
			 session_state_code(worker->state), session_state_code(state),
			 end_reason_code(worker->reason));
		worker->state = state;
		session_tell_status(worker);
		watch_settle(worker);
	}
	session_report(worker);
}

void session_settle(struct worker *worker)
{
	if (worker->state == SESSION_STARTING || worker->state == SESSION_LOCKED)
		session_report(worker);
	else if (!worker->screen.pictured)
		session_set_state(worker, SESSION_CONNECTING);
	else
		session_set_state(worker,
				  session_viewers(worker) ? SESSION_ACTIVE : SESSION_DETACHED);
}

void session_event(struct worker *worker, const char *event, const char *detail)
{
	struct msg_worker_event msg = { .event = event, .detail = detail };
	if (worker->events >= EVENTS_MAX)
		return;
	worker->events++;
	link_send(&worker->link, MSG_worker_event, &msg);
	session_happens_so(worker, 0, event, detail);
}

void session_notice(struct worker *worker, enum notice_kind kind, uint32_t seconds)
{
	struct msg_notice msg = { .kind = (uint8_t)kind, .seconds = seconds };
	for (size_t i = 0; i < SESSION_WINDOWS; i++)
		if (greeted(&worker->windows[i]))
			viewer_send_keyed(worker->windows[i].viewer, kind, MSG_notice, &msg);
}

/* ---- time ------------------------------------------------------------------------------- */

static void lock(struct worker *worker)
{
	session_set_state(worker, SESSION_LOCKED);
	attach_drop(worker, SESSION_LOCKED, END_NONE);
	session_report(worker);
}

static void act_on_limit(struct worker *worker, enum limits_event event)
{
	const struct limits *limits = &worker->limits;
	uint64_t now = clock_mono_us();
	bool locks = limits->config.idle_lock_s < limits->config.idle_logoff_s;
	switch (event) {
	case LIMITS_WARN_IDLE:
		session_happens(worker, 0, "idle-warning");
		session_notice(worker, locks ? NOTICE_IDLE_LOCK : NOTICE_IDLE_LOGOFF,
			       limits_idle_left(limits, now));
		break;
	case LIMITS_WARN_LENGTH:
		session_notice(worker, NOTICE_LENGTH, limits_length_left(limits, now));
		break;
	case LIMITS_LOCK:
		lock(worker);
		break;
	case LIMITS_END_IDLE:
		session_end(worker, END_IDLE);
		break;
	case LIMITS_END_LENGTH:
		session_end(worker, END_LENGTH);
		break;
	case LIMITS_END_RESUME:
		session_end(worker, END_RESUME);
		break;
	case LIMITS_END_BROKER:
		session_end(worker, END_GATEWAY);
		break;
	case LIMITS_NOTHING:
		break;
	}
}

void session_run_limits(struct worker *worker)
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

void session_limits_due(struct loop_timer *timer)
{
	session_run_limits(container_of(timer, struct worker, limits_timer));
}

/* ---- the end ---------------------------------------------------------------------------- */

static bool recorded(const struct worker *worker)
{
	return recorder_over(worker->recorder) || clock_mono_us() - worker->ended_us > RECORDED_US;
}

/* Outside of every callback of the remote. Viewers linger for a second at most. */
void session_finish_due(struct loop_timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, finish_timer);
	remote_free(worker->remote);
	worker->remote = NULL;
	if (attach_closing(worker) || !recorded(worker))
		loop_timer_set(timer, FINISH_US);
	else
		loop_stop(worker->loop, 0);
}

void session_end(struct worker *worker, enum end_reason reason)
{
	if (worker->state == SESSION_ENDED)
		return;
	worker->reason = reason;
	attach_drop(worker, SESSION_ENDED, reason);
	watch_drop_all(worker, SESSION_ENDED, reason, false);
	screen_set_remote(&worker->screen, NULL);
	hands_set_remote(&worker->hands, NULL);
	loop_timer_cancel(&worker->connect_timer);
	loop_timer_cancel(&worker->limits_timer);
	session_set_state(worker, SESSION_ENDED);
	recorder_end(worker->recorder);
	worker->ended_us = clock_mono_us();
	loop_timer_set(&worker->finish_timer, FINISH_US);
}
