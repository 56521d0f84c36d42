/*
 * paint.h - what desktops show, for tests: photos, and text as on LCDs. Any pixel of it on its own.
 */
#ifndef SEKISHO_TESTS_UNIT_PAINT_H
#define SEKISHO_TESTS_UNIT_PAINT_H

#include <stdint.h>

#include "base/util.h"

typedef uint32_t paint_pixel(unsigned x, unsigned y, uint32_t which);

static inline uint32_t paint_hash(uint32_t x, uint32_t y, uint32_t z)
{
	uint32_t value = x * 0x8da6b343u ^ y * 0xd8163841u ^ z * 0xcb1ab31fu;
	value = (value ^ value >> 15) * 0x2c1b3c6du;
	value = (value ^ value >> 12) * 0x297a2d39u;
	return value ^ value >> 15;
}

/* Soft shapes of many sizes and a little grain, as a camera sees. */
static inline uint32_t paint_shape(unsigned x, unsigned y)
{
	uint32_t colour = 0;
	for (unsigned plane = 0; plane < 3; plane++) {
		unsigned value = 0;
		for (unsigned cell = 64, weight = 5; cell >= 8;
		     cell /= 2, weight = weight / 2 + 1) {
			unsigned gx = x / cell, gy = y / cell, fx = x % cell, fy = y % cell;
			unsigned seed = plane + cell * 1000;
			unsigned a = paint_hash(gx, gy, seed) & 255;
			unsigned b = paint_hash(gx + 1, gy, seed) & 255;
			unsigned c = paint_hash(gx, gy + 1, seed) & 255;
			unsigned d = paint_hash(gx + 1, gy + 1, seed) & 255;
			unsigned top = a * (cell - fx) + b * fx, low = c * (cell - fx) + d * fx;
			value += weight * ((top * (cell - fy) + low * fy) / (cell * cell));
		}
		value = value / 12 + (paint_hash(x, y, plane) & 3);
		colour = colour << 8 | MIN(value, 255u);
	}
	return colour;
}

/* Parts of one large photo. */
static inline uint32_t paint_photo(unsigned x, unsigned y, uint32_t which)
{
	enum { SIZE = 1024 };
	static uint32_t photo[SIZE][SIZE];
	uint32_t *pixel = &photo[(y + which * 389) % SIZE][(x + which * 617) % SIZE];
	if (!*pixel)
		*pixel = paint_shape((x + which * 617) % SIZE, (y + which * 389) % SIZE);
	return *pixel;
}

/* Letters of eight by sixteen pixels, anti-aliased in colours as on LCDs, on a plain ground. */
static inline uint32_t paint_text(unsigned x, unsigned y, uint32_t which)
{
	uint32_t letter = paint_hash(x / 8, y / 16, which) % 90;
	unsigned gx = x % 8, gy = y % 16;
	if (letter < 20 || gy < 2 || gy > 13 || gx == 7)
		return 0xffffff;
	uint32_t stroke = paint_hash(gx / 2, gy / 3, letter) % 3;
	if (stroke == 0)
		return 0x101010;
	if (stroke == 1 || gx % 2)
		return 0xffffff;
	uint32_t shade = paint_hash(gx, gy, letter) % 60;
	return (shade * 4) << 16 | ((shade * 7) % 240) << 8 | (240 - shade * 4);
}

#endif
