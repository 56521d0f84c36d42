#include "unit/broker/recipients.h"
#include "unit/broker/vault.h"

#include <signal.h>
#include <sys/socket.h>

#include "broker/exporting.h"
#include "broker/retention.h"

static struct vault vault;
/* Our ends of what an exporter has, -1 while there is none. */
static struct exporter {
	uint32_t number;
	int control, source, sink;
} exporter;

static int setup(void **state)
{
	office_setup(state);
	vault_setup(*state, &vault);
	exporter = (struct exporter){ 0, -1, -1, -1 };
	return 0;
}

static void exporter_dies(void)
{
	int *const fds[] = { &exporter.control, &exporter.source, &exporter.sink };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		util_closep(fds[i]);
		*fds[i] = -1;
	}
}

static int teardown(void **state)
{
	exporter_dies();
	util_closep(&vault.fd);
	vault.fd = -1;
	return office_teardown(state);
}

static void settle(struct office *office)
{
	for (int i = 0; i < 6; i++)
		assert_ok(loop_step(office->loop, 3));
}

static struct answer ask(struct office *office, struct msg_recording_export order)
{
	union wire_any msg = { .recording_export = order };
	struct msg_recording_export *asked = &msg.recording_export;

	memcpy(asked->session, vault.session, sizeof(asked->session));
	if (!asked->purpose)
		asked->purpose = "顧客への提出";
	if (!asked->code)
		asked->code = vault_code(office, &vault);
	if (!asked->recipient)
		asked->recipient = good_pem();
	if (!asked->language)
		asked->language = "ja";
	return office_ask_as(office, MSG_recording_export, &msg, AUDITOR_KEY, vault.token);
}

static void monitor_hears(struct office *office, uint16_t id)
{
	assert_true(office_receive(office, office->monitor, WIRE_MONITOR, id, OFFICE_WAIT_MS));
}

static void exporter_hears(struct office *office, uint16_t id)
{
	assert_true(office_receive(office, exporter.control, WIRE_EXPORT, id, OFFICE_WAIT_MS));
}

/* The exporter is there and has heard what for; office->received is its export_start. */
static void exporter_starts(struct office *office)
{
	monitor_hears(office, MSG_export_spawn);
	exporter.number = office->received.msg.export_spawn.number;
	exporter.control = util_take_fd(&office->received.fd);
	ipc_received_finish(&office->received);
	exporter_hears(office, MSG_export_start);
}

static void ordered_export(struct office *office)
{
	struct answer answer = ask(office, (struct msg_recording_export){ 0 });

	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	exporter_starts(office);
	ipc_received_finish(&office->received);
	exporter_hears(office, MSG_export_source);
	exporter.source = util_take_fd(&office->received.fd);
	ipc_received_finish(&office->received);
}

static struct answer attach_as(struct office *office, const char *token)
{
	union wire_any msg = { 0 };

	memcpy(msg.recording_export_attach.session, vault.session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_recording_export_attach, &msg, AUDITOR_KEY, token);
}

/* The browser's end. */
static int attach(struct office *office)
{
	struct answer answer = attach_as(office, vault.token);
	int fd = util_take_fd(&answer.fd);

	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	exporter_hears(office, MSG_export_sink);
	exporter.sink = util_take_fd(&office->received.fd);
	ipc_received_finish(&office->received);
	return fd;
}

static void exporter_says(struct office *office, uint16_t id, const void *msg)
{
	assert_ok(ipc_send(exporter.control, id, msg, -1));
	settle(office);
}

static void exporter_exits(struct office *office, uint32_t status)
{
	const struct msg_export_exited msg = { .number = exporter.number, .status = status };

	exporter_dies();
	assert_ok(ipc_send(office->monitor, MSG_export_exited, &msg, -1));
	settle(office);
}

static void expect_not_killed(struct office *office)
{
	assert_err(ipc_receive(office->monitor, WIRE_BROKER, WIRE_MONITOR, &office->received),
		   ERR_UNAVAILABLE);
}

/* What the browser hears last. */
static enum export_error browser_hears_end(int fd)
{
	static struct ipc_received received;
	enum export_error error;

	while (!ipc_receive(fd, WIRE_EXPORT, WIRE_PLAYER, &received)) {
		if (received.type->id != MSG_export_end)
			continue;
		error = received.msg.export_end.error;
		assert_err(ipc_receive(fd, WIRE_EXPORT, WIRE_PLAYER, &received), ERR_CLOSED);
		return error;
	}
	fail_msg("the browser heard no end");
	return EXPORT_NONE;
}

static void expect_logged(struct office *office, const char *event, const char *part)
{
	struct audit_row row = office_audit_last(office, event);

	if (!strstr(row.detail, part))
		fail_msg("%s: no %s in %s", event, part, row.detail);
	assert_string_equal(row.session, vault.id);
	assert_string_equal(row.account, "kansa");
	assert_int_equal(row.device, vault.device);
	assert_int_equal(row.host, office->host);
}

/* Its end is in the log once, and nothing is left of it. */
static void expect_failed(struct office *office, const char *why)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"why\":\"%s\"", why);
	expect_logged(office, "recording-export-failed", wanted);
	assert_int_equal(office_audit_count(office, "recording-export-failed"), 1);
	assert_int_equal(office_audit_count(office, "recording-exported"), 0);
	assert_null(office->broker->exports);
}

/* ---- ordering --------------------------------------------------------------------------- */

static void everybody_gets_what_is_theirs(void **state)
{
	struct office *office = *state;
	const char *pem = good_pem();
	_cleanup_answer_ struct answer answer =
		ask(office,
		    (struct msg_recording_export){
			    .recipient = pem, .from_us = 5, .to_us = 7000000, .language = "en" });
	struct addressee recipient;
	char wanted[96], byte = 0;

	assert_int_equal(answer.status, 200);
	snprintf(wanted, sizeof(wanted), "/api/recordings/%s/export/stream", vault.id);
	assert_string_equal(answer_text(answer, "stream"), wanted);
	/* Said in the log before anybody heard of it. */
	addressee_init(&recipient);
	assert_ok(addressee_find(office->db, pem, clock_wall_s(), &recipient));
	expect_logged(office, "recording-export", "\"purpose\":\"顧客への提出\"");
	expect_logged(office, "recording-export", recipient.fingerprint);
	expect_logged(office, "recording-export", "\"subject\":\"CN=山田 太郎\"");
	expect_logged(office, "recording-export", "\"from_us\":5,");
	expect_logged(office, "recording-export", "\"to_us\":7000000");
	exporter_starts(office);
	const struct msg_export_start *start = &office->received.msg.export_start;
	assert_memory_equal(start->session, vault.session, WIRE_SESSION_ID);
	assert_int_equal(start->recipient.len, recipient.der.len);
	assert_memory_equal(start->recipient.data, recipient.der.data, recipient.der.len);
	assert_string_equal(start->auditor, "kansa 花子");
	assert_string_equal(start->purpose, "顧客への提出");
	assert_int_equal(start->from_us, 5);
	assert_int_equal(start->to_us, 7000000);
	assert_string_equal(start->lang, "en");
	assert_int_equal(start->unlogged, 0);
	ipc_received_finish(&office->received);
	addressee_finish(&recipient);
	vault_hears(office, &vault, MSG_playback_open);
	assert_int_equal(office->received.msg.playback_open.playback, exporter.number);
	assert_int_equal(office->received.msg.playback_open.seconds, 8 * 3600);
	ipc_received_finish(&office->received);
	vault_hears(office, &vault, MSG_playback_viewer);
	assert_int_equal(office->received.msg.playback_viewer.playback, exporter.number);
	_cleanup_close_ int vaults = util_take_fd(&office->received.fd);
	ipc_received_finish(&office->received);
	exporter_hears(office, MSG_export_source);
	assert_int_equal(send(office->received.fd, "x", 1, 0), 1);
	assert_int_equal(recv(vaults, &byte, 1, 0), 1);
	ipc_received_finish(&office->received);
	/* And the browser, with what the exporter makes. */
	_cleanup_close_ int browser = attach(office);
	assert_int_equal(send(exporter.sink, "y", 1, 0), 1);
	assert_int_equal(recv(browser, &byte, 1, 0), 1);
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
	struct audit_row row = office_audit_last(office, "recording-refused");
	assert_non_null(strstr(row.detail, wanted));
	assert_string_equal(row.session, vault.id);
	settle(office);
	expect_not_killed(office);
	assert_int_equal(office_audit_count(office, "recording-export"), 0);
}

/* None of them uses up the code. */
static void bad_orders(void **state)
{
	static char longer[4 * 257 + 1];
	static const struct {
		struct msg_recording_export order;
		const char *field;
	} bad[] = {
		{ { .purpose = "\u3000\u3000\u3000\u3000" }, "purpose" },
		{ { .purpose = "abc" }, "purpose" },
		{ { .purpose = longer }, "purpose" },
		{ { .from_us = 7, .to_us = 7 }, "to" },
		{ { .from_us = 8, .to_us = 7 }, "to" },
		{ { .to_us = UINT64_MAX }, "to" },
		{ { .from_us = UINT64_MAX }, "from" },
		{ { .language = "de" }, "language" },
		{ { .language = "" }, "language" },
		{ { .recipient = "" }, "recipient" },
		{ { .recipient = "no PEM" }, "recipient" },
	};
	struct office *office = *state;
	char code[8];

	for (int i = 0; i < 257; i++)
		strcat(longer, "関");
	snprintf(code, sizeof(code), "%s", vault_code(office, &vault));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct msg_recording_export order = bad[i].order;

		order.code = code;
		expect_refused(office, ask(office, order), 400, "invalid", bad[i].field);
	}
	expect_refused(
		office,
		ask(office, (struct msg_recording_export){ .code = code, .recipient = "77" }), 404,
		"not-found", "recipient");
	expect_refused(office,
		       ask(office,
			   (struct msg_recording_export){
				   .code = code,
				   .recipient = recipient_pem(&(struct wanted){ .bits = 1024 }) }),
		       422, "key", "recipient");
	expect_refused(office,
		       ask(office,
			   (struct msg_recording_export){
				   .code = code,
				   .recipient = recipient_pem(&(struct wanted){
					   "P-256", .from_s = -9, .until_s = -3 }) }),
		       410, "expired", "recipient");
	vault_says(office, &vault, VAULT_SEALED);
	expect_refused(office, ask(office, (struct msg_recording_export){ .code = code }), 423,
		       "locked", "vault");
	vault_says(office, &vault, VAULT_OPEN);
	struct answer answer = ask(office, (struct msg_recording_export){ .code = code });
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void what_is_not_there(void **state)
{
	struct office *office = *state;
	char path[160];

	snprintf(path, sizeof(path), "%s/%s.skr", office->folder, vault.id);
	assert_int_equal(unlink(path), 0);
	expect_refused(office, ask(office, (struct msg_recording_export){ 0 }), 404, "not-found",
		       "file");
	vault_record(office, &vault, 8, RECORDING_DISPOSED);
	expect_refused(office, ask(office, (struct msg_recording_export){ 0 }), 410, "expired", "");
	memset(vault.session, 9, sizeof(vault.session));
	util_hex(vault.session, sizeof(vault.session), vault.id);
	expect_refused(office, ask(office, (struct msg_recording_export){ 0 }), 404, "not-found",
		       "");
}

static void a_code_is_good_once(void **state)
{
	struct office *office = *state;
	char code[8];

	expect_refused(office, ask(office, (struct msg_recording_export){ .code = "12345" }), 401,
		       "login", "");
	assert_ok(db_exec(office->db, "UPDATE account SET failures = 0, next_try_ms = 0"));
	assert_ok(db_exec(office->db, "UPDATE device SET failures = 0, next_try_ms = 0"));
	snprintf(code, sizeof(code), "%s", vault_code(office, &vault));
	/* As if it had been used just now, for whatever. */
	assert_ok(db_exec(office->db, "UPDATE account SET totp_last = unixepoch() / 30 + 2"));
	expect_refused(office, ask(office, (struct msg_recording_export){ .code = code }), 401,
		       "login", "");
}

static void what_cannot_be_recorded_is_not_exported(void **state)
{
	struct office *office = *state;

	office_break_audit(office);
	struct answer answer = ask(office, (struct msg_recording_export){ 0 });
	assert_true(answer.status >= 400);
	answer_finish(&answer);
	settle(office);
	expect_not_killed(office);
	office_mend_audit(office);
	assert_null(office->broker->exports);
}

static void others_are_noted(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .recording_export = { .purpose = "好奇心から",
						     .code = "000000",
						     .recipient = "1",
						     .language = "ja" } };

	memcpy(msg.recording_export.session, vault.session, WIRE_SESSION_ID);
	struct answer answer = office_ask(office, MSG_recording_export, &msg);
	assert_error(answer, 403, "denied");
	answer_finish(&answer);
	struct audit_row row = office_audit_last(office, "recording-refused");
	assert_string_equal(row.account, "sato");
	assert_string_equal(row.session, vault.id);
}

static void no_more_than_there_is_room_for(void **state)
{
	struct office *office = *state;
	char code[8], other_token[LOGIN_TOKEN_TEXT + 1];
	union wire_any msg = { .recording_export = { .purpose = "顧客への提出",
						     .language = "ja" } };

	ordered_export(office);
	snprintf(code, sizeof(code), "%s", vault_code(office, &vault));
	struct answer answer = ask(office, (struct msg_recording_export){ .code = code });
	assert_error(answer, 409, "state");
	assert_string_equal(answer_text(answer, "field"), "export");
	answer_finish(&answer);
	/* Of two others one comes too late. */
	for (uint8_t i = 0; i < 2; i++) {
		char name[] = { 'k', 'a', (char)('1' + i), 0 };
		int64_t account = office_add_account(office, name, ACCOUNT_AUDITOR);
		int64_t device = office_add_device(office, account, (uint8_t)(50 + i));

		office_token(office, account, device, LOGIN_FULL, other_token);
		memcpy(msg.recording_export.session, vault.session, WIRE_SESSION_ID);
		msg.recording_export.code = vault_code(office, &vault);
		msg.recording_export.recipient = good_pem();
		answer = office_ask_as(office, MSG_recording_export, &msg, (uint8_t)(50 + i),
				       other_token);
		if (i == 0)
			assert_int_equal(answer.status, 200);
		else
			assert_error(answer, 503, "unavailable");
		answer_finish(&answer);
	}
	assert_int_equal(office_audit_count(office, "recording-export"), 2);
}

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

static void log_out(struct office *office)
{
	union wire_any msg = { 0 };
	struct answer answer = office_ask_as(office, MSG_logout, &msg, AUDITOR_KEY, vault.token);

	answer_finish(&answer);
}

static void disable(struct office *office)
{
	ordered(office, "user disable", "{\"name\": \"kansa\"}");
}

static void revoke_device(struct office *office)
{
	char text[32];

	snprintf(text, sizeof(text), "{\"id\": %lld}", (long long)vault.device);
	ordered(office, "device revoke", text);
}

static void lock(struct office *office)
{
	assert_ok(db_exec(office->db, "UPDATE login SET locked = 1"));
	office_pass(SESSION_PING_S * 1000 + 100);
}

static void leave_alone(struct office *office)
{
	assert_ok(db_exec(office->db, "UPDATE login SET used = used - 3600"));
	office_pass(SESSION_PING_S * 1000 + 100);
}

static void dispose(struct office *office)
{
	assert_ok(db_exec(office->db, "UPDATE recording SET state = 5, disposed_seq = 1"));
	retention_tick(office->broker);
}

static void become_staff(struct office *office)
{
	assert_ok(db_exec(office->db, "UPDATE account SET role = 1 WHERE name = 'kansa'"));
	office_pass(SESSION_PING_S * 1000 + 100);
}

static void wait_long(struct office *office)
{
	/* The login ends before. */
	assert_ok(db_exec(office->db, "UPDATE login SET expires = expires + 100000,"
				      " used = used + 100000"));
	office_pass(EXPORTING_LENGTH_S * 1000ULL + 100);
}

static void lose_vault(struct office *office)
{
	vault_link(office, &vault);
}

static void refuse_by_vault(struct office *office)
{
	settle(office);
	assert_ok(ipc_send(
		vault.fd, MSG_playback_opened,
		&(struct msg_playback_opened){ .playback = exporter.number, .error = ERR_LOCKED },
		-1));
}

static void it_ends_with_the_right(void **state)
{
	static const struct {
		void (*take)(struct office *office);
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
		ways[i].take(office);
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

/* ---- recipients ------------------------------------------------------------------------- */

static void to_whom(void **state)
{
	struct office *office = *state;
	union wire_any msg = { 0 };
	const struct wanted good = { .group = "P-256" };
	int64_t id = recipient_register(office, &good, AUDITOR_PERSON);
	int64_t revoked = recipient_register(office, &good, AUDITOR_PERSON);

	assert_ok(db_exec(office->db, "DELETE FROM auditor WHERE name = '監査 太郎'"));
	recipient_register(office, &good, AUDITOR_HOUSE);
	recipient_register(office, &(struct wanted){ "P-256", .from_s = -9, .until_s = -3 },
			   AUDITOR_PERSON);
	assert_ok(auditor_revoke(office->db, revoked, clock_wall_s()));
	_cleanup_answer_ struct answer answer =
		office_ask_as(office, MSG_auditor_list, &msg, AUDITOR_KEY, vault.token);
	assert_int_equal(answer.status, 200);
	const json_t *rows = json_object_get(answer.body, "auditors");
	assert_int_equal(json_array_size(rows), 1);
	const json_t *row = json_array_get(rows, 0);
	assert_int_equal(json_integer_value(json_object_get(row, "id")), id);
	assert_string_equal(json_string_value(json_object_get(row, "name")), "監査 花子");
	assert_string_equal(json_string_value(json_object_get(row, "kind")), "person");
	assert_int_equal(json_string_length(json_object_get(row, "fingerprint")), 64);
	assert_true(json_integer_value(json_object_get(row, "until")) > clock_wall_s());
}

int main(void)
{
#define export_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		export_test(everybody_gets_what_is_theirs),
		export_test(bad_orders),
		export_test(what_is_not_there),
		export_test(a_code_is_good_once),
		export_test(what_cannot_be_recorded_is_not_exported),
		export_test(others_are_noted),
		export_test(no_more_than_there_is_room_for),
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
		export_test(to_whom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
