#include "vault/house.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "certs/ca_store.h"
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

static bool has_key(const struct house *house)
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

enum vault_state house_state(const struct house *house)
{
	if (house->key)
		return VAULT_OPEN;
	return has_key(house) ? VAULT_SEALED : VAULT_EMPTY;
}

enum err house_init(struct house *house, const struct secret *passphrase)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	char path[PATH_BYTES];
	enum err err = path_of(house, "house.key", path);

	if (err)
		return err;
	if (secret_len(passphrase) < CA_PASSPHRASE_MIN ||
	    secret_len(passphrase) > KEY_PASSPHRASE_MAX)
		return ERR_INVALID;
	if (house->key || has_key(house))
		return ERR_EXISTS;
	key = EVP_EC_gen("P-256");
	if (!key)
		return ERR_CRYPTO;
	err = key_write(key, passphrase, path);
	if (err)
		return err;
	house->key = util_take_ptr(key);
	/* Of a key that somebody took away. */
	X509_free(util_take_ptr(house->certificate));
	return OK;
}

enum err house_unseal(struct house *house, const struct secret *passphrase)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	char path[PATH_BYTES];
	enum err err = path_of(house, "house.key", path);

	if (!err)
		err = key_read(path, passphrase, &key);
	if (err)
		return err;
	if (!EVP_PKEY_is_a(key, "EC"))
		return ERR_INVALID;
	if (house->certificate && EVP_PKEY_eq(X509_get0_pubkey(house->certificate), key) != 1) {
		log_error("house-certificate", "folder=\"%s\" error=\"of another key\"",
			  house->folder);
		X509_free(util_take_ptr(house->certificate));
	}
	/* One that is open stays: recordings may be using it. */
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
