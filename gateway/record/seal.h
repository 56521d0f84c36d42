/*
 * seal.h - chunks sealed to the auditors' certificates and opened with an auditor's key: CMS
 * AuthEnvelopedData (RFC 5083, RFC 5084) with AES-256-GCM, one KeyAgreeRecipientInfo per recipient
 * (RFC 5753, ephemeral-static ECDH on P-256, X9.63 KDF with SHA-256, AES-256 key wrap).
 *
 * The running hash over the sealed chunks is what the audit log keeps; it needs no key:
 * R_0 = 32 zero bytes, R_{n+1} = SHA-256(R_n ‖ SHA-256(DER of chunk n)).
 */
#ifndef SEKISHO_RECORD_SEAL_H
#define SEKISHO_RECORD_SEAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/chunk.h"
#include "record/shape.h"

enum {
	SEAL_RECIPIENTS_MAX = SHAPE_RECIPIENTS_MAX,
	SEAL_DER_MAX = SHAPE_DER_MAX,      /* bytes of a sealed chunk */
	SEAL_CERTIFICATES_MAX = 48 * 1024, /* bytes of all recipients' certificates */
};

struct seal_recipients;

/*
 * Whether a recording may be sealed to this certificate, as far as it shows itself; who issued it,
 * and whether it is revoked, is the caller's to know. ERR_KEY: the key is not on P-256.
 * ERR_EXPIRED: not valid at now_s (not yet, or no more). ERR_INVALID: not of the office's auditor
 * profile, which is: no CA, key usage keyAgreement alone, extended key usage emailProtection alone,
 * a subject key identifier.
 */
nodiscard enum err seal_recipient_check(X509 *certificate, int64_t now_s);

/*
 * Certificates in DER, one after another, each checked as above: one wrong one is an error of the
 * whole, because whoever it stands for could not open what they may. ERR_INVALID also for none, for
 * more than SEAL_RECIPIENTS_MAX, and for bytes left over. ERR_TOO_BIG, ERR_NOMEM. The caller frees.
 */
nodiscard enum err seal_recipients_new(const uint8_t *der, size_t len, int64_t now_s,
				       struct seal_recipients **ret);
void seal_recipients_free(struct seal_recipients *recipients); /* NULL is allowed */
size_t seal_recipients_count(const struct seal_recipients *recipients);

/*
 * Appends the DER of one sealed chunk; of der nothing changes on failure. recipients may be used by
 * one thread at a time. ERR_TOO_BIG: plain is over CHUNK_MAX, or der would pass its ceiling.
 * ERR_CRYPTO, ERR_NOMEM.
 */
nodiscard enum err seal_chunk(const struct seal_recipients *recipients, const uint8_t *plain,
			      size_t len, struct buf *der);

/*
 * Opens one chunk, after shape_check; certificate may be NULL, then every recipient is tried.
 * Appends to plain, and nothing of a chunk that is not authentic. The caller wipes. ERR_PROTOCOL:
 * no chunk of ours, ERR_DENIED: not sealed to this key, ERR_CRYPTO: sealed to it, but changed
 * since, ERR_TOO_BIG, ERR_NOMEM.
 */
nodiscard enum err seal_open(EVP_PKEY *key, X509 *certificate, const uint8_t *der, size_t len,
			     struct buf *plain);

/* SHA-256 of a sealed chunk. */
nodiscard enum err seal_hash(const uint8_t *der, size_t len, uint8_t ret[CHUNK_HASH]);

/* R_n becomes R_{n+1} by the hash of chunk n; start with zeros. */
nodiscard enum err seal_running(uint8_t running[CHUNK_HASH], const uint8_t hash[CHUNK_HASH]);

#endif
