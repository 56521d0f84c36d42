/*
 * key_file.h - private keys as PKCS#8 in PEM, in the clear or under a passphrase: PBES2 with scrypt
 * and AES-256-CBC (RFC 8018, RFC 7914), as openssl pkcs8 -scrypt writes them.
 */
#ifndef SEKISHO_CERTS_KEY_FILE_H
#define SEKISHO_CERTS_KEY_FILE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

enum {
	KEY_PEM_MAX = 8192,
	KEY_PASSPHRASE_MAX = 256, /* bytes */
};

/* passphrase NULL: in the clear. The caller frees. */
nodiscard enum err key_encode(EVP_PKEY *key, const struct secret *passphrase,
			      struct secret **ret_pem);

/*
 * ERR_LOCKED: encrypted, and passphrase is NULL. ERR_LOGIN: the passphrase is wrong. ERR_INVALID:
 * not one key, or encrypted in another way than above: who chooses the cost could keep us busy for
 * hours. The caller frees.
 */
nodiscard enum err key_decode(const void *pem, size_t len, const struct secret *passphrase,
			      EVP_PKEY **ret);

/*
 * The same with a file. ERR_DENIED: others may read it. ERR_NOT_FOUND, ERR_IO, ERR_TOO_BIG. Writing
 * goes through a temporary file and fsync.
 */
nodiscard enum err key_write(EVP_PKEY *key, const struct secret *passphrase, const char *path);
nodiscard enum err key_read(const char *path, const struct secret *passphrase, EVP_PKEY **ret);

/*
 * A key that lies there in the clear is written again, encrypted; one that is encrypted, or not
 * there, is left alone.
 */
nodiscard enum err key_seal(const char *path, const struct secret *passphrase, bool *ret_sealed);

#endif
