/*
 * weak_key.h - keys that prove nothing, because somebody else has the private half or can work it
 * out.
 */
#ifndef SEKISHO_CERTS_WEAK_KEY_H
#define SEKISHO_CERTS_WEAK_KEY_H

#include <openssl/evp.h>

#include "base/err.h"

enum {
	WEAK_KEY_FACTOR_MAX = 65536, /* RSA moduli have no prime factor below this */
	WEAK_KEY_FERMAT_ROUNDS = 100,
};

/*
 * key: public, RSA, EC or Ed25519. ERR_KEY when it is
 * - on the list of published keys (weak_keys.def),
 * - RSA with a small factor, of only one prime, of close primes (CVE-2022-26320) or made by
 *   Infineon's library (ROCA, CVE-2017-15361), or with a public exponent that is even, below 65537
 *   or above 64 bits,
 * - Ed25519 of small order, or not in its one encoding.
 * ERR_NOMEM, ERR_CRYPTO. Takes at most a modular exponentiation of the key's size.
 */
nodiscard enum err weak_key_check(EVP_PKEY *key);

#endif
