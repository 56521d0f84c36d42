/*
 * csr.h - takes the public key out of a PKCS#10 request (RFC 2986) from a peer that is not trusted
 * yet.
 */
#ifndef SEKISHO_CERTS_CSR_H
#define SEKISHO_CERTS_CSR_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	CSR_MAX = 12288, /* in the peer's form */
	CSR_KEY_HASH = 32,
};

/*
 * data: DER, PEM of one request ("CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST"), or base64
 * with or without line ends. Nothing but the key is taken over: subject and attributes are the
 * peer's wish. challenge: what a challengePassword in the request must be, blanks, hyphens and case
 * aside;
 * "" when there is nothing to know. The key comes out in its one encoding; the caller frees.
 *
 * ERR_TOO_BIG: more than CSR_MAX. ERR_INVALID: not a request in strict DER, something after it, an
 * attribute twice, or a signature that does not prove possession of the key (SHA-2 only). ERR_KEY:
 * not P-256, P-384, Ed25519 or RSA of 3072 to 8192 bits, or weak (weak_key.h). ERR_CODE: another
 * challengePassword.
 */
nodiscard enum err csr_check(const uint8_t *data, size_t len, const char *challenge,
			     EVP_PKEY **ret_key);

/* For people: "EC P-256", "EC P-384", "Ed25519", "RSA 3072" and so on, of a key from csr_check. */
void csr_key_type(EVP_PKEY *key, char *text, size_t room);

/* SHA-256 of the key's SubjectPublicKeyInfo, as identity_of says it of a certificate. ERR_CRYPTO.
 */
nodiscard enum err csr_key_hash(EVP_PKEY *key, uint8_t ret_hash[CSR_KEY_HASH]);

/* A request for key with an empty subject, as DER; the caller frees with OPENSSL_free. For our own
 * keys. */
nodiscard enum err csr_make(EVP_PKEY *key, uint8_t **ret_der, size_t *ret_len);

#endif
