#include "unit/broker/vault.h"

#include "broker/documents.h"
#include "broker/session.h"

enum { STREAM = 7 };

static struct vault vault;
static char path[DOCUMENTS_PATH];

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

/* The office's person has ordered a document, and the vault has answered with a stream. */
static void document_ordered(struct office *office)
{
	_cleanup_query_ struct query query;
	struct documents_order order = { .account = office->account,
					 .device = office->device,
					 .account_name = "sato",
					 .address = "192.0.2.7",
					 .record = 12,
					 .client = 3,
					 .event = "document-download",
					 .seq = 99,
					 .stream = STREAM };

	query_init(&query, office->db, "SELECT id FROM login WHERE account = ?");
	query_i64(&query, office->account);
	assert_ok(query_one(&query));
	order.login = query_col_i64(&query, 0);
	query_finish(&query);
	assert_ok(documents_add(office->broker, &order, path));
}

static union wire_any attaching(void)
{
	static const char head[] = "/api/vault/streams/";
	union wire_any msg = { 0 };

	assert_int_equal(strncmp(path, head, strlen(head)), 0);
	assert_ok(util_unhex(path + strlen(head), msg.record_attach.stream, WIRE_SESSION_ID));
	return msg;
}

static void attached(struct office *office)
{
	union wire_any msg = attaching();
	_cleanup_answer_ struct answer answer = office_ask(office, MSG_record_attach, &msg);
	char byte = 0;

	assert_int_equal(answer.status, 200);
	assert_true(answer.fd >= 0);
	vault_hears(office, &vault, MSG_record_stream);
	assert_int_equal(office->received.msg.record_stream.stream, STREAM);
	assert_string_equal(office->received.msg.record_stream.who, "sato 花子");
	/* What one writes the other reads, and nobody between them. */
	assert_int_equal(write(office->received.fd, "x", 1), 1);
	assert_int_equal(read(answer.fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	ipc_received_finish(&office->received);
}

static void vault_is_told(struct office *office)
{
	vault_hears(office, &vault, MSG_record_stream_close);
	assert_int_equal(office->received.msg.record_stream_close.stream, STREAM);
	ipc_received_finish(&office->received);
}

static void vault_closed(struct office *office, uint64_t bytes, enum err err)
{
	const struct msg_record_stream_closed msg = { .stream = STREAM,
						      .bytes = bytes,
						      .error = (uint8_t)err };

	assert_ok(ipc_send(vault.fd, MSG_record_stream_closed, &msg, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
}

static void expect_closed(struct office *office, const char *why, int bytes)
{
	char wanted[80];

	assert_null(office->broker->documents);
	assert_int_equal(office_audit_count(office, "document-closed"), 1);
	struct audit_row row = office_audit_last(office, "document-closed");
	snprintf(wanted, sizeof(wanted), "\"why\":\"%s\"", why);
	assert_non_null(strstr(row.detail, wanted));
	snprintf(wanted, sizeof(wanted), "\"bytes\":%d", bytes);
	assert_non_null(strstr(row.detail, wanted));
	assert_non_null(strstr(row.detail, "\"order\":\"document-download\""));
	assert_non_null(strstr(row.detail, "\"record\":12"));
	assert_string_equal(row.account, "sato");
	assert_int_equal(row.device, office->device);
}

/* ---- a transfer ------------------------------------------------------------------------------ */

static void the_browser_gets_the_stream_once(void **state)
{
	struct office *office = *state;
	union wire_any again;

	document_ordered(office);
	attached(office);
	again = attaching();
	_cleanup_answer_ struct answer answer = office_ask(office, MSG_record_attach, &again);
	assert_error(answer, 409, "used");
	vault_hears_nothing(office, &vault);
	vault_closed(office, 4711, OK);
	expect_closed(office, "done", 4711);
}

static void nobody_else_gets_it(void **state)
{
	struct office *office = *state;
	char token[LOGIN_TOKEN_TEXT + 1];
	union wire_any msg;
	int64_t device = office_add_device(office, office->account, 9);

	document_ordered(office);
	/* The same person at another device. */
	office_token(office, office->account, device, LOGIN_FULL, token);
	msg = attaching();
	_cleanup_answer_ struct answer other =
		office_ask_as(office, MSG_record_attach, &msg, 9, token);
	assert_error(other, 404, "not-found");
	msg = attaching();
	msg.record_attach.stream[0] ^= 1;
	_cleanup_answer_ struct answer wrong = office_ask(office, MSG_record_attach, &msg);
	assert_error(wrong, 404, "not-found");
	vault_hears_nothing(office, &vault);
	attached(office);
}

static void the_vault_says_why(void **state)
{
	struct office *office = *state;

	document_ordered(office);
	attached(office);
	vault_closed(office, 100, ERR_DENIED);
	expect_closed(office, "denied", 100);
	/* What it says of others is nothing to us. */
	vault_closed(office, 100, OK);
	assert_int_equal(office_audit_count(office, "document-closed"), 1);
}

/* ---- its end --------------------------------------------------------------------------------- */

static void leaving_the_login_ends_it(void **state)
{
	struct office *office = *state;
	union wire_any msg = { 0 };

	document_ordered(office);
	attached(office);
	_cleanup_answer_ struct answer answer = office_ask(office, MSG_logout, &msg);
	vault_is_told(office);
	vault_closed(office, 60, ERR_CLOSED);
	expect_closed(office, "logout", 60);
}

static void a_locked_person_loses_it(void **state)
{
	struct office *office = *state;

	document_ordered(office);
	attached(office);
	session_cut(office->broker, office->account, 0, 0);
	vault_is_told(office);
	vault_closed(office, 60, ERR_CLOSED);
	expect_closed(office, "revoked", 60);
}

static void another_duty_loses_it(void **state)
{
	struct office *office = *state;

	document_ordered(office);
	attached(office);
	_cleanup_answer_ struct answer answer = office_order(
		office, "user duty", json_pack("{s:s, s:s}", "name", "sato", "duty", "use"));
	vault_is_told(office);
	vault_closed(office, 60, ERR_CLOSED);
	expect_closed(office, "revoked", 60);
}

static void another_role_loses_it(void **state)
{
	struct office *office = *state;

	document_ordered(office);
	documents_tick(office->broker, clock_wall_s());
	vault_hears_nothing(office, &vault);
	assert_ok(db_exec(office->db, "UPDATE account SET role = 2 WHERE name = 'sato'"));
	documents_tick(office->broker, clock_wall_s());
	vault_is_told(office);
	vault_closed(office, 0, ERR_CLOSED);
	expect_closed(office, "login", 0);
}

static void one_that_nobody_takes_ends(void **state)
{
	struct office *office = *state;

	document_ordered(office);
	office_pass(DOCUMENTS_ATTACH_S * 1000 + 100);
	vault_is_told(office);
	/* The vault is silent. */
	office_pass(DOCUMENTS_CLOSE_S * 1000 + 100);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	expect_closed(office, "not-taken", 0);
}

static void it_dies_with_the_vault(void **state)
{
	struct office *office = *state;

	document_ordered(office);
	attached(office);
	vault_link(office, &vault);
	expect_closed(office, "vault", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(the_browser_gets_the_stream_once),
		TEST(nobody_else_gets_it),
		TEST(the_vault_says_why),
		TEST(leaving_the_login_ends_it),
		TEST(a_locked_person_loses_it),
		TEST(another_duty_loses_it),
		TEST(another_role_loses_it),
		TEST(one_that_nobody_takes_ends),
		TEST(it_dies_with_the_vault),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
