#include "unit/unit.h"

#include "base/util.h"
#include "worker/display/heat.h"

struct bench {
	struct surface surface;
	struct damage damage;
	struct heat heat;
	uint64_t now_us;
};

static void bench_start(struct bench *bench)
{
	*bench = (struct bench){ .now_us = 5000000 };
	surface_init(&bench->surface);
	damage_init(&bench->damage);
	assert_ok(surface_resize(&bench->surface, 640, 640));
	assert_ok(damage_resize(&bench->damage, &bench->surface));
	assert_ok(heat_init(&bench->heat, &bench->damage));
}

static void bench_stop(struct bench *bench)
{
	heat_finish(&bench->heat);
	damage_finish(&bench->damage);
	surface_finish(&bench->surface);
}

static void beat(struct bench *bench, const size_t *tiles, size_t count, uint64_t after_us)
{
	bench->now_us += after_us;
	for (size_t i = 0; i < 100; i++)
		bench->damage.tiles[i].fresh = false;
	for (size_t i = 0; i < count; i++) {
		bench->damage.tiles[tiles[i]].fresh = true;
		bench->damage.tiles[tiles[i]].rows = 64;
	}
	heat_note(&bench->heat, &bench->damage, bench->now_us);
}

static bool is_hot(struct bench *bench, size_t tile)
{
	return heat_is_hot(&bench->heat, tile, bench->now_us, HEAT_RUN_US);
}

static void test_ten_a_second_for_a_second(void **state)
{
	(void)state;
	struct bench bench;
	const size_t tile = 33;
	bench_start(&bench);
	for (int i = 0; i < 20; i++) {
		beat(&bench, &tile, 1, 50000);
		assert_false(is_hot(&bench, tile));
		assert_int_equal(heat_is_warm(&bench.heat, tile, bench.now_us), i >= 2);
	}
	beat(&bench, &tile, 1, 50000);
	assert_true(is_hot(&bench, tile));
	assert_false(is_hot(&bench, tile + 1));
	/* A pause ends it. */
	beat(&bench, &tile, 1, HEAT_GAP_US + 1);
	assert_false(is_hot(&bench, tile));
	for (int i = 0; i < 50; i++)
		beat(&bench, &tile, 1, 110000);
	assert_false(is_hot(&bench, tile));
	/* Where the link is slow that is often enough. */
	bench.heat.slow = true;
	assert_true(is_hot(&bench, tile));
	bench_stop(&bench);
}

static void test_what_does_not_count(void **state)
{
	(void)state;
	struct bench bench;
	const size_t tile = 33;
	bench_start(&bench);
	for (int i = 0; i < 30; i++) {
		bench.damage.tiles[tile].rows = HEAT_ROWS - 1;
		bench.now_us += 50000;
		bench.damage.tiles[tile].fresh = true;
		heat_note(&bench.heat, &bench.damage, bench.now_us);
	}
	assert_false(is_hot(&bench, tile));
	bench.damage.scrolled[3] = true;
	for (int i = 0; i < 30; i++)
		beat(&bench, &tile, 1, 50000);
	assert_false(is_hot(&bench, tile));
	/* But what moves under a video does. */
	bench.damage.tiles[tile].moved = true;
	for (int i = 0; i < 30; i++)
		beat(&bench, NULL, 0, 50000);
	assert_true(is_hot(&bench, tile));
	bench_stop(&bench);
}

/* Drawn in two parts is drawn once. */
static void test_two_parts_are_one_beat(void **state)
{
	(void)state;
	struct bench bench;
	const size_t tile = 7;
	bench_start(&bench);
	for (int i = 0; i < 20; i++) {
		beat(&bench, &tile, 1, 140000);
		beat(&bench, &tile, 1, HEAT_SAME_US - 1);
	}
	assert_false(is_hot(&bench, tile));
	bench_stop(&bench);
}

static void test_boxes(void **state)
{
	(void)state;
	struct bench bench;
	struct heat_box boxes[HEAT_BOXES];
	/* An L, something inside its corner, and two tiles elsewhere. */
	const size_t tiles[] = { 0, 10, 20, 21, 22, 23, 2, 77, 78 };
	bench_start(&bench);
	for (int i = 0; i < 30; i++)
		beat(&bench, tiles, ARRAY_SIZE(tiles), 50000);
	assert_int_equal(heat_find(&bench.heat, &bench.damage, bench.now_us, HEAT_RUN_US, boxes),
			 2);
	assert_int_equal(boxes[0].hot, 7);
	assert_int_equal(boxes[0].left, 0);
	assert_int_equal(boxes[0].top, 0);
	assert_int_equal(boxes[0].right, 4);
	assert_int_equal(boxes[0].bottom, 3);
	assert_int_equal(boxes[1].hot, 2);
	assert_int_equal(boxes[1].left, 7);
	assert_int_equal(boxes[1].right, 9);
	bench_stop(&bench);
}

/* Boxes do not touch: one that joins others may reach more, those before it too. */
static void test_joined_boxes(void **state)
{
	(void)state;
	struct bench bench;
	struct heat_box boxes[HEAT_BOXES];
	/* A tile between two others, cornerwise. Below, two that reach one only when they joined
	 * another. */
	const size_t tiles[] = { 0, 2, 11, 53, 60, 71, 72 };
	bench_start(&bench);
	for (int i = 0; i < 30; i++)
		beat(&bench, tiles, ARRAY_SIZE(tiles), 50000);
	assert_int_equal(heat_find(&bench.heat, &bench.damage, bench.now_us, HEAT_RUN_US, boxes),
			 2);
	assert_int_equal(boxes[0].hot, 4);
	assert_int_equal(boxes[0].right, 4);
	assert_int_equal(boxes[0].top, 5);
	assert_int_equal(boxes[0].bottom, 8);
	assert_int_equal(boxes[1].hot, 3);
	assert_int_equal(boxes[1].right, 3);
	assert_int_equal(boxes[1].bottom, 2);
	bench_stop(&bench);
}

/* As many as there is room for, the whole desktop among them. */
static void test_many_boxes(void **state)
{
	(void)state;
	struct bench bench;
	struct heat_box boxes[HEAT_BOXES];
	size_t tiles[100], count = 0;
	bench_start(&bench);
	for (size_t y = 0; y < 10; y += 3)
		for (size_t x = 0; x < 10; x += 3)
			tiles[count++] = y * 10 + x;
	for (int i = 0; i < 30; i++)
		beat(&bench, tiles, count, 50000);
	assert_int_equal(heat_find(&bench.heat, &bench.damage, bench.now_us, HEAT_RUN_US, boxes),
			 HEAT_BOXES);
	for (size_t i = 0; i < 100; i++)
		tiles[i] = i;
	for (int i = 0; i < 30; i++)
		beat(&bench, tiles, 100, 50000);
	assert_int_equal(heat_find(&bench.heat, &bench.damage, bench.now_us, HEAT_RUN_US, boxes),
			 1);
	assert_int_equal(boxes[0].hot, 100);
	bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_a_second_for_a_second),
		cmocka_unit_test(test_what_does_not_count),
		cmocka_unit_test(test_two_parts_are_one_beat),
		cmocka_unit_test(test_boxes),
		cmocka_unit_test(test_joined_boxes),
		cmocka_unit_test(test_many_boxes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
