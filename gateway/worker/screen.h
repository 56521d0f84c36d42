/*
 * screen.h - the way of the pixels: what the PC draws into, what of it goes to the viewer, and
 * when.
 */
#ifndef SEKISHO_WORKER_SCREEN_H
#define SEKISHO_WORKER_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "worker/display/surface.h"
#include "worker/remote/remote.h"
#include "worker/stream/frame.h"
#include "worker/stream/viewer.h"

struct screen {
	struct surface surface;
	struct frame_source source;
	struct loop_timer timer; /* until the next frame is due */
	struct remote *remote;   /* not owned; NULL before and after the connection */
	struct viewer *viewer;   /* not owned; NULL while nobody may see anything */
	struct msg_cursor cursor;
	struct buf cursor_pixels; /* compressed */
	bool have_cursor;
	bool held;       /* as the remote was last told */
	bool pictured;   /* the PC has drawn something; set by the owner before it passes that on */
	bool tells_done; /* the PC marks the ends of its frames */
	bool broken;     /* no memory for a new size: the connection is about to end */
};

nodiscard enum err screen_init(struct screen *screen, struct loop *loop);
void screen_finish(struct screen *screen);

/* The remote's events, see remote.h. NULL: no memory. */
uint8_t *screen_resized(struct screen *screen, unsigned width, unsigned height, size_t *ret_stride);
void screen_damaged(struct screen *screen, int x, int y, int width, int height);
void screen_copied(struct screen *screen, int from_x, int from_y, int x, int y, int width,
		   int height);
void screen_frame_done(struct screen *screen);
void screen_cursor(struct screen *screen, unsigned hot_x, unsigned hot_y, unsigned width,
		   unsigned height, const uint8_t *rgba);

/* From now on this remote is held back when nobody can take frames; NULL when it goes away. */
void screen_set_remote(struct screen *screen, struct remote *remote);

/* This viewer gets a keyframe, the cursor and what follows; NULL: nobody sees anything any more. */
void screen_show(struct screen *screen, struct viewer *viewer);

/* The viewer wants a keyframe, or can take a frame again. */
void screen_refresh(struct screen *screen);
void screen_room(struct screen *screen);

#endif
