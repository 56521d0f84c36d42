#include "worker/display/damage.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/util.h"

enum tile_state { TILE_CLEAN, TILE_MAYBE, TILE_SURE };

/* What the remote may move in a frame: the hashes cost time, and the search needs its share. */
enum {
	COPIED_MAX = COPIES_MAX / 2,
	COPIED_AREAS = COPIES_AREAS / 2, /* so many times the desktop's pixels */
};

struct span {
	unsigned top, bottom; /* rows of the surface, bottom excluded */
};

struct taker {
	struct damage *damage;
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
	free(damage->now);
	free(damage->sent);
	free(damage->changed);
	scrolls_finish(&damage->scrolls);
	copies_finish(&damage->copies);
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
	fresh.now = calloc((size_t)fresh.columns * fresh.height, sizeof(*fresh.now));
	fresh.sent = calloc((size_t)fresh.columns * fresh.height, sizeof(*fresh.sent));
	fresh.changed = calloc(fresh.columns, sizeof(*fresh.changed));
	fresh.rects = calloc(DAMAGE_MAX_RECTS, sizeof(*fresh.rects));
	fresh.above = calloc((size_t)fresh.columns, sizeof(*fresh.above));
	fresh.below = calloc((size_t)fresh.columns, sizeof(*fresh.below));
	if (!fresh.tiles || !fresh.now || !fresh.sent || !fresh.changed || !fresh.rects ||
	    !fresh.above || !fresh.below ||
	    scrolls_init(&fresh.scrolls, fresh.width, fresh.height) ||
	    copies_init(&fresh.copies, fresh.width, fresh.height)) {
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
	damage->waiting = damage->sure = (size_t)damage->columns * damage->rows;
	if (damage->waiting)
		memset(damage->tiles, TILE_SURE, damage->waiting);
	copies_clear(&damage->copies);
}

/*
 * The X byte is masked, so that a remote that leaves changing rubbish there causes no traffic. The
 * scratch row is not cleared first (release builds clear locals otherwise): that alone would cost a
 * third of the time. Two halves of fixed length take XXH3's short way, which is a quarter faster.
 */
surface_hot static uint64_t whole_segment_hash(const uint8_t *pixels)
{
	__attribute__((uninitialized)) uint32_t masked[DAMAGE_TILE];
	const size_t half = sizeof(masked) / 2;
	memcpy(masked, pixels, sizeof(masked));
	for (size_t i = 0; i < DAMAGE_TILE; i++)
		masked[i] &= 0x00ffffff;
	return XXH3_64bits_withSeed((const uint8_t *)masked + half, half,
				    XXH3_64bits(masked, half));
}

/* At the right edge of a desktop that is no multiple of 64 wide. */
static uint64_t part_segment_hash(const uint8_t *pixels, size_t count)
{
	uint32_t masked[DAMAGE_TILE] = { 0 };
	memcpy(masked, pixels, count * SURFACE_PIXEL);
	for (size_t i = 0; i < count; i++)
		masked[i] &= 0x00ffffff;
	return XXH3_64bits(masked, count * SURFACE_PIXEL);
}

static uint64_t hash_at(const struct damage *damage, const struct surface *surface, unsigned column,
			unsigned y)
{
	unsigned left = column * DAMAGE_TILE, width = MIN(DAMAGE_TILE, damage->width - left);
	const uint8_t *pixels = surface_at(surface, left, y);
	return width == DAMAGE_TILE ? whole_segment_hash(pixels) : part_segment_hash(pixels, width);
}

static bool inside(const struct damage *damage, int x, int y, int width, int height)
{
	return x >= 0 && y >= 0 && width > 0 && height > 0 && (int64_t)x + width <= damage->width &&
	       (int64_t)y + height <= damage->height;
}

/* The viewer shows what the surface shows in all tiles that the rectangle touches. */
static bool is_clean(const struct damage *damage, const struct rect *rect)
{
	size_t first = rect->x / DAMAGE_TILE;
	size_t count = ((size_t)rect->x + rect->width - 1) / DAMAGE_TILE - first + 1;
	size_t last = ((size_t)rect->y + rect->height - 1) / DAMAGE_TILE;
	for (size_t row = rect->y / DAMAGE_TILE; row <= last; row++) {
		const uint8_t *tiles = damage->tiles + row * damage->columns + first;
		for (size_t i = 0; i < count; i++)
			if (tiles[i] != TILE_CLEAN)
				return false;
	}
	return true;
}

/*
 * Where viewer and surface were the same before, they are the same after both have moved the same
 * pixels. That holds for segments that the rectangle covers in part, too.
 */
void damage_copied(struct damage *damage, const struct surface *surface, int from_x, int from_y,
		   int x, int y, int width, int height)
{
	if (surface->width != damage->width || surface->height != damage->height ||
	    !inside(damage, from_x, from_y, width, height) ||
	    !inside(damage, x, y, width, height) || (from_x == x && from_y == y)) {
		damage_hint(damage, x, y, width, height);
		return;
	}
	struct rect from = { (uint16_t)from_x, (uint16_t)from_y, (uint16_t)width,
			     (uint16_t)height };
	struct rect to = { (uint16_t)x, (uint16_t)y, (uint16_t)width, (uint16_t)height };
	struct copy copy = { from.x, from.y, to.x, to.y, to.width, to.height };
	uint64_t pixels = (uint64_t)to.width * to.height;
	uint64_t most = (uint64_t)damage->width * damage->height * COPIED_AREAS;

	if (damage->copies.count >= COPIED_MAX || damage->copies.pixels + pixels > most ||
	    !is_clean(damage, &from) || !is_clean(damage, &to) ||
	    !copies_add(&damage->copies, copy)) {
		damage_hint(damage, x, y, width, height);
		return;
	}
	unsigned last = ((unsigned)to.x + to.width - 1) / DAMAGE_TILE;
	for (unsigned column = to.x / DAMAGE_TILE; column <= last; column++)
		for (unsigned i = to.y; i < (unsigned)to.y + to.height; i++) {
			size_t segment = (size_t)column * damage->height + i;
			damage->now[segment] = damage->sent[segment] =
				hash_at(damage, surface, column, i);
		}
}

/* The runs of changed rows of a tile. Past DAMAGE_SPANS the last one takes the rest, unchanged rows
 * included. */
static size_t tile_spans(struct taker *taker, unsigned column, unsigned row, struct span *spans)
{
	struct damage *damage = taker->damage;
	bool sure = damage->tiles[(size_t)row * damage->columns + column] == TILE_SURE;
	unsigned top = row * DAMAGE_TILE, bottom = MIN(top + DAMAGE_TILE, damage->height);
	const uint64_t *now = damage->now + (size_t)column * damage->height;
	uint64_t *sent = damage->sent + (size_t)column * damage->height;
	size_t count = 0;

	for (unsigned y = top; y < bottom; y++) {
		if (now[y] == sent[y] && !sure)
			continue;
		sent[y] = now[y];
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
		damage->sure -= *tile == TILE_SURE;
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

/* Along the rows, as they lie in memory: down the tiles the same takes twice as long. */
static void look_at_tiles(struct damage *damage, const struct surface *surface, unsigned row)
{
	const uint8_t *tiles = damage->tiles + (size_t)row * damage->columns;
	unsigned top = row * DAMAGE_TILE, bottom = MIN(top + DAMAGE_TILE, damage->height);
	for (unsigned y = top; y < bottom; y++)
		for (unsigned column = 0; column < damage->columns; column++) {
			size_t segment = (size_t)column * damage->height + y;
			if (tiles[column] == TILE_CLEAN)
				continue;
			damage->now[segment] = hash_at(damage, surface, column, y);
			damage->changed[column] += damage->now[segment] != damage->sent[segment];
		}
}

/* Brings the hashes of what is dirty up to date. */
static void look(struct damage *damage, const struct surface *surface)
{
	size_t left = damage->waiting;
	memset(damage->changed, 0, damage->columns * sizeof(*damage->changed));
	for (unsigned row = 0; row < damage->rows && left; row++) {
		size_t dirty = 0;
		for (unsigned column = 0; column < damage->columns; column++)
			dirty +=
				damage->tiles[(size_t)row * damage->columns + column] != TILE_CLEAN;
		if (dirty)
			look_at_tiles(damage, surface, row);
		left -= dirty;
	}
}

void damage_take(struct damage *damage, const struct surface *surface, size_t max_pixels,
		 struct damage_parts *ret)
{
	struct taker taker = { .damage = damage };
	look(damage, surface);
	if (damage->sure == 0 && damage->waiting)
		scrolls_find(&damage->scrolls, damage->now, damage->sent, damage->changed,
			     &damage->copies);
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
	*ret = (struct damage_parts){ .copies = damage->copies.list,
				      .copy_count = damage->copies.count,
				      .rects = damage->rects,
				      .rect_count = taker.count };
	copies_clear(&damage->copies);
}
