#include "issuing.h"

#include <openssl/bn.h>
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

/* A request that says more than ours do: add gets it before it is signed. */
static struct request request_with(EVP_PKEY *key, void (*add)(X509_REQ *request))
{
	struct request request = { NULL, 0 };
	_cleanup_object_(req) X509_REQ *made = X509_REQ_new();

	assert_true(X509_REQ_set_version(made, X509_REQ_VERSION_1));
	assert_true(X509_REQ_set_pubkey(made, key));
	add(made);
	assert_true(X509_REQ_sign(made, key, EVP_sha256()) > 0);
	int len = i2d_X509_REQ(made, &request.der);
	assert_true(len > 0);
	request.len = (size_t)len;
	return request;
}

static void add_password(X509_REQ *request, int type, const char *text, int len)
{
	assert_true(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, type,
					      (const unsigned char *)text, len));
}

static void add_utf8(X509_REQ *request)
{
	add_password(request, V_ASN1_UTF8STRING, "ABCD-01EF", 9);
}

static void add_printable(X509_REQ *request)
{
	add_password(request, V_ASN1_PRINTABLESTRING, "abcd o1ef", 9);
}

static void add_bmp(X509_REQ *request)
{
	add_password(request, V_ASN1_BMPSTRING, "\0A\0B\0C\0D\0000\0001\0E\0F", 16);
}

static void add_empty(X509_REQ *request)
{
	add_password(request, V_ASN1_UTF8STRING, "", 0);
}

static void add_long(X509_REQ *request)
{
	add_password(request, V_ASN1_UTF8STRING,
		     "ABCD01EF000000000000000000000000000000000000000000000000000000000", 65);
}

static void add_octets(X509_REQ *request)
{
	add_password(request, V_ASN1_OCTET_STRING, "ABCD01EF", 8);
}

static void add_two_values(X509_REQ *request)
{
	X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_create_by_NID(NULL, NID_pkcs9_challengePassword,
								 V_ASN1_UTF8STRING, "ABCD01EF", 8);

	assert_true(X509_ATTRIBUTE_set1_data(attribute, V_ASN1_UTF8STRING, "OTHER", 5));
	assert_true(X509_REQ_add1_attr(request, attribute));
	X509_ATTRIBUTE_free(attribute);
}

static void add_boolean(X509_REQ *request)
{
	X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_create_by_NID(NULL, NID_pkcs9_challengePassword,
								 V_ASN1_BOOLEAN, "", -1);

	assert_non_null(attribute);
	assert_true(X509_REQ_add1_attr(request, attribute));
	X509_ATTRIBUTE_free(attribute);
}

static void add_nothing(X509_REQ *request)
{
	(void)request;
}

static void add_version(X509_REQ *request)
{
	assert_true(X509_REQ_set_version(request, 1));
}

static enum err check_with(void (*add)(X509_REQ *request), const char *challenge)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	_cleanup_object_(pkey) EVP_PKEY *out = NULL;
	struct request request = request_with(key, add);
	enum err err = csr_check(request.der, request.len, challenge, &out);

	OPENSSL_free(request.der);
	return err;
}

static void test_challenge(void **state)
{
	(void)state;
	assert_int_equal(check_with(add_nothing, ""), OK);
	assert_int_equal(check_with(add_nothing, "ABCD01EF"), OK);
	assert_int_equal(check_with(add_utf8, "ABCD01EF"), OK);
	assert_int_equal(check_with(add_utf8, "abcd-o1ef"), OK);
	assert_int_equal(check_with(add_printable, "ABCD01EF"), OK);
	assert_int_equal(check_with(add_bmp, "ABCD01EF"), OK);
	assert_int_equal(check_with(add_empty, ""), OK);
	assert_int_equal(check_with(add_empty, "ABCD01EF"), ERR_CODE);
	assert_int_equal(check_with(add_utf8, ""), ERR_CODE);
	assert_int_equal(check_with(add_utf8, "ABCD01EG"), ERR_CODE);
	assert_int_equal(check_with(add_utf8, "ABCD01E"), ERR_CODE);
	assert_int_equal(check_with(add_utf8, "ABCD01EF0"), ERR_CODE);
	/* As long as codes may be, and one character more in the request. */
	char longest[65];
	snprintf(longest, sizeof(longest), "ABCD01EF%056d", 0);
	assert_int_equal(check_with(add_long, longest), ERR_CODE);
}

static void test_bad_attributes(void **state)
{
	(void)state;
	assert_int_equal(check_with(add_octets, "ABCD01EF"), ERR_INVALID);
	assert_int_equal(check_with(add_boolean, ""), ERR_INVALID);
	assert_int_equal(check_with(add_two_values, "ABCD01EF"), ERR_INVALID);
	assert_int_equal(check_with(add_version, ""), ERR_INVALID);
}

static void add_two(X509_REQ *request)
{
	add_utf8(request);
	assert_true(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_unstructuredName,
					      V_ASN1_UTF8STRING, (const unsigned char *)"ABCD-01EF",
					      9));
}

static size_t wrap(uint8_t *data, size_t at, size_t len)
{
	const uint8_t head[] = { 0x30, 0x82, (uint8_t)(len >> 8), (uint8_t)len };

	assert_true(len >= 256);
	memcpy(data + at, head, sizeof(head));
	return at + sizeof(head);
}

/* OpenSSL makes no request with an attribute twice: one becomes the other, and it is signed again.
 */
static void test_attribute_twice(void **state)
{
	/* unstructuredName is ...9.2, challengePassword ...9.7 */
	static const uint8_t name[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
					0xf7, 0x0d, 0x01, 0x09, 0x02 };
	static const uint8_t algorithm[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
					     0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };

	(void)state;
	for (int twice = 0; twice <= 1; twice++) {
		_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
		_cleanup_object_(pkey) EVP_PKEY *out = NULL;
		_cleanup_object_(req) X509_REQ *request = X509_REQ_new();
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		uint8_t *tbs = NULL, data[1024], signature[80];
		size_t signature_len = sizeof(signature);
		assert_true(X509_REQ_set_pubkey(request, key));
		assert_true(X509_NAME_add_entry_by_txt(
			X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
			(const unsigned char *)"a name that makes it longer than 255 bytes in all",
			-1, -1, 0));
		add_two(request);
		int tbs_len = i2d_re_X509_REQ_tbs(request, &tbs);
		uint8_t *at = memmem(tbs, (size_t)tbs_len, name, sizeof(name));
		assert_non_null(at);
		if (twice)
			at[sizeof(name) - 1] = 0x07;
		assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
		assert_int_equal(
			EVP_DigestSign(ctx, signature, &signature_len, tbs, (size_t)tbs_len), 1);
		size_t len = (size_t)tbs_len + sizeof(algorithm) + 3 + signature_len;
		size_t end = wrap(data, 0, len);
		memcpy(data + end, tbs, (size_t)tbs_len);
		end += (size_t)tbs_len;
		memcpy(data + end, algorithm, sizeof(algorithm));
		end += sizeof(algorithm);
		data[end++] = 0x03;
		data[end++] = (uint8_t)(signature_len + 1);
		data[end++] = 0;
		memcpy(data + end, signature, signature_len);
		assert_int_equal(csr_check(data, end + signature_len, "ABCD01EF", &out),
				 twice ? ERR_INVALID : OK);
		EVP_MD_CTX_free(ctx);
		OPENSSL_free(tbs);
	}
}

/* What there is of a request in all its forms. */
static void test_forms(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);
	char base64[4096], text[8192];
	size_t len = (size_t)EVP_EncodeBlock((uint8_t *)base64, request.der, (int)request.len);

	(void)state;
	assert_int_equal(check((const uint8_t *)base64, len), OK);
	static const char *const ends[] = { "\n", "\r\n", " \t" };
	static const char *const names[] = { "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST" };
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		int at = snprintf(text, sizeof(text), "%s", ends[i]);
		for (size_t k = 0; k < len; k += 64)
			at += snprintf(text + at, sizeof(text) - (size_t)at, "%.64s%s", base64 + k,
				       ends[i]);
		assert_int_equal(check((const uint8_t *)text, (size_t)at), OK);
		for (size_t k = 0; i < 2 && k < ARRAY_SIZE(names); k++) {
			char pem[8192];
			int size = snprintf(pem, sizeof(pem),
					    "\n-----BEGIN %s-----%s%s-----END %s-----%s", names[k],
					    i ? "\r" : "", text, names[k], ends[i]);
			assert_int_equal(check((const uint8_t *)pem, (size_t)size), OK);
		}
	}
	/* Text before, within and after it. */
	static const struct {
		const char *before, *within, *after;
	} bad[] = { { "=", "", "" }, { "", "=", "" },    { "", "", "=" }, { "", "", "====" },
		    { "", "", "!" }, { "", "", "AAAA" }, { "", "-", "" } };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int size = snprintf(text, sizeof(text), "%s%.8s%s%s%s", bad[i].before, base64,
				    bad[i].within, base64 + 8, bad[i].after);
		assert_int_equal(check((const uint8_t *)text, (size_t)size), ERR_INVALID);
	}
	OPENSSL_free(request.der);
}

/* The padding of base64 says how much shorter the request is: it stands at the end, once. */
static void test_padding(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);
	char text[4096];

	(void)state;
	while (request.len % 3 != 0) {
		OPENSSL_free(request.der);
		request = request_of(key);
	}
	int len = EVP_EncodeBlock((uint8_t *)text, request.der, (int)request.len);
	assert_int_equal(check((uint8_t *)text, (size_t)len), OK);
	memcpy(text + len, "A===", 4);
	assert_int_equal(check((uint8_t *)text, (size_t)len + 4), ERR_INVALID);
	OPENSSL_free(request.der);
}

static void test_pem_header(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *data = NULL;

	(void)state;
	assert_true(PEM_write_bio(bio, PEM_STRING_X509_REQ, "Proc-Type: 4,ENCRYPTED\n", request.der,
				  (long)request.len));
	long len = BIO_get_mem_data(bio, &data);
	assert_int_equal(check(data, (size_t)len), ERR_INVALID);
	OPENSSL_free(request.der);
}

static void test_wrong_pem_name(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *data = NULL;

	(void)state;
	assert_true(PEM_write_bio(bio, "CERTIFICATE", "", request.der, (long)request.len));
	long len = BIO_get_mem_data(bio, &data);
	assert_int_equal(check(data, (size_t)len), ERR_INVALID);
	OPENSSL_free(request.der);
}

/* The same request with the outermost length in a form of BER; its signature still holds. */
static void test_ber(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);
	uint8_t data[1024];

	(void)state;
	assert_int_equal(request.der[1], 0x81); /* so far one byte of length */
	const size_t content = request.len - 3;
	/* Not minimal. */
	memcpy(data, "\x30\x82\x00", 3);
	memcpy(data + 3, request.der + 2, content + 1);
	const uint8_t *at = data;
	_cleanup_object_(req) X509_REQ *taken = d2i_X509_REQ(NULL, &at, (long)content + 4);
	assert_non_null(taken); /* OpenSSL would */
	assert_int_equal(check(data, content + 4), ERR_INVALID);
	/* Indefinite. */
	memcpy(data, "\x30\x80", 2);
	memcpy(data + 2, request.der + 3, content);
	memcpy(data + 2 + content, "\0\0", 2);
	assert_int_equal(check(data, content + 4), ERR_INVALID);
	OPENSSL_free(request.der);
}

/* Not minimal within, where OpenSSL and the signature have nothing against it. */
static void test_ber_signature(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request request = request_of(key);
	uint8_t data[1024];
	size_t at = request.len;

	(void)state;
	/* The BIT STRING of the signature ends the request. */
	do
		at--;
	while (request.der[at] != 0x03 || request.der[at + 1] != request.len - at - 2);
	assert_int_equal(request.der[1], 0x81);
	memcpy(data, request.der, at + 1);
	data[2]++;
	data[at + 1] = 0x81;
	memcpy(data + at + 2, request.der + at + 1, request.len - at - 1);
	assert_int_equal(check(data, request.len + 1), ERR_INVALID);
	const uint8_t *start = data;
	_cleanup_object_(req) X509_REQ *taken = d2i_X509_REQ(NULL, &start, (long)request.len + 1);
	assert_int_equal(X509_REQ_verify(taken, key), 1);
	OPENSSL_free(request.der);
}

/* The RSAPublicKey with a length that is not minimal, or something after it. */
static void test_ber_key(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_RSA_gen(3072);

	(void)state;
	for (int form = 0; form < 3; form++) {
		_cleanup_object_(req) X509_REQ *request = X509_REQ_new();
		uint8_t *plain = NULL, *der = NULL;
		int len = i2d_PublicKey(key, &plain);
		uint8_t *encoded = OPENSSL_zalloc((size_t)len + 1);
		memcpy(encoded, plain, (size_t)len);
		if (form == 1) {
			memcpy(encoded, "\x30\x83\x00", 3);
			memcpy(encoded + 3, plain + 2, (size_t)len - 2);
		}
		assert_true(X509_REQ_set_pubkey(request, key));
		assert_true(X509_PUBKEY_set0_param(X509_REQ_get_X509_PUBKEY(request),
						   OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL,
						   NULL, encoded, form ? len + 1 : len));
		assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
		int size = i2d_X509_REQ(request, &der);
		assert_int_equal(check(der, (size_t)size), form ? ERR_INVALID : OK);
		OPENSSL_free(der);
		OPENSSL_free(plain);
	}
}

/* Refused for its size, before anybody looks at the signature. */
static void test_huge_key(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *signer = EVP_RSA_gen(3072);
	_cleanup_object_(req) X509_REQ *request = X509_REQ_new();
	/* An RSAPublicKey: 2^8192 + 1 and 65537. */
	uint8_t rsa[4 + 4 + 1025 + 5] = { 0x30, 0x82, 0x04, 0x0a, 0x02, 0x82, 0x04, 0x01, 0x01 };
	const uint8_t *at = rsa;
	uint8_t *der = NULL;

	(void)state;
	rsa[8 + 1024] = 0x01;
	memcpy(rsa + 8 + 1025, "\x02\x03\x01\x00\x01", 5);
	_cleanup_object_(pkey) EVP_PKEY *key =
		d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)sizeof(rsa));
	assert_int_equal(EVP_PKEY_get_bits(key), 8193);
	assert_true(X509_REQ_set_pubkey(request, key));
	assert_true(X509_REQ_sign(request, signer, EVP_sha256()) > 0);
	int len = i2d_X509_REQ(request, &der);
	assert_int_equal(check(der, (size_t)len), ERR_KEY);
	OPENSSL_free(der);
}

static void hash_of(const struct request *request, uint8_t hash[CSR_KEY_HASH])
{
	_cleanup_object_(pkey) EVP_PKEY *out = NULL;

	assert_int_equal(csr_check(request->der, request->len, "", &out), OK);
	assert_int_equal(csr_key_hash(out, hash), OK);
}

/* One key has one hash whatever the form of its point. */
static void test_one_hash(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct request plain = request_of(key);
	uint8_t first[CSR_KEY_HASH], second[CSR_KEY_HASH];

	(void)state;
	assert_true(EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed"));
	struct request compressed = request_of(key);
	assert_true(compressed.len < plain.len);
	hash_of(&plain, first);
	hash_of(&compressed, second);
	assert_memory_equal(first, second, sizeof(first));
	assert_true(EVP_PKEY_set_utf8_string_param(key, "point-format", "hybrid"));
	struct request hybrid = request_of(key);
	assert_int_equal(check(hybrid.der, hybrid.len), ERR_INVALID);
	OPENSSL_free(plain.der);
	OPENSSL_free(compressed.der);
	OPENSSL_free(hybrid.der);
}

static void test_key_types(void **state)
{
	static const struct {
		const char *kind, *text;
	} rows[] = { { "P-256", "EC P-256" }, { "P-384", "EC P-384" } };
	_cleanup_object_(pkey) EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	_cleanup_object_(pkey) EVP_PKEY *rsa = EVP_RSA_gen(3072);
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen(rows[i].kind);
		csr_key_type(key, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
	csr_key_type(ed25519, text, sizeof(text));
	assert_string_equal(text, "Ed25519");
	csr_key_type(rsa, text, sizeof(text));
	assert_string_equal(text, "RSA 3072");
}

/* An exponent as of old smart cards, and a key out of RFC 9500: weak_key_check is asked. */
static void test_weak_keys(void **state)
{
	static const char pem[] =
		"-----BEGIN EC PRIVATE KEY-----\n"
		"MHcCAQEEIObLW92AqkWunJXowVR2Z5/+yVPBaFHnEedDk5WJxk/BoAoGCCqGSM49\n"
		"AwEHoUQDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjV\n"
		"uKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==\n"
		"-----END EC PRIVATE KEY-----\n";
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *three = BN_new();
	EVP_PKEY *key = NULL;

	(void)state;
	assert_int_equal(check_key(PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL)), ERR_KEY);
	assert_true(BN_set_word(three, 3) && EVP_PKEY_keygen_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 3072) == 1 &&
		    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, three) == 1 &&
		    EVP_PKEY_generate(ctx, &key) == 1);
	assert_int_equal(check_key(key), ERR_KEY);
	BN_free(three);
	EVP_PKEY_CTX_free(ctx);
}

/* MD5 and SHA-1 prove nothing; PSS is another kind of key, or has the peer's parameters. */
static void test_bad_signatures(void **state)
{
	const EVP_MD *const hashes[] = { EVP_md5(), EVP_sha1(), EVP_sha224() };
	_cleanup_object_(pkey) EVP_PKEY *rsa = EVP_RSA_gen(3072);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *pss = NULL, *p256 = EVP_EC_gen("P-256");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
		EVP_PKEY *key = i == 0 ? rsa : p256;
		_cleanup_object_(req) X509_REQ *request = X509_REQ_new();
		uint8_t *der = NULL;
		assert_true(X509_REQ_set_pubkey(request, key));
		assert_true(X509_REQ_sign(request, key, hashes[i]) > 0);
		int len = i2d_X509_REQ(request, &der);
		assert_int_equal(check(der, (size_t)len), ERR_INVALID);
		OPENSSL_free(der);
	}
	assert_true(EVP_PKEY_keygen_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 3072) == 1 &&
		    EVP_PKEY_generate(ctx, &pss) == 1);
	assert_int_equal(check_key(pss), ERR_KEY);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(p256);
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
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_bad_attributes),
		cmocka_unit_test(test_attribute_twice),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_wrong_pem_name),
		cmocka_unit_test(test_ber),
		cmocka_unit_test(test_ber_signature),
		cmocka_unit_test(test_ber_key),
		cmocka_unit_test(test_huge_key),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_pem_header),
		cmocka_unit_test(test_one_hash),
		cmocka_unit_test(test_key_types),
		cmocka_unit_test(test_weak_keys),
		cmocka_unit_test(test_bad_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
