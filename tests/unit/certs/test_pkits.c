/*
 * NIST's Public Key Interoperability Test Suite (PKITS 1.0.1) through identity_verify, the function
 * that judges a device's certificate in every handshake. The data are Debian's
 * python3-cryptography-vectors; what comes out and why is in pkits.def. SEKISHO_PKITS names another
 * folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "certs/identity.h"

#define PKITS_FOLDER "/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data"

enum { SKIPPED = 77, WHEN = 1767225600 /* 2026: the suite holds from 2010 to 2030 */ };

enum verdict { REFUSED, VALID };

struct pkits {
	const char *number, *name;
	enum verdict nist, lifted, device;
	const char *reason;
};

static const struct pkits list[] = {
#define PKITS(number, name, nist, lifted, device, reason)                                          \
	{ number, name, nist, lifted, device, reason },
#include "pkits.def"
#undef PKITS
};

/* All but the two things that are the gateway's own: how long a path is, and what it is for. */
static const struct identity_rules lifted = { .depth = 100 };

/* What a test of the suite brings: a signed mail with certificates and lists. */
struct mail {
	CMS_ContentInfo *cms;
	X509 *signer; /* borrowed from cms */
	STACK_OF(X509) * cas;
	STACK_OF(X509_CRL) * crls;
};

static const char *folder(void)
{
	const char *other = getenv("SEKISHO_PKITS");

	return other ? other : PKITS_FOLDER;
}

static BIO *open_file(const char *kind, const char *name, const char *end)
{
	char path[512];
	BIO *bio;

	snprintf(path, sizeof(path), "%s/%s%s%s", folder(), kind, name, end);
	bio = BIO_new_file(path, "rb");
	if (!bio)
		print_error("%s is missing\n", path);
	assert_non_null(bio);
	return bio;
}

static X509 *root(void)
{
	BIO *bio = open_file("certs/", "TrustAnchorRootCertificate", ".crt");
	X509 *certificate = d2i_X509_bio(bio, NULL);

	assert_non_null(certificate);
	BIO_free(bio);
	return certificate;
}

static void mail_read(const char *name, struct mail *mail)
{
	BIO *bio = open_file("smime/Signed", name, ".eml"), *content = NULL;
	STACK_OF(X509) * signers;

	mail->cms = SMIME_read_CMS(bio, &content);
	assert_non_null(mail->cms);
	assert_int_equal(CMS_set1_signers_certs(mail->cms, NULL, 0), 1);
	signers = CMS_get0_signers(mail->cms);
	assert_int_equal(sk_X509_num(signers), 1);
	mail->signer = sk_X509_value(signers, 0);
	mail->cas = CMS_get1_certs(mail->cms);
	mail->crls = CMS_get1_crls(mail->cms);
	for (int i = sk_X509_num(mail->cas); i-- > 0;)
		if (!X509_cmp(sk_X509_value(mail->cas, i), mail->signer))
			X509_free(sk_X509_delete(mail->cas, i));
	assert_true(sk_X509_push(mail->cas, root()) > 0);
	sk_X509_free(signers);
	BIO_free(content);
	BIO_free(bio);
}

static void mail_finish(struct mail *mail)
{
	sk_X509_pop_free(mail->cas, X509_free);
	sk_X509_CRL_pop_free(mail->crls, X509_CRL_free);
	CMS_ContentInfo_free(mail->cms);
}

static enum verdict judge(const struct mail *mail, const struct identity_rules *rules,
			  int *ret_error)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE *store = NULL;
	int good;

	if (identity_store(mail->cas, mail->crls, &store)) {
		/* A list that the gateway would not even load. */
		X509_STORE_CTX_free(ctx);
		*ret_error = X509_V_ERR_UNABLE_TO_GET_CRL;
		return REFUSED;
	}
	assert_int_equal(X509_STORE_CTX_init(ctx, store, mail->signer, NULL), 1);
	X509_STORE_CTX_set_time(ctx, 0, WHEN);
	good = identity_verify(ctx, rules);
	*ret_error = X509_STORE_CTX_get_error(ctx);
	assert_int_equal(good, *ret_error == X509_V_OK);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return good ? VALID : REFUSED;
}

static bool differs(const struct pkits *test, const char *what, enum verdict wanted,
		    enum verdict got, int error)
{
	if (getenv("SEKISHO_PKITS_SHOW"))
		printf("%s %s %s %d %d %s\n", test->number, test->name, what, test->nist, got,
		       X509_verify_cert_error_string(error));
	if (got == wanted)
		return false;
	print_error("%s %s, %s: %s, not %s (%s)\n", test->number, test->name, what,
		    got == VALID ? "valid" : "refused", wanted == VALID ? "valid" : "refused",
		    X509_verify_cert_error_string(error));
	return true;
}

static void every_path_ends_as_listed(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		const struct pkits *test = &list[i];
		struct mail mail;
		enum verdict verdict;
		int error;

		mail_read(test->name, &mail);
		verdict = judge(&mail, &lifted, &error);
		wrong += differs(test, "lifted", test->lifted, verdict, error);
		verdict = judge(&mail, &identity_rules_of_device, &error);
		wrong += differs(test, "device", test->device, verdict, error);
		mail_finish(&mail);
	}
	assert_int_equal(wrong, 0);
}

/* Where a path is let in that NIST's profile refuses, somebody must have thought about it. */
static void every_deviation_has_its_reason(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(list), 224);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		const struct pkits *test = &list[i];
		if ((test->lifted != test->nist || test->device != test->nist) && !*test->reason)
			fail_msg("%s %s", test->number, test->name);
		/* The gateway's own rules only take away, and none of the suite is a device. */
		assert_int_equal(test->device, REFUSED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_ends_as_listed),
		cmocka_unit_test(every_deviation_has_its_reason),
	};

	if (access(folder(), R_OK) < 0) {
		printf("skipped: no %s (deploy/deps test installs it)\n", folder());
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
