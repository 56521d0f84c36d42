/*
 * What becomes of the person's input at the PC.
 */
#include "unit/worker/session.h"

#include "worker/session.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_viewer_lets_go_of_keys),
		cmocka_unit_test(test_view_only),
		cmocka_unit_test(test_input_reaches_the_pc),
		cmocka_unit_test(test_text_the_pc_has_no_keys_for_is_told_once),
		cmocka_unit_test(test_text_the_pc_never_takes_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
