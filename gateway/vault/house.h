/*
 * house.h - the house key: what every recording is sealed to besides the auditors' own
 * certificates. P-256; it is kept under the root key (vault/root.h), and its certificate lies in
 * <folder>/house.crt (DER). While it is open the key is in OpenSSL's secure heap, locked and wiped.
 */
#ifndef SEKISHO_VAULT_HOUSE_H
#define SEKISHO_VAULT_HOUSE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "wire/enums.h"
#include "wire/wire.h"

enum {
	HOUSE_CERTIFICATE_MAX = 8192,
	HOUSE_CSR_MAX = 8192,
	HOUSE_RENEW_S =
		90 * 24 * 3600, /* before its end the certificate is renewed, for the same key */
};

struct house {
	const char *folder; /* borrowed */
	EVP_PKEY *key;      /* NULL: sealed, or there is none */
	X509 *certificate;  /* NULL: none yet */
};

/* Before any key is made or read; once in a process. ERR_NOMEM: no locked memory. */
nodiscard enum err house_prepare(void);

/* Reads the certificate, if there is one; sealed. A damaged one is logged and counts as none. */
nodiscard enum err house_open(struct house *house, const char *folder);
void house_finish(struct house *house);

/*
 * The key as it was kept before there were root keys: <folder>/house.key, PEM under a passphrase of
 * its own. ERR_NOT_FOUND; ERR_LOGIN: the passphrase is wrong. Errors of key_read. The caller frees.
 */
bool house_old_is(const struct house *house);
nodiscard enum err house_old_read(const struct house *house, const struct secret *passphrase,
				  EVP_PKEY **ret);
/* Once it is kept elsewhere. ERR_IO. */
nodiscard enum err house_old_remove(const struct house *house);

/* A new key; nothing is kept. ERR_CRYPTO. The caller frees. */
nodiscard enum err house_make(EVP_PKEY **ret);

/* The key in the form in which it is kept: private and public half. ERR_CRYPTO: it is none of
 * P-256; ERR_NOMEM. The caller frees. */
nodiscard enum err house_encode(EVP_PKEY *key, struct secret **ret);

/* Opens the house with what house_encode gave; one that is open stays, as recordings may be using
 * it. A certificate of another key is dropped. ERR_INVALID: it is no such key. */
nodiscard enum err house_unseal(struct house *house, const struct secret *encoded);
void house_seal(struct house *house);

/* Whether a certificate has to be asked for: the house is open, and has none or an old one. */
bool house_wants_certificate(const struct house *house, int64_t now_s);

/* Appends a request for it. ERR_LOCKED, ERR_CRYPTO. */
nodiscard enum err house_csr(const struct house *house, struct buf *csr);

/* Keeps it. ERR_LOCKED; ERR_INVALID: not one certificate, or another key's. */
nodiscard enum err house_set_certificate(struct house *house, struct bytes der);

/* Appends its DER; nothing without one. */
nodiscard enum err house_certificate(const struct house *house, struct buf *der);

#endif
