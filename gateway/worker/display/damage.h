/*
 * damage.h - what brings the viewer's picture to the surface's: copies of what has only moved, then
 * rectangles. What the remote says tells where to look; hashes of 64-pixel row segments say what
 * changed.
 */
#ifndef SEKISHO_WORKER_DISPLAY_DAMAGE_H
#define SEKISHO_WORKER_DISPLAY_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/display/copies.h"
#include "worker/display/surface.h"

enum {
	DAMAGE_TILE = COPIES_SEGMENT, /* pixels, both ways */
	DAMAGE_SPANS = 4,             /* separate runs of changed rows told apart in one tile */
	DAMAGE_MAX_RECTS = 32 * 1024, /* 120 × 68 tiles of 4 spans are fewer */
};

struct damage {
	unsigned width, height; /* of the surface this belongs to */
	unsigned columns, rows; /* in tiles */
	uint8_t *tiles;         /* owned; enum tile_state, columns * rows */
	/* Hash of each row segment, index column * height + y: of the surface when it was last
	 * looked at, and of the viewer's picture after the copies that wait. Equal in clean tiles.
	 */
	uint64_t *now, *sent; /* owned */
	uint32_t *changed;    /* owned; segments of each column that differ */
	size_t waiting, sure; /* tiles that are not clean; those of them sent in any case */
	struct scrolls scrolls;
	struct copies copies;
	struct rect *rects;    /* owned; room for DAMAGE_MAX_RECTS */
	size_t *above, *below; /* owned; rectangles that may grow downwards, at most columns */
};

void damage_init(struct damage *damage);
void damage_finish(struct damage *damage);

/* Fits the surface's size; everything counts as never sent. ERR_NOMEM. */
nodiscard enum err damage_resize(struct damage *damage, const struct surface *surface);

/* Pixels in the rectangle may have changed; anything outside the surface is cut off. */
void damage_hint(struct damage *damage, int x, int y, int width, int height);

/*
 * The remote has just moved these pixels of the surface and has told everything else that it has
 * drawn before. From and to must have the same size; anything that does not lie inside the surface
 * is only a hint.
 */
void damage_copied(struct damage *damage, const struct surface *surface, int from_x, int from_y,
		   int x, int y, int width, int height);

/* Everything is to be sent, changed or not: for a keyframe. No copies until that is done: they
 * would move what the viewer may not have. */
void damage_all(struct damage *damage);

/* Something may have to be sent. */
static inline bool damage_waiting(const struct damage *damage)
{
	return damage->waiting > 0 || damage->copies.count > 0;
}

/* First the copies, in order and each as if through a temporary buffer, then the rectangles. */
struct damage_parts {
	const struct copy *copies;
	const struct rect *rects;
	size_t copy_count, rect_count;
};

/*
 * What brings the viewer from what was last sent to the surface, and from now on counts as sent.
 * Rectangles do not overlap and have at most max_pixels in sum (but at least one tile); the rest
 * waits. The result is valid until the next call of any function.
 */
void damage_take(struct damage *damage, const struct surface *surface, size_t max_pixels,
		 struct damage_parts *ret);

#endif
