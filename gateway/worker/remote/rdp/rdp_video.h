/*
 * rdp_video.h - H.264 of the graphics channel ([MS-RDPEGFX] 2.2.4.4): told to the worker, and
 * decoded as late as it is content with. What waits is bounded in number, bytes and the time that
 * decoding it will take; what a key unit hides is never decoded.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_VIDEO_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_VIDEO_H

#include <freerdp/client/rdpgfx.h>

#include "base/loop.h"
#include "worker/remote/unit.h"

enum {
	RDP_VIDEO_UNITS = 240, /* that wait at most */
	RDP_VIDEO_BYTES = 16 << 20,
	RDP_VIDEO_RECTS = 16384, /* of one unit */
	RDP_VIDEO_BACKLOG_US = 50000,
	RDP_VIDEO_SLICE_US = 20000, /* of decoding; then everybody else has a turn */
};

struct rdp_remote;
struct rdp_surface;

struct rdp_video_waiting {
	struct remote_unit *unit; /* owned */
	uint64_t cost_us;         /* what decoding it will take, as far as its surface tells */
};

struct rdp_video {
	struct rdp_video_waiting waiting[RDP_VIDEO_UNITS]; /* a ring */
	size_t first, count, bytes;
	uint64_t cost_us; /* of all that waits */
	uint32_t numbers, streams;
	bool busy;               /* a unit was told and does not wait yet */
	bool wanted;             /* the worker waits for the pixels */
	struct loop_timer timer; /* decodes a slice */
};

void rdp_video_init(struct rdp_remote *rdp);
/* What waits is forgotten. */
void rdp_video_finish(struct rdp_remote *rdp);

/* An AVC420 command. ERR_PROTOCOL, ERR_NOMEM. */
nodiscard enum err rdp_video_command(struct rdp_remote *rdp, struct rdp_surface *surface,
				     const RDPGFX_SURFACE_COMMAND *command);

/* Decodes everything that waits, now: before something else reads or writes these pixels. */
nodiscard enum err rdp_video_settle(struct rdp_remote *rdp);

/* The same if something waits for a part of this surface. */
nodiscard enum err rdp_video_settle_at(struct rdp_remote *rdp, uint32_t surface, unsigned left,
				       unsigned top, unsigned right, unsigned bottom);

/* As remote_ops.settle. */
bool rdp_video_want(struct rdp_remote *rdp);

#endif
