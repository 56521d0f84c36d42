/*
 * journal.h - the signer's own list of what it issued, on disk before an answer leaves. Whoever
 * takes over the broker can ask for certificates, but not without a line here.
 */
#ifndef SEKISHO_CERTS_JOURNAL_H
#define SEKISHO_CERTS_JOURNAL_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct journal {
	int fd;      /* -1 while closed */
	bool broken; /* a half line could not be taken back */
};

/* Appends to the file, made with mode 0600 when missing. */
nodiscard enum err journal_open(struct journal *journal, const char *path);
void journal_close(struct journal *journal);

/*
 * One line: seconds since 1970, serial, profile, end of validity, SHA-256 of the certificate,
 * owner, name, with tabs between. Returns after fsync. ERR_FULL, ERR_IO: nothing was added and the
 * certificate must not leave.
 */
nodiscard enum err journal_add(struct journal *journal, int64_t now_s, const char *profile,
			       X509 *certificate, const char *owner, const char *name);

#endif
