/*
 * identity.h - who a peer's certificate says it is. The edge sees this header and nothing else of
 * certs/.
 */
#ifndef SEKISHO_CERTS_IDENTITY_H
#define SEKISHO_CERTS_IDENTITY_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "wire/wire.h"

/* SHA-256 of the DER SubjectPublicKeyInfo. */
nodiscard enum err identity_of(const X509 *certificate, uint8_t ret_device[WIRE_DEVICE_ID]);

/*
 * The device of a finished handshake: ERR_AUTH unless there is a certificate AND its verification
 * ended well (the verify result alone is OK without one).
 */
nodiscard enum err identity_of_peer(const SSL *ssl, uint8_t ret_device[WIRE_DEVICE_ID]);

/*
 * Sets up ctx to demand a client certificate of the office: store with only ca (and crl when given,
 * then checked), purpose SSL client, the CA's name as the only hint, TLS 1.3 only, no tickets, no
 * session cache, no renegotiation. Replaces what was there; called again when the CRL changes.
 */
nodiscard enum err identity_require(SSL_CTX *ctx, X509 *ca, X509_CRL *crl);

#endif
