#include "vault/wrap.h"

#include <argon2.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "base/util.h"

enum {
	BLOCK = 8, /* RFC 5649: of half an AES block */
	LEAST = 2 * BLOCK,
	/* More than ours was never written; who asks for it wants to keep us busy. */
	MEMORY_KIB_MAX = 256 * 1024,
	PASSES_MAX = 16,
	LANES_MAX = 4,
};

const struct wrap_cost wrap_cost = { .memory_kib = 64 * 1024, .passes = 3, .lanes = 1 };

static void ctx_free(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

/* room: at least as long as the result, and a block more. */
static enum err run(const uint8_t *kek, bool wraps, const void *data, size_t len, uint8_t *room,
		    size_t *ret_len)
{
	_cleanup_(ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int out = 0, last = 0;

	if (!ctx)
		return ERR_NOMEM;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_CipherInit_ex2(ctx, EVP_aes_256_wrap_pad(), kek, NULL, wraps, NULL) != 1)
		return ERR_CRYPTO;
	/* All that can be wrong from here on is what was wrapped. */
	if (EVP_CipherUpdate(ctx, room, &out, data, (int)len) != 1 || out <= 0 ||
	    EVP_CipherFinal_ex(ctx, room + out, &last) != 1)
		return wraps ? ERR_CRYPTO : ERR_LOGIN;
	*ret_len = (size_t)(out + last);
	return OK;
}

static const uint8_t *bytes(const struct secret *kek)
{
	return (const uint8_t *)secret_text(kek);
}

enum err wrap_put(const struct secret *kek, const void *data, size_t len, uint8_t ret[WRAP_MAX],
		  size_t *ret_len)
{
	uint8_t room[WRAP_MAX + 2 * BLOCK];
	size_t wrapped;

	if (secret_len(kek) != WRAP_KEY || len == 0)
		return ERR_INVALID;
	if (len > WRAP_PLAIN_MAX)
		return ERR_TOO_BIG;
	enum err err = run(bytes(kek), true, data, len, room, &wrapped);
	if (err)
		return err;
	memcpy(ret, room, wrapped);
	*ret_len = wrapped;
	return OK;
}

enum err wrap_get(const struct secret *kek, const void *data, size_t len, struct secret **ret)
{
	uint8_t room[WRAP_MAX + 2 * BLOCK];
	size_t plain = 0;

	if (secret_len(kek) != WRAP_KEY)
		return ERR_INVALID;
	if (len < LEAST || len > WRAP_MAX || len % BLOCK)
		return ERR_LOGIN;
	enum err err = run(bytes(kek), false, data, len, room, &plain);
	if (!err)
		err = secret_new(room, plain, ret);
	secret_wipe(room, sizeof(room));
	return err;
}

enum err wrap_key_put(const uint8_t kek[WRAP_KEY], const uint8_t key[WRAP_KEY],
		      uint8_t ret[WRAP_KEY_WRAPPED])
{
	uint8_t room[WRAP_KEY_WRAPPED + 2 * BLOCK];
	size_t len = 0;
	enum err err = run(kek, true, key, WRAP_KEY, room, &len);

	if (!err && len != WRAP_KEY_WRAPPED)
		err = ERR_CRYPTO;
	if (!err)
		memcpy(ret, room, WRAP_KEY_WRAPPED);
	return err;
}

enum err wrap_key_get(const uint8_t kek[WRAP_KEY], const uint8_t wrapped[WRAP_KEY_WRAPPED],
		      uint8_t ret[WRAP_KEY])
{
	uint8_t room[WRAP_KEY_WRAPPED + 2 * BLOCK];
	size_t len = 0;
	enum err err = run(kek, false, wrapped, WRAP_KEY_WRAPPED, room, &len);

	if (!err && len != WRAP_KEY)
		err = ERR_LOGIN;
	if (!err)
		memcpy(ret, room, WRAP_KEY);
	secret_wipe(room, sizeof(room));
	return err;
}

static void kdf_free(EVP_KDF **kdf)
{
	EVP_KDF_free(*kdf);
}

static void kdf_ctx_free(EVP_KDF_CTX **ctx)
{
	EVP_KDF_CTX_free(*ctx);
}

/* OSSL_PARAM has no const. */
static OSSL_PARAM octets(const char *name, const void *data, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, len);
}

enum err wrap_derive(const struct secret *from, const uint8_t *salt, size_t salt_len,
		     const void *info, size_t info_len, size_t len, struct secret **ret)
{
	_cleanup_(kdf_free) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	_cleanup_(kdf_ctx_free) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	_cleanup_secret_ struct secret *derived = NULL;
	char digest[] = "SHA256";
	OSSL_PARAM params[5];
	size_t count = 0;

	if (len > WRAP_DERIVED_MAX)
		return ERR_TOO_BIG;
	params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[count++] = octets(OSSL_KDF_PARAM_KEY, secret_text(from), secret_len(from));
	if (salt_len)
		params[count++] = octets(OSSL_KDF_PARAM_SALT, salt, salt_len);
	if (info_len)
		params[count++] = octets(OSSL_KDF_PARAM_INFO, info, info_len);
	params[count] = OSSL_PARAM_construct_end();
	enum err err = ctx ? secret_random(len, &derived) : ERR_NOMEM;
	if (!err && EVP_KDF_derive(ctx, secret_data(derived), len, params) != 1)
		err = ERR_CRYPTO;
	if (!err)
		*ret = util_take_ptr(derived);
	return err;
}

enum err wrap_stretch(const struct secret *passphrase, const uint8_t salt[WRAP_SALT],
		      const struct wrap_cost *cost, struct secret **ret)
{
	_cleanup_secret_ struct secret *key = NULL;

	if (cost->memory_kib > MEMORY_KIB_MAX || cost->passes > PASSES_MAX ||
	    cost->lanes > LANES_MAX)
		return ERR_INVALID;
	enum err err = secret_random(WRAP_KEY, &key);
	if (err)
		return err;
	/* It wipes its memory itself (FLAG_clear_internal_memory). */
	int code = argon2id_hash_raw(cost->passes, cost->memory_kib, cost->lanes,
				     secret_text(passphrase), secret_len(passphrase), salt,
				     WRAP_SALT, secret_data(key), WRAP_KEY);
	if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
		return ERR_NOMEM;
	if (code != ARGON2_OK)
		return ERR_INVALID;
	*ret = util_take_ptr(key);
	return OK;
}

enum err wrap_mac(const struct secret *key, const void *data, size_t len, uint8_t ret[WRAP_MAC])
{
	unsigned got = 0;

	return HMAC(EVP_sha256(), secret_text(key), (int)secret_len(key), data, len, ret, &got) &&
			       got == WRAP_MAC
		       ? OK
		       : ERR_CRYPTO;
}
