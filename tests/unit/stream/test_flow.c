#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "worker/stream/flow.h"

enum { MS = 1000, S = 1000000, PENDING = 64 };

/*
 * A link and a viewer at its end, in a time of its own: frames go one after another at its rate,
 * then they travel, some longer than others.
 */
struct link {
	struct flow flow;
	uint64_t rate; /* bytes a second; 0: no limit */
	uint64_t way_us, jitter_us, decode_us;
	uint64_t said_decode_us; /* in the acknowledgement; UINT64_MAX: the truth */
	uint64_t now_us, free_us, seen_us, decoded_us;
	uint64_t acks[PENDING], begun[PENDING],
		decodes[PENDING]; /* of frames on their way, in order */
	size_t pending;
	uint32_t random;
	/* What was seen since the last look. */
	uint64_t bytes, frames, worst_us, sum_us;
};

static void link_init(struct link *link, uint64_t rate, uint64_t way_us)
{
	*link = (struct link){ .rate = rate,
			       .way_us = way_us,
			       .said_decode_us = UINT64_MAX,
			       .now_us = 7 * S,
			       .random = 1 };
	flow_init(&link->flow);
}

static uint64_t shaken(struct link *link)
{
	link->random = link->random * 1664525u + 1013904223u;
	return link->jitter_us ? (link->random >> 8) % link->jitter_us : 0;
}

static void link_send(struct link *link, size_t bytes, bool wanting)
{
	uint64_t begin = MAX(link->now_us, link->free_us);
	link->free_us = begin + (link->rate ? bytes * S / link->rate : 0);
	link->seen_us = MAX(link->seen_us, link->free_us + link->way_us / 2 + shaken(link));
	/* One after another. */
	link->decoded_us = MAX(link->decoded_us, link->seen_us) + link->decode_us;
	assert_true(link->pending < PENDING);
	link->acks[link->pending] = link->decoded_us + link->way_us / 2;
	link->begun[link->pending] = link->now_us;
	link->decodes[link->pending++] = link->decoded_us - link->seen_us;
	flow_sent(&link->flow, link->now_us, bytes, wanting);
	link->bytes += bytes;
	link->frames++;
}

/* Goes on to the next acknowledgement, but not past until. */
static void link_step(struct link *link, uint64_t until_us)
{
	if (!link->pending || link->acks[0] > until_us) {
		link->now_us = until_us;
		return;
	}
	link->now_us = MAX(link->now_us, link->acks[0]);
	uint64_t took = link->now_us - link->begun[0], decode = link->decodes[0];
	link->worst_us = MAX(link->worst_us, took);
	link->sum_us += took;
	link->pending--;
	memmove(link->acks, link->acks + 1, link->pending * sizeof(link->acks[0]));
	memmove(link->begun, link->begun + 1, link->pending * sizeof(link->begun[0]));
	memmove(link->decodes, link->decodes + 1, link->pending * sizeof(link->decodes[0]));
	flow_acked(&link->flow, 1, link->now_us,
		   link->said_decode_us == UINT64_MAX ? decode : link->said_decode_us);
}

/* A page that scrolls for so long: a frame of it has so many bytes, or what the budget allows. */
static void link_scroll(struct link *link, uint64_t span_us, size_t page)
{
	uint64_t end = link->now_us + span_us;
	size_t budget;
	link->bytes = link->frames = link->worst_us = link->sum_us = 0;
	while (link->now_us < end) {
		while (link->now_us >= link->flow.next_us && flow_room(&link->flow, &budget))
			link_send(link, budget ? MIN(budget, page) : page, budget && budget < page);
		link_step(link,
			  link->flow.next_us > link->now_us ? MIN(link->flow.next_us, end) : end);
	}
}

/* Small changes, one after another, each so long after the one before. */
static void link_type(struct link *link, unsigned count, uint64_t every_us)
{
	size_t budget;
	for (unsigned i = 0; i < count; i++) {
		uint64_t end = link->now_us + every_us;
		if (flow_room(&link->flow, &budget))
			link_send(link, 300, false);
		while (link->now_us < end)
			link_step(link, end);
	}
}

static uint64_t mean_us(const struct link *link)
{
	return link->frames ? link->sum_us / link->frames : 0;
}

static void test_near_viewers_are_not_limited(void **state)
{
	(void)state;
	struct link link;
	link_init(&link, 100 * 1000 * 1000, 1 * MS);
	link.decode_us = 8 * MS;
	link_scroll(&link, 30 * S, 400 * 1000);
	assert_int_equal(link.flow.rate, 0);
	/* As fast as it decodes. */
	assert_true(link.frames > 30 * 110);
	size_t budget;
	link_init(&link, 0, 1 * MS);
	for (int i = 0; i < FLOW_NEAR; i++) {
		assert_true(flow_room(&link.flow, &budget));
		link_send(&link, 300, false);
	}
	assert_false(flow_room(&link.flow, &budget));
}

/* A near viewer that stood still for a moment is not taken for a slow link for long, even when its
 * frames are far smaller than they might be. */
static void test_a_near_viewer_that_stood_still(void **state)
{
	(void)state;
	struct link link;
	size_t budget;
	link_init(&link, 100 * 1000 * 1000, 1 * MS);
	link_scroll(&link, 2 * S, 20 * 1000);
	link.seen_us = link.now_us + 400 * MS;
	link.said_decode_us = 0;
	link_scroll(&link, 600 * MS, 20 * 1000);
	assert_true(link.flow.rate > 0);
	for (int i = 0; link.flow.rate; i++) {
		assert_true(i < 100);
		if (flow_room(&link.flow, &budget))
			link_send(&link, budget ? budget * 2 / 5 : 12000, false);
		link_step(&link, link.now_us + 15 * MS);
	}
}

/* 2 Mbit/s and 80 ms, the first frame large: the link is found out and kept busy without a queue.
 */
static void test_slow_link_is_learnt(void **state)
{
	(void)state;
	static const uint64_t ways[] = { 2 * MS, 80 * MS, 300 * MS };
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct link link;
		size_t budget;
		link_init(&link, 250 * 1000, ways[i]);
		link.decode_us = 5 * MS;
		assert_true(flow_room(&link.flow, &budget));
		assert_int_equal(budget, 0);
		link_send(&link, 300 * 1000, false);
		link_scroll(&link, 4 * S, 150 * 1000);
		link_scroll(&link, 60 * S, 150 * 1000);
		if (link.bytes < 60 * 250 * 1000 * 80 / 100)
			fail_msg("way %zu: %zu bytes", i, (size_t)link.bytes);
		if (link.worst_us > ways[i] + 260 * MS || mean_us(&link) > ways[i] + 80 * MS)
			fail_msg("way %zu: mean %zu worst %zu", i, (size_t)mean_us(&link),
				 (size_t)link.worst_us);
	}
}

static void test_a_link_that_becomes_slow_and_fast_again(void **state)
{
	(void)state;
	struct link link;
	link_init(&link, 5 * 1000 * 1000, 30 * MS);
	link_scroll(&link, 10 * S, 100 * 1000);
	assert_true(link.bytes > 10ull * 5 * 1000 * 1000 * 7 / 10);
	link.rate = 100 * 1000;
	link_scroll(&link, 8 * S, 100 * 1000);
	link_scroll(&link, 8 * S, 100 * 1000);
	assert_true(link.worst_us < 200 * MS);
	assert_true(link.bytes > 8 * 100 * 1000 * 7 / 10);
	link.rate = 20 * 1000 * 1000;
	link_scroll(&link, 5 * S, 100 * 1000);
	link_scroll(&link, 8 * S, 100 * 1000);
	/* As many frames as the way lets it have. */
	assert_true(link.bytes > 8ull * 8 * 1000 * 1000);
}

/* Up to 150 ms more, now and then: no reason to give a fast link nothing. */
static void test_jitter_is_no_queue(void **state)
{
	(void)state;
	struct link link;
	link_init(&link, 2500 * 1000, 30 * MS);
	link.jitter_us = 150 * MS;
	link_type(&link, 30, 100 * MS);
	link_scroll(&link, 10 * S, 100 * 1000);
	link_scroll(&link, 20 * S, 100 * 1000);
	assert_true(link.bytes > 20 * 2500 * 1000 / 2);
	/* Small changes alone never make a limit. */
	link_init(&link, 0, 30 * MS);
	link.jitter_us = 300 * MS;
	link_type(&link, 500, 50 * MS);
	assert_int_equal(link.flow.rate, 0);
}

static void test_slow_decoding_gets_fewer_frames(void **state)
{
	(void)state;
	struct link link;
	link_init(&link, 0, 1 * MS);
	link.decode_us = 150 * MS;
	link_scroll(&link, 3 * S, 1000);
	link_scroll(&link, 3 * S, 1000);
	/* None waits for another. */
	assert_true(link.worst_us < 155 * MS);
	assert_true(link.frames >= 19);
	assert_int_equal(link.flow.rate, 0);
	link.decode_us = 10 * MS;
	link_scroll(&link, 3 * S, 1000);
	link_scroll(&link, 3 * S, 1000);
	assert_true(link.frames > 250);
}

static void test_a_long_link_has_more_frames_on_its_way(void **state)
{
	(void)state;
	struct link link;
	link_init(&link, 0, 200 * MS);
	link_scroll(&link, 5 * S, 1000);
	link_scroll(&link, 5 * S, 1000);
	assert_true(link.frames > 5 * 35);
	assert_true(link.frames <= 5 * (FLOW_FRAMES * 5 + 1));
}

/* The base is measured anew on a link whose queue never empties. */
static void test_the_way_may_become_longer(void **state)
{
	(void)state;
	struct link link;
	link_init(&link, 250 * 1000, 40 * MS);
	link_scroll(&link, 20 * S, 100 * 1000);
	link.way_us = 160 * MS;
	link_scroll(&link, 25 * S, 100 * 1000);
	assert_in_range(link.flow.base_us, 155 * MS, 185 * MS);
	link_scroll(&link, 20 * S, 100 * 1000);
	assert_true(link.bytes > 20 * 250 * 1000 * 3 / 4);
}

/* Whatever a viewer says of its decoding, its window stays within bounds. */
static void test_lies_about_decoding(void **state)
{
	(void)state;
	static const uint64_t lies[] = { 0, 1, 100 * MS, UINT32_MAX };
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct link link;
		link_init(&link, 250 * 1000, 80 * MS);
		link.said_decode_us = lies[i];
		link.decode_us = 5 * MS;
		link_scroll(&link, 20 * S, 100 * 1000);
		assert_true(link.flow.count <= FLOW_FRAMES);
		assert_true(link.frames > 40);
		assert_true(link.flow.base_us <= 20 * S && link.flow.decode_us <= 20 * S);
	}
}

/* Acknowledged at once, as by a viewer that wants all there is: never more than one frame ahead of
 * what it has said. */
static void test_acknowledged_before_it_can_be_there(void **state)
{
	(void)state;
	struct flow flow;
	size_t budget;
	flow_init(&flow);
	for (uint64_t i = 0; i < 100000; i++) {
		assert_true(flow_room(&flow, &budget));
		flow_sent(&flow, S, 5000000, true);
		flow_acked(&flow, 1, S, UINT32_MAX);
	}
	assert_int_equal(flow.flying, 0);
	assert_int_equal(flow.count, 0);
}

static void test_several_at_once(void **state)
{
	(void)state;
	struct flow flow;
	size_t budget;
	flow_init(&flow);
	for (unsigned round = 0; round < 50; round++) {
		unsigned count = 0;
		while (flow_room(&flow, &budget)) {
			flow_sent(&flow, S + round * S, 100, false);
			count++;
		}
		assert_int_equal(flow.flying, count * 100);
		flow_acked(&flow, count, S + round * S + 200 * MS, 0);
		assert_int_equal(flow.flying, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near_viewers_are_not_limited),
		cmocka_unit_test(test_a_near_viewer_that_stood_still),
		cmocka_unit_test(test_slow_link_is_learnt),
		cmocka_unit_test(test_a_link_that_becomes_slow_and_fast_again),
		cmocka_unit_test(test_jitter_is_no_queue),
		cmocka_unit_test(test_slow_decoding_gets_fewer_frames),
		cmocka_unit_test(test_a_long_link_has_more_frames_on_its_way),
		cmocka_unit_test(test_the_way_may_become_longer),
		cmocka_unit_test(test_lies_about_decoding),
		cmocka_unit_test(test_acknowledged_before_it_can_be_there),
		cmocka_unit_test(test_several_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
