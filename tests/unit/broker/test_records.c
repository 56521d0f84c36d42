#include "unit/broker/vault.h"
#include "unit/broker/worker.h"

#include "broker/quota.h"
#include "broker/records.h"
#include "store/records.h"

static struct vault vault;

/* sato uses records; the test is the vault. */
static int setup(void **state)
{
	struct office *office;

	office_setup(state);
	office = *state;
	vault = (struct vault){ .fd = -1 };
	assert_ok(db_exec(office->db, "UPDATE account SET duty = 1 WHERE name = 'sato'"));
	vault_link(office, &vault);
	vault_says(office, &vault, VAULT_OPEN);
	vault_hears(office, &vault, MSG_record_floor);
	return 0;
}

static int teardown(void **state)
{
	util_closep(&vault.fd);
	vault.fd = -1;
	return office_teardown(state);
}

static void send(struct office *office, unsigned op, const char *body)
{
	union wire_any msg = {
		.record_ask = { .op = (uint16_t)op,
				.body = { (const uint8_t *)body, strlen(body) } },
	};

	office_send(office, MSG_record_ask, &msg, 1, office->token);
}

/* The number under which the vault was asked. */
static uint32_t vault_asked(struct office *office, unsigned op, const char *body)
{
	send(office, op, body);
	vault_hears(office, &vault, MSG_record_order);
	const struct msg_record_order *order = &office->received.msg.record_order;
	assert_int_equal(order->op, op);
	assert_int_equal(order->account, office->account);
	assert_int_equal(order->duty, DUTY_USE);
	return order->request;
}

static void holds(uint32_t request, uint64_t record, const char *detail)
{
	const struct msg_record_hold msg = {
		.request = request,
		.record = record,
		.detail = { (const uint8_t *)detail, strlen(detail) },
	};

	assert_ok(ipc_send(vault.fd, MSG_record_hold, &msg, -1));
}

static void answers(uint32_t request, enum err error, uint64_t counter, const char *body)
{
	const struct msg_record_answer msg = {
		.request = request,
		.error = (uint8_t)error,
		.field = "",
		.counter = counter,
		.body = { (const uint8_t *)body, strlen(body) },
	};

	assert_ok(ipc_send(vault.fd, MSG_record_answer, &msg, -1));
}

static void expect(struct office *office, unsigned status, const char *error)
{
	_cleanup_answer_ struct answer answer = office_answer(office);
	const char *got = answer_text(answer, "error");

	assert_int_equal(answer.status, status);
	assert_string_equal(got ? got : "", error);
}

static const char *code_of(struct office *office)
{
	static char code[8];

	assert_ok(db_exec(office->db, "UPDATE account SET totp_last = 0"));
	assert_int_equal(oath_totp_generate(secret_text(office->totp), secret_len(office->totp),
					    (time_t)clock_wall_s(), TOTP_STEP_S,
					    OATH_TOTP_DEFAULT_START_TIME, TOTP_DIGITS, code),
			 OATH_OK);
	return code;
}

/* ---- the way ---------------------------------------------------------------------------- */

static void the_entry_comes_before_the_order_to_go_on(void **state)
{
	struct office *office = *state;
	uint32_t request = vault_asked(office, OP_record_show, "{\"record\":7}");

	assert_int_equal(office_audit_count(office, "record-show"), 0);
	holds(request, 7, "{\"what\":3}");
	vault_hears(office, &vault, MSG_record_go);
	struct audit_row row = office_audit_last(office, "record-show");
	assert_int_equal(office->received.msg.record_go.request, request);
	assert_int_equal(office->received.msg.record_go.seq, row.seq);
	assert_string_equal(row.account, "sato");
	assert_non_null(strstr(row.detail, "\"record\":7"));
	assert_non_null(strstr(row.detail, "\"what\":3"));
	answers(request, OK, 1, "{\"id\":7}");
	_cleanup_answer_ struct answer answer = office_answer(office);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer_number(answer, "id"), 7);
}

static void what_the_log_does_not_have_does_not_leave(void **state)
{
	struct office *office = *state;
	uint32_t request = vault_asked(office, OP_record_show, "{}");

	/* A vault that answers without having been let. */
	answers(request, OK, 1, "{\"id\":7}");
	expect(office, 502, "protocol");
	request = vault_asked(office, OP_record_show, "{}");
	office_break_audit(office);
	holds(request, 7, "{}");
	vault_hears(office, &vault, MSG_record_cancel);
	_cleanup_answer_ struct answer answer = office_answer(office);
	assert_true(answer.status >= 400);
	vault_hears_nothing(office, &vault);
}

static void is_about(uint32_t request, const uint64_t *records, size_t count)
{
	const struct msg_record_about msg = {
		.request = request,
		.records = { (const uint8_t *)records, count * sizeof(*records) },
	};

	assert_ok(ipc_send(vault.fd, MSG_record_about, &msg, -1));
}

/* The history of each of them has it. */
static void an_entry_is_about_many(void **state)
{
	static const uint64_t wrong[][2] = { { 8, 0 }, { UINT64_MAX, 8 } };
	struct office *office = *state;
	_cleanup_query_ struct query query = { 0 };
	uint64_t many[4096];
	uint32_t request = vault_asked(office, OP_record_show, "{}");

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = 100 + i;
	for (int i = 0; i < 4; i++)
		is_about(request, many, ARRAY_SIZE(many));
	holds(request, 7, "{}");
	vault_hears(office, &vault, MSG_record_go);
	query_init(&query, office->db, "SELECT count(*) FROM record_entry WHERE seq = ?");
	query_i64(&query, office_audit_last(office, "record-show").seq);
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 1 + ARRAY_SIZE(many));
	/* And what it has made. */
	is_about(request, (const uint64_t[]){ 9001, 9002 }, 2);
	is_about(request, wrong[0], 2);
	answers(request, OK, 1, "{}");
	expect(office, 200, "");
	query_finish(&query);
	query_init(&query, office->db, "SELECT count(*) FROM record_entry WHERE seq = ?");
	query_i64(&query, office_audit_last(office, "record-show").seq);
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 3 + ARRAY_SIZE(many));
	for (size_t i = 0; i <= ARRAY_SIZE(wrong); i++) {
		request = vault_asked(office, OP_record_show, "{}");
		if (i < ARRAY_SIZE(wrong))
			is_about(request, wrong[i], 2);
		for (int k = 0; i == ARRAY_SIZE(wrong) && k < 5; k++)
			is_about(request, many, ARRAY_SIZE(many)); /* more than there may be */
		vault_hears(office, &vault, MSG_record_cancel);
		expect(office, 502, "protocol");
	}
	assert_int_equal(office_audit_count(office, "record-show"), 1);
}

static void a_detail_that_is_none(void **state)
{
	struct office *office = *state;
	uint32_t request = vault_asked(office, OP_record_show, "{}");

	holds(request, 7, "[1]");
	vault_hears(office, &vault, MSG_record_cancel);
	expect(office, 502, "protocol");
	assert_int_equal(office_audit_count(office, "record-show"), 0);
}

static void a_code_goes_no_farther(void **state)
{
	struct office *office = *state;
	char body[100];
	uint32_t request;

	send(office, OP_record_reveal, "{\"record\":7}");
	expect(office, 400, "invalid");
	snprintf(body, sizeof(body), "{\"record\":7,\"code\":\"%s\"}", code_of(office));
	for (int i = 0; i < 2; i++) {
		request = vault_asked(office, OP_record_reveal, body);
		const struct bytes got = office->received.msg.record_order.body;
		assert_int_equal(got.len, strlen("{\"record\":7}"));
		assert_memory_equal(got.data, "{\"record\":7}", got.len);
		holds(request, 7, "{}");
		/* Good once. */
		vault_hears(office, &vault, i == 0 ? MSG_record_go : MSG_record_cancel);
		if (i == 0)
			answers(request, OK, 1, "{}");
		expect(office, i == 0 ? 200 : 401, i == 0 ? "" : "login");
	}
	assert_int_equal(office_audit_count(office, "record-reveal"), 1);
	assert_int_equal(office_audit_count(office, "record-refused"), 1);
}

/* Also into the recording of what is on the screen beside it, or not at all. */
static void a_number_is_marked_before_it_is_shown(void **state)
{
	static const char event[] = "{\"event\":\"vault-reveal\",\"record\":7}";
	struct office *office = *state;
	struct worker worker = open_session(office);
	char body[100];
	uint32_t request;

	worker_says(office, &worker, SESSION_CONNECTING, 0, 0);
	worker_says(office, &worker, SESSION_ACTIVE, 0, 1);
	snprintf(body, sizeof(body), "{\"record\":7,\"code\":\"%s\"}", code_of(office));
	request = vault_asked(office, OP_record_reveal, body);
	holds(request, 7, "{}");
	vault_hears(office, &vault, MSG_record_go);
	assert_true(office_receive(office, worker.fd, WIRE_WORKER, MSG_session_mark, 0));
	assert_string_equal(office->received.msg.session_mark.event, event);
	ipc_received_finish(&office->received);
	answers(request, OK, 1, "{}");
	expect(office, 200, "");
	/* A worker that hangs. */
	while (!session_mark(office->broker, office->account, event))
		;
	snprintf(body, sizeof(body), "{\"record\":7,\"code\":\"%s\"}", code_of(office));
	request = vault_asked(office, OP_record_reveal, body);
	holds(request, 7, "{}");
	vault_hears(office, &vault, MSG_record_cancel);
	expect(office, 503, "unavailable");
	vault_hears_nothing(office, &vault);
	assert_int_equal(office_audit_count(office, "record-failed"), 1);
	monitor_says_exited(office, &worker);
}

/* ---- rights ----------------------------------------------------------------------------- */

static void a_duty_that_is_gone_stops_what_waits(void **state)
{
	struct office *office = *state;
	uint32_t request = vault_asked(office, OP_record_show, "{}");

	/* Taken away without a word; what waits is looked at again. */
	assert_ok(db_exec(office->db, "UPDATE account SET duty = 0 WHERE name = 'sato'"));
	holds(request, 7, "{}");
	vault_hears(office, &vault, MSG_record_cancel);
	expect(office, 403, "denied");
	assert_ok(db_exec(office->db, "UPDATE account SET duty = 1 WHERE name = 'sato'"));
	/* And by the order: at once, whatever the vault says then. */
	request = vault_asked(office, OP_record_show, "{}");
	holds(request, 7, "{}");
	vault_hears(office, &vault, MSG_record_go);
	records_cut(office->broker, office->account, 0);
	expect(office, 403, "denied");
	answers(request, OK, 1, "{\"id\":7}");
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 2));
	assert_null(office->broker->asks);
}

static void a_browser_that_has_gone(void **state)
{
	struct office *office = *state;
	uint32_t request = vault_asked(office, OP_record_show, "{}");
	struct msg_record_ask_gone gone = { .request = office->request };

	assert_ok(ipc_send(office->edge, MSG_record_ask_gone, &gone, -1));
	vault_hears(office, &vault, MSG_record_cancel);
	assert_int_equal(office->received.msg.record_cancel.request, request);
	holds(request, 7, "{}");
	vault_hears_nothing(office, &vault);
	assert_int_equal(office_audit_count(office, "record-show"), 0);
	/* What the audit log has is seen to its end. */
	request = vault_asked(office, OP_record_show, "{}");
	gone.request = office->request;
	holds(request, 7, "{}");
	vault_hears(office, &vault, MSG_record_go);
	assert_ok(ipc_send(office->edge, MSG_record_ask_gone, &gone, -1));
	vault_hears_nothing(office, &vault);
	answers(request, ERR_IO, 1, "");
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 2));
	assert_int_equal(office_audit_count(office, "record-failed"), 1);
}

/* Who brought it: as broker and vault speak of him. */
static uint32_t asks_to_apply(struct office *office, int64_t by)
{
	char body[64], detail[64];

	assert_ok(db_exec(office->db, "UPDATE account SET duty = 2 WHERE name = 'sato'"));
	snprintf(body, sizeof(body), "{\"import\":1,\"code\":\"%s\"}", code_of(office));
	snprintf(detail, sizeof(detail), "{\"import\":1,\"by\":%lld}", (long long)by);
	send(office, OP_import_apply, body);
	vault_hears(office, &vault, MSG_record_order);
	const uint32_t request = office->received.msg.record_order.request;
	holds(request, 0, detail);
	return request;
}

static int64_t importer(struct office *office, int duty)
{
	_cleanup_query_ struct query query;
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO account (name, full_name, role, password, created, duty)"
		 " VALUES ('suzuki%d', '', 1, '-', 0, %d)",
		 duty, duty);
	assert_ok(db_exec(office->db, sql));
	query_init(&query, office->db, "SELECT max(id) FROM account");
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static void an_import_of_who_has_no_duty_any_more(void **state)
{
	struct office *office = *state;

	asks_to_apply(office, importer(office, 0));
	vault_hears(office, &vault, MSG_record_cancel);
	expect(office, 403, "denied");
	assert_int_equal(office_audit_count(office, "import-apply"), 0);
	assert_int_equal(office_audit_count(office, "record-refused"), 1);
	/* Nor of nobody. */
	asks_to_apply(office, 0);
	vault_hears(office, &vault, MSG_record_cancel);
	expect(office, 403, "denied");
}

/* What takes long ends when the duty does, of who approved or of who brought it. */
static void an_import_under_way_ends_with_the_duty(void **state)
{
	struct office *office = *state;
	const int64_t by = importer(office, 1);

	for (int i = 0; i < 2; i++) {
		uint32_t request = asks_to_apply(office, by);

		vault_hears(office, &vault, MSG_record_go);
		records_cut(office->broker, i ? by : office->account, 0);
		vault_hears(office, &vault, MSG_record_cancel);
		assert_int_equal(office->received.msg.record_cancel.request, request);
		expect(office, 403, "denied");
		answers(request, ERR_CLOSED, 1, "");
		vault_hears_nothing(office, &vault);
		assert_int_equal(office_audit_count(office, "record-failed"), i + 1);
		assert_null(office->broker->asks);
	}
}

static void what_takes_long_may(void **state)
{
	struct office *office = *state;

	vault_asked(office, OP_import_preview, "{}");
	office_pass(RECORDS_WAIT_S * 1000 + 100);
	assert_ok(loop_step(office->loop, 2));
	assert_non_null(office->broker->asks);
	office_pass(RECORDS_LONG_S * 1000 + 100);
	expect(office, 504, "timeout");
}

/* Nobody waits for it any more, but what became of it is in the audit log. */
static void what_takes_too_long_ends(void **state)
{
	struct office *office = *state;
	const int64_t by = importer(office, 1);
	uint32_t request = asks_to_apply(office, by);

	vault_hears(office, &vault, MSG_record_go);
	office_pass(RECORDS_LONG_S * 1000 + 100);
	expect(office, 504, "timeout");
	vault_hears(office, &vault, MSG_record_cancel);
	assert_int_equal(office->received.msg.record_cancel.request, request);
	answers(request, ERR_CLOSED, 1, "");
	vault_hears_nothing(office, &vault);
	assert_int_equal(office_audit_count(office, "record-failed"), 1);
	assert_null(office->broker->asks);
}

/* One that lies about how far it has come cannot lock the next one out. */
static void a_leap_of_the_counter(void **state)
{
	struct office *office = *state;
	uint64_t known = 0;

	answers(vault_asked(office, OP_record_list, "{}"), OK, INT64_MAX, "{}");
	expect(office, 200, "");
	assert_ok(record_floor_get(office->db, &known));
	assert_int_equal(known, RECORDS_LEAP);
}

static void the_end_of_a_stream_tells_the_counter(void **state)
{
	const struct msg_record_stream_closed msg = { .stream = 99, .counter = 7 };
	struct office *office = *state;
	uint64_t known = 0;

	assert_ok(ipc_send(vault.fd, MSG_record_stream_closed, &msg, -1));
	vault_hears_nothing(office, &vault);
	assert_ok(record_floor_get(office->db, &known));
	assert_int_equal(known, 7);
}

/* Enough to look somebody up, too few to try numbers. */
static void few_may_be_looked_up_by_number(void **state)
{
	struct office *office = *state;

	for (int i = 0; i < QUOTA_RECORDS_FEW_PER_MINUTE; i++) {
		uint32_t request = vault_asked(office, OP_record_find, "{}");

		holds(request, 0, "{\"found\":1,\"records\":[7]}");
		vault_hears(office, &vault, MSG_record_go);
		assert_int_equal(office_audit_count(office, "record-find"), i + 1);
		answers(request, OK, 1, "{}");
		expect(office, 200, "");
	}
	send(office, OP_record_find, "{}");
	expect(office, 429, "throttled");
	vault_asked(office, OP_record_list, "{}");
}

/* The entry of what made it stands in a record's history, too. */
static void what_made_a_record_is_in_its_history(void **state)
{
	struct office *office = *state;
	uint32_t request = vault_asked(office, OP_request_add, "{}");
	_cleanup_query_ struct query query;

	holds(request, 0, "{}");
	vault_hears(office, &vault, MSG_record_go);
	const int64_t seq = (int64_t)office->received.msg.record_go.seq;
	const struct msg_record_answer msg = { .request = request, .field = "", .record = 9 };
	assert_ok(ipc_send(vault.fd, MSG_record_answer, &msg, -1));
	expect(office, 200, "");
	query_init(&query, office->db, "SELECT seq FROM record_entry WHERE record = 9");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), seq);
}

static void so_many_at_once(void **state)
{
	struct office *office = *state;

	for (int i = 0; i < RECORDS_MINE; i++)
		vault_asked(office, OP_record_list, "{}");
	send(office, OP_record_list, "{}");
	expect(office, 429, "throttled");
}

static void a_vault_that_hangs_or_dies(void **state)
{
	struct office *office = *state;

	vault_asked(office, OP_record_list, "{}");
	office_pass(RECORDS_WAIT_S * 1000 + 100);
	expect(office, 504, "timeout");
	vault_asked(office, OP_record_list, "{}");
	util_closep(&vault.fd);
	vault.fd = -1;
	expect(office, 503, "unavailable");
	assert_null(office->broker->asks);
}

/* ---- what is remembered ----------------------------------------------------------------- */

static void what_did_not_happen_is_said(void **state)
{
	struct office *office = *state;
	uint32_t request = vault_asked(office, OP_record_remove, "{}");

	holds(request, 7, "{}");
	vault_hears(office, &vault, MSG_record_go);
	answers(request, ERR_WRONG_STATE, 1, "");
	expect(office, 409, "state");
	struct audit_row done = office_audit_last(office, "record-remove");
	struct audit_row failed = office_audit_last(office, "record-failed");
	char entry[40];
	snprintf(entry, sizeof(entry), "\"entry\":%lld,", (long long)done.seq);
	assert_non_null(strstr(failed.detail, entry));
}

static uint64_t floor_of(struct office *office)
{
	vault_says(office, &vault, VAULT_SEALED);
	vault_says(office, &vault, VAULT_OPEN);
	vault_hears(office, &vault, MSG_record_floor);
	assert_int_equal(office->received.msg.record_floor.last, 1);
	return office->received.msg.record_floor.counter;
}

static void the_vault_hears_how_far_it_had_come(void **state)
{
	struct office *office = *state;

	answers(vault_asked(office, OP_record_list, "{}"), OK, 41, "{}");
	expect(office, 200, "");
	assert_int_equal(floor_of(office), 41);
	/* It does not go back. */
	answers(vault_asked(office, OP_record_list, "{}"), OK, 40, "{}");
	expect(office, 200, "");
	assert_int_equal(floor_of(office), 41);
}

static void disposals_are_remembered_before_they_happen(void **state)
{
	struct office *office = *state;
	static const uint64_t both[] = { 7, 9 };
	char body[100];
	uint32_t request;

	assert_ok(db_exec(office->db, "UPDATE account SET duty = 2 WHERE name = 'sato'"));
	for (int i = 0; i < 2; i++) {
		snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code_of(office));
		send(office, OP_dispose_approve, body);
		vault_hears(office, &vault, MSG_record_order);
		request = office->received.msg.record_order.request;
		holds(request, 0, "{\"requests\":[1],\"records\":[7,9]}");
		vault_hears(office, &vault, MSG_record_go);
		/* The first time it fails. */
		answers(request, i == 0 ? ERR_IO : OK, 1, "");
		expect(office, i == 0 ? 500 : 200, i == 0 ? "io" : "");
		floor_of(office);
		const struct bytes ids = office->received.msg.record_floor.disposed;
		assert_int_equal(ids.len, i == 0 ? 0 : sizeof(both));
		if (i == 1)
			assert_memory_equal(ids.data, both, sizeof(both));
	}
}

static void notices_are_in_the_log(void **state)
{
	struct office *office = *state;
	struct msg_record_notice msg = { .event = "vault-rolled-back",
					 .detail = { (const uint8_t *)"{\"counter\":3}", 13 } };

	assert_ok(ipc_send(vault.fd, MSG_record_notice, &msg, -1));
	msg.event = "document-quarantined";
	assert_ok(ipc_send(vault.fd, MSG_record_notice, &msg, -1));
	msg.event = "login";
	assert_ok(ipc_send(vault.fd, MSG_record_notice, &msg, -1));
	vault_hears_nothing(office, &vault);
	assert_string_equal(office_audit_last(office, "vault-rolled-back").detail,
			    "{\"counter\":3}");
	assert_int_equal(office_audit_count(office, "document-quarantined"), 1);
	assert_int_equal(office_audit_count(office, "login"), 0);
	/* One that is broken cannot fill it. */
	msg.event = "vault-damaged";
	for (int i = 0; i < 2 * RECORDS_NOTICES_PER_MINUTE; i++) {
		assert_ok(ipc_send(vault.fd, MSG_record_notice, &msg, -1));
		assert_ok(loop_step(office->loop, 2));
	}
	vault_hears_nothing(office, &vault);
	assert_in_range(office_audit_count(office, "vault-damaged"), 1,
			RECORDS_NOTICES_PER_MINUTE + 5);
	/* Nor keep others out. */
	msg.event = "document-quarantined";
	assert_ok(ipc_send(vault.fd, MSG_record_notice, &msg, -1));
	vault_hears_nothing(office, &vault);
	assert_int_equal(office_audit_count(office, "document-quarantined"), 2);
}

int main(void)
{
#define records_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		records_test(the_entry_comes_before_the_order_to_go_on),
		records_test(what_the_log_does_not_have_does_not_leave),
		records_test(an_entry_is_about_many),
		records_test(a_detail_that_is_none),
		records_test(a_code_goes_no_farther),
		records_test(a_number_is_marked_before_it_is_shown),
		records_test(a_duty_that_is_gone_stops_what_waits),
		records_test(a_browser_that_has_gone),
		records_test(an_import_of_who_has_no_duty_any_more),
		records_test(an_import_under_way_ends_with_the_duty),
		records_test(what_takes_long_may),
		records_test(what_takes_too_long_ends),
		records_test(a_leap_of_the_counter),
		records_test(the_end_of_a_stream_tells_the_counter),
		records_test(few_may_be_looked_up_by_number),
		records_test(what_made_a_record_is_in_its_history),
		records_test(so_many_at_once),
		records_test(a_vault_that_hangs_or_dies),
		records_test(what_did_not_happen_is_said),
		records_test(the_vault_hears_how_far_it_had_come),
		records_test(disposals_are_remembered_before_they_happen),
		records_test(notices_are_in_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
