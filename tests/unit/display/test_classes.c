#include "unit/unit.h"

#include <string.h>

#include "unit/paint.h"
#include "worker/display/classes.h"

struct bench {
	struct surface surface;
	struct damage damage;
	struct classes classes;
	uint64_t now_us;
};

static void bench_start(struct bench *bench, unsigned width, unsigned height)
{
	*bench = (struct bench){ 0 };
	surface_init(&bench->surface);
	damage_init(&bench->damage);
	assert_ok(surface_resize(&bench->surface, width, height));
	assert_ok(damage_resize(&bench->damage, &bench->surface));
	assert_ok(classes_init(&bench->classes, &bench->damage));
}

static void bench_stop(struct bench *bench)
{
	classes_finish(&bench->classes);
	damage_finish(&bench->damage);
	surface_finish(&bench->surface);
}

/* Rubbish in the X byte is no colour. */
static void draw(struct bench *bench, paint_pixel *paint, uint32_t which)
{
	for (unsigned y = 0; y < bench->surface.height; y++)
		for (unsigned x = 0; x < bench->surface.width; x++) {
			uint32_t pixel = (paint(x, y, which) & 0xffffff) | paint_hash(x, y, 1)
										   << 24;
			memcpy(bench->surface.data + y * bench->surface.stride + x * 4, &pixel, 4);
		}
	damage_hint(&bench->damage, 0, 0, (int)bench->surface.width, (int)bench->surface.height);
	damage_look(&bench->damage, &bench->surface, ++bench->now_us);
}

static unsigned count(struct bench *bench, enum tile_class class)
{
	unsigned found = 0;
	for (size_t i = 0; i < (size_t)bench->damage.columns * bench->damage.rows; i++)
		found += classes_of(&bench->classes, &bench->damage, &bench->surface, i) == class;
	return found;
}

/* Steps between grain and edges, and exactly so many colours. */
static uint32_t ramp(unsigned x, unsigned y, uint32_t colours)
{
	uint32_t k = (y * 64 + x) % colours;
	return (100 + k % 16 * 5) << 16 | (60 + k / 16 * 9) << 8 | 50;
}

static void test_colours_are_counted_exactly(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 64, 64);
	draw(&bench, ramp, CLASS_COLOURS);
	assert_int_equal(count(&bench, CLASS_PHOTO), 0);
	draw(&bench, ramp, CLASS_COLOURS + 1);
	assert_int_equal(count(&bench, CLASS_PHOTO), 1);
	bench_stop(&bench);
}

static uint32_t plain(unsigned x, unsigned y, uint32_t which)
{
	(void)x;
	(void)y;
	return which;
}

/* As buttons and title bars have them: many colours, but nothing that lossless pixels mind. */
static uint32_t gradient(unsigned x, unsigned y, uint32_t which)
{
	return (x / 2 + which) % 256 << 16 | (x + y) / 3 % 256 << 8 | y / 2 % 256;
}

/* A step to the next colour at every pixel, as on icons. */
static uint32_t steep_gradient(unsigned x, unsigned y, uint32_t which)
{
	x %= 64;
	y %= 64;
	return (2 * x + which) << 16 | (x + 2 * y) << 8 | (x + y);
}

static uint32_t text_on_gradient(unsigned x, unsigned y, uint32_t which)
{
	uint32_t text = paint_text(x, y, which);
	return text == 0xffffff ? steep_gradient(x, y, which) : text;
}

/* Many words in many colours: more than 255 of them in a tile. */
static uint32_t colourful_text(unsigned x, unsigned y, uint32_t which)
{
	uint32_t text = paint_text(x, y, which), ink = paint_hash(x / 16, y / 16, which);
	return text == 0xffffff ? text : (text ^ ink) & 0x7f7f7f;
}

static void test_text_is_sharp(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 640, 512);
	for (uint32_t which = 0; which < 5; which++) {
		draw(&bench, paint_text, which);
		assert_int_equal(count(&bench, CLASS_PHOTO), 0);
		draw(&bench, colourful_text, which);
		assert_int_equal(count(&bench, CLASS_SHARP), 80);
		draw(&bench, text_on_gradient, which);
		assert_int_equal(count(&bench, CLASS_PHOTO), 0);
	}
	bench_stop(&bench);
}

static void test_photos_and_plain_ground(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 640, 512);
	for (uint32_t which = 0; which < 5; which++) {
		draw(&bench, paint_photo, which);
		assert_true(count(&bench, CLASS_PHOTO) >= 76);
		draw(&bench, plain, which * 12345);
		assert_int_equal(count(&bench, CLASS_SMOOTH), 80);
		draw(&bench, gradient, which);
		assert_int_equal(count(&bench, CLASS_PHOTO), 0);
		draw(&bench, steep_gradient, which);
		assert_int_equal(count(&bench, CLASS_PHOTO), 0);
	}
	bench_stop(&bench);
}

static void test_pixels_are_looked_at_only_when_they_changed(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 640, 512);
	draw(&bench, paint_photo, 1);
	(void)count(&bench, CLASS_PHOTO);
	assert_int_equal(bench.classes.looked, 80);
	draw(&bench, paint_photo, 1);
	(void)count(&bench, CLASS_PHOTO);
	assert_int_equal(bench.classes.looked, 80);
	/* One pixel of one tile. */
	bench.surface.data[100 * bench.surface.stride + 100 * 4] ^= 1;
	damage_hint(&bench.damage, 100, 100, 1, 1);
	damage_look(&bench.damage, &bench.surface, ++bench.now_us);
	(void)count(&bench, CLASS_PHOTO);
	assert_int_equal(bench.classes.looked, 81);
	bench_stop(&bench);
}

static void test_any_size(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = { { 1, 1 }, { 65, 1 }, { 1, 65 }, { 130, 70 } };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct bench bench;
		bench_start(&bench, sizes[i][0], sizes[i][1]);
		draw(&bench, paint_photo, 1);
		assert_int_equal(count(&bench, CLASS_PHOTO) + count(&bench, CLASS_SMOOTH) +
					 count(&bench, CLASS_SHARP),
				 bench.damage.columns * bench.damage.rows);
		bench_stop(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_colours_are_counted_exactly),
		cmocka_unit_test(test_text_is_sharp),
		cmocka_unit_test(test_photos_and_plain_ground),
		cmocka_unit_test(test_pixels_are_looked_at_only_when_they_changed),
		cmocka_unit_test(test_any_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
