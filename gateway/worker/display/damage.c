#include "worker/display/damage.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/util.h"

/* What the remote may move in a frame: the hashes cost time, and the search needs its share. */
enum {
	COPIED_MAX = COPIES_MAX / 2,
	COPIED_AREAS = COPIES_AREAS / 2, /* so many times the desktop's pixels */
};

/* Row segments and tiles that a rectangle touches; the last ones included. */
struct span {
	unsigned left, right, top, bottom;
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
	free(damage->scrolled);
	scrolls_finish(&damage->scrolls);
	copies_finish(&damage->copies);
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
	fresh.tiles = calloc((size_t)fresh.columns * fresh.rows, sizeof(*fresh.tiles));
	fresh.now = calloc((size_t)fresh.columns * fresh.height, sizeof(*fresh.now));
	fresh.sent = calloc((size_t)fresh.columns * fresh.height, sizeof(*fresh.sent));
	fresh.changed = calloc(fresh.columns, sizeof(*fresh.changed));
	fresh.scrolled = calloc(fresh.columns, sizeof(*fresh.scrolled));
	if (!fresh.tiles || !fresh.now || !fresh.sent || !fresh.changed || !fresh.scrolled ||
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

static void set_dirty(struct damage *damage, struct tile *tile)
{
	damage->waiting += !tile->dirty;
	tile->dirty = true;
}

static struct span tiles_of(const struct rect *rect)
{
	return (struct span){ rect->x / DAMAGE_TILE,
			      ((unsigned)rect->x + rect->width - 1) / DAMAGE_TILE,
			      rect->y / DAMAGE_TILE,
			      ((unsigned)rect->y + rect->height - 1) / DAMAGE_TILE };
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
	struct rect rect = { (uint16_t)left, (uint16_t)top, (uint16_t)(right - left),
			     (uint16_t)(bottom - top) };
	struct span tiles = tiles_of(&rect);
	for (size_t row = tiles.top; row <= tiles.bottom; row++)
		for (size_t column = tiles.left; column <= tiles.right; column++)
			set_dirty(damage, &damage->tiles[row * damage->columns + column]);
}

void damage_all(struct damage *damage)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	size_t segments = (size_t)damage->columns * damage->height;
	for (size_t i = 0; i < tiles; i++) {
		struct tile *tile = &damage->tiles[i];
		tile->dirty = true;
		tile->cover = 0;
		tile->digest = 0;
		tile->lossy = tile->video = false;
	}
	if (segments)
		memset(damage->sent, SEGMENT_NONE, segments * sizeof(*damage->sent));
	damage->waiting = tiles;
	copies_clear(&damage->copies);
}

/* ---- hashes ----------------------------------------------------------------------------- */

uint64_t damage_place(unsigned column, unsigned y)
{
	return (((uint64_t)column << 32 | (y + 1u)) << 1) * 0x9e3779b97f4a7c15u;
}

static uint64_t as_segment(uint64_t hash)
{
	hash &= ~(uint64_t)SEGMENT_LOSSY;
	return hash ? hash : 2;
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

/* At the right edge of a desktop that is no multiple of 64 wide, and beside a video. */
static uint64_t part_segment_hash(const uint8_t *pixels, size_t count, uint64_t seed)
{
	uint32_t masked[DAMAGE_TILE] = { 0 };
	memcpy(masked, pixels, count * SURFACE_PIXEL);
	for (size_t i = 0; i < count; i++)
		masked[i] &= 0x00ffffff;
	return XXH3_64bits_withSeed(masked, count * SURFACE_PIXEL, seed);
}

static uint64_t range_hash(const struct surface *surface, unsigned left, unsigned right, unsigned y,
			   uint64_t seed)
{
	const uint8_t *pixels = surface_at(surface, left, y);
	if (right - left == DAMAGE_TILE)
		return as_segment(whole_segment_hash(pixels));
	return as_segment(part_segment_hash(pixels, right - left, seed));
}

static unsigned right_of(const struct damage *damage, unsigned column)
{
	return MIN((column + 1) * DAMAGE_TILE, damage->width);
}

uint64_t damage_hash(const struct damage *damage, const struct surface *surface, unsigned column,
		     unsigned y)
{
	return range_hash(surface, column * DAMAGE_TILE, right_of(damage, column), y, 0);
}

/* ---- what the remote has moved ---------------------------------------------------------- */

static bool inside(const struct damage *damage, int x, int y, int width, int height)
{
	return x >= 0 && y >= 0 && width > 0 && height > 0 && (int64_t)x + width <= damage->width &&
	       (int64_t)y + height <= damage->height;
}

/* The viewer shows what the surface shows in all tiles that the rectangle touches, and not by a
 * video. */
static bool is_clean(const struct damage *damage, const struct rect *rect)
{
	struct span tiles = tiles_of(rect);
	for (size_t row = tiles.top; row <= tiles.bottom; row++)
		for (size_t column = tiles.left; column <= tiles.right; column++) {
			const struct tile *tile = &damage->tiles[row * damage->columns + column];
			if (tile->dirty || tile->cover || tile->video)
				return false;
		}
	return true;
}

static bool any_lossy(const struct damage *damage, unsigned left, unsigned right, unsigned y)
{
	for (unsigned column = left; column <= right; column++)
		if (damage->sent[(size_t)column * damage->height + y] & SEGMENT_LOSSY)
			return true;
	return false;
}

/* Row by row in the order in which no row is changed before it was asked. */
static void move_hashes(struct damage *damage, const struct surface *surface,
			const struct copy *copy)
{
	struct span to = tiles_of(&(struct rect){ copy->x, copy->y, copy->width, copy->height });
	struct span from =
		tiles_of(&(struct rect){ copy->from_x, copy->from_y, copy->width, copy->height });
	for (unsigned i = 0; i < copy->height; i++) {
		unsigned row = copy->y > copy->from_y ? copy->height - 1u - i : i;
		unsigned y = copy->y + row;
		bool lossy = any_lossy(damage, from.left, from.right, copy->from_y + row);
		for (unsigned column = to.left; column <= to.right; column++) {
			size_t segment = (size_t)column * damage->height + y;
			uint64_t before = damage->sent[segment] & SEGMENT_LOSSY;
			uint64_t now = damage_hash(damage, surface, column, y);
			damage->now[segment] = now;
			damage->sent[segment] = now | (lossy ? SEGMENT_LOSSY : before);
		}
	}
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
	move_hashes(damage, surface, &copy);
}

/* ---- looking ---------------------------------------------------------------------------- */

unsigned damage_open(const struct damage *damage, unsigned column, unsigned y, unsigned *ret_left)
{
	const struct tile *tile =
		&damage->tiles[(size_t)(y / DAMAGE_TILE) * damage->columns + column];
	unsigned left = column * DAMAGE_TILE, right = right_of(damage, column);
	*ret_left = left;
	if (!tile->cover)
		return right;
	const struct rect *cover = &damage->covers[tile->cover - 1];
	unsigned end = (unsigned)cover->x + cover->width;
	if (y < cover->y || y >= (unsigned)cover->y + cover->height)
		return right;
	/* It is wider than a tile, so that something is open on one side only. */
	if (cover->x > left)
		return cover->x;
	*ret_left = MIN(end, right);
	return right;
}

struct rect damage_covered(const struct damage *damage, size_t at)
{
	const struct tile *tile = &damage->tiles[at];
	unsigned left = (unsigned)(at % damage->columns) * DAMAGE_TILE;
	unsigned top = (unsigned)(at / damage->columns) * DAMAGE_TILE;
	if (!tile->cover)
		return (struct rect){ 0 };
	const struct rect *cover = &damage->covers[tile->cover - 1];
	unsigned x = MAX(left, cover->x), y = MAX(top, cover->y);
	unsigned right = MIN(left + DAMAGE_TILE, (unsigned)cover->x + cover->width);
	unsigned bottom = MIN(top + DAMAGE_TILE, (unsigned)cover->y + cover->height);
	return (struct rect){ (uint16_t)x, (uint16_t)y, (uint16_t)(right - x),
			      (uint16_t)(bottom - y) };
}

/* What the segment's open part is now; what a video covers of it goes into the sum. */
static uint64_t partly_covered(const struct damage *damage, const struct surface *surface,
			       unsigned column, unsigned y, uint64_t *sum)
{
	unsigned left, right = damage_open(damage, column, y, &left);
	unsigned begin = column * DAMAGE_TILE, end = right_of(damage, column);
	uint64_t inside = 0, place = damage_place(column, y);
	if (left == begin && right == end)
		return damage_hash(damage, surface, column, y);
	/* Inside a film every other row says that it goes on; when it stops, all are looked at. */
	if (left == right && y % 2)
		return place;
	if (left > begin)
		inside = range_hash(surface, begin, left, y, place);
	else
		inside = range_hash(surface, right, end, y, place);
	*sum = (*sum << 7 | *sum >> 57) ^ inside;
	return left == right ? place : range_hash(surface, left, right, y, place);
}

static void look_at(struct damage *damage, const struct surface *surface, struct tile *tile,
		    unsigned column, unsigned y, uint64_t *sum)
{
	size_t segment = (size_t)column * damage->height + y;
	uint64_t now = tile->cover ? partly_covered(damage, surface, column, y, sum)
				   : damage_hash(damage, surface, column, y);
	if (now != damage->now[segment]) {
		damage->now[segment] = now;
		tile->fresh = true;
		if (damage->sent[segment] == SEGMENT_VIDEO)
			damage->sent[segment] = SEGMENT_NONE;
	}
	damage->changed[column] += segment_lacks(now, damage->sent[segment]);
}

/* Along the rows, as they lie in memory: down the tiles the same takes twice as long. */
static void look_at_row(struct damage *damage, const struct surface *surface, unsigned row)
{
	struct tile *tiles = damage->tiles + (size_t)row * damage->columns;
	unsigned top = row * DAMAGE_TILE, bottom = MIN(top + DAMAGE_TILE, damage->height);
	uint64_t sums[(SURFACE_MAX_WIDTH + DAMAGE_TILE - 1) / DAMAGE_TILE];
	memset(sums, 0, damage->columns * sizeof(*sums));
	for (unsigned y = top; y < bottom; y++)
		for (unsigned column = 0; column < damage->columns; column++)
			if (tiles[column].dirty)
				look_at(damage, surface, &tiles[column], column, y, &sums[column]);
	for (unsigned column = 0; column < damage->columns; column++)
		if (tiles[column].dirty && tiles[column].digest != sums[column]) {
			tiles[column].digest = sums[column];
			tiles[column].fresh = tiles[column].moved = true;
		}
}

static uint8_t rows_lacking(const struct damage *damage, size_t at)
{
	unsigned top = (unsigned)(at / damage->columns) * DAMAGE_TILE;
	unsigned bottom = MIN(top + DAMAGE_TILE, damage->height);
	size_t first = at % damage->columns * damage->height;
	uint8_t rows = 0;
	for (size_t i = first + top; i < first + bottom; i++)
		rows = (uint8_t)(rows + segment_lacks(damage->now[i], damage->sent[i]));
	return rows;
}

/* Whether some of the tile is approximate, as far as what was sent says. */
static void find_lossy(const struct damage *damage, size_t at, bool *ret_lossy, bool *ret_video)
{
	unsigned top = (unsigned)(at / damage->columns) * DAMAGE_TILE;
	unsigned bottom = MIN(top + DAMAGE_TILE, damage->height);
	size_t first = at % damage->columns * damage->height;
	*ret_lossy = *ret_video = false;
	for (size_t i = first + top; i < first + bottom; i++) {
		*ret_lossy |= damage->sent[i] & SEGMENT_LOSSY;
		*ret_video |= damage->sent[i] == SEGMENT_VIDEO;
	}
}

/* Columns that copies touch, and tiles to which they bring approximate pixels. */
static void note_copies(struct damage *damage, uint64_t now_us)
{
	memset(damage->scrolled, 0, damage->columns * sizeof(*damage->scrolled));
	for (size_t i = 0; i < damage->copies.count; i++) {
		const struct copy *copy = &damage->copies.list[i];
		struct span to =
			tiles_of(&(struct rect){ copy->x, copy->y, copy->width, copy->height });
		memset(damage->scrolled + to.left, 1,
		       (to.right - to.left + 1) * sizeof(*damage->scrolled));
		for (unsigned row = to.top; damage->lossy && row <= to.bottom; row++)
			for (unsigned column = to.left; column <= to.right; column++) {
				size_t at = (size_t)row * damage->columns + column;
				struct tile *tile = &damage->tiles[at];
				bool lossy, video;
				find_lossy(damage, at, &lossy, &video);
				tile->lossy |= lossy;
				if (lossy)
					tile->lossy_us = now_us;
			}
	}
}

/* Brings the hashes of what is dirty up to date. */
static void look_at_all(struct damage *damage, const struct surface *surface)
{
	size_t left = damage->waiting;
	memset(damage->changed, 0, damage->columns * sizeof(*damage->changed));
	for (unsigned row = 0; row < damage->rows; row++) {
		struct tile *tiles = damage->tiles + (size_t)row * damage->columns;
		size_t dirty = 0;
		for (unsigned column = 0; column < damage->columns; column++) {
			tiles[column].fresh = tiles[column].moved = false;
			tiles[column].rows = 0;
			tiles[column].way = WAY_NONE;
			tiles[column].refresh = false;
			dirty += tiles[column].dirty;
		}
		if (left && dirty)
			look_at_row(damage, surface, row);
		left -= dirty;
	}
}

void damage_look(struct damage *damage, const struct surface *surface, uint64_t now_us)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	look_at_all(damage, surface);
	if (damage->waiting)
		scrolls_find(&damage->scrolls, damage->now, damage->sent, damage->changed,
			     &damage->copies);
	note_copies(damage, now_us);
	for (size_t i = 0; i < tiles; i++) {
		struct tile *tile = &damage->tiles[i];
		if (!tile->dirty)
			continue;
		tile->rows = rows_lacking(damage, i);
		if (!tile->fresh)
			continue;
		tile->before_us = tile->changed_us;
		tile->changed_us = now_us;
	}
}

uint64_t damage_digest(const struct damage *damage, size_t at)
{
	unsigned top = (unsigned)(at / damage->columns) * DAMAGE_TILE;
	unsigned bottom = MIN(top + DAMAGE_TILE, damage->height);
	const uint64_t *now = damage->now + at % damage->columns * damage->height + top;
	return XXH3_64bits_withSeed(now, (bottom - top) * sizeof(*now), damage->tiles[at].digest);
}

/* ---- videos ----------------------------------------------------------------------------- */

void damage_cover(struct damage *damage, const struct surface *surface, size_t at, unsigned number)
{
	struct tile *tile = &damage->tiles[at];
	unsigned column = (unsigned)(at % damage->columns);
	unsigned top = (unsigned)(at / damage->columns) * DAMAGE_TILE;
	unsigned bottom = MIN(top + DAMAGE_TILE, damage->height);
	uint64_t sum = 0;
	assert(!tile->cover && damage->covers[number - 1].width >= DAMAGE_COVER_MIN);
	tile->cover = (uint8_t)number;
	for (unsigned y = top; y < bottom; y++) {
		size_t segment = (size_t)column * damage->height + y;
		uint64_t now = partly_covered(damage, surface, column, y, &sum);
		if (now == damage_place(column, y) || damage->sent[segment] == damage->now[segment])
			damage->sent[segment] = now;
		else if (now != damage->now[segment])
			damage->sent[segment] = SEGMENT_NONE;
		damage->now[segment] = now;
	}
	tile->digest = sum;
	tile->rows = rows_lacking(damage, at);
	find_lossy(damage, at, &tile->lossy, &tile->video);
	set_dirty(damage, tile);
}

void damage_uncover(struct damage *damage, const struct surface *surface, size_t at, bool shown)
{
	struct tile *tile = &damage->tiles[at];
	struct rect covered = damage_covered(damage, at);
	unsigned column = (unsigned)(at % damage->columns);
	tile->cover = 0;
	tile->digest = 0;
	tile->lossy = tile->video = true;
	tile->lossy_us = tile->changed_us;
	for (unsigned y = covered.y; y < (unsigned)covered.y + covered.height; y++) {
		size_t segment = (size_t)column * damage->height + y;
		bool lacks = segment_lacks(damage->now[segment], damage->sent[segment]);
		damage->now[segment] = damage_hash(damage, surface, column, y);
		damage->sent[segment] = shown && !lacks ? SEGMENT_VIDEO : SEGMENT_NONE;
	}
	tile->rows = rows_lacking(damage, at);
	set_dirty(damage, tile);
}

void damage_settle(struct damage *damage)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	damage->lossy = false;
	for (size_t i = 0; i < tiles; i++) {
		struct tile *tile = &damage->tiles[i];
		if (tile->dirty && !rows_lacking(damage, i)) {
			tile->dirty = false;
			damage->waiting--;
		}
		if (tile->lossy)
			find_lossy(damage, i, &tile->lossy, &tile->video);
		damage->lossy |= tile->lossy;
	}
	copies_clear(&damage->copies);
}
