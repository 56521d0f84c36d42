/*
 * audit.h - the record of what happened, written in the same transaction as what it records: either
 * both are on the disk before an answer leaves, or neither is and the request fails.
 *
 * Each entry carries the SHA-256 of its fields and of the entry before, so that a changed or
 * missing one shows.
 */
#ifndef SEKISHO_AUDIT_AUDIT_H
#define SEKISHO_AUDIT_AUDIT_H

#include <jansson.h>

#include "store/audit_rows.h"

struct audit_entry {
	const char *event;   /* a constant in kebab-case */
	const char *account; /* NULL: none */
	int64_t device;      /* 0: none */
	const char *address; /* NULL: none */
	int64_t host;        /* 0: none */
	const char *session; /* 32 hex digits; NULL: none */
	/* An object, taken over by audit_append also when it fails; NULL: {}. Never a secret. One
	 * that does not fit into AUDIT_DETAIL_MAX bytes is replaced by {"cut":true}. */
	json_t *detail;
};

/*
 * ERR_WRONG_STATE outside a transaction. Strings that are too long or no UTF-8 are ERR_INVALID. Any
 * error means that the caller must not go on.
 */
nodiscard enum err audit_append(struct db *db, const struct audit_entry *entry);

/*
 * Checks all entries from the first. *ret_bad is the number of the first one that does not hold, 0
 * when all do; the chain cannot show that its end was cut off. Errors only when it cannot be read.
 */
nodiscard enum err audit_verify(struct db *db, int64_t *ret_bad);

#endif
