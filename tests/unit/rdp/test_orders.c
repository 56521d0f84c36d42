#include "unit/unit.h"

#include <string.h>

#include <freerdp/gdi/gdi.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_gfx.h"

enum { SIDE = 200, STRIDE = 832 }; /* LEAST_SIZE of rdp_settings.c, rows aligned to 64 bytes */

/* A connection's drawing without a connection: the framebuffer, and the picture of a viewer that
 * does at once as it is told. */
static struct {
	struct loop *loop;
	struct remote *remote;
	uint8_t pixels[SIDE * STRIDE], viewer[SIDE * STRIDE];
	unsigned copies, damages;
} now;

static uint8_t *on_resized(void *ctx, unsigned width, unsigned height, size_t *ret_stride)
{
	(void)ctx;
	assert_int_equal(width, SIDE);
	assert_int_equal(height, SIDE);
	*ret_stride = STRIDE;
	return now.pixels;
}

static void assert_inside(int x, int y, int width, int height)
{
	assert_in_range(x, 0, SIDE);
	assert_in_range(y, 0, SIDE);
	assert_in_range(width, 0, SIDE - x);
	assert_in_range(height, 0, SIDE - y);
}

static void on_damaged(void *ctx, int x, int y, int width, int height)
{
	(void)ctx;
	now.damages++;
	assert_inside(x, y, width, height);
	for (int row = y; row < y + height; row++)
		memcpy(now.viewer + row * STRIDE + x * 4, now.pixels + row * STRIDE + x * 4,
		       (size_t)width * 4);
}

static void on_copied(void *ctx, int from_x, int from_y, int x, int y, int width, int height)
{
	static uint8_t before[SIDE * STRIDE];

	(void)ctx;
	now.copies++;
	assert_inside(from_x, from_y, width, height);
	assert_inside(x, y, width, height);
	memcpy(before, now.viewer, sizeof(before));
	for (int row = 0; row < height; row++)
		memcpy(now.viewer + (y + row) * STRIDE + x * 4,
		       before + (from_y + row) * STRIDE + from_x * 4, (size_t)width * 4);
}

static void on_done(void *ctx)
{
	assert_ptr_equal(ctx, &now);
}

static const struct remote_events events = {
	.resized = on_resized, .damaged = on_damaged, .copied = on_copied, .frame_done = on_done
};

static struct rdp_remote *rdp(void)
{
	return container_of(now.remote, struct rdp_remote, remote);
}

static rdpContext *context(void)
{
	return rdp()->instance->context;
}

static void draw_pattern(void)
{
	static BYTE data[SIDE * 40 * 4];
	BITMAP_DATA part = { .width = SIDE,
			     .height = 40,
			     .destRight = SIDE - 1,
			     .bitsPerPixel = 32,
			     .bitmapLength = sizeof(data),
			     .bitmapDataStream = data };
	BITMAP_UPDATE update = { .number = 1, .rectangles = &part };

	for (unsigned top = 0; top < SIDE; top += 40) {
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (BYTE)(i * 7 + i / 800 * 13 + top);
		part.destTop = top;
		part.destBottom = top + 39;
		assert_true(context()->update->BitmapUpdate(context(), &update));
	}
}

static int set_up(void **state)
{
	const struct remote_config config = { .address = "192.0.2.7",
					      .port = 3389,
					      .user = "",
					      .password = "",
					      .domain = "",
					      .width = SIDE,
					      .height = SIDE,
					      .connect_s = 5 };

	(void)state;
	memset(&now, 0, sizeof(now));
	assert_ok(loop_new(&now.loop));
	assert_ok(remote_rdp_new(now.loop, &config, &events, &now, &now.remote));
	assert_true(rdp_gfx_init(rdp()));
	draw_pattern();
	assert_int_equal(now.damages, 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rdp_frames_finish(rdp());
	rdp_gfx_finish(rdp());
	remote_free(now.remote);
	loop_free(now.loop);
	return 0;
}

static void assert_same_picture(void)
{
	for (unsigned y = 0; y < SIDE; y++)
		assert_memory_equal(now.viewer + y * STRIDE, now.pixels + y * STRIDE, SIDE * 4);
}

static void scr_blt(int x, int y, int width, int height, int from_x, int from_y, unsigned rop)
{
	SCRBLT_ORDER order = { .nLeftRect = x,
			       .nTopRect = y,
			       .nWidth = width,
			       .nHeight = height,
			       .bRop = rop,
			       .nXSrc = from_x,
			       .nYSrc = from_y };

	assert_true(context()->update->primary->ScrBlt(context(), &order));
}

static void fill(int x, int y, int width, int height, uint32_t colour)
{
	OPAQUE_RECT_ORDER order = {
		.nLeftRect = x, .nTopRect = y, .nWidth = width, .nHeight = height, .color = colour
	};

	assert_true(context()->update->primary->OpaqueRect(context(), &order));
}

/* A scroll is told as a move, after what was drawn before it and before what comes after. */
static void test_moved_in_order(void **state)
{
	rdpUpdate *update = context()->update;

	(void)state;
	assert_true(update->BeginPaint(context()));
	fill(10, 50, 40, 40, 0xff);
	scr_blt(0, 0, 150, 170, 0, 30, 0xcc);
	fill(20, 30, 10, 10, 0xff00);
	scr_blt(30, 35, 100, 100, 20, 30, 0xcc);
	scr_blt(25, 30, 100, 100, 30, 35, 0xcc);
	fill(0, 0, 5, 5, 0xff0000);
	assert_true(update->EndPaint(context()));
	assert_int_equal(now.copies, 3);
	assert_same_picture();
}

/* Anything but a plain copy, and whatever is not wholly on the screen, is drawn. */
static void test_not_moved(void **state)
{
	static const int places[][6] = {
		{ 0, 0, 50, 50, -10, 0 },     { 0, 0, 50, 50, 0, -10 },
		{ 0, 0, 50, 50, 180, 0 },     { 0, 0, 50, 50, 0, 180 },
		{ 0, 0, 50, 50, 5000, 0 },    { 0, 0, 50, 50, -5000, 0 },
		{ 0, 0, 500, 500, 100, 100 }, { -100, -100, 300, 300, -100, -110 },
	};

	(void)state;
	assert_true(context()->update->BeginPaint(context()));
	scr_blt(10, 10, 50, 50, 0, 0, 0x66);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		scr_blt(places[i][0], places[i][1], places[i][2], places[i][3], places[i][4],
			places[i][5], 0xcc);
	assert_true(context()->update->EndPaint(context()));
	assert_int_equal(now.copies, 0);
	assert_same_picture();
}

/* The target cut off at the screen or at bounds: that part is still a move. */
static void test_cut_off(void **state)
{
	const rdpBounds bounds = { 20, 30, 119, 79 };

	(void)state;
	assert_true(context()->update->BeginPaint(context()));
	scr_blt(180, 190, 100, 100, 0, 0, 0xcc);
	assert_int_equal(now.copies, 1);
	assert_true(context()->update->SetBounds(context(), &bounds));
	scr_blt(0, 10, 200, 180, 3, 0, 0xcc);
	assert_true(context()->update->SetBounds(context(), NULL));
	assert_true(context()->update->EndPaint(context()));
	assert_int_equal(now.copies, 2);
	assert_same_picture();
}

static void assert_ends_session(void)
{
	assert_int_equal(rdp()->failed, END_PC_PROTOCOL);
	rdp()->failed = END_NONE;
}

/* What was not offered has no limits in FreeRDP. */
static void test_refused(void **state)
{
	rdpUpdate *update = context()->update;
	CACHE_BITMAP_ORDER cache = { 0 };
	CACHE_BITMAP_V2_ORDER cache_v2 = { 0 };
	CACHE_BITMAP_V3_ORDER cache_v3 = { 0 };
	CACHE_GLYPH_ORDER glyph = { 0 };
	CACHE_GLYPH_V2_ORDER glyph_v2 = { 0 };
	CREATE_OFFSCREEN_BITMAP_ORDER offscreen = { .cx = 60000, .cy = 60000 };
	SWITCH_SURFACE_ORDER surface = { .bitmapId = 1 };
	SURFACE_BITS_COMMAND bits = { .bmp.codecID = 3 };

	(void)state;
	assert_false(update->secondary->CacheBitmap(context(), &cache));
	assert_ends_session();
	assert_false(update->secondary->CacheBitmapV2(context(), &cache_v2));
	assert_ends_session();
	assert_false(update->secondary->CacheBitmapV3(context(), &cache_v3));
	assert_ends_session();
	assert_false(update->secondary->CacheGlyph(context(), &glyph));
	assert_ends_session();
	assert_false(update->secondary->CacheGlyphV2(context(), &glyph_v2));
	assert_ends_session();
	assert_false(update->altsec->CreateOffscreenBitmap(context(), &offscreen));
	assert_ends_session();
	assert_false(update->altsec->SwitchSurface(context(), &surface));
	assert_ends_session();
	surface.bitmapId = 0xffff;
	assert_true(update->altsec->SwitchSurface(context(), &surface));
	assert_false(update->SurfaceBits(context(), &bits));
	assert_ends_session();
}

static void test_bitmaps(void **state)
{
	static BYTE data[64 * 64 * 4];
	static const BITMAP_DATA wrong[] = {
		{ .width = 0, .height = 4, .bitsPerPixel = 32, .bitmapLength = 64 },
		{ .width = 4, .height = 0, .bitsPerPixel = 32, .bitmapLength = 64 },
		{ .width = 4, .height = 4, .bitsPerPixel = 32, .bitmapLength = 63 },
		{ .width = 4, .height = 4, .bitsPerPixel = 17, .bitmapLength = 64 },
		{ .width = 4, .height = 4, .bitsPerPixel = 32, .bitmapLength = 0, .compressed = 1 },
		{ .width = 65535, .height = 65535, .bitsPerPixel = 32, .bitmapLength = 64 },
		{ .width = 4, .height = 4, .destLeft = 9, .bitsPerPixel = 32, .bitmapLength = 64 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		BITMAP_DATA part = wrong[i];
		BITMAP_UPDATE update = { .number = 1, .rectangles = &part };

		part.destRight = part.destBottom = 3;
		part.bitmapDataStream = data;
		assert_false(context()->update->BitmapUpdate(context(), &update));
		assert_ends_session();
	}
	assert_same_picture();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_moved_in_order), TEST(test_not_moved), TEST(test_cut_off),
		TEST(test_refused),        TEST(test_bitmaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
