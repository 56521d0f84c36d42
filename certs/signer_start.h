/*
 * signer_start.h - what the signer takes from its settings and from the monitor before it shuts
 * itself off.
 */
#ifndef SEKISHO_CERTS_SIGNER_START_H
#define SEKISHO_CERTS_SIGNER_START_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "wire/settings.h"

enum {
	SIGNER_URL_BYTES = 320,
	SIGNER_WARN_S = 180 * 24 * 3600, /* a CA that ends in less is mentioned at each start */
};

/*
 * The passphrase from the file that the monitor sends: its first bytes up to the end of a line,
 * which must be the file's end. is_pin: a token's, which may be short. ERR_INVALID, ERR_TOO_BIG;
 * ERR_TIMEOUT: nothing came. The caller frees.
 */
nodiscard enum err signer_passphrase(bool is_pin, struct secret **ret);

/* The same of an open file; the descriptor stays the caller's, and its position does not matter. */
nodiscard enum err signer_passphrase_of(int fd, bool is_pin, struct secret **ret);

/* https://name:port of the enrolment port. ERR_TOO_BIG. */
nodiscard enum err signer_base_url(const struct settings *settings, char url[SIGNER_URL_BYTES]);

#endif
