#include "unit/broker/worker.h"

#include "base/clock.h"

/* ---- viewing ---------------------------------------------------------------------------- */

static void attaching_joins_worker_and_viewer(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	struct answer answer = ask_about(office, MSG_session_attach, &worker);
	char byte = 0;
	int theirs;

	assert_int_equal(answer.status, 200);
	assert_true(answer.fd >= 0);
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, OFFICE_WAIT_MS));
	theirs = util_take_fd(&office->received.fd);
	assert_int_equal(write(theirs, "x", 1), 1);
	assert_int_equal(read(answer.fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(office_audit_count(office, "session-attach"), 1);
	close(theirs);
	answer_finish(&answer);
	close(worker.fd);
}

static struct answer attach_monitor(struct office *office, const struct worker *worker,
				    unsigned monitor, uint8_t device, const char *token)
{
	union wire_any msg = { .session_attach = { .monitor = (uint8_t)monitor } };

	memcpy(msg.session_attach.session, worker->session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_session_attach, &msg, device, token);
}

static void viewer_comes(struct office *office, const struct worker *worker, unsigned monitor)
{
	assert_true(office_receive(office, worker->fd, WIRE_WORKER, MSG_session_viewer,
				   OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.session_viewer.monitor, monitor);
	ipc_received_finish(&office->received);
}

static void refused(struct answer answer, unsigned status, const char *code)
{
	assert_error(answer, status, code);
	assert_true(answer.fd < 0);
	answer_finish(&answer);
}

/* A second window is for who has the first, and only while that is there. */
static void another_monitor_is_the_same_persons(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	int64_t other = office_add_device(office, office->account, 2);
	char token[LOGIN_TOKEN_TEXT + 1], again[LOGIN_TOKEN_TEXT + 1];
	struct answer answer;

	office_token(office, office->account, other, LOGIN_FULL, token);
	refused(attach_monitor(office, &worker, 1, 1, office->token), 503, "unavailable");
	answer = attach_monitor(office, &worker, 0, 1, office->token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	viewer_comes(office, &worker, 0);
	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	refused(attach_monitor(office, &worker, 2, 1, office->token), 400, "invalid");
	refused(attach_monitor(office, &worker, 255, 1, office->token), 400, "invalid");
	/* Another device, and the same one with another login. */
	refused(attach_monitor(office, &worker, 1, 2, token), 409, "state");
	office_token(office, office->account, office->device, LOGIN_FULL, again);
	refused(attach_monitor(office, &worker, 1, 1, again), 409, "state");
	assert_int_equal(office_audit_count(office, "session-attach"), 1);
	answer = attach_monitor(office, &worker, 1, 1, office->token);
	assert_int_equal(answer.status, 200);
	assert_true(answer.fd >= 0);
	answer_finish(&answer);
	viewer_comes(office, &worker, 1);
	assert_int_equal(office_audit_count(office, "session-attach"), 2);
	/* Who takes the first window over has the session. */
	answer = attach_monitor(office, &worker, 0, 2, token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	viewer_comes(office, &worker, 0);
	refused(attach_monitor(office, &worker, 1, 1, office->token), 409, "state");
	close(worker.fd);
}

static void locked_until_the_password(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	union wire_any wrong = { .session_unlock = { .password = "wrong" } };
	struct answer answer;

	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	answer = ask_about(office, MSG_session_unlock, &worker);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
	worker_says(office, &worker, SESSION_LOCKED, 0, 0);
	/* Not even the worker can lift it. */
	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	shown(office, &worker, "locked", "none");
	answer = ask_about(office, MSG_session_attach, &worker);
	assert_error(answer, 423, "locked");
	answer_finish(&answer);
	memcpy(wrong.session_unlock.session, worker.session, WIRE_SESSION_ID);
	answer = office_ask(office, MSG_session_unlock, &wrong);
	assert_error(answer, 401, "login");
	answer_finish(&answer);
	assert_false(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_unlocked, 50));
	answer = ask_about(office, MSG_session_unlock, &worker);
	assert_int_equal(answer.status, 200);
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_unlocked,
				   OFFICE_WAIT_MS));
	ipc_received_finish(&office->received);
	answer_finish(&answer);
	worker_says(office, &worker, SESSION_DETACHED, 0, 0);
	shown(office, &worker, "detached", "none");
	answer = ask_about(office, MSG_session_attach, &worker);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	close(worker.fd);
}

static struct answer ask_plain(struct office *office, uint16_t id)
{
	union wire_any msg = { 0 };

	if (id == MSG_unlock)
		msg.unlock.password = OFFICE_PASSWORD;
	return office_ask(office, id, &msg);
}

static void refused_as_locked(struct office *office, const struct worker *worker, int64_t host)
{
	static const uint16_t about[] = { MSG_session_end, MSG_session_attach };
	union wire_any msg = open_request(host);
	struct answer answer = office_ask(office, MSG_session_open, &msg);

	assert_error(answer, 423, "locked");
	answer_finish(&answer);
	for (size_t i = 0; i < ARRAY_SIZE(about); i++) {
		answer = ask_about(office, about[i], worker);
		assert_error(answer, 423, "locked");
		answer_finish(&answer);
	}
}

/* With the cookie alone nobody gets round the lock: not by ending, another PC, or a restart. */
static void the_lock_is_the_logins(void **state)
{
	struct office *office = *state;
	int64_t other = office_add_host(office, "受付PC", SECURITY_NONE);
	union wire_any msg = open_request(office->host);
	struct worker worker = open_session(office);
	struct answer answer;

	assert_ok(host_grant(office->db, office->account, other, false));
	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	worker_says(office, &worker, SESSION_LOCKED, 0, 0);
	refused_as_locked(office, &worker, other);
	refused_as_locked(office, &worker, office->host);
	shown(office, &worker, "locked", "none");
	answer = ask_plain(office, MSG_me);
	assert_true(json_is_true(json_object_get(answer.body, "locked")));
	answer_finish(&answer);
	/* The session ends: the login stays locked, also for another broker. */
	worker_says(office, &worker, SESSION_ENDED, END_PC_CLOSED, 0);
	monitor_says_exited(office, &worker);
	refused_as_locked(office, &worker, office->host);
	office_restart(office);
	refused_as_locked(office, &worker, office->host);
	answer = ask_plain(office, MSG_unlock);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "unlock"), 1);
	answer = ask_plain(office, MSG_unlock);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
	worker = open_until_start(office, &msg, 1, office->token);
	ipc_received_finish(&office->received);
	close(worker.fd);
}

/* The session that ended meanwhile can still be named; a wrong password opens nothing. */
static void an_ended_session_unlocks_its_login(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	union wire_any wrong = { .unlock = { .password = "wrong" } };
	struct answer answer;

	worker_says(office, &worker, SESSION_LOCKED, 0, 0);
	worker_says(office, &worker, SESSION_ENDED, END_PC_CLOSED, 0);
	monitor_says_exited(office, &worker);
	answer = office_ask(office, MSG_unlock, &wrong);
	assert_error(answer, 401, "login");
	answer_finish(&answer);
	refused_as_locked(office, &worker, office->host);
	answer = ask_about(office, MSG_session_unlock, &worker);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "state"), "ended");
	answer_finish(&answer);
	answer = ask_plain(office, MSG_me);
	assert_false(json_is_true(json_object_get(answer.body, "locked")));
	answer_finish(&answer);
}

/* The password once: the login and what it left locked are open. Another login is not. */
static void unlocking_opens_the_sessions_too(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	struct answer answer;

	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	worker_says(office, &worker, SESSION_LOCKED, 0, 0);
	answer = ask_plain(office, MSG_unlock);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_unlocked,
				   OFFICE_WAIT_MS));
	ipc_received_finish(&office->received);
	shown(office, &worker, "detached", "none");
	close(worker.fd);
}

/* To a login that is locked a session looks locked, whichever of its sessions was left alone. */
static void a_locked_login_sees_locked_sessions(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	assert_ok(db_exec(office->db, "UPDATE login SET locked = 1"));
	shown(office, &worker, "locked", "none");
	close(worker.fd);
}

static void ended_for_idleness_locks_as_well(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	struct answer answer;

	office->broker->sessions->row.started_s -= 120 * 60;
	worker_says(office, &worker, SESSION_ENDED, END_IDLE, 0);
	monitor_says_exited(office, &worker);
	shown(office, &worker, "ended", "idle");
	answer = ask_plain(office, MSG_me);
	assert_true(json_is_true(json_object_get(answer.body, "locked")));
	answer_finish(&answer);
}

/* While the hash was computed the account or the device was locked: the right password is late. */
static void unlocking_looks_again(void **state)
{
	static const char *const changes[] = {
		"UPDATE account SET locked = 1",
		"UPDATE account SET disabled = 1",
		"UPDATE device SET state = 3",
		"UPDATE device SET state = 2",
		"UPDATE certificate SET not_after = 1",
		"UPDATE login SET expires = 1",
		"DELETE FROM device_owner",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		union wire_any msg = { .unlock = { .password = OFFICE_PASSWORD } };
		struct office *office;
		struct answer answer;
		void *fresh;

		office_setup(&fresh);
		office = fresh;
		office_add_account(office, "suzuki", ACCOUNT_STAFF);
		assert_ok(db_exec(office->db, "UPDATE login SET locked = 1"));
		office_send(office, MSG_unlock, &msg, 1, office->token);
		assert_ok(loop_step(office->loop, 100));
		assert_ok(db_exec(office->db, changes[i]));
		answer = office_answer(office);
		if (answer.status != 401)
			fail_msg("%s: %u", changes[i], answer.status);
		answer_finish(&answer);
		assert_int_equal(office_audit_count(office, "unlock"), 0);
		office_teardown(&fresh);
	}
}

/* Logging out: the session stays, its viewer goes. */
static void logging_out_takes_the_viewer_away(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	union wire_any msg = { 0 };
	struct answer answer = ask_about(office, MSG_session_attach, &worker);

	answer_finish(&answer);
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, OFFICE_WAIT_MS));
	ipc_received_finish(&office->received);
	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	answer = office_ask(office, MSG_logout, &msg);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	/* Its place is taken by one that is gone at once. */
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, OFFICE_WAIT_MS));
	assert_int_equal(read(office->received.fd, &(char){ 0 }, 1), 0);
	ipc_received_finish(&office->received);
	assert_int_equal(session_count(office->broker, 0), 1);
	close(worker.fd);
}

/* ---- cutting ---------------------------------------------------------------------------- */

static void whatever_takes_a_right_away_cuts(void **state)
{
	static const struct {
		const char *command, *arguments;
		enum end_reason reason;
	} orders[] = {
		{ "user disable", "{\"name\": \"sato\"}", END_REVOKED_ACCOUNT },
		{ "device revoke", "{\"id\": 1, \"reason\": \"lost\"}", END_REVOKED_DEVICE },
		{ "device retire", "{\"id\": 1, \"disposal\": \"wiped\"}", END_REVOKED_DEVICE },
		{ "device unshare", "{\"id\": 1, \"user\": \"sato\"}", END_REVOKED_DEVICE },
		{ "host deny", "{\"name\": \"経理PC\", \"user\": \"sato\"}", END_REVOKED_PC },
		{ "host remove", "{\"name\": \"経理PC\"}", END_REVOKED_PC },
		{ "host grant", "{\"name\": \"経理PC\", \"user\": \"sato\", \"view-only\": true}",
		  END_REVOKED_PC },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct office *office;
		struct worker worker;
		struct answer answer;
		void *fresh;

		office_setup(&fresh);
		office = fresh;
		/* Somebody must stay when sato is taken off the laptop. */
		assert_ok(device_owner_add(office->db, office->device,
					   office_add_account(office, "abe", ACCOUNT_STAFF)));
		worker = open_session(office);
		answer = office_order(office, orders[i].command,
				      json_loads(orders[i].arguments, 0, NULL));
		assert_int_equal(answer.status, 200);
		answer_finish(&answer);
		stopped_with(office, &worker, orders[i].reason);
		office_receive_after(office, office->monitor, WIRE_MONITOR, MSG_worker_kill,
				     SESSION_CUT_MS);
		ipc_received_finish(&office->received);
		monitor_says_exited(office, &worker);
		office_teardown(&fresh);
	}
}

static void set_host(struct office *office, const char *what, const char *value)
{
	struct answer answer = office_order(office, "host set",
					    json_pack("{s:s, s:s}", "name", "loud", what, value));

	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* The worker is told what policy says, and a session that may do less than before ends. */
static void what_is_forbidden_ends_the_session(void **state)
{
	static const char *const streams[] = { "audio", "video" };
	struct office *office = *state;
	struct host_row host;
	struct worker worker;
	struct answer answer;
	union wire_any msg;

	answer = office_order(office, "host add",
			      json_pack("{s:s, s:s, s:s}", "name", "loud", "protocol", "rdp",
					"address", "127.0.0.1"));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_ok(host_by_name(office->db, "loud", &host));
	assert_ok(host_grant(office->db, office->account, host.id, false));
	msg = open_request(host.id);
	msg.session_open.user = "sato";
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		set_host(office, streams[i], "yes");
		worker = open_until_start(office, &msg, 1, office->token);
		assert_int_equal(office->received.msg.session_start.audio, i == 0);
		assert_int_equal(office->received.msg.session_start.video, i == 1);
		ipc_received_finish(&office->received);
		answer = office_answer(office);
		answer_finish(&answer);
		/* More than before, or the same, changes nothing for a session that runs. */
		set_host(office, "audio", i == 0 ? "yes" : "no");
		set_host(office, "video", "yes");
		assert_false(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_stop, 50));
		set_host(office, streams[i], "no");
		stopped_with(office, &worker, END_REVOKED_PC);
		monitor_says_exited(office, &worker);
		set_host(office, "video", "no");
	}
}

static void others_go_on(void **state)
{
	struct office *office = *state;
	int64_t other = office_add_account(office, "suzuki", ACCOUNT_STAFF),
		device = office_add_device(office, other, 2);
	struct worker worker = open_session(office);
	union wire_any msg = { 0 };
	char token[LOGIN_TOKEN_TEXT + 1];
	struct answer answer;

	office_token(office, other, device, LOGIN_FULL, token);
	answer = office_order(office, "user disable", json_pack("{s:s}", "name", "suzuki"));
	answer_finish(&answer);
	answer = office_ask_as(office, MSG_me, &msg, 2, token);
	assert_error(answer, 401, "auth");
	answer_finish(&answer);
	assert_int_equal(session_count(office->broker, 0), 1);
	shown(office, &worker, "starting", "none");
	close(worker.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(attaching_joins_worker_and_viewer),
		office_test(another_monitor_is_the_same_persons),
		office_test(locked_until_the_password),
		office_test(the_lock_is_the_logins),
		office_test(an_ended_session_unlocks_its_login),
		office_test(unlocking_opens_the_sessions_too),
		office_test(a_locked_login_sees_locked_sessions),
		office_test(ended_for_idleness_locks_as_well),
		cmocka_unit_test(unlocking_looks_again),
		office_test(logging_out_takes_the_viewer_away),
		cmocka_unit_test(whatever_takes_a_right_away_cuts),
		office_test(what_is_forbidden_ends_the_session),
		office_test(others_go_on),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
