/* The engine is the only way on Debian 12, and deprecated. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "certs/pkcs11.h"

#include <dlfcn.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "certs/cleanup.h"

struct token {
	UI_METHOD *ask; /* for the PIN */
	/* The provider's: a context of its own, because SoftHSM itself computes in the default one,
	 * and would call itself through the provider. NULL: the engine is used. */
	OSSL_LIB_CTX *context;
	OSSL_PROVIDER *base, *provider;
	ENGINE *engine;
};

void token_close(struct token *token)
{
	if (!token)
		return;
	if (token->engine) {
		ENGINE_finish(token->engine);
		ENGINE_free(token->engine);
	}
	if (token->provider)
		OSSL_PROVIDER_unload(token->provider);
	if (token->base)
		OSSL_PROVIDER_unload(token->base);
	OSSL_LIB_CTX_free(token->context);
	UI_destroy_method(token->ask);
	free(token);
}

static void token_closep(struct token **token)
{
	token_close(*token);
}

/* ctx: the PIN, or NULL while it is not known. */
static int say_pin(char *text, int room, int writing, void *ctx)
{
	const struct secret *pin = ctx;

	if (writing || !pin || room <= 0 || secret_len(pin) >= (size_t)room)
		return -1;
	memcpy(text, secret_text(pin), secret_len(pin) + 1);
	return (int)secret_len(pin);
}

/* ---- provider --------------------------------------------------------------------------- */

static bool open_provider(struct token *token, const char *module)
{
	/* Its one setting that needs no configuration file. */
	if (setenv("PKCS11_PROVIDER_MODULE", module, 1) < 0)
		return false;
	token->context = OSSL_LIB_CTX_new();
	if (!token->context)
		return false;
	token->provider = OSSL_PROVIDER_load(token->context, "pkcs11");
	token->base = OSSL_PROVIDER_load(token->context, "default");
	if (token->provider && token->base)
		return true;
	if (token->provider)
		OSSL_PROVIDER_unload(token->provider);
	if (token->base)
		OSSL_PROVIDER_unload(token->base);
	OSSL_LIB_CTX_free(token->context);
	token->context = NULL;
	token->provider = token->base = NULL;
	return false;
}

static EVP_PKEY *take(OSSL_STORE_INFO *info, int kind)
{
	EVP_PKEY *key = NULL;

	if (info && OSSL_STORE_INFO_get_type(info) == kind)
		key = kind == OSSL_STORE_INFO_PKEY ? OSSL_STORE_INFO_get1_PKEY(info)
						   : OSSL_STORE_INFO_get1_PUBKEY(info);
	OSSL_STORE_INFO_free(info);
	return key;
}

static EVP_PKEY *provider_key(const struct token *token, const char *uri, const struct secret *pin,
			      int kind)
{
	OSSL_STORE_CTX *store =
		OSSL_STORE_open_ex(uri, token->context, "provider=pkcs11", token->ask,
				   (void *)(uintptr_t)pin, NULL, NULL, NULL);
	EVP_PKEY *key = NULL;

	if (!store)
		return NULL;
	if (OSSL_STORE_expect(store, kind))
		while (!key && !OSSL_STORE_eof(store) && !OSSL_STORE_error(store))
			key = take(OSSL_STORE_load(store), kind);
	OSSL_STORE_close(store);
	return key;
}

/* ---- engine ----------------------------------------------------------------------------- */

static bool open_engine(struct token *token, const char *module)
{
	ENGINE_load_dynamic();
	ENGINE *engine = ENGINE_by_id("pkcs11");
	if (!engine)
		return false;
	if (!ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0) || !ENGINE_init(engine)) {
		ENGINE_free(engine);
		return false;
	}
	token->engine = engine;
	return true;
}

static EVP_PKEY *engine_key(const struct token *token, const char *uri, const struct secret *pin,
			    int kind)
{
	void *ctx = (void *)(uintptr_t)pin;

	return kind == OSSL_STORE_INFO_PKEY
		       ? ENGINE_load_private_key(token->engine, uri, token->ask, ctx)
		       : ENGINE_load_public_key(token->engine, uri, token->ask, ctx);
}

/* ---- both ------------------------------------------------------------------------------- */

static EVP_PKEY *find_key(const struct token *token, const char *uri, const struct secret *pin,
			  int kind)
{
	EVP_PKEY *key = token->context ? provider_key(token, uri, pin, kind)
				       : engine_key(token, uri, pin, kind);

	ERR_clear_error();
	return key;
}

/* The settings are no place for secrets: everybody on the machine may read them. */
static enum err check_uri(const char *uri)
{
	if (strncmp(uri, "pkcs11:", 7) == 0 && !strstr(uri, "pin-value") &&
	    !strstr(uri, "pin-source"))
		return OK;
	log_error("token-uri",
		  "setting=ca.pkcs11_key allowed=\"pkcs11:... (RFC 7512) without a PIN\"");
	return ERR_INVALID;
}

/* Here the reason is known; provider and engine would only say that it failed. It stays loaded. */
static enum err check_module(const char *module)
{
	if (dlopen(module, RTLD_NOW | RTLD_LOCAL))
		return OK;
	const char *reason = dlerror();
	log_error("token-module", "setting=ca.pkcs11_module error=%s",
		  log_quote(reason ? reason : ""));
	return ERR_UNAVAILABLE;
}

static enum err set_variable(char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t len = strspn(text, letters);

	if (!len || text[len] != '=' || !text[len + 1])
		return ERR_INVALID;
	text[len] = '\0';
	return setenv(text, text + len + 1, 1) < 0 ? ERR_NOMEM : OK;
}

enum err token_environment(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy;
	enum err err = copy ? OK : ERR_NOMEM;

	for (char *word; !err && (word = strsep(&rest, " "));)
		if (*word)
			err = set_variable(word);
	if (err == ERR_INVALID)
		log_error("token-environment",
			  "setting=ca.pkcs11_environment allowed=\"NAME=value NAME=value\"");
	return err;
}

enum err token_open(const char *module, const char *uri, struct token **ret)
{
	_cleanup_(token_closep) struct token *token = calloc(1, sizeof(*token));
	enum err err = check_uri(uri);

	if (!err)
		err = check_module(module);
	if (err)
		return err;
	if (token)
		token->ask = UI_UTIL_wrap_read_pem_callback(say_pin, 0);
	if (!token || !token->ask)
		return ERR_NOMEM;
	if (!open_provider(token, module) && !open_engine(token, module)) {
		ERR_clear_error();
		log_error(
			"token-library",
			"error=\"OpenSSL finds neither its pkcs11 provider nor its pkcs11 engine\" "
			"packages=\"pkcs11-provider libengine-pkcs11-openssl\"");
		return ERR_UNAVAILABLE;
	}
	/* A first look without a PIN loads the rest. */
	EVP_PKEY *public = find_key(token, uri, NULL, OSSL_STORE_INFO_PUBKEY);
	log_info("token", "way=%s key=%s", token->context ? "provider" : "engine",
		 public ? "seen" : "not-seen");
	EVP_PKEY_free(public);
	*ret = util_take_ptr(token);
	return OK;
}

enum err token_key(struct token *token, const char *uri, const struct secret *pin, EVP_PKEY **ret)
{
	EVP_PKEY *key = find_key(token, uri, pin, OSSL_STORE_INFO_PKEY);

	if (!key)
		return ERR_LOGIN;
	*ret = key;
	return OK;
}
