#include "unit/display/model.h"

static void draw_all(struct bench *bench, uint32_t colour)
{
	for (unsigned y = 0; y < bench->surface.height; y++)
		for (unsigned x = 0; x < bench->surface.width; x++)
			*pixel(bench, x, y) = x * y + colour;
	damage_hint(&bench->damage, 0, 0, (int)bench->surface.width, (int)bench->surface.height);
}

static void look(struct bench *bench, enum damage_way way)
{
	damage_look(&bench->damage, &bench->surface, bench->now_us += 1000);
	for (size_t i = 0; i < (size_t)bench->damage.columns * bench->damage.rows; i++)
		bench->damage.tiles[i].way = (uint8_t)way;
	parts_clear(&bench->parts);
}

static void test_cutting_leaves_whole_tiles(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 64, 64);
	for (int i = 0; i < 20000; i++) {
		struct rect rect = { (uint16_t)(next_random(&bench) % 300 * 64),
				     (uint16_t)(next_random(&bench) % 1000),
				     (uint16_t)(1 + next_random(&bench) % 700),
				     (uint16_t)(1 + next_random(&bench) % 700) };
		struct rect before = rect;
		size_t most = next_random(&bench) % 500000;
		parts_cut(&rect, most);
		size_t pixels = (size_t)rect.width * rect.height;
		unsigned right = rect.x + rect.width, bottom = rect.y + rect.height;
		assert_true(rect.width > 0 && rect.height > 0);
		assert_true(rect.x == before.x && rect.y == before.y);
		assert_true(right % 64 == 0 || rect.width == before.width);
		assert_true(bottom % 64 == 0 || rect.height == before.height);
		assert_true(pixels <= most || (rect.width <= 64 && rect.height <= 64));
		if ((size_t)before.width * before.height <= most)
			assert_memory_equal(&rect, &before, sizeof(rect));
	}
	bench_stop(&bench);
}

static void test_trimming_keeps_the_beginning(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 1000, 700);
	for (int i = 0; i < 300; i++) {
		for (int n = 0; n < 5; n++)
			draw(&bench);
		look(&bench, WAY_EXACT);
		parts_take(&bench.parts, &bench.damage, WAY_EXACT, SIZE_MAX);
		size_t before = bench.parts.pixels, sum = 0, most = next_random(&bench) % 600000;
		bool less = parts_trim(&bench.parts, most);
		for (size_t r = 0; r < bench.parts.count; r++)
			sum += (size_t)bench.parts.list[r].width * bench.parts.list[r].height;
		assert_int_equal(sum, bench.parts.pixels);
		assert_int_equal(less, sum < before);
		assert_true(sum <= most || bench.parts.count == 1);
		assert_true(sum <= most || sum <= 64 * 64);
		assert_true(before == 0 || sum > 0);
		/* What was left out is found again. */
		(void)take(&bench, SIZE_MAX);
		assert_true(viewer_is_right(&bench));
	}
	bench_stop(&bench);
}

/* Each time from where the last one ended, so that nothing waits for ever. */
static void test_later_ones_take_turns(void **state)
{
	(void)state;
	struct bench bench;
	bool seen[10] = { false };
	bench_start(&bench, 640, 640);
	for (uint32_t i = 0; i < 40; i++) {
		draw_all(&bench, i);
		look(&bench, WAY_LATER);
		parts_take(&bench.parts, &bench.damage, WAY_LATER, 50000);
		assert_true(bench.parts.pixels >= 50000 && bench.parts.pixels < 50000 + 64 * 64);
		for (size_t r = 0; r < bench.parts.count; r++) {
			parts_sent(&bench.damage, &bench.parts.list[r], false, 0);
			seen[bench.parts.list[r].y / 64] = true;
		}
		damage_settle(&bench.damage);
	}
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_true(seen[i]);
	bench_stop(&bench);
}

/* Approximate pixels are sent, but not for good; copies carry that along. */
static void test_lossy_pixels_are_refreshed(void **state)
{
	(void)state;
	struct bench bench;
	struct rect part = { 64, 128, 128, 64 };
	bench_start(&bench, 640, 640);
	draw_all(&bench, 0);
	look(&bench, WAY_LOSSY);
	parts_take(&bench.parts, &bench.damage, WAY_LOSSY, SIZE_MAX);
	for (size_t r = 0; r < bench.parts.count; r++)
		parts_sent(&bench.damage, &bench.parts.list[r], false, 0);
	parts_sent(&bench.damage, &part, true, 77);
	damage_settle(&bench.damage);
	assert_false(damage_waiting(&bench.damage));
	assert_true(bench.damage.tiles[2 * 10 + 1].lossy && bench.damage.tiles[2 * 10 + 2].lossy);
	assert_int_equal(bench.damage.tiles[2 * 10 + 2].lossy_us, 77);
	assert_false(bench.damage.tiles[2 * 10 + 3].lossy);

	/* Ten rows of it go elsewhere, between two tiles. */
	for (unsigned y = 0; y < 10; y++)
		memcpy(pixel(&bench, 320, 440 + y), pixel(&bench, 64, 130 + y), 64 * 4);
	damage_copied(&bench.damage, &bench.surface, 64, 130, 320, 440, 64, 10);
	look(&bench, WAY_NONE);
	assert_true(bench.damage.tiles[6 * 10 + 5].lossy && bench.damage.tiles[7 * 10 + 5].lossy);
	assert_int_equal(bench.damage.tiles[7 * 10 + 5].lossy_us, bench.now_us);
	damage_settle(&bench.damage);

	look(&bench, WAY_REFRESH);
	for (size_t i = 0; i < 100; i++)
		bench.damage.tiles[i].refresh = true;
	parts_take(&bench.parts, &bench.damage, WAY_REFRESH, SIZE_MAX);
	assert_int_equal(bench.parts.pixels, 128 * 64 + 64 * 10);
	for (size_t r = 0; r < bench.parts.count; r++)
		parts_sent(&bench.damage, &bench.parts.list[r], false, 0);
	damage_settle(&bench.damage);
	for (size_t i = 0; i < 100; i++)
		assert_false(bench.damage.tiles[i].lossy);
	bench_stop(&bench);
}

/* A video's part of a tile is not the damage's business, the rest of it is. */
static void test_covered_tiles(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 640, 640);
	draw_all(&bench, 0);
	take(&bench, SIZE_MAX);
	bench.damage.covers[1] = (struct rect){ 100, 90, 300, 200 };
	look(&bench, WAY_NONE);
	damage_cover(&bench.damage, &bench.surface, 10 + 1, 2);
	assert_int_equal(take(&bench, SIZE_MAX), 0);
	struct rect covered = damage_covered(&bench.damage, 10 + 1);
	assert_memory_equal(&covered, (&(struct rect){ 100, 90, 28, 38 }), sizeof(covered));

	*pixel(&bench, 100, 90) ^= 1; /* inside */
	damage_hint(&bench.damage, 100, 90, 1, 1);
	damage_look(&bench.damage, &bench.surface, bench.now_us += 1000);
	assert_true(bench.damage.tiles[10 + 1].moved && bench.damage.tiles[10 + 1].fresh);
	assert_int_equal(bench.damage.tiles[10 + 1].rows, 0);
	damage_settle(&bench.damage);
	assert_false(damage_waiting(&bench.damage));

	*pixel(&bench, 99, 90) ^= 1;  /* left of it */
	*pixel(&bench, 127, 89) ^= 1; /* above */
	damage_hint(&bench.damage, 64, 64, 64, 64);
	assert_int_equal(take(&bench, SIZE_MAX), 2);
	assert_int_equal(bench.drawn, 64 + 36);
	assert_false(bench.damage.tiles[10 + 1].moved);

	/* Nothing reaches over what is covered. */
	*pixel(&bench, 99, 95) ^= 1;
	*pixel(&bench, 130, 95) ^= 1;
	damage_hint(&bench.damage, 64, 64, 128, 64);
	assert_int_equal(take(&bench, SIZE_MAX), 2);
	assert_int_equal(bench.drawn, 64 + 36);

	/* No copies to or from it. */
	damage_copied(&bench.damage, &bench.surface, 70, 70, 300, 300, 10, 10);
	damage_copied(&bench.damage, &bench.surface, 300, 300, 70, 70, 10, 10);
	assert_int_equal(bench.damage.copies.count, 0);
	take(&bench, SIZE_MAX);

	damage_uncover(&bench.damage, &bench.surface, 10 + 1, true);
	damage_settle(&bench.damage);
	assert_true(bench.damage.tiles[10 + 1].lossy && !bench.damage.tiles[10 + 1].dirty);
	damage_copied(&bench.damage, &bench.surface, 70, 70, 300, 300, 10, 10);
	assert_int_equal(bench.damage.copies.count, 0);
	take(&bench, SIZE_MAX);
	assert_true(bench.damage.tiles[10 + 1].lossy);
	/* What changes now is new, the rest is still approximate. */
	*pixel(&bench, 110, 100) ^= 1;
	damage_hint(&bench.damage, 110, 100, 1, 1);
	assert_int_equal(take(&bench, SIZE_MAX), 1);
	assert_int_equal(bench.drawn, 64);
	bench.damage.tiles[10 + 1].refresh = true;
	bench.damage.tiles[10 + 1].way = WAY_REFRESH;
	parts_clear(&bench.parts);
	parts_take(&bench.parts, &bench.damage, WAY_REFRESH, SIZE_MAX);
	assert_int_equal(bench.parts.pixels, 64 * 37);
	for (size_t i = 0; i < bench.parts.count; i++)
		parts_sent(&bench.damage, &bench.parts.list[i], false, 0);
	damage_settle(&bench.damage);
	damage_copied(&bench.damage, &bench.surface, 70, 70, 300, 300, 10, 10);
	assert_int_equal(bench.damage.copies.count, 1);

	/* A video that was never drawn leaves nothing to rely on. */
	damage_cover(&bench.damage, &bench.surface, 10 + 1, 2);
	take(&bench, SIZE_MAX);
	damage_uncover(&bench.damage, &bench.surface, 10 + 1, false);
	assert_int_equal(bench.damage.tiles[10 + 1].rows, 38);
	bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cutting_leaves_whole_tiles),
		cmocka_unit_test(test_trimming_keeps_the_beginning),
		cmocka_unit_test(test_later_ones_take_turns),
		cmocka_unit_test(test_lossy_pixels_are_refreshed),
		cmocka_unit_test(test_covered_tiles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
