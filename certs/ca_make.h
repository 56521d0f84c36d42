/*
 * ca_make.h - the certificates of the office CA itself (RFC 5280): a root that may be kept away
 * from the gateway, and below it the CA that issues. Both have numbers in their names, so that an
 * older one is told from a newer one by name too.
 */
#ifndef SEKISHO_CERTS_CA_MAKE_H
#define SEKISHO_CERTS_CA_MAKE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	CA_ROOT_YEARS = 20,
	CA_ISSUING_YEARS = 5,
	CA_BACKDATE_S = 24 * 3600, /* clocks of laptops and gateway may differ on the first day */
};

/* A fresh P-256 key. The caller frees. */
nodiscard enum err ca_make_key(EVP_PKEY **ret);

/* key: with its private half. office is cut to fit. now_s: since 1970. The caller frees. */
nodiscard enum err ca_make_root(EVP_PKEY *key, const char *office, uint32_t number, int64_t now_s,
				X509 **ret);

/*
 * key: the public half is enough. Ends with its root at the latest. ERR_EXPIRED: the root has run
 * out, or has not begun. The caller frees.
 */
nodiscard enum err ca_make_issuing(EVP_PKEY *key, X509 *root, EVP_PKEY *root_key,
				   const char *office, uint32_t number, int64_t now_s, X509 **ret);

/* The certificate is one of a CA, and issuer's key has signed it. */
bool ca_is_signed_by(X509 *certificate, X509 *issuer);

/* key makes signatures that the certificate's key verifies; works with keys in a token too. */
bool ca_key_fits(X509 *certificate, EVP_PKEY *key);

/* now_s is before the certificate's beginning, or after its end. */
bool ca_is_early(const X509 *certificate, int64_t now_s);
bool ca_is_over(const X509 *certificate, int64_t now_s);

#endif
