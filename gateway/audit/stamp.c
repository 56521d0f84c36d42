#include "audit/stamp.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/http.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

enum { DIGEST = 32, NONCE_BITS = 64 };

/* Names changed in 3.4 without anything else. */
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
#define set_data  TS_VERIFY_CTX_set0_data
#define set_store TS_VERIFY_CTX_set0_store
#else
#define set_data  TS_VERIFY_CTX_set_data
#define set_store TS_VERIFY_CTX_set_store
#endif

#define FREE(type, free)                                                                           \
	static void free_##type(type **object)                                                     \
	{                                                                                          \
		free(*object);                                                                     \
	}
FREE(TS_REQ, TS_REQ_free)
FREE(TS_RESP, TS_RESP_free)
FREE(TS_MSG_IMPRINT, TS_MSG_IMPRINT_free)
FREE(TS_VERIFY_CTX, TS_VERIFY_CTX_free)
FREE(X509_ALGOR, X509_ALGOR_free)
FREE(X509_STORE, X509_STORE_free)
FREE(ASN1_INTEGER, ASN1_INTEGER_free)
FREE(BIGNUM, BN_free)
#define owned(type) _cleanup_(free_##type) type

/* ---- requests --------------------------------------------------------------------------- */

static bool set_imprint(TS_REQ *request, const char *note, size_t len)
{
	owned(TS_MSG_IMPRINT) *imprint = TS_MSG_IMPRINT_new();
	owned(X509_ALGOR) *algorithm = X509_ALGOR_new();
	uint8_t digest[DIGEST];

	return imprint && algorithm &&
	       EVP_Digest(note, len, digest, NULL, EVP_sha256(), NULL) == 1 &&
	       X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
	       TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
	       TS_MSG_IMPRINT_set_msg(imprint, digest, DIGEST) == 1 &&
	       TS_REQ_set_msg_imprint(request, imprint) == 1;
}

static bool set_nonce(TS_REQ *request)
{
	owned(BIGNUM) *number = BN_new();
	owned(ASN1_INTEGER) *nonce = NULL;

	if (!number || BN_rand(number, NONCE_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1)
		return false;
	nonce = BN_to_ASN1_INTEGER(number, NULL);
	return nonce && TS_REQ_set_nonce(request, nonce) == 1;
}

enum err stamp_request(const char *note, size_t len, struct buf *request)
{
	owned(TS_REQ) *made = TS_REQ_new();
	uint8_t *der = NULL;
	int der_len;
	enum err err;

	if (!made || TS_REQ_set_version(made, 1) != 1 || !set_imprint(made, note, len) ||
	    !set_nonce(made) || TS_REQ_set_cert_req(made, 1) != 1)
		return ERR_CRYPTO;
	der_len = i2d_TS_REQ(made, &der);
	if (der_len <= 0)
		return ERR_CRYPTO;
	err = buf_add(request, der, (size_t)der_len);
	OPENSSL_free(der);
	return err;
}

/* ---- responses -------------------------------------------------------------------------- */

static TS_RESP *parse(const void *response, size_t len)
{
	const uint8_t *at = response;
	TS_RESP *parsed = len > STAMP_RESPONSE_MAX ? NULL : d2i_TS_RESP(NULL, &at, (long)len);

	if (parsed && (at != (const uint8_t *)response + len || !TS_RESP_get_tst_info(parsed))) {
		TS_RESP_free(parsed);
		parsed = NULL;
	}
	ERR_clear_error();
	return parsed;
}

enum err stamp_imprint(const void *response, size_t len, uint8_t ret_digest[32])
{
	owned(TS_RESP) *parsed = parse(response, len);
	TS_MSG_IMPRINT *imprint;
	const ASN1_OBJECT *algorithm;
	const ASN1_OCTET_STRING *digest;

	if (!parsed)
		return ERR_INVALID;
	imprint = TS_TST_INFO_get_msg_imprint(TS_RESP_get_tst_info(parsed));
	X509_ALGOR_get0(&algorithm, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
	digest = TS_MSG_IMPRINT_get_msg(imprint);
	if (OBJ_obj2nid(algorithm) != NID_sha256 || ASN1_STRING_length(digest) != DIGEST)
		return ERR_INVALID;
	memcpy(ret_digest, ASN1_STRING_get0_data(digest), DIGEST);
	return OK;
}

static enum err time_of(TS_RESP *response, int64_t *ret_time_s)
{
	const ASN1_GENERALIZEDTIME *when = TS_TST_INFO_get_time(TS_RESP_get_tst_info(response));
	struct tm parts;

	if (ASN1_TIME_to_tm(when, &parts) != 1)
		return ERR_INVALID;
	*ret_time_s = (int64_t)timegm(&parts);
	return OK;
}

/* Chains are judged as of now, as openssl ts does: a stamp is renewed before its authority ends. */
static bool holds(TS_RESP *response, const char *note, size_t len, X509_STORE *store)
{
	owned(TS_VERIFY_CTX) *context = TS_VERIFY_CTX_new();
	BIO *data = BIO_new_mem_buf(note, (int)len);

	if (!context || !data) {
		BIO_free(data);
		return false;
	}
	TS_VERIFY_CTX_set_flags(context, TS_VFY_VERSION | TS_VFY_DATA | TS_VFY_SIGNATURE);
	/* Both are the context's from here on. */
	set_data(context, data);
	X509_STORE_up_ref(store);
	set_store(context, store);
	return TS_RESP_verify_response(context, response) == 1;
}

enum err stamp_check(const void *response, size_t len, const char *note, size_t note_len,
		     const char *ca_file, int64_t *ret_time_s)
{
	owned(TS_RESP) *parsed = parse(response, len);
	owned(X509_STORE) *store = X509_STORE_new();
	bool good;

	if (!parsed)
		return ERR_INVALID;
	if (!store || X509_STORE_load_file(store, ca_file) != 1) {
		ERR_clear_error();
		return ERR_NOT_FOUND;
	}
	good = holds(parsed, note, note_len, store);
	ERR_clear_error();
	return good ? time_of(parsed, ret_time_s) : ERR_CRYPTO;
}

enum err stamp_answers(const void *response, size_t len, const struct buf *request)
{
	owned(TS_RESP) *parsed = parse(response, len);
	owned(TS_REQ) *asked = NULL;
	owned(TS_VERIFY_CTX) *context = NULL;
	const uint8_t *at = request->data;
	bool good;

	if (!parsed)
		return ERR_INVALID;
	asked = d2i_TS_REQ(NULL, &at, (long)request->len);
	context = asked ? TS_REQ_to_TS_VERIFY_CTX(asked, NULL) : NULL;
	if (!context)
		return ERR_INVALID;
	TS_VERIFY_CTX_set_flags(context, TS_VFY_VERSION | TS_VFY_IMPRINT | TS_VFY_NONCE);
	good = TS_RESP_verify_response(context, parsed) == 1;
	ERR_clear_error();
	return good ? OK : ERR_CRYPTO;
}

/* ---- asking ----------------------------------------------------------------------------- */

static enum err take_all(BIO *from, struct buf *response)
{
	uint8_t *end;
	int got;

	do {
		enum err err = buf_reserve(response, 4096, &end);
		if (err)
			return err;
		got = BIO_read(from, end, 4096);
		if (got > 0)
			response->len += (size_t)got;
	} while (got > 0);
	return response->len ? OK : ERR_UNAVAILABLE;
}

/* Somebody who is there answers soon; OpenSSL would knock again until the whole time is over. */
static BIO *connect_to(const char *host, const char *port)
{
	BIO *connection = BIO_new(BIO_s_connect());

	if (connection && BIO_set_conn_hostname(connection, host) == 1 &&
	    BIO_set_conn_port(connection, port) == 1 &&
	    BIO_do_connect_retry(connection, STAMP_CONNECT_S, -1) == 1)
		return connection;
	BIO_free_all(connection);
	return NULL;
}

static enum err exchange(const char *host, const char *port, const char *path,
			 const struct buf *request, struct buf *response)
{
	BIO *connection = connect_to(host, port), *got = NULL;
	BIO *sent = BIO_new_mem_buf(request->data, (int)request->len);
	enum err err = ERR_UNAVAILABLE;

	if (connection && sent)
		got = OSSL_HTTP_transfer(NULL, host, port, path, 0, NULL, NULL, connection, NULL,
					 NULL, NULL, 0, NULL, "application/timestamp-query", sent,
					 "application/timestamp-reply", 1, STAMP_RESPONSE_MAX,
					 STAMP_WAIT_S, 0);
	if (got)
		err = take_all(got, response);
	BIO_free(got);
	BIO_free(sent);
	BIO_free_all(connection);
	return err;
}

enum err stamp_fetch(const char *url, const struct buf *request, struct buf *response)
{
	char *host = NULL, *port = NULL, *path = NULL, *query = NULL;
	int tls = 0;
	enum err err = ERR_INVALID;

	/* The stamp is signed: who listens or changes something in between gains nothing. */
	if (strncmp(url, "http://", 7) == 0 &&
	    OSSL_HTTP_parse_url(url, &tls, NULL, &host, &port, NULL, &path, &query, NULL) == 1 &&
	    !tls && (!query || !*query))
		err = exchange(host, port, path, request, response);
	ERR_clear_error();
	OPENSSL_free(host);
	OPENSSL_free(port);
	OPENSSL_free(path);
	OPENSSL_free(query);
	return err;
}
