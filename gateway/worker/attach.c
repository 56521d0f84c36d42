#include "worker/attach.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/session.h"

void attach_drop(struct worker *worker, enum session_state state, enum end_reason reason)
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
	viewer_free(worker->closing[SESSION_CLOSING_MAX - 1]);
	memmove(&worker->closing[1], &worker->closing[0],
		sizeof(worker->closing) - sizeof(worker->closing[0]));
	worker->closing[0] = viewer;
	viewer_close(viewer, state, reason);
}

static bool forget_closing(struct worker *worker, const struct viewer *viewer)
{
	for (size_t i = 0; i < SESSION_CLOSING_MAX; i++) {
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
		.can_resize =
			!worker->screen.pictured || (worker->remote && worker->remote->can_resize),
		.view_only = start->view_only,
		.monitors = 1,
	};
	memcpy(hello.session, start->session, sizeof(hello.session));
	viewer_send(worker->viewer, MSG_hello, &hello);
	worker->welcomed = true;
	session_tell_status(worker);
}

static void on_viewer_hello(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	struct worker *worker = ctx;
	bool resumed = worker->limits.seen;
	if (viewer != worker->viewer)
		return;
	limits_viewer_came(&worker->limits);
	worker->told_no_resize = worker->told_no_text = false;
	session_settle(worker);
	welcome(worker);
	if (resumed)
		session_notice(worker, NOTICE_RESUMED, 0);
	/* A warning that is out was meant for the person, not for the connection. */
	worker->limits.warned_idle = worker->limits.warned_length = false;
	screen_show(&worker->screen, viewer);
	hands_resize(&worker->hands, width, height);
	session_run_limits(worker);
}

static void on_input(struct worker *worker)
{
	if (!limits_input(&worker->limits, clock_mono_us()))
		return;
	session_notice(worker, NOTICE_CLEAR, 0);
	session_run_limits(worker);
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
		session_event(worker, "viewer-protocol", "{}");
	if (forget_closing(worker, viewer))
		return;
	if (viewer != worker->viewer)
		return;
	log_info("viewer-left", "viewer=%u why=%s", viewer->number,
		 why ? err_code(why) : "refused");
	attach_drop(worker, SESSION_STARTING, END_NONE);
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
	.refresh = on_viewer_refresh,
	.room = on_viewer_room,
	.gone = on_viewer_gone,
};

void attach_take(struct worker *worker, uint32_t number, int fd)
{
	struct viewer *viewer;
	enum err err = viewer_new(worker->loop, fd, number, &viewer_ops, worker, &viewer);
	if (err) {
		log_error("viewer-new", "viewer=%u error=%s", number, err_code(err));
		return;
	}
	log_info("viewer-came", "viewer=%u", number);
	attach_drop(worker, SESSION_DETACHED, END_REPLACED);
	worker->viewer = viewer;
	worker->welcomed = false;
	if (worker->state == SESSION_LOCKED || worker->state == SESSION_ENDED)
		attach_drop(worker, worker->state, worker->reason);
	else
		session_settle(worker);
}

static void tell_once(struct worker *worker, bool *told, enum notice_kind kind)
{
	if (!*told)
		session_notice(worker, kind, 0);
	*told = true;
}

static void on_cannot_resize(void *ctx)
{
	struct worker *worker = ctx;
	tell_once(worker, &worker->told_no_resize, NOTICE_NO_RESIZE);
}

static void on_cannot_take_text(void *ctx)
{
	struct worker *worker = ctx;
	tell_once(worker, &worker->told_no_text, NOTICE_NO_TEXT);
}

const struct hands_events attach_hands_events = {
	.cannot_resize = on_cannot_resize,
	.cannot_take_text = on_cannot_take_text,
};

void attach_free(struct worker *worker)
{
	viewer_free(worker->viewer);
	worker->viewer = NULL;
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
