#include "worker/display/forget.h"

#include "base/util.h"

static void forget_segment(struct damage *damage, size_t segment)
{
	if (damage->sent[segment] != SEGMENT_VIDEO)
		damage->sent[segment] = SEGMENT_NONE;
}

static void set_dirty(struct damage *damage, struct tile *tile)
{
	damage->waiting += !tile->dirty;
	tile->dirty = true;
}

/* The surface has moved these pixels, the viewer not yet. */
static void forget_copy(struct damage *damage, const struct copy *copy)
{
	unsigned right = (unsigned)copy->x + copy->width, bottom = (unsigned)copy->y + copy->height;
	for (unsigned column = copy->x / DAMAGE_TILE; column * DAMAGE_TILE < right; column++) {
		for (unsigned y = copy->y; y < bottom; y++)
			forget_segment(damage, (size_t)column * damage->height + y);
		for (unsigned row = copy->y / DAMAGE_TILE; row * DAMAGE_TILE < bottom; row++)
			set_dirty(damage, &damage->tiles[(size_t)row * damage->columns + column]);
	}
}

/* Of a segment that a video covers in part, the rest is not worth a look. */
static bool is_unlike(const struct damage *damage, const struct surface *surface, unsigned column,
		      unsigned y)
{
	unsigned left, right = damage_open(damage, column, y, &left);
	uint64_t sent = damage->sent[(size_t)column * damage->height + y];
	if (left == right)
		return false;
	if (left != column * DAMAGE_TILE || right != MIN(left + DAMAGE_TILE, damage->width))
		return true;
	return !segment_same(damage_hash(damage, surface, column, y), sent);
}

static void forget_tile(struct damage *damage, const struct surface *surface, size_t at)
{
	unsigned column = (unsigned)(at % damage->columns);
	unsigned top = (unsigned)(at / damage->columns) * DAMAGE_TILE;
	for (unsigned y = top; y < MIN(top + DAMAGE_TILE, damage->height); y++)
		if (is_unlike(damage, surface, column, y))
			forget_segment(damage, (size_t)column * damage->height + y);
}

void forget_unlike(struct damage *damage, const struct surface *surface)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	for (size_t i = 0; i < damage->copies.count; i++)
		forget_copy(damage, &damage->copies.list[i]);
	copies_clear(&damage->copies);
	for (size_t i = 0; i < tiles; i++)
		if (damage->tiles[i].dirty)
			forget_tile(damage, surface, i);
}
