/*
 * Two windows of one session: two monitors, or the same one twice.
 */
#include "unit/worker/session.h"

#include "unit/paint.h"
#include "worker/session.h"

/* Two windows on a PC with two monitors, which it has not made yet; both have seen the whole. */
static void test_a_second_window_is_a_second_monitor(void **state)
{
	(void)state;
	struct session session;
	struct watcher first, second;
	make_two(&session, &first, &second);
	/* Each is told of its own part only, in its own places. */
	pc_draw(330, 239, 2);
	settle(&session);
	assert_false(hear_of(&first, MSG_frame));
	take_pixels(&session, &second, false);
	assert_memory_equal(second.any.frame.rects.data, ((uint16_t[]){ 0, 239, 64, 1 }), 8);
	pc_draw(319, 100, 3);
	settle(&session);
	assert_false(hear_of(&second, MSG_frame));
	take_pixels(&session, &first, false);
	say(&session, &second, MSG_pointer, &(struct msg_pointer){ .x = 299, .y = 5 });
	say(&session, &second, MSG_pointer, &(struct msg_pointer){ .x = 9999, .y = 9999 });
	say(&session, &first, MSG_pointer, &(struct msg_pointer){ .x = 9999, .y = 9999 });
	say(&session, &second, MSG_key,
	    &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 1 });
	assert_string_equal(pc.journal, "pointer 619 5 0 0 0\npointer 619 239 0 0 0\n"
					"pointer 319 199 0 0 0\nkey 61 1e down\n");
	unwatch(&first);
	unwatch(&second);
	session_finish(&session);
}

static void until_written(struct session *session, const char *journal)
{
	uint64_t end = clock_mono_ms() + 3000;
	while (strcmp(pc.journal, journal) != 0 && clock_mono_ms() < end)
		assert_ok(loop_step(session->loop, 20));
	assert_string_equal(pc.journal, journal);
}

static void test_windows_change_their_own_monitor(void **state)
{
	(void)state;
	struct session session;
	struct watcher first, second;
	make_two(&session, &first, &second);
	say(&session, &second, MSG_resize, &(struct msg_resize){ .width = 400, .height = 200 });
	until_written(&session, "resize 320 200 400 200\n");
	pc_size(720, 200);
	pc_draw(0, 0, 1);
	settle(&session);
	take_pixels(&session, &first, true);
	assert_int_equal(take_pixels(&session, &second, true), 400 * 200);
	*pc.journal = '\0';
	/* The second goes, and its monitor with it. */
	unwatch(&second);
	until_written(&session, "resize 320 200\n");
	pc_size(320, 200);
	pc_draw(0, 0, 2);
	settle(&session);
	assert_int_equal(take_pixels(&session, &first, true), 320 * 200);
	assert_int_equal(last_state(&session).viewers, 1);
	assert_int_equal(last_state(&session).state, 0); /* nothing new */
	unwatch(&first);
	session_finish(&session);
}

/* What the PC moves within a monitor is a copy there, across the border a change. */
static void test_copies_stay_within_a_monitor(void **state)
{
	(void)state;
	struct session session;
	struct watcher first, second;
	make_two(&session, &first, &second);
	pc_draw(330, 10, 0xabcdef);
	settle(&session);
	take_pixels(&session, &second, false);
	for (unsigned y = 0; y < 100; y++)
		memcpy(pc.pixels + (y + 100) * pc.stride + 320 * 4,
		       pc.pixels + y * pc.stride + 320 * 4, 300 * 4);
	pc.remote.events->copied(pc.remote.ctx, 320, 0, 320, 100, 300, 100);
	pc.remote.events->frame_done(pc.remote.ctx);
	settle(&session);
	assert_int_equal(take_pixels(&session, &second, false), 0);
	assert_memory_equal(second.any.frame.copies.data, ((uint16_t[]){ 0, 0, 0, 100, 300, 100 }),
			    12);
	assert_false(hear_of(&first, MSG_frame));
	unwatch(&first);
	unwatch(&second);
	session_finish(&session);
}

/* A PC that has one monitor, or will not make another. */
static void test_both_windows_may_show_the_whole(void **state)
{
	(void)state;
	struct session session;
	struct watcher first, second;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &first, &msg);
	say(&session, &first, MSG_ack, &(struct msg_ack){ .sequence = 1 });
	watch_monitor(&session, &second, 2, 1);
	say_hello_sized(&session, &second, 300, 300);
	assert_int_equal(hear(&second), MSG_hello);
	assert_int_equal(second.any.hello.monitors, 1);
	assert_int_equal(take_pixels(&session, &second, true), PC_WIDTH * PC_HEIGHT);
	assert_string_equal(pc.journal, "");
	pc_draw(5, 5, 9);
	settle(&session);
	take_pixels(&session, &first, false);
	take_pixels(&session, &second, false);
	unwatch(&first);
	unwatch(&second);
	session_finish(&session);
	begin_two(&session, &first, &second);
	/* It was asked, and does nothing: after a second the picture comes all the same. */
	while (!hear_of(&second, MSG_frame))
		assert_ok(loop_step(session.loop, 100));
	assert_int_equal(second.any.frame.raw_size, 3 * PC_WIDTH * PC_HEIGHT);
	unwatch(&first);
	unwatch(&second);
	session_finish(&session);
}

static void test_the_second_window_follows_the_first(void **state)
{
	(void)state;
	struct session session;
	struct watcher first, second, third;
	make_two(&session, &first, &second);
	/* The first is taken over, from wherever: the second belongs to who had it. */
	watch(&session, &third, 3);
	assert_dismissed(&first, SESSION_DETACHED, END_REPLACED);
	assert_dismissed(&second, SESSION_DETACHED, END_REPLACED);
	unwatch(&first);
	unwatch(&second);
	/* There again, and replaced by one of the same monitor: the first stays. */
	say_hello_sized(&session, &third, PC_WIDTH, PC_HEIGHT);
	watch_monitor(&session, &first, 4, 1);
	watch_monitor(&session, &second, 5, 1);
	assert_dismissed(&first, SESSION_DETACHED, END_REPLACED);
	unwatch(&first);
	assert_int_not_equal(hear(&third), -1);
	say_hello(&session, &second);
	/* The first leaves. */
	unwatch(&third);
	settle(&session);
	assert_dismissed(&second, SESSION_DETACHED, END_NONE);
	assert_int_equal(last_state(&session).state, SESSION_DETACHED);
	unwatch(&second);
	/* Alone it is no session's. */
	watch_monitor(&session, &second, 6, 1);
	assert_dismissed(&second, SESSION_DETACHED, END_NONE);
	unwatch(&second);
	watch_monitor(&session, &second, 7, 2);
	assert_int_equal(hear(&second), -1);
	unwatch(&second);
	session_finish(&session);
}

static void test_both_are_told_what_happens(void **state)
{
	(void)state;
	struct session session;
	struct watcher first, second;
	make_two(&session, &first, &second);
	pc.remote.events->bell(pc.remote.ctx);
	assert_true(hear_of(&first, MSG_bell));
	assert_true(hear_of(&second, MSG_bell));
	struct msg_session_stop stop = { .reason = END_TERMINATED };
	order(&session, MSG_session_stop, &stop, -1);
	assert_int_equal(run_to_the_end(&session), 0);
	assert_dismissed(&first, SESSION_ENDED, END_TERMINATED);
	assert_dismissed(&second, SESSION_ENDED, END_TERMINATED);
	unwatch(&first);
	unwatch(&second);
	session_finish(&session);
}

/* One takes nothing any more: the other goes on, and the PC with it. */
static void test_a_slow_window_decides_nothing_for_another(void **state)
{
	(void)state;
	struct session session;
	struct watcher first, second;
	make_two(&session, &first, &second);
	for (uint32_t i = 1; i <= 50; i++) {
		pc_draw(10, 10, i);
		pc_draw(330, 10, i);
		settle(&session);
		take_pixels(&session, &first, false);
		assert_false(pc.held);
	}
	int frames = 0;
	while (hear_of(&second, MSG_frame))
		frames++;
	/* On a busy machine its first acknowledgement makes the link look long. */
	assert_in_range(frames, FLOW_NEAR, FLOW_FRAMES);
	/* The other way round. */
	for (uint32_t i = 1; viewer_can_frame(session.worker->windows[0].viewer); i++) {
		pc_draw(10, 10, 100 + i);
		assert_ok(loop_step(session.loop, 10));
	}
	assert_true(pc.held);
	say(&session, &second, MSG_ack, &(struct msg_ack){ .sequence = second.any.frame.sequence });
	assert_false(pc.held);
	pc_draw(330, 10, 0x777777);
	settle(&session);
	take_pixels(&session, &second, false);
	assert_false(pc.held);
	/* And neither. */
	for (uint32_t i = 1; !pc.held; i++) {
		assert_true(i < 10);
		pc_draw(330, 10, 200 + i);
		assert_ok(loop_step(session.loop, 10));
	}
	unwatch(&second);
	settle(&session);
	assert_true(pc.held);
	unwatch(&first);
	session_finish(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_second_window_is_a_second_monitor),
		cmocka_unit_test(test_windows_change_their_own_monitor),
		cmocka_unit_test(test_copies_stay_within_a_monitor),
		cmocka_unit_test(test_both_windows_may_show_the_whole),
		cmocka_unit_test(test_the_second_window_follows_the_first),
		cmocka_unit_test(test_both_are_told_what_happens),
		cmocka_unit_test(test_a_slow_window_decides_nothing_for_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
