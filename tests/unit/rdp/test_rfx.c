#include "unit/unit.h"

#include <stdbool.h>
#include <string.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp_rfx.h"

enum { WIDTH = 200, HEIGHT = 100 }; /* four columns of tiles, two rows */

/* A message under construction. */
struct message {
	uint8_t data[20000];
	size_t len;
};

static void u8(struct message *message, unsigned value)
{
	message->data[message->len++] = (uint8_t)value;
}

static void u16(struct message *message, unsigned value)
{
	u8(message, value & 0xff);
	u8(message, value >> 8 & 0xff);
}

static void u32(struct message *message, unsigned value)
{
	u16(message, value & 0xffff);
	u16(message, value >> 16);
}

static size_t begin(struct message *message, unsigned type)
{
	u16(message, type);
	u32(message, 0);
	return message->len - 6;
}

static void end(struct message *message, size_t start)
{
	size_t len = message->len, block = len - start;

	message->len = start + 2;
	u32(message, (unsigned)block);
	message->len = len;
}

static void rect(struct message *message, unsigned x, unsigned y, unsigned width, unsigned height)
{
	u16(message, x);
	u16(message, y);
	u16(message, width);
	u16(message, height);
}

static void tile(struct message *message, unsigned type, unsigned x, unsigned y)
{
	size_t start = begin(message, type);

	u8(message, 0);
	u16(message, 0);
	u16(message, x);
	u16(message, y);
	u32(message, 0);
	end(message, start);
}

static void rfx_region(struct message *message, unsigned x, unsigned y, unsigned width,
		       unsigned height)
{
	size_t start = begin(message, 0xccc6);

	u16(message, 1); /* codec, channel */
	u8(message, 1);
	u16(message, 1);
	rect(message, x, y, width, height);
	u32(message, 0);
	end(message, start);
}

static void rfx_tiles(struct message *message, unsigned count, unsigned x, unsigned y)
{
	size_t start = begin(message, 0xccc7);

	u16(message, 1);
	u16(message, 0xcac2);
	u32(message, 0);
	u8(message, 1);
	u8(message, 64);
	u16(message, count);
	u32(message, count * 17);
	for (unsigned i = 0; i < 5; i++)
		u8(message, 0x66);
	for (unsigned i = 0; i < count; i++)
		tile(message, 0xcac3, x, y);
	end(message, start);
}

static enum err check(const struct message *message, unsigned left, unsigned top)
{
	return rdp_rfx_check(message->data, message->len, left, top, WIDTH, HEIGHT);
}

static void test_rfx(void **state)
{
	struct message message = { .len = 0 };
	unsigned ok = 0;

	(void)state;
	rfx_region(&message, 0, 0, 200, 100);
	rfx_tiles(&message, 8, 3, 1);
	assert_ok(check(&message, 0, 0));
	assert_ok(check(&message, 100, 50));
	/* The decoder cuts off what is beyond the surface, but not what is beyond its numbers. */
	assert_err(check(&message, 65500, 0), ERR_PROTOCOL);
	assert_err(check(&message, 0, 65500), ERR_PROTOCOL);
	for (size_t len = 1; len < message.len; len++)
		ok += !rdp_rfx_check(message.data, len, 0, 0, WIDTH, HEIGHT);
	assert_in_range(ok, 1, 13);
	message.len--;
	assert_err(check(&message, 0, 0), ERR_PROTOCOL);
}

static void test_rfx_tiles(void **state)
{
	static const struct {
		unsigned count, x, y;
	} wrong[] = { { 9, 0, 0 }, { 1, 4, 0 }, { 1, 0, 2 }, { 1, 65535, 65535 }, { 1, 1023, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct message message = { .len = 0 };

		rfx_tiles(&message, wrong[i].count, wrong[i].x, wrong[i].y);
		assert_err(check(&message, 0, 0), ERR_PROTOCOL);
	}
}

/* Windows Server 2012: no tiles, and nothing after their number. */
static void test_rfx_empty_set(void **state)
{
	struct message message = { .len = 0 };
	size_t start = begin(&message, 0xccc7);

	(void)state;
	u16(&message, 1);
	u16(&message, 0xcac2);
	u32(&message, 0);
	u16(&message, 0x4001);
	u16(&message, 0);
	u32(&message, 0);
	end(&message, start);
	assert_ok(check(&message, 0, 0));
}

static size_t progressive_header(struct message *message, unsigned rects, unsigned tiles)
{
	size_t start = begin(message, 0xccc4);

	u8(message, 64);
	u16(message, rects);
	u8(message, 1);
	u8(message, 1);
	u8(message, 0);
	u16(message, tiles);
	u32(message, tiles * 17);
	return start;
}

static void frame_begin(struct message *message)
{
	size_t start = begin(message, 0xccc1);

	u32(message, 0);
	u16(message, 1);
	end(message, start);
}

static void frame_end(struct message *message)
{
	end(message, begin(message, 0xccc2));
}

static void progressive(struct message *message, unsigned tiles, unsigned type, unsigned x,
			unsigned y)
{
	size_t start = progressive_header(message, 1, tiles);

	rect(message, 10, 20, 190, 80);
	for (unsigned i = 0; i < 5 + 16; i++)
		u8(message, 0x66);
	for (unsigned i = 0; i < tiles; i++)
		tile(message, type, x, y);
	end(message, start);
}

static enum err check_progressive(const struct message *message)
{
	return rdp_rfx_check_progressive(message->data, message->len, WIDTH, HEIGHT);
}

static void test_progressive(void **state)
{
	struct message message = { .len = 0 };
	unsigned ok = 0;

	(void)state;
	frame_begin(&message);
	progressive(&message, 8, 0xccc7, 3, 1);
	assert_ok(check_progressive(&message));
	assert_err(rdp_rfx_check_progressive(message.data, message.len, WIDTH - 1, HEIGHT),
		   ERR_PROTOCOL);
	assert_err(rdp_rfx_check_progressive(message.data, message.len, WIDTH, HEIGHT - 1),
		   ERR_PROTOCOL);
	for (size_t len = 0; len < message.len; len++)
		ok += !rdp_rfx_check_progressive(message.data, len, WIDTH, HEIGHT);
	/* only where a block ends, or a few bytes after */
	assert_in_range(ok, 1, 13);
	message.len--;
	assert_err(check_progressive(&message), ERR_PROTOCOL);
}

static void test_progressive_tiles(void **state)
{
	static const struct {
		unsigned count, type, x, y;
	} wrong[] = {
		{ 9, 0xccc5, 0, 0 },         { 1, 0xccc5, 4, 0 }, { 1, 0xccc6, 0, 2 },
		{ 1, 0xccc7, 65535, 65535 }, { 1, 0xccc4, 0, 0 }, { 1, 0xccc8, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct message message = { .len = 0 };

		frame_begin(&message);
		progressive(&message, wrong[i].count, wrong[i].type, wrong[i].x, wrong[i].y);
		assert_err(check_progressive(&message), ERR_PROTOCOL);
	}
}

/* A region of very many rectangles would keep the decoder busy for hours. */
static void test_too_many_rects(void **state)
{
	struct message message = { .len = 0 };
	size_t start;

	(void)state;
	frame_begin(&message);
	start = progressive_header(&message, RDP_RFX_MAX_RECTS + 1, 0);
	for (unsigned i = 0; i <= RDP_RFX_MAX_RECTS; i++)
		rect(&message, i % 100, i / 100, 1, 1);
	message.len += 21;
	end(&message, start);
	assert_err(check_progressive(&message), ERR_PROTOCOL);
	message.data[start + 7]--;
	assert_ok(check_progressive(&message));
}

static void stripes(struct message *message, unsigned each)
{
	size_t start = progressive_header(message, 2 * each, 0);

	for (unsigned i = 0; i < each; i++)
		rect(message, 0, i, WIDTH, 1);
	for (unsigned i = 0; i < each; i++)
		rect(message, i, 0, 1, HEIGHT);
	message->len += 21;
	end(message, start);
}

/* So would some stripes that cross each other: they are cut into as many pieces as there are
 * crossings. */
static void test_crossing_rects(void **state)
{
	struct message few = { .len = 0 }, many = { .len = 0 };

	(void)state;
	frame_begin(&few);
	stripes(&few, 60);
	assert_ok(check_progressive(&few));
	frame_begin(&many);
	stripes(&many, 70);
	assert_err(check_progressive(&many), ERR_PROTOCOL);
}

/* The decoder leaves its rectangles out, but not their number: it would draw what an earlier
 * message left. */
static void test_regions_stand_in_a_frame(void **state)
{
	struct message before = { .len = 0 }, after = { .len = 0 };

	(void)state;
	progressive(&before, 1, 0xccc5, 0, 0);
	frame_begin(&before);
	frame_end(&before);
	assert_err(check_progressive(&before), ERR_PROTOCOL);
	frame_begin(&after);
	frame_end(&after);
	assert_ok(check_progressive(&after));
	progressive(&after, 1, 0xccc5, 0, 0);
	assert_err(check_progressive(&after), ERR_PROTOCOL);
}

static void test_tiles_again_and_again(void **state)
{
	struct message message = { .len = 0 };

	(void)state;
	frame_begin(&message);
	for (unsigned i = 0; i < RDP_RFX_TILES_AGAIN; i++)
		progressive(&message, 8, 0xccc6, 0, 0);
	assert_ok(check_progressive(&message));
	progressive(&message, 1, 0xccc6, 0, 0);
	assert_err(check_progressive(&message), ERR_PROTOCOL);
}

static void test_blocks(void **state)
{
	static const uint8_t wrong[][7] = { { 0xc6, 0xcc, 5, 0, 0, 0, 0 },
					    { 0xc6, 0xcc, 8, 0, 0, 0, 0 },
					    { 0xc6, 0xcc, 0xff, 0xff, 0xff, 0xff, 0 },
					    { 0xc7, 0xcc, 7, 0, 0, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(rdp_rfx_check(wrong[i], 7, 0, 0, WIDTH, HEIGHT), ERR_PROTOCOL);
	for (size_t i = 0; i < 3; i++)
		assert_err(rdp_rfx_check_progressive(wrong[i], 7, WIDTH, HEIGHT), ERR_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfx),
		cmocka_unit_test(test_rfx_tiles),
		cmocka_unit_test(test_rfx_empty_set),
		cmocka_unit_test(test_progressive),
		cmocka_unit_test(test_progressive_tiles),
		cmocka_unit_test(test_crossing_rects),
		cmocka_unit_test(test_regions_stand_in_a_frame),
		cmocka_unit_test(test_tiles_again_and_again),
		cmocka_unit_test(test_too_many_rects),
		cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
