#include "unit/worker/session.h"

#include <poll.h>
#include <sys/wait.h>

#include "unit/paint.h"
#include "worker/session.h"

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
	assert_int_equal(take_pixels(&session, &watcher, true), PC_WIDTH * PC_HEIGHT);
	assert_int_equal(last_state(&session).viewers, 1);
	assert_false(pc.held);
	pc_draw(5, 5, 0xffffff);
	assert_int_equal(take_pixels(&session, &watcher, false), 64);

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
	take_pixels(&session, &watcher, true);
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
	take_pixels(&session, &second, true);
	unwatch(&first);
	unwatch(&second);
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
	take_pixels(&session, &second, true);
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
		cmocka_unit_test(test_rude_viewer),
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
