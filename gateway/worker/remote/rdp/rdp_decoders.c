#include "worker/remote/rdp/rdp_decoders.h"

#include <freerdp/codec/color.h>
#include <freerdp/freerdp.h>
#include <freerdp/gdi/gdi.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp_rfx.h"

enum {
	PIXEL = 4,
	PLANAR_FIRST = 64,
	/* Progressive surfaces may have so many desktops of pixels; FreeRDP keeps 16 bytes of
	 * each. */
	PROGRESSIVE_AREAS = 2,
	PROGRESSIVE_ALIGN = 16, /* hosts draw up to whole blocks of this size */
	/* [MS-RDPEGFX] 2.2.4.1: glyphs are small; the decoder keeps 4000 of them. */
	CLEAR_GLYPH_FLAG = 1,
	CLEAR_GLYPH_PIXELS = 1024,
	/* [MS-RDPEGDI] 2.2.2.5.1: colour loss level, not 0 when colours are YCoCg */
	PLANAR_CLL_MASK = 7,
};

void rdp_decoders_finish(struct rdp_decoders *decoders)
{
	freerdp_bitmap_planar_context_free(decoders->planar);
	bitmap_interleaved_context_free(decoders->interleaved);
	clear_context_free(decoders->clear);
	rfx_context_free(decoders->rfx);
	progressive_context_free(decoders->progressive);
	*decoders = (struct rdp_decoders){ 0 };
}

/* --- planar and bitmaps --- */

/* Only YCoCg goes through its buffers, 18 bytes a pixel, without checking that it fits. */
static enum err planar_room(struct rdp_decoders *decoders, uint8_t header, unsigned width,
			    unsigned height)
{
	if (!decoders->planar) {
		decoders->planar = freerdp_bitmap_planar_context_new(0, PLANAR_FIRST, PLANAR_FIRST);
		if (!decoders->planar)
			return ERR_NOMEM;
		decoders->planar_width = decoders->planar_height = PLANAR_FIRST;
	}
	if (!(header & PLANAR_CLL_MASK) ||
	    (width <= decoders->planar_width && height <= decoders->planar_height))
		return OK;
	width = MAX(width, decoders->planar_width);
	height = MAX(height, decoders->planar_height);
	if (!freerdp_bitmap_planar_context_reset(decoders->planar, width, height))
		return ERR_NOMEM;
	decoders->planar_width = width;
	decoders->planar_height = height;
	return OK;
}

static enum err draw_planar(struct rdp_decoders *decoders, const uint8_t *data, uint32_t len,
			    unsigned width, unsigned height, uint8_t *pixels, size_t stride,
			    bool bottom_up)
{
	enum err err = len > 0 ? planar_room(decoders, data[0], width, height) : ERR_PROTOCOL;

	if (err)
		return err;
	return planar_decompress(decoders->planar, data, len, width, height, pixels,
				 PIXEL_FORMAT_BGRX32, (UINT32)stride, 0, 0, width, height,
				 bottom_up)
		       ? OK
		       : ERR_PROTOCOL;
}

static enum err draw_interleaved(struct rdp_decoders *decoders, const BITMAP_DATA *bitmap,
				 const gdiPalette *palette, uint8_t *pixels, size_t stride)
{
	if (!decoders->interleaved)
		decoders->interleaved = bitmap_interleaved_context_new(FALSE);
	if (!decoders->interleaved)
		return ERR_NOMEM;
	return interleaved_decompress(decoders->interleaved, bitmap->bitmapDataStream,
				      bitmap->bitmapLength, bitmap->width, bitmap->height,
				      bitmap->bitsPerPixel, pixels, PIXEL_FORMAT_BGRX32,
				      (UINT32)stride, 0, 0, bitmap->width, bitmap->height, palette)
		       ? OK
		       : ERR_PROTOCOL;
}

static enum err draw_raw(const uint8_t *data, size_t len, uint32_t format, unsigned width,
			 unsigned height, uint8_t *pixels, size_t stride, const gdiPalette *palette,
			 unsigned flip)
{
	size_t needed = (size_t)width * height * FreeRDPGetBytesPerPixel(format);

	if (needed == 0 || len < needed)
		return ERR_PROTOCOL;
	return freerdp_image_copy_no_overlap(pixels, PIXEL_FORMAT_BGRX32, (UINT32)stride, 0, 0,
					     width, height, data, format, 0, 0, 0, palette, flip)
		       ? OK
		       : ERR_PROTOCOL;
}

enum err rdp_decoders_bitmap(struct rdp_decoders *decoders, const BITMAP_DATA *bitmap,
			     const gdiPalette *palette, uint8_t *pixels, size_t stride)
{
	uint32_t bits = bitmap->bitsPerPixel;

	if (bitmap->compressed && bits == 32)
		return draw_planar(decoders, bitmap->bitmapDataStream, bitmap->bitmapLength,
				   bitmap->width, bitmap->height, pixels, stride, true);
	if (bits != 8 && bits != 15 && bits != 16 && bits != 24 && bits != 32)
		return ERR_PROTOCOL;
	if (bitmap->compressed)
		return draw_interleaved(decoders, bitmap, palette, pixels, stride);
	return draw_raw(bitmap->bitmapDataStream, bitmap->bitmapLength, gdi_get_pixel_format(bits),
			bitmap->width, bitmap->height, pixels, stride, palette,
			FREERDP_FLIP_VERTICAL);
}

/* --- the graphics channel --- */

static uint8_t *place(const struct rdp_surface *surface, const RDPGFX_SURFACE_COMMAND *command)
{
	return surface->data + command->top * surface->stride + (size_t)command->left * PIXEL;
}

static enum err draw_clear(struct rdp_decoders *decoders, struct rdp_surface *surface,
			   const RDPGFX_SURFACE_COMMAND *command)
{
	uint64_t pixels = (uint64_t)command->width * command->height;

	if (command->length == 0 ||
	    ((command->data[0] & CLEAR_GLYPH_FLAG) && pixels > CLEAR_GLYPH_PIXELS))
		return ERR_PROTOCOL;
	if (!decoders->clear)
		decoders->clear = clear_context_new(FALSE);
	if (!decoders->clear)
		return ERR_NOMEM;
	return clear_decompress(decoders->clear, command->data, command->length, command->width,
				command->height, surface->data, PIXEL_FORMAT_BGRX32,
				(UINT32)surface->stride, command->left, command->top,
				MAX(command->right, surface->width),
				MAX(command->bottom, surface->height), NULL) >= 0
		       ? OK
		       : ERR_PROTOCOL;
}

/* Commands that fill their rectangle. */
static enum err draw_rect(struct rdp_decoders *decoders, struct rdp_surface *surface,
			  const RDPGFX_SURFACE_COMMAND *command, REGION16 *drawn)
{
	enum err err = ERR_PROTOCOL;

	if (command->width == 0 || command->height == 0 ||
	    command->right - command->left != command->width ||
	    command->bottom - command->top != command->height)
		return ERR_PROTOCOL;
	err = rdp_surfaces_write(surface, command->right, command->bottom);
	if (err)
		return err;
	if (command->codecId == RDPGFX_CODECID_UNCOMPRESSED)
		err = draw_raw(command->data, command->length, PIXEL_FORMAT_BGRX32, command->width,
			       command->height, place(surface, command), surface->stride, NULL,
			       FREERDP_FLIP_NONE);
	else if (command->codecId == RDPGFX_CODECID_PLANAR)
		err = draw_planar(decoders, command->data, command->length, command->width,
				  command->height, place(surface, command), surface->stride, false);
	else
		err = draw_clear(decoders, surface, command);
	if (!err) {
		const RECTANGLE_16 rect = { (UINT16)command->left, (UINT16)command->top,
					    (UINT16)command->right, (UINT16)command->bottom };

		err = region16_union_rect(drawn, drawn, &rect) ? OK : ERR_NOMEM;
	}
	return err;
}

static enum err draw_rfx(struct rdp_decoders *decoders, struct rdp_surface *surface,
			 const RDPGFX_SURFACE_COMMAND *command, REGION16 *drawn)
{
	unsigned width = rdp_surface_aligned(surface->width);
	unsigned height = rdp_surface_aligned(surface->height);
	enum err err;

	if (command->left >= width || command->top >= height)
		return ERR_PROTOCOL;
	err = rdp_rfx_check(command->data, command->length, command->left, command->top, width,
			    height);
	if (!err)
		err = rdp_surfaces_write_apart(surface);
	if (err)
		return err;
	if (!decoders->rfx) {
		decoders->rfx = rfx_context_new_ex(FALSE, THREADING_FLAGS_DISABLE_THREADS);
		if (!decoders->rfx)
			return ERR_NOMEM;
		rfx_context_set_pixel_format(decoders->rfx, PIXEL_FORMAT_BGRX32);
	}
	return rfx_process_message(decoders->rfx, command->data, command->length, command->left,
				   command->top, surface->data, PIXEL_FORMAT_BGRX32,
				   (UINT32)surface->stride, height, drawn)
		       ? OK
		       : ERR_PROTOCOL;
}

static unsigned progressive_size(unsigned size)
{
	return (size + PROGRESSIVE_ALIGN - 1) / PROGRESSIVE_ALIGN * PROGRESSIVE_ALIGN;
}

/* As FreeRDP counts them: a tile more each way. */
static uint64_t coefficient_pixels(unsigned width, unsigned height)
{
	width = progressive_size(width);
	height = progressive_size(height);
	return (uint64_t)(width / RDP_RFX_TILE + 1) * (height / RDP_RFX_TILE + 1) * RDP_RFX_TILE *
	       RDP_RFX_TILE;
}

/* Allocates for all tiles of the surface at its first command. */
static enum err progressive_room(struct rdp_decoders *decoders, struct rdp_surface *surface)
{
	uint64_t pixels = coefficient_pixels(surface->width, surface->height);

	if (!decoders->progressive)
		decoders->progressive =
			progressive_context_new_ex(FALSE, THREADING_FLAGS_DISABLE_THREADS);
	if (!decoders->progressive)
		return ERR_NOMEM;
	if (surface->progressive)
		return OK;
	if (decoders->progressive_pixels + pixels > PROGRESSIVE_AREAS * decoders->desktop_pixels)
		return ERR_TOO_BIG;
	if (progressive_create_surface_context(decoders->progressive, surface->id,
					       progressive_size(surface->width),
					       progressive_size(surface->height)) < 0)
		return ERR_NOMEM;
	surface->progressive = true;
	decoders->progressive_pixels += pixels;
	return OK;
}

static enum err draw_progressive(struct rdp_decoders *decoders, struct rdp_surface *surface,
				 const RDPGFX_SURFACE_COMMAND *command, REGION16 *drawn)
{
	unsigned width = progressive_size(surface->width);
	unsigned height = progressive_size(surface->height);
	enum err err = rdp_rfx_check_progressive(command->data, command->length, width, height);

	/* As far as the decoder goes at most, whatever this message says. */
	if (!err)
		err = rdp_surfaces_write(surface, width, height);
	if (!err)
		err = progressive_room(decoders, surface);
	if (err)
		return err;
	/* With a number of its own for each message the list of its tiles does not grow. */
	return progressive_decompress(decoders->progressive, command->data, command->length,
				      surface->data, PIXEL_FORMAT_BGRX32, (UINT32)surface->stride,
				      0, 0, drawn, surface->id, ++decoders->messages) >= 0
		       ? OK
		       : ERR_PROTOCOL;
}

enum err rdp_decoders_surface(struct rdp_decoders *decoders, struct rdp_surface *surface,
			      const RDPGFX_SURFACE_COMMAND *command, REGION16 *ret_drawn)
{
	switch (command->codecId) {
	case RDPGFX_CODECID_UNCOMPRESSED:
	case RDPGFX_CODECID_PLANAR:
	case RDPGFX_CODECID_CLEARCODEC:
		return draw_rect(decoders, surface, command, ret_drawn);
	case RDPGFX_CODECID_CAVIDEO:
		return draw_rfx(decoders, surface, command, ret_drawn);
	case RDPGFX_CODECID_CAPROGRESSIVE:
		return draw_progressive(decoders, surface, command, ret_drawn);
	case RDPGFX_CODECID_ALPHA:
		/* Changes only the alpha of pixels; the desktop has none. */
		return OK;
	default:
		return ERR_PROTOCOL;
	}
}

void rdp_decoders_forget(struct rdp_decoders *decoders, const struct rdp_surface *surface)
{
	if (!surface->progressive)
		return;
	progressive_delete_surface_context(decoders->progressive, surface->id);
	decoders->progressive_pixels -= coefficient_pixels(surface->width, surface->height);
}

void rdp_decoders_reset(struct rdp_decoders *decoders, unsigned width, unsigned height)
{
	decoders->desktop_pixels = coefficient_pixels(width, height);
	if (decoders->clear)
		clear_context_reset(decoders->clear);
	if (decoders->rfx)
		rfx_context_reset(decoders->rfx, 0, 0);
}
