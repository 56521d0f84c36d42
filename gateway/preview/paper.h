/*
 * paper.h - what a page or a picture is drawn on: a white surface that is as large as a preview
 * gets.
 */
#ifndef SEKISHO_PREVIEW_PAPER_H
#define SEKISHO_PREVIEW_PAPER_H

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/enums.h"

enum {
	PAPER_SIDE = 1754,               /* pixels of the longer one: A4 with 150 dpi */
	PAPER_PIXELS = 64 * 1000 * 1000, /* of a picture that is scaled down */
};

/* For something of that shape; ret_scale: of what is drawn on it. */
cairo_surface_t *paper_new(double width, double height, double *ret_scale);

/* cairo has drawn on the paper and is freed; without an error the paper is the caller's. NONE,
 * LIMITS, FORMAT. */
enum document_end paper_done(cairo_t *cairo, cairo_surface_t *paper, cairo_surface_t **ret);

/* A picture as its file has it. */
struct picture {
	cairo_surface_t *surface;
	unsigned turned;     /* as TIFF's Orientation says, 1 to 8; anything else is 1 */
	double pixel_height; /* when a pixel is 1 wide: fax machines have others than squares */
};

/* More than PAPER_PIXELS. */
bool picture_too_large(uint64_t width, uint64_t height);

/* The picture, whose surface is freed, upright on paper. */
enum document_end picture_show(struct picture *picture, cairo_surface_t **ret);

#endif
