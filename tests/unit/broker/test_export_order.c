/*
 * Who may have a recording exported, of what, to whom; and what is refused.
 */
#include "unit/broker/exporter.h"

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
	const struct CMUnitTest tests[] = {
		export_test(everybody_gets_what_is_theirs),
		export_test(bad_orders),
		export_test(what_is_not_there),
		export_test(a_code_is_good_once),
		export_test(what_cannot_be_recorded_is_not_exported),
		export_test(others_are_noted),
		export_test(no_more_than_there_is_room_for),
		export_test(to_whom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
