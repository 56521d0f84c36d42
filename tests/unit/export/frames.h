/*
 * frames.h - frames put together by hand, for tests of what decodes them: a desktop of few pixels,
 * plain rectangles, copies and JPEGs, with whatever a test wants wrong.
 */
#ifndef SEKISHO_TESTS_UNIT_EXPORT_FRAMES_H
#define SEKISHO_TESTS_UNIT_EXPORT_FRAMES_H

#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <zstd.h>

#include "base/util.h"
#include "export/picture.h"
#include "wire/enums.h"

enum { SIDE = 32, FRAMES_RECTS = 8, FRAMES_BYTES = 8192 };

/* What a frame points to. */
struct frames {
	struct msg_frame frame;
	uint16_t rects[FRAMES_RECTS][4], copies[FRAMES_RECTS][6];
	uint8_t planes[3 * SIDE * SIDE], packed[FRAMES_BYTES];
	uint8_t table[FRAMES_BYTES], pictures[FRAMES_BYTES];
};

static inline void frames_start(struct frames *frames, bool keyframe)
{
	memset(frames, 0, sizeof(*frames));
	frames->frame = (struct msg_frame){ .width = SIDE,
					    .height = SIDE,
					    .keyframe = keyframe,
					    .copies = { (uint8_t *)frames->copies, 0 },
					    .rects = { (uint8_t *)frames->rects, 0 },
					    .data = { frames->packed, 0 },
					    .pictures = { frames->table, 0 },
					    .picture_data = { frames->pictures, 0 } };
}

/* A rectangle of one grey: G goes on from the left, R−G and B−G are 0. Call in order, then pack. */
static inline void frames_rect(struct frames *frames, unsigned x, unsigned y, unsigned width,
			       unsigned height, uint8_t grey)
{
	struct msg_frame *frame = &frames->frame;
	const uint16_t rect[4] = { (uint16_t)x, (uint16_t)y, (uint16_t)width, (uint16_t)height };
	uint8_t *plane = frames->planes + frame->raw_size / 3;

	memcpy(frames->rects[frame->rects.len / sizeof(rect)], rect, sizeof(rect));
	frame->rects.len += sizeof(rect);
	for (unsigned row = 0; row < height && y + height <= SIDE && x + width <= SIDE; row++)
		plane[row * width] = grey;
	frame->raw_size += 3 * width * height;
}

static inline void frames_pack(struct frames *frames)
{
	struct msg_frame *frame = &frames->frame;

	frame->data.len = ZSTD_compress(frames->packed, sizeof(frames->packed), frames->planes,
					MIN(frame->raw_size, sizeof(frames->planes)), 1);
	assert_false(ZSTD_isError(frame->data.len));
}

static inline void frames_copy(struct frames *frames, unsigned from_x, unsigned from_y, unsigned x,
			       unsigned y, unsigned width, unsigned height)
{
	const uint16_t copy[6] = { (uint16_t)from_x, (uint16_t)from_y, (uint16_t)x,
				   (uint16_t)y,      (uint16_t)width,  (uint16_t)height };
	struct bytes *copies = &frames->frame.copies;

	memcpy(frames->copies[copies->len / sizeof(copy)], copy, sizeof(copy));
	copies->len += sizeof(copy);
}

static inline void frames_picture(struct frames *frames, unsigned codec, struct area area,
				  const uint8_t *data, size_t len)
{
	uint8_t *entry = frames->table + frames->frame.pictures.len;
	const uint16_t rect[4] = { (uint16_t)area.x, (uint16_t)area.y, (uint16_t)area.width,
				   (uint16_t)area.height };

	entry[0] = (uint8_t)codec;
	memcpy(entry + 4, rect, sizeof(rect));
	memcpy(entry + 16, &(uint32_t){ (uint32_t)len }, sizeof(uint32_t));
	frames->frame.pictures.len += 20;
	memcpy(frames->pictures + frames->frame.picture_data.len, data, len);
	frames->frame.picture_data.len += len;
}

/* Of one grey. The caller frees with tjFree. */
static inline uint8_t *frames_jpeg(unsigned width, unsigned height, uint8_t grey, int flags,
				   size_t *ret_len)
{
	_cleanup_free_ uint8_t *pixels = malloc((size_t)width * height * 4);
	tjhandle turbo = tjInitCompress();
	uint8_t *jpeg = NULL;
	unsigned long len = 0;

	memset(pixels, grey, (size_t)width * height * 4);
	assert_int_equal(tjCompress2(turbo, pixels, (int)width, 0, (int)height, TJPF_BGRX, &jpeg,
				     &len, TJSAMP_420, 95, flags),
			 0);
	tjDestroy(turbo);
	*ret_len = len;
	return jpeg;
}

/* A picture of one grey. */
static inline void frames_begin(struct picture *picture, uint8_t grey)
{
	struct frames frames;

	memset(picture, 0, sizeof(*picture));
	frames_start(&frames, true);
	frames_rect(&frames, 0, 0, SIDE, SIDE, grey);
	frames_pack(&frames);
	assert_ok(picture_apply(picture, &frames.frame));
}

static inline uint8_t frames_grey(const struct picture *picture, unsigned x, unsigned y)
{
	const uint32_t pixel = picture->pixels[y * picture->width + x];

	return (uint8_t)pixel;
}

#endif
