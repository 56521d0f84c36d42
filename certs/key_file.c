#include "certs/key_file.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "certs/cleanup.h"

enum {
	/* 16 MiB and about 0.2 s a key. More memory than 32 MiB OpenSSL does not take from a file.
	 */
	SCRYPT_N = 16384,
	SCRYPT_R = 8,
	SCRYPT_P = 5,
	SCRYPT_P_MAX = 16,
	SALT_BYTES = 16,
};

/* ---- writing ---------------------------------------------------------------------------- */

static enum err encrypt(PKCS8_PRIV_KEY_INFO *plain, const struct secret *passphrase, X509_SIG **ret)
{
	uint8_t salt[SALT_BYTES];

	util_random(salt, sizeof(salt));
	X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL,
						SCRYPT_N, SCRYPT_R, SCRYPT_P);
	if (!how)
		return ERR_CRYPTO;
	*ret = PKCS8_set0_pbe(secret_text(passphrase), (int)secret_len(passphrase), plain, how);
	if (*ret)
		return OK;
	X509_ALGOR_free(how);
	return ERR_CRYPTO;
}

static enum err write_pem(EVP_PKEY *key, const struct secret *passphrase, BIO *bio)
{
	_cleanup_object_(pkcs8) PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	_cleanup_object_(sig) X509_SIG *sealed = NULL;

	if (!plain)
		return ERR_CRYPTO;
	if (!passphrase)
		return PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain) ? OK : ERR_CRYPTO;
	enum err err = encrypt(plain, passphrase, &sealed);
	if (err)
		return err;
	return PEM_write_bio_PKCS8(bio, sealed) ? OK : ERR_CRYPTO;
}

enum err key_encode(EVP_PKEY *key, const struct secret *passphrase, struct secret **ret_pem)
{
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_secmem());
	char *data = NULL;

	if (!bio)
		return ERR_NOMEM;
	enum err err = write_pem(key, passphrase, bio);
	long len = BIO_get_mem_data(bio, &data);
	if (!err)
		err = secret_new(data, (size_t)len, ret_pem);
	if (len > 0)
		secret_wipe(data, (size_t)len);
	return err;
}

enum err key_write(EVP_PKEY *key, const struct secret *passphrase, const char *path)
{
	_cleanup_secret_ struct secret *pem = NULL;
	enum err err = key_encode(key, passphrase, &pem);

	return err ? err : util_write_file(path, secret_text(pem), secret_len(pem), 0600);
}

/* ---- reading ---------------------------------------------------------------------------- */

/* What PEM_read_bio gives, wiped. */
struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void block_finish(struct block *block)
{
	OPENSSL_free(block->name);
	OPENSSL_free(block->header);
	OPENSSL_clear_free(block->data, block->len > 0 ? (size_t)block->len : 0);
}

static bool is_small(const ASN1_INTEGER *number, uint64_t most)
{
	uint64_t value;

	return number && ASN1_INTEGER_get_uint64(&value, number) == 1 && value <= most;
}

static bool is_our_cost(const X509_ALGOR *derivation)
{
	const ASN1_OBJECT *object;
	const void *value;
	int type;

	X509_ALGOR_get0(&object, &type, &value, derivation);
	if (OBJ_obj2nid(object) != NID_id_scrypt || type != V_ASN1_SEQUENCE)
		return false;
	SCRYPT_PARAMS *params = ASN1_item_unpack(value, ASN1_ITEM_rptr(SCRYPT_PARAMS));
	bool good = params && is_small(params->costParameter, SCRYPT_N) &&
		    is_small(params->blockSize, SCRYPT_R) &&
		    is_small(params->parallelizationParameter, SCRYPT_P_MAX);
	SCRYPT_PARAMS_free(params);
	return good;
}

static bool is_our_encryption(const X509_SIG *sealed)
{
	const ASN1_OCTET_STRING *text;
	const ASN1_OBJECT *object;
	const X509_ALGOR *how;
	const void *value;
	int type;

	X509_SIG_get0(sealed, &how, &text);
	X509_ALGOR_get0(&object, &type, &value, how);
	if (OBJ_obj2nid(object) != NID_pbes2 || type != V_ASN1_SEQUENCE)
		return false;
	PBE2PARAM *params = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBE2PARAM));
	bool good = params && is_our_cost(params->keyfunc);
	if (good) {
		X509_ALGOR_get0(&object, NULL, NULL, params->encryption);
		good = OBJ_obj2nid(object) == NID_aes_256_cbc;
	}
	PBE2PARAM_free(params);
	return good;
}

static enum err open_plain(PKCS8_PRIV_KEY_INFO *plain, EVP_PKEY **ret)
{
	*ret = EVP_PKCS82PKEY(plain);
	return *ret ? OK : ERR_INVALID;
}

static enum err open_sealed(const struct block *block, const struct secret *passphrase,
			    EVP_PKEY **ret)
{
	const unsigned char *at = block->data;
	_cleanup_object_(sig) X509_SIG *sealed = d2i_X509_SIG(NULL, &at, block->len);

	if (!sealed || at != block->data + block->len || !is_our_encryption(sealed))
		return ERR_INVALID;
	if (!passphrase)
		return ERR_LOCKED;
	_cleanup_object_(pkcs8) PKCS8_PRIV_KEY_INFO *plain =
		PKCS8_decrypt(sealed, secret_text(passphrase), (int)secret_len(passphrase));
	return plain ? open_plain(plain, ret) : ERR_LOGIN;
}

static enum err open_clear(const struct block *block, EVP_PKEY **ret)
{
	const unsigned char *at = block->data;
	_cleanup_object_(pkcs8) PKCS8_PRIV_KEY_INFO *plain =
		d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, block->len);

	return plain && at == block->data + block->len ? open_plain(plain, ret) : ERR_INVALID;
}

enum err key_decode(const void *pem, size_t len, const struct secret *passphrase, EVP_PKEY **ret)
{
	_cleanup_(block_finish) struct block block = { 0 };

	if (len > KEY_PEM_MAX)
		return ERR_TOO_BIG;
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		return ERR_NOMEM;
	/* header: the older encryption of PEM itself (RFC 1421), which we never wrote. */
	if (!PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.len) ||
	    block.header[0])
		return ERR_INVALID;
	if (util_streq(block.name, PEM_STRING_PKCS8))
		return open_sealed(&block, passphrase, ret);
	if (util_streq(block.name, PEM_STRING_PKCS8INF))
		return open_clear(&block, ret);
	return ERR_INVALID;
}

enum err key_read(const char *path, const struct secret *passphrase, EVP_PKEY **ret)
{
	_cleanup_secret_ struct secret *pem = NULL;
	struct stat status;
	enum err err = secret_read_file(path, KEY_PEM_MAX, &pem);

	if (err)
		return err;
	if (stat(path, &status) < 0 || (status.st_mode & 077))
		return ERR_DENIED;
	return key_decode(secret_text(pem), secret_len(pem), passphrase, ret);
}

enum err key_seal(const char *path, const struct secret *passphrase, bool *ret_sealed)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	enum err err = key_read(path, NULL, &key);

	if (err)
		return err == ERR_LOCKED || err == ERR_NOT_FOUND ? OK : err;
	err = key_write(key, passphrase, path);
	if (!err)
		*ret_sealed = true;
	return err;
}
