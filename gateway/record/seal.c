#include "record/seal.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/util.h"

struct seal_recipients {
	STACK_OF(X509) * certificates;
};

static void free_cms(CMS_ContentInfo **cms)
{
	CMS_ContentInfo_free(*cms);
}

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

/* ---- recipients ------------------------------------------------------------------------------ */

static bool is_p256(X509 *certificate)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	char group[32];

	return key && EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) &&
	       util_streq(group, SN_X9_62_prime256v1);
}

/* What certs/profile.c puts into an auditor's certificate: it opens what was sealed to it, and
 * serves for nothing else. */
static bool is_auditors(X509 *certificate)
{
	const uint32_t wanted = EXFLAG_BCONS | EXFLAG_KUSAGE | EXFLAG_XKUSAGE;
	const uint32_t flags = X509_get_extension_flags(certificate);

	return (flags & (wanted | EXFLAG_CA | EXFLAG_INVALID)) == wanted &&
	       X509_get_key_usage(certificate) == KU_KEY_AGREEMENT &&
	       X509_get_extended_key_usage(certificate) == XKU_SMIME &&
	       X509_get0_subject_key_id(certificate);
}

enum err seal_recipient_check(X509 *certificate, int64_t now_s)
{
	time_t now = now_s;
	enum err err = OK;

	if (!is_p256(certificate))
		err = ERR_KEY;
	else if (!is_auditors(certificate))
		err = ERR_INVALID;
	else if (X509_cmp_time(X509_get0_notBefore(certificate), &now) != -1 ||
		 X509_cmp_time(X509_get0_notAfter(certificate), &now) != 1)
		err = ERR_EXPIRED;
	ERR_clear_error();
	return err;
}

static enum err add_certificate(struct seal_recipients *recipients, const uint8_t **at,
				const uint8_t *end, int64_t now_s)
{
	X509 *certificate = d2i_X509(NULL, at, end - *at);
	enum err err;

	if (!certificate || sk_X509_num(recipients->certificates) >= SEAL_RECIPIENTS_MAX)
		err = ERR_INVALID;
	else
		err = seal_recipient_check(certificate, now_s);
	if (!err && !sk_X509_push(recipients->certificates, certificate))
		err = ERR_NOMEM;
	if (err)
		X509_free(certificate);
	ERR_clear_error();
	return err;
}

enum err seal_recipients_new(const uint8_t *der, size_t len, int64_t now_s,
			     struct seal_recipients **ret)
{
	struct seal_recipients *recipients;
	const uint8_t *at = der;
	enum err err = OK;

	if (!len)
		return ERR_INVALID;
	if (len > SEAL_CERTIFICATES_MAX)
		return ERR_TOO_BIG;
	recipients = calloc(1, sizeof(*recipients));
	if (!recipients || !(recipients->certificates = sk_X509_new_null()))
		err = ERR_NOMEM;
	while (!err && at < der + len)
		err = add_certificate(recipients, &at, der + len, now_s);
	if (err)
		seal_recipients_free(recipients);
	else
		*ret = recipients;
	return err;
}

void seal_recipients_free(struct seal_recipients *recipients)
{
	if (!recipients)
		return;
	sk_X509_pop_free(recipients->certificates, X509_free);
	free(recipients);
}

size_t seal_recipients_count(const struct seal_recipients *recipients)
{
	return (size_t)sk_X509_num(recipients->certificates);
}

/* ---- sealing --------------------------------------------------------------------------------- */

/* By the subject key identifier, so that a renewed certificate of the same key opens older
 * recordings. OpenSSL's KDF would be SHA-1's. */
static bool add_recipient(CMS_ContentInfo *cms, X509 *certificate)
{
	CMS_RecipientInfo *recipient =
		CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM | CMS_USE_KEYID);
	EVP_PKEY_CTX *ctx = recipient ? CMS_RecipientInfo_get0_pkey_ctx(recipient) : NULL;

	return ctx && EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0;
}

static enum err seal_to_der(CMS_ContentInfo *cms, const uint8_t *plain, size_t len, struct buf *der)
{
	__attribute__((cleanup(free_bio))) BIO *in = BIO_new_mem_buf(plain, (int)len);
	uint8_t *end;
	int size;

	if (!in)
		return ERR_NOMEM;
	/* Binary: or line ends would become CR LF. Not streamed: or the lengths were indefinite. */
	if (!CMS_final(cms, in, NULL, CMS_BINARY))
		return ERR_CRYPTO;
	size = i2d_CMS_ContentInfo(cms, NULL);
	if (size <= 0)
		return ERR_CRYPTO;
	if (size > SEAL_DER_MAX)
		return ERR_TOO_BIG;
	enum err err = buf_reserve(der, (size_t)size, &end);
	if (!err && i2d_CMS_ContentInfo(cms, &end) != size)
		err = ERR_CRYPTO;
	if (!err)
		der->len += (size_t)size;
	return err;
}

enum err seal_chunk(const struct seal_recipients *recipients, const uint8_t *plain, size_t len,
		    struct buf *der)
{
	__attribute__((cleanup(free_cms))) CMS_ContentInfo *cms = NULL;
	enum err err;

	if (len > CHUNK_MAX)
		return ERR_TOO_BIG;
	cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
	err = cms && CMS_set_detached(cms, 0) ? OK : ERR_NOMEM;
	for (int i = 0; !err && i < sk_X509_num(recipients->certificates); i++)
		if (!add_recipient(cms, sk_X509_value(recipients->certificates, i)))
			err = ERR_CRYPTO;
	if (!err)
		err = seal_to_der(cms, plain, len, der);
	ERR_clear_error();
	return err;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Whether one of the recipients is meant by the certificate. Without one that cannot be known. */
static bool is_for(CMS_ContentInfo *cms, X509 *certificate)
{
	STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(cms);

	for (int i = 0; certificate && i < sk_CMS_RecipientInfo_num(infos); i++) {
		CMS_RecipientInfo *info = sk_CMS_RecipientInfo_value(infos, i);
		STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(info);
		for (int j = 0; j < sk_CMS_RecipientEncryptedKey_num(keys); j++)
			if (CMS_RecipientEncryptedKey_cert_cmp(
				    sk_CMS_RecipientEncryptedKey_value(keys, j), certificate) == 0)
				return true;
	}
	return false;
}

/* A memory BIO that never grows, and so leaves no copies; freeing it wipes it. */
static BIO *bio_of(size_t len)
{
	BIO *bio = BIO_new(BIO_s_mem());
	BUF_MEM *memory = NULL;

	if (!bio || BIO_get_mem_ptr(bio, &memory) <= 0 || !BUF_MEM_grow_clean(memory, len + 1)) {
		BIO_free(bio);
		return NULL;
	}
	memory->length = 0;
	return bio;
}

/* CMS_decrypt gives out what it has decrypted before it has checked the tag, so it writes to where
 * nobody reads until it has said that all is well. */
static enum err decrypt(CMS_ContentInfo *cms, size_t len, struct buf *plain)
{
	__attribute__((cleanup(free_bio))) BIO *out = bio_of(len);
	const uint8_t *data = NULL;
	long size;

	if (!out)
		return ERR_NOMEM;
	if (!CMS_decrypt(cms, NULL, NULL, NULL, out, CMS_BINARY))
		return ERR_CRYPTO;
	size = BIO_get_mem_data(out, &data);
	return size > 0 ? buf_add(plain, data, (size_t)size) : ERR_CRYPTO;
}

enum err seal_open(EVP_PKEY *key, X509 *certificate, const uint8_t *der, size_t len,
		   struct buf *plain)
{
	__attribute__((cleanup(free_cms))) CMS_ContentInfo *cms = NULL;
	const uint8_t *at = der;
	size_t recipients;
	enum err err = shape_check(der, len, &recipients);

	if (err)
		return err;
	cms = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	if (!cms || at != der + len)
		err = ERR_PROTOCOL;
	else if (!CMS_decrypt_set1_pkey(cms, key, certificate))
		err = is_for(cms, certificate) ? ERR_CRYPTO : ERR_DENIED;
	else
		err = decrypt(cms, len, plain);
	ERR_clear_error();
	return err;
}

/* ---- hashes ---------------------------------------------------------------------------------- */

enum err seal_hash(const uint8_t *der, size_t len, uint8_t ret[CHUNK_HASH])
{
	return EVP_Digest(der, len, ret, NULL, EVP_sha256(), NULL) ? OK : ERR_CRYPTO;
}

enum err seal_running(uint8_t running[CHUNK_HASH], const uint8_t hash[CHUNK_HASH])
{
	uint8_t both[2 * CHUNK_HASH];

	memcpy(both, running, CHUNK_HASH);
	memcpy(both + CHUNK_HASH, hash, CHUNK_HASH);
	return seal_hash(both, sizeof(both), running);
}
