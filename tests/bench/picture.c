#include "picture.h"

#include <string.h>

#include "base/util.h"
#include "wire/enums.h"

enum { COPY = 12, RECT = 8, ENTRY = 20, BLOCK = 16 };

struct area {
	unsigned x, y, width, height;
};

/* One entry of a frame's pictures. */
struct entry {
	unsigned codec, stream, key, hidden;
	struct area area;
	const uint8_t *clips;
	size_t clip_count;
	const uint8_t *data;
	size_t len;
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

static bool within(struct area outer, struct area a)
{
	return a.width && a.height && a.x >= outer.x && a.y >= outer.y &&
	       a.x + a.width <= outer.x + outer.width && a.y + a.height <= outer.y + outer.height;
}

static size_t size_of(struct area a)
{
	return (size_t)a.width * a.height;
}

void picture_finish(struct picture *picture)
{
	free(picture->pixels);
	free(picture->kinds);
	free(picture->stamps);
	free(picture->planes);
	ZSTD_freeDCtx(picture->zstd);
	codecs_finish(&picture->codecs);
}

static enum err resize(struct picture *picture, unsigned width, unsigned height)
{
	size_t pixels = (size_t)width * height;
	if (picture->width == width && picture->height == height)
		return OK;
	free(picture->pixels);
	free(picture->kinds);
	free(picture->stamps);
	picture->pixels = calloc(pixels, sizeof(*picture->pixels));
	picture->kinds = calloc(pixels, 1);
	picture->stamps = picture->strict ? calloc(pixels, sizeof(*picture->stamps)) : NULL;
	bool ok = picture->pixels && picture->kinds && (!picture->strict || picture->stamps);
	picture->width = ok ? width : 0;
	picture->height = ok ? height : 0;
	return ok ? OK : ERR_NOMEM;
}

/* Nobody may draw a pixel twice in one frame. */
static enum err claim(struct picture *picture, struct area a, enum picture_kind kind)
{
	for (unsigned y = a.y; y < a.y + a.height; y++) {
		size_t row = (size_t)y * picture->width;
		memset(picture->kinds + row + a.x, kind, a.width);
		for (size_t i = row + a.x; picture->strict && i < row + a.x + a.width; i++) {
			if (picture->stamps[i] == picture->frames)
				return ERR_PROTOCOL;
			picture->stamps[i] = picture->frames;
		}
	}
	return OK;
}

/* ---- copies ------------------------------------------------------------------------------------
 */

static enum err copy(struct picture *picture, const uint8_t *data)
{
	struct area to = { u16(data + 4), u16(data + 6), u16(data + 8), u16(data + 10) };
	struct area from = { u16(data), u16(data + 2), to.width, to.height };
	if (!inside(picture, from) || !inside(picture, to))
		return ERR_PROTOCOL;
	for (unsigned i = 0; i < to.height; i++) {
		unsigned row = to.y > from.y ? to.height - 1 - i : i;
		size_t there = (size_t)(to.y + row) * picture->width + to.x;
		size_t here = (size_t)(from.y + row) * picture->width + from.x;
		if (memchr(picture->kinds + here, PICTURE_H264, to.width))
			return ERR_PROTOCOL;
		memmove(picture->pixels + there, picture->pixels + here,
			(size_t)to.width * sizeof(*picture->pixels));
		memmove(picture->kinds + there, picture->kinds + here, to.width);
	}
	return OK;
}

/* ---- pictures ----------------------------------------------------------------------------------
 */

static enum err decode(struct picture *picture, const struct entry *entry)
{
	struct codecs *codecs = &picture->codecs;
	if (entry->codec == CODEC_JPEG) {
		enum err err = codecs_jpeg(codecs, entry->data, entry->len);
		picture->jpegs += size_of(entry->area);
		picture->jpeg_bytes += entry->len;
		if (err || entry->stream || entry->key || codecs->width != entry->area.width ||
		    codecs->height != entry->area.height)
			return err ? err : ERR_PROTOCOL;
		return OK;
	}
	bool passed = entry->codec == CODEC_AVC420;
	unsigned more = passed ? BLOCK - 1 : 1;
	if (entry->codec != CODEC_H264 && !passed)
		return ERR_PROTOCOL;
	enum err err =
		codecs_h264(codecs, entry->stream, entry->key, passed, entry->data, entry->len);
	picture->videos += size_of(entry->area);
	picture->video_bytes += entry->len;
	if (!err && (codecs->width - entry->area.width > more ||
		     codecs->height - entry->area.height > more))
		err = ERR_PROTOCOL;
	picture->passed += passed;
	return err;
}

static enum err draw(struct picture *picture, const struct entry *entry, struct area part)
{
	const struct codecs *codecs = &picture->codecs;
	if (!within(entry->area, part))
		return ERR_PROTOCOL;
	for (unsigned y = part.y; y < part.y + part.height; y++) {
		const uint32_t *from = codecs->pixels +
				       (size_t)(y - entry->area.y) * codecs->width +
				       (part.x - entry->area.x);
		uint32_t *to = picture->pixels + (size_t)y * picture->width + part.x;
		for (unsigned i = 0; i < part.width; i++)
			to[i] = from[i] & 0x00ffffff;
	}
	return claim(picture, part, entry->codec == CODEC_JPEG ? PICTURE_JPEG : PICTURE_H264);
}

static enum err draw_entry(struct picture *picture, const struct entry *entry)
{
	enum err err = decode(picture, entry);
	if (entry->hidden)
		return !err && (entry->clip_count || entry->codec != CODEC_AVC420) ? ERR_PROTOCOL
										   : err;
	if (!err && !entry->clip_count)
		err = draw(picture, entry, entry->area);
	for (size_t i = 0; !err && i < entry->clip_count; i++)
		err = draw(picture, entry, area_at(entry->clips + i * RECT));
	return err;
}

static enum err draw_pictures(struct picture *picture, const struct msg_frame *frame)
{
	size_t used = 0, area = 0;
	enum err err = OK;
	for (size_t at = 0; !err && at < frame->pictures.len;) {
		const uint8_t *head = frame->pictures.data + at;
		if (frame->pictures.len - at < ENTRY || head[3] > 1 || u16(head + 14))
			return ERR_PROTOCOL;
		struct entry entry = { head[0],
				       head[1],
				       head[2],
				       head[3],
				       area_at(head + 4),
				       head + ENTRY,
				       u16(head + 12),
				       frame->picture_data.data + used,
				       u16(head + 16) | (size_t)u16(head + 18) << 16 };
		at += ENTRY + entry.clip_count * RECT;
		area += size_of(entry.area);
		if (at > frame->pictures.len || !entry.len ||
		    entry.len > frame->picture_data.len - used || !inside(picture, entry.area) ||
		    area > (size_t)picture->width * picture->height || frame->keyframe)
			return ERR_PROTOCOL;
		used += entry.len;
		err = draw_entry(picture, &entry);
	}
	return err || used == frame->picture_data.len ? err : ERR_PROTOCOL;
}

/* ---- rectangles --------------------------------------------------------------------------------
 */

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

static enum err draw_rects(struct picture *picture, const struct msg_frame *frame)
{
	size_t total = 0;
	enum err err = OK;
	for (size_t at = 0; at + RECT <= frame->rects.len; at += RECT) {
		struct area a = area_at(frame->rects.data + at);
		if (!inside(picture, a))
			return ERR_PROTOCOL;
		total += size_of(a);
	}
	if (total * 3 != frame->raw_size)
		return ERR_PROTOCOL;
	if (total)
		err = decompress(picture, frame);
	const uint8_t *plane = picture->planes;
	for (size_t at = 0; !err && at + RECT <= frame->rects.len; at += RECT) {
		struct area a = area_at(frame->rects.data + at);
		unpack(picture, a, plane, total);
		plane += size_of(a);
		err = claim(picture, a, PICTURE_EXACT);
	}
	picture->exact = total;
	return err;
}

enum err picture_apply(struct picture *picture, const struct msg_frame *frame)
{
	enum err err = resize(picture, frame->width, frame->height);
	picture->frames++;
	picture->exact = picture->jpegs = picture->videos = 0;
	picture->jpeg_bytes = picture->video_bytes = 0;
	/* A keyframe ends all streams. */
	for (size_t i = 0; frame->keyframe && i < CODECS_STREAMS; i++)
		codecs_end(&picture->codecs, i);
	for (size_t at = 0; !err && at + COPY <= frame->copies.len; at += COPY)
		err = copy(picture, frame->copies.data + at);
	if (!err)
		err = draw_pictures(picture, frame);
	return err ? err : draw_rects(picture, frame);
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
