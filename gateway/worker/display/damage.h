/*
 * damage.h - what differs between the surface and what the viewer was last sent. The remote's
 * rectangles only say where to look; hashes of 64-pixel row segments say what changed.
 */
#ifndef SEKISHO_WORKER_DISPLAY_DAMAGE_H
#define SEKISHO_WORKER_DISPLAY_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/display/surface.h"

enum {
	DAMAGE_TILE = 64,             /* pixels, both ways */
	DAMAGE_SPANS = 4,             /* separate runs of changed rows told apart in one tile */
	DAMAGE_MAX_RECTS = 32 * 1024, /* 120 × 68 tiles of 4 spans are fewer */
};

struct damage {
	unsigned width, height; /* of the surface this belongs to */
	unsigned columns, rows; /* in tiles */
	uint8_t *tiles;         /* owned; enum tile_state, columns * rows */
	uint64_t *sent;         /* owned; hash of each row segment as last sent, columns * height */
	size_t waiting;         /* tiles that are not clean */
	struct rect *rects;     /* owned; room for DAMAGE_MAX_RECTS */
	size_t *above, *below;  /* owned; rectangles that may grow downwards, at most columns */
};

void damage_init(struct damage *damage);
void damage_finish(struct damage *damage);

/* Fits the surface's size; everything counts as never sent. ERR_NOMEM. */
nodiscard enum err damage_resize(struct damage *damage, const struct surface *surface);

/* Pixels in the rectangle may have changed; anything outside the surface is cut off. */
void damage_hint(struct damage *damage, int x, int y, int width, int height);

/* Everything is to be sent, changed or not: for a keyframe. */
void damage_all(struct damage *damage);

/* Something may have to be sent. */
static inline bool damage_waiting(const struct damage *damage)
{
	return damage->waiting > 0;
}

/*
 * The rectangles that differ from what was last sent, which from now on counts as sent. They do not
 * overlap. At most max_pixels in sum (but at least one tile); the rest waits. The result is valid
 * until the next call.
 */
size_t damage_take(struct damage *damage, const struct surface *surface, size_t max_pixels,
		   const struct rect **ret_rects);

#endif
