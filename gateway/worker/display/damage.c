#include "worker/display/damage.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/util.h"

enum tile_state { TILE_CLEAN, TILE_MAYBE, TILE_SURE };

struct span {
	unsigned top, bottom; /* rows of the surface, bottom excluded */
};

struct taker {
	struct damage *damage;
	const struct surface *surface;
	size_t count; /* rectangles so far */
	size_t pixels;
	size_t open[DAMAGE_SPANS]; /* rectangles that end at the left edge of the current tile */
	size_t open_count;
	size_t above_count, below_count;
};

void damage_init(struct damage *damage)
{
	*damage = (struct damage){ 0 };
}

void damage_finish(struct damage *damage)
{
	free(damage->tiles);
	free(damage->sent);
	free(damage->rects);
	free(damage->above);
	free(damage->below);
	damage_init(damage);
}

enum err damage_resize(struct damage *damage, const struct surface *surface)
{
	struct damage fresh = {
		.width = surface->width,
		.height = surface->height,
		.columns = (surface->width + DAMAGE_TILE - 1) / DAMAGE_TILE,
		.rows = (surface->height + DAMAGE_TILE - 1) / DAMAGE_TILE,
	};
	fresh.tiles = calloc((size_t)fresh.columns * fresh.rows, 1);
	fresh.sent = calloc((size_t)fresh.columns * fresh.height, sizeof(*fresh.sent));
	fresh.rects = calloc(DAMAGE_MAX_RECTS, sizeof(*fresh.rects));
	fresh.above = calloc((size_t)fresh.columns, sizeof(*fresh.above));
	fresh.below = calloc((size_t)fresh.columns, sizeof(*fresh.below));
	if (!fresh.tiles || !fresh.sent || !fresh.rects || !fresh.above || !fresh.below) {
		damage_finish(&fresh);
		return ERR_NOMEM;
	}
	damage_finish(damage);
	*damage = fresh;
	damage_all(damage);
	return OK;
}

void damage_hint(struct damage *damage, int x, int y, int width, int height)
{
	if (width <= 0 || height <= 0)
		return;
	int64_t right = MIN((int64_t)x + width, (int64_t)damage->width);
	int64_t bottom = MIN((int64_t)y + height, (int64_t)damage->height);
	int64_t left = MAX(x, 0), top = MAX(y, 0);
	if (left >= right || top >= bottom)
		return;
	size_t first = (size_t)left / DAMAGE_TILE, last = (size_t)(right - 1) / DAMAGE_TILE;
	for (size_t row = (size_t)top / DAMAGE_TILE; row <= (size_t)(bottom - 1) / DAMAGE_TILE;
	     row++) {
		uint8_t *tiles = damage->tiles + row * damage->columns;
		for (size_t column = first; column <= last; column++) {
			if (tiles[column] != TILE_CLEAN)
				continue;
			tiles[column] = TILE_MAYBE;
			damage->waiting++;
		}
	}
}

void damage_all(struct damage *damage)
{
	damage->waiting = (size_t)damage->columns * damage->rows;
	if (damage->waiting)
		memset(damage->tiles, TILE_SURE, damage->waiting);
}

/*
 * The X byte is masked, so that a remote that leaves changing rubbish there causes no traffic. The
 * scratch row is not cleared first (release builds clear locals otherwise): that alone would cost a
 * third of the time.
 */
surface_hot static uint64_t segment_hash(const uint8_t *pixels, size_t count)
{
	__attribute__((uninitialized)) uint32_t masked[DAMAGE_TILE];
	memcpy(masked, pixels, count * SURFACE_PIXEL);
	for (size_t i = 0; i < count; i++)
		masked[i] &= 0x00ffffff;
	return XXH3_64bits(masked, count * SURFACE_PIXEL);
}

/* The runs of changed rows of a tile. Past DAMAGE_SPANS the last one takes the rest, unchanged rows
 * included. */
static size_t tile_spans(struct taker *taker, unsigned column, unsigned row, struct span *spans)
{
	struct damage *damage = taker->damage;
	const struct surface *surface = taker->surface;
	bool sure = damage->tiles[(size_t)row * damage->columns + column] == TILE_SURE;
	unsigned left = column * DAMAGE_TILE, top = row * DAMAGE_TILE;
	unsigned bottom = MIN(top + DAMAGE_TILE, damage->height);
	size_t width = MIN(left + DAMAGE_TILE, damage->width) - left;
	size_t count = 0;

	for (unsigned y = top; y < bottom; y++) {
		uint64_t hash = segment_hash(surface_at(surface, left, y), width);
		uint64_t *sent = &damage->sent[(size_t)y * damage->columns + column];
		if (hash == *sent && !sure)
			continue;
		*sent = hash;
		if (count > 0 && (spans[count - 1].bottom == y || count == DAMAGE_SPANS))
			spans[count - 1].bottom = y + 1;
		else
			spans[count++] = (struct span){ y, y + 1 };
	}
	return count;
}

/* Adds a span of the tile at column, growing the rectangle left of it when the rows agree. */
static size_t add_span(struct taker *taker, unsigned column, struct span span)
{
	struct rect *rects = taker->damage->rects;
	unsigned left = column * DAMAGE_TILE;
	unsigned width = MIN(left + DAMAGE_TILE, taker->damage->width) - left;
	taker->pixels += (size_t)width * (span.bottom - span.top);
	for (size_t i = 0; i < taker->open_count; i++) {
		struct rect *rect = &rects[taker->open[i]];
		if (rect->y == span.top && (unsigned)rect->y + rect->height == span.bottom) {
			rect->width = (uint16_t)(rect->width + width);
			return taker->open[i];
		}
	}
	rects[taker->count] = (struct rect){ .x = (uint16_t)left,
					     .y = (uint16_t)span.top,
					     .width = (uint16_t)width,
					     .height = (uint16_t)(span.bottom - span.top) };
	return taker->count++;
}

static void take_tile(struct taker *taker, unsigned column, unsigned row)
{
	struct damage *damage = taker->damage;
	uint8_t *tile = &damage->tiles[(size_t)row * damage->columns + column];
	struct span spans[DAMAGE_SPANS];
	size_t next[DAMAGE_SPANS], count = 0;

	if (*tile != TILE_CLEAN) {
		count = tile_spans(taker, column, row, spans);
		*tile = TILE_CLEAN;
		damage->waiting--;
	}
	for (size_t i = 0; i < count; i++)
		next[i] = add_span(taker, column, spans[i]);
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
 * as wide. above and below hold indices in order of x; the array is closed up afterwards.
 */
static void join_row(struct taker *taker, size_t first, unsigned top, unsigned bottom)
{
	struct damage *damage = taker->damage;
	struct rect *rects = damage->rects;
	size_t kept = first, a = 0;

	qsort(rects + first, taker->count - first, sizeof(*rects), by_left_edge);
	taker->below_count = 0;
	for (size_t i = first; i < taker->count; i++) {
		struct rect rect = rects[i];
		size_t place = kept;
		while (a < taker->above_count && rects[damage->above[a]].x < rect.x)
			a++;
		if (rect.y == top && a < taker->above_count &&
		    rects[damage->above[a]].x == rect.x &&
		    rects[damage->above[a]].width == rect.width) {
			place = damage->above[a];
			rects[place].height = (uint16_t)(rects[place].height + rect.height);
		} else {
			rects[kept++] = rect;
		}
		if ((unsigned)rect.y + rect.height == bottom)
			damage->below[taker->below_count++] = place;
	}
	taker->count = kept;
	size_t *swap = damage->above;
	damage->above = damage->below;
	damage->below = swap;
	taker->above_count = taker->below_count;
}

size_t damage_take(struct damage *damage, const struct surface *surface, size_t max_pixels,
		   const struct rect **ret_rects)
{
	struct taker taker = { .damage = damage, .surface = surface };
	for (unsigned row = 0; row < damage->rows && damage->waiting && taker.pixels < max_pixels;
	     row++) {
		size_t first = taker.count;
		unsigned top = row * DAMAGE_TILE;
		taker.open_count = 0;
		for (unsigned column = 0; column < damage->columns && taker.pixels < max_pixels;
		     column++)
			take_tile(&taker, column, row);
		join_row(&taker, first, top, MIN(top + DAMAGE_TILE, damage->height));
	}
	*ret_rects = damage->rects;
	return taker.count;
}
