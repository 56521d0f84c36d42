#include "certs/ca_make.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/x509_build.h"

enum { YEAR_S = 31557600, NAME_ROOM = 4 * CERT_NAME_MAX + 1, SUFFIX_ROOM = 32, PROOF_BYTES = 32 };

enum err ca_make_key(EVP_PKEY **ret)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	if (!key)
		return ERR_CRYPTO;
	*ret = key;
	return OK;
}

/* As many whole characters of office as leave room for suffix in a common name. */
static void name_of(const char *office, const char *suffix, char text[NAME_ROOM])
{
	size_t left = CERT_NAME_MAX - strlen(suffix), len = 0;

	while (office[len]) {
		size_t next = len + 1;
		while (((unsigned char)office[next] & 0xc0) == 0x80)
			next++;
		if (left-- == 0 || next + strlen(suffix) >= NAME_ROOM)
			break;
		len = next;
	}
	snprintf(text, NAME_ROOM, "%.*s%s", (int)len, office, suffix);
}

static enum err set_subject(X509 *certificate, const char *office, const char *kind,
			    uint32_t number)
{
	char organisation[NAME_ROOM], common[NAME_ROOM], suffix[SUFFIX_ROOM];
	X509_NAME *name = X509_get_subject_name(certificate);

	snprintf(suffix, sizeof(suffix), " %s %u", kind, number);
	name_of(office, "", organisation);
	name_of(office, suffix, common);
	enum err err = x509_add_name(name, NID_organizationName, organisation);
	return err ? err : x509_add_name(name, NID_commonName, common);
}

struct extension {
	int nid;
	const char *value;
};

static enum err add_extensions(X509 *certificate, X509 *issuer, const struct extension *list,
			       size_t count)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < count; i++)
		err = x509_add_extension(certificate, issuer, list[i].nid, list[i].value);
	return err;
}

/* All but extensions, issuer and signature. */
static enum err begin(EVP_PKEY *key, int64_t now_s, int64_t years, X509 **ret)
{
	_cleanup_object_(x509) X509 *certificate = X509_new();

	if (!certificate)
		return ERR_NOMEM;
	if (!X509_set_version(certificate, X509_VERSION_3) || !X509_set_pubkey(certificate, key))
		return ERR_CRYPTO;
	enum err err = x509_set_random_serial(certificate);
	if (!err)
		err = x509_set_validity(certificate, now_s - CA_BACKDATE_S, now_s + years * YEAR_S);
	if (!err)
		*ret = util_take_ptr(certificate);
	return err;
}

static enum err finish(X509 *certificate, X509 *issuer, EVP_PKEY *issuer_key,
		       const struct extension *extensions, size_t count)
{
	if (!X509_set_issuer_name(certificate, X509_get_subject_name(issuer)))
		return ERR_CRYPTO;
	enum err err = add_extensions(certificate, issuer, extensions, count);
	if (!err && !X509_sign(certificate, issuer_key, EVP_sha256()))
		err = ERR_CRYPTO;
	return err;
}

enum err ca_make_root(EVP_PKEY *key, const char *office, uint32_t number, int64_t now_s, X509 **ret)
{
	static const struct extension extensions[] = {
		{ NID_basic_constraints, "critical,CA:TRUE,pathlen:1" },
		{ NID_key_usage, "critical,keyCertSign,cRLSign" },
		{ NID_subject_key_identifier, "hash" },
	};
	_cleanup_object_(x509) X509 *root = NULL;
	enum err err = begin(key, now_s, CA_ROOT_YEARS, &root);

	if (!err)
		err = set_subject(root, office, "Root CA", number);
	if (!err)
		err = finish(root, root, key, extensions, ARRAY_SIZE(extensions));
	if (!err)
		*ret = util_take_ptr(root);
	return err;
}

static enum err cut_to(X509 *certificate, X509 *root)
{
	if (ASN1_TIME_compare(X509_get0_notAfter(certificate), X509_get0_notAfter(root)) > 0 &&
	    !X509_set1_notAfter(certificate, X509_get0_notAfter(root)))
		return ERR_CRYPTO;
	return OK;
}

enum err ca_make_issuing(EVP_PKEY *key, X509 *root, EVP_PKEY *root_key, const char *office,
			 uint32_t number, int64_t now_s, X509 **ret)
{
	/* digitalSignature: it answers OCSP itself (RFC 6960 §4.2.2.2). */
	static const struct extension extensions[] = {
		{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
		{ NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid:always" },
	};
	_cleanup_object_(x509) X509 *certificate = NULL;

	if (ca_is_early(root, now_s) || ca_is_over(root, now_s))
		return ERR_EXPIRED;
	enum err err = begin(key, now_s, CA_ISSUING_YEARS, &certificate);
	if (!err)
		err = cut_to(certificate, root);
	if (!err)
		err = set_subject(certificate, office, "CA", number);
	if (!err)
		err = finish(certificate, root, root_key, extensions, ARRAY_SIZE(extensions));
	if (!err)
		*ret = util_take_ptr(certificate);
	return err;
}

bool ca_is_signed_by(X509 *certificate, X509 *issuer)
{
	return X509_check_ca(certificate) == 1 &&
	       X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) ==
		       0 &&
	       X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
}

/* A signature rather than EVP_PKEY_eq, which does not reach into every token. */
bool ca_key_fits(X509 *certificate, EVP_PKEY *key)
{
	_cleanup_object_(md_ctx) EVP_MD_CTX *sign = EVP_MD_CTX_new();
	_cleanup_object_(md_ctx) EVP_MD_CTX *verify = EVP_MD_CTX_new();
	uint8_t proof[PROOF_BYTES], signature[512];
	size_t len = sizeof(signature);

	util_random(proof, sizeof(proof));
	return sign && verify && X509_get0_pubkey(certificate) &&
	       EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key) == 1 &&
	       EVP_DigestSign(sign, signature, &len, proof, sizeof(proof)) == 1 &&
	       EVP_DigestVerifyInit(verify, NULL, EVP_sha256(), NULL,
				    X509_get0_pubkey(certificate)) == 1 &&
	       EVP_DigestVerify(verify, signature, len, proof, sizeof(proof)) == 1;
}

bool ca_is_early(const X509 *certificate, int64_t now_s)
{
	return ASN1_TIME_cmp_time_t(X509_get0_notBefore(certificate), (time_t)now_s) > 0;
}

bool ca_is_over(const X509 *certificate, int64_t now_s)
{
	return ASN1_TIME_cmp_time_t(X509_get0_notAfter(certificate), (time_t)now_s) <= 0;
}
