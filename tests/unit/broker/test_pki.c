#include "unit/broker/edge_config.h"

static void edge_starts(struct office *office, const struct csr *csr)
{
	const struct msg_edge_start start = { .request = ++office->request,
					      .csr = { csr->der, csr->len } };

	assert_ok(ipc_send(office->edge, MSG_edge_start, &start, -1));
}

static bool edge_gets_config(struct office *office, uint32_t request, int wait_ms)
{
	if (!office_receive(office, office->edge, WIRE_EDGE, MSG_edge_config, wait_ms))
		return false;
	assert_int_equal(office->received.msg.edge_config.request, request);
	assert_true(office->received.msg.edge_config.certificate.len > 0);
	assert_true(office->received.msg.edge_config.ca.len > 0);
	assert_true(office->received.msg.edge_config.crl.len > 0);
	return true;
}

static size_t revoked_in(const struct msg_edge_config *config)
{
	const uint8_t *at = config->crl.data;
	_cleanup_object_(crl) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)config->crl.len);

	assert_non_null(crl);
	return (size_t)MAX(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 0);
}

/* ---- the edge --------------------------------------------------------------------------- */

static size_t certificates_in(struct bytes ders)
{
	const uint8_t *at = ders.data;
	size_t count = 0;

	while (at < ders.data + ders.len) {
		_cleanup_object_(x509) X509 *one =
			d2i_X509(NULL, &at, (long)(ders.data + ders.len - at));

		assert_non_null(one);
		count++;
	}
	return count;
}

static void the_edge_gets_its_certificate_and_each_new_list(void **state)
{
	struct office *office = *state;
	const struct msg_edge_config *config = &office->received.msg.edge_config;
	struct signer signer;
	struct csr csr;
	struct answer answer;

	signer_init(&signer);
	csr_new(&csr);
	signer_starts(office, &signer);
	edge_starts(office, &csr);
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, office->request, 1000));
	assert_int_equal(revoked_in(config), 0);
	/* Its own and the issuing CA's, and the CAs with the root. */
	assert_int_equal(certificates_in(config->certificate), 2);
	assert_int_equal(certificates_in(config->ca), 2);
	ipc_received_finish(&office->received);
	answer = office_order(office, "device revoke",
			      json_pack("{s:I}", "id", (json_int_t)office->device));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	signer_does(office, &signer, MSG_make_crl);
	assert_true(edge_gets_config(office, 0, 1000));
	assert_int_equal(revoked_in(config), 1);
	ipc_received_finish(&office->received);
	csr_finish(&csr);
	signer_finish(&signer);
}

static void without_a_signer_the_edge_is_told_and_served_later(void **state)
{
	struct office *office = *state;
	struct signer signer;
	struct answer answer;
	struct csr csr;

	signer_init(&signer);
	csr_new(&csr);
	close(office->signer);
	office->signer = -1;
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
	edge_starts(office, &csr);
	answer = office_answer_after(office, PKI_WAIT_S * 1000);
	assert_error(answer, 503, "unavailable");
	answer_finish(&answer);
	office_link(office, WIRE_SIGNER, &office->signer);
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, office->request, 1000));
	ipc_received_finish(&office->received);
	csr_finish(&csr);
	signer_finish(&signer);
}

static void a_refused_request_is_an_error(void **state)
{
	struct office *office = *state;
	struct signer signer;
	const struct csr rubbish = { .der = (uint8_t *)(uintptr_t) "rubbish", .len = 7 };
	struct answer answer;

	signer_init(&signer);
	edge_starts(office, &rubbish);
	signer_does(office, &signer, MSG_sign);
	answer = office_answer(office);
	assert_error(answer, 400, "invalid");
	answer_finish(&answer);
	signer_finish(&signer);
}

/* An edge that was broken into asks for its intruder's key. */
static void only_the_first_key_is_the_gateways(void **state)
{
	struct office *office = *state;
	struct signer signer;
	struct csr mine, other;
	struct answer answer;

	signer_init(&signer);
	csr_new(&mine);
	csr_new(&other);
	signer_starts(office, &signer);
	edge_starts(office, &mine);
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, office->request, 1000));
	ipc_received_finish(&office->received);
	assert_int_equal(office_audit_count(office, "gateway-key"), 1);
	office_restart(office);
	signer_starts(office, &signer);
	edge_starts(office, &other);
	signer_does(office, &signer, MSG_sign);
	answer = office_answer(office);
	assert_error(answer, 403, "denied");
	answer_finish(&answer);
	/* And for a while nothing is signed at all. */
	edge_starts(office, &mine);
	answer = office_answer(office);
	assert_error(answer, 403, "denied");
	answer_finish(&answer);
	assert_false(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign, 50));
	answer = office_order(office, "gateway rekey", json_object());
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	edge_starts(office, &other);
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, office->request, 1000));
	ipc_received_finish(&office->received);
	assert_int_equal(office_audit_count(office, "gateway-rekey"), 1);
	csr_finish(&mine);
	csr_finish(&other);
	signer_finish(&signer);
}

static void asking_again_costs_no_signature(void **state)
{
	struct office *office = *state;
	struct signer signer;
	struct csr csr;

	signer_init(&signer);
	csr_new(&csr);
	signer_starts(office, &signer);
	edge_starts(office, &csr);
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, office->request, 1000));
	ipc_received_finish(&office->received);
	for (int i = 0; i < 3; i++) {
		edge_starts(office, &csr);
		assert_true(edge_gets_config(office, office->request, 1000));
		ipc_received_finish(&office->received);
	}
	assert_false(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign, 50));
	csr_finish(&csr);
	signer_finish(&signer);
}

static void its_certificate_is_renewed_in_time(void **state)
{
	struct office *office = *state;
	struct pki *pki = office->broker->pki;
	struct signer signer;
	struct csr csr;

	signer_init(&signer);
	csr_new(&csr);
	signer_starts(office, &signer);
	edge_starts(office, &csr);
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, office->request, 1000));
	ipc_received_finish(&office->received);
	pki_tick(pki, clock_wall_s());
	assert_false(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign, 50));
	pki->certified_ms = 0; /* long ago */
	pki_tick(pki, clock_wall_s());
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, 0, 1000));
	ipc_received_finish(&office->received);
	csr_finish(&csr);
	signer_finish(&signer);
}

/* ---- CAs and CRLs ----------------------------------------------------------------------- */

static void the_ca_is_shown_before_any_certificate(void **state)
{
	struct office *office = *state;
	struct signer signer;
	struct answer answer;

	signer_init(&signer);
	send_order(office, "ca show", json_object());
	signer_answers(office, &signer, 0, 100);
	answer = order_answer(office);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer_text(answer, "certificate"), "BEGIN CERTIFICATE"));
	answer_finish(&answer);
	signer_finish(&signer);
}

static bool crl_is_ordered(struct office *office, uint32_t issuer, size_t serials)
{
	if (!office_receive(office, office->signer, WIRE_SIGNER, MSG_make_crl, 200))
		return false;
	assert_int_equal(office->received.msg.make_crl.issuer, issuer);
	assert_int_equal(office->received.msg.make_crl.revoked.len, serials * 25);
	ipc_received_finish(&office->received);
	return true;
}

static void a_fresh_list_at_start_and_every_week(void **state)
{
	struct office *office = *state;
	struct signer signer;
	int64_t now_s = clock_wall_s();

	signer_init(&signer);
	signer_starts(office, &signer);
	pki_tick(office->broker->pki, now_s + PKI_CRL_S - 60);
	assert_false(crl_is_ordered(office, 1, 0));
	pki_tick(office->broker->pki, now_s + PKI_CRL_S + 60);
	assert_true(crl_is_ordered(office, 1, 0));
	signer_finish(&signer);
}

/* A list that says it is of tomorrow keeps everybody out. */
static void a_fresh_list_when_the_clock_was_set_back(void **state)
{
	struct office *office = *state;
	struct signer signer;

	signer_init(&signer);
	signer_starts(office, &signer);
	pki_tick(office->broker->pki, clock_wall_s() - 60);
	assert_true(crl_is_ordered(office, 1, 0));
	signer_finish(&signer);
}

/* Answers OCSP from memory: what it knew died with the one before. */
static void a_new_signer_gets_the_lists_again(void **state)
{
	struct office *office = *state;
	struct signer signer;

	signer_init(&signer);
	signer_starts(office, &signer);
	assert_ok(db_exec(office->db, "UPDATE certificate SET state = 3"));
	office_link(office, WIRE_SIGNER, &office->signer);
	signer_does(office, &signer, MSG_show_ca);
	assert_true(crl_is_ordered(office, 1, 1));
	signer_finish(&signer);
}

static void the_list_has_no_certificate_that_ran_out(void **state)
{
	struct office *office = *state;
	struct signer signer;

	signer_init(&signer);
	signer_starts(office, &signer);
	assert_ok(db_exec(office->db, "UPDATE certificate SET state = 3"));
	pki_renew_crl(office->broker->pki);
	assert_true(crl_is_ordered(office, 1, 1));
	assert_ok(db_exec(office->db, "UPDATE certificate SET not_after = unixepoch() - 1"));
	pki_renew_crl(office->broker->pki);
	assert_true(crl_is_ordered(office, 1, 0));
	signer_finish(&signer);
}

/* Lists that are as long as they may be still reach the edge, all of them. */
static void full_lists_of_all_issuers_fit(void **state)
{
	struct office *office = *state;
	struct signer signer;
	struct csr csr;

	signer_init(&signer);
	for (int i = 1; i < SIGNER_NUMBERS; i++)
		signer_add(&signer);
	csr_new(&csr);
	assert_ok(db_exec(office->db,
			  "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n"
			  " WHERE i < 4399) INSERT INTO certificate (device, device_key, serial,"
			  " issuer, not_before, not_after, key_type, key_place, state, revoked,"
			  " reason, issued) SELECT 1, randomblob(32), randomblob(16), 1 + i % 4, 1,"
			  " unixepoch() + 9999, '', 0, 2, unixepoch(), 4, 1 FROM n"));
	signer_starts(office, &signer);
	edge_starts(office, &csr);
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, office->request, 2000));
	assert_in_range(office->received.msg.edge_config.crl.len, 1000 * 48, PKI_CRLS_MAX);
	ipc_received_finish(&office->received);
	csr_finish(&csr);
	signer_finish(&signer);
}

static void the_list_says_when_and_why(void **state)
{
	struct office *office = *state;
	struct signer signer;
	const uint8_t *at;

	signer_init(&signer);
	signer_starts(office, &signer);
	assert_ok(
		db_exec(office->db, "UPDATE certificate SET state = 3, revoked = 258, reason = 1"));
	pki_renew_crl(office->broker->pki);
	assert_true(
		office_receive(office, office->signer, WIRE_SIGNER, MSG_make_crl, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.make_crl.revoked.len, 25);
	at = office->received.msg.make_crl.revoked.data;
	assert_int_equal(at[15], 1);
	assert_int_equal(at[16], 2);
	assert_int_equal(at[17], 1);
	assert_int_equal(at[24], CRL_KEY_COMPROMISE);
	ipc_received_finish(&office->received);
	signer_finish(&signer);
}

static void changed(void *ctx, enum err err, const union wire_any *answer)
{
	unsigned *count = ctx;

	assert_ok(err);
	assert_non_null(answer);
	(*count)++;
}

static void change(struct office *office, enum ca_order what, unsigned *count)
{
	const struct msg_change_ca order = { .order = (uint8_t)what };

	assert_ok(pki_change_ca(office->broker->pki, &order, changed, count));
}

static void after_a_rotation_the_edge_has_both_and_a_new_certificate(void **state)
{
	struct office *office = *state;
	const struct msg_edge_config *config = &office->received.msg.edge_config;
	_cleanup_object_(x509) X509 *leaf = NULL;
	struct signer signer;
	struct csr csr;
	unsigned count = 0;
	const uint8_t *at;

	signer_init(&signer);
	csr_new(&csr);
	signer_starts(office, &signer);
	edge_starts(office, &csr);
	signer_does(office, &signer, MSG_sign);
	assert_true(edge_gets_config(office, office->request, 1000));
	ipc_received_finish(&office->received);
	signer_add(&signer);
	change(office, CA_ROTATE, &count);
	signer_does(office, &signer, MSG_sign);
	assert_int_equal(count, 1);
	assert_int_equal(signer.signs, 2);
	assert_int_equal(signer.crls, 3);
	assert_true(edge_gets_config(office, 0, 1000));
	assert_int_equal(certificates_in(config->ca), 3);
	at = config->certificate.data;
	leaf = d2i_X509(NULL, &at, (long)config->certificate.len);
	assert_int_equal(X509_verify(leaf, signer.issuing[1].key), 1);
	ipc_received_finish(&office->received);
	/* Once: the lists that follow bring no new one. */
	pki_renew_crl(office->broker->pki);
	signer_does(office, &signer, MSG_make_crl);
	signer_does(office, &signer, MSG_make_crl);
	assert_int_equal(signer.signs, 2);
	csr_finish(&csr);
	signer_finish(&signer);
}

static void a_locked_ca_is_told_and_served_when_it_opens(void **state)
{
	struct office *office = *state;
	struct signer signer;
	struct answer answer;
	struct csr csr;
	unsigned count = 0;

	signer_init(&signer);
	signer.locked = true;
	csr_new(&csr);
	signer_starts(office, &signer);
	edge_starts(office, &csr);
	signer_does(office, &signer, MSG_sign);
	answer = office_answer(office);
	assert_error(answer, 423, "locked");
	answer_finish(&answer);
	assert_true(pki_edge_is_waiting(office->broker->pki));
	signer.locked = false;
	change(office, CA_UNLOCK, &count);
	signer_does(office, &signer, MSG_sign);
	assert_int_equal(count, 1);
	assert_true(edge_gets_config(office, office->request, 1000));
	ipc_received_finish(&office->received);
	assert_false(pki_edge_is_waiting(office->broker->pki));
	csr_finish(&csr);
	signer_finish(&signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(the_edge_gets_its_certificate_and_each_new_list),
		office_test(without_a_signer_the_edge_is_told_and_served_later),
		office_test(a_refused_request_is_an_error),
		office_test(only_the_first_key_is_the_gateways),
		office_test(asking_again_costs_no_signature),
		office_test(its_certificate_is_renewed_in_time),
		office_test(the_ca_is_shown_before_any_certificate),
		office_test(a_fresh_list_at_start_and_every_week),
		office_test(a_fresh_list_when_the_clock_was_set_back),
		office_test(a_new_signer_gets_the_lists_again),
		office_test(full_lists_of_all_issuers_fit),
		office_test(the_list_says_when_and_why),
		office_test(after_a_rotation_the_edge_has_both_and_a_new_certificate),
		office_test(a_locked_ca_is_told_and_served_when_it_opens),
		office_test(the_list_has_no_certificate_that_ran_out),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
