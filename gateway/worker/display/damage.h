/*
 * damage.h - what the viewer's picture lacks of the surface, tile by tile. What the remote says
 * tells where to look; hashes of 64-pixel row segments say what changed, what has only moved, and
 * what the viewer has only approximately.
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
	DAMAGE_COVERS = 2,            /* videos at once */
	DAMAGE_COVER_MIN = 2 * DAMAGE_TILE,
};

/* How what a tile lacks goes to the viewer in this frame, see parts.h. */
enum damage_way {
	WAY_NONE,
	WAY_EXACT,
	WAY_LATER,   /* exactly, after the others when not all has room */
	WAY_LOSSY,   /* as a picture first */
	WAY_REFRESH, /* nothing is lacking, but what is approximate goes exactly */
};

struct tile {
	uint64_t changed_us, before_us; /* the last two times that it was seen to have changed */
	uint64_t lossy_us;              /* when approximate pixels last came to it */
	uint64_t digest;                /* of the pixels that a video covers */
	bool dirty;                     /* must be looked at, or the viewer lacks something */
	bool fresh;                     /* changed between the last two looks */
	bool moved;                     /* so did what a video covers of it */
	bool lossy;                     /* some of it may be approximate */
	bool video;                     /* some of that may have been drawn by a video */
	bool filmed;                    /* the viewer is ahead of the surface, see films.h */
	uint8_t cover;                  /* number of the video that draws it; 0: none */
	uint8_t rows;                   /* that the viewer lacks, as far as known */
	uint8_t way;                    /* enum damage_way */
	bool refresh;                   /* what is approximate goes along, or alone */
};

struct damage {
	unsigned width, height; /* of the surface this belongs to */
	unsigned columns, rows; /* in tiles */
	struct tile *tiles;     /* owned; columns * rows */
	/* Of each row segment, index column * height + y: the hash of the surface when it was last
	 * looked at, and what the viewer has after the copies that wait (segment_… in copies.h). Of
	 * segments that a video covers in part they mean the rest. */
	uint64_t *now, *sent; /* owned */
	uint32_t *changed;    /* owned; segments of each column that differ */
	bool *scrolled;       /* owned; columns that the last look's copies touch */
	size_t waiting;       /* dirty tiles */
	size_t filmed;        /* tiles */
	bool lossy;           /* some tile may be */
	struct rect covers[DAMAGE_COVERS];
	struct scrolls scrolls;
	struct copies copies;
};

void damage_init(struct damage *damage);
void damage_finish(struct damage *damage);

/* Fits the surface's size; the viewer has nothing. ERR_NOMEM. */
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

/* The viewer has nothing any more: everything is to be sent, changed or not. */
void damage_all(struct damage *damage);

/* Something may have to be sent. */
static inline bool damage_waiting(const struct damage *damage)
{
	return damage->waiting > 0 || damage->copies.count > 0;
}

/*
 * Looks at everything dirty: tiles say then what changed and how many rows the viewer lacks, and
 * damage->copies holds what goes first in this frame, in order and each as if through a temporary
 * buffer. Those that the viewer must get are in it from then on.
 */
void damage_look(struct damage *damage, const struct surface *surface, uint64_t now_us);

/*
 * From now on video number 1 to DAMAGE_COVERS draws the tile's pixels inside its rectangle in
 * damage->covers, which must have at least DAMAGE_COVER_MIN pixels both ways and a pixel of the
 * tile; the rest of the tile goes on as usual. No copies touch such a tile. After the look.
 */
void damage_cover(struct damage *damage, const struct surface *surface, size_t tile,
		  unsigned number);

/* No longer. shown: the viewer has what the tile shows since changed_us, approximately; else it has
 * nothing of use. */
void damage_uncover(struct damage *damage, const struct surface *surface, size_t tile, bool shown);

/* The pixels of row y of a tile that no video covers: from ret_left to the result, excluded. */
unsigned damage_open(const struct damage *damage, unsigned column, unsigned y, unsigned *ret_left);

/* The part of a tile that its video covers; empty without a video. */
struct rect damage_covered(const struct damage *damage, size_t tile);

/* The frame is complete: the copies are on their way, and so is what parts.h marked as sent. */
void damage_settle(struct damage *damage);

/* The hash of a segment of the surface, and a value for each that no hash has but by chance. */
uint64_t damage_hash(const struct damage *damage, const struct surface *surface, unsigned column,
		     unsigned y);
uint64_t damage_place(unsigned column, unsigned y);

/* Of the whole tile as last looked at; another value when anything in it changed. */
uint64_t damage_digest(const struct damage *damage, size_t tile);

#endif
