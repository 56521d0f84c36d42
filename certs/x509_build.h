/*
 * x509_build.h - the steps that the CA's own certificate and those it issues have in common.
 */
#ifndef SEKISHO_CERTS_X509_BUILD_H
#define SEKISHO_CERTS_X509_BUILD_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/err.h"

enum {
	CERT_SERIAL_BYTES = 16,
	CERT_NAME_MAX = 64 /* characters: ub-common-name, RFC 5280 appendix A */
};

/* A random serial number (RFC 5280 §4.1.2.2; CA/Browser Forum: at least 64 bits). */
nodiscard enum err x509_set_random_serial(X509 *certificate);

/* The serial as CERT_SERIAL_BYTES bytes, big-endian. ERR_TOO_BIG when it does not fit. */
nodiscard enum err x509_serial(const X509 *certificate, uint8_t ret_serial[CERT_SERIAL_BYTES]);

/* Seconds since 1970; after the year 2049 the form changes as RFC 5280 §4.1.2.5 wants. */
nodiscard enum err x509_set_validity(X509 *certificate, int64_t from_s, int64_t until_s);

/* An extension in the notation of x509v3_config(5). value is one of our constants, never a peer's
 * text. */
nodiscard enum err x509_add_extension(X509 *certificate, X509 *issuer, int nid, const char *value);

/* One attribute of a name, UTF-8. ERR_INVALID unless it has 1 to CERT_NAME_MAX characters, none a
 * control one. */
nodiscard enum err x509_add_name(X509_NAME *name, int nid, const char *value);

#endif
