#include "certs/profile.h"

#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/x509_build.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63, URL_MAX = 512, DAY_S = 24 * 3600 };

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

static bool is_url(const char *url)
{
	size_t len = strlen(url);

	if (len > URL_MAX || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		return false;
	for (size_t i = 0; i < len; i++)
		if (url[i] <= ' ' || url[i] > '~')
			return false;
	return true;
}

static enum err make_url(const char *url, GENERAL_NAME **ret)
{
	if (!is_url(url))
		return ERR_INVALID;
	_cleanup_object_(general_name) GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	if (!name || !text || !ASN1_STRING_set(text, url, -1)) {
		ASN1_IA5STRING_free(text);
		return ERR_NOMEM;
	}
	GENERAL_NAME_set0_value(name, GEN_URI, text);
	*ret = util_take_ptr(name);
	return OK;
}

/* RFC 5280 §4.2.2.1 */
static enum err add_ocsp_url(X509 *certificate, const char *url)
{
	_cleanup_object_(general_name) GENERAL_NAME *name = NULL;
	enum err err = make_url(url, &name);

	if (err)
		return err;
	_cleanup_object_(access) ACCESS_DESCRIPTION *access = ACCESS_DESCRIPTION_new();
	_cleanup_object_(info_access) AUTHORITY_INFO_ACCESS *all = AUTHORITY_INFO_ACCESS_new();
	if (!access || !all)
		return ERR_NOMEM;
	GENERAL_NAME_free(access->location);
	access->location = util_take_ptr(name);
	access->method = OBJ_nid2obj(NID_ad_OCSP);
	if (!sk_ACCESS_DESCRIPTION_push(all, access))
		return ERR_NOMEM;
	access = NULL;
	return X509_add1_ext_i2d(certificate, NID_info_access, all, 0, 0) == 1 ? OK : ERR_CRYPTO;
}

/* RFC 5280 §4.2.1.13 */
static enum err add_crl_url(X509 *certificate, const char *url)
{
	_cleanup_object_(general_name) GENERAL_NAME *name = NULL;
	enum err err = make_url(url, &name);

	if (err)
		return err;
	_cleanup_object_(dist_point) DIST_POINT *point = DIST_POINT_new();
	_cleanup_object_(dist_points) CRL_DIST_POINTS *all = CRL_DIST_POINTS_new();
	if (!point || !all)
		return ERR_NOMEM;
	point->distpoint = DIST_POINT_NAME_new();
	if (!point->distpoint)
		return ERR_NOMEM;
	point->distpoint->type = 0;
	point->distpoint->name.fullname = GENERAL_NAMES_new();
	if (!point->distpoint->name.fullname ||
	    !sk_GENERAL_NAME_push(point->distpoint->name.fullname, name))
		return ERR_NOMEM;
	name = NULL;
	if (!sk_DIST_POINT_push(all, point))
		return ERR_NOMEM;
	point = NULL;
	return X509_add1_ext_i2d(certificate, NID_crl_distribution_points, all, 0, 0) == 1
		       ? OK
		       : ERR_CRYPTO;
}

static enum err add_urls(X509 *certificate, const struct profile_urls *urls)
{
	enum err err = OK;

	if (urls && urls->crl)
		err = add_crl_url(certificate, urls->crl);
	if (!err && urls && urls->ocsp)
		err = add_ocsp_url(certificate, urls->ocsp);
	return err;
}

/* A person or a device of theirs. */
static enum err fill_owned(X509 *certificate, const struct profile_order *order,
			   const char *purpose)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	enum err err = x509_add_name(name, NID_organizationalUnitName, order->owner);

	if (!err)
		err = x509_add_name(name, NID_commonName, order->name);
	if (!err)
		err = x509_add_extension(certificate, NULL, NID_ext_key_usage, purpose);
	return err;
}

static enum err fill_device(X509 *certificate, const struct profile_order *order)
{
	enum err err = fill_owned(certificate, order, "clientAuth");

	return err ? err : add_urls(certificate, order->urls);
}

/* Recordings are sealed to all auditors with one ECDH on P-256 (RFC 5753): other keys do not serve.
 */
static bool is_p256(EVP_PKEY *key)
{
	char group[32];

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					      NULL) &&
	       OBJ_txt2nid(group) == NID_X9_62_prime256v1;
}

static enum err fill_auditor(X509 *certificate, const struct profile_order *order)
{
	if (!is_p256(order->key))
		return ERR_KEY;
	return fill_owned(certificate, order, "emailProtection");
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
	return err ? err : add_urls(certificate, order->urls);
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

/*
 * Devices and gateways sign handshakes. An auditor's key opens what was sealed to it and nothing
 * else (RFC 5753 §7: keyAgreement), so that no signature can be passed off as the auditor's.
 */
static const char *usage_of(enum cert_profile profile)
{
	return profile == CERT_AUDITOR ? "critical,keyAgreement" : "critical,digitalSignature";
}

static enum err fill_common(X509 *certificate, const struct profile_order *order)
{
	X509 *ca = order->issuer;
	enum err err;

	if (!X509_set_version(certificate, X509_VERSION_3) ||
	    !X509_set_pubkey(certificate, order->key) ||
	    !X509_set_issuer_name(certificate, X509_get_subject_name(ca)))
		return ERR_CRYPTO;
	err = x509_set_random_serial(certificate);
	if (!err)
		err = x509_add_extension(certificate, ca, NID_basic_constraints,
					 "critical,CA:FALSE");
	if (!err)
		err = x509_add_extension(certificate, ca, NID_key_usage, usage_of(order->profile));
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
		err = fill_auditor(certificate, order);
		return err ? err : fill_validity(certificate, ca, order, PROFILE_AUDITOR_DAYS_MAX);
	default:
		return ERR_INVALID;
	}
}

enum err profile_issue(const struct profile_order *order, X509 **ret)
{
	_cleanup_object_(x509) X509 *certificate = X509_new();

	if (!certificate)
		return ERR_NOMEM;
	enum err err = fill_common(certificate, order);
	if (!err)
		err = fill_profile(certificate, order->issuer, order);
	if (err)
		return err;
	if (!X509_sign(certificate, order->issuer_key, EVP_sha256()))
		return ERR_CRYPTO;
	*ret = util_take_ptr(certificate);
	return OK;
}
