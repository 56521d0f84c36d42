#include "unit/unit.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/util.h"
#include "worker/encode/lossless.h"

static uint32_t state_of_random = 99;

static uint32_t next_random(void)
{
	state_of_random = state_of_random * 1664525u + 1013904223u;
	return state_of_random >> 8;
}

static void fill_random(struct surface *surface, uint32_t mask)
{
	for (size_t i = 0; i < surface->size / 4; i++)
		((uint32_t *)surface->data)[i] = next_random() & mask;
}

/* docs/protocol.md "Frames", read literally: per pixel, plane by plane. */
static void check_by_the_book(const struct surface *surface, const struct rect *rects, size_t count,
			      const struct lossless_data *data, bool blank)
{
	size_t pixels = 0, at = 0;
	for (size_t i = 0; i < count; i++)
		pixels += (size_t)rects[i].width * rects[i].height;
	assert_int_equal(data->raw_size, 3 * pixels);
	uint8_t *raw = malloc(data->raw_size);
	assert_non_null(raw);
	assert_int_equal(ZSTD_decompress(raw, data->raw_size, data->data, data->len),
			 data->raw_size);
	for (size_t i = 0; i < count; i++)
		for (unsigned y = rects[i].y; y < (unsigned)rects[i].y + rects[i].height; y++) {
			uint8_t left_g = 0, left_r = 0, left_b = 0;
			for (unsigned x = rects[i].x; x < (unsigned)rects[i].x + rects[i].width;
			     x++, at++) {
				const uint8_t *bgrx = surface_at(surface, x, y);
				uint8_t g = (uint8_t)(left_g + raw[at]);
				uint8_t d1 = (uint8_t)(left_r + raw[pixels + at]);
				uint8_t d2 = (uint8_t)(left_b + raw[2 * pixels + at]);
				assert_int_equal(g, blank ? 0 : bgrx[1]);
				assert_int_equal((uint8_t)(g + d1), blank ? 0 : bgrx[2]);
				assert_int_equal((uint8_t)(g + d2), blank ? 0 : bgrx[0]);
				left_g = g;
				left_r = d1;
				left_b = d2;
			}
		}
	free(raw);
}

static void test_round_trips(void **state)
{
	(void)state;
	static const struct rect rects[] = {
		{ 0, 0, 1, 1 },   { 0, 0, 200, 100 }, { 199, 99, 1, 1 },
		{ 7, 3, 64, 64 }, { 3, 90, 197, 10 }, { 50, 0, 1, 100 },
	};
	struct surface surface;
	struct lossless *lossless;
	struct lossless_data data;
	surface_init(&surface);
	assert_ok(surface_resize(&surface, 200, 100));
	assert_ok(lossless_new(&lossless));
	fill_random(&surface, 0xffffffff);
	for (size_t i = 0; i < ARRAY_SIZE(rects); i++) {
		assert_ok(lossless_encode(lossless, &surface, &rects[i], 1, LOSSLESS_ANY, &data));
		check_by_the_book(&surface, &rects[i], 1, &data, false);
		assert_ok(lossless_encode(lossless, &surface, &rects[i], 1, LOSSLESS_PHOTO, &data));
		check_by_the_book(&surface, &rects[i], 1, &data, false);
		assert_ok(lossless_encode(lossless, &surface, &rects[i], 1, LOSSLESS_TIGHT, &data));
		check_by_the_book(&surface, &rects[i], 1, &data, false);
	}
	assert_ok(
		lossless_encode(lossless, &surface, rects, ARRAY_SIZE(rects), LOSSLESS_ANY, &data));
	check_by_the_book(&surface, rects, ARRAY_SIZE(rects), &data, false);
	assert_ok(lossless_encode(lossless, &surface, rects, ARRAY_SIZE(rects), LOSSLESS_BLANK,
				  &data));
	check_by_the_book(&surface, rects, ARRAY_SIZE(rects), &data, true);
	lossless_free(lossless);
	surface_finish(&surface);
}

/* The same pixels with another X byte are the same bytes. */
static void test_the_x_byte_is_not_sent(void **state)
{
	(void)state;
	struct surface surface;
	struct lossless *lossless;
	struct lossless_data data;
	const struct rect all = { 0, 0, 130, 40 };
	surface_init(&surface);
	assert_ok(surface_resize(&surface, 130, 40));
	assert_ok(lossless_new(&lossless));
	fill_random(&surface, 0xffffff);
	assert_ok(lossless_encode(lossless, &surface, &all, 1, LOSSLESS_ANY, &data));
	size_t len = data.len;
	uint8_t *first = malloc(len);
	assert_non_null(first);
	memcpy(first, data.data, len);
	for (size_t i = 3; i < surface.size; i += 4)
		surface.data[i] = (uint8_t)next_random();
	assert_ok(lossless_encode(lossless, &surface, &all, 1, LOSSLESS_ANY, &data));
	assert_int_equal(data.len, len);
	assert_memory_equal(data.data, first, len);
	free(first);
	lossless_free(lossless);
	surface_finish(&surface);
}

static void test_noise_larger_than_a_message_is_refused(void **state)
{
	(void)state;
	struct surface surface;
	struct lossless *lossless;
	struct lossless_data data;
	const struct rect all = { 0, 0, SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT };
	const struct rect most = { 0, 0, 4096, LOSSLESS_SAFE_PIXELS / 4096 };
	surface_init(&surface);
	assert_ok(surface_resize(&surface, SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT));
	assert_ok(lossless_new(&lossless));
	fill_random(&surface, 0xffffffff);
	assert_err(lossless_encode(lossless, &surface, &all, 1, LOSSLESS_ANY, &data), ERR_TOO_BIG);
	assert_ok(lossless_encode(lossless, &surface, &all, 1, LOSSLESS_BLANK, &data));
	assert_ok(lossless_encode(lossless, &surface, &most, 1, LOSSLESS_ANY, &data));
	assert_true(data.len > LOSSLESS_SAFE_PIXELS * 2 && data.len <= LOSSLESS_MAX_DATA);
	assert_ok(lossless_encode(lossless, &surface, &most, 1, LOSSLESS_PHOTO, &data));
	lossless_free(lossless);
	surface_finish(&surface);
}

static void test_bytes(void **state)
{
	(void)state;
	uint8_t cursor[32 * 32 * 4], back[sizeof(cursor)];
	struct lossless *lossless;
	struct lossless_data data;
	for (size_t i = 0; i < sizeof(cursor); i++)
		cursor[i] = (uint8_t)(i / 7);
	assert_ok(lossless_new(&lossless));
	assert_ok(lossless_bytes(lossless, cursor, sizeof(cursor), &data));
	assert_int_equal(ZSTD_decompress(back, sizeof(back), data.data, data.len), sizeof(back));
	assert_memory_equal(back, cursor, sizeof(back));
	lossless_free(lossless);
}

/* Of the sanitizer, which keeps malloc's own count from being right; NULL without it. */
__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

static size_t allocated(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

/* One keyframe must not decide what a session of smaller frames holds. */
static void test_memory_follows_the_frames(void **state)
{
	enum { WIDTH = 1024, HEIGHT = 1024, FRAMES = 40 };
	static const struct rect all = { .width = WIDTH, .height = HEIGHT },
				 third = { .width = WIDTH, .height = HEIGHT / 3 };
	struct surface surface;
	struct lossless *lossless;
	struct lossless_data data;

	(void)state;
	surface_init(&surface);
	assert_ok(surface_resize(&surface, WIDTH, HEIGHT));
	assert_ok(lossless_new(&lossless));
	assert_ok(lossless_encode(lossless, &surface, &all, 1, LOSSLESS_ANY, &data));
	const size_t before = allocated();
	for (unsigned i = 0; i < FRAMES; i++)
		assert_ok(lossless_encode(lossless, &surface, &third, 1, LOSSLESS_ANY, &data));
	assert_true(allocated() + (size_t)WIDTH * HEIGHT < before);
	lossless_free(lossless);
	surface_finish(&surface);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_the_x_byte_is_not_sent),
		cmocka_unit_test(test_noise_larger_than_a_message_is_refused),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_memory_follows_the_frames),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
