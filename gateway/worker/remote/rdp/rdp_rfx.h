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
	RDP_RFX_TILE = 64, /* pixels, both ways */
	/* Of one region: each one more costs as much as all before, and so does each piece of them
	 * when they are cut along all their upper and lower edges. */
	RDP_RFX_MAX_RECTS = 1024,
	RDP_RFX_MAX_PIECES = 4096,
	RDP_RFX_TILES_AGAIN = 4, /* a message draws each of the surface's tiles so often */
};

/*
 * A RemoteFX message for left, top of a surface of this size. ERR_PROTOCOL when a block is longer
 * than the data, there are more tiles than the surface has room for, or one lies outside. The
 * decoder itself cuts off rectangles at the memory that it is given.
 */
nodiscard enum err rdp_rfx_check(const uint8_t *data, size_t len, uint32_t left, uint32_t top,
				 uint32_t width, uint32_t height);

/*
 * The same for a progressive message, which is for a whole surface and cut off nowhere: its
 * rectangles lie inside a surface of this size. Regions stand inside a frame: of others the decoder
 * takes the number of rectangles, but not the rectangles.
 */
nodiscard enum err rdp_rfx_check_progressive(const uint8_t *data, size_t len, uint32_t width,
					     uint32_t height);

#endif
