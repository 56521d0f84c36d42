#include "certs/csr.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/util.h"
#include "certs/cleanup.h"

enum { RSA_BITS_MIN = 3072, RSA_BITS_MAX = 8192 /* verifying larger ones costs too much */ };

/* Named curves only: explicit parameters once let forged curves through (CVE-2020-0601). */
static bool is_good_curve(EVP_PKEY *key)
{
	char group[32];
	size_t len;
	int explicit = 1;

	if (!EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				    &explicit) ||
	    explicit)
		return false;
	if (!EVP_PKEY_get_group_name(key, group, sizeof(group), &len))
		return false;
	return util_streq(group, SN_X9_62_prime256v1) || util_streq(group, SN_secp384r1);
}

static bool is_good_key(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "EC"))
		return is_good_curve(key);
	if (EVP_PKEY_is_a(key, "RSA")) {
		int bits = EVP_PKEY_get_bits(key);
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
	}
	return EVP_PKEY_is_a(key, "ED25519");
}

static bool is_valid_key(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool valid = ctx && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return valid;
}

static X509_REQ *parse_der(const uint8_t *data, size_t len)
{
	const uint8_t *at = data;
	X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)len);

	if (request && at == data + len)
		return request;
	X509_REQ_free(request);
	return NULL;
}

static X509_REQ *parse_pem(const uint8_t *data, size_t len)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_len = 0;
	X509_REQ *request = NULL;
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(data, (int)len);

	/* The raw reader: the one that returns a request also decrypts, and could ask for a
	 * passphrase. */
	if (bio && PEM_read_bio(bio, &name, &header, &der, &der_len) && header[0] == '\0' &&
	    (util_streq(name, PEM_STRING_X509_REQ) || util_streq(name, PEM_STRING_X509_REQ_OLD)) &&
	    BIO_ctrl_pending(bio) == 0)
		request = parse_der(der, (size_t)der_len);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	return request;
}

/* The challengePassword (RFC 2985 §5.4.1), if there is one, must be ours. */
static bool has_challenge(X509_REQ *request, const char *challenge)
{
	size_t len = strlen(challenge);
	int at = X509_REQ_get_attr_by_NID(request, NID_pkcs9_challengePassword, -1);

	if (at < 0)
		return true;
	X509_ATTRIBUTE *attribute = X509_REQ_get_attr(request, at);
	const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, 0);
	return value && value->type == V_ASN1_UTF8STRING &&
	       (size_t)ASN1_STRING_length(value->value.utf8string) == len &&
	       CRYPTO_memcmp(ASN1_STRING_get0_data(value->value.utf8string), challenge, len) == 0;
}

enum err csr_check(const uint8_t *data, size_t len, const char *challenge, EVP_PKEY **ret_key)
{
	static const char pem_start[] = "-----BEGIN ";
	const size_t start_len = sizeof(pem_start) - 1;

	if (len > CSR_MAX)
		return ERR_TOO_BIG;
	bool is_pem = len > start_len && memcmp(data, pem_start, start_len) == 0;
	_cleanup_object_(req) X509_REQ *request =
		is_pem ? parse_pem(data, len) : parse_der(data, len);
	if (!request)
		return ERR_INVALID;
	_cleanup_object_(pkey) EVP_PKEY *key = X509_REQ_get_pubkey(request);
	if (!key)
		return ERR_INVALID;
	/* Before the signature is looked at: a peer's key decides how long that takes. */
	if (!is_good_key(key))
		return ERR_KEY;
	if (!has_challenge(request, challenge))
		return ERR_CODE;
	if (!is_valid_key(key) || X509_REQ_verify(request, key) != 1)
		return ERR_INVALID;
	*ret_key = util_take_ptr(key);
	return OK;
}

void csr_key_type(EVP_PKEY *key, char *text, size_t room)
{
	if (EVP_PKEY_is_a(key, "EC"))
		snprintf(text, room, "EC P-%d", EVP_PKEY_get_bits(key));
	else if (EVP_PKEY_is_a(key, "RSA"))
		snprintf(text, room, "RSA %d", EVP_PKEY_get_bits(key));
	else
		snprintf(text, room, "Ed25519");
}

enum err csr_key_hash(EVP_PKEY *key, uint8_t ret_hash[CSR_KEY_HASH])
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len <= 0)
		return ERR_CRYPTO;
	bool hashed = EVP_Digest(der, (size_t)len, ret_hash, NULL, EVP_sha256(), NULL) == 1;
	OPENSSL_free(der);
	return hashed ? OK : ERR_CRYPTO;
}

enum err csr_make(EVP_PKEY *key, uint8_t **ret_der, size_t *ret_len)
{
	_cleanup_object_(req) X509_REQ *request = X509_REQ_new();
	/* Ed25519 brings its own hash and must not be given one. */
	const EVP_MD *hash = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
	uint8_t *der = NULL;

	if (!request)
		return ERR_NOMEM;
	if (!X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_pubkey(request, key) || !X509_REQ_sign(request, key, hash))
		return ERR_CRYPTO;
	int len = i2d_X509_REQ(request, &der);
	if (len <= 0)
		return ERR_CRYPTO;
	*ret_der = der;
	*ret_len = (size_t)len;
	return OK;
}
