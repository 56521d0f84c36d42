#include "worker/watch.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/attach.h"
#include "worker/control.h"
#include "worker/session.h"

static void on_refresh_due(struct loop_timer *timer);

void watch_init(struct worker *worker)
{
	for (size_t i = 0; i < WATCH_PLACES; i++) {
		struct watch_place *place = &worker->watch.places[i];
		place->worker = worker;
		loop_timer_init(worker->loop, &place->refresh, on_refresh_due);
		loop_timer_init(worker->loop, &place->answer, control_answer_due);
	}
}

struct watch_place *watch_find(struct worker *worker, uint32_t number)
{
	for (size_t i = 0; i < WATCH_PLACES; i++)
		if (worker->watch.places[i].viewer && worker->watch.places[i].number == number)
			return &worker->watch.places[i];
	return NULL;
}

static struct watch_place *place_of(struct worker *worker, const struct viewer *viewer)
{
	for (size_t i = 0; i < WATCH_PLACES; i++)
		if (worker->watch.places[i].viewer == viewer)
			return &worker->watch.places[i];
	return NULL;
}

/* ---- telling ---------------------------------------------------------------------------- */

static void tell_person(const struct watch_place *place, struct viewer *viewer)
{
	unsigned index = (unsigned)(place - place->worker->watch.places);
	struct msg_watcher msg = {
		.place = (uint8_t)index, .account = "", .name = "", .purpose = ""
	};
	if (place->viewer && place->joined) {
		msg.watch = place->number;
		msg.state = (uint8_t)place->state;
		msg.account = place->account;
		msg.name = place->name;
		msg.purpose = place->purpose;
		msg.seconds = control_answer_left(place);
	}
	viewer_send_keyed(viewer, index, MSG_watcher, &msg);
}

void watch_tell(struct worker *worker, struct viewer *viewer)
{
	for (size_t i = 0; i < WATCH_PLACES; i++)
		if (worker->watch.places[i].viewer && worker->watch.places[i].joined)
			tell_person(&worker->watch.places[i], viewer);
}

static enum watch_view view_of(const struct watch_place *place)
{
	if (place->shown)
		return WATCH_SHOWN;
	return place->worker->state == SESSION_LOCKED ? WATCH_LOCKED : WATCH_AWAY;
}

static void tell_watcher(const struct watch_place *place)
{
	const struct msg_watching msg = { .state = (uint8_t)place->state,
					  .view = (uint8_t)view_of(place),
					  .may_ask = control_possible(place) };
	if (place->viewer && place->joined)
		viewer_send(place->viewer, MSG_watching, &msg);
}

void watch_tell_all(struct watch_place *place)
{
	struct worker *worker = place->worker;
	for (size_t i = 0; i < SESSION_WINDOWS; i++)
		if (worker->windows[i].viewer && worker->windows[i].welcomed)
			tell_person(place, worker->windows[i].viewer);
	tell_watcher(place);
}

void watch_say(struct watch_place *place, enum watch_step step, enum watch_why why)
{
	const struct msg_watch_says msg = { .watch = place->number,
					    .step = (uint8_t)step,
					    .why = (uint8_t)why };
	link_send(&place->worker->link, MSG_watch_says, &msg);
}

void watch_record(const struct watch_place *place, const char *event, enum watch_why why)
{
	char json[WATCH_WHO_MAX + 128], reason[64] = "";
	if (why)
		snprintf(reason, sizeof(reason), "\"why\":\"%s\",", watch_why_code(why));
	snprintf(json, sizeof(json), "{\"event\":\"%s\",%s%s", event, reason, place->who + 1);
	recorder_event(place->worker->recorder, 0, json);
}

/* ---- seeing ----------------------------------------------------------------------------- */

static void show(struct watch_place *place)
{
	struct worker *worker = place->worker;
	const struct rect whole = { .width = (uint16_t)worker->screen.surface.width,
				    .height = (uint16_t)worker->screen.surface.height };
	place->shown = true;
	/* Before the first frame leaves. */
	watch_tell_all(place);
	enum err err = screen_show(&worker->screen, place->viewer, &whole);
	if (!err)
		return;
	log_error("watch-show", "watch=%u error=%s", place->number, err_code(err));
	watch_stop(worker, place->number, END_GATEWAY);
}

static void hide(struct watch_place *place)
{
	place->shown = false;
	screen_hide(&place->worker->screen, place->viewer);
	loop_timer_cancel(&place->refresh);
	control_end(place, WATCH_WHY_AWAY);
	watch_tell_all(place);
}

void watch_settle(struct worker *worker)
{
	bool there = worker->state == SESSION_ACTIVE;
	for (size_t i = 0; i < WATCH_PLACES; i++) {
		struct watch_place *place = &worker->watch.places[i];
		if (!place->viewer || !place->joined)
			continue;
		if (there && !place->shown)
			show(place);
		else if (!there && place->shown)
			hide(place);
		else if (!there)
			tell_watcher(place);
	}
}

static void refresh(struct watch_place *place, uint64_t now_us)
{
	place->refreshed_us = now_us;
	screen_refresh(&place->worker->screen, place->viewer);
}

static void on_refresh_due(struct loop_timer *timer)
{
	struct watch_place *place = container_of(timer, struct watch_place, refresh);
	if (place->viewer && place->shown)
		refresh(place, clock_mono_us());
}

static void on_watcher_refresh(void *ctx, struct viewer *viewer)
{
	struct watch_place *place = place_of(ctx, viewer);
	uint64_t now = clock_mono_us();
	if (!place || !place->shown || loop_timer_running(&place->refresh))
		return;
	if (!place->refreshed_us || now - place->refreshed_us >= WATCH_REFRESH_US)
		refresh(place, now);
	else
		loop_timer_set(&place->refresh, place->refreshed_us + WATCH_REFRESH_US - now);
}

static void on_watcher_room(void *ctx, struct viewer *viewer)
{
	struct worker *worker = ctx;
	screen_room(&worker->screen, viewer);
}

static void on_watcher_ping(void *ctx, struct viewer *viewer, uint32_t number)
{
	struct worker *worker = ctx;
	struct remote *remote = worker->remote;
	struct msg_pong pong = { .number = number,
				 .pc_us = remote ? remote->ops->rtt_us(remote) : 0 };
	viewer_send(viewer, MSG_pong, &pong);
}

/* ---- input: for control.c alone --------------------------------------------------------- */

static void on_watcher_key(void *ctx, struct viewer *viewer, const struct msg_key *key)
{
	control_key(place_of(ctx, viewer), key);
}

static void on_watcher_text(void *ctx, struct viewer *viewer, const char *text)
{
	control_text(place_of(ctx, viewer), text);
}

static void on_watcher_pointer(void *ctx, struct viewer *viewer, const struct msg_pointer *pointer)
{
	control_pointer(place_of(ctx, viewer), pointer);
}

static void on_watcher_release(void *ctx, struct viewer *viewer)
{
	control_release(place_of(ctx, viewer));
}

static void on_watcher_control(void *ctx, struct viewer *viewer, enum viewer_control what,
			       uint32_t watch)
{
	struct watch_place *place = place_of(ctx, viewer);
	(void)watch;
	if (place && what == VIEWER_ASKS)
		control_ask(place);
	else if (place && what == VIEWER_ENDS)
		control_end(place, WATCH_WHY_WATCHER);
}

/* The desktop's size is the person's, and so is the answer to the idle warning. */
static void on_watcher_resize(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	(void)ctx;
	(void)viewer;
	(void)width;
	(void)height;
}

/* What cannot be pasted or dropped there is the person's to know. */
static void on_watcher_clipboard(void *ctx, struct viewer *viewer, enum clipboard_way way)
{
	(void)ctx;
	(void)viewer;
	(void)way;
}

static void on_watcher_still_here(void *ctx, struct viewer *viewer)
{
	(void)ctx;
	(void)viewer;
}

/* ---- coming and leaving ----------------------------------------------------------------- */

static void welcome(struct watch_place *place)
{
	const struct msg_session_start *start = &place->worker->start.msg;
	struct msg_hello hello = { .version = VIEWER_VERSION,
				   .label = start->label,
				   .state = (uint8_t)place->worker->state,
				   .view_only = start->view_only,
				   .monitors = 1 };
	memcpy(hello.session, start->session, sizeof(hello.session));
	viewer_send(place->viewer, MSG_hello, &hello);
}

static void on_watcher_hello(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	struct watch_place *place = place_of(ctx, viewer);
	(void)width;
	(void)height;
	if (!place)
		return;
	place->joined = true;
	watch_record(place, "watcher-joined", WATCH_WHY_NONE);
	welcome(place);
	/* The person knows before anything is seen. */
	watch_tell_all(place);
	watch_settle(place->worker);
}

/* Its viewer is the caller's from now on. */
static struct viewer *leave(struct watch_place *place, bool tell)
{
	control_end(place, WATCH_WHY_OVER);
	struct viewer *viewer = util_take_ptr(place->viewer);
	loop_timer_cancel(&place->refresh);
	screen_hide(&place->worker->screen, viewer);
	if (place->joined)
		watch_record(place, "watcher-left", WATCH_WHY_NONE);
	if (tell)
		watch_say(place, WATCH_LEFT, WATCH_WHY_NONE);
	place->joined = place->shown = false;
	watch_tell_all(place);
	return viewer;
}

static void on_watcher_gone(void *ctx, struct viewer *viewer, enum err why)
{
	struct worker *worker = ctx;
	struct watch_place *place = place_of(worker, viewer);
	if (attach_forget(worker, viewer) || !place)
		return;
	log_info("watcher-left", "watch=%u why=%s", place->number, why ? err_code(why) : "refused");
	(void)leave(place, true);
}

static const struct viewer_ops watcher_ops = {
	.hello = on_watcher_hello,
	.key = on_watcher_key,
	.text = on_watcher_text,
	.pointer = on_watcher_pointer,
	.resize = on_watcher_resize,
	.release_keys = on_watcher_release,
	.still_here = on_watcher_still_here,
	.clipboard = on_watcher_clipboard,
	.control = on_watcher_control,
	.ping = on_watcher_ping,
	.refresh = on_watcher_refresh,
	.room = on_watcher_room,
	.gone = on_watcher_gone,
};

static bool is_object(const char *json)
{
	size_t len = strlen(json);
	return len > 2 && json[0] == '{' && json[1] == '"' && json[len - 1] == '}';
}

static void take_place(struct watch_place *place, struct viewer *viewer,
		       const struct msg_session_watch *msg)
{
	place->viewer = viewer;
	place->number = msg->watch;
	snprintf(place->account, sizeof(place->account), "%s", msg->account);
	snprintf(place->name, sizeof(place->name), "%s", msg->name);
	snprintf(place->purpose, sizeof(place->purpose), "%s", msg->purpose);
	snprintf(place->who, sizeof(place->who), "%s", msg->who);
	place->may_control = msg->may_control == 1;
	place->joined = place->shown = place->agreed = false;
	place->refreshed_us = place->again_us = 0;
	place->state = WATCH_LOOKING;
}

void watch_take(struct worker *worker, const struct msg_session_watch *msg, int fd)
{
	struct watch_place *place = place_of(worker, NULL);
	struct watch_place unused = { .worker = worker, .number = msg->watch };
	struct viewer *viewer = NULL;
	enum err err = place && is_object(msg->who) ? OK : ERR_FULL;
	if (!err && (worker->state == SESSION_STARTING || worker->state == SESSION_ENDED))
		err = ERR_WRONG_STATE;
	if (err)
		close(fd);
	else
		err = viewer_new(worker->loop, fd, msg->watch, &watcher_ops, worker, &viewer);
	if (err) {
		log_error("watch-take", "watch=%u error=%s", msg->watch, err_code(err));
		watch_say(&unused, WATCH_LEFT, WATCH_WHY_NONE);
		return;
	}
	viewer->aside = true;
	take_place(place, viewer, msg);
	log_info("watcher-came", "watch=%u", msg->watch);
}

static void drop(struct watch_place *place, enum session_state state, enum end_reason reason,
		 bool tell)
{
	if (place->viewer)
		attach_dismiss(place->worker, leave(place, tell), state, reason);
}

void watch_stop(struct worker *worker, uint32_t number, enum end_reason reason)
{
	struct watch_place *place = watch_find(worker, number);
	if (place)
		drop(place, SESSION_DETACHED, reason, true);
}

void watch_drop_all(struct worker *worker, enum session_state state, enum end_reason reason,
		    bool tell)
{
	for (size_t i = 0; i < WATCH_PLACES; i++)
		drop(&worker->watch.places[i], state, reason, tell);
}

void watch_free(struct worker *worker)
{
	for (size_t i = 0; i < WATCH_PLACES; i++) {
		struct watch_place *place = &worker->watch.places[i];
		struct viewer *viewer = util_take_ptr(place->viewer);
		loop_timer_cancel(&place->refresh);
		loop_timer_cancel(&place->answer);
		if (viewer)
			screen_hide(&worker->screen, viewer);
		viewer_free(viewer);
	}
}
