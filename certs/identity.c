#include "certs/identity.h"

#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "base/util.h"
#include "certs/cleanup.h"

enum { SECURITY_LEVEL = 2 /* 112 bits: RSA 2048, P-256, SHA-256 and better */ };

/* A root, the issuing CA, the device. */
const struct identity_rules identity_rules_of_device = {
	.depth = 1,
	.purpose = X509_PURPOSE_SSL_CLIENT,
	.device = true,
};

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

enum err identity_of_peer(const SSL *ssl, uint8_t ret_device[WIRE_DEVICE_ID])
{
	_cleanup_object_(x509) X509 *certificate = SSL_get1_peer_certificate(ssl);

	if (!certificate || !SSL_is_init_finished(ssl) || SSL_get_verify_result(ssl) != X509_V_OK)
		return ERR_AUTH;
	return identity_of(certificate, ret_device);
}

/* ---- the path --------------------------------------------------------------------------- */

/*
 * OpenSSL would take a list of changes (RFC 5280 §5.2.4) for the whole list, in which what was
 * revoked before is missing.
 */
static enum err add_list(X509_STORE *store, X509_CRL *crl)
{
	if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		return ERR_INVALID;
	return X509_STORE_add_crl(store, crl) == 1 ? OK : ERR_CRYPTO;
}

/* RFC 5280 §6.1.1: with no policy wanted, the initial set is anyPolicy; OpenSSL's is empty. */
static enum err allow_any_policy(X509_STORE *store)
{
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);

	return X509_VERIFY_PARAM_add0_policy(param, OBJ_nid2obj(NID_any_policy)) == 1 ? OK
										      : ERR_CRYPTO;
}

/*
 * Of a chain only what is self-signed ends it: no X509_V_FLAG_PARTIAL_CHAIN. A list is asked of
 * the device's issuer; an issuing CA itself ends by being taken out of cas.
 */
enum err identity_store(STACK_OF(X509) * cas, STACK_OF(X509_CRL) * crls, X509_STORE **ret)
{
	_cleanup_object_(store) X509_STORE *store = X509_STORE_new();
	unsigned long flags = X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK;

	if (!store)
		return ERR_NOMEM;
	for (int i = 0; i < sk_X509_num(cas); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(cas, i)) != 1)
			return ERR_CRYPTO;
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		enum err err = add_list(store, sk_X509_CRL_value(crls, i));
		if (err)
			return err;
		flags |= X509_V_FLAG_CRL_CHECK;
	}
	if (X509_STORE_set_flags(store, flags) != 1 || allow_any_policy(store))
		return ERR_CRYPTO;
	*ret = util_take_ptr(store);
	return OK;
}

/* A certificate that names no purpose passes OpenSSL's check for every purpose; ours always name
 * one. */
static bool is_for_clients(X509 *certificate)
{
	return (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) &&
	       (X509_get_extended_key_usage(certificate) & XKU_SSL_CLIENT);
}

static bool is_device(X509_STORE_CTX *ctx)
{
	X509 *certificate = X509_STORE_CTX_get0_cert(ctx);

	if (X509_check_ca(certificate) == 0 && is_for_clients(certificate))
		return true;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_INVALID_PURPOSE);
	return false;
}

static bool verify(X509_STORE_CTX *ctx, const struct identity_rules *rules)
{
	/* libssl put the SSL_CTX's over the store's: whatever a library had set there goes. */
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_depth(param, rules->depth);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	if (rules->purpose && X509_VERIFY_PARAM_set_purpose(param, rules->purpose) != 1)
		return false;
	X509_STORE_CTX_set0_untrusted(ctx, NULL);
	return X509_verify_cert(ctx) == 1 && (!rules->device || is_device(ctx));
}

int identity_verify(X509_STORE_CTX *ctx, const struct identity_rules *rules)
{
	if (verify(ctx, rules))
		return 1;
	if (X509_STORE_CTX_get_error(ctx) == X509_V_OK)
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNSPECIFIED);
	return 0;
}

/* ---- the handshake ---------------------------------------------------------------------- */

static int verify_required(X509_STORE_CTX *ctx, void *unused)
{
	(void)unused;
	return identity_verify(ctx, &identity_rules_of_device);
}

/* The error stays in the context and becomes SSL_get_verify_result's. */
static int verify_asked(X509_STORE_CTX *ctx, void *unused)
{
	(void)verify_required(ctx, unused);
	return 1;
}

static bool has_name(STACK_OF(X509_NAME) * names, const X509_NAME *name)
{
	for (int i = 0; i < sk_X509_NAME_num(names); i++)
		if (!X509_NAME_cmp(sk_X509_NAME_value(names, i), name))
			return true;
	return false;
}

static void names_free(STACK_OF(X509_NAME) * *names)
{
	sk_X509_NAME_pop_free(*names, X509_NAME_free);
}

/* Without this hint browsers offer every certificate they have. Some look only at the direct
 * issuer's name, so each CA is there. */
static enum err make_hint(STACK_OF(X509) * cas, STACK_OF(X509_NAME) * *ret)
{
	_cleanup_(names_free) STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	for (int i = 0; names && i < sk_X509_num(cas); i++) {
		const X509_NAME *subject = X509_get_subject_name(sk_X509_value(cas, i));
		_cleanup_object_(name) X509_NAME *name = NULL;

		if (has_name(names, subject))
			continue;
		name = X509_NAME_dup(subject);
		if (!name || !sk_X509_NAME_push(names, name))
			return ERR_NOMEM;
		name = NULL;
	}
	*ret = util_take_ptr(names);
	return *ret ? OK : ERR_NOMEM;
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

enum err identity_require(SSL_CTX *ctx, STACK_OF(X509) * cas, STACK_OF(X509_CRL) * crls,
			  enum identity_demand demand)
{
	_cleanup_object_(store) X509_STORE *store = NULL;
	bool required = demand == IDENTITY_REQUIRED;
	STACK_OF(X509_NAME) *hint = NULL;
	enum err err = identity_store(cas, crls, &store);

	if (!err)
		err = forbid_resumption(ctx);
	if (!err)
		err = make_hint(cas, &hint);
	if (err)
		return err;
	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	SSL_CTX_set_max_cert_list(ctx, IDENTITY_CHAIN_MAX);
	/* No callback: the verdict stands. One set by a library before could wave anything
	 * through. */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
			   NULL);
	SSL_CTX_set_cert_verify_callback(ctx, required ? verify_required : verify_asked, NULL);
	SSL_CTX_set_cert_store(ctx, util_take_ptr(store));
	SSL_CTX_set_client_CA_list(ctx, hint);
	return OK;
}
