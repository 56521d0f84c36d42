/*
 * ocsp.h - answers what became of a certificate (RFC 6960), for devices and programs that do not
 * read the CRL.
 */
#ifndef SEKISHO_CERTS_OCSP_H
#define SEKISHO_CERTS_OCSP_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/buf.h"
#include "certs/x509_build.h"

enum {
	OCSP_QUESTION_MAX = 2048,
	OCSP_SINGLES_MAX = 8, /* certificates in one question */
	OCSP_NONCE_MAX = 32,  /* RFC 8954 §2.1 */
	OCSP_NEXT_S = 3600,   /* an answer is good for so long */
};

enum ocsp_state {
	OCSP_STATE_GOOD,
	OCSP_STATE_REVOKED,
	OCSP_STATE_UNKNOWN, /* never issued by that CA */
};

struct ocsp_issuer {
	X509 *certificate;
	EVP_PKEY *key; /* NULL while the CA is locked: the client is told to try later */
};

struct ocsp_source {
	const struct ocsp_issuer *issuers;
	size_t count;
	/* What is known of a serial of that issuer; for REVOKED also seconds since 1970 and
	 * CRLReason. */
	enum ocsp_state (*state)(void *ctx, size_t issuer, const uint8_t serial[CERT_SERIAL_BYTES],
				 int64_t *ret_revoked_s, uint8_t *ret_reason);
	void *ctx;
};

/*
 * Appends an OCSPResponse in DER, signed by the key of the issuer that was asked about. OK also for
 * answers that refuse: a malformed question, CAs that are not ours or several at once
 * (unauthorized). now_s: seconds since 1970. ERR_NOMEM, ERR_CRYPTO: nothing to send.
 */
nodiscard enum err ocsp_answer(const struct ocsp_source *source, const uint8_t *question,
			       size_t len, int64_t now_s, struct buf *answer);

#endif
