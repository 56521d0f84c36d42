/*
 * desk.h - a desktop with text, photos and films in a time of its own, what is sent of it, and a
 * viewer that decodes it, for tests of frames. Real encoders, an independent decoder.
 */
#ifndef SEKISHO_TESTS_UNIT_STREAM_DESK_H
#define SEKISHO_TESTS_UNIT_STREAM_DESK_H

#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "export/picture.h"
#include "unit/paint.h"
#include "wire/enums.h"
#include "wire/wire.h"
#include "worker/encode/plan.h"
#include "worker/stream/frame.h"

enum {
	DESK_SEED = 977,
	DESK_TICK_US = 5000,
	/* From the last change to exact pixels: PLAN_REFRESH_US or REGION_STILL_US, and a frame. */
	DESK_EXACT_US = 200000,
};

struct desk {
	struct surface surface;
	struct frame_source source;
	struct picture viewer;
	struct buf message;
	union wire_any any; /* the last frame */
	uint64_t now_us;
	uint32_t sequence, random;
	uint64_t *changed_us; /* of each pixel, when it last changed */
	size_t budget;
	size_t frames, bytes; /* since desk_start, like these pixels */
	size_t jpeg_pixels, video_pixels, exact_pixels, copied;
};

static inline uint32_t desk_random(struct desk *desk)
{
	desk->random = desk->random * 1664525u + 1013904223u;
	return desk->random >> 8;
}

static inline void desk_start(struct desk *desk, unsigned width, unsigned height, unsigned codecs)
{
	*desk = (struct desk){ .random = DESK_SEED, .now_us = 1000000 };
	desk->viewer.strict = true;
	surface_init(&desk->surface);
	assert_ok(surface_resize(&desk->surface, width, height));
	assert_ok(frame_source_init(&desk->source, &desk->surface));
	assert_ok(frame_source_resize(&desk->source));
	desk->source.codecs = codecs;
	buf_init(&desk->message, 80 * 1024 * 1024);
	desk->changed_us = calloc((size_t)width * height, sizeof(*desk->changed_us));
	assert_non_null(desk->changed_us);
}

static inline void desk_stop(struct desk *desk)
{
	frame_source_finish(&desk->source);
	surface_finish(&desk->surface);
	picture_finish(&desk->viewer);
	buf_finish(&desk->message);
	free(desk->changed_us);
}

/* ---- drawing ---------------------------------------------------------------------------- */

static inline uint32_t *desk_pixel(struct desk *desk, unsigned x, unsigned y)
{
	return (uint32_t *)(desk->surface.data + y * desk->surface.stride) + x;
}

static inline void desk_put(struct desk *desk, unsigned x, unsigned y, uint32_t colour)
{
	uint32_t *pixel = desk_pixel(desk, x, y);
	if (*pixel != colour)
		desk->changed_us[(size_t)y * desk->surface.width + x] = desk->now_us;
	*pixel = colour;
}

static inline void desk_draw(struct desk *desk, struct rect at, paint_pixel *paint, uint32_t which)
{
	for (unsigned y = at.y; y < (unsigned)at.y + at.height; y++)
		for (unsigned x = at.x; x < (unsigned)at.x + at.width; x++)
			desk_put(desk, x, y, paint(x, y, which));
	damage_hint(&desk->source.damage, at.x, at.y, at.width, at.height);
}

/* A picture of a film: the camera moves on by three pixels, and all of it has grain. */
static inline void desk_film(struct desk *desk, struct rect at, unsigned count)
{
	for (unsigned y = at.y; y < (unsigned)at.y + at.height; y++)
		for (unsigned x = at.x; x < (unsigned)at.x + at.width; x++) {
			uint32_t grain = paint_hash(x, y, count) & 0x030303;
			desk_put(desk, x, y,
				 paint_photo(x - at.x + 3 * count, y - at.y + count, 9) + grain);
		}
	damage_hint(&desk->source.damage, at.x, at.y, at.width, at.height);
}

/* The page moves up, and something new comes in below. */
static inline void desk_scroll(struct desk *desk, struct rect at, unsigned distance,
			       paint_pixel *paint, unsigned scrolled)
{
	for (unsigned y = at.y; y < (unsigned)at.y + at.height; y++)
		for (unsigned x = at.x; x < (unsigned)at.x + at.width; x++) {
			uint32_t colour = y + distance < (unsigned)at.y + at.height
						  ? *desk_pixel(desk, x, y + distance)
						  : paint(x, y + scrolled, 3);
			desk_put(desk, x, y, colour);
		}
	damage_hint(&desk->source.damage, at.x, at.y, at.width, at.height);
}

/* The PC moves the rectangle somewhere else, and says so. */
static inline void desk_move(struct desk *desk, struct rect from)
{
	unsigned x = desk_random(desk) % (desk->surface.width - from.width + 1u);
	unsigned y = desk_random(desk) % (desk->surface.height - from.height + 1u);
	uint32_t *held = malloc((size_t)from.width * from.height * sizeof(*held));
	assert_non_null(held);
	for (unsigned i = 0; i < from.height; i++)
		memcpy(held + (size_t)i * from.width, desk_pixel(desk, from.x, from.y + i),
		       from.width * sizeof(*held));
	for (unsigned i = 0; i < from.height; i++)
		for (unsigned j = 0; j < from.width; j++)
			desk_put(desk, x + j, y + i, held[(size_t)i * from.width + j]);
	free(held);
	damage_copied(&desk->source.damage, &desk->surface, from.x, from.y, (int)x, (int)y,
		      from.width, from.height);
}

/* ---- frames ----------------------------------------------------------------------------- */

static inline uint32_t desk_at(const struct desk *desk, size_t i)
{
	const struct surface *surface = &desk->surface;
	uint32_t pixel;
	memcpy(&pixel,
	       surface->data + i / surface->width * surface->stride +
		       i % surface->width * SURFACE_PIXEL,
	       sizeof(pixel));
	return pixel & 0xffffff;
}

/* When anything in a tile changed, or in the part of it that a video covers. */
static inline uint64_t desk_tile_changed(const struct desk *desk, size_t tile)
{
	const struct damage *damage = &desk->source.damage;
	unsigned left = (unsigned)(tile % damage->columns) * DAMAGE_TILE;
	unsigned top = (unsigned)(tile / damage->columns) * DAMAGE_TILE;
	struct rect part = damage_covered(damage, tile);
	uint64_t last = 0;
	if (!damage->tiles[tile].cover)
		part = (struct rect){ (uint16_t)left, (uint16_t)top,
				      (uint16_t)MIN(DAMAGE_TILE, damage->width - left),
				      (uint16_t)MIN(DAMAGE_TILE, damage->height - top) };
	for (unsigned y = part.y; y < (unsigned)part.y + part.height; y++)
		for (unsigned x = part.x; x < (unsigned)part.x + part.width; x++)
			last = MAX(last, desk->changed_us[(size_t)y * damage->width + x]);
	return last;
}

static inline void desk_check_tile(const struct desk *desk, size_t tile)
{
	const struct damage *damage = &desk->source.damage;
	unsigned left = (unsigned)(tile % damage->columns) * DAMAGE_TILE;
	unsigned top = (unsigned)(tile / damage->columns) * DAMAGE_TILE;
	struct rect covered = damage_covered(damage, tile);
	bool still = !desk->budget && desk->now_us - desk_tile_changed(desk, tile) > DESK_EXACT_US;
	assert_false(damage->tiles[tile].cover && still);
	for (unsigned y = top; y < MIN(top + DAMAGE_TILE, damage->height); y++)
		for (unsigned x = left; x < MIN(left + DAMAGE_TILE, damage->width); x++) {
			size_t i = (size_t)y * damage->width + x;
			if (desk->viewer.pixels[i] == desk_at(desk, i) ||
			    (x >= covered.x && x < covered.x + covered.width && y >= covered.y &&
			     y < covered.y + covered.height))
				continue;
			if (still)
				fail_msg("pixel %u, %u is not exact in time", x, y);
			if (!damage->tiles[tile].dirty && desk->viewer.kinds[i] == PICTURE_EXACT)
				fail_msg("pixel %u, %u is wrong", x, y);
		}
}

/*
 * What the viewer has: exact pixels are right wherever nothing waits, what has been still for long
 * enough is exact, and a video covers only what moves.
 */
static inline void desk_check(const struct desk *desk)
{
	const struct damage *damage = &desk->source.damage;
	for (size_t i = 0; i < (size_t)damage->columns * damage->rows; i++)
		desk_check_tile(desk, i);
}

/* One tile may always go exactly, or as a picture, and a video has its pictures as they are. */
static inline void desk_check_budget(const struct desk *desk)
{
	const struct msg_frame *frame = &desk->any.frame;
	const struct picture *viewer = &desk->viewer;
	const size_t tile = DAMAGE_TILE * DAMAGE_TILE;
	size_t bytes = frame->data.len + frame->picture_data.len;
	if (!desk->budget || frame->keyframe || viewer->videos)
		return;
	if (viewer->exact > tile && bytes > desk->budget)
		fail_msg("%zu bytes, %zu allowed", bytes, desk->budget);
	if (viewer->jpegs > tile && viewer->jpeg_bytes > desk->budget)
		fail_msg("%zu bytes of JPEG, %zu allowed", viewer->jpeg_bytes, desk->budget);
}

/* Asks for a frame and shows it. False: there was nothing to send. */
static inline bool desk_frame(struct desk *desk)
{
	const struct wire_type *type;
	struct frame_wish wish = { .sequence = ++desk->sequence,
				   .now_us = desk->now_us,
				   .budget = desk->budget };
	bool empty;
	buf_clear(&desk->message);
	assert_ok(frame_next(&desk->source, &wish, &desk->message, &empty));
	if (empty)
		return false;
	assert_ok(wire_decode(desk->message.data, desk->message.len, &type, &desk->any));
	assert_int_equal(type->id, MSG_frame);
	assert_ok(picture_apply(&desk->viewer, &desk->any.frame));
	desk_check_budget(desk);
	desk->frames++;
	desk->bytes += desk->message.len;
	desk->jpeg_pixels += desk->viewer.jpegs;
	desk->video_pixels += desk->viewer.videos;
	desk->exact_pixels += desk->viewer.exact;
	desk->copied += desk->any.frame.copies.len / sizeof(struct copy);
	return true;
}

/* Time passes, with a frame whenever one is due. */
static inline void desk_pass(struct desk *desk, uint64_t us)
{
	for (uint64_t end = desk->now_us + us; desk->now_us < end; desk->now_us += DESK_TICK_US) {
		uint64_t due = frame_refresh_us(&desk->source);
		if (damage_waiting(&desk->source.damage) || (due && due <= desk->now_us))
			(void)desk_frame(desk);
	}
}

static inline size_t desk_wrong(const struct desk *desk)
{
	size_t wrong = 0;
	for (size_t i = 0; i < (size_t)desk->surface.width * desk->surface.height; i++)
		wrong += desk->viewer.pixels[i] != desk_at(desk, i);
	return wrong;
}

static inline void desk_forget(struct desk *desk)
{
	desk->frames = desk->bytes = desk->copied = 0;
	desk->jpeg_pixels = desk->video_pixels = desk->exact_pixels = 0;
}

#endif
