/*
 * totp.h - time-based one-time codes (RFC 6238: SHA-1, six digits, 30 s) through liboath. Nothing
 * here remembers a code: the caller stores the step of each accepted one and refuses it a second
 * time.
 */
#ifndef SEKISHO_AUTH_TOTP_H
#define SEKISHO_AUTH_TOTP_H

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

enum {
	TOTP_DIGITS = 6,
	TOTP_STEP_S = 30,
	TOTP_KEY_BYTES = 20, /* RFC 4226 §4 R6 */
};

/* A fresh key. ERR_NOMEM. */
nodiscard enum err totp_new(struct secret **ret_key);

/*
 * Whether code is the one of the step at now_s (seconds since 1970 UTC), the one before or the one
 * after. ret_step is that step, counted from 1970. ERR_LOGIN for any wrong code, ERR_CRYPTO for a
 * key that cannot be one of ours.
 */
nodiscard enum err totp_check(const struct secret *key, const char *code, int64_t now_s,
			      uint64_t *ret_step);

/* The step at now_s: stored at enrolment so that the code used to set up cannot log in. */
uint64_t totp_step(int64_t now_s);

/* The key in base32 without padding, for typing into an app. ERR_NOMEM. */
nodiscard enum err totp_base32(const struct secret *key, struct secret **ret_text);

/* The otpauth:// URI for a QR code; issuer and account are percent-encoded. ERR_NOMEM, ERR_TOO_BIG.
 */
nodiscard enum err totp_uri(const struct secret *key, const char *issuer, const char *account,
			    struct secret **ret_uri);

#endif
