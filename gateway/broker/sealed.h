/*
 * sealed.h - values that are encrypted in the database: AES-256-GCM (NIST SP 800-38D) under a key
 * in a file of the broker's state folder. A copy of the database alone opens none of them, and a
 * value moved to another table, row or column does not open either.
 */
#ifndef SEKISHO_BROKER_SEALED_H
#define SEKISHO_BROKER_SEALED_H

#include "base/secret.h"

enum {
	SEALED_KEY = 32,
	SEALED_NONCE = 12,
	SEALED_TAG = 16,
	SEALED_OVERHEAD = 1 + SEALED_NONCE + SEALED_TAG, /* version, nonce, tag */
	SEALED_VALUE_MAX = 4096,
};

/* Where a value belongs; goes into the associated data. */
struct sealed_place {
	const char *table, *column; /* constants */
	int64_t row, row2;          /* row2: 0 where one number names the row */
};

/*
 * The key in file path, made (0600) at first start. ERR_INVALID: not 32 bytes. ERR_DENIED: others
 * may read it. The caller frees.
 */
nodiscard enum err sealed_key_open(const char *path, struct secret **ret);

/* ret_sealed has room for size bytes, at least len + SEALED_OVERHEAD. ERR_TOO_BIG. */
nodiscard enum err sealed_seal(struct secret *key, const struct sealed_place *place,
			       const void *data, size_t len, uint8_t *ret_sealed, size_t size,
			       size_t *ret_len);

/* ERR_CRYPTO: changed, moved, or sealed under another key. The caller frees. */
nodiscard enum err sealed_open(struct secret *key, const struct sealed_place *place,
			       const uint8_t *sealed, size_t len, struct secret **ret);

/* The cipher alone, for the test vectors: 12-byte nonce, 16-byte tag. */
nodiscard enum err sealed_gcm_encrypt(const uint8_t key[SEALED_KEY],
				      const uint8_t nonce[SEALED_NONCE], const void *aad,
				      size_t aad_len, const void *data, size_t len,
				      uint8_t *ret_data, uint8_t ret_tag[SEALED_TAG]);
nodiscard enum err sealed_gcm_decrypt(const uint8_t key[SEALED_KEY],
				      const uint8_t nonce[SEALED_NONCE], const void *aad,
				      size_t aad_len, const void *data, size_t len,
				      const uint8_t tag[SEALED_TAG], uint8_t *ret_data);

#endif
