#include "unit/broker/applicant.h"

#include <openssl/pkcs12.h>

#include "broker/enrol.h"

/* ---- asking ----------------------------------------------------------------------------- */

static struct answer simpleenroll(struct test *test, const char *user, const char *code,
				  const struct csr *csr)
{
	union wire_any msg = {
		.est_simpleenroll = { .user = user, .code = code, .csr = { csr->der, csr->len } }
	};

	office_send(test->office, MSG_est_simpleenroll, &msg, 0, "");
	return signer_answer(test->office, &test->signer);
}

/* ---- files ------------------------------------------------------------------------------ */

static void check_file(struct test *test, const struct answer *answer, bool compatible)
{
	/* pbeWithSHAAnd3-KeyTripleDES-CBC, RFC 7292 appendix C. */
	static const uint8_t triple_des[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
					      0x0d, 0x01, 0x0c, 0x01, 0x03 };
	const char *text = answer_text(*answer, "file");
	const char *password = answer_text(*answer, "password");
	uint8_t der[16384], key[DEVICE_KEY];
	const uint8_t *at = der;
	int len = EVP_DecodeBlock(der, (const uint8_t *)text, (int)strlen(text));
	_cleanup_object_(pkcs12) PKCS12 *file = d2i_PKCS12(NULL, &at, len);
	_cleanup_object_(pkey) EVP_PKEY *private = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;
	STACK_OF(X509) *chain = NULL;
	struct device device;

	assert_non_null(file);
	assert_int_equal(memmem(der, (size_t)len, triple_des, sizeof(triple_des)) != NULL,
			 compatible);
	assert_int_equal(strlen(password), 24);
	assert_int_equal(PKCS12_parse(file, password, &private, &certificate, &chain), 1);
	assert_int_equal(X509_check_private_key(certificate, private), 1);
	assert_int_equal(sk_X509_num(chain), 2);
	sk_X509_pop_free(chain, X509_free);
	assert_ok(identity_of(certificate, key));
	assert_ok(device_by_key(test->office->db, key, &device));
	assert_int_equal(device.not_after_s, answer_number(*answer, "until"));
}

static void a_file_is_made_once(void **state)
{
	struct test *test = *state;
	struct certificate row;
	struct answer answer = ask_file(test, test->code, false);

	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "kind"), "file");
	check_file(test, &answer, false);
	answer_finish(&answer);
	assert_ok(certificate_newest(test->office->db, 2, &row));
	assert_int_equal(row.key_place, KEY_PKCS12);
	assert_string_equal(row.key_type, "EC P-256");
	answer = ask_file(test, test->code, false);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	/* Nothing of it is kept. */
	assert_int_equal(count(test, "SELECT count(*) FROM invite WHERE csr IS NOT NULL"), 0);
}

static void a_file_waits_for_approval_too(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	set(test, "UPDATE invite SET preapproved = 0");
	for (int i = 0; i < 2; i++) {
		answer = ask_file(test, test->code, true);
		assert_int_equal(answer.status, 202);
		answer_finish(&answer);
	}
	answer = request(test, test->code, &csr);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	assert_int_equal(test->signer.signs, 0);
	decide(test, true, "");
	answer = ask_file(test, test->code, true);
	assert_int_equal(answer.status, 200);
	check_file(test, &answer, true);
	answer_finish(&answer);
}

/* ---- EST -------------------------------------------------------------------------------- */

static void est_gives_the_certificate_alone(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct certificate row;
	struct answer answer;

	csr_new(&csr);
	set(test, "UPDATE invite SET preapproved = 0");
	answer = simpleenroll(test, "store", test->code, &csr);
	assert_int_equal(answer.status, 202);
	assert_int_equal(answer.retry_s, ENROL_RETRY_EST_S);
	answer_finish(&answer);
	decide(test, true, "");
	answer = simpleenroll(test, "store", test->code, &csr);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.kind, BODY_PKCS7);
	assert_true(answer.len > 100);
	assert_null(memchr(answer.data, '\n', answer.len));
	answer_finish(&answer);
	assert_ok(certificate_newest(test->office->db, 2, &row));
	assert_int_equal(row.key_place, KEY_STORE);
	answer = simpleenroll(test, "store", test->code, &csr);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	answer = simpleenroll(test, "x", "", &csr);
	assert_error(answer, 401, "code");
	answer_finish(&answer);
}

static void est_says_what_there_is(void **state)
{
	struct test *test = *state;
	union wire_any msg = { 0 };
	struct answer answer = office_ask_as(test->office, MSG_est_cacerts, &msg, 0, "");

	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.kind, BODY_PKCS7);
	answer_finish(&answer);
	answer = office_ask_as(test->office, MSG_est_csrattrs, &msg, 0, "");
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.kind, BODY_CSRATTRS);
	answer_finish(&answer);
}

static void ocsp_is_the_signers(void **state)
{
	struct test *test = *state;
	union wire_any msg = { .ocsp = { .question = { (const uint8_t *)"question", 8 } } };
	struct answer answer;

	office_send(test->office, MSG_ocsp, &msg, 0, "");
	signer_does(test->office, &test->signer, MSG_answer_ocsp);
	answer = office_answer(test->office);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.kind, BODY_OCSP);
	assert_memory_equal(answer.data, "question", 8);
	answer_finish(&answer);
	/* Without a signer: try later. */
	close(test->office->signer);
	test->office->signer = -1;
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(test->office->loop, 2));
	office_send(test->office, MSG_ocsp, &msg, 0, "");
	answer = office_answer(test->office);
	assert_int_equal(answer.kind, BODY_OCSP);
	assert_int_equal(answer.len, 5);
	assert_int_equal(answer.data[4], 3);
	answer_finish(&answer);
}

/* Anybody may ask, and the signer is slow. */
static void questions_leave_room_for_enrolment(void **state)
{
	struct test *test = *state;
	union wire_any question = { .ocsp = { .question = { (const uint8_t *)"question", 8 } } };
	_cleanup_csr_ struct csr csr;
	unsigned later = 0;

	csr_new(&csr);
	for (int i = 0; i < ENROL_JOBS_MAX; i++)
		office_send(test->office, MSG_ocsp, &question, 0, "");
	for (int i = 0; i < ENROL_JOBS_MAX / 2; i++) {
		struct answer answer = office_answer_any(test->office);

		later += answer.len == 5;
		answer_finish(&answer);
	}
	assert_int_equal(later, ENROL_JOBS_MAX / 2);
	send_request(test, test->code, &csr);
	for (bool mine = false; !mine;) {
		struct answer answer = signer_answer_any(test->office, &test->signer);

		mine = answer.request == test->office->request;
		assert_int_equal(answer.status, 200);
		answer_finish(&answer);
	}
}

/* A broker that stops in the middle leaves nothing, here or in memory. */
static void stopping_drops_what_is_under_way(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;

	csr_new(&csr);
	send_request(test, test->code, &csr);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(test->office->loop, 2));
	office_restart(test->office);
	assert_invite(test, ENROL_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_file_is_made_once),
		test(a_file_waits_for_approval_too),
		test(est_gives_the_certificate_alone),
		test(est_says_what_there_is),
		test(ocsp_is_the_signers),
		test(questions_leave_room_for_enrolment),
		test(stopping_drops_what_is_under_way),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
