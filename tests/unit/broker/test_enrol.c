#include "unit/broker/applicant.h"

#include <openssl/pem.h>

#include "broker/enrol.h"

/* ---- asking ----------------------------------------------------------------------------- */

static X509 *certificate_in(const struct answer *answer)
{
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(answer_text(*answer, "certificate"), -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	assert_non_null(certificate);
	return certificate;
}

/* ---- the way ---------------------------------------------------------------------------- */

static void from_the_code_to_the_certificate(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	_cleanup_object_(x509) X509 *certificate = NULL;
	uint8_t key[DEVICE_KEY];
	struct device device;
	struct certificate row;
	bool is_owner;

	csr_new(&csr);
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "state"), "issued");
	assert_string_equal(answer_text(answer, "person"), "sato 花子");
	assert_string_equal(answer_text(answer, "account"), "sato");
	assert_string_equal(answer_text(answer, "device"), "花子のノート");
	assert_string_equal(answer_text(answer, "kind"), "request");
	assert_string_equal(answer_text(answer, "office"), "試験事務所");
	assert_string_equal(answer_text(answer, "gateway"), "https://localhost/");
	assert_non_null(strstr(answer_text(answer, "chain"), "BEGIN CERTIFICATE"));
	certificate = certificate_in(&answer);
	assert_int_equal(X509_check_private_key(certificate, csr.key), 1);
	assert_ok(identity_of(certificate, key));
	assert_ok(device_by_key(test->office->db, key, &device));
	assert_string_equal(device.name, "花子のノート");
	assert_int_equal(device.not_after_s, answer_number(answer, "until"));
	assert_ok(device_has_owner(test->office->db, device.id, test->office->account, &is_owner));
	assert_true(is_owner);
	assert_ok(certificate_newest(test->office->db, device.id, &row));
	assert_int_equal(row.issuer, 1);
	assert_string_equal(row.key_type, "EC P-256");
	assert_int_equal(row.key_place, KEY_TPM);
	assert_invite(test, ENROL_ISSUED);
	assert_int_equal(office_audit_count(test->office, "device-request"), 1);
	assert_int_equal(office_audit_count(test->office, "device-enrol"), 1);
}

/* As people type it. */
static void a_code_is_read_as_people_write(void **state)
{
	struct test *test = *state;
	char typed[ENROL_CODE_GROUPED + 1];
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	enrol_code_group(test->code, typed, sizeof(typed));
	for (char *at = typed; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	answer = look(test, typed);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "state"), "open");
	assert_string_equal(answer_text(answer, "kind"), "none");
}

static void an_administrator_approves_in_between(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	set(test, "UPDATE invite SET preapproved = 0");
	for (int i = 0; i < 3; i++) {
		answer = request(test, test->code, &csr);
		assert_int_equal(answer.status, 202);
		assert_int_equal(answer.retry_s, ENROL_RETRY_PAGE_S);
		assert_int_equal(answer_number(answer, "retry_s"), ENROL_RETRY_PAGE_S);
		assert_string_equal(answer_text(answer, "state"), "pending");
		answer_finish(&answer);
	}
	/* Asking again with the same bytes costs the signer nothing. */
	assert_int_equal(test->signer.checks, 1);
	assert_int_equal(test->signer.signs, 0);
	assert_int_equal(office_audit_count(test->office, "device-request"), 1);
	decide(test, true, "");
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_devices(test, 2);
}

static void a_refusal_says_why(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	set(test, "UPDATE invite SET preapproved = 0");
	answer = request(test, test->code, &csr);
	answer_finish(&answer);
	decide(test, false, "私物の端末");
	answer = request(test, test->code, &csr);
	assert_error(answer, 403, "denied");
	assert_string_equal(answer_text(answer, "reason"), "私物の端末");
	answer_finish(&answer);
	answer = look(test, test->code);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "state"), "refused");
	assert_string_equal(answer_text(answer, "reason"), "私物の端末");
	answer_finish(&answer);
	assert_devices(test, 1);
}

/* ---- codes that are not good ------------------------------------------------------------ */

static void a_used_code_is_used(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	_cleanup_csr_ struct csr other;
	struct answer answer;

	csr_new(&csr);
	csr_new(&other);
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	answer = request(test, test->code, &csr);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	answer = request(test, test->code, &other);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	answer = ask_file(test, test->code, false);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	assert_devices(test, 2);
	assert_int_equal(test->signer.signs, 1);
	assert_int_equal(office_audit_count(test->office, "enrol-refused"), 3);
}

static void the_first_key_has_the_code(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	_cleanup_csr_ struct csr other;
	struct answer answer;

	csr_new(&csr);
	csr_new(&other);
	set(test, "UPDATE invite SET preapproved = 0");
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 202);
	answer_finish(&answer);
	answer = request(test, test->code, &other);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	answer = ask_file(test, test->code, false);
	assert_error(answer, 409, "used");
	answer_finish(&answer);
	/* The same key in another request goes on. */
	OPENSSL_free(other.der);
	assert_ok(csr_make(csr.key, &other.der, &other.len));
	answer = request(test, test->code, &other);
	assert_int_equal(answer.status, 202);
	answer_finish(&answer);
}

/* Two keys at once: both are checked before either asks. */
static void of_two_at_once_one_wins(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	_cleanup_csr_ struct csr other;
	struct answer answer[2];
	unsigned won;

	csr_new(&csr);
	csr_new(&other);
	send_request(test, test->code, &csr);
	send_request(test, test->code, &other);
	answer[0] = signer_answer_any(test->office, &test->signer);
	answer[1] = signer_answer_any(test->office, &test->signer);
	won = answer[0].status == 200 ? 0 : 1;
	assert_int_equal(answer[won].status, 200);
	assert_error(answer[1 - won], 409, "used");
	answer_finish(&answer[0]);
	answer_finish(&answer[1]);
	assert_devices(test, 2);
}

static void times_that_are_not_now(void **state)
{
	static const struct {
		int64_t created_s, expires_s; /* from now */
		bool good;
	} cases[] = {
		{ -86400, 0, false },
		{ -86400, 5, true },
		/* The clock was set back. */
		{ 86400, 2 * 86400, false },
		{ ENROL_CLOCK_S - 60, 86400, true },
	};
	struct test *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_csr_ struct csr csr;
		int64_t now_s = clock_wall_s();
		char code[ENROL_CODE_LEN + 1];
		struct answer answer;

		csr_new(&csr);
		enrol_code_random(code, ENROL_CODE_LEN);
		invite_with(test->office, code, true, now_s + cases[i].created_s,
			    now_s + cases[i].expires_s);
		answer = look(test, code);
		assert_string_equal(answer_text(answer, "state"),
				    cases[i].good ? "open" : "expired");
		answer_finish(&answer);
		answer = request(test, code, &csr);
		if (cases[i].good)
			assert_int_equal(answer.status, 200);
		else
			assert_error(answer, 410, "expired");
		answer_finish(&answer);
	}
}

/* While the signer is at work. */
static void all_is_looked_at_again(void **state)
{
	static const struct {
		const char *sql;
		unsigned status;
	} changes[] = {
		{ "UPDATE invite SET expires = 1", 410 },
		{ "UPDATE invite SET state = 6", 403 },
		{ "UPDATE invite SET state = 2", 409 },
		{ "UPDATE account SET disabled = 1", 403 },
		{ "UPDATE invite SET device_key = zeroblob(32)", 500 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_csr_ struct csr csr;
		struct answer answer;
		struct test *test;
		void *fresh;

		setup(&fresh);
		test = fresh;
		csr_new(&csr);
		send_request(test, test->code, &csr);
		signer_does(test->office, &test->signer, MSG_check_csr);
		for (int k = 0; k < 5; k++)
			assert_ok(loop_step(test->office->loop, 2));
		set(test, changes[i].sql);
		signer_does(test->office, &test->signer, MSG_sign);
		answer = office_answer(test->office);
		assert_int_equal(answer.status, changes[i].status);
		answer_finish(&answer);
		assert_devices(test, 1);
		teardown(&fresh);
	}
}

static void a_disabled_account_gets_none(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	set(test, "UPDATE account SET disabled = 1");
	answer = request(test, test->code, &csr);
	assert_error(answer, 403, "denied");
	answer_finish(&answer);
	assert_int_equal(test->signer.checks, 0);
}

static void an_account_has_so_many_devices(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	for (uint8_t i = 1; i < ENROL_DEVICES_MAX; i++)
		office_add_device(test->office, test->office->account, (uint8_t)(100 + i));
	answer = request(test, test->code, &csr);
	assert_error(answer, 403, "denied");
	assert_string_equal(answer_text(answer, "field"), "devices");
	answer_finish(&answer);
	set(test, "UPDATE device SET state = 2 WHERE id = 1");
	answer = request(test, test->code, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(from_the_code_to_the_certificate),
		test(a_code_is_read_as_people_write),
		test(an_administrator_approves_in_between),
		test(a_refusal_says_why),
		test(a_used_code_is_used),
		test(the_first_key_has_the_code),
		test(of_two_at_once_one_wins),
		test(times_that_are_not_now),
		cmocka_unit_test(all_is_looked_at_again),
		test(a_disabled_account_gets_none),
		test(an_account_has_so_many_devices),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
