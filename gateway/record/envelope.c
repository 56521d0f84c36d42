#include "record/envelope.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/util.h"

enum {
	PIECE = 48 * 1024,    /* of the content that is in memory at once */
	OVERHEAD = 64 * 1024, /* more than stands around the content */
	SEGMENT = 4096,       /* that OpenSSL makes of it, each with a head of its own */
	SEGMENT_OVERHEAD = 8,
};

struct envelope {
	CMS_ContentInfo *cms;
	BIO *chain; /* encrypts and writes to out */
	BIO *out;   /* memory, emptied after each piece */
	EVP_MD_CTX *digest;
	envelope_write *write;
	void *ctx;
	uint64_t bytes, most;
};

/* OpenSSL's own choices would be SHA-1 for the KDF, and PKCS #1 v1.5. */
static bool choose(CMS_RecipientInfo *recipient)
{
	EVP_PKEY_CTX *ctx = recipient ? CMS_RecipientInfo_get0_pkey_ctx(recipient) : NULL;

	if (!ctx)
		return false;
	if (CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_AGREE)
		return EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0;
}

/* By issuer and number, as certificates of others may lack a subject key identifier. */
static enum err address(struct envelope *envelope, X509 *certificate)
{
	envelope->cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
	if (!envelope->cms)
		return ERR_NOMEM;
	return choose(CMS_add1_recipient_cert(envelope->cms, certificate, CMS_KEY_PARAM))
		       ? OK
		       : ERR_CRYPTO;
}

/* What has gathered in memory goes on. */
static enum err drain(struct envelope *envelope)
{
	char *data = NULL;
	const long len = BIO_get_mem_data(envelope->out, &data);
	enum err err;

	if (len <= 0)
		return OK;
	if (!EVP_DigestUpdate(envelope->digest, data, (size_t)len))
		return ERR_CRYPTO;
	envelope->bytes += (uint64_t)len;
	err = envelope->write(envelope->ctx, (const uint8_t *)data, (size_t)len);
	return !err && BIO_reset(envelope->out) <= 0 ? ERR_CRYPTO : err;
}

enum err envelope_new(X509 *certificate, uint64_t most, envelope_write *write, void *ctx,
		      struct envelope **ret)
{
	struct envelope *envelope = calloc(1, sizeof(*envelope));

	if (!envelope)
		return ERR_NOMEM;
	envelope->write = write;
	envelope->ctx = ctx;
	envelope->most = most ? most : ENVELOPE_MAX;
	envelope->out = BIO_new(BIO_s_mem());
	envelope->digest = EVP_MD_CTX_new();
	enum err err = envelope->out && envelope->digest ? OK : ERR_NOMEM;
	if (!err && !EVP_DigestInit_ex(envelope->digest, EVP_sha256(), NULL))
		err = ERR_CRYPTO;
	if (!err)
		err = address(envelope, certificate);
	if (!err) {
		envelope->chain = BIO_new_CMS(envelope->out, envelope->cms);
		err = envelope->chain ? drain(envelope) : ERR_CRYPTO;
	}
	ERR_clear_error();
	if (err)
		envelope_free(envelope);
	else
		*ret = envelope;
	return err;
}

/* BIO_new_CMS puts what encodes and what encrypts in front of out. */
static void free_chain(struct envelope *envelope)
{
	while (envelope->chain && envelope->chain != envelope->out) {
		BIO *next = BIO_pop(envelope->chain);
		BIO_free(envelope->chain);
		envelope->chain = next;
	}
}

void envelope_free(struct envelope *envelope)
{
	if (!envelope)
		return;
	free_chain(envelope);
	BIO_free(envelope->out);
	CMS_ContentInfo_free(envelope->cms);
	EVP_MD_CTX_free(envelope->digest);
	free(envelope);
	ERR_clear_error();
}

enum err envelope_add(struct envelope *envelope, const uint8_t *data, size_t len)
{
	enum err err = OK;

	if (envelope->bytes + len + len / SEGMENT * SEGMENT_OVERHEAD + OVERHEAD > envelope->most)
		return ERR_TOO_BIG;
	while (!err && len) {
		const size_t piece = MIN(len, (size_t)PIECE);
		if (BIO_write(envelope->chain, data, (int)piece) != (int)piece)
			err = ERR_CRYPTO;
		data += piece;
		len -= piece;
		if (!err)
			err = drain(envelope);
	}
	ERR_clear_error();
	return err;
}

enum err envelope_end(struct envelope *envelope)
{
	enum err err = BIO_flush(envelope->chain) > 0 ? drain(envelope) : ERR_CRYPTO;

	ERR_clear_error();
	return err;
}

uint64_t envelope_bytes(const struct envelope *envelope)
{
	return envelope->bytes;
}

enum err envelope_sha256(const struct envelope *envelope, uint8_t ret[ENVELOPE_SHA256])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	enum err err = copy ? OK : ERR_NOMEM;

	if (!err &&
	    (!EVP_MD_CTX_copy_ex(copy, envelope->digest) || !EVP_DigestFinal_ex(copy, ret, NULL)))
		err = ERR_CRYPTO;
	EVP_MD_CTX_free(copy);
	return err;
}
