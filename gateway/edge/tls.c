#include "edge/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"
#include "certs/identity.h"

enum { KEY_FILE_MAX = 8192 };

/* What edge_config brought. */
struct office {
	X509 *certificate, *ca;
	X509_CRL *crl; /* NULL while the office has none */
	struct buf ca_pem, crl_der;
};

struct tls {
	EVP_PKEY *key;
	struct office office;
	SSL_CTX *gateway, *enrol; /* libwebsockets'; NULL until set up */
};

static void office_finish(struct office *office)
{
	X509_free(office->certificate);
	X509_free(office->ca);
	X509_CRL_free(office->crl);
	buf_finish(&office->ca_pem);
	buf_finish(&office->crl_der);
	memset(office, 0, sizeof(*office));
}

static void bio_freep(BIO **bio)
{
	BIO_free(*bio);
}

static enum err crypto_failed(const char *what)
{
	char text[160];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	log_error("tls-failed", "at=%s error=\"%s\"", what, text);
	ERR_clear_error();
	return ERR_CRYPTO;
}

/* ---- the key ------------------------------------------------------------------------------------
 */

static enum err key_parse(struct secret *pem, EVP_PKEY **ret)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(secret_data(pem), (int)secret_len(pem));
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	if (!key)
		return crypto_failed("server.key");
	*ret = key;
	return OK;
}

static enum err key_make(const char *path, EVP_PKEY **ret)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char *pem = NULL;
	long len;
	enum err err;

	if (!bio || !key || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) {
		EVP_PKEY_free(key);
		return crypto_failed("make-key");
	}
	len = BIO_get_mem_data(bio, &pem);
	err = util_write_file(path, pem, (size_t)len, 0600);
	secret_wipe(pem, (size_t)len);
	if (err) {
		EVP_PKEY_free(key);
		return err;
	}
	log_info("server-key-made", "path=\"%s\"", path);
	*ret = key;
	return OK;
}

static enum err key_load(const char *path, EVP_PKEY **ret)
{
	_cleanup_secret_ struct secret *pem = NULL;
	enum err err = secret_read_file(path, KEY_FILE_MAX, &pem);

	if (err == ERR_NOT_FOUND)
		return key_make(path, ret);
	return err ? err : key_parse(pem, ret);
}

enum err tls_open(const char *folder, struct tls **ret)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	char path[400];
	enum err err;

	if (!tls)
		return ERR_NOMEM;
	snprintf(path, sizeof(path), "%s/server.key", folder);
	err = key_load(path, &tls->key);
	if (err) {
		log_error("server-key", "path=\"%s\" error=%s", path, err_code(err));
		free(tls);
		return err;
	}
	*ret = tls;
	return OK;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	EVP_PKEY_free(tls->key);
	office_finish(&tls->office);
	free(tls);
}

enum err tls_request(const struct tls *tls, const char *name, struct buf *csr)
{
	X509_REQ *request = X509_REQ_new();
	unsigned char *der = NULL;
	/* RFC 5280 appendix A: a common name has at most 64 characters. */
	int name_len = (int)MIN(strlen(name), (size_t)64);
	int len = -1;
	enum err err;

	if (request &&
	    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
				       (const unsigned char *)name, name_len, -1, 0) &&
	    X509_REQ_set_pubkey(request, tls->key) &&
	    X509_REQ_sign(request, tls->key, EVP_sha256()))
		len = i2d_X509_REQ(request, &der);
	err = len > 0 ? buf_add(csr, der, (size_t)len) : crypto_failed("make-request");
	OPENSSL_free(der);
	X509_REQ_free(request);
	return err;
}

/* ---- the office ---------------------------------------------------------------------------------
 */

static X509 *certificate_parse(struct bytes der)
{
	const unsigned char *at = der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

	if (certificate && at != der.data + der.len) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

static X509_CRL *crl_parse(struct bytes der)
{
	const unsigned char *at = der.data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);

	if (crl && at != der.data + der.len) {
		X509_CRL_free(crl);
		return NULL;
	}
	return crl;
}

static enum err copy_pem(X509 *ca, struct buf *pem)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	if (!bio || !PEM_write_bio_X509(bio, ca))
		return ERR_CRYPTO;
	len = BIO_get_mem_data(bio, &text);
	return buf_add(pem, text, (size_t)len);
}

/* A CRL of another issuer would let every device in; one that is not signed by our CA is worth
 * nothing. */
static bool crl_fits(X509_CRL *crl, X509 *ca)
{
	EVP_PKEY *key = X509_get0_pubkey(ca);

	return key && !X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) &&
	       X509_CRL_verify(crl, key) == 1;
}

static enum err office_parse(const struct msg_edge_config *config, EVP_PKEY *key,
			     struct office *ret)
{
	struct office office = { 0 };
	enum err err = ERR_INVALID;

	buf_init(&office.ca_pem, 16384);
	buf_init(&office.crl_der, 65536);
	office.certificate = certificate_parse(config->certificate);
	office.ca = certificate_parse(config->ca);
	if (config->crl.len)
		office.crl = crl_parse(config->crl);
	if (office.certificate && office.ca &&
	    X509_check_private_key(office.certificate, key) == 1 &&
	    X509_verify(office.certificate, X509_get0_pubkey(office.ca)) == 1 &&
	    (!config->crl.len || (office.crl && crl_fits(office.crl, office.ca))))
		err = copy_pem(office.ca, &office.ca_pem);
	if (!err && config->crl.len)
		err = buf_add(&office.crl_der, config->crl.data, config->crl.len);
	if (err) {
		ERR_clear_error();
		office_finish(&office);
		return err;
	}
	*ret = office;
	return OK;
}

/* ---- the contexts -------------------------------------------------------------------------------
 */

static enum err context_apply(const struct tls *tls, SSL_CTX *ctx, const struct office *office)
{
	enum err err;

	if (SSL_CTX_use_certificate(ctx, office->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, tls->key) != 1)
		return crypto_failed("use-certificate");
	if (ctx != tls->gateway)
		return OK;
	err = identity_require(ctx, office->ca, office->crl);
	if (err)
		log_error("tls-require", "error=%s", err_code(err));
	return err;
}

static enum err apply_all(const struct tls *tls, const struct office *office)
{
	enum err err = OK;

	if (tls->gateway)
		err = context_apply(tls, tls->gateway, office);
	if (!err && tls->enrol)
		err = context_apply(tls, tls->enrol, office);
	return err;
}

enum err tls_update(struct tls *tls, const struct msg_edge_config *config)
{
	struct office office;
	enum err err = office_parse(config, tls->key, &office);

	if (err)
		return err;
	err = apply_all(tls, &office);
	if (err) {
		/* Back to what works; what failed is logged. */
		if (tls->office.certificate && apply_all(tls, &tls->office))
			log_error("tls-restore", "error=%s", err_code(err));
		office_finish(&office);
		return err;
	}
	office_finish(&tls->office);
	tls->office = office;
	return OK;
}

/*
 * What holds with and without a device certificate. Sessions are never resumed: a resumed one shows
 * no certificate and is not verified again. libwebsockets' SNI callback picks a context by the name
 * that the client sends; which listener it came to decides here, so the callback goes.
 */
static enum err context_common(SSL_CTX *ctx)
{
	SSL_CTX_set_tlsext_servername_callback(ctx, NULL);
	SSL_CTX_set_options(ctx,
			    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1 || SSL_CTX_set_max_early_data(ctx, 0) != 1)
		return crypto_failed("set-up");
	return OK;
}

enum err tls_setup(struct tls *tls, SSL_CTX *ctx, bool demand_device)
{
	enum err err;

	if (!tls->office.certificate)
		return ERR_WRONG_STATE;
	err = context_common(ctx);
	if (err)
		return err;
	if (demand_device)
		tls->gateway = ctx;
	else
		tls->enrol = ctx;
	return context_apply(tls, ctx, &tls->office);
}

int64_t tls_renew_at(const struct tls *tls)
{
	struct tm from = { 0 }, until = { 0 };
	int64_t start, end;

	if (!tls->office.certificate ||
	    !ASN1_TIME_to_tm(X509_get0_notBefore(tls->office.certificate), &from) ||
	    !ASN1_TIME_to_tm(X509_get0_notAfter(tls->office.certificate), &until))
		return INT64_MAX;
	start = timegm(&from);
	end = timegm(&until);
	return start + (end - start) / 3 * 2;
}

struct bytes tls_ca_pem(const struct tls *tls)
{
	return (struct bytes){ tls->office.ca_pem.data, tls->office.ca_pem.len };
}

struct bytes tls_crl_der(const struct tls *tls)
{
	return (struct bytes){ tls->office.crl_der.data, tls->office.crl_der.len };
}
