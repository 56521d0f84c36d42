/*
 * tree.h - the Merkle tree of RFC 6962 §2.1 over SHA-256, and the proofs of RFC 9162 §2.1.3 and
 * §2.1.4: an entry is in the log; a later log has all of an earlier one in the same place.
 *
 * A node is the hash of a complete subtree: level 0 are the leaves, and the node at (level, index)
 * covers the leaves from index << level on. A tree keeps its complete subtrees and nothing else;
 * everything here takes O(log n) of them.
 */
#ifndef SEKISHO_AUDIT_TLOG_TREE_H
#define SEKISHO_AUDIT_TLOG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	TREE_HASH = 32, /* bytes */
	TREE_LEVELS = 64,
	TREE_PROOF_MAX = TREE_LEVELS + 1, /* hashes in a proof */
};

#define TREE_SIZE_MAX ((uint64_t)INT64_MAX)

struct tree_proof {
	uint8_t hash[TREE_PROOF_MAX][TREE_HASH];
	size_t count;
};

/* Where nodes are kept. read: ERR_NOT_FOUND when it is not there. add may be NULL to only read. */
struct tree_store {
	enum err (*read)(void *ctx, unsigned level, uint64_t index, uint8_t ret_hash[TREE_HASH]);
	enum err (*add)(void *ctx, unsigned level, uint64_t index, const uint8_t hash[TREE_HASH]);
	void *ctx;
};

/* The only errors of hashing: ERR_CRYPTO. */
nodiscard enum err tree_leaf(const void *data, size_t len, uint8_t ret_hash[TREE_HASH]);
nodiscard enum err tree_parent(const uint8_t left[TREE_HASH], const uint8_t right[TREE_HASH],
			       uint8_t ret_hash[TREE_HASH]);

/* Adds the leaf at index, which is the size before, and the subtrees that it completes. Errors of
 * the store: then what was added is to be taken back by the caller's transaction. */
nodiscard enum err tree_append(const struct tree_store *store, uint64_t index,
			       const uint8_t leaf[TREE_HASH]);

/* The root of the tree of the first size leaves; SHA-256 of nothing for 0. */
nodiscard enum err tree_root(const struct tree_store *store, uint64_t size,
			     uint8_t ret_root[TREE_HASH]);

/* ERR_INVALID: index is not below size, old is above size, or size above TREE_SIZE_MAX. */
nodiscard enum err tree_inclusion(const struct tree_store *store, uint64_t index, uint64_t size,
				  struct tree_proof *ret);
nodiscard enum err tree_consistency(const struct tree_store *store, uint64_t old, uint64_t size,
				    struct tree_proof *ret);

/* Whether a proof holds; false also when a hash cannot be made. */
bool tree_includes(uint64_t index, uint64_t size, const uint8_t leaf[TREE_HASH],
		   const struct tree_proof *proof, const uint8_t root[TREE_HASH]);

/* An old of 0 has no proof and agrees with every tree. */
bool tree_is_consistent(uint64_t old, uint64_t size, const uint8_t old_root[TREE_HASH],
			const uint8_t root[TREE_HASH], const struct tree_proof *proof);

/* ---- reading a log from its first entry ------------------------------------------------- */

/* The complete subtrees that end at size, enough to go on and to say the root: no store is needed.
 * Zero it first. */
struct tree_edge {
	uint64_t size;
	uint8_t hash[TREE_LEVELS][TREE_HASH]; /* valid where size has the bit */
};

/* Adds a leaf. made is told each subtree, the leaf first; NULL: nobody is. Its error is returned.
 */
nodiscard enum err tree_edge_add(struct tree_edge *edge, const uint8_t leaf[TREE_HASH],
				 enum err (*made)(void *ctx, unsigned level, uint64_t index,
						  const uint8_t hash[TREE_HASH]),
				 void *ctx);
nodiscard enum err tree_edge_root(const struct tree_edge *edge, uint8_t ret_root[TREE_HASH]);

#endif
