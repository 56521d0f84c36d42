#include "certs/est.h"

#include <openssl/pkcs7.h>

#include "base/util.h"
#include "certs/cleanup.h"

/*
 * CsrAttrs (RFC 7030 §4.5.2): SEQUENCE { SEQUENCE { id-ecPublicKey, SET { secp256r1 } },
 * ecdsa-with-SHA256 }.
 */
static const uint8_t csr_attributes[] = {
	0x30, 0x21,                                                 /* SEQUENCE */
	0x30, 0x15,                                                 /* SEQUENCE */
	0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,       /* id-ecPublicKey */
	0x31, 0x0a,                                                 /* SET */
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, /* secp256r1 */
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, /* ecdsa-with-SHA256 */
};

static enum err add_base64(const uint8_t *data, size_t len, struct buf *base64)
{
	size_t room = (len + 2) / 3 * 4 + 1; /* with the NUL that OpenSSL adds */
	uint8_t *end;
	enum err err = buf_reserve(base64, room, &end);

	if (!err)
		base64->len += (size_t)EVP_EncodeBlock(end, data, (int)len);
	return err;
}

/* A SignedData without content and without signers. */
static PKCS7 *make_empty(void)
{
	_cleanup_object_(pkcs7) PKCS7 *message = PKCS7_new();

	if (!message || !PKCS7_set_type(message, NID_pkcs7_signed) ||
	    !PKCS7_content_new(message, NID_pkcs7_data) || !PKCS7_set_detached(message, 1))
		return NULL;
	return util_take_ptr(message);
}

static enum err add_all(PKCS7 *message, struct bytes ders)
{
	const uint8_t *at = ders.data, *end = ders.data + ders.len;

	for (size_t count = 0; at < end; count++) {
		_cleanup_object_(x509) X509 *certificate = d2i_X509(NULL, &at, (long)(end - at));
		if (!certificate || count == EST_CERTIFICATES_MAX)
			return ERR_INVALID;
		if (!PKCS7_add_certificate(message, certificate))
			return ERR_NOMEM;
	}
	return OK;
}

enum err est_certs_only(struct bytes ders, struct buf *base64)
{
	uint8_t *der = NULL;

	if (ders.len == 0)
		return ERR_INVALID;
	_cleanup_object_(pkcs7) PKCS7 *message = make_empty();
	if (!message)
		return ERR_NOMEM;
	enum err err = add_all(message, ders);
	if (err)
		return err;
	int len = i2d_PKCS7(message, &der);
	if (len <= 0)
		return ERR_CRYPTO;
	err = add_base64(der, (size_t)len, base64);
	OPENSSL_free(der);
	return err;
}

enum err est_csrattrs(struct buf *base64)
{
	return add_base64(csr_attributes, sizeof(csr_attributes), base64);
}
