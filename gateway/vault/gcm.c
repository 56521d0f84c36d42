#include "vault/gcm.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"

static void ctx_free(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

static enum err start(const uint8_t *key, const uint8_t *nonce, const struct gcm_bound *bound,
		      size_t len, bool puts, EVP_CIPHER_CTX **ret)
{
	int done = 0;

	if (len > INT_MAX || bound->len > INT_MAX)
		return ERR_TOO_BIG;
	*ret = EVP_CIPHER_CTX_new();
	if (!*ret)
		return ERR_NOMEM;
	if (EVP_CipherInit_ex2(*ret, EVP_aes_256_gcm(), key, nonce, puts, NULL) != 1 ||
	    (bound->len && EVP_CipherUpdate(*ret, NULL, &done, bound->data, (int)bound->len) != 1))
		return ERR_CRYPTO;
	return OK;
}

static bool run(EVP_CIPHER_CTX *ctx, const void *data, size_t len, uint8_t *ret)
{
	int done = 0;

	return len == 0 ||
	       (EVP_CipherUpdate(ctx, ret, &done, data, (int)len) == 1 && (size_t)done == len);
}

enum err gcm_put(const uint8_t key[GCM_KEY], const uint8_t nonce[GCM_NONCE],
		 const struct gcm_bound *bound, const void *data, size_t len, uint8_t *ret,
		 uint8_t ret_tag[GCM_TAG])
{
	_cleanup_(ctx_free) EVP_CIPHER_CTX *ctx = NULL;
	uint8_t rest[GCM_TAG];
	int done = 0;
	enum err err = start(key, nonce, bound, len, true, &ctx);

	if (err)
		return err;
	if (!run(ctx, data, len, ret) || EVP_CipherFinal_ex(ctx, rest, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, ret_tag) != 1)
		return ERR_CRYPTO;
	return OK;
}

enum err gcm_get(const uint8_t key[GCM_KEY], const uint8_t nonce[GCM_NONCE],
		 const struct gcm_bound *bound, const void *data, size_t len,
		 const uint8_t tag[GCM_TAG], uint8_t *ret)
{
	_cleanup_(ctx_free) EVP_CIPHER_CTX *ctx = NULL;
	uint8_t wanted[GCM_TAG], rest[GCM_TAG];
	int done = 0;
	enum err err = start(key, nonce, bound, len, false, &ctx);

	if (err)
		return err;
	memcpy(wanted, tag, GCM_TAG);
	if (!run(ctx, data, len, ret) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, wanted) != 1)
		err = ERR_CRYPTO;
	else if (EVP_CipherFinal_ex(ctx, rest, &done) != 1)
		err = ERR_INVALID;
	if (err)
		secret_wipe(ret, len);
	return err;
}
