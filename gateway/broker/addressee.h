/*
 * addressee.h - whom an export is encrypted to: an auditor's registered certificate, or one that
 * the auditor brings along, of a court or a client for example. Who issued that is not asked: the
 * auditor answers for it, and the audit log has its subject and fingerprint.
 */
#ifndef SEKISHO_BROKER_ADDRESSEE_H
#define SEKISHO_BROKER_ADDRESSEE_H

#include "broker/cert.h"
#include "store/auditors.h"

enum {
	ADDRESSEE_TEXT_MAX = 12288, /* bytes, as msg_recording_export has it */
	/* Beside the longest purpose it must fit into an audit entry, with every byte escaped. */
	ADDRESSEE_SUBJECT_BYTES = 160,
};

struct addressee {
	int64_t auditor;                           /* its number; 0: it was brought along */
	char subject[ADDRESSEE_SUBJECT_BYTES + 1]; /* RFC 4514, cut off where it is longer */
	char fingerprint[CERT_FINGERPRINT_TEXT];
	struct buf der;
};

void addressee_init(struct addressee *recipient);
void addressee_finish(struct addressee *recipient);

/*
 * text: the number of a registered certificate, or PEM of one certificate and nothing else.
 * ERR_INVALID: neither. ERR_NOT_FOUND: no such number, or revoked. Errors of recipient_check.
 */
nodiscard enum err addressee_find(struct db *db, const char *text, int64_t now_s,
				  struct addressee *ret);

#endif
