/*
 * pkcs12.h - key and certificates of a device in one encrypted file (RFC 7292), for devices that
 * cannot make a key themselves. Made once, never stored by the gateway.
 */
#ifndef SEKISHO_CERTS_PKCS12_H
#define SEKISHO_CERTS_PKCS12_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/secret.h"

enum pkcs12_kind {
	PKCS12_MODERN,     /* PBES2: PBKDF2-SHA-256, AES-256-CBC; SHA-256 MAC */
	PKCS12_COMPATIBLE, /* 3DES and SHA-1, for phones that refuse AES */
};

/* Appends the DER. chain: the issuing CA and those above it, borrowed; devices that are asked to
 * present a chain take it from here. name is what certificate stores show. ERR_INVALID: an empty
 * password. ERR_CRYPTO. */
nodiscard enum err pkcs12_make(enum pkcs12_kind kind, EVP_PKEY *key, X509 *certificate,
			       STACK_OF(X509) * chain, const char *name,
			       const struct secret *password, struct buf *buf);

#endif
