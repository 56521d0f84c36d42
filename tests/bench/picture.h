/*
 * picture.h - the desktop as frames bring it (docs/protocol.md), decoded as the browser does, and
 * of each pixel how it came.
 */
#ifndef SEKISHO_BENCH_PICTURE_H
#define SEKISHO_BENCH_PICTURE_H

#include <zstd.h>

#include "codecs.h"
#include "wire/wire.h"

enum picture_kind { PICTURE_EXACT, PICTURE_JPEG, PICTURE_H264 };

struct picture {
	unsigned width, height;
	uint32_t *pixels; /* owned; 0x00RRGGBB, row by row */
	uint8_t *kinds;   /* owned; enum picture_kind of each */
	uint32_t *stamps; /* owned; the number of the frame that last drew each; only when strict */
	uint32_t frames;
	bool strict;     /* also checks what would only look wrong */
	uint8_t *planes; /* owned */
	size_t planes_room;
	ZSTD_DCtx *zstd; /* owned */
	struct codecs codecs;
	/* Of the last frame: pixels in rectangles, in JPEGs and in videos, and bytes of those. */
	size_t exact, jpegs, videos;
	size_t jpeg_bytes, video_bytes;
	size_t passed; /* pictures of the PC's own H.264, of all frames */
};

void picture_finish(struct picture *picture);

/* ERR_PROTOCOL for a frame that breaks the rules. */
nodiscard enum err picture_apply(struct picture *picture, const struct msg_frame *frame);

/* As PPM. */
nodiscard enum err picture_write(const char *path, const uint32_t *pixels, unsigned width,
				 unsigned height);

#endif
