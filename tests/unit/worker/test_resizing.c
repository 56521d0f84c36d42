/*
 * How large the desktop is: what the person wishes, and what the PC does about it.
 */
#include "unit/worker/session.h"

#include "worker/session.h"

static void test_resizing(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_resize,
	    &(struct msg_resize){ .width = PC_WIDTH, .height = PC_HEIGHT });
	assert_string_equal(pc.journal, "");
	uint64_t begin = clock_mono_ms();
	say(&session, &watcher, MSG_resize, &(struct msg_resize){ .width = 1001, .height = 10 });
	assert_string_equal(pc.journal, "resize 1000 200\n");
	for (uint16_t i = 0; i < 50; i++)
		say(&session, &watcher, MSG_resize,
		    &(struct msg_resize){ .width = (uint16_t)(900 + i), .height = 65535 });
	assert_string_equal(pc.journal, "resize 1000 200\n");
	while (strcmp(pc.journal, "resize 1000 200\n") == 0)
		assert_ok(loop_step(session.loop, 100));
	assert_in_range(clock_mono_ms() - begin, 450, 2000);
	assert_string_equal(pc.journal, "resize 1000 200\nresize 948 4320\n");
	unwatch(&watcher);
	session_finish(&session);
}

/* Whoever is here before the PC has answered gets the size, or hears that there is none to get. */
static void test_a_wish_waits_for_what_the_pc_can_do(void **state)
{
	(void)state;
	for (int can = 0; can < 2; can++) {
		struct session session;
		struct watcher watcher;
		struct msg_session_start msg = usual_start();
		session_begin(&session);
		pc.can_resize = can == 1;
		pc.silent = true;
		start(&session, &msg);
		watch(&session, &watcher, 1);
		say_hello(&session, &watcher);
		say(&session, &watcher, MSG_resize,
		    &(struct msg_resize){ .width = 1000, .height = 600 });
		assert_string_equal(pc.journal, "");
		assert_false(hear_of(&watcher, MSG_notice));
		pc_draw(0, 0, 0x123456);
		if (can) {
			assert_string_equal(pc.journal, "resize 1000 600\n");
			assert_false(hear_of(&watcher, MSG_notice));
		} else {
			assert_string_equal(pc.journal, "");
			assert_true(hear_of(&watcher, MSG_notice));
			assert_int_equal(watcher.any.notice.kind, NOTICE_NO_RESIZE);
		}
		unwatch(&watcher);
		session_finish(&session);
	}
}

static void test_a_pc_that_cannot_resize_says_so_once(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	pc.remote.can_resize = false;
	say(&session, &watcher, MSG_resize, &(struct msg_resize){ .width = 1000, .height = 600 });
	assert_true(hear_of(&watcher, MSG_notice));
	assert_int_equal(watcher.any.notice.kind, NOTICE_NO_RESIZE);
	uint64_t begin = clock_mono_ms();
	say(&session, &watcher, MSG_resize, &(struct msg_resize){ .width = 1100, .height = 600 });
	while (clock_mono_ms() - begin < 700)
		assert_ok(loop_step(session.loop, 50));
	assert_false(hear_of(&watcher, MSG_notice));
	assert_string_equal(pc.journal, "");
	unwatch(&watcher);
	session_finish(&session);
}

static void test_the_pc_changes_its_size(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_ack, &(struct msg_ack){ .sequence = 1 });
	pc_size(640, 480);
	settle(&session);
	assert_int_equal(hear(&watcher), 0); /* not the black one */
	pc_draw(600, 400, 0xff00ff);
	settle(&session);
	assert_int_equal(take_pixels(&session, &watcher, true), 640 * 480);
	struct msg_worker_state now = last_state(&session);
	assert_int_equal(now.width, 640);
	assert_int_equal(now.height, 480);
	say(&session, &watcher, MSG_pointer, &(struct msg_pointer){ .x = 639, .y = 479 });
	assert_string_equal(pc.journal, "pointer 639 479 0 0 0\n");
	unwatch(&watcher);
	session_finish(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resizing),
		cmocka_unit_test(test_a_wish_waits_for_what_the_pc_can_do),
		cmocka_unit_test(test_a_pc_that_cannot_resize_says_so_once),
		cmocka_unit_test(test_the_pc_changes_its_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
