/*
 * The way of an export that was ordered: its stream, its end, and what ends it early.
 */
#include "unit/broker/exporter.h"
#include "unit/broker/rights.h"

/* ---- the stream ------------------------------------------------------------------------- */

static void a_stream_once_for_its_login(void **state)
{
	struct office *office = *state;
	char other[LOGIN_TOKEN_TEXT + 1];
	struct answer answer = attach_as(office, vault.token);

	assert_error(answer, 404, "not-found");
	answer_finish(&answer);
	ordered_export(office);
	office_token(office, vault.account, vault.device, LOGIN_FULL, other);
	answer = attach_as(office, other);
	assert_error(answer, 404, "not-found");
	answer_finish(&answer);
	_cleanup_close_ int browser = attach(office);
	answer = attach_as(office, vault.token);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	expect_logged(office, "recording-export", "purpose");
	assert_int_equal(office_audit_count(office, "recording-refused"), 3);
}

static void it_must_be_taken_in_time(void **state)
{
	struct office *office = *state;

	ordered_export(office);
	office_pass(EXPORTING_ATTACH_S * 1000 + 100);
	monitor_hears(office, MSG_export_kill);
	assert_int_equal(office->received.msg.export_kill.number, exporter.number);
	ipc_received_finish(&office->received);
	exporter_exits(office, SIGKILL);
	expect_failed(office, "not-taken");
}

/* ---- the end ---------------------------------------------------------------------------- */

static void a_whole_file(void **state)
{
	struct office *office = *state;
	const struct msg_export_progress progress = { .permille = 500, .bytes = 9 };
	const struct msg_export_done done = { .bytes = 4711, .sha256 = { 0xab, 0xcd } };

	ordered_export(office);
	assert_ok(ipc_send(vault.fd, MSG_playback_opened,
			   &(struct msg_playback_opened){ .playback = exporter.number,
							  .verdict = VERDICT_AMBER },
			   -1));
	_cleanup_close_ int browser = attach(office);
	exporter_says(office, MSG_export_progress, &progress);
	assert_ok(ipc_send(exporter.sink, MSG_export_end, &(struct msg_export_end){ 0 }, -1));
	exporter_says(office, MSG_export_done, &done);
	expect_logged(office, "recording-exported", "\"sha256\":\"abcd");
	expect_logged(office, "recording-exported", "\"bytes\":4711");
	expect_logged(office, "recording-exported", "\"verdict\":\"amber\"");
	vault_hears(office, &vault, MSG_playback_close);
	ipc_received_finish(&office->received);
	exporter_exits(office, 0);
	assert_null(office->broker->exports);
	assert_int_equal(browser_hears_end(browser), EXPORT_NONE);
	assert_int_equal(office_audit_count(office, "recording-exported"), 1);
	assert_int_equal(office_audit_count(office, "recording-export-failed"), 0);
}

static void what_the_exporter_says_went_wrong(void **state)
{
	struct office *office = *state;
	const struct msg_export_done done = { .error = EXPORT_SOURCE, .bytes = 5 };

	ordered_export(office);
	_cleanup_close_ int browser = attach(office);
	exporter_says(office, MSG_export_done, &done);
	/* Said twice, it counts once. */
	exporter_says(office, MSG_export_done, &(struct msg_export_done){ 0 });
	exporter_exits(office, 256);
	expect_failed(office, "source");
}

static void an_exporter_that_crashes(void **state)
{
	struct office *office = *state;

	ordered_export(office);
	_cleanup_close_ int browser = attach(office);
	exporter_exits(office, SIGSEGV);
	assert_int_equal(browser_hears_end(browser), EXPORT_CRASHED);
	expect_failed(office, "crashed");
}

static void one_that_could_not_start(void **state)
{
	struct office *office = *state;

	ordered_export(office);
	exporter_exits(office, UINT32_MAX);
	expect_failed(office, "crashed");
}

/* Not even a killed one says that it is gone: then the broker does not wait for ever. */
static void one_that_hangs(void **state)
{
	struct office *office = *state;

	ordered_export(office);
	_cleanup_close_ int browser = attach(office);
	exporting_cut(office->broker, vault.account, 0);
	office_pass(EXPORTING_END_S * 1000 + 100);
	settle(office);
	expect_failed(office, "revoked");
}

static void one_that_breaks_the_protocol(void **state)
{
	struct office *office = *state;

	ordered_export(office);
	assert_int_equal(send(exporter.control, "rubbish", 7, 0), 7);
	monitor_hears(office, MSG_export_kill);
	ipc_received_finish(&office->received);
	exporter_exits(office, SIGKILL);
	expect_failed(office, "crashed");
}

/* In each minute it may say more than it has to say, and no more than that. */
static void one_that_never_stops_talking(void **state)
{
	struct office *office = *state;
	const struct msg_export_progress progress = { .permille = 1 };

	office_stop_time();
	ordered_export(office);
	for (int i = 0; i < EXPORTING_WORDS_PER_MINUTE; i++) {
		assert_ok(ipc_send(exporter.control, MSG_export_progress, &progress, -1));
		assert_ok(loop_step(office->loop, 0));
	}
	settle(office);
	expect_not_killed(office);
	exporter_says(office, MSG_export_progress, &progress);
	monitor_hears(office, MSG_export_kill);
	ipc_received_finish(&office->received);
	exporter_exits(office, SIGKILL);
	expect_failed(office, "crashed");
}

static void a_browser_that_leaves(void **state)
{
	struct office *office = *state;
	const struct msg_export_done stopped = { .error = EXPORT_STOPPED };

	ordered_export(office);
	int browser = attach(office);
	util_closep(&browser);
	settle(office);
	exporter_says(office, MSG_export_done, &stopped);
	exporter_exits(office, 256);
	expect_failed(office, "cancelled");
}

/* It has everything: the exporter's last word comes after it has gone. */
static void a_browser_that_has_it_all(void **state)
{
	struct office *office = *state;

	ordered_export(office);
	int browser = attach(office);
	util_closep(&browser);
	settle(office);
	exporter_says(office, MSG_export_done, &(struct msg_export_done){ .bytes = 9 });
	exporter_exits(office, 0);
	assert_int_equal(office_audit_count(office, "recording-exported"), 1);
	assert_int_equal(office_audit_count(office, "recording-export-failed"), 0);
	assert_null(office->broker->exports);
}

/* An exporter that does not notice is ended. */
static void a_browser_that_leaves_a_busy_exporter(void **state)
{
	struct office *office = *state;

	ordered_export(office);
	int browser = attach(office);
	util_closep(&browser);
	settle(office);
	office_pass(EXPORTING_END_S * 1000 + 100);
	monitor_hears(office, MSG_export_kill);
	ipc_received_finish(&office->received);
	exporter_exits(office, SIGKILL);
	expect_failed(office, "cancelled");
}

/* What stands in the log is what the auditor has. */
static void a_right_that_ends_too_late(void **state)
{
	struct office *office = *state;

	ordered_export(office);
	_cleanup_close_ int browser = attach(office);
	assert_ok(ipc_send(exporter.control, MSG_export_done,
			   &(struct msg_export_done){ .bytes = 9 }, -1));
	exporting_cut(office->broker, vault.account, 0);
	exporter_exits(office, SIGKILL);
	assert_int_equal(office_audit_count(office, "recording-exported"), 1);
	assert_int_equal(office_audit_count(office, "recording-export-failed"), 0);
}

/* A browser that takes nothing hears it when it takes something again. */
static void a_slow_browser_hears_why(void **state)
{
	struct office *office = *state;
	char byte;

	ordered_export(office);
	_cleanup_close_ int browser = attach(office);
	while (send(exporter.sink, "z", 1, MSG_DONTWAIT) == 1)
		;
	exporting_cut(office->broker, vault.account, 0);
	exporter_exits(office, SIGKILL);
	assert_non_null(office->broker->exports);
	for (ssize_t got = 1; got == 1;)
		got = recv(browser, &byte, 1, MSG_DONTWAIT);
	settle(office);
	assert_int_equal(browser_hears_end(browser), EXPORT_RIGHT);
	expect_failed(office, "revoked");
}

/* ---- rights, and the vault -------------------------------------------------------------- */

static void wait_long(struct office *office, struct vault *unused)
{
	(void)unused;
	/* The login ends before. */
	assert_ok(db_exec(office->db, "UPDATE login SET expires = expires + 100000,"
				      " used = used + 100000"));
	office_pass(EXPORTING_LENGTH_S * 1000ULL + 100);
}

static void lose_vault(struct office *office, struct vault *lost)
{
	vault_link(office, lost);
}

static void refuse_by_vault(struct office *office, struct vault *refusing)
{
	settle(office);
	assert_ok(ipc_send(
		refusing->fd, MSG_playback_opened,
		&(struct msg_playback_opened){ .playback = exporter.number, .error = ERR_LOCKED },
		-1));
}

static void it_ends_with_the_right(void **state)
{
	static const struct {
		void (*take)(struct office *office, struct vault *vault);
		const char *why;
		enum export_error error;
	} ways[] = {
		{ log_out, "logout", EXPORT_LOGIN },
		{ disable, "revoked", EXPORT_RIGHT },
		{ revoke_device, "revoked", EXPORT_RIGHT },
		{ lock, "login", EXPORT_LOGIN },
		{ leave_alone, "login", EXPORT_LOGIN },
		{ become_staff, "login", EXPORT_LOGIN },
		{ dispose, "disposed", EXPORT_DISPOSED },
		{ wait_long, "length", EXPORT_LENGTH },
		{ lose_vault, "vault", EXPORT_VAULT },
		{ refuse_by_vault, "vault", EXPORT_VAULT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		setup(state);
		struct office *office = *state;

		ordered_export(office);
		int browser = attach(office);
		ways[i].take(office, &vault);
		monitor_hears(office, MSG_export_kill);
		/* At once, and not when it has been waited for. */
		assert_non_null(office->broker->exports);
		ipc_received_finish(&office->received);
		exporter_exits(office, SIGKILL);
		assert_int_equal(browser_hears_end(browser), ways[i].error);
		expect_failed(office, ways[i].why);
		close(browser);
		teardown(state);
	}
}

/* A program that works, and at a pace that a recording sets, shows nobody to be there. */
static void it_is_no_use_of_its_login(void **state)
{
	struct office *office = *state;
	char sql[96];

	ordered_export(office);
	_cleanup_close_ int browser = attach(office);
	snprintf(sql, sizeof(sql), "UPDATE login SET used = used - %lld",
		 (long long)(office->broker->policy.idle_s - 60));
	assert_ok(db_exec(office->db, sql));
	for (uint32_t i = 0; i < 2; i++) {
		exporter_says(office, MSG_export_progress,
			      &(struct msg_export_progress){ .permille = i, .bytes = i });
		office_pass(SESSION_PING_S * 1000 + 100);
		settle(office);
		expect_not_killed(office);
	}
	assert_ok(db_exec(office->db, "UPDATE login SET used = used - 60"));
	office_pass(SESSION_PING_S * 1000 + 100);
	monitor_hears(office, MSG_export_kill);
	ipc_received_finish(&office->received);
	exporter_exits(office, SIGKILL);
	assert_int_equal(browser_hears_end(browser), EXPORT_LOGIN);
	expect_failed(office, "login");
}

/* Playing is another thing, which goes on. */
static void it_leaves_playing_alone(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .recording_open = { .purpose = "月例の点検" } };

	memcpy(msg.recording_open.session, vault.session, WIRE_SESSION_ID);
	msg.recording_open.code = vault_code(office, &vault);
	struct answer answer =
		office_ask_as(office, MSG_recording_open, &msg, AUDITOR_KEY, vault.token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	ordered_export(office);
	assert_non_null(office->broker->playbacks);
	exporter_exits(office, SIGKILL);
	assert_non_null(office->broker->playbacks);
	assert_int_equal(office_audit_count(office, "recording-closed"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		export_test(a_stream_once_for_its_login),
		export_test(it_must_be_taken_in_time),
		export_test(a_whole_file),
		export_test(what_the_exporter_says_went_wrong),
		export_test(an_exporter_that_crashes),
		export_test(one_that_could_not_start),
		export_test(one_that_hangs),
		export_test(one_that_breaks_the_protocol),
		export_test(one_that_never_stops_talking),
		export_test(a_browser_that_leaves),
		export_test(a_browser_that_has_it_all),
		export_test(a_browser_that_leaves_a_busy_exporter),
		export_test(a_right_that_ends_too_late),
		export_test(a_slow_browser_hears_why),
		cmocka_unit_test(it_ends_with_the_right),
		export_test(it_is_no_use_of_its_login),
		export_test(it_leaves_playing_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
