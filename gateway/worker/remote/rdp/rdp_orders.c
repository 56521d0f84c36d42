#include "worker/remote/rdp/rdp_orders.h"

#include <freerdp/gdi/gdi.h>
#include <freerdp/update.h>

#include "base/log.h"
#include "base/util.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_gfx.h"

enum {
	PIXEL = 4,
	ROP_SRCCOPY = 0xcc,
	PRIMARY_SURFACE = 0xffff, /* [MS-RDPEGDI] 2.2.2.2.1.3.3 */
	PADDED = 3,               /* bitmaps are up to so much wider and higher than what shows */
};

/* --- what FreeRDP's GDI has drawn --- */

static void reset_invalid(HGDI_WND window)
{
	window->invalid->null = TRUE;
	window->ninvalid = 0;
}

/* Tells it, in its order. */
static void flush(struct rdp_remote *rdp)
{
	HGDI_WND window = rdp->instance->context->gdi->primary->hdc->hwnd;
	uint64_t pixels = 0;

	if (window->ninvalid <= 0)
		return;
	for (INT32 i = 0; i < window->ninvalid; i++) {
		const GDI_RGN *rect = &window->cinvalid[i];

		rdp_events(rdp)->damaged(rdp->remote.ctx, rect->x, rect->y, rect->w, rect->h);
		pixels += (uint64_t)rect->w * (uint64_t)rect->h;
	}
	reset_invalid(window);
	rdp_gfx_painted(rdp);
	rdp_frames_drawn(rdp, pixels);
}

static BOOL begin_paint(rdpContext *context)
{
	reset_invalid(context->gdi->primary->hdc->hwnd);
	return TRUE;
}

static BOOL end_paint(rdpContext *context)
{
	flush(rdp_of(context));
	return TRUE;
}

/* --- bitmap updates, straight into the framebuffer --- */

static enum err draw_through_buffer(struct rdp_remote *rdp, const BITMAP_DATA *bitmap,
				    uint8_t *pixels, unsigned width, unsigned height)
{
	size_t stride = (size_t)bitmap->width * PIXEL;
	_cleanup_free_ uint8_t *buffer = calloc(bitmap->height, stride);
	enum err err = buffer ? OK : ERR_NOMEM;

	if (!err)
		err = rdp_decoders_bitmap(&rdp->decoders, bitmap,
					  &rdp->instance->context->gdi->palette, buffer, stride);
	for (unsigned y = 0; !err && y < height; y++)
		memcpy(pixels + y * rdp->surfaces.screen.stride, buffer + y * stride,
		       (size_t)width * PIXEL);
	return err;
}

static enum err draw_bitmap(struct rdp_remote *rdp, const BITMAP_DATA *bitmap, uint64_t *pixels)
{
	const struct rdp_screen *screen = &rdp->surfaces.screen;
	unsigned left = bitmap->destLeft, top = bitmap->destTop, width, height;
	uint8_t *place;
	enum err err;

	if (bitmap->width == 0 || bitmap->width > REMOTE_MAX_WIDTH + PADDED ||
	    bitmap->height == 0 || bitmap->height > REMOTE_MAX_HEIGHT + PADDED ||
	    bitmap->destRight < left || bitmap->destBottom < top)
		return ERR_PROTOCOL;
	/* After a change of the size one may come that was meant for the old one. */
	if (left >= screen->width || top >= screen->height)
		return OK;
	width = MIN(MIN(bitmap->destRight - left + 1, bitmap->width), screen->width - left);
	height = MIN(MIN(bitmap->destBottom - top + 1, bitmap->height), screen->height - top);
	rdp_frames_bitmap(rdp, left, top, left + width, top + height);
	place = screen->pixels + top * screen->stride + (size_t)left * PIXEL;
	if (width == bitmap->width && height == bitmap->height)
		err = rdp_decoders_bitmap(&rdp->decoders, bitmap,
					  &rdp->instance->context->gdi->palette, place,
					  screen->stride);
	else
		err = draw_through_buffer(rdp, bitmap, place, width, height);
	if (err)
		return err;
	rdp_events(rdp)->damaged(rdp->remote.ctx, (int)left, (int)top, (int)width, (int)height);
	*pixels += (uint64_t)width * height;
	return OK;
}

static BOOL bitmap_update(rdpContext *context, const BITMAP_UPDATE *update)
{
	struct rdp_remote *rdp = rdp_of(context);
	uint64_t pixels = 0;

	flush(rdp);
	for (UINT32 i = 0; i < update->number; i++) {
		enum err err = draw_bitmap(rdp, &update->rectangles[i], &pixels);

		if (err) {
			log_warn("rdp-bitmap", "error=%s", err_code(err));
			return rdp_fail(rdp, err == ERR_NOMEM ? END_GATEWAY : END_PC_PROTOCOL);
		}
	}
	if (pixels > 0) {
		rdp_gfx_painted(rdp);
		rdp_frames_drawn(rdp, pixels);
	}
	return TRUE;
}

/* --- drawing orders --- */

static bool is_inside(const struct rdp_screen *screen, INT32 x, INT32 y, INT32 width, INT32 height)
{
	return x >= 0 && y >= 0 && width > 0 && height > 0 && (int64_t)x + width <= screen->width &&
	       (int64_t)y + height <= screen->height;
}

/* Tells a part of the screen that GDI has just moved as moved, if it is that and nothing else. */
static bool tell_moved(struct rdp_remote *rdp, const SCRBLT_ORDER *order)
{
	HGDI_WND window = rdp->instance->context->gdi->primary->hdc->hwnd;
	const struct rdp_screen *screen = &rdp->surfaces.screen;
	GDI_RGN to;
	int64_t from_x, from_y;

	if (order->bRop != ROP_SRCCOPY || window->ninvalid != 1)
		return false;
	to = window->cinvalid[0]; /* the target as it was clipped */
	from_x = (int64_t)order->nXSrc + to.x - order->nLeftRect;
	from_y = (int64_t)order->nYSrc + to.y - order->nTopRect;
	if (!is_inside(screen, to.x, to.y, to.w, to.h) || from_x < 0 || from_y < 0 ||
	    from_x + to.w > screen->width || from_y + to.h > screen->height)
		return false;
	reset_invalid(window);
	rdp_events(rdp)->copied(rdp->remote.ctx, (int)from_x, (int)from_y, to.x, to.y, to.w, to.h);
	rdp_frames_drawn(rdp, (uint64_t)to.w * (uint64_t)to.h);
	return true;
}

static BOOL scr_blt(rdpContext *context, const SCRBLT_ORDER *order)
{
	struct rdp_remote *rdp = rdp_of(context);

	flush(rdp);
	if (!rdp->gdi.scr_blt(context, order))
		return FALSE;
	if (!tell_moved(rdp, order))
		flush(rdp);
	return TRUE;
}

/* --- surface commands --- */

/* FreeRDP decodes RemoteFX and NSCodec here without looking whether it has a decoder. */
static BOOL surface_bits(rdpContext *context, const SURFACE_BITS_COMMAND *command)
{
	struct rdp_remote *rdp = rdp_of(context);

	if (command->bmp.codecID != RDP_CODEC_ID_NONE) {
		log_warn("rdp-surface-bits", "codec=%u", (unsigned)command->bmp.codecID);
		return rdp_fail(rdp, END_PC_PROTOCOL);
	}
	return rdp->gdi.surface_bits(context, command);
}

static BOOL surface_frame_marker(rdpContext *context, const SURFACE_FRAME_MARKER *marker)
{
	struct rdp_remote *rdp = rdp_of(context);

	if (marker->frameAction == SURFACECMD_FRAMEACTION_END) {
		flush(rdp);
		rdp_frames_end(rdp, RDP_FRAME_SURFACE_COMMANDS, marker->frameId);
	}
	return TRUE;
}

/* --- what we have told the PC that we cannot do; FreeRDP would, and without limits --- */

static BOOL refuse(rdpContext *context, const char *what)
{
	log_warn("rdp-order-refused", "order=%s", what);
	return rdp_fail(rdp_of(context), END_PC_PROTOCOL);
}

static BOOL refuse_cache_bitmap(rdpContext *context, const CACHE_BITMAP_ORDER *order)
{
	(void)order;
	return refuse(context, "CacheBitmap");
}

static BOOL refuse_cache_bitmap_v2(rdpContext *context, CACHE_BITMAP_V2_ORDER *order)
{
	(void)order;
	return refuse(context, "CacheBitmapV2");
}

static BOOL refuse_cache_bitmap_v3(rdpContext *context, CACHE_BITMAP_V3_ORDER *order)
{
	(void)order;
	return refuse(context, "CacheBitmapV3");
}

static BOOL refuse_cache_glyph(rdpContext *context, const CACHE_GLYPH_ORDER *order)
{
	(void)order;
	return refuse(context, "CacheGlyph");
}

static BOOL refuse_cache_glyph_v2(rdpContext *context, const CACHE_GLYPH_V2_ORDER *order)
{
	(void)order;
	return refuse(context, "CacheGlyphV2");
}

static BOOL refuse_offscreen(rdpContext *context, const CREATE_OFFSCREEN_BITMAP_ORDER *order)
{
	(void)order;
	return refuse(context, "CreateOffscreenBitmap");
}

static BOOL switch_surface(rdpContext *context, const SWITCH_SURFACE_ORDER *order)
{
	if (order->bitmapId != PRIMARY_SURFACE)
		return refuse(context, "SwitchSurface");
	return rdp_of(context)->gdi.switch_surface(context, order);
}

void rdp_orders_register(struct rdp_remote *rdp)
{
	rdpUpdate *update = rdp->instance->context->update;

	rdp->gdi = (struct rdp_gdi_calls){ .scr_blt = update->primary->ScrBlt,
					   .surface_bits = update->SurfaceBits,
					   .switch_surface = update->altsec->SwitchSurface };
	update->BeginPaint = begin_paint;
	update->EndPaint = end_paint;
	update->BitmapUpdate = bitmap_update;
	update->primary->ScrBlt = scr_blt;
	update->SurfaceBits = surface_bits;
	update->SurfaceFrameMarker = surface_frame_marker;
	update->secondary->CacheBitmap = refuse_cache_bitmap;
	update->secondary->CacheBitmapV2 = refuse_cache_bitmap_v2;
	update->secondary->CacheBitmapV3 = refuse_cache_bitmap_v3;
	update->secondary->CacheGlyph = refuse_cache_glyph;
	update->secondary->CacheGlyphV2 = refuse_cache_glyph_v2;
	update->altsec->CreateOffscreenBitmap = refuse_offscreen;
	update->altsec->SwitchSurface = switch_surface;
}
