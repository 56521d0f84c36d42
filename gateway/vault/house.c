#include "vault/house.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/csr.h"
#include "certs/key_file.h"

enum { SECURE_HEAP_BYTES = 65536, SECURE_HEAP_LEAST = 32, PATH_BYTES = 400 };

enum err house_prepare(void)
{
	/* 2: it is there, but could not be locked (RLIMIT_MEMLOCK). */
	int made = CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_LEAST);

	if (made == 2)
		log_warn("vault-memory", "locked=no");
	return made ? OK : ERR_NOMEM;
}

static enum err path_of(const struct house *house, const char *name, char path[PATH_BYTES])
{
	int len = snprintf(path, PATH_BYTES, "%s/%s", house->folder, name);

	return len > 0 && len < PATH_BYTES ? OK : ERR_TOO_BIG;
}

bool house_old_is(const struct house *house)
{
	char path[PATH_BYTES];
	struct stat status;

	return !path_of(house, "house.key", path) && lstat(path, &status) == 0;
}

static X509 *parse(const void *der, size_t len)
{
	const unsigned char *at = der;
	X509 *certificate = len <= HOUSE_CERTIFICATE_MAX ? d2i_X509(NULL, &at, (long)len) : NULL;

	if (certificate && at == (const unsigned char *)der + len)
		return certificate;
	X509_free(certificate);
	return NULL;
}

enum err house_open(struct house *house, const char *folder)
{
	_cleanup_free_ char *der = NULL;
	char path[PATH_BYTES];
	size_t len = 0;

	*house = (struct house){ .folder = folder };
	enum err err = path_of(house, "house.crt", path);
	if (!err)
		err = util_read_file(path, HOUSE_CERTIFICATE_MAX, &der, &len);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (!err)
		house->certificate = parse(der, len);
	/* Another one can be had for the key; recordings need none to be opened. */
	if (!house->certificate && err != ERR_NOMEM && err != ERR_TOO_BIG)
		log_error("house-certificate", "path=\"%s\" error=%s", path,
			  err_code(err ? err : ERR_INVALID));
	return err == ERR_NOMEM ? err : OK;
}

void house_finish(struct house *house)
{
	house_seal(house);
	X509_free(util_take_ptr(house->certificate));
}

/* ---- as it was kept before -------------------------------------------------------------- */

enum err house_old_read(const struct house *house, const struct secret *passphrase, EVP_PKEY **ret)
{
	char path[PATH_BYTES];
	enum err err = path_of(house, "house.key", path);

	return err ? err : key_read(path, passphrase, ret);
}

enum err house_old_remove(const struct house *house)
{
	_cleanup_close_ int folder = -1;
	char path[PATH_BYTES];
	enum err err = path_of(house, "house.key", path);

	if (err)
		return err;
	if (unlink(path) < 0 && errno != ENOENT)
		return err_from_errno(errno);
	folder = open(house->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder < 0 || fsync(folder) < 0 ? ERR_IO : OK;
}

/* ---- the key ---------------------------------------------------------------------------- */

enum err house_make(EVP_PKEY **ret)
{
	*ret = EVP_EC_gen("P-256");
	return *ret ? OK : ERR_CRYPTO;
}

/*
 * Private and public half as they are, not as PKCS#8: OpenSSL's decoder of that leaves copies of
 * the private half in memory that it frees without wiping.
 */
enum { PRIVATE = 32, POINT = 65, ENCODED = PRIVATE + POINT };

static void clear(BIGNUM **number)
{
	BN_clear_free(*number);
}

enum err house_encode(EVP_PKEY *key, struct secret **ret)
{
	_cleanup_secret_ struct secret *encoded = NULL;
	_cleanup_(clear) BIGNUM *private = BN_secure_new();
	enum err err = private ? secret_random(ENCODED, &encoded) : ERR_NOMEM;
	uint8_t *at = err ? NULL : secret_data(encoded);
	size_t len = 0;

	if (!err && (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &private) != 1 ||
		     BN_bn2binpad(private, at, PRIVATE) != PRIVATE ||
		     EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, at + PRIVATE,
						     POINT, &len) != 1 ||
		     len != POINT))
		err = ERR_CRYPTO;
	if (!err)
		*ret = util_take_ptr(encoded);
	return err;
}

static void builder_free(OSSL_PARAM_BLD **builder)
{
	OSSL_PARAM_BLD_free(*builder);
}

static void params_free(OSSL_PARAM **params)
{
	OSSL_PARAM_free(*params);
}

static void ctx_free(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

/* NULL: it is none. */
static EVP_PKEY *decode(const struct secret *encoded)
{
	const uint8_t *at = (const uint8_t *)secret_text(encoded);
	_cleanup_(builder_free) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	_cleanup_(clear) BIGNUM *private = BN_secure_new();
	_cleanup_(params_free) OSSL_PARAM *params = NULL;
	_cleanup_(ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (secret_len(encoded) != ENCODED || !builder || !private || !ctx ||
	    !BN_bin2bn(at, PRIVATE, private) ||
	    !OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
					     0) ||
	    !OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, at + PRIVATE,
					      POINT) ||
	    !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, private))
		return NULL;
	params = OSSL_PARAM_BLD_to_param(builder);
	if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		return NULL;
	return key;
}

enum err house_unseal(struct house *house, const struct secret *encoded)
{
	_cleanup_object_(pkey) EVP_PKEY *key = decode(encoded);

	if (!key)
		return ERR_INVALID;
	if (house->certificate && EVP_PKEY_eq(X509_get0_pubkey(house->certificate), key) != 1) {
		log_error("house-certificate", "folder=\"%s\" error=\"of another key\"",
			  house->folder);
		X509_free(util_take_ptr(house->certificate));
	}
	if (!house->key)
		house->key = util_take_ptr(key);
	return OK;
}

void house_seal(struct house *house)
{
	EVP_PKEY_free(util_take_ptr(house->key));
}

bool house_wants_certificate(const struct house *house, int64_t now_s)
{
	time_t when = (time_t)(now_s + HOUSE_RENEW_S);

	return house->key && (!house->certificate ||
			      X509_cmp_time(X509_get0_notAfter(house->certificate), &when) <= 0);
}

enum err house_csr(const struct house *house, struct buf *csr)
{
	uint8_t *der = NULL;
	size_t len = 0;

	if (!house->key)
		return ERR_LOCKED;
	enum err err = csr_make(house->key, &der, &len);
	if (!err)
		err = buf_add(csr, der, len);
	OPENSSL_free(der);
	return err;
}

enum err house_set_certificate(struct house *house, struct bytes der)
{
	_cleanup_object_(x509) X509 *certificate = parse(der.data, der.len);
	char path[PATH_BYTES];

	if (!house->key)
		return ERR_LOCKED;
	if (!certificate || EVP_PKEY_eq(X509_get0_pubkey(certificate), house->key) != 1)
		return ERR_INVALID;
	enum err err = path_of(house, "house.crt", path);
	if (!err)
		err = util_write_file(path, der.data, der.len, 0600);
	if (err)
		return err;
	X509_free(house->certificate);
	house->certificate = util_take_ptr(certificate);
	return OK;
}

enum err house_certificate(const struct house *house, struct buf *der)
{
	unsigned char *data = NULL;

	if (!house->certificate)
		return OK;
	int len = i2d_X509(house->certificate, &data);
	if (len <= 0)
		return ERR_CRYPTO;
	enum err err = buf_add(der, data, (size_t)len);
	OPENSSL_free(data);
	return err;
}
