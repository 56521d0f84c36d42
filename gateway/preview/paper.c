#include "preview/paper.h"

#include <math.h>

#include "base/util.h"

cairo_surface_t *paper_new(double width, double height, double *ret_scale)
{
	double scale = PAPER_SIDE / fmax(width, height);
	int across = (int)fmax(1, round(width * scale)), down = (int)fmax(1, round(height * scale));
	cairo_surface_t *paper = cairo_image_surface_create(CAIRO_FORMAT_RGB24, across, down);
	cairo_t *cairo = cairo_create(paper);

	cairo_set_source_rgb(cairo, 1, 1, 1);
	cairo_paint(cairo);
	cairo_destroy(cairo);
	*ret_scale = scale;
	return paper;
}

enum document_end paper_done(cairo_t *cairo, cairo_surface_t *paper, cairo_surface_t **ret)
{
	cairo_status_t status = cairo_status(cairo);

	cairo_destroy(cairo);
	if (!status) {
		*ret = paper;
		return DOCUMENT_END_NONE;
	}
	cairo_surface_destroy(paper);
	return status == CAIRO_STATUS_NO_MEMORY ? DOCUMENT_END_LIMITS : DOCUMENT_END_FORMAT;
}

/* ---- pictures -------------------------------------------------------------------------------- */

bool picture_too_large(uint64_t width, uint64_t height)
{
	uint64_t pixels;

	return __builtin_mul_overflow(width, height, &pixels) || pixels > PAPER_PIXELS;
}

/* Where a point of the file's rows belongs: TIFF 6.0, Orientation. */
static cairo_matrix_t upright(unsigned turned, double w, double h)
{
	const cairo_matrix_t to[] = {
		{ 1, 0, 0, 1, 0, 0 },   { -1, 0, 0, 1, w, 0 }, { -1, 0, 0, -1, w, h },
		{ 1, 0, 0, -1, 0, h },  { 0, 1, 1, 0, 0, 0 },  { 0, 1, -1, 0, h, 0 },
		{ 0, -1, -1, 0, h, w }, { 0, -1, 1, 0, 0, w },
	};

	return to[turned >= 1 && turned <= ARRAY_SIZE(to) ? turned - 1 : 0];
}

enum document_end picture_show(struct picture *picture, cairo_surface_t **ret)
{
	const double width = cairo_image_surface_get_width(picture->surface),
		     height = cairo_image_surface_get_height(picture->surface) *
			      picture->pixel_height;
	const bool lies = picture->turned >= 5 && picture->turned <= 8;
	const cairo_matrix_t matrix = upright(picture->turned, width, height);
	double scale;
	cairo_surface_t *paper = paper_new(lies ? height : width, lies ? width : height, &scale);
	cairo_t *cairo = cairo_create(paper);

	cairo_scale(cairo, scale, scale);
	cairo_transform(cairo, &matrix);
	cairo_scale(cairo, 1, picture->pixel_height);
	cairo_set_source_surface(cairo, picture->surface, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_GOOD);
	cairo_paint(cairo);
	cairo_surface_destroy(picture->surface);
	return paper_done(cairo, paper, ret);
}
