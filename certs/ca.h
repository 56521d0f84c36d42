/*
 * ca.h - the office CA: one P-256 key that never leaves the signer's folder, and its certificate.
 */
#ifndef SEKISHO_CERTS_CA_H
#define SEKISHO_CERTS_CA_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct ca;

/*
 * Reads ca.key and ca.crt from folder. Neither there: makes both (ret_made true). Only the key:
 * makes the certificate again, for a crash between the two writes. Only the certificate:
 * ERR_NOT_FOUND, because a fresh key would lock every device out without a word. now_s: seconds
 * since 1970. The caller frees. ERR_CRYPTO: the files do not belong together, or are not a CA's.
 * ERR_DENIED: others may read the key.
 */
nodiscard enum err ca_open(const char *folder, const char *office, int64_t now_s, bool *ret_made,
			   struct ca **ret);
void ca_free(struct ca *ca);
void ca_freep(struct ca **ca);

/* Borrowed. The key is for X509_sign and X509_CRL_sign only. */
X509 *ca_certificate(const struct ca *ca);
EVP_PKEY *ca_key(const struct ca *ca);

#endif
