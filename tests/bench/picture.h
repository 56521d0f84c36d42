/*
 * picture.h - the desktop as frames bring it (docs/protocol.md), decoded as the browser does.
 */
#ifndef SEKISHO_BENCH_PICTURE_H
#define SEKISHO_BENCH_PICTURE_H

#include <zstd.h>

#include "wire/wire.h"

struct picture {
	unsigned width, height;
	uint32_t *pixels; /* owned; 0x00RRGGBB, row by row */
	uint8_t *planes;  /* owned */
	size_t planes_room;
	ZSTD_DCtx *zstd; /* owned */
};

void picture_finish(struct picture *picture);

/* ERR_PROTOCOL for a frame that does not fit. */
nodiscard enum err picture_apply(struct picture *picture, const struct msg_frame *frame);

/* As PPM. */
nodiscard enum err picture_write(const char *path, const uint32_t *pixels, unsigned width,
				 unsigned height);

#endif
