#include "certs/x509_build.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/util.h"
#include "certs/cleanup.h"

enum err x509_set_random_serial(X509 *certificate)
{
	uint8_t bytes[CERT_SERIAL_BYTES];
	BIGNUM *number;

	util_random(bytes, sizeof(bytes));
	bytes[0] |= 0x40; /* never shorter than the fixed length, and never zero */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	if (!number)
		return ERR_NOMEM;
	bool done = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return done ? OK : ERR_NOMEM;
}

enum err x509_serial(const X509 *certificate, uint8_t ret_serial[CERT_SERIAL_BYTES])
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);

	if (!number)
		return ERR_NOMEM;
	int len = BN_bn2binpad(number, ret_serial, CERT_SERIAL_BYTES);
	BN_free(number);
	return len == CERT_SERIAL_BYTES ? OK : ERR_TOO_BIG;
}

enum err x509_set_validity(X509 *certificate, int64_t from_s, int64_t until_s)
{
	if (!ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)from_s) ||
	    !ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)until_s))
		return ERR_CRYPTO;
	return OK;
}

enum err x509_add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	_cleanup_object_(extension) X509_EXTENSION *extension =
		X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!extension || !X509_add_ext(certificate, extension, -1))
		return ERR_CRYPTO;
	return OK;
}

static bool is_name(const char *value)
{
	size_t len = strlen(value), count = 0;

	if (len == 0 || len > 4 * CERT_NAME_MAX || !util_utf8_valid(value, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (iscntrl((unsigned char)value[i]))
			return false;
		count += ((unsigned char)value[i] & 0xc0) != 0x80;
	}
	return count <= CERT_NAME_MAX;
}

enum err x509_add_name(X509_NAME *name, int nid, const char *value)
{
	if (!is_name(value))
		return ERR_INVALID;
	if (!X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1,
					-1, 0))
		return ERR_CRYPTO;
	return OK;
}
