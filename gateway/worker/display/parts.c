#include "worker/display/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct span {
	unsigned top, bottom, left, right; /* of the surface; bottom and right excluded */
};

struct taker {
	struct parts *parts;
	const struct damage *damage;
	enum damage_way way;
	size_t open[PARTS_SPANS]; /* rectangles that may grow into the current tile */
	size_t open_count;
	size_t above_count, below_count;
};

enum err parts_init(struct parts *parts, const struct damage *damage)
{
	*parts = (struct parts){ 0 };
	parts->list = calloc(PARTS_MAX, sizeof(*parts->list));
	parts->above = calloc(damage->columns, sizeof(*parts->above));
	parts->below = calloc(damage->columns, sizeof(*parts->below));
	if (parts->list && parts->above && parts->below)
		return OK;
	parts_finish(parts);
	return ERR_NOMEM;
}

void parts_finish(struct parts *parts)
{
	free(parts->list);
	free(parts->above);
	free(parts->below);
	*parts = (struct parts){ 0 };
}

void parts_clear(struct parts *parts)
{
	parts->count = 0;
	parts->pixels = 0;
}

/* ---- taking ----------------------------------------------------------------------------- */

static bool is_wanted(const struct damage *damage, size_t segment, bool refresh)
{
	uint64_t now = damage->now[segment], sent = damage->sent[segment];
	return segment_lacks(now, sent) || (refresh && sent & SEGMENT_LOSSY);
}

/* The runs of wanted rows of a tile. Past PARTS_SPANS the last one takes the rest, unchanged rows
 * included. */
static size_t tile_spans(const struct taker *taker, unsigned column, unsigned row,
			 struct span *spans)
{
	const struct damage *damage = taker->damage;
	bool refresh = damage->tiles[(size_t)row * damage->columns + column].refresh;
	unsigned top = row * DAMAGE_TILE, bottom = MIN(top + DAMAGE_TILE, damage->height);
	size_t count = 0;
	for (unsigned y = top; y < bottom; y++) {
		unsigned left, right;
		if (!is_wanted(damage, (size_t)column * damage->height + y, refresh))
			continue;
		right = damage_open(damage, column, y, &left);
		struct span *last = count > 0 ? &spans[count - 1] : NULL;
		bool fits = last && last->left == left && last->right == right;
		if (fits && (last->bottom == y || count == PARTS_SPANS))
			last->bottom = y + 1;
		else if (count < PARTS_SPANS)
			spans[count++] = (struct span){ y, y + 1, left, right };
	}
	return count;
}

/* Adds a span of a tile, growing the rectangle left of it when the rows agree. */
static size_t add_span(struct taker *taker, struct span span)
{
	struct parts *parts = taker->parts;
	unsigned width = span.right - span.left;
	parts->pixels += (size_t)width * (span.bottom - span.top);
	for (size_t i = 0; i < taker->open_count; i++) {
		struct rect *rect = &parts->list[taker->open[i]];
		if (rect->y == span.top && (unsigned)rect->y + rect->height == span.bottom &&
		    (unsigned)rect->x + rect->width == span.left) {
			rect->width = (uint16_t)(rect->width + width);
			return taker->open[i];
		}
	}
	parts->list[parts->count] = (struct rect){ .x = (uint16_t)span.left,
						   .y = (uint16_t)span.top,
						   .width = (uint16_t)width,
						   .height = (uint16_t)(span.bottom - span.top) };
	return parts->count++;
}

static void take_tile(struct taker *taker, unsigned column, unsigned row)
{
	struct span spans[PARTS_SPANS];
	size_t next[PARTS_SPANS], count = tile_spans(taker, column, row, spans);
	for (size_t i = 0; i < count; i++)
		next[i] = add_span(taker, spans[i]);
	memcpy(taker->open, next, count * sizeof(*next));
	taker->open_count = count;
}

static int by_left_edge(const void *a, const void *b)
{
	const struct rect *left = a, *right = b;
	return (int)left->x - (int)right->x;
}

/*
 * Joins this tile row's rectangles (from first on) to those above that reach down to them and are
 * as wide. above and below hold indices in order of x; the list is closed up afterwards.
 */
static void join_row(struct taker *taker, size_t first, unsigned top, unsigned bottom)
{
	struct parts *parts = taker->parts;
	struct rect *rects = parts->list;
	size_t kept = first, a = 0;

	qsort(rects + first, parts->count - first, sizeof(*rects), by_left_edge);
	taker->below_count = 0;
	for (size_t i = first; i < parts->count; i++) {
		struct rect rect = rects[i];
		size_t place = kept;
		while (a < taker->above_count && rects[parts->above[a]].x < rect.x)
			a++;
		if (rect.y == top && a < taker->above_count && rects[parts->above[a]].x == rect.x &&
		    rects[parts->above[a]].width == rect.width) {
			place = parts->above[a];
			rects[place].height = (uint16_t)(rects[place].height + rect.height);
		} else {
			rects[kept++] = rect;
		}
		if ((unsigned)rect.y + rect.height == bottom)
			parts->below[taker->below_count++] = place;
	}
	parts->count = kept;
	size_t *swap = parts->above;
	parts->above = parts->below;
	parts->below = swap;
	taker->above_count = taker->below_count;
}

static void take_row(struct taker *taker, unsigned row, size_t max_pixels)
{
	const struct damage *damage = taker->damage;
	const struct tile *tiles = damage->tiles + (size_t)row * damage->columns;
	struct parts *parts = taker->parts;
	size_t first = parts->count;
	unsigned top = row * DAMAGE_TILE;
	taker->open_count = 0;
	for (unsigned column = 0; column < damage->columns; column++) {
		if (tiles[column].way != taker->way) {
			taker->open_count = 0;
			continue;
		}
		if (parts->pixels >= max_pixels && parts->count > 0)
			break;
		take_tile(taker, column, row);
	}
	join_row(taker, first, top, MIN(top + DAMAGE_TILE, damage->height));
}

void parts_take(struct parts *parts, const struct damage *damage, enum damage_way way,
		size_t max_pixels)
{
	struct taker taker = { .parts = parts, .damage = damage, .way = way };
	unsigned begin = way == WAY_LATER ? parts->next_row % damage->rows : 0;
	for (unsigned i = 0; i < damage->rows; i++) {
		unsigned row = (begin + i) % damage->rows;
		if (parts->pixels >= max_pixels && parts->count > 0)
			return;
		if (row == 0)
			taker.above_count = 0;
		take_row(&taker, row, max_pixels);
		if (way == WAY_LATER)
			parts->next_row = row;
	}
}

/* ---- less, and sent --------------------------------------------------------------------- */

/* Pixels up to the last boundary of tiles within so many, but to the first one at least. */
static unsigned cut_at(unsigned from, unsigned size, size_t most)
{
	size_t end = from + MIN(most, (size_t)size);
	unsigned first = (from / DAMAGE_TILE + 1) * DAMAGE_TILE - from;
	if (end < from + size)
		end -= end % DAMAGE_TILE;
	return end > from + first ? (unsigned)end - from : MIN(first, size);
}

void parts_cut(struct rect *rect, size_t max_pixels)
{
	unsigned one_row = (rect->y / DAMAGE_TILE + 1u) * DAMAGE_TILE - rect->y;
	rect->height = (uint16_t)cut_at(rect->y, rect->height, max_pixels / rect->width);
	if (rect->height <= one_row)
		rect->width = (uint16_t)cut_at(rect->x, rect->width, max_pixels / rect->height);
}

bool parts_trim(struct parts *parts, size_t max_pixels)
{
	size_t before = parts->pixels, kept = 0, i;
	for (i = 0; i < parts->count; i++) {
		struct rect *rect = &parts->list[i];
		size_t pixels = (size_t)rect->width * rect->height;
		bool too_many = kept + pixels > max_pixels;
		if (too_many)
			parts_cut(rect, max_pixels - kept);
		pixels = (size_t)rect->width * rect->height;
		if (i > 0 && kept + pixels > max_pixels)
			break;
		kept += pixels;
		if (too_many) {
			i++;
			break;
		}
	}
	parts->count = i;
	parts->pixels = kept;
	return kept < before;
}

void parts_sent(struct damage *damage, const struct rect *rect, bool lossy, uint64_t now_us)
{
	unsigned first = rect->x / DAMAGE_TILE;
	unsigned last = ((unsigned)rect->x + rect->width - 1) / DAMAGE_TILE;
	unsigned bottom = (unsigned)rect->y + rect->height;
	for (unsigned column = first; column <= last; column++) {
		const uint64_t *now = damage->now + (size_t)column * damage->height;
		uint64_t *sent = damage->sent + (size_t)column * damage->height;
		for (unsigned y = rect->y; y < bottom; y++)
			sent[y] = now[y] | (lossy ? SEGMENT_LOSSY : 0u);
		for (unsigned row = rect->y / DAMAGE_TILE; lossy && row * DAMAGE_TILE < bottom;
		     row++) {
			struct tile *tile = &damage->tiles[(size_t)row * damage->columns + column];
			tile->lossy = true;
			tile->lossy_us = now_us;
		}
	}
}

void parts_sent_all(struct damage *damage)
{
	size_t segments = (size_t)damage->columns * damage->height;
	memcpy(damage->sent, damage->now, segments * sizeof(*damage->sent));
}
