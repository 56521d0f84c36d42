#include "issuing.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "certs/csr.h"

struct request {
	uint8_t *der;
	size_t len;
};

static struct request request_of(EVP_PKEY *key)
{
	struct request request = { NULL, 0 };

	assert_non_null(key);
	assert_int_equal(csr_make(key, &request.der, &request.len), OK);
	return request;
}

static enum err check(const uint8_t *data, size_t len)
{
	EVP_PKEY *key = NULL;
	enum err err = csr_check(data, len, "", &key);

	assert_true((err == OK) == (key != NULL));
	EVP_PKEY_free(key);
	return err;
}

static enum err check_key(EVP_PKEY *key)
{
	struct request request = request_of(key);
	enum err err = check(request.der, request.len);

	OPENSSL_free(request.der);
	EVP_PKEY_free(key);
	return err;
}

static void test_good_keys(void **state)
{
	(void)state;
	assert_int_equal(check_key(EVP_EC_gen("P-256")), OK);
	assert_int_equal(check_key(EVP_EC_gen("P-384")), OK);
	assert_int_equal(check_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")), OK);
	assert_int_equal(check_key(EVP_RSA_gen(3072)), OK);
}

static void test_bad_keys(void **state)
{
	(void)state;
	assert_int_equal(check_key(EVP_RSA_gen(2048)), ERR_KEY);
	assert_int_equal(check_key(EVP_EC_gen("secp256k1")), ERR_KEY);
	assert_int_equal(check_key(EVP_EC_gen("P-224")), ERR_KEY);
	assert_int_equal(check_key(EVP_EC_gen("P-521")), ERR_KEY);
}

/* The parameters of P-256 written out: they could as well be forged. */
static void test_explicit_curve(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	assert_true(EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit"));
	assert_int_equal(check_key(key), ERR_KEY);
}

static void test_same_key_comes_out(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *out = NULL;
	struct request request = request_of(key);

	(void)state;
	assert_int_equal(csr_check(request.der, request.len, "", &out), OK);
	assert_int_equal(EVP_PKEY_eq(key, out), 1);
	EVP_PKEY_free(key);
	EVP_PKEY_free(out);
	OPENSSL_free(request.der);
}

/* Every cut and every flipped byte: nothing of a request is optional. */
static void test_truncated_and_changed(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);

	(void)state;
	for (size_t len = 0; len < request.len; len++)
		assert_int_equal(check(request.der, len), ERR_INVALID);
	for (size_t i = 0; i < request.len; i++) {
		request.der[i] ^= 0x01;
		assert_int_not_equal(check(request.der, request.len), OK);
		request.der[i] ^= 0x01;
	}
	assert_int_equal(check(request.der, request.len), OK);
	EVP_PKEY_free(key);
	OPENSSL_free(request.der);
}

static void test_broken_signature(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	_cleanup_object_(req) X509_REQ *request = X509_REQ_new();
	uint8_t *der = NULL;

	(void)state;
	/* Well-formed, but signed by somebody who does not have the key. */
	assert_true(X509_REQ_set_pubkey(request, key));
	assert_true(X509_REQ_sign(request, other, EVP_sha256()) > 0);
	int len = i2d_X509_REQ(request, &der);
	assert_true(len > 0);
	assert_int_equal(check(der, (size_t)len), ERR_INVALID);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void test_trailing_and_oversized(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);
	uint8_t big[CSR_MAX + 1] = { 0 };

	(void)state;
	memcpy(big, request.der, request.len);
	assert_int_equal(check(big, request.len), OK);
	assert_int_equal(check(big, request.len + 1), ERR_INVALID);
	assert_int_equal(check(big, CSR_MAX), ERR_INVALID);
	assert_int_equal(check(big, CSR_MAX + 1), ERR_TOO_BIG);
	EVP_PKEY_free(key);
	OPENSSL_free(request.der);
}

static void test_garbage(void **state)
{
	static const char *const texts[] = {
		"rubbish",
		"-----BEGIN ",
		"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
		"-----BEGIN CERTIFICATE REQUEST-----\n",
	};
	uint8_t data[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(check((const uint8_t *)texts[i], strlen(texts[i])), ERR_INVALID);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 131 + i / 7);
	assert_int_equal(check(data, sizeof(data)), ERR_INVALID);
}

static void test_pem(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);
	const uint8_t *at = request.der;
	_cleanup_object_(req) X509_REQ *parsed = d2i_X509_REQ(NULL, &at, (long)request.len);
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *data = NULL;

	(void)state;
	assert_true(PEM_write_bio_X509_REQ(bio, parsed));
	long len = BIO_get_mem_data(bio, &data);
	assert_int_equal(check(data, (size_t)len), OK);
	assert_true(BIO_printf(bio, "more") > 0);
	len = BIO_get_mem_data(bio, &data);
	assert_int_equal(check(data, (size_t)len), ERR_INVALID);
	EVP_PKEY_free(key);
	OPENSSL_free(request.der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_keys),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_explicit_curve),
		cmocka_unit_test(test_same_key_comes_out),
		cmocka_unit_test(test_truncated_and_changed),
		cmocka_unit_test(test_broken_signature),
		cmocka_unit_test(test_trailing_and_oversized),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
