/*
 * house.h - the house key: what every recording is sealed to besides the auditors' own
 * certificates. P-256, in <folder>/house.key, encrypted under a passphrase (certs/key_file.h), and
 * its certificate in house.crt (DER). While it is open the key is in OpenSSL's secure heap, locked
 * and wiped.
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

enum vault_state house_state(const struct house *house);

/*
 * Makes the key; afterwards it is open. ERR_EXISTS: there is one, which is never replaced: nobody
 * else can open what was sealed to it. ERR_INVALID: the passphrase is too short or too long.
 * ERR_IO, ERR_FULL, ERR_CRYPTO.
 */
nodiscard enum err house_init(struct house *house, const struct secret *passphrase);

/* OK also when it is open already and the passphrase is right. ERR_NOT_FOUND: there is no key.
 * ERR_LOGIN: the passphrase is wrong. Errors of key_read. */
nodiscard enum err house_unseal(struct house *house, const struct secret *passphrase);
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
