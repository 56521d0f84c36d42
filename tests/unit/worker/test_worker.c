#include "unit/worker/session.h"

#include <poll.h>
#include <sys/wait.h>

#include "unit/paint.h"
#include "worker/session.h"

/* A session with its viewer, who has seen everything so far. */
static void begin_watched(struct session *session, struct watcher *watcher,
			  const struct msg_session_start *msg)
{
	session_begin(session);
	pc.can_resize = true;
	start(session, msg);
	watch(session, watcher, 1);
	say_hello(session, watcher);
	while (hear(watcher) > 0)
		;
	assert_int_equal(last_state(session).state, SESSION_ACTIVE);
}

/* Acknowledges the frame that must be there; its size in pixels. */
static size_t take_frame(struct session *session, struct watcher *watcher, bool keyframe)
{
	assert_true(hear_of(watcher, MSG_frame));
	assert_int_equal(watcher->any.frame.keyframe, keyframe);
	size_t pixels = watcher->any.frame.raw_size / 3;
	struct msg_ack ack = { .sequence = watcher->any.frame.sequence };
	say(session, watcher, MSG_ack, &ack);
	return pixels;
}

static void test_from_start_to_log_out(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	session_begin(&session);
	const union wire_any *any = told(&session, MSG_worker_hello);
	assert_non_null(any);
	assert_int_equal(any->worker_hello.state, SESSION_STARTING);
	start(&session, &msg);
	assert_string_equal(pc.password, "geheim");
	assert_string_equal(pc.remote.config.password, "");
	struct msg_worker_state now = last_state(&session);
	assert_int_equal(now.state, SESSION_DETACHED);
	assert_int_equal(now.width, PC_WIDTH);
	assert_int_equal(now.viewers, 0);
	assert_true(pc.held); /* nobody looks */

	watch(&session, &watcher, 1);
	assert_int_equal(hear(&watcher), 0);
	say_hello(&session, &watcher);
	assert_int_equal(hear(&watcher), MSG_hello);
	assert_string_equal(watcher.any.hello.label, "経理PC");
	assert_memory_equal(watcher.any.hello.session, msg.session, sizeof(msg.session));
	assert_int_equal(watcher.any.hello.state, SESSION_ACTIVE);
	assert_int_equal(take_frame(&session, &watcher, true), PC_WIDTH * PC_HEIGHT);
	assert_int_equal(last_state(&session).viewers, 1);
	assert_false(pc.held);
	pc_draw(5, 5, 0xffffff);
	assert_int_equal(take_frame(&session, &watcher, false), 64);

	struct msg_session_stop stop = { .reason = END_LOGOUT };
	order(&session, MSG_session_stop, &stop, -1);
	assert_int_equal(run_to_the_end(&session), 0);
	assert_true(pc.freed);
	assert_dismissed(&watcher, SESSION_ENDED, END_LOGOUT);
	now = last_state(&session);
	assert_int_equal(now.state, SESSION_ENDED);
	assert_int_equal(now.reason, END_LOGOUT);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_viewer_before_the_pc(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	session_begin(&session);
	pc.silent = true;
	start(&session, &msg);
	watch(&session, &watcher, 1);
	say_hello(&session, &watcher);
	assert_int_equal(hear(&watcher), MSG_hello);
	assert_int_equal(watcher.any.hello.state, SESSION_CONNECTING);
	assert_true(hear_of(&watcher, MSG_status));
	assert_int_equal(hear(&watcher), 0);
	pc_draw(1, 1, 1);
	settle(&session);
	assert_true(hear_of(&watcher, MSG_status));
	assert_int_equal(watcher.any.status.state, SESSION_ACTIVE);
	take_frame(&session, &watcher, true);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_a_pc_that_refuses(void **state)
{
	(void)state;
	struct session session;
	struct msg_session_start msg = usual_start();
	session_begin(&session);
	pc.refuse = END_PC_LOGIN;
	start(&session, &msg);
	assert_int_equal(run_to_the_end(&session), 0);
	struct msg_worker_state now = last_state(&session);
	assert_int_equal(now.state, SESSION_ENDED);
	assert_int_equal(now.reason, END_PC_LOGIN);
	assert_true(pc.freed);
	session_finish(&session);
}

static void test_a_pc_without_a_picture(void **state)
{
	(void)state;
	struct session session;
	struct msg_session_start msg = usual_start();
	msg.connect_s = 1;
	session_begin(&session);
	pc.silent = true;
	start(&session, &msg);
	uint64_t begin = clock_mono_ms();
	assert_int_equal(run_to_the_end(&session), 0);
	assert_in_range(clock_mono_ms() - begin, 900, 3000);
	assert_int_equal(last_state(&session).reason, END_PC_TIMEOUT);
	session_finish(&session);
}

static void test_a_pc_that_leaves(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 1 });
	*pc.journal = '\0';
	pc.remote.events->ended(pc.remote.ctx, END_PC_CLOSED);
	assert_false(pc.freed); /* not inside its own callback */
	assert_int_equal(run_to_the_end(&session), 0);
	assert_true(pc.freed);
	assert_string_equal(pc.journal, ""); /* nobody was told to let go of keys */
	assert_dismissed(&watcher, SESSION_ENDED, END_PC_CLOSED);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_replaced_viewer(void **state)
{
	(void)state;
	struct session session;
	struct watcher first, second;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &first, &msg);
	say(&session, &first, MSG_key,
	    &(struct msg_key){ .keysym = 0xffe1, .scancode = 0x2a, .down = 1 });
	say(&session, &first, MSG_pointer,
	    &(struct msg_pointer){ .x = 9999, .y = 3, .buttons = 1 });
	*pc.journal = '\0';
	watch(&session, &second, 2);
	assert_dismissed(&first, SESSION_DETACHED, END_REPLACED);
	assert_string_equal(pc.journal, "key ffe1 2a up\npointer 319 3 0 0 0\n");
	say_hello(&session, &second);
	assert_int_equal(hear(&second), MSG_hello);
	assert_true(hear_of(&second, MSG_notice));
	assert_int_equal(second.any.notice.kind, NOTICE_RESUMED);
	take_frame(&session, &second, true);
	unwatch(&first);
	unwatch(&second);
	session_finish(&session);
}

static void test_left_viewer_lets_go_of_keys(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 1 });
	*pc.journal = '\0';
	unwatch(&watcher);
	settle(&session);
	assert_string_equal(pc.journal, "key 61 1e up\n");
	assert_int_equal(last_state(&session).state, SESSION_DETACHED);
	assert_true(pc.held);
	session_finish(&session);
}

/* The session goes on, the audit log hears of it. */
static void test_rude_viewer(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	assert_int_equal(send(watcher.fd, "rubbish", 7, MSG_NOSIGNAL), 7);
	settle(&session);
	uint8_t cut;
	assert_int_equal(recv(watcher.fd, &cut, 1, MSG_DONTWAIT), 1);
	assert_int_equal(cut, WIRE_STREAM_VIOLATION);
	assert_int_equal(hear(&watcher), -1);
	const union wire_any *any = told(&session, MSG_worker_event);
	assert_non_null(any);
	assert_string_equal(any->worker_event.event, "viewer-protocol");
	assert_int_equal(last_state(&session).state, SESSION_DETACHED);
	assert_false(pc.freed);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_view_only(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	msg.view_only = 1;
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 1 });
	say(&session, &watcher, MSG_text, &(struct msg_text){ .text = "a" });
	say(&session, &watcher, MSG_pointer, &(struct msg_pointer){ .x = 1, .buttons = 1 });
	say(&session, &watcher, MSG_resize, &(struct msg_resize){ .width = 500, .height = 500 });
	say(&session, &watcher, MSG_release_keys, &(struct msg_release_keys){ 0 });
	assert_string_equal(pc.journal, "");
	unwatch(&watcher);
	settle(&session);
	assert_string_equal(pc.journal, "");
	session_finish(&session);
}

static void test_input_reaches_the_pc(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'A', .scancode = 0x1e, .down = 1 });
	say(&session, &watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 0 });
	say(&session, &watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'b', .scancode = 0x30, .down = 0 });
	say(&session, &watcher, MSG_text, &(struct msg_text){ .text = "税" });
	say(&session, &watcher, MSG_pointer,
	    &(struct msg_pointer){ .x = 7, .y = 999, .buttons = 0xff, .wheel_y = 120 });
	assert_string_equal(pc.journal,
			    "key 41 1e down\nkey 41 1e up\ntext 税\npointer 7 199 1f 0 120\n");
	unwatch(&watcher);
	session_finish(&session);
}

static bool told_no_text(struct watcher *watcher)
{
	bool told = hear_of(watcher, MSG_notice);
	if (told)
		assert_int_equal(watcher->any.notice.kind, NOTICE_NO_TEXT);
	return told;
}

static void test_text_the_pc_has_no_keys_for_is_told_once(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_text, &(struct msg_text){ .text = "税" });
	assert_false(told_no_text(&watcher));
	pc.remote.text = REMOTE_TEXT_KEYS;
	say(&session, &watcher, MSG_text, &(struct msg_text){ .text = "12~" });
	assert_false(told_no_text(&watcher));
	say(&session, &watcher, MSG_text, &(struct msg_text){ .text = "1月" });
	assert_true(told_no_text(&watcher));
	say(&session, &watcher, MSG_text, &(struct msg_text){ .text = "税" });
	assert_false(told_no_text(&watcher));
	assert_string_equal(pc.journal, "text 税\ntext 12~\ntext 1月\ntext 税\n");
	unwatch(&watcher);
	session_finish(&session);
}

static void test_text_the_pc_never_takes_is_told(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	pc.remote.text = REMOTE_TEXT_NONE;
	say(&session, &watcher, MSG_text, &(struct msg_text){ .text = "12" });
	assert_true(told_no_text(&watcher));
	assert_string_equal(pc.journal, "");
	unwatch(&watcher);
	session_finish(&session);
}

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
	assert_int_equal(take_frame(&session, &watcher, true), 640 * 480);
	struct msg_worker_state now = last_state(&session);
	assert_int_equal(now.width, 640);
	assert_int_equal(now.height, 480);
	say(&session, &watcher, MSG_pointer, &(struct msg_pointer){ .x = 639, .y = 479 });
	assert_string_equal(pc.journal, "pointer 639 479 0 0 0\n");
	unwatch(&watcher);
	session_finish(&session);
}

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
	assert_int_equal(take_frame(&session, &watcher, false), 64);
	memmove(pc.pixels + 90 * pc.stride, pc.pixels, 90 * pc.stride);
	pc.remote.events->copied(pc.remote.ctx, 0, 0, 0, 90, PC_WIDTH, 90);
	pc.remote.events->frame_done(pc.remote.ctx);
	assert_int_equal(take_frame(&session, &watcher, false), 0);
	assert_memory_equal(watcher.any.frame.copies.data,
			    ((uint16_t[]){ 0, 0, 0, 90, PC_WIDTH, 90 }), 12);
	assert_int_equal(watcher.any.frame.copies.len, 12);
	unwatch(&watcher);
	session_finish(&session);
}

/* Two windows on a PC with two monitors, which it has not made yet; both have seen the whole. */
static void begin_two(struct session *session, struct watcher *first, struct watcher *second)
{
	struct msg_session_start msg = usual_start();
	session_begin(session);
	pc.can_resize = true;
	pc.monitors = 2;
	start(session, &msg);
	watch(session, first, 1);
	say_hello_sized(session, first, PC_WIDTH, PC_HEIGHT);
	assert_true(hear_of(first, MSG_hello));
	assert_int_equal(first->any.hello.monitor, 0);
	assert_int_equal(first->any.hello.monitors, 2);
	take_frame(session, first, true);
	watch_monitor(session, second, 2, 1);
	say_hello_sized(session, second, 301, 240);
	assert_true(hear_of(second, MSG_hello));
	assert_int_equal(second->any.hello.monitor, 1);
}

static void make_two(struct session *session, struct watcher *first, struct watcher *second)
{
	begin_two(session, first, second);
	assert_string_equal(pc.journal, "resize 320 200 300 240\n");
	/* Not the whole desktop for a moment. */
	assert_false(hear_of(second, MSG_frame));
	pc_size(620, 240);
	pc_draw(0, 0, 1);
	settle(session);
	assert_int_equal(take_frame(session, first, true), 320 * 200);
	assert_int_equal(take_frame(session, second, true), 300 * 240);
	assert_int_equal(second->any.frame.width, 300);
	assert_int_equal(last_state(session).viewers, 2);
	*pc.journal = '\0';
}

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
	take_frame(&session, &second, false);
	assert_memory_equal(second.any.frame.rects.data, ((uint16_t[]){ 0, 239, 64, 1 }), 8);
	pc_draw(319, 100, 3);
	settle(&session);
	assert_false(hear_of(&second, MSG_frame));
	take_frame(&session, &first, false);
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
	take_frame(&session, &first, true);
	assert_int_equal(take_frame(&session, &second, true), 400 * 200);
	*pc.journal = '\0';
	/* The second goes, and its monitor with it. */
	unwatch(&second);
	until_written(&session, "resize 320 200\n");
	pc_size(320, 200);
	pc_draw(0, 0, 2);
	settle(&session);
	assert_int_equal(take_frame(&session, &first, true), 320 * 200);
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
	take_frame(&session, &second, false);
	for (unsigned y = 0; y < 100; y++)
		memcpy(pc.pixels + (y + 100) * pc.stride + 320 * 4,
		       pc.pixels + y * pc.stride + 320 * 4, 300 * 4);
	pc.remote.events->copied(pc.remote.ctx, 320, 0, 320, 100, 300, 100);
	pc.remote.events->frame_done(pc.remote.ctx);
	settle(&session);
	assert_int_equal(take_frame(&session, &second, false), 0);
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
	assert_int_equal(take_frame(&session, &second, true), PC_WIDTH * PC_HEIGHT);
	assert_string_equal(pc.journal, "");
	pc_draw(5, 5, 9);
	settle(&session);
	take_frame(&session, &first, false);
	take_frame(&session, &second, false);
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
		take_frame(&session, &first, false);
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
	take_frame(&session, &second, false);
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
			take_frame(&session, &second, false);
		}
		pc_draw(10, 10, 7);
		settle(&session);
		take_frame(&session, &first, false);
		assert_false(pc.held);
		unwatch(&first);
		unwatch(&second);
		session_finish(&session);
	}
}

static void test_the_way_to_the_pc_is_told(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_ping, &(struct msg_ping){ .number = 7 });
	assert_true(hear_of(&watcher, MSG_pong));
	assert_int_equal(watcher.any.pong.number, 7);
	assert_int_equal(watcher.any.pong.pc_us, 4321);
	unwatch(&watcher);
	session_finish(&session);
}

/* A hello that said too little is followed by another. */
static void test_monitors_become_known(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	say(&session, &watcher, MSG_ack, &(struct msg_ack){ .sequence = 1 });
	pc_draw(1, 1, 1);
	settle(&session);
	assert_int_equal(hear(&watcher), MSG_frame);
	pc.remote.monitors = 16;
	pc_draw(1, 1, 2);
	settle(&session);
	assert_int_equal(hear(&watcher), MSG_hello);
	assert_int_equal(watcher.any.hello.monitors, 2);
	assert_int_equal(watcher.any.hello.can_resize, 1);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_cursor_and_bell(void **state)
{
	(void)state;
	static const uint8_t rgba[2 * 2 * 4] = { 1, 2, 3, 255 };
	struct session session;
	struct watcher watcher, second;
	struct msg_session_start msg = usual_start();
	uint8_t back[sizeof(rgba)];
	begin_watched(&session, &watcher, &msg);
	pc.remote.events->cursor(pc.remote.ctx, 1, 9, 2, 2, rgba);
	pc.remote.events->bell(pc.remote.ctx);
	assert_true(hear_of(&watcher, MSG_cursor));
	assert_int_equal(watcher.any.cursor.width, 2);
	assert_int_equal(watcher.any.cursor.hot_y, 1);
	assert_int_equal(ZSTD_decompress(back, sizeof(back), watcher.any.cursor.pixels.data,
					 watcher.any.cursor.pixels.len),
			 sizeof(back));
	assert_memory_equal(back, rgba, sizeof(back));
	assert_true(hear_of(&watcher, MSG_bell));
	/* The next viewer gets the shape too. */
	watch(&session, &second, 2);
	say_hello(&session, &second);
	assert_true(hear_of(&second, MSG_cursor));
	pc.remote.events->cursor(pc.remote.ctx, 0, 0, 0, 0, NULL);
	assert_true(hear_of(&second, MSG_cursor));
	assert_int_equal(second.any.cursor.pixels.len, 0);
	unwatch(&watcher);
	unwatch(&second);
	session_finish(&session);
}

static void test_idle_warns_and_locks(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher, second;
	struct msg_session_start msg = usual_start();
	msg.idle_warn_s = 1;
	msg.idle_lock_s = 2;
	begin_watched(&session, &watcher, &msg);
	while (!hear_of(&watcher, MSG_notice))
		assert_ok(loop_step(session.loop, 100));
	assert_int_equal(watcher.any.notice.kind, NOTICE_IDLE_LOCK);
	assert_int_equal(watcher.any.notice.seconds, 1);
	say(&session, &watcher, MSG_still_here, &(struct msg_still_here){ 0 });
	assert_true(hear_of(&watcher, MSG_notice));
	assert_int_equal(watcher.any.notice.kind, NOTICE_CLEAR);
	while (last_state(&session).state != SESSION_LOCKED)
		assert_ok(loop_step(session.loop, 100));
	settle(&session);
	assert_dismissed(&watcher, SESSION_LOCKED, END_NONE);

	/* No pixels before the password, whoever asks. */
	watch(&session, &second, 2);
	assert_dismissed(&second, SESSION_LOCKED, END_NONE);
	unwatch(&second);
	pc_draw(3, 3, 3);
	struct msg_session_unlocked unlocked = { 0 };
	order(&session, MSG_session_unlocked, &unlocked, -1);
	assert_int_equal(last_state(&session).state, SESSION_DETACHED);
	watch(&session, &second, 3);
	say_hello(&session, &second);
	take_frame(&session, &second, true);
	unwatch(&watcher);
	unwatch(&second);
	session_finish(&session);
}

static void test_limits_end_sessions(void **state)
{
	(void)state;
	static const struct {
		enum end_reason reason;
		uint32_t logoff_s, length_s;
	} ends[] = { { END_IDLE, 1, 43200 }, { END_LENGTH, 7200, 1 } };
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct session session;
		struct watcher watcher;
		struct msg_session_start msg = usual_start();
		msg.idle_logoff_s = ends[i].logoff_s;
		msg.length_s = ends[i].length_s;
		begin_watched(&session, &watcher, &msg);
		assert_int_equal(run_to_the_end(&session), 0);
		assert_dismissed(&watcher, SESSION_ENDED, ends[i].reason);
		assert_int_equal(last_state(&session).reason, ends[i].reason);
		unwatch(&watcher);
		session_finish(&session);
	}
}

static void test_resume_time_is_over(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	msg.resume_s = 1;
	begin_watched(&session, &watcher, &msg);
	unwatch(&watcher);
	assert_int_equal(run_to_the_end(&session), 0);
	assert_int_equal(last_state(&session).reason, END_RESUME);
	session_finish(&session);
}

/* Connecting blocks the worker's thread, so the broker answers from another process. */
static void answer_question(struct session *session, int trusted)
{
	struct msg_pin_answer answer = { .trusted = (uint8_t)trusted };
	struct pollfd poller = { .fd = session->broker, .events = POLLIN };
	for (;;) {
		poll(&poller, 1, 5000);
		enum err err =
			ipc_receive(session->broker, WIRE_WORKER, WIRE_BROKER, &session->received);
		if (err && err != ERR_UNAVAILABLE)
			_exit(1);
		if (err || session->received.type->id != MSG_pin_question)
			continue;
		bool right = session->received.msg.pin_question.fingerprint[0] == 0xab;
		_exit(right && !ipc_send(session->broker, MSG_pin_answer, &answer, -1) ? 0 : 1);
	}
}

static void test_trust_is_the_brokers_decision(void **state)
{
	(void)state;
	for (int trusted = 0; trusted <= 1; trusted++) {
		struct session session;
		struct msg_session_start msg = usual_start();
		int status;
		session_begin(&session);
		pc.ask_trust = true;
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			answer_question(&session, trusted);
		start(&session, &msg);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_int_equal(pc.trusted, trusted);
		if (!trusted)
			assert_int_equal(run_to_the_end(&session), 0);
		struct msg_worker_state now = last_state(&session);
		assert_int_equal(now.state, trusted ? SESSION_DETACHED : SESSION_ENDED);
		assert_int_equal(now.reason, trusted ? END_NONE : END_PC_CERTIFICATE);
		session_finish(&session);
	}
}

static void test_refused_channels_are_reported_printable(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	pc.remote.events->channel_refused(pc.remote.ctx, "cliprdr\"\n\\<税>");
	const union wire_any *any = told(&session, MSG_worker_event);
	assert_non_null(any);
	assert_string_equal(any->worker_event.event, "channel-refused");
	assert_string_equal(any->worker_event.detail, "{\"channel\":\"cliprdr????"
						      "????"
						      "\"}");
	/* Not without end. */
	for (int i = 0; i < 1000; i++)
		pc.remote.events->channel_refused(pc.remote.ctx, "rdpsnd");
	int events = 0;
	while (told(&session, MSG_worker_event))
		events++;
	assert_true(events > 10 && events < 100);
	unwatch(&watcher);
	session_finish(&session);
}

/* The person hears once of each thing that stays on the PC; the audit log now and then. */
static void test_what_the_pc_copies_stays_there(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	for (int i = 0; i < 1000; i++)
		pc.remote.events->clipboard(pc.remote.ctx);
	assert_true(hear_of(&watcher, MSG_notice));
	assert_int_equal(watcher.any.notice.kind, NOTICE_CLIPBOARD);
	assert_false(hear_of(&watcher, MSG_notice));
	const union wire_any *any = told(&session, MSG_worker_event);
	assert_non_null(any);
	assert_string_equal(any->worker_event.event, "clipboard-blocked");
	assert_string_equal(any->worker_event.detail, "{\"way\":\"pc\",\"times\":1}");
	assert_null(told(&session, MSG_worker_event));
	/* A minute later. */
	session.worker->clipboard.ways[CLIPBOARD_PC].noted_us -= CLIPBOARD_NOTE_US;
	pc.remote.events->clipboard(pc.remote.ctx);
	any = told(&session, MSG_worker_event);
	assert_non_null(any);
	assert_string_equal(any->worker_event.detail, "{\"way\":\"pc\",\"times\":1000}");
	unwatch(&watcher);
	session_finish(&session);
}

static void test_a_new_broker_learns_the_session(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	new_broker(&session);
	const union wire_any *any = told(&session, MSG_worker_hello);
	assert_non_null(any);
	assert_memory_equal(any->worker_hello.session, msg.session, sizeof(msg.session));
	assert_int_equal(any->worker_hello.state, SESSION_ACTIVE);
	assert_int_equal(any->worker_hello.viewers, 1);
	assert_int_equal(last_state(&session).width, PC_WIDTH);
	/* The picture went on meanwhile, and the new broker may give orders. */
	pc_draw(8, 8, 8);
	settle(&session);
	struct msg_worker_ping ping = { .number = 77 };
	order(&session, MSG_worker_ping, &ping, -1);
	any = told(&session, MSG_worker_pong);
	assert_non_null(any);
	assert_int_equal(any->worker_pong.number, 77);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_no_monitor_no_session(void **state)
{
	(void)state;
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = usual_start();
	begin_watched(&session, &watcher, &msg);
	shutdown(session.monitor, SHUT_RDWR);
	assert_int_equal(run_to_the_end(&session), 0);
	assert_dismissed(&watcher, SESSION_ENDED, END_GATEWAY);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_orders_that_make_no_sense(void **state)
{
	(void)state;
	struct session session;
	struct msg_session_start msg = usual_start();
	struct msg_session_unlocked unlocked = { 0 };
	struct msg_pin_answer answer = { .trusted = 1 };
	session_begin(&session);
	order(&session, MSG_session_unlocked, &unlocked, -1);
	order(&session, MSG_pin_answer, &answer, -1);
	msg.protocol = PROTOCOL_RDP; /* this is the program for VNC */
	start(&session, &msg);
	assert_int_equal(run_to_the_end(&session), 0);
	assert_int_equal(last_state(&session).reason, END_GATEWAY);
	session_finish(&session);

	msg = usual_start();
	session_begin(&session);
	start(&session, &msg);
	start(&session, &msg); /* a second one is ignored */
	assert_int_equal(last_state(&session).state, SESSION_DETACHED);
	session_finish(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_start_to_log_out),
		cmocka_unit_test(test_viewer_before_the_pc),
		cmocka_unit_test(test_a_pc_that_refuses),
		cmocka_unit_test(test_a_pc_without_a_picture),
		cmocka_unit_test(test_a_pc_that_leaves),
		cmocka_unit_test(test_replaced_viewer),
		cmocka_unit_test(test_left_viewer_lets_go_of_keys),
		cmocka_unit_test(test_rude_viewer),
		cmocka_unit_test(test_view_only),
		cmocka_unit_test(test_input_reaches_the_pc),
		cmocka_unit_test(test_resizing),
		cmocka_unit_test(test_text_the_pc_has_no_keys_for_is_told_once),
		cmocka_unit_test(test_text_the_pc_never_takes_is_told),
		cmocka_unit_test(test_a_wish_waits_for_what_the_pc_can_do),
		cmocka_unit_test(test_a_pc_that_cannot_resize_says_so_once),
		cmocka_unit_test(test_the_pc_changes_its_size),
		cmocka_unit_test(test_slow_viewer_skips_states),
		cmocka_unit_test(test_what_the_pc_moves_is_copied),
		cmocka_unit_test(test_a_second_window_is_a_second_monitor),
		cmocka_unit_test(test_windows_change_their_own_monitor),
		cmocka_unit_test(test_copies_stay_within_a_monitor),
		cmocka_unit_test(test_both_windows_may_show_the_whole),
		cmocka_unit_test(test_the_second_window_follows_the_first),
		cmocka_unit_test(test_both_are_told_what_happens),
		cmocka_unit_test(test_a_slow_window_decides_nothing_for_another),
		cmocka_unit_test(test_a_full_slow_link_holds_the_pc_later),
		cmocka_unit_test(test_a_slow_link_becomes_exact),
		cmocka_unit_test(test_lies_in_acknowledgements),
		cmocka_unit_test(test_the_way_to_the_pc_is_told),
		cmocka_unit_test(test_monitors_become_known),
		cmocka_unit_test(test_cursor_and_bell),
		cmocka_unit_test(test_idle_warns_and_locks),
		cmocka_unit_test(test_limits_end_sessions),
		cmocka_unit_test(test_resume_time_is_over),
		cmocka_unit_test(test_trust_is_the_brokers_decision),
		cmocka_unit_test(test_refused_channels_are_reported_printable),
		cmocka_unit_test(test_what_the_pc_copies_stays_there),
		cmocka_unit_test(test_a_new_broker_learns_the_session),
		cmocka_unit_test(test_no_monitor_no_session),
		cmocka_unit_test(test_orders_that_make_no_sense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
