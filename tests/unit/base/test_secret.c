#include "unit/unit.h"

#include <stddef.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_as_large_as_asked),
		cmocka_unit_test(a_freed_block_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
