#include "unit/broker/worker.h"

#include "base/clock.h"
#include "broker/quota.h"

/* ---- a broken worker -------------------------------------------------------------------- */

static int64_t audit_rows(struct office *office)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->db, "SELECT count(*) FROM audit");
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static void a_worker_cannot_fill_the_log(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	for (int i = 0; i < 2 * SESSION_SAYS && session_count(office->broker, 0); i++)
		worker_says(office, &worker, i % 2 ? SESSION_DETACHED : SESSION_ACTIVE, 0, 0);
	shown(office, &worker, "ended", "crashed");
	assert_in_range(audit_rows(office), SESSION_SAYS, SESSION_SAYS + 10);
	monitor_says_exited(office, &worker);
}

static void nor_with_questions_about_a_certificate(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	for (uint8_t i = 0; i < 250 && session_count(office->broker, 0); i++) {
		const struct msg_pin_question question = { .fingerprint = { i } };

		assert_ok(ipc_send(worker.fd, MSG_pin_question, &question, -1));
		assert_ok(loop_step(office->loop, 5));
		if (office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, 20))
			ipc_received_finish(&office->received);
	}
	shown(office, &worker, "ended", "crashed");
	close(worker.fd);
}

static void each_viewer_gives_a_worker_more_to_say(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	uint32_t before = office->broker->sessions->may_say;
	struct answer answer = ask_about(office, MSG_session_attach, &worker);

	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_int_equal(office->broker->sessions->may_say, before + SESSION_SAYS_VIEWER);
	close(worker.fd);
}

static void a_session_does_not_begin_twice(void **state)
{
	static const enum session_state back[] = { SESSION_STARTING, SESSION_CONNECTING };
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(back); i++) {
		struct worker worker = open_session(office);

		worker_says(office, &worker, SESSION_CONNECTING, 0, 0);
		worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
		worker_says(office, &worker, back[i], 0, 1);
		shown(office, &worker, "ended", "crashed");
		monitor_says_exited(office, &worker);
	}
}

/* Nor does it blame somebody: what cannot be so is written down as a crash. */
static void reasons_that_cannot_be(void **state)
{
	static const enum end_reason not_the_workers[] = { END_NONE,           END_LOGOUT,
							   END_TERMINATED,     END_REVOKED_ACCOUNT,
							   END_REVOKED_DEVICE, END_REVOKED_PC,
							   END_REPLACED,       END_IDLE,
							   END_LENGTH,         END_RESUME };
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(not_the_workers); i++) {
		struct worker worker = open_session(office);

		worker_says(office, &worker, SESSION_ENDED, not_the_workers[i], 0);
		shown(office, &worker, "ended", "crashed");
		monitor_says_exited(office, &worker);
	}
}

static void the_log_says_whose_word_it_is(void **state)
{
	struct office *office = *state;
	_cleanup_query_ struct query query = { 0 };
	struct worker worker = open_session(office);

	worker_says(office, &worker, SESSION_ENDED, END_PC_CLOSED, 0);
	monitor_says_exited(office, &worker);
	query_init(&query, office->db,
		   "SELECT count(*) FROM audit WHERE event = 'session-end'"
		   " AND json_extract(detail, '$.by') = 'worker'");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 1);
}

static void attaching_has_a_rate(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	unsigned status = 200;
	int granted = 0;

	office_stop_time();
	while (status == 200) {
		struct answer answer = ask_about(office, MSG_session_attach, &worker);

		status = answer.status;
		if (status == 200)
			granted++;
		else
			assert_error(answer, 429, "throttled");
		answer_finish(&answer);
		while (office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, 1))
			ipc_received_finish(&office->received);
	}
	assert_in_range(granted, QUOTA_SESSIONS_PER_MINUTE - 5, QUOTA_SESSIONS_PER_MINUTE);
	assert_int_equal(office_audit_count(office, "session-attach"), granted);
	close(worker.fd);
}

/* ---- restarts --------------------------------------------------------------------------- */

static void a_restarted_broker_takes_sessions_up(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	struct msg_worker_hello hello = { .state = SESSION_DETACHED };
	struct answer answer;

	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	close(worker.fd);
	office_restart(office);
	answer = ask_about(office, MSG_session_attach, &worker);
	assert_error(answer, 503, "unavailable");
	answer_finish(&answer);
	monitor_says_started(office, &worker, true);
	memcpy(hello.session, worker.session, sizeof(hello.session));
	assert_ok(ipc_send(worker.fd, MSG_worker_hello, &hello, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	shown(office, &worker, "detached", "none");
	answer = ask_about(office, MSG_session_attach, &worker);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	/* It is not told to start a second time. */
	assert_false(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_start, 50));
	close(worker.fd);
}

static void dropped(struct office *office, const struct worker *worker)
{
	assert_true(office_receive(office, worker->fd, WIRE_WORKER, MSG_session_viewer,
				   OFFICE_WAIT_MS));
	assert_int_equal(read(office->received.fd, &(char){ 0 }, 1), 0);
	ipc_received_finish(&office->received);
}

static void comes_back(struct office *office, struct worker *worker)
{
	struct msg_worker_hello hello = { .state = SESSION_ACTIVE, .viewers = 1 };

	close(worker->fd);
	office_restart(office);
	monitor_says_started(office, worker, true);
	memcpy(hello.session, worker->session, sizeof(hello.session));
	assert_ok(ipc_send(worker->fd, MSG_worker_hello, &hello, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
}

/* A broker that was started anew knows whose the viewers are. */
static void viewers_do_not_outlive_their_login_over_a_restart(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	comes_back(office, &worker);
	assert_false(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, 50));
	session_tick(office->broker);
	assert_false(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, 50));
	assert_ok(db_exec(office->db, "DELETE FROM login"));
	session_tick(office->broker);
	dropped(office, &worker);
	close(worker.fd);
}

static void viewers_of_a_login_that_went_meanwhile_leave_at_once(void **state)
{
	static const char *const changes[] = { "DELETE FROM login", "UPDATE session SET login = 0",
					       "UPDATE login SET expires = 1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct office *office;
		struct worker worker;
		void *fresh;

		office_setup(&fresh);
		office = fresh;
		worker = open_session(office);
		worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
		assert_ok(db_exec(office->db, changes[i]));
		comes_back(office, &worker);
		dropped(office, &worker);
		close(worker.fd);
		office_teardown(&fresh);
	}
}

static void a_worker_that_nobody_knows_is_stopped(void **state)
{
	struct office *office = *state;
	struct worker worker = { .fd = -1, .session = { 5 } };
	struct answer answer;

	monitor_says_started(office, &worker, true);
	stopped_with(office, &worker, END_GATEWAY);
	answer = ask_about(office, MSG_session_show, &worker);
	assert_error(answer, 404, "not-found");
	answer_finish(&answer);
	monitor_says_exited(office, &worker);
	assert_null(office->broker->sessions);
}

static void a_worker_without_orders_is_stopped(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	const struct msg_worker_hello hello = { .state = SESSION_STARTING };

	close(worker.fd);
	office_restart(office);
	monitor_says_started(office, &worker, true);
	assert_ok(ipc_send(worker.fd, MSG_worker_hello, &hello, -1));
	stopped_with(office, &worker, END_GATEWAY);
	monitor_says_exited(office, &worker);
	shown(office, &worker, "ended", "gateway");
}

static void one_that_does_not_come_back_ends(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	close(worker.fd);
	office_restart(office);
	office_pass(SESSION_ADOPT_S * 1000 / 2);
	assert_ok(loop_step(office->loop, 5));
	assert_int_equal(session_count(office->broker, 0), 1);
	office_pass(SESSION_ADOPT_S * 1000 / 2);
	assert_ok(loop_step(office->loop, 5));
	shown(office, &worker, "ended", "gateway");
	/* Nor is it waited for for ever. */
	for (int i = 0; i < SESSION_KILLS + 2; i++) {
		office_pass(SESSION_STOP_MS);
		assert_ok(loop_step(office->loop, 5));
		session_tick(office->broker);
	}
	assert_null(office->broker->sessions);
}

static void a_silent_worker_is_killed(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	struct session *session = office->broker->sessions;

	session_tick(office->broker);
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_worker_ping, OFFICE_WAIT_MS));
	ipc_received_finish(&office->received);
	session->pong_ms = clock_mono_ms() - SESSION_SILENT_S * 1000 - 1;
	assert_ok(ipc_send(worker.fd, MSG_worker_pong,
			   &(const struct msg_worker_pong){ .number = 1 }, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	session_tick(office->broker);
	assert_int_equal(session_count(office->broker, 0), 1);
	session->pong_ms = clock_mono_ms() - SESSION_SILENT_S * 1000 - 1;
	session_tick(office->broker);
	assert_true(office_receive(office, office->monitor, WIRE_MONITOR, MSG_worker_kill,
				   OFFICE_WAIT_MS));
	ipc_received_finish(&office->received);
	shown(office, &worker, "ended", "crashed");
	monitor_says_exited(office, &worker);
}

static void events_of_workers_cannot_look_like_ours(void **state)
{
	struct office *office = *state;
	const struct msg_worker_event event = { .event = "login", .detail = "{\"x\":1}" },
				      broken = { .event = "y", .detail = "}{" };
	struct worker worker = open_session(office);

	assert_ok(ipc_send(worker.fd, MSG_worker_event, &event, -1));
	assert_ok(ipc_send(worker.fd, MSG_worker_event, &broken, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_int_equal(office_audit_count(office, "login"), 0);
	assert_int_equal(office_audit_count(office, "worker-event"), 2);
	for (int i = 0; i < 1000; i++) {
		if (ipc_send(worker.fd, MSG_worker_event, &event, -1))
			break;
		assert_ok(loop_step(office->loop, 5));
	}
	shown(office, &worker, "ended", "crashed");
	close(worker.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(a_worker_cannot_fill_the_log),
		office_test(nor_with_questions_about_a_certificate),
		office_test(each_viewer_gives_a_worker_more_to_say),
		office_test(a_session_does_not_begin_twice),
		office_test(reasons_that_cannot_be),
		office_test(the_log_says_whose_word_it_is),
		office_test(attaching_has_a_rate),
		office_test(viewers_do_not_outlive_their_login_over_a_restart),
		cmocka_unit_test(viewers_of_a_login_that_went_meanwhile_leave_at_once),
		office_test(a_restarted_broker_takes_sessions_up),
		office_test(a_worker_that_nobody_knows_is_stopped),
		office_test(a_worker_without_orders_is_stopped),
		office_test(one_that_does_not_come_back_ends),
		office_test(a_silent_worker_is_killed),
		office_test(events_of_workers_cannot_look_like_ours),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
