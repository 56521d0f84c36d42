/*
 * codecs.h - decoders for the pictures of frames (docs/protocol.md §4), by libraries that have
 * nothing to do with the gateway's encoders: libjpeg-turbo's decompressor and libavcodec. What they
 * are given is hostile.
 */
#ifndef SEKISHO_EXPORT_CODECS_H
#define SEKISHO_EXPORT_CODECS_H

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

/* ERR_PROTOCOL: not one whole baseline JPEG of exactly this size. */
nodiscard enum err codecs_jpeg(struct codecs *codecs, const uint8_t *data, size_t len,
			       unsigned width, unsigned height);

/* One access unit of H.264. */
struct codecs_unit {
	const uint8_t *data;
	size_t len;
	unsigned stream;
	bool key; /* the stream begins anew with it */
	bool hd;  /* its colours are those of AVC420, full-range BT.709, else BT.601 */
	unsigned width, height; /* its picture has at least so many pixels … */
	unsigned more;          /* … and at most so many beyond them, each way */
};

/* It must give one picture at once, and say of which colours it is. ERR_PROTOCOL, ERR_NOMEM: the
 * stream must then begin anew. */
nodiscard enum err codecs_h264(struct codecs *codecs, const struct codecs_unit *unit);

#endif
