#include "issuing.h"

#include <openssl/pkcs7.h>

#include "certs/est.h"

static struct buf ders_of(X509 *const *certificates, size_t count)
{
	struct buf ders;

	buf_init(&ders, 65536);
	for (size_t i = 0; i < count; i++) {
		uint8_t *der = NULL;
		int len = i2d_X509(certificates[i], &der);
		assert_int_equal(buf_add(&ders, der, (size_t)len), OK);
		OPENSSL_free(der);
	}
	return ders;
}

static size_t decode(const struct buf *base64, uint8_t *out, size_t room)
{
	assert_true(base64->len > 0 && base64->len % 4 == 0 && base64->len <= room);
	for (size_t i = 0; i < base64->len; i++) /* one line: "pki --est" reads no other */
		assert_true(base64->data[i] > ' ');
	size_t pad = 0;
	while (base64->data[base64->len - 1 - pad] == '=')
		pad++;
	int len = EVP_DecodeBlock(out, base64->data, (int)base64->len);
	assert_true(len > 0);
	return (size_t)len - pad;
}

static void test_certs_only(void **state)
{
	struct issuing root = issuing_make(NULL, "root"), issuing = issuing_make(&root, "issuing");
	X509 *const both[] = { issuing.certificate, root.certificate };
	_cleanup_buf_ struct buf ders = ders_of(both, 2), base64;
	uint8_t der[8192];

	(void)state;
	buf_init(&base64, 8192);
	assert_int_equal(est_certs_only((struct bytes){ ders.data, ders.len }, &base64), OK);
	size_t len = decode(&base64, der, sizeof(der));
	const uint8_t *at = der;
	_cleanup_object_(pkcs7) PKCS7 *message = d2i_PKCS7(NULL, &at, (long)len);
	assert_non_null(message);
	assert_ptr_equal(at, der + len);
	assert_true(PKCS7_type_is_signed(message));
	/* RFC 8551 §3.8: no content, no signer. */
	assert_int_equal(PKCS7_get_detached(message), 1);
	assert_int_equal(sk_PKCS7_SIGNER_INFO_num(PKCS7_get_signer_info(message)), 0);
	STACK_OF(X509) *found = message->d.sign->cert;
	assert_int_equal(sk_X509_num(found), 2);
	for (int i = 0; i < 2; i++)
		assert_true(X509_cmp(sk_X509_value(found, i), both[0]) == 0 ||
			    X509_cmp(sk_X509_value(found, i), both[1]) == 0);
	issuing_free(&root);
	issuing_free(&issuing);
}

static void test_limits(void **state)
{
	struct issuing root = issuing_make(NULL, "root");
	X509 *many[EST_CERTIFICATES_MAX + 1];
	_cleanup_buf_ struct buf base64;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = root.certificate;
	_cleanup_buf_ struct buf ders = ders_of(many, ARRAY_SIZE(many));
	size_t one = ders.len / ARRAY_SIZE(many);
	buf_init(&base64, 65536);
	assert_int_equal(est_certs_only((struct bytes){ ders.data, 0 }, &base64), ERR_INVALID);
	assert_int_equal(est_certs_only((struct bytes){ ders.data, ders.len }, &base64),
			 ERR_INVALID);
	assert_int_equal(est_certs_only((struct bytes){ ders.data, one - 1 }, &base64),
			 ERR_INVALID);
	assert_int_equal(est_certs_only((struct bytes){ ders.data, one + 5 }, &base64),
			 ERR_INVALID);
	assert_int_equal(base64.len, 0);
	assert_int_equal(est_certs_only((struct bytes){ ders.data, ders.len - one }, &base64), OK);
	_cleanup_buf_ struct buf small;
	buf_init(&small, 100);
	assert_int_equal(est_certs_only((struct bytes){ ders.data, one }, &small), ERR_TOO_BIG);
	assert_int_equal(small.len, 0);
	issuing_free(&root);
}

/* CsrAttrs (RFC 7030 §4.5.2), read with OpenSSL's own types. */
static void test_csrattrs(void **state)
{
	_cleanup_buf_ struct buf base64;
	uint8_t der[256];

	(void)state;
	buf_init(&base64, 256);
	assert_int_equal(est_csrattrs(&base64), OK);
	size_t len = decode(&base64, der, sizeof(der));
	const uint8_t *at = der;
	ASN1_SEQUENCE_ANY *all = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)len);
	assert_ptr_equal(at, der + len);
	assert_int_equal(sk_ASN1_TYPE_num(all), 2);
	const ASN1_TYPE *first = sk_ASN1_TYPE_value(all, 0), *second = sk_ASN1_TYPE_value(all, 1);
	assert_int_equal(first->type, V_ASN1_SEQUENCE);
	at = ASN1_STRING_get0_data(first->value.sequence);
	X509_ATTRIBUTE *key =
		d2i_X509_ATTRIBUTE(NULL, &at, ASN1_STRING_length(first->value.sequence));
	assert_int_equal(OBJ_obj2nid(X509_ATTRIBUTE_get0_object(key)), NID_X9_62_id_ecPublicKey);
	assert_int_equal(X509_ATTRIBUTE_count(key), 1);
	assert_int_equal(OBJ_obj2nid(X509_ATTRIBUTE_get0_data(key, 0, V_ASN1_OBJECT, NULL)),
			 NID_X9_62_prime256v1);
	assert_int_equal(second->type, V_ASN1_OBJECT);
	assert_int_equal(OBJ_obj2nid(second->value.object), NID_ecdsa_with_SHA256);
	X509_ATTRIBUTE_free(key);
	sk_ASN1_TYPE_pop_free(all, ASN1_TYPE_free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certs_only),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_csrattrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
