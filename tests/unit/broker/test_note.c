/*
 * Notes at times of a recording: for who has it open, in the audit log, never changed.
 */
#include "unit/broker/vault.h"

#include "store/notes.h"
#include "store/retention.h"

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

/* ---- asking ----------------------------------------------------------------------------- */

static void open_recording(struct office *office)
{
	union wire_any open = { .recording_open = { .purpose = "月例の点検",
						    .code = vault_code(office, &vault) } },
		       attach = { 0 };

	memcpy(open.recording_open.session, vault.session, WIRE_SESSION_ID);
	memcpy(attach.recording_attach.session, vault.session, WIRE_SESSION_ID);
	struct answer answer =
		office_ask_as(office, MSG_recording_open, &open, AUDITOR_KEY, vault.token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	vault_hears(office, &vault, MSG_playback_open);
	ipc_received_finish(&office->received);
	answer = office_ask_as(office, MSG_recording_attach, &attach, AUDITOR_KEY, vault.token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	vault_hears(office, &vault, MSG_playback_viewer);
	ipc_received_finish(&office->received);
}

static struct answer add(struct office *office, uint64_t at, const char *text)
{
	union wire_any msg = { .note_add = { .at = at, .text = text } };

	memcpy(msg.note_add.session, vault.session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_note_add, &msg, AUDITOR_KEY, vault.token);
}

static struct answer withdraw(struct office *office, uint64_t note)
{
	union wire_any msg = { .note_withdraw = { .note = note } };

	memcpy(msg.note_withdraw.session, vault.session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_note_withdraw, &msg, AUDITOR_KEY, vault.token);
}

static struct answer list(struct office *office)
{
	union wire_any msg = { 0 };

	memcpy(msg.note_list.session, vault.session, WIRE_SESSION_ID);
	return office_ask_as(office, MSG_note_list, &msg, AUDITOR_KEY, vault.token);
}

/* The text of the note at this place in the list; "" when it was taken back. */
static void expect_listed(struct office *office, size_t at, size_t count, const char *text)
{
	_cleanup_answer_ struct answer answer = list(office);

	assert_int_equal(answer.status, 200);
	const json_t *notes = json_object_get(answer.body, "notes");
	assert_int_equal(json_array_size(notes), count);
	const json_t *note = json_array_get(notes, at);
	assert_string_equal(json_string_value(json_object_get(note, "text")), text);
	assert_true(json_is_true(json_object_get(note, "mine")));
	assert_int_equal(json_is_null(json_object_get(note, "withdrawn")), *text != '\0');
}

static void expect_error(struct answer answer, unsigned status, const char *code)
{
	assert_error(answer, status, code);
	answer_finish(&answer);
}

/* ---- tests ------------------------------------------------------------------------------ */

static void a_note_is_in_the_log(void **state)
{
	struct office *office = *state;

	open_recording(office);
	_cleanup_answer_ struct answer answer = add(office, 61000000, "\"要確認\": 15時の操作");
	assert_int_equal(answer.status, 201);
	int64_t id = json_integer_value(json_object_get(answer.body, "id"));
	struct audit_row row = office_audit_last(office, "recording-note");
	assert_string_equal(row.account, "kansa");
	assert_string_equal(row.session, vault.id);
	assert_int_equal(row.host, office->host);
	assert_non_null(strstr(row.detail, "\"at_us\":61000000"));
	assert_non_null(strstr(row.detail, "要確認"));
	answer_finish(&answer);
	answer = add(office, 5, "最初");
	assert_int_equal(answer.status, 201);
	expect_listed(office, 1, 2, "\"要確認\": 15時の操作");
	expect_listed(office, 0, 2, "最初");
	answer_finish(&answer);
	answer = withdraw(office, (uint64_t)id);
	assert_int_equal(answer.status, 200);
	row = office_audit_last(office, "recording-note-withdrawn");
	assert_string_equal(row.session, vault.id);
	assert_string_equal(row.account, "kansa");
	expect_listed(office, 1, 2, "");
	expect_error(withdraw(office, (uint64_t)id), 404, "not-found");
	expect_error(withdraw(office, 99), 404, "not-found");
}

/* What opening it allows ends with it. */
static void only_while_it_is_open(void **state)
{
	struct office *office = *state;

	expect_error(list(office), 409, "state");
	expect_error(add(office, 1, "要確認"), 409, "state");
	expect_error(withdraw(office, 1), 409, "state");
	struct audit_row row = office_audit_last(office, "recording-refused");
	assert_string_equal(row.session, vault.id);
	open_recording(office);
	struct answer answer = add(office, 1, "要確認");
	assert_int_equal(answer.status, 201);
	answer_finish(&answer);
	playback_dispose(office->broker, vault.session);
	expect_error(list(office), 409, "state");
	expect_error(add(office, 1, "要確認"), 409, "state");
}

static void another_auditors_words(void **state)
{
	struct office *office = *state;

	open_recording(office);
	struct answer answer = add(office, 1, "要確認");
	int64_t id = json_integer_value(json_object_get(answer.body, "id"));
	answer_finish(&answer);
	/* Another one of the same recording. */
	struct note_row note = { .id = id, .account = office->account };
	memcpy(note.session, vault.session, sizeof(note.session));
	assert_err(note_withdraw(office->db, &note, 1), ERR_NOT_FOUND);
	note.account = vault.account;
	note.session[0] ^= 1;
	assert_err(note_withdraw(office->db, &note, 1), ERR_NOT_FOUND);
	expect_listed(office, 0, 1, "要確認");
}

static void what_is_no_note(void **state)
{
	struct office *office = *state;
	char text[NOTE_TEXT_MAX + 1] = "";

	open_recording(office);
	for (size_t i = 0; i < 401; i++)
		strcat(text, "税");
	expect_error(add(office, 1, text), 400, "invalid");
	text[400 * strlen("税")] = '\0';
	struct answer answer = add(office, 1, text);
	assert_int_equal(answer.status, 201);
	answer_finish(&answer);
	expect_error(add(office, 1, "   "), 400, "invalid");
	expect_error(add(office, 1, "a\nb"), 400, "invalid");
	expect_error(add(office, 1, "\x1b[2J"), 400, "invalid");
	/* U+202E turns around what stands behind it, on the paper too. */
	expect_error(add(office, 1,
			 "a\xe2\x80\xae"
			 "b"),
		     400, "invalid");
}

static void a_recording_has_so_many(void **state)
{
	struct office *office = *state;
	struct note_row note = { .account = vault.account, .text = "要確認" };
	int64_t id;

	assert_ok(db_exec(office->db, "PRAGMA synchronous=OFF"));
	memcpy(note.session, vault.session, sizeof(note.session));
	for (int i = 0; i < NOTES_MAX; i++)
		assert_ok(note_add(office->db, &note, &id));
	open_recording(office);
	expect_error(add(office, 1, "もう一つ"), 507, "full");
	/* And all of them fit into an answer. */
	_cleanup_answer_ struct answer answer = list(office);
	assert_int_equal(json_array_size(json_object_get(answer.body, "notes")), NOTES_MAX);
}

/* Whatever writes into the database: a note is what it was, until its recording is gone. */
static void nobody_changes_one(void **state)
{
	static const char *const changes[] = {
		"DELETE FROM note",
		"UPDATE note SET text = 'x'",
		"UPDATE note SET text = ''",
		"UPDATE note SET at_us = 2",
		"UPDATE note SET account = account + 1",
		"UPDATE note SET created_ms = 2",
		"UPDATE note SET withdrawn_ms = 0",
	};
	struct office *office = *state;
	struct note_row note = { .account = vault.account, .at_us = 1, .text = "要確認" };
	struct recording_row recording;
	int64_t id;

	memcpy(note.session, vault.session, sizeof(note.session));
	assert_ok(note_add(office->db, &note, &id));
	note.id = id;
	assert_ok(note_withdraw(office->db, &note, 7));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		assert_int_not_equal(db_exec(office->db, changes[i]), OK);
	assert_ok(recording_row_get(office->db, vault.session, &recording));
	assert_ok(retention_dispose(office->db, recording.id, 9, 1));
	_cleanup_query_ struct query query = { 0 };
	struct note_row left;
	bool more;
	note_list(&query, office->db, vault.session);
	assert_ok(note_next(&query, &left, &more));
	assert_true(more);
	assert_string_equal(left.text, "");
	assert_int_equal(left.withdrawn_ms, 7);
}

#define note_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		note_test(a_note_is_in_the_log),    note_test(only_while_it_is_open),
		note_test(another_auditors_words),  note_test(what_is_no_note),
		note_test(a_recording_has_so_many), note_test(nobody_changes_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
