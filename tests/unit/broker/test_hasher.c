#include "unit/unit.h"

#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "broker/hasher.h"

struct result {
	struct loop *loop;
	int count;
	enum err last;
	char hash[PASSWORD_HASH_MAX];
};

static void on_done(void *ctx, enum err err, const char *hash)
{
	struct result *result = ctx;

	result->count++;
	result->last = err;
	snprintf(result->hash, sizeof(result->hash), "%s", hash);
}

static void wait_for(struct result *result, int count)
{
	uint64_t until_ms = clock_mono_ms() + 60000;

	while (result->count < count && clock_mono_ms() < until_ms)
		assert_ok(loop_step(result->loop, 50));
	assert_int_equal(result->count, count);
}

static struct secret *password_of(const char *text)
{
	struct secret *secret = NULL;

	assert_ok(secret_new(text, strlen(text), &secret));
	return secret;
}

static void hashes_and_compares(void **state)
{
	_cleanup_secret_ struct secret *right = password_of("kaze-ni-fukarete-42"),
				       *wrong = password_of("kaze");
	struct result result = { 0 };
	struct hasher *hasher;
	char hash[PASSWORD_HASH_MAX];

	(void)state;
	assert_ok(loop_new(&result.loop));
	assert_ok(hasher_new(result.loop, &hasher));
	assert_ok(hasher_hash(hasher, right, on_done, &result));
	wait_for(&result, 1);
	assert_ok(result.last);
	memcpy(hash, result.hash, sizeof(hash));
	assert_memory_equal(hash, "$argon2id$", 10);
	assert_ok(hasher_verify(hasher, right, hash, on_done, &result));
	wait_for(&result, 2);
	assert_ok(result.last);
	assert_string_equal(result.hash, "");
	assert_ok(hasher_verify(hasher, wrong, hash, on_done, &result));
	wait_for(&result, 3);
	assert_err(result.last, ERR_LOGIN);
	/* Nobody's hash: never right. */
	assert_ok(hasher_verify(hasher, right, NULL, on_done, &result));
	wait_for(&result, 4);
	assert_err(result.last, ERR_LOGIN);
	hasher_free(hasher);
	loop_free(result.loop);
}

/* The loop goes on while it works, and what cannot be taken is refused at once. */
static void the_queue_is_capped_and_the_loop_is_free(void **state)
{
	_cleanup_secret_ struct secret *password = password_of("x");
	struct result result = { 0 };
	struct hasher *hasher;
	uint64_t begin_ms;
	int taken = 0;

	(void)state;
	assert_ok(loop_new(&result.loop));
	assert_ok(hasher_new(result.loop, &hasher));
	begin_ms = clock_mono_ms();
	while (hasher_verify(hasher, password, NULL, on_done, &result) == OK)
		taken++;
	assert_true(clock_mono_ms() - begin_ms < 200);
	assert_in_range(taken, HASHER_QUEUE_MAX, HASHER_QUEUE_MAX + HASHER_THREADS);
	assert_false(hasher_has_room(hasher));
	assert_err(hasher_verify(hasher, password, NULL, on_done, &result), ERR_UNAVAILABLE);
	wait_for(&result, taken);
	assert_true(hasher_has_room(hasher));
	hasher_free(hasher);
	loop_free(result.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_and_compares),
		cmocka_unit_test(the_queue_is_capped_and_the_loop_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
