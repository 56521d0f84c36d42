/*
 * layout.h - the windows of a session as monitors side by side: what the PC is asked for, and which
 * part of its desktop each window shows. Pure logic.
 */
#ifndef SEKISHO_WORKER_LAYOUT_H
#define SEKISHO_WORKER_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/display/surface.h"

enum {
	LAYOUT_MONITORS = 2,
	LAYOUT_MIN_SIZE = 200, /* of a monitor, both ways: what a PC takes */
};

struct layout {
	struct {
		bool there;
		unsigned width, height; /* 0: it does not care */
	} windows[LAYOUT_MONITORS];
	unsigned width, height; /* of the desktop */
	/* As the PC was asked last, and as its desktop is now. */
	struct rect asked[LAYOUT_MONITORS], shown[LAYOUT_MONITORS];
	size_t asked_count, shown_count;
};

/* A window wants this size (0: any), or is gone. */
void layout_want(struct layout *layout, unsigned window, unsigned width, unsigned height);
void layout_leave(struct layout *layout, unsigned window);

/*
 * What to ask the PC for: even widths, together at most SURFACE_MAX_*, the first at the left, no
 * more than most monitors. 0: the desktop is as it should be, or nobody cares.
 */
size_t layout_wish(const struct layout *layout, unsigned most, struct rect rects[LAYOUT_MONITORS]);

/* The PC was asked for this. */
void layout_asked(struct layout *layout, const struct rect *rects, size_t count);

/* The desktop has this size from now on. */
void layout_desktop(struct layout *layout, unsigned width, unsigned height);

/* The PC was asked for this window's monitor and has not made it yet. */
bool layout_coming(const struct layout *layout, unsigned window);

/* Which window's monitor a place of the whole desktop is on; the place becomes one of that monitor.
 */
unsigned layout_at(const struct layout *layout, uint16_t *x, uint16_t *y);

/* What a window shows: its monitor where the PC has made one, else the whole desktop. */
struct rect layout_part(const struct layout *layout, unsigned window);

#endif
