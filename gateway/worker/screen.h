/*
 * screen.h - the way of the pixels: what the PC draws into, what of it goes to each viewer, and
 * when. A viewer has its own view of the one surface, its own frames and its own pacing: none waits
 * for another, and the PC is held back only while none can take anything. One that stands aside
 * (viewer->aside) changes nothing for the others: it is neither recorded nor waited for.
 */
#ifndef SEKISHO_WORKER_SCREEN_H
#define SEKISHO_WORKER_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "worker/display/surface.h"
#include "worker/follow.h"
#include "worker/record/recorder.h"
#include "worker/remote/remote.h"
#include "worker/stream/frame.h"
#include "worker/stream/viewer.h"

enum {
	SCREEN_OUTPUTS = 4, /* viewers at once, */
	SCREEN_ASIDE = 2,   /* the last of them for those that stand aside */
};

struct screen;

/* One viewer's picture. */
struct screen_output {
	struct screen *screen;
	struct viewer *viewer; /* not owned; NULL: free */
	struct rect part;      /* of the surface */
	struct surface view;   /* that part: points into the surface and owns nothing */
	struct frame_source source;
	struct follow follow;    /* the PC's H.264 */
	struct loop_timer timer; /* until the next frame is due */
};

struct screen {
	struct surface surface;
	struct screen_output outputs[SCREEN_OUTPUTS];
	struct follow_past past;         /* of the PC's H.264 */
	struct lossless *cursor_encoder; /* owned */
	struct loop_timer hold_timer;    /* until the remote is held back */
	struct remote *remote;           /* not owned; NULL before and after the connection */
	struct recorder *recorder;       /* not owned; set by the owner, NULL: none */
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

/* The remote's events, see remote.h. resized: every viewer looks at the whole until it is placed;
 * NULL: no memory. */
uint8_t *screen_resized(struct screen *screen, unsigned width, unsigned height, size_t *ret_stride);
void screen_damaged(struct screen *screen, int x, int y, int width, int height);
void screen_copied(struct screen *screen, int from_x, int from_y, int x, int y, int width,
		   int height);
bool screen_video(struct screen *screen, struct remote_unit *unit);
void screen_decoded(struct screen *screen, const struct remote_unit *unit);
void screen_frame_done(struct screen *screen);
void screen_cursor(struct screen *screen, unsigned hot_x, unsigned hot_y, unsigned width,
		   unsigned height, const uint8_t *rgba);

/* From now on this remote is held back when nobody can take frames; NULL when it goes away. */
void screen_set_remote(struct screen *screen, struct remote *remote);

/*
 * This viewer gets a keyframe of the part, the cursor and what follows. ERR_FULL, ERR_NOMEM: it
 * sees nothing.
 */
nodiscard enum err screen_show(struct screen *screen, struct viewer *viewer,
			       const struct rect *part);
/* It sees nothing any more; harmless when it did not. */
void screen_hide(struct screen *screen, struct viewer *viewer);

/* It looks at this part of the desktop from now on. Nothing happens when it did already. */
void screen_place(struct screen *screen, struct viewer *viewer, const struct rect *part);
/* Its next frame waits for the PC, but not for long: the desktop is about to change. */
void screen_wait(struct screen *screen, struct viewer *viewer);

/* The recorder holds the session back, or no more. */
void screen_held(struct screen *screen);

/* The viewer wants a keyframe, or can take a frame again. */
void screen_refresh(struct screen *screen, struct viewer *viewer);
void screen_room(struct screen *screen, struct viewer *viewer);

#endif
