#include "worker/display/classes.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum {
	TABLE = 1024, /* a power of two, four times the colours */
	SAMPLED = 8,  /* every so many rows tell the steps from a pixel to the next */
	/* Steps of one channel: what is no grain, and what is an edge as of text. */
	STEP_MIDDLE = 4,
	STEP_SHARP = 28,
	TURN = 4, /* pixels to the left and to the right of which a shade rises and falls */
	/*
	 * Per cent. A photo differs from pixel to pixel everywhere, has many steps between grain
	 * and edges for each edge, and its shades rise and fall. Text has edges, even on a gradient
	 * (measured: 40 to 90 % of its steps beyond grain, photos 0 to 40), and gradients do not
	 * turn (0 to 3 % of pixels, photos 10 to 80).
	 */
	PHOTO_BUSY = 50,
	PHOTO_SHARP = 40,
	PHOTO_TURNS = 8,
	SMOOTH_SHARP = 3,
};

struct counts {
	unsigned pixels, busy, middle, sharp; /* each of the steps beyond the ones before it, too */
	unsigned turns;
};

enum err classes_init(struct classes *classes, const struct damage *damage)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	*classes = (struct classes){ .entries = calloc(tiles, sizeof(*classes->entries)) };
	return classes->entries ? OK : ERR_NOMEM;
}

void classes_finish(struct classes *classes)
{
	free(classes->entries);
	*classes = (struct classes){ 0 };
}

static unsigned step_of(unsigned one, unsigned other)
{
	return one > other ? one - other : other - one;
}

/* Without branches, so that the compiler makes vector code of it. */
surface_hot static void count_steps(const uint8_t *pixels, unsigned width, struct counts *counts)
{
	unsigned busy = 0, middle = 0, sharp = 0;
	for (unsigned i = 1; i < width; i++) {
		const uint8_t *here = pixels + i * SURFACE_PIXEL, *left = here - SURFACE_PIXEL;
		unsigned blue = step_of(here[0], left[0]), green = step_of(here[1], left[1]);
		unsigned red = step_of(here[2], left[2]);
		unsigned step = MAX(MAX(blue, green), red);
		busy += step > 0;
		middle += step >= STEP_MIDDLE;
		sharp += step >= STEP_SHARP;
	}
	counts->pixels += width - 1;
	counts->busy += busy;
	counts->middle += middle;
	counts->sharp += sharp;
}

surface_hot static void count_turns(const uint8_t *pixels, unsigned width, struct counts *counts)
{
	const unsigned far = TURN * SURFACE_PIXEL;
	unsigned turns = 0;
	for (unsigned i = TURN; i + TURN < width; i++) {
		const uint8_t *here = pixels + i * SURFACE_PIXEL;
		const uint8_t *left = here - far, *right = here + far;
		int blue = (here[0] - left[0]) * (right[0] - here[0]);
		int green = (here[1] - left[1]) * (right[1] - here[1]);
		int red = (here[2] - left[2]) * (right[2] - here[2]);
		turns += blue < 0 || green < 0 || red < 0;
	}
	counts->turns += turns;
}

static void count(const struct surface *surface, const struct rect *tile,
		  void (*count_row)(const uint8_t *pixels, unsigned width, struct counts *counts),
		  struct counts *counts)
{
	for (unsigned y = tile->y; y < (unsigned)tile->y + tile->height; y += SAMPLED)
		count_row(surface_at(surface, tile->x, y), tile->width, counts);
}

/* Counts exactly, but no further than it matters. */
static bool more_colours(const struct surface *surface, const struct rect *tile)
{
	uint32_t table[TABLE];
	unsigned found = 0;
	memset(table, 0xff, sizeof(table)); /* no colour has an X byte */
	for (unsigned y = tile->y; y < (unsigned)tile->y + tile->height; y++) {
		const uint8_t *row = surface_at(surface, tile->x, y);
		uint32_t last = UINT32_MAX;
		for (unsigned x = 0; x < tile->width; x++) {
			uint32_t colour;
			memcpy(&colour, row + (size_t)x * SURFACE_PIXEL, sizeof(colour));
			colour &= 0x00ffffff;
			if (colour == last)
				continue;
			last = colour;
			uint32_t at = colour * 2654435761u >> 22;
			while (table[at] != UINT32_MAX && table[at] != colour)
				at = (at + 1) % TABLE;
			found += table[at] != colour;
			table[at] = colour;
			if (found > CLASS_COLOURS)
				return true;
		}
	}
	return false;
}

/* Text, which changes most often, is known by the first count already. */
static bool is_photo(const struct surface *surface, const struct rect *tile, struct counts *counts)
{
	if (counts->busy * 100 < counts->pixels * PHOTO_BUSY ||
	    counts->sharp * 100 > counts->middle * PHOTO_SHARP)
		return false;
	count(surface, tile, count_turns, counts);
	return counts->turns * 100 >= counts->pixels * PHOTO_TURNS && more_colours(surface, tile);
}

static enum tile_class look(const struct surface *surface, const struct rect *tile)
{
	struct counts counts = { 0 };
	count(surface, tile, count_steps, &counts);
	if (is_photo(surface, tile, &counts))
		return CLASS_PHOTO;
	return counts.sharp * 100 <= counts.pixels * SMOOTH_SHARP ? CLASS_SMOOTH : CLASS_SHARP;
}

enum tile_class classes_of(struct classes *classes, const struct damage *damage,
			   const struct surface *surface, size_t tile)
{
	struct class_entry *entry = &classes->entries[tile];
	uint64_t digest = damage_digest(damage, tile);
	unsigned x = (unsigned)(tile % damage->columns) * DAMAGE_TILE;
	unsigned y = (unsigned)(tile / damage->columns) * DAMAGE_TILE;
	if (entry->digest == digest)
		return entry->class;
	struct rect rect = { (uint16_t)x, (uint16_t)y,
			     (uint16_t)MIN(DAMAGE_TILE, damage->width - x),
			     (uint16_t)MIN(DAMAGE_TILE, damage->height - y) };
	entry->digest = digest;
	entry->class = look(surface, &rect);
	classes->looked++;
	return (enum tile_class)entry->class;
}
