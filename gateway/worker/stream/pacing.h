/*
 * pacing.h - when the next frame may leave: at once when nothing is on its way, not in the middle
 * of a PC's update, and only when the viewer's link has room (flow.h). Pure logic, the caller
 * brings the time.
 */
#ifndef SEKISHO_WORKER_STREAM_PACING_H
#define SEKISHO_WORKER_STREAM_PACING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "worker/stream/flow.h"

enum {
	PACING_GATHER_US = 1000, /* after a frame end, while another frame is on its way */
	PACING_MAX_WAIT_US =
		8000, /* from the first damage when the PC never says that a frame is complete */
};

struct pacing {
	uint32_t sent;          /* sequence of the last frame sent; the first is 1 */
	uint32_t acked;         /* the last one acknowledged */
	uint64_t due_us;        /* when what is dirty may leave; 0: nothing is dirty */
	uint64_t not_before_us; /* after a resize, unless the PC's frame is complete */
	struct flow flow;       /* the unacknowledged ones and their link */
};

void pacing_init(struct pacing *pacing);

/* Something is dirty since now, and leaves after max_wait_us at the latest when the window is open.
 */
void pacing_damaged(struct pacing *pacing, uint64_t now_us, uint64_t max_wait_us);

/* The desktop was cleared: what is dirty should wait for the PC to draw, but not past until_us. */
void pacing_resized(struct pacing *pacing, uint64_t until_us);

/* The PC's frame is complete. */
void pacing_frame_done(struct pacing *pacing, uint64_t now_us);

/* The link has room for a frame. */
bool pacing_open(const struct pacing *pacing);

/* Bytes that the next frame should have at most; 0: as many as it likes. */
size_t pacing_budget(const struct pacing *pacing);

/* A frame may leave now. Otherwise ret_wait_us is the time until then, 0 when an event must come
 * first. */
bool pacing_due(const struct pacing *pacing, uint64_t now_us, uint64_t *ret_wait_us);

/* The sequence number of the frame that would leave now. */
uint32_t pacing_next(const struct pacing *pacing);

/* What was dirty has been looked at: a frame of so many bytes leaves, or none (0). wanting: more is
 * dirty than it took. */
void pacing_sent(struct pacing *pacing, uint64_t now_us, size_t bytes, bool wanting);

/* ERR_PROTOCOL for a frame that was never sent or is acknowledged already. Acknowledges those
 * before it too. */
nodiscard enum err pacing_ack(struct pacing *pacing, uint32_t sequence, uint64_t now_us,
			      uint32_t decode_us);

#endif
