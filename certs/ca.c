#include "certs/ca.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/x509_build.h"

enum {
	FILE_MAX = 16 * 1024,
	PATH_BYTES = 400,
	YEARS = 15,
	BACKDATE_S = 24 * 3600, /* clocks of laptops and gateway may differ on the first day */
};

struct ca {
	EVP_PKEY *key;
	X509 *certificate;
};

void ca_free(struct ca *ca)
{
	if (!ca)
		return;
	EVP_PKEY_free(ca->key);
	X509_free(ca->certificate);
	free(ca);
}

void ca_freep(struct ca **ca)
{
	ca_free(*ca);
}

X509 *ca_certificate(const struct ca *ca)
{
	return ca->certificate;
}

EVP_PKEY *ca_key(const struct ca *ca)
{
	return ca->key;
}

/* ---- making ---------------------------------------------------------------------------------- */

static enum err write_key(EVP_PKEY *key, const char *path)
{
	char *data = NULL;
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_secmem());

	if (!bio)
		return ERR_NOMEM;
	if (!PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		return ERR_CRYPTO;
	long len = BIO_get_mem_data(bio, &data);
	enum err err = util_write_file(path, data, (size_t)len, 0600);
	secret_wipe(data, (size_t)len);
	return err;
}

static enum err write_certificate(X509 *certificate, const char *path)
{
	char *data = NULL;
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());

	if (!bio)
		return ERR_NOMEM;
	if (!PEM_write_bio_X509(bio, certificate))
		return ERR_CRYPTO;
	long len = BIO_get_mem_data(bio, &data);
	return util_write_file(path, data, (size_t)len, 0644);
}

/* As many whole characters of office as leave room for suffix in a common name. */
static void name_of(const char *office, const char *suffix, char *text, size_t room)
{
	size_t left = CERT_NAME_MAX - strlen(suffix), len = 0;

	while (office[len]) {
		size_t next = len + 1;
		while (((unsigned char)office[next] & 0xc0) == 0x80)
			next++;
		if (left-- == 0 || next + strlen(suffix) >= room)
			break;
		len = next;
	}
	snprintf(text, room, "%.*s%s", (int)len, office, suffix);
}

static enum err fill_certificate(X509 *certificate, EVP_PKEY *key, const char *office,
				 int64_t now_s)
{
	char organisation[4 * CERT_NAME_MAX + 1], common[4 * CERT_NAME_MAX + 1];
	X509_NAME *name = X509_get_subject_name(certificate);
	enum err err;

	name_of(office, "", organisation, sizeof(organisation));
	name_of(office, " CA", common, sizeof(common));
	if (!X509_set_version(certificate, X509_VERSION_3) || !X509_set_pubkey(certificate, key))
		return ERR_CRYPTO;
	err = x509_set_random_serial(certificate);
	if (!err)
		err = x509_set_validity(certificate, now_s - BACKDATE_S,
					now_s + YEARS * INT64_C(31557600));
	if (!err)
		err = x509_add_name(name, NID_organizationName, organisation);
	if (!err)
		err = x509_add_name(name, NID_commonName, common);
	if (!err && !X509_set_issuer_name(certificate, name))
		err = ERR_CRYPTO;
	if (!err)
		err = x509_add_extension(certificate, certificate, NID_basic_constraints,
					 "critical,CA:TRUE,pathlen:0");
	if (!err)
		err = x509_add_extension(certificate, certificate, NID_key_usage,
					 "critical,keyCertSign,cRLSign");
	if (!err)
		err = x509_add_extension(certificate, certificate, NID_subject_key_identifier,
					 "hash");
	return err;
}

static enum err make_certificate(EVP_PKEY *key, const char *office, int64_t now_s, X509 **ret)
{
	_cleanup_object_(x509) X509 *certificate = X509_new();

	if (!certificate)
		return ERR_NOMEM;
	enum err err = fill_certificate(certificate, key, office, now_s);
	if (err)
		return err;
	if (!X509_sign(certificate, key, EVP_sha256()))
		return ERR_CRYPTO;
	*ret = util_take_ptr(certificate);
	return OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* No passphrase is ever asked for: the process has no terminal. */
static int no_passphrase(char *text, int room, int writing, void *ctx)
{
	(void)text, (void)room, (void)writing, (void)ctx;
	return -1;
}

static enum err read_key(const char *path, EVP_PKEY **ret)
{
	_cleanup_secret_ struct secret *pem = NULL;
	struct stat status;
	enum err err = secret_read_file(path, FILE_MAX, &pem);

	if (err)
		return err;
	if (stat(path, &status) < 0 || (status.st_mode & 077))
		return ERR_DENIED;
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(secret_text(pem), (int)secret_len(pem));
	if (!bio)
		return ERR_NOMEM;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (!key)
		return ERR_CRYPTO;
	*ret = key;
	return OK;
}

static enum err read_certificate(const char *path, X509 **ret)
{
	_cleanup_free_ char *pem = NULL;
	size_t len;
	enum err err = util_read_file(path, FILE_MAX, &pem, &len);

	if (err)
		return err;
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		return ERR_NOMEM;
	X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	if (!certificate)
		return ERR_CRYPTO;
	*ret = certificate;
	return OK;
}

/* Self-signed, so its own signature tells whether the key is the right one. */
static bool fits(const struct ca *ca)
{
	return X509_check_ca(ca->certificate) == 1 && X509_verify(ca->certificate, ca->key) == 1;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The key first: a certificate without its key would be worth nothing. */
static enum err open_key(const char *path, bool has_certificate, bool *ret_made, EVP_PKEY **ret)
{
	enum err err = read_key(path, ret);

	if (err != ERR_NOT_FOUND || has_certificate)
		return err;
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	if (!key)
		return ERR_CRYPTO;
	err = write_key(key, path);
	if (err)
		return err;
	*ret_made = true;
	*ret = util_take_ptr(key);
	return OK;
}

enum err ca_open(const char *folder, const char *office, int64_t now_s, bool *ret_made,
		 struct ca **ret)
{
	char key_path[PATH_BYTES], certificate_path[PATH_BYTES];
	__attribute__((cleanup(ca_freep))) struct ca *ca = calloc(1, sizeof(*ca));
	bool made = false;

	if (!ca)
		return ERR_NOMEM;
	if ((size_t)snprintf(key_path, sizeof(key_path), "%s/ca.key", folder) >= sizeof(key_path))
		return ERR_TOO_BIG;
	snprintf(certificate_path, sizeof(certificate_path), "%s/ca.crt", folder);
	enum err err = read_certificate(certificate_path, &ca->certificate);
	if (err && err != ERR_NOT_FOUND)
		return err;
	err = open_key(key_path, ca->certificate, &made, &ca->key);
	if (err)
		return err;
	if (!ca->certificate) {
		err = make_certificate(ca->key, office, now_s, &ca->certificate);
		if (!err)
			err = write_certificate(ca->certificate, certificate_path);
		if (err)
			return err;
	}
	if (!fits(ca))
		return ERR_CRYPTO;
	*ret_made = made;
	*ret = util_take_ptr(ca);
	return OK;
}
