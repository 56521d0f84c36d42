/*
 * tiff.h - a page of a TIFF, which is what scanners and fax machines make of many sheets.
 */
#ifndef SEKISHO_PREVIEW_TIFF_H
#define SEKISHO_PREVIEW_TIFF_H

#include <stddef.h>

#include "preview/paper.h"

enum { TIFF_PAGES = 10000 };

bool tiff_is(const uint8_t *data, size_t len);

/* As render_page. */
enum document_end tiff_render(const uint8_t *data, size_t len, uint32_t page, cairo_surface_t **ret,
			      uint32_t *ret_pages);

#endif
