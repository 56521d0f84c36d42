/*
 * frame_check.h - what a frame says (docs/protocol.md §4, "Frames"), read as hostile input and
 * checked as a whole before anything of it is decoded or drawn: as the browser's decoder.js and
 * pictures.js do.
 */
#ifndef SEKISHO_EXPORT_FRAME_CHECK_H
#define SEKISHO_EXPORT_FRAME_CHECK_H

#include <stdbool.h>

#include "wire/wire.h"

enum {
	FRAME_WIDTH_MAX = 7680,
	FRAME_HEIGHT_MAX = 4320,
	FRAME_RECTS_MAX = 32768,
	FRAME_PARTS_MAX = 2048, /* pictures and clip rectangles together */
	FRAME_COPY_AREAS = 4,   /* copies move at most so many times the desktop */
	FRAME_COPY = 12,        /* bytes of one */
	FRAME_RECT = 8,
	FRAME_STREAMS = 4,
	FRAME_BLOCK =
		16, /* a PC's own H.264 is less than so many pixels larger than its rectangle */
};

struct area {
	unsigned x, y, width, height;
};

struct frame_picture {
	unsigned codec, stream; /* enum codec; 0 to FRAME_STREAMS - 1 */
	bool key, hidden;
	bool missing; /* for who decodes it: it could not be */
	struct area area;
	size_t first_part, part_count; /* what of it is drawn; none of a hidden one */
	const uint8_t *data;           /* borrowed from the message */
	size_t len;
};

struct frame_part {
	struct area area; /* inside the picture's */
	size_t picture;
};

/* A frame that was found to be right for a desktop. */
struct frame_plan {
	struct frame_picture pictures[FRAME_PARTS_MAX];
	size_t picture_count;
	struct frame_part parts[FRAME_PARTS_MAX];
	size_t part_count;
	bool resized;
	size_t copied;   /* pixels that copies move */
	size_t drawn;    /* pixels of all rectangles */
	size_t pictured; /* pixels of all pictures */
};

/* The rectangle that lies at data, FRAME_RECT bytes. */
struct area frame_area(const uint8_t *data);

/*
 * width and height: of the desktop as it is, 0 while there is none. ERR_PROTOCOL: it breaks a rule;
 * then ret says nothing.
 */
nodiscard enum err frame_check(const struct msg_frame *frame, unsigned width, unsigned height,
			       struct frame_plan *ret);

#endif
