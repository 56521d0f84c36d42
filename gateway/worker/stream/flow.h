/*
 * flow.h - how much may be on its way to one viewer: learnt from when its frames were sent and
 * acknowledged. The aim is a queue of some 40 ms somewhere on the link: enough to keep the link
 * busy, little enough that a key's echo does not wait behind a page that scrolls. Pure logic, the
 * caller brings the monotonic time. Nothing that a viewer says in its acknowledgements moves
 * anything but its own window.
 */
#ifndef SEKISHO_WORKER_STREAM_FLOW_H
#define SEKISHO_WORKER_STREAM_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FLOW_FRAMES = 8, /* on their way at most, however long the link */
	FLOW_NEAR = 2,   /* on a short one */
};

struct flow_frame {
	uint64_t sent_us;
	size_t bytes;
	size_t ahead; /* bytes on their way when it was sent, itself included */
	bool wanting; /* more was to be sent than the link was given */
};

struct flow {
	struct flow_frame frames[FLOW_FRAMES]; /* on their way, a ring */
	unsigned first, count;
	size_t flying; /* bytes of them */
	/* Before, another frame would only wait on the link: it is decided when its turn has come.
	 */
	uint64_t next_us;
	bool known; /* a frame was acknowledged */
	/* Round trip of a frame without what it waits for on the link or in the viewer: the least
	 * that was seen since base_at_us; and the least that may follow it. */
	uint64_t base_us, base_at_us, next_base_us;
	bool stale;          /* base_us is old or a guess: an almost empty link is to measure it */
	uint64_t queue_us;   /* what the last frame acknowledged has waited */
	uint64_t calm_us;    /* the same of the last small frame that went alone */
	uint64_t shaken_us;  /* how much that differs from one to the next; smoothed */
	uint64_t arrived_us; /* when the last frame acknowledged had come to the viewer */
	uint64_t busy_us, busy_bytes; /* what the link has carried while it was busy, of late */
	uint64_t rate;                /* bytes a second that the link is given; 0: no limit known */
	uint64_t changed_us;          /* rate was */
	unsigned late;                /* frames in a row that have waited too long */
	uint64_t decode_us;           /* smoothed */
	bool slow;                    /* the viewer's decoding is */
};

void flow_init(struct flow *flow);

/* Room for a frame. ret_budget: bytes it should have at most, 0: as many as it likes. */
bool flow_room(const struct flow *flow, size_t *ret_budget);

/* A frame leaves; only with room. wanting: more is left to send than its budget allowed. */
void flow_sent(struct flow *flow, uint64_t now_us, size_t bytes, bool wanting);

/* How long the oldest frame on its way waits for its acknowledgement; 0 when none is. */
uint64_t flow_waiting_us(const struct flow *flow, uint64_t now_us);

/* The oldest count frames are on the viewer's screen; decode_us: as it says, of the last of them.
 */
void flow_acked(struct flow *flow, unsigned count, uint64_t now_us, uint64_t decode_us);

#endif
