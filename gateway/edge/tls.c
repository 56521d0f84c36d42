#include "edge/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"
#include "certs/identity.h"

enum { KEY_FILE_MAX = 8192 };

enum { LISTS_MAX = 64 };

/* A CRL as it came. */
struct list {
	uint32_t issuer; /* the number in its issuer's name; 0: none */
	size_t at, len;  /* in lists_der */
};

/* What edge_config brought. */
struct office {
	X509 *certificate;
	STACK_OF(X509) * chain; /* above certificate, without the root */
	STACK_OF(X509) * cas;
	STACK_OF(X509_CRL) * crls;
	struct list lists[LISTS_MAX]; /* of each of crls */
	struct buf ca_pem, lists_der;
};

struct tls {
	EVP_PKEY *key;
	struct office office;
	const struct tls_folder *folder; /* NULL: none */
	SSL_CTX *gateway, *enrol;        /* libwebsockets'; NULL until set up */
};

static void office_finish(struct office *office)
{
	X509_free(office->certificate);
	sk_X509_pop_free(office->chain, X509_free);
	sk_X509_pop_free(office->cas, X509_free);
	sk_X509_CRL_pop_free(office->crls, X509_CRL_free);
	buf_finish(&office->ca_pem);
	buf_finish(&office->lists_der);
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

/* ---- the key ---------------------------------------------------------------------------- */

/* Without it OpenSSL asks for a passphrase on the terminal. */
static int no_passphrase(char *text, int room, int writing, void *unused)
{
	(void)text, (void)room, (void)writing, (void)unused;
	return -1;
}

static enum err key_parse(struct secret *pem, EVP_PKEY **ret)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(secret_data(pem), (int)secret_len(pem));
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

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

/* ---- the office ------------------------------------------------------------------------- */

/* DER certificates one after another; an empty stack for none. */
static enum err certificates_parse(struct bytes ders, STACK_OF(X509) * *ret)
{
	const unsigned char *at = ders.data, *end = ders.data + ders.len;

	*ret = sk_X509_new_null();
	if (!*ret)
		return ERR_NOMEM;
	while (at < end) {
		X509 *certificate = d2i_X509(NULL, &at, end - at);

		if (!certificate)
			return ERR_INVALID;
		if (sk_X509_push(*ret, certificate) <= 0) {
			X509_free(certificate);
			return ERR_NOMEM;
		}
	}
	return OK;
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

/* The broker sends the newest first. */
static enum err copy_newest_root(struct office *office)
{
	for (int i = 0; i < sk_X509_num(office->cas); i++)
		if (X509_self_signed(sk_X509_value(office->cas, i), 1) == 1)
			return copy_pem(sk_X509_value(office->cas, i), &office->ca_pem);
	return ERR_INVALID;
}

/* A CRL of another issuer would keep every device out; one that is not signed by a CA of ours is
 * worth nothing. */
static bool crl_fits(X509_CRL *crl, STACK_OF(X509) * cas)
{
	for (int i = 0; i < sk_X509_num(cas); i++) {
		X509 *ca = sk_X509_value(cas, i);
		EVP_PKEY *key = X509_get0_pubkey(ca);

		if (key && !X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) &&
		    X509_CRL_verify(crl, key) == 1)
			return true;
	}
	return false;
}

/* The number that the common name of an issuing CA ends in; 0 when it has none. */
static uint32_t number_of(const X509_NAME *issuer)
{
	int at = X509_NAME_get_index_by_NID((X509_NAME *)issuer, NID_commonName, -1);
	unsigned char *text = NULL;
	const char *blank;
	int64_t number = 0;

	if (at < 0 || ASN1_STRING_to_UTF8(
			      &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, at))) < 0)
		return 0;
	blank = strrchr((char *)text, ' ');
	if (!blank || util_parse_i64(blank + 1, 1, UINT32_MAX, &number))
		number = 0;
	OPENSSL_free(text);
	return (uint32_t)number;
}

static enum err take_crl(struct office *office, X509_CRL *crl, size_t at, size_t len)
{
	int count = sk_X509_CRL_num(office->crls);

	if (count >= LISTS_MAX || !crl_fits(crl, office->cas))
		return ERR_INVALID;
	if (sk_X509_CRL_push(office->crls, crl) <= 0)
		return ERR_NOMEM;
	office->lists[count] = (struct list){ .issuer = number_of(X509_CRL_get_issuer(crl)),
					      .at = at,
					      .len = len };
	return OK;
}

static enum err crls_parse(struct bytes ders, struct office *office)
{
	const unsigned char *at = ders.data, *end = ders.data + ders.len;

	office->crls = sk_X509_CRL_new_null();
	if (!office->crls)
		return ERR_NOMEM;
	while (at < end) {
		size_t start = (size_t)(at - ders.data);
		X509_CRL *crl = d2i_X509_CRL(NULL, &at, end - at);
		enum err err = crl ? take_crl(office, crl, start, (size_t)(at - ders.data) - start)
				   : ERR_INVALID;
		if (err) {
			X509_CRL_free(crl);
			return err;
		}
	}
	return buf_add(&office->lists_der, ders.data, ders.len);
}

/* What is shown with our certificate: the path to the root, without the root, which a peer has or
 * does not trust. */
static enum err take_chain(struct office *office, STACK_OF(X509) * path)
{
	office->chain = sk_X509_new_null();
	if (!office->chain)
		return ERR_NOMEM;
	for (int i = 1; i < sk_X509_num(path) - 1; i++)
		if (X509_add_cert(office->chain, sk_X509_value(path, i), X509_ADD_FLAG_UP_REF) != 1)
			return ERR_NOMEM;
	return OK;
}

/* Our certificate leads to a root of ours. Not when: an old one must not keep new lists out. */
static enum err office_hold(struct office *office)
{
	static const struct identity_rules rules = { .depth = 1,
						     .purpose = X509_PURPOSE_SSL_SERVER };
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE *store = NULL;
	enum err err = ctx ? identity_store(office->cas, NULL, &store) : ERR_NOMEM;

	if (!err && X509_STORE_CTX_init(ctx, store, office->certificate, NULL) != 1)
		err = ERR_NOMEM;
	if (!err) {
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
		err = identity_verify(ctx, &rules)
			      ? take_chain(office, X509_STORE_CTX_get0_chain(ctx))
			      : ERR_INVALID;
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return err;
}

static enum err own_parse(struct bytes ders, EVP_PKEY *key, struct office *office)
{
	STACK_OF(X509) *sent = NULL;
	enum err err = certificates_parse(ders, &sent);

	if (!err &&
	    (!sk_X509_num(sent) || X509_check_private_key(sk_X509_value(sent, 0), key) != 1))
		err = ERR_INVALID;
	if (!err)
		office->certificate = sk_X509_shift(sent);
	sk_X509_pop_free(sent, X509_free);
	return err;
}

static enum err office_parse(const struct msg_edge_config *config, EVP_PKEY *key,
			     struct office *ret)
{
	struct office office = { 0 };
	enum err err;

	buf_init(&office.ca_pem, 16384);
	buf_init(&office.lists_der, config->crl.len);
	err = own_parse(config->certificate, key, &office);
	if (!err)
		err = certificates_parse(config->ca, &office.cas);
	if (!err)
		err = office_hold(&office);
	if (!err)
		err = copy_newest_root(&office);
	if (!err)
		err = crls_parse(config->crl, &office);
	ERR_clear_error();
	if (err) {
		office_finish(&office);
		return err;
	}
	*ret = office;
	return OK;
}

/* ---- the contexts ----------------------------------------------------------------------- */

static enum err context_apply(const struct tls *tls, SSL_CTX *ctx, const struct office *office)
{
	enum err err = identity_require(ctx, office->cas, office->crls,
					ctx == tls->gateway ? IDENTITY_REQUIRED : IDENTITY_ASKED);

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

/*
 * For each handshake, so that a context never keeps a certificate of another kind of key beside the
 * new one. The chain is never NULL: OpenSSL would make one from the store, with the root.
 */
static int show_certificate(SSL *ssl, void *arg)
{
	const struct tls *tls = arg;
	const struct tls_pair *pair = tls->folder ? tls_folder_pair(tls->folder) : NULL;
	int shown;

	if (pair)
		shown = SSL_use_cert_and_key(ssl, pair->leaf, pair->key, pair->chain, 1);
	else
		shown = SSL_use_cert_and_key(ssl, tls->office.certificate, tls->key,
					     tls->office.chain, 1);
	if (shown != 1)
		(void)crypto_failed("use-certificate");
	return shown == 1;
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

void tls_show(struct tls *tls, const struct tls_folder *folder)
{
	tls->folder = folder;
}

enum err tls_setup(struct tls *tls, SSL_CTX *ctx, bool demand_device)
{
	if (!tls->office.certificate)
		return ERR_WRONG_STATE;
	if (demand_device)
		tls->gateway = ctx;
	else
		tls->enrol = ctx;
	/* libwebsockets' callback picks a context by the name that the client sends; which listener
	 * it came to decides here. */
	SSL_CTX_set_tlsext_servername_callback(ctx, NULL);
	SSL_CTX_set_cert_cb(ctx, show_certificate, tls);
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

struct bytes tls_crl_der(const struct tls *tls, uint32_t issuer)
{
	const struct office *office = &tls->office;

	for (int i = 0; office->crls && i < sk_X509_CRL_num(office->crls); i++) {
		const struct list *list = &office->lists[i];

		if (!issuer || list->issuer == issuer)
			return (struct bytes){ office->lists_der.data + list->at, list->len };
	}
	return (struct bytes){ NULL, 0 };
}
