/*
 * video.h - one stream of H.264: pictures of a part of the surface, as little CPU as possible for
 * each, and no more bytes than asked for on average.
 */
#ifndef SEKISHO_WORKER_ENCODE_VIDEO_H
#define SEKISHO_WORKER_ENCODE_VIDEO_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/display/surface.h"

enum {
	/* What decoders of level 5.1 take. */
	VIDEO_MAX_WIDTH = 4096,
	VIDEO_MAX_PIXELS = 4096 * 2304,
};

struct video;

struct video_picture {
	const uint8_t
		*data; /* one access unit, Annex B; belongs to the encoder until its next call */
	size_t len;
	bool key; /* an IDR with its parameter sets */
};

/* The first picture is a key picture. budget: bytes that it should have at most, as far as one can
 * tell. ERR_TOO_BIG for a size above the limits, ERR_NOMEM. */
nodiscard enum err video_new(unsigned width, unsigned height, size_t budget, struct video **ret);
void video_free(struct video *video);

/* The stream has this size. */
bool video_fits(const struct video *video, unsigned width, unsigned height);

/*
 * Encodes the surface's part at x, y, which has the stream's size. budget: bytes that a picture
 * should have at most; quality follows it, within what a person can still look at. An error ends
 * the stream: free it.
 */
nodiscard enum err video_encode(struct video *video, const struct surface *surface, unsigned x,
				unsigned y, bool key, size_t budget, struct video_picture *ret);

#endif
