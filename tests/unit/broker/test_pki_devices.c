#include "unit/broker/edge_config.h"

/* ---- devices ---------------------------------------------------------------------------- */

static json_t *enrol_arguments(const struct csr *csr)
{
	return json_pack("{s:s, s:s, s:i, s:s}", "user", "sato", "name", "佐藤のノートPC", "days",
			 30, "csr", csr->text);
}

static void a_device_is_enrolled_by_its_key(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate = NULL;
	_cleanup_object_(bio) BIO *bio = NULL;
	uint8_t key[WIRE_DEVICE_ID];
	struct signer signer;
	struct device device;
	struct answer answer;
	struct csr csr;

	signer_init(&signer);
	csr_new(&csr);
	send_order(office, "device enrol", enrol_arguments(&csr));
	signer_does(office, &signer, MSG_sign);
	answer = order_answer(office);
	assert_int_equal(answer.status, 200);
	bio = BIO_new_mem_buf(answer_text(answer, "certificate"), -1);
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(certificate);
	assert_int_equal(X509_check_private_key(certificate, csr.key), 1);
	assert_ok(identity_of(certificate, key));
	assert_ok(device_by_key(office->db, key, &device));
	assert_int_equal(device.id, answer_number(answer, "id"));
	assert_int_equal(device.owner, office->account);
	assert_string_equal(device.name, "佐藤のノートPC");
	assert_in_range(device.not_after_s, clock_wall_s() + 30 * 86400 - 400,
			clock_wall_s() + 30 * 86400 + 10);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "device-enrol"), 1);
	/* The same key again: no second row. */
	send_order(office, "device enrol", enrol_arguments(&csr));
	signer_does(office, &signer, MSG_sign);
	answer = order_answer(office);
	assert_error(answer, 409, "exists");
	answer_finish(&answer);
	/* Nor when it came to its device by a renewal. */
	assert_ok(db_exec(office->db, "UPDATE device SET device_key = randomblob(32)"));
	send_order(office, "device enrol", enrol_arguments(&csr));
	signer_does(office, &signer, MSG_sign);
	answer = order_answer(office);
	assert_error(answer, 409, "exists");
	answer_finish(&answer);
	csr_finish(&csr);
	signer_finish(&signer);
}

/* Whichever comes first: an answer belongs to the order of its number. */
static void answers_find_their_order(void **state)
{
	struct office *office = *state;
	struct ordered ordered[2] = { 0 };
	struct msg_certified answers[2] = { 0 };

	for (int i = 0; i < 2; i++)
		order(office, &ordered[i]);
	for (int i = 0; i < 2; i++) {
		assert_true(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign,
					   OFFICE_WAIT_MS));
		answers[i].request = office->received.msg.sign.request;
		answers[i].certificate = (struct bytes){ (const uint8_t *)(i ? "B" : "A"), 1 };
		answers[i].ca = answers[i].certificate;
		ipc_received_finish(&office->received);
	}
	for (int i = 0; i < 2; i++)
		assert_ok(ipc_send(office->signer, MSG_certified, &answers[i], -1));
	assert_ok(ipc_send(office->signer, MSG_certified, &answers[0], -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ordered[i].count, 1);
		assert_int_equal(ordered[i].first, i ? 'B' : 'A');
	}
}

/* Of another kind than was asked for, or empty. */
static void a_wrong_answer_is_none(void **state)
{
	struct office *office = *state;
	struct ordered ordered = { 0 };
	struct msg_checked_csr checked = { 0 };
	struct msg_certified empty = { 0 };

	order(office, &ordered);
	assert_true(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign, OFFICE_WAIT_MS));
	empty.request = checked.request = office->received.msg.sign.request;
	ipc_received_finish(&office->received);
	assert_ok(ipc_send(office->signer, MSG_checked_csr, &checked, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_int_equal(ordered.count, 0);
	assert_ok(ipc_send(office->signer, MSG_certified, &empty, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_int_equal(ordered.count, 1);
	assert_err(ordered.err, ERR_PROTOCOL);
}

static void a_signer_that_dies_ends_its_orders(void **state)
{
	struct office *office = *state;
	struct ordered ordered = { 0 };

	order(office, &ordered);
	close(office->signer);
	office->signer = -1;
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_int_equal(ordered.count, 1);
	assert_err(ordered.err, ERR_UNAVAILABLE);
}

static void a_slow_signer_leaves_nothing_half_done(void **state)
{
	struct office *office = *state;
	struct signer signer;
	struct answer answer;
	_cleanup_query_ struct query query = { 0 };
	struct csr csr;

	signer_init(&signer);
	csr_new(&csr);
	send_order(office, "device enrol", enrol_arguments(&csr));
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	office_pass(PKI_WAIT_S * 1000);
	answer = order_answer(office);
	assert_error(answer, 503, "unavailable");
	answer_finish(&answer);
	/* Its answer comes after all. */
	signer_does(office, &signer, MSG_sign);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	query_init(&query, office->db, "SELECT count(*) FROM device");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 1);
	csr_finish(&csr);
	signer_finish(&signer);
}

/* The account was disabled while the signer was at work. */
static void enrolment_looks_again(void **state)
{
	struct office *office = *state;
	struct signer signer;
	struct answer answer;
	struct csr csr;

	signer_init(&signer);
	csr_new(&csr);
	send_order(office, "device enrol", enrol_arguments(&csr));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_ok(account_set_disabled(office->db, office->account, true));
	signer_does(office, &signer, MSG_sign);
	answer = order_answer(office);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
	csr_finish(&csr);
	signer_finish(&signer);
}

static void bad_requests_do_not_reach_the_signer(void **state)
{
	static const char *const arguments[] = {
		"{\"user\": \"sato\", \"name\": \"x\"}",
		"{\"user\": \"sato\", \"name\": \"x\", \"csr\": \"\"}",
		"{\"user\": \"sato\", \"name\": \"x\", \"csr\": \"!!!!\"}",
		"{\"user\": \"sato\", \"name\": \"\", \"csr\": \"AAAA\"}",
		"{\"user\": \"sato\", \"name\": \"x\", \"csr\": \"AAAA\", \"days\": 0}",
		"{\"user\": \"sato\", \"name\": \"x\", \"csr\": \"AAAA\", \"days\": 91}",
		"{\"user\": \"sato\", \"name\": \"x\", \"csr\": \"AAAA\", \"password\": \"p12\"}",
		"{\"user\": \"sato\", \"name\": \"x\", \"csr\": \"AAAA\", \"out\": \"/tmp/x\"}",
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
		struct answer answer =
			office_order(office, "device enrol", json_loads(arguments[i], 0, NULL));

		assert_error(answer, 400, "invalid");
		answer_finish(&answer);
	}
	assert_false(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign, 50));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(a_device_is_enrolled_by_its_key),
		office_test(answers_find_their_order),
		office_test(a_wrong_answer_is_none),
		office_test(a_signer_that_dies_ends_its_orders),
		office_test(a_slow_signer_leaves_nothing_half_done),
		office_test(enrolment_looks_again),
		office_test(bad_requests_do_not_reach_the_signer),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
