#include "worker/remote/rdp/rdp_pipeline.h"

#include <freerdp/codec/region.h>

#include "base/log.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_gfx.h"

static struct rdp_remote *rdp_of_channel(const RdpgfxClientContext *channel)
{
	return channel->custom;
}

/* What a message came to; ends the connection unless all is well. */
static UINT answer(struct rdp_remote *rdp, const char *what, enum err err)
{
	if (rdp->surfaces.shown)
		rdp_gfx_painted(rdp);
	if (!err)
		return CHANNEL_RC_OK;
	log_warn("rdp-graphics", "message=%s error=%s", what, err_code(err));
	rdp_fail(rdp, err == ERR_TOO_BIG ? END_PC_TOO_BIG
		      : err == ERR_NOMEM ? END_GATEWAY
					 : END_PC_PROTOCOL);
	return ERROR_INVALID_DATA;
}

static UINT on_open(RdpgfxClientContext *channel, BOOL *caps_advertise, BOOL *frame_acks)
{
	(void)channel;
	*caps_advertise = TRUE;
	*frame_acks = FALSE; /* rdp_frames sends them */
	return CHANNEL_RC_OK;
}

/* --- frames --- */

static UINT reset_graphics(RdpgfxClientContext *channel, const RDPGFX_RESET_GRAPHICS_PDU *reset)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);
	enum err err = rdp_video_settle(rdp);

	if (!err)
		err = rdp_gfx_resize(rdp, reset->width, reset->height);

	rdp_decoders_reset(&rdp->decoders, reset->width, reset->height);
	return answer(rdp, "ResetGraphics", err);
}

static UINT start_frame(RdpgfxClientContext *channel, const RDPGFX_START_FRAME_PDU *start)
{
	(void)channel;
	(void)start;
	return CHANNEL_RC_OK;
}

static UINT end_frame(RdpgfxClientContext *channel, const RDPGFX_END_FRAME_PDU *end)
{
	rdp_frames_end(rdp_of_channel(channel), RDP_FRAME_GRAPHICS, end->frameId);
	return CHANNEL_RC_OK;
}

/* --- surfaces --- */

static enum err delete_named(struct rdp_remote *rdp, uint16_t id)
{
	const struct rdp_surface *surface = rdp_surfaces_find(&rdp->surfaces, id);
	enum err err = rdp_video_settle(rdp);

	if (surface)
		rdp_decoders_forget(&rdp->decoders, surface);
	rdp_surfaces_delete(&rdp->surfaces, id);
	return err;
}

static UINT create_surface(RdpgfxClientContext *channel, const RDPGFX_CREATE_SURFACE_PDU *create)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);
	/* A PC that thinks ResetGraphics has deleted them may use a number anew. */
	enum err err = delete_named(rdp, create->surfaceId);

	if (!err)
		err = rdp_surfaces_create(&rdp->surfaces, create->surfaceId, create->width,
					  create->height);
	return answer(rdp, "CreateSurface", err);
}

static UINT delete_surface(RdpgfxClientContext *channel, const RDPGFX_DELETE_SURFACE_PDU *delete)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);

	return answer(rdp, "DeleteSurface", delete_named(rdp, delete->surfaceId));
}

static UINT map_to_output(RdpgfxClientContext *channel, const RDPGFX_MAP_SURFACE_TO_OUTPUT_PDU *map)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);
	enum err err = rdp_video_settle(rdp);

	if (!err)
		err = rdp_surfaces_map(&rdp->surfaces, map->surfaceId, map->outputOriginX,
				       map->outputOriginY);
	return answer(rdp, "MapSurfaceToOutput", err);
}

/* The version that has it is not offered. */
static UINT map_to_scaled_output(RdpgfxClientContext *channel,
				 const RDPGFX_MAP_SURFACE_TO_SCALED_OUTPUT_PDU *map)
{
	(void)map;
	return answer(rdp_of_channel(channel), "MapSurfaceToScaledOutput", ERR_PROTOCOL);
}

/* Windows of single programs are not asked for. */
static UINT map_to_window(RdpgfxClientContext *channel, const RDPGFX_MAP_SURFACE_TO_WINDOW_PDU *map)
{
	(void)map;
	return answer(rdp_of_channel(channel), "MapSurfaceToWindow", ERR_PROTOCOL);
}

static UINT map_to_scaled_window(RdpgfxClientContext *channel,
				 const RDPGFX_MAP_SURFACE_TO_SCALED_WINDOW_PDU *map)
{
	(void)map;
	return answer(rdp_of_channel(channel), "MapSurfaceToScaledWindow", ERR_PROTOCOL);
}

/* --- pixels --- */

/* RemoteFX and progressive say themselves where they draw. */
static enum err settle_for(struct rdp_remote *rdp, const RDPGFX_SURFACE_COMMAND *command)
{
	if (command->codecId == RDPGFX_CODECID_CAVIDEO ||
	    command->codecId == RDPGFX_CODECID_CAPROGRESSIVE)
		return rdp_video_settle(rdp);
	return rdp_video_settle_at(rdp, command->surfaceId, command->left, command->top,
				   command->right, command->bottom);
}

static UINT surface_command(RdpgfxClientContext *channel, const RDPGFX_SURFACE_COMMAND *command)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);
	struct rdp_surface *surface = rdp_surfaces_find(&rdp->surfaces, command->surfaceId);
	const RECTANGLE_16 *rects;
	REGION16 drawn;
	UINT32 count = 0;
	enum err err = surface ? OK : ERR_PROTOCOL;

	if (surface && command->codecId == RDPGFX_CODECID_AVC420)
		return answer(rdp, "AVC420", rdp_video_command(rdp, surface, command));
	region16_init(&drawn);
	if (!err)
		err = settle_for(rdp, command);
	if (!err)
		err = rdp_decoders_surface(&rdp->decoders, surface, command, &drawn);
	rects = region16_rects(&drawn, &count);
	for (UINT32 i = 0; !err && i < count; i++)
		rdp_surfaces_drawn(&rdp->surfaces, surface, &rects[i]);
	region16_uninit(&drawn);
	return answer(rdp, "WireToSurface", err);
}

static UINT delete_encoding_context(RdpgfxClientContext *channel,
				    const RDPGFX_DELETE_ENCODING_CONTEXT_PDU *delete)
{
	(void)channel;
	(void)delete;
	return CHANNEL_RC_OK;
}

static enum err settle_at(struct rdp_remote *rdp, uint32_t surface, const RECTANGLE_16 *rect)
{
	return rdp_video_settle_at(rdp, surface, rect->left, rect->top, rect->right, rect->bottom);
}

static UINT solid_fill(RdpgfxClientContext *channel, const RDPGFX_SOLID_FILL_PDU *fill)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);
	enum err err = OK;

	for (unsigned i = 0; !err && i < fill->fillRectCount; i++)
		err = settle_at(rdp, fill->surfaceId, &fill->fillRects[i]);
	return answer(rdp, "SolidFill", err ? err : rdp_surfaces_fill(&rdp->surfaces, fill));
}

static UINT surface_to_surface(RdpgfxClientContext *channel,
			       const RDPGFX_SURFACE_TO_SURFACE_PDU *move)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);
	unsigned width = (unsigned)(move->rectSrc.right - move->rectSrc.left);
	unsigned height = (unsigned)(move->rectSrc.bottom - move->rectSrc.top);
	enum err err = settle_at(rdp, move->surfaceIdSrc, &move->rectSrc);

	for (unsigned i = 0; !err && i < move->destPtsCount; i++) {
		const RDPGFX_POINT16 *to = &move->destPts[i];

		err = rdp_video_settle_at(rdp, move->surfaceIdDest, to->x, to->y, to->x + width,
					  to->y + height);
	}
	return answer(rdp, "SurfaceToSurface", err ? err : rdp_surfaces_move(&rdp->surfaces, move));
}

static UINT surface_to_cache(RdpgfxClientContext *channel, const RDPGFX_SURFACE_TO_CACHE_PDU *keep)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);
	enum err err = settle_at(rdp, keep->surfaceId, &keep->rectSrc);

	return answer(rdp, "SurfaceToCache", err ? err : rdp_surfaces_keep(&rdp->surfaces, keep));
}

static UINT cache_to_surface(RdpgfxClientContext *channel, const RDPGFX_CACHE_TO_SURFACE_PDU *put)
{
	struct rdp_remote *rdp = rdp_of_channel(channel);
	enum err err = OK;

	for (unsigned i = 0; !err && i < put->destPtsCount; i++)
		err = rdp_video_settle_at(rdp, put->surfaceId, put->destPts[i].x, put->destPts[i].y,
					  UINT16_MAX, UINT16_MAX);
	return answer(rdp, "CacheToSurface", err ? err : rdp_surfaces_put(&rdp->surfaces, put));
}

static UINT evict(RdpgfxClientContext *channel, const RDPGFX_EVICT_CACHE_ENTRY_PDU *entry)
{
	rdp_surfaces_evict(&rdp_of_channel(channel)->surfaces, entry->cacheSlot);
	return CHANNEL_RC_OK;
}

/* Nothing was offered. */
static UINT cache_import_reply(RdpgfxClientContext *channel,
			       const RDPGFX_CACHE_IMPORT_REPLY_PDU *reply)
{
	(void)channel;
	(void)reply;
	return CHANNEL_RC_OK;
}

/* --- the channel --- */

void rdp_pipeline_open(struct rdp_remote *rdp, RdpgfxClientContext *channel)
{
	const struct rdp_screen *screen = &rdp->surfaces.screen;

	rdp->graphics = channel;
	rdp_decoders_reset(&rdp->decoders, screen->width, screen->height);
	channel->custom = rdp;
	channel->OnOpen = on_open;
	channel->ResetGraphics = reset_graphics;
	channel->StartFrame = start_frame;
	channel->EndFrame = end_frame;
	channel->SurfaceCommand = surface_command;
	channel->DeleteEncodingContext = delete_encoding_context;
	channel->CreateSurface = create_surface;
	channel->DeleteSurface = delete_surface;
	channel->SolidFill = solid_fill;
	channel->SurfaceToSurface = surface_to_surface;
	channel->SurfaceToCache = surface_to_cache;
	channel->CacheToSurface = cache_to_surface;
	channel->CacheImportReply = cache_import_reply;
	channel->EvictCacheEntry = evict;
	channel->MapSurfaceToOutput = map_to_output;
	channel->MapSurfaceToScaledOutput = map_to_scaled_output;
	channel->MapSurfaceToWindow = map_to_window;
	channel->MapSurfaceToScaledWindow = map_to_scaled_window;
}

void rdp_pipeline_close(struct rdp_remote *rdp, RdpgfxClientContext *channel)
{
	if (rdp->graphics != channel)
		return;
	if (rdp_video_settle(rdp))
		rdp_fail(rdp, END_PC_PROTOCOL);
	for (size_t i = 0; i < rdp->surfaces.count; i++)
		rdp_decoders_forget(&rdp->decoders, rdp->surfaces.list[i]);
	rdp_surfaces_clear(&rdp->surfaces);
	rdp->graphics = NULL;
}
