/*
 * forge.h - certificates and CRLs with anything in them, as a thief of a CA's key or a careless
 * administrator would make them. Not the signer's code: a fault there must not hide one here.
 */
#ifndef SEKISHO_TESTS_CERTS_FORGE_H
#define SEKISHO_TESTS_CERTS_FORGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FORGE_DAY_S = 24 * 3600 };

#define FORGE_OFFICE "山下税理士事務所"

#define FORGE_CA     "critical,CA:TRUE"
#define FORGE_LEAF   "critical,CA:FALSE"
#define FORGE_CA_USE "critical,keyCertSign,cRLSign"
#define FORGE_USE    "critical,digitalSignature"

/* A certificate and its key. */
struct forged {
	X509 *certificate;
	EVP_PKEY *key;
};

/* What is 0 or NULL is as in a good device's certificate. "" leaves an extension out. */
struct forge {
	const struct forged *issuer; /* NULL: self-signed */
	EVP_PKEY *key;               /* a reference is taken; NULL: a new P-256 */
	EVP_PKEY *sign_with;         /* NULL: the issuer's */
	const char *name, *unit;
	int64_t from_s, until_s; /* seconds from now */
	const char *constraints, *usage, *purpose, *alt_name, *name_constraints;
	bool no_authority_key;
	long serial;
};

__attribute__((unused)) static void forge_name(X509_NAME *name, const char *common,
					       const char *unit)
{
	const unsigned char *office = (const unsigned char *)FORGE_OFFICE;

	assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, office, -1, -1, 0),
			 1);
	if (unit)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8,
							    (const unsigned char *)unit, -1, -1, 0),
				 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
						    (const unsigned char *)common, -1, -1, 0),
			 1);
}

__attribute__((unused)) static void forge_extension(X509 *certificate, X509 *issuer, int nid,
						    const char *value, const char *fallback)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	if (!value)
		value = fallback;
	if (!*value)
		return;
	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

__attribute__((unused)) static void forge_extensions(const struct forge *order, X509 *certificate,
						     X509 *issuer)
{
	forge_extension(certificate, issuer, NID_basic_constraints, order->constraints, FORGE_LEAF);
	forge_extension(certificate, issuer, NID_key_usage, order->usage, FORGE_USE);
	forge_extension(certificate, issuer, NID_ext_key_usage, order->purpose, "clientAuth");
	forge_extension(certificate, issuer, NID_subject_alt_name, order->alt_name, "");
	forge_extension(certificate, issuer, NID_name_constraints, order->name_constraints, "");
	forge_extension(certificate, issuer, NID_subject_key_identifier, NULL, "hash");
	forge_extension(certificate, issuer, NID_authority_key_identifier,
			order->no_authority_key ? "" : NULL, "keyid:always");
}

__attribute__((unused)) static struct forged forge(const struct forge *order)
{
	static long last_serial = 0x77000000;
	struct forged made = { X509_new(), order->key };
	X509 *issuer = order->issuer ? order->issuer->certificate : made.certificate;
	EVP_PKEY *sign_with = order->sign_with;

	if (made.key)
		assert_int_equal(EVP_PKEY_up_ref(made.key), 1);
	else
		made.key = EVP_EC_gen("P-256");
	if (!sign_with)
		sign_with = order->issuer ? order->issuer->key : made.key;
	assert_non_null(made.certificate);
	assert_int_equal(X509_set_version(made.certificate, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made.certificate),
					  order->serial ? order->serial : ++last_serial),
			 1);
	forge_name(X509_get_subject_name(made.certificate), order->name ? order->name : "laptop",
		   order->unit);
	assert_int_equal(X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer)), 1);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate), order->from_s ? order->from_s : -60);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate),
			order->until_s ? order->until_s : 90 * FORGE_DAY_S);
	assert_int_equal(X509_set_pubkey(made.certificate, made.key), 1);
	forge_extensions(order, made.certificate, issuer);
	assert_true(X509_sign(made.certificate, sign_with, EVP_sha256()) > 0);
	return made;
}

__attribute__((unused)) static void forged_free(struct forged *forged)
{
	X509_free(forged->certificate);
	EVP_PKEY_free(forged->key);
	memset(forged, 0, sizeof(*forged));
}
#define _cleanup_forged_ __attribute__((cleanup(forged_free)))

/* A CA below issuer, or a root. */
__attribute__((unused)) static struct forged forge_ca(const struct forged *issuer, const char *name)
{
	return forge(
		&(struct forge){ .issuer = issuer,
				 .name = name,
				 .constraints = issuer ? "critical,CA:TRUE,pathlen:0" : FORGE_CA,
				 .usage = FORGE_CA_USE,
				 .purpose = "",
				 .until_s = 3650 * (int64_t)FORGE_DAY_S });
}

/* A list that was made from_s seconds from now and holds for 30 days; revoked may be NULL. */
__attribute__((unused)) static X509_CRL *forge_crl(const struct forged *issuer, const X509 *revoked,
						   int64_t from_s)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = X509_gmtime_adj(NULL, from_s);
	ASN1_TIME *until = X509_gmtime_adj(NULL, from_s + 30 * FORGE_DAY_S);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509V3_CTX ctx;
	X509_EXTENSION *key_id;

	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->certificate)),
			 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, from), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, until), 1);
	if (revoked) {
		X509_REVOKED *entry = X509_REVOKED_new();
		assert_int_equal(X509_REVOKED_set_serialNumber(
					 entry, (ASN1_INTEGER *)X509_get0_serialNumber(revoked)),
				 1);
		assert_int_equal(X509_REVOKED_set_revocationDate(entry, from), 1);
		assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	}
	assert_int_equal(ASN1_INTEGER_set(number, 1), 1);
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0), 1);
	X509V3_set_ctx(&ctx, issuer->certificate, NULL, NULL, crl, 0);
	key_id = X509V3_EXT_nconf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
	assert_non_null(key_id);
	assert_int_equal(X509_CRL_add_ext(crl, key_id, -1), 1);
	assert_true(X509_CRL_sort(crl) && X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	X509_EXTENSION_free(key_id);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	return crl;
}

/* The stack of what comes before a NULL, with references of its own. */
__attribute__((unused)) static STACK_OF(X509) * forge_stack(X509 *first, ...)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	va_list args;

	assert_non_null(stack);
	va_start(args, first);
	for (X509 *at = first; at; at = va_arg(args, X509 *)) {
		assert_int_equal(X509_up_ref(at), 1);
		assert_true(sk_X509_push(stack, at) > 0);
	}
	va_end(args);
	return stack;
}

__attribute__((unused)) static void forge_stack_free(STACK_OF(X509) * stack)
{
	sk_X509_pop_free(stack, X509_free);
}

#endif
