#include "certs/pkcs12.h"

#include "base/util.h"
#include "certs/cleanup.h"

enum {
	/* OWASP's figure for PBKDF2-SHA-256 is higher still, but some importers stop at a few
	   100,000. */
	ITERATIONS = 200000,
	ITERATIONS_COMPATIBLE = 50000,
};

static PKCS12 *create(enum pkcs12_kind kind, EVP_PKEY *key, X509 *certificate,
		      STACK_OF(X509) * chain, const char *name, const struct secret *password)
{
	bool modern = kind == PKCS12_MODERN;
	int cipher = modern ? NID_aes_256_cbc : NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
	int iterations = modern ? ITERATIONS : ITERATIONS_COMPATIBLE;
	/* -1: the MAC is set below, with its own hash. */
	_cleanup_object_(pkcs12) PKCS12 *file =
		PKCS12_create(secret_text(password), name, key, certificate, chain, cipher, cipher,
			      iterations, -1, 0);

	if (!file || !PKCS12_set_mac(file, secret_text(password), (int)secret_len(password), NULL,
				     0, iterations, modern ? EVP_sha256() : EVP_sha1()))
		return NULL;
	return util_take_ptr(file);
}

enum err pkcs12_make(enum pkcs12_kind kind, EVP_PKEY *key, X509 *certificate,
		     STACK_OF(X509) * chain, const char *name, const struct secret *password,
		     struct buf *buf)
{
	uint8_t *der = NULL;

	if (secret_len(password) == 0)
		return ERR_INVALID;
	_cleanup_object_(pkcs12) PKCS12 *file =
		create(kind, key, certificate, chain, name, password);
	int len = file ? i2d_PKCS12(file, &der) : -1;
	if (len <= 0)
		return ERR_CRYPTO;
	enum err err = buf_add(buf, der, (size_t)len);
	OPENSSL_free(der);
	return err;
}
