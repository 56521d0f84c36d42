#include "certs/ocsp.h"

#include <openssl/bn.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/der.h"

struct answer {
	const struct ocsp_source *source;
	size_t issuer; /* the one that all certificates of the question are of */
	ASN1_TIME *this_update, *next_update;
	OCSP_BASICRESP *basic;
};

static const int hashes[] = { NID_sha1, NID_sha256 };

static const EVP_MD *hash_of(OCSP_CERTID *id)
{
	ASN1_OBJECT *hash = NULL;

	OCSP_id_get0_info(NULL, &hash, NULL, NULL, id);
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		if (OBJ_obj2nid(hash) == hashes[i])
			return EVP_get_digestbynid(hashes[i]);
	return NULL;
}

/* ERR_NOT_FOUND: not one of ours. */
static enum err find_issuer(const struct ocsp_source *source, OCSP_CERTID *id, size_t *ret)
{
	const EVP_MD *hash = hash_of(id);

	for (size_t i = 0; hash && i < source->count; i++) {
		_cleanup_object_(certid) OCSP_CERTID *ours =
			OCSP_cert_to_id(hash, NULL, source->issuers[i].certificate);
		if (!ours)
			return ERR_NOMEM;
		if (OCSP_id_issuer_cmp(ours, id) == 0) {
			*ret = i;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

/* One issuer for all: only its own key may answer for it (RFC 6960 §4.2.2.2). */
static enum err find_common_issuer(const struct ocsp_source *source, OCSP_REQUEST *request,
				   size_t *ret)
{
	size_t issuer = 0;

	for (int i = 0; i < OCSP_request_onereq_count(request); i++) {
		OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, i));
		size_t found = 0;
		enum err err = find_issuer(source, id, &found);
		if (err)
			return err;
		if (i > 0 && found != issuer)
			return ERR_NOT_FOUND;
		issuer = found;
	}
	*ret = issuer;
	return OK;
}

static enum ocsp_state state_of(const struct answer *answer, OCSP_CERTID *id,
				int64_t *ret_revoked_s, uint8_t *ret_reason)
{
	const struct ocsp_source *source = answer->source;
	uint8_t serial[CERT_SERIAL_BYTES];
	ASN1_INTEGER *number = NULL;

	OCSP_id_get0_info(NULL, NULL, NULL, &number, id);
	BIGNUM *value = number ? ASN1_INTEGER_to_BN(number, NULL) : NULL;
	bool ours = value && !BN_is_negative(value) &&
		    BN_bn2binpad(value, serial, sizeof(serial)) == sizeof(serial);
	BN_free(value);
	if (!ours)
		return OCSP_STATE_UNKNOWN;
	return source->state(source->ctx, answer->issuer, serial, ret_revoked_s, ret_reason);
}

static enum err add_state(const struct answer *answer, OCSP_CERTID *id)
{
	_cleanup_object_(asn1_time) ASN1_TIME *when = NULL;
	int64_t revoked_s = 0;
	uint8_t reason = CRL_REASON_UNSPECIFIED;
	int state = V_OCSP_CERTSTATUS_UNKNOWN, said = OCSP_REVOKED_STATUS_NOSTATUS;

	switch (state_of(answer, id, &revoked_s, &reason)) {
	case OCSP_STATE_GOOD:
		state = V_OCSP_CERTSTATUS_GOOD;
		break;
	case OCSP_STATE_REVOKED:
		state = V_OCSP_CERTSTATUS_REVOKED;
		/* RFC 5280 §5.3.1: "unspecified" is said by leaving it out. */
		if (reason != CRL_REASON_UNSPECIFIED)
			said = reason;
		when = ASN1_GENERALIZEDTIME_set(NULL, (time_t)revoked_s);
		if (!when)
			return ERR_NOMEM;
		break;
	case OCSP_STATE_UNKNOWN:
	default:
		break;
	}
	if (!OCSP_basic_add1_status(answer->basic, id, state, said, when, answer->this_update,
				    answer->next_update))
		return ERR_NOMEM;
	return OK;
}

static enum err add_states(const struct answer *answer, OCSP_REQUEST *request)
{
	enum err err = OK;

	for (int i = 0; !err && i < OCSP_request_onereq_count(request); i++)
		err = add_state(answer, OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, i)));
	return err;
}

/* The client has the certificate of the CA that signs, it asks about it. */
static enum err sign(OCSP_BASICRESP *basic, const struct ocsp_issuer *issuer)
{
	if (!OCSP_basic_sign(basic, issuer->certificate, issuer->key, EVP_sha256(), NULL,
			     OCSP_NOCERTS | OCSP_RESPID_KEY))
		return ERR_CRYPTO;
	return OK;
}

static enum err make_basic(const struct ocsp_source *source, size_t issuer, OCSP_REQUEST *request,
			   int64_t now_s, OCSP_BASICRESP **ret)
{
	_cleanup_object_(asn1_time) ASN1_TIME *now = ASN1_GENERALIZEDTIME_set(NULL, (time_t)now_s);
	_cleanup_object_(asn1_time) ASN1_TIME *next =
		ASN1_GENERALIZEDTIME_set(NULL, (time_t)(now_s + OCSP_NEXT_S));
	_cleanup_object_(basicresp) OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	const struct answer answer = {
		.source = source,
		.issuer = issuer,
		.this_update = now,
		.next_update = next,
		.basic = basic,
	};

	if (!now || !next || !basic)
		return ERR_NOMEM;
	enum err err = add_states(&answer, request);
	if (err)
		return err;
	/* 2: the client sent none. */
	if (OCSP_copy_nonce(basic, request) <= 0)
		return ERR_NOMEM;
	err = sign(basic, &source->issuers[issuer]);
	if (err)
		return err;
	*ret = util_take_ptr(basic);
	return OK;
}

/* At most one, of 1 to 32 bytes (RFC 8954 §2.1): what is signed is not the peer's to fill. */
static bool has_good_nonce(OCSP_REQUEST *request)
{
	int at = OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1);

	if (at < 0)
		return true;
	if (OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, at) >= 0)
		return false;
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(request, at));
	struct bytes rest = { ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value) };
	struct bytes nonce = { 0 };
	return der_take(&rest, DER_OCTET_STRING, &nonce) && rest.len == 0 && nonce.len > 0 &&
	       nonce.len <= OCSP_NONCE_MAX;
}

/* A critical extension that is not understood must not be passed over (RFC 6960 §4.4). */
static bool has_strange_extension(OCSP_REQUEST *request)
{
	for (int i = 0; i < OCSP_REQUEST_get_ext_count(request); i++) {
		X509_EXTENSION *extension = OCSP_REQUEST_get_ext(request, i);
		if (X509_EXTENSION_get_critical(extension) &&
		    OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_id_pkix_OCSP_Nonce)
			return true;
	}
	for (int i = 0; i < OCSP_request_onereq_count(request); i++)
		if (OCSP_ONEREQ_get_ext_by_critical(OCSP_request_onereq_get0(request, i), 1, -1) >=
		    0)
			return true;
	return false;
}

/* NULL: malformed. A signature of the client is not asked for and not looked at. */
static OCSP_REQUEST *parse(const uint8_t *question, size_t len)
{
	const uint8_t *at = question;

	if (len > OCSP_QUESTION_MAX || !der_is_strict((struct bytes){ question, len }))
		return NULL;
	_cleanup_object_(ocsp_request) OCSP_REQUEST *request =
		d2i_OCSP_REQUEST(NULL, &at, (long)len);
	if (!request)
		return NULL;
	int count = OCSP_request_onereq_count(request);
	if (count < 1 || count > OCSP_SINGLES_MAX || !has_good_nonce(request) ||
	    has_strange_extension(request))
		return NULL;
	return util_take_ptr(request);
}

static enum err judge(const struct ocsp_source *source, const uint8_t *question, size_t len,
		      int64_t now_s, int *ret_status, OCSP_BASICRESP **ret)
{
	_cleanup_object_(ocsp_request) OCSP_REQUEST *request = parse(question, len);
	size_t issuer = 0;

	*ret_status = OCSP_RESPONSE_STATUS_MALFORMEDREQUEST;
	if (!request)
		return OK;
	enum err err = find_common_issuer(source, request, &issuer);
	*ret_status = OCSP_RESPONSE_STATUS_UNAUTHORIZED;
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	*ret_status = OCSP_RESPONSE_STATUS_TRYLATER;
	if (!source->issuers[issuer].key)
		return OK;
	*ret_status = OCSP_RESPONSE_STATUS_SUCCESSFUL;
	return make_basic(source, issuer, request, now_s, ret);
}

enum err ocsp_answer(const struct ocsp_source *source, const uint8_t *question, size_t len,
		     int64_t now_s, struct buf *answer)
{
	_cleanup_object_(basicresp) OCSP_BASICRESP *basic = NULL;
	uint8_t *der = NULL;
	int status;
	enum err err = judge(source, question, len, now_s, &status, &basic);

	if (err)
		return err;
	_cleanup_object_(ocsp_response) OCSP_RESPONSE *response =
		OCSP_response_create(status, basic);
	if (!response)
		return ERR_NOMEM;
	int size = i2d_OCSP_RESPONSE(response, &der);
	if (size <= 0)
		return ERR_CRYPTO;
	err = buf_add(answer, der, (size_t)size);
	OPENSSL_free(der);
	return err;
}
