#include "preview/render.h"

#include <libexif/exif-data.h>
#include <poppler.h>
#include <string.h>
#include <turbojpeg.h>

#include "base/util.h"
#include "preview/paper.h"
#include "preview/tiff.h"

enum { PDF_HEAD = 1024 /* bytes in which a PDF says that it is one */, POINTS_MAX = 100000 };

/* ---- PDF ------------------------------------------------------------------------------------- */

static enum document_end draw_page(PopplerPage *page, cairo_surface_t **ret)
{
	double width, height, scale;

	poppler_page_get_size(page, &width, &height);
	if (!(width > 0 && height > 0 && width < POINTS_MAX && height < POINTS_MAX))
		return DOCUMENT_END_FORMAT;
	cairo_surface_t *surface = paper_new(width, height, &scale);
	cairo_t *cairo = cairo_create(surface);
	cairo_scale(cairo, scale, scale);
	poppler_page_render(page, cairo);
	return paper_done(cairo, surface, ret);
}

static enum document_end render_pdf(const uint8_t *data, size_t len, uint32_t number,
				    cairo_surface_t **ret, uint32_t *ret_pages)
{
	GBytes *bytes = g_bytes_new_static(data, len);
	GError *error = NULL;
	PopplerDocument *document = poppler_document_new_from_bytes(bytes, NULL, &error);
	enum document_end end = g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED)
					? DOCUMENT_END_PASSWORD
					: DOCUMENT_END_FORMAT;
	int pages = document ? poppler_document_get_n_pages(document) : 0;
	PopplerPage *page = pages > 0 && number <= (uint32_t)pages
				    ? poppler_document_get_page(document, (int)number - 1)
				    : NULL;

	if (page)
		end = draw_page(page, ret);
	*ret_pages = (uint32_t)pages;
	g_clear_error(&error);
	g_clear_object(&page);
	g_clear_object(&document);
	g_bytes_unref(bytes);
	return end;
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* The largest that is not above what is needed for PAPER_SIDE by more than half. */
static tjscalingfactor factor_of(int width, int height)
{
	tjscalingfactor best = { 1, 1 };
	int count = 0;
	const tjscalingfactor *factors = tjGetScalingFactors(&count);

	for (int i = 0; i < count; i++)
		if (factors[i].num <= factors[i].denom &&
		    TJSCALED(MAX(width, height), factors[i]) >= PAPER_SIDE &&
		    factors[i].num * best.denom < best.num * factors[i].denom)
			best = factors[i];
	return best;
}

/* How the camera was held stands in the first 64 KiB and a little. */
static unsigned orientation_of(const uint8_t *data, size_t len)
{
	enum { EXIF_WITHIN = 128 * 1024 };
	ExifData *exif = exif_data_new_from_data(data, (unsigned)MIN(len, (size_t)EXIF_WITHIN));
	const ExifEntry *entry =
		exif ? exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION) : NULL;
	unsigned orientation = 1;

	if (entry && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
		orientation = exif_get_short(entry->data, exif_data_get_byte_order(exif));
	if (exif)
		exif_data_unref(exif);
	return orientation;
}

static enum document_end decode_jpeg(tjhandle tj, const uint8_t *data, size_t len,
				     cairo_surface_t **ret)
{
	int width = 0, height = 0, sampling = 0, space = 0;

	if (tjDecompressHeader3(tj, data, len, &width, &height, &sampling, &space) || width < 1 ||
	    height < 1)
		return DOCUMENT_END_FORMAT;
	if (picture_too_large((uint64_t)width, (uint64_t)height))
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
	struct picture picture = { surface, orientation_of(data, len), 1 };
	return picture_show(&picture, ret);
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
	if (picture_too_large(be32(data + WIDTH_AT), be32(data + HEIGHT_AT)))
		return DOCUMENT_END_LIMITS;
	struct picture picture = { cairo_image_surface_create_from_png_stream(read_some, &source),
				   1, 1 };
	if (!cairo_surface_status(picture.surface))
		return picture_show(&picture, ret);
	cairo_surface_destroy(picture.surface);
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
	if (tiff_is(data, len))
		return tiff_render(data, len, page, ret, ret_pages);
	if (page != 1)
		return DOCUMENT_END_FORMAT;
	if (begins(data, len, png, strlen(png)))
		return render_png(data, len, ret);
	if (begins(data, len, jpeg, strlen(jpeg)))
		return render_jpeg(data, len, ret);
	return DOCUMENT_END_FORMAT;
}
