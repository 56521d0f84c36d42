#include "unit/unit.h"

#include <sanitizer/asan_interface.h>
#include <string.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp_surfaces.h"

enum { WIDTH = 256, HEIGHT = 192, STRIDE = WIDTH * 4 };

/* What was told, in order. */
struct told {
	bool moved;
	int from_x, from_y, x, y, width, height;
};

static uint32_t pixels[WIDTH * HEIGHT];
static struct told told[64];
static size_t told_count;
static struct rdp_surfaces surfaces;

static void on_damaged(void *ctx, int x, int y, int width, int height)
{
	assert_ptr_equal(ctx, told);
	assert_true(told_count < ARRAY_SIZE(told));
	told[told_count++] = (struct told){ false, 0, 0, x, y, width, height };
}

static void on_copied(void *ctx, int from_x, int from_y, int x, int y, int width, int height)
{
	assert_ptr_equal(ctx, told);
	assert_true(told_count < ARRAY_SIZE(told));
	told[told_count++] = (struct told){ true, from_x, from_y, x, y, width, height };
}

static const struct remote_events events = { .damaged = on_damaged, .copied = on_copied };
static const struct rdp_screen screen = { (uint8_t *)pixels, STRIDE, WIDTH, HEIGHT };

static int set_up(void **state)
{
	(void)state;
	memset(pixels, 0, sizeof(pixels));
	told_count = 0;
	rdp_surfaces_init(&surfaces, &events, told);
	rdp_surfaces_enter(&surfaces, &screen);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rdp_surfaces_finish(&surfaces);
	return 0;
}

static void assert_told(size_t i, bool moved, int x, int y, int width, int height)
{
	assert_true(i < told_count);
	assert_int_equal(told[i].moved, moved);
	assert_int_equal(told[i].x, x);
	assert_int_equal(told[i].y, y);
	assert_int_equal(told[i].width, width);
	assert_int_equal(told[i].height, height);
}

static enum err fill(uint16_t id, uint8_t blue, RECTANGLE_16 rect)
{
	RDPGFX_SOLID_FILL_PDU pdu = { .surfaceId = id,
				      .fillPixel = { blue, 0, 0, 0 },
				      .fillRectCount = 1,
				      .fillRects = &rect };

	return rdp_surfaces_fill(&surfaces, &pdu);
}

static enum err move(uint16_t from, uint16_t to, RECTANGLE_16 rect, RDPGFX_POINT16 point)
{
	RDPGFX_SURFACE_TO_SURFACE_PDU pdu = { .surfaceIdSrc = from,
					      .surfaceIdDest = to,
					      .rectSrc = rect,
					      .destPtsCount = 1,
					      .destPts = &point };

	return rdp_surfaces_move(&surfaces, &pdu);
}

static uint32_t screen_at(unsigned x, unsigned y)
{
	return pixels[y * WIDTH + x] & 0xffffff;
}

static void shown(uint16_t id, unsigned width, unsigned height, unsigned x, unsigned y)
{
	assert_ok(rdp_surfaces_create(&surfaces, id, width, height));
	assert_ok(rdp_surfaces_map(&surfaces, id, x, y));
}

/* FreeRDP's ClearCodec can be made to write a row and a pixel too many, and is not built to be
 * caught at it. */
static void test_a_row_too_many_hurts_nobody(void **state)
{
	const struct rdp_surface *surface;

	(void)state;
	assert_ok(rdp_surfaces_create(&surfaces, 1, 64, 128));
	assert_ok(rdp_surfaces_write_apart(rdp_surfaces_find(&surfaces, 1)));
	surface = rdp_surfaces_find(&surfaces, 1);
#ifdef __SANITIZE_ADDRESS__
	assert_null(__asan_region_is_poisoned(surface->own + 128 * surface->stride,
					      surface->stride + 4));
#endif
	assert_int_equal(surface->stride, 64 * 4);
}

/* Where it can a surface lies in the framebuffer: what is drawn is there, told at once and exactly.
 */
static void test_in_the_framebuffer(void **state)
{
	(void)state;
	shown(1, WIDTH, HEIGHT, 0, 0);
	assert_int_equal(told_count, 0);
	assert_ok(fill(1, 7, (RECTANGLE_16){ 10, 20, 30, 25 }));
	assert_null(rdp_surfaces_find(&surfaces, 1)->own);
	assert_int_equal(told_count, 1);
	assert_told(0, false, 10, 20, 20, 5);
	assert_int_equal(screen_at(10, 20), 7);
	assert_int_equal(screen_at(29, 24), 7);
	assert_int_equal(screen_at(30, 24), 0);
	assert_int_equal(screen_at(10, 25), 0);
}

/* A part that moves is told as moved, in the order of the drawing. */
static void test_moved(void **state)
{
	(void)state;
	shown(1, WIDTH, HEIGHT, 0, 0);
	assert_ok(fill(1, 7, (RECTANGLE_16){ 0, 0, 8, 8 }));
	assert_ok(fill(1, 9, (RECTANGLE_16){ 0, 8, 8, 16 }));
	/* downwards over itself */
	assert_ok(move(1, 1, (RECTANGLE_16){ 0, 0, 8, 16 }, (RDPGFX_POINT16){ 0, 4 }));
	assert_int_equal(told_count, 3);
	assert_told(2, true, 0, 4, 8, 16);
	assert_int_equal(told[2].from_x, 0);
	assert_int_equal(told[2].from_y, 0);
	assert_int_equal(screen_at(0, 3), 7);
	assert_int_equal(screen_at(0, 11), 7);
	assert_int_equal(screen_at(0, 12), 9);
	assert_int_equal(screen_at(0, 19), 9);
	/* and to the right */
	assert_ok(move(1, 1, (RECTANGLE_16){ 0, 11, 8, 13 }, (RDPGFX_POINT16){ 5, 11 }));
	assert_int_equal(screen_at(12, 11), 7);
	assert_int_equal(screen_at(5, 12), 9);
}

/* One surface a monitor: both in the framebuffer, and what moves between them is a move. */
static void test_two_monitors(void **state)
{
	(void)state;
	shown(1, 128, HEIGHT, 0, 0);
	shown(2, 128, HEIGHT, 128, 0);
	assert_ok(fill(1, 5, (RECTANGLE_16){ 0, 0, 128, HEIGHT }));
	assert_int_equal(screen_at(127, 0), 5);
	assert_int_equal(screen_at(128, 0), 0);
	assert_ok(move(1, 2, (RECTANGLE_16){ 100, 0, 128, 10 }, (RDPGFX_POINT16){ 2, 3 }));
	assert_told(1, true, 130, 3, 28, 10);
	assert_int_equal(told[1].from_x, 100);
	assert_int_equal(screen_at(130, 3), 5);
	assert_null(rdp_surfaces_find(&surfaces, 1)->own);
	assert_null(rdp_surfaces_find(&surfaces, 2)->own);
}

/* Not in the framebuffer it is copied there, and nothing is told as moved. */
static void test_apart(void **state)
{
	(void)state;
	assert_ok(rdp_surfaces_create(&surfaces, 1, 64, 64));
	assert_ok(fill(1, 5, (RECTANGLE_16){ 0, 0, 64, 64 }));
	assert_int_equal(told_count, 0);
	/* partly outside of the desktop */
	assert_ok(rdp_surfaces_map(&surfaces, 1, WIDTH - 32, HEIGHT - 16));
	assert_told(0, false, WIDTH - 32, HEIGHT - 16, 32, 16);
	assert_int_equal(screen_at(WIDTH - 1, HEIGHT - 1), 5);
	assert_ok(move(1, 1, (RECTANGLE_16){ 0, 0, 4, 4 }, (RDPGFX_POINT16){ 8, 8 }));
	assert_told(1, false, WIDTH - 24, HEIGHT - 8, 4, 4);
	/* wholly outside */
	assert_ok(rdp_surfaces_map(&surfaces, 1, 60000, 60000));
	assert_ok(fill(1, 6, (RECTANGLE_16){ 0, 0, 64, 64 }));
	assert_int_equal(told_count, 2);
}

/* Two on the same place cannot share the memory: neither changes the other. */
static void test_overlap(void **state)
{
	(void)state;
	shown(1, WIDTH, HEIGHT, 0, 0);
	assert_ok(fill(1, 5, (RECTANGLE_16){ 0, 0, WIDTH, HEIGHT }));
	shown(2, 64, 64, 10, 10);
	assert_ok(fill(2, 9, (RECTANGLE_16){ 0, 0, 64, 64 }));
	assert_int_equal(screen_at(10, 10), 9);
	assert_non_null(rdp_surfaces_find(&surfaces, 1)->own);
	assert_ok(fill(1, 6, (RECTANGLE_16){ 0, 0, 1, 1 }));
	assert_int_equal(screen_at(10, 10), 9);
	assert_int_equal(*rdp_surfaces_find(&surfaces, 1)->data, 6);
	told_count = 0;
	assert_ok(move(1, 1, (RECTANGLE_16){ 100, 100, 110, 110 }, (RDPGFX_POINT16){ 20, 20 }));
	assert_told(0, false, 20, 20, 10, 10);
}

/* The framebuffer goes away and comes back in another size. */
static void test_resize(void **state)
{
	static uint32_t larger[WIDTH * 2 * HEIGHT];
	const struct rdp_screen next = { (uint8_t *)larger, 2 * STRIDE, 2 * WIDTH, HEIGHT };

	(void)state;
	shown(1, WIDTH, HEIGHT, 0, 0);
	assert_ok(fill(1, 5, (RECTANGLE_16){ 0, 0, WIDTH, HEIGHT }));
	assert_ok(rdp_surfaces_leave(&surfaces));
	memset(pixels, 0xee, sizeof(pixels));
	assert_ok(fill(1, 6, (RECTANGLE_16){ 0, 0, 1, 1 }));
	told_count = 0;
	rdp_surfaces_enter(&surfaces, &next);
	assert_told(0, false, 0, 0, WIDTH, HEIGHT);
	assert_int_equal(larger[0] & 0xff, 6);
	assert_int_equal(larger[WIDTH - 1] & 0xff, 5);
	assert_null(rdp_surfaces_find(&surfaces, 1)->own);
}

static enum err keep(uint16_t id, uint16_t slot, RECTANGLE_16 rect)
{
	RDPGFX_SURFACE_TO_CACHE_PDU pdu = { .surfaceId = id, .cacheSlot = slot, .rectSrc = rect };

	return rdp_surfaces_keep(&surfaces, &pdu);
}

static enum err put(uint16_t id, uint16_t slot, RDPGFX_POINT16 *points, uint16_t count)
{
	RDPGFX_CACHE_TO_SURFACE_PDU pdu = { slot, id, count, points };

	return rdp_surfaces_put(&surfaces, &pdu);
}

static void test_cache(void **state)
{
	RDPGFX_POINT16 points[2] = { { 20, 20 }, { WIDTH - 4, HEIGHT - 4 } };

	(void)state;
	shown(1, WIDTH, HEIGHT, 0, 0);
	assert_ok(fill(1, 5, (RECTANGLE_16){ 0, 0, 4, 4 }));
	assert_ok(keep(1, 7, (RECTANGLE_16){ 0, 0, 4, 4 }));
	assert_ok(put(1, 7, points, 2));
	assert_int_equal(screen_at(23, 23), 5);
	assert_int_equal(screen_at(WIDTH - 1, HEIGHT - 1), 5);
	assert_told(2, false, WIDTH - 4, HEIGHT - 4, 4, 4);
	points[1].x++;
	assert_err(put(1, 7, points, 2), ERR_PROTOCOL);
	assert_err(put(1, 8, points, 1), ERR_PROTOCOL);
	assert_err(put(1, 0, points, 1), ERR_PROTOCOL);
	assert_err(put(2, 7, points, 1), ERR_PROTOCOL);
	rdp_surfaces_evict(&surfaces, 7);
	rdp_surfaces_evict(&surfaces, 0xffff);
	assert_err(put(1, 7, points, 1), ERR_PROTOCOL);
	assert_int_equal(surfaces.tile_bytes, 0);
	assert_err(keep(1, 0, (RECTANGLE_16){ 0, 0, 4, 4 }), ERR_PROTOCOL);
	assert_err(keep(1, RDP_MAX_TILES + 1, (RECTANGLE_16){ 0, 0, 4, 4 }), ERR_PROTOCOL);
	assert_err(keep(1, 1, (RECTANGLE_16){ 4, 0, 4, 4 }), ERR_PROTOCOL);
	assert_err(keep(1, 1, (RECTANGLE_16){ 8, 0, 4, 4 }), ERR_PROTOCOL);
}

static void test_outside(void **state)
{
	static const RECTANGLE_16 wrong[] = {
		{ 0, 0, WIDTH + 1, 1 }, { 0, 0, 1, HEIGHT + 1 }, { 5, 0, 4, 1 },
		{ 0, 5, 1, 4 },         { 65535, 0, 65535, 1 },  { 0, 65535, 1, 65535 },
		{ 0, 0, 65535, 65535 },
	};

	(void)state;
	shown(1, WIDTH, HEIGHT, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_err(fill(1, 1, wrong[i]), ERR_PROTOCOL);
		assert_err(move(1, 1, wrong[i], (RDPGFX_POINT16){ 0, 0 }), ERR_PROTOCOL);
		assert_err(keep(1, 1, wrong[i]), ERR_PROTOCOL);
	}
	assert_err(move(1, 1, (RECTANGLE_16){ 0, 0, 2, 2 }, (RDPGFX_POINT16){ WIDTH - 1, 0 }),
		   ERR_PROTOCOL);
	assert_err(move(1, 1, (RECTANGLE_16){ 0, 0, 2, 2 }, (RDPGFX_POINT16){ 65535, 65535 }),
		   ERR_PROTOCOL);
	assert_err(move(1, 2, (RECTANGLE_16){ 0, 0, 2, 2 }, (RDPGFX_POINT16){ 0, 0 }),
		   ERR_PROTOCOL);
	assert_err(move(2, 1, (RECTANGLE_16){ 0, 0, 2, 2 }, (RDPGFX_POINT16){ 0, 0 }),
		   ERR_PROTOCOL);
	assert_err(fill(2, 1, (RECTANGLE_16){ 0, 0, 1, 1 }), ERR_PROTOCOL);
	assert_err(rdp_surfaces_map(&surfaces, 2, 0, 0), ERR_PROTOCOL);
	assert_err(rdp_surfaces_map(&surfaces, 1, 0xffffffff, 0), ERR_PROTOCOL);
	assert_int_equal(told_count, 0);
}

/* Memory is bounded, and so is the work of one message. */
static void test_too_much(void **state)
{
	RECTANGLE_16 whole = { 0, 0, WIDTH, HEIGHT };
	RECTANGLE_16 often[17];
	RDPGFX_SOLID_FILL_PDU pdu = { .surfaceId = 1, .fillRectCount = 17, .fillRects = often };
	enum err err = OK;
	unsigned count = 0;

	(void)state;
	assert_err(rdp_surfaces_create(&surfaces, 1, 65535, 65535), ERR_TOO_BIG);
	assert_err(rdp_surfaces_create(&surfaces, 1, 0, 10), ERR_PROTOCOL);
	assert_err(rdp_surfaces_create(&surfaces, 1, 10, 0), ERR_PROTOCOL);
	assert_ok(rdp_surfaces_create(&surfaces, 1, WIDTH, HEIGHT));
	assert_err(rdp_surfaces_create(&surfaces, 1, WIDTH, HEIGHT), ERR_PROTOCOL);
	for (size_t i = 0; i < ARRAY_SIZE(often); i++)
		often[i] = whole;
	assert_err(rdp_surfaces_fill(&surfaces, &pdu), ERR_PROTOCOL);
	pdu.fillRectCount = 16;
	assert_ok(rdp_surfaces_fill(&surfaces, &pdu));
	rdp_surfaces_delete(&surfaces, 1);
	rdp_surfaces_delete(&surfaces, 1);
	assert_int_equal(surfaces.pixels, 0);
	while (!err && count < 10000)
		err = rdp_surfaces_create(&surfaces, (uint16_t)++count, 8, 8);
	assert_err(err, ERR_TOO_BIG);
	assert_int_equal(count, RDP_MAX_SURFACES + 1);
	rdp_surfaces_clear(&surfaces);
	for (err = OK, count = 0; !err && count < 10000;)
		err = rdp_surfaces_create(&surfaces, (uint16_t)++count, 4096, 1024);
	assert_err(err, ERR_TOO_BIG);
	assert_in_range(surfaces.pixels, 1 << 20, 16 << 20);
	rdp_surfaces_clear(&surfaces);
	assert_ok(rdp_surfaces_create(&surfaces, 1, 4096, 2048));
	for (err = OK, count = 0; !err && count < RDP_MAX_TILES;)
		err = keep(1, (uint16_t)++count, (RECTANGLE_16){ 0, 0, 1024, 1024 });
	assert_err(err, ERR_TOO_BIG);
	assert_in_range(surfaces.tile_bytes, 1 << 20, RDP_MAX_TILE_BYTES);
}

/* A decoder that works in whole tiles gets the room for them, and nothing of that is shown. */
static void test_room_for_tiles(void **state)
{
	struct rdp_surface *surface;

	(void)state;
	shown(1, 100, 50, 0, 0);
	surface = rdp_surfaces_find(&surfaces, 1);
	assert_ok(rdp_surfaces_write(surface, 100, 50));
	assert_ok(fill(1, 3, (RECTANGLE_16){ 0, 0, 100, 50 }));
	assert_ok(rdp_surfaces_write(surface, 128, 64));
	assert_non_null(surface->own);
	assert_int_equal(surface->stride, 128 * 4);
	assert_int_equal(surface->data[49 * surface->stride + 99 * 4], 3);
	memset(surface->data, 9, 64 * surface->stride);
	rdp_surfaces_drawn(&surfaces, surface, &(RECTANGLE_16){ 64, 0, 128, 64 });
	assert_told(told_count - 1, false, 64, 0, 36, 50);
	assert_int_equal(screen_at(99, 49), 0x090909);
	assert_int_equal(screen_at(100, 49), 0);
	assert_int_equal(screen_at(99, 50), 0);
	assert_err(rdp_surfaces_write(surface, 129, 64), ERR_PROTOCOL);
	assert_err(rdp_surfaces_write(surface, 128, 65), ERR_PROTOCOL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_row_too_many_hurts_nobody),
		TEST(test_in_the_framebuffer),
		TEST(test_moved),
		TEST(test_two_monitors),
		TEST(test_apart),
		TEST(test_overlap),
		TEST(test_resize),
		TEST(test_cache),
		TEST(test_outside),
		TEST(test_too_much),
		TEST(test_room_for_tiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
