#include "unit/broker/signer.h"

#include <openssl/pem.h>

#include "broker/enrol.h"
#include "broker/enrol_code.h"
#include "store/invites.h"

/* Many requests with one code at the same time: the signer signs once. */

enum { MANY = 12 };

struct test {
	struct office *office;
	struct signer signer;
	char code[ENROL_CODE_LEN + 1];
};

static int setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));
	struct invite invite = { .name = "花子のノート",
				 .preapproved = true,
				 .invited_by = "uid 0" };
	void *office;

	office_setup(&office);
	test->office = office;
	signer_init(&test->signer);
	signer_starts(test->office, &test->signer);
	enrol_code_random(test->code, ENROL_CODE_LEN);
	assert_ok(enrol_code_hash(test->code, invite.code));
	invite.account = test->office->account;
	invite.created_s = clock_wall_s();
	invite.expires_s = invite.created_s + 86400;
	assert_ok(invite_add(test->office->db, &invite, &invite.id));
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct test *test = *state;
	void *office = test->office;

	signer_finish(&test->signer);
	office_teardown(&office);
	free(test);
	return 0;
}

static int64_t count(struct test *test, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, test->office->db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static void send_request(struct test *test, const struct csr *csr)
{
	union wire_any msg = { .enrol_request = { .code = test->code,
						  .csr = { csr->der, csr->len },
						  .key_place = KEY_TPM } };

	office_send(test->office, MSG_enrol_request, &msg, 0, "");
}

static void send_file(struct test *test)
{
	union wire_any msg = { .enrol_file = { .code = test->code } };

	office_send(test->office, MSG_enrol_file, &msg, 0, "");
}

/* All are at the broker before the signer says a word. */
static void hear_all(struct test *test)
{
	for (int i = 0; i < 2 * MANY; i++)
		assert_ok(loop_step(test->office->loop, 2));
}

static void all_get_the_one_certificate(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	char first[8192] = "";

	csr_new(&csr);
	for (int i = 0; i < MANY; i++)
		send_request(test, &csr);
	hear_all(test);
	for (int i = 0; i < MANY; i++) {
		_cleanup_answer_ struct answer answer =
			signer_answer_any(test->office, &test->signer);

		assert_int_equal(answer.status, 200);
		assert_string_equal(answer_text(answer, "state"), "issued");
		if (!first[0])
			snprintf(first, sizeof(first), "%s", answer_text(answer, "certificate"));
		assert_string_equal(answer_text(answer, "certificate"), first);
	}
	assert_int_equal(test->signer.signs, 1);
	assert_int_equal(count(test, "SELECT count(*) FROM device"), 2);
	assert_int_equal(count(test, "SELECT count(*) FROM certificate"), 2);
	assert_int_equal(office_audit_count(test->office, "device-enrol"), 1);
}

/* By the page and by EST, after an administrator has approved. */
static void both_doors_lead_to_one(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	unsigned pkcs7 = 0;

	csr_new(&csr);
	assert_ok(db_exec(test->office->db, "UPDATE invite SET preapproved = 0"));
	send_request(test, &csr);
	{
		_cleanup_answer_ struct answer answer =
			signer_answer_any(test->office, &test->signer);

		assert_int_equal(answer.status, 202);
	}
	assert_ok(invite_decide(test->office->db, 1, true, "kanri", "", clock_wall_s()));
	for (int i = 0; i < MANY; i++) {
		union wire_any msg = { .est_simpleenroll = { .user = "tpm",
							     .code = test->code,
							     .csr = { csr.der, csr.len } } };

		if (i % 2)
			send_request(test, &csr);
		else
			office_send(test->office, MSG_est_simpleenroll, &msg, 0, "");
	}
	hear_all(test);
	for (int i = 0; i < MANY; i++) {
		_cleanup_answer_ struct answer answer =
			signer_answer_any(test->office, &test->signer);

		assert_int_equal(answer.status, 200);
		pkcs7 += answer.kind == BODY_PKCS7;
	}
	assert_int_equal(pkcs7, MANY / 2);
	assert_int_equal(test->signer.signs, 1);
}

/* A key and its password are for one. */
static void a_file_is_handed_out_once(void **state)
{
	struct test *test = *state;
	unsigned files = 0;

	for (int i = 0; i < MANY; i++)
		send_file(test);
	hear_all(test);
	for (int i = 0; i < MANY; i++) {
		_cleanup_answer_ struct answer answer =
			signer_answer_any(test->office, &test->signer);

		if (answer.status == 200)
			files += answer_text(answer, "file") != NULL;
		else
			assert_error(answer, 409, "used");
	}
	assert_int_equal(files, 1);
	assert_int_equal(test->signer.signs, 1);
	assert_int_equal(count(test, "SELECT count(*) FROM device"), 2);
}

/* When the signer will not, all hear it, and the code is as good as before. */
static void a_refusal_is_for_all(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;

	csr_new(&csr);
	test->signer.refuses = ERR_THROTTLED;
	for (int i = 0; i < MANY; i++)
		send_request(test, &csr);
	hear_all(test);
	for (int i = 0; i < MANY; i++) {
		_cleanup_answer_ struct answer answer =
			signer_answer_any(test->office, &test->signer);

		assert_error(answer, 503, "unavailable");
	}
	assert_int_equal(test->signer.signs, 1);
	test->signer.refuses = OK;
	send_request(test, &csr);
	{
		_cleanup_answer_ struct answer answer =
			signer_answer_any(test->office, &test->signer);

		assert_int_equal(answer.status, 200);
	}
	assert_int_equal(test->signer.signs, 2);
}

/* One that waits must not wait for ever when the signer dies. */
static void a_signer_that_dies_ends_all(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;

	csr_new(&csr);
	send_request(test, &csr);
	signer_does(test->office, &test->signer, MSG_check_csr);
	hear_all(test);
	send_request(test, &csr);
	hear_all(test);
	util_closep(&test->office->signer);
	test->office->signer = -1;
	for (int i = 0; i < 2; i++) {
		_cleanup_answer_ struct answer answer = office_answer_any(test->office);

		assert_error(answer, 503, "unavailable");
	}
	assert_int_equal(test->office->broker->signer == NULL, 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(all_get_the_one_certificate), test(both_doors_lead_to_one),
		test(a_file_is_handed_out_once),   test(a_refusal_is_for_all),
		test(a_signer_that_dies_ends_all),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
