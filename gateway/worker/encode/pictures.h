/*
 * pictures.h - the pictures of a frame (docs/protocol.md, "Frames"): JPEGs, and the streams of the
 * regions that change like a film.
 */
#ifndef SEKISHO_WORKER_ENCODE_PICTURES_H
#define SEKISHO_WORKER_ENCODE_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "worker/display/regions.h"
#include "worker/encode/jpeg.h"
#include "worker/encode/video.h"

enum {
	PICTURES_JPEG = 1, /* enum codec of wire/enums.def */
	PICTURES_H264 = 2,
	PICTURES_AVC420 = 8,
	PICTURES_STREAM = REGIONS, /* of AVC420; those before are the regions' */
	PICTURES_CLIPS = 2000,     /* of one AVC420; viewers take 2048 in a frame */
	PICTURES_MAX = 16,         /* JPEGs in a frame, beside the regions' */
	PICTURES_TABLE = 65536,
	PICTURES_DATA = 8 * 1024 * 1024,
	/*
	 * Whoever jumps into the middle of a recorded film decodes all of it since its key picture:
	 * pixels of all streams together until one begins anew. Thirty pictures of 1920 × 1080,
	 * for which a browser takes some 110 ms. Each costs as much as so many pixels more. Of a
	 * desktop that is larger some pictures follow a key picture all the same.
	 */
	PICTURES_REPLAY = 64 * 1000 * 1000,
	PICTURES_REPLAY_EACH = 256 * 1000,
	PICTURES_REPLAY_LEAST = 12,
};

struct pictures_stream {
	struct video *video; /* owned; NULL while none is needed */
	unsigned start;      /* as the region's when the stream began */
	uint64_t drawn_us;   /* when the region was last drawn */
	size_t replay;       /* since the key picture, see PICTURES_REPLAY */
	unsigned replayed;   /* pictures since then */
};

struct pictures {
	struct jpeg *jpeg; /* owned; NULL until it is needed */
	struct pictures_stream streams[REGIONS];
	struct buf table, data; /* as MSG_frame carries them */
	size_t count;           /* JPEGs of the frame, beside the regions' */
	size_t jpeg_rate;       /* bytes that 1024 pixels took of late */
	uint64_t used_us;       /* when the last JPEG was made */
};

void pictures_init(struct pictures *pictures);
void pictures_finish(struct pictures *pictures);

/* Begins a frame: there are no pictures. */
void pictures_clear(struct pictures *pictures);

/* Frees what is no longer needed: after regions_update. */
void pictures_rest(struct pictures *pictures, const struct regions *regions, uint64_t now_us);

/* When pictures_rest will have something to free if nothing happens until then; 0: never. */
uint64_t pictures_rest_us(const struct pictures *pictures);

/*
 * Adds a JPEG of as much of the rectangle as fits into so many bytes (one tile at least when the
 * frame has no bytes yet), and cuts the rectangle to it. ERR_FULL: nothing fits. ERR_NOMEM.
 */
nodiscard enum err pictures_add(struct pictures *pictures, const struct surface *surface,
				struct rect *rect, size_t max_bytes, uint64_t now_us);

/* A picture of the region is due; ret_due_us: or will be then, 0: no. */
bool pictures_due(const struct pictures *pictures, const struct region *region, size_t number,
		  uint64_t now_us, uint64_t *ret_due_us);

/*
 * Adds a picture of what region `number` covers. h264: the viewer decodes it; else, and when H.264
 * cannot be had, it is a JPEG. budget: bytes that it should have. ERR_FULL, ERR_NOMEM.
 */
nodiscard enum err pictures_add_region(struct pictures *pictures, const struct surface *surface,
				       const struct damage *damage, struct region *region,
				       size_t number, bool h264, size_t budget, uint64_t now_us);

/* An access unit of the PC's own H.264. */
struct pictures_unit {
	const struct rect *clips; /* of the surface, inside rect */
	size_t clip_count;
	const uint8_t *data;
	size_t len;
	struct rect rect;
	bool key;
	bool hidden; /* decoded, but not drawn */
};

/* Adds it as it is. ERR_FULL: it is too large, or has too many clips. ERR_NOMEM. */
nodiscard enum err pictures_add_unit(struct pictures *pictures, const struct pictures_unit *unit);

#endif
