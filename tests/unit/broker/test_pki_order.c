#include "unit/broker/signer.h"

#include "broker/pki_parts.h"

/* Lists of what was revoked and the gateway's certificate are made at the same time, in any order
 * and with any end: what was made gets to the edge. */

struct test {
	struct office *office;
	struct signer signer;
	struct csr csr;
};

static void edge_starts(struct test *test, const struct csr *csr)
{
	const struct msg_edge_start msg = { .request = ++test->office->request,
					    .csr = { csr->der, csr->len } };

	assert_ok(ipc_send(test->office->edge, MSG_edge_start, &msg, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(test->office->loop, 5));
}

/* The number of serials on the CRL of the next edge_config; -1: none comes. */
static int revoked_at_edge(struct test *test, int wait_ms)
{
	const struct msg_edge_config *config = &test->office->received.msg.edge_config;
	int count = -1;

	if (office_receive(test->office, test->office->edge, WIRE_EDGE, MSG_edge_config, wait_ms)) {
		_cleanup_object_(crl) X509_CRL *crl = NULL;
		const uint8_t *at = config->crl.data;

		crl = d2i_X509_CRL(NULL, &at, (long)config->crl.len);
		assert_non_null(crl);
		count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
		if (count < 0)
			count = 0;
		ipc_received_finish(&test->office->received);
	}
	return count;
}

static int setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));
	void *office;

	office_setup(&office);
	test->office = office;
	signer_init(&test->signer);
	csr_new(&test->csr);
	signer_starts(test->office, &test->signer);
	edge_starts(test, &test->csr);
	signer_does(test->office, &test->signer, MSG_sign);
	assert_int_equal(revoked_at_edge(test, 1000), 0);
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct test *test = *state;
	void *office = test->office;

	csr_finish(&test->csr);
	signer_finish(&test->signer);
	office_teardown(&office);
	free(test);
	return 0;
}

static void order_certificate(struct test *test)
{
	test->office->broker->pki->certified_ms = 0; /* long ago */
	pki_tick(test->office->broker->pki, clock_wall_s());
}

static void revoke_device(struct test *test)
{
	struct answer answer =
		office_order(test->office, "device revoke",
			     json_pack("{s:I}", "id", (json_int_t)test->office->device));

	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* Takes the order to sign without an answer; its request. */
static uint32_t hold_sign(struct test *test)
{
	uint32_t request;

	assert_true(
		office_receive(test->office, test->office->signer, WIRE_SIGNER, MSG_sign, 1000));
	request = test->office->received.msg.sign.request;
	ipc_received_finish(&test->office->received);
	return request;
}

static void refuse_sign(struct test *test, uint32_t request, enum err err)
{
	const struct msg_certified answer = { .request = request, .error = (uint8_t)err };

	assert_ok(ipc_send(test->office->signer, MSG_certified, &answer, -1));
}

static void a_list_is_sent_though_the_certificate_is_refused(void **state)
{
	static const enum err errs[] = { ERR_THROTTLED, ERR_LOCKED, ERR_UNAVAILABLE, ERR_INTERNAL };
	struct test *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(errs); i++) {
		uint32_t request;

		order_certificate(test);
		request = hold_sign(test);
		if (i == 0)
			revoke_device(test);
		else
			pki_renew_crl(test->office->broker->pki);
		signer_does(test->office, &test->signer, MSG_make_crl);
		refuse_sign(test, request, errs[i]);
		assert_int_equal(revoked_at_edge(test, 1000), 1);
	}
}

static void a_list_is_sent_though_the_signer_dies(void **state)
{
	struct test *test = *state;

	order_certificate(test);
	hold_sign(test);
	revoke_device(test);
	signer_does(test->office, &test->signer, MSG_make_crl);
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(test->office->loop, 5));
	util_closep(&test->office->signer);
	test->office->signer = -1;
	assert_int_equal(revoked_at_edge(test, 1000), 1);
}

static void a_list_is_sent_though_the_key_is_forgotten(void **state)
{
	struct test *test = *state;
	struct answer answer;

	order_certificate(test);
	hold_sign(test);
	revoke_device(test);
	signer_does(test->office, &test->signer, MSG_make_crl);
	answer = office_order(test->office, "gateway rekey", json_object());
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_int_equal(revoked_at_edge(test, 1000), 1);
}

/* A certificate that is no certificate must not take the place of the good one. */
static void rubbish_leaves_what_there_is(void **state)
{
	struct test *test = *state;
	uint8_t rubbish[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
	struct msg_certified answer = { .certificate = { rubbish, sizeof(rubbish) },
					.ca = { rubbish, sizeof(rubbish) },
					.issuer = 1 };
	size_t before = test->office->broker->pki->certificate.len;

	order_certificate(test);
	answer.request = hold_sign(test);
	assert_ok(ipc_send(test->office->signer, MSG_certified, &answer, -1));
	assert_int_equal(revoked_at_edge(test, 1000), 0);
	assert_int_equal(test->office->broker->pki->certificate.len, before);
}

/* Another key never gets the certificate of the one before. */
static void another_key_gets_no_old_certificate(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr other;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	uint32_t request;

	csr_new(&other);
	edge_starts(test, &other);
	request = hold_sign(test);
	refuse_sign(test, request, ERR_LOCKED);
	answer = office_answer(test->office);
	assert_error(answer, 423, "locked");
	pki_renew_crl(test->office->broker->pki);
	signer_does(test->office, &test->signer, MSG_make_crl);
	assert_int_equal(revoked_at_edge(test, 100), -1);
}

/* One with a token has no CA before it gets the PIN: that is no broken answer. */
static void a_signer_without_a_ca_is_locked(void **state)
{
	struct test *test = *state;
	const struct msg_ca_state nothing = { .locked = true };
	struct msg_ca_state rubbish = { .locked = true };
	struct pki *pki = test->office->broker->pki;

	pki->known = false;
	assert_ok(ipc_send(test->office->signer, MSG_ca_state, &nothing, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(test->office->loop, 5));
	assert_false(pki_is_locked(pki)); /* nobody asked */
	pki_signer_came(pki);
	rubbish.request = pki->last_request;
	assert_ok(ipc_send(test->office->signer, MSG_ca_state, &rubbish, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(test->office->loop, 5));
	assert_true(pki_is_locked(pki));
	assert_int_equal(pki_ca(pki).len, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_list_is_sent_though_the_certificate_is_refused),
		test(a_list_is_sent_though_the_signer_dies),
		test(a_list_is_sent_though_the_key_is_forgotten),
		test(rubbish_leaves_what_there_is),
		test(another_key_gets_no_old_certificate),
		test(a_signer_without_a_ca_is_locked),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
