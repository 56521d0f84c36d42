/*
 * journal.h - the signer's own list of what it issued, on disk before an answer leaves, and in
 * memory for questions about it. Whoever takes over the broker can ask for certificates, but not
 * without a line here.
 */
#ifndef SEKISHO_CERTS_JOURNAL_H
#define SEKISHO_CERTS_JOURNAL_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "certs/x509_build.h"

enum { JOURNAL_KNOWN_MAX = 65536 };

struct journal_known {
	uint32_t issuer;
	uint8_t serial[CERT_SERIAL_BYTES];
};

struct journal {
	int fd;       /* -1 while closed */
	bool broken;  /* a half line could not be taken back */
	bool devices; /* a device's certificate was ever issued */
	uint64_t lines;
	/* The newest ones; owned. */
	struct journal_known *known;
	size_t known_count, known_next;
};

/*
 * Reads the file, made with mode 0600 when missing, and from then on appends to it. Half a line at
 * the end, of a crash before its certificate left, is cut off. ERR_INVALID: a line in it is not
 * ours (logged).
 */
nodiscard enum err journal_open(struct journal *journal, const char *path);
void journal_close(struct journal *journal);

struct journal_entry {
	int64_t now_s; /* since 1970 */
	uint32_t issuer;
	const char *profile;
	X509 *certificate;
	const char *owner, *name;
};

/*
 * One line: seconds since 1970, number of the issuing CA, serial, profile, end of validity, SHA-256
 * of the certificate, owner, name, with tabs between. Returns after fsync. ERR_FULL, ERR_IO:
 * nothing was added and the certificate must not leave.
 */
nodiscard enum err journal_add(struct journal *journal, const struct journal_entry *entry);

/* Whether that CA issued it. Of more than JOURNAL_KNOWN_MAX the oldest are forgotten. */
bool journal_knows(const struct journal *journal, uint32_t issuer,
		   const uint8_t serial[CERT_SERIAL_BYTES]);

#endif
