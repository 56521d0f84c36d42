#include "record/recipient.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/util.h"

enum { RSA_BITS_MAX = 16384 };

/* RFC 5280 §4.2.1.3: the use that the key needs here; 0 for a key of another kind. */
static uint32_t usage_for(X509 *certificate)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	char group[32];

	if (!key)
		return 0;
	if (EVP_PKEY_is_a(key, "RSA")) {
		const int bits = EVP_PKEY_get_bits(key);
		return bits >= RECIPIENT_RSA_BITS_MIN && bits <= RSA_BITS_MAX ? KU_KEY_ENCIPHERMENT
									      : 0;
	}
	return EVP_PKEY_is_a(key, "EC") &&
			       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) &&
			       util_streq(group, SN_X9_62_prime256v1)
		       ? KU_KEY_AGREEMENT
		       : 0;
}

/* Extensions that are not there forbid nothing: X509_get_key_usage then has all bits. */
static bool may_receive(X509 *certificate, uint32_t usage)
{
	const uint32_t flags = X509_get_extension_flags(certificate);
	const uint32_t mail = XKU_SMIME | XKU_ANYEKU;

	return !(flags & (EXFLAG_CA | EXFLAG_INVALID)) &&
	       (X509_get_key_usage(certificate) & usage) &&
	       (!(flags & EXFLAG_XKUSAGE) || (X509_get_extended_key_usage(certificate) & mail));
}

enum err recipient_check(X509 *certificate, int64_t now_s)
{
	const uint32_t usage = usage_for(certificate);
	time_t now = now_s;
	enum err err = OK;

	if (!usage)
		err = ERR_KEY;
	else if (!may_receive(certificate, usage))
		err = ERR_INVALID;
	else if (X509_cmp_time(X509_get0_notBefore(certificate), &now) != -1 ||
		 X509_cmp_time(X509_get0_notAfter(certificate), &now) != 1)
		err = ERR_EXPIRED;
	ERR_clear_error();
	return err;
}

enum err recipient_parse(const uint8_t *der, size_t len, int64_t now_s, X509 **ret)
{
	const uint8_t *at = der;

	if (len > RECIPIENT_DER_MAX)
		return ERR_TOO_BIG;
	X509 *certificate = d2i_X509(NULL, &at, (long)len);
	enum err err =
		certificate && at == der + len ? recipient_check(certificate, now_s) : ERR_INVALID;

	if (err)
		X509_free(certificate);
	else
		*ret = certificate;
	ERR_clear_error();
	return err;
}
