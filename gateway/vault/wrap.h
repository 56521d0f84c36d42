/*
 * wrap.h - how the vault keeps a key under another: AES-KWP (RFC 5649) with 256 bits, keys derived
 * by HKDF-SHA256 (RFC 5869) or from a passphrase by Argon2id (RFC 9106), and HMAC-SHA256. All of it
 * is OpenSSL's and libargon2's; results are in locked memory.
 */
#ifndef SEKISHO_VAULT_WRAP_H
#define SEKISHO_VAULT_WRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

enum {
	WRAP_KEY = 32,        /* bytes of a key that wraps */
	WRAP_MAC = 32,        /* bytes of a MAC */
	WRAP_SALT = 16,       /* bytes of a passphrase's salt */
	WRAP_PLAIN_MAX = 512, /* bytes that are wrapped, at most */
	WRAP_MAX = WRAP_PLAIN_MAX + 8,
	WRAP_KEY_WRAPPED = WRAP_KEY + 8, /* of a key that wraps */
	WRAP_DERIVED_MAX = 255 * 32,
};

/* ret has room for ((len + 7) / 8 + 1) * 8 bytes. ERR_TOO_BIG; ERR_INVALID: no bytes, or kek is not
 * WRAP_KEY long. ERR_CRYPTO. */
nodiscard enum err wrap_put(const struct secret *kek, const void *data, size_t len,
			    uint8_t ret[WRAP_MAX], size_t *ret_len);

/* ERR_LOGIN: it was wrapped under another key, or changed. ERR_NOMEM, ERR_CRYPTO. The caller frees.
 */
nodiscard enum err wrap_get(const struct secret *kek, const void *data, size_t len,
			    struct secret **ret);

/* The same for a key of WRAP_KEY bytes, without locked memory of its own: for the many that are
 * used and wiped at once. ERR_LOGIN, ERR_NOMEM, ERR_CRYPTO. */
nodiscard enum err wrap_key_put(const uint8_t kek[WRAP_KEY], const uint8_t key[WRAP_KEY],
				uint8_t ret[WRAP_KEY_WRAPPED]);
nodiscard enum err wrap_key_get(const uint8_t kek[WRAP_KEY],
				const uint8_t wrapped[WRAP_KEY_WRAPPED], uint8_t ret[WRAP_KEY]);

/* len bytes of HKDF-SHA256 with salt and info; salt may be NULL. ERR_TOO_BIG, ERR_CRYPTO,
 * ERR_NOMEM. */
nodiscard enum err wrap_derive(const struct secret *from, const uint8_t *salt, size_t salt_len,
			       const void *info, size_t info_len, size_t len, struct secret **ret);

/* What a passphrase costs to try. */
struct wrap_cost {
	uint32_t memory_kib, passes, lanes;
};

/* As for people's passwords (auth/password.h). */
extern const struct wrap_cost wrap_cost;

/* WRAP_KEY bytes of Argon2id. ERR_INVALID: the cost is far above ours, or none at all. */
nodiscard enum err wrap_stretch(const struct secret *passphrase, const uint8_t salt[WRAP_SALT],
				const struct wrap_cost *cost, struct secret **ret);

/* HMAC-SHA256 (RFC 2104). ERR_CRYPTO. */
nodiscard enum err wrap_mac(const struct secret *key, const void *data, size_t len,
			    uint8_t ret[WRAP_MAC]);

#endif
