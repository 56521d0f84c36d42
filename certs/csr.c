#include "certs/csr.h"

#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/der.h"
#include "certs/weak_key.h"

enum {
	RSA_BITS_MIN = 3072,
	RSA_BITS_MAX = 8192, /* verifying larger ones costs too much */
	CHALLENGE_MAX = 64,
};

/*
 * The AlgorithmIdentifiers that keys may have, byte for byte: RSA (RFC 3279 §2.3.1), P-256, P-384
 * (RFC 5480 §2.1.1) and Ed25519 (RFC 8410 §3). So explicit parameters, which once let forged curves
 * through (CVE-2020-0601), reach no decoder, and a key has one encoding but for its point.
 */
#define ALGORITHM(bytes)                                                                           \
	{                                                                                          \
		(const uint8_t *)(bytes), sizeof(bytes) - 1                                        \
	}
static const struct bytes algorithms[] = {
	ALGORITHM("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"),
	ALGORITHM("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
	ALGORITHM("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"),
	ALGORITHM("\x06\x03\x2b\x65\x70"),
};

/* SHA-1 and MD5 prove nothing any more, and PSS has parameters that are the peer's. */
static const int signatures[] = {
	NID_ecdsa_with_SHA256,
	NID_ecdsa_with_SHA384,
	NID_ecdsa_with_SHA512,
	NID_sha256WithRSAEncryption,
	NID_sha384WithRSAEncryption,
	NID_sha512WithRSAEncryption,
	NID_ED25519,
};

/* The algorithm of the key in a request (RFC 2986 §4) that is DER. */
static enum err find_algorithm(struct bytes der, struct bytes *ret)
{
	struct bytes request, info, key;

	if (!der_take(&der, DER_SEQUENCE, &request) || !der_take(&request, DER_SEQUENCE, &info) ||
	    !der_skip(&info) || !der_skip(&info) || !der_take(&info, DER_SEQUENCE, &key) ||
	    !der_take(&key, DER_SEQUENCE, ret))
		return ERR_INVALID;
	return OK;
}

static enum err check_algorithm(struct bytes der)
{
	struct bytes found;
	enum err err = find_algorithm(der, &found);

	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (found.len == algorithms[i].len &&
		    memcmp(found.data, algorithms[i].data, found.len) == 0)
			return OK;
	return ERR_KEY;
}

static enum err parse_der(struct bytes der, X509_REQ **ret)
{
	const uint8_t *at = der.data;

	if (!der_is_strict(der))
		return ERR_INVALID;
	enum err err = check_algorithm(der);
	if (err)
		return err;
	_cleanup_object_(req) X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.len);
	if (!request || X509_REQ_get_version(request) != X509_REQ_VERSION_1)
		return ERR_INVALID;
	*ret = util_take_ptr(request);
	return OK;
}

static enum err parse_pem(struct bytes text, X509_REQ **ret)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_len = 0;
	enum err err = ERR_INVALID;
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);

	/* The raw reader: the one that returns a request also decrypts, and could ask for a
	 * passphrase. */
	if (bio && PEM_read_bio(bio, &name, &header, &der, &der_len) && header[0] == '\0' &&
	    (util_streq(name, PEM_STRING_X509_REQ) || util_streq(name, PEM_STRING_X509_REQ_OLD)) &&
	    BIO_ctrl_pending(bio) == 0)
		err = parse_der((struct bytes){ der, (size_t)der_len }, ret);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	return err;
}

static bool is_base64(const char *text, size_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t used = strspn(text, alphabet), pad = strspn(text + used, "=");

	return used > 0 && pad <= 2 && used + pad == len && len % 4 == 0;
}

/* With or without line ends (RFC 7030 §4, RFC 2045). */
static enum err parse_base64(struct bytes text, X509_REQ **ret)
{
	_cleanup_free_ char *plain = malloc(text.len + 1);
	_cleanup_free_ uint8_t *der = malloc(text.len);
	size_t len = 0;

	if (!plain || !der)
		return ERR_NOMEM;
	for (size_t i = 0; i < text.len; i++)
		if (!isspace(text.data[i]))
			plain[len++] = (char)text.data[i];
	plain[len] = '\0';
	if (!is_base64(plain, len))
		return ERR_INVALID;
	int bytes = EVP_DecodeBlock(der, (const unsigned char *)plain, (int)len);
	if (bytes <= 0)
		return ERR_INVALID;
	size_t pad = len - strcspn(plain, "=");
	return parse_der((struct bytes){ der, (size_t)bytes - pad }, ret);
}

static struct bytes trim(struct bytes text)
{
	while (text.len > 0 && isspace(text.data[text.len - 1]))
		text.len--;
	while (text.len > 0 && isspace(text.data[0]))
		text.data++, text.len--;
	return text;
}

static enum err parse(struct bytes data, X509_REQ **ret)
{
	static const char pem_start[] = "-----BEGIN ";
	const size_t start_len = sizeof(pem_start) - 1;

	/* No base64 of a request starts with '0', which is a SEQUENCE. */
	if (data.len > 0 && data.data[0] == DER_SEQUENCE)
		return parse_der(data, ret);
	data = trim(data);
	if (data.len > start_len && memcmp(data.data, pem_start, start_len) == 0)
		return parse_pem(data, ret);
	return data.len > 0 ? parse_base64(data, ret) : ERR_INVALID;
}

/* No attribute twice (RFC 2986 §4.1: a set of types). */
static bool has_duplicates(const X509_REQ *request)
{
	for (int i = 0; i < X509_REQ_get_attr_count(request); i++) {
		const ASN1_OBJECT *type = X509_ATTRIBUTE_get0_object(X509_REQ_get_attr(request, i));
		if (X509_REQ_get_attr_by_OBJ(request, type, i) >= 0)
			return true;
	}
	return false;
}

/* As people write codes: in capitals, without blanks and hyphens, O, I and L as the digits they
 * look like. Filled up with zeros, so that comparing two takes the same time always. */
static bool normalize(const uint8_t *text, size_t len, char normal[CHALLENGE_MAX])
{
	size_t used = 0;

	memset(normal, 0, CHALLENGE_MAX);
	for (size_t i = 0; i < len; i++) {
		char c = (char)toupper(text[i]);
		if (c == ' ' || c == '-')
			continue;
		if (used == CHALLENGE_MAX || c == '\0')
			return false;
		normal[used++] = (char)(c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c);
	}
	return true;
}

/* The challengePassword (RFC 2985 §5.4.1): one value, some kind of text. */
static enum err check_challenge(const X509_REQ *request, const char *challenge)
{
	char given[CHALLENGE_MAX], wanted[CHALLENGE_MAX];
	int at = X509_REQ_get_attr_by_NID(request, NID_pkcs9_challengePassword, -1);
	uint8_t *text = NULL;

	if (at < 0)
		return OK;
	X509_ATTRIBUTE *attribute = X509_REQ_get_attr(request, at);
	const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, 0);
	if (!value || X509_ATTRIBUTE_count(attribute) != 1)
		return ERR_INVALID;
	if (value->type != V_ASN1_UTF8STRING && value->type != V_ASN1_PRINTABLESTRING &&
	    value->type != V_ASN1_IA5STRING && value->type != V_ASN1_T61STRING &&
	    value->type != V_ASN1_BMPSTRING)
		return ERR_INVALID;
	int len = ASN1_STRING_to_UTF8(&text, value->value.asn1_string);
	if (len < 0)
		return ERR_INVALID;
	bool equal = normalize(text, (size_t)len, given) &&
		     normalize((const uint8_t *)challenge, strlen(challenge), wanted) &&
		     secret_equal(given, wanted, sizeof(given));
	OPENSSL_clear_free(text, (size_t)len);
	secret_wipe(given, sizeof(given));
	secret_wipe(wanted, sizeof(wanted));
	return equal ? OK : ERR_CODE;
}

/* RFC 5480 §2.2 forbids the hybrid form; the compressed one names the same key as the other. That
 * the point is on the curve, whose cofactor is 1, was seen when it was read. */
static enum err normalize_point(EVP_PKEY *key, struct bytes point)
{
	if (point.len == 0 || point.data[0] < POINT_CONVERSION_COMPRESSED ||
	    point.data[0] > POINT_CONVERSION_UNCOMPRESSED)
		return ERR_INVALID;
	if (!EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					    OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED))
		return ERR_CRYPTO;
	return OK;
}

/* Sizes, and one encoding; nothing that takes long. */
static enum err check_key(const X509_REQ *request, EVP_PKEY *key)
{
	struct bytes encoded = { 0 };
	int len = 0, bits = EVP_PKEY_get_bits(key);

	if (!X509_PUBKEY_get0_param(NULL, &encoded.data, &len, NULL,
				    X509_REQ_get_X509_PUBKEY((X509_REQ *)request)))
		return ERR_CRYPTO;
	encoded.len = (size_t)len;
	if (EVP_PKEY_is_a(key, "RSA")) {
		if (!der_is_strict(encoded))
			return ERR_INVALID;
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? OK : ERR_KEY;
	}
	if (EVP_PKEY_is_a(key, "EC"))
		return normalize_point(key, encoded);
	return EVP_PKEY_is_a(key, "ED25519") ? OK : ERR_KEY;
}

/* That whoever sent the request has the private key. */
static enum err check_proof(X509_REQ *request, EVP_PKEY *key)
{
	int nid = X509_REQ_get_signature_nid(request);

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (nid == signatures[i])
			return X509_REQ_verify(request, key) == 1 ? OK : ERR_INVALID;
	return ERR_INVALID;
}

enum err csr_check(const uint8_t *data, size_t len, const char *challenge, EVP_PKEY **ret_key)
{
	_cleanup_object_(req) X509_REQ *request = NULL;

	if (len > CSR_MAX)
		return ERR_TOO_BIG;
	enum err err = parse((struct bytes){ data, len }, &request);
	if (err)
		return err;
	_cleanup_object_(pkey) EVP_PKEY *key = X509_REQ_get_pubkey(request);
	if (!key || has_duplicates(request))
		return ERR_INVALID;
	/* The key before the signature: a peer's key decides how long that takes. The slowest
	 * checks come last, for those who have proved something. */
	err = check_key(request, key);
	if (!err)
		err = check_challenge(request, challenge);
	if (!err)
		err = check_proof(request, key);
	if (!err)
		err = weak_key_check(key);
	if (err)
		return err;
	*ret_key = util_take_ptr(key);
	return OK;
}

void csr_key_type(EVP_PKEY *key, char *text, size_t room)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "ED25519"))
		snprintf(text, room, "Ed25519");
	else if (EVP_PKEY_is_a(key, "EC"))
		snprintf(text, room, "EC P-%d", bits);
	else
		snprintf(text, room, "RSA %d", bits);
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
