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
#include "bench/picture.h"
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

static uint32_t desk_random(struct desk *desk)
{
	desk->random = desk->random * 1664525u + 1013904223u;
	return desk->random >> 8;
}

static void desk_start(struct desk *desk, unsigned width, unsigned height, unsigned codecs)
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

static void desk_stop(struct desk *desk)
{
	frame_source_finish(&desk->source);
	surface_finish(&desk->surface);
	picture_finish(&desk->viewer);
	buf_finish(&desk->message);
	free(desk->changed_us);
}

/* ---- drawing -----------------------------------------------------------------------------------
 */

static uint32_t *desk_pixel(struct desk *desk, unsigned x, unsigned y)
{
	return (uint32_t *)(desk->surface.data + y * desk->surface.stride) + x;
}

static void desk_put(struct desk *desk, unsigned x, unsigned y, uint32_t colour)
{
	uint32_t *pixel = desk_pixel(desk, x, y);
	if (*pixel != colour)
		desk->changed_us[(size_t)y * desk->surface.width + x] = desk->now_us;
	*pixel = colour;
}

static uint32_t desk_hash(uint32_t x, uint32_t y, uint32_t z)
{
	uint32_t value = x * 0x8da6b343u ^ y * 0xd8163841u ^ z * 0xcb1ab31fu;
	value = (value ^ value >> 15) * 0x2c1b3c6du;
	value = (value ^ value >> 12) * 0x297a2d39u;
	return value ^ value >> 15;
}

/* Soft shapes of many sizes and a little grain, as a camera sees. */
static uint32_t desk_shape(unsigned x, unsigned y)
{
	uint32_t colour = 0;
	for (unsigned plane = 0; plane < 3; plane++) {
		unsigned value = 0;
		for (unsigned cell = 64, weight = 5; cell >= 8;
		     cell /= 2, weight = weight / 2 + 1) {
			unsigned gx = x / cell, gy = y / cell, fx = x % cell, fy = y % cell;
			unsigned seed = plane + cell * 1000;
			unsigned a = desk_hash(gx, gy, seed) & 255;
			unsigned b = desk_hash(gx + 1, gy, seed) & 255;
			unsigned c = desk_hash(gx, gy + 1, seed) & 255;
			unsigned d = desk_hash(gx + 1, gy + 1, seed) & 255;
			unsigned top = a * (cell - fx) + b * fx, low = c * (cell - fx) + d * fx;
			value += weight * ((top * (cell - fy) + low * fy) / (cell * cell));
		}
		value = value / 12 + (desk_hash(x, y, plane) & 3);
		colour = colour << 8 | MIN(value, 255u);
	}
	return colour;
}

/* Parts of one large photo. */
static uint32_t desk_photo(unsigned x, unsigned y, uint32_t which)
{
	enum { SIZE = 1024 };
	static uint32_t photo[SIZE][SIZE];
	uint32_t *pixel = &photo[(y + which * 389) % SIZE][(x + which * 617) % SIZE];
	if (!*pixel)
		*pixel = desk_shape((x + which * 617) % SIZE, (y + which * 389) % SIZE);
	return *pixel;
}

/* Letters of eight by sixteen pixels, anti-aliased in colours as on LCDs, on a plain ground. */
static uint32_t desk_text(unsigned x, unsigned y, uint32_t which)
{
	uint32_t letter = desk_hash(x / 8, y / 16, which) % 90;
	unsigned gx = x % 8, gy = y % 16;
	if (letter < 20 || gy < 2 || gy > 13 || gx == 7)
		return 0xffffff;
	uint32_t stroke = desk_hash(gx / 2, gy / 3, letter) % 3;
	if (stroke == 0)
		return 0x101010;
	if (stroke == 1 || gx % 2)
		return 0xffffff;
	uint32_t shade = desk_hash(gx, gy, letter) % 60;
	return (shade * 4) << 16 | ((shade * 7) % 240) << 8 | (240 - shade * 4);
}

typedef uint32_t desk_paint(unsigned x, unsigned y, uint32_t which);

static void desk_draw(struct desk *desk, struct rect at, desk_paint *paint, uint32_t which)
{
	for (unsigned y = at.y; y < (unsigned)at.y + at.height; y++)
		for (unsigned x = at.x; x < (unsigned)at.x + at.width; x++)
			desk_put(desk, x, y, paint(x, y, which));
	damage_hint(&desk->source.damage, at.x, at.y, at.width, at.height);
}

/* A picture of a film: the camera moves on by three pixels, and all of it has grain. */
static void desk_film(struct desk *desk, struct rect at, unsigned count)
{
	for (unsigned y = at.y; y < (unsigned)at.y + at.height; y++)
		for (unsigned x = at.x; x < (unsigned)at.x + at.width; x++) {
			uint32_t grain = desk_hash(x, y, count) & 0x030303;
			desk_put(desk, x, y,
				 desk_photo(x - at.x + 3 * count, y - at.y + count, 9) + grain);
		}
	damage_hint(&desk->source.damage, at.x, at.y, at.width, at.height);
}

/* The page moves up, and something new comes in below. */
static void desk_scroll(struct desk *desk, struct rect at, unsigned distance, desk_paint *paint,
			unsigned scrolled)
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
static void desk_move(struct desk *desk, struct rect from)
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

/* ---- frames ------------------------------------------------------------------------------------
 */

static uint32_t desk_at(const struct desk *desk, size_t i)
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
static uint64_t desk_tile_changed(const struct desk *desk, size_t tile)
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

static void desk_check_tile(const struct desk *desk, size_t tile)
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
static void desk_check(const struct desk *desk)
{
	const struct damage *damage = &desk->source.damage;
	for (size_t i = 0; i < (size_t)damage->columns * damage->rows; i++)
		desk_check_tile(desk, i);
}

/* One tile may always go exactly, or as a picture, and a video has its pictures as they are. */
static void desk_check_budget(const struct desk *desk)
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
static bool desk_frame(struct desk *desk)
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
static void desk_pass(struct desk *desk, uint64_t us)
{
	for (uint64_t end = desk->now_us + us; desk->now_us < end; desk->now_us += DESK_TICK_US) {
		uint64_t due = frame_refresh_us(&desk->source);
		if (damage_waiting(&desk->source.damage) || (due && due <= desk->now_us))
			(void)desk_frame(desk);
	}
}

static size_t desk_wrong(const struct desk *desk)
{
	size_t wrong = 0;
	for (size_t i = 0; i < (size_t)desk->surface.width * desk->surface.height; i++)
		wrong += desk->viewer.pixels[i] != desk_at(desk, i);
	return wrong;
}

static void desk_forget(struct desk *desk)
{
	desk->frames = desk->bytes = desk->copied = 0;
	desk->jpeg_pixels = desk->video_pixels = desk->exact_pixels = 0;
}

#endif
