#include "worker/display/heat.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { WARM_BEATS = 3 };

enum err heat_init(struct heat *heat, const struct damage *damage)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	*heat = (struct heat){
		.tiles = calloc(tiles, sizeof(*heat->tiles)),
		.marks = calloc(tiles, 1),
		.stack = calloc(tiles, sizeof(*heat->stack)),
	};
	if (heat->tiles && heat->marks && heat->stack)
		return OK;
	heat_finish(heat);
	return ERR_NOMEM;
}

void heat_finish(struct heat *heat)
{
	free(heat->tiles);
	free(heat->marks);
	free(heat->stack);
	*heat = (struct heat){ 0 };
}

static uint64_t gap_us(const struct heat *heat)
{
	return heat->slow ? HEAT_SLOW_US : HEAT_GAP_US;
}

static bool beats_now(const struct damage *damage, size_t at)
{
	const struct tile *tile = &damage->tiles[at];
	if (tile->moved)
		return true;
	return tile->fresh && tile->rows >= HEAT_ROWS && !damage->scrolled[at % damage->columns];
}

void heat_note(struct heat *heat, const struct damage *damage, uint64_t now_us)
{
	size_t tiles = (size_t)damage->columns * damage->rows;
	for (size_t i = 0; i < tiles; i++) {
		struct heat_tile *tile = &heat->tiles[i];
		if (!beats_now(damage, i) || (tile->beats && now_us - tile->last_us < HEAT_SAME_US))
			continue;
		if (!tile->beats || now_us - tile->last_us > gap_us(heat)) {
			tile->since_us = now_us;
			tile->beats = 0;
		}
		tile->beats++;
		tile->last_us = now_us;
	}
}

bool heat_is_hot(const struct heat *heat, size_t at, uint64_t now_us, uint64_t run_us)
{
	const struct heat_tile *tile = &heat->tiles[at];
	uint64_t lasted_us = now_us - tile->since_us;
	unsigned rate = heat->slow ? HEAT_SLOW_RATE : HEAT_RATE;
	return tile->beats && now_us - tile->last_us <= gap_us(heat) && lasted_us >= run_us &&
	       tile->beats * 1000000ull >= rate * lasted_us;
}

bool heat_is_warm(const struct heat *heat, size_t at, uint64_t now_us)
{
	const struct heat_tile *tile = &heat->tiles[at];
	return tile->beats >= WARM_BEATS && now_us - tile->last_us <= gap_us(heat);
}

/* ---- boxes ------------------------------------------------------------------------------ */

static void push(struct heat *heat, size_t *depth, size_t at)
{
	if (!heat->marks[at])
		return;
	heat->marks[at] = 0;
	heat->stack[(*depth)++] = at;
}

/* Takes the marked tile and all that hang together with it out of the marks. */
static struct heat_box flood(struct heat *heat, const struct damage *damage, size_t from)
{
	struct heat_box box = { UINT32_MAX, UINT32_MAX, 0, 0, 0 };
	size_t depth = 0;
	push(heat, &depth, from);
	while (depth) {
		size_t at = heat->stack[--depth];
		unsigned x = (unsigned)(at % damage->columns);
		unsigned y = (unsigned)(at / damage->columns);
		box.left = MIN(box.left, x);
		box.right = MAX(box.right, x + 1);
		box.top = MIN(box.top, y);
		box.bottom = MAX(box.bottom, y + 1);
		box.hot++;
		if (x > 0)
			push(heat, &depth, at - 1);
		if (x + 1 < damage->columns)
			push(heat, &depth, at + 1);
		if (y > 0)
			push(heat, &depth, at - damage->columns);
		if (y + 1 < damage->rows)
			push(heat, &depth, at + damage->columns);
	}
	return box;
}

/* They have a tile in common, or lie next to each other. */
static bool touch(const struct heat_box *a, const struct heat_box *b)
{
	return a->left <= b->right && b->left <= a->right && a->top <= b->bottom &&
	       b->top <= a->bottom;
}

/* Adds a box, together with all that it touches then. */
static void add_box(struct heat_box *boxes, size_t *count, struct heat_box box)
{
	for (size_t i = 0; i < *count; i++) {
		if (!touch(&boxes[i], &box))
			continue;
		box.left = MIN(box.left, boxes[i].left);
		box.top = MIN(box.top, boxes[i].top);
		box.right = MAX(box.right, boxes[i].right);
		box.bottom = MAX(box.bottom, boxes[i].bottom);
		box.hot += boxes[i].hot;
		boxes[i] = boxes[--*count];
		i = SIZE_MAX; /* from the beginning */
	}
	if (*count < HEAT_BOXES)
		boxes[(*count)++] = box;
}

static int largest_first(const void *a, const void *b)
{
	const struct heat_box *one = a, *other = b;
	return (one->hot < other->hot) - (one->hot > other->hot);
}

size_t heat_find(struct heat *heat, const struct damage *damage, uint64_t now_us, uint64_t run_us,
		 struct heat_box ret[HEAT_BOXES])
{
	size_t tiles = (size_t)damage->columns * damage->rows, count = 0;
	for (size_t i = 0; i < tiles; i++)
		heat->marks[i] = heat_is_hot(heat, i, now_us, run_us);
	for (size_t i = 0; i < tiles; i++)
		if (heat->marks[i])
			add_box(ret, &count, flood(heat, damage, i));
	qsort(ret, count, sizeof(*ret), largest_first);
	return count;
}
