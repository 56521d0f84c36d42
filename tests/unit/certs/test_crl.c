#include "issuing.h"

#include <openssl/x509v3.h>

#include "certs/crl.h"
#include "certs/x509_build.h"

static int setup(void **state)
{
	static struct issuing issuing;

	issuing = issuing_make(NULL, "issuing");
	*state = &issuing;
	return 0;
}

static int teardown(void **state)
{
	issuing_free(*state);
	return 0;
}

static enum err make(const struct issuing *issuing, const uint8_t *revoked, size_t len,
		     int64_t now_ms, X509_CRL **ret)
{
	return crl_make(issuing->certificate, issuing->key, revoked, len, now_ms, ret);
}

static bool lists(X509_CRL *crl, X509 *certificate)
{
	X509_REVOKED *entry = NULL;

	return X509_CRL_get0_by_cert(crl, &entry, certificate) == 1;
}

static size_t entries(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);

	return revoked ? (size_t)sk_X509_REVOKED_num(revoked) : 0;
}

static void test_empty(void **state)
{
	_cleanup_object_(crl) X509_CRL *crl = NULL;

	assert_int_equal(make(*state, NULL, 0, clock_wall_ms(), &crl), OK);
	assert_int_equal(entries(crl), 0);
	assert_int_equal(X509_CRL_verify(crl, ((struct issuing *)*state)->key), 1);
	assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
}

static void put(uint8_t entry[CRL_ENTRY_BYTES], X509 *certificate, int64_t when_s, uint8_t reason)
{
	assert_int_equal(x509_serial(certificate, entry), OK);
	for (int i = 0; i < 8; i++)
		entry[CERT_SERIAL_BYTES + i] = (uint8_t)(when_s >> 8 * i);
	entry[CRL_ENTRY_BYTES - 1] = reason;
}

static void test_lists_what_is_revoked(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	_cleanup_object_(crl) X509_CRL *crl = NULL;
	X509 *certificates[6];
	uint8_t revoked[4 * CRL_ENTRY_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(certificates); i++)
		certificates[i] = issuing_issue(*state, CERT_DEVICE, key);
	/* 0, 2, 4 and 0 once more. */
	for (size_t i = 0; i < 4; i++)
		put(revoked + i * CRL_ENTRY_BYTES, certificates[i * 2 % 6], clock_wall_s(),
		    CRL_REASON_UNSPECIFIED);
	assert_int_equal(make(*state, revoked, sizeof(revoked), clock_wall_ms(), &crl), OK);
	assert_int_equal(entries(crl), 3);
	for (size_t i = 0; i < ARRAY_SIZE(certificates); i++) {
		assert_int_equal(lists(crl, certificates[i]), i % 2 == 0);
		X509_free(certificates[i]);
	}
}

/* When it was, not when the list was made; "unspecified" is left out (RFC 5280 §5.3.1). */
static void test_time_and_reason(void **state)
{
	static const uint8_t reasons[] = { CRL_REASON_UNSPECIFIED, CRL_REASON_KEY_COMPROMISE,
					   CRL_REASON_SUPERSEDED,
					   CRL_REASON_CESSATION_OF_OPERATION };
	const int64_t when_s = 1700000000;

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
		_cleanup_object_(x509) X509 *certificate = issuing_issue(*state, CERT_DEVICE, key);
		_cleanup_object_(crl) X509_CRL *crl = NULL;
		uint8_t entry[CRL_ENTRY_BYTES];
		X509_REVOKED *found = NULL;
		struct tm when;
		put(entry, certificate, when_s, reasons[i]);
		assert_int_equal(make(*state, entry, sizeof(entry), clock_wall_ms(), &crl), OK);
		assert_int_equal(X509_CRL_get0_by_cert(crl, &found, certificate), 1);
		assert_true(ASN1_TIME_to_tm(X509_REVOKED_get0_revocationDate(found), &when));
		assert_int_equal(timegm(&when), when_s);
		_cleanup_object_(asn1_enumerated) ASN1_ENUMERATED *reason =
			X509_REVOKED_get_ext_d2i(found, NID_crl_reason, NULL, NULL);
		assert_int_equal(reason == NULL, reasons[i] == CRL_REASON_UNSPECIFIED);
		if (reason)
			assert_int_equal(ASN1_ENUMERATED_get(reason), reasons[i]);
	}
}

static void test_number_grows(void **state)
{
	_cleanup_object_(crl) X509_CRL *first = NULL, *second = NULL;

	assert_int_equal(make(*state, NULL, 0, 1000, &first), OK);
	assert_int_equal(make(*state, NULL, 0, 1001, &second), OK);
	_cleanup_object_(asn1_integer) ASN1_INTEGER *a =
		X509_CRL_get_ext_d2i(first, NID_crl_number, NULL, NULL);
	_cleanup_object_(asn1_integer) ASN1_INTEGER *b =
		X509_CRL_get_ext_d2i(second, NID_crl_number, NULL, NULL);
	assert_int_equal(ASN1_INTEGER_get(a), 1000);
	assert_true(ASN1_INTEGER_cmp(a, b) < 0);
}

static void test_limits(void **state)
{
	size_t len = (CRL_SERIALS_MAX + 1) * (size_t)CRL_ENTRY_BYTES;
	_cleanup_free_ uint8_t *revoked = malloc(len);
	_cleanup_object_(crl) X509_CRL *crl = NULL;

	assert_non_null(revoked);
	util_random(revoked, len);
	for (size_t i = 0; i < len; i += CRL_ENTRY_BYTES) {
		memset(revoked + i + CERT_SERIAL_BYTES, 0, CRL_ENTRY_BYTES - CERT_SERIAL_BYTES);
		revoked[i + CRL_ENTRY_BYTES - 1] = CRL_REASON_KEY_COMPROMISE;
	}
	for (size_t odd = CRL_ENTRY_BYTES - 1; odd <= CRL_ENTRY_BYTES + 1; odd += 2)
		assert_int_equal(make(*state, revoked, odd, clock_wall_ms(), &crl), ERR_INVALID);
	assert_int_equal(make(*state, revoked, len, clock_wall_ms(), &crl), ERR_FULL);
	assert_null(crl);
	/* The largest list still fits the message that carries it. */
	assert_int_equal(make(*state, revoked, len - CRL_ENTRY_BYTES, clock_wall_ms(), &crl), OK);
	assert_true(i2d_X509_CRL(crl, NULL) <= 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_lists_what_is_revoked),
		cmocka_unit_test(test_time_and_reason),
		cmocka_unit_test(test_number_grows),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
