#include "unit/broker/signer.h"

#include <openssl/cms.h>
#include <openssl/pkcs12.h>

#include "broker/enrol.h"
#include "broker/quota.h"

enum { OLD_KEY = 1, NEW_KEY = 50, DAY = 86400 };

struct test {
	struct office *office;
	struct signer signer;
};

static void set(struct test *test, const char *sql)
{
	assert_ok(db_exec(test->office->db, sql));
}

static int setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));
	void *office;

	office_setup(&office);
	test->office = office;
	signer_init(&test->signer);
	signer_starts(test->office, &test->signer);
	set(test, "UPDATE certificate SET not_before = unixepoch() - 61 * 86400,"
		  " not_after = unixepoch() + 29 * 86400");
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

static void send_reenroll(struct test *test, const struct csr *csr)
{
	union wire_any msg = { .est_simplereenroll = { .csr = { csr->der, csr->len } } };

	office_send(test->office, MSG_est_simplereenroll, &msg, OLD_KEY, "");
}

static struct answer reenroll(struct test *test, const struct csr *csr)
{
	send_reenroll(test, csr);
	return signer_answer(test->office, &test->signer);
}

static struct answer ask_me(struct test *test, const uint8_t key[DEVICE_KEY])
{
	union wire_any msg = { .me = { .request = ++test->office->request,
				       .address = "192.0.2.8",
				       .token = test->office->token } };

	memcpy(msg.me.device, key, DEVICE_KEY);
	assert_ok(ipc_send(test->office->edge, MSG_me, &msg, -1));
	return office_answer(test->office);
}

static int64_t count(struct test *test, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, test->office->db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

#define assert_certificates(test, wanted)                                                          \
	assert_int_equal(count(test, "SELECT count(*) FROM certificate"), wanted)

/* ---- by the device ---------------------------------------------------------------------- */

static void not_before_two_thirds(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	set(test, "UPDATE certificate SET not_before = unixepoch() - 59 * 86400,"
		  " not_after = unixepoch() + 31 * 86400");
	answer = reenroll(test, &csr);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
	assert_int_equal(test->signer.checks, 0);
	/* Nor when the clock is far behind. */
	set(test, "UPDATE certificate SET not_before = unixepoch() + 86400,"
		  " not_after = unixepoch() + 91 * 86400");
	answer = reenroll(test, &csr);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
}

/* The login survives, the old key does not. */
static void the_old_one_ends_when_the_new_one_is_seen(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	uint8_t old[DEVICE_KEY], new[DEVICE_KEY];
	struct certificate row;
	struct answer answer;

	csr_new(&csr);
	device_key(OLD_KEY, old);
	assert_ok(csr_key_hash(csr.key, new));
	answer = reenroll(test, &csr);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.kind, BODY_PKCS7);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(test->office, "device-renew"), 1);
	assert_ok(certificate_newest(test->office->db, test->office->device, &row));
	assert_memory_equal(row.key, new, sizeof(new));
	assert_string_equal(row.key_type, "EC P-256");
	/* Both are good until the new one comes. */
	answer = ask_me(test, old);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(test->office, "device-key-superseded"), 0);
	answer = ask_me(test, new);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer_number(answer, "device_until"), row.not_after_s);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(test->office, "device-key-superseded"), 1);
	assert_true(
		office_receive(test->office, test->office->signer, WIRE_SIGNER, MSG_make_crl, 500));
	assert_int_equal(test->office->received.msg.make_crl.revoked.len, CRL_ENTRY_BYTES);
	assert_int_equal(test->office->received.msg.make_crl.revoked.data[24], CRL_SUPERSEDED);
	ipc_received_finish(&test->office->received);
	answer = ask_me(test, old);
	assert_error(answer, 401, "auth");
	answer_finish(&answer);
	answer = ask_me(test, new);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(test->office, "device-key-superseded"), 1);
}

/* A thief of the old key who renews first and knows no password locks nobody out. */
static void the_old_one_stays_without_a_login(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr theirs;
	_cleanup_csr_ struct csr ours;
	union wire_any msg = { .est_simplereenroll = { .address = "203.0.113.9", .token = "" } };
	uint8_t old[DEVICE_KEY], stolen[DEVICE_KEY];
	struct answer answer;

	csr_new(&theirs);
	csr_new(&ours);
	device_key(OLD_KEY, old);
	assert_ok(csr_key_hash(theirs.key, stolen));
	answer = reenroll(test, &theirs);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	memcpy(msg.est_simplereenroll.device, stolen, DEVICE_KEY);
	msg.est_simplereenroll.csr = (struct bytes){ theirs.der, theirs.len };
	msg.est_simplereenroll.request = ++test->office->request;
	assert_ok(ipc_send(test->office->edge, MSG_est_simplereenroll, &msg, -1));
	answer = office_answer(test->office);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
	answer = ask_me(test, old);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	/* And the next renewal with the old key ends what the thief got. */
	answer = reenroll(test, &ours);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	answer = ask_me(test, stolen);
	assert_error(answer, 401, "auth");
	answer_finish(&answer);
}

static void the_same_key_again(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	uint8_t key[DEVICE_KEY];
	struct answer answer;

	csr_new(&csr);
	assert_ok(csr_key_hash(csr.key, key));
	answer = reenroll(test, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	answer = reenroll(test, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	/* Nobody can tell which of the two is shown: neither is taken away. */
	assert_int_equal(count(test, "SELECT count(*) FROM certificate WHERE state = 1"), 3);
	answer = ask_me(test, key);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_int_equal(count(test, "SELECT count(*) FROM certificate WHERE state = 1"), 2);
}

static void what_nobody_took_goes_with_the_next(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	_cleanup_csr_ struct csr next;
	uint8_t key[DEVICE_KEY];
	struct answer answer;

	csr_new(&csr);
	csr_new(&next);
	assert_ok(csr_key_hash(csr.key, key));
	answer = reenroll(test, &csr);
	answer_finish(&answer);
	answer = reenroll(test, &next);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	answer = ask_me(test, key);
	assert_error(answer, 401, "auth");
	answer_finish(&answer);
}

static void who_may_not(void **state)
{
	static const struct {
		const char *sql;
		unsigned status;
	} cases[] = {
		{ "UPDATE device SET state = 2", 401 },
		{ "UPDATE device SET state = 3", 423 },
		{ "UPDATE certificate SET state = 3", 401 },
		{ "UPDATE certificate SET not_after = unixepoch()", 401 },
		{ "UPDATE account SET disabled = 1", 403 },
		{ "INSERT INTO device_owner SELECT 1, max(id) FROM account;"
		  " UPDATE account SET disabled = 1 WHERE id = 1",
		  200 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_csr_ struct csr csr;
		struct answer answer;
		struct test *test;
		void *fresh;

		setup(&fresh);
		test = fresh;
		csr_new(&csr);
		office_add_account(test->office, "abe", ACCOUNT_STAFF);
		set(test, cases[i].sql);
		answer = reenroll(test, &csr);
		assert_int_equal(answer.status, cases[i].status);
		answer_finish(&answer);
		teardown(&fresh);
	}
}

static void while_the_signer_was_at_work(void **state)
{
	static const struct {
		const char *sql;
		unsigned status;
	} cases[] = {
		{ "UPDATE device SET state = 2", 401 },
		{ "UPDATE account SET disabled = 1", 403 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_csr_ struct csr csr;
		struct answer answer;
		struct test *test;
		void *fresh;

		setup(&fresh);
		test = fresh;
		csr_new(&csr);
		send_reenroll(test, &csr);
		signer_does(test->office, &test->signer, MSG_check_csr);
		for (int k = 0; k < 5; k++)
			assert_ok(loop_step(test->office->loop, 2));
		set(test, cases[i].sql);
		signer_does(test->office, &test->signer, MSG_sign);
		answer = office_answer(test->office);
		assert_int_equal(answer.status, cases[i].status);
		answer_finish(&answer);
		assert_certificates(test, 1);
		teardown(&fresh);
	}
}

static void not_with_another_devices_key(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct certificate taken = { .issuer = 1 };
	struct answer answer;
	int64_t id;

	csr_new(&csr);
	taken.device = office_add_device(test->office, test->office->account, 9);
	assert_ok(csr_key_hash(csr.key, taken.key));
	memset(taken.serial, 77, sizeof(taken.serial));
	assert_ok(certificate_add(test->office->db, &taken, &id));
	set(test, "UPDATE device SET state = 2 WHERE id = 2");
	answer = reenroll(test, &csr);
	assert_error(answer, 422, "key");
	answer_finish(&answer);
}

static void a_signer_that_is_slow(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	send_reenroll(test, &csr);
	answer = office_answer_after(test->office, PKI_WAIT_S * 1000);
	assert_error(answer, 503, "unavailable");
	assert_true(answer.retry_s > 0);
	answer_finish(&answer);
	assert_certificates(test, 1);
	signer_answers(test->office, &test->signer, 0, 50);
	assert_certificates(test, 1);
	answer = reenroll(test, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void without_a_record_nothing_is_renewed(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	office_break_audit(test->office);
	answer = reenroll(test, &csr);
	assert_int_equal(answer.status, 409);
	answer_finish(&answer);
	assert_certificates(test, 1);
	office_mend_audit(test->office);
	answer = reenroll(test, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void not_too_often(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	unsigned throttled = 0;

	csr_new(&csr);
	for (int i = 0; i < QUOTA_RENEWS_PER_MINUTE + 4; i++) {
		struct answer answer = reenroll(test, &csr);

		throttled += answer.status == 429;
		answer_finish(&answer);
	}
	assert_true(throttled >= 3);
}

/* ---- in the portal ---------------------------------------------------------------------- */

static struct answer renew(struct test *test)
{
	union wire_any msg = { .device_renew = { .compatible = 0 } };

	office_send(test->office, MSG_device_renew, &msg, OLD_KEY, test->office->token);
	return signer_answer(test->office, &test->signer);
}

/* A stolen device needs no login for this, and what nobody takes fills the list of what ended. */
static void ten_a_day(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	set(test, "UPDATE certificate SET issued = not_before");
	for (int i = 0; i < 9; i++)
		set(test, "INSERT INTO certificate (device, device_key, serial, issuer, not_before,"
			  " not_after, key_type, key_place, state, issued)"
			  " SELECT device, randomblob(32), randomblob(16), 1, 1, 2, '', 0, 2,"
			  " unixepoch() - 86000 FROM certificate WHERE id = 1");
	answer = reenroll(test, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	send_reenroll(test, &csr);
	answer = office_answer(test->office);
	assert_error(answer, 429, "throttled");
	answer_finish(&answer);
	set(test, "UPDATE certificate SET issued = issued - 1000 WHERE state = 2");
	answer = reenroll(test, &csr);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void a_person_takes_a_file(void **state)
{
	struct test *test = *state;
	struct answer answer = renew(test);
	uint8_t der[16384], key[DEVICE_KEY];
	const uint8_t *at = der;
	_cleanup_object_(pkcs12) PKCS12 *file = NULL;
	_cleanup_object_(pkey) EVP_PKEY *private = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;
	struct certificate row;
	int len;

	assert_int_equal(answer.status, 200);
	len = EVP_DecodeBlock(der, (const uint8_t *)answer_text(answer, "file"),
			      (int)strlen(answer_text(answer, "file")));
	file = d2i_PKCS12(NULL, &at, len);
	assert_non_null(file);
	assert_int_equal(
		PKCS12_parse(file, answer_text(answer, "password"), &private, &certificate, NULL),
		1);
	assert_ok(identity_of(certificate, key));
	assert_ok(certificate_newest(test->office->db, test->office->device, &row));
	assert_memory_equal(row.key, key, sizeof(key));
	assert_int_equal(row.key_place, KEY_PKCS12);
	assert_int_equal(row.not_after_s, answer_number(answer, "until"));
	answer_finish(&answer);
	answer = ask_me(test, key);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void a_person_takes_none_too_early(void **state)
{
	struct test *test = *state;
	struct answer answer;

	set(test, "UPDATE certificate SET not_before = unixepoch() - 30 * 86400");
	answer = renew(test);
	assert_error(answer, 409, "state");
	answer_finish(&answer);
	assert_certificates(test, 1);
}

static void me_says_when(void **state)
{
	struct test *test = *state;
	uint8_t key[DEVICE_KEY];
	struct answer answer;
	int64_t now_s = clock_wall_s();

	device_key(OLD_KEY, key);
	answer = ask_me(test, key);
	assert_false(json_is_true(json_object_get(answer.body, "device_renew")));
	assert_in_range(answer_number(answer, "device_renew_from"), now_s - DAY - 5,
			now_s - DAY + 5);
	answer_finish(&answer);
	set(test, "UPDATE certificate SET not_after = unixepoch() + 14 * 86400 + 60");
	answer = ask_me(test, key);
	assert_false(json_is_true(json_object_get(answer.body, "device_renew")));
	answer_finish(&answer);
	set(test, "UPDATE certificate SET not_after = unixepoch() + 14 * 86400");
	answer = ask_me(test, key);
	assert_true(json_is_true(json_object_get(answer.body, "device_renew")));
	answer_finish(&answer);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(not_before_two_thirds),
		test(the_old_one_ends_when_the_new_one_is_seen),
		test(the_old_one_stays_without_a_login),
		test(the_same_key_again),
		test(what_nobody_took_goes_with_the_next),
		cmocka_unit_test(who_may_not),
		cmocka_unit_test(while_the_signer_was_at_work),
		test(not_with_another_devices_key),
		test(a_signer_that_is_slow),
		test(without_a_record_nothing_is_renewed),
		test(not_too_often),
		test(ten_a_day),
		test(a_person_takes_a_file),
		test(a_person_takes_none_too_early),
		test(me_says_when),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
