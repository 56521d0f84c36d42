/*
 * text.h - words on pictures, in one font that is read once and then needs no file: glyphs by
 * FreeType, where they stand by HarfBuzz. What is written may come from a recording, and is
 * hostile.
 */
#ifndef SEKISHO_TEXT_TEXT_H
#define SEKISHO_TEXT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Of Debian's fonts-noto-cjk: what Japanese names need, and Latin. */
#define TEXT_FONT "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"

enum { TEXT_SIZE_MIN = 8, TEXT_SIZE_MAX = 64 };

struct text;

/* A part of memory that is drawn on: 0x00RRGGBB, row by row. */
struct canvas {
	uint32_t *pixels; /* borrowed */
	unsigned width, height;
	size_t stride; /* pixels from row to row */
};

/* The canvas in a canvas; what does not lie in it is cut off. */
struct canvas canvas_part(const struct canvas *canvas, unsigned x, unsigned y, unsigned width,
			  unsigned height);
void canvas_fill(const struct canvas *canvas, uint32_t colour);

/* Of a collection the face for Japanese. ERR_NOT_FOUND, ERR_INVALID: no font. ERR_NOMEM. */
nodiscard enum err text_new(const char *path, struct text **ret);
void text_free(struct text *text); /* NULL is allowed */

/* Pixels of an em from now on, TEXT_SIZE_MIN to TEXT_SIZE_MAX; and of a line of that. */
nodiscard enum err text_set_size(struct text *text, unsigned size);
unsigned text_line(const struct text *text);

/* How wide it would be, in pixels. words: UTF-8; control characters become blanks. */
nodiscard enum err text_measure(struct text *text, const char *words, unsigned *ret_width);

/*
 * On one line whose top is y, beginning at x; opacity 0 to 255. What does not fit onto the canvas
 * is cut off. ERR_NOMEM.
 */
nodiscard enum err text_draw(struct text *text, const struct canvas *canvas, unsigned x, unsigned y,
			     const char *words, uint32_t colour, unsigned opacity);

#endif
