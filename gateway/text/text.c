#include "text/text.h"

#include <ft2build.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include FT_FREETYPE_H
#include <hb-ft.h>
#include <hb.h>

#include "base/util.h"

enum {
	FONT_MAX = 64 * 1024 * 1024, /* bytes of its file */
	FIXED = 64,       /* FreeType's and HarfBuzz's positions are in 64ths of a pixel */
	WORDS_MAX = 2048, /* bytes that are looked at */
};

struct text {
	char *file; /* owned */
	FT_Library library;
	FT_Face face;
	hb_font_t *font;
	hb_buffer_t *buffer;
};

/* ---- canvases -------------------------------------------------------------------------------- */

struct canvas canvas_part(const struct canvas *canvas, unsigned x, unsigned y, unsigned width,
			  unsigned height)
{
	x = MIN(x, canvas->width);
	y = MIN(y, canvas->height);
	return (struct canvas){
		.pixels = canvas->pixels + y * canvas->stride + x,
		.width = MIN(width, canvas->width - x),
		.height = MIN(height, canvas->height - y),
		.stride = canvas->stride,
	};
}

void canvas_fill(const struct canvas *canvas, uint32_t colour)
{
	for (size_t y = 0; y < canvas->height; y++)
		for (size_t x = 0; x < canvas->width; x++)
			canvas->pixels[y * canvas->stride + x] = colour;
}

/* ---- the font -------------------------------------------------------------------------------- */

static enum err open_face(struct text *text, size_t len, FT_Long index)
{
	if (text->face)
		FT_Done_Face(text->face);
	text->face = NULL;
	return FT_New_Memory_Face(text->library, (const FT_Byte *)text->file, (FT_Long)len, index,
				  &text->face)
		       ? ERR_INVALID
		       : OK;
}

/* A collection has the same characters as they are written in several countries. */
static enum err open_japanese(struct text *text, size_t len)
{
	enum err err = open_face(text, len, 0);
	const FT_Long count = err ? 0 : text->face->num_faces;

	for (FT_Long i = 0; !err && i < count; i++) {
		err = open_face(text, len, i);
		if (!err && text->face->family_name && strstr(text->face->family_name, " JP"))
			return OK;
	}
	return err ? err : open_face(text, len, 0);
}

enum err text_new(const char *path, struct text **ret)
{
	struct text *text = calloc(1, sizeof(*text));
	size_t len = 0;

	if (!text)
		return ERR_NOMEM;
	enum err err = util_read_file(path, FONT_MAX, &text->file, &len);
	if (!err && FT_Init_FreeType(&text->library))
		err = ERR_NOMEM;
	if (!err)
		err = open_japanese(text, len);
	if (!err)
		err = text_set_size(text, TEXT_SIZE_MIN);
	if (!err) {
		text->font = hb_ft_font_create_referenced(text->face);
		text->buffer = hb_buffer_create();
		hb_ft_font_set_load_flags(text->font, FT_LOAD_DEFAULT);
	}
	if (err)
		text_free(text);
	else
		*ret = text;
	return err;
}

void text_free(struct text *text)
{
	if (!text)
		return;
	hb_buffer_destroy(text->buffer);
	hb_font_destroy(text->font);
	if (text->face)
		FT_Done_Face(text->face);
	if (text->library)
		FT_Done_FreeType(text->library);
	free(text->file);
	free(text);
}

enum err text_set_size(struct text *text, unsigned size)
{
	if (size < TEXT_SIZE_MIN || size > TEXT_SIZE_MAX)
		return ERR_INVALID;
	if (FT_Set_Pixel_Sizes(text->face, 0, size))
		return ERR_INVALID;
	if (text->font)
		hb_ft_font_changed(text->font);
	return OK;
}

unsigned text_line(const struct text *text)
{
	const FT_Size_Metrics *metrics = &text->face->size->metrics;

	return (unsigned)((metrics->ascender - metrics->descender) / FIXED);
}

/* ---- words ----------------------------------------------------------------------------------- */

/* Left to right whatever it says: a name must not turn about what stands beside it. */
static enum err shape(struct text *text, const char *words)
{
	char clean[WORDS_MAX];
	size_t len = strnlen(words, sizeof(clean));

	for (size_t i = 0; i < len; i++)
		clean[i] = (uint8_t)words[i] < ' ' || words[i] == 0x7f ? ' ' : words[i];
	hb_buffer_reset(text->buffer);
	hb_buffer_add_utf8(text->buffer, clean, (int)len, 0, (int)len);
	hb_buffer_guess_segment_properties(text->buffer);
	hb_buffer_set_direction(text->buffer, HB_DIRECTION_LTR);
	hb_shape(text->font, text->buffer, NULL, 0);
	return hb_buffer_allocation_successful(text->buffer) ? OK : ERR_NOMEM;
}

enum err text_measure(struct text *text, const char *words, unsigned *ret_width)
{
	int64_t width = 0;
	unsigned count = 0;
	enum err err = shape(text, words);

	if (err)
		return err;
	const hb_glyph_position_t *at = hb_buffer_get_glyph_positions(text->buffer, &count);
	for (unsigned i = 0; i < count; i++)
		width += at[i].x_advance;
	*ret_width = (unsigned)MAX(width + FIXED - 1, 0) / FIXED;
	return OK;
}

static uint32_t mix(uint32_t below, uint32_t above, unsigned alpha)
{
	const uint32_t mask = 0x00ff00ff;
	const uint32_t rest = 255 - alpha;
	uint32_t outer = ((below & mask) * rest + (above & mask) * alpha) >> 8 & mask;
	uint32_t green = ((below >> 8 & 255) * rest + (above >> 8 & 255) * alpha) >> 8;

	/* Of a division by 256 where 255 is meant, all of it is all of it. */
	return alpha == 255 ? above : outer | green << 8;
}

static void blit(const struct canvas *canvas, int64_t left, int64_t top, const FT_Bitmap *bitmap,
		 uint32_t colour, unsigned opacity)
{
	if (bitmap->pixel_mode != FT_PIXEL_MODE_GRAY)
		return;
	for (unsigned row = 0; row < bitmap->rows; row++) {
		const int64_t y = top + row;
		if (y < 0 || y >= canvas->height)
			continue;
		for (unsigned column = 0; column < bitmap->width; column++) {
			const int64_t x = left + column;
			const uint8_t alpha =
				bitmap->buffer[(ptrdiff_t)row * bitmap->pitch + (ptrdiff_t)column];
			if (x < 0 || x >= canvas->width || !alpha)
				continue;
			uint32_t *pixel = &canvas->pixels[(size_t)y * canvas->stride + (size_t)x];
			*pixel = mix(*pixel, colour, alpha * opacity / 255);
		}
	}
}

enum err text_draw(struct text *text, const struct canvas *canvas, unsigned x, unsigned y,
		   const char *words, uint32_t colour, unsigned opacity)
{
	const int64_t baseline = y + text->face->size->metrics.ascender / FIXED;
	int64_t pen = (int64_t)x * FIXED;
	unsigned count = 0;
	enum err err = shape(text, words);

	if (err)
		return err;
	const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(text->buffer, &count);
	const hb_glyph_position_t *at = hb_buffer_get_glyph_positions(text->buffer, &count);
	for (unsigned i = 0; i < count && pen < (int64_t)canvas->width * FIXED; i++) {
		const FT_GlyphSlot slot = text->face->glyph;
		/* A glyph that cannot be drawn leaves its room. */
		if (!FT_Load_Glyph(text->face, info[i].codepoint, FT_LOAD_RENDER))
			blit(canvas, (pen + at[i].x_offset) / FIXED + slot->bitmap_left,
			     baseline - at[i].y_offset / FIXED - slot->bitmap_top, &slot->bitmap,
			     colour, opacity);
		pen += at[i].x_advance;
	}
	return OK;
}
