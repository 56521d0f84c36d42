#include "worker/display/regions.h"

#include "base/util.h"

enum {
	PROBE_AFTER_US = HEAT_RUN_US / 2, /* a run this long is worth a probe */
	PROBE_CHANGES = 8,
	PROBE_MAX_US = 3000000,
	SEARCH_US = 100000,   /* from one search to the next */
	REFUSED_US = 1000000, /* the same after one that was no film */
	CHECK_US = 500000,    /* from one look at what a region shows to the next */
	MIN_FILLED = 40,      /* % of a box that are hot tiles */
	MIN_RUNNING = 25,     /* % of a region's tiles that it covers */
	MIN_PHOTO = 30,       /* % of the tiles that change show photos, and fewer show text */
};

enum err regions_init(struct regions *regions, const struct damage *damage)
{
	*regions = (struct regions){ 0 };
	enum err err = heat_init(&regions->heat, damage);
	if (!err)
		err = classes_init(&regions->classes, damage);
	if (err)
		regions_finish(regions);
	return err;
}

void regions_finish(struct regions *regions)
{
	heat_finish(&regions->heat);
	classes_finish(&regions->classes);
	probe_stop(&regions->probe);
}

/* ---- the tiles of a box ----------------------------------------------------------------- */

static size_t tile_at(const struct damage *damage, unsigned column, unsigned row)
{
	return (size_t)row * damage->columns + column;
}

#define for_tiles(box, damage, at)                                                                 \
	for (unsigned row_ = (box)->y; row_ < (unsigned)(box)->y + (box)->height; row_++)          \
		for (size_t at = tile_at(damage, (box)->x, row_), end_ = at + (box)->width;        \
		     at < end_; at++)

/* What tiles show that change. Plain ground says nothing: a terminal has it, and so has a film. */
struct shown {
	unsigned tiles, photo, sharp;
};

static void count_shown(struct regions *regions, const struct damage *damage,
			const struct surface *surface, size_t at, struct shown *shown)
{
	enum tile_class class = classes_of(&regions->classes, damage, surface, at);
	shown->tiles++;
	shown->photo += class == CLASS_PHOTO;
	shown->sharp += class == CLASS_SHARP;
}

static bool shows_film(const struct shown *shown, const struct rect *box, unsigned min_share)
{
	return shown->tiles * 100u >= (unsigned)box->width * box->height * min_share &&
	       shown->photo * 100u >= shown->tiles * MIN_PHOTO && shown->sharp < shown->photo;
}

static bool is_film(struct regions *regions, const struct damage *damage,
		    const struct surface *surface, const struct rect *box, uint64_t now_us,
		    uint64_t run_us)
{
	struct shown shown = { 0 };
	for_tiles(box, damage, at)
	{
		if (heat_is_hot(&regions->heat, at, now_us, run_us))
			count_shown(regions, damage, surface, at, &shown);
	}
	return shows_film(&shown, box, MIN_FILLED);
}

/* ---- a region --------------------------------------------------------------------------- */

static void stop(struct regions *regions, size_t number, struct damage *damage,
		 const struct surface *surface, uint64_t now_us)
{
	struct region *region = &regions->list[number];
	for_tiles(&region->box, damage, at)
	{
		if (damage->tiles[at].cover == number + 1)
			damage_uncover(damage, surface, at, !region->changed);
	}
	region->state = REGION_STOPPED;
	region->since_us = now_us;
	region->changed = false;
}

static void cover(struct regions *regions, size_t number, struct damage *damage,
		  const struct surface *surface, size_t at)
{
	damage_cover(damage, surface, at, (unsigned)number + 1);
	regions->list[number].changed = true;
}

static void run(struct regions *regions, size_t number, struct damage *damage,
		const struct surface *surface, uint64_t now_us)
{
	struct region *region = &regions->list[number];
	region->state = REGION_RUNNING;
	region->since_us = region->checked_us = now_us;
	region->start = ++regions->starts;
	for_tiles(&region->box, damage, at)
	{
		if (heat_is_warm(&regions->heat, at, now_us))
			cover(regions, number, damage, surface, at);
	}
}

void regions_refuse(struct regions *regions, struct damage *damage, const struct surface *surface,
		    size_t number, uint64_t now_us)
{
	stop(regions, number, damage, surface, now_us);
	regions->list[number].state = REGION_NONE;
	regions->search_us = now_us + REFUSED_US;
}

static uint64_t still_us(const struct regions *regions)
{
	return regions->heat.slow ? REGION_SLOW_US : REGION_STILL_US;
}

/* Tiles that are still go back to the others, those that change again are covered again. */
static void update_tiles(struct regions *regions, size_t number, struct damage *damage,
			 const struct surface *surface, uint64_t now_us)
{
	struct region *region = &regions->list[number];
	size_t covered = 0;
	for_tiles(&region->box, damage, at)
	{
		struct tile *tile = &damage->tiles[at];
		region->changed |= tile->cover == number + 1 && tile->moved;
	}
	for_tiles(&region->box, damage, at)
	{
		struct tile *tile = &damage->tiles[at];
		bool still = now_us - regions->heat.tiles[at].last_us >= still_us(regions);
		if (tile->cover && !tile->moved && still && !region->changed)
			damage_uncover(damage, surface, at, true);
		else if (!tile->cover && tile->fresh && tile->rows >= HEAT_ROWS &&
			 heat_is_warm(&regions->heat, at, now_us))
			cover(regions, number, damage, surface, at);
		covered += tile->cover == number + 1;
	}
	if (!covered)
		stop(regions, number, damage, surface, now_us);
}

/* Much of it stands, or it shows text by now: no film any more. */
static void check(struct regions *regions, size_t number, struct damage *damage,
		  const struct surface *surface, uint64_t now_us)
{
	struct region *region = &regions->list[number];
	struct shown shown = { 0 };
	if (now_us - region->checked_us < CHECK_US)
		return;
	region->checked_us = now_us;
	for_tiles(&region->box, damage, at)
	{
		if (damage->tiles[at].cover == number + 1)
			count_shown(regions, damage, surface, at, &shown);
	}
	if (shows_film(&shown, &region->box, MIN_RUNNING))
		return;
	regions_refuse(regions, damage, surface, number, now_us);
}

/* It stopped a moment ago: a film that goes on need not be found anew. */
static void resume(struct regions *regions, size_t number, struct damage *damage,
		   const struct surface *surface, uint64_t now_us)
{
	struct region *region = &regions->list[number];
	unsigned warm = 0;
	if (now_us - region->since_us >= REGION_KEPT_US) {
		region->state = REGION_NONE;
		return;
	}
	for_tiles(&region->box, damage, at)
	{
		warm += damage->tiles[at].fresh && heat_is_warm(&regions->heat, at, now_us);
	}
	if (warm * 100u >= (unsigned)region->box.width * region->box.height * MIN_FILLED)
		run(regions, number, damage, surface, now_us);
}

/* ---- the search ------------------------------------------------------------------------- */

static struct rect in_pixels(const struct damage *damage, const struct heat_box *box)
{
	unsigned right = MIN(box->right * DAMAGE_TILE, damage->width);
	unsigned bottom = MIN(box->bottom * DAMAGE_TILE, damage->height);
	return (struct rect){ (uint16_t)(box->left * DAMAGE_TILE),
			      (uint16_t)(box->top * DAMAGE_TILE),
			      (uint16_t)(right - box->left * DAMAGE_TILE),
			      (uint16_t)(bottom - box->top * DAMAGE_TILE) };
}

static struct rect in_tiles(const struct rect *pixels)
{
	unsigned x = pixels->x / DAMAGE_TILE, y = pixels->y / DAMAGE_TILE;
	unsigned right = ((unsigned)pixels->x + pixels->width + DAMAGE_TILE - 1) / DAMAGE_TILE;
	unsigned bottom = ((unsigned)pixels->y + pixels->height + DAMAGE_TILE - 1) / DAMAGE_TILE;
	return (struct rect){ (uint16_t)x, (uint16_t)y, (uint16_t)(right - x),
			      (uint16_t)(bottom - y) };
}

static bool is_covered(const struct regions *regions, const struct rect *box)
{
	for (size_t i = 0; i < REGIONS; i++)
		if (regions->list[i].state == REGION_RUNNING &&
		    rect_contains(&regions->list[i].box, box))
			return true;
	return false;
}

static void search(struct regions *regions, const struct damage *damage,
		   const struct surface *surface, uint64_t now_us)
{
	struct heat_box boxes[HEAT_BOXES];
	if (now_us < regions->search_us)
		return;
	regions->search_us = now_us + SEARCH_US;
	size_t count = heat_find(&regions->heat, damage, now_us, PROBE_AFTER_US, boxes);
	for (size_t i = 0; i < count; i++) {
		struct rect pixels = in_pixels(damage, &boxes[i]), tiles = in_tiles(&pixels);
		if (pixels.width < DAMAGE_COVER_MIN || pixels.height < DAMAGE_COVER_MIN ||
		    is_covered(regions, &tiles) ||
		    !is_film(regions, damage, surface, &tiles, now_us, PROBE_AFTER_US))
			continue;
		/* Without memory for a probe there is no film. */
		(void)!probe_start(&regions->probe, surface, &pixels, now_us);
		return;
	}
}

/* Where a new region goes; those that it overlaps stop. REGIONS: there is no room. */
static size_t make_room(struct regions *regions, struct damage *damage,
			const struct surface *surface, const struct rect *box, uint64_t now_us)
{
	size_t place = REGIONS;
	for (size_t i = 0; i < REGIONS; i++) {
		struct region *region = &regions->list[i];
		if (region->state == REGION_RUNNING && rect_overlap(&region->box, box))
			stop(regions, i, damage, surface, now_us);
		if (region->state == REGION_STOPPED && rect_overlap(&region->box, box))
			region->state = REGION_NONE;
	}
	for (size_t i = REGIONS; i-- > 0;)
		if (regions->list[i].state == REGION_NONE)
			place = i;
	for (size_t i = 0; place == REGIONS && i < REGIONS; i++)
		if (regions->list[i].state == REGION_STOPPED)
			place = i;
	return place;
}

static void finish_probe(struct regions *regions, struct damage *damage,
			 const struct surface *surface, uint64_t now_us)
{
	struct rect found = probe_found(&regions->probe), box = in_tiles(&found);
	regions->search_us = now_us + REFUSED_US;
	probe_stop(&regions->probe);
	if (found.width < DAMAGE_COVER_MIN || found.height < DAMAGE_COVER_MIN)
		return;
	size_t place = make_room(regions, damage, surface, &box, now_us);
	if (place == REGIONS)
		return;
	damage->covers[place] = found;
	regions->list[place].box = box;
	run(regions, place, damage, surface, now_us);
}

static void update_probe(struct regions *regions, struct damage *damage,
			 const struct surface *surface, uint64_t now_us)
{
	struct probe *probe = &regions->probe;
	struct rect box = in_tiles(&probe->box);
	bool fresh = false;
	for_tiles(&box, damage, at)
	{
		fresh |= damage->tiles[at].fresh;
	}
	if (fresh)
		probe_compare(probe, surface);
	if (now_us - probe->since_us > PROBE_MAX_US) {
		probe_stop(probe);
		regions->search_us = now_us + REFUSED_US;
	} else if (probe->changes >= PROBE_CHANGES &&
		   is_film(regions, damage, surface, &box, now_us, HEAT_RUN_US)) {
		finish_probe(regions, damage, surface, now_us);
	}
}

void regions_update(struct regions *regions, struct damage *damage, const struct surface *surface,
		    uint64_t now_us, bool slow)
{
	regions->heat.slow = slow;
	heat_note(&regions->heat, damage, now_us);
	for (size_t i = 0; i < REGIONS; i++) {
		if (regions->list[i].state == REGION_RUNNING)
			update_tiles(regions, i, damage, surface, now_us);
		if (regions->list[i].state == REGION_RUNNING)
			check(regions, i, damage, surface, now_us);
		if (regions->list[i].state == REGION_STOPPED)
			resume(regions, i, damage, surface, now_us);
	}
	if (regions->probe.running)
		update_probe(regions, damage, surface, now_us);
	else
		search(regions, damage, surface, now_us);
}

void regions_stop(struct regions *regions, struct damage *damage, const struct surface *surface,
		  uint64_t now_us)
{
	for (size_t i = 0; i < REGIONS; i++)
		if (regions->list[i].state == REGION_RUNNING)
			stop(regions, i, damage, surface, now_us);
}

void regions_forget(struct regions *regions, struct damage *damage, const struct surface *surface,
		    uint64_t now_us)
{
	regions_stop(regions, damage, surface, now_us);
	for (size_t i = 0; i < REGIONS; i++)
		regions->list[i].state = REGION_NONE;
	probe_stop(&regions->probe);
}

void regions_renew(struct regions *regions)
{
	for (size_t i = 0; i < REGIONS; i++)
		if (regions->list[i].state == REGION_RUNNING)
			regions->list[i].start = ++regions->starts;
}

uint64_t regions_due_us(const struct regions *regions, const struct damage *damage)
{
	uint64_t due = UINT64_MAX;
	for (size_t i = 0; i < REGIONS; i++) {
		const struct region *region = &regions->list[i];
		if (region->state == REGION_STOPPED)
			due = MIN(due, region->since_us + REGION_KEPT_US);
		if (region->state != REGION_RUNNING)
			continue;
		for_tiles(&region->box, damage, at)
		{
			if (damage->tiles[at].cover)
				due = MIN(due, regions->heat.tiles[at].last_us + still_us(regions));
		}
	}
	return due == UINT64_MAX ? 0 : due;
}
