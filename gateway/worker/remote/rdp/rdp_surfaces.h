/*
 * rdp_surfaces.h - the surfaces and the bitmap cache of the graphics channel ([MS-RDPEGFX] 3.3.1),
 * without its wire. A surface that is shown lies in the worker's framebuffer where it can, so that
 * nothing is copied; all others have memory of their own. Everything that a PC can ask for is
 * bounded: ERR_PROTOCOL for what is outside or unknown, ERR_TOO_BIG for too much.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_SURFACES_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_SURFACES_H

#include <freerdp/channels/rdpgfx.h>

#include "worker/remote/remote.h"

enum {
	RDP_MAX_SURFACES = 256,
	/* As RDPGFX_CAPS_FLAG_SMALL_CACHE promises the PC, and as much again for its roundings. */
	RDP_MAX_TILES = 4096,
	RDP_MAX_TILE_BYTES = 2 * 16 << 20,
	RDP_SURFACE_ALIGN = 64, /* memory of its own has room for whole tiles of this size */
};

/* The desktop: BGRX, owned by the worker. */
struct rdp_screen {
	uint8_t *pixels;
	size_t stride;
	unsigned width, height;
};

struct rdp_surface {
	uint16_t id;
	unsigned width, height;
	uint8_t *data; /* BGRX; in the framebuffer, or own; NULL: never drawn */
	size_t stride;
	uint8_t *own; /* owned */
	bool mapped;
	unsigned x, y;         /* on the desktop */
	bool progressive;      /* a decoder keeps coefficients of it (rdp_decoders.h) */
	struct rdp_h264 *h264; /* owned; NULL until it is needed (rdp_video.h) */
	uint32_t stream;       /* of H.264, as the worker knows it; 0: none yet */
	uint64_t unit_us;      /* what decoding one of it takes, of late; 0: not known yet */
};

static inline unsigned rdp_surface_aligned(unsigned size)
{
	return (size + RDP_SURFACE_ALIGN - 1) / RDP_SURFACE_ALIGN * RDP_SURFACE_ALIGN;
}

struct rdp_surfaces {
	const struct remote_events *events;
	void *ctx; /* for events */
	struct rdp_screen screen;
	struct rdp_surface *list[RDP_MAX_SURFACES]; /* owned */
	size_t count;
	uint64_t pixels;         /* of all surfaces */
	bool shown;              /* something came onto the desktop */
	struct rdp_tile **tiles; /* owned; the cache, slot 1 first; NULL until it is used */
	uint64_t tile_bytes;
};

void rdp_surfaces_init(struct rdp_surfaces *surfaces, const struct remote_events *events,
		       void *ctx);
void rdp_surfaces_finish(struct rdp_surfaces *surfaces);
/* Without any surface and with an empty cache; the framebuffer stays. */
void rdp_surfaces_clear(struct rdp_surfaces *surfaces);

/* Takes every surface out of the framebuffer, which goes away. ERR_NOMEM. */
nodiscard enum err rdp_surfaces_leave(struct rdp_surfaces *surfaces);
/* The new framebuffer; what is mapped is shown. */
void rdp_surfaces_enter(struct rdp_surfaces *surfaces, const struct rdp_screen *screen);

nodiscard enum err rdp_surfaces_create(struct rdp_surfaces *surfaces, uint16_t id, unsigned width,
				       unsigned height);
/* Harmless when there is none. */
void rdp_surfaces_delete(struct rdp_surfaces *surfaces, uint16_t id);
struct rdp_surface *rdp_surfaces_find(const struct rdp_surfaces *surfaces, uint32_t id);

/* Shows it at x, y of the desktop. */
nodiscard enum err rdp_surfaces_map(struct rdp_surfaces *surfaces, uint16_t id, uint32_t x,
				    uint32_t y);

/*
 * Makes the surface's data writable up to right and bottom, which may be beyond its size by less
 * than RDP_SURFACE_ALIGN.
 */
nodiscard enum err rdp_surfaces_write(struct rdp_surface *surface, uint32_t right, uint32_t bottom);
/* The same, in memory of its own: for a decoder that needs the room beyond the surface's size. */
nodiscard enum err rdp_surfaces_write_apart(struct rdp_surface *surface);
/* These pixels of the surface are new: shows them and tells the worker. Cut off at its size. */
void rdp_surfaces_drawn(struct rdp_surfaces *surfaces, const struct rdp_surface *surface,
			const RECTANGLE_16 *rect);
/* The same without telling; false: nothing of it is on the desktop. ret_shown: what is, there. */
bool rdp_surfaces_show(struct rdp_surfaces *surfaces, const struct rdp_surface *surface,
		       const RECTANGLE_16 *rect, struct rect *ret_shown);

nodiscard enum err rdp_surfaces_fill(struct rdp_surfaces *surfaces,
				     const RDPGFX_SOLID_FILL_PDU *fill);
/* Between surfaces or inside of one; what moves on the desktop is told as moved. */
nodiscard enum err rdp_surfaces_move(struct rdp_surfaces *surfaces,
				     const RDPGFX_SURFACE_TO_SURFACE_PDU *move);

nodiscard enum err rdp_surfaces_keep(struct rdp_surfaces *surfaces,
				     const RDPGFX_SURFACE_TO_CACHE_PDU *keep);
nodiscard enum err rdp_surfaces_put(struct rdp_surfaces *surfaces,
				    const RDPGFX_CACHE_TO_SURFACE_PDU *put);
void rdp_surfaces_evict(struct rdp_surfaces *surfaces, uint16_t slot);

#endif
