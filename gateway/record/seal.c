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

/*
 * The content goes through the cipher into a buffer of its own and is put into the message
 * afterwards: what OpenSSL does with a content inside, growing and copying it, takes several times
 * as long as sealing 256 KiB.
 */
static enum err encrypt(CMS_ContentInfo *cms, const uint8_t *plain, size_t len, BIO *out)
{
	BIO *chain = CMS_dataInit(cms, out);
	bool sealed;

	if (!chain)
		return ERR_CRYPTO;
	sealed = BIO_write(chain, plain, (int)len) == (int)len && BIO_flush(chain) > 0 &&
		 CMS_dataFinal(cms, chain) > 0;
	while (chain && chain != out) {
		BIO *next = BIO_pop(chain);
		BIO_free(chain);
		chain = next;
	}
	return sealed ? OK : ERR_CRYPTO;
}

/* A message without its content: what stands before the encrypted content's information, that, and
 * what follows (RFC 5083 §2.1). */
struct husk {
	const uint8_t *before, *info, *after;
	size_t before_len, info_len, after_len;
};

static bool enter(const uint8_t **at, const uint8_t *end, int tag)
{
	long len;
	int found, class;

	const int form = ASN1_get_object(at, &len, &found, &class, end - *at);
	return form == V_ASN1_CONSTRUCTED && found == tag && *at + len == end;
}

static bool pass(const uint8_t **at, const uint8_t *end, int tag)
{
	long len;
	int found, class;

	if (ASN1_get_object(at, &len, &found, &class, end - *at) & 0x80 || found != tag)
		return false;
	*at += len;
	return true;
}

static bool take_husk(const uint8_t *at, size_t len, struct husk *ret)
{
	const uint8_t *end = at + len, *info;
	long info_len;
	int tag, class;

	if (!enter(&at, end, V_ASN1_SEQUENCE) || !pass(&at, end, V_ASN1_OBJECT) ||
	    !enter(&at, end, 0) || !enter(&at, end, V_ASN1_SEQUENCE))
		return false;
	ret->before = at;
	if (!pass(&at, end, V_ASN1_INTEGER) || !pass(&at, end, V_ASN1_SET))
		return false;
	ret->before_len = (size_t)(at - ret->before);
	info = at;
	if (ASN1_get_object(&info, &info_len, &tag, &class, end - info) != V_ASN1_CONSTRUCTED)
		return false;
	ret->info = info;
	ret->info_len = (size_t)info_len;
	ret->after = info + info_len;
	ret->after_len = (size_t)(end - ret->after);
	return true;
}

static void put(uint8_t **at, const void *data, size_t len)
{
	memcpy(*at, data, len);
	*at += len;
}

/* encryptedContent [0] IMPLICIT goes to the end of its information; the lengths around it follow.
 */
static enum err put_together(const struct husk *husk, const uint8_t *content, size_t len,
			     struct buf *der)
{
	ASN1_OBJECT *type = OBJ_nid2obj(NID_id_smime_ct_authEnvelopedData);
	const int type_size = i2d_ASN1_OBJECT(type, NULL);
	const int info = (int)husk->info_len + ASN1_object_size(0, (int)len, 0);
	const int inner = (int)(husk->before_len + husk->after_len) +
			  ASN1_object_size(1, info, V_ASN1_SEQUENCE);
	const int tagged = ASN1_object_size(1, inner, V_ASN1_SEQUENCE);
	const int outer = type_size + ASN1_object_size(1, tagged, 0);
	const int size = ASN1_object_size(1, outer, V_ASN1_SEQUENCE);
	uint8_t *at;
	enum err err = size > SEAL_DER_MAX ? ERR_TOO_BIG : buf_reserve(der, (size_t)size, &at);

	if (err)
		return err;
	ASN1_put_object(&at, 1, outer, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	i2d_ASN1_OBJECT(type, &at);
	ASN1_put_object(&at, 1, tagged, 0, V_ASN1_CONTEXT_SPECIFIC);
	ASN1_put_object(&at, 1, inner, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	put(&at, husk->before, husk->before_len);
	ASN1_put_object(&at, 1, info, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	put(&at, husk->info, husk->info_len);
	ASN1_put_object(&at, 0, (int)len, 0, V_ASN1_CONTEXT_SPECIFIC);
	put(&at, content, len);
	put(&at, husk->after, husk->after_len);
	der->len += (size_t)size;
	return OK;
}

static enum err seal_to_der(CMS_ContentInfo *cms, const uint8_t *plain, size_t len, struct buf *der)
{
	__attribute__((cleanup(free_bio))) BIO *out = bio_of(len);
	unsigned char *husk_der = NULL;
	const uint8_t *content = NULL;
	struct husk husk;
	enum err err;

	if (!out)
		return ERR_NOMEM;
	err = encrypt(cms, plain, len, out);
	if (err)
		return err;
	const int husk_len = i2d_CMS_ContentInfo(cms, &husk_der);
	if (husk_len <= 0 || !take_husk(husk_der, (size_t)husk_len, &husk) ||
	    BIO_get_mem_data(out, &content) != (long)len)
		err = ERR_CRYPTO;
	if (!err)
		err = put_together(&husk, content, len, der);
	OPENSSL_free(husk_der);
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
	err = cms && CMS_set_detached(cms, 1) ? OK : ERR_NOMEM;
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
