/*
 * unit.h - one picture of H.264 as the PC has sent it, shared by those who decode it and those who
 * pass it on.
 */
#ifndef SEKISHO_WORKER_REMOTE_UNIT_H
#define SEKISHO_WORKER_REMOTE_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "worker/display/surface.h"

enum {
	UNIT_PADDING = 64, /* zeroed bytes behind the data, for decoders that read ahead */
	UNIT_BYTES = 8 << 20,
	UNIT_NALS = 512,
};

struct remote_unit {
	unsigned refs;
	uint32_t stream;    /* units of one stream build on each other */
	uint32_t number;    /* of all units of the connection, in order, from 1 */
	bool passable;      /* a viewer's decoder can be expected to take it, see unit_scan */
	bool key;           /* it needs none before it; only of a passable one */
	struct rect box;    /* where the stream's pictures lie on the desktop */
	struct rect clip;   /* around all clips */
	struct rect *clips; /* inside the box and relative to it: only these are drawn; owned */
	size_t clip_count;
	size_t len;
	uint8_t data[]; /* Annex B, as it came */
};

/*
 * Copies both. The clips may be joined where that gives the same pixels. ERR_TOO_BIG for data over
 * UNIT_BYTES, ERR_NOMEM.
 */
nodiscard enum err unit_new(const struct rect *clips, size_t clip_count, const uint8_t *data,
			    size_t len, struct remote_unit **ret);
struct remote_unit *unit_ref(struct remote_unit *unit);
void unit_unref(struct remote_unit *unit);

/*
 * Whether data is an access unit of H.264 that a browser takes (docs/protocol.md, "Frames"): one
 * picture that is an IDR with its parameter sets (ret_key), or builds on others without new ones.
 */
bool unit_scan(const uint8_t *data, size_t len, bool *ret_key);

/*
 * Whether data has at most UNIT_NALS NAL units and so many slices. Each costs whoever decodes it
 * memory, and slices may draw the whole picture again with a dozen bytes each.
 */
bool unit_is_modest(const uint8_t *data, size_t len, size_t most_slices);

/* Whether all that one draws lies inside the other's single clip. */
bool unit_hides(const struct remote_unit *unit, const struct remote_unit *older);

#endif
