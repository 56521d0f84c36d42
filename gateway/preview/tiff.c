#include "preview/tiff.h"

#include <math.h>
#include <string.h>
#include <tiffio.h>

#include "base/util.h"

enum { ALLOCATION_MAX = 4 * PAPER_PIXELS };

/* ---- the file, which is in memory ------------------------------------------------------------ */

struct source {
	const uint8_t *data;
	uint64_t len, at;
};

static tmsize_t take(thandle_t handle, void *ret, tmsize_t len)
{
	struct source *source = handle;
	uint64_t left = source->at < source->len ? source->len - source->at : 0;
	uint64_t taken = MIN(left, (uint64_t)MAX(len, 0));

	memcpy(ret, source->data + (taken ? source->at : 0), taken);
	source->at += taken;
	return (tmsize_t)taken;
}

static tmsize_t put(thandle_t handle, void *data, tmsize_t len)
{
	(void)handle;
	(void)data;
	(void)len;
	return 0;
}

static toff_t seek(thandle_t handle, toff_t to, int whence)
{
	struct source *source = handle;

	source->at = whence == SEEK_SET   ? to
		     : whence == SEEK_CUR ? source->at + to
					  : source->len + to;
	return source->at;
}

static int leave(thandle_t handle)
{
	(void)handle;
	return 0;
}

static toff_t length(thandle_t handle)
{
	const struct source *source = handle;

	return source->len;
}

/* What libtiff says may have words of the document in it. */
static int say_nothing(TIFF *tiff, void *ctx, const char *module, const char *format, va_list list)
{
	(void)tiff;
	(void)ctx;
	(void)module;
	(void)format;
	(void)list;
	return 1;
}

static TIFF *open_source(struct source *source)
{
	TIFFOpenOptions *options = TIFFOpenOptionsAlloc();

	if (!options)
		return NULL;
	TIFFOpenOptionsSetMaxSingleMemAlloc(options, ALLOCATION_MAX);
	TIFFOpenOptionsSetErrorHandlerExtR(options, say_nothing, NULL);
	TIFFOpenOptionsSetWarningHandlerExtR(options, say_nothing, NULL);
	/* m: not mapped, so that all of it is read by take(). */
	TIFF *tiff = TIFFClientOpenExt("document", "rm", source, take, put, seek, leave, length,
				       NULL, NULL, options);
	TIFFOpenOptionsFree(options);
	return tiff;
}

/* ---- a page ---------------------------------------------------------------------------------- */

/* libtiff's pixels have red first; both are multiplied by their opacity. */
static void turn_colours(uint32_t *pixels, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pixels[i] = TIFFGetA(pixels[i]) << 24 | TIFFGetR(pixels[i]) << 16 |
			    TIFFGetG(pixels[i]) << 8 | TIFFGetB(pixels[i]);
}

/* A fax of normal resolution has 204 by 98 dots an inch. */
static double pixel_height(TIFF *tiff)
{
	float across = 0, down = 0;

	TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &across);
	TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &down);
	double height = across > 0 && down > 0 ? (double)across / (double)down : 1;
	return height >= 0.25 && height <= 4 ? height : 1;
}

/* The rows as they are in the file: picture_show turns them. What is damaged stays white. */
static bool read_rows(TIFF *tiff, cairo_surface_t *surface)
{
	char why[1024];
	TIFFRGBAImage image;
	uint32_t *pixels = (uint32_t *)(void *)cairo_image_surface_get_data(surface);

	if (!TIFFRGBAImageBegin(&image, tiff, 0, why))
		return false;
	image.orientation = image.req_orientation = ORIENTATION_TOPLEFT;
	bool good = TIFFRGBAImageGet(&image, pixels, image.width, image.height) == 1;
	TIFFRGBAImageEnd(&image);
	return good;
}

static enum document_end show(TIFF *tiff, cairo_surface_t **ret)
{
	uint32_t width = 0, height = 0;
	uint16_t turned = ORIENTATION_TOPLEFT;

	TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
	TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &turned);
	if (!width || !height)
		return DOCUMENT_END_FORMAT;
	if (picture_too_large(width, height))
		return DOCUMENT_END_LIMITS;
	struct picture picture = { cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)width,
							      (int)height),
				   turned, pixel_height(tiff) };
	/* cairo takes 32767 pixels on a side; its rows of four bytes a pixel have nothing between.
	 */
	bool fits = !cairo_surface_status(picture.surface);
	if (!fits || !read_rows(tiff, picture.surface)) {
		cairo_surface_destroy(picture.surface);
		return fits ? DOCUMENT_END_FORMAT : DOCUMENT_END_LIMITS;
	}
	turn_colours((uint32_t *)(void *)cairo_image_surface_get_data(picture.surface),
		     (size_t)width * height);
	cairo_surface_mark_dirty(picture.surface);
	return picture_show(&picture, ret);
}

bool tiff_is(const uint8_t *data, size_t len)
{
	static const char *const heads[] = { "II*\0", "MM\0*", "II+\0", "MM\0+" };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (len >= 4 && !memcmp(data, heads[i], 4))
			return true;
	return false;
}

enum document_end tiff_render(const uint8_t *data, size_t len, uint32_t page, cairo_surface_t **ret,
			      uint32_t *ret_pages)
{
	struct source source = { data, len, 0 };
	TIFF *tiff = open_source(&source);
	enum document_end end = DOCUMENT_END_FORMAT;

	if (!tiff)
		return end;
	*ret_pages = TIFFNumberOfDirectories(tiff);
	if (*ret_pages > TIFF_PAGES)
		end = DOCUMENT_END_LIMITS;
	else if (page <= *ret_pages && TIFFSetDirectory(tiff, (tdir_t)(page - 1)))
		end = show(tiff, ret);
	TIFFClose(tiff);
	return end;
}
