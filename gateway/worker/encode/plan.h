/*
 * plan.h - decides for each tile how what the viewer lacks goes to it: exactly, as part of a
 * picture first, or later.
 */
#ifndef SEKISHO_WORKER_ENCODE_PLAN_H
#define SEKISHO_WORKER_ENCODE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/display/regions.h"

enum {
	PLAN_REFRESH_US = 130000, /* approximate pixels are made exact after so long without more */
	PLAN_PICTURE_MIN = 128 * 128, /* pixels of a JPEG; smaller ones cost more than they spare */
};

struct plan {
	uint64_t now_us;
	size_t budget; /* bytes of the frame, 0: no limit */
	bool jpeg;     /* the viewer decodes it */
};

/* Sets way and refresh of each tile, after damage_look and regions_update. */
void plan_ways(struct damage *damage, struct regions *regions, const struct surface *surface,
	       const struct plan *plan);

#endif
