/*
 * recipient.h - to whom something that leaves the office may be encrypted: anybody's certificate
 * that is good for it, not only the office's own (compare seal_recipient_check).
 */
#ifndef SEKISHO_RECORD_RECIPIENT_H
#define SEKISHO_RECORD_RECIPIENT_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/err.h"

enum { RECIPIENT_DER_MAX = 8192, RECIPIENT_RSA_BITS_MIN = 2048 };

/*
 * As far as the certificate shows itself; who issued it, and whether it is revoked, is the caller's
 * to know. ERR_KEY: neither P-256 nor RSA of RECIPIENT_RSA_BITS_MIN to 16384 bits. ERR_EXPIRED: not
 * valid at now_s (not yet, or no more). ERR_INVALID: a CA's, or its key usage forbids keyAgreement
 * (P-256) or keyEncipherment (RSA), or its extended key usage is for other things than mail.
 */
nodiscard enum err recipient_check(X509 *certificate, int64_t now_s);

/* One certificate in DER and nothing after it, checked as above. ERR_INVALID, ERR_TOO_BIG. The
 * caller frees. */
nodiscard enum err recipient_parse(const uint8_t *der, size_t len, int64_t now_s, X509 **ret);

#endif
