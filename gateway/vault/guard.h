/*
 * guard.h - rows that say who sees what cannot be changed behind the vault's back. Each carries
 * HMAC-SHA256 over its table's name and its other columns (store/vault/guarded.h), and one more,
 * meta's, is over the counter of changes and the sum of all rows, so that none can be taken away,
 * added, or put back as it was.
 *
 * The sum is the XOR of one HMAC per row under another key (XMACC of Bellare, Guérin and Rogaway).
 * It is never on the disk: of MACs that somebody can see, he could choose old rows that sum up to
 * the same.
 *
 * Whoever changes such a row calls guard_before with its key while it is as it was (not for a new
 * one), and guard_after when it is as it shall be (not for one that is gone), within a write
 * transaction of records.h. Whoever reads one that decides something calls guard_check.
 */
#ifndef SEKISHO_VAULT_GUARD_H
#define SEKISHO_VAULT_GUARD_H

#include <openssl/evp.h>

#include "base/secret.h"
#include "store/vault/guarded.h"

enum { GUARD_MAC = GUARDED_MAC };

struct guard {
	struct db *db;                  /* borrowed */
	EVP_MAC_CTX *rows, *sum, *meta; /* one key each */
	uint8_t kept[GUARD_MAC];        /* the sum as of the last commit */
	uint8_t now[GUARD_MAC];         /* within a transaction */
};

/* key: the vault's own of this name. The sum is of no rows. guard_close in every case. */
nodiscard enum err guard_open(struct guard *guard, struct db *db, const struct secret *key);
void guard_close(struct guard *guard);

/* keys: as many as guarded_keys says. ERR_NOT_FOUND; ERR_INVALID: the row is not as it was written
 * here. */
nodiscard enum err guard_before(struct guard *guard, enum guarded_table table, const int64_t *keys);
nodiscard enum err guard_after(struct guard *guard, enum guarded_table table, const int64_t *keys);
nodiscard enum err guard_check(struct guard *guard, enum guarded_table table, const int64_t *keys);

/* For the many tables whose key is one number. */
nodiscard enum err guard_before_id(struct guard *guard, enum guarded_table table, uint64_t id);
nodiscard enum err guard_after_id(struct guard *guard, enum guarded_table table, uint64_t id);
nodiscard enum err guard_check_id(struct guard *guard, enum guarded_table table, uint64_t id);

/* Sums up all rows, at the unsealing. damaged is called for each that is not as it was written,
 * with its key. */
typedef void guard_damaged(void *ctx, enum guarded_table table, const int64_t *keys);
nodiscard enum err guard_read_all(struct guard *guard, guard_damaged *damaged, void *ctx);

/* meta's MAC, of the sum within the transaction. */
nodiscard enum err guard_meta(struct guard *guard, uint64_t counter, uint64_t seq,
			      uint8_t ret[GUARD_MAC]);

/* After the commit, and after a roll back. */
void guard_keep(struct guard *guard);
void guard_drop(struct guard *guard);

#endif
