/*
 * rdp_frames.h - where the PC's frames end, and what lets it send the next one: acknowledgements
 * while the worker has room for frames, none and finally no reading while it has not.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_FRAMES_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "worker/remote/remote.h"

enum {
	/* Read on, for sound and the like, until so many frames wait for their acknowledgement. */
	RDP_FRAMES_AHEAD = 2,
	RDP_FRAMES_WAITING = 16, /* one message may end several */
};

/* Who is told: [MS-RDPRFX] 2.2.3.1 or [MS-RDPEGFX] 2.2.2.13. */
enum rdp_frame_kind { RDP_FRAME_SURFACE_COMMANDS, RDP_FRAME_GRAPHICS };

/* Of one row of the desktop: from where to where bitmaps were drawn in this frame. */
struct rdp_frame_row {
	uint32_t frame;
	uint16_t left, right;
};

struct rdp_frames {
	struct loop_timer gather;
	bool marked;       /* the PC says where its frames end */
	uint64_t since_us; /* something was drawn without a mark; 0: nothing */
	uint64_t pixels;   /* of that */
	uint32_t frame;    /* counts them, for rows */
	struct rdp_frame_row rows[REMOTE_MAX_HEIGHT];
	struct {
		enum rdp_frame_kind kind;
		uint32_t id;
	} waiting[RDP_FRAMES_WAITING];
	size_t waiting_count;
	uint32_t decoded; /* of the graphics channel */
};

struct rdp_remote;

void rdp_frames_init(struct rdp_remote *rdp);
void rdp_frames_finish(struct rdp_remote *rdp);

/*
 * A bitmap will be drawn here. A frame draws no pixel twice: where one was drawn already the frame
 * before is complete.
 */
void rdp_frames_bitmap(struct rdp_remote *rdp, unsigned left, unsigned top, unsigned right,
		       unsigned bottom);
/* So many pixels were drawn; counts while nothing says that a frame is complete. */
void rdp_frames_drawn(struct rdp_remote *rdp, uint64_t pixels);

/* The frame is complete. */
void rdp_frames_end(struct rdp_remote *rdp, enum rdp_frame_kind kind, uint32_t id);

/* Sends the acknowledgements that waited, unless the worker is still held. */
void rdp_frames_release(struct rdp_remote *rdp);

/* The PC must not be read from now. */
bool rdp_frames_full(const struct rdp_remote *rdp);

#endif
