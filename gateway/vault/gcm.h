/*
 * gcm.h - AES-256-GCM (NIST SP 800-38D) over a whole piece of memory, by OpenSSL. A key and a nonce
 * are never used together twice: that is the caller's to see to.
 */
#ifndef SEKISHO_VAULT_GCM_H
#define SEKISHO_VAULT_GCM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { GCM_KEY = 32, GCM_NONCE = 12, GCM_TAG = 16 };

/* What it is bound to; not secret, not in the result. */
struct gcm_bound {
	const void *data;
	size_t len;
};

/* ret has room for len bytes, or is data itself. ERR_TOO_BIG, ERR_CRYPTO, ERR_NOMEM. */
nodiscard enum err gcm_put(const uint8_t key[GCM_KEY], const uint8_t nonce[GCM_NONCE],
			   const struct gcm_bound *bound, const void *data, size_t len,
			   uint8_t *ret, uint8_t ret_tag[GCM_TAG]);

/* ERR_INVALID: it was sealed under another key or nonce, bound to something else, or changed; then
 * ret is wiped. */
nodiscard enum err gcm_get(const uint8_t key[GCM_KEY], const uint8_t nonce[GCM_NONCE],
			   const struct gcm_bound *bound, const void *data, size_t len,
			   const uint8_t tag[GCM_TAG], uint8_t *ret);

#endif
