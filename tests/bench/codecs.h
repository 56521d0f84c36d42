/*
 * codecs.h - decoders for the pictures of frames (docs/protocol.md), by libraries that have nothing
 * to do with the gateway's encoders: libjpeg-turbo's decompressor and libavcodec.
 */
#ifndef SEKISHO_BENCH_CODECS_H
#define SEKISHO_BENCH_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { CODECS_STREAMS = 4 };

struct AVCodecContext;

struct codecs {
	void *turbo;                                    /* owned */
	struct AVCodecContext *streams[CODECS_STREAMS]; /* owned; NULL until a key picture came */
	uint32_t *pixels;                               /* owned; the last picture, 0xXXRRGGBB */
	size_t room;
	unsigned width, height; /* of it */
};

void codecs_finish(struct codecs *codecs);

/* The stream must begin anew. */
void codecs_end(struct codecs *codecs, size_t stream);

/* ERR_PROTOCOL: not one JPEG. */
nodiscard enum err codecs_jpeg(struct codecs *codecs, const uint8_t *data, size_t len);

/*
 * One access unit, which must give one picture at once. key begins the stream anew. hd: its colours
 * are those of AVC420, full-range BT.709, else BT.601; it must say so. ERR_PROTOCOL.
 */
nodiscard enum err codecs_h264(struct codecs *codecs, unsigned stream, bool key, bool hd,
			       const uint8_t *data, size_t len);

#endif
