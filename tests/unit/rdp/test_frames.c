#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp.h"

/* One connection without a PC: what it would tell the worker and the PC. */
static struct {
	struct rdp_remote rdp;
	RdpgfxClientContext channel;
	struct loop *loop;
	unsigned done;
	uint32_t acked[32], total;
	size_t acks;
	bool hold; /* at the next frame */
} now;

static void on_done(void *ctx)
{
	assert_ptr_equal(ctx, &now);
	now.done++;
	if (now.hold)
		now.rdp.held = true;
}

static UINT on_ack(RdpgfxClientContext *channel, const RDPGFX_FRAME_ACKNOWLEDGE_PDU *pdu)
{
	assert_ptr_equal(channel, &now.channel);
	assert_true(now.acks < ARRAY_SIZE(now.acked));
	assert_int_equal(pdu->queueDepth, QUEUE_DEPTH_UNAVAILABLE);
	now.acked[now.acks++] = pdu->frameId;
	now.total = pdu->totalFramesDecoded;
	return CHANNEL_RC_OK;
}

static const struct remote_events events = { .frame_done = on_done };

static int set_up(void **state)
{
	(void)state;
	memset(&now, 0, sizeof(now));
	assert_ok(loop_new(&now.loop));
	now.channel.FrameAcknowledge = on_ack;
	now.rdp.graphics = &now.channel;
	now.rdp.remote = (struct remote){ .events = &events, .ctx = &now, .loop = now.loop };
	rdp_frames_init(&now.rdp);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rdp_frames_finish(&now.rdp);
	loop_free(now.loop);
	return 0;
}

static void frame(uint32_t id)
{
	rdp_frames_end(&now.rdp, RDP_FRAME_GRAPHICS, id);
}

static void test_acknowledged_at_once(void **state)
{
	(void)state;
	frame(17);
	frame(18);
	assert_int_equal(now.done, 2);
	assert_int_equal(now.acks, 2);
	assert_int_equal(now.acked[1], 18);
	assert_int_equal(now.total, 2);
}

/* The frame that fills the worker waits, and with it those that the PC sends all the same. */
static void test_held(void **state)
{
	(void)state;
	now.hold = true;
	frame(1);
	assert_int_equal(now.acks, 0);
	assert_false(rdp_frames_full(&now.rdp));
	frame(2);
	assert_int_equal(now.acks, 0);
	assert_true(rdp_frames_full(&now.rdp));
	now.hold = now.rdp.held = false;
	rdp_frames_release(&now.rdp);
	assert_int_equal(now.acks, 2);
	assert_int_equal(now.acked[0], 1);
	assert_false(rdp_frames_full(&now.rdp));
	frame(3);
	assert_int_equal(now.acks, 3);
}

/* A PC that does not wait fills nothing. */
static void test_endless(void **state)
{
	(void)state;
	now.hold = true;
	for (uint32_t i = 0; i < 1000; i++)
		frame(i);
	now.rdp.held = false;
	rdp_frames_release(&now.rdp);
	assert_int_equal(now.acks, RDP_FRAMES_WAITING);
}

static void test_without_marks(void **state)
{
	(void)state;
	assert_false(rdp_frames_full(&now.rdp));
	now.rdp.held = true;
	assert_true(rdp_frames_full(&now.rdp));
}

static void part(unsigned left, unsigned top, unsigned right, unsigned bottom)
{
	rdp_frames_bitmap(&now.rdp, left, top, right, bottom);
	rdp_frames_drawn(&now.rdp, (uint64_t)(right - left) * (bottom - top));
}

/* As xrdp sends: strips from the bottom up, rectangle after rectangle. */
static void test_gathered(void **state)
{
	(void)state;
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned y = 50; y > 0; y -= 5)
			part(0, y - 5, 1000, y);
		for (unsigned y = 100; y > 50; y -= 5)
			part(0, y - 5, 500, y);
		for (unsigned y = 100; y > 50; y -= 5)
			part(600, y - 5, 1000, y);
		/* the end of the turn before shows only when the next begins */
		assert_int_equal(now.done, turn);
	}
	while (now.done < 3)
		assert_ok(loop_step(now.loop, 1000));
	part(10, 10, 20, 20);
	assert_int_equal(now.done, 3);
	while (now.done < 4)
		assert_ok(loop_step(now.loop, 1000));
	assert_false(loop_timer_running(&now.rdp.frames.gather));
}

/* However busy the PC is: what began 0.1 s ago is shown before anything more is gathered. */
static void test_busy(void **state)
{
	(void)state;
	part(0, 0, 1000, 50);
	assert_int_equal(now.done, 0);
	now.rdp.frames.since_us -= 100000;
	part(0, 50, 1000, 100);
	assert_ok(loop_step(now.loop, 0));
	assert_int_equal(now.done, 1);
}

/* A cursor that blinks beside marked frames is no frame. */
static void test_marked(void **state)
{
	(void)state;
	frame(1);
	part(0, 0, 10, 10);
	part(0, 0, 10, 10);
	assert_int_equal(now.done, 1);
	assert_false(loop_timer_running(&now.rdp.frames.gather));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_acknowledged_at_once),
		TEST(test_held),
		TEST(test_endless),
		TEST(test_without_marks),
		TEST(test_gathered),
		TEST(test_busy),
		TEST(test_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
