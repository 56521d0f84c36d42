#include "certs/profile.h"

#include <ctype.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/x509_build.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63, DAY_S = 24 * 3600 };

/* Letters, digits and inner hyphens (RFC 1123 §2.1), no wildcard. */
static bool is_dns_name(const char *name)
{
	size_t len = strlen(name), label = 0;

	if (len == 0 || len > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i <= len; i++) {
		unsigned char c = (unsigned char)name[i];
		if (c == '.' || c == '\0') {
			if (label == 0 || label > DNS_LABEL_MAX || name[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (c >= 0x80 || !(isalnum(c) || (c == '-' && label > 0)))
			return false;
		label++;
	}
	return true;
}

/* Built as a structure: in the textual notation a comma in a name would start another entry. */
static enum err make_alt_name(const char *name, GENERAL_NAME **ret)
{
	_cleanup_object_(general_name) GENERAL_NAME *entry = GENERAL_NAME_new();
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);

	if (address && entry) {
		GENERAL_NAME_set0_value(entry, GEN_IPADD, address);
	} else {
		ASN1_OCTET_STRING_free(address);
		if (!is_dns_name(name))
			return ERR_INVALID;
		ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
		if (!entry || !dns || !ASN1_STRING_set(dns, name, -1)) {
			ASN1_IA5STRING_free(dns);
			return ERR_NOMEM;
		}
		GENERAL_NAME_set0_value(entry, GEN_DNS, dns);
	}
	*ret = util_take_ptr(entry);
	return OK;
}

static enum err add_alt_name(X509 *certificate, const char *name)
{
	_cleanup_object_(general_name) GENERAL_NAME *entry = NULL;
	enum err err = make_alt_name(name, &entry);

	if (err)
		return err;
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	if (!names || !sk_GENERAL_NAME_push(names, entry)) {
		sk_GENERAL_NAME_free(names);
		return ERR_NOMEM;
	}
	entry = NULL;
	bool done = X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
	GENERAL_NAMES_free(names);
	return done ? OK : ERR_CRYPTO;
}

static enum err fill_device(X509 *certificate, const struct profile_order *order)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	enum err err = x509_add_name(name, NID_organizationalUnitName, order->owner);

	if (!err)
		err = x509_add_name(name, NID_commonName, order->name);
	if (!err)
		err = x509_add_extension(certificate, NULL, NID_ext_key_usage, "clientAuth");
	return err;
}

static enum err fill_gateway(X509 *certificate, const struct profile_order *order)
{
	enum err err = add_alt_name(certificate, order->name);

	/* Only the alternative name counts (RFC 9110 §4.3.4); a name too long for CN does without.
	 */
	if (!err)
		err = x509_add_name(X509_get_subject_name(certificate), NID_commonName,
				    strlen(order->name) <= CERT_NAME_MAX ? order->name
									 : "Sekisho gateway");
	if (!err)
		err = x509_add_extension(certificate, NULL, NID_ext_key_usage, "serverAuth");
	return err;
}

static enum err fill_validity(X509 *certificate, X509 *ca, const struct profile_order *order,
			      uint32_t most)
{
	uint32_t days = order->days == 0 || order->days > most ? most : order->days;
	enum err err = x509_set_validity(certificate, order->now_s - PROFILE_BACKDATE_S,
					 order->now_s + (int64_t)days * DAY_S);

	if (err)
		return err;
	if (ASN1_TIME_compare(X509_get0_notAfter(certificate), X509_get0_notAfter(ca)) > 0 &&
	    !X509_set1_notAfter(certificate, X509_get0_notAfter(ca)))
		return ERR_CRYPTO;
	return OK;
}

static enum err fill_common(X509 *certificate, X509 *ca, EVP_PKEY *key)
{
	enum err err;

	if (!X509_set_version(certificate, X509_VERSION_3) || !X509_set_pubkey(certificate, key) ||
	    !X509_set_issuer_name(certificate, X509_get_subject_name(ca)))
		return ERR_CRYPTO;
	err = x509_set_random_serial(certificate);
	if (!err)
		err = x509_add_extension(certificate, ca, NID_basic_constraints,
					 "critical,CA:FALSE");
	if (!err)
		err = x509_add_extension(certificate, ca, NID_key_usage,
					 "critical,digitalSignature");
	if (!err)
		err = x509_add_extension(certificate, ca, NID_subject_key_identifier, "hash");
	if (!err)
		err = x509_add_extension(certificate, ca, NID_authority_key_identifier,
					 "keyid:always");
	return err;
}

static enum err fill_profile(X509 *certificate, X509 *ca, const struct profile_order *order)
{
	enum err err;

	switch (order->profile) {
	case CERT_DEVICE:
		err = fill_device(certificate, order);
		return err ? err : fill_validity(certificate, ca, order, PROFILE_DEVICE_DAYS_MAX);
	case CERT_GATEWAY:
		err = fill_gateway(certificate, order);
		return err ? err : fill_validity(certificate, ca, order, PROFILE_GATEWAY_DAYS_MAX);
	case CERT_AUDITOR:
	default:
		return ERR_INVALID;
	}
}

enum err profile_issue(const struct profile_order *order, X509 **ret)
{
	_cleanup_object_(x509) X509 *certificate = X509_new();

	if (!certificate)
		return ERR_NOMEM;
	enum err err = fill_common(certificate, order->issuer, order->key);
	if (!err)
		err = fill_profile(certificate, order->issuer, order);
	if (err)
		return err;
	if (!X509_sign(certificate, order->issuer_key, EVP_sha256()))
		return ERR_CRYPTO;
	*ret = util_take_ptr(certificate);
	return OK;
}
