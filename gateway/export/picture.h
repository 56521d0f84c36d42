/*
 * picture.h - the desktop as frames bring it (docs/protocol.md §4), decoded as the browser does,
 * and of each pixel how it came. Frames are hostile; one that breaks a rule changes nothing.
 */
#ifndef SEKISHO_EXPORT_PICTURE_H
#define SEKISHO_EXPORT_PICTURE_H

#include <zstd.h>

#include "export/codecs.h"
#include "export/frame_check.h"
#include "wire/wire.h"

enum picture_kind {
	PICTURE_EXACT,
	PICTURE_JPEG,
	PICTURE_H264,
	PICTURE_MISSING /* H.264 was to be drawn there that could not be: see midway */
};

/* All zeros is a picture without a desktop. */
struct picture {
	unsigned width, height;
	uint32_t *pixels; /* owned; 0x00RRGGBB, row by row */
	uint8_t *kinds;   /* owned; enum picture_kind of each */
	uint32_t *stamps; /* owned; the number of the frame that last drew each; only when strict */
	uint32_t frames;
	/* Frames may begin in the middle of films: what builds on a key picture that never came is
	 * left out, and its place stays as it was. Else it breaks the rules. */
	bool midway;
	bool missing; /* some pixels may be PICTURE_MISSING */
	bool strict;  /* for tests: what draws a pixel twice is wrong, wherever it does */
	/* Of the last frame: pixels in rectangles, in JPEGs and in videos, and bytes of those. */
	size_t exact, jpegs, videos;
	size_t jpeg_bytes, video_bytes;
	size_t passed; /* pictures of the PC's own H.264, of all frames */
	/* inside */
	struct frame_plan *plan; /* owned */
	uint8_t *planes;         /* owned */
	size_t planes_room;
	uint32_t *decoded; /* owned; the frame's pictures, one after another */
	size_t decoded_room;
	ZSTD_DCtx *zstd; /* owned */
	struct codecs codecs;
};

void picture_finish(struct picture *picture);

/*
 * ERR_PROTOCOL for a frame that breaks the rules or does not decode, ERR_NOMEM: the picture stays
 * as it was, but streams of H.264 may have gone on, so only a keyframe may follow.
 */
nodiscard enum err picture_apply(struct picture *picture, const struct msg_frame *frame);

/* Some of it is not as it was, because a film is missing there. */
bool picture_lacks(const struct picture *picture);

/* As PPM. */
nodiscard enum err picture_write(const char *path, const uint32_t *pixels, unsigned width,
				 unsigned height);

#endif
