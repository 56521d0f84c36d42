#include "unit/unit.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/util.h"
#include "vault/shares.h"

/* Three sheets that were just made. */
struct scene {
	struct shares shares;
	struct secret *key, *sheets;
	char texts[SHARES][SHARES_SHEET_TEXT + 1];
};

static void make(struct scene *scene)
{
	*scene = (struct scene){ 0 };
	assert_ok(shares_make(&scene->shares, &scene->key, &scene->sheets));
	assert_int_equal(secret_len(scene->sheets), SHARES * SHARES_SHEET_TEXT);
	for (size_t i = 0; i < SHARES; i++)
		memcpy(scene->texts[i], secret_text(scene->sheets) + i * SHARES_SHEET_TEXT,
		       SHARES_SHEET_TEXT);
}

static void finish(struct scene *scene)
{
	secret_free(scene->key);
	secret_free(scene->sheets);
}

static enum err join(const struct scene *scene, const char *one, const char *two, size_t *ret_bad)
{
	const char *const texts[SHARES_NEEDED] = { one, two };
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = shares_join(&scene->shares, texts, ret_bad, &key);

	if (!err)
		assert_memory_equal(secret_text(key), secret_text(scene->key), SHARES_KEY);
	return err;
}

static void any_two_give_the_key(void **state)
{
	struct scene scene;
	unsigned number = 0;
	size_t bad = 9;

	(void)state;
	make(&scene);
	for (size_t i = 0; i < SHARES; i++) {
		assert_ok(shares_check(&scene.shares, scene.texts[i], &number));
		assert_int_equal(number, i + 1);
		for (size_t k = 0; k < SHARES; k++)
			assert_err(join(&scene, scene.texts[i], scene.texts[k], &bad),
				   i == k ? ERR_EXISTS : OK);
	}
	finish(&scene);
}

/* The library begins without a source of randomness, and its own would be random(). */
static void no_two_makings_are_alike(void **state)
{
	struct scene one, two;
	uint8_t hash[SHARES_DIGEST];

	(void)state;
	make(&one);
	make(&two);
	/* With numbers that are no random ones each share would be the key. */
	assert_int_equal(
		EVP_Digest(secret_text(one.key), SHARES_KEY, hash, NULL, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < SHARES; i++) {
		assert_memory_not_equal(one.shares.digests[i], hash, sizeof(hash));
		assert_memory_not_equal(one.shares.digests[i], one.shares.digests[(i + 1) % SHARES],
					sizeof(hash));
	}
	assert_memory_not_equal(one.shares.set, two.shares.set, SHARES_SET);
	assert_memory_not_equal(secret_text(one.key), secret_text(two.key), SHARES_KEY);
	for (size_t i = 0; i < SHARES; i++) {
		assert_memory_not_equal(one.shares.digests[i], two.shares.digests[i],
					SHARES_DIGEST);
		assert_null(memmem(one.texts[i], SHARES_SHEET_TEXT, two.texts[i], TYPED_ROW));
	}
	finish(&one);
	finish(&two);
}

static void what_is_wrong_with_a_sheet_is_said(void **state)
{
	struct scene ours, other;
	char typed[SHARES_SHEET_TEXT + 2];
	size_t bad = 9;

	(void)state;
	make(&ours);
	make(&other);
	assert_err(join(&ours, ours.texts[0], other.texts[1], &bad), ERR_EXPIRED);
	assert_int_equal(bad, 1);
	/* As if somebody had made one: the set is known to all, the digest is the vault's. */
	memcpy(other.shares.set, ours.shares.set, SHARES_SET);
	assert_err(join(&other, other.texts[0], ours.texts[1], &bad), ERR_EXPIRED);
	assert_int_equal(bad, 0);
	memcpy(other.shares.digests, ours.shares.digests, sizeof(other.shares.digests));
	other.shares.digests[1][0] ^= 1;
	assert_err(join(&other, ours.texts[0], ours.texts[1], &bad), ERR_LOGIN);
	assert_int_equal(bad, 1);
	memcpy(typed, ours.texts[0], sizeof(ours.texts[0]));
	typed[0] = typed[0] == '7' ? '8' : '7';
	assert_err(join(&ours, ours.texts[2], typed, &bad), ERR_CODE);
	assert_int_equal(bad, 1);
	/* Too few rows, and too many. */
	memcpy(typed, ours.texts[0], sizeof(ours.texts[0]));
	typed[SHARES_SHEET_TEXT - 2 * (TYPED_ROW + 1)] = '\0';
	assert_err(join(&ours, typed, ours.texts[2], &bad), ERR_CODE);
	snprintf(typed, sizeof(typed), "%sx", ours.texts[0]);
	assert_err(join(&ours, typed, ours.texts[2], &bad), ERR_CODE);
	assert_err(join(&ours, "", ours.texts[2], &bad), ERR_CODE);
	finish(&ours);
	finish(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_two_give_the_key),
		cmocka_unit_test(no_two_makings_are_alike),
		cmocka_unit_test(what_is_wrong_with_a_sheet_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
