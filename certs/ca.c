#include "certs/ca.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/util.h"
#include "certs/ca_folder.h"
#include "certs/ca_make.h"
#include "certs/cleanup.h"
#include "certs/key_file.h"
#include "certs/pkcs11.h"

enum { CERTIFICATE_FILE_MAX = 16 * 1024 };

struct ca {
	uint32_t number;
	X509 *root, *certificate;
	EVP_PKEY *key;
};

void ca_free(struct ca *ca)
{
	if (!ca)
		return;
	EVP_PKEY_free(ca->key);
	X509_free(ca->certificate);
	X509_free(ca->root);
	free(ca);
}

void ca_freep(struct ca **ca)
{
	ca_free(*ca);
}

uint32_t ca_number(const struct ca *ca)
{
	return ca->number;
}

X509 *ca_root(const struct ca *ca)
{
	return ca->root;
}

X509 *ca_certificate(const struct ca *ca)
{
	return ca->certificate;
}

EVP_PKEY *ca_key(const struct ca *ca)
{
	return ca->key;
}

/* ---- making ----------------------------------------------------------------------------- */

/* A reference to a key that is there, or a new one. */
static enum err key_of(EVP_PKEY *known, EVP_PKEY **ret)
{
	if (!known)
		return ca_make_key(ret);
	if (!EVP_PKEY_up_ref(known))
		return ERR_CRYPTO;
	*ret = known;
	return OK;
}

static enum err root_of(const struct ca_plan *plan, EVP_PKEY *root_key, X509 **ret)
{
	if (!plan->root)
		return ca_make_root(root_key, plan->office, plan->number, plan->now_s, ret);
	if (!ca_key_fits(plan->root, root_key) || !X509_up_ref(plan->root))
		return ERR_CRYPTO;
	*ret = plan->root;
	return OK;
}

enum err ca_new(const struct ca_plan *plan, struct ca **ret, EVP_PKEY **ret_root_key)
{
	_cleanup_(ca_freep) struct ca *ca = calloc(1, sizeof(*ca));
	_cleanup_object_(pkey) EVP_PKEY *root_key = NULL;

	if (!ca)
		return ERR_NOMEM;
	ca->number = plan->number;
	enum err err = key_of(plan->root ? plan->root_key : NULL, &root_key);
	if (!err)
		err = root_of(plan, root_key, &ca->root);
	if (!err)
		err = key_of(plan->key, &ca->key);
	if (!err)
		err = ca_make_issuing(ca->key, ca->root, root_key, plan->office, plan->number,
				      plan->now_s, &ca->certificate);
	if (!err && !ca_key_fits(ca->certificate, ca->key))
		err = ERR_CRYPTO;
	if (err)
		return err;
	*ret = util_take_ptr(ca);
	*ret_root_key = util_take_ptr(root_key);
	return OK;
}

/* ---- writing ---------------------------------------------------------------------------- */

static enum err write_certificate(X509 *certificate, const char *folder, const char *name)
{
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	char path[CA_PATH], *data = NULL;
	enum err err = ca_path(path, "%s/%s", folder, name);

	if (err)
		return err;
	if (!bio)
		return ERR_NOMEM;
	if (!PEM_write_bio_X509(bio, certificate))
		return ERR_CRYPTO;
	long len = BIO_get_mem_data(bio, &data);
	return util_write_file(path, data, (size_t)len, 0644);
}

static enum err write_key(EVP_PKEY *key, const struct secret *passphrase, const char *folder,
			  const char *name)
{
	char path[CA_PATH];
	enum err err = ca_path(path, "%s/%s", folder, name);

	return err ? err : key_write(key, passphrase, path);
}

static enum err write_uri(const char *uri, const char *folder)
{
	char path[CA_PATH];
	enum err err = ca_path(path, "%s/issuing.uri", folder);

	return err ? err : util_write_file(path, uri, strlen(uri), 0600);
}

enum err ca_write(const struct ca *ca, EVP_PKEY *root_key, const struct secret *passphrase,
		  const char *token_uri, const char *folder)
{
	enum err err = write_certificate(ca->root, folder, "root.crt");

	if (!err && root_key)
		err = write_key(root_key, passphrase, folder, "root.key");
	if (!err)
		err = write_certificate(ca->certificate, folder, "issuing.crt");
	if (err)
		return err;
	return token_uri ? write_uri(token_uri, folder)
			 : write_key(ca->key, passphrase, folder, "issuing.key");
}

/* ---- reading ---------------------------------------------------------------------------- */

static int no_passphrase(char *text, int room, int writing, void *ctx)
{
	(void)text, (void)room, (void)writing, (void)ctx;
	return -1;
}

static enum err read_certificate(const char *folder, const char *name, X509 **ret)
{
	char path[CA_PATH];
	_cleanup_free_ char *pem = NULL;
	size_t len;
	enum err err = ca_path(path, "%s/%s", folder, name);

	if (!err)
		err = util_read_file(path, CERTIFICATE_FILE_MAX, &pem, &len);
	if (err)
		return err;
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		return ERR_NOMEM;
	*ret = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	return *ret ? OK : ERR_CRYPTO;
}

enum err ca_read(const char *folder, uint32_t number, struct ca **ret)
{
	_cleanup_(ca_freep) struct ca *ca = calloc(1, sizeof(*ca));

	if (!ca)
		return ERR_NOMEM;
	ca->number = number;
	enum err err = read_certificate(folder, "root.crt", &ca->root);
	if (!err)
		err = read_certificate(folder, "issuing.crt", &ca->certificate);
	if (!err &&
	    !(ca_is_signed_by(ca->root, ca->root) && ca_is_signed_by(ca->certificate, ca->root)))
		err = ERR_CRYPTO;
	if (!err)
		*ret = util_take_ptr(ca);
	return err;
}

static enum err read_key_of(X509 *certificate, const char *folder, const char *name,
			    const struct secret *passphrase, EVP_PKEY **ret)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	char path[CA_PATH];
	enum err err = ca_path(path, "%s/%s", folder, name);

	if (!err)
		err = key_read(path, passphrase, &key);
	if (!err && !ca_key_fits(certificate, key))
		err = ERR_CRYPTO;
	if (!err)
		*ret = util_take_ptr(key);
	return err;
}

static enum err read_uri(const char *folder, char **ret)
{
	char path[CA_PATH];
	size_t len;
	enum err err = ca_path(path, "%s/issuing.uri", folder);

	return err ? err : util_read_file(path, TOKEN_URI_MAX, ret, &len);
}

static enum err token_key_of(const struct ca *ca, const char *folder,
			     const struct secret *passphrase, struct token *token, EVP_PKEY **ret)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_free_ char *uri = NULL;
	enum err err = read_uri(folder, &uri);

	if (err)
		return err;
	if (!token)
		return ERR_UNAVAILABLE;
	if (!passphrase)
		return ERR_LOCKED;
	err = token_key(token, uri, passphrase, &key);
	if (!err && !ca_key_fits(ca->certificate, key))
		err = ERR_CRYPTO;
	if (!err)
		*ret = util_take_ptr(key);
	return err;
}

/* A passphrase came later than the keys. */
static enum err seal_keys(const char *folder, const struct secret *passphrase, bool *ret_sealed)
{
	static const char *const names[] = { "issuing.key", "root.key" };
	enum err err = OK;

	for (size_t i = 0; !err && i < ARRAY_SIZE(names); i++) {
		char path[CA_PATH];
		err = ca_path(path, "%s/%s", folder, names[i]);
		if (!err)
			err = key_seal(path, passphrase, ret_sealed);
	}
	return err;
}

enum err ca_unlock(struct ca *ca, const char *folder, const struct secret *passphrase,
		   struct token *token, bool *ret_sealed)
{
	enum err err = OK;

	if (!ca->key) {
		err = read_key_of(ca->certificate, folder, "issuing.key", passphrase, &ca->key);
		if (err == ERR_NOT_FOUND)
			err = token_key_of(ca, folder, passphrase, token, &ca->key);
	}
	return err || !passphrase || !ret_sealed ? err : seal_keys(folder, passphrase, ret_sealed);
}

static bool is_clear(X509 *certificate, const char *folder, const char *name)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;

	return read_key_of(certificate, folder, name, NULL, &key) == OK;
}

bool ca_is_clear(const struct ca *ca, const char *folder)
{
	return is_clear(ca->certificate, folder, "issuing.key") ||
	       is_clear(ca->root, folder, "root.key");
}

enum err ca_try(const struct ca *ca, const char *folder, const struct secret *passphrase)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	enum err err = read_key_of(ca->certificate, folder, "issuing.key", passphrase, &key);

	return err == ERR_NOT_FOUND ? OK : err;
}

enum err ca_read_root_key(const struct ca *ca, const char *folder, const struct secret *passphrase,
			  EVP_PKEY **ret)
{
	return read_key_of(ca->root, folder, "root.key", passphrase, ret);
}
