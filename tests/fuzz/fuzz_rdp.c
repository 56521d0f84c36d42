/*
 * What an RDP host may draw through the graphics channel: messages as FreeRDP's channel hands them
 * on, with any numbers and data in them. Behind the framebuffer lie its spare rows and a row that
 * must stay as it is: FreeRDP is not built to be watched by ASan.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <freerdp/gdi/gdi.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_gfx.h"
#include "worker/remote/rdp/rdp_pipeline.h"

enum {
	MOST = 64 * 1024,
	MOST_PIXELS = 1024 * 1024,
	MOST_PLACES = 15,
	SIDE = 200,
	UNTOUCHED = 0xa5
};

struct desk {
	uint8_t *pixels;
	unsigned width, height;
	bool later; /* H.264 is kept until something needs it */
};

/* What is left of the input. */
struct input {
	const uint8_t *data;
	size_t len;
};

static uint8_t *behind(const struct desk *desk)
{
	return desk->pixels + ((size_t)desk->height + SURFACE_SPARE_ROWS) * desk->width * 4;
}

static void forget(struct desk *desk)
{
	for (size_t i = 0; desk->pixels && i < (size_t)desk->width * 4; i++)
		if (behind(desk)[i] != UNTOUCHED)
			abort();
	free(desk->pixels);
	desk->pixels = NULL;
}

static uint8_t *resized(void *ctx, unsigned width, unsigned height, size_t *ret_stride)
{
	struct desk *desk = ctx;
	forget(desk);
	*ret_stride = (size_t)width * 4;
	desk->pixels = width * height > MOST_PIXELS
			       ? NULL
			       : calloc(height + SURFACE_SPARE_ROWS + 1, *ret_stride);
	desk->width = width;
	desk->height = height;
	if (desk->pixels)
		memset(behind(desk), UNTOUCHED, *ret_stride);
	return desk->pixels;
}

static void damaged(void *ctx, int x, int y, int width, int height)
{
	const struct desk *desk = ctx;
	if (x < 0 || y < 0 || width <= 0 || height <= 0 || (unsigned)(x + width) > desk->width ||
	    (unsigned)(y + height) > desk->height)
		abort();
}

static void copied(void *ctx, int from_x, int from_y, int x, int y, int width, int height)
{
	damaged(ctx, from_x, from_y, width, height);
	damaged(ctx, x, y, width, height);
}

static bool video(void *ctx, struct remote_unit *unit)
{
	const struct desk *desk = ctx;
	bool key;
	if (unit->passable && !unit_scan(unit->data, unit->len, &key))
		abort();
	return desk->later;
}

static void decoded(void *ctx, const struct remote_unit *unit)
{
	(void)ctx;
	for (size_t i = 0; i < unit->clip_count; i++)
		if (unit->clips[i].x + unit->clips[i].width > unit->box.width ||
		    unit->clips[i].y + unit->clips[i].height > unit->box.height)
			abort();
}

static void frame_done(void *ctx)
{
	(void)ctx;
}

static const struct remote_events events = { .resized = resized,
					     .damaged = damaged,
					     .copied = copied,
					     .video = video,
					     .decoded = decoded,
					     .frame_done = frame_done };

static UINT acknowledged(RdpgfxClientContext *channel, const RDPGFX_FRAME_ACKNOWLEDGE_PDU *pdu)
{
	(void)channel;
	(void)pdu;
	return CHANNEL_RC_OK;
}

static uint8_t u8(struct input *input)
{
	if (input->len == 0)
		return 0;
	input->len--;
	return *input->data++;
}

static uint16_t u16(struct input *input)
{
	unsigned low = u8(input);
	return (uint16_t)(low | (unsigned)u8(input) << 8);
}

static RECTANGLE_16 rect(struct input *input)
{
	RECTANGLE_16 rect;
	rect.left = u16(input);
	rect.top = u16(input);
	rect.right = u16(input);
	rect.bottom = u16(input);
	return rect;
}

static uint16_t points(struct input *input, RDPGFX_POINT16 *ret)
{
	uint16_t count = u8(input) & MOST_PLACES;
	for (unsigned i = 0; i < count; i++) {
		ret[i].x = u16(input);
		ret[i].y = u16(input);
	}
	return count;
}

/* As FreeRDP's channel does: the rectangles are there, whatever they say. */
static void read_h264(RDPGFX_SURFACE_COMMAND *command, RDPGFX_AVC420_BITMAP_STREAM *h264,
		      RECTANGLE_16 *rects)
{
	struct input input = { command->data, command->length };

	if (command->codecId != RDPGFX_CODECID_AVC420)
		return;
	h264->meta.numRegionRects = u8(&input) & MOST_PLACES;
	h264->meta.regionRects = rects;
	for (unsigned i = 0; i < h264->meta.numRegionRects; i++)
		rects[i] = rect(&input);
	h264->data = (BYTE *)(uintptr_t)input.data;
	h264->length = (UINT32)input.len;
	command->extra = h264;
}

static void draw(RdpgfxClientContext *channel, struct input *input)
{
	RECTANGLE_16 rects[MOST_PLACES];
	RDPGFX_AVC420_BITMAP_STREAM h264 = { 0 };
	RDPGFX_SURFACE_COMMAND command = { .surfaceId = u8(input), .codecId = u16(input) };
	RECTANGLE_16 place = rect(input);
	size_t wanted = u16(input), len = MIN(wanted, input->len);
	_cleanup_free_ uint8_t *data = malloc(MAX(len, 1u));

	if (!data || place.right < place.left || place.bottom < place.top)
		return;
	memcpy(data, input->data, len);
	input->data += len;
	input->len -= len;
	command.left = place.left;
	command.top = place.top;
	command.right = place.right;
	command.bottom = place.bottom;
	command.width = command.right - command.left;
	command.height = command.bottom - command.top;
	command.data = data;
	command.length = (UINT32)len;
	read_h264(&command, &h264, rects);
	channel->SurfaceCommand(channel, &command);
}

static void one_message(RdpgfxClientContext *channel, struct input *input, struct desk *desk)
{
	RECTANGLE_16 rects[MOST_PLACES];
	RDPGFX_POINT16 places[MOST_PLACES];
	RDPGFX_RESET_GRAPHICS_PDU reset = { 0 };
	RDPGFX_CREATE_SURFACE_PDU create = { 0 };
	RDPGFX_DELETE_SURFACE_PDU delete = { 0 };
	RDPGFX_MAP_SURFACE_TO_OUTPUT_PDU map = { 0 };
	RDPGFX_SOLID_FILL_PDU fill = { .fillRects = rects };
	RDPGFX_SURFACE_TO_SURFACE_PDU move = { .destPts = places };
	RDPGFX_SURFACE_TO_CACHE_PDU keep = { 0 };
	RDPGFX_CACHE_TO_SURFACE_PDU put = { .destPts = places };
	RDPGFX_EVICT_CACHE_ENTRY_PDU evict = { 0 };
	RDPGFX_END_FRAME_PDU end = { 0 };

	switch (u8(input) % 12) {
	case 0:
		reset.width = u16(input);
		reset.height = u16(input);
		channel->ResetGraphics(channel, &reset);
		break;
	case 1:
		create.surfaceId = u8(input);
		create.width = u16(input);
		create.height = u16(input);
		channel->CreateSurface(channel, &create);
		break;
	case 2:
		delete.surfaceId = u8(input);
		channel->DeleteSurface(channel, &delete);
		break;
	case 3:
		map.surfaceId = u8(input);
		map.outputOriginX = u16(input);
		map.outputOriginY = u16(input);
		channel->MapSurfaceToOutput(channel, &map);
		break;
	case 4:
		fill.surfaceId = u8(input);
		fill.fillPixel.B = u8(input);
		fill.fillRectCount = u8(input) & MOST_PLACES;
		for (unsigned i = 0; i < fill.fillRectCount; i++)
			rects[i] = rect(input);
		channel->SolidFill(channel, &fill);
		break;
	case 5:
		move.surfaceIdSrc = u8(input);
		move.surfaceIdDest = u8(input);
		move.rectSrc = rect(input);
		move.destPtsCount = points(input, places);
		channel->SurfaceToSurface(channel, &move);
		break;
	case 6:
		keep.surfaceId = u8(input);
		keep.cacheSlot = u16(input);
		keep.rectSrc = rect(input);
		channel->SurfaceToCache(channel, &keep);
		break;
	case 7:
		put.cacheSlot = u16(input);
		put.surfaceId = u8(input);
		put.destPtsCount = points(input, places);
		channel->CacheToSurface(channel, &put);
		break;
	case 8:
		evict.cacheSlot = u16(input);
		channel->EvictCacheEntry(channel, &evict);
		break;
	case 11:
		desk->later = !desk->later;
		break;
	case 9:
		end.frameId = u8(input);
		channel->EndFrame(channel, &end);
		break;
	default:
		draw(channel, input);
		break;
	}
}

/* One client for all inputs: making it takes longer than most of them. */
static struct rdp_remote *the_client(struct desk *desk)
{
	static struct rdp_remote *rdp;
	struct remote_config config = {
		.address = "", .user = "", .password = "", .domain = "", .video = true
	};
	struct remote *remote;
	struct loop *loop;

	if (!rdp) {
		if (loop_new(&loop) || remote_rdp_new(loop, &config, &events, desk, &remote))
			abort();
		rdp = container_of(remote, struct rdp_remote, remote);
	}
	rdp->failed = END_NONE;
	rdp->remote.ctx = desk;
	freerdp_settings_set_uint32(rdp->instance->context->settings, FreeRDP_DesktopWidth, SIDE);
	freerdp_settings_set_uint32(rdp->instance->context->settings, FreeRDP_DesktopHeight, SIDE);
	return rdp;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct desk desk = { 0 };
	RdpgfxClientContext channel = { .FrameAcknowledge = acknowledged };
	struct rdp_remote *rdp;

	if (size > MOST)
		return 0;
	rdp = the_client(&desk);
	if (!rdp_gfx_init(rdp))
		abort();
	rdp_pipeline_open(rdp, &channel);
	while (input.len > 0 && rdp->failed == END_NONE)
		one_message(&channel, &input, &desk);
	rdp_pipeline_close(rdp, &channel);
	rdp_frames_finish(rdp);
	rdp_video_finish(rdp);
	rdp_gfx_finish(rdp);
	forget(&desk);
	return 0;
}
