/*
 * model.h - a surface, the damage against it, and a viewer that does what docs/protocol.md says
 * with copies and rectangles, for tests.
 */
#ifndef SEKISHO_TESTS_UNIT_DISPLAY_MODEL_H
#define SEKISHO_TESTS_UNIT_DISPLAY_MODEL_H

#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "worker/display/damage.h"
#include "worker/display/parts.h"

struct bench {
	struct surface surface;
	struct damage damage;
	struct parts parts;
	uint64_t now_us;
	uint32_t *sent;   /* what the viewer shows */
	uint8_t *covered; /* how often each pixel was in a rectangle of the last frame */
	uint32_t random;
	size_t copies, drawn; /* copies, and pixels in rectangles, of the last frame */
};

static uint32_t next_random(struct bench *bench)
{
	bench->random = bench->random * 1664525u + 1013904223u;
	return bench->random >> 8;
}

static void bench_start(struct bench *bench, unsigned width, unsigned height)
{
	*bench = (struct bench){ .random = width * 7919 + height };
	surface_init(&bench->surface);
	damage_init(&bench->damage);
	assert_ok(surface_resize(&bench->surface, width, height));
	assert_ok(damage_resize(&bench->damage, &bench->surface));
	assert_ok(parts_init(&bench->parts, &bench->damage));
	bench->sent = calloc((size_t)width * height, sizeof(*bench->sent));
	bench->covered = calloc((size_t)width * height, 1);
	assert_true(bench->sent && bench->covered);
}

static void bench_stop(struct bench *bench)
{
	surface_finish(&bench->surface);
	damage_finish(&bench->damage);
	parts_finish(&bench->parts);
	free(bench->sent);
	free(bench->covered);
}

static uint32_t *pixel(struct bench *bench, unsigned x, unsigned y)
{
	return (uint32_t *)(bench->surface.data + y * bench->surface.stride) + x;
}

static void check_inside(const struct bench *bench, unsigned x, unsigned y, unsigned width,
			 unsigned height)
{
	assert_true(width > 0 && height > 0);
	assert_true(x + width <= bench->surface.width && y + height <= bench->surface.height);
}

static void copy_pixels(struct bench *bench, const struct copy *copy)
{
	size_t line = bench->surface.width, row = copy->width * sizeof(*bench->sent);
	uint32_t *held = malloc(row * copy->height);
	assert_non_null(held);
	check_inside(bench, copy->from_x, copy->from_y, copy->width, copy->height);
	check_inside(bench, copy->x, copy->y, copy->width, copy->height);
	for (size_t i = 0; i < copy->height; i++)
		memcpy(held + i * copy->width,
		       bench->sent + (copy->from_y + i) * line + copy->from_x, row);
	for (size_t i = 0; i < copy->height; i++)
		memcpy(bench->sent + (copy->y + i) * line + copy->x, held + i * copy->width, row);
	free(held);
}

static void draw_pixels(struct bench *bench, const struct rect *rect)
{
	unsigned width = bench->surface.width;
	check_inside(bench, rect->x, rect->y, rect->width, rect->height);
	for (unsigned y = rect->y; y < (unsigned)rect->y + rect->height; y++)
		for (unsigned x = rect->x; x < (unsigned)rect->x + rect->width; x++) {
			assert_int_equal(bench->covered[y * width + x]++, 0);
			bench->sent[y * width + x] = *pixel(bench, x, y);
		}
	bench->drawn += (size_t)rect->width * rect->height;
}

static bool segment_is_right(struct bench *bench, unsigned column, unsigned y)
{
	unsigned left = column * DAMAGE_TILE, width = bench->surface.width;
	for (unsigned x = left; x < MIN(left + DAMAGE_TILE, width); x++)
		if ((bench->sent[y * width + x] ^ *pixel(bench, x, y)) & 0xffffff)
			return false;
	return true;
}

/* Where nothing waits the viewer has the PC's pixels. */
static bool viewer_is_right(struct bench *bench)
{
	const struct damage *damage = &bench->damage;
	for (unsigned y = 0; y < damage->height; y++)
		for (unsigned column = 0; column < damage->columns; column++)
			if (!damage->tiles[y / DAMAGE_TILE * damage->columns + column].dirty &&
			    !segment_is_right(bench, column, y))
				return false;
	return true;
}

/* A frame to the viewer, within the limits of the protocol; the number of its rectangles. */
static size_t take(struct bench *bench, size_t max_pixels)
{
	struct damage *damage = &bench->damage;
	struct parts *parts = &bench->parts;
	const struct copies *copies = &damage->copies;
	size_t all = (size_t)bench->surface.width * bench->surface.height, moved = 0;
	damage_look(damage, &bench->surface, bench->now_us += 1000);
	for (size_t i = 0; i < (size_t)damage->columns * damage->rows; i++)
		damage->tiles[i].way = WAY_EXACT;
	parts_clear(parts);
	parts_take(parts, damage, WAY_EXACT, max_pixels);
	memset(bench->covered, 0, all);
	bench->copies = copies->count;
	bench->drawn = 0;
	assert_true(parts->count <= PARTS_MAX);
	assert_true(copies->count <= COPIES_MAX);
	for (size_t i = 0; i < copies->count; i++) {
		copy_pixels(bench, &copies->list[i]);
		moved += (size_t)copies->list[i].width * copies->list[i].height;
	}
	assert_true(moved <= COPIES_AREAS * all);
	for (size_t i = 0; i < parts->count; i++) {
		draw_pixels(bench, &parts->list[i]);
		parts_sent(damage, &parts->list[i], false, 0);
	}
	assert_int_equal(bench->drawn, parts->pixels);
	damage_settle(damage);
	return parts->count;
}

static void draw(struct bench *bench)
{
	unsigned x = next_random(bench) % bench->surface.width,
		 y = next_random(bench) % bench->surface.height;
	unsigned width = 1 + next_random(bench) % (bench->surface.width - x);
	unsigned height = 1 + next_random(bench) % (bench->surface.height - y);
	/* Often nothing changes where it is drawn, as with a real PC. */
	uint32_t colour = next_random(bench) % 3;
	if (next_random(bench) % 2)
		width = MIN(width, 9u), height = MIN(height, 5u);
	for (unsigned j = y; j < y + height; j++)
		for (unsigned i = x; i < x + width; i++)
			*pixel(bench, i, j) = colour * 0x112233;
	damage_hint(&bench->damage, (int)x, (int)y, (int)width, (int)height);
}

#endif
