#include "worker/display/copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum {
	FEW_CHANGED = 96,   /* segments: typing, a button; not worth a search */
	COLUMN_CHANGED = 8, /* fewer in a column neither vote nor move */
	VOTING_COLUMNS = 32,
	MIN_VOTES = 24,
	MIN_GAIN = 8,      /* rows that a copy spares, in each column */
	MAX_DISTANCES = 3, /* tried: several windows may scroll at once */
	TWICE = 0x8000,    /* in the table: the row's hash is not the only one of its kind */
};

/*
 * Rows of neighbouring columns that move the same way. Between top and bottom every segment fits;
 * between first and last lie those that differ now. A run may shrink to the latter.
 */
struct scroll_run {
	unsigned column, columns;
	unsigned top, bottom, first, last; /* bottom and last excluded */
};

/* ---- the list --------------------------------------------------------------------------- */

enum err copies_init(struct copies *copies, unsigned width, unsigned height)
{
	*copies = (struct copies){ .max_pixels = (uint64_t)width * height * COPIES_AREAS };
	copies->list = calloc(COPIES_MAX, sizeof(*copies->list));
	return copies->list ? OK : ERR_NOMEM;
}

void copies_finish(struct copies *copies)
{
	free(copies->list);
	*copies = (struct copies){ 0 };
}

void copies_clear(struct copies *copies)
{
	copies->count = 0;
	copies->pixels = 0;
}

bool copies_add(struct copies *copies, struct copy copy)
{
	uint64_t pixels = (uint64_t)copy.width * copy.height;
	if (copies->count == COPIES_MAX || pixels > copies->max_pixels - copies->pixels)
		return false;
	copies->list[copies->count++] = copy;
	copies->pixels += pixels;
	return true;
}

/* ---- the search ------------------------------------------------------------------------- */

enum err scrolls_init(struct scrolls *scrolls, unsigned width, unsigned height)
{
	*scrolls = (struct scrolls){
		.width = width,
		.height = height,
		.columns = (width + COPIES_SEGMENT - 1) / COPIES_SEGMENT,
		.mask = 1023,
	};
	while (scrolls->mask < 2 * (size_t)height)
		scrolls->mask = scrolls->mask * 2 + 1;
	scrolls->rows = calloc(scrolls->mask + 1, sizeof(*scrolls->rows));
	scrolls->votes = calloc(2 * (size_t)height + 1, sizeof(*scrolls->votes));
	scrolls->runs = calloc(COPIES_MAX, sizeof(*scrolls->runs));
	scrolls->open = calloc(COPIES_MAX, sizeof(*scrolls->open));
	scrolls->next = calloc(COPIES_MAX, sizeof(*scrolls->next));
	if (scrolls->rows && scrolls->votes && scrolls->runs && scrolls->open && scrolls->next)
		return OK;
	scrolls_finish(scrolls);
	return ERR_NOMEM;
}

void scrolls_finish(struct scrolls *scrolls)
{
	free(scrolls->rows);
	free(scrolls->votes);
	free(scrolls->runs);
	free(scrolls->open);
	free(scrolls->next);
	*scrolls = (struct scrolls){ 0 };
}

/*
 * Every changed segment that was elsewhere in its column says how far it has come. The table loses
 * rows whose places are taken: enough others vote. Those that look alike, like empty lines, have no
 * say.
 */
static void vote(struct scrolls *scrolls, const uint64_t *now, const uint64_t *sent)
{
	uint16_t *rows = scrolls->rows;
	memset(rows, 0, (scrolls->mask + 1) * sizeof(*rows));
	for (unsigned y = 0; y < scrolls->height; y++) {
		uint16_t *row = &rows[sent[y] >> 1 & scrolls->mask];
		if (!*row)
			*row = (uint16_t)(y + 1);
		else if (segment_same(sent[(*row & ~TWICE) - 1], sent[y]))
			*row = (uint16_t)(*row | TWICE);
	}
	for (unsigned y = 0; y < scrolls->height; y++) {
		unsigned row = rows[now[y] >> 1 & scrolls->mask];
		if (row && !(row & TWICE) && !segment_same(now[y], sent[y]) &&
		    segment_same(sent[row - 1], now[y]))
			scrolls->votes[scrolls->height + y - (row - 1)]++;
	}
}

static void vote_all(struct scrolls *scrolls, const uint64_t *now, const uint64_t *sent,
		     const uint32_t *changed)
{
	unsigned voters = 0, step, place = 0;
	memset(scrolls->votes, 0, (2 * (size_t)scrolls->height + 1) * sizeof(*scrolls->votes));
	for (unsigned c = 0; c < scrolls->columns; c++)
		voters += changed[c] >= COLUMN_CHANGED;
	step = (voters + VOTING_COLUMNS - 1) / VOTING_COLUMNS;
	for (unsigned c = 0; c < scrolls->columns; c++)
		if (changed[c] >= COLUMN_CHANGED && place++ % step == 0)
			vote(scrolls, now + (size_t)c * scrolls->height,
			     sent + (size_t)c * scrolls->height);
}

/* The distance with the most votes, which are taken away; 0 when none has enough. */
static int elect(struct scrolls *scrolls)
{
	size_t best = 0;
	for (size_t i = 1; i <= 2 * (size_t)scrolls->height; i++)
		if (scrolls->votes[i] > scrolls->votes[best])
			best = i;
	if (scrolls->votes[best] < MIN_VOTES)
		return 0;
	scrolls->votes[best] = 0;
	return (int)best - (int)scrolls->height;
}

/* Grows a run of the column on the left by this one when no segment is lost by that. */
static bool join(struct scroll_run *left, const struct scroll_run *run)
{
	unsigned top = MAX(left->top, run->top), bottom = MIN(left->bottom, run->bottom);
	unsigned first = MIN(left->first, run->first), last = MAX(left->last, run->last);
	if (top > first || bottom < last)
		return false;
	left->columns++;
	left->top = top;
	left->bottom = bottom;
	left->first = first;
	left->last = last;
	return true;
}

/* Runs of both columns come from the top down; at is the first on the left that may still touch. */
static void add_run(struct scrolls *scrolls, size_t *at, const struct scroll_run *run)
{
	while (*at < scrolls->open_count && scrolls->runs[scrolls->open[*at]].bottom <= run->top)
		++*at;
	for (size_t i = *at; i < scrolls->open_count; i++) {
		struct scroll_run *left = &scrolls->runs[scrolls->open[i]];
		if (left->top >= run->bottom)
			break;
		if (join(left, run)) {
			scrolls->next[scrolls->next_count++] = scrolls->open[i];
			*at = i + 1;
			return;
		}
	}
	if (scrolls->run_count < COPIES_MAX) {
		scrolls->next[scrolls->next_count++] = (uint16_t)scrolls->run_count;
		scrolls->runs[scrolls->run_count++] = *run;
	}
}

/* Collects the runs of one column that have come by distance (downwards when positive). */
static void find_runs(struct scrolls *scrolls, unsigned column, const uint64_t *now,
		      const uint64_t *sent, int distance)
{
	unsigned y = distance > 0 ? (unsigned)distance : 0;
	unsigned end = distance < 0 ? scrolls->height - (unsigned)-distance : scrolls->height;
	size_t at = 0;
	while (y < end) {
		struct scroll_run run = { .column = column, .columns = 1, .top = y };
		unsigned gain = 0;
		for (; y < end && segment_same(now[y], sent[(int)y - distance]); y++) {
			if (segment_same(now[y], sent[y]))
				continue;
			run.first = gain++ ? run.first : y;
			run.last = y + 1;
		}
		run.bottom = y++;
		if (gain >= MIN_GAIN)
			add_run(scrolls, &at, &run);
	}
}

static void find_all_runs(struct scrolls *scrolls, const uint64_t *now, const uint64_t *sent,
			  const uint32_t *changed, int distance)
{
	scrolls->run_count = scrolls->next_count = 0;
	for (unsigned c = 0; c < scrolls->columns; c++) {
		uint16_t *swap = scrolls->open;
		scrolls->open = scrolls->next;
		scrolls->open_count = scrolls->next_count;
		scrolls->next = swap;
		scrolls->next_count = 0;
		if (changed[c] >= COLUMN_CHANGED)
			find_runs(scrolls, c, now + (size_t)c * scrolls->height,
				  sent + (size_t)c * scrolls->height, distance);
	}
}

static int downwards(const void *a, const void *b)
{
	const struct scroll_run *one = a, *other = b;
	return (one->first > other->first) - (one->first < other->first);
}

static int upwards(const void *a, const void *b)
{
	return downwards(b, a);
}

static void move(struct scrolls *scrolls, const struct scroll_run *run, int distance,
		 uint64_t *sent, struct copies *copies)
{
	unsigned left = run->column * COPIES_SEGMENT;
	unsigned right = MIN((run->column + run->columns) * COPIES_SEGMENT, scrolls->width);
	unsigned from_y = (unsigned)((int)run->first - distance), rows = run->last - run->first;
	struct copy copy = { (uint16_t)left,       (uint16_t)from_y,         (uint16_t)left,
			     (uint16_t)run->first, (uint16_t)(right - left), (uint16_t)rows };
	if (!copies_add(copies, copy))
		return;
	for (unsigned c = run->column; c < run->column + run->columns; c++) {
		uint64_t *column = sent + (size_t)c * scrolls->height;
		memmove(column + run->first, column + from_y, rows * sizeof(*column));
	}
}

void scrolls_find(struct scrolls *scrolls, const uint64_t *now, uint64_t *sent,
		  const uint32_t *changed, struct copies *copies)
{
	size_t sum = 0;
	int distance;
	for (unsigned c = 0; c < scrolls->columns; c++)
		sum += changed[c];
	if (sum < FEW_CHANGED)
		return;
	vote_all(scrolls, now, sent, changed);
	for (int i = 0; i < MAX_DISTANCES && (distance = elect(scrolls)) != 0; i++) {
		find_all_runs(scrolls, now, sent, changed, distance);
		/* What moves down goes from the bottom up, so that none takes what another still
		 * needs. */
		qsort(scrolls->runs, scrolls->run_count, sizeof(*scrolls->runs),
		      distance > 0 ? upwards : downwards);
		for (size_t r = 0; r < scrolls->run_count; r++)
			move(scrolls, &scrolls->runs[r], distance, sent, copies);
	}
}
