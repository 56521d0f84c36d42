#include "audit/tlog/tree.h"

#include <openssl/evp.h>
#include <string.h>

/* ---- hashes ----------------------------------------------------------------------------- */

/* RFC 6962 §2.1: a byte before what is hashed keeps leaves and nodes apart. */
static enum err hash_of(int kind, const void *a, size_t a_len, const void *b, size_t b_len,
			uint8_t ret_hash[TREE_HASH])
{
	const uint8_t prefix = (uint8_t)kind;
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool done = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(digest, &prefix, sizeof(prefix)) == 1 &&
		    (!a_len || EVP_DigestUpdate(digest, a, a_len) == 1) &&
		    (!b_len || EVP_DigestUpdate(digest, b, b_len) == 1) &&
		    EVP_DigestFinal_ex(digest, ret_hash, NULL) == 1;

	EVP_MD_CTX_free(digest);
	return done ? OK : ERR_CRYPTO;
}

enum err tree_leaf(const void *data, size_t len, uint8_t ret_hash[TREE_HASH])
{
	return hash_of(0, data, len, NULL, 0, ret_hash);
}

enum err tree_parent(const uint8_t left[TREE_HASH], const uint8_t right[TREE_HASH],
		     uint8_t ret_hash[TREE_HASH])
{
	return hash_of(1, left, TREE_HASH, right, TREE_HASH, ret_hash);
}

static enum err empty_root(uint8_t ret_root[TREE_HASH])
{
	return EVP_Digest("", 0, ret_root, NULL, EVP_sha256(), NULL) == 1 ? OK : ERR_CRYPTO;
}

/* ---- growing ---------------------------------------------------------------------------- */

enum err tree_append(const struct tree_store *store, uint64_t index, const uint8_t leaf[TREE_HASH])
{
	uint8_t hash[TREE_HASH], left[TREE_HASH];
	unsigned level = 0;
	enum err err = index < TREE_SIZE_MAX ? OK : ERR_INVALID;

	memcpy(hash, leaf, TREE_HASH);
	if (!err)
		err = store->add(store->ctx, level, index, hash);
	for (; !err && (index & 1); index >>= 1) {
		err = store->read(store->ctx, level, index - 1, left);
		if (!err)
			err = tree_parent(left, hash, hash);
		if (!err)
			err = store->add(store->ctx, ++level, index >> 1, hash);
	}
	return err;
}

enum err tree_edge_add(struct tree_edge *edge, const uint8_t leaf[TREE_HASH],
		       enum err (*made)(void *ctx, unsigned level, uint64_t index,
					const uint8_t hash[TREE_HASH]),
		       void *ctx)
{
	uint64_t index = edge->size;
	uint8_t hash[TREE_HASH];
	unsigned level = 0;
	enum err err = index < TREE_SIZE_MAX ? OK : ERR_INVALID;

	memcpy(hash, leaf, TREE_HASH);
	if (!err && made)
		err = made(ctx, level, index, hash);
	for (; !err && (index & 1); index >>= 1) {
		err = tree_parent(edge->hash[level++], hash, hash);
		if (!err && made)
			err = made(ctx, level, index >> 1, hash);
	}
	if (err)
		return err;
	memcpy(edge->hash[level], hash, TREE_HASH);
	edge->size++;
	return OK;
}

enum err tree_edge_root(const struct tree_edge *edge, uint8_t ret_root[TREE_HASH])
{
	bool first = true;
	enum err err = OK;

	if (!edge->size)
		return empty_root(ret_root);
	for (unsigned level = 0; !err && level < TREE_LEVELS; level++) {
		if (!(edge->size >> level & 1))
			continue;
		if (first)
			memcpy(ret_root, edge->hash[level], TREE_HASH);
		else
			err = tree_parent(edge->hash[level], ret_root, ret_root);
		first = false;
	}
	return err;
}

/* ---- reading ---------------------------------------------------------------------------- */

/* The largest power of two below n, which is above 1: where RFC 6962 splits n leaves. */
static uint64_t split_of(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* The hash of count leaves from begin on, count above 0, begin a multiple of the next power of two.
 * A complete subtree is a node; any other ends at the tree's edge and is put together. */
static enum err range_hash(const struct tree_store *store, uint64_t begin, uint64_t count,
			   uint8_t ret_hash[TREE_HASH])
{
	uint8_t left[TREE_HASH], right[TREE_HASH];
	uint64_t split;
	enum err err;

	if ((count & (count - 1)) == 0) {
		unsigned level = (unsigned)__builtin_ctzll(count);
		return store->read(store->ctx, level, begin >> level, ret_hash);
	}
	split = split_of(count);
	err = range_hash(store, begin, split, left);
	if (!err)
		err = range_hash(store, begin + split, count - split, right);
	return err ? err : tree_parent(left, right, ret_hash);
}

enum err tree_root(const struct tree_store *store, uint64_t size, uint8_t ret_root[TREE_HASH])
{
	if (size > TREE_SIZE_MAX)
		return ERR_INVALID;
	return size ? range_hash(store, 0, size, ret_root) : empty_root(ret_root);
}

static enum err proof_add(const struct tree_store *store, uint64_t begin, uint64_t count,
			  struct tree_proof *proof)
{
	return range_hash(store, begin, count, proof->hash[proof->count++]);
}

/* What PATH and SUBPROOF of RFC 6962 have beside the way down, from the root to the bottom. */
struct way {
	struct range {
		uint64_t begin, count;
	} beside[TREE_LEVELS];
	size_t depth;
};

/* The RFC's recursions add from the bottom up. */
static enum err proof_fill(const struct tree_store *store, const struct way *way,
			   struct tree_proof *proof)
{
	enum err err = OK;

	for (size_t i = way->depth; !err && i-- > 0;)
		err = proof_add(store, way->beside[i].begin, way->beside[i].count, proof);
	return err;
}

enum err tree_inclusion(const struct tree_store *store, uint64_t index, uint64_t size,
			struct tree_proof *ret)
{
	uint64_t begin = 0, count = size;
	struct way way = { .depth = 0 };

	if (index >= size || size > TREE_SIZE_MAX)
		return ERR_INVALID;
	while (count > 1) {
		uint64_t split = split_of(count);
		struct range *beside = &way.beside[way.depth++];
		if (index - begin < split) {
			*beside = (struct range){ begin + split, count - split };
			count = split;
		} else {
			*beside = (struct range){ begin, split };
			begin += split;
			count -= split;
		}
	}
	ret->count = 0;
	return proof_fill(store, &way, ret);
}

enum err tree_consistency(const struct tree_store *store, uint64_t old, uint64_t size,
			  struct tree_proof *ret)
{
	uint64_t begin = 0, count = size;
	struct way way = { .depth = 0 };
	enum err err = OK;

	if (old > size || size > TREE_SIZE_MAX)
		return ERR_INVALID;
	ret->count = 0;
	if (old == 0 || old == size)
		return OK;
	/* Until what is left of the old tree is all there is. */
	while (old - begin != count) {
		uint64_t split = split_of(count);
		struct range *beside = &way.beside[way.depth++];
		if (old - begin <= split) {
			*beside = (struct range){ begin + split, count - split };
			count = split;
		} else {
			*beside = (struct range){ begin, split };
			begin += split;
			count -= split;
		}
	}
	/* The old root itself need not be told. */
	if (begin)
		err = proof_add(store, begin, count, ret);
	return err ? err : proof_fill(store, &way, ret);
}

/* ---- proofs ----------------------------------------------------------------------------- */

/* Nodes without a neighbour to their right are hashed with their left one further up. */
static void skip_single(uint64_t *node, uint64_t *last)
{
	while (!(*node & 1) && *node) {
		*node >>= 1;
		*last >>= 1;
	}
}

bool tree_includes(uint64_t index, uint64_t size, const uint8_t leaf[TREE_HASH],
		   const struct tree_proof *proof, const uint8_t root[TREE_HASH])
{
	uint64_t node = index, last = size - 1; /* fn and sn of RFC 9162 §2.1.3.2 */
	uint8_t hash[TREE_HASH];
	enum err err = OK;

	if (index >= size || size > TREE_SIZE_MAX || proof->count > TREE_PROOF_MAX)
		return false;
	memcpy(hash, leaf, TREE_HASH);
	for (size_t i = 0; !err && i < proof->count; i++) {
		if (last == 0)
			return false;
		if ((node & 1) || node == last) {
			err = tree_parent(proof->hash[i], hash, hash);
			skip_single(&node, &last);
		} else {
			err = tree_parent(hash, proof->hash[i], hash);
		}
		node >>= 1;
		last >>= 1;
	}
	return !err && last == 0 && memcmp(hash, root, TREE_HASH) == 0;
}

/* RFC 9162 §2.1.4.2, old and size different and above 0. */
static bool grew(uint64_t old, uint64_t size, const uint8_t old_root[TREE_HASH],
		 const uint8_t root[TREE_HASH], const struct tree_proof *proof)
{
	uint64_t node = old - 1, last = size - 1;
	uint8_t old_hash[TREE_HASH], hash[TREE_HASH];
	size_t i = 0;
	enum err err = OK;

	while (node & 1) {
		node >>= 1;
		last >>= 1;
	}
	/* A complete old tree is a node of the new one. */
	const uint8_t *first = (old & (old - 1)) == 0 ? old_root : proof->hash[i++];
	memcpy(old_hash, first, TREE_HASH);
	memcpy(hash, first, TREE_HASH);
	for (; !err && i < proof->count; i++) {
		if (last == 0)
			return false;
		if ((node & 1) || node == last) {
			err = tree_parent(proof->hash[i], old_hash, old_hash);
			if (!err)
				err = tree_parent(proof->hash[i], hash, hash);
			skip_single(&node, &last);
		} else {
			err = tree_parent(hash, proof->hash[i], hash);
		}
		node >>= 1;
		last >>= 1;
	}
	return !err && last == 0 && memcmp(old_hash, old_root, TREE_HASH) == 0 &&
	       memcmp(hash, root, TREE_HASH) == 0;
}

bool tree_is_consistent(uint64_t old, uint64_t size, const uint8_t old_root[TREE_HASH],
			const uint8_t root[TREE_HASH], const struct tree_proof *proof)
{
	if (old > size || size > TREE_SIZE_MAX || proof->count > TREE_PROOF_MAX)
		return false;
	if (old == size)
		return proof->count == 0 && memcmp(old_root, root, TREE_HASH) == 0;
	if (old == 0)
		return proof->count == 0;
	return proof->count > 0 && grew(old, size, old_root, root, proof);
}
