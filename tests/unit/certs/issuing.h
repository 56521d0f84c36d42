/*
 * issuing.h - a CA in memory, for the tests of what is issued below one.
 */
#ifndef SEKISHO_TESTS_CERTS_ISSUING_H
#define SEKISHO_TESTS_CERTS_ISSUING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/profile.h"
#include "certs/x509_build.h"

struct issuing {
	EVP_PKEY *key;
	X509 *certificate;
};

/* Below another one, or its own root with above NULL. */
__attribute__((unused)) static struct issuing issuing_make(const struct issuing *above,
							   const char *name)
{
	struct issuing made = { EVP_EC_gen("P-256"), X509_new() };
	X509 *issuer = above ? above->certificate : made.certificate;
	X509_NAME *subject = X509_get_subject_name(made.certificate);
	const int64_t now_s = clock_wall_s();

	assert_true(X509_set_version(made.certificate, X509_VERSION_3));
	assert_true(X509_set_pubkey(made.certificate, made.key));
	assert_int_equal(x509_set_random_serial(made.certificate), OK);
	assert_int_equal(x509_add_name(subject, NID_commonName, name), OK);
	assert_true(X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer)));
	assert_int_equal(
		x509_set_validity(made.certificate, now_s - 3600, now_s + 1000 * INT64_C(86400)),
		OK);
	assert_int_equal(x509_add_extension(made.certificate, issuer, NID_basic_constraints,
					    "critical,CA:TRUE"),
			 OK);
	assert_int_equal(x509_add_extension(made.certificate, issuer, NID_key_usage,
					    "critical,keyCertSign,cRLSign"),
			 OK);
	assert_int_equal(
		x509_add_extension(made.certificate, issuer, NID_subject_key_identifier, "hash"),
		OK);
	assert_int_equal(x509_add_extension(made.certificate, issuer, NID_authority_key_identifier,
					    "keyid:always"),
			 OK);
	assert_true(X509_sign(made.certificate, above ? above->key : made.key, EVP_sha256()));
	return made;
}

__attribute__((unused)) static void issuing_free(struct issuing *issuing)
{
	EVP_PKEY_free(issuing->key);
	X509_free(issuing->certificate);
}

__attribute__((unused)) static X509 *issuing_issue(const struct issuing *issuing,
						   enum cert_profile profile, EVP_PKEY *key)
{
	struct profile_order order = {
		.profile = profile,
		.key = key,
		.issuer = issuing->certificate,
		.issuer_key = issuing->key,
		.name = profile == CERT_GATEWAY ? "gateway.example" : "佐藤のノートPC",
		.owner = "sato",
		.now_s = clock_wall_s(),
	};
	X509 *certificate = NULL;

	assert_int_equal(profile_issue(&order, &certificate), OK);
	return certificate;
}

#endif
