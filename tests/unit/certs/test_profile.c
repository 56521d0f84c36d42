#include "issuing.h"

#include <openssl/cms.h>
#include <openssl/x509v3.h>

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

static int verify(const struct issuing *ca, X509 *certificate, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	assert_int_equal(X509_STORE_add_cert(store, ca->certificate), 1);
	assert_int_equal(X509_STORE_add_cert(store, ca->certificate), 1);
	assert_int_equal(X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, certificate, NULL), 1);
	assert_int_equal(X509_STORE_CTX_set_purpose(ctx, purpose), 1);
	X509_verify_cert(ctx);
	int error = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return error;
}

static void expect_subject(X509 *certificate, int nid, const char *expected)
{
	char text[256];

	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), nid, text,
					      sizeof(text)) > 0);
	assert_string_equal(text, expected);
}

static int days_of(X509 *certificate)
{
	int days = 0, seconds = 0;

	assert_true(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate),
				   X509_get0_notAfter(certificate)));
	assert_int_equal(seconds, PROFILE_BACKDATE_S);
	return days;
}

static void test_device(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	_cleanup_object_(x509) X509 *certificate = issuing_issue(*state, CERT_DEVICE, key);

	assert_int_equal(verify(*state, certificate, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	assert_int_equal(verify(*state, certificate, X509_PURPOSE_SSL_SERVER),
			 X509_V_ERR_INVALID_PURPOSE);
	assert_int_equal(X509_get_extended_key_usage(certificate), XKU_SSL_CLIENT);
	assert_int_equal(X509_get_key_usage(certificate), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_get_extension_flags(certificate) & EXFLAG_CA, 0);
	assert_true(X509_get_ext_by_NID(certificate, NID_basic_constraints, -1) >= 0);
	assert_non_null(X509_get0_subject_key_id(certificate));
	assert_non_null(X509_get0_authority_key_id(certificate));
	expect_subject(certificate, NID_commonName, "佐藤のノートPC");
	expect_subject(certificate, NID_organizationalUnitName, "sato");
	assert_int_equal(days_of(certificate), 90);
}

static void test_gateway(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	_cleanup_object_(x509) X509 *certificate = issuing_issue(*state, CERT_GATEWAY, key);

	assert_int_equal(verify(*state, certificate, X509_PURPOSE_SSL_SERVER), X509_V_OK);
	assert_int_equal(verify(*state, certificate, X509_PURPOSE_SSL_CLIENT),
			 X509_V_ERR_INVALID_PURPOSE);
	assert_int_equal(X509_get_extended_key_usage(certificate), XKU_SSL_SERVER);
	assert_int_equal(X509_check_host(certificate, "gateway.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(certificate, "other.example", 0, 0, NULL), 0);
	assert_int_equal(days_of(certificate), 397);
}

static enum err try_issue(const struct issuing *ca, const struct profile_order *order, X509 **ret)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct profile_order full = *order;

	if (!full.key)
		full.key = key;
	if (!full.now_s)
		full.now_s = clock_wall_s();
	full.issuer = ca->certificate;
	full.issuer_key = ca->key;
	return profile_issue(&full, ret);
}

static void test_gateway_names(void **state)
{
	static const char *const good[] = { "localhost", "a-b.example", "127.0.0.1", "::1",
					    "2001:db8::7" };
	static const char *const bad[] = {
		"",
		"a b",
		"a,DNS:evil.example",
		"*.example",
		"-a.example",
		"a-.example",
		"a..b",
		"a.",
		".a",
		"日本.example",
		"a\n",
		"a/b",
		"a_b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_object_(x509) X509 *certificate = NULL;
		struct profile_order order = { .profile = CERT_GATEWAY, .name = good[i] };
		assert_int_equal(try_issue(*state, &order, &certificate), OK);
		bool is_address = i >= 2;
		assert_int_equal(X509_check_ip_asc(certificate, good[i], 0) == 1, is_address);
		assert_int_equal(X509_check_host(certificate, good[i], 0,
						 X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1,
				 !is_address);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		X509 *certificate = NULL;
		struct profile_order order = { .profile = CERT_GATEWAY, .name = bad[i] };
		assert_int_equal(try_issue(*state, &order, &certificate), ERR_INVALID);
		assert_null(certificate);
	}
}

static void test_device_names(void **state)
{
	static const char letters[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const char *bad[][2] = {
		{ "", "sato" },      { "pc", "" },      { "pc\n", "sato" },   { "pc", "sato\t" },
		{ letters, "sato" }, { "pc", letters }, { "pc\xff", "sato" },
	};
	X509 *certificate = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct profile_order order = { .profile = CERT_DEVICE,
					       .name = bad[i][0],
					       .owner = bad[i][1] };
		assert_int_equal(try_issue(*state, &order, &certificate), ERR_INVALID);
		assert_null(certificate);
	}
	/* 64 characters, and text that would be a second attribute in a one-line notation. */
	struct profile_order order = { .profile = CERT_DEVICE,
				       .name = letters + 1,
				       .owner = "sato/CN=tanaka" };
	assert_int_equal(try_issue(*state, &order, &certificate), OK);
	expect_subject(certificate, NID_organizationalUnitName, "sato/CN=tanaka");
	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(certificate)), 2);
	X509_free(certificate);
}

static void test_unknown_profile(void **state)
{
	struct profile_order order = { .profile = (enum cert_profile)9,
				       .name = "pc",
				       .owner = "sato" };
	X509 *certificate = NULL;

	assert_int_equal(try_issue(*state, &order, &certificate), ERR_INVALID);
	assert_null(certificate);
}

static void test_days(void **state)
{
	static const struct {
		enum cert_profile profile;
		uint32_t asked;
		int got;
	} rows[] = {
		{ CERT_DEVICE, 1, 1 },           { CERT_DEVICE, 90, 90 },
		{ CERT_DEVICE, 91, 90 },         { CERT_DEVICE, 0, 90 },
		{ CERT_DEVICE, UINT32_MAX, 90 }, { CERT_GATEWAY, 90, 90 },
		{ CERT_GATEWAY, 398, 397 },      { CERT_AUDITOR, 0, 730 },
		{ CERT_AUDITOR, 731, 730 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_object_(x509) X509 *certificate = NULL;
		struct profile_order order = { .profile = rows[i].profile,
					       .name = "pc",
					       .owner = "sato",
					       .days = rows[i].asked };
		assert_int_equal(try_issue(*state, &order, &certificate), OK);
		assert_int_equal(days_of(certificate), rows[i].got);
	}
}

/* A certificate that outlives its CA would be worth nothing in its last days. */
static void test_not_longer_than_ca(void **state)
{
	const struct issuing *ca = *state;
	struct tm end;

	assert_true(ASN1_TIME_to_tm(X509_get0_notAfter(ca->certificate), &end));
	struct profile_order order = { .profile = CERT_DEVICE,
				       .name = "pc",
				       .owner = "sato",
				       .now_s = (int64_t)timegm(&end) - 86400 };
	_cleanup_object_(x509) X509 *certificate = NULL;
	assert_int_equal(try_issue(ca, &order, &certificate), OK);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(certificate),
					   X509_get0_notAfter(ca->certificate)),
			 0);
}

static void expect_text_extension(X509 *certificate, int nid, const char *wanted)
{
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	int at = X509_get_ext_by_NID(certificate, nid, -1);
	char *text = NULL;

	assert_true(at >= 0);
	assert_int_equal(X509V3_EXT_print(bio, X509_get_ext(certificate, at), 0, 0), 1);
	assert_int_equal(BIO_write(bio, "", 1), 1);
	BIO_get_mem_data(bio, &text);
	if (!strstr(text, wanted))
		fail_msg("%s", text);
}

static void test_urls(void **state)
{
	static const struct profile_urls urls = { .crl = "http://gw.example:8443/crl/3.der",
						  .ocsp = "https://gw.example:8443/ocsp" };
	struct profile_order order = {
		.profile = CERT_DEVICE, .name = "pc", .owner = "sato", .urls = &urls
	};
	_cleanup_object_(x509) X509 *with = NULL, *without = NULL, *gateway = NULL;

	assert_int_equal(try_issue(*state, &order, &with), OK);
	expect_text_extension(with, NID_crl_distribution_points,
			      "URI:http://gw.example:8443/crl/3.der");
	expect_text_extension(with, NID_info_access, "OCSP - URI:https://gw.example:8443/ocsp");
	assert_int_equal(verify(*state, with, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	order.urls = NULL;
	assert_int_equal(try_issue(*state, &order, &without), OK);
	assert_int_equal(X509_get_ext_by_NID(without, NID_crl_distribution_points, -1), -1);
	assert_int_equal(X509_get_ext_by_NID(without, NID_info_access, -1), -1);
	order = (struct profile_order){ .profile = CERT_GATEWAY,
					.name = "gw.example",
					.urls = &urls };
	assert_int_equal(try_issue(*state, &order, &gateway), OK);
	expect_text_extension(gateway, NID_info_access, "OCSP - URI:https://gw.example:8443/ocsp");
}

static void test_bad_urls(void **state)
{
	static const char *const bad[] = { "",
					   "ftp://gw.example/",
					   "gw.example",
					   "http://a b/",
					   "http://a/\n",
					   "http://a/\x7f",
					   "http://\xe6\x97\xa5/" };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		struct profile_urls urls = { 0 };
		struct profile_order order = {
			.profile = CERT_DEVICE, .name = "pc", .owner = "sato", .urls = &urls
		};
		X509 *certificate = NULL;
		*(i % 2 ? &urls.crl : &urls.ocsp) = bad[i / 2];
		assert_int_equal(try_issue(*state, &order, &certificate), ERR_INVALID);
		assert_null(certificate);
	}
}

/* Same name, other key, later: subject and alternative name stay (RFC 7030 §4.2.2). */
static void test_renewal(void **state)
{
	static const struct {
		enum cert_profile profile;
		const char *name;
	} rows[] = { { CERT_DEVICE, "佐藤のノートPC" }, { CERT_GATEWAY, "gateway.example" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct profile_order order = { .profile = rows[i].profile,
					       .name = rows[i].name,
					       .owner = "sato" };
		_cleanup_object_(x509) X509 *first = NULL, *second = NULL;
		assert_int_equal(try_issue(*state, &order, &first), OK);
		order.now_s = clock_wall_s() + 60 * INT64_C(86400);
		assert_int_equal(try_issue(*state, &order, &second), OK);
		assert_int_equal(
			X509_NAME_cmp(X509_get_subject_name(first), X509_get_subject_name(second)),
			0);
		int at = X509_get_ext_by_NID(first, NID_subject_alt_name, -1);
		assert_int_equal(at, X509_get_ext_by_NID(second, NID_subject_alt_name, -1));
		assert_int_equal(at >= 0, rows[i].profile == CERT_GATEWAY);
		if (at >= 0)
			assert_int_equal(ASN1_OCTET_STRING_cmp(
						 X509_EXTENSION_get_data(X509_get_ext(first, at)),
						 X509_EXTENSION_get_data(X509_get_ext(second, at))),
					 0);
		assert_int_not_equal(X509_cmp(first, second), 0);
	}
}

/* What is sealed to an auditor, as recordings will be, the auditor opens, and nobody else. */
static void test_auditor(void **state)
{
	static const char *const curves[] = { "P-256" };
	static const char secret[] = "one second of a session";

	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen(curves[i]),
						*other = EVP_EC_gen(curves[i]);
		_cleanup_object_(x509) X509 *certificate = issuing_issue(*state, CERT_AUDITOR, key);
		_cleanup_object_(bio) BIO *in = BIO_new_mem_buf(secret, -1);
		_cleanup_object_(bio) BIO *out = BIO_new(BIO_s_mem());
		STACK_OF(X509) *recipients = sk_X509_new_null();
		char *opened = NULL;
		assert_int_equal(X509_get_key_usage(certificate), KU_KEY_AGREEMENT);
		assert_int_equal(X509_get_extended_key_usage(certificate), XKU_SMIME);
		expect_subject(certificate, NID_organizationalUnitName, "sato");
		assert_true(sk_X509_push(recipients, certificate));
		CMS_ContentInfo *cms = CMS_encrypt(recipients, in, EVP_aes_256_gcm(), CMS_BINARY);
		assert_non_null(cms);
		assert_int_equal(OBJ_obj2nid(CMS_get0_type(cms)),
				 NID_id_smime_ct_authEnvelopedData);
		assert_int_equal(CMS_decrypt(cms, other, certificate, NULL, out, 0), 0);
		assert_int_equal(CMS_decrypt(cms, key, certificate, NULL, out, 0), 1);
		assert_int_equal(BIO_get_mem_data(out, &opened), sizeof(secret) - 1);
		assert_memory_equal(opened, secret, sizeof(secret) - 1);
		CMS_ContentInfo_free(cms);
		sk_X509_free(recipients);
	}
}

static void test_auditor_needs_ecdh(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
					*p384 = EVP_EC_gen("P-384"), *rsa = EVP_RSA_gen(3072);
	struct profile_order order = { .profile = CERT_AUDITOR, .name = "x", .owner = "sato" };
	X509 *certificate = NULL;

	order.key = ed25519;
	assert_int_equal(try_issue(*state, &order, &certificate), ERR_KEY);
	order.key = p384;
	assert_int_equal(try_issue(*state, &order, &certificate), ERR_KEY);
	order.key = rsa;
	assert_int_equal(try_issue(*state, &order, &certificate), ERR_KEY);
	assert_null(certificate);
}

static void test_serials(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t serials[16][CERT_SERIAL_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(serials); i++) {
		_cleanup_object_(x509) X509 *certificate = issuing_issue(*state, CERT_DEVICE, key);
		assert_int_equal(x509_serial(certificate, serials[i]), OK);
		/* RFC 5280: positive, at most 20 octets; ours are always of the same length. */
		const ASN1_INTEGER *number = X509_get0_serialNumber(certificate);
		assert_int_equal(ASN1_STRING_type(number), V_ASN1_INTEGER);
		assert_int_equal(ASN1_STRING_length(number), CERT_SERIAL_BYTES);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(serials[i], serials[k], CERT_SERIAL_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_gateway_names),
		cmocka_unit_test(test_device_names),
		cmocka_unit_test(test_unknown_profile),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_not_longer_than_ca),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_bad_urls),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_auditor),
		cmocka_unit_test(test_auditor_needs_ecdh),
		cmocka_unit_test(test_serials),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
