/*
 * issuer.h - what the signer answers: orders checked, counted, written down, then signed. No
 * process, no clock, so that tests reach every rule.
 */
#ifndef SEKISHO_CERTS_ISSUER_H
#define SEKISHO_CERTS_ISSUER_H

#include <stdint.h>

#include "base/bucket.h"
#include "base/buf.h"
#include "certs/ca.h"
#include "certs/journal.h"
#include "wire/wire.h"

enum {
	ISSUER_PER_MINUTE = 60,
	ISSUER_GATEWAYS_PER_MINUTE = 10, /* the edge asks once when it starts */
};

struct issuer {
	struct ca *ca; /* owned */
	struct journal journal;
	/* Apart, so that a flood of one kind keeps neither a revocation from being published nor a
	 * device from being enrolled. */
	struct bucket devices, gateways, crls;
};

/* Opens or makes the CA and the journal in folder. Errors as ca_open and journal_open. */
nodiscard enum err issuer_init(struct issuer *issuer, const char *folder, const char *office,
			       int64_t now_s, bool *ret_made);
void issuer_finish(struct issuer *issuer);

/*
 * Appends the DER to buf. now_ms: seconds since 1970 times 1,000; mono_ms: monotonic.
 * ERR_THROTTLED; the errors of csr_check, profile_issue and journal_add.
 */
nodiscard enum err issuer_sign(struct issuer *issuer, const struct msg_sign *order, int64_t now_ms,
			       uint64_t mono_ms, struct buf *buf);
nodiscard enum err issuer_make_crl(struct issuer *issuer, const struct msg_make_crl *order,
				   int64_t now_ms, uint64_t mono_ms, struct buf *buf);

/* The CA's certificate as DER. */
nodiscard enum err issuer_ca(const struct issuer *issuer, struct buf *buf);

#endif
