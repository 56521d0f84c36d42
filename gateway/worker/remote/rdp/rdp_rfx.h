/*
 * rdp_rfx.h - looks through RemoteFX ([MS-RDPRFX]) and progressive ([MS-RDPEGFX] 2.2.4.2) messages
 * before FreeRDP's decoders do, which trust their rectangles and end the process where they do not.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_RFX_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_RFX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	RDP_RFX_TILE = 64,        /* pixels, both ways */
	RDP_RFX_MAX_RECTS = 1024, /* of one region: each one more costs as much as all before */
};

/*
 * A RemoteFX message for left, top of a surface of this size. ERR_PROTOCOL when a block is longer
 * than the data, there are more tiles than the surface has room for, or one lies outside. The
 * decoder itself cuts off rectangles at the memory that it is given.
 */
nodiscard enum err rdp_rfx_check(const uint8_t *data, size_t len, uint32_t left, uint32_t top,
				 uint32_t width, uint32_t height);

/* What a message writes to: nothing right of and below this. */
struct rdp_rfx_extent {
	uint32_t right, bottom;
};

/* The same for a progressive message, which is for a whole surface and cut off nowhere. */
nodiscard enum err rdp_rfx_check_progressive(const uint8_t *data, size_t len, uint32_t width,
					     uint32_t height, struct rdp_rfx_extent *ret);

#endif
