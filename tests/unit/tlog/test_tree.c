/*
 * The vectors are those that certificate transparency's implementations share (of
 * transparency-dev/merkle, Apache-2.0); the rest compares with the definitions of RFC 6962 §2.1,
 * written down once more below without any node that is kept.
 */
#include "unit/unit.h"

#include <openssl/sha.h>
#include <string.h>

#include "audit/tlog/tree.h"
#include "base/util.h"

enum { LEAVES = 8, MANY = 70, ROOM = 600 };

static const struct {
	const char *text;
	size_t len;
} leaves[LEAVES] = {
	{ "", 0 },
	{ "\x00", 1 },
	{ "\x10", 1 },
	{ "\x20\x21", 2 },
	{ "\x30\x31", 2 },
	{ "\x40\x41\x42\x43", 4 },
	{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8 },
	{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16 },
};

static const char *const roots[LEAVES + 1] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

/* a: index or old size, b: size. */
struct vector {
	uint64_t a, b;
	const char *proof[4];
};

static const struct vector inclusions[] = {
	{ 0, 1, { NULL } },
	{ 0,
	  8,
	  { "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4" } },
	{ 5,
	  8,
	  { "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" } },
	{ 2, 3, { "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" } },
	{ 1,
	  5,
	  { "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b" } },
};

static const struct vector consistencies[] = {
	{ 1, 1, { NULL } },
	{ 1,
	  8,
	  { "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4" } },
	{ 6,
	  8,
	  { "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" } },
	{ 2,
	  5,
	  { "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b" } },
	{ 6,
	  7,
	  { "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
	    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" } },
};

/* ---- a store in memory ------------------------------------------------------------------ */

struct memory {
	uint8_t hash[12][ROOM][TREE_HASH];
	size_t count[12];
	unsigned reads;
};

static enum err memory_read(void *ctx, unsigned level, uint64_t index, uint8_t ret[TREE_HASH])
{
	struct memory *memory = ctx;

	memory->reads++;
	if (level >= ARRAY_SIZE(memory->count) || index >= memory->count[level])
		return ERR_NOT_FOUND;
	memcpy(ret, memory->hash[level][index], TREE_HASH);
	return OK;
}

static enum err memory_add(void *ctx, unsigned level, uint64_t index, const uint8_t hash[TREE_HASH])
{
	struct memory *memory = ctx;

	/* Each once, and in order. */
	assert_int_equal(index, memory->count[level]);
	assert_in_range(memory->count[level], 0, ROOM - 1);
	memcpy(memory->hash[level][memory->count[level]++], hash, TREE_HASH);
	return OK;
}

static struct memory memory;
static const struct tree_store store = { memory_read, memory_add, &memory };

static void grow_vectors(void)
{
	memset(&memory, 0, sizeof(memory));
	for (uint64_t i = 0; i < LEAVES; i++) {
		uint8_t leaf[TREE_HASH];
		assert_ok(tree_leaf(leaves[i].text, leaves[i].len, leaf));
		assert_ok(tree_append(&store, i, leaf));
	}
}

static void grow(uint64_t count)
{
	memset(&memory, 0, sizeof(memory));
	for (uint64_t i = 0; i < count; i++) {
		uint8_t leaf[TREE_HASH];
		assert_ok(tree_leaf(&i, sizeof(i), leaf));
		assert_ok(tree_append(&store, i, leaf));
	}
}

/* ---- the definitions -------------------------------------------------------------------- */

/* MTH(D[begin:end]) over memory's leaves. */
static void defined_root(uint64_t begin, uint64_t end, uint8_t ret[TREE_HASH])
{
	uint8_t text[1 + 2 * TREE_HASH] = { 1 };
	uint64_t k = 1;

	if (begin == end) {
		SHA256((const uint8_t *)"", 0, ret);
		return;
	}
	if (end - begin == 1) {
		memcpy(ret, memory.hash[0][begin], TREE_HASH);
		return;
	}
	while (k * 2 < end - begin)
		k *= 2;
	defined_root(begin, begin + k, text + 1);
	defined_root(begin + k, end, text + 1 + TREE_HASH);
	SHA256(text, sizeof(text), ret);
}

/* PATH(m, D[begin:end]) */
static void defined_path(uint64_t m, uint64_t begin, uint64_t end, struct tree_proof *proof)
{
	uint64_t k = 1;

	if (end - begin <= 1)
		return;
	while (k * 2 < end - begin)
		k *= 2;
	if (m < k) {
		defined_path(m, begin, begin + k, proof);
		defined_root(begin + k, end, proof->hash[proof->count++]);
	} else {
		defined_path(m - k, begin + k, end, proof);
		defined_root(begin, begin + k, proof->hash[proof->count++]);
	}
}

/* SUBPROOF(m, D[begin:end], whole) */
static void defined_subproof(uint64_t m, uint64_t begin, uint64_t end, bool whole,
			     struct tree_proof *proof)
{
	uint64_t k = 1;

	if (m == end - begin) {
		if (!whole)
			defined_root(begin, end, proof->hash[proof->count++]);
		return;
	}
	while (k * 2 < end - begin)
		k *= 2;
	if (m <= k) {
		defined_subproof(m, begin, begin + k, whole, proof);
		defined_root(begin + k, end, proof->hash[proof->count++]);
	} else {
		defined_subproof(m - k, begin + k, end, false, proof);
		defined_root(begin, begin + k, proof->hash[proof->count++]);
	}
}

static void assert_same_proof(const struct tree_proof *got, const struct tree_proof *wanted)
{
	assert_int_equal(got->count, wanted->count);
	for (size_t i = 0; i < got->count; i++)
		assert_memory_equal(got->hash[i], wanted->hash[i], TREE_HASH);
}

/* ---- what does not hold ----------------------------------------------------------------- */

typedef bool holds(uint64_t a, uint64_t b, const uint8_t *first, const uint8_t *root,
		   const struct tree_proof *proof);

static bool included(uint64_t a, uint64_t b, const uint8_t *first, const uint8_t *root,
		     const struct tree_proof *proof)
{
	return tree_includes(a, b, first, proof, root);
}

static bool consistent(uint64_t a, uint64_t b, const uint8_t *first, const uint8_t *root,
		       const struct tree_proof *proof)
{
	return tree_is_consistent(a, b, first, root, proof);
}

static void assert_every_hash_counts(holds *check, uint64_t a, uint64_t b, const uint8_t *first,
				     const uint8_t *root, const struct tree_proof *proof)
{
	uint8_t wrong[TREE_HASH];
	struct tree_proof bad = *proof;

	for (size_t i = 0; i < proof->count; i++) {
		bad.hash[i][i % TREE_HASH] ^= 8;
		assert_false(check(a, b, first, root, &bad));
		bad.hash[i][i % TREE_HASH] ^= 8;
	}
	for (size_t i = 0; i < 2; i++) {
		memcpy(wrong, i ? root : first, TREE_HASH);
		wrong[31] ^= 1;
		assert_false(check(a, b, i ? first : wrong, i ? wrong : root, proof));
	}
	/* One too many, at either end; one too few. */
	memcpy(bad.hash[bad.count++], root, TREE_HASH);
	assert_false(check(a, b, first, root, &bad));
	memmove(bad.hash[1], proof->hash[0], proof->count * TREE_HASH);
	memcpy(bad.hash[0], root, TREE_HASH);
	assert_false(check(a, b, first, root, &bad));
	if (proof->count) {
		bad = *proof;
		bad.count--;
		assert_false(check(a, b, first, root, &bad));
	}
	bad.count = TREE_PROOF_MAX + 1;
	assert_false(check(a, b, first, root, &bad));
}

/* ---- tests ------------------------------------------------------------------------------ */

static void read_proof(const struct vector *vector, struct tree_proof *ret)
{
	ret->count = 0;
	while (ret->count < ARRAY_SIZE(vector->proof) && vector->proof[ret->count]) {
		assert_ok(util_unhex(vector->proof[ret->count], ret->hash[ret->count], TREE_HASH));
		ret->count++;
	}
}

static void root_of(uint64_t size, uint8_t ret[TREE_HASH])
{
	assert_ok(util_unhex(roots[size], ret, TREE_HASH));
}

static void roots_are_those_of_others(void **state)
{
	struct tree_edge edge = { 0 };
	uint8_t root[TREE_HASH], wanted[TREE_HASH];

	(void)state;
	grow_vectors();
	for (uint64_t size = 0; size <= LEAVES; size++) {
		root_of(size, wanted);
		assert_ok(tree_root(&store, size, root));
		assert_memory_equal(root, wanted, TREE_HASH);
		assert_ok(tree_edge_root(&edge, root));
		assert_memory_equal(root, wanted, TREE_HASH);
		if (size < LEAVES)
			assert_ok(tree_edge_add(&edge, memory.hash[0][size], NULL, NULL));
	}
}

static void proofs_are_those_of_others(void **state)
{
	struct tree_proof proof, wanted;
	uint8_t root[TREE_HASH], old[TREE_HASH];

	(void)state;
	grow_vectors();
	for (size_t i = 0; i < ARRAY_SIZE(inclusions); i++) {
		const struct vector *vector = &inclusions[i];
		read_proof(vector, &wanted);
		assert_ok(tree_inclusion(&store, vector->a, vector->b, &proof));
		assert_same_proof(&proof, &wanted);
		root_of(vector->b, root);
		assert_true(
			included(vector->a, vector->b, memory.hash[0][vector->a], root, &proof));
		assert_every_hash_counts(included, vector->a, vector->b, memory.hash[0][vector->a],
					 root, &proof);
	}
	for (size_t i = 0; i < ARRAY_SIZE(consistencies); i++) {
		const struct vector *vector = &consistencies[i];
		read_proof(vector, &wanted);
		assert_ok(tree_consistency(&store, vector->a, vector->b, &proof));
		assert_same_proof(&proof, &wanted);
		root_of(vector->a, old);
		root_of(vector->b, root);
		assert_true(consistent(vector->a, vector->b, old, root, &proof));
		assert_every_hash_counts(consistent, vector->a, vector->b, old, root, &proof);
	}
}

static void inclusion_as_defined(void **state)
{
	(void)state;
	grow(MANY);
	for (uint64_t size = 1; size <= MANY; size++) {
		uint8_t root[TREE_HASH], other[TREE_HASH];

		defined_root(0, size, root);
		assert_ok(tree_root(&store, size, other));
		assert_memory_equal(root, other, TREE_HASH);
		for (uint64_t index = 0; index < size; index += 1 + size / 9) {
			struct tree_proof proof, wanted = { .count = 0 };
			const uint8_t *leaf = memory.hash[0][index];
			assert_ok(tree_inclusion(&store, index, size, &proof));
			defined_path(index, 0, size, &wanted);
			assert_same_proof(&proof, &wanted);
			assert_true(included(index, size, leaf, root, &proof));
			assert_every_hash_counts(included, index, size, leaf, root, &proof);
			for (uint64_t not = 0; not < size; not ++)
				assert_true(not == index ||
					    !included(not, size, leaf, root, &proof));
		}
	}
}

static void consistency_as_defined(void **state)
{
	(void)state;
	grow(MANY);
	for (uint64_t size = 1; size <= MANY; size++)
		for (uint64_t old = 1; old <= size; old++) {
			struct tree_proof proof, wanted = { .count = 0 };
			uint8_t old_root[TREE_HASH], root[TREE_HASH];

			defined_root(0, old, old_root);
			defined_root(0, size, root);
			assert_ok(tree_consistency(&store, old, size, &proof));
			defined_subproof(old, 0, size, true, &wanted);
			assert_same_proof(&proof, &wanted);
			assert_true(consistent(old, size, old_root, root, &proof));
			if (size % 8 == old % 7)
				assert_every_hash_counts(consistent, old, size, old_root, root,
							 &proof);
			/* Swapped, and of another size. */
			assert_true(old == size || !consistent(old, size, root, old_root, &proof));
			assert_true(old == size || !consistent(size, old, root, old_root, &proof));
		}
}

static void nothing_is_proved_beyond_the_tree(void **state)
{
	struct tree_proof proof = { .count = 0 };
	uint8_t root[TREE_HASH] = { 0 }, other[TREE_HASH] = { 1 };

	(void)state;
	grow(5);
	assert_err(tree_inclusion(&store, 5, 5, &proof), ERR_INVALID);
	assert_err(tree_inclusion(&store, 0, 0, &proof), ERR_INVALID);
	assert_err(tree_inclusion(&store, 0, UINT64_MAX, &proof), ERR_INVALID);
	assert_err(tree_inclusion(&store, 0, 6, &proof), ERR_NOT_FOUND);
	assert_err(tree_consistency(&store, 6, 5, &proof), ERR_INVALID);
	assert_err(tree_consistency(&store, 3, UINT64_MAX, &proof), ERR_INVALID);
	assert_err(tree_consistency(&store, 3, 6, &proof), ERR_NOT_FOUND);
	assert_err(tree_root(&store, 6, root), ERR_NOT_FOUND);
	assert_err(tree_root(&store, UINT64_MAX, root), ERR_INVALID);
	proof.count = 0;
	assert_false(tree_includes(0, 0, root, &proof, root));
	assert_false(tree_includes(UINT64_MAX, UINT64_MAX, root, &proof, root));
	assert_true(tree_is_consistent(0, 5, root, other, &proof));
	assert_true(tree_is_consistent(0, 0, root, root, &proof));
	assert_false(tree_is_consistent(0, 0, root, other, &proof));
	assert_false(tree_is_consistent(1, 1, root, other, &proof));
	assert_false(tree_is_consistent(1, 0, root, root, &proof));
	assert_false(tree_is_consistent(1, 2, root, other, &proof));
	proof.count = 1;
	assert_false(tree_is_consistent(0, 5, root, root, &proof));
	assert_false(tree_is_consistent(1, 1, root, root, &proof));
}

/* No work grows with the log. */
static void work_is_logarithmic(void **state)
{
	struct tree_proof proof;
	uint8_t root[TREE_HASH];

	(void)state;
	grow(511);
	memory.reads = 0;
	assert_ok(tree_append(&store, 511, memory.hash[0][0]));
	assert_in_range(memory.reads, 1, 9);
	memory.reads = 0;
	assert_ok(tree_root(&store, 511, root));
	assert_in_range(memory.reads, 1, 9);
	memory.reads = 0;
	assert_ok(tree_consistency(&store, 300, 511, &proof));
	assert_in_range(memory.reads, 1, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_those_of_others),
		cmocka_unit_test(proofs_are_those_of_others),
		cmocka_unit_test(inclusion_as_defined),
		cmocka_unit_test(consistency_as_defined),
		cmocka_unit_test(nothing_is_proved_beyond_the_tree),
		cmocka_unit_test(work_is_logarithmic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
