/*
 * rdp_h264.h - decodes the H.264 of one surface. Not FreeRDP's decoder: that one believes a picture
 * to be as large as its rectangles say and of 4:2:0, starts threads, and turns every picture into
 * RGB, also those that nobody looks at.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_H264_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_H264_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "worker/remote/unit.h"

struct rdp_h264;

/* Pictures have at most the pixels of this size, rounded up to 64 and 64 more both ways. ERR_NOMEM.
 */
nodiscard enum err rdp_h264_new(unsigned width, unsigned height, struct rdp_h264 **ret);
void rdp_h264_free(struct rdp_h264 *h264);

/*
 * Decodes one access unit, with UNIT_PADDING zeroed bytes behind it (unit.h). ERR_PROTOCOL: it is
 * no H.264, or none of 4:2:0 with 8 bits. A unit that brings no picture is none to draw.
 */
nodiscard enum err rdp_h264_decode(struct rdp_h264 *h264, const uint8_t *data, size_t len);

/*
 * Draws a part of the last unit's picture to BGRX rows: full-range BT.709, [MS-RDPEGFX] 3.3.8.3.1.
 * ERR_PROTOCOL: the picture is smaller.
 */
nodiscard enum err rdp_h264_draw(const struct rdp_h264 *h264, const struct rect *part,
				 uint8_t *pixels, size_t stride);

/*
 * Writes into a key unit's parameter sets which colours it has, as rdp_h264_draw takes them: hosts
 * say nothing of them, or something else, and browsers believe that. *ret is freed with free.
 * ERR_PROTOCOL, ERR_NOMEM.
 */
nodiscard enum err rdp_h264_name_colours(const uint8_t *data, size_t len, uint8_t **ret,
					 size_t *ret_len);

/*
 * Whether a key unit's pictures, with UNIT_PADDING zeroed bytes behind it, are as large as viewers
 * take them for a rectangle of this size (docs/protocol.md, "Frames").
 */
bool rdp_h264_fits(const uint8_t *data, size_t len, unsigned width, unsigned height);

#endif
