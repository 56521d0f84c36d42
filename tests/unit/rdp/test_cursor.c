#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "worker/remote/rdp/rdp_cursor.h"
#include "worker/remote/remote.h"

static void assert_pixel(const uint8_t *rgba, size_t i, uint8_t r, uint8_t g, uint8_t b, uint8_t a)
{
	const uint8_t wanted[4] = { r, g, b, a };

	assert_memory_equal(rgba + i * 4, wanted, 4);
}

/* 32 bits per pixel: B, G, R, A, rows from the bottom up, alpha straight. */
static void test_colour_with_alpha(void **state)
{
	static BYTE colours[2 * 2 * 4] = {
		1, 2, 3, 255, 4, 5, 6, 128, /* lower row */
		7, 8, 9, 64,  0, 0, 0, 0,   /* upper row */
	};
	static BYTE mask[2 * 2] = { 0 };
	rdpPointer pointer = { .width = 2,
			       .height = 2,
			       .xorBpp = 32,
			       .xorMaskData = colours,
			       .lengthXorMask = sizeof(colours),
			       .andMaskData = mask,
			       .lengthAndMask = sizeof(mask) };
	uint8_t *rgba = rdp_cursor_convert(&pointer, NULL);

	(void)state;
	assert_non_null(rgba);
	assert_pixel(rgba, 0, 9, 8, 7, 64);
	assert_int_equal(rgba[7], 0);
	assert_pixel(rgba, 2, 3, 2, 1, 255);
	assert_pixel(rgba, 3, 6, 5, 4, 128);
	free(rgba);
}

/* Black, white and see-through of a two-colour pointer. */
static void test_monochrome(void **state)
{
	static BYTE xor_mask[2] = { 0x40, 0 }; /* pixel 1 white */
	static BYTE and_mask[2] = { 0x20, 0 }; /* pixel 2 transparent */
	rdpPointer pointer = { .width = 3,
			       .height = 1,
			       .xorBpp = 1,
			       .xorMaskData = xor_mask,
			       .lengthXorMask = 2,
			       .andMaskData = and_mask,
			       .lengthAndMask = 2 };
	uint8_t *rgba = rdp_cursor_convert(&pointer, NULL);

	(void)state;
	assert_non_null(rgba);
	assert_pixel(rgba, 0, 0, 0, 0, 255);
	assert_pixel(rgba, 1, 255, 255, 255, 255);
	assert_int_equal(rgba[2 * 4 + 3], 0);
	free(rgba);
}

static void test_limits(void **state)
{
	static BYTE data[64];
	rdpPointer pointer = { .xorBpp = 32,
			       .xorMaskData = data,
			       .lengthXorMask = sizeof(data),
			       .andMaskData = data,
			       .lengthAndMask = sizeof(data) };

	(void)state;
	pointer.width = REMOTE_MAX_CURSOR + 1;
	pointer.height = 1;
	assert_null(rdp_cursor_convert(&pointer, NULL));
	pointer.width = 1;
	pointer.height = REMOTE_MAX_CURSOR + 1;
	assert_null(rdp_cursor_convert(&pointer, NULL));
	pointer.width = 0;
	pointer.height = 16;
	assert_null(rdp_cursor_convert(&pointer, NULL));
	/* less data than the size needs */
	pointer.width = pointer.height = 32;
	assert_null(rdp_cursor_convert(&pointer, NULL));
}

static void test_arrow(void **state)
{
	uint8_t rgba[RDP_ARROW_WIDTH * RDP_ARROW_HEIGHT * 4];

	(void)state;
	rdp_cursor_arrow(rgba);
	assert_pixel(rgba, 0, 0, 0, 0, 255);
	assert_int_equal(rgba[7], 0);
	assert_pixel(rgba, 2 * RDP_ARROW_WIDTH + 1, 255, 255, 255, 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_colour_with_alpha),
		cmocka_unit_test(test_monochrome),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_arrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
