#include "unit/broker/signer.h"
#include "unit/broker/vault.h"

static struct vault vault;
static struct signer signer;
static EVP_PKEY *house;

static int setup(void **state)
{
	office_setup(state);
	vault.fd = -1;
	vault_link(*state, &vault);
	signer_init(&signer);
	house = EVP_EC_gen("P-256");
	return 0;
}

static int teardown(void **state)
{
	util_closep(&vault.fd);
	signer_finish(&signer);
	EVP_PKEY_free(house);
	return office_teardown(state);
}

/* As the vault says it: with a request for a certificate while it has none. */
static void say(struct office *office, uint32_t request, enum err err, enum vault_state state,
		bool wants)
{
	struct msg_vault_state msg = { .request = request,
				       .error = (uint8_t)err,
				       .state = (uint8_t)state };
	uint8_t *csr = NULL;
	size_t len = 0;

	if (wants)
		assert_ok(csr_make(house, &csr, &len));
	msg.csr = (struct bytes){ csr, len };
	assert_ok(ipc_send(vault.fd, MSG_vault_state, &msg, -1));
	OPENSSL_free(csr);
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
}

/* Three sheets of eight rows, each of this one. */
#define ROW "0123-4567-89"

static void give_sheets(struct office *office, uint32_t request)
{
	struct msg_vault_root root = {
		.generation = 7, .made = 1, .sheets = 2, .set = { 1, 2, 3, 4 }
	};
	struct msg_vault_answer msg = { .request = request };
	char text[3 * 8 * (sizeof(ROW)) + 1] = "";

	for (size_t i = 0; i < 3 * 8; i++)
		memcpy(text + i * sizeof(ROW), ROW "\n", sizeof(ROW) + 1);
	msg.secret = text;
	assert_ok(ipc_send(vault.fd, MSG_vault_answer, &msg, -1));
	assert_ok(ipc_send(vault.fd, MSG_vault_root, &root, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
}

/* The order is sent without waiting for its answer. */
static void begin(struct office *office, const char *command, const char *arguments)
{
	const struct msg_admin msg = {
		.command = command, .arguments = { (const uint8_t *)arguments, strlen(arguments) }
	};

	assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
}

static void expect_reply(struct office *office, unsigned status, const char *code)
{
	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.admin_reply.status, status);
	if (code) {
		const struct bytes body = office->received.msg.admin_reply.body;
		json_t *json = json_loadb((const char *)body.data, body.len, 0, NULL);

		assert_string_equal(json_string_value(json_object_get(json, "error")), code);
		json_decref(json);
	}
	ipc_received_finish(&office->received);
}

static void expect_sheets(struct office *office, bool uncertified)
{
	const struct msg_admin_reply *reply = &office->received.msg.admin_reply;

	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	assert_int_equal(reply->status, 200);
	json_t *json = json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL);
	json_t *sheets = json_object_get(json, "sheets");
	assert_int_equal(json_array_size(sheets), 3);
	for (size_t i = 0; i < 3; i++) {
		json_t *rows = json_array_get(sheets, i);

		assert_int_equal(json_array_size(rows), 8);
		assert_string_equal(json_string_value(json_array_get(rows, 7)), ROW);
	}
	assert_string_equal(json_string_value(json_object_get(json, "set")), "01020304");
	assert_int_equal(json_object_get(json, "remark") != NULL, uncertified);
	json_decref(json);
	ipc_received_finish(&office->received);
}

static int64_t houses(struct office *office)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->db, "SELECT count(*) FROM auditor WHERE kind = 2 AND state = 1");
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

/* The key is made, certified, kept among those that recordings are sealed to, and only then it is
 * said to be done. */
static void a_key_gets_its_certificate(void **state)
{
	struct office *office = *state;
	uint32_t request;

	say(office, 0, OK, VAULT_EMPTY, false);
	begin(office, "vault init", "{\"passphrase\": \"iwato-no-kagi-58-suzu\"}");
	vault_hears(office, &vault, MSG_vault_init);
	assert_string_equal(office->received.msg.vault_init.passphrase, "iwato-no-kagi-58-suzu");
	request = office->received.msg.vault_init.request;
	ipc_received_finish(&office->received);
	assert_int_equal(office_audit_count(office, "vault-init"), 1);
	give_sheets(office, request);
	say(office, request, OK, VAULT_OPEN, true);
	assert_int_equal(office_audit_count(office, "vault-unsealed"), 1);
	assert_false(office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, 20));
	signer_does(office, &signer, MSG_sign);
	vault_hears(office, &vault, MSG_vault_certificate);
	assert_int_equal(houses(office), 1);
	request = office->received.msg.vault_certificate.request;
	ipc_received_finish(&office->received);
	say(office, request, OK, VAULT_OPEN, false);
	expect_sheets(office, false);
	struct audit_row row = office_audit_last(office, "auditor-certify");
	assert_non_null(strstr(row.detail, "\"kind\":\"house\""));
	row = office_audit_last(office, "vault-renewed");
	assert_non_null(strstr(row.detail, "\"generation\":7"));
	assert_non_null(strstr(row.detail, "\"set\":\"01020304\""));
	assert_null(strstr(row.detail, ROW));
}

/* The sheets come once: they are not lost because a certificate is. */
static void sheets_outlive_a_refusal_of_the_signer(void **state)
{
	struct office *office = *state;
	uint32_t request;

	signer.refuses = ERR_LOCKED;
	begin(office, "vault init", "{\"passphrase\": \"iwato-no-kagi-58-suzu\"}");
	vault_hears(office, &vault, MSG_vault_init);
	request = office->received.msg.vault_init.request;
	ipc_received_finish(&office->received);
	give_sheets(office, request);
	say(office, request, OK, VAULT_OPEN, true);
	signer_does(office, &signer, MSG_sign);
	expect_sheets(office, true);
}

/* Every order of a change is in the log before the vault hears of it, and then what became of it.
 */
static void changes_are_recorded(void **state)
{
	static const struct {
		const char *command, *arguments, *event;
		enum vault_act act;
	} orders[] = {
#define OLD "\"passphrase\": \"wrong\""
#define NEW "\"iwato-no-kagi-58-suzu\""
		{ "vault rotate", "{" OLD "}", "vault-rotate", VAULT_ROTATE },
		{ "vault shares", "{" OLD "}", "vault-shares", VAULT_SHEETS },
		{ "vault passphrase", "{" OLD ", \"new\": " NEW "}", "vault-passphrase",
		  VAULT_PASSPHRASE },
		{ "vault recover",
		  "{\"passphrase\": " NEW ", \"sheet-1\": \"A\", \"sheet-2\": \"B\"}",
		  "vault-recover", VAULT_RECOVER },
		{ "vault check", "{\"sheet-1\": \"A\"}", "vault-check", VAULT_CHECK },
		{ "vault machine", "{" OLD "}", "vault-machine", VAULT_MACHINE },
		{ "vault machine", "{" OLD ", \"remove\": true}", "vault-machine",
		  VAULT_MACHINE_DROP },
		{ "vault token", "{" OLD ", \"pin\": \"1\"}", "vault-token", VAULT_TOKEN },
		{ "vault token", "{" OLD ", \"pin\": \"1\", \"remove\": true}", "vault-token",
		  VAULT_TOKEN_DROP },
		{ "vault unseal", "{" OLD ", \"token\": true}", "vault-unseal",
		  VAULT_UNSEAL_TOKEN },
#undef OLD
#undef NEW
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		int64_t before = office_audit_count(office, orders[i].event);

		begin(office, orders[i].command, orders[i].arguments);
		vault_hears(office, &vault, MSG_vault_change);
		assert_int_equal(office->received.msg.vault_change.order, orders[i].act);
		uint32_t request = office->received.msg.vault_change.request;
		ipc_received_finish(&office->received);
		assert_int_equal(office_audit_count(office, orders[i].event), before + 1);
		say(office, request, ERR_LOGIN, VAULT_SEALED, false);
		expect_reply(office, 401, "login");
		assert_int_equal(office_audit_count(office, "vault-refused"), (int64_t)i + 1);
		struct audit_row row = office_audit_last(office, "vault-refused");
		assert_non_null(strstr(row.detail, orders[i].command));
	}
	/* One that is too easy to guess does not get there. */
	begin(office, "vault recover",
	      "{\"passphrase\": \"short\", \"sheet-1\": \"A\", \"sheet-2\": \"B\"}");
	expect_reply(office, 400, "invalid");
	begin(office, "vault passphrase", "{\"passphrase\": \"x\", \"new\": \"short\"}");
	expect_reply(office, 400, "invalid");
	vault_hears_nothing(office, &vault);
}

/* Whatever came in between, it is tried again. */
static void a_certificate_that_failed_is_tried_again(void **state)
{
	struct office *office = *state;
	uint32_t request;

	signer.refuses = ERR_LOCKED;
	begin(office, "vault init", "{\"passphrase\": \"iwato-no-kagi-58-suzu\"}");
	vault_hears(office, &vault, MSG_vault_init);
	request = office->received.msg.vault_init.request;
	ipc_received_finish(&office->received);
	say(office, request, OK, VAULT_OPEN, true);
	signer_does(office, &signer, MSG_sign);
	expect_reply(office, 423, "locked");
	assert_int_equal(houses(office), 0);
	signer.refuses = OK;
	office_pass(601 * 1000);
	vault_hears(office, &vault, MSG_vault_status);
	request = office->received.msg.vault_status.request;
	ipc_received_finish(&office->received);
	say(office, request, OK, VAULT_OPEN, true);
	signer_does(office, &signer, MSG_sign);
	vault_hears(office, &vault, MSG_vault_certificate);
	ipc_received_finish(&office->received);
	assert_int_equal(houses(office), 1);
	/* Asked once more before the vault has taken it, nothing is signed twice. */
	say(office, 0, OK, VAULT_OPEN, true);
	assert_int_equal(signer.signs, 2);
	/* A new link begins anew. */
	vault_link(office, &vault);
	say(office, 0, OK, VAULT_OPEN, true);
	signer_does(office, &signer, MSG_sign);
	assert_int_equal(signer.signs, 3);
}

static void what_the_vault_refuses(void **state)
{
	static const struct {
		const char *command, *arguments;
		uint16_t id;
		enum err err;
		unsigned status;
		const char *code;
	} orders[] = {
		{ "vault unseal", "{\"passphrase\": \"wrong\"}", MSG_vault_unseal, ERR_LOGIN, 401,
		  "login" },
		{ "vault unseal", "{\"passphrase\": \"wrong\"}", MSG_vault_unseal, ERR_THROTTLED,
		  429, "throttled" },
		{ "vault unseal", "{\"passphrase\": \"wrong\"}", MSG_vault_unseal, ERR_NOT_FOUND,
		  404, "not-found" },
		{ "vault init", "{\"passphrase\": \"iwato-no-kagi-58-suzu\"}", MSG_vault_init,
		  ERR_EXISTS, 409, "exists" },
		{ "vault init", "{\"passphrase\": \"iwato-no-kagi-58-suzu\"}", MSG_vault_init,
		  ERR_LOGIN, 401, "login" },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		begin(office, orders[i].command, orders[i].arguments);
		vault_hears(office, &vault, orders[i].id);
		/* request comes first in each. */
		uint32_t request = office->received.msg.vault_status.request;
		ipc_received_finish(&office->received);
		say(office, request, orders[i].err, VAULT_SEALED, false);
		expect_reply(office, orders[i].status, orders[i].code);
		assert_int_equal(office_audit_count(office, "vault-refused"), (int64_t)i + 1);
	}
	/* Too short to be chosen: the vault does not hear of it. */
	begin(office, "vault init", "{\"passphrase\": \"short\"}");
	expect_reply(office, 400, "invalid");
	vault_hears_nothing(office, &vault);
}

static void a_vault_that_does_not_answer(void **state)
{
	struct office *office = *state;

	begin(office, "vault seal", "{}");
	vault_hears(office, &vault, MSG_vault_seal);
	ipc_received_finish(&office->received);
	office_receive_after(office, office->admin, WIRE_ADMIN, MSG_admin_reply,
			     VAULT_LINK_WAIT_S * 1000);
	assert_int_equal(office->received.msg.admin_reply.status, 503);
	ipc_received_finish(&office->received);
	begin(office, "vault status", "{}");
	vault_hears(office, &vault, MSG_vault_status);
	ipc_received_finish(&office->received);
	util_closep(&vault.fd);
	vault.fd = -1;
	expect_reply(office, 503, "unavailable");
	begin(office, "vault status", "{}");
	expect_reply(office, 503, "unavailable");
}

/* The log says when it was open, whoever opened it, and that it is not any more. */
static void what_the_log_says(void **state)
{
	struct office *office = *state;

	say(office, 0, OK, VAULT_OPEN, false);
	say(office, 0, OK, VAULT_OPEN, false);
	assert_int_equal(office_audit_count(office, "vault-unsealed"), 1);
	say(office, 0, OK, VAULT_SEALED, false);
	assert_int_equal(office_audit_count(office, "vault-sealed"), 1);
	say(office, 0, OK, VAULT_OPEN, false);
	vault_link(office, &vault); /* another process */
	assert_int_equal(office_audit_count(office, "vault-sealed"), 2);
	assert_int_equal(vault_link_is(office->broker->house), 0);
	say(office, 0, OK, 9, false);
	assert_int_equal(vault_link_is(office->broker->house), 0);
	say(office, 0, OK, VAULT_SEALED, false);
	assert_int_equal(office_audit_count(office, "vault-sealed"), 2);
}

static void say_generation(struct office *office, uint64_t generation, enum vault_state state)
{
	const struct msg_vault_root root = { .generation = generation };

	assert_ok(ipc_send(vault.fd, MSG_vault_root, &root, -1));
	say(office, 0, OK, state, false);
}

static void expect_floor(struct office *office, uint64_t generation)
{
	vault_link(office, &vault);
	vault_hears(office, &vault, MSG_vault_floor);
	assert_int_equal(office->received.msg.vault_floor.generation, generation);
	ipc_received_finish(&office->received);
}

/* The first that each vault hears is how far root keys had come. */
static void a_vault_hears_the_highest_generation(void **state)
{
	struct office *office = *state;

	/* Whoever writes the file can say anything until somebody opens it. */
	say_generation(office, 99, VAULT_SEALED);
	vault_link(office, &vault);
	vault_hears_nothing(office, &vault);
	say_generation(office, 5, VAULT_OPEN);
	expect_floor(office, 5);
	say_generation(office, 3, VAULT_OPEN);
	expect_floor(office, 5);
	say_generation(office, 6, VAULT_OPEN);
	expect_floor(office, 6);
	/* Nothing would be newer than that. */
	say_generation(office, INT64_MAX, VAULT_OPEN);
	expect_floor(office, 6);
}

/* A vault that is broken: neither can the log be filled, nor is there room for its word alone. */
static void one_that_opens_and_closes_all_the_time(void **state)
{
	struct office *office = *state;

	office_stop_time();
	for (int i = 0; i < 40; i++)
		say(office, 0, OK, i % 2 ? VAULT_SEALED : VAULT_OPEN, false);
	assert_int_equal(office_audit_count(office, "vault-unsealed"),
			 VAULT_LINK_OPENED_PER_MINUTE);
	assert_int_equal(office_audit_count(office, "vault-sealed"), VAULT_LINK_OPENED_PER_MINUTE);
	/* What is not in the log opens nothing. */
	say(office, 0, OK, VAULT_OPEN, false);
	assert_int_equal(vault_link_is(office->broker->house), VAULT_SEALED);
	/* What somebody gives a passphrase for is another thing; to ask how it is opens nothing. */
	begin(office, "vault status", "{}");
	vault_hears(office, &vault, MSG_vault_status);
	say(office, office->received.msg.vault_status.request, OK, VAULT_OPEN, false);
	assert_int_equal(vault_link_is(office->broker->house), VAULT_SEALED);
	expect_reply(office, 200, NULL);
	begin(office, "vault unseal", "{\"passphrase\": \"iwato-no-kagi-58-suzu\"}");
	vault_hears(office, &vault, MSG_vault_unseal);
	const uint32_t request = office->received.msg.vault_unseal.request;
	say(office, request, OK, VAULT_OPEN, true);
	assert_int_equal(vault_link_is(office->broker->house), VAULT_OPEN);
	/* Once, though the order waits for a certificate. */
	say(office, 0, OK, VAULT_SEALED, false);
	say(office, request, OK, VAULT_OPEN, true);
	assert_int_equal(vault_link_is(office->broker->house), VAULT_SEALED);
	office_pass(61 * 1000);
	say(office, 0, OK, VAULT_OPEN, false);
	assert_int_equal(vault_link_is(office->broker->house), VAULT_OPEN);
}

/* Each is one more to whom recordings are sealed, and there is no session with too many. */
static void one_that_wants_certificates_all_the_time(void **state)
{
	struct office *office = *state;

	for (int i = 0; i < VAULT_LINK_HOUSES; i++) {
		vault_link(office, &vault);
		say(office, 0, OK, VAULT_SEALED, false);
		office_pass(61 * 1000);
		say(office, 0, OK, VAULT_OPEN, true);
		signer_does(office, &signer, MSG_sign);
		for (int step = 0; step < 3; step++)
			assert_ok(loop_step(office->loop, 5));
	}
	assert_int_equal(houses(office), VAULT_LINK_HOUSES);
	vault_link(office, &vault);
	say(office, 0, OK, VAULT_OPEN, true);
	assert_false(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign, 20));
	assert_int_equal(houses(office), VAULT_LINK_HOUSES);
	/* An administrator has made room. */
	assert_ok(db_exec(office->db, "UPDATE auditor SET state = 2 WHERE kind = 2"));
	say(office, 0, OK, VAULT_OPEN, true);
	signer_does(office, &signer, MSG_sign);
	for (int step = 0; step < 3; step++)
		assert_ok(loop_step(office->loop, 5));
	assert_int_equal(houses(office), 1);
}

int main(void)
{
#define link_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		link_test(a_key_gets_its_certificate),
		link_test(a_certificate_that_failed_is_tried_again),
		link_test(what_the_vault_refuses),
		link_test(sheets_outlive_a_refusal_of_the_signer),
		link_test(changes_are_recorded),
		link_test(a_vault_that_does_not_answer),
		link_test(what_the_log_says),
		link_test(a_vault_hears_the_highest_generation),
		link_test(one_that_opens_and_closes_all_the_time),
		link_test(one_that_wants_certificates_all_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
