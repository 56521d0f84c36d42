/*
 * rdp_decoders.h - the decoders of one connection, FreeRDP's, made when a PC first sends something
 * for them and no larger than that. What they are given is checked before, because they trust more
 * of it than they should. ERR_PROTOCOL for what cannot be decoded.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_DECODERS_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_DECODERS_H

#include <freerdp/channels/rdpgfx.h>
#include <freerdp/codec/clear.h>
#include <freerdp/codec/interleaved.h>
#include <freerdp/codec/planar.h>
#include <freerdp/codec/progressive.h>
#include <freerdp/codec/region.h>
#include <freerdp/codec/rfx.h>
#include <freerdp/update.h>

#include "worker/remote/rdp/rdp_surfaces.h"

struct rdp_decoders {
	BITMAP_PLANAR_CONTEXT *planar; /* all owned; NULL until needed */
	BITMAP_INTERLEAVED_CONTEXT *interleaved;
	CLEAR_CONTEXT *clear;
	RFX_CONTEXT *rfx;
	PROGRESSIVE_CONTEXT *progressive;
	unsigned planar_width, planar_height; /* that it has room for */
	uint64_t desktop_pixels;              /* set by rdp_decoders_reset */
	uint64_t progressive_pixels;          /* of surfaces that it keeps coefficients of */
	uint32_t messages;                    /* progressive ones */
};

void rdp_decoders_finish(struct rdp_decoders *decoders);

/* Bottom-up pixels of a bitmap update: width * height of them as BGRX rows to pixels. */
nodiscard enum err rdp_decoders_bitmap(struct rdp_decoders *decoders, const BITMAP_DATA *bitmap,
				       const gdiPalette *palette, uint8_t *pixels, size_t stride);

/*
 * A command of the graphics channel, decoded into the surface; ret_drawn, initialised by the
 * caller, is what has changed. ERR_TOO_BIG, ERR_NOMEM.
 */
nodiscard enum err rdp_decoders_surface(struct rdp_decoders *decoders, struct rdp_surface *surface,
					const RDPGFX_SURFACE_COMMAND *command, REGION16 *ret_drawn);

/* What decoders remember of a surface that is deleted. */
void rdp_decoders_forget(struct rdp_decoders *decoders, const struct rdp_surface *surface);

/* The desktop has this size from now on; after ResetGraphics all streams begin anew. */
void rdp_decoders_reset(struct rdp_decoders *decoders, unsigned width, unsigned height);

#endif
