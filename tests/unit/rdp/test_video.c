/*
 * H.264 of the graphics channel: what waits and for how long, in which order it is decoded with
 * everything else, and what a hostile host may not do.
 */
#include "unit/film.h"

#include <stdlib.h>
#include <string.h>

#include <freerdp/gdi/gdi.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_gfx.h"
#include "worker/remote/rdp/rdp_h264.h"
#include "worker/remote/rdp/rdp_pipeline.h"

enum { WIDTH = 256, HEIGHT = 192, SIDE = 128, OTHER = 64, LOGGED = 512 };

static uint32_t pixels[HEIGHT][WIDTH];
static struct loop *loop;
static struct rdp_remote *rdp;
static RdpgfxClientContext channel;
static struct film film;

/* What the worker was told: units by their numbers, and rectangles as 0. */
static uint32_t told[LOGGED], decoded[LOGGED];
static size_t told_count, decoded_count;
static bool content; /* the worker needs no pixels */
static bool insists; /* it needs them all the same, for something else */
static struct remote_unit *last;

static uint8_t *resized(void *ctx, unsigned width, unsigned height, size_t *ret_stride)
{
	(void)ctx;
	*ret_stride = sizeof(pixels[0]);
	return width == WIDTH && height == HEIGHT ? (uint8_t *)pixels : NULL;
}

static void damaged(void *ctx, int x, int y, int width, int height)
{
	(void)ctx;
	assert_true(x >= 0 && y >= 0 && x + width <= WIDTH && y + height <= HEIGHT);
	decoded[decoded_count++ % LOGGED] = 0;
}

static void copied(void *ctx, int from_x, int from_y, int x, int y, int width, int height)
{
	(void)from_x;
	(void)from_y;
	damaged(ctx, x, y, width, height);
}

static bool video(void *ctx, struct remote_unit *unit)
{
	(void)ctx;
	/* As long as it is only told, the framebuffer cannot be up to date. */
	bool wanted = rdp->video.wanted;
	assert_false(rdp->remote.ops->settle(&rdp->remote));
	rdp->video.wanted = wanted || insists;
	told[told_count++ % LOGGED] = unit->number;
	unit_unref(last);
	last = unit_ref(unit);
	return content;
}

static void on_decoded(void *ctx, const struct remote_unit *unit)
{
	(void)ctx;
	decoded[decoded_count++ % LOGGED] = unit->number;
}

static void frame_done(void *ctx)
{
	(void)ctx;
}

static const struct remote_events events = { .resized = resized,
					     .damaged = damaged,
					     .copied = copied,
					     .video = video,
					     .decoded = on_decoded,
					     .frame_done = frame_done };

static void create(uint16_t id, uint16_t side, uint32_t x)
{
	RDPGFX_CREATE_SURFACE_PDU pdu = { .surfaceId = id, .width = side, .height = side };
	RDPGFX_MAP_SURFACE_TO_OUTPUT_PDU map = { .surfaceId = id, .outputOriginX = x };
	assert_int_equal(channel.CreateSurface(&channel, &pdu), CHANNEL_RC_OK);
	assert_int_equal(channel.MapSurfaceToOutput(&channel, &map), CHANNEL_RC_OK);
}

static int set_up(void **state)
{
	struct remote_config config = {
		.address = "", .user = "", .password = "", .domain = "", .video = true
	};
	struct remote *remote;
	(void)state;
	memset(pixels, 0, sizeof(pixels));
	told_count = decoded_count = 0;
	content = true;
	insists = false;
	assert_ok(loop_new(&loop));
	assert_ok(remote_rdp_new(loop, &config, &events, NULL, &remote));
	rdp = container_of(remote, struct rdp_remote, remote);
	rdpSettings *settings = rdp->instance->context->settings;
	assert_true(freerdp_settings_set_uint32(settings, FreeRDP_DesktopWidth, WIDTH));
	assert_true(freerdp_settings_set_uint32(settings, FreeRDP_DesktopHeight, HEIGHT));
	assert_true(rdp_gfx_init(rdp));
	channel = (RdpgfxClientContext){ 0 };
	rdp_pipeline_open(rdp, &channel);
	create(1, SIDE, 0);
	create(2, OTHER, SIDE);
	decoded_count = 0;
	film_start(&film, SIDE, SIDE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unit_unref(last);
	last = NULL;
	rdp_pipeline_close(rdp, &channel);
	rdp_gfx_finish(rdp);
	remote_free(&rdp->remote);
	loop_free(loop);
	film_stop(&film);
	return 0;
}

static UINT send_data(uint16_t surface, const uint8_t *data, size_t len, RECTANGLE_16 *rects,
		      uint32_t count)
{
	RDPGFX_AVC420_BITMAP_STREAM stream = { .meta = { .numRegionRects = count,
							 .regionRects = rects },
					       .length = (UINT32)len,
					       .data = (BYTE *)(uintptr_t)data };
	RDPGFX_SURFACE_COMMAND command = { .surfaceId = surface,
					   .codecId = RDPGFX_CODECID_AVC420,
					   .right = SIDE,
					   .bottom = SIDE,
					   .width = SIDE,
					   .height = SIDE,
					   .extra = &stream };
	return channel.SurfaceCommand(&channel, &command);
}

static UINT send_clip(bool key, RECTANGLE_16 rect)
{
	film_next(&film, key);
	return send_data(1, film.packet->data, (size_t)film.packet->size, &rect, 1);
}

static void send_all(bool key)
{
	const RECTANGLE_16 all = { 0, 0, SIDE, SIDE };
	assert_int_equal(send_clip(key, all), CHANNEL_RC_OK);
}

static void assert_ended(UINT status, enum end_reason reason)
{
	assert_int_not_equal(status, CHANNEL_RC_OK);
	assert_string_equal(end_reason_code(rdp->failed), end_reason_code(reason));
}

/* The desktop's first pixel, which was black, is the film's. */
static void assert_drawn(void)
{
	assert_int_not_equal(pixels[0][0] & 0xffffff, 0);
}

static void until_settled(void)
{
	for (unsigned i = 0; i < 1000 && !rdp->remote.ops->settle(&rdp->remote); i++)
		assert_ok(loop_step(loop, 10));
	assert_true(rdp->remote.ops->settle(&rdp->remote));
}

/* ---- waiting ---------------------------------------------------------------------------- */

static void test_waits_until_wanted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		send_all(i == 0);
	assert_int_equal(told_count, 5);
	assert_int_equal(decoded_count, 0);
	assert_int_equal(pixels[0][0], 0);
	assert_ok(loop_step(loop, 0));
	assert_int_equal(decoded_count, 0);
	until_settled();
	assert_int_equal(decoded_count, 5);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(decoded[i], told[i]);
	assert_drawn();
	/* And again. */
	send_all(false);
	assert_int_equal(decoded_count, 5);
	until_settled();
	assert_int_equal(decoded_count, 6);
}

static void test_decoded_at_once(void **state)
{
	(void)state;
	send_all(true);
	send_all(false);
	content = false;
	send_all(false);
	assert_int_equal(decoded_count, 3);
	assert_int_equal(decoded[0], told[0]);
	assert_int_equal(decoded[2], told[2]);
	assert_true(rdp->remote.ops->settle(&rdp->remote));
}

static void test_what_a_key_picture_hides(void **state)
{
	(void)state;
	const RECTANGLE_16 part = { 10, 10, 50, 50 };
	send_all(true);
	send_all(false);
	/* It covers less than what waits. */
	assert_int_equal(send_clip(true, part), CHANNEL_RC_OK);
	assert_int_equal(rdp->video.count, 3);
	send_all(true);
	assert_int_equal(rdp->video.count, 1);
	until_settled();
	assert_int_equal(decoded_count, 1);
	assert_int_equal(decoded[0], told[3]);
}

/* While the worker waits for pixels, nothing new makes it wait longer. */
static void test_wanted_meanwhile(void **state)
{
	(void)state;
	send_all(true);
	insists = true;
	send_all(false);
	assert_int_equal(decoded_count, 2);
	assert_true(rdp->remote.ops->settle(&rdp->remote));
	insists = false;
	send_all(false);
	assert_int_equal(decoded_count, 2);
	assert_false(rdp->remote.ops->settle(&rdp->remote));
	send_all(false);
	assert_int_equal(decoded_count, 4);
}

static void costs(uint16_t surface, uint64_t unit_us)
{
	rdp_surfaces_find(&rdp->surfaces, surface)->unit_us = unit_us;
}

static void test_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RDP_VIDEO_UNITS + 20; i++) {
		costs(1, 1);
		send_all(i == 0);
		assert_true(rdp->video.count <= RDP_VIDEO_UNITS);
	}
	assert_int_equal(rdp->video.count + decoded_count, RDP_VIDEO_UNITS + 20);
	assert_true(decoded_count >= 20);
	/* What takes long to decode is not put off. */
	size_t before = decoded_count;
	costs(1, (uint64_t)RDP_VIDEO_BACKLOG_US * 3);
	send_all(false);
	assert_true(decoded_count >= before + 3);
}

/* What is cheap on one surface hides nothing that is dear on another. */
static void test_each_surface_has_its_price(void **state)
{
	(void)state;
	const RECTANGLE_16 small = { 0, 0, OTHER, OTHER };
	costs(1, RDP_VIDEO_BACKLOG_US * 2 / 5);
	costs(2, 1);
	send_all(true);
	send_all(false);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(send_data(2, film.packet->data, (size_t)film.packet->size,
					   (RECTANGLE_16 *)(uintptr_t)&small, 1),
				 CHANNEL_RC_OK);
	assert_int_equal(decoded_count, 0);
	send_all(false);
	assert_int_equal(decoded_count, 1);
	assert_int_equal(rdp->video.count, 102);
}

static void test_bytes_bounded(void **state)
{
	(void)state;
	enum { FILLER = 1 << 20, START = 5 };
	uint8_t *large = malloc(FILLER * 2);
	RECTANGLE_16 all = { 0, 0, SIDE, SIDE };
	assert_non_null(large);
	for (unsigned i = 0; i < 40; i++) {
		static const uint8_t start[START] = { 0, 0, 0, 1, 12 };
		film_next(&film, i == 0);
		size_t len = (size_t)film.packet->size;
		memcpy(large, film.packet->data, len);
		memcpy(large + len, start, START);
		memset(large + len + START, 0xff, FILLER);
		large[len + START + FILLER - 1] = 0x80;
		costs(1, 1);
		assert_int_equal(send_data(1, large, len + START + FILLER, &all, 1), CHANNEL_RC_OK);
		assert_true(rdp->video.bytes <= RDP_VIDEO_BYTES);
	}
	assert_true(decoded_count >= 20);
	free(large);
}

/* ---- order ------------------------------------------------------------------------------ */

static void fill(uint16_t surface, RECTANGLE_16 rect)
{
	RDPGFX_SOLID_FILL_PDU pdu = { .surfaceId = surface,
				      .fillPixel = { 1, 2, 3, 0 },
				      .fillRectCount = 1,
				      .fillRects = &rect };
	assert_int_equal(channel.SolidFill(&channel, &pdu), CHANNEL_RC_OK);
}

static void move(uint16_t from, RECTANGLE_16 rect, uint16_t to, RDPGFX_POINT16 point)
{
	RDPGFX_SURFACE_TO_SURFACE_PDU pdu = { .surfaceIdSrc = from,
					      .surfaceIdDest = to,
					      .rectSrc = rect,
					      .destPtsCount = 1,
					      .destPts = &point };
	assert_int_equal(channel.SurfaceToSurface(&channel, &pdu), CHANNEL_RC_OK);
}

static void keep(uint16_t surface, RECTANGLE_16 rect)
{
	RDPGFX_SURFACE_TO_CACHE_PDU pdu = { .surfaceId = surface, .cacheSlot = 1, .rectSrc = rect };
	assert_int_equal(channel.SurfaceToCache(&channel, &pdu), CHANNEL_RC_OK);
}

static void put(uint16_t surface, RDPGFX_POINT16 point)
{
	RDPGFX_CACHE_TO_SURFACE_PDU pdu = {
		.surfaceId = surface, .cacheSlot = 1, .destPtsCount = 1, .destPts = &point
	};
	assert_int_equal(channel.CacheToSurface(&channel, &pdu), CHANNEL_RC_OK);
}

static void raw(uint16_t surface, RECTANGLE_16 rect)
{
	static uint8_t data[SIDE * SIDE * 4];
	RDPGFX_SURFACE_COMMAND command = { .surfaceId = surface,
					   .codecId = RDPGFX_CODECID_UNCOMPRESSED,
					   .left = rect.left,
					   .top = rect.top,
					   .right = rect.right,
					   .bottom = rect.bottom,
					   .width = (UINT32)(rect.right - rect.left),
					   .height = (UINT32)(rect.bottom - rect.top),
					   .length = sizeof(data),
					   .data = data };
	assert_int_equal(channel.SurfaceCommand(&channel, &command), CHANNEL_RC_OK);
}

/* One picture waits for the upper left quarter of the first surface. */
static void wait_for_a_quarter(void)
{
	const RECTANGLE_16 quarter = { 0, 0, SIDE / 2, SIDE / 2 };
	until_settled();
	decoded_count = 0;
	assert_int_equal(send_clip(true, quarter), CHANNEL_RC_OK);
	assert_int_equal(rdp->video.count, 1);
}

/* It was decoded, and before anything else was told. */
static void assert_first(void)
{
	assert_int_equal(rdp->video.count, 0);
	assert_int_equal(decoded[0], last->number);
}

static void test_order(void **state)
{
	(void)state;
	const RECTANGLE_16 inside = { 60, 60, 70, 70 }, beside = { 64, 0, 80, 60 };
	const RECTANGLE_16 elsewhere = { 0, 0, 10, 10 };
	wait_for_a_quarter();
	fill(1, beside);
	raw(1, beside);
	fill(2, elsewhere);
	move(1, beside, 2, (RDPGFX_POINT16){ 0, 0 });
	move(2, elsewhere, 1, (RDPGFX_POINT16){ 64, 0 });
	keep(1, beside);
	assert_int_equal(rdp->video.count, 1);
	put(1, (RDPGFX_POINT16){ 64, 64 });
	assert_int_equal(rdp->video.count, 1);
	fill(1, inside);
	assert_int_equal(rdp->video.count, 0);

	wait_for_a_quarter();
	fill(1, inside);
	assert_first();
	assert_int_equal(pixels[63][63] & 0xffffff, 0x030201);
	wait_for_a_quarter();
	raw(1, inside);
	assert_first();
	wait_for_a_quarter();
	move(1, inside, 2, (RDPGFX_POINT16){ 0, 0 });
	assert_first();
	wait_for_a_quarter();
	move(2, elsewhere, 1, (RDPGFX_POINT16){ 60, 60 });
	assert_first();
	wait_for_a_quarter();
	keep(1, inside);
	assert_int_equal(rdp->video.count, 0);
	wait_for_a_quarter();
	put(1, (RDPGFX_POINT16){ 60, 60 });
	assert_first();
}

static void test_order_of_surfaces(void **state)
{
	(void)state;
	RDPGFX_MAP_SURFACE_TO_OUTPUT_PDU map = { .surfaceId = 1, .outputOriginX = 7 };
	RDPGFX_DELETE_SURFACE_PDU delete = { .surfaceId = 1 };
	RDPGFX_RESET_GRAPHICS_PDU reset = { .width = WIDTH, .height = HEIGHT };
	RECTANGLE_16 part = { 0, 0, OTHER, OTHER };
	struct film other;
	wait_for_a_quarter();
	assert_int_equal(channel.MapSurfaceToOutput(&channel, &map), CHANNEL_RC_OK);
	assert_first();
	wait_for_a_quarter();
	assert_int_equal(channel.ResetGraphics(&channel, &reset), CHANNEL_RC_OK);
	assert_first();
	/* Another surface's stream waits beside it, and its key picture hides nothing of this one.
	 */
	wait_for_a_quarter();
	uint32_t before = last->number, stream = last->stream;
	film_start(&other, OTHER, OTHER);
	for (unsigned i = 0; i < 2; i++) {
		film_next(&other, true);
		assert_int_equal(
			send_data(2, other.packet->data, (size_t)other.packet->size, &part, 1),
			CHANNEL_RC_OK);
	}
	film_stop(&other);
	assert_int_not_equal(last->stream, stream);
	assert_int_equal(rdp->video.count, 2);
	memset(pixels, 0, sizeof(pixels));
	fill(2, (RECTANGLE_16){ 0, 0, 1, 1 });
	assert_int_not_equal(pixels[0][map.outputOriginX] & 0xffffff, 0);
	assert_int_equal(decoded[0], before);
	assert_int_equal(decoded[1], last->number);
	wait_for_a_quarter();
	assert_int_equal(channel.DeleteSurface(&channel, &delete), CHANNEL_RC_OK);
	assert_first();
}

/* ---- what is told ----------------------------------------------------------------------- */

static void test_told(void **state)
{
	(void)state;
	/* Tiles as FreeRDP's server names them, one of them empty. */
	RECTANGLE_16 rects[] = { { 0, 0, 64, 64 },
				 { 64, 0, 128, 64 },
				 { 128, 0, 128, 64 },
				 { 0, 64, 64, 128 },
				 { 64, 64, 128, 128 } };
	film_next(&film, true);
	assert_int_equal(send_data(1, film.packet->data, (size_t)film.packet->size, rects, 5),
			 CHANNEL_RC_OK);
	assert_true(last->passable && last->key);
	assert_int_equal(last->clip_count, 1);
	assert_int_equal(last->clips[0].width, SIDE);
	assert_int_equal(last->clips[0].height, SIDE);
	assert_int_equal(last->box.x, 0);
	assert_int_equal(last->box.width, SIDE);
	film_next(&film, false);
	assert_int_equal(send_data(1, film.packet->data, (size_t)film.packet->size, rects, 1),
			 CHANNEL_RC_OK);
	assert_true(last->passable && !last->key);
	assert_int_equal(last->len, film.packet->size);
	assert_memory_equal(last->data, film.packet->data, last->len);
	/* Drawn twice: no viewer takes that. */
	RECTANGLE_16 twice[] = { { 0, 0, 128, 128 }, { 0, 0, 1, 128 } };
	film_next(&film, false);
	assert_int_equal(send_data(1, film.packet->data, (size_t)film.packet->size, twice, 2),
			 CHANNEL_RC_OK);
	assert_false(last->passable);
	assert_int_equal(rdp->video.count, 0);
}

/* [MS-RDPEGFX] 3.3.8.3.1, whatever the host says of its colours. */
static void test_colours_are_named(void **state)
{
	(void)state;
	for (unsigned studio = 0; studio < 2; studio++) {
		AVCodecContext *codec =
			avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264));
		AVPacket *packet = av_packet_alloc();
		AVFrame *frame = av_frame_alloc();
		film_stop(&film);
		film_start_as(&film, SIDE, SIDE, AV_PIX_FMT_YUV420P, studio);
		send_all(true);
		assert_true(last->key);
		codec->flags |= AV_CODEC_FLAG_LOW_DELAY;
		assert_int_equal(avcodec_open2(codec, codec->codec, NULL), 0);
		assert_int_equal(av_new_packet(packet, (int)last->len), 0);
		memcpy(packet->data, last->data, last->len);
		assert_int_equal(avcodec_send_packet(codec, packet), 0);
		assert_int_equal(avcodec_receive_frame(codec, frame), 0);
		assert_int_equal(frame->color_range, AVCOL_RANGE_JPEG);
		assert_int_equal(frame->colorspace, AVCOL_SPC_BT709);
		assert_int_equal(frame->color_primaries, AVCOL_PRI_BT709);
		assert_int_equal(frame->color_trc, AVCOL_TRC_IEC61966_2_1);
		avcodec_free_context(&codec);
		av_packet_free(&packet);
		av_frame_free(&frame);
	}
}

/* ITU-R BT.709 §3, full range, with the samples that the stream really has. */
static void test_colours_are_right(void **state)
{
	(void)state;
	content = false;
	send_all(true);
	AVCodecContext *codec = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264));
	AVFrame *frame = av_frame_alloc();
	assert_int_equal(avcodec_open2(codec, codec->codec, NULL), 0);
	assert_int_equal(avcodec_send_packet(codec, film.packet), 0);
	assert_int_equal(avcodec_send_packet(codec, NULL), 0);
	assert_int_equal(avcodec_receive_frame(codec, frame), 0);
	for (int y = 0; y < SIDE; y += 3)
		for (int x = 0; x < SIDE; x += 3) {
			double luma = frame->data[0][y * frame->linesize[0] + x];
			double cb = frame->data[1][y / 2 * frame->linesize[1] + x / 2] - 128;
			double cr = frame->data[2][y / 2 * frame->linesize[2] + x / 2] - 128;
			const double rgb[] = { luma + 1.8556 * cb, luma - 0.1873 * cb - 0.4681 * cr,
					       luma + 1.5748 * cr };
			for (unsigned i = 0; i < 3; i++) {
				double is = pixels[y][x] >> 8 * i & 0xff;
				double wanted = MIN(MAX(rgb[i], 0.0), 255.0);
				assert_true(is - wanted < 2.5 && wanted - is < 2.5);
			}
		}
	avcodec_free_context(&codec);
	av_frame_free(&frame);
}

/* Two pixels share their colours, wherever a rectangle begins. */
static void test_odd_rectangles(void **state)
{
	(void)state;
	static uint32_t whole[HEIGHT][WIDTH];
	content = false;
	send_all(true);
	memcpy(whole, pixels, sizeof(whole));
	memset(pixels, 0, sizeof(pixels));
	RECTANGLE_16 odd[] = { { 3, 5, 4, 6 }, { 7, 9, 40, 30 }, { 51, 51, 52, 90 } };
	assert_int_equal(send_data(1, film.packet->data, (size_t)film.packet->size, odd, 3),
			 CHANNEL_RC_OK);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned y = odd[i].top; y < odd[i].bottom; y++)
			for (unsigned x = odd[i].left; x < odd[i].right; x++)
				assert_int_equal(pixels[y][x], whole[y][x]);
	assert_int_equal(pixels[0][0], 0);
	assert_int_equal(pixels[5][4], 0);
}

/* ---- hostile hosts ---------------------------------------------------------------------- */

static void test_rectangles_outside(void **state)
{
	static const RECTANGLE_16 bad[] = {
		{ 0, 0, SIDE + 1, SIDE }, { 0, 0, SIDE, SIDE + 1 }, { 9, 0, 8, 8 }, { 0, 9, 8, 8 }
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		rdp->failed = END_NONE;
		assert_ended(send_clip(true, bad[i]), END_PC_PROTOCOL);
	}
	assert_int_equal(told_count, 0);
}

static void test_too_many_rectangles(void **state)
{
	(void)state;
	RECTANGLE_16 *rects = calloc(RDP_VIDEO_RECTS + 1, sizeof(*rects));
	assert_non_null(rects);
	for (size_t i = 0; i < RDP_VIDEO_RECTS + 1; i++)
		rects[i] = (RECTANGLE_16){ 0, 0, 1, 1 };
	film_next(&film, true);
	assert_int_equal(
		send_data(1, film.packet->data, (size_t)film.packet->size, rects, RDP_VIDEO_RECTS),
		CHANNEL_RC_OK);
	assert_int_equal(last->clip_count, RDP_VIDEO_RECTS);
	assert_ended(send_data(1, film.packet->data, (size_t)film.packet->size, rects,
			       RDP_VIDEO_RECTS + 1),
		     END_PC_PROTOCOL);
	/* Fewer, but all of the surface each. */
	rdp->failed = END_NONE;
	for (size_t i = 0; i < 17; i++)
		rects[i] = (RECTANGLE_16){ 0, 0, SIDE, SIDE };
	assert_ended(send_data(1, film.packet->data, (size_t)film.packet->size, rects, 17),
		     END_PC_PROTOCOL);
	free(rects);
}

static void test_rubbish(void **state)
{
	(void)state;
	static uint8_t noise[5000];
	RECTANGLE_16 all = { 0, 0, SIDE, SIDE };
	uint32_t random = 1;
	for (size_t i = 0; i < sizeof(noise); i++) {
		random = random * 1664525u + 1013904223u;
		noise[i] = (uint8_t)(random >> 24);
	}
	content = false;
	assert_ended(send_data(1, noise, 0, &all, 1), END_PC_PROTOCOL);
	rdp->failed = END_NONE;
	assert_ended(send_data(1, noise, sizeof(noise), &all, 1), END_PC_PROTOCOL);
	assert_false(last->passable);
	/* Looks right from outside. */
	rdp->failed = END_NONE;
	content = true;
	film_next(&film, true);
	uint8_t *copy = malloc((size_t)film.packet->size);
	assert_non_null(copy);
	memcpy(copy, film.packet->data, (size_t)film.packet->size);
	memcpy(copy, noise, 4); /* no start code */
	assert_ended(send_data(1, copy, 40, &all, 1), END_PC_PROTOCOL);
	free(copy);
	assert_int_equal(pixels[0][0], 0);
}

/* Slices that draw the picture again and again, each of a few bytes. */
static void test_too_many_slices(void **state)
{
	static uint8_t slices[3000 * 5];
	RECTANGLE_16 all = { 0, 0, SIDE, SIDE };
	(void)state;
	content = false;
	for (size_t i = 0; i < sizeof(slices); i += 5)
		memcpy(slices + i, "\0\0\1\x41\x9a", 5);
	assert_ended(send_data(1, slices, sizeof(slices), &all, 1), END_PC_PROTOCOL);
	assert_int_equal(told_count, 0);
}

static void send_of_another(unsigned width, enum AVPixelFormat format)
{
	film_stop(&film);
	film_start_as(&film, width, width, format, false);
	film_next(&film, true);
}

static void test_wrong_pictures(void **state)
{
	RECTANGLE_16 all = { 0, 0, SIDE, SIDE }, part = { 0, 0, 64, 64 };
	(void)state;
	content = false;
	/*
	 * Smaller than what is drawn of it; as large as that; padded; a little larger, which
	 * viewers take as well; much larger; and 4:4:4.
	 */
	send_of_another(64, AV_PIX_FMT_YUV420P);
	assert_ended(send_data(1, film.packet->data, (size_t)film.packet->size, &all, 1),
		     END_PC_PROTOCOL);
	rdp->failed = END_NONE;
	assert_int_equal(send_data(1, film.packet->data, (size_t)film.packet->size, &part, 1),
			 CHANNEL_RC_OK);
	assert_false(last->passable);
	send_of_another(SIDE + 64, AV_PIX_FMT_YUV420P);
	assert_int_equal(send_data(1, film.packet->data, (size_t)film.packet->size, &all, 1),
			 CHANNEL_RC_OK);
	assert_false(last->passable || last->key);
	send_of_another(SIDE + 14, AV_PIX_FMT_YUV420P);
	assert_int_equal(send_data(1, film.packet->data, (size_t)film.packet->size, &all, 1),
			 CHANNEL_RC_OK);
	assert_true(last->passable && last->key);
	send_of_another(4096, AV_PIX_FMT_YUV420P);
	assert_ended(send_data(1, film.packet->data, (size_t)film.packet->size, &all, 1),
		     END_PC_PROTOCOL);
	rdp->failed = END_NONE;
	send_of_another(SIDE, AV_PIX_FMT_YUV444P);
	assert_ended(send_data(1, film.packet->data, (size_t)film.packet->size, &all, 1),
		     END_PC_PROTOCOL);
}

static void test_not_asked_for(void **state)
{
	(void)state;
	rdp->remote.config.video = false;
	RECTANGLE_16 all = { 0, 0, SIDE, SIDE };
	assert_ended(send_clip(true, all), END_PC_PROTOCOL);
	assert_int_equal(told_count, 0);
}

/* A surface that is not shown is nobody's business, but what is drawn there counts. */
static void test_not_shown(void **state)
{
	(void)state;
	RDPGFX_CREATE_SURFACE_PDU pdu = { .surfaceId = 3, .width = SIDE, .height = SIDE };
	RECTANGLE_16 all = { 0, 0, SIDE, SIDE };
	assert_int_equal(channel.CreateSurface(&channel, &pdu), CHANNEL_RC_OK);
	film_next(&film, true);
	assert_int_equal(send_data(3, film.packet->data, (size_t)film.packet->size, &all, 1),
			 CHANNEL_RC_OK);
	assert_int_equal(told_count, 0);
	assert_int_equal(decoded_count, 0);
	move(3, all, 1, (RDPGFX_POINT16){ 0, 0 });
	assert_drawn();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_waits_until_wanted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decoded_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_a_key_picture_hides, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wanted_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_surface_has_its_price, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bytes_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_of_surfaces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_colours_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_colours_are_right, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd_rectangles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rectangles_outside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_rectangles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_slices, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rubbish, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_pictures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_shown, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
