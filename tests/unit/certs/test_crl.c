#include "fixture.h"

#include "certs/crl.h"
#include "certs/x509_build.h"

static int setup(void **state)
{
	*state = ca_fresh();
	return 0;
}

static int teardown(void **state)
{
	ca_free(*state);
	return 0;
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

	assert_int_equal(
		crl_make(ca_certificate(*state), ca_key(*state), NULL, 0, clock_wall_ms(), &crl),
		OK);
	assert_int_equal(entries(crl), 0);
	assert_int_equal(X509_CRL_verify(crl, ca_key(*state)), 1);
	assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
}

static void test_lists_what_is_revoked(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	_cleanup_object_(crl) X509_CRL *crl = NULL;
	X509 *certificates[6];
	uint8_t serials[4 * CERT_SERIAL_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(certificates); i++)
		certificates[i] = issue(*state, CERT_DEVICE, key);
	/* 0, 2, 4 and 0 once more. */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
			x509_serial(certificates[i * 2 % 6], serials + i * CERT_SERIAL_BYTES), OK);
	assert_int_equal(crl_make(ca_certificate(*state), ca_key(*state), serials, sizeof(serials),
				  clock_wall_ms(), &crl),
			 OK);
	assert_int_equal(entries(crl), 3);
	for (size_t i = 0; i < ARRAY_SIZE(certificates); i++) {
		assert_int_equal(lists(crl, certificates[i]), i % 2 == 0);
		X509_free(certificates[i]);
	}
}

static void test_number_grows(void **state)
{
	_cleanup_object_(crl) X509_CRL *first = NULL, *second = NULL;

	assert_int_equal(crl_make(ca_certificate(*state), ca_key(*state), NULL, 0, 1000, &first),
			 OK);
	assert_int_equal(crl_make(ca_certificate(*state), ca_key(*state), NULL, 0, 1001, &second),
			 OK);
	_cleanup_object_(asn1_integer) ASN1_INTEGER *a =
		X509_CRL_get_ext_d2i(first, NID_crl_number, NULL, NULL);
	_cleanup_object_(asn1_integer) ASN1_INTEGER *b =
		X509_CRL_get_ext_d2i(second, NID_crl_number, NULL, NULL);
	assert_int_equal(ASN1_INTEGER_get(a), 1000);
	assert_true(ASN1_INTEGER_cmp(a, b) < 0);
}

static void test_limits(void **state)
{
	size_t len = (CRL_SERIALS_MAX + 1) * (size_t)CERT_SERIAL_BYTES;
	_cleanup_free_ uint8_t *serials = malloc(len);
	_cleanup_object_(crl) X509_CRL *crl = NULL;

	assert_non_null(serials);
	util_random(serials, len);
	assert_int_equal(crl_make(ca_certificate(*state), ca_key(*state), serials, 15,
				  clock_wall_ms(), &crl),
			 ERR_INVALID);
	assert_int_equal(crl_make(ca_certificate(*state), ca_key(*state), serials, 17,
				  clock_wall_ms(), &crl),
			 ERR_INVALID);
	assert_int_equal(crl_make(ca_certificate(*state), ca_key(*state), serials, len,
				  clock_wall_ms(), &crl),
			 ERR_FULL);
	assert_null(crl);
	/* The largest list still fits the message that carries it. */
	assert_int_equal(crl_make(ca_certificate(*state), ca_key(*state), serials,
				  len - CERT_SERIAL_BYTES, clock_wall_ms(), &crl),
			 OK);
	assert_true(i2d_X509_CRL(crl, NULL) <= 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_lists_what_is_revoked),
		cmocka_unit_test(test_number_grows),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
