/*
 * lossless.h - turns rectangles of the surface into the frame data of docs/protocol.md: the planes
 * G, R−G, B−G of all rectangles, left delta, as one zstd frame.
 */
#ifndef SEKISHO_WORKER_ENCODE_LOSSLESS_H
#define SEKISHO_WORKER_ENCODE_LOSSLESS_H

#include <stdbool.h>

#include "worker/display/surface.h"

enum {
	LOSSLESS_PLANES = 3,
	LOSSLESS_MAX_DATA = 64 * 1024 * 1024, /* of one frame, as MSG_frame allows */
	LOSSLESS_SPARE = 256 * 1024,          /* memory that is kept in any case */
	/* So many pixels fit into LOSSLESS_MAX_DATA even when they are noise. */
	LOSSLESS_SAFE_PIXELS = 16 * 1024 * 1024,
};

struct lossless;

nodiscard enum err lossless_new(struct lossless **ret);
void lossless_free(struct lossless *lossless);

/* Gives the memory of large frames back; the next one asks for it again. */
void lossless_rest(struct lossless *lossless);

struct lossless_data {
	const uint8_t *data; /* belongs to the encoder, valid until its next call */
	size_t len;
	uint32_t raw_size; /* decompressed */
};

enum lossless_content {
	LOSSLESS_ANY,
	LOSSLESS_PHOTO, /* mostly: only a matter of speed */
	LOSSLESS_TIGHT, /* bytes count for more than time */
	/* All pixels black whatever the surface shows, for a keyframe that would not fit otherwise.
	 */
	LOSSLESS_BLANK,
};

/* Rectangles must lie inside the surface. ERR_TOO_BIG: the result is larger than LOSSLESS_MAX_DATA.
 * ERR_NOMEM. */
nodiscard enum err lossless_encode(struct lossless *lossless, const struct surface *surface,
				   const struct rect *rects, size_t count,
				   enum lossless_content content, struct lossless_data *ret);

/* Bytes as they are, for the cursor. Same limits and lifetime. */
nodiscard enum err lossless_bytes(struct lossless *lossless, const void *data, size_t len,
				  struct lossless_data *ret);

#endif
