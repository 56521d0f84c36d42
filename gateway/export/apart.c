#include "export/apart.h"

#include <stdlib.h>

#include "base/util.h"

/* A line sweeps down the desktop. What it crosses is kept for each column, so an area costs its
 * width twice: all together less than the pixels that a frame with them draws. */
struct column {
	uint16_t owner, count; /* of the areas in it; 0: there is none */
};

struct edge {
	uint32_t y;
	bool begins;
	uint16_t number; /* of the area */
};

static int compare_edges(const void *a_ptr, const void *b_ptr)
{
	const struct edge *a = a_ptr, *b = b_ptr;

	/* What ends on a line is gone before anything begins there. */
	return a->y != b->y ? (a->y < b->y ? -1 : 1) : (int)a->begins - (int)b->begins;
}

static struct edge *sorted_edges(const struct apart_area *areas, size_t count)
{
	struct edge *edges = calloc(count, 2 * sizeof(*edges));

	for (size_t i = 0; edges && i < count; i++) {
		const struct area *area = &areas[i].area;
		edges[2 * i] = (struct edge){ area->y, true, (uint16_t)i };
		edges[2 * i + 1] = (struct edge){ area->y + area->height, false, (uint16_t)i };
	}
	if (edges)
		qsort(edges, 2 * count, sizeof(*edges), compare_edges);
	return edges;
}

static enum err enter(struct column *columns, const struct apart_area *entering)
{
	for (unsigned i = 0; i < entering->area.width; i++) {
		if (columns[i].count && columns[i].owner != entering->owner)
			return ERR_PROTOCOL;
		columns[i].owner = entering->owner;
		columns[i].count++;
	}
	return OK;
}

static void leave(struct column *columns, const struct apart_area *leaving)
{
	for (unsigned i = 0; i < leaving->area.width; i++)
		columns[i].count--;
}

enum err apart_check(const struct apart_area *areas, size_t count)
{
	struct column columns[FRAME_WIDTH_MAX] = { 0 };
	_cleanup_free_ struct edge *edges = sorted_edges(areas, count);
	enum err err = edges || !count ? OK : ERR_NOMEM;

	for (size_t i = 0; !err && i < 2 * count; i++) {
		const struct apart_area *area = &areas[edges[i].number];
		if (edges[i].begins)
			err = enter(columns + area->area.x, area);
		else
			leave(columns + area->area.x, area);
	}
	return err;
}
