/*
 * Who may look on at a session, until when, and what of it is in the audit log: the test is the
 * session's worker, and an auditor with the right.
 */
#include "unit/broker/vault.h"
#include "unit/broker/worker.h"

#include "broker/watch.h"

static struct vault auditor; /* kansa; its vault is not needed */
static struct worker worker;

static void set_watch(struct office *office, const char *name, int watch)
{
	char sql[120];

	snprintf(sql, sizeof(sql), "UPDATE account SET watch = %d WHERE name = '%s'", watch, name);
	assert_ok(db_exec(office->db, sql));
}

static int setup(void **state)
{
	struct office *office;

	office_setup(state);
	office = *state;
	vault_setup(office, &auditor);
	set_watch(office, "kansa", ACCOUNT_WATCH_CONTROL);
	worker = open_session(office);
	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	return 0;
}

static int teardown(void **state)
{
	util_closep(&auditor.fd);
	auditor.fd = -1;
	util_closep(&worker.fd);
	worker.fd = -1;
	return office_teardown(state);
}

static struct answer ask_watch(struct office *office, const char *purpose, const char *code)
{
	union wire_any msg = { .live_watch = { .purpose = purpose, .code = code } };

	memcpy(msg.live_watch.session, worker.session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_live_watch, &msg, AUDITOR_KEY, auditor.token);
}

static struct answer attach(struct office *office)
{
	union wire_any msg = { 0 };

	memcpy(msg.live_attach.session, worker.session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_live_attach, &msg, AUDITOR_KEY, auditor.token);
}

static struct answer ask_end(struct office *office, const char *reason)
{
	union wire_any msg = { .live_end = { .reason = reason } };

	memcpy(msg.live_end.session, worker.session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_live_end, &msg, AUDITOR_KEY, auditor.token);
}

static void begin(struct office *office)
{
	_cleanup_answer_ struct answer answer =
		ask_watch(office, "操作の確認", vault_code(office, &auditor));

	assert_int_equal(answer.status, 200);
}

/* Until the worker has it; its number. */
static uint32_t look_on(struct office *office)
{
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	begin(office);
	answer = attach(office);
	assert_int_equal(answer.status, 200);
	assert_true(answer.fd >= 0);
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_session_watch, OFFICE_WAIT_MS));
	uint32_t number = office->received.msg.session_watch.watch;
	ipc_received_finish(&office->received);
	return number;
}

static void says(struct office *office, uint32_t number, unsigned step, unsigned why)
{
	const struct msg_watch_says msg = { .watch = number,
					    .step = (uint8_t)step,
					    .why = (uint8_t)why };

	assert_ok(ipc_send(worker.fd, MSG_watch_says, &msg, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
}

static void expect_stopped(struct office *office, enum end_reason reason)
{
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_watch_stop, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.watch_stop.reason, reason);
	ipc_received_finish(&office->received);
}

static void expect_end(struct office *office, const char *why)
{
	struct audit_row row = office_audit_last(office, "session-watch-end");
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"why\":\"%s\"", why);
	if (!strstr(row.detail, wanted))
		fail_msg("%s, not %s", row.detail, wanted);
	assert_string_equal(row.account, "kansa");
	assert_string_equal(row.session, worker.id);
}

static bool given(struct office *office)
{
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_watch_control, OFFICE_WAIT_MS));
	bool yes = office->received.msg.watch_control.given == 1;
	ipc_received_finish(&office->received);
	return yes;
}

static void expect_refused(struct office *office, struct answer answer, unsigned status,
			   const char *code, const char *field)
{
	const char *got = answer_text(answer, "field");
	char wanted[64];

	assert_error(answer, status, code);
	assert_string_equal(got ? got : "", field);
	answer_finish(&answer);
	snprintf(wanted, sizeof(wanted), "\"error\":\"%s\"", code);
	assert_non_null(strstr(office_audit_last(office, "session-watch-refused").detail, wanted));
}

/* ---- who may ---------------------------------------------------------------------------- */

static void the_right_is_a_duty_and_a_column(void **state)
{
	const struct {
		int64_t role, watch;
		bool disabled;
		enum account_watch wanted;
	} rows[] = {
		{ ACCOUNT_STAFF, 2, false, ACCOUNT_WATCH_NO },
		{ ACCOUNT_ADMIN, 0, false, ACCOUNT_WATCH_NO },
		{ ACCOUNT_ADMIN, 1, false, ACCOUNT_WATCH_VIEW },
		{ ACCOUNT_AUDITOR, 2, false, ACCOUNT_WATCH_CONTROL },
		{ ACCOUNT_AUDITOR, 2, true, ACCOUNT_WATCH_NO },
		{ ACCOUNT_AUDITOR, 3, false, ACCOUNT_WATCH_NO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct account account = { .role = rows[i].role,
						 .watch = rows[i].watch,
						 .disabled = rows[i].disabled };

		assert_int_equal(watch_right(&account), rows[i].wanted);
	}
}

static void the_log_has_it_before_the_answer(void **state)
{
	struct office *office = *state;
	uint32_t number = look_on(office);
	struct audit_row row = office_audit_last(office, "session-watch");

	assert_int_equal(number != 0, 1);
	assert_string_equal(
		row.detail,
		"{\"may_control\":true,\"person\":\"sato\",\"purpose\":\"操作の確認\"}");
	assert_string_equal(row.account, "kansa");
	assert_string_equal(row.session, worker.id);
	assert_int_equal(row.host, office->host);
}

static void nothing_begins_that_is_not_in_the_log(void **state)
{
	struct office *office = *state;
	const char *code = vault_code(office, &auditor);
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	office_break_audit(office);
	answer = ask_watch(office, "操作の確認", code);
	assert_true(answer.status != 200);
	office_mend_audit(office);
	expect_refused(office, attach(office), 404, "not-found", "");
}

static void refusals(void **state)
{
	struct office *office = *state;

	expect_refused(office, ask_watch(office, "abc", "000000"), 400, "invalid", "purpose");
	set_watch(office, "kansa", ACCOUNT_WATCH_NO);
	expect_refused(office, ask_watch(office, "操作の確認", vault_code(office, &auditor)), 403,
		       "denied", "");
	expect_refused(office, attach(office), 403, "denied", "");
	expect_refused(office, ask_end(office, "操作の確認"), 403, "denied", "");
	set_watch(office, "kansa", ACCOUNT_WATCH_VIEW);
	expect_refused(office, attach(office), 404, "not-found", "");
	expect_refused(office, ask_watch(office, "操作の確認", "000000"), 401, "login", "");
	assert_non_null(
		strstr(office_audit_last(office, "login-failed").detail, "\"step\":\"watch\""));
	assert_int_equal(office_audit_count(office, "session-watch"), 0);
}

/* With the right and a good code: nobody supervises himself. */
static void nobody_looks_on_at_himself(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .live_watch = { .purpose = "操作の確認",
					       .code = vault_code(office, &auditor) } };

	memcpy(msg.live_watch.session, worker.session, WIRE_SESSION_ID);
	assert_ok(
		db_exec(office->db, "UPDATE account SET role = 2, watch = 2 WHERE name = 'sato'"));
	expect_refused(office, office_ask(office, MSG_live_watch, &msg), 403, "denied", "self");
	assert_int_equal(office_audit_count(office, "session-watch"), 0);
}

static void a_right_lost_between_asking_and_the_stream(void **state)
{
	struct office *office = *state;

	begin(office);
	set_watch(office, "kansa", ACCOUNT_WATCH_NO);
	expect_refused(office, attach(office), 403, "denied", "");
}

/* ---- until when ------------------------------------------------------------------------- */

static void a_stream_is_taken_once_and_soon(void **state)
{
	const struct msg_worker_pong pong = { 0 };
	struct office *office = *state;

	look_on(office);
	expect_refused(office, attach(office), 409, "used", "");
	says(office, 0, WATCH_LEFT, 0); /* of none */
	assert_int_equal(office_audit_count(office, "session-watch-end"), 0);
	begin(office); /* instead of the one before */
	expect_stopped(office, END_REPLACED);
	expect_end(office, "replaced");
	for (int i = 0; i < 7; i++) {
		/* A worker that is silent for so long would end the session first. */
		assert_ok(ipc_send(worker.fd, MSG_worker_pong, &pong, -1));
		for (int j = 0; j < 5; j++)
			assert_ok(loop_step(office->loop, 5));
		assert_int_equal(office_audit_count(office, "session-watch-end"), 1 + i / 6);
		office_pass(i < 5 ? 10000 : 15000);
	}
	expect_end(office, "not-taken");
	expect_refused(office, attach(office), 404, "not-found", "");
}

static void less_right_cuts_at_once(void **state)
{
	struct office *office = *state;

	look_on(office);
	ordered(office, "user set", "{\"name\":\"kansa\",\"watch\":\"control\"}");
	assert_int_equal(office_audit_count(office, "session-watch-end"), 0);
	ordered(office, "user set", "{\"name\":\"kansa\",\"watch\":\"view\"}");
	expect_stopped(office, END_REVOKED_ACCOUNT);
	expect_end(office, "revoked");
	assert_string_equal(office_audit_last(office, "account-watch").detail,
			    "{\"account\":\"kansa\",\"uid\":0,\"watch\":\"view\"}");
	refused(office, "user set", "{\"name\":\"sato\",\"watch\":\"view\"}", "invalid", "watch");
	refused(office, "user set", "{\"name\":\"kansa\",\"watch\":\"yes\"}", "invalid", "watch");
}

static void a_disabled_account_is_cut(void **state)
{
	struct office *office = *state;

	look_on(office);
	ordered(office, "user disable", "{\"name\":\"kansa\"}");
	expect_stopped(office, END_REVOKED_ACCOUNT);
	expect_end(office, "revoked");
}

/* Whatever it was that took the right away, a tick finds it. */
static void a_tick_finds_what_nobody_told(void **state)
{
	static const char *const ways[] = {
		"UPDATE account SET watch = 0 WHERE name = 'kansa'",
		"UPDATE login SET expires = 1 WHERE account <> 1",
		"UPDATE login SET used = 1 WHERE account <> 1",
		"UPDATE login SET locked = 1 WHERE account <> 1",
		"DELETE FROM login WHERE account <> 1",
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		set_watch(office, "kansa", ACCOUNT_WATCH_CONTROL);
		office_token(office, auditor.account, auditor.device, LOGIN_FULL, auditor.token);
		look_on(office);
		watch_tick(office->broker, clock_wall_s());
		assert_int_equal(office_audit_count(office, "session-watch-end"), (int64_t)i);
		assert_ok(db_exec(office->db, ways[i]));
		watch_tick(office->broker, clock_wall_s());
		expect_stopped(office, END_LOGOUT);
		expect_end(office, "login");
	}
}

static void the_session_takes_it_along(void **state)
{
	struct office *office = *state;

	look_on(office);
	monitor_says_exited(office, &worker);
	expect_end(office, "session");
}

static void a_broker_that_died_has_left_no_end(void **state)
{
	struct office *office = *state;

	look_on(office);
	office_restart(office);
	expect_end(office, "gateway");
	assert_int_equal(office_audit_count(office, "session-watch-end"), 1);
}

/* ---- taking over ------------------------------------------------------------------------ */

static void control_is_in_the_log_before_it_is_given(void **state)
{
	struct office *office = *state;
	uint32_t number = look_on(office);

	says(office, number, WATCH_ASKED, 0);
	assert_string_equal(office_audit_last(office, "control-asked").account, "kansa");
	says(office, number, WATCH_AGREED, 0);
	assert_string_equal(office_audit_last(office, "control-given").detail,
			    "{\"person\":\"sato\",\"why\":\"person\"}");
	assert_true(given(office));
	says(office, number, WATCH_LEFT, 0);
	assert_string_equal(office_audit_last(office, "control-ended").detail,
			    "{\"person\":\"sato\",\"why\":\"over\"}");
	expect_end(office, "left");
}

static void what_cannot_be_logged_is_not_given(void **state)
{
	struct office *office = *state;
	uint32_t number = look_on(office);

	office_break_audit(office);
	says(office, number, WATCH_AGREED, 0);
	assert_false(given(office));
	office_mend_audit(office);
}

static void who_may_only_look_gets_no_control(void **state)
{
	struct office *office = *state;
	uint32_t number = look_on(office);

	/* The worker's word alone gives it to nobody. */
	set_watch(office, "kansa", ACCOUNT_WATCH_VIEW);
	says(office, number, WATCH_AGREED, 0);
	assert_false(given(office));
	set_watch(office, "kansa", ACCOUNT_WATCH_CONTROL);
	worker_says(office, &worker, SESSION_DETACHED, 0, 0);
	says(office, number, WATCH_AGREED, 0);
	assert_false(given(office));
	assert_int_equal(office_audit_count(office, "control-given"), 0);
	assert_int_equal(office_audit_count(office, "control-refused"), 2);
}

static void nobody_fills_the_log(void **state)
{
	struct office *office = *state;
	uint32_t number = look_on(office);

	assert_ok(db_exec(office->db, "PRAGMA synchronous=OFF"));
	for (int i = 0; i < WATCH_SAYS + 1; i++)
		says(office, number, WATCH_ASKED, 0);
	expect_stopped(office, END_TERMINATED);
	expect_end(office, "amount");
	/* It is that one that ends, not the person's session. */
	shown(office, &worker, "active", "none");
	number = look_on(office);
	says(office, number, 77, 0);
	expect_end(office, "amount");
}

/* ---- ending ----------------------------------------------------------------------------- */

static void an_end_has_words(void **state)
{
	struct office *office = *state;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	union wire_any msg = { 0 };

	look_on(office);
	expect_refused(office, ask_end(office, "abc"), 400, "invalid", "reason");
	answer = ask_end(office, "退勤の時刻");
	assert_int_equal(answer.status, 200);
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_terminate,
				   OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.session_terminate.reason, END_ADMINISTRATOR);
	assert_non_null(strstr(office->received.msg.session_terminate.who, "退勤の時刻"));
	ipc_received_finish(&office->received);
	assert_string_equal(office_audit_last(office, "session-terminated").detail,
			    "{\"person\":\"sato\",\"reason\":\"退勤の時刻\"}");
	expect_end(office, "session");
	/* The person reads them, also when the broker has died meanwhile. */
	for (int i = 0; i < 2; i++) {
		memcpy(msg.session_show.session, worker.session, WIRE_SESSION_ID);
		answer_finish(&answer);
		answer = office_ask(office, MSG_session_show, &msg);
		assert_string_equal(answer_text(answer, "reason"), "administrator");
		assert_string_equal(answer_text(answer, "ended_words"), "退勤の時刻");
		if (i == 0)
			office_restart(office);
	}
}

/* The log must not blame an administrator on the word of a worker. */
static void a_worker_cannot_say_that_somebody_ended_it(void **state)
{
	struct office *office = *state;

	worker_says(office, &worker, SESSION_ENDED, END_ADMINISTRATOR, 0);
	shown(office, &worker, "ended", "crashed");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_is_a_duty_and_a_column),
		T(the_log_has_it_before_the_answer),
		T(nothing_begins_that_is_not_in_the_log),
		T(refusals),
		T(nobody_looks_on_at_himself),
		T(a_right_lost_between_asking_and_the_stream),
		T(a_stream_is_taken_once_and_soon),
		T(less_right_cuts_at_once),
		T(a_disabled_account_is_cut),
		T(a_tick_finds_what_nobody_told),
		T(the_session_takes_it_along),
		T(a_broker_that_died_has_left_no_end),
		T(control_is_in_the_log_before_it_is_given),
		T(what_cannot_be_logged_is_not_given),
		T(who_may_only_look_gets_no_control),
		T(nobody_fills_the_log),
		T(an_end_has_words),
		T(a_worker_cannot_say_that_somebody_ended_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
