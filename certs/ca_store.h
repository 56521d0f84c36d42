/*
 * ca_store.h - all CAs of the office, one per number: <folder>/ca/<N>/. The highest number issues,
 * the others only answer for what they issued. Every change appears on disk whole or not at all.
 */
#ifndef SEKISHO_CERTS_CA_STORE_H
#define SEKISHO_CERTS_CA_STORE_H

#include <stddef.h>

#include "base/buf.h"
#include "certs/ca.h"
#include "certs/ca_folder.h"
#include "wire/wire.h"

enum {
	CA_LIST_MAX = 8, /* so that all certificates fit a message */
	CA_PASSPHRASE_MIN = 8,
};

/* Strings and token are borrowed, and outlive the store. */
struct ca_place {
	const char *folder; /* the signer's own */
	const char *office;
	struct token *token;   /* NULL: keys are in files */
	const char *token_uri; /* of the key for the next issuing CA */
};

struct ca_store {
	struct ca_place place;
	struct ca *list[CA_LIST_MAX]; /* owned, the newest first */
	size_t count;
};

/*
 * Reads what is there, or makes the first CA where nothing is and may_make says so (*ret_made);
 * ERR_NOT_FOUND otherwise, because a fresh CA would lock every device out without a word. With a
 * token and no passphrase nothing is made yet: it then counts as locked. A passphrase that is wrong
 * is logged, and the store stays locked. Errors of ca_read.
 */
nodiscard enum err ca_store_open(struct ca_store *store, const struct ca_place *place,
				 const struct secret *passphrase, int64_t now_s, bool may_make,
				 bool *ret_made);
void ca_store_finish(struct ca_store *store);

/* NULL: there is none yet. */
struct ca *ca_store_newest(const struct ca_store *store);
struct ca *ca_store_find(const struct ca_store *store, uint32_t number);

/* The newest has no key, or there is none. */
bool ca_store_is_locked(const struct ca_store *store);

/* Whether a CA still answers: its certificate has not run out, or there is no newer one. */
bool ca_store_is_live(const struct ca_store *store, const struct ca *ca, int64_t now_s);

/* ERR_LOGIN: the passphrase is wrong. ERR_WRONG_STATE: there is no CA yet, or its keys are in the
 * clear. */
nodiscard enum err ca_store_unlock(struct ca_store *store, const struct secret *passphrase);

/* An order to the store. */
struct ca_change {
	const struct secret *passphrase; /* NULL: none */
	struct bytes root;               /* the root's key in PEM when it is kept elsewhere */
	bool new_root;
	int64_t now_s;
};

/*
 * A CA with a new root in place of all there are. ERR_INVALID: the passphrase is missing or too
 * short.
 */
nodiscard enum err ca_store_init(struct ca_store *store, const struct ca_change *change);

/*
 * One more CA. ERR_LOGIN: the passphrase is not that of the CA in use. ERR_WRONG_STATE: there is
 * none, or it comes with a passphrase although that CA's keys are in the clear. ERR_NOT_FOUND: the
 * root's key is not here and did not come along. ERR_INVALID: it is another root's. ERR_EXPIRED:
 * the root has run out. ERR_EXISTS: the token's key is in use already. ERR_FULL: CA_LIST_MAX, or
 * the disk.
 */
nodiscard enum err ca_store_rotate(struct ca_store *store, const struct ca_change *change);

#endif
