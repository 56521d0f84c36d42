#include "broker/sealed.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"

enum { SEALED_VERSION = 1, SEALED_AAD_MAX = 160 };

static void cipher_freep(EVP_CIPHER_CTX **cipher)
{
	EVP_CIPHER_CTX_free(*cipher);
}
#define _cleanup_cipher_ _cleanup_(cipher_freep)

enum err sealed_gcm_encrypt(const uint8_t key[SEALED_KEY], const uint8_t nonce[SEALED_NONCE],
			    const void *aad, size_t aad_len, const void *data, size_t len,
			    uint8_t *ret_data, uint8_t ret_tag[SEALED_TAG])
{
	_cleanup_cipher_ EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	int done;

	if (!cipher)
		return ERR_NOMEM;
	if (len > SEALED_VALUE_MAX || aad_len > SEALED_VALUE_MAX)
		return ERR_TOO_BIG;
	if (!EVP_EncryptInit_ex2(cipher, EVP_aes_256_gcm(), key, nonce, NULL) ||
	    (aad_len && !EVP_EncryptUpdate(cipher, NULL, &done, aad, (int)aad_len)) ||
	    (len && !EVP_EncryptUpdate(cipher, ret_data, &done, data, (int)len)) ||
	    !EVP_EncryptFinal_ex(cipher, ret_data, &done) ||
	    !EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SEALED_TAG, ret_tag))
		return ERR_CRYPTO;
	return OK;
}

enum err sealed_gcm_decrypt(const uint8_t key[SEALED_KEY], const uint8_t nonce[SEALED_NONCE],
			    const void *aad, size_t aad_len, const void *data, size_t len,
			    const uint8_t tag[SEALED_TAG], uint8_t *ret_data)
{
	_cleanup_cipher_ EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	uint8_t expected[SEALED_TAG];
	int done;

	if (!cipher)
		return ERR_NOMEM;
	if (len > SEALED_VALUE_MAX || aad_len > SEALED_VALUE_MAX)
		return ERR_TOO_BIG;
	memcpy(expected, tag, sizeof(expected));
	if (!EVP_DecryptInit_ex2(cipher, EVP_aes_256_gcm(), key, nonce, NULL) ||
	    !EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SEALED_TAG, expected) ||
	    (aad_len && !EVP_DecryptUpdate(cipher, NULL, &done, aad, (int)aad_len)) ||
	    (len && !EVP_DecryptUpdate(cipher, ret_data, &done, data, (int)len)) ||
	    EVP_DecryptFinal_ex(cipher, ret_data, &done) != 1) {
		secret_wipe(ret_data, len);
		return ERR_CRYPTO;
	}
	return OK;
}

static enum err sealed_aad(const struct sealed_place *place, char *ret, size_t size,
			   size_t *ret_len)
{
	int len = snprintf(ret, size, "sekisho sealed %d/%s/%s/%lld/%lld", SEALED_VERSION,
			   place->table, place->column, (long long)place->row,
			   (long long)place->row2);

	if (len < 0 || (size_t)len >= size)
		return ERR_TOO_BIG;
	*ret_len = (size_t)len;
	return OK;
}

enum err sealed_seal(struct secret *key, const struct sealed_place *place, const void *data,
		     size_t len, uint8_t *ret_sealed, size_t size, size_t *ret_len)
{
	char aad[SEALED_AAD_MAX];
	size_t aad_len;
	enum err err = sealed_aad(place, aad, sizeof(aad), &aad_len);

	if (err)
		return err;
	if (len > SEALED_VALUE_MAX || size < len + SEALED_OVERHEAD)
		return ERR_TOO_BIG;
	ret_sealed[0] = SEALED_VERSION;
	/* Random nonces are safe for 2^32 values under one key (SP 800-38D §8.3). */
	util_random(ret_sealed + 1, SEALED_NONCE);
	err = sealed_gcm_encrypt(secret_data(key), ret_sealed + 1, aad, aad_len, data, len,
				 ret_sealed + 1 + SEALED_NONCE,
				 ret_sealed + 1 + SEALED_NONCE + len);
	if (!err)
		*ret_len = len + SEALED_OVERHEAD;
	return err;
}

enum err sealed_open(struct secret *key, const struct sealed_place *place, const uint8_t *sealed,
		     size_t len, struct secret **ret)
{
	_cleanup_secret_ struct secret *plain = NULL;
	uint8_t zero[SEALED_VALUE_MAX] = { 0 };
	char aad[SEALED_AAD_MAX];
	size_t aad_len, plain_len;
	enum err err = sealed_aad(place, aad, sizeof(aad), &aad_len);

	if (err)
		return err;
	if (len < SEALED_OVERHEAD || len > SEALED_OVERHEAD + SEALED_VALUE_MAX ||
	    sealed[0] != SEALED_VERSION)
		return ERR_CRYPTO;
	plain_len = len - SEALED_OVERHEAD;
	err = secret_new(zero, plain_len, &plain);
	if (err)
		return err;
	err = sealed_gcm_decrypt(secret_data(key), sealed + 1, aad, aad_len,
				 sealed + 1 + SEALED_NONCE, plain_len, sealed + len - SEALED_TAG,
				 secret_data(plain));
	if (!err)
		*ret = util_take_ptr(plain);
	return err;
}

static enum err sealed_key_make(const char *path, struct secret **ret)
{
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = secret_random(SEALED_KEY, &key);

	if (!err)
		err = util_write_file(path, secret_data(key), SEALED_KEY, 0600);
	if (err)
		return err;
	log_info("sealing-key-made", "%s", "");
	*ret = util_take_ptr(key);
	return OK;
}

enum err sealed_key_open(const char *path, struct secret **ret)
{
	_cleanup_secret_ struct secret *key = NULL;
	struct stat status;
	enum err err = secret_read_file(path, SEALED_KEY, &key);

	if (err == ERR_NOT_FOUND)
		return sealed_key_make(path, ret);
	if (err)
		return err == ERR_TOO_BIG ? ERR_INVALID : err;
	if (secret_len(key) != SEALED_KEY)
		return ERR_INVALID;
	if (stat(path, &status) < 0 || (status.st_mode & 077))
		return ERR_DENIED;
	*ret = util_take_ptr(key);
	return OK;
}
