#include "worker/encode/plan.h"

#include "base/util.h"

enum {
	LOSSY_ROWS = 16,           /* of a tile that change; less goes exactly */
	LOSSY_PIXELS = 128 * 1024, /* that change at once are worth a picture */
	AGAIN_US = 200000,         /* after the change before: it may change again */
	SMALL_ROWS = 24,           /* of a tile; such changes go first when not all has room */
};

/* Where a video runs its pictures have the desktop's share of pixels. */
static bool in_region(const struct regions *regions, unsigned column, unsigned row)
{
	for (size_t i = 0; i < REGIONS; i++) {
		const struct rect *box = &regions->list[i].box;
		if (regions->list[i].state == REGION_RUNNING && column >= box->x && row >= box->y &&
		    column < (unsigned)box->x + box->width && row < (unsigned)box->y + box->height)
			return true;
	}
	return false;
}

static size_t large_changes(const struct damage *damage)
{
	size_t tiles = (size_t)damage->columns * damage->rows, pixels = 0;
	for (size_t i = 0; i < tiles; i++)
		if (damage->tiles[i].rows >= LOSSY_ROWS && !damage->tiles[i].cover)
			pixels += (size_t)damage->tiles[i].rows * DAMAGE_TILE;
	return pixels;
}

/* The class of a tile that is worth a picture, if it suits; else CLASS_SHARP. */
static enum tile_class suits(const struct damage *damage, struct regions *regions,
			     const struct surface *surface, const struct plan *plan, size_t at,
			     size_t changes)
{
	const struct tile *tile = &damage->tiles[at];
	bool again = tile->before_us && tile->changed_us - tile->before_us < AGAIN_US;
	bool worth = again || changes >= LOSSY_PIXELS || (plan->budget && changes > plan->budget);
	unsigned column = (unsigned)(at % damage->columns);
	unsigned row = (unsigned)(at / damage->columns);
	if (!worth || tile->rows < LOSSY_ROWS || in_region(regions, column, row))
		return CLASS_SHARP;
	return classes_of(&regions->classes, damage, surface, at);
}

/*
 * A run of tiles that go as a picture. Those at its ends may show something else beside the photo
 * that has not changed, and must not become approximate by it; on a slow link that is the lesser
 * evil.
 */
static void take_run(struct damage *damage, const struct plan *plan, size_t row, unsigned first,
		     unsigned last)
{
	if (!plan->budget && first > 0)
		first++;
	if (!plan->budget && last + 1 < damage->columns)
		last--;
	for (unsigned column = first; column <= last && last < damage->columns; column++)
		damage->tiles[row * damage->columns + column].way = WAY_LOSSY;
}

/* One row of tiles: photos, with what is smooth between them, so that pictures are few and large.
 */
static void plan_lossy(struct damage *damage, struct regions *regions,
		       const struct surface *surface, const struct plan *plan, unsigned row,
		       size_t changes)
{
	unsigned first = 0, last = 0;
	bool open = false;
	for (unsigned column = 0; column < damage->columns; column++) {
		size_t at = (size_t)row * damage->columns + column;
		enum tile_class class = suits(damage, regions, surface, plan, at, changes);
		if (class == CLASS_PHOTO) {
			first = open ? first : column;
			last = column;
			open = true;
		} else if (class == CLASS_SHARP && open) {
			take_run(damage, plan, row, first, last);
			open = false;
		}
	}
	if (open)
		take_run(damage, plan, row, first, last);
}

static void plan_tile(struct tile *tile, const struct plan *plan)
{
	tile->refresh =
		tile->lossy && !tile->filmed && plan->now_us - tile->lossy_us >= PLAN_REFRESH_US;
	if (tile->rows)
		tile->way = plan->budget && tile->rows > SMALL_ROWS ? WAY_LATER : WAY_EXACT;
	else if (tile->refresh)
		tile->way = WAY_REFRESH;
}

void plan_ways(struct damage *damage, struct regions *regions, const struct surface *surface,
	       const struct plan *plan)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	size_t changes = plan->jpeg ? large_changes(damage) : 0;
	for (size_t i = 0; i < tiles; i++)
		plan_tile(&damage->tiles[i], plan);
	for (unsigned row = 0; changes && row < damage->rows; row++)
		plan_lossy(damage, regions, surface, plan, row, changes);
}
