#include "worker/display/films.h"

#include "base/util.h"

struct span {
	unsigned left, top, right, bottom; /* right and bottom excluded */
};

static struct span tile_span(const struct damage *damage, size_t at)
{
	unsigned left = (unsigned)(at % damage->columns) * DAMAGE_TILE;
	unsigned top = (unsigned)(at / damage->columns) * DAMAGE_TILE;
	return (struct span){ left, top, MIN(left + DAMAGE_TILE, damage->width),
			      MIN(top + DAMAGE_TILE, damage->height) };
}

static size_t segment_at(const struct damage *damage, size_t at, unsigned y)
{
	return at % damage->columns * damage->height + y;
}

/*
 * The viewer's pixels of a segment are the picture's from now on, all or some of them. What the
 * surface is there is not known before it has caught up.
 */
static void draw_segment(struct damage *damage, unsigned column, unsigned y)
{
	size_t segment = (size_t)column * damage->height + y;
	damage->sent[segment] = SEGMENT_VIDEO;
	damage->now[segment] = damage_place(column, y);
}

static void draw_tile(struct damage *damage, size_t at, const struct span *rect, uint64_t now_us)
{
	struct tile *tile = &damage->tiles[at];
	struct span span = tile_span(damage, at);
	bool whole = rect->left <= span.left && rect->right >= span.right &&
		     rect->top <= span.top && rect->bottom >= span.bottom;
	for (unsigned y = MAX(span.top, rect->top); y < MIN(span.bottom, rect->bottom); y++)
		draw_segment(damage, (unsigned)(at % damage->columns), y);
	damage->filmed += !tile->filmed;
	tile->filmed = tile->lossy = tile->video = true;
	tile->lossy_us = now_us;
	/* Whatever was to be sent of it is drawn over. */
	if (whole && tile->dirty) {
		tile->dirty = false;
		damage->waiting--;
	}
}

void films_draw(struct damage *damage, const struct rect *rect, uint64_t now_us)
{
	struct span span = { rect->x, rect->y, MIN((unsigned)rect->x + rect->width, damage->width),
			     MIN((unsigned)rect->y + rect->height, damage->height) };
	if (span.left >= span.right || span.top >= span.bottom)
		return;
	for (unsigned row = span.top / DAMAGE_TILE; row <= (span.bottom - 1) / DAMAGE_TILE; row++)
		for (unsigned column = span.left / DAMAGE_TILE;
		     column <= (span.right - 1) / DAMAGE_TILE; column++)
			draw_tile(damage, (size_t)row * damage->columns + column, &span, now_us);
	damage->lossy = true;
}

/*
 * Where something else was drawn beside the picture, nobody knows which of the two has changed a
 * segment: then all of the tile goes exactly.
 */
static void settle_tile(struct damage *damage, const struct surface *surface, size_t at)
{
	struct tile *tile = &damage->tiles[at];
	struct span span = tile_span(damage, at);
	for (unsigned y = span.top; y < span.bottom; y++) {
		size_t segment = segment_at(damage, at, y);
		if (damage->sent[segment] != SEGMENT_VIDEO)
			continue;
		damage->now[segment] =
			damage_hash(damage, surface, (unsigned)(at % damage->columns), y);
		if (tile->dirty)
			damage->sent[segment] = SEGMENT_NONE;
	}
	tile->filmed = false;
}

void films_settle(struct damage *damage, const struct surface *surface)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	for (size_t i = 0; damage->filmed && i < tiles; i++)
		if (damage->tiles[i].filmed) {
			settle_tile(damage, surface, i);
			damage->filmed--;
		}
}

void films_forget(struct damage *damage)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	for (size_t i = 0; i < tiles; i++)
		damage->tiles[i].filmed = false;
	damage->filmed = 0;
}

bool films_awaited(const struct damage *damage, uint64_t now_us, uint64_t still_us)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	for (size_t i = 0; damage->filmed && i < tiles; i++) {
		const struct tile *tile = &damage->tiles[i];
		if (tile->filmed && (tile->dirty || tile->lossy_us + still_us <= now_us))
			return true;
	}
	return false;
}

uint64_t films_due_us(const struct damage *damage, uint64_t still_us)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	uint64_t due = 0;
	for (size_t i = 0; damage->filmed && i < tiles; i++) {
		const struct tile *tile = &damage->tiles[i];
		if (tile->filmed && (!due || tile->lossy_us + still_us < due))
			due = tile->lossy_us + still_us;
	}
	return due;
}
