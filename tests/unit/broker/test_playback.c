#include "unit/broker/rights.h"

#include <sys/socket.h>

#include "broker/quota.h"

static struct vault vault;

static int setup(void **state)
{
	office_setup(state);
	vault_setup(*state, &vault);
	return 0;
}

static int teardown(void **state)
{
	util_closep(&vault.fd);
	vault.fd = -1;
	return office_teardown(state);
}

static struct answer open_with(struct office *office, const char *purpose, const char *code)
{
	union wire_any msg = { .recording_open = { .purpose = purpose, .code = code } };

	memcpy(msg.recording_open.session, vault.session, sizeof(msg.recording_open.session));
	return office_ask_as(office, MSG_recording_open, &msg, AUDITOR_KEY, vault.token);
}

static uint32_t opened(struct office *office)
{
	_cleanup_answer_ struct answer answer =
		open_with(office, "月例の点検", vault_code(office, &vault));

	assert_int_equal(answer.status, 200);
	vault_hears(office, &vault, MSG_playback_open);
	return office->received.msg.playback_open.playback;
}

static struct answer attach(struct office *office)
{
	union wire_any msg = { 0 };

	memcpy(msg.recording_attach.session, vault.session, sizeof(msg.recording_attach.session));
	return office_ask_as(office, MSG_recording_attach, &msg, AUDITOR_KEY, vault.token);
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
	assert_string_equal(row.account, "kansa");
	assert_int_equal(row.device, vault.device);
	vault_hears_nothing(office, &vault);
}

/* ---- opening ---------------------------------------------------------------------------- */

static void the_vault_gets_the_file_and_what_the_log_says(void **state)
{
	struct office *office = *state;
	static const char hash[] = "000102030405060708090a0b0c0d0e0f"
				   "101112131415161718191a1b1c1d1e1f";
	char first[200], second[200], bytes[8] = "", wanted[96];
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	snprintf(first, sizeof(first), "{\"chunks\":3,\"size\":4,\"hash\":\"%s\",\"last\":false}",
		 hash);
	snprintf(second, sizeof(second),
		 "{\"chunks\":258,\"size\":5,\"hash\":\"%s\",\"last\":true}", hash);
	vault_mark(office, &vault, first);
	vault_mark(office, &vault, second);
	answer = open_with(office, "月例の点検", vault_code(office, &vault));
	assert_int_equal(answer.status, 200);
	snprintf(wanted, sizeof(wanted), "/api/recordings/%s/stream", vault.id);
	assert_string_equal(answer_text(answer, "stream"), wanted);
	/* Said in the log before the vault heard of it. */
	struct audit_row row = office_audit_last(office, "recording-open");
	assert_string_equal(row.detail, "{\"purpose\":\"月例の点検\"}");
	assert_string_equal(row.session, vault.id);
	assert_string_equal(row.account, "kansa");
	assert_int_equal(row.host, office->host);
	vault_hears(office, &vault, MSG_playback_open);
	const struct msg_playback_open *msg = &office->received.msg.playback_open;
	assert_memory_equal(msg->session, vault.session, WIRE_SESSION_ID);
	assert_int_equal(msg->live, 0);
	assert_int_equal(msg->seconds, 8 * 3600);
	assert_int_equal(msg->marks.len, 2 * 49);
	assert_memory_equal(msg->marks.data, "\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0\1\2\3", 20);
	assert_int_equal(msg->marks.data[48], 0);
	assert_memory_equal(msg->marks.data + 49, "\2\1\0\0\0\0\0\0\5", 9);
	assert_int_equal(msg->marks.data[97], 1);
	assert_int_equal(fcntl(office->received.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(read(office->received.fd, bytes, sizeof(bytes)), 5);
	assert_string_equal(bytes, "bytes");
	ipc_received_finish(&office->received);
}

static void what_cannot_be_read_in_the_log_contradicts(void **state)
{
	struct office *office = *state;

	vault_mark(office, &vault, "{\"cut\":true}");
	opened(office);
	assert_int_equal(office->received.msg.playback_open.marks.len, 49);
	ipc_received_finish(&office->received);
}

/* Somebody wrote into the database: the mark is not believed, but neither forgotten. */
static void a_mark_that_the_tree_does_not_have(void **state)
{
	static const char *const changes[] = {
		"UPDATE audit SET detail = replace(detail, '\"size\":4', '\"size\":5')"
		" WHERE event = 'recording-mark'",
		"UPDATE audit SET commitment = zeroblob(32) WHERE event = 'recording-mark'",
		"UPDATE audit_node SET hash = zeroblob(32) WHERE level = 0 AND idx ="
		" (SELECT seq - 1 FROM audit WHERE event = 'recording-mark')",
	};
	static const uint8_t nothing[49];
	struct office *office = *state;
	char detail[200];
	static unsigned turn;

	snprintf(detail, sizeof(detail),
		 "{\"chunks\":3,\"size\":4,\"hash\":\"%064d\",\"last\":true}", 7);
	vault_mark(office, &vault, detail);
	assert_ok(db_exec(office->db, "DROP TRIGGER audit_only_disposal"));
	assert_ok(db_exec(office->db, "DROP TRIGGER audit_node_no_update"));
	assert_ok(db_exec(office->db, changes[turn++]));
	opened(office);
	const struct bytes marks = office->received.msg.playback_open.marks;
	assert_int_equal(marks.len, sizeof(nothing));
	assert_memory_equal(marks.data, nothing, sizeof(nothing));
	ipc_received_finish(&office->received);
}

/* More marks than a message holds are thinned out; the last stays. */
static void a_very_long_recording(void **state)
{
	struct office *office = *state;
	char detail[200];

	assert_ok(db_exec(office->db, "PRAGMA synchronous=OFF"));
	for (int i = 1; i <= 2100; i++) {
		snprintf(detail, sizeof(detail),
			 "{\"chunks\":%d,\"size\":4,\"hash\":\"%064d\",\"last\":false}", i, 0);
		vault_mark(office, &vault, detail);
	}
	opened(office);
	const struct bytes marks = office->received.msg.playback_open.marks;
	uint64_t chunks, before = 0;
	assert_true(marks.len / 49 > 1000 && marks.len % 49 == 0);
	for (size_t at = 0; at < marks.len; at += 49, before = chunks) {
		memcpy(&chunks, marks.data + at, sizeof(chunks));
		assert_true(chunks > before);
	}
	assert_int_equal(before, 2100);
	ipc_received_finish(&office->received);
}

static void purposes(void **state)
{
	static const char *const bad[] = { "",        "abc",         "目的",
					   "    ",    "ab\nc",       "a\tbc",
					   "abc\x7f", "abc\xc2\x9b", "abc\xe2\x80\xae" };
	char text[4 * 257 + 1] = "";
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_refused(office, open_with(office, bad[i], vault_code(office, &vault)), 400,
			       "invalid", "purpose");
	for (int i = 0; i < 256; i++)
		strcat(text, "関");
	assert_int_equal(strlen(text), 768);
	struct answer answer = open_with(office, text, vault_code(office, &vault));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	vault_hears(office, &vault, MSG_playback_open);
	ipc_received_finish(&office->received);
	strcat(text, "x");
	expect_refused(office, open_with(office, text, vault_code(office, &vault)), 400, "invalid",
		       "purpose");
}

static void a_code_is_good_once(void **state)
{
	struct office *office = *state;
	char code[8];

	expect_refused(office, open_with(office, "月例の点検", "12345"), 401, "login", "");
	assert_int_equal(office_audit_count(office, "login-failed"), 1);
	assert_ok(db_exec(office->db, "UPDATE account SET failures = 0, next_try_ms = 0"));
	assert_ok(db_exec(office->db, "UPDATE device SET failures = 0, next_try_ms = 0"));
	opened(office);
	ipc_received_finish(&office->received);
	/* The count of the try was taken back. */
	_cleanup_query_ struct query query = { 0 };
	query_init(&query, office->db, "SELECT failures FROM account WHERE name = 'kansa'");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 0);
	query_finish(&query);
	query_init(&query, office->db, "SELECT totp_last FROM account WHERE name = 'kansa'");
	assert_ok(query_one(&query));
	assert_true(query_col_i64(&query, 0) > 0);
	snprintf(code, sizeof(code), "%s", vault_code(office, &vault));
	/* As if it had been used just now, for whatever. */
	assert_ok(db_exec(office->db, "UPDATE account SET totp_last = unixepoch() / 30 + 2"));
	expect_refused(office, open_with(office, "月例の点検", code), 401, "login", "");
	assert_int_equal(office_audit_count(office, "recording-open"), 1);
	/* And the next try too early. */
	assert_ok(
		db_exec(office->db, "UPDATE account SET next_try_ms = (unixepoch() + 60) * 1000"));
	struct answer answer = open_with(office, "月例の点検", vault_code(office, &vault));
	expect_refused(office, answer, 429, "throttled", "");
}

static void what_is_not_there(void **state)
{
	struct office *office = *state;
	char path[160];

	snprintf(path, sizeof(path), "%s/%s.skr", office->folder, vault.id);
	/* Emptied, and never anything but empty. */
	assert_int_equal(truncate(path, 0), 0);
	assert_ok(db_exec(office->db, "UPDATE recording SET chunks = 1"));
	expect_refused(office, open_with(office, "月例の点検", vault_code(office, &vault)), 404,
		       "not-found", "file");
	assert_ok(db_exec(office->db, "UPDATE recording SET chunks = 0"));
	expect_refused(office, open_with(office, "月例の点検", vault_code(office, &vault)), 404,
		       "not-found", "empty");
	assert_int_equal(unlink(path), 0);
	expect_refused(office, open_with(office, "月例の点検", vault_code(office, &vault)), 404,
		       "not-found", "file");
	/* Nothing else of that name either. */
	assert_int_equal(symlink("/etc/passwd", path), 0);
	struct answer answer = open_with(office, "月例の点検", vault_code(office, &vault));
	assert_true(answer.status >= 400);
	answer_finish(&answer);
	memset(vault.session, 9, sizeof(vault.session));
	util_hex(vault.session, sizeof(vault.session), vault.id);
	expect_refused(office, open_with(office, "月例の点検", vault_code(office, &vault)), 404,
		       "not-found", "");
	vault_record(office, &vault, 8, RECORDING_DISPOSED);
	expect_refused(office, open_with(office, "月例の点検", vault_code(office, &vault)), 410,
		       "expired", "");
}

/* The code is not used up for nothing. */
static void without_a_vault_that_is_open(void **state)
{
	struct office *office = *state;
	char code[8];

	snprintf(code, sizeof(code), "%s", vault_code(office, &vault));
	vault_says(office, &vault, VAULT_SEALED);
	expect_refused(office, open_with(office, "月例の点検", code), 423, "locked", "vault");
	vault_says(office, &vault, VAULT_EMPTY);
	expect_refused(office, open_with(office, "月例の点検", code), 409, "state", "vault");
	vault_link(office, &vault); /* has not said how it is */
	expect_refused(office, open_with(office, "月例の点検", code), 503, "unavailable", "vault");
	vault_says(office, &vault, VAULT_OPEN);
	struct answer answer = open_with(office, "月例の点検", code);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void what_cannot_be_recorded_is_not_opened(void **state)
{
	struct office *office = *state;
	const char *code = vault_code(office, &vault);

	office_break_audit(office);
	struct answer answer = open_with(office, "月例の点検", code);
	assert_true(answer.status >= 400);
	answer_finish(&answer);
	vault_hears_nothing(office, &vault);
	office_mend_audit(office);
	assert_int_equal(office_audit_count(office, "recording-open"), 0);
}

static void others_are_noted(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .recording_open = { .purpose = "好奇心から", .code = "000000" } };

	office_stop_time();
	memcpy(msg.recording_open.session, vault.session, sizeof(msg.recording_open.session));
	struct answer answer = office_ask(office, MSG_recording_open, &msg);
	assert_error(answer, 403, "denied");
	answer_finish(&answer);
	struct audit_row row = office_audit_last(office, "recording-refused");
	assert_string_equal(row.account, "sato");
	assert_string_equal(row.session, vault.id);
	/* Nobody fills the log with it. */
	for (int i = 1; i < QUOTA_RECORDINGS_PER_MINUTE + 5; i++) {
		answer = office_ask(office, MSG_recording_open, &msg);
		assert_int_equal(answer.status, i < QUOTA_RECORDINGS_PER_MINUTE ? 403 : 429);
		answer_finish(&answer);
	}
	assert_int_equal(office_audit_count(office, "recording-refused"),
			 QUOTA_RECORDINGS_PER_MINUTE);
	vault_hears_nothing(office, &vault);
}

/* ---- the stream and the end ------------------------------------------------------------- */

static void expect_closed(struct office *office, uint32_t number, const char *why)
{
	char wanted[64];

	vault_hears(office, &vault, MSG_playback_close);
	assert_int_equal(office->received.msg.playback_close.playback, number);
	ipc_received_finish(&office->received);
	assert_int_equal(office_audit_count(office, "recording-closed"), 0);
	assert_ok(ipc_send(vault.fd, MSG_playback_closed,
			   &(struct msg_playback_closed){ .playback = number, .chunks = 5 }, -1));
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	struct audit_row row = office_audit_last(office, "recording-closed");
	snprintf(wanted, sizeof(wanted), "\"why\":\"%s\"", why);
	assert_non_null(strstr(row.detail, wanted));
	assert_non_null(strstr(row.detail, "\"chunks\":5"));
	assert_string_equal(row.session, vault.id);
	assert_string_equal(row.account, "kansa");
	assert_null(office->broker->playbacks);
}

static void a_stream_once(void **state)
{
	struct office *office = *state;
	struct answer answer = attach(office);

	expect_refused(office, answer, 404, "not-found", "");
	uint32_t number = opened(office);
	ipc_received_finish(&office->received);
	answer = attach(office);
	assert_int_equal(answer.status, 200);
	assert_true(answer.fd >= 0);
	vault_hears(office, &vault, MSG_playback_viewer);
	assert_int_equal(office->received.msg.playback_viewer.playback, number);
	/* Both ends of one stream. */
	char byte = 0;
	assert_int_equal(send(office->received.fd, "x", 1, 0), 1);
	assert_int_equal(recv(answer.fd, &byte, 1, 0), 1);
	ipc_received_finish(&office->received);
	answer_finish(&answer);
	expect_refused(office, attach(office), 409, "used", "");
}

/* Another login of the same person has opened nothing. */
static void a_stream_is_for_its_login(void **state)
{
	struct office *office = *state;
	char other[LOGIN_TOKEN_TEXT + 1];
	union wire_any msg = { 0 };

	opened(office);
	ipc_received_finish(&office->received);
	memcpy(msg.recording_attach.session, vault.session, sizeof(msg.recording_attach.session));
	office_token(office, vault.account, vault.device, LOGIN_FULL, other);
	struct answer answer =
		office_ask_as(office, MSG_recording_attach, &msg, AUDITOR_KEY, other);
	expect_refused(office, answer, 404, "not-found", "");
}

static void it_must_be_taken_in_time(void **state)
{
	struct office *office = *state;
	uint32_t number = opened(office);

	ipc_received_finish(&office->received);
	office_pass(PLAYBACK_ATTACH_S * 1000 + 100);
	expect_closed(office, number, "not-taken");
	expect_refused(office, attach(office), 404, "not-found", "");
}

static void one_at_a_time(void **state)
{
	struct office *office = *state;
	uint32_t number = opened(office), next;

	ipc_received_finish(&office->received);
	struct answer answer = open_with(office, "もう一度", vault_code(office, &vault));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	vault_hears(office, &vault, MSG_playback_close);
	assert_int_equal(office->received.msg.playback_close.playback, number);
	ipc_received_finish(&office->received);
	vault_hears(office, &vault, MSG_playback_open);
	next = office->received.msg.playback_open.playback;
	ipc_received_finish(&office->received);
	assert_int_not_equal(next, number);
}

static void it_ends_with_the_right(void **state)
{
	static const struct {
		void (*take)(struct office *office, struct vault *vault);
		const char *why;
	} ways[] = {
		{ log_out, "logout" },        { disable, "revoked" },  { revoke_device, "revoked" },
		{ change_password, "login" }, { lock, "login" },       { leave_alone, "login" },
		{ become_staff, "login" },    { dispose, "disposed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		setup(state);
		uint32_t number = opened(*state);
		struct office *office = *state;

		ipc_received_finish(&office->received);
		ways[i].take(office, &vault);
		expect_closed(office, number, ways[i].why);
		teardown(state);
	}
}

/* As whoever moves the mouse on a desktop. */
static void who_looks_at_it_is_there(void **state)
{
	struct office *office = *state;
	uint32_t number = opened(office);

	ipc_received_finish(&office->received);
	assert_ok(ipc_send(vault.fd, MSG_playback_progress,
			   &(struct msg_playback_progress){ .playback = number, .chunks = 9 }, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_ok(db_exec(office->db, "UPDATE login SET used = used - 3000"));
	office_pass(SESSION_PING_S * 1000 + 100);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	_cleanup_query_ struct query query = { 0 };
	query_init(&query, office->db,
		   "SELECT unixepoch() - used < 60 FROM login ORDER BY id DESC");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 1);
	query_finish(&query);
	/* But not for long when nothing more is shown. */
	leave_alone(office, &vault);
	expect_closed(office, number, "login");
}

static void a_vault_that_dies_or_hangs(void **state)
{
	struct office *office = *state;

	opened(office);
	ipc_received_finish(&office->received);
	vault_link(office, &vault);
	assert_null(office->broker->playbacks);
	assert_non_null(
		strstr(office_audit_last(office, "recording-closed").detail, "\"why\":\"vault\""));
	vault_says(office, &vault, VAULT_OPEN);
	opened(office);
	ipc_received_finish(&office->received);
	log_out(office, &vault);
	vault_hears(office, &vault, MSG_playback_close);
	ipc_received_finish(&office->received);
	office_pass(PLAYBACK_CLOSE_S * 1000 + 100);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_null(office->broker->playbacks);
	assert_non_null(
		strstr(office_audit_last(office, "recording-closed").detail, "\"why\":\"logout\""));
}

static void a_vault_that_refuses(void **state)
{
	struct office *office = *state;
	uint32_t number = opened(office);

	ipc_received_finish(&office->received);
	assert_ok(ipc_send(vault.fd, MSG_playback_opened,
			   &(struct msg_playback_opened){ .playback = number, .error = ERR_FULL },
			   -1));
	expect_closed(office, number, "vault");
	/* What it says of others is nothing to us. */
	assert_ok(ipc_send(vault.fd, MSG_playback_closed,
			   &(struct msg_playback_closed){ .playback = 999 }, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_int_equal(office_audit_count(office, "recording-closed"), 1);
}

/* ---- the list --------------------------------------------------------------------------- */

static struct answer list(struct office *office, uint64_t before)
{
	union wire_any msg = { .recording_list = { .before = before } };

	return office_ask_as(office, MSG_recording_list, &msg, AUDITOR_KEY, vault.token);
}

static void what_there_is(void **state)
{
	struct office *office = *state;
	struct answer answer;
	const json_t *row;

	vault_record(office, &vault, 8, RECORDING_OPEN);
	answer = list(office, 0);
	assert_int_equal(answer.status, 200);
	assert_int_equal(json_array_size(json_object_get(answer.body, "recordings")), 2);
	assert_true(json_is_null(json_object_get(answer.body, "next")));
	row = json_array_get(json_object_get(answer.body, "recordings"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "id")), vault.id);
	assert_string_equal(json_string_value(json_object_get(row, "state")), "open");
	assert_true(json_is_null(json_object_get(row, "ended")));
	assert_in_range(json_integer_value(json_object_get(row, "seconds")), 3600, 3700);
	row = json_array_get(json_object_get(answer.body, "recordings"), 1);
	assert_string_equal(json_string_value(json_object_get(row, "person")), "sato");
	assert_string_equal(json_string_value(json_object_get(row, "full_name")), "sato 花子");
	assert_string_equal(json_string_value(json_object_get(row, "pc")), "経理PC");
	assert_string_equal(json_string_value(json_object_get(row, "device")), "laptop");
	assert_int_equal(json_integer_value(json_object_get(row, "seconds")), 3540);
	assert_int_equal(json_integer_value(json_object_get(row, "size")), 5);
	answer_finish(&answer);
	answer = list(office, 2);
	assert_int_equal(json_array_size(json_object_get(answer.body, "recordings")), 1);
	answer_finish(&answer);
	answer = list(office, UINT64_MAX);
	assert_error(answer, 400, "invalid");
	answer_finish(&answer);
}

/* Each page fits a message, and together they have every recording once. */
static void pages(void **state)
{
	enum { COUNT = 200 };
	struct office *office = *state;
	uint64_t before = 0;
	size_t rows = 0, pages = 0;

	assert_ok(db_exec(office->db, "PRAGMA synchronous=OFF"));
	assert_ok(db_exec(office->db, "UPDATE account SET full_name = "
				      "substr(hex(zeroblob(64)), 1, 128)"));
	assert_ok(
		db_exec(office->db, "UPDATE device SET name = substr(hex(zeroblob(64)), 1, 128)"));
	for (int i = 10; i < 10 + COUNT; i++)
		vault_record(office, &vault, (uint8_t)i, RECORDING_ENDED);
	do {
		_cleanup_answer_ struct answer answer = list(office, before);

		assert_int_equal(answer.status, 200);
		rows += json_array_size(json_object_get(answer.body, "recordings"));
		before = (uint64_t)answer_number(answer, "next");
		pages++;
	} while (before);
	assert_int_equal(rows, COUNT + 1);
	assert_true(pages > 1);
}

int main(void)
{
#define vault_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		vault_test(the_vault_gets_the_file_and_what_the_log_says),
		vault_test(what_cannot_be_read_in_the_log_contradicts),
		vault_test(a_mark_that_the_tree_does_not_have),
		vault_test(a_mark_that_the_tree_does_not_have),
		vault_test(a_mark_that_the_tree_does_not_have),
		vault_test(a_very_long_recording),
		vault_test(purposes),
		vault_test(a_code_is_good_once),
		vault_test(what_is_not_there),
		vault_test(without_a_vault_that_is_open),
		vault_test(what_cannot_be_recorded_is_not_opened),
		vault_test(others_are_noted),
		vault_test(a_stream_once),
		vault_test(a_stream_is_for_its_login),
		vault_test(it_must_be_taken_in_time),
		vault_test(one_at_a_time),
		cmocka_unit_test(it_ends_with_the_right),
		vault_test(who_looks_at_it_is_there),
		vault_test(a_vault_that_dies_or_hangs),
		vault_test(a_vault_that_refuses),
		vault_test(what_there_is),
		vault_test(pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
