#include "worker/encode/lossless.h"

#include <string.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/util.h"

/*
 * Text repeats itself: a larger table of what was seen finds up to a seventh more of it in the same
 * time. Photos never do: without the search they take two thirds of the time and 1 % more bytes.
 * With two and a half times the time text has a fifth less.
 */
enum { LEVEL = 1, HASH_LOG = 16, PHOTO_LEVEL = -7, TIGHT_LEVEL = 5 };

/* Memory that is kept from frame to frame, but not for ever after a large one. */
enum { SPARE_FRAMES = 32 };

struct scratch {
	uint8_t *data;
	size_t room;
	unsigned spare; /* uses in a row that needed less than half */
	size_t most;    /* that those needed */
};

struct lossless {
	ZSTD_CCtx *zstd; /* reused, so that its tables are allocated once */
	struct scratch planes, out;
};

static bool set_content(struct lossless *lossless, enum lossless_content content)
{
	bool photo = content == LOSSLESS_PHOTO, tight = content == LOSSLESS_TIGHT;
	const struct {
		ZSTD_cParameter name;
		int value;
	} parameters[] = {
		{ ZSTD_c_compressionLevel, photo   ? PHOTO_LEVEL
					   : tight ? TIGHT_LEVEL
						   : LEVEL },
		{ ZSTD_c_hashLog, photo || tight ? 0 : HASH_LOG },
		{ ZSTD_c_literalCompressionMode, photo ? ZSTD_ps_enable : ZSTD_ps_auto },
	};
	/* After a result that did not fit it would refuse. */
	if (ZSTD_isError(ZSTD_CCtx_reset(lossless->zstd, ZSTD_reset_session_only)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (ZSTD_isError(ZSTD_CCtx_setParameter(lossless->zstd, parameters[i].name,
							parameters[i].value)))
			return false;
	return true;
}

enum err lossless_new(struct lossless **ret)
{
	struct lossless *lossless = calloc(1, sizeof(*lossless));
	if (!lossless)
		return ERR_NOMEM;
	lossless->zstd = ZSTD_createCCtx();
	if (!lossless->zstd || !set_content(lossless, LOSSLESS_ANY)) {
		lossless_free(lossless);
		return ERR_NOMEM;
	}
	*ret = lossless;
	return OK;
}

void lossless_free(struct lossless *lossless)
{
	if (!lossless)
		return;
	ZSTD_freeCCtx(lossless->zstd);
	free(lossless->planes.data);
	free(lossless->out.data);
	free(lossless);
}

static void rest(struct scratch *scratch)
{
	if (scratch->room <= LOSSLESS_SPARE)
		return;
	free(scratch->data);
	*scratch = (struct scratch){ 0 };
}

void lossless_rest(struct lossless *lossless)
{
	rest(&lossless->planes);
	rest(&lossless->out);
}

/* Grows without keeping the content: everything is written anew each time. */
static enum err ensure(struct scratch *scratch, size_t need)
{
	bool spare = scratch->room > LOSSLESS_SPARE && need < scratch->room / 2;
	scratch->spare = spare ? scratch->spare + 1 : 0;
	scratch->most = spare ? MAX(scratch->most, need) : need;
	if (scratch->room >= need && scratch->spare < SPARE_FRAMES)
		return OK;
	size_t room = scratch->most;
	free(scratch->data);
	*scratch = (struct scratch){ .data = malloc(room) };
	if (!scratch->data)
		return ERR_NOMEM;
	scratch->room = room;
	return OK;
}

/*
 * One row into the three planes. Neighbours are read from the pixels again instead of being carried
 * along: without a dependency from pixel to pixel the compiler turns the loop into vector code.
 */
surface_hot static void encode_row(const uint8_t *restrict pixels, size_t width,
				   uint8_t *restrict green, uint8_t *restrict red,
				   uint8_t *restrict blue)
{
	green[0] = pixels[1];
	red[0] = (uint8_t)(pixels[2] - pixels[1]);
	blue[0] = (uint8_t)(pixels[0] - pixels[1]);
	for (size_t i = 1; i < width; i++) {
		const uint8_t *here = pixels + i * SURFACE_PIXEL, *left = here - SURFACE_PIXEL;
		uint8_t step = (uint8_t)(here[1] - left[1]);
		green[i] = step;
		red[i] = (uint8_t)(here[2] - left[2] - step);
		blue[i] = (uint8_t)(here[0] - left[0] - step);
	}
}

static void encode_planes(struct lossless *lossless, const struct surface *surface,
			  const struct rect *rects, size_t count, size_t pixels)
{
	uint8_t *green = lossless->planes.data, *red = green + pixels, *blue = red + pixels;
	for (size_t i = 0; i < count; i++) {
		const struct rect *rect = &rects[i];
		for (unsigned y = rect->y; y < (unsigned)rect->y + rect->height; y++) {
			encode_row(surface_at(surface, rect->x, y), rect->width, green, red, blue);
			green += rect->width;
			red += rect->width;
			blue += rect->width;
		}
	}
}

enum err lossless_encode(struct lossless *lossless, const struct surface *surface,
			 const struct rect *rects, size_t count, enum lossless_content content,
			 struct lossless_data *ret)
{
	size_t pixels = 0;
	for (size_t i = 0; i < count; i++)
		pixels += (size_t)rects[i].width * rects[i].height;
	size_t raw = pixels * LOSSLESS_PLANES;
	enum err err = ensure(&lossless->planes, raw);
	if (err)
		return err;
	if (!set_content(lossless, content))
		return ERR_INTERNAL;
	if (content == LOSSLESS_BLANK)
		memset(lossless->planes.data, 0, raw);
	else
		encode_planes(lossless, surface, rects, count, pixels);
	return lossless_bytes(lossless, lossless->planes.data, raw, ret);
}

enum err lossless_bytes(struct lossless *lossless, const void *data, size_t len,
			struct lossless_data *ret)
{
	size_t room = MIN(ZSTD_compressBound(len), (size_t)LOSSLESS_MAX_DATA);
	enum err err = ensure(&lossless->out, room);
	if (err)
		return err;
	size_t done = ZSTD_compress2(lossless->zstd, lossless->out.data, room, data, len);
	if (ZSTD_isError(done))
		return ZSTD_getErrorCode(done) == ZSTD_error_dstSize_tooSmall ? ERR_TOO_BIG
									      : ERR_NOMEM;
	*ret = (struct lossless_data){ .data = lossless->out.data,
				       .len = done,
				       .raw_size = (uint32_t)len };
	return OK;
}
