/*
 * auditors.h - the certificates that recordings are sealed to: those of auditors, and the house's.
 * Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_AUDITORS_H
#define SEKISHO_STORE_AUDITORS_H

#include "base/buf.h"
#include "store/db.h"

enum {
	AUDITOR_FINGERPRINT = 32,
	AUDITOR_NAME_BYTES = 256,
	AUDITOR_CERTIFICATE_MAX = 8192,
	AUDITOR_USED = 1, /* states */
	AUDITOR_REVOKED = 2,
};

struct auditor_row {
	int64_t id;
	char name[AUDITOR_NAME_BYTES + 1];
	int64_t kind;                             /* enum auditor_kind of wire/enums.h */
	uint8_t fingerprint[AUDITOR_FINGERPRINT]; /* SHA-256 of the DER */
	int64_t not_after_s;
	int64_t state;
	int64_t created_s, revoked_s; /* revoked_s 0: not */
};

/* id, state and revoked_s of the row are not looked at. ERR_EXISTS: the certificate is there. */
nodiscard enum err auditor_add(struct db *db, const struct auditor_row *row, const uint8_t *der,
			       size_t len);

/* All, the oldest first; then auditor_next until *ret_more is false. */
void auditor_list(struct query *query, struct db *db);
nodiscard enum err auditor_next(struct query *query, struct auditor_row *ret, bool *ret_more);

/* Appends the DER of a person's certificate that is in use; whether it has run out is the caller's
 * to see. ERR_NOT_FOUND: none, the house's, or revoked. */
nodiscard enum err auditor_certificate(struct db *db, int64_t id, struct auditor_row *ret,
				       struct buf *der);

/* No recording that begins from now on is sealed to it. ERR_NOT_FOUND: none, or revoked already. */
nodiscard enum err auditor_revoke(struct db *db, int64_t id, int64_t now_s);

/* How many house certificates are in use and have not run out. */
nodiscard enum err auditor_houses(struct db *db, int64_t now_s, int64_t *ret_count);

/* When the last of the persons' certificates that are in use ends. ERR_NOT_FOUND: there is none. */
nodiscard enum err auditor_persons_until(struct db *db, int64_t *ret_until_s);

/* Appends the DER of each that is in use and has not run out; ret_count: how many, 0 is no error.
 */
nodiscard enum err auditor_recipients(struct db *db, int64_t now_s, struct buf *ders,
				      size_t *ret_count);

#endif
