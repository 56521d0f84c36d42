#include "preview/render.h"

#include <math.h>
#include <poppler.h>
#include <string.h>
#include <turbojpeg.h>

#include "base/util.h"

enum { PDF_HEAD = 1024 /* bytes in which a PDF says that it is one */, POINTS_MAX = 100000 };

/* White, and no larger than RENDER_SIDE; ret_scale: of what is drawn on it. */
static cairo_surface_t *surface_for(double width, double height, double *ret_scale)
{
	double scale = RENDER_SIDE / fmax(width, height);
	int across = (int)fmax(1, round(width * scale)), down = (int)fmax(1, round(height * scale));
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, across, down);
	cairo_t *cairo = cairo_create(surface);

	cairo_set_source_rgb(cairo, 1, 1, 1);
	cairo_paint(cairo);
	cairo_destroy(cairo);
	*ret_scale = scale;
	return surface;
}

static enum document_end finish(cairo_t *cairo, cairo_surface_t *surface, cairo_surface_t **ret)
{
	cairo_status_t status = cairo_status(cairo);

	cairo_destroy(cairo);
	if (!status) {
		*ret = surface;
		return DOCUMENT_END_NONE;
	}
	cairo_surface_destroy(surface);
	return status == CAIRO_STATUS_NO_MEMORY ? DOCUMENT_END_LIMITS : DOCUMENT_END_FORMAT;
}

/* ---- PDF ------------------------------------------------------------------------------------- */

static enum document_end draw_page(PopplerPage *page, cairo_surface_t **ret)
{
	double width, height, scale;

	poppler_page_get_size(page, &width, &height);
	if (!(width > 0 && height > 0 && width < POINTS_MAX && height < POINTS_MAX))
		return DOCUMENT_END_FORMAT;
	cairo_surface_t *surface = surface_for(width, height, &scale);
	cairo_t *cairo = cairo_create(surface);
	cairo_scale(cairo, scale, scale);
	poppler_page_render(page, cairo);
	return finish(cairo, surface, ret);
}

static enum document_end render_pdf(const uint8_t *data, size_t len, uint32_t number,
				    cairo_surface_t **ret, uint32_t *ret_pages)
{
	GBytes *bytes = g_bytes_new_static(data, len);
	PopplerDocument *document = poppler_document_new_from_bytes(bytes, NULL, NULL);
	enum document_end end = DOCUMENT_END_FORMAT;
	int pages = document ? poppler_document_get_n_pages(document) : 0;
	PopplerPage *page = pages > 0 && number <= (uint32_t)pages
				    ? poppler_document_get_page(document, (int)number - 1)
				    : NULL;

	if (page)
		end = draw_page(page, ret);
	*ret_pages = (uint32_t)pages;
	g_clear_object(&page);
	g_clear_object(&document);
	g_bytes_unref(bytes);
	return end;
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* The picture, which is freed, on paper. */
static enum document_end scale_down(cairo_surface_t *picture, cairo_surface_t **ret)
{
	double scale, width = cairo_image_surface_get_width(picture),
		      height = cairo_image_surface_get_height(picture);
	cairo_surface_t *surface = surface_for(width, height, &scale);
	cairo_t *cairo = cairo_create(surface);

	cairo_scale(cairo, scale, scale);
	cairo_set_source_surface(cairo, picture, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_GOOD);
	cairo_paint(cairo);
	cairo_surface_destroy(picture);
	return finish(cairo, surface, ret);
}

static bool too_large(uint64_t width, uint64_t height)
{
	return width * height > RENDER_PIXELS;
}

/* The largest that is not above what is needed for RENDER_SIDE by more than half. */
static tjscalingfactor factor_of(int width, int height)
{
	tjscalingfactor best = { 1, 1 };
	int count = 0;
	const tjscalingfactor *factors = tjGetScalingFactors(&count);

	for (int i = 0; i < count; i++)
		if (factors[i].num <= factors[i].denom &&
		    TJSCALED(MAX(width, height), factors[i]) >= RENDER_SIDE &&
		    factors[i].num * best.denom < best.num * factors[i].denom)
			best = factors[i];
	return best;
}

static enum document_end decode_jpeg(tjhandle tj, const uint8_t *data, size_t len,
				     cairo_surface_t **ret)
{
	int width = 0, height = 0, sampling = 0, space = 0;

	if (tjDecompressHeader3(tj, data, len, &width, &height, &sampling, &space) || width < 1 ||
	    height < 1)
		return DOCUMENT_END_FORMAT;
	if (too_large((uint64_t)width, (uint64_t)height))
		return DOCUMENT_END_LIMITS;
	tjscalingfactor factor = factor_of(width, height);
	cairo_surface_t *surface = cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, TJSCALED(width, factor), TJSCALED(height, factor));
	if (cairo_surface_status(surface)) {
		cairo_surface_destroy(surface);
		return DOCUMENT_END_LIMITS;
	}
	/* A scan that was cut short is shown as far as it goes. */
	if (tjDecompress2(tj, data, len, cairo_image_surface_get_data(surface),
			  TJSCALED(width, factor), cairo_image_surface_get_stride(surface),
			  TJSCALED(height, factor), TJPF_BGRX, TJFLAG_LIMITSCANS) &&
	    tjGetErrorCode(tj) == TJERR_FATAL) {
		cairo_surface_destroy(surface);
		return DOCUMENT_END_FORMAT;
	}
	cairo_surface_mark_dirty(surface);
	return scale_down(surface, ret);
}

static enum document_end render_jpeg(const uint8_t *data, size_t len, cairo_surface_t **ret)
{
	tjhandle tj = tjInitDecompress();
	enum document_end end = tj ? decode_jpeg(tj, data, len, ret) : DOCUMENT_END_LIMITS;

	if (tj)
		tjDestroy(tj);
	return end;
}

struct source {
	const uint8_t *data;
	size_t left;
};

static cairo_status_t read_some(void *ctx, unsigned char *data, unsigned len)
{
	struct source *source = ctx;

	if (len > source->left)
		return CAIRO_STATUS_READ_ERROR;
	memcpy(data, source->data, len);
	source->data += len;
	source->left -= len;
	return CAIRO_STATUS_SUCCESS;
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* How large it is stands in its first chunk, which is looked at before cairo makes room. */
static enum document_end render_png(const uint8_t *data, size_t len, cairo_surface_t **ret)
{
	enum { WIDTH_AT = 16, HEIGHT_AT = 20, HEAD = 33 };
	struct source source = { data, len };

	if (len < HEAD)
		return DOCUMENT_END_FORMAT;
	if (too_large(be32(data + WIDTH_AT), be32(data + HEIGHT_AT)))
		return DOCUMENT_END_LIMITS;
	cairo_surface_t *picture = cairo_image_surface_create_from_png_stream(read_some, &source);
	if (!cairo_surface_status(picture))
		return scale_down(picture, ret);
	cairo_surface_destroy(picture);
	return DOCUMENT_END_FORMAT;
}

/* ---- which it is ----------------------------------------------------------------------------- */

static bool begins(const uint8_t *data, size_t len, const char *with, size_t with_len)
{
	return len >= with_len && !memcmp(data, with, with_len);
}

enum document_end render_page(const uint8_t *data, size_t len, uint32_t page, cairo_surface_t **ret,
			      uint32_t *ret_pages)
{
	static const char png[] = "\x89PNG\r\n\x1a\n", jpeg[] = "\xff\xd8\xff", pdf[] = "%PDF-";

	*ret_pages = 1;
	if (!len)
		return DOCUMENT_END_FORMAT;
	if (memmem(data, MIN(len, (size_t)PDF_HEAD), pdf, strlen(pdf)))
		return render_pdf(data, len, page, ret, ret_pages);
	if (page != 1)
		return DOCUMENT_END_FORMAT;
	if (begins(data, len, png, strlen(png)))
		return render_png(data, len, ret);
	if (begins(data, len, jpeg, strlen(jpeg)))
		return render_jpeg(data, len, ret);
	return DOCUMENT_END_FORMAT;
}
