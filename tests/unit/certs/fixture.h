/*
 * fixture.h - the office's CA, and certificates of every wrong kind, for the tests of
 * certs/.
 */
#ifndef SEKISHO_TESTS_CERTS_FIXTURE_H
#define SEKISHO_TESTS_CERTS_FIXTURE_H

#include "unit/folder.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "certs/ca.h"
#include "certs/cleanup.h"
#include "certs/profile.h"

#define FIXTURE_OFFICE "山下税理士事務所"

struct fixture_folder {
	char path[UNIT_FOLDER];
};

__attribute__((unused)) static void folder_make(struct fixture_folder *folder)
{
	unit_folder(folder->path);
}

__attribute__((unused)) static void folder_file(const struct fixture_folder *folder,
						const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", folder->path, name);
}

__attribute__((unused)) static void folder_remove(const struct fixture_folder *folder)
{
	unit_folder_remove(folder->path);
}

/* A root and an issuing CA with keys of their own; each call makes others of the same names. */
__attribute__((unused)) static struct ca *ca_fresh(void)
{
	const struct ca_plan plan = { .office = FIXTURE_OFFICE,
				      .number = 1,
				      .now_s = clock_wall_s() };
	EVP_PKEY *root_key = NULL;
	struct ca *ca = NULL;

	assert_int_equal(ca_new(&plan, &ca, &root_key), OK);
	EVP_PKEY_free(root_key);
	return ca;
}

__attribute__((unused)) static X509 *issue_at(const struct ca *ca, enum cert_profile profile,
					      EVP_PKEY *key, int64_t now_s)
{
	struct profile_order order = {
		.profile = profile,
		.key = key,
		.issuer = ca_certificate(ca),
		.issuer_key = ca_key(ca),
		.name = profile == CERT_GATEWAY ? "gateway.example" : "佐藤のノートPC",
		.owner = "sato",
		.now_s = now_s,
	};
	X509 *certificate = NULL;

	assert_int_equal(profile_issue(&order, &certificate), OK);
	return certificate;
}

__attribute__((unused)) static X509 *issue(const struct ca *ca, enum cert_profile profile,
					   EVP_PKEY *key)
{
	return issue_at(ca, profile, key, clock_wall_s());
}

#endif
