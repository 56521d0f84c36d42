#include "fixture.h"

#include <sys/stat.h>

#include "certs/audit_key.h"

enum { LEAVES = 40, LEVELS = 6 };

/* A tree of the broker's, and how it was when some leaf was another. */
struct tree_nodes {
	uint8_t hash[LEVELS][LEAVES][TREE_HASH];
};

struct desk {
	struct fixture_folder state;
	struct tree_nodes nodes;
	struct tree_store tree;
	struct audit_key audit;
	uint64_t now_ms;
};

static enum err node_read(void *ctx, unsigned level, uint64_t index, uint8_t ret[TREE_HASH])
{
	const struct tree_nodes *nodes = ctx;

	memcpy(ret, nodes->hash[level][index], TREE_HASH);
	return OK;
}

static enum err node_add(void *ctx, unsigned level, uint64_t index, const uint8_t hash[TREE_HASH])
{
	struct tree_nodes *nodes = ctx;

	memcpy(nodes->hash[level][index], hash, TREE_HASH);
	return OK;
}

/* other: number of the leaf that is another, -1: none. */
static void grow(struct desk *desk, int other)
{
	for (int i = 0; i < LEAVES; i++) {
		uint8_t leaf[TREE_HASH], text[2] = { (uint8_t)i, i == other };
		assert_int_equal(tree_leaf(text, sizeof(text), leaf), OK);
		assert_int_equal(tree_append(&desk->tree, (uint64_t)i, leaf), OK);
	}
}

static struct secret *passphrase_of(const char *text)
{
	struct secret *secret = NULL;

	assert_int_equal(secret_new(text, strlen(text), &secret), OK);
	return secret;
}

static void open_with(struct desk *desk, const char *text, bool may_make)
{
	_cleanup_secret_ struct secret *passphrase = text ? passphrase_of(text) : NULL;

	assert_int_equal(audit_key_open(&desk->audit, desk->state.path, "gw.example.jp", passphrase,
					may_make),
			 OK);
}

static void again_with(struct desk *desk, const char *text)
{
	audit_key_finish(&desk->audit);
	open_with(desk, text, true);
}

static int setup(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	folder_make(&desk->state);
	desk->tree = (struct tree_store){ node_read, node_add, &desk->nodes };
	grow(desk, -1);
	*state = desk;
	return 0;
}

static int teardown(void **state)
{
	struct desk *desk = *state;

	audit_key_finish(&desk->audit);
	folder_remove(&desk->state);
	free(desk);
	return 0;
}

/* What the broker sends of its tree; old and size are as it says. */
static enum err ask(struct desk *desk, uint64_t old, uint64_t size)
{
	struct msg_sign_checkpoint order = { .old = old, .size = size };
	struct tree_proof proof = { .count = 0 };

	if (old <= size)
		assert_int_equal(tree_consistency(&desk->tree, old, size, &proof), OK);
	assert_int_equal(tree_root(&desk->tree, size, order.root), OK);
	order.proof = (struct bytes){ proof.hash[0], proof.count * TREE_HASH };
	desk->now_ms += 1000;
	return audit_key_sign(&desk->audit, &order, desk->now_ms);
}

static void assert_signed(struct desk *desk, uint64_t size)
{
	struct checkpoint checkpoint;
	uint8_t root[TREE_HASH];

	assert_int_equal(checkpoint_open((const char *)desk->audit.note.data, desk->audit.note.len,
					 &desk->audit.key, &checkpoint),
			 OK);
	assert_int_equal(checkpoint.size, size);
	assert_int_equal(tree_root(&desk->tree, size, root), OK);
	assert_memory_equal(checkpoint.root, root, sizeof(root));
}

static void signs_what_has_grown(void **state)
{
	struct desk *desk = *state;
	struct note_key key;

	open_with(desk, NULL, true);
	assert_signed(desk, 0);
	assert_string_equal(desk->audit.key.name, "gw.example.jp/sekisho-audit");
	assert_int_equal(ask(desk, 0, 3), OK);
	assert_signed(desk, 3);
	assert_int_equal(ask(desk, 3, 3), OK);
	assert_int_equal(ask(desk, 3, 17), OK);
	key = desk->audit.key;
	/* It remembers over a restart. */
	again_with(desk, NULL);
	assert_memory_equal(&desk->audit.key, &key, sizeof(key));
	assert_signed(desk, 17);
	assert_int_equal(ask(desk, 17, LEAVES), OK);
	assert_signed(desk, LEAVES);
}

static void signs_no_second_past(void **state)
{
	struct desk *desk = *state;

	open_with(desk, NULL, true);
	assert_int_equal(ask(desk, 0, 20), OK);
	/* Smaller; from elsewhere than the last; larger, but of another past. */
	assert_int_equal(ask(desk, 20, 19), ERR_DENIED);
	assert_int_equal(ask(desk, 0, 30), ERR_WRONG_STATE);
	assert_int_equal(ask(desk, 19, 30), ERR_WRONG_STATE);
	grow(desk, 7);
	assert_int_equal(ask(desk, 20, 30), ERR_DENIED);
	assert_int_equal(ask(desk, 20, 20), ERR_DENIED);
	again_with(desk, NULL);
	assert_int_equal(ask(desk, 20, 30), ERR_DENIED);
	grow(desk, -1);
	assert_signed(desk, 20);
	assert_int_equal(ask(desk, 20, 30), OK);
	/* What was not signed yet may still become another. */
	grow(desk, 35);
	assert_int_equal(ask(desk, 30, LEAVES), OK);
}

static void a_false_proof_is_refused(void **state)
{
	struct desk *desk = *state;
	struct msg_sign_checkpoint order = { .old = 5, .size = 9 };
	static uint8_t many[(TREE_PROOF_MAX + 1) * TREE_HASH];

	open_with(desk, NULL, true);
	assert_int_equal(ask(desk, 0, 5), OK);
	assert_int_equal(tree_root(&desk->tree, 9, order.root), OK);
	assert_int_equal(audit_key_sign(&desk->audit, &order, 90000), ERR_DENIED);
	order.proof = (struct bytes){ many, 31 };
	assert_int_equal(audit_key_sign(&desk->audit, &order, 91000), ERR_INVALID);
	order.proof.len = sizeof(many);
	assert_int_equal(audit_key_sign(&desk->audit, &order, 92000), ERR_INVALID);
	order.proof.len = 4 * TREE_HASH;
	assert_int_equal(audit_key_sign(&desk->audit, &order, 93000), ERR_DENIED);
	order.size = UINT64_MAX;
	assert_int_equal(audit_key_sign(&desk->audit, &order, 94000), ERR_DENIED);
	assert_signed(desk, 5);
}

static void a_flood_is_throttled(void **state)
{
	struct desk *desk = *state;
	struct msg_sign_checkpoint order = { .old = 1 };
	int count = 0;

	open_with(desk, NULL, true);
	while (audit_key_sign(&desk->audit, &order, 1) == ERR_WRONG_STATE && count < 1000)
		count++;
	assert_in_range(count, 100, AUDIT_KEY_SIGNS_PER_MINUTE);
	assert_int_equal(audit_key_sign(&desk->audit, &order, 1), ERR_THROTTLED);
}

static bool is_encrypted(const struct desk *desk)
{
	char path[128];
	_cleanup_free_ char *text = NULL;
	struct stat status;
	size_t len;

	folder_file(&desk->state, "audit/key.pem", path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(util_read_file(path, 10000, &text, &len), OK);
	return strstr(text, "BEGIN ENCRYPTED PRIVATE KEY") != NULL;
}

static void the_key_is_under_the_passphrase(void **state)
{
	struct desk *desk = *state;
	_cleanup_secret_ struct secret *right = passphrase_of("mikan to ringo"),
				       *wrong = passphrase_of("nashi to momo");

	open_with(desk, "mikan to ringo", true);
	assert_true(is_encrypted(desk));
	assert_int_equal(ask(desk, 0, 4), OK);
	again_with(desk, NULL);
	assert_int_equal(ask(desk, 4, 8), ERR_LOCKED);
	/* Who asks may know what was signed all the same. */
	assert_true(desk->audit.is_there);
	assert_signed(desk, 4);
	audit_key_follow(&desk->audit, wrong, false);
	assert_int_equal(ask(desk, 4, 8), ERR_LOCKED);
	audit_key_follow(&desk->audit, right, false);
	assert_int_equal(ask(desk, 4, 8), OK);
	/* ca init: a new one. */
	audit_key_follow(&desk->audit, wrong, true);
	again_with(desk, "mikan to ringo");
	assert_int_equal(ask(desk, 8, 9), ERR_LOCKED);
	again_with(desk, "nashi to momo");
	assert_int_equal(ask(desk, 8, 9), OK);
}

static void a_key_in_the_clear_is_encrypted_later(void **state)
{
	struct desk *desk = *state;

	open_with(desk, NULL, true);
	assert_false(is_encrypted(desk));
	again_with(desk, "mikan to ringo");
	assert_true(is_encrypted(desk));
	assert_int_equal(ask(desk, 0, 4), OK);
}

/* Nothing in the clear while the CAs wait for their passphrase. */
static void none_is_made_while_locked(void **state)
{
	struct desk *desk = *state;
	_cleanup_secret_ struct secret *passphrase = passphrase_of("mikan to ringo");

	open_with(desk, NULL, false);
	assert_false(desk->audit.is_there);
	assert_int_equal(ask(desk, 0, 4), ERR_LOCKED);
	audit_key_follow(&desk->audit, passphrase, false);
	assert_true(is_encrypted(desk));
	assert_int_equal(ask(desk, 0, 4), OK);
}

/* Without its memory a key could sign another past. */
static void damage_is_not_mended(void **state)
{
	static const char *const files[] = { "audit/checkpoint", "audit/vkey", "audit/key.pem" };
	struct desk *desk = *state;
	char path[128];

	open_with(desk, NULL, true);
	assert_int_equal(ask(desk, 0, 4), OK);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;

		folder_file(&desk->state, files[i], path);
		assert_int_equal(util_read_file(path, 10000, &text, &len), OK);
		assert_int_equal(unlink(path), 0);
		again_with(desk, NULL);
		assert_int_equal(ask(desk, 0, 9), ERR_LOCKED);
		text[len / 2] ^= 1;
		assert_int_equal(util_write_file(path, text, len, 0600), OK);
		again_with(desk, NULL);
		assert_int_equal(ask(desk, 4, 9), ERR_LOCKED);
		text[len / 2] ^= 1;
		assert_int_equal(util_write_file(path, text, len, 0600), OK);
		again_with(desk, NULL);
		assert_int_equal(ask(desk, 4, 4), OK);
	}
}

#define desk_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(signs_what_has_grown),
		desk_test(signs_no_second_past),
		desk_test(a_false_proof_is_refused),
		desk_test(a_flood_is_throttled),
		desk_test(the_key_is_under_the_passphrase),
		desk_test(a_key_in_the_clear_is_encrypted_later),
		desk_test(none_is_made_while_locked),
		desk_test(damage_is_not_mended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
