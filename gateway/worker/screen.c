#include "worker/screen.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"

enum {
	/* A PC that marks the ends of its frames is waited for: half an update looks torn. */
	WAIT_DONE_US = 50000,
	/* After a new size the old picture is better than a black one. */
	WAIT_RESIZED_US = 150000,
};

static void on_due(struct loop_timer *timer);

enum err screen_init(struct screen *screen, struct loop *loop)
{
	*screen = (struct screen){ 0 };
	surface_init(&screen->surface);
	buf_init(&screen->cursor_pixels, PACKETS_SMALL_MAX);
	loop_timer_init(loop, &screen->timer, on_due);
	return frame_source_init(&screen->source, &screen->surface);
}

void screen_finish(struct screen *screen)
{
	loop_timer_cancel(&screen->timer);
	frame_source_finish(&screen->source);
	surface_finish(&screen->surface);
	buf_finish(&screen->cursor_pixels);
}

static void update_hold(struct screen *screen)
{
	bool hold = screen->pictured && (!screen->viewer || !viewer_can_frame(screen->viewer));
	if (!screen->remote || hold == screen->held)
		return;
	screen->held = hold;
	screen->remote->ops->hold(screen->remote, hold);
}

static void send_frame(struct screen *screen)
{
	struct viewer *viewer = screen->viewer;
	struct buf *message = packets_frame(&viewer->packets);
	uint64_t now = clock_mono_us();
	struct frame_wish wish = { .sequence = pacing_next(&viewer->pacing), .now_us = now };
	bool empty;
	enum err err = frame_next(&screen->source, &wish, message, &empty);
	if (err) {
		/* Out of memory: this viewer has lost its state, another try starts with a
		 * keyframe. */
		log_error("frame", "viewer=%u error=%s", viewer->number, err_code(err));
		screen->viewer = NULL;
		viewer_close(viewer, SESSION_DETACHED, END_GATEWAY);
		return;
	}
	pacing_sent(&viewer->pacing, !empty);
	if (!empty)
		viewer_send_frame(viewer);
	if (damage_waiting(&screen->source.damage)) {
		pacing_damaged(&viewer->pacing, now, 0);
		loop_timer_set(&screen->timer, 0);
	}
}

/* Sends a frame when one is due, or arranges for the moment when it will be. */
static void step(struct screen *screen)
{
	struct viewer *viewer = screen->viewer;
	uint64_t wait_us;
	if (viewer && screen->pictured && !screen->broken && viewer_can_frame(viewer)) {
		if (pacing_due(&viewer->pacing, clock_mono_us(), &wait_us))
			send_frame(screen);
		else if (wait_us)
			loop_timer_set(&screen->timer, wait_us);
	}
	update_hold(screen);
}

static void on_due(struct loop_timer *timer)
{
	step(container_of(timer, struct screen, timer));
}

uint8_t *screen_resized(struct screen *screen, unsigned width, unsigned height, size_t *ret_stride)
{
	enum err err = surface_resize(&screen->surface, width, height);
	if (!err)
		err = frame_source_resize(&screen->source);
	if (err) {
		/* The surface may have another size than the damage now: nothing is sent any more.
		 */
		screen->broken = true;
		log_error("desktop-size", "width=%u height=%u error=%s", width, height,
			  err_code(err));
		return NULL;
	}
	if (screen->viewer)
		pacing_resized(&screen->viewer->pacing, clock_mono_us() + WAIT_RESIZED_US);
	*ret_stride = screen->surface.stride;
	return screen->surface.data;
}

static void changed(struct screen *screen)
{
	if (!screen->viewer || !damage_waiting(&screen->source.damage))
		return;
	pacing_damaged(&screen->viewer->pacing, clock_mono_us(),
		       screen->tells_done ? WAIT_DONE_US : PACING_MAX_WAIT_US);
	if (!loop_timer_running(&screen->timer))
		step(screen);
}

void screen_damaged(struct screen *screen, int x, int y, int width, int height)
{
	damage_hint(&screen->source.damage, x, y, width, height);
	changed(screen);
}

void screen_copied(struct screen *screen, int from_x, int from_y, int x, int y, int width,
		   int height)
{
	damage_copied(&screen->source.damage, &screen->surface, from_x, from_y, x, y, width,
		      height);
	changed(screen);
}

void screen_frame_done(struct screen *screen)
{
	screen->tells_done = true;
	if (screen->viewer)
		pacing_frame_done(&screen->viewer->pacing, clock_mono_us());
	step(screen);
}

static void send_cursor(struct screen *screen)
{
	if (screen->viewer && screen->have_cursor)
		viewer_send(screen->viewer, MSG_cursor, &screen->cursor);
}

void screen_cursor(struct screen *screen, unsigned hot_x, unsigned hot_y, unsigned width,
		   unsigned height, const uint8_t *rgba)
{
	struct lossless_data data = { 0 };
	if (width > REMOTE_MAX_CURSOR || height > REMOTE_MAX_CURSOR)
		return;
	bool hidden = width == 0 || height == 0;
	size_t len = hidden ? 0 : (size_t)width * height * SURFACE_PIXEL;
	enum err err = hidden ? OK : lossless_bytes(screen->source.lossless, rgba, len, &data);
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
	send_cursor(screen);
}

void screen_set_remote(struct screen *screen, struct remote *remote)
{
	screen->remote = remote;
	screen->held = false;
	update_hold(screen);
}

void screen_show(struct screen *screen, struct viewer *viewer)
{
	screen->viewer = viewer;
	if (viewer) {
		screen_refresh(screen);
		send_cursor(screen);
	}
	update_hold(screen);
}

void screen_refresh(struct screen *screen)
{
	if (!screen->viewer || !screen->surface.data)
		return;
	frame_source_refresh(&screen->source);
	pacing_damaged(&screen->viewer->pacing, clock_mono_us(), 0);
	step(screen);
}

void screen_room(struct screen *screen)
{
	step(screen);
}
