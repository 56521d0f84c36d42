#include "fixture.h"

#include "certs/pkcs12.h"

struct device {
	struct ca *ca;
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) * chain;
	struct secret *password;
};

static int setup(void **state)
{
	static struct device device;

	device.ca = ca_fresh();
	device.key = EVP_EC_gen("P-256");
	device.certificate = issue(device.ca, CERT_DEVICE, device.key);
	device.chain = sk_X509_new_null();
	assert_true(sk_X509_push(device.chain, ca_certificate(device.ca)));
	assert_int_equal(secret_new("合言葉 kx92", strlen("合言葉 kx92"), &device.password), OK);
	*state = &device;
	return 0;
}

static int teardown(void **state)
{
	struct device *device = *state;

	sk_X509_free(device->chain);
	ca_free(device->ca);
	EVP_PKEY_free(device->key);
	X509_free(device->certificate);
	secret_free(device->password);
	return 0;
}

static PKCS12 *make(const struct device *device, enum pkcs12_kind kind)
{
	_cleanup_buf_ struct buf buf;

	buf_init(&buf, 16384);
	assert_int_equal(pkcs12_make(kind, device->key, device->certificate, device->chain,
				     "laptop", device->password, &buf),
			 OK);
	const uint8_t *at = buf.data;
	PKCS12 *file = d2i_PKCS12(NULL, &at, (long)buf.len);
	assert_non_null(file);
	return file;
}

static void test_opens_with_password_only(void **state)
{
	const struct device *device = *state;

	for (enum pkcs12_kind kind = PKCS12_MODERN; kind <= PKCS12_COMPATIBLE; kind++) {
		_cleanup_object_(pkcs12) PKCS12 *file = make(device, kind);
		_cleanup_object_(pkey) EVP_PKEY *key = NULL;
		_cleanup_object_(x509) X509 *certificate = NULL;
		STACK_OF(X509) *others = NULL;
		assert_int_equal(PKCS12_parse(file, "wrong", &key, &certificate, &others), 0);
		assert_int_equal(PKCS12_parse(file, "", &key, &certificate, &others), 0);
		assert_int_equal(PKCS12_parse(file, secret_text(device->password), &key,
					      &certificate, &others),
				 1);
		assert_int_equal(EVP_PKEY_eq(key, device->key), 1);
		assert_int_equal(X509_cmp(certificate, device->certificate), 0);
		assert_int_equal(sk_X509_num(others), 1);
		assert_int_equal(X509_cmp(sk_X509_value(others, 0), ca_certificate(device->ca)), 0);
		sk_X509_pop_free(others, X509_free);
	}
}

static int mac_hash_of(PKCS12 *file)
{
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *object = NULL;

	PKCS12_get0_mac(NULL, &algorithm, NULL, NULL, file);
	assert_non_null(algorithm);
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	return OBJ_obj2nid(object);
}

static void test_modern_by_default(void **state)
{
	_cleanup_object_(pkcs12) PKCS12 *modern = make(*state, PKCS12_MODERN);
	_cleanup_object_(pkcs12) PKCS12 *compatible = make(*state, PKCS12_COMPATIBLE);
	STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(modern);
	const ASN1_OBJECT *object = NULL;

	assert_int_equal(mac_hash_of(modern), NID_sha256);
	assert_int_equal(mac_hash_of(compatible), NID_sha1);
	X509_ALGOR_get0(&object, NULL, NULL,
			sk_PKCS7_value(safes, 0)->d.encrypted->enc_data->algorithm);
	assert_int_equal(OBJ_obj2nid(object), NID_pbes2);
	sk_PKCS7_pop_free(safes, PKCS7_free);
}

static void test_empty_password_refused(void **state)
{
	const struct device *device = *state;
	_cleanup_secret_ struct secret *empty = NULL;
	_cleanup_buf_ struct buf buf;

	buf_init(&buf, 16384);
	assert_int_equal(secret_new("", 0, &empty), OK);
	assert_int_equal(pkcs12_make(PKCS12_MODERN, device->key, device->certificate, device->chain,
				     "laptop", empty, &buf),
			 ERR_INVALID);
	assert_int_equal(buf.len, 0);
}

static void test_wrong_key_refused(void **state)
{
	const struct device *device = *state;
	_cleanup_object_(pkey) EVP_PKEY *other = EVP_EC_gen("P-256");
	_cleanup_buf_ struct buf buf;

	buf_init(&buf, 16384);
	assert_int_equal(pkcs12_make(PKCS12_MODERN, other, device->certificate, device->chain,
				     "laptop", device->password, &buf),
			 ERR_CRYPTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_with_password_only),
		cmocka_unit_test(test_modern_by_default),
		cmocka_unit_test(test_empty_password_refused),
		cmocka_unit_test(test_wrong_key_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
