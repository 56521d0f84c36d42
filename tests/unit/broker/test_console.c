#include "unit/broker/worker.h"

#include "broker/quota.h"
#include "store/audit_rows.h"

/* An auditor beside the office's person, who has had a session. */
struct console {
	struct office *office;
	char token[LOGIN_TOKEN_TEXT + 1];
	struct worker worker;
};

static struct console console_of(struct office *office)
{
	struct console console = { .office = office };
	int64_t account = office_add_account(office, "kansa", ACCOUNT_AUDITOR),
		device = office_add_device(office, account, 4);
	union wire_any msg = open_request(office->host);
	struct answer answer;

	msg.session_open.client = "山田商店";
	console.worker = open_until_start(office, &msg, 1, office->token);
	ipc_received_finish(&office->received);
	answer = office_answer(office);
	assert_int_equal(answer.status, 201);
	answer_finish(&answer);
	office_token(office, account, device, LOGIN_FULL, console.token);
	return console;
}

static struct answer ask(struct console *console, uint16_t id, union wire_any *msg)
{
	return office_ask_as(console->office, id, msg, 4, console->token);
}

static void finish(struct console *console)
{
	close(console->worker.fd);
}

static const union wire_any all_sessions = {
	.audit_sessions = { .person = "", .pc = "", .client = "", .event = "" }
};

static json_t *row_of(const struct answer *answer, size_t at)
{
	return json_array_get(json_object_get(answer->body, "rows"), at);
}

static const char *text_of(json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

static void who_is_there_and_who_was(void **state)
{
	struct console console = console_of(*state);
	union wire_any msg = all_sessions;
	struct answer answer = ask(&console, MSG_audit_live, &msg);

	assert_int_equal(answer.status, 200);
	assert_int_equal(json_array_size(json_object_get(answer.body, "rows")), 1);
	assert_string_equal(text_of(row_of(&answer, 0), "id"), console.worker.id);
	assert_string_equal(text_of(row_of(&answer, 0), "client"), "山田商店");
	assert_string_equal(text_of(row_of(&answer, 0), "recording"), "open");
	assert_true(json_is_null(json_object_get(answer.body, "next")));
	answer_finish(&answer);
	answer = ask(&console, MSG_audit_sessions, &msg);
	assert_int_equal(json_array_size(json_object_get(answer.body, "rows")), 0);
	answer_finish(&answer);
	worker_says(console.office, &console.worker, SESSION_ENDED, END_PC_CLOSED, 0);
	monitor_says_exited(console.office, &console.worker);
	answer = ask(&console, MSG_audit_sessions, &msg);
	assert_string_equal(text_of(row_of(&answer, 0), "reason"), "pc-closed");
	assert_string_equal(text_of(row_of(&answer, 0), "person"), "sato");
	answer_finish(&answer);
	msg.audit_sessions.client = "鈴木";
	answer = ask(&console, MSG_audit_sessions, &msg);
	assert_int_equal(json_array_size(json_object_get(answer.body, "rows")), 0);
	answer_finish(&answer);
	msg.audit_sessions.from = UINT64_MAX;
	answer = ask(&console, MSG_audit_sessions, &msg);
	assert_error(answer, 400, "invalid");
	answer_finish(&answer);
	finish(&console);
}

static void entries_name_the_session(void **state)
{
	struct console console = console_of(*state);
	union wire_any msg = { .audit_entries = {
				       .list = "everything", .person = "", .event = "" } };
	struct answer answer = ask(&console, MSG_audit_entries, &msg);

	assert_error(answer, 400, "invalid");
	answer_finish(&answer);
	memset(&msg, 0, sizeof(msg));
	memcpy(msg.audit_session.session, console.worker.session, WIRE_SESSION_ID);
	answer = ask(&console, MSG_audit_session, &msg);
	assert_string_equal(text_of(row_of(&answer, 0), "event"), "session-open");
	assert_string_equal(text_of(json_object_get(row_of(&answer, 0), "of"), "person"), "sato");
	assert_string_equal(text_of(json_object_get(row_of(&answer, 0), "detail"), "client"),
			    "山田商店");
	answer_finish(&answer);
	finish(&console);
}

static size_t entries_of(struct office *office, const char *event, char *ret_detail)
{
	_cleanup_query_ struct query query = { 0 };
	size_t count = 0;
	bool more;

	query_init(&query, office->db, "SELECT detail FROM audit WHERE event = ?");
	query_str(&query, event);
	for (;; count++) {
		assert_ok(query_next(&query, &more));
		if (!more)
			return count;
		query_col_str(&query, 0, ret_detail, AUDIT_DETAIL_MAX + 1);
	}
}

static void what_leaves_is_written_down(void **state)
{
	struct console console = console_of(*state);
	union wire_any msg = { .audit_report = { .list = "report",
						 .form = "print",
						 .person = "sato",
						 .pc = "",
						 .from = 1000,
						 .to = 2000 } };
	char detail[AUDIT_DETAIL_MAX + 1];
	struct answer answer = ask(&console, MSG_audit_report, &msg);

	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "gateway"), "localhost");
	assert_int_equal(entries_of(console.office, "audit-report", detail), 1);
	assert_non_null(strstr(detail, "\"person\":\"sato\""));
	answer_finish(&answer);
	msg.audit_report.form = "film";
	answer = ask(&console, MSG_audit_report, &msg);
	assert_error(answer, 400, "invalid");
	assert_string_equal(answer_text(answer, "field"), "form");
	answer_finish(&answer);
	msg.audit_report.form = "csv";
	msg.audit_report.list = "nothing";
	answer = ask(&console, MSG_audit_report, &msg);
	assert_string_equal(answer_text(answer, "field"), "list");
	answer_finish(&answer);
	assert_int_equal(entries_of(console.office, "audit-report", detail), 1);
	/* Who may not is written down too, but not without an end. */
	office_stop_time();
	for (int i = 0; i < QUOTA_CONSOLES_PER_MINUTE + 5; i++) {
		answer = office_ask(console.office, MSG_audit_report, &msg);
		assert_int_equal(answer.status, i < QUOTA_CONSOLES_PER_MINUTE ? 403 : 429);
		answer_finish(&answer);
	}
	assert_int_equal(entries_of(console.office, "audit-refused", detail),
			 QUOTA_CONSOLES_PER_MINUTE);
	finish(&console);
}

/* What does not fit into the answer is not left out without a word. */
static void choices_that_are_too_many_are_said(void **state)
{
	struct console console = console_of(*state);
	union wire_any msg = { 0 };
	struct answer answer;

	assert_ok(db_exec(
		console.office->db,
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
		" INSERT INTO account (name, full_name, role, password, totp, created) SELECT"
		" 'person' || i, 'Person ' || i, 1, 'x', x'00', 0 FROM n"));
	answer = ask(&console, MSG_audit_choices, &msg);
	assert_int_equal(answer.status, 200);
	assert_true(json_is_true(json_object_get(answer.body, "more")));
	assert_in_range(json_array_size(json_object_get(answer.body, "people")), 100, 900);
	answer_finish(&answer);
	finish(&console);
}

static void filters_are_kept(void **state)
{
	struct console console = console_of(*state);
	union wire_any msg = { .audit_filter_save = { .name = "夜間", .query = "list=sessions" } };
	struct answer answer = ask(&console, MSG_audit_filter_save, &msg);
	json_t *filter;
	uint64_t id;

	assert_int_equal(answer.status, 200);
	id = (uint64_t)json_integer_value(json_object_get(answer.body, "id"));
	answer_finish(&answer);
	msg.audit_filter_save.name = "a\nb";
	answer = ask(&console, MSG_audit_filter_save, &msg);
	assert_string_equal(answer_text(answer, "field"), "name");
	answer_finish(&answer);
	memset(&msg, 0, sizeof(msg));
	answer = ask(&console, MSG_audit_choices, &msg);
	filter = json_array_get(json_object_get(answer.body, "filters"), 0);
	assert_string_equal(text_of(filter, "name"), "夜間");
	assert_int_equal(json_array_size(json_object_get(answer.body, "people")), 2);
	assert_int_equal(json_array_size(json_object_get(answer.body, "pcs")), 1);
	assert_true(json_is_false(json_object_get(answer.body, "more")));
	answer_finish(&answer);
	msg.audit_filter_remove.filter = id;
	answer = ask(&console, MSG_audit_filter_remove, &msg);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	answer = ask(&console, MSG_audit_filter_remove, &msg);
	assert_error(answer, 404, "not-found");
	answer_finish(&answer);
	finish(&console);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(who_is_there_and_who_was),
		office_test(entries_name_the_session),
		office_test(what_leaves_is_written_down),
		office_test(choices_that_are_too_many_are_said),
		office_test(filters_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
