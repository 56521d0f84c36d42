/*
 * render.h - a page of a document as a picture: PDF by poppler, JPEG by TurboJPEG, PNG by cairo.
 * The document is hostile; what it may take is bounded here in pixels, and by the process's limits.
 */
#ifndef SEKISHO_PREVIEW_RENDER_H
#define SEKISHO_PREVIEW_RENDER_H

#include <cairo.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/enums.h"

/* Draws page (from 1) onto a new surface of format RGB24, the caller's. DOCUMENT_END_NONE, FORMAT
 * (nothing that can be shown, or it has no such page), PASSWORD, LIMITS. */
enum document_end render_page(const uint8_t *data, size_t len, uint32_t page, cairo_surface_t **ret,
			      uint32_t *ret_pages);

#endif
