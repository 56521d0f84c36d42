#include "picture.h"

#include <string.h>

#include "base/util.h"

struct area {
	unsigned x, y, width, height;
};

static unsigned u16(const uint8_t *data)
{
	return (unsigned)data[0] | (unsigned)data[1] << 8;
}

static struct area area_at(const uint8_t *data)
{
	return (struct area){ u16(data), u16(data + 2), u16(data + 4), u16(data + 6) };
}

static bool inside(const struct picture *picture, struct area a)
{
	return a.width && a.height && a.x + a.width <= picture->width &&
	       a.y + a.height <= picture->height;
}

void picture_finish(struct picture *picture)
{
	free(picture->pixels);
	free(picture->planes);
	ZSTD_freeDCtx(picture->zstd);
}

static enum err resize(struct picture *picture, unsigned width, unsigned height)
{
	if (picture->width == width && picture->height == height)
		return OK;
	free(picture->pixels);
	picture->pixels = calloc((size_t)width * height, sizeof(*picture->pixels));
	picture->width = picture->pixels ? width : 0;
	picture->height = picture->pixels ? height : 0;
	return picture->pixels ? OK : ERR_NOMEM;
}

static enum err copy(struct picture *picture, const uint8_t *data)
{
	struct area to = { u16(data + 4), u16(data + 6), u16(data + 8), u16(data + 10) };
	struct area from = { u16(data), u16(data + 2), to.width, to.height };
	if (!inside(picture, from) || !inside(picture, to))
		return ERR_PROTOCOL;
	for (unsigned i = 0; i < to.height; i++) {
		unsigned row = to.y > from.y ? to.height - 1 - i : i;
		memmove(picture->pixels + (size_t)(to.y + row) * picture->width + to.x,
			picture->pixels + (size_t)(from.y + row) * picture->width + from.x,
			(size_t)to.width * sizeof(*picture->pixels));
	}
	return OK;
}

static enum err decompress(struct picture *picture, const struct msg_frame *frame)
{
	if (picture->planes_room < frame->raw_size) {
		free(picture->planes);
		picture->planes = malloc(frame->raw_size);
		picture->planes_room = picture->planes ? frame->raw_size : 0;
	}
	if (!picture->zstd)
		picture->zstd = ZSTD_createDCtx();
	if (!picture->zstd || picture->planes_room < frame->raw_size)
		return ERR_NOMEM;
	size_t got = ZSTD_decompressDCtx(picture->zstd, picture->planes, frame->raw_size,
					 frame->data.data, frame->data.len);
	return got == frame->raw_size ? OK : ERR_PROTOCOL;
}

static void unpack(struct picture *picture, struct area a, const uint8_t *plane, size_t total)
{
	for (unsigned y = a.y; y < a.y + a.height; y++, plane += a.width) {
		uint32_t *row = picture->pixels + (size_t)y * picture->width + a.x;
		uint8_t green = 0, red = 0, blue = 0;
		for (unsigned i = 0; i < a.width; i++) {
			green = (uint8_t)(green + plane[i]);
			red = (uint8_t)(red + plane[total + i]);
			blue = (uint8_t)(blue + plane[2 * total + i]);
			row[i] = (uint32_t)(uint8_t)(green + red) << 16 | (uint32_t)green << 8 |
				 (uint8_t)(green + blue);
		}
	}
}

enum err picture_apply(struct picture *picture, const struct msg_frame *frame)
{
	enum err err = resize(picture, frame->width, frame->height);
	for (size_t at = 0; !err && at + 12 <= frame->copies.len; at += 12)
		err = copy(picture, frame->copies.data + at);
	size_t total = 0;
	for (size_t at = 0; !err && at + 8 <= frame->rects.len; at += 8) {
		struct area a = area_at(frame->rects.data + at);
		if (!inside(picture, a))
			err = ERR_PROTOCOL;
		total += (size_t)a.width * a.height;
	}
	if (!err && total * 3 != frame->raw_size)
		err = ERR_PROTOCOL;
	if (!err && total)
		err = decompress(picture, frame);
	const uint8_t *plane = picture->planes;
	for (size_t at = 0; !err && at + 8 <= frame->rects.len; at += 8) {
		struct area a = area_at(frame->rects.data + at);
		unpack(picture, a, plane, total);
		plane += (size_t)a.width * a.height;
	}
	return err;
}

enum err picture_write(const char *path, const uint32_t *pixels, unsigned width, unsigned height)
{
	_cleanup_fclose_ FILE *file = fopen(path, "wb");
	size_t count = (size_t)width * height;
	_cleanup_free_ uint8_t *rgb = malloc(count * 3);
	if (!file || !rgb || !pixels)
		return ERR_IO;
	for (size_t i = 0; i < count; i++) {
		rgb[3 * i] = (uint8_t)(pixels[i] >> 16);
		rgb[3 * i + 1] = (uint8_t)(pixels[i] >> 8);
		rgb[3 * i + 2] = (uint8_t)pixels[i];
	}
	if (fprintf(file, "P6\n%u %u\n255\n", width, height) < 0 ||
	    fwrite(rgb, 3, count, file) != count || fflush(file))
		return ERR_IO;
	return OK;
}
