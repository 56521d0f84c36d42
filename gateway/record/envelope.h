/*
 * envelope.h - one CMS message (RFC 5652) made as its content comes, so that one of any length
 * needs no memory: AuthEnvelopedData (RFC 5083) with AES-256-GCM (RFC 5084) to one certificate, in
 * BER of indefinite length. Whoever has the key opens it with `openssl cms -decrypt -inform DER`,
 * which says at its end whether all of it is as it was written.
 *
 * P-256: ephemeral-static ECDH, X9.63 KDF with SHA-256, AES-256 key wrap (RFC 5753). RSA: OAEP with
 * SHA-256 (RFC 3560).
 */
#ifndef SEKISHO_RECORD_ENVELOPE_H
#define SEKISHO_RECORD_ENVELOPE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* openssl cms reads a message into memory as a whole, and a buffer of its has at most 0x5ffffffc
 * bytes (BUF_MEM_grow). */
#define ENVELOPE_MAX ((uint64_t)1610600000)

enum { ENVELOPE_SHA256 = 32 };

struct envelope;

/* Takes the message's bytes as they come; what it answers but OK ends the envelope. */
typedef enum err envelope_write(void *ctx, const uint8_t *data, size_t len);

/* certificate must have passed recipient_check. most: bytes of the message; 0: ENVELOPE_MAX.
 * ERR_CRYPTO, ERR_NOMEM, and what write answers. */
nodiscard enum err envelope_new(X509 *certificate, uint64_t most, envelope_write *write, void *ctx,
				struct envelope **ret);
void envelope_free(struct envelope *envelope); /* NULL is allowed */

/* ERR_TOO_BIG: the message would have more bytes than it may. ERR_CRYPTO, and what write answers.
 */
nodiscard enum err envelope_add(struct envelope *envelope, const uint8_t *data, size_t len);

/* The last bytes, the tag among them. Nothing may be added after it. */
nodiscard enum err envelope_end(struct envelope *envelope);

/* Of what was written so far. ERR_CRYPTO. */
uint64_t envelope_bytes(const struct envelope *envelope);
nodiscard enum err envelope_sha256(const struct envelope *envelope, uint8_t ret[ENVELOPE_SHA256]);

#endif
