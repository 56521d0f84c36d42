/*
 * copies.h - the parts of the viewer's picture that are only moved: a list of limited length and
 * size, and the search that finds vertical scrolls in the hashes of row segments.
 */
#ifndef SEKISHO_WORKER_DISPLAY_COPIES_H
#define SEKISHO_WORKER_DISPLAY_COPIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	COPIES_MAX = 1024, /* of one frame; MSG_frame has room for more */
	COPIES_AREAS = 4,  /* so many times the desktop's pixels may be moved (docs/protocol.md) */
	COPIES_SEGMENT = 64, /* pixels of a row segment */
};

/*
 * What is known of a row segment: a hash of its pixels, whose lowest bit is 0. Of what a viewer has
 * the lowest bit says that it has them only approximately, and two values stand for no hash.
 */
enum {
	SEGMENT_NONE = 0,  /* nothing is known of the viewer's pixels */
	SEGMENT_LOSSY = 1, /* the bit */
	SEGMENT_VIDEO = 1, /* the viewer has approximately what is there now, and it never moves */
};

static inline bool segment_same(uint64_t one, uint64_t other)
{
	return (one ^ other) <= SEGMENT_LOSSY;
}

/* The viewer has neither the pixels nor an approximation of them. */
static inline bool segment_lacks(uint64_t now, uint64_t sent)
{
	return !segment_same(now, sent) && sent != SEGMENT_VIDEO;
}

/* From and to lie inside the desktop; as it stands on the wire but for the byte order. */
struct copy {
	uint16_t from_x, from_y, x, y, width, height;
};

struct copies {
	struct copy *list; /* owned; room for COPIES_MAX */
	size_t count;
	uint64_t pixels, max_pixels; /* moved, and at most */
};

nodiscard enum err copies_init(struct copies *copies, unsigned width, unsigned height);
void copies_finish(struct copies *copies);
void copies_clear(struct copies *copies);

/* False: there is no room for it. */
bool copies_add(struct copies *copies, struct copy copy);

/*
 * A desktop of columns of row segments. The hashes of a column lie one after the other, from the
 * top: index column * height + y.
 */
struct scrolls {
	unsigned width, height, columns;
	uint16_t *rows;          /* owned; the search table of one column */
	size_t mask;             /* entries of it less one */
	uint32_t *votes;         /* owned; for each distance, -height to height */
	struct scroll_run *runs; /* owned; of one distance, at most COPIES_MAX */
	uint16_t *open, *next;   /* owned; the runs of two columns, from the top */
	size_t run_count, open_count, next_count;
};

nodiscard enum err scrolls_init(struct scrolls *scrolls, unsigned width, unsigned height);
void scrolls_finish(struct scrolls *scrolls);

/*
 * Finds what has moved up or down between sent (the viewer's picture) and now, adds it to copies
 * and moves what is known in sent the same way. changed: for each column how many segments differ.
 * Segments where sent and now were the same are the same afterwards.
 */
void scrolls_find(struct scrolls *scrolls, const uint64_t *now, uint64_t *sent,
		  const uint32_t *changed, struct copies *copies);

#endif
