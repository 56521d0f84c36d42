/*
 * cert.h - certificates on their way from the signer to people: DER to text.
 */
#ifndef SEKISHO_BROKER_CERT_H
#define SEKISHO_BROKER_CERT_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/buf.h"
#include "wire/wire.h"

enum { CERT_FINGERPRINT_TEXT = 2 * 32 + 1 };

/* Takes the certificate at the start of *rest, DER, and moves *rest behind it. ERR_PROTOCOL. The
 * caller frees. */
nodiscard enum err cert_take(struct bytes *rest, X509 **ret);

/* Exactly one. */
nodiscard enum err cert_parse(struct bytes der, X509 **ret);

/* Appends PEM; of all when there are several, one after another. */
nodiscard enum err cert_pem(X509 *certificate, struct buf *pem);
nodiscard enum err cert_pem_all(struct bytes ders, struct buf *pem);

/* Self-signed: an office's root. */
bool cert_is_root(X509 *certificate);

/* SHA-256 of the DER in hexadecimal. */
nodiscard enum err cert_fingerprint(const X509 *certificate, char ret[CERT_FINGERPRINT_TEXT]);

/* Seconds since 1970. */
nodiscard enum err cert_seconds(const ASN1_TIME *time, int64_t *ret);

/* The first root among ders. ERR_NOT_FOUND. The caller frees. */
nodiscard enum err cert_root(struct bytes ders, X509 **ret);

#endif
