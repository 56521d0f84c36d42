#include "worker/screen.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/passing.h"

enum {
	/* A PC that marks the ends of its frames is waited for: half an update looks torn. */
	WAIT_DONE_US = 50000,
	/* After a new size the old picture is better than a black one. */
	WAIT_RESIZED_US = 150000,
	/* Nothing came of what should be sent: to be asked again, but not at once. */
	WAIT_EMPTY_US = 10000,
	/* For the PC to make another monitor. */
	WAIT_LAYOUT_US = 1000000,
	/* A slow link has room again soon: what it takes then shall be new, and include the answer
	 * to a key. Who takes nothing for longer costs the PC nothing. */
	HOLD_FAR_US = 100000,
};

static void on_due(struct loop_timer *timer);
static void on_hold_due(struct loop_timer *timer);

enum err screen_init(struct screen *screen, struct loop *loop)
{
	*screen = (struct screen){ 0 };
	surface_init(&screen->surface);
	buf_init(&screen->cursor_pixels, PACKETS_SMALL_MAX);
	loop_timer_init(loop, &screen->hold_timer, on_hold_due);
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++) {
		screen->outputs[i].screen = screen;
		loop_timer_init(loop, &screen->outputs[i].timer, on_due);
	}
	return lossless_new(&screen->cursor_encoder);
}

void screen_finish(struct screen *screen)
{
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++)
		if (screen->outputs[i].viewer)
			screen_hide(screen, screen->outputs[i].viewer);
	loop_timer_cancel(&screen->hold_timer);
	follow_past_clear(&screen->past);
	surface_finish(&screen->surface);
	lossless_free(screen->cursor_encoder);
	buf_finish(&screen->cursor_pixels);
}

static struct screen_output *output_of(struct screen *screen, const struct viewer *viewer)
{
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++)
		if (screen->outputs[i].viewer == viewer)
			return &screen->outputs[i];
	return NULL;
}

static struct screen_output *free_output(struct screen *screen, bool aside)
{
	size_t first = aside ? SCREEN_OUTPUTS - SCREEN_ASIDE : 0;
	size_t end = aside ? SCREEN_OUTPUTS : SCREEN_OUTPUTS - SCREEN_ASIDE;
	for (size_t i = first; i < end; i++)
		if (!screen->outputs[i].viewer)
			return &screen->outputs[i];
	return NULL;
}

/* Somebody for whom the session is. */
static bool counts(const struct screen_output *output)
{
	return output->viewer && !output->viewer->aside;
}

/* ---- sending ---------------------------------------------------------------------------- */

static bool anybody_takes(const struct screen *screen)
{
	if (recorder_holds(screen->recorder))
		return false;
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++) {
		const struct screen_output *output = &screen->outputs[i];
		if (counts(output) && viewer_can_frame(output->viewer) &&
		    !follow_next(&output->follow))
			return true;
	}
	return false;
}

static bool anybody_far(const struct screen *screen)
{
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++)
		if (counts(&screen->outputs[i]) && screen->outputs[i].viewer->pacing.flow.rate)
			return true;
	return false;
}

static void set_held(struct screen *screen, bool held)
{
	loop_timer_cancel(&screen->hold_timer);
	if (!screen->remote || held == screen->held)
		return;
	screen->held = held;
	screen->remote->ops->hold(screen->remote, held);
}

static void update_hold(struct screen *screen)
{
	bool hold = screen->pictured && !anybody_takes(screen);
	if (!hold || screen->held || !anybody_far(screen))
		set_held(screen, hold);
	else if (!loop_timer_running(&screen->hold_timer))
		loop_timer_set(&screen->hold_timer, HOLD_FAR_US);
}

static void on_hold_due(struct loop_timer *timer)
{
	struct screen *screen = container_of(timer, struct screen, hold_timer);
	set_held(screen, screen->pictured && !anybody_takes(screen));
}

/* Out of memory: this viewer has lost its state, another try starts with a keyframe. */
static void give_up(struct screen_output *output, enum err err)
{
	struct viewer *viewer = output->viewer;
	log_error("frame", "viewer=%u error=%s", viewer->number, err_code(err));
	screen_hide(output->screen, viewer);
	viewer_close(viewer, SESSION_DETACHED, END_GATEWAY);
}

/* ---- keyframes of the recording --------------------------------------------------------- */

/*
 * Not before the framebuffer has each picture of the PC's H.264 that the viewer has: those that
 * follow need them, and whoever starts here sees no more of that film than this before its next key
 * picture, or before what it has drawn is made exact.
 */
static bool can_join(const struct screen_output *output)
{
	struct remote *remote = output->screen->remote;
	if (follow_next(&output->follow))
		return false;
	if (remote && remote->ops->settle && !remote->ops->settle(remote))
		return false;
	return frame_can_join(&output->source);
}

static void join(struct screen_output *output, bool first)
{
	struct screen *screen = output->screen;
	const struct msg_cursor *cursor = screen->have_cursor ? &screen->cursor : NULL;
	frame_join(&output->source);
	/* One that follows later must not build on what it got of the stream before. */
	if (!output->follow.running)
		follow_drop(&output->follow);
	recorder_picture(screen->recorder, output->viewer->monitor, &output->view, cursor, first);
}

/* At the best moment: the viewer has just got everything, so that nothing of it is sent again. */
static void record_keys(struct screen *screen, bool complete)
{
	bool late, first = true;
	if (!recorder_wants_key(screen->recorder, &late) || (!complete && !late))
		return;
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++)
		if (counts(&screen->outputs[i]) && !can_join(&screen->outputs[i]))
			return;
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++) {
		if (!counts(&screen->outputs[i]))
			continue;
		join(&screen->outputs[i], first);
		first = false;
	}
}

/* ---- frames ----------------------------------------------------------------------------- */

static void send_frame(struct screen_output *output)
{
	struct viewer *viewer = output->viewer;
	struct pacing *pacing = &viewer->pacing;
	struct buf *message = packets_frame(&viewer->packets);
	uint64_t now = clock_mono_us();
	struct frame_wish wish = { .sequence = pacing_next(pacing),
				   .now_us = now,
				   .budget = pacing_budget(pacing) };
	bool empty;
	enum err err = frame_next(&output->source, &wish, message, &empty);
	if (err) {
		give_up(output, err);
		return;
	}
	bool more = damage_waiting(&output->source.damage);
	uint64_t refresh_us = frame_refresh_us(&output->source);
	pacing_sent(pacing, now, empty ? 0 : message->len,
		    more || (refresh_us && refresh_us <= now));
	if (!empty)
		viewer_send_frame(viewer);
	if (more)
		pacing_damaged(pacing, now, 0);
	if (counts(output))
		record_keys(output->screen, !more);
	/* The next step sees to what is left. */
	if (more || refresh_us)
		loop_timer_set(&output->timer, empty ? WAIT_EMPTY_US : 0);
}

/* The PC's pictures go before what was drawn after them. False: some still wait. */
static bool send_films(struct screen_output *output)
{
	while (follow_next(&output->follow)) {
		uint64_t now = clock_mono_us(), next_us = output->viewer->pacing.flow.next_us;
		if (!viewer_can_frame(output->viewer))
			return false;
		if (next_us > now) {
			loop_timer_set(&output->timer, next_us - now);
			return false;
		}
		enum err err = passing_send(output, now);
		if (err) {
			give_up(output, err);
			return false;
		}
		record_keys(output->screen, !follow_next(&output->follow));
	}
	return true;
}

/* The framebuffer has all that a frame of ours must show; else it will, and screen_decoded tells.
 */
static bool has_pixels(const struct screen_output *output, uint64_t now_us)
{
	struct remote *remote = output->screen->remote;
	return !remote || !remote->ops->settle || !frame_waits(&output->source, now_us) ||
	       remote->ops->settle(remote);
}

/* When the viewer's picture is to be made better although the PC draws nothing; 0: something of the
 * PC's waits, which will do, or never. */
static uint64_t refresh_at(const struct screen_output *output)
{
	return output->viewer->pacing.due_us ? 0 : frame_refresh_us(&output->source);
}

/* Sends a frame when one is due, or arranges for the moment when it will be. */
static void step(struct screen_output *output)
{
	struct screen *screen = output->screen;
	struct viewer *viewer = output->viewer;
	if (!viewer || !screen->pictured || screen->broken || !viewer_can_frame(viewer) ||
	    recorder_holds(screen->recorder))
		return;
	if (!send_films(output))
		return;
	uint64_t now = clock_mono_us(), wait_us, refresh_us = refresh_at(output);
	if (refresh_us && refresh_us <= now)
		pacing_damaged(&viewer->pacing, now, 0);
	if (pacing_due(&viewer->pacing, now, &wait_us)) {
		if (has_pixels(output, now))
			send_frame(output);
		return;
	}
	if (refresh_us > now)
		wait_us = refresh_us - now;
	if (wait_us)
		loop_timer_set(&output->timer, wait_us);
}

static void step_all(struct screen *screen)
{
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++)
		step(&screen->outputs[i]);
	update_hold(screen);
}

static void on_due(struct loop_timer *timer)
{
	struct screen_output *output = container_of(timer, struct screen_output, timer);
	step(output);
	update_hold(output->screen);
}

/* ---- the PC's side ---------------------------------------------------------------------- */

static enum err look_at(struct screen_output *output, const struct rect *part)
{
	const struct surface *surface = &output->screen->surface;
	follow_drop(&output->follow);
	output->part = *part;
	output->view = (struct surface){ .width = part->width,
					 .height = part->height,
					 .stride = surface->stride };
	if (!surface->data)
		return OK;
	output->view.data =
		surface->data + (size_t)part->y * surface->stride + (size_t)part->x * SURFACE_PIXEL;
	return frame_source_resize(&output->source);
}

static struct rect whole(const struct screen *screen)
{
	return (struct rect){ .width = (uint16_t)screen->surface.width,
			      .height = (uint16_t)screen->surface.height };
}

uint8_t *screen_resized(struct screen *screen, unsigned width, unsigned height, size_t *ret_stride)
{
	uint64_t until_us = clock_mono_us() + WAIT_RESIZED_US;
	enum err err = surface_resize(&screen->surface, width, height);
	struct rect part = whole(screen);
	for (size_t i = 0; i < SCREEN_OUTPUTS && !err; i++) {
		struct screen_output *output = &screen->outputs[i];
		if (!output->viewer)
			continue;
		err = look_at(output, &part);
		pacing_resized(&output->viewer->pacing, until_us);
	}
	if (err) {
		/* The surface may have another size than the damage now: nothing is sent any more.
		 */
		screen->broken = true;
		log_error("desktop-size", "width=%u height=%u error=%s", width, height,
			  err_code(err));
		return NULL;
	}
	*ret_stride = screen->surface.stride;
	return screen->surface.data;
}

static void changed(struct screen_output *output)
{
	if (!damage_waiting(&output->source.damage))
		return;
	pacing_damaged(&output->viewer->pacing, clock_mono_us(),
		       output->screen->tells_done ? WAIT_DONE_US : PACING_MAX_WAIT_US);
	/* One of hundreds of rectangles in an update. */
	if (!loop_timer_running(&output->timer) ||
	    output->timer.due_us > output->viewer->pacing.due_us)
		step(output);
}

void screen_damaged(struct screen *screen, int x, int y, int width, int height)
{
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++) {
		struct screen_output *output = &screen->outputs[i];
		if (!output->viewer)
			continue;
		damage_hint(&output->source.damage, x - output->part.x, y - output->part.y, width,
			    height);
		changed(output);
	}
	update_hold(screen);
}

void screen_copied(struct screen *screen, int from_x, int from_y, int x, int y, int width,
		   int height)
{
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++) {
		struct screen_output *output = &screen->outputs[i];
		int left = output->part.x, top = output->part.y;
		if (!output->viewer)
			continue;
		damage_copied(&output->source.damage, &output->view, from_x - left, from_y - top,
			      x - left, y - top, width, height);
		changed(output);
	}
	update_hold(screen);
}

bool screen_video(struct screen *screen, struct remote_unit *unit)
{
	uint64_t now = clock_mono_us();
	bool any = false, all = true;
	follow_past_add(&screen->past, unit);
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++) {
		struct screen_output *output = &screen->outputs[i];
		if (!output->viewer || !passing_concerns(output, unit))
			continue;
		bool passed = screen->pictured && passing_take(output, unit, now);
		any |= passed;
		all &= passed;
	}
	step_all(screen);
	return any && all;
}

void screen_decoded(struct screen *screen, const struct remote_unit *unit)
{
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++) {
		struct screen_output *output = &screen->outputs[i];
		if (!output->viewer)
			continue;
		passing_decoded(output, unit);
		/* A frame may have waited for it, or some of the picture may be still by now. */
		step(output);
		if (output->viewer)
			changed(output);
	}
	record_keys(screen, true);
	update_hold(screen);
}

void screen_frame_done(struct screen *screen)
{
	screen->tells_done = true;
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++)
		if (screen->outputs[i].viewer)
			pacing_frame_done(&screen->outputs[i].viewer->pacing, clock_mono_us());
	step_all(screen);
}

static void send_cursor(struct screen *screen, struct viewer *viewer)
{
	if (screen->have_cursor)
		viewer_send(viewer, MSG_cursor, &screen->cursor);
}

void screen_cursor(struct screen *screen, unsigned hot_x, unsigned hot_y, unsigned width,
		   unsigned height, const uint8_t *rgba)
{
	struct lossless_data data = { 0 };
	if (width > REMOTE_MAX_CURSOR || height > REMOTE_MAX_CURSOR)
		return;
	bool hidden = width == 0 || height == 0;
	size_t len = hidden ? 0 : (size_t)width * height * SURFACE_PIXEL;
	enum err err = hidden ? OK : lossless_bytes(screen->cursor_encoder, rgba, len, &data);
	buf_clear(&screen->cursor_pixels);
	if (!err)
		err = buf_add(&screen->cursor_pixels, data.data, data.len);
	if (err) {
		log_warn("cursor", "error=%s", err_code(err));
		return;
	}
	screen->cursor = (struct msg_cursor){
		.hot_x = (uint16_t)(hidden ? 0 : MIN(hot_x, width - 1)),
		.hot_y = (uint16_t)(hidden ? 0 : MIN(hot_y, height - 1)),
		.width = (uint16_t)(hidden ? 0 : width),
		.height = (uint16_t)(hidden ? 0 : height),
		.pixels = { screen->cursor_pixels.data, screen->cursor_pixels.len },
	};
	screen->have_cursor = true;
	for (size_t i = 0; i < SCREEN_OUTPUTS; i++)
		if (screen->outputs[i].viewer)
			send_cursor(screen, screen->outputs[i].viewer);
}

void screen_set_remote(struct screen *screen, struct remote *remote)
{
	loop_timer_cancel(&screen->hold_timer);
	screen->remote = remote;
	screen->held = false;
	update_hold(screen);
}

/* ---- the viewers' side ------------------------------------------------------------------ */

enum err screen_show(struct screen *screen, struct viewer *viewer, const struct rect *part)
{
	struct screen_output *output = free_output(screen, viewer->aside);
	if (!output)
		return ERR_FULL;
	enum err err = frame_source_init(&output->source, &output->view);
	if (!err)
		err = look_at(output, part);
	if (err) {
		frame_source_finish(&output->source);
		return err;
	}
	output->source.codecs = viewer->codecs;
	output->viewer = viewer;
	if (!viewer->aside)
		recorder_shown(screen->recorder, viewer->monitor, true);
	screen_refresh(screen, viewer);
	send_cursor(screen, viewer);
	update_hold(screen);
	return OK;
}

void screen_hide(struct screen *screen, struct viewer *viewer)
{
	struct screen_output *output = output_of(screen, viewer);
	if (!output)
		return;
	output->viewer = NULL;
	if (!viewer->aside)
		recorder_shown(screen->recorder, viewer->monitor, false);
	follow_drop(&output->follow);
	loop_timer_cancel(&output->timer);
	frame_source_finish(&output->source);
	update_hold(screen);
}

void screen_place(struct screen *screen, struct viewer *viewer, const struct rect *part)
{
	struct screen_output *output = output_of(screen, viewer);
	if (!output || screen->broken || rect_same(&output->part, part))
		return;
	enum err err = look_at(output, part);
	if (err) {
		log_error("view", "viewer=%u error=%s", viewer->number, err_code(err));
		screen_hide(screen, viewer);
		viewer_close(viewer, SESSION_DETACHED, END_GATEWAY);
		return;
	}
	pacing_damaged(&viewer->pacing, clock_mono_us(), 0);
	loop_timer_set(&output->timer, 0);
}

void screen_wait(struct screen *screen, struct viewer *viewer)
{
	if (screen->surface.data)
		pacing_resized(&viewer->pacing, clock_mono_us() + WAIT_LAYOUT_US);
}

void screen_refresh(struct screen *screen, struct viewer *viewer)
{
	struct screen_output *output = output_of(screen, viewer);
	if (!output || !screen->surface.data)
		return;
	follow_drop(&output->follow);
	frame_source_refresh(&output->source);
	pacing_damaged(&viewer->pacing, clock_mono_us(), 0);
	step(output);
	update_hold(screen);
}

void screen_room(struct screen *screen, struct viewer *viewer)
{
	struct screen_output *output = output_of(screen, viewer);
	if (!output)
		return;
	step(output);
	update_hold(screen);
}

void screen_held(struct screen *screen)
{
	step_all(screen);
}
