#include "certs/crl.h"

#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/x509_build.h"

enum { DAY_S = 24 * 3600 };

static int64_t time_of(const uint8_t *entry)
{
	uint64_t value = 0;

	for (size_t i = 8; i-- > 0;)
		value = value << 8 | entry[CERT_SERIAL_BYTES + i];
	return (int64_t)value;
}

static enum err add_reason(X509_REVOKED *entry, uint8_t reason)
{
	/* RFC 5280 §5.3.1: "unspecified" is said by leaving it out. */
	if (reason == CRL_REASON_UNSPECIFIED)
		return OK;
	_cleanup_object_(asn1_enumerated) ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();
	if (!value)
		return ERR_NOMEM;
	if (!ASN1_ENUMERATED_set(value, reason) ||
	    X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0) != 1)
		return ERR_CRYPTO;
	return OK;
}

static enum err add_revoked(X509_CRL *crl, const uint8_t *bytes)
{
	_cleanup_object_(asn1_time) ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)time_of(bytes));
	_cleanup_object_(revoked) X509_REVOKED *entry = X509_REVOKED_new();
	X509_REVOKED *known = NULL;
	BIGNUM *number = BN_bin2bn(bytes, CERT_SERIAL_BYTES, NULL);
	_cleanup_object_(asn1_integer) ASN1_INTEGER *serial =
		number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;

	BN_free(number);
	if (!entry || !serial || !when)
		return ERR_NOMEM;
	if (X509_CRL_get0_by_serial(crl, &known, serial) == 1)
		return OK;
	if (!X509_REVOKED_set_serialNumber(entry, serial) ||
	    !X509_REVOKED_set_revocationDate(entry, when))
		return ERR_CRYPTO;
	enum err err = add_reason(entry, bytes[CRL_ENTRY_BYTES - 1]);
	if (err)
		return err;
	if (!X509_CRL_add0_revoked(crl, entry))
		return ERR_NOMEM;
	entry = NULL;
	return OK;
}

static enum err add_number(X509_CRL *crl, int64_t number)
{
	_cleanup_object_(asn1_integer) ASN1_INTEGER *value = ASN1_INTEGER_new();

	if (!value)
		return ERR_NOMEM;
	if (!ASN1_INTEGER_set_int64(value, number) ||
	    !X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, 0))
		return ERR_CRYPTO;
	return OK;
}

static enum err add_authority(X509_CRL *crl, X509 *ca)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, ca, NULL, NULL, crl, 0);
	_cleanup_object_(extension) X509_EXTENSION *extension =
		X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
	if (!extension || !X509_CRL_add_ext(crl, extension, -1))
		return ERR_CRYPTO;
	return OK;
}

static enum err fill_head(X509_CRL *crl, X509 *ca, int64_t now_s, ASN1_TIME *when)
{
	_cleanup_object_(asn1_time) ASN1_TIME *next =
		ASN1_TIME_set(NULL, (time_t)(now_s + CRL_DAYS * DAY_S));

	if (!next)
		return ERR_NOMEM;
	if (!X509_CRL_set_version(crl, X509_CRL_VERSION_2) ||
	    !X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) ||
	    !X509_CRL_set1_lastUpdate(crl, when) || !X509_CRL_set1_nextUpdate(crl, next))
		return ERR_CRYPTO;
	return OK;
}

enum err crl_make(X509 *issuer, EVP_PKEY *key, const uint8_t *revoked, size_t len, int64_t now_ms,
		  X509_CRL **ret)
{
	if (len % CRL_ENTRY_BYTES)
		return ERR_INVALID;
	if (len / CRL_ENTRY_BYTES > CRL_SERIALS_MAX)
		return ERR_FULL;
	_cleanup_object_(crl) X509_CRL *crl = X509_CRL_new();
	_cleanup_object_(asn1_time) ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)(now_ms / 1000));
	if (!crl || !when)
		return ERR_NOMEM;
	enum err err = fill_head(crl, issuer, now_ms / 1000, when);
	for (size_t at = 0; !err && at < len; at += CRL_ENTRY_BYTES)
		err = add_revoked(crl, revoked + at);
	if (!err)
		err = add_authority(crl, issuer);
	if (!err)
		err = add_number(crl, now_ms);
	if (err)
		return err;
	if (!X509_CRL_sort(crl) || !X509_CRL_sign(crl, key, EVP_sha256()))
		return ERR_CRYPTO;
	*ret = util_take_ptr(crl);
	return OK;
}
