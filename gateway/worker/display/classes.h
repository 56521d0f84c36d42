/*
 * classes.h - what kind of picture a tile shows: text and lines, which must stay exact, or a photo,
 * which may go lossy for a moment.
 */
#ifndef SEKISHO_WORKER_DISPLAY_CLASSES_H
#define SEKISHO_WORKER_DISPLAY_CLASSES_H

#include <stdint.h>

#include "worker/display/damage.h"

enum {
	CLASS_COLOURS = 255, /* of anti-aliased text on a plain ground at most, in one tile */
};

enum tile_class {
	CLASS_SHARP,  /* text and lines */
	CLASS_SMOOTH, /* no edges, but nothing that costs much either: plain ground, the sky */
	CLASS_PHOTO,
};

struct class_entry {
	uint64_t digest; /* damage_digest of what the class is for */
	uint8_t class;
};

struct classes {
	struct class_entry *entries; /* owned; one for each tile */
	uint64_t looked;             /* tiles whose pixels were looked at, for tests */
};

nodiscard enum err classes_init(struct classes *classes, const struct damage *damage);
void classes_finish(struct classes *classes);

/* The tile's class; its pixels are looked at only when its hashes have changed. */
enum tile_class classes_of(struct classes *classes, const struct damage *damage,
			   const struct surface *surface, size_t tile);

#endif
