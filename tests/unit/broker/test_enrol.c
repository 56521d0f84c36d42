#include "unit/broker/signer.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "broker/enrol.h"
#include "broker/enrol_code.h"
#include "broker/quota.h"
#include "store/gateway_key.h"
#include "store/invites.h"

#define ADDRESS "192.0.2.7"

struct test {
	struct office *office;
	struct signer signer;
	char code[ENROL_CODE_LEN + 1];
	int64_t invite;
};

static int64_t invite_with(struct office *office, const char *code, bool preapproved,
			   int64_t created_s, int64_t expires_s)
{
	struct invite invite = {
		.account = office->account,
		.name = "花子のノート",
		.preapproved = preapproved,
		.invited_by = "uid 0",
		.created_s = created_s,
		.expires_s = expires_s,
	};
	int64_t id = 0;

	assert_ok(enrol_code_hash(code, invite.code));
	assert_ok(invite_add(office->db, &invite, &id));
	return id;
}

static int64_t invite_new(struct office *office, char code[ENROL_CODE_LEN + 1], bool preapproved)
{
	int64_t now_s = clock_wall_s();

	enrol_code_random(code, ENROL_CODE_LEN);
	return invite_with(office, code, preapproved, now_s, now_s + 86400);
}

static int setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));
	void *office;

	office_setup(&office);
	test->office = office;
	signer_init(&test->signer);
	signer_starts(test->office, &test->signer);
	test->invite = invite_new(test->office, test->code, true);
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

/* ---- asking ------------------------------------------------------------------------------------
 */

static void send_request(struct test *test, const char *code, const struct csr *csr)
{
	union wire_any msg = { .enrol_request = { .code = code,
						  .csr = { csr->der, csr->len },
						  .key_place = KEY_TPM } };

	office_send(test->office, MSG_enrol_request, &msg, 0, "");
}

static struct answer request(struct test *test, const char *code, const struct csr *csr)
{
	send_request(test, code, csr);
	return signer_answer(test->office, &test->signer);
}

static struct answer look(struct test *test, const char *code)
{
	union wire_any msg = { .enrol_look = { .code = code } };

	return office_ask_as(test->office, MSG_enrol_look, &msg, 0, "");
}

static struct answer ask_file(struct test *test, const char *code, bool compatible)
{
	union wire_any msg = { .enrol_file = { .code = code, .compatible = compatible } };

	office_send(test->office, MSG_enrol_file, &msg, 0, "");
	return signer_answer(test->office, &test->signer);
}

static struct answer simpleenroll(struct test *test, const char *user, const char *code,
				  const struct csr *csr)
{
	union wire_any msg = {
		.est_simpleenroll = { .user = user, .code = code, .csr = { csr->der, csr->len } }
	};

	office_send(test->office, MSG_est_simpleenroll, &msg, 0, "");
	return signer_answer(test->office, &test->signer);
}

static void decide(struct test *test, bool approve, const char *reason)
{
	assert_ok(invite_decide(test->office->db, test->invite, approve, "kanri", reason,
				clock_wall_s()));
}

static int64_t count(struct test *test, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, test->office->db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

#define assert_devices(test, wanted)                                                               \
	assert_int_equal(count(test, "SELECT count(*) FROM device"), wanted)
#define assert_invite(test, wanted)                                                                \
	assert_int_equal(count(test, "SELECT state FROM invite WHERE id = 1"), wanted)

static void set(struct test *test, const char *sql)
{
	assert_ok(db_exec(test->office->db, sql));
}

static X509 *certificate_in(const struct answer *answer)
{
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(answer_text(*answer, "certificate"), -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	assert_non_null(certificate);
	return certificate;
}

/* ---- the way -----------------------------------------------------------------------------------
 */

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

/* ---- codes that are not good -------------------------------------------------------------------
 */

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

/* ---- strangers ---------------------------------------------------------------------------------
 */

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

	set(test, "UPDATE invite SET expires = unixepoch() - 1");
	for (int i = 0; i < 2 * QUOTA_ENROLS_PER_MINUTE; i++) {
		answer = ask_file(test, test->code, false);
		throttled += answer.status == 429;
		answer_finish(&answer);
	}
	assert_true(throttled > QUOTA_ENROLS_PER_MINUTE / 2);
	assert_int_equal(office_audit_count(test->office, "enrol-refused"),
			 2 * QUOTA_ENROLS_PER_MINUTE - throttled);
}

/* One code that is good, or was found on a sheet, must not keep the signer from everybody else's.
 */
static void the_signer_is_not_asked_without_end(void **state)
{
	static uint8_t rubbish[] = "rubbish";
	const struct csr csr = { .der = rubbish, .len = sizeof(rubbish) - 1 };
	struct test *test = *state;
	struct answer answer;

	for (int i = 0; i < 2 * QUOTA_CHECKS_PER_MINUTE; i++) {
		answer = request(test, test->code, &csr);
		assert_true(answer.status == 400 || answer.status == 429);
		answer_finish(&answer);
	}
	assert_in_range(test->signer.checks, QUOTA_CHECKS_PER_MINUTE, QUOTA_CHECKS_PER_MINUTE + 5);
}

/* ---- keys --------------------------------------------------------------------------------------
 */

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

/* ---- the signer and the disk -------------------------------------------------------------------
 */

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
	answer = office_answer(test->office); /* after PKI_WAIT_S */
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

/* ---- files -------------------------------------------------------------------------------------
 */

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

/* ---- EST ---------------------------------------------------------------------------------------
 */

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

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
