#include "unit/broker/office.h"

#include "base/clock.h"
#include "broker/quota.h"

/* Our end of a worker's channel to the broker. */
struct worker {
	int fd;
	uint8_t session[WIRE_SESSION_ID];
	char id[SESSION_ID_TEXT + 1];
};

static union wire_any open_request(int64_t host)
{
	return (union wire_any){ .session_open = {
					 .host = (uint64_t)host,
					 .width = 1920,
					 .height = 1080,
					 .layout = 0x411,
					 .user = "",
					 .password = "",
					 .domain = "",
				 } };
}

static void monitor_says_started(struct office *office, struct worker *worker, bool adopted)
{
	struct msg_worker_started started = { .pid = 1, .adopted = adopted };
	int pair[2];

	assert_ok(ipc_pair(pair));
	memcpy(started.session, worker->session, sizeof(started.session));
	assert_ok(ipc_send(office->monitor, MSG_worker_started, &started, pair[0]));
	close(pair[0]);
	worker->fd = pair[1];
}

static void monitor_says_exited(struct office *office, struct worker *worker)
{
	struct msg_worker_exited exited = { 0 };

	memcpy(exited.session, worker->session, sizeof(exited.session));
	assert_ok(ipc_send(office->monitor, MSG_worker_exited, &exited, -1));
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	util_closep(&worker->fd);
	worker->fd = -1;
}

static void monitor_spawns(struct office *office, struct worker *worker)
{
	assert_true(office_receive(office, office->monitor, WIRE_MONITOR, MSG_worker_spawn,
				   OFFICE_WAIT_MS));
	memcpy(worker->session, office->received.msg.worker_spawn.session, sizeof(worker->session));
	ipc_received_finish(&office->received);
	util_hex(worker->session, sizeof(worker->session), worker->id);
	monitor_says_started(office, worker, false);
}

/* Opens one on host and takes the worker's part up to session_start, which stays in
 * office->received. */
static struct worker open_until_start(struct office *office, union wire_any *msg, uint8_t key,
				      const char *token)
{
	struct worker worker = { .fd = -1 };

	office_send(office, MSG_session_open, msg, key, token);
	monitor_spawns(office, &worker);
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_session_start, OFFICE_WAIT_MS));
	return worker;
}

static struct worker open_session(struct office *office)
{
	union wire_any msg = open_request(office->host);
	struct worker worker = open_until_start(office, &msg, 1, office->token);
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	ipc_received_finish(&office->received);
	answer = office_answer(office);
	assert_int_equal(answer.status, 201);
	assert_string_equal(answer_text(answer, "id"), worker.id);
	return worker;
}

static void worker_says(struct office *office, const struct worker *worker,
			enum session_state session_state, unsigned reason, uint8_t viewers)
{
	const struct msg_worker_state msg = { .state = (uint8_t)session_state,
					      .reason = (uint8_t)reason,
					      .viewers = viewers };

	assert_ok(ipc_send(worker->fd, MSG_worker_state, &msg, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
}

/* The session as the person sees it, and that its state and reason are these. */
static void shown(struct office *office, const struct worker *worker, const char *session_state,
		  const char *reason)
{
	union wire_any msg = { 0 };
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	memcpy(msg.session_show.session, worker->session, WIRE_SESSION_ID);
	answer = office_ask(office, MSG_session_show, &msg);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "state"), session_state);
	assert_string_equal(answer_text(answer, "reason"), reason);
}

static struct answer ask_about(struct office *office, uint16_t id, const struct worker *worker)
{
	union wire_any msg = { 0 };

	memcpy(msg.session_show.session, worker->session, WIRE_SESSION_ID);
	if (id == MSG_session_unlock)
		msg.session_unlock.password = OFFICE_PASSWORD;
	return office_ask(office, id, &msg);
}

static void stopped_with(struct office *office, const struct worker *worker, enum end_reason reason)
{
	assert_true(office_receive(office, worker->fd, WIRE_WORKER, MSG_session_stop, 1000));
	assert_int_equal(office->received.msg.session_stop.reason, reason);
	ipc_received_finish(&office->received);
}

/* ---- life --------------------------------------------------------------------------------------
 */

static void from_opening_to_the_end(void **state)
{
	struct office *office = *state;
	union wire_any msg = open_request(office->host);
	struct worker worker = open_until_start(office, &msg, 1, office->token);
	const struct msg_session_start *start = &office->received.msg.session_start;
	struct answer answer;

	assert_memory_equal(start->session, worker.session, WIRE_SESSION_ID);
	assert_string_equal(start->label, "経理PC");
	assert_string_equal(start->address, "127.0.0.1");
	assert_int_equal(start->port, 5900);
	assert_int_equal(start->protocol, PROTOCOL_VNC);
	assert_int_equal(start->width, 1920);
	assert_int_equal(start->layout, 0x411);
	assert_int_equal(start->idle_warn_s, 600);
	assert_int_equal(start->idle_lock_s, 900);
	assert_int_equal(start->resume_s, 900);
	assert_int_equal(start->length_s, 12 * 3600);
	assert_int_equal(start->connect_s, 10);
	assert_int_equal(start->pin.len, 0);
	assert_int_equal(start->audio, 0);
	ipc_received_finish(&office->received);
	answer = office_answer(office);
	assert_int_equal(answer.status, 201);
	assert_string_equal(answer_text(answer, "state"), "starting");
	assert_string_equal(answer_text(answer, "host_name"), "経理PC");
	answer_finish(&answer);
	worker_says(office, &worker, SESSION_CONNECTING, 0, 0);
	shown(office, &worker, "connecting", "none");
	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	shown(office, &worker, "active", "none");
	answer = ask_about(office, MSG_session_end, &worker);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "state"), "ended");
	answer_finish(&answer);
	stopped_with(office, &worker, END_LOGOUT);
	monitor_says_exited(office, &worker);
	assert_null(office->broker->sessions);
	/* Still there to be asked for, also after a restart. */
	shown(office, &worker, "ended", "logout");
	office_restart(office);
	shown(office, &worker, "ended", "logout");
	assert_ok(db_exec(office->db, "UPDATE session SET ended = ended - 700"));
	answer = ask_about(office, MSG_session_show, &worker);
	assert_error(answer, 404, "not-found");
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "session-open"), 1);
	assert_int_equal(office_audit_count(office, "session-end"), 1);
}

static void the_workers_reason_is_kept(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	worker_says(office, &worker, SESSION_ENDED, END_PC_UNREACHABLE, 0);
	monitor_says_exited(office, &worker);
	shown(office, &worker, "ended", "pc-unreachable");
}

static void a_worker_that_dies_ends_one_session(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	worker_says(office, &worker, SESSION_ACTIVE, 0, 0);
	monitor_says_exited(office, &worker);
	shown(office, &worker, "ended", "crashed");
}

static void a_worker_cannot_say_what_it_likes(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	/* Only the broker says "revoked". */
	worker_says(office, &worker, SESSION_ENDED, END_REVOKED_DEVICE, 0);
	shown(office, &worker, "ended", "crashed");
	monitor_says_exited(office, &worker);
	worker = open_session(office);
	worker_says(office, &worker, (enum session_state)77, 0, 0);
	shown(office, &worker, "ended", "crashed");
	monitor_says_exited(office, &worker);
	/* Another session's number. */
	worker = open_session(office);
	assert_ok(ipc_send(
		worker.fd, MSG_worker_hello,
		&(const struct msg_worker_hello){ .session = { 1 }, .state = SESSION_ACTIVE }, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	shown(office, &worker, "ended", "crashed");
	monitor_says_exited(office, &worker);
}

static void one_that_does_not_stop_is_killed(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	struct answer answer = ask_about(office, MSG_session_end, &worker);
	uint64_t begin_ms = clock_mono_ms();

	answer_finish(&answer);
	stopped_with(office, &worker, END_LOGOUT);
	assert_true(office_receive(office, office->monitor, WIRE_MONITOR, MSG_worker_kill, 4000));
	assert_memory_equal(office->received.msg.worker_kill.session, worker.session,
			    WIRE_SESSION_ID);
	assert_in_range(clock_mono_ms() - begin_ms, SESSION_STOP_MS - 100, SESSION_STOP_MS + 1000);
	monitor_says_exited(office, &worker);
}

static void no_worker_no_session(void **state)
{
	struct office *office = *state;
	union wire_any msg = open_request(office->host);
	struct answer answer;

	office_send(office, MSG_session_open, &msg, 1, office->token);
	assert_true(office_receive(office, office->monitor, WIRE_MONITOR, MSG_worker_spawn,
				   OFFICE_WAIT_MS));
	ipc_received_finish(&office->received);
	answer = office_answer(office);
	assert_error(answer, 503, "unavailable");
	answer_finish(&answer);
	assert_int_equal(session_count(office->broker, 0), 0);
}

static void a_session_that_cannot_be_recorded_does_not_begin(void **state)
{
	struct office *office = *state;
	union wire_any msg = open_request(office->host);
	struct answer answer;

	office_break_audit(office);
	answer = office_ask(office, MSG_session_open, &msg);
	assert_int_not_equal(answer.status, 201);
	answer_finish(&answer);
	assert_null(office->broker->sessions);
	assert_false(office_receive(office, office->monitor, WIRE_MONITOR, MSG_worker_spawn, 100));
}

/* A full disk must not keep a session from being stopped; its end is recorded later. */
static void the_end_is_recorded_when_it_can_be(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	office_break_audit(office);
	worker_says(office, &worker, SESSION_ACTIVE, 0, 0);
	stopped_with(office, &worker, END_GATEWAY);
	monitor_says_exited(office, &worker);
	assert_non_null(office->broker->sessions);
	office_mend_audit(office);
	session_tick(office->broker);
	assert_null(office->broker->sessions);
	shown(office, &worker, "ended", "gateway");
	assert_int_equal(office_audit_count(office, "session-end"), 1);
}

/* ---- who may -----------------------------------------------------------------------------------
 */

static void only_what_was_granted(void **state)
{
	struct office *office = *state;
	int64_t other = office_add_host(office, "社長PC", SECURITY_NONE);
	const int64_t hosts[] = { other, 999, 0, -1 };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		union wire_any msg = open_request(hosts[i]);
		_cleanup_answer_ struct answer answer = office_ask(office, MSG_session_open, &msg);

		assert_error(answer, 404, "not-found");
	}
}

static void bad_sizes_name_the_field(void **state)
{
	static const struct {
		uint16_t width, height;
		uint32_t layout;
		const char *field;
	} wrong[] = {
		{ 199, 1080, 0x411, "width" },  { 7681, 1080, 0x411, "width" },
		{ 1920, 199, 0x411, "height" }, { 1920, 4321, 0x411, "height" },
		{ 1920, 1080, 0, "layout" },    { 1920, 1080, 0x407, "layout" },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		union wire_any msg = open_request(office->host);
		_cleanup_answer_ struct answer answer = { .fd = -1 };

		msg.session_open.width = wrong[i].width;
		msg.session_open.height = wrong[i].height;
		msg.session_open.layout = wrong[i].layout;
		answer = office_ask(office, MSG_session_open, &msg);
		assert_error(answer, 400, "invalid");
		assert_string_equal(answer_text(answer, "field"), wrong[i].field);
	}
}

static void one_session_for_a_pc(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	union wire_any msg = open_request(office->host);
	struct answer answer = office_ask(office, MSG_session_open, &msg);
	int64_t other = office_add_account(office, "suzuki", ACCOUNT_STAFF),
		device = office_add_device(office, other, 2);
	char token[LOGIN_TOKEN_TEXT + 1];

	/* Mine is given back. */
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "id"), worker.id);
	answer_finish(&answer);
	assert_ok(host_grant(office->db, other, office->host, false));
	office_token(office, other, device, LOGIN_FULL, token);
	answer = office_ask_as(office, MSG_session_open, &msg, 2, token);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
	/* And somebody else's does not exist. */
	for (uint16_t id = MSG_session_show; id <= MSG_session_attach; id++) {
		union wire_any about = { 0 };

		memcpy(about.session_show.session, worker.session, WIRE_SESSION_ID);
		answer = office_ask_as(office, id, &about, 2, token);
		assert_error(answer, 404, "not-found");
		answer_finish(&answer);
	}
	answer = office_ask_as(office, MSG_session_list, &msg, 2, token);
	assert_int_equal(json_array_size(json_object_get(answer.body, "sessions")), 0);
	answer_finish(&answer);
	answer = office_ask(office, MSG_session_list, &msg);
	assert_int_equal(json_array_size(json_object_get(answer.body, "sessions")), 1);
	answer_finish(&answer);
	close(worker.fd);
}

static void limits_are_kept_and_zero_is_none(void **state)
{
	static const struct {
		const char *settings, *code;
		unsigned status;
	} limits[] = {
		{ "[session]\nper_account = 0\n", "denied", 403 },
		{ "[session]\ntotal = 0\n", "full", 507 },
		{ "[session]\nmax_hours = 0\n", "denied", 403 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct answer answer;
		union wire_any msg;
		struct office *office;
		void *fresh;

		office_setup_with(&fresh, limits[i].settings);
		office = fresh;
		msg = open_request(office->host);
		answer = office_ask(office, MSG_session_open, &msg);
		assert_error(answer, limits[i].status, limits[i].code);
		answer_finish(&answer);
		office_teardown(&fresh);
	}
}

static int setup_one(void **state)
{
	return office_setup_with(state, "[session]\nper_account = 1\n");
}

static void an_account_has_so_many(void **state)
{
	struct office *office = *state;
	int64_t second = office_add_host(office, "受付PC", SECURITY_NONE);
	union wire_any msg = open_request(second);
	struct worker worker = open_session(office);
	struct answer answer;

	assert_ok(host_grant(office->db, office->account, second, false));
	answer = office_ask(office, MSG_session_open, &msg);
	assert_error(answer, 403, "denied");
	answer_finish(&answer);
	worker_says(office, &worker, SESSION_ENDED, END_PC_CLOSED, 0);
	monitor_says_exited(office, &worker);
	worker = open_until_start(office, &msg, 1, office->token);
	ipc_received_finish(&office->received);
	close(worker.fd);
}

/* ---- the PC's login ----------------------------------------------------------------------------
 */

static void credentials_are_asked_for_and_kept_sealed(void **state)
{
	struct office *office = *state;
	int64_t host = office_add_host(office, "税務PC", SECURITY_VNC_PASSWORD);
	union wire_any msg = open_request(host);
	struct host_credential row;
	struct worker worker;
	struct answer answer;

	assert_ok(host_grant(office->db, office->account, host, false));
	answer = office_ask(office, MSG_session_open, &msg);
	assert_error(answer, 409, "credentials");
	answer_finish(&answer);
	msg.session_open.user = "sato";
	msg.session_open.password = "canary-pc-password";
	msg.session_open.keep = 1;
	worker = open_until_start(office, &msg, 1, office->token);
	assert_string_equal(office->received.msg.session_start.user, "sato");
	assert_string_equal(office->received.msg.session_start.password, "canary-pc-password");
	ipc_received_finish(&office->received);
	answer = office_answer(office);
	answer_finish(&answer);
	assert_ok(host_credential_get(office->db, office->account, host, &row));
	assert_null(memmem(row.password, row.password_len, "canary", 6));
	worker_says(office, &worker, SESSION_ENDED, END_PC_CLOSED, 0);
	monitor_says_exited(office, &worker);
	/* The second time none is given. */
	msg = open_request(host);
	worker = open_until_start(office, &msg, 1, office->token);
	assert_string_equal(office->received.msg.session_start.password, "canary-pc-password");
	ipc_received_finish(&office->received);
	answer = office_answer(office);
	answer_finish(&answer);
	/* The PC refuses it: asked for again. */
	worker_says(office, &worker, SESSION_ENDED, END_PC_LOGIN, 0);
	monitor_says_exited(office, &worker);
	assert_err(host_credential_get(office->db, office->account, host, &row), ERR_NOT_FOUND);
	answer = office_ask(office, MSG_session_open, &msg);
	assert_error(answer, 409, "credentials");
	answer_finish(&answer);
}

static void given_ones_are_not_kept_unasked(void **state)
{
	struct office *office = *state;
	int64_t host = office_add_host(office, "税務PC", SECURITY_AUTO);
	union wire_any msg = open_request(host);
	struct host_credential row;
	struct worker worker;

	assert_ok(host_grant(office->db, office->account, host, false));
	msg.session_open.password = "x";
	worker = open_until_start(office, &msg, 1, office->token);
	ipc_received_finish(&office->received);
	assert_err(host_credential_get(office->db, office->account, host, &row), ERR_NOT_FOUND);
	close(worker.fd);
}

static void pins_are_stored_once(void **state)
{
	struct office *office = *state;
	const struct msg_pin_question question = { .fingerprint = { 1, 2, 3 } },
				      other = { .fingerprint = { 9 } };
	struct worker worker = open_session(office);
	struct host_row host;

	assert_ok(ipc_send(worker.fd, MSG_pin_question, &question, -1));
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, 1000));
	assert_int_equal(office->received.msg.pin_answer.trusted, 1);
	assert_ok(host_by_id(office->db, office->host, 0, &host));
	assert_true(host.has_pin);
	assert_memory_equal(host.pin, question.fingerprint, HOST_PIN);
	assert_int_equal(office_audit_count(office, "host-pinned"), 1);
	assert_ok(ipc_send(worker.fd, MSG_pin_question, &other, -1));
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, 1000));
	assert_int_equal(office->received.msg.pin_answer.trusted, 0);
	assert_ok(ipc_send(worker.fd, MSG_pin_question, &question, -1));
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, 1000));
	assert_int_equal(office->received.msg.pin_answer.trusted, 1);
	close(worker.fd);
}

static void a_pin_that_cannot_be_recorded_is_not_trusted(void **state)
{
	struct office *office = *state;
	const struct msg_pin_question question = { .fingerprint = { 1 } };
	struct worker worker = open_session(office);
	struct host_row host;

	office_break_audit(office);
	assert_ok(ipc_send(worker.fd, MSG_pin_question, &question, -1));
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, 1000));
	assert_int_equal(office->received.msg.pin_answer.trusted, 0);
	assert_ok(host_by_id(office->db, office->host, 0, &host));
	assert_false(host.has_pin);
	close(worker.fd);
}

/* ---- viewing -----------------------------------------------------------------------------------
 */

static void attaching_joins_worker_and_viewer(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	struct answer answer = ask_about(office, MSG_session_attach, &worker);
	char byte = 0;
	int theirs;

	assert_int_equal(answer.status, 200);
	assert_true(answer.fd >= 0);
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, 1000));
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
	assert_true(office_receive(office, worker->fd, WIRE_WORKER, MSG_session_viewer, 1000));
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
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_unlocked, 1000));
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
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_unlocked, 1000));
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
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, 1000));
	ipc_received_finish(&office->received);
	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	answer = office_ask(office, MSG_logout, &msg);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	/* Its place is taken by one that is gone at once. */
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_viewer, 1000));
	assert_int_equal(read(office->received.fd, &(char){ 0 }, 1), 0);
	ipc_received_finish(&office->received);
	assert_int_equal(session_count(office->broker, 0), 1);
	close(worker.fd);
}

/* ---- cutting -----------------------------------------------------------------------------------
 */

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
		uint64_t begin_ms;
		void *fresh;

		office_setup(&fresh);
		office = fresh;
		/* Somebody must stay when sato is taken off the laptop. */
		assert_ok(device_owner_add(office->db, office->device,
					   office_add_account(office, "abe", ACCOUNT_STAFF)));
		worker = open_session(office);
		begin_ms = clock_mono_ms();
		answer = office_order(office, orders[i].command,
				      json_loads(orders[i].arguments, 0, NULL));
		assert_int_equal(answer.status, 200);
		answer_finish(&answer);
		stopped_with(office, &worker, orders[i].reason);
		assert_true(office_receive(office, office->monitor, WIRE_MONITOR, MSG_worker_kill,
					   2000));
		ipc_received_finish(&office->received);
		assert_true(clock_mono_ms() - begin_ms < 1000);
		monitor_says_exited(office, &worker);
		office_teardown(&fresh);
	}
}

/* The worker is told what policy says, and a session that may do less than before ends. */
static void sound_that_is_forbidden_ends_the_session(void **state)
{
	struct office *office = *state;
	struct host_row host;
	struct worker worker;
	struct answer answer;
	union wire_any msg;

	answer = office_order(office, "host add",
			      json_pack("{s:s, s:s, s:s, s:s}", "name", "loud", "protocol", "rdp",
					"address", "127.0.0.1", "audio", "yes"));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_ok(host_by_name(office->db, "loud", &host));
	assert_ok(host_grant(office->db, office->account, host.id, false));
	msg = open_request(host.id);
	msg.session_open.user = "sato";
	worker = open_until_start(office, &msg, 1, office->token);
	assert_int_equal(office->received.msg.session_start.audio, 1);
	ipc_received_finish(&office->received);
	answer = office_answer(office);
	answer_finish(&answer);
	/* More than before changes nothing for a session that runs. */
	answer = office_order(office, "host set",
			      json_pack("{s:s, s:s}", "name", "loud", "audio", "yes"));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_false(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_stop, 50));
	answer = office_order(office, "host set",
			      json_pack("{s:s, s:s}", "name", "loud", "audio", "no"));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	stopped_with(office, &worker, END_REVOKED_PC);
	monitor_says_exited(office, &worker);
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

/* ---- a broken worker ----------------------------------------------------------------------------
 */

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
	static const enum end_reason not_the_workers[] = { END_NONE,       END_LOGOUT,
							   END_TERMINATED, END_REVOKED_PC,
							   END_REPLACED,   END_IDLE,
							   END_LENGTH,     END_RESUME };
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
	uint64_t start_ms = clock_mono_ms();
	unsigned status = 200;
	int granted = 0, most;

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
		/* What comes back in the meantime on a busy machine. */
		most = QUOTA_SESSIONS_PER_MINUTE +
		       (int)((clock_mono_ms() - start_ms) * QUOTA_SESSIONS_PER_MINUTE / 60000) + 1;
		assert_in_range(granted, 0, most);
	}
	assert_true(granted >= QUOTA_SESSIONS_PER_MINUTE - 5);
	assert_int_equal(office_audit_count(office, "session-attach"), granted);
	close(worker.fd);
}

/* ---- restarts ----------------------------------------------------------------------------------
 */

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
	assert_true(office_receive(office, worker->fd, WIRE_WORKER, MSG_session_viewer, 1000));
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
	uint64_t until_ms;

	close(worker.fd);
	office_restart(office);
	until_ms = clock_mono_ms() + SESSION_ADOPT_S * 1000 + 3000;
	while (session_count(office->broker, 0) && clock_mono_ms() < until_ms)
		assert_ok(loop_step(office->loop, 100));
	shown(office, &worker, "ended", "gateway");
	/* Nor is it waited for for ever. */
	until_ms = clock_mono_ms() + (SESSION_KILLS + 2) * SESSION_STOP_MS;
	while (office->broker->sessions && clock_mono_ms() < until_ms) {
		assert_ok(loop_step(office->loop, 100));
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
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_worker_ping, 1000));
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
	assert_true(office_receive(office, office->monitor, WIRE_MONITOR, MSG_worker_kill, 1000));
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
		office_test(from_opening_to_the_end),
		office_test(the_workers_reason_is_kept),
		office_test(a_worker_that_dies_ends_one_session),
		office_test(a_worker_cannot_say_what_it_likes),
		office_test(one_that_does_not_stop_is_killed),
		office_test(no_worker_no_session),
		office_test(a_session_that_cannot_be_recorded_does_not_begin),
		office_test(the_end_is_recorded_when_it_can_be),
		office_test(only_what_was_granted),
		office_test(bad_sizes_name_the_field),
		office_test(one_session_for_a_pc),
		cmocka_unit_test(limits_are_kept_and_zero_is_none),
		cmocka_unit_test_setup_teardown(an_account_has_so_many, setup_one, office_teardown),
		office_test(credentials_are_asked_for_and_kept_sealed),
		office_test(given_ones_are_not_kept_unasked),
		office_test(pins_are_stored_once),
		office_test(a_pin_that_cannot_be_recorded_is_not_trusted),
		office_test(attaching_joins_worker_and_viewer),
		office_test(another_monitor_is_the_same_persons),
		office_test(locked_until_the_password),
		office_test(the_lock_is_the_logins),
		office_test(an_ended_session_unlocks_its_login),
		office_test(unlocking_opens_the_sessions_too),
		office_test(a_locked_login_sees_locked_sessions),
		office_test(ended_for_idleness_locks_as_well),
		cmocka_unit_test(unlocking_looks_again),
		office_test(a_worker_cannot_fill_the_log),
		office_test(nor_with_questions_about_a_certificate),
		office_test(each_viewer_gives_a_worker_more_to_say),
		office_test(a_session_does_not_begin_twice),
		office_test(reasons_that_cannot_be),
		office_test(the_log_says_whose_word_it_is),
		office_test(attaching_has_a_rate),
		office_test(viewers_do_not_outlive_their_login_over_a_restart),
		cmocka_unit_test(viewers_of_a_login_that_went_meanwhile_leave_at_once),
		office_test(logging_out_takes_the_viewer_away),
		cmocka_unit_test(whatever_takes_a_right_away_cuts),
		office_test(sound_that_is_forbidden_ends_the_session),
		office_test(others_go_on),
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
