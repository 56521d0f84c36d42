#include "unit/broker/office.h"

#include "broker/host.h"
#include "broker/quota.h"

static struct answer list(struct office *office)
{
	union wire_any msg = { 0 };

	return office_ask(office, MSG_host_list, &msg);
}

static json_t *first(const struct answer *answer)
{
	return json_array_get(json_object_get(answer->body, "hosts"), 0);
}

static const char *state_of(const struct answer *answer)
{
	return json_string_value(json_object_get(first(answer), "state"));
}

static void probe_answers(struct office *office, int64_t host, bool reachable)
{
	const struct msg_probed probed = { .host = (uint64_t)host, .reachable = reachable };

	assert_ok(ipc_send(office->probe, MSG_probed, &probed, -1));
}

/* Whether the broker asks about the host now. */
static bool asked(struct office *office, int wait_ms)
{
	if (!office_receive(office, office->probe, WIRE_PROBE, MSG_probe, wait_ms))
		return false;
	assert_int_equal(office->received.msg.probe.host, office->host);
	assert_string_equal(office->received.msg.probe.address, "127.0.0.1");
	assert_int_equal(office->received.msg.probe.port, 5900);
	ipc_received_finish(&office->received);
	return true;
}

static void the_first_look_waits_for_the_answer(void **state)
{
	struct office *office = *state;
	union wire_any msg = { 0 };
	struct answer answer;

	office_send(office, MSG_host_list, &msg, 1, office->token);
	assert_true(asked(office, 1000));
	probe_answers(office, office->host, true);
	answer = office_answer(office);
	assert_string_equal(state_of(&answer), "reachable");
	assert_string_equal(json_string_value(json_object_get(first(&answer), "name")), "経理PC");
	assert_string_equal(json_string_value(json_object_get(first(&answer), "protocol")), "vnc");
	assert_string_equal(json_string_value(json_object_get(first(&answer), "in_use")), "no");
	assert_true(json_is_true(json_object_get(first(&answer), "can_wake")));
	assert_true(json_is_false(json_object_get(first(&answer), "view_only")));
	assert_true(json_is_false(json_object_get(first(&answer), "needs_login")));
	assert_null(json_object_get(first(&answer), "session"));
	answer_finish(&answer);
	/* Fresh: not asked again at once. */
	answer = list(office);
	assert_string_equal(state_of(&answer), "reachable");
	answer_finish(&answer);
	assert_false(asked(office, 100));
}

static void but_not_for_long(void **state)
{
	struct office *office = *state;
	uint64_t begin_ms = clock_mono_ms();
	struct answer answer = list(office);

	assert_string_equal(state_of(&answer), "unknown");
	assert_in_range(clock_mono_ms() - begin_ms, HOST_FIRST_MS - 20, HOST_FIRST_MS + 500);
	answer_finish(&answer);
}

static void without_a_probe_it_is_unknown_at_once(void **state)
{
	struct office *office = *state;
	uint64_t begin_ms;
	struct answer answer;

	close(office->probe);
	office->probe = -1;
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	begin_ms = clock_mono_ms();
	answer = list(office);
	assert_string_equal(state_of(&answer), "unknown");
	assert_true(clock_mono_ms() - begin_ms < HOST_FIRST_MS);
	answer_finish(&answer);
	office_link(office, WIRE_PROBE, &office->probe);
	answer = list(office);
	answer_finish(&answer);
	assert_true(asked(office, 100));
}

static void asleep_woken_awake(void **state)
{
	struct office *office = *state;
	union wire_any msg = { 0 }, wake = { .host_wake = { .host = (uint64_t)office->host } };
	struct answer answer;

	office_send(office, MSG_host_list, &msg, 1, office->token);
	assert_true(asked(office, 1000));
	probe_answers(office, office->host, false);
	answer = office_answer(office);
	assert_string_equal(state_of(&answer), "asleep");
	answer_finish(&answer);
	answer = office_ask(office, MSG_host_wake, &wake);
	assert_int_equal(answer.status, 202);
	answer_finish(&answer);
	assert_true(office_receive(office, office->probe, WIRE_PROBE, MSG_wake, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.wake.mac[0], 2);
	assert_int_equal(office->received.msg.wake.mac[5], 1);
	assert_string_equal(office->received.msg.wake.address, "255.255.255.255");
	ipc_received_finish(&office->received);
	answer = list(office);
	assert_string_equal(state_of(&answer), "waking");
	answer_finish(&answer);
	probe_answers(office, office->host, true);
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	answer = list(office);
	assert_string_equal(state_of(&answer), "reachable");
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "host-wake"), 1);
}

/* Each one is an entry in the audit log; another account is not made to wait. */
static void waking_has_a_rate(void **state)
{
	struct office *office = *state;
	union wire_any wake = { .host_wake = { .host = (uint64_t)office->host } };
	int64_t other = office_add_account(office, "suzuki", ACCOUNT_STAFF);
	int64_t device = office_add_device(office, other, 2);
	char token[LOGIN_TOKEN_TEXT + 1];
	struct answer answer;

	office_stop_time();
	for (int i = 0; i < QUOTA_WAKES_PER_MINUTE; i++) {
		answer = office_ask(office, MSG_host_wake, &wake);
		assert_int_equal(answer.status, 202);
		answer_finish(&answer);
	}
	answer = office_ask(office, MSG_host_wake, &wake);
	assert_error(answer, 429, "throttled");
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "host-wake"), QUOTA_WAKES_PER_MINUTE);
	assert_ok(host_grant(office->db, other, office->host, false));
	office_token(office, other, device, LOGIN_FULL, token);
	answer = office_ask_as(office, MSG_host_wake, &wake, 2, token);
	assert_int_equal(answer.status, 202);
	answer_finish(&answer);
}

static void no_card_no_waking(void **state)
{
	struct office *office = *state;
	union wire_any msg = { 0 }, wake = { .host_wake = { .host = (uint64_t)office->host } };
	struct answer answer;

	assert_ok(db_exec(office->db, "UPDATE host SET mac = NULL"));
	answer = office_ask(office, MSG_host_wake, &wake);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
	wake.host_wake.host = 999;
	answer = office_ask(office, MSG_host_wake, &wake);
	assert_error(answer, 404, "not-found");
	answer_finish(&answer);
	office_send(office, MSG_host_list, &msg, 1, office->token);
	assert_true(asked(office, 1000));
	probe_answers(office, office->host, false);
	answer = office_answer(office);
	assert_string_equal(state_of(&answer), "unreachable");
	answer_finish(&answer);
}

static void only_granted_ones_are_listed_and_probed(void **state)
{
	struct office *office = *state;
	int64_t secret = office_add_host(office, "社長PC", SECURITY_NONE);
	union wire_any wake = { .host_wake = { .host = (uint64_t)secret } };
	struct answer answer = list(office);

	assert_int_equal(json_array_size(json_object_get(answer.body, "hosts")), 1);
	answer_finish(&answer);
	assert_true(asked(office, 100));
	assert_false(asked(office, 100));
	answer = office_ask(office, MSG_host_wake, &wake);
	assert_error(answer, 404, "not-found");
	answer_finish(&answer);
	probe_answers(office, 12345, true);
	probe_answers(office, -1, true);
	answer = list(office);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static struct session *session_of(struct office *office, uint8_t number)
{
	struct session_row row = { .id = { number },
				   .account = office->account,
				   .device = office->device,
				   .host = office->host,
				   .host_name = "経理PC",
				   .state = SESSION_ACTIVE,
				   .until_s = clock_wall_s() + 100 };
	struct session *session;

	assert_ok(session_row_add(office->db, &row));
	assert_ok(session_load(office->broker));
	session = session_on_host(office->broker, office->host);
	assert_non_null(session);
	return session;
}

static void who_uses_it(void **state)
{
	struct office *office = *state;
	struct session *session = session_of(office, 1);
	struct answer answer = list(office);

	assert_string_equal(json_string_value(json_object_get(first(&answer), "in_use")), "me");
	assert_string_equal(json_string_value(json_object_get(first(&answer), "session")),
			    session->id_text);
	answer_finish(&answer);
	session->row.account = 999;
	answer = list(office);
	assert_string_equal(json_string_value(json_object_get(first(&answer), "in_use")), "other");
	assert_null(json_object_get(first(&answer), "session"));
	answer_finish(&answer);
}

/* What the menu said is no longer true, so it is asked anew without waiting for its turn. */
static void one_that_failed_a_session_is_asked_at_once(void **state)
{
	static const enum end_reason reasons[] = { END_PC_UNREACHABLE, END_PC_TIMEOUT,
						   END_PC_CLOSED };
	struct office *office = *state;
	union wire_any msg = { 0 };
	struct answer answer;

	office_send(office, MSG_host_list, &msg, 1, office->token);
	assert_true(asked(office, 1000));
	probe_answers(office, office->host, true);
	answer = office_answer(office);
	answer_finish(&answer);
	session_finish(session_of(office, 1), END_LOGOUT, SESSION_STOP_MS);
	assert_false(asked(office, 50));
	for (uint8_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		session_finish(session_of(office, (uint8_t)(2 + i)), reasons[i], SESSION_STOP_MS);
		assert_true(asked(office, 1000));
		/* Not "reachable" meanwhile, and not asked twice. */
		answer = list(office);
		assert_string_equal(state_of(&answer), "unknown");
		answer_finish(&answer);
		assert_false(asked(office, 50));
		probe_answers(office, office->host, false);
		for (int step = 0; step < 3; step++)
			assert_ok(loop_step(office->loop, 5));
		answer = list(office);
		assert_string_equal(state_of(&answer), "asleep");
		answer_finish(&answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(the_first_look_waits_for_the_answer),
		office_test(but_not_for_long),
		office_test(without_a_probe_it_is_unknown_at_once),
		office_test(asleep_woken_awake),
		office_test(waking_has_a_rate),
		office_test(no_card_no_waking),
		office_test(only_granted_ones_are_listed_and_probed),
		office_test(who_uses_it),
		office_test(one_that_failed_a_session_is_asked_at_once),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
