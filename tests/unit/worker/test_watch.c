/*
 * People who look on at a session: what they see and when, that nothing they send reaches the PC
 * before the person has agreed, and that nothing of it stays afterwards.
 */
#include "unit/worker/session.h"

#include "base/loop.h"
#include "unit/paint.h"
#include "worker/control.h"

static const char WHO[] = "{\"account\":\"kansa\",\"name\":\"<b>\\\"監査\\\"</b>\"}";

/* A session whose person has seen everything so far. */
static void begin(struct session *session, struct watcher *person, bool view_only)
{
	struct msg_session_start msg = usual_start();
	msg.view_only = view_only;
	session_begin(session);
	pc.can_resize = true;
	start(session, &msg);
	watch(session, person, 1);
	say_hello(session, person);
	while (hear(person) > 0)
		;
	assert_int_equal(last_state(session).state, SESSION_ACTIVE);
	pc.journal[0] = '\0';
}

static void send_watch(struct session *session, struct watcher *watcher, uint32_t number,
		       bool control, const char *who)
{
	struct msg_session_watch msg = { .watch = number,
					 .may_control = control,
					 .account = "kansa",
					 .name = "<b>\"監査\"</b>",
					 .purpose = "操作の確認",
					 .who = who };
	int fds[2];
	assert_ok(ipc_pair(fds));
	watcher->fd = fds[0];
	watcher->partial = false;
	buf_init(&watcher->message, 80 * 1024 * 1024);
	order(session, MSG_session_watch, &msg, fds[1]);
	close(fds[1]);
}

static void look_on(struct session *session, struct watcher *watcher, uint32_t number, bool control)
{
	send_watch(session, watcher, number, control, WHO);
	say_hello_sized(session, watcher, 640, 480);
}

static void end_all(struct session *session, struct watcher *a, struct watcher *b)
{
	unwatch(a);
	unwatch(b);
	session_finish(session);
}

/* Acknowledges the frame that must be there. */
static void take_frame(struct session *session, struct watcher *watcher, bool keyframe)
{
	assert_true(hear_of(watcher, MSG_frame));
	assert_int_equal(watcher->any.frame.keyframe, keyframe);
	struct msg_ack ack = { .sequence = watcher->any.frame.sequence };
	say(session, watcher, MSG_ack, &ack);
}

/* Everything a viewer can send that could reach the PC. */
static void try_everything(struct session *session, struct watcher *watcher)
{
	say(session, watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 1 });
	say(session, watcher, MSG_key, &(struct msg_key){ .keysym = 'a', .scancode = 0x1e });
	say(session, watcher, MSG_text, &(struct msg_text){ .text = "abc" });
	say(session, watcher, MSG_pointer,
	    &(struct msg_pointer){ .x = 5, .y = 6, .buttons = 1, .wheel_y = 120 });
	say(session, watcher, MSG_resize, &(struct msg_resize){ .width = 1024, .height = 768 });
	say(session, watcher, MSG_release_keys, &(struct msg_release_keys){ 0 });
	say(session, watcher, MSG_clipboard, &(struct msg_clipboard){ .way = 1 });
	say(session, watcher, MSG_still_here, &(struct msg_still_here){ 0 });
	settle(session);
}

/* The last that a viewer heard of who looks on. */
static struct msg_watcher last_watcher(struct watcher *person)
{
	static char name[600], purpose[1100];
	struct msg_watcher last = { .state = 99 };
	while (hear_of(person, MSG_watcher)) {
		last = person->any.watcher;
		snprintf(name, sizeof(name), "%s", last.name);
		snprintf(purpose, sizeof(purpose), "%s", last.purpose);
		last.name = name;
		last.purpose = purpose;
	}
	return last;
}

static struct msg_watching last_watching(struct watcher *watcher)
{
	struct msg_watching last = { .state = 99 };
	while (hear_of(watcher, MSG_watching))
		last = watcher->any.watching;
	return last;
}

static void expect_says(struct session *session, enum watch_step step, enum watch_why why)
{
	const union wire_any *any = told(session, MSG_watch_says);
	assert_non_null(any);
	assert_string_equal(watch_step_code(any->watch_says.step), watch_step_code(step));
	assert_string_equal(watch_why_code(any->watch_says.why), watch_why_code(why));
}

static void answer(struct session *session, struct watcher *person, uint32_t number, bool yes)
{
	say(session, person, MSG_control_answer,
	    &(struct msg_control_answer){ .watch = number, .yes = yes });
}

/* From asking to control, as the broker allows it. */
static void hand_over(struct session *session, struct watcher *person, struct watcher *watcher,
		      uint32_t number)
{
	say(session, watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
	expect_says(session, WATCH_ASKED, WATCH_WHY_NONE);
	answer(session, person, number, true);
	expect_says(session, WATCH_AGREED, WATCH_WHY_NONE);
	order(session, MSG_watch_control,
	      &(struct msg_watch_control){ .watch = number, .given = 1 }, -1);
	assert_int_equal(last_watching(watcher).state, WATCH_CONTROLLING);
	assert_int_equal(last_watcher(person).state, WATCH_CONTROLLING);
	pc.journal[0] = '\0';
}

/* ---- looking on ------------------------------------------------------------------------- */

static void test_a_watcher_sees_and_the_person_knows(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, false);
	struct msg_watcher seen = last_watcher(&person);
	assert_int_equal(seen.state, WATCH_LOOKING);
	assert_int_equal(seen.watch, 7);
	assert_string_equal(seen.account, "kansa");
	assert_string_equal(seen.name, "<b>\"監査\"</b>");
	assert_string_equal(seen.purpose, "操作の確認");
	assert_int_equal(hear(&watcher), MSG_hello);
	assert_int_equal(watcher.any.hello.audio, 0);
	assert_int_equal(watcher.any.hello.can_resize, 0);
	take_frame(&session, &watcher, true);
	pc_draw(5, 5, 0xffffff);
	take_frame(&session, &watcher, false);
	/* It counts for nothing: the session has one viewer. */
	assert_int_equal(session_viewers(session.worker), 1);
	unwatch(&watcher);
	settle(&session);
	assert_int_equal(last_watcher(&person).state, WATCH_NONE);
	expect_says(&session, WATCH_LEFT, WATCH_WHY_NONE);
	unwatch(&person);
	session_finish(&session);
}

static void test_nothing_a_watcher_sends_reaches_the_pc(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, true);
	uint64_t input_us = session.worker->limits.input_us;
	try_everything(&session, &watcher);
	/* Nor between question and answer, nor between the answer and the broker's word. */
	say(&session, &watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
	try_everything(&session, &watcher);
	answer(&session, &watcher, 7, true); /* its own consent is none */
	try_everything(&session, &watcher);
	assert_int_equal(last_watching(&watcher).state, WATCH_ASKING);
	assert_int_equal(session.worker->limits.input_us, input_us); /* and keeps nobody awake */
	answer(&session, &person, 7, true);
	try_everything(&session, &watcher);
	assert_string_equal(pc.journal, "");
	assert_int_equal(last_watching(&watcher).state, WATCH_ASKING);
	end_all(&session, &person, &watcher);
}

static void test_a_watcher_sees_nothing_while_the_person_is_away(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, false);
	take_frame(&session, &watcher, true);
	unwatch(&person);
	settle(&session);
	assert_int_equal(last_watching(&watcher).view, WATCH_AWAY);
	assert_true(pc.held);
	pc_draw(9, 9, 0xabcdef);
	settle(&session);
	assert_false(hear_of(&watcher, MSG_frame));
	say(&session, &watcher, MSG_refresh, &(struct msg_refresh){ 0 });
	assert_false(hear_of(&watcher, MSG_frame));
	/* Back again, and told of it. */
	watch(&session, &person, 2);
	say_hello(&session, &person);
	assert_int_equal(last_watcher(&person).state, WATCH_LOOKING);
	assert_true(hear_of(&watcher, MSG_watching));
	assert_int_equal(watcher.any.watching.view, WATCH_SHOWN);
	take_frame(&session, &watcher, true);
	end_all(&session, &person, &watcher);
}

static void test_a_lock_shows_nothing(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, false);
	take_frame(&session, &watcher, true);
	session.worker->limits.input_us -= 900 * 1000000ULL;
	session_run_limits(session.worker);
	settle(&session);
	assert_int_equal(session.worker->state, SESSION_LOCKED);
	assert_int_equal(last_watching(&watcher).view, WATCH_LOCKED);
	pc_draw(9, 9, 0xabcdef);
	settle(&session);
	assert_false(hear_of(&watcher, MSG_frame));
	end_all(&session, &person, &watcher);
}

static void test_who_comes_to_a_locked_session_sees_nothing(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	session.worker->limits.input_us -= 900 * 1000000ULL;
	session_run_limits(session.worker);
	look_on(&session, &watcher, 7, true);
	assert_int_equal(last_watching(&watcher).view, WATCH_LOCKED);
	say(&session, &watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
	assert_false(hear_of(&watcher, MSG_frame));
	assert_null(told(&session, MSG_watch_says));
	end_all(&session, &person, &watcher);
}

/* One that takes nothing holds up neither the person nor the PC. */
static void test_a_slow_watcher_slows_nobody(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	struct msg_ack ack = { .sequence = 1 };
	say(&session, &person, MSG_ack, &ack);
	look_on(&session, &watcher, 7, false);
	for (unsigned i = 0; i < 50; i++) {
		pc_draw(i, i, 0x010101 * (i + 1));
		settle(&session);
		take_frame(&session, &person, false);
		assert_false(pc.held);
	}
	/* And it does not make the PC run ahead of the person: who takes nothing more holds it. */
	for (unsigned i = 0; i < 1000 && !pc.held; i++) {
		if (i < 20)
			pc_draw(100 + i, 7, 0x020202 * (i + 1));
		while (hear_of(&watcher, MSG_frame)) {
			ack.sequence = watcher.any.frame.sequence;
			say(&session, &watcher, MSG_ack, &ack);
		}
		assert_ok(loop_step(session.loop, 10));
	}
	assert_true(pc.held);
	end_all(&session, &person, &watcher);
}

static void test_keyframes_for_a_watcher_are_rare(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, false);
	take_frame(&session, &watcher, true);
	unsigned keyframes = 0;
	for (int i = 0; i < 20; i++) {
		say(&session, &watcher, MSG_refresh, &(struct msg_refresh){ 0 });
		while (hear_of(&watcher, MSG_frame)) {
			keyframes += watcher.any.frame.keyframe;
			struct msg_ack ack = { .sequence = watcher.any.frame.sequence };
			say(&session, &watcher, MSG_ack, &ack);
		}
	}
	assert_int_equal(keyframes, 1);
	/* But the wish is not lost. */
	assert_true(loop_timer_running(&session.worker->watch.places[0].refresh));
	end_all(&session, &person, &watcher);
}

static void test_two_may_look_on_and_a_third_not(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watchers[3];
	begin(&session, &person, false);
	for (uint32_t i = 0; i < 2; i++) {
		look_on(&session, &watchers[i], 7 + i, true);
		take_frame(&session, &watchers[i], true);
	}
	send_watch(&session, &watchers[2], 9, true, WHO);
	assert_int_equal(hear(&watchers[2]), -1);
	expect_says(&session, WATCH_LEFT, WATCH_WHY_NONE);
	/* The person's second window has its place all the same. */
	struct watcher second;
	watch_monitor(&session, &second, 2, 1);
	say_hello(&session, &second);
	assert_true(hear_of(&second, MSG_watcher));
	assert_int_equal(second.any.watcher.state, WATCH_LOOKING);
	take_frame(&session, &second, true);
	/* One question at a time. */
	say(&session, &watchers[0], MSG_control_ask, &(struct msg_control_ask){ 0 });
	say(&session, &watchers[1], MSG_control_ask, &(struct msg_control_ask){ 0 });
	assert_true(hear_of(&watchers[1], MSG_notice));
	assert_int_equal(watchers[1].any.notice.kind, NOTICE_CONTROL_BUSY);
	for (int i = 0; i < 3; i++)
		unwatch(&watchers[i]);
	unwatch(&second);
	unwatch(&person);
	session_finish(&session);
}

static void test_what_is_no_object_is_no_watcher(void **state)
{
	static const char *const bad[] = { "", "{}", "kansa", "[\"a\"]", "{\"a\":1" };
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		send_watch(&session, &watcher, 7, true, bad[i]);
		assert_int_equal(hear(&watcher), -1);
		unwatch(&watcher);
	}
	unwatch(&person);
	session_finish(&session);
}

/* ---- taking over ------------------------------------------------------------------------ */

static void test_control_is_given_and_taken_back(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	say(&session, &person, MSG_key,
	    &(struct msg_key){ .keysym = 'x', .scancode = 0x2d, .down = 1 });
	look_on(&session, &watcher, 7, true);
	pc.journal[0] = '\0';
	say(&session, &watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
	struct msg_watcher asks = last_watcher(&person);
	assert_int_equal(asks.state, WATCH_ASKING);
	assert_in_range(asks.seconds, 50, 60);
	answer(&session, &person, 8, true); /* to somebody else */
	assert_int_equal(last_watching(&watcher).state, WATCH_ASKING);
	expect_says(&session, WATCH_ASKED, WATCH_WHY_NONE);
	answer(&session, &person, 7, true);
	expect_says(&session, WATCH_AGREED, WATCH_WHY_NONE);
	order(&session, MSG_watch_control, &(struct msg_watch_control){ .watch = 7, .given = 1 },
	      -1);
	/* The person's held key is let go. */
	assert_string_equal(pc.journal, "key 78 2d up\n");
	pc.journal[0] = '\0';
	say(&session, &watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 1 });
	say(&session, &watcher, MSG_pointer, &(struct msg_pointer){ .x = 5, .y = 6, .buttons = 1 });
	say(&session, &watcher, MSG_text, &(struct msg_text){ .text = "b" });
	say(&session, &watcher, MSG_resize, &(struct msg_resize){ .width = 1024, .height = 768 });
	assert_string_equal(pc.journal, "key 61 1e down\npointer 5 6 1 0 0\ntext b\n");
	pc.journal[0] = '\0';
	/* Moving and letting go are not taking back, and do not reach the PC; a key is. */
	say(&session, &person, MSG_pointer, &(struct msg_pointer){ .x = 50, .y = 60 });
	say(&session, &person, MSG_key, &(struct msg_key){ .keysym = 'x', .scancode = 0x2d });
	say(&session, &person, MSG_release_keys, &(struct msg_release_keys){ 0 });
	assert_string_equal(pc.journal, "");
	assert_int_equal(last_watching(&watcher).state, WATCH_CONTROLLING);
	say(&session, &person, MSG_key,
	    &(struct msg_key){ .keysym = 'q', .scancode = 0x10, .down = 1 });
	assert_int_equal(last_watching(&watcher).state, WATCH_LOOKING);
	expect_says(&session, WATCH_ENDED, WATCH_WHY_PERSON);
	/* What the other held is let go, and the key that took back is swallowed. */
	assert_string_equal(pc.journal, "key 61 1e up\npointer 5 6 0 0 0\n");
	pc.journal[0] = '\0';
	try_everything(&session, &watcher);
	assert_string_equal(pc.journal, "");
	say(&session, &person, MSG_key,
	    &(struct msg_key){ .keysym = 'w', .scancode = 0x11, .down = 1 });
	assert_string_equal(pc.journal, "key 77 11 down\n");
	end_all(&session, &person, &watcher);
}

static void take_back_by(uint16_t id, const void *msg)
{
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, true);
	hand_over(&session, &person, &watcher, 7);
	say(&session, &person, id, msg);
	assert_int_equal(last_watching(&watcher).state, WATCH_LOOKING);
	expect_says(&session, WATCH_ENDED, WATCH_WHY_PERSON);
	assert_string_equal(pc.journal, "");
	end_all(&session, &person, &watcher);
}

static void test_all_ways_to_take_back(void **state)
{
	(void)state;
	take_back_by(MSG_pointer, &(struct msg_pointer){ .x = 1, .y = 1, .buttons = 4 });
	take_back_by(MSG_text, &(struct msg_text){ .text = "あ" });
	take_back_by(MSG_control_end, &(struct msg_control_end){ 0 });
}

static void test_the_watcher_gives_back(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, true);
	hand_over(&session, &person, &watcher, 7);
	say(&session, &watcher, MSG_key,
	    &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 1 });
	say(&session, &watcher, MSG_control_end, &(struct msg_control_end){ 0 });
	expect_says(&session, WATCH_ENDED, WATCH_WHY_WATCHER);
	assert_string_equal(pc.journal, "key 61 1e down\nkey 61 1e up\n");
	end_all(&session, &person, &watcher);
}

/* However control ends, no key stays down. */
static void test_nothing_stays_pressed(void **state)
{
	enum { LEAVES, PERSON_LEAVES, STOPPED, BROKER_GONE, BROKER_NEW, WAYS };
	(void)state;
	for (int way = 0; way < WAYS; way++) {
		struct session session;
		struct watcher person, watcher;
		begin(&session, &person, false);
		look_on(&session, &watcher, 7, true);
		hand_over(&session, &person, &watcher, 7);
		say(&session, &watcher, MSG_key,
		    &(struct msg_key){ .keysym = 0xffe3, .scancode = 0x1d, .down = 1 });
		if (way == LEAVES)
			unwatch(&watcher);
		else if (way == PERSON_LEAVES)
			unwatch(&person);
		else if (way == STOPPED)
			order(&session, MSG_watch_stop,
			      &(struct msg_watch_stop){ .watch = 7, .reason = END_REVOKED_ACCOUNT },
			      -1);
		else if (way == BROKER_GONE)
			shutdown(session.broker, SHUT_RDWR);
		else
			new_broker(&session);
		settle(&session);
		assert_string_equal(pc.journal, "key ffe3 1d down\nkey ffe3 1d up\n");
		assert_false(control_active(session.worker));
		if (way == STOPPED)
			assert_dismissed(&watcher, SESSION_DETACHED, END_REVOKED_ACCOUNT);
		if (way >= BROKER_GONE)
			assert_dismissed(&watcher, SESSION_DETACHED, END_GATEWAY);
		end_all(&session, &person, &watcher);
	}
}

static void test_no_answer_means_no(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, true);
	say(&session, &watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
	expect_says(&session, WATCH_ASKED, WATCH_WHY_NONE);
	loop_timer_set(&session.worker->watch.places[0].answer, 0);
	settle(&session);
	expect_says(&session, WATCH_REFUSED, WATCH_WHY_TIME);
	assert_int_equal(last_watching(&watcher).state, WATCH_LOOKING);
	/* A yes that comes too late is none. */
	answer(&session, &person, 7, true);
	assert_null(told(&session, MSG_watch_says));
	order(&session, MSG_watch_control, &(struct msg_watch_control){ .watch = 7, .given = 1 },
	      -1);
	assert_false(control_active(session.worker));
	expect_says(&session, WATCH_ENDED, WATCH_WHY_AWAY); /* the log's "given" gets its end */
	/* And the person is not asked again and again. */
	say(&session, &watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
	assert_true(hear_of(&watcher, MSG_notice));
	while (hear_of(&watcher, MSG_notice))
		;
	assert_null(told(&session, MSG_watch_says));
	session.worker->watch.places[0].again_us = 0;
	say(&session, &watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
	expect_says(&session, WATCH_ASKED, WATCH_WHY_NONE);
	end_all(&session, &person, &watcher);
}

static void test_the_broker_has_the_last_word(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, true);
	/* It cannot give what nobody asked for. */
	order(&session, MSG_watch_control, &(struct msg_watch_control){ .watch = 7, .given = 1 },
	      -1);
	assert_false(control_active(session.worker));
	say(&session, &watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
	order(&session, MSG_watch_control, &(struct msg_watch_control){ .watch = 7, .given = 1 },
	      -1);
	assert_false(control_active(session.worker));
	answer(&session, &person, 7, true);
	order(&session, MSG_watch_control, &(struct msg_watch_control){ .watch = 7 }, -1);
	assert_false(control_active(session.worker));
	assert_int_equal(last_watching(&watcher).state, WATCH_LOOKING);
	try_everything(&session, &watcher);
	assert_string_equal(pc.journal, "");
	end_all(&session, &person, &watcher);
}

static void test_who_may_not_ask(void **state)
{
	(void)state;
	for (int view_only = 0; view_only < 2; view_only++) {
		struct session session;
		struct watcher person, watcher;
		begin(&session, &person, view_only);
		look_on(&session, &watcher, 7, view_only);
		assert_int_equal(last_watching(&watcher).may_ask, 0);
		say(&session, &watcher, MSG_control_ask, &(struct msg_control_ask){ 0 });
		assert_null(told(&session, MSG_watch_says));
		answer(&session, &person, 7, true);
		try_everything(&session, &watcher);
		assert_string_equal(pc.journal, "");
		end_all(&session, &person, &watcher);
	}
}

/* The person's window is the only one that speaks for the person. */
static void test_a_watcher_cannot_speak_as_the_person(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watchers[2];
	begin(&session, &person, false);
	look_on(&session, &watchers[0], 7, true);
	look_on(&session, &watchers[1], 8, true);
	say(&session, &watchers[0], MSG_control_ask, &(struct msg_control_ask){ 0 });
	expect_says(&session, WATCH_ASKED, WATCH_WHY_NONE);
	answer(&session, &watchers[1], 7, true);
	answer(&session, &watchers[1], 7, false);
	assert_null(told(&session, MSG_watch_says));
	answer(&session, &person, 7, true);
	order(&session, MSG_watch_control, &(struct msg_watch_control){ .watch = 7, .given = 1 },
	      -1);
	expect_says(&session, WATCH_AGREED, WATCH_WHY_NONE);
	assert_true(control_active(session.worker));
	/* Nor end what another has. */
	say(&session, &watchers[1], MSG_control_end, &(struct msg_control_end){ 0 });
	try_everything(&session, &watchers[1]);
	assert_true(control_active(session.worker));
	assert_null(strstr(pc.journal, "pointer 5 6"));
	unwatch(&watchers[1]);
	end_all(&session, &person, &watchers[0]);
}

static void test_an_end_with_words(void **state)
{
	(void)state;
	struct session session;
	struct watcher person, watcher;
	begin(&session, &person, false);
	look_on(&session, &watcher, 7, true);
	order(&session, MSG_session_terminate,
	      &(struct msg_session_terminate){
		      .reason = END_ADMINISTRATOR,
		      .who = "{\"account\":\"kanri\",\"words\":\"点検\"}" },
	      -1);
	assert_int_equal(run_to_the_end(&session), 0);
	assert_dismissed(&person, SESSION_ENDED, END_ADMINISTRATOR);
	assert_dismissed(&watcher, SESSION_ENDED, END_ADMINISTRATOR);
	end_all(&session, &person, &watcher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_watcher_sees_and_the_person_knows),
		cmocka_unit_test(test_nothing_a_watcher_sends_reaches_the_pc),
		cmocka_unit_test(test_a_watcher_sees_nothing_while_the_person_is_away),
		cmocka_unit_test(test_a_lock_shows_nothing),
		cmocka_unit_test(test_who_comes_to_a_locked_session_sees_nothing),
		cmocka_unit_test(test_a_slow_watcher_slows_nobody),
		cmocka_unit_test(test_keyframes_for_a_watcher_are_rare),
		cmocka_unit_test(test_two_may_look_on_and_a_third_not),
		cmocka_unit_test(test_what_is_no_object_is_no_watcher),
		cmocka_unit_test(test_control_is_given_and_taken_back),
		cmocka_unit_test(test_all_ways_to_take_back),
		cmocka_unit_test(test_the_watcher_gives_back),
		cmocka_unit_test(test_nothing_stays_pressed),
		cmocka_unit_test(test_no_answer_means_no),
		cmocka_unit_test(test_the_broker_has_the_last_word),
		cmocka_unit_test(test_who_may_not_ask),
		cmocka_unit_test(test_a_watcher_cannot_speak_as_the_person),
		cmocka_unit_test(test_an_end_with_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
