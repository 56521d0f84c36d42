#include "worker/attach.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/control.h"
#include "worker/session.h"

/* ---- windows ---------------------------------------------------------------------------- */

/* NULL for a viewer that is not a window's any more. */
static struct window *window_of(struct worker *worker, const struct viewer *viewer)
{
	for (size_t i = 0; i < SESSION_WINDOWS; i++)
		if (worker->windows[i].viewer == viewer)
			return &worker->windows[i];
	return NULL;
}

static unsigned number_of(const struct worker *worker, const struct window *window)
{
	return (unsigned)(window - worker->windows);
}

/* Its viewer, if it has one, is the caller's from now on. */
static struct viewer *leave(struct worker *worker, struct window *window)
{
	struct viewer *viewer = util_take_ptr(window->viewer);
	if (!viewer)
		return NULL;
	if (window->welcomed)
		session_happens(worker, viewer->monitor, "viewer-left");
	screen_hide(&worker->screen, viewer);
	hands_release(&worker->hands);
	hands_leave(&worker->hands, number_of(worker, window));
	return viewer;
}

void attach_dismiss(struct worker *worker, struct viewer *viewer, enum session_state state,
		    enum end_reason reason)
{
	viewer_free(worker->closing[SESSION_CLOSING_MAX - 1]);
	memmove(&worker->closing[1], &worker->closing[0],
		sizeof(worker->closing) - sizeof(worker->closing[0]));
	worker->closing[0] = viewer;
	viewer_close(viewer, state, reason);
}

/* With a last word. */
static void drop(struct worker *worker, struct window *window, enum session_state state,
		 enum end_reason reason)
{
	struct viewer *viewer = leave(worker, window);
	if (viewer)
		attach_dismiss(worker, viewer, state, reason);
}

static void drop_others(struct worker *worker, enum session_state state, enum end_reason reason)
{
	for (size_t i = 1; i < SESSION_WINDOWS; i++)
		drop(worker, &worker->windows[i], state, reason);
}

/* Viewers were there before, and now the session waits for one. */
static void note_left(struct worker *worker, unsigned before)
{
	if (before > 0 && session_viewers(worker) == 0)
		limits_viewer_left(&worker->limits, clock_mono_us());
}

void attach_drop(struct worker *worker, enum session_state state, enum end_reason reason)
{
	unsigned before = session_viewers(worker);
	drop_others(worker, state, reason);
	drop(worker, &worker->windows[0], state, reason);
	if (state != SESSION_LOCKED)
		note_left(worker, before);
}

bool attach_forget(struct worker *worker, const struct viewer *viewer)
{
	for (size_t i = 0; i < SESSION_CLOSING_MAX; i++) {
		if (worker->closing[i] != viewer)
			continue;
		worker->closing[i] = NULL;
		return true;
	}
	return false;
}

void attach_send(struct worker *worker, uint16_t id, const void *msg)
{
	for (size_t i = 0; i < SESSION_WINDOWS; i++)
		if (worker->windows[i].welcomed && worker->windows[i].viewer)
			viewer_send(worker->windows[i].viewer, id, msg);
}

/* Two windows are of one person, who would hear everything twice. */
struct viewer *attach_listener(const struct worker *worker)
{
	const struct window *window = &worker->windows[0];
	bool can = window->viewer && window->welcomed && window->viewer->codecs & CODEC_OPUS;
	return can && start_audio(&worker->start) ? window->viewer : NULL;
}

void attach_place(struct worker *worker)
{
	for (unsigned i = 0; i < SESSION_WINDOWS; i++) {
		struct rect part = layout_part(&worker->hands.layout, i);
		if (worker->windows[i].viewer)
			screen_place(&worker->screen, worker->windows[i].viewer, &part);
	}
}

/* ---- hello ------------------------------------------------------------------------------ */

static void welcome(struct worker *worker, struct window *window)
{
	const struct msg_session_start *start = &worker->start.msg;
	struct msg_hello hello = {
		.version = VIEWER_VERSION,
		.label = start->label,
		.state = (uint8_t)worker->state,
		.can_resize = window->can_resize,
		.view_only = start->view_only,
		.monitor = (uint8_t)number_of(worker, window),
		.monitors = (uint8_t)window->monitors,
		.audio = start_audio(&worker->start) && window == worker->windows,
	};
	memcpy(hello.session, start->session, sizeof(hello.session));
	viewer_send(window->viewer, MSG_hello, &hello);
	window->welcomed = true;
}

/* True when that is news to the window. */
static bool learn(const struct worker *worker, struct window *window)
{
	const struct remote *remote = worker->remote;
	/* Not known before the PC answers; NOTICE_NO_RESIZE follows when it cannot. */
	bool can_resize = !worker->screen.pictured || (remote && remote->can_resize);
	unsigned monitors = remote && remote->can_resize
				    ? MIN(MAX(remote->monitors, 1u), (unsigned)LAYOUT_MONITORS)
				    : 1;
	if (window->can_resize == can_resize && window->monitors == monitors)
		return false;
	window->can_resize = can_resize;
	window->monitors = monitors;
	return true;
}

void attach_know(struct worker *worker)
{
	for (size_t i = 0; i < SESSION_WINDOWS; i++) {
		struct window *window = &worker->windows[i];
		if (window->viewer && window->welcomed && learn(worker, window))
			welcome(worker, window);
	}
}

static void show(struct worker *worker, struct window *window)
{
	struct viewer *viewer = window->viewer;
	struct rect part = layout_part(&worker->hands.layout, number_of(worker, window));
	enum err err = screen_show(&worker->screen, viewer, &part);
	if (!err)
		return;
	log_error("viewer-show", "viewer=%u error=%s", viewer->number, err_code(err));
	drop(worker, window, SESSION_DETACHED, END_GATEWAY);
}

static void on_viewer_hello(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	struct worker *worker = ctx;
	struct window *window = window_of(worker, viewer);
	bool resumed = worker->limits.seen;
	if (!window)
		return;
	if (*window->joined)
		recorder_event(worker->recorder, viewer->monitor, window->joined);
	else
		session_happens(worker, viewer->monitor, "viewer-joined");
	limits_viewer_came(&worker->limits);
	session_settle(worker);
	(void)learn(worker, window);
	welcome(worker, window);
	session_tell_status(worker);
	watch_tell(worker, viewer);
	if (resumed && window == worker->windows)
		session_notice(worker, NOTICE_RESUMED, 0);
	/* A warning that is out was meant for the person, not for the connection. */
	worker->limits.warned_idle = worker->limits.warned_length = false;
	hands_resize(&worker->hands, number_of(worker, window), width, height);
	/* Until its monitor is there, its picture would be the whole desktop. */
	if (layout_coming(&worker->hands.layout, number_of(worker, window)))
		screen_wait(&worker->screen, viewer);
	show(worker, window);
	session_run_limits(worker);
}

/* ---- input ------------------------------------------------------------------------------ */

/* NULL: it is none of ours any more. Else the person is at work. */
static struct window *at_work(struct worker *worker, const struct viewer *viewer)
{
	struct window *window = window_of(worker, viewer);
	if (!window || !limits_input(&worker->limits, clock_mono_us()))
		return window;
	session_notice(worker, NOTICE_CLEAR, 0);
	session_run_limits(worker);
	return window_of(worker, viewer);
}

/* While somebody else controls, all that the person's input does is take that back: keys, text and
 * buttons that go down. */
static bool taken_back(struct worker *worker, bool acts)
{
	if (!control_active(worker))
		return false;
	if (acts)
		control_take_back(worker);
	return true;
}

static void on_viewer_key(void *ctx, struct viewer *viewer, const struct msg_key *key)
{
	struct worker *worker = ctx;
	if (!at_work(worker, viewer) || taken_back(worker, key->down))
		return;
	recorder_key(worker->recorder, viewer->monitor, key);
	hands_key(&worker->hands, key);
}

static void on_viewer_text(void *ctx, struct viewer *viewer, const char *text)
{
	struct worker *worker = ctx;
	if (!at_work(worker, viewer) || taken_back(worker, true))
		return;
	recorder_text(worker->recorder, viewer->monitor, text);
	hands_text(&worker->hands, text);
}

static void on_viewer_pointer(void *ctx, struct viewer *viewer, const struct msg_pointer *pointer)
{
	struct worker *worker = ctx;
	struct window *window = at_work(worker, viewer);
	if (!window)
		return;
	bool pressed = pointer->buttons & ~window->buttons;
	window->buttons = pointer->buttons;
	if (taken_back(worker, pressed))
		return;
	recorder_pointer(worker->recorder, viewer->monitor, pointer);
	hands_pointer(&worker->hands, number_of(worker, window), pointer);
}

static void on_viewer_resize(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	struct worker *worker = ctx;
	const struct window *window = window_of(worker, viewer);
	if (!window)
		return;
	const struct msg_resize resize = { .width = (uint16_t)width, .height = (uint16_t)height };
	recorder_resize(worker->recorder, viewer->monitor, &resize);
	hands_resize(&worker->hands, number_of(worker, window), width, height);
}

static void on_viewer_release(void *ctx, struct viewer *viewer)
{
	struct worker *worker = ctx;
	if (window_of(worker, viewer) && !control_active(worker))
		hands_release(&worker->hands);
}

static void on_viewer_control(void *ctx, struct viewer *viewer, enum viewer_control what,
			      uint32_t watch)
{
	struct worker *worker = ctx;
	if (!at_work(worker, viewer))
		return;
	if (what == VIEWER_ENDS)
		control_take_back(worker);
	else if (what != VIEWER_ASKS)
		control_answer(worker, watch, what == VIEWER_AGREES);
}

static void on_viewer_still_here(void *ctx, struct viewer *viewer)
{
	(void)at_work(ctx, viewer);
}

static void on_viewer_clipboard(void *ctx, struct viewer *viewer, enum clipboard_way way)
{
	struct worker *worker = ctx;
	if (window_of(worker, viewer))
		clipboard_tried(worker, way);
}

static void on_viewer_ping(void *ctx, struct viewer *viewer, uint32_t number)
{
	struct worker *worker = ctx;
	struct remote *remote = worker->remote;
	struct msg_pong pong = { .number = number,
				 .pc_us = remote ? remote->ops->rtt_us(remote) : 0 };
	viewer_send(viewer, MSG_pong, &pong);
}

static void on_viewer_refresh(void *ctx, struct viewer *viewer)
{
	struct worker *worker = ctx;
	screen_refresh(&worker->screen, viewer);
}

static void on_viewer_room(void *ctx, struct viewer *viewer)
{
	struct worker *worker = ctx;
	screen_room(&worker->screen, viewer);
}

static void on_viewer_sent(void *ctx, struct viewer *viewer, const uint8_t *message, size_t len)
{
	struct worker *worker = ctx;
	recorder_sent(worker->recorder, viewer->monitor, message, len);
}

static void on_viewer_gone(void *ctx, struct viewer *viewer, enum err why)
{
	struct worker *worker = ctx;
	struct window *window = window_of(worker, viewer);
	unsigned before = session_viewers(worker);
	if (why == ERR_PROTOCOL)
		session_event(worker, "viewer-protocol", "{}");
	if (attach_forget(worker, viewer) || !window)
		return;
	log_info("viewer-left", "viewer=%u why=%s", viewer->number,
		 why ? err_code(why) : "refused");
	(void)leave(worker, window);
	if (window == worker->windows)
		drop_others(worker, SESSION_DETACHED, END_NONE);
	note_left(worker, before);
	session_settle(worker);
	session_run_limits(worker);
}

static const struct viewer_ops viewer_ops = {
	.hello = on_viewer_hello,
	.key = on_viewer_key,
	.text = on_viewer_text,
	.pointer = on_viewer_pointer,
	.resize = on_viewer_resize,
	.release_keys = on_viewer_release,
	.still_here = on_viewer_still_here,
	.clipboard = on_viewer_clipboard,
	.control = on_viewer_control,
	.ping = on_viewer_ping,
	.refresh = on_viewer_refresh,
	.room = on_viewer_room,
	.sent = on_viewer_sent,
	.gone = on_viewer_gone,
};

/* ---- coming ----------------------------------------------------------------------------- */

static void refuse(struct worker *worker, struct window *window)
{
	if (worker->state == SESSION_LOCKED || worker->state == SESSION_ENDED)
		drop(worker, window, worker->state, worker->reason);
	else if (window != worker->windows && !worker->windows[0].viewer)
		drop(worker, window, SESSION_DETACHED, END_NONE);
}

void attach_take(struct worker *worker, const struct msg_session_viewer *msg, int fd)
{
	struct viewer *viewer;
	if (msg->monitor >= SESSION_WINDOWS) {
		log_error("viewer-monitor", "viewer=%u monitor=%u", msg->viewer, msg->monitor);
		close(fd);
		return;
	}
	enum err err = viewer_new(worker->loop, fd, msg->viewer, &viewer_ops, worker, &viewer);
	if (err) {
		log_error("viewer-new", "viewer=%u error=%s", msg->viewer, err_code(err));
		return;
	}
	viewer->monitor = msg->monitor;
	log_info("viewer-came", "viewer=%u monitor=%u", msg->viewer, msg->monitor);
	struct window *window = &worker->windows[msg->monitor];
	/* Whoever comes may sit at another device: nothing stays at the one before. */
	if (msg->monitor == 0)
		attach_drop(worker, SESSION_DETACHED, END_REPLACED);
	else
		drop(worker, window, SESSION_DETACHED, END_REPLACED);
	*window = (struct window){ .viewer = viewer };
	snprintf(window->joined, sizeof(window->joined), "%s", msg->joined ? msg->joined : "");
	refuse(worker, window);
	if (window->viewer)
		session_settle(worker);
}

/* ---- what the PC cannot do -------------------------------------------------------------- */

void attach_tell_once(struct worker *worker, enum notice_kind kind)
{
	struct msg_notice msg = { .kind = (uint8_t)kind };
	for (size_t i = 0; i < SESSION_WINDOWS; i++) {
		struct window *window = &worker->windows[i];
		if (!window->viewer || !window->welcomed || window->told & 1u << kind)
			continue;
		window->told |= 1u << kind;
		viewer_send_keyed(window->viewer, kind, MSG_notice, &msg);
	}
}

static void on_cannot_resize(void *ctx)
{
	attach_tell_once(ctx, NOTICE_NO_RESIZE);
}

static void on_cannot_take_text(void *ctx)
{
	attach_tell_once(ctx, NOTICE_NO_TEXT);
}

static void on_asked(void *ctx)
{
	attach_place(ctx);
}

const struct hands_events attach_hands_events = {
	.cannot_resize = on_cannot_resize,
	.cannot_take_text = on_cannot_take_text,
	.asked = on_asked,
};

/* ---- the end ---------------------------------------------------------------------------- */

void attach_free(struct worker *worker)
{
	for (size_t i = 0; i < SESSION_WINDOWS; i++) {
		struct viewer *viewer = util_take_ptr(worker->windows[i].viewer);
		if (viewer)
			screen_hide(&worker->screen, viewer);
		viewer_free(viewer);
	}
	for (size_t i = 0; i < SESSION_CLOSING_MAX; i++) {
		viewer_free(worker->closing[i]);
		worker->closing[i] = NULL;
	}
}

bool attach_closing(const struct worker *worker)
{
	for (size_t i = 0; i < SESSION_CLOSING_MAX; i++)
		if (worker->closing[i])
			return true;
	return false;
}
