#include "vault/token_seal.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "certs/cleanup.h"

#define INFO "sekisho vault: token"

enum { SHARED = 32, INFO_BYTES = sizeof(INFO) - 1 };

static void ctx_free(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

/* As X9.62 writes it, uncompressed; other curves have other lengths. */
static enum err point_of(EVP_PKEY *key, uint8_t ret[ROOT_POINT])
{
	char group[64] = "";
	uint8_t point[ROOT_POINT];
	size_t len = 0;

	if (!EVP_PKEY_is_a(key, "EC") ||
	    !EVP_PKEY_get_group_name(key, group, sizeof(group), &len) ||
	    OBJ_sn2nid(group) != NID_X9_62_prime256v1)
		return ERR_KEY;
	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
					    &len) != 1 ||
	    len != sizeof(point) || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return ERR_KEY;
	memcpy(ret, point, sizeof(point));
	return OK;
}

static enum err key_of(const uint8_t point[ROOT_POINT], EVP_PKEY **ret)
{
	_cleanup_(ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point,
						  ROOT_POINT),
		OSSL_PARAM_construct_end(),
	};

	/* A point that is not on the curve is refused here. */
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1)
		return ERR_CRYPTO;
	return EVP_PKEY_fromdata(ctx, ret, EVP_PKEY_PUBLIC_KEY, params) == 1 ? OK : ERR_KEY;
}

static enum err agree(EVP_PKEY *own, EVP_PKEY *peer, struct secret **ret)
{
	_cleanup_(ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	_cleanup_secret_ struct secret *shared = NULL;
	size_t len = SHARED;
	enum err err = ctx ? secret_random(SHARED, &shared) : ERR_NOMEM;

	if (!err && (EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
		     EVP_PKEY_derive(ctx, secret_data(shared), &len) != 1 || len != SHARED))
		err = ERR_CRYPTO;
	/* As of a token whose key may sign but not derive. */
	if (err == ERR_CRYPTO)
		log_warn("token-derive", "error=%s",
			 log_quote(ERR_error_string(ERR_peek_last_error(), NULL)));
	ERR_clear_error();
	if (!err)
		*ret = util_take_ptr(shared);
	return err;
}

static enum err derive(const struct secret *shared, const uint8_t point[ROOT_POINT],
		       const uint8_t ephemeral[ROOT_POINT], struct secret **ret)
{
	uint8_t info[INFO_BYTES + 2 * ROOT_POINT];

	memcpy(info, INFO, INFO_BYTES);
	memcpy(info + INFO_BYTES, point, ROOT_POINT);
	memcpy(info + INFO_BYTES + ROOT_POINT, ephemeral, ROOT_POINT);
	return wrap_derive(shared, NULL, 0, info, sizeof(info), WRAP_KEY, ret);
}

/* Its public half as a key of our own: an engine's does not tell its point. */
static enum err public_of(EVP_PKEY *key, EVP_PKEY **ret)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	const unsigned char *at = der;

	*ret = len > 0 ? d2i_PUBKEY(NULL, &at, len) : NULL;
	OPENSSL_free(der);
	return *ret ? OK : ERR_KEY;
}

enum err token_seal_point(struct token *token, const char *uri, const struct secret *pin,
			  uint8_t ret[ROOT_POINT])
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL, *public = NULL;
	enum err err = token_key(token, uri, pin, &key);

	if (!err)
		err = public_of(key, &public);
	ERR_clear_error();
	return err ? err : point_of(public, ret);
}

enum err token_seal_make(const uint8_t point[ROOT_POINT], uint8_t ret_ephemeral[ROOT_POINT],
			 struct secret **ret_key)
{
	_cleanup_object_(pkey) EVP_PKEY *peer = NULL, *own = NULL;
	_cleanup_secret_ struct secret *shared = NULL;
	uint8_t ephemeral[ROOT_POINT];
	enum err err = key_of(point, &peer);

	if (err)
		return err;
	own = EVP_EC_gen("P-256");
	err = own ? point_of(own, ephemeral) : ERR_CRYPTO;
	if (!err)
		err = agree(own, peer, &shared);
	if (!err)
		err = derive(shared, point, ephemeral, ret_key);
	if (!err)
		memcpy(ret_ephemeral, ephemeral, sizeof(ephemeral));
	return err;
}

enum err token_seal_open(struct token *token, const struct root_token *slot,
			 const struct secret *pin, struct secret **ret_key)
{
	_cleanup_object_(pkey) EVP_PKEY *own = NULL, *peer = NULL;
	_cleanup_secret_ struct secret *shared = NULL;
	enum err err = token_key(token, slot->uri, pin, &own);

	if (!err)
		err = key_of(slot->ephemeral, &peer);
	if (!err)
		err = agree(own, peer, &shared);
	return err ? err : derive(shared, slot->point, slot->ephemeral, ret_key);
}
