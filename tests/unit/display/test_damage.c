#include "unit/display/model.h"

static void test_random_drawing_reaches_the_viewer(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = { { 300, 200 }, { 64, 64 },  { 65, 129 },
					     { 1, 1 },     { 63, 500 }, { 640, 3 } };
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct bench bench;
		bench_start(&bench, sizes[s][0], sizes[s][1]);
		for (int round = 0; round < 120; round++) {
			for (uint32_t n = next_random(&bench) % 12; n > 0; n--)
				draw(&bench);
			take(&bench, SIZE_MAX);
			assert_true(viewer_is_right(&bench));
			assert_false(damage_waiting(&bench.damage));
		}
		bench_stop(&bench);
	}
}

/* Rows and 64-pixel columns in which nothing changed are not sent, up to the limit of spans in a
 * tile. */
static void test_damage_is_exact(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 256, 256);
	take(&bench, SIZE_MAX);
	*pixel(&bench, 70, 10) = 5;
	*pixel(&bench, 70, 12) = 5;
	*pixel(&bench, 200, 250) = 5;
	damage_hint(&bench.damage, 0, 0, 256, 256);
	assert_int_equal(take(&bench, SIZE_MAX), 3);
	for (unsigned y = 0; y < 256; y++)
		for (unsigned x = 0; x < 256; x++) {
			bool wanted = (x >= 64 && x < 128 && (y == 10 || y == 12)) ||
				      (x >= 192 && y == 250);
			assert_int_equal(bench.covered[y * 256 + x], wanted);
		}
	bench_stop(&bench);
}

static void test_many_spans_of_a_tile_become_few(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 64, 64);
	take(&bench, SIZE_MAX);
	for (unsigned y = 0; y < 64; y += 2)
		*pixel(&bench, 3, y) = 9;
	damage_hint(&bench.damage, 0, 0, 64, 64);
	assert_int_equal(take(&bench, SIZE_MAX), PARTS_SPANS);
	assert_true(viewer_is_right(&bench));
	bench_stop(&bench);
}

static void test_the_worst_desktop_stays_under_the_limit(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT);
	take(&bench, SIZE_MAX);
	/* Different rows in neighbouring tiles, so that nothing can be joined. */
	for (unsigned y = 0; y < SURFACE_MAX_HEIGHT; y++)
		for (unsigned x = 0; x < SURFACE_MAX_WIDTH; x += 64)
			if ((y + x / 64) % 3 == 0)
				*pixel(&bench, x, y) = 7;
	damage_hint(&bench.damage, 0, 0, SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT);
	assert_true(take(&bench, SIZE_MAX) > 20000);
	assert_true(viewer_is_right(&bench));
	bench_stop(&bench);
}

static void test_neighbours_are_joined(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 640, 480);
	assert_int_equal(take(&bench, SIZE_MAX), 1);
	/* A window over several tiles: one rectangle for the tiles' width. */
	for (unsigned y = 100; y < 300; y++)
		for (unsigned x = 70; x < 500; x++)
			*pixel(&bench, x, y) = y * 1000 + x;
	damage_hint(&bench.damage, 70, 100, 430, 200);
	assert_int_equal(take(&bench, SIZE_MAX), 1);
	assert_true(viewer_is_right(&bench));
	bench_stop(&bench);
}

static void test_the_x_byte_is_no_damage(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 130, 70);
	take(&bench, SIZE_MAX);
	for (unsigned y = 0; y < 70; y++)
		for (unsigned x = 0; x < 130; x++)
			*pixel(&bench, x, y) ^= next_random(&bench) << 24;
	damage_hint(&bench.damage, 0, 0, 130, 70);
	assert_int_equal(take(&bench, SIZE_MAX), 0);
	*pixel(&bench, 129, 69) ^= 1;
	damage_hint(&bench.damage, 129, 69, 1, 1);
	assert_int_equal(take(&bench, SIZE_MAX), 1);
	bench_stop(&bench);
}

static void test_hints_outside_are_cut_off(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 100, 100);
	take(&bench, SIZE_MAX);
	damage_hint(&bench.damage, 100, 0, 5, 5);
	damage_hint(&bench.damage, 0, -5, 5, 5);
	damage_hint(&bench.damage, 5, 5, 0, 5);
	damage_hint(&bench.damage, 5, 5, -1, 5);
	damage_hint(&bench.damage, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX);
	damage_hint(&bench.damage, INT32_MIN, INT32_MIN, 5, 5);
	assert_false(damage_waiting(&bench.damage));
	*pixel(&bench, 99, 99) = 1;
	damage_hint(&bench.damage, -1000, -1000, INT32_MAX, INT32_MAX);
	assert_int_equal(take(&bench, SIZE_MAX), 1);
	assert_true(viewer_is_right(&bench));
	bench_stop(&bench);
}

static void test_no_more_pixels_than_asked(void **state)
{
	(void)state;
	struct bench bench;
	size_t parts = 0;
	bench_start(&bench, 300, 300);
	for (unsigned y = 0; y < 300; y++)
		for (unsigned x = 0; x < 300; x++)
			*pixel(&bench, x, y) = x * y;
	while (damage_waiting(&bench.damage)) {
		size_t sum = 0;
		take(&bench, 10000);
		for (size_t i = 0; i < 300 * 300; i++)
			sum += bench.covered[i];
		assert_true(sum > 0 && sum < 10000 + DAMAGE_TILE * DAMAGE_TILE);
		parts++;
	}
	assert_true(parts >= 7);
	assert_true(viewer_is_right(&bench));
	bench_stop(&bench);
}

static void test_all_is_sent_even_unchanged(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 200, 150);
	take(&bench, SIZE_MAX);
	damage_all(&bench.damage);
	assert_int_equal(take(&bench, SIZE_MAX), 1);
	for (size_t i = 0; i < 200 * 150; i++)
		assert_int_equal(bench.covered[i], 1);
	bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_drawing_reaches_the_viewer),
		cmocka_unit_test(test_damage_is_exact),
		cmocka_unit_test(test_many_spans_of_a_tile_become_few),
		cmocka_unit_test(test_the_worst_desktop_stays_under_the_limit),
		cmocka_unit_test(test_neighbours_are_joined),
		cmocka_unit_test(test_the_x_byte_is_no_damage),
		cmocka_unit_test(test_hints_outside_are_cut_off),
		cmocka_unit_test(test_no_more_pixels_than_asked),
		cmocka_unit_test(test_all_is_sent_even_unchanged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
