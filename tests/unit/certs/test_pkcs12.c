#include "issuing.h"

#include <openssl/pem.h>

#include "certs/pkcs12.h"

struct device {
	struct issuing root, issuing;
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) * chain;
	struct secret *password;
};

static int setup(void **state)
{
	static struct device device;

	device.root = issuing_make(NULL, "root");
	device.issuing = issuing_make(&device.root, "issuing");
	device.key = EVP_EC_gen("P-256");
	device.certificate = issuing_issue(&device.issuing, CERT_DEVICE, device.key);
	device.chain = sk_X509_new_null();
	assert_true(sk_X509_push(device.chain, device.issuing.certificate));
	assert_true(sk_X509_push(device.chain, device.root.certificate));
	assert_int_equal(secret_new("合言葉 kx92", strlen("合言葉 kx92"), &device.password), OK);
	*state = &device;
	return 0;
}

static int teardown(void **state)
{
	struct device *device = *state;

	sk_X509_free(device->chain);
	issuing_free(&device->root);
	issuing_free(&device->issuing);
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
		assert_int_equal(sk_X509_num(others), 2);
		for (int i = 0; i < 2; i++)
			assert_true(
				X509_cmp(sk_X509_value(others, i), device->root.certificate) == 0 ||
				X509_cmp(sk_X509_value(others, i), device->issuing.certificate) ==
					0);
		assert_int_not_equal(X509_cmp(sk_X509_value(others, 0), sk_X509_value(others, 1)),
				     0);
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

/* What "openssl pkcs12" says with these options; the password is ASCII, as those we make are. */
static int read_with_openssl(const char *folder, const char *password, const char *options,
			     char text[32768])
{
	char command[512];

	snprintf(command, sizeof(command),
		 "openssl pkcs12 -in %s/file.p12 -passin pass:%s -nodes %s 2>&1", folder, password,
		 options);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	size_t len = fread(text, 1, 32767, pipe);
	text[len] = '\0';
	return pclose(pipe);
}

static void test_openssl_reads_both(void **state)
{
	static const struct {
		enum pkcs12_kind kind;
		const char *options, *info;
	} rows[] = {
		{ PKCS12_MODERN, "-info", "PBES2, PBKDF2, AES-256-CBC, Iteration 200000" },
		{ PKCS12_COMPATIBLE, "-info -legacy", "pbeWithSHA1And3-KeyTripleDES-CBC" },
	};
	static const char password[] = "ABCD-EF01-2345-6789-GHJK";
	const struct device *device = *state;
	_cleanup_secret_ struct secret *secret = NULL;
	char folder[] = "/tmp/sekisho-pkcs12-XXXXXX", path[64], text[32768];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file.p12", folder);
	assert_int_equal(secret_new(password, strlen(password), &secret), OK);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf buf;
		buf_init(&buf, 16384);
		assert_int_equal(pkcs12_make(rows[i].kind, device->key, device->certificate,
					     device->chain, "laptop", secret, &buf),
				 OK);
		assert_int_equal(util_write_file(path, buf.data, buf.len, 0600), OK);
		assert_int_not_equal(read_with_openssl(folder, "wrong", rows[i].options, text), 0);
		if (read_with_openssl(folder, password, rows[i].options, text) != 0)
			fail_msg("%s", text);
		assert_non_null(strstr(text, rows[i].info));
		assert_non_null(strstr(text, "friendlyName: laptop"));
		assert_non_null(strstr(text, "BEGIN PRIVATE KEY"));
		size_t certificates = 0;
		for (const char *at = text; (at = strstr(at, "BEGIN CERTIFICATE")); at++)
			certificates++;
		assert_int_equal(certificates, 3);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
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
		cmocka_unit_test(test_openssl_reads_both),
		cmocka_unit_test(test_empty_password_refused),
		cmocka_unit_test(test_wrong_key_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
