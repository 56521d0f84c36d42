/*
 * meta.h - the one row that says how far the records have come.
 */
#ifndef SEKISHO_STORE_VAULT_META_H
#define SEKISHO_STORE_VAULT_META_H

#include "store/vault/guarded.h"

struct meta_row {
	uint64_t counter; /* of committed changes */
	uint64_t seq;     /* the highest entry of the audit log that let something happen */
	bool has_mac;
	uint8_t mac[GUARDED_MAC];
};

nodiscard enum err meta_get(struct db *db, struct meta_row *ret);
nodiscard enum err meta_put(struct db *db, const struct meta_row *meta);

#endif
