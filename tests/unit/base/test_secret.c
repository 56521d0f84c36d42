#include "unit/locked.h"

#include <stddef.h>

#include "base/secret.h"

static void blocks_are_as_large_as_asked(void **state)
{
	(void)state;
	for (size_t size = 0; size < 200; size++) {
		uint8_t *block = secret_malloc(size);

		assert_non_null(block);
		assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
		memset(block, 0xaa, size);
		secret_malloc_free(block);
	}
	assert_null(secret_malloc(SIZE_MAX - 4));
	secret_malloc_free(NULL);
}

/* Looks at memory that was given back: the allocator keeps it mapped and, past its own links, as it
 * was. */
__attribute__((no_sanitize("address"), noinline)) static bool has_canary(uintptr_t at, size_t size)
{
	const volatile uint8_t *byte = (const volatile uint8_t *)at;

	for (size_t i = 32; i < size; i++)
		if (byte[i] == 0xaa)
			return true;
	return false;
}

static void a_freed_block_is_wiped(void **state)
{
	enum { SIZE = 512 };
	uint8_t *block = secret_malloc(SIZE);
	uintptr_t at = (uintptr_t)block;

	(void)state;
	assert_non_null(block);
	memset(block, 0xaa, SIZE);
	assert_true(has_canary(at, SIZE));
	secret_malloc_free(block);
	assert_false(has_canary(at, SIZE));
}

/* What is given back to the kernel here, and whether anything was left in it. */
static uintptr_t given_back;
static bool was_wiped;

int munmap(void *start, size_t len)
{
	const uint8_t *byte = start;

	if ((uintptr_t)start == given_back)
		for (size_t i = 0; i < len; i++)
			was_wiped = was_wiped && byte[i] == 0;
	return (int)syscall(SYS_munmap, start, len);
}

static void a_secret_is_locked_and_wiped(void **state)
{
	enum { SIZE = 5000, PAGE = 4096 };
	struct secret *secret;

	(void)state;
	assert_ok(secret_random(SIZE, &secret));
	assert_locked(secret_text(secret));
	assert_locked(secret_text(secret) + SIZE - 1);
	given_back = (uintptr_t)secret_text(secret) & ~(uintptr_t)(PAGE - 1);
	was_wiped = true;
	secret_free(secret);
	assert_true(was_wiped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_locked_and_wiped),
		cmocka_unit_test(blocks_are_as_large_as_asked),
		cmocka_unit_test(a_freed_block_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
