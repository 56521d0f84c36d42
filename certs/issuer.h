/*
 * issuer.h - what the signer answers: orders checked, counted, written down, then signed. No
 * process, no clock, so that tests reach every rule.
 */
#ifndef SEKISHO_CERTS_ISSUER_H
#define SEKISHO_CERTS_ISSUER_H

#include <stdint.h>

#include "base/bucket.h"
#include "base/buf.h"
#include "certs/ca_store.h"
#include "certs/journal.h"
#include "wire/wire.h"

enum {
	ISSUER_PER_MINUTE = 60,
	ISSUER_GATEWAYS_PER_MINUTE = 10, /* the edge asks once when it starts */
	ISSUER_CHECKS_PER_MINUTE = 120,
	ISSUER_QUESTIONS_PER_MINUTE = 600,
	ISSUER_CHANGES_PER_MINUTE = 12, /* each tries a passphrase */
	ISSUER_KEY_TYPE_MAX = 32,
};

/* What the last list of revoked certificates of an issuing CA said. */
struct issuer_revoked {
	uint32_t issuer; /* 0: unused */
	struct buf entries;
};

struct issuer {
	struct ca_store cas;
	struct journal journal;
	struct issuer_revoked revoked[CA_LIST_MAX];
	const char *base_url; /* of the enrolment port, for CRL and OCSP in certificates; borrowed,
				 NULL: none */
	/* The only name in certificates of gateways: people trust the root for every name, so a
	 * broker that was broken into must not get one for their bank. Borrowed, NULL: none. */
	const char *gateway_name;
	/* Apart, so that a flood of one kind keeps neither a revocation from being published nor a
	 * device from being enrolled. */
	struct bucket devices, gateways, crls, checks, questions, changes;
};

/*
 * Opens or makes CAs and journal in place->folder. passphrase NULL: none. Errors as ca_store_open
 * and journal_open.
 */
nodiscard enum err issuer_init(struct issuer *issuer, const struct ca_place *place,
			       const struct secret *passphrase, int64_t now_s, bool *ret_made);
void issuer_finish(struct issuer *issuer);

struct issuer_signed {
	uint32_t issuer;
	struct buf certificate, chain; /* DER; initialised by the caller */
};

/*
 * now_ms: since 1970; mono_ms: monotonic. ERR_LOCKED; ERR_UNAVAILABLE: the clock stands before
 * the CA's beginning or after its end (logged); ERR_THROTTLED; errors of csr_check, profile_issue
 * and journal_add.
 */
nodiscard enum err issuer_sign(struct issuer *issuer, const struct msg_sign *order, int64_t now_ms,
			       uint64_t mono_ms, struct issuer_signed *ret);

/* Appends the DER to buf. ERR_LOCKED, ERR_NOT_FOUND: no such issuing CA; ERR_THROTTLED; of
 * crl_make. */
nodiscard enum err issuer_make_crl(struct issuer *issuer, const struct msg_make_crl *order,
				   int64_t now_ms, uint64_t mono_ms, struct buf *buf);

/* ERR_THROTTLED; errors of csr_check. Needs no key. */
nodiscard enum err issuer_check(struct issuer *issuer, const struct msg_check_csr *order,
				uint64_t mono_ms, uint8_t ret_key[WIRE_DEVICE_ID],
				char ret_type[ISSUER_KEY_TYPE_MAX + 1]);

/*
 * Appends the answer to buf. While a CA is locked, or no list was made since the start, those who
 * ask are told to try later. ERR_THROTTLED; errors of ocsp_answer.
 */
nodiscard enum err issuer_answer(struct issuer *issuer, const struct msg_answer_ocsp *order,
				 int64_t now_s, uint64_t mono_ms, struct buf *buf);

/*
 * *ret_root (may stay NULL): the root's key in PEM, encrypted; the caller frees. ERR_WRONG_STATE: a
 * device's certificate was issued already; ERR_THROTTLED; errors of ca_store.h and
 * ca_root.h.
 */
nodiscard enum err issuer_change(struct issuer *issuer, const struct msg_change_ca *order,
				 int64_t now_s, uint64_t mono_ms, struct secret **ret_root);

#endif
