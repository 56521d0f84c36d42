#include "unit/broker/applicant.h"

#include "broker/enrol.h"
#include "broker/quota.h"
#include "store/gateway_key.h"

/* ---- strangers -------------------------------------------------------------------------- */

static void wrong_codes_slow_down_and_hurt_nobody_else(void **state)
{
	static const char *const wrong[] = { "", "0000", "0000-0000-0000-0000-0000-0000-0000",
					     "0000-0000-0000-0000-0000-0000-000U",
					     "00000000000000000000000000000" };
	struct test *test = *state;
	struct answer answer;
	unsigned throttled = 0;

	for (size_t i = 0; i < 30; i++) {
		answer = look(test, wrong[i % ARRAY_SIZE(wrong)]);
		throttled += answer.status == 429;
		if (answer.status != 429)
			assert_error(answer, 401, "code");
		else
			assert_true(answer.retry_s > 0);
		answer_finish(&answer);
	}
	assert_true(throttled > 0 && throttled < 15);
	/* The right one from the same office. */
	answer = look(test, test->code);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	/* The log is not theirs to fill. */
	assert_int_equal(office_audit_count(test->office, "enrol-refused"), 1);
}

static void an_old_code_is_a_stranger_s(void **state)
{
	struct test *test = *state;
	struct answer answer;

	set(test, "UPDATE invite SET expires = unixepoch() - 86400 + 60");
	answer = ask_file(test, test->code, false);
	assert_error(answer, 410, "expired");
	answer_finish(&answer);
	set(test, "UPDATE invite SET expires = unixepoch() - 86400");
	for (int i = 0; i < 5; i++) {
		answer = ask_file(test, test->code, false);
		assert_error(answer, 401, "code");
		answer_finish(&answer);
	}
	/* One of each. */
	assert_int_equal(office_audit_count(test->office, "enrol-refused"), 2);
}

static void refusals_of_a_code_are_limited(void **state)
{
	struct test *test = *state;
	struct answer answer;
	unsigned throttled = 0;

	office_stop_time();
	set(test, "UPDATE invite SET expires = unixepoch() - 1");
	for (int i = 0; i < 2 * QUOTA_ENROLS_PER_MINUTE; i++) {
		answer = ask_file(test, test->code, false);
		throttled += answer.status == 429;
		answer_finish(&answer);
	}
	assert_int_equal(throttled, QUOTA_ENROLS_PER_MINUTE);
	assert_int_equal(office_audit_count(test->office, "enrol-refused"),
			 QUOTA_ENROLS_PER_MINUTE);
}

/* One code that is good, or was found on a sheet, must not keep the signer from everybody else's.
 */
static void the_signer_is_not_asked_without_end(void **state)
{
	static uint8_t rubbish[] = "rubbish";
	const struct csr csr = { .der = rubbish, .len = sizeof(rubbish) - 1 };
	struct test *test = *state;
	struct answer answer;

	office_stop_time();
	for (int i = 0; i < 2 * QUOTA_CHECKS_PER_MINUTE; i++) {
		answer = request(test, test->code, &csr);
		assert_true(answer.status == 400 || answer.status == 429);
		answer_finish(&answer);
	}
	assert_int_equal(test->signer.checks, QUOTA_CHECKS_PER_MINUTE);
}

/* ---- keys ------------------------------------------------------------------------------- */

static void a_key_is_enrolled_once(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;
	char code[ENROL_CODE_LEN + 1];

	csr_new(&csr);
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	/* Also when its device is revoked. */
	set(test, "UPDATE device SET state = 2; UPDATE certificate SET state = 3");
	invite_new(test->office, code, true);
	answer = request(test, code, &csr);
	assert_error(answer, 422, "key");
	answer_finish(&answer);
	assert_devices(test, 2);
}

static void the_gateways_key_is_no_devices(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;
	uint8_t key[GATEWAY_KEY];

	csr_new(&csr);
	assert_ok(csr_key_hash(csr.key, key));
	assert_ok(gateway_key_add(test->office->db, key));
	answer = request(test, test->code, &csr);
	assert_error(answer, 422, "key");
	answer_finish(&answer);
	assert_invite(test, ENROL_OPEN);
}

static void what_is_no_request_burns_nothing(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	const struct csr rubbish = { .der = (uint8_t *)(uintptr_t) "rubbish", .len = 7 };
	union wire_any place = { .enrol_request = { .code = test->code,
						    .csr = { rubbish.der, rubbish.len },
						    .key_place = KEY_PKCS12 } };
	struct answer answer;

	csr_new(&csr);
	answer = request(test, test->code, &rubbish);
	assert_error(answer, 400, "invalid");
	assert_string_equal(answer_text(answer, "field"), "csr");
	answer_finish(&answer);
	answer = office_ask_as(test->office, MSG_enrol_request, &place, 0, "");
	assert_error(answer, 400, "invalid");
	assert_string_equal(answer_text(answer, "field"), "key_place");
	answer_finish(&answer);
	csr.der[csr.len - 1] ^= 1;
	answer = request(test, test->code, &csr);
	assert_error(answer, 400, "invalid");
	answer_finish(&answer);
	assert_invite(test, ENROL_OPEN);
	csr.der[csr.len - 1] ^= 1;
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* With a challenge password (RFC 2985 §5.4.1) of its own choice. */
static void csr_with_challenge(struct csr *csr, const char *challenge)
{
	_cleanup_object_(req) X509_REQ *req = X509_REQ_new();
	int len;

	csr->key = EVP_EC_gen("P-256");
	csr->der = NULL;
	assert_int_equal(X509_REQ_set_pubkey(req, csr->key), 1);
	assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_UTF8,
						   (const uint8_t *)challenge, -1),
			 1);
	assert_true(X509_REQ_sign(req, csr->key, EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, &csr->der);
	assert_true(len > 0);
	csr->len = (size_t)len;
}

static void a_challenge_must_be_the_code(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr wrong;
	_cleanup_csr_ struct csr right;
	struct answer answer;

	csr_with_challenge(&wrong, "somebody else's");
	csr_with_challenge(&right, test->code);
	answer = request(test, test->code, &wrong);
	assert_error(answer, 400, "invalid");
	assert_string_equal(answer_text(answer, "field"), "challenge");
	answer_finish(&answer);
	assert_invite(test, ENROL_OPEN);
	answer = request(test, test->code, &right);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* ---- the signer and the disk ------------------------------------------------------------ */

static void a_signer_that_is_away_burns_nothing(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	close(test->office->signer);
	test->office->signer = -1;
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(test->office->loop, 2));
	send_request(test, test->code, &csr);
	answer = office_answer(test->office);
	assert_error(answer, 503, "unavailable");
	assert_int_equal(answer.retry_s, ENROL_RETRY_PAGE_S);
	answer_finish(&answer);
	assert_invite(test, ENROL_OPEN);
	office_link(test->office, WIRE_SIGNER, &test->office->signer);
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(test->office, "enrol-refused"), 0);
}

static void a_slow_signer_burns_nothing(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	send_request(test, test->code, &csr);
	signer_does(test->office, &test->signer, MSG_check_csr);
	answer = office_answer_after(test->office, PKI_WAIT_S * 1000);
	assert_error(answer, 503, "unavailable");
	answer_finish(&answer);
	assert_invite(test, ENROL_APPROVED);
	/* Its answer comes after all: nobody waits for it. */
	signer_does(test->office, &test->signer, MSG_sign);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(test->office->loop, 2));
	assert_devices(test, 1);
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void a_signer_that_refuses_for_now_burns_nothing(void **state)
{
	static const enum err errs[] = { ERR_LOCKED, ERR_THROTTLED };
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	for (size_t i = 0; i < ARRAY_SIZE(errs); i++) {
		test->signer.refuses = errs[i];
		answer = request(test, test->code, &csr);
		assert_error(answer, 503, "unavailable");
		answer_finish(&answer);
	}
	test->signer.refuses = OK;
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* What cannot be recorded does not happen. */
static void without_a_record_nothing_is_enrolled(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	office_break_audit(test->office);
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 409);
	answer_finish(&answer);
	assert_invite(test, ENROL_OPEN);
	office_mend_audit(test->office);
	set(test, "UPDATE invite SET preapproved = 0");
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 202);
	answer_finish(&answer);
	decide(test, true, "");
	office_break_audit(test->office);
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 409);
	answer_finish(&answer);
	assert_devices(test, 1);
	assert_int_equal(count(test, "SELECT count(*) FROM certificate"), 1);
	office_mend_audit(test->office);
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void a_full_disk_burns_nothing(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	set(test, "PRAGMA max_page_count = 1"); /* becomes as many as there are */
	answer = request(test, test->code, &csr);
	for (int i = 0; i < 40 && answer.status == 200; i++) {
		char code[ENROL_CODE_LEN + 1];

		/* Until the free space in its pages is gone. */
		answer_finish(&answer);
		csr_finish(&csr);
		csr_new(&csr);
		set(test, "PRAGMA max_page_count = 4294967294");
		test->invite = invite_new(test->office, code, true);
		memcpy(test->code, code, sizeof(code));
		set(test, "UPDATE device SET state = 2; PRAGMA max_page_count = 1");
		answer = request(test, test->code, &csr);
	}
	assert_error(answer, 507, "full");
	answer_finish(&answer);
	set(test, "PRAGMA max_page_count = 4294967294");
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(wrong_codes_slow_down_and_hurt_nobody_else),
		test(an_old_code_is_a_stranger_s),
		test(refusals_of_a_code_are_limited),
		test(the_signer_is_not_asked_without_end),
		test(a_key_is_enrolled_once),
		test(the_gateways_key_is_no_devices),
		test(what_is_no_request_burns_nothing),
		test(a_challenge_must_be_the_code),
		test(a_signer_that_is_away_burns_nothing),
		test(a_slow_signer_burns_nothing),
		test(a_signer_that_refuses_for_now_burns_nothing),
		test(without_a_record_nothing_is_enrolled),
		test(a_full_disk_burns_nothing),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
