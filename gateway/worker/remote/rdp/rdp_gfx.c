#include "worker/remote/rdp/rdp_gfx.h"

#include <freerdp/codecs.h>
#include <freerdp/gdi/gdi.h>
#include <freerdp/update.h>

#include "base/log.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_cursor.h"
#include "worker/remote/rdp/rdp_orders.h"

/* The worker's framebuffer for the size that the PC has decided. */
static enum err take_framebuffer(struct rdp_remote *rdp, UINT32 width, UINT32 height,
				 struct rdp_screen *ret)
{
	struct rdp_screen screen = { .width = width, .height = height };
	enum err err;

	if (width > REMOTE_MAX_WIDTH || height > REMOTE_MAX_HEIGHT || width < REMOTE_MIN_SIZE ||
	    height < REMOTE_MIN_SIZE) {
		log_warn("rdp-desktop-size", "width=%u height=%u", width, height);
		rdp_fail(rdp, END_PC_TOO_BIG);
		return ERR_TOO_BIG;
	}
	err = rdp_surfaces_leave(&rdp->surfaces);
	if (!err)
		screen.pixels =
			rdp_events(rdp)->resized(rdp->remote.ctx, width, height, &screen.stride);
	if (!screen.pixels) {
		rdp_fail(rdp, END_GATEWAY);
		return ERR_NOMEM;
	}
	*ret = screen;
	return OK;
}

enum err rdp_gfx_resize(struct rdp_remote *rdp, UINT32 width, UINT32 height)
{
	rdpContext *context = rdp->instance->context;
	struct rdp_screen screen;
	enum err err;

	/* The graphics channel tells the size again when it opens. */
	if (rdp->surfaces.screen.width == width && rdp->surfaces.screen.height == height)
		return OK;
	err = take_framebuffer(rdp, width, height, &screen);
	if (err)
		return err;
	if (!freerdp_settings_set_uint32(context->settings, FreeRDP_DesktopWidth, width) ||
	    !freerdp_settings_set_uint32(context->settings, FreeRDP_DesktopHeight, height) ||
	    !gdi_resize_ex(context->gdi, width, height, (UINT32)screen.stride, PIXEL_FORMAT_BGRX32,
			   screen.pixels, NULL)) {
		rdp_fail(rdp, END_GATEWAY);
		return ERR_NOMEM;
	}
	rdp_surfaces_enter(&rdp->surfaces, &screen);
	return OK;
}

static BOOL desktop_resize(rdpContext *context)
{
	UINT32 width = freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopWidth);
	UINT32 height = freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopHeight);

	return rdp_gfx_resize(rdp_of(context), width, height) == OK;
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

/*
 * FreeRDP has made decoders of every kind, with threads and 18 bytes a pixel. Ours are
 * rdp_decoders; a set without any stays for what asks whether there is one.
 */
static bool drop_codecs(rdpContext *context)
{
	freerdp_client_codecs_free(context->codecs);
	context->codecs = freerdp_client_codecs_new(THREADING_FLAGS_DISABLE_THREADS);
	return context->codecs != NULL;
}

BOOL rdp_gfx_init(struct rdp_remote *rdp)
{
	rdpContext *context = rdp->instance->context;
	UINT32 width = freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopWidth);
	UINT32 height = freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopHeight);
	struct rdp_screen screen;

	rdp_surfaces_init(&rdp->surfaces, rdp_events(rdp), rdp->remote.ctx);
	if (take_framebuffer(rdp, width, height, &screen))
		return FALSE;
	if (!drop_codecs(context) || !gdi_init_ex(rdp->instance, PIXEL_FORMAT_BGRX32,
						  (UINT32)screen.stride, screen.pixels, NULL))
		return rdp_fail(rdp, END_GATEWAY);
	rdp_surfaces_enter(&rdp->surfaces, &screen);
	rdp_cursor_register(context->graphics);
	rdp_orders_register(rdp);
	context->update->DesktopResize = desktop_resize;
	context->update->PlaySound = play_sound;
	context->update->SetKeyboardIndicators = keyboard_indicators;
	context->update->SetKeyboardImeStatus = keyboard_ime_status;
	return TRUE;
}

void rdp_gfx_finish(struct rdp_remote *rdp)
{
	gdi_free(rdp->instance);
	rdp_decoders_finish(&rdp->decoders);
	rdp_surfaces_finish(&rdp->surfaces);
}

void rdp_gfx_painted(struct rdp_remote *rdp)
{
	if (rdp->painted)
		return;
	rdp->painted = true;
	loop_timer_cancel(&rdp->deadline);
}
