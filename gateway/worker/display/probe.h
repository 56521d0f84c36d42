/*
 * probe.h - finds to the pixel where a film ends: keeps what the edges of a box of tiles showed and
 * compares.
 */
#ifndef SEKISHO_WORKER_DISPLAY_PROBE_H
#define SEKISHO_WORKER_DISPLAY_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/display/damage.h"
#include "worker/display/surface.h"

enum {
	PROBE_SIDES = 4, /* left, right, top, bottom */
	PROBE_SHARE = 4, /* a line belongs to the film when a fourth of it changes at once */
};

/* The tiles at one side of the box. */
struct probe_side {
	struct rect strip;
	uint32_t *pixels;            /* owned; what it showed */
	uint32_t lines[DAMAGE_TILE]; /* columns or rows: pixels that differed at once at most */
};

struct probe {
	bool running;
	uint64_t since_us;
	unsigned changes; /* times that it was compared */
	struct rect
		box; /* pixels: whole tiles but at the desktop's edges, more than one both ways */
	struct probe_side sides[PROBE_SIDES];
};

/* ERR_NOMEM: it does not run. */
nodiscard enum err probe_start(struct probe *probe, const struct surface *surface,
			       const struct rect *box, uint64_t now_us);
void probe_stop(struct probe *probe);

/* Something in the box has changed. */
void probe_compare(struct probe *probe, const struct surface *surface);

/*
 * From the outermost lines that change as a film does. Something small that moves beside it, a
 * letter or a caret, is outside: it must stay exact.
 */
struct rect probe_found(const struct probe *probe);

#endif
