/*
 * token_seal.h - a key that only a token's private key gives again: ECDH on P-256 between it and a
 * fresh key (SP 800-56A's one-pass scheme), and HKDF-SHA256 over both public keys. The private key
 * never leaves the token.
 */
#ifndef SEKISHO_VAULT_TOKEN_SEAL_H
#define SEKISHO_VAULT_TOKEN_SEAL_H

#include "certs/pkcs11.h"
#include "vault/root_file.h"

/*
 * The public half of the token's key, for which the PIN is needed. ERR_LOGIN: the PIN is wrong, or
 * there is no such key. ERR_KEY: it is not one of P-256.
 */
nodiscard enum err token_seal_point(struct token *token, const char *uri, const struct secret *pin,
				    uint8_t ret[ROOT_POINT]);

/* A new key for the token's point, of WRAP_KEY bytes. ERR_KEY: no point of the curve. ERR_CRYPTO.
 */
nodiscard enum err token_seal_make(const uint8_t point[ROOT_POINT],
				   uint8_t ret_ephemeral[ROOT_POINT], struct secret **ret_key);

/* The same key again, by the token. Errors as above. */
nodiscard enum err token_seal_open(struct token *token, const struct root_token *slot,
				   const struct secret *pin, struct secret **ret_key);

#endif
