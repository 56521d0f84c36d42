#include "worker/remote/vnc/vnc_cursor.h"

#include <string.h>

enum { PIXEL = 4, COLOURS = 6 };

static size_t bits_size(unsigned width, unsigned height)
{
	return (size_t)((width + 7) / 8) * height;
}

static unsigned bit_at(const uint8_t *bits, unsigned width, unsigned x, unsigned y)
{
	return bits[(size_t)y * ((width + 7) / 8) + x / 8] >> (7 - x % 8) & 1;
}

size_t vnc_cursor_rich_size(unsigned width, unsigned height)
{
	return (size_t)width * height * PIXEL + bits_size(width, height);
}

void vnc_cursor_rich(const uint8_t *data, unsigned width, unsigned height, uint8_t *rgba)
{
	const uint8_t *mask = data + (size_t)width * height * PIXEL;
	for (unsigned y = 0; y < height; y++) {
		for (unsigned x = 0; x < width; x++, data += PIXEL, rgba += PIXEL) {
			rgba[0] = data[2];
			rgba[1] = data[1];
			rgba[2] = data[0];
			rgba[3] = bit_at(mask, width, x, y) ? 255 : 0;
		}
	}
}

size_t vnc_cursor_two_colours_size(unsigned width, unsigned height)
{
	return COLOURS + 2 * bits_size(width, height);
}

void vnc_cursor_two_colours(const uint8_t *data, unsigned width, unsigned height, uint8_t *rgba)
{
	const uint8_t *bits = data + COLOURS, *mask = bits + bits_size(width, height);
	for (unsigned y = 0; y < height; y++) {
		for (unsigned x = 0; x < width; x++, rgba += PIXEL) {
			memcpy(rgba, bit_at(bits, width, x, y) ? data : data + 3, 3);
			rgba[3] = bit_at(mask, width, x, y) ? 255 : 0;
		}
	}
}
