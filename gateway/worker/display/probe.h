/*
 * probe.h - finds to the pixel where something moves: keeps what the edges of a box of tiles showed
 * and compares.
 */
#ifndef SEKISHO_WORKER_DISPLAY_PROBE_H
#define SEKISHO_WORKER_DISPLAY_PROBE_H

#include <stdbool.h>

#include "worker/display/surface.h"

enum { PROBE_STRIPS = 4 };

struct probe {
	bool running;
	uint64_t since_us;
	unsigned changes; /* times that it was compared */
	struct rect box;  /* pixels, whole tiles but at the desktop's edges */
	/* What moved so far; right and bottom excluded. */
	unsigned left, top, right, bottom;
	struct rect strips[PROBE_STRIPS]; /* of the box: left, right, top, bottom */
	uint32_t *pixels[PROBE_STRIPS];   /* owned */
};

/* ERR_NOMEM: it does not run. box: larger than a tile both ways. */
nodiscard enum err probe_start(struct probe *probe, const struct surface *surface,
			       const struct rect *box, uint64_t now_us);
void probe_stop(struct probe *probe);

/* Something in the box has changed. */
void probe_compare(struct probe *probe, const struct surface *surface);

/* The rectangle that holds everything that moved at the edges, and all within. */
struct rect probe_found(const struct probe *probe);

#endif
