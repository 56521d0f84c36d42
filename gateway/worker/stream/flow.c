#include "worker/stream/flow.h"

#include <assert.h>

#include "base/util.h"

enum {
	SECOND_US = 1000000,
	QUEUE_US = 40000,      /* what a frame may wait */
	SLICE_US = 40000,      /* what one frame's bytes may take */
	SHAKEN_MAX_US = 80000, /* more than that is no jitter but an outage */
	BASE_LIFE_US = 10 * SECOND_US,
	BASE_GUESS_US = 50000, /* at most, of a first frame that was large */
	BUSY_LEAST_US = 5000,
	QUICK_LEAST_US = 12000, /* half as much again as a PROBE at 2 Mbit/s takes */
	TELLING = 8192,         /* bytes on their way: with fewer a delay is not the link's rate */
	FIRST = 32 * 1024,      /* bytes behind a first frame whose acknowledgement is not there */
	LEAST = 4096,           /* bytes of a frame, on the slowest link */
	PROBE = 2048,           /* bytes of a frame that measures the base */
	RATE_LEAST = 32768,     /* bytes a second: 256 kbit/s */
	RATE_FAST = 12500000,   /* 100 Mbit/s: from here on there is nothing to limit */
	FRAME_US = 16667,       /* between two frames of a fast screen */
	DECODE_SLOW_US = 100000,
	DECODE_FAST_US = 40000,
};

void flow_init(struct flow *flow)
{
	*flow = (struct flow){ 0 };
}

/* ---- sending ---------------------------------------------------------------------------- */

/*
 * On a short link the second frame travels and is decoded while the first is. On a long one there
 * is room for what fits into the round trip. Whoever decodes slowly gets the next frame when it can
 * begin with it: what it would wait for is old by then.
 */
static unsigned most_frames(const struct flow *flow)
{
	uint64_t most = FLOW_NEAR + flow->base_us / FRAME_US;

	if (flow->slow)
		most = 1 + (flow->base_us + flow->decode_us / 2) / flow->decode_us;
	return (unsigned)MIN(most, (uint64_t)FLOW_FRAMES);
}

/* Jitter is no queue: a link that shakes may have so much more on its way. */
static uint64_t allowed_queue_us(const struct flow *flow)
{
	return QUEUE_US + 2 * flow->shaken_us;
}

static size_t window(const struct flow *flow)
{
	return (size_t)(flow->rate * (flow->base_us + allowed_queue_us(flow)) / SECOND_US);
}

bool flow_room(const struct flow *flow, size_t *ret_budget)
{
	size_t slice = MAX((size_t)(flow->rate * SLICE_US / SECOND_US), (size_t)LEAST), room;

	*ret_budget = 0;
	if (flow->count >= most_frames(flow))
		return false;
	if (!flow->known) {
		*ret_budget = flow->count ? FIRST : 0;
		return true;
	}
	if (flow->stale) {
		*ret_budget = PROBE;
		return flow->count == 0;
	}
	if (!flow->rate)
		return true;
	room = window(flow) - MIN(flow->flying, window(flow));
	*ret_budget = MIN(slice, MAX(room, (size_t)LEAST));
	/* Not in crumbs. */
	return flow->count == 0 || room >= slice / 2;
}

void flow_sent(struct flow *flow, uint64_t now_us, size_t bytes, bool wanting)
{
	unsigned place = (flow->first + flow->count) % FLOW_FRAMES;

	assert(flow->count < FLOW_FRAMES);
	flow->next_us = flow->rate ? now_us + bytes * SECOND_US / flow->rate * 3 / 4 : 0;
	flow->flying += bytes;
	/* What half fills the window would perhaps be more with a larger one. */
	flow->frames[place] =
		(struct flow_frame){ .sent_us = now_us,
				     .bytes = bytes,
				     .ahead = flow->flying,
				     .wanting = wanting || flow->flying >= window(flow) / 2 };
	flow->count++;
}

/* ---- learning --------------------------------------------------------------------------- */

static void learn_decode(struct flow *flow, uint64_t decode_us)
{
	flow->decode_us = flow->known ? (3 * flow->decode_us + decode_us) / 4 : decode_us;
	if (flow->decode_us > DECODE_SLOW_US)
		flow->slow = true;
	else if (flow->decode_us < DECODE_FAST_US)
		flow->slow = false;
}

static void set_base(struct flow *flow, uint64_t base_us, uint64_t now_us)
{
	flow->base_us = flow->next_base_us = base_us;
	flow->base_at_us = now_us;
}

/*
 * A queue that never empties looks like a longer link. So where the link is given a limit, from
 * time to time one small frame goes alone; elsewhere the least of the last seconds will do. A first
 * frame that is large says little about the base, so it is guessed until such a frame has come.
 */
static void learn_base(struct flow *flow, const struct flow_frame *frame, uint64_t took_us,
		       uint64_t now_us)
{
	bool alone = frame->ahead == frame->bytes;

	if (!flow->known) {
		flow->stale = frame->ahead >= TELLING && took_us > BASE_GUESS_US;
		set_base(flow, flow->stale ? BASE_GUESS_US : took_us, now_us);
		return;
	}
	if (flow->stale && alone) {
		/* One tile may be more than was asked for. */
		size_t extra = frame->bytes > LEAST ? frame->bytes - PROBE : 0;
		uint64_t own_us = flow->rate ? extra * SECOND_US / flow->rate : 0;
		set_base(flow, took_us - MIN(took_us, own_us), now_us);
		flow->stale = false;
		return;
	}
	if (took_us < flow->base_us) {
		set_base(flow, took_us, now_us);
		flow->stale = false;
		return;
	}
	flow->next_base_us =
		flow->next_base_us == flow->base_us ? took_us : MIN(flow->next_base_us, took_us);
	if (now_us - flow->base_at_us < BASE_LIFE_US)
		return;
	if (flow->rate)
		flow->stale = true;
	else
		set_base(flow, flow->next_base_us, now_us);
}

/* The link is busy with a frame from when it was free for it. */
static void learn_busy(struct flow *flow, const struct flow_frame *first, size_t bytes,
		       uint64_t arrived_us)
{
	uint64_t begin = MAX(first->sent_us + flow->base_us, flow->arrived_us);

	flow->arrived_us = MAX(arrived_us, flow->arrived_us);
	/* Of the last frames, four or so. */
	flow->busy_us -= flow->busy_us / 4;
	flow->busy_bytes -= flow->busy_bytes / 4;
	flow->busy_us += arrived_us > begin ? arrived_us - begin : 0;
	flow->busy_bytes += bytes;
}

static uint64_t measured_rate(const struct flow *flow)
{
	uint64_t rate = flow->busy_bytes * SECOND_US / MAX(flow->busy_us, (uint64_t)BUSY_LEAST_US);

	return MAX(rate, (uint64_t)RATE_LEAST);
}

/* Of small frames that went alone: what they wait for is no queue of ours. */
static void learn_shaken(struct flow *flow, const struct flow_frame *frame)
{
	uint64_t calm_us = flow->calm_us, queue_us = flow->queue_us;
	uint64_t change_us = MAX(queue_us, calm_us) - MIN(queue_us, calm_us);

	if (frame->ahead != frame->bytes || frame->bytes >= LEAST)
		return;
	flow->calm_us = queue_us;
	flow->shaken_us = (7 * flow->shaken_us + MIN(change_us, (uint64_t)SHAKEN_MAX_US)) / 8;
}

static void set_rate(struct flow *flow, uint64_t rate, uint64_t now_us)
{
	flow->rate = rate < RATE_FAST ? rate : 0;
	flow->changed_us = now_us;
	flow->late = 0;
}

/* Whether the link has just carried a frame much faster than it is given credit for; of one that
 * went alone and is large enough to tell. */
static bool was_quick(const struct flow *flow, const struct flow_frame *frame)
{
	uint64_t expected_us = frame->bytes * SECOND_US / flow->rate;

	return frame->ahead == frame->bytes && expected_us >= QUICK_LEAST_US &&
	       flow->queue_us * 3 < expected_us;
}

/* Once for a round trip: what the last change did is not seen before. */
static void learn_rate(struct flow *flow, const struct flow_frame *frame, uint64_t now_us)
{
	uint64_t allowed = allowed_queue_us(flow), measured = measured_rate(flow);
	bool telling = frame->ahead >= TELLING;

	if (flow->queue_us > allowed && telling)
		flow->late++;
	else
		flow->late = 0;
	if (!flow->rate) {
		if (flow->late >= 2 || (flow->late && flow->queue_us > 3 * allowed))
			set_rate(flow, measured, now_us);
	} else if (frame->sent_us >= flow->changed_us) {
		if (flow->late >= 2 || (flow->late && flow->queue_us > 2 * allowed))
			set_rate(flow, MAX(flow->rate * 7 / 10, MIN(flow->rate, measured)), now_us);
		else if (was_quick(flow, frame))
			set_rate(flow, flow->rate + flow->rate / 2, now_us);
		else if (frame->wanting && flow->queue_us < allowed)
			set_rate(flow,
				 flow->rate + flow->rate / (flow->queue_us < allowed / 2 ? 4 : 16),
				 now_us);
	}
}

uint64_t flow_waiting_us(const struct flow *flow, uint64_t now_us)
{
	return flow->count ? now_us - flow->frames[flow->first].sent_us : 0;
}

void flow_acked(struct flow *flow, unsigned count, uint64_t now_us, uint64_t decode_us)
{
	struct flow_frame first, last;
	size_t bytes = 0;
	uint64_t took_us;

	assert(count > 0 && count <= flow->count);
	first = flow->frames[flow->first];
	last = flow->frames[(flow->first + count - 1) % FLOW_FRAMES];
	for (unsigned i = 0; i < count; i++)
		bytes += flow->frames[(flow->first + i) % FLOW_FRAMES].bytes;
	flow->first = (flow->first + count) % FLOW_FRAMES;
	flow->count -= count;
	flow->flying -= bytes;

	took_us = now_us - last.sent_us;
	decode_us = MIN(decode_us, took_us);
	took_us -= decode_us;
	learn_decode(flow, decode_us);
	learn_base(flow, &last, took_us, now_us);
	learn_busy(flow, &first, bytes, now_us - decode_us);
	flow->queue_us = took_us - MIN(took_us, flow->base_us);
	learn_shaken(flow, &last);
	learn_rate(flow, &last, now_us);
	flow->known = true;
}
