#include "unit/broker/worker.h"

#include "base/clock.h"

/* ---- life ------------------------------------------------------------------------------- */

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

	answer_finish(&answer);
	stopped_with(office, &worker, END_LOGOUT);
	office_receive_after(office, office->monitor, WIRE_MONITOR, MSG_worker_kill,
			     SESSION_STOP_MS);
	assert_memory_equal(office->received.msg.worker_kill.session, worker.session,
			    WIRE_SESSION_ID);
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
	answer = office_answer_after(office, SESSION_SPAWN_S * 1000);
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

/* ---- who may ---------------------------------------------------------------------------- */

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

/* ---- for whom and what for -------------------------------------------------------------- */

static int setup_required(void **state)
{
	return office_setup_with(state, "[session]\nask_client = required\n");
}

static int setup_unasked(void **state)
{
	return office_setup_with(state, "[session]\nask_client = no\n");
}

static void client_is_refused(struct office *office, const char *client)
{
	union wire_any msg = open_request(office->host);
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	msg.session_open.client = client;
	answer = office_ask(office, MSG_session_open, &msg);
	assert_error(answer, 400, "invalid");
	assert_string_equal(answer_text(answer, "field"), "client");
}

static void the_client_is_kept(void **state)
{
	struct office *office = *state;
	union wire_any msg = open_request(office->host);
	struct worker worker;
	struct session_row row;
	_cleanup_query_ struct query query = { 0 };
	char detail[AUDIT_DETAIL_MAX + 1];

	client_is_refused(office, "山田商店\n記帳");
	client_is_refused(office, "山田\u202e商店");
	msg.session_open.client = "山田商店　\"11月\"";
	worker = open_until_start(office, &msg, 1, office->token);
	assert_ok(session_row_get(office->db, worker.session, &row));
	assert_string_equal(row.client, msg.session_open.client);
	query_init(&query, office->db, "SELECT detail FROM audit WHERE event = 'session-open'");
	assert_ok(query_one(&query));
	query_col_str(&query, 0, detail, sizeof(detail));
	assert_non_null(strstr(detail, "\"client\":\"山田商店　\\\"11月\\\"\""));
	ipc_received_finish(&office->received);
	close(worker.fd);
}

static void the_client_may_be_required(void **state)
{
	struct office *office = *state;
	union wire_any msg = open_request(office->host);
	struct worker worker;

	client_is_refused(office, "");
	client_is_refused(office, "  ");
	client_is_refused(office, "\u3000\u3000");
	msg.session_open.client = "山田商店";
	worker = open_until_start(office, &msg, 1, office->token);
	ipc_received_finish(&office->received);
	close(worker.fd);
}

static void the_client_may_be_unasked(void **state)
{
	client_is_refused(*state, "山田商店");
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

/* ---- the PC's login --------------------------------------------------------------------- */

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
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.pin_answer.trusted, 1);
	assert_ok(host_by_id(office->db, office->host, 0, &host));
	assert_true(host.has_pin);
	assert_memory_equal(host.pin, question.fingerprint, HOST_PIN);
	assert_int_equal(office_audit_count(office, "host-pinned"), 1);
	assert_ok(ipc_send(worker.fd, MSG_pin_question, &other, -1));
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.pin_answer.trusted, 0);
	assert_ok(ipc_send(worker.fd, MSG_pin_question, &question, -1));
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, OFFICE_WAIT_MS));
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
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_pin_answer, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.pin_answer.trusted, 0);
	assert_ok(host_by_id(office->db, office->host, 0, &host));
	assert_false(host.has_pin);
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
		cmocka_unit_test_setup_teardown(the_client_is_kept, office_setup, office_teardown),
		cmocka_unit_test_setup_teardown(the_client_may_be_required, setup_required,
						office_teardown),
		cmocka_unit_test_setup_teardown(the_client_may_be_unasked, setup_unasked,
						office_teardown),
		office_test(credentials_are_asked_for_and_kept_sealed),
		office_test(given_ones_are_not_kept_unasked),
		office_test(pins_are_stored_once),
		office_test(a_pin_that_cannot_be_recorded_is_not_trusted),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
