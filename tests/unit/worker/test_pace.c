/*
 * What slow viewers and slow links are sent, and what is copied instead of sent.
 */
#include "unit/worker/session.h"

#include "unit/paint.h"
#include "worker/session.h"

/* Two frames out: the PC is held back, and what it draws then is sent as one. */
static void test_slow_viewer_skips_states(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg); /* one frame is out */
	pc_draw(10, 10, 1);
	while (hear(&watcher) != MSG_frame)
		assert_ok(loop_step(session.loop, 10));
	assert_true(pc.held);
	for (uint32_t i = 0; i < 20; i++)
		pc_draw(10, 20, i + 1);
	settle(&session);
	assert_int_equal(hear(&watcher), 0);
	say(&session, &watcher, MSG_ack, &(struct msg_ack){ .sequence = 2 });
	while (hear(&watcher) != MSG_frame)
		assert_ok(loop_step(session.loop, 10));
	assert_int_equal(watcher.any.frame.sequence, 3);
	assert_int_equal(watcher.any.frame.raw_size, 64 * 3);
	assert_int_equal(hear(&watcher), 0);
	assert_false(pc.held);
	unwatch(&watcher);
	session_finish(&session);
}

/* A line changes at the upper edge, then the PC moves the upper half down. */
static void test_what_the_pc_moves_is_copied(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_ack, &(struct msg_ack){ .sequence = 1 });
	pc_draw(10, 10, 0xabcdef);
	assert_int_equal(take_pixels(&session, &watcher, false), 64);
	memmove(pc.pixels + 90 * pc.stride, pc.pixels, 90 * pc.stride);
	pc.remote.events->copied(pc.remote.ctx, 0, 0, 0, 90, PC_WIDTH, 90);
	pc.remote.events->frame_done(pc.remote.ctx);
	assert_int_equal(take_pixels(&session, &watcher, false), 0);
	assert_memory_equal(watcher.any.frame.copies.data,
			    ((uint16_t[]){ 0, 0, 0, 90, PC_WIDTH, 90 }), 12);
	assert_int_equal(watcher.any.frame.copies.len, 12);
	unwatch(&watcher);
	session_finish(&session);
}

/* A slow link is full for a moment only: the PC goes on, so that what leaves next is new. */
static void test_a_full_slow_link_holds_the_pc_later(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_ack, &(struct msg_ack){ .sequence = 1 });
	struct flow *flow = &session.worker->windows[0].viewer->pacing.flow;
	flow->rate = 50000;
	flow->base_us = 1000;
	uint64_t begin = clock_mono_ms();
	for (uint32_t i = 1; viewer_can_frame(session.worker->windows[0].viewer); i++) {
		pc_draw(10, 10, i);
		assert_ok(loop_step(session.loop, 10));
	}
	if (clock_mono_ms() - begin < 50)
		assert_false(pc.held);
	while (!pc.held && clock_mono_ms() - begin < 2000)
		assert_ok(loop_step(session.loop, 50));
	assert_true(pc.held);
	assert_true(clock_mono_ms() - begin >= 40);
	say(&session, &watcher, MSG_ack, &(struct msg_ack){ .sequence = 2 });
	assert_false(pc.held);
	unwatch(&watcher);
	session_finish(&session);
}

static void pc_show(paint_pixel *paint, uint32_t which)
{
	for (unsigned y = 0; y < 480; y++)
		for (unsigned x = 0; x < 640; x++) {
			uint32_t colour = paint(x, y, which);
			memcpy(pc.pixels + y * pc.stride + (size_t)x * 4, &colour, 4);
		}
	pc.remote.events->damaged(pc.remote.ctx, 0, 0, 640, 480);
	pc.remote.events->frame_done(pc.remote.ctx);
}

/* What came first as a picture follows exactly although the PC draws nothing more, in as many
 * frames as the link makes of it, each of which is acknowledged at once. */
static void test_a_slow_link_becomes_exact(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	struct msg_viewer_hello hello = { .version = VIEWER_VERSION, .codecs = CODEC_JPEG };
	session_begin(&session);
	start(&session, &msg);
	pc_size(640, 480);
	pc_show(paint_photo, 1);
	watch(&session, &watcher, 1);
	say(&session, &watcher, MSG_viewer_hello, &hello);
	while (!hear_of(&watcher, MSG_frame))
		assert_ok(loop_step(session.loop, 0));
	say(&session, &watcher, MSG_ack, &(struct msg_ack){ .sequence = 1 });
	struct flow *flow = &session.worker->windows[0].viewer->pacing.flow;
	flow->rate = 400000;
	pc_show(paint_photo, 2);
	size_t pictures = 0, exact = 0, frames = 0;
	uint64_t end = clock_mono_ms() + 20000;
	while (exact < 640 * 480 && clock_mono_ms() < end) {
		assert_ok(loop_step(session.loop, 1));
		if (!hear_of(&watcher, MSG_frame))
			continue;
		frames++;
		pictures += watcher.any.frame.pictures.len > 0;
		exact += watcher.any.frame.raw_size / 3;
		settle(&session); /* what is due meanwhile finds no room */
		struct msg_ack ack = { .sequence = watcher.any.frame.sequence };
		say(&session, &watcher, MSG_ack, &ack);
		flow->rate = 400000;
	}
	assert_true(pictures > 0);
	assert_true(frames > 5);
	assert_true(exact >= 640 * 480);
	unwatch(&watcher);
	session_finish(&session);
}

/* A viewer that lies is cut off; another window does not notice. */
static void test_lies_in_acknowledgements(void **state)
{
	(void)state;
	static const struct {
		uint32_t sequence, decode_us;
		bool cut;
	} lies[] = {
		{ 3, 0, true },          { 1, 0, true },          { 0, 0, true },
		{ UINT32_MAX, 0, true }, { 0x80000002, 0, true }, { 2, UINT32_MAX, false },
		{ 2, 0, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct session session;
		struct watcher first, second;
		make_two(&session, &first, &second); /* the second has acknowledged frame 1 */
		pc_draw(330, 10, 5);
		settle(&session);
		assert_true(hear_of(&second, MSG_frame));
		assert_int_equal(second.any.frame.sequence, 2);
		struct msg_ack ack = { .sequence = lies[i].sequence,
				       .decode_us = lies[i].decode_us };
		say(&session, &second, MSG_ack, &ack);
		if (lies[i].cut) {
			uint8_t cut;
			assert_int_equal(recv(second.fd, &cut, 1, MSG_DONTWAIT), 1);
			assert_int_equal(cut, WIRE_STREAM_VIOLATION);
			assert_int_equal(last_state(&session).viewers, 1);
		} else {
			pc_draw(330, 10, 6);
			settle(&session);
			take_pixels(&session, &second, false);
		}
		pc_draw(10, 10, 7);
		settle(&session);
		take_pixels(&session, &first, false);
		assert_false(pc.held);
		unwatch(&first);
		unwatch(&second);
		session_finish(&session);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_viewer_skips_states),
		cmocka_unit_test(test_what_the_pc_moves_is_copied),
		cmocka_unit_test(test_a_full_slow_link_holds_the_pc_later),
		cmocka_unit_test(test_a_slow_link_becomes_exact),
		cmocka_unit_test(test_lies_in_acknowledgements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
