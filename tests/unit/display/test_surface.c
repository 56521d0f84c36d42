#include "unit/unit.h"

#include "worker/display/surface.h"

static void test_rows_are_aligned_and_black(void **state)
{
	(void)state;
	struct surface surface;
	surface_init(&surface);
	assert_ok(surface_resize(&surface, 1001, 3));
	assert_int_equal(surface.stride % 64, 0);
	assert_true(surface.stride >= 1001 * SURFACE_PIXEL);
	assert_int_equal((uintptr_t)surface.data % 64, 0);
	for (size_t i = 0; i < surface.size; i++)
		assert_int_equal(surface.data[i], 0);
	surface_finish(&surface);
	assert_null(surface.data);
}

static void test_sizes_out_of_range_change_nothing(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = {
		{ 0, 1 },
		{ 1, 0 },
		{ SURFACE_MAX_WIDTH + 1, 1 },
		{ 1, SURFACE_MAX_HEIGHT + 1 },
		{ 0x80000000u, 0x80000000u },
		{ 0xffffffffu, 2 },
	};
	struct surface surface;
	surface_init(&surface);
	assert_ok(surface_resize(&surface, 8, 8));
	uint8_t *before = surface.data;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_err(surface_resize(&surface, sizes[i][0], sizes[i][1]), ERR_INVALID);
	assert_ptr_equal(surface.data, before);
	assert_int_equal(surface.width, 8);
	surface_finish(&surface);
}

static void test_largest_desktop_fits(void **state)
{
	(void)state;
	struct surface surface;
	surface_init(&surface);
	assert_ok(surface_resize(&surface, SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT));
	surface.data[surface.size - 1] = 1;
	assert_ptr_equal(surface_at(&surface, SURFACE_MAX_WIDTH - 1, SURFACE_MAX_HEIGHT - 1) +
				 SURFACE_PIXEL,
			 surface.data + surface.size - SURFACE_SPARE_ROWS * surface.stride);
	surface_finish(&surface);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_aligned_and_black),
		cmocka_unit_test(test_sizes_out_of_range_change_nothing),
		cmocka_unit_test(test_largest_desktop_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
