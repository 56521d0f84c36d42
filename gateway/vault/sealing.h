/*
 * sealing.h - what records say, sealed: AES-256-GCM with a fresh key for each version, which is
 * kept beside it under the record's group key (AES-KWP, vault/keyring). What it is bound to is what
 * it is, of which record, client, class and purposes, and which version: put in another's place it
 * opens no more.
 */
#ifndef SEKISHO_VAULT_SEALING_H
#define SEKISHO_VAULT_SEALING_H

#include "vault/records.h"

enum {
	SEALING_DATA_KEY = RECORD_DATA_KEY,
	SEALING_MORE = 28, /* bytes that something sealed has more: nonce and tag */
};

enum sealing_what {
	SEALING_CONTENT = 1,  /* a record's name and fields */
	SEALING_NUMBER = 2,   /* its Personal or Corporate Number */
	SEALING_REQUEST = 3,  /* what is said in a request */
	SEALING_DOCUMENT = 4, /* a document's name, and what else is known of it */
};

struct sealing_of {
	enum sealing_what what;
	const struct record_row *row; /* borrowed: id, client, class, purposes and key count */
	uint64_t part;   /* the request's or document's number; 0 for the record's own */
	int64_t version; /* of record, number or document; else 0 */
};

/* ret_sealed has room for len + SEALING_MORE. ERR_INVALID: the group key is damaged; ERR_NOT_FOUND:
 * it is destroyed. ERR_TOO_BIG, ERR_CRYPTO, ERR_NOMEM. */
nodiscard enum err sealing_put(struct records *records, const struct sealing_of *of,
			       const void *data, size_t len, uint8_t ret_data_key[SEALING_DATA_KEY],
			       uint8_t *ret_sealed);

/* ERR_INVALID: it is not what was sealed there; else as sealing_put. The caller frees. */
nodiscard enum err sealing_get(struct records *records, const struct sealing_of *of,
			       const uint8_t data_key[SEALING_DATA_KEY], const uint8_t *sealed,
			       size_t len, struct secret **ret);

/* From one group key under another. ERR_INVALID: it is not under that one. */
nodiscard enum err sealing_rewrap(struct records *records, uint64_t from, uint64_t to,
				  const uint8_t data_key[SEALING_DATA_KEY],
				  uint8_t ret[SEALING_DATA_KEY]);

#endif
