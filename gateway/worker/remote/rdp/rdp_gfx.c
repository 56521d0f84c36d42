#include "worker/remote/rdp/rdp_gfx.h"

#include <freerdp/gdi/gdi.h>
#include <freerdp/gdi/gfx.h>
#include <freerdp/update.h>

#include "base/log.h"
#include "base/util.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_cursor.h"

/* [MS-RDPEGFX] 2.2.3.1: a client's cache has 100 MB; surfaces have no limit in the standard. */
static const uint64_t max_cache_bytes = 128u << 20;
static const uint64_t max_surface_pixels = 2ull * REMOTE_MAX_WIDTH * REMOTE_MAX_HEIGHT;

/* The worker's framebuffer for the size that the PC has decided, NULL when it is refused. */
static uint8_t *take_framebuffer(struct rdp_remote *rdp, size_t *ret_stride)
{
	const rdpSettings *settings = rdp->instance->context->settings;
	unsigned width = freerdp_settings_get_uint32(settings, FreeRDP_DesktopWidth);
	unsigned height = freerdp_settings_get_uint32(settings, FreeRDP_DesktopHeight);
	uint8_t *pixels;

	if (width > REMOTE_MAX_WIDTH || height > REMOTE_MAX_HEIGHT || width < REMOTE_MIN_SIZE ||
	    height < REMOTE_MIN_SIZE) {
		log_warn("rdp-desktop-size", "width=%u height=%u", width, height);
		rdp_fail(rdp, END_PC_TOO_BIG);
		return NULL;
	}
	pixels = rdp_events(rdp)->resized(rdp->remote.ctx, width, height, ret_stride);
	if (!pixels)
		rdp_fail(rdp, END_GATEWAY);
	return pixels;
}

static BOOL begin_paint(rdpContext *context)
{
	HGDI_WND window = context->gdi->primary->hdc->hwnd;

	window->invalid->null = TRUE;
	window->ninvalid = 0;
	return TRUE;
}

static BOOL end_paint(rdpContext *context)
{
	struct rdp_remote *rdp = rdp_of(context);
	const struct remote_events *events = rdp_events(rdp);
	HGDI_WND window = context->gdi->primary->hdc->hwnd;

	if (window->ninvalid <= 0)
		return TRUE;
	for (INT32 i = 0; i < window->ninvalid; i++) {
		const GDI_RGN *rect = &window->cinvalid[i];

		events->damaged(rdp->remote.ctx, rect->x, rect->y, rect->w, rect->h);
	}
	window->invalid->null = TRUE;
	window->ninvalid = 0;
	if (!rdp->painted) {
		rdp->painted = true;
		loop_timer_cancel(&rdp->deadline);
	}
	events->frame_done(rdp->remote.ctx);
	return TRUE;
}

static BOOL desktop_resize(rdpContext *context)
{
	struct rdp_remote *rdp = rdp_of(context);
	UINT32 width = freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopWidth);
	UINT32 height = freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopHeight);
	size_t stride = 0;
	uint8_t *pixels;

	/* The graphics channel tells the size again when it opens. */
	if (context->gdi->width == (INT32)width && context->gdi->height == (INT32)height)
		return TRUE;
	pixels = take_framebuffer(rdp, &stride);
	if (!pixels)
		return FALSE;
	if (!gdi_resize_ex(context->gdi, width, height, (UINT32)stride, PIXEL_FORMAT_BGRX32, pixels,
			   NULL))
		return rdp_fail(rdp, END_GATEWAY);
	return TRUE;
}

static BOOL play_sound(rdpContext *context, const PLAY_SOUND_UPDATE *sound)
{
	struct rdp_remote *rdp = rdp_of(context);

	(void)sound;
	rdp_events(rdp)->bell(rdp->remote.ctx);
	return TRUE;
}

/* The browser's keyboard has its own lights and its own input method. */
static BOOL keyboard_indicators(rdpContext *context, UINT16 leds)
{
	(void)context;
	(void)leds;
	return TRUE;
}

static BOOL keyboard_ime_status(rdpContext *context, UINT16 id, UINT32 state, UINT32 mode)
{
	(void)context;
	(void)id;
	(void)state;
	(void)mode;
	return TRUE;
}

BOOL rdp_gfx_init(struct rdp_remote *rdp)
{
	rdpContext *context = rdp->instance->context;
	size_t stride = 0;
	uint8_t *pixels = take_framebuffer(rdp, &stride);

	if (!pixels)
		return FALSE;
	if (!gdi_init_ex(rdp->instance, PIXEL_FORMAT_BGRX32, (UINT32)stride, pixels, NULL))
		return rdp_fail(rdp, END_GATEWAY);
	rdp_cursor_register(context->graphics);
	context->update->BeginPaint = begin_paint;
	context->update->EndPaint = end_paint;
	context->update->DesktopResize = desktop_resize;
	context->update->PlaySound = play_sound;
	context->update->SetKeyboardIndicators = keyboard_indicators;
	context->update->SetKeyboardImeStatus = keyboard_ime_status;
	return TRUE;
}

void rdp_gfx_finish(struct rdp_remote *rdp)
{
	gdi_free(rdp->instance);
}

static uint64_t surface_pixels(RdpgfxClientContext *channel)
{
	uint64_t pixels = 0;
	UINT16 *ids = NULL;
	UINT16 count = 0;

	if (channel->GetSurfaceIds(channel, &ids, &count) != CHANNEL_RC_OK)
		return UINT64_MAX;
	for (UINT16 i = 0; i < count; i++) {
		const gdiGfxSurface *surface = channel->GetSurfaceData(channel, ids[i]);

		if (surface)
			pixels += (uint64_t)surface->width * surface->height;
	}
	free(ids);
	return pixels;
}

static struct rdp_remote *rdp_of_gfx(RdpgfxClientContext *channel)
{
	return rdp_of(((rdpGdi *)channel->custom)->context);
}

static UINT create_surface(RdpgfxClientContext *channel, const RDPGFX_CREATE_SURFACE_PDU *create)
{
	struct rdp_remote *rdp = rdp_of_gfx(channel);
	uint64_t wanted = (uint64_t)create->width * create->height;

	if (wanted == 0 || wanted > max_surface_pixels ||
	    surface_pixels(channel) > max_surface_pixels - wanted) {
		log_warn("rdp-surface-size", "width=%u height=%u", create->width, create->height);
		rdp_fail(rdp, END_PC_TOO_BIG);
		return ERROR_INVALID_DATA;
	}
	return rdp->gfx.create_surface(channel, create);
}

static uint64_t cache_entry_bytes(RdpgfxClientContext *channel, UINT16 slot)
{
	const gdiGfxCacheEntry *entry = channel->GetCacheSlotData(channel, slot);

	return entry ? (uint64_t)entry->scanline * entry->height : 0;
}

static UINT surface_to_cache(RdpgfxClientContext *channel, const RDPGFX_SURFACE_TO_CACHE_PDU *copy)
{
	struct rdp_remote *rdp = rdp_of_gfx(channel);
	uint64_t before = cache_entry_bytes(channel, copy->cacheSlot);
	uint64_t wanted = ((uint64_t)copy->rectSrc.right - copy->rectSrc.left) *
			  ((uint64_t)copy->rectSrc.bottom - copy->rectSrc.top) * 4;
	UINT result;

	if (copy->rectSrc.right < copy->rectSrc.left || copy->rectSrc.bottom < copy->rectSrc.top ||
	    wanted > max_cache_bytes || rdp->gfx.cache_bytes > max_cache_bytes - wanted) {
		log_warn("rdp-cache-size", "used=%llu", (unsigned long long)rdp->gfx.cache_bytes);
		rdp_fail(rdp, END_PC_TOO_BIG);
		return ERROR_INVALID_DATA;
	}
	result = rdp->gfx.surface_to_cache(channel, copy);
	rdp->gfx.cache_bytes += cache_entry_bytes(channel, copy->cacheSlot);
	rdp->gfx.cache_bytes -= MIN(before, rdp->gfx.cache_bytes);
	return result;
}

static UINT evict(RdpgfxClientContext *channel, const RDPGFX_EVICT_CACHE_ENTRY_PDU *entry)
{
	struct rdp_remote *rdp = rdp_of_gfx(channel);
	uint64_t before = cache_entry_bytes(channel, entry->cacheSlot);
	UINT result = rdp->gfx.evict(channel, entry);

	rdp->gfx.cache_bytes -= MIN(before, rdp->gfx.cache_bytes);
	return result;
}

void rdp_gfx_open(struct rdp_remote *rdp, RdpgfxClientContext *channel)
{
	if (!gdi_graphics_pipeline_init(rdp->instance->context->gdi, channel)) {
		rdp_fail(rdp, END_GATEWAY);
		return;
	}
	rdp->gfx = (struct rdp_gfx){ .channel = channel,
				     .create_surface = channel->CreateSurface,
				     .surface_to_cache = channel->SurfaceToCache,
				     .evict = channel->EvictCacheEntry };
	channel->CreateSurface = create_surface;
	channel->SurfaceToCache = surface_to_cache;
	channel->EvictCacheEntry = evict;
}

void rdp_gfx_close(struct rdp_remote *rdp, RdpgfxClientContext *channel)
{
	if (rdp->gfx.channel != channel)
		return;
	channel->CreateSurface = rdp->gfx.create_surface;
	channel->SurfaceToCache = rdp->gfx.surface_to_cache;
	channel->EvictCacheEntry = rdp->gfx.evict;
	gdi_graphics_pipeline_uninit(rdp->instance->context->gdi, channel);
	rdp->gfx = (struct rdp_gfx){ 0 };
}
