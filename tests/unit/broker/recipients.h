/*
 * recipients.h - certificates of all kinds to which an export might be encrypted.
 */
#ifndef SEKISHO_TESTS_BROKER_RECIPIENTS_H
#define SEKISHO_TESTS_BROKER_RECIPIENTS_H

#include "unit/broker/office.h"

#include <openssl/rsa.h>

#include "broker/addressee.h"
#include "certs/cleanup.h"

/* What openssl req -x509 would be told. */
struct wanted {
	const char *group; /* of an EC key; NULL: RSA */
	size_t bits;
	const char *name;  /* CN; NULL: 山田 太郎 */
	const char *usage; /* NULL: none is said */
	bool authority;
	long from_s, until_s; /* from now; both 0: an hour ago, in an hour */
};

static inline X509 *recipient_make(const struct wanted *wanted)
{
	_cleanup_object_(pkey) EVP_PKEY *key =
		wanted->group ? EVP_EC_gen(wanted->group) : EVP_RSA_gen(wanted->bits);
	const char *name = wanted->name ? wanted->name : "山田 太郎";
	long until_s = wanted->until_s || wanted->from_s ? wanted->until_s : 3600;
	long from_s = wanted->until_s || wanted->from_s ? wanted->from_s : -3600;
	X509 *certificate = X509_new();

	assert_non_null(key);
	assert_true(X509_set_version(certificate, X509_VERSION_3));
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
					       MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
					       0));
	assert_true(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), from_s));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), until_s));
	assert_true(X509_set_pubkey(certificate, key));
	if (wanted->authority) {
		_cleanup_object_(extension) X509_EXTENSION *authority =
			X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
		assert_true(X509_add_ext(certificate, authority, -1));
	}
	if (wanted->usage) {
		_cleanup_object_(extension) X509_EXTENSION *usage =
			X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, wanted->usage);
		assert_true(X509_add_ext(certificate, usage, -1));
	}
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

/* Until the next call. */
static inline const char *recipient_pem(const struct wanted *wanted)
{
	static char text[ADDRESSEE_TEXT_MAX + 1];
	_cleanup_object_(x509) X509 *certificate = recipient_make(wanted);
	_cleanup_buf_ struct buf pem;

	buf_init(&pem, sizeof(text) - 1);
	assert_ok(cert_pem(certificate, &pem));
	memcpy(text, pem.data, pem.len);
	text[pem.len] = 0;
	return text;
}

static inline const char *good_pem(void)
{
	return recipient_pem(&(struct wanted){ .group = "P-256" });
}

/* Registers one; its number. */
static inline int64_t recipient_register(struct office *office, const struct wanted *wanted,
					 enum auditor_kind kind)
{
	_cleanup_object_(x509) X509 *certificate = recipient_make(wanted);
	struct auditor_row row = { .name = "監査 花子", .kind = kind, .created_s = clock_wall_s() };
	_cleanup_query_ struct query query = { 0 };
	uint8_t *der = NULL;
	int len = i2d_X509(certificate, &der);

	assert_ok(cert_seconds(X509_get0_notAfter(certificate), &row.not_after_s));
	assert_true(X509_digest(certificate, EVP_sha256(), row.fingerprint, NULL));
	assert_ok(auditor_add(office->db, &row, der, (size_t)len));
	OPENSSL_free(der);
	query_init(&query, office->db, "SELECT max(id) FROM auditor");
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

#endif
