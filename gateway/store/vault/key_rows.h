/*
 * key_rows.h - the vault's key store: group keys and own keys, each wrapped under a key of the root
 * key of one generation. For vault/keyring alone.
 */
#ifndef SEKISHO_STORE_VAULT_KEY_ROWS_H
#define SEKISHO_STORE_VAULT_KEY_ROWS_H

#include "store/db.h"

enum { KEY_WRAPPED = 40, KEY_NAME = 33 };

struct group_key_row {
	uint64_t id;
	int64_t generation;
	uint64_t client, class;
	int64_t year;
	uint8_t wrapped[KEY_WRAPPED];
	int64_t made;
};

/* The number that the next group key gets; it is taken with the transaction. */
nodiscard enum err group_key_take_id(struct db *db, uint64_t *ret);
nodiscard enum err group_key_insert(struct db *db, const struct group_key_row *row);
nodiscard enum err group_key_by_id(struct db *db, uint64_t id, int64_t generation,
				   struct group_key_row *ret);
/* The newest of a client, class and year. */
nodiscard enum err group_key_of(struct db *db, uint64_t client, uint64_t class, int64_t year,
				int64_t generation, struct group_key_row *ret);
/* All of a generation in the order of ids; group_key_next reads them. */
void group_key_select(struct query *query, struct db *db, int64_t generation);
nodiscard enum err group_key_next(struct query *query, struct group_key_row *ret, bool *ret_more);
/* Of all generations. */
nodiscard enum err group_key_delete(struct db *db, uint64_t id);

struct own_key_row {
	char name[KEY_NAME];
	int64_t generation;
	uint8_t wrapped[KEY_WRAPPED];
};

nodiscard enum err own_key_insert(struct db *db, const struct own_key_row *row);
nodiscard enum err own_key_by_name(struct db *db, const char *name, int64_t generation,
				   struct own_key_row *ret);
void own_key_select(struct query *query, struct db *db, int64_t generation);
nodiscard enum err own_key_next(struct query *query, struct own_key_row *ret, bool *ret_more);

/* Whether there are keys of this generation, and whether of others. */
nodiscard enum err keys_generations(struct db *db, int64_t generation, bool *ret_these,
				    bool *ret_others);
/* The lowest of which the vault has a key of its own, 0 without any. While the root key changes
 * that is the one of before. */
nodiscard enum err keys_lowest(struct db *db, int64_t *ret_generation);
/* Removes all keys but those of one generation. */
nodiscard enum err keys_keep(struct db *db, int64_t generation);

#endif
