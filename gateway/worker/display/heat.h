/*
 * heat.h - how often each tile changes, and boxes of neighbouring tiles that change like a film.
 */
#ifndef SEKISHO_WORKER_DISPLAY_HEAT_H
#define SEKISHO_WORKER_DISPLAY_HEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/display/damage.h"

enum {
	HEAT_BOXES = 8,        /* found at most */
	HEAT_RUN_US = 1000000, /* a film changes at least so long */
	HEAT_GAP_US = 150000,  /* a pause that ends the run */
	HEAT_SLOW_US = 600000, /* the same where the viewer's link is what is slow */
	HEAT_RATE = 10,        /* changes a second of a film */
	HEAT_SLOW_RATE = 3,    /* the same */
	HEAT_ROWS = 8,         /* of a tile that change at least; a caret is smaller */
	HEAT_SAME_US = 10000,  /* changes that are one to the person, drawn in two parts */
};

/* A run of changes without a pause. */
struct heat_tile {
	uint64_t since_us, last_us;
	uint32_t beats;
};

struct heat {
	struct heat_tile *tiles; /* owned; of the damage's tiles */
	uint8_t *marks;          /* owned; likewise, while boxes are searched */
	size_t *stack;           /* owned; likewise */
	bool slow;               /* the viewer's link decides how often tiles are looked at */
};

/* Tiles, right and bottom excluded. */
struct heat_box {
	unsigned left, top, right, bottom;
	unsigned hot; /* tiles in it */
};

nodiscard enum err heat_init(struct heat *heat, const struct damage *damage);
void heat_finish(struct heat *heat);

/* After damage_look. What has only scrolled does not count, nor what was drawn beside it. */
void heat_note(struct heat *heat, const struct damage *damage, uint64_t now_us);

/* The tile has been changing without a pause for so long. */
bool heat_is_hot(const struct heat *heat, size_t tile, uint64_t now_us, uint64_t run_us);

/* It has changed at least three times without a pause. */
bool heat_is_warm(const struct heat *heat, size_t tile, uint64_t now_us);

/* Boxes around neighbouring tiles that are hot for run_us, the largest first; they do not touch. */
size_t heat_find(struct heat *heat, const struct damage *damage, uint64_t now_us, uint64_t run_us,
		 struct heat_box ret[HEAT_BOXES]);

#endif
