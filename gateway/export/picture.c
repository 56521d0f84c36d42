#include "export/picture.h"

#include <string.h>

#include "base/util.h"
#include "wire/enums.h"

void picture_finish(struct picture *picture)
{
	free(picture->pixels);
	free(picture->kinds);
	free(picture->stamps);
	free(picture->plan);
	free(picture->planes);
	free(picture->decoded);
	ZSTD_freeDCtx(picture->zstd);
	codecs_finish(&picture->codecs);
	*picture = (struct picture){ 0 };
}

static unsigned u16(const uint8_t *data)
{
	return (unsigned)data[0] | (unsigned)data[1] << 8;
}

static size_t size_of(struct area a)
{
	return (size_t)a.width * a.height;
}

/* ---- before anything is drawn ----------------------------------------------------------- */

/* *room counts bytes. */
static enum err make_room(void **memory, size_t *room, size_t wanted)
{
	if (*room >= wanted)
		return OK;
	free(*memory);
	*memory = malloc(wanted);
	*room = *memory ? wanted : 0;
	return *memory ? OK : ERR_NOMEM;
}

static enum err check(struct picture *picture, const struct msg_frame *frame)
{
	if (!picture->plan)
		picture->plan = malloc(sizeof(*picture->plan));
	if (!picture->plan)
		return ERR_NOMEM;
	return frame_check(frame, picture->width, picture->height, picture->plan);
}

/* raw_size is what the rectangles of a desktop need, so it bounds the memory. */
static enum err decompress(struct picture *picture, const struct msg_frame *frame)
{
	void *planes = picture->planes;

	/* Without rectangles there is nothing, or nothing compressed. */
	if (!frame->raw_size && !frame->data.len)
		return OK;
	enum err err = make_room(&planes, &picture->planes_room, MAX(frame->raw_size, 1));
	picture->planes = planes;
	if (!picture->zstd)
		picture->zstd = ZSTD_createDCtx();
	if (err || !picture->zstd)
		return ERR_NOMEM;
	size_t got = ZSTD_decompressDCtx(picture->zstd, picture->planes, frame->raw_size,
					 frame->data.data, frame->data.len);
	return got == frame->raw_size ? OK : ERR_PROTOCOL;
}

static enum err decode_film(struct picture *picture, const struct frame_picture *film)
{
	const bool passed = film->codec == CODEC_AVC420;
	const struct codecs_unit unit = {
		.data = film->data,
		.len = film->len,
		.stream = film->stream,
		.key = film->key,
		.hd = passed,
		.width = film->area.width,
		.height = film->area.height,
		.more = passed ? FRAME_BLOCK - 1 : 1,
	};

	picture->videos += size_of(film->area);
	picture->video_bytes += film->len;
	picture->passed += passed;
	return codecs_h264(&picture->codecs, &unit);
}

static enum err decode_one(struct picture *picture, const struct frame_picture *one, uint32_t *to)
{
	const struct area *area = &one->area;
	struct codecs *codecs = &picture->codecs;
	enum err err;

	if (one->codec == CODEC_JPEG) {
		picture->jpegs += size_of(*area);
		picture->jpeg_bytes += one->len;
		err = codecs_jpeg(codecs, one->data, one->len, area->width, area->height);
	} else {
		err = decode_film(picture, one);
	}
	for (size_t y = 0; !err && y < area->height; y++)
		memcpy(to + y * area->width, codecs->pixels + y * codecs->width,
		       area->width * sizeof(*to));
	return err;
}

static bool lacks_key(const struct picture *picture, const struct frame_picture *film)
{
	return film->codec != CODEC_JPEG && !film->key && !picture->codecs.streams[film->stream];
}

static enum err decode(struct picture *picture)
{
	struct frame_plan *plan = picture->plan;
	void *decoded = picture->decoded;
	size_t at = 0;

	enum err err = make_room(&decoded, &picture->decoded_room,
				 plan->pictured * sizeof(*picture->decoded));
	picture->decoded = decoded;
	for (size_t i = 0; !err && i < plan->picture_count; i++) {
		struct frame_picture *one = &plan->pictures[i];
		one->missing = picture->midway && lacks_key(picture, one);
		if (!one->missing)
			err = decode_one(picture, one, picture->decoded + at);
		at += size_of(one->area);
	}
	return err;
}

/* Of a desktop of another size; the one before stays when there is no memory. */
static enum err resize(struct picture *picture, unsigned width, unsigned height)
{
	size_t count = (size_t)width * height;
	uint32_t *pixels = calloc(count, sizeof(*pixels));
	uint32_t *stamps = picture->strict ? calloc(count, sizeof(*stamps)) : NULL;
	uint8_t *kinds = calloc(count, 1);

	if (!pixels || !kinds || (picture->strict && !stamps)) {
		free(pixels);
		free(stamps);
		free(kinds);
		return ERR_NOMEM;
	}
	free(picture->pixels);
	free(picture->kinds);
	free(picture->stamps);
	picture->pixels = pixels;
	picture->kinds = kinds;
	picture->stamps = stamps;
	picture->width = width;
	picture->height = height;
	return OK;
}

/* Rows in the order that never reads what was already written. */
static unsigned row_of(const struct area *to, unsigned from_y, unsigned i)
{
	return to->y > from_y ? to->height - 1 - i : i;
}

static enum err copy_kinds(struct picture *picture, const uint8_t *data)
{
	const unsigned from_x = u16(data), from_y = u16(data + 2);
	const struct area to = frame_area(data + 4);

	for (unsigned i = 0; i < to.height; i++) {
		const unsigned row = row_of(&to, from_y, i);
		const uint8_t *from =
			picture->kinds + (size_t)(from_y + row) * picture->width + from_x;
		if (memchr(from, PICTURE_H264, to.width))
			return ERR_PROTOCOL;
		memmove(picture->kinds + (size_t)(to.y + row) * picture->width + to.x, from,
			to.width);
	}
	return OK;
}

/*
 * Nothing may be copied from where H.264 lies: browsers have it on the canvas only. What copies do
 * to the kinds comes before what they do to the pixels: when one is refused, only a keyframe may
 * follow, which names all kinds anew.
 */
static enum err copy_all_kinds(struct picture *picture, const struct msg_frame *frame)
{
	enum err err = OK;

	for (size_t at = 0; !err && at < frame->copies.len; at += FRAME_COPY)
		err = copy_kinds(picture, frame->copies.data + at);
	return err;
}

/* ---- drawing ---------------------------------------------------------------------------- */

/* A strict picture lets nobody draw a pixel twice in one frame. */
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

static void copy(struct picture *picture, const uint8_t *data)
{
	const unsigned from_x = u16(data), from_y = u16(data + 2);
	const struct area to = frame_area(data + 4);

	for (unsigned i = 0; i < to.height; i++) {
		const unsigned row = row_of(&to, from_y, i);
		memmove(picture->pixels + (size_t)(to.y + row) * picture->width + to.x,
			picture->pixels + (size_t)(from_y + row) * picture->width + from_x,
			(size_t)to.width * sizeof(*picture->pixels));
	}
}

static enum err draw_part(struct picture *picture, const struct frame_picture *one,
			  const uint32_t *pixels, struct area part)
{
	if (one->missing) {
		picture->missing = true;
		return claim(picture, part, PICTURE_MISSING);
	}
	for (unsigned y = part.y; y < part.y + part.height; y++) {
		const uint32_t *from = pixels + (size_t)(y - one->area.y) * one->area.width +
				       (part.x - one->area.x);
		uint32_t *to = picture->pixels + (size_t)y * picture->width + part.x;
		for (unsigned i = 0; i < part.width; i++)
			to[i] = from[i] & 0x00ffffff;
	}
	return claim(picture, part, one->codec == CODEC_JPEG ? PICTURE_JPEG : PICTURE_H264);
}

static enum err draw_pictures(struct picture *picture)
{
	const struct frame_plan *plan = picture->plan;
	const uint32_t *pixels = picture->decoded;
	enum err err = OK;

	for (size_t i = 0; !err && i < plan->picture_count; i++) {
		const struct frame_picture *one = &plan->pictures[i];
		for (size_t part = 0; !err && part < one->part_count; part++)
			err = draw_part(picture, one, pixels,
					plan->parts[one->first_part + part].area);
		pixels += size_of(one->area);
	}
	return err;
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
	const uint8_t *plane = picture->planes;
	enum err err = OK;

	for (size_t at = 0; !err && at < frame->rects.len; at += FRAME_RECT) {
		struct area a = frame_area(frame->rects.data + at);
		unpack(picture, a, plane, picture->plan->drawn);
		plane += size_of(a);
		err = claim(picture, a, PICTURE_EXACT);
	}
	picture->exact = picture->plan->drawn;
	return err;
}

/* ---- the whole -------------------------------------------------------------------------- */

static enum err prepare(struct picture *picture, const struct msg_frame *frame)
{
	enum err err = check(picture, frame);

	if (!err)
		err = decompress(picture, frame);
	if (!err)
		err = copy_all_kinds(picture, frame);
	/* A keyframe ends all streams. */
	for (size_t i = 0; !err && frame->keyframe && i < CODECS_STREAMS; i++)
		codecs_end(&picture->codecs, i);
	if (!err)
		err = decode(picture);
	if (!err && picture->plan->resized)
		err = resize(picture, frame->width, frame->height);
	return err;
}

enum err picture_apply(struct picture *picture, const struct msg_frame *frame)
{
	picture->exact = picture->jpegs = picture->videos = 0;
	picture->jpeg_bytes = picture->video_bytes = 0;
	enum err err = prepare(picture, frame);
	if (err)
		return err;
	picture->frames++;
	picture->missing = picture->missing && !frame->keyframe;
	for (size_t at = 0; at < frame->copies.len; at += FRAME_COPY)
		copy(picture, frame->copies.data + at);
	err = draw_pictures(picture);
	return err ? err : draw_rects(picture, frame);
}

bool picture_lacks(const struct picture *picture)
{
	return picture->missing &&
	       memchr(picture->kinds, PICTURE_MISSING, (size_t)picture->width * picture->height);
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
