/*
 * regions.h - finds the parts of the desktop that change like a film, and covers them in the damage
 * as long as they do.
 */
#ifndef SEKISHO_WORKER_DISPLAY_REGIONS_H
#define SEKISHO_WORKER_DISPLAY_REGIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/display/classes.h"
#include "worker/display/damage.h"
#include "worker/display/heat.h"
#include "worker/display/probe.h"

enum {
	REGIONS = DAMAGE_COVERS,
	REGION_STILL_US = 150000, /* a tile that has not changed for so long is no film any more */
	REGION_SLOW_US = 400000,  /* the same where the viewer's link is what is slow */
	REGION_KEPT_US = 3000000, /* a region that stopped begins again faster */
};

enum region_state { REGION_NONE, REGION_RUNNING, REGION_STOPPED };

/* Number i + 1 in the damage, whose covers[i] is its rectangle. */
struct region {
	enum region_state state;
	struct rect box;     /* the tiles that it touches, in tiles */
	uint64_t since_us;   /* in this state */
	uint64_t checked_us; /* when it was last asked whether it is a film */
	unsigned start;      /* another number each time that it starts: a key picture is due */
	bool changed;        /* since the last picture, which sets this back */
};

struct regions {
	struct heat heat;
	struct classes classes;
	struct region list[REGIONS];
	struct probe probe; /* of the next one */
	uint64_t search_us; /* not before */
	unsigned starts;
};

nodiscard enum err regions_init(struct regions *regions, const struct damage *damage);
void regions_finish(struct regions *regions);

/* After damage_look. slow: the viewer's link decides how often one looks, not the PC. */
void regions_update(struct regions *regions, struct damage *damage, const struct surface *surface,
		    uint64_t now_us, bool slow);

/* All of them stop, and what they cover goes another way. */
void regions_stop(struct regions *regions, struct damage *damage, const struct surface *surface,
		  uint64_t now_us);

/* The same, and none is looked for or begins again until regions_update is called. */
void regions_forget(struct regions *regions, struct damage *damage, const struct surface *surface,
		    uint64_t now_us);

/* Somebody joins who has none of the pictures before: each begins anew. */
void regions_renew(struct regions *regions);

/* This one cannot be drawn as a video: it ends, and none begins for a while. */
void regions_refuse(struct regions *regions, struct damage *damage, const struct surface *surface,
		    size_t number, uint64_t now_us);

/* When regions_update should be called although nothing changes; 0: never. */
uint64_t regions_due_us(const struct regions *regions, const struct damage *damage);

#endif
