/*
 * certificates.h - the table of the devices' certificates: one device has a new one with each
 * renewal. Rows are never deleted. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_CERTIFICATES_H
#define SEKISHO_STORE_CERTIFICATES_H

#include "store/devices.h"

enum { CERTIFICATE_SERIAL = 16, CERTIFICATE_KEY_TYPE_MAX = 32 };

/* As kept in the database. */
enum certificate_state {
	CERTIFICATE_ACTIVE = 1,
	CERTIFICATE_SUPERSEDED = 2, /* a newer one was used: on the CRL, lets nobody in */
	CERTIFICATE_REVOKED = 3,
};

/* CRLReason, RFC 5280 §5.3.1. */
enum crl_reason {
	CRL_UNSPECIFIED = 0,
	CRL_KEY_COMPROMISE = 1,
	CRL_SUPERSEDED = 4,
	CRL_CESSATION = 5,
};

struct certificate {
	int64_t id;
	int64_t device;
	uint8_t key[DEVICE_KEY];
	uint8_t serial[CERTIFICATE_SERIAL]; /* big-endian */
	int64_t issuer;                     /* number of the issuing CA */
	int64_t not_before_s, not_after_s;
	char key_type[CERTIFICATE_KEY_TYPE_MAX + 1];
	int64_t key_place; /* enum key_place */
	int64_t state;     /* enum certificate_state */
	int64_t revoked_s; /* 0: not on a CRL */
	int64_t reason;    /* enum crl_reason */
	int64_t issued_s;
};

/* Takes all but id, state (active), revoked_s and reason. ERR_EXISTS: the serial. */
nodiscard enum err certificate_add(struct db *db, const struct certificate *certificate,
				   int64_t *ret_id);

/* The newest of a device. ERR_NOT_FOUND. */
nodiscard enum err certificate_newest(struct db *db, int64_t device, struct certificate *ret);

/* Whether the key was ever enrolled, also by a device that is revoked; *ret_device (0: never). */
nodiscard enum err certificate_key_owner(struct db *db, const uint8_t key[DEVICE_KEY],
					 int64_t *ret_device);

/*
 * Ends the device's active certificates, except the one with id keep (0: none). No error when there
 * is none.
 */
nodiscard enum err certificate_end(struct db *db, int64_t device, int64_t keep,
				   enum certificate_state state, enum crl_reason reason,
				   int64_t now_s);

/*
 * The certificate was seen in use: ends the device's older ones that have another key. Those with
 * the same key run out by themselves, because nobody can tell which of them a peer shows.
 */
nodiscard enum err certificate_supersede(struct db *db, int64_t device, int64_t seen,
					 int64_t now_s);

/*
 * A new one is made while the one with id used is in use: ends those in between, which were never
 * seen, unless they have the new one's key. *ret_count: how many.
 */
nodiscard enum err certificate_drop_unseen(struct db *db, int64_t device, int64_t used,
					   const uint8_t key[DEVICE_KEY], int64_t now_s,
					   int64_t *ret_count);

/* How many the device got from from_s up to until_s. */
nodiscard enum err certificate_count_issued(struct db *db, int64_t device, int64_t from_s,
					    int64_t until_s, int64_t *ret_count);

/*
 * Of one issuing CA: what belongs on its CRL, that is ended but has not run out at now_s. What was
 * revoked comes first, and of each kind the newest: a list that has no room for all must not miss
 * them for the many that renewals leave behind.
 */
void certificate_list_revoked(struct query *query, struct db *db, int64_t issuer, int64_t now_s);
nodiscard enum err certificate_next(struct query *query, struct certificate *ret, bool *ret_more);

#endif
