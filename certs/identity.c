#include "certs/identity.h"

#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "base/util.h"
#include "certs/cleanup.h"

enum err identity_of(const X509 *certificate, uint8_t ret_device[WIRE_DEVICE_ID])
{
	uint8_t *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	unsigned done = 0;

	_Static_assert(WIRE_DEVICE_ID == SHA256_DIGEST_LENGTH, "a device is known by a SHA-256");
	if (len <= 0)
		return ERR_CRYPTO;
	bool hashed = EVP_Digest(der, (size_t)len, ret_device, &done, EVP_sha256(), NULL) == 1;
	OPENSSL_free(der);
	return hashed && done == WIRE_DEVICE_ID ? OK : ERR_CRYPTO;
}

/* A certificate that names no purpose passes OpenSSL's check for every purpose; ours always name
 * one. */
static bool is_for_clients(X509 *certificate)
{
	return (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) &&
	       (X509_get_extended_key_usage(certificate) & XKU_SSL_CLIENT);
}

enum err identity_of_peer(const SSL *ssl, uint8_t ret_device[WIRE_DEVICE_ID])
{
	_cleanup_object_(x509) X509 *certificate = SSL_get1_peer_certificate(ssl);

	if (!certificate || !SSL_is_init_finished(ssl) || SSL_get_verify_result(ssl) != X509_V_OK ||
	    !is_for_clients(certificate))
		return ERR_AUTH;
	return identity_of(certificate, ret_device);
}

static enum err make_store(X509 *ca, X509_CRL *crl, X509_STORE **ret)
{
	_cleanup_object_(store) X509_STORE *store = X509_STORE_new();
	unsigned long flags = X509_V_FLAG_X509_STRICT;

	if (!store)
		return ERR_NOMEM;
	if (X509_STORE_add_cert(store, ca) != 1)
		return ERR_CRYPTO;
	if (crl) {
		if (X509_STORE_add_crl(store, crl) != 1)
			return ERR_CRYPTO;
		flags |= X509_V_FLAG_CRL_CHECK;
	}
	if (X509_STORE_set_flags(store, flags) != 1)
		return ERR_CRYPTO;
	*ret = util_take_ptr(store);
	return OK;
}

/* Without this hint browsers offer every certificate they have. */
static enum err make_hint(X509 *ca, STACK_OF(X509_NAME) * *ret)
{
	_cleanup_object_(name) X509_NAME *name = X509_NAME_dup(X509_get_subject_name(ca));
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	if (!name || !names || !sk_X509_NAME_push(names, name)) {
		sk_X509_NAME_free(names);
		return ERR_NOMEM;
	}
	name = NULL;
	*ret = names;
	return OK;
}

/*
 * A resumed session would show no certificate and skip its check, so there is nothing to resume
 * from (RFC 8446 §4.6.1).
 */
static enum err forbid_resumption(SSL_CTX *ctx)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1 || SSL_CTX_set_max_early_data(ctx, 0) != 1)
		return ERR_CRYPTO;
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return OK;
}

enum err identity_require(SSL_CTX *ctx, X509 *ca, X509_CRL *crl)
{
	_cleanup_object_(store) X509_STORE *store = NULL;
	STACK_OF(X509_NAME) *hint = NULL;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
	enum err err = make_store(ca, crl, &store);

	if (!err)
		err = forbid_resumption(ctx);
	if (!err)
		err = make_hint(ca, &hint);
	if (err)
		return err;
	/* No callback: OpenSSL's verdict stands. One set by a library before could wave anything
	 * through. */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, NULL, NULL);
	SSL_CTX_set_cert_store(ctx, util_take_ptr(store));
	SSL_CTX_set_client_CA_list(ctx, hint);
	/* Nothing between the office CA and the device. */
	X509_VERIFY_PARAM_set_depth(param, 0);
	if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) != 1)
		return ERR_CRYPTO;
	return OK;
}
