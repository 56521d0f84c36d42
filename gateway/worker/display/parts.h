/*
 * parts.h - gathers what tiles lack into as few rectangles as possible, and marks rectangles as
 * sent.
 */
#ifndef SEKISHO_WORKER_DISPLAY_PARTS_H
#define SEKISHO_WORKER_DISPLAY_PARTS_H

#include <stddef.h>

#include "worker/display/damage.h"

enum {
	PARTS_SPANS = 4,       /* separate runs of rows told apart in one tile */
	PARTS_MAX = 32 * 1024, /* 120 × 68 tiles of 4 spans are fewer */
};

struct parts {
	struct rect *list; /* owned; room for PARTS_MAX */
	size_t count;
	size_t pixels; /* of all of them */
	size_t *above,
		*below;    /* owned; rectangles that may grow downwards, at most a row's tiles */
	unsigned next_row; /* of tiles, where WAY_LATER begins */
};

nodiscard enum err parts_init(struct parts *parts, const struct damage *damage);
void parts_finish(struct parts *parts);
void parts_clear(struct parts *parts);

/*
 * Adds what tiles with this way lack, until max_pixels are reached; the last tile may exceed them,
 * and the first one is taken in any case when the list was empty. Rectangles do not overlap.
 */
void parts_take(struct parts *parts, const struct damage *damage, enum damage_way way,
		size_t max_pixels);

/* Cuts a rectangle to so many pixels, but to one tile at least: of several rows of tiles whole ones
 * stay, of one row the tiles on the left. */
void parts_cut(struct rect *rect, size_t max_pixels);

/*
 * Keeps at most so many pixels, from the beginning, by dropping rectangles and cutting the last one
 * between tiles; the first tile of the first one stays. False: there was nothing to drop.
 */
bool parts_trim(struct parts *parts, size_t max_pixels);

/* The viewer gets the rectangle as it was last looked at; lossy: approximately, since lossy_us. It
 * must be one of a list, or a part of one cut between tiles. */
void parts_sent(struct damage *damage, const struct rect *rect, bool lossy, uint64_t now_us);

/* The viewer gets the whole desktop as it was last looked at. */
void parts_sent_all(struct damage *damage);

#endif
