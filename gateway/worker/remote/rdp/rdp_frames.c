#include "worker/remote/rdp/rdp_frames.h"

#include <freerdp/settings.h>
#include <freerdp/update.h>

#include "base/clock.h"
#include "base/util.h"
#include "worker/remote/rdp/rdp.h"

enum {
	/*
	 * Without marks a frame is complete when nothing has come for a while: xrdp sends a screen
	 * in some 300 parts, each as soon as it has compressed it. Typing need not wait for that.
	 */
	SMALL_PIXELS = 32 * 1024,
	SMALL_QUIET_US = 500,
	QUIET_US = 5000,
	MOST_US = 100000, /* since the first part, however busy it is */
};

static void tell(struct rdp_remote *rdp)
{
	rdp->frames.since_us = 0;
	rdp->frames.pixels = 0;
	rdp->frames.frame++;
	rdp_events(rdp)->frame_done(rdp->remote.ctx);
}

static void gathered(struct loop_timer *timer)
{
	tell(container_of(timer, struct rdp_remote, frames.gather));
}

void rdp_frames_init(struct rdp_remote *rdp)
{
	rdp->frames.frame = 1; /* the rows are of none */
	loop_timer_init(rdp->remote.loop, &rdp->frames.gather, gathered);
}

void rdp_frames_finish(struct rdp_remote *rdp)
{
	loop_timer_cancel(&rdp->frames.gather);
	rdp->frames.waiting_count = 0;
}

/* Marks the rows; true when some of these pixels were drawn since the last mark. */
static bool draws_again(struct rdp_frames *frames, unsigned left, unsigned top, unsigned right,
			unsigned bottom)
{
	bool again = false;

	for (unsigned y = top; y < bottom; y++) {
		struct rdp_frame_row *row = &frames->rows[y];

		if (row->frame == frames->frame) {
			again = again || (left < row->right && row->left < right);
			row->left = (uint16_t)MIN(left, row->left);
			row->right = (uint16_t)MAX(right, row->right);
		} else {
			*row = (struct rdp_frame_row){ frames->frame, (uint16_t)left,
						       (uint16_t)right };
		}
	}
	return again;
}

void rdp_frames_bitmap(struct rdp_remote *rdp, unsigned left, unsigned top, unsigned right,
		       unsigned bottom)
{
	struct rdp_frames *frames = &rdp->frames;

	if (frames->marked || bottom > REMOTE_MAX_HEIGHT ||
	    !draws_again(frames, left, top, right, bottom))
		return;
	if (frames->since_us) {
		loop_timer_cancel(&frames->gather);
		tell(rdp);
	}
	(void)draws_again(frames, left, top, right, bottom);
}

void rdp_frames_drawn(struct rdp_remote *rdp, uint64_t pixels)
{
	struct rdp_frames *frames = &rdp->frames;
	uint64_t now = clock_mono_us(), quiet, most;

	/* Something outside of marked frames is no frame of its own. */
	if (frames->marked)
		return;
	if (!frames->since_us)
		frames->since_us = now;
	frames->pixels += pixels;
	quiet = frames->pixels <= SMALL_PIXELS ? SMALL_QUIET_US : QUIET_US;
	most = frames->since_us + MOST_US;
	loop_timer_set(&frames->gather, now >= most ? 0 : MIN(quiet, most - now));
}

static bool acknowledge_surface(rdpContext *context, uint32_t id)
{
	/* 0: the PC has not asked for them. */
	return freerdp_settings_get_uint32(context->settings, FreeRDP_FrameAcknowledge) == 0 ||
	       context->update->SurfaceFrameAcknowledge(context, id);
}

static bool acknowledge_graphics(struct rdp_remote *rdp, uint32_t id)
{
	RDPGFX_FRAME_ACKNOWLEDGE_PDU pdu = { .queueDepth = QUEUE_DEPTH_UNAVAILABLE,
					     .frameId = id,
					     .totalFramesDecoded = rdp->frames.decoded };

	return !rdp->graphics ||
	       rdp->graphics->FrameAcknowledge(rdp->graphics, &pdu) == CHANNEL_RC_OK;
}

void rdp_frames_release(struct rdp_remote *rdp)
{
	struct rdp_frames *frames = &rdp->frames;

	if (rdp->held)
		return;
	for (size_t i = 0; i < frames->waiting_count; i++) {
		uint32_t id = frames->waiting[i].id;
		bool ok = frames->waiting[i].kind == RDP_FRAME_GRAPHICS
				  ? acknowledge_graphics(rdp, id)
				  : acknowledge_surface(rdp->instance->context, id);

		if (!ok)
			rdp_fail(rdp, END_PC_CLOSED);
	}
	frames->waiting_count = 0;
}

void rdp_frames_end(struct rdp_remote *rdp, enum rdp_frame_kind kind, uint32_t id)
{
	struct rdp_frames *frames = &rdp->frames;

	frames->marked = true;
	loop_timer_cancel(&frames->gather);
	if (kind == RDP_FRAME_GRAPHICS)
		frames->decoded++;
	/* A PC that does not wait for its acknowledgements does not miss one either. */
	if (frames->waiting_count < RDP_FRAMES_WAITING) {
		frames->waiting[frames->waiting_count].kind = kind;
		frames->waiting[frames->waiting_count++].id = id;
	}
	tell(rdp);
	rdp_frames_release(rdp);
}

bool rdp_frames_full(const struct rdp_remote *rdp)
{
	return rdp->held && (!rdp->frames.marked || rdp->frames.waiting_count >= RDP_FRAMES_AHEAD);
}
