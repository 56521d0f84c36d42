/*
 * surface.h - the one framebuffer of a session: BGRX, rows aligned to 64 bytes. The X byte carries
 * whatever the remote left there (VNC servers often 0, FreeRDP often 255); nothing here or later
 * may depend on it.
 */
#ifndef SEKISHO_WORKER_DISPLAY_SURFACE_H
#define SEKISHO_WORKER_DISPLAY_SURFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	SURFACE_MAX_WIDTH = 7680,
	SURFACE_MAX_HEIGHT = 4320,
	SURFACE_PIXEL = 4, /* bytes */
	/* Behind the last row, for a decoder that a hostile PC makes write a row and a pixel too
	 * many (FreeRDP's ClearCodec). Never read, and no memory until then. */
	SURFACE_SPARE_ROWS = 2,
};

struct surface {
	uint8_t *data; /* owned; NULL while there is no desktop */
	unsigned width, height;
	size_t stride; /* bytes from row to row, a multiple of 64 */
	size_t size;   /* mapped bytes, with the spare rows */
};

/* For the few loops over every pixel: gcc vectorises them at -O3 only, clang at -O2 already. */
#ifdef __clang__
#define surface_hot
#else
#define surface_hot __attribute__((optimize("O3")))
#endif

/* A rectangle inside a surface, in pixels; as it stands on the wire but for the byte order. */
struct rect {
	uint16_t x, y, width, height;
};

static inline bool rect_same(const struct rect *a, const struct rect *b)
{
	return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static inline bool rect_overlap(const struct rect *a, const struct rect *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static inline bool rect_contains(const struct rect *outer, const struct rect *inner)
{
	return outer->x <= inner->x && outer->y <= inner->y &&
	       outer->x + outer->width >= inner->x + inner->width &&
	       outer->y + outer->height >= inner->y + inner->height;
}

void surface_init(struct surface *surface);
void surface_finish(struct surface *surface);

/* Gives the surface a new size and black pixels. ERR_INVALID for a size of 0 or over the limits;
 * then it is as before. */
nodiscard enum err surface_resize(struct surface *surface, unsigned width, unsigned height);

static inline const uint8_t *surface_at(const struct surface *surface, unsigned x, unsigned y)
{
	return surface->data + (size_t)y * surface->stride + (size_t)x * SURFACE_PIXEL;
}

#endif
