/*
 * Who may get a video of a recording: anybody whose certificate is good for it.
 */
#include "record/recipient.h"
#include "unit/record/recording.h"

static const struct {
	const char *what;
	struct auditor_plan plan;
	enum err err;
} cases[] = {
	{ "as the office makes it for auditors", { 0 }, OK },
	{ "RSA 2048", { .rsa = true, .usage = "critical,keyEncipherment" }, OK },
	{ "RSA that may only agree on keys", { .rsa = true }, ERR_INVALID },
	{ "may sign as well", { .usage = "critical,keyAgreement,digitalSignature" }, OK },
	{ "may only sign", { .usage = "critical,digitalSignature" }, ERR_INVALID },
	{ "no key identifier", { .no_key_id = true }, OK },
	{ "P-384", { .group = "P-384" }, ERR_KEY },
	{ "a curve of the same size", { .group = "secp256k1" }, ERR_KEY },
	{ "a CA", { .constraints = "critical,CA:TRUE" }, ERR_INVALID },
	{ "a device's", { .purpose = "clientAuth" }, ERR_INVALID },
	{ "a server's", { .purpose = "serverAuth" }, ERR_INVALID },
	{ "any purpose", { .purpose = "anyExtendedKeyUsage" }, OK },
	{ "not yet valid", { .from_s = 60 }, ERR_EXPIRED },
	{ "no more valid", { .from_s = -600, .until_s = -60 }, ERR_EXPIRED },
};

static void each_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct auditor auditor = auditor_make_as(&cases[i].plan);
		if (recipient_check(auditor.certificate, clock_wall_s()) != cases[i].err)
			fail_msg("%s", cases[i].what);
		auditor_free(&auditor);
	}
}

static void rsa_needs_2048_bits(void **state)
{
	struct auditor auditor = auditor_make();
	EVP_PKEY *small = EVP_RSA_gen(1024);

	(void)state;
	assert_non_null(small);
	assert_true(X509_set_pubkey(auditor.certificate, small));
	assert_err(recipient_check(auditor.certificate, clock_wall_s()), ERR_KEY);
	EVP_PKEY_free(small);
	auditor_free(&auditor);
}

static void nothing_follows_the_certificate(void **state)
{
	struct auditor auditor = auditor_make();
	X509 *certificate = NULL;
	struct buf der;

	(void)state;
	buf_init(&der, 2 * RECIPIENT_DER_MAX);
	auditor_add(&auditor, &der);
	assert_ok(recipient_parse(der.data, der.len, clock_wall_s(), &certificate));
	X509_free(certificate);
	certificate = NULL;
	assert_err(recipient_parse(der.data, der.len - 1, clock_wall_s(), &certificate),
		   ERR_INVALID);
	assert_ok(buf_add(&der, "", 1));
	assert_err(recipient_parse(der.data, der.len, clock_wall_s(), &certificate), ERR_INVALID);
	assert_err(recipient_parse(der.data, RECIPIENT_DER_MAX + 1, clock_wall_s(), &certificate),
		   ERR_TOO_BIG);
	assert_null(certificate);
	buf_finish(&der);
	auditor_free(&auditor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_judged),
		cmocka_unit_test(rsa_needs_2048_bits),
		cmocka_unit_test(nothing_follows_the_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
