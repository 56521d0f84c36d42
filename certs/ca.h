/*
 * ca.h - one issuing CA of the office with the root above it: in memory, and as the folder that
 * bears its number, with root.crt, root.key (absent when the root is kept elsewhere), issuing.crt,
 * and issuing.key or, for a key in a token, issuing.uri.
 */
#ifndef SEKISHO_CERTS_CA_H
#define SEKISHO_CERTS_CA_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

struct ca;
struct token;

/* How to make one. Nothing is taken over. */
struct ca_plan {
	const char *office;
	uint32_t number;
	int64_t now_s;      /* since 1970 */
	X509 *root;         /* NULL: a new root; then root_key is ignored */
	EVP_PKEY *root_key; /* of root */
	EVP_PKEY *key;      /* of the issuing CA, as in a token; NULL: a new one */
};

/* ret_root_key: a reference to the root's key. Errors of ca_make.h. The caller frees both. */
nodiscard enum err ca_new(const struct ca_plan *plan, struct ca **ret, EVP_PKEY **ret_root_key);
void ca_free(struct ca *ca);
void ca_freep(struct ca **ca);

/* Borrowed. The key is NULL while it is locked, and for X509_sign, X509_CRL_sign and OCSP only. */
uint32_t ca_number(const struct ca *ca);
X509 *ca_root(const struct ca *ca);
X509 *ca_certificate(const struct ca *ca);
EVP_PKEY *ca_key(const struct ca *ca);

/*
 * Writes all files into folder, which is there and empty. root_key NULL: the root is kept
 * elsewhere. passphrase NULL: keys in the clear. token_uri: where the issuing CA's key is, NULL for
 * a file.
 */
nodiscard enum err ca_write(const struct ca *ca, EVP_PKEY *root_key,
			    const struct secret *passphrase, const char *token_uri,
			    const char *folder);

/* The certificates alone, locked. ERR_CRYPTO: they are not a root and a CA below it. ERR_NOT_FOUND.
 */
nodiscard enum err ca_read(const char *folder, uint32_t number, struct ca **ret);

/*
 * Gets the key, unless it is there. Errors of key_read and token_key; ERR_CRYPTO: not the
 * certificate's. ERR_UNAVAILABLE: it is in a token, and token is NULL. Files in the clear although
 * there is a passphrase are encrypted (*ret_sealed), the root's too; not with ret_sealed NULL.
 */
nodiscard enum err ca_unlock(struct ca *ca, const char *folder, const struct secret *passphrase,
			     struct token *token, bool *ret_sealed);

/* Whether a key of it, or its root's, lies there without encryption. */
bool ca_is_clear(const struct ca *ca, const char *folder);

/* Only to answer whether the passphrase is right: OK, also for a key in a token, which asks for its
 * PIN itself; or an error of key_read. */
nodiscard enum err ca_try(const struct ca *ca, const char *folder, const struct secret *passphrase);

/* ERR_NOT_FOUND: it is kept elsewhere. The rest as ca_unlock. The caller frees. */
nodiscard enum err ca_read_root_key(const struct ca *ca, const char *folder,
				    const struct secret *passphrase, EVP_PKEY **ret);

#endif
