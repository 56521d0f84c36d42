#include "unit/broker/orders.h"
#include "unit/broker/signer.h"

#include "broker/cert.h"

/* Orders to the signer, and the parts of status that come from it. */

#define PASSPHRASE "kaki-no-ki-42-yama"

struct desk {
	struct office *office;
	struct signer signer;
};

static int setup(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	void *office;

	assert_int_equal(office_setup(&office), 0);
	desk->office = office;
	signer_init(&desk->signer);
	signer_starts(desk->office, &desk->signer);
	*state = desk;
	return 0;
}

static int teardown(void **state)
{
	struct desk *desk = *state;
	void *office = desk->office;

	signer_finish(&desk->signer);
	free(desk);
	return office_teardown(&office);
}

static void send(struct office *office, const char *command, const char *arguments)
{
	const struct msg_admin msg = {
		.command = command,
		.arguments = { (const uint8_t *)arguments, strlen(arguments) },
	};

	assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
}

static struct answer answered(struct office *office)
{
	struct answer answer = { .fd = -1 };
	const struct msg_admin_reply *reply = &office->received.msg.admin_reply;

	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	answer.status = reply->status;
	answer.body = json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL);
	assert_non_null(answer.body);
	ipc_received_finish(&office->received);
	return answer;
}

/* An order that the signer answers with what it is. */
static struct answer asked(struct desk *desk, const char *command, const char *arguments,
			   uint16_t id)
{
	send(desk->office, command, arguments);
	signer_does(desk->office, &desk->signer, id);
	return answered(desk->office);
}

/* The next change_ca; the caller finishes office->received. */
static const struct msg_change_ca *ordered_change(struct office *office)
{
	assert_true(
		office_receive(office, office->signer, WIRE_SIGNER, MSG_change_ca, OFFICE_WAIT_MS));
	return &office->received.msg.change_ca;
}

static struct answer change_refused(struct office *office, const char *command,
				    const char *arguments, enum err err)
{
	struct msg_ca_state state = { .error = (uint8_t)err };

	send(office, command, arguments);
	state.request = ordered_change(office)->request;
	ipc_received_finish(&office->received);
	assert_ok(ipc_send(office->signer, MSG_ca_state, &state, -1));
	return answered(office);
}

/* ---- show ------------------------------------------------------------------------------- */

static void all_cas_are_shown(void **state)
{
	struct desk *desk = *state;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	char root[CERT_FINGERPRINT_TEXT];

	signer_add(&desk->signer);
	answer = asked(desk, "ca show", "{}", MSG_show_ca);
	assert_int_equal(answer.status, 200);
	assert_string_equal(cell_text(&answer, "name", "CA 2", "state"), "active");
	assert_string_equal(cell_text(&answer, "name", "CA 1", "state"), "old");
	assert_string_equal(cell_text(&answer, "name", "Root", "kind"), "root");
	assert_string_equal(cell_text(&answer, "name", "CA 1", "kind"), "issuing");
	assert_int_equal(json_integer_value(cell(&answer, "name", "CA 2", "id")), 2);
	assert_int_equal(json_integer_value(cell(&answer, "name", "CA 1", "id")), 1);
	assert_true(json_is_null(cell(&answer, "name", "Root", "id")));
	assert_ok(cert_fingerprint(desk->signer.root.certificate, root));
	assert_string_equal(answer_text(answer, "sha256"), root);
	assert_string_equal(cell_text(&answer, "name", "Root", "sha256"), root);
	assert_true(json_is_false(json_object_get(answer.body, "locked")));
	answer_finish(&answer);
	desk->signer.locked = true;
	answer = asked(desk, "ca show", "{}", MSG_show_ca);
	assert_string_equal(cell_text(&answer, "name", "CA 2", "state"), "locked");
	assert_true(json_is_true(json_object_get(answer.body, "locked")));
}

static size_t certificates_in(const char *pem)
{
	size_t count = 0;

	while ((pem = strstr(pem, "-----BEGIN CERTIFICATE-----"))) {
		count++;
		pem++;
	}
	return count;
}

static void root_or_chain(void **state)
{
	struct desk *desk = *state;
	struct answer answer = asked(desk, "ca export", "{}", MSG_show_ca);

	assert_int_equal(certificates_in(answer_text(answer, "pem")), 1);
	answer_finish(&answer);
	answer = asked(desk, "ca export", "{\"what\": \"chain\"}", MSG_show_ca);
	assert_int_equal(certificates_in(answer_text(answer, "pem")), 2);
	answer_finish(&answer);
	refused(desk->office, "ca export", "{\"what\": \"key\"}", "invalid", "what");
}

/* ---- changes ---------------------------------------------------------------------------- */

static void the_signer_gets_what_was_said(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	const struct msg_change_ca *order;

	send(office, "ca rotate",
	     "{\"passphrase\": \"" PASSPHRASE "\", \"root\": \"PEM\", \"new-root\": true}");
	order = ordered_change(office);
	assert_int_equal(order->order, CA_ROTATE);
	assert_string_equal(order->passphrase, PASSPHRASE);
	assert_int_equal(order->root.len, 3);
	assert_true(order->new_root);
	signer_state(office, &desk->signer, order->request);
	ipc_received_finish(&office->received);
	answer = answered(office);
	assert_int_equal(answer.status, 200);
	assert_null(strstr(office_audit_last(office, "ca-rotate").detail, PASSPHRASE));
	assert_non_null(strstr(office_audit_last(office, "ca-changed").detail, "ca rotate"));
}

static void a_refusal_says_why(void **state)
{
	static const struct {
		const char *command, *arguments;
		enum err err;
		const char *field;
	} cases[] = {
		{ "ca unlock", "{\"passphrase\": \"x\"}", ERR_LOGIN, "passphrase" },
		{ "ca rotate", "{}", ERR_LOCKED, "passphrase" },
		{ "ca unlock", "{\"passphrase\": \"x\"}", ERR_WRONG_STATE, "passphrase" },
		{ "ca rotate", "{}", ERR_WRONG_STATE, "passphrase" },
		{ "ca rotate", "{}", ERR_NOT_FOUND, "root" },
		{ "ca rotate", "{\"root\": \"x\"}", ERR_INVALID, "root" },
		{ "ca rotate", "{}", ERR_EXPIRED, "new-root" },
		{ "ca rotate", "{}", ERR_FULL, "" },
		{ "ca take-root", "{\"passphrase\": \"x\"}", ERR_NOT_FOUND, "" },
		{ "ca take-root", "{\"passphrase\": \"x\"}", ERR_LOGIN, "passphrase" },
		{ "ca take-root", "{\"passphrase\": \"x\", \"root\": \"x\"}", ERR_INVALID, "root" },
		{ "ca take-root", "{\"passphrase\": \"x\"}", ERR_WRONG_STATE, "passphrase" },
		{ "ca init", "{\"passphrase\": \"" PASSPHRASE "\"}", ERR_WRONG_STATE, "" },
		{ "ca init", "{\"passphrase\": \"" PASSPHRASE "\"}", ERR_INVALID, "passphrase" },
	};
	struct desk *desk = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_answer_ struct answer answer = change_refused(
			desk->office, cases[i].command, cases[i].arguments, cases[i].err);
		const char *field = answer_text(answer, "field");

		assert_string_equal(answer_text(answer, "error"), err_code(cases[i].err));
		assert_string_equal(field ? field : "", cases[i].field);
		assert_non_null(answer_text(answer, "message"));
		assert_non_null(answer_text(answer, "message_ja"));
		assert_int_equal(office_audit_count(desk->office, "ca-refused"), i + 1);
	}
	assert_int_equal(office_audit_count(desk->office, "ca-changed"), 0);
}

static void a_new_ca_needs_a_good_passphrase(void **state)
{
	struct desk *desk = *state;

	refused(desk->office, "ca init", "{\"passphrase\": \"\"}", "invalid", "passphrase");
	refused(desk->office, "ca init", "{\"passphrase\": \"password1234\"}", "invalid",
		"passphrase");
	assert_int_equal(office_audit_count(desk->office, "ca-init"), 0);
}

static void nothing_is_ordered_unrecorded(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	office_break_audit(office);
	send(office, "ca rotate", "{}");
	answer = answered(office);
	assert_true(answer.status >= 400);
	assert_false(office_receive(office, office->signer, WIRE_SIGNER, MSG_change_ca, 50));
}

/* Shown first; and only whoever sends it back has it removed. */
static void the_root_leaves_in_two_steps(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	const struct msg_change_ca *order;
	struct msg_ca_state reply = { .root_here = true, .root = { (const uint8_t *)"KEY", 3 } };
	struct answer answer;
	_cleanup_buf_ struct buf cas;
	uint8_t one[4] = { 1 };

	buf_init(&cas, 8192);
	signer_der(desk->signer.issuing[0].certificate, &cas);
	signer_der(desk->signer.root.certificate, &cas);
	reply.cas = signer_bytes(&cas);
	reply.issuers = (struct bytes){ one, sizeof(one) };
	send(office, "ca take-root", "{\"passphrase\": \"" PASSPHRASE "\"}");
	order = ordered_change(office);
	assert_int_equal(order->order, CA_SHOW_ROOT);
	assert_string_equal(order->passphrase, PASSPHRASE);
	assert_int_equal(order->root.len, 0);
	reply.request = order->request;
	ipc_received_finish(&office->received);
	assert_ok(ipc_send(office->signer, MSG_ca_state, &reply, -1));
	answer = answered(office);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "root"), "KEY");
	assert_string_equal(answer_text(answer, "root_key"), "gateway");
	answer_finish(&answer);
	send(office, "ca take-root", "{\"passphrase\": \"" PASSPHRASE "\", \"root\": \"KEY\"}");
	order = ordered_change(office);
	assert_int_equal(order->order, CA_DROP_ROOT);
	assert_memory_equal(order->root.data, "KEY", order->root.len);
	reply = (struct msg_ca_state){ .request = order->request,
				       .cas = reply.cas,
				       .issuers = reply.issuers };
	ipc_received_finish(&office->received);
	assert_ok(ipc_send(office->signer, MSG_ca_state, &reply, -1));
	answer = answered(office);
	assert_int_equal(answer.status, 200);
	assert_null(answer_text(answer, "root"));
	assert_string_equal(answer_text(answer, "root_key"), "elsewhere");
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "ca-take-root"), 2);
	assert_null(strstr(office_audit_last(office, "ca-take-root").detail, "KEY"));
}

/* ---- auditors --------------------------------------------------------------------------- */

static void an_auditor_is_certified(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	_cleanup_csr_ struct csr csr = { 0 };
	_cleanup_free_ char *arguments = NULL;
	json_t *json;

	csr_new(&csr);
	json = json_pack("{s:s, s:s}", "name", "監査 太郎", "csr", csr.text);
	arguments = json_dumps(json, 0);
	json_decref(json);
	send(office, "auditor certify", arguments);
	assert_true(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.sign.profile, CERT_AUDITOR);
	assert_string_equal(office->received.msg.sign.name, "監査 太郎");
	signer_sign(office, &desk->signer, &office->received.msg.sign);
	ipc_received_finish(&office->received);
	answer = answered(office);
	assert_int_equal(answer.status, 200);
	assert_int_equal(certificates_in(answer_text(answer, "certificate")), 3);
	assert_non_null(strstr(office_audit_last(office, "auditor-certify").detail,
			       answer_text(answer, "sha256")));
	refused(office, "auditor certify", "{\"name\": \"\", \"csr\": \"x\"}", "invalid", "name");
}

/* ---- status ----------------------------------------------------------------------------- */

static int64_t status_count(struct office *office, const char *part)
{
	_cleanup_answer_ struct answer answer = order(office, "status", "{}");

	return json_integer_value(cell(&answer, "part", part, "state"));
}

static void status_says_what_runs_out(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;

	/* That of sato's laptop lasts an hour. */
	assert_int_equal(status_count(office, "expiring"), 1);
	assert_ok(
		db_exec(office->db, "UPDATE certificate SET not_after = unixepoch() + 13 * 86400"));
	assert_int_equal(status_count(office, "expiring"), 1);
	assert_ok(
		db_exec(office->db, "UPDATE certificate SET not_after = unixepoch() + 15 * 86400"));
	assert_int_equal(status_count(office, "expiring"), 0);
	assert_ok(db_exec(office->db, "UPDATE certificate SET not_after = unixepoch() - 1"));
	assert_int_equal(status_count(office, "expiring"), 0);
	assert_ok(db_exec(office->db, "UPDATE certificate SET not_after = unixepoch() + 100"));
	ordered(office, "device revoke", "{\"id\": 1}");
	assert_int_equal(status_count(office, "expiring"), 0);
}

static void status_says_that_the_ca_is_locked(void **state)
{
	struct desk *desk = *state;
	struct answer answer = order(desk->office, "status", "{}");

	assert_string_equal(cell_text(&answer, "part", "ca", "state"), "unlocked");
	answer_finish(&answer);
	desk->signer.locked = true;
	answer = asked(desk, "ca show", "{}", MSG_show_ca);
	answer_finish(&answer);
	answer = order(desk->office, "status", "{}");
	assert_string_equal(cell_text(&answer, "part", "ca", "state"), "locked");
	answer_finish(&answer);
}

static void status_says_who_waits(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;

	ordered(office, "device invite", "{\"user\": \"sato\", \"name\": \"PC\"}");
	assert_int_equal(status_count(office, "pending"), 0);
	assert_ok(db_exec(office->db, "UPDATE invite SET state = 2"));
	assert_int_equal(status_count(office, "pending"), 1);
	assert_ok(db_exec(office->db, "UPDATE invite SET expires = 1"));
	assert_int_equal(status_count(office, "pending"), 0);
}

#define desk_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(all_cas_are_shown),
		desk_test(root_or_chain),
		desk_test(the_signer_gets_what_was_said),
		desk_test(a_refusal_says_why),
		desk_test(a_new_ca_needs_a_good_passphrase),
		desk_test(nothing_is_ordered_unrecorded),
		desk_test(the_root_leaves_in_two_steps),
		desk_test(an_auditor_is_certified),
		desk_test(status_says_what_runs_out),
		desk_test(status_says_that_the_ca_is_locked),
		desk_test(status_says_who_waits),
	};

	/* One test makes the log complain, on purpose. */
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
