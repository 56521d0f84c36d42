/*
 * stamp.h - time stamps of others on checkpoints (RFC 3161), by OpenSSL: when a signed note was
 * there at the latest. What is stamped is the whole note.
 */
#ifndef SEKISHO_AUDIT_STAMP_H
#define SEKISHO_AUDIT_STAMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	STAMP_REQUEST_MAX = 1024,
	STAMP_RESPONSE_MAX = 64 * 1024,
	STAMP_CONNECT_S = 3,
	STAMP_WAIT_S = 30,
};

/* Appends the request's DER: SHA-256, a random nonce, and the authority's certificate along. */
nodiscard enum err stamp_request(const char *note, size_t len, struct buf *request);

/* What the note's digest is in a response, without believing it yet. ERR_INVALID: not a response
 * that grants a stamp, or one of another digest than SHA-256. */
nodiscard enum err stamp_imprint(const void *response, size_t len, uint8_t ret_digest[32]);

/*
 * Whether the response stamps this note, and is signed for time stamping by somebody whose chain
 * ends at one of the certificates in ca_file (PEM). *ret_time_s: since 1970. ERR_INVALID: no
 * response; ERR_NOT_FOUND: ca_file cannot be read; ERR_CRYPTO: it does not hold.
 */
nodiscard enum err stamp_check(const void *response, size_t len, const char *note, size_t note_len,
			       const char *ca_file, int64_t *ret_time_s);

/*
 * The same where the request is at hand: it has to be the answer to it, nonce included. Without
 * looking at who signed.
 */
nodiscard enum err stamp_answers(const void *response, size_t len, const struct buf *request);

/* Sends the request by HTTP (RFC 3161 §3.4) and appends the response. url: http://… ERR_INVALID:
 * it is none. ERR_UNAVAILABLE: no answer, or not of this kind. */
nodiscard enum err stamp_fetch(const char *url, const struct buf *request, struct buf *response);

#endif
