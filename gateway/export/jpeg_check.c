#include "export/jpeg_check.h"

#include <stdbool.h>

enum { SOI = 0xd8, EOI = 0xd9, SOF0 = 0xc0, SOS = 0xda, APP0 = 0xe0, APP15 = 0xef };

/* Tables, restart interval, comment; APP0 to APP15 are let pass as well. */
static bool is_harmless(unsigned marker)
{
	return marker == 0xc4 || marker == 0xdb || marker == 0xdd || marker == 0xfe ||
	       (marker >= APP0 && marker <= APP15);
}

static unsigned u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* The frame header, §B.2.2. */
static bool frame_is_right(const uint8_t *at, size_t len, unsigned width, unsigned height)
{
	return len >= 6 && at[0] == 8 && (at[5] == 1 || at[5] == 3) && len == 6 + 3u * at[5] &&
	       u16(at + 1) == height && u16(at + 3) == width;
}

enum err jpeg_check(const uint8_t *data, size_t len, unsigned width, unsigned height)
{
	bool framed = false;

	if (len < 6 || data[0] != 0xff || data[1] != SOI || data[len - 2] != 0xff ||
	    data[len - 1] != EOI)
		return ERR_PROTOCOL;
	for (size_t at = 2, end = len - 2; at + 4 <= end;) {
		const unsigned marker = data[at + 1];
		const size_t size = u16(data + at + 2);
		if (data[at] != 0xff || size < 2 || size > end - at - 2)
			return ERR_PROTOCOL;
		if (marker == SOS)
			return framed ? OK : ERR_PROTOCOL;
		if (marker == SOF0 && !framed)
			framed = frame_is_right(data + at + 4, size - 2, width, height);
		else if (!is_harmless(marker))
			return ERR_PROTOCOL;
		if (marker == SOF0 && !framed)
			return ERR_PROTOCOL;
		at += 2 + size;
	}
	return ERR_PROTOCOL;
}
