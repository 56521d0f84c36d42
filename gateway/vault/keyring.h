/*
 * keyring.h - the keys that records are sealed under: one for each client, retention class and year
 * of collection, and the vault's own. They are in keys.db, apart from the records, each wrapped
 * (AES-KWP, vault/wrap) under a key that is derived from the root key; what is destroyed there is
 * destroyed for good. A key is on the disk before anything is sealed under it.
 *
 * When the root key changes there is a row for each of the two until root.json says which one
 * counts.
 */
#ifndef SEKISHO_VAULT_KEYRING_H
#define SEKISHO_VAULT_KEYRING_H

#include "base/secret.h"
#include "store/vault/key_rows.h"

enum { KEYRING_KEY = 32 };

struct keyring_slot;

struct keyring {
	struct db *db; /* NULL: sealed */
	struct secret *kek;
	int64_t generation;   /* of the root key */
	struct secret *slots; /* group keys that were used lately, in locked memory */
};

/* Opens <folder>/keys.db, made when it is not there; root is its root key of that generation. Keys
 * of a change of the root key that did not come to its end, or did, are cleared away. ERR_INVALID:
 * it has keys, but of another root key only. ERR_LOGIN: they are not of this root key.
 * keyring_close in every case. */
nodiscard enum err keyring_open(struct keyring *keyring, const char *folder,
				const struct secret *root, int64_t generation);
/* Wipes all keys. Harmless on a zeroed or closed one. */
void keyring_close(struct keyring *keyring);

/* Of which root key the keys in <folder>/keys.db are; 0: there are none. ERR_IO, ERR_UNAVAILABLE.
 */
nodiscard enum err keyring_of(const char *folder, int64_t *ret_generation);

/* One of the vault's own, made when it is not there. The caller frees. */
nodiscard enum err keyring_own(struct keyring *keyring, const char *name, struct secret **ret);

/* The number of the key for new records of a client, class and year, made when there is none. */
nodiscard enum err keyring_group(struct keyring *keyring, uint64_t client, uint64_t class,
				 int64_t year, uint64_t *ret);

/* A group key; borrowed, until the next call of any function here. ERR_NOT_FOUND: destroyed.
 * ERR_INVALID: damaged. */
nodiscard enum err keyring_use(struct keyring *keyring, uint64_t id, const uint8_t **ret);

/* A new key in place of this one, for what remains of its group: the caller re-wraps that and then
 * destroys the old one. */
nodiscard enum err keyring_replace(struct keyring *keyring, uint64_t id, uint64_t *ret);
nodiscard enum err keyring_destroy(struct keyring *keyring, uint64_t id);

/*
 * For root_renew, before root.json changes: all keys also under a key of the new root key. folder:
 * where keys.db is when it is not open. When root.json has changed keyring_take_root makes that the
 * one that counts, also when it fails to clear the others away; should the power fail between them,
 * keyring_open does.
 */
nodiscard enum err keyring_prepare(struct keyring *keyring, const char *folder,
				   const struct secret *old, int64_t generation,
				   const struct secret *fresh, int64_t fresh_generation);
nodiscard enum err keyring_take_root(struct keyring *keyring, const struct secret *root,
				     int64_t generation);

#endif
