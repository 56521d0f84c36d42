/*
 * apart.h - whether areas of several owners keep apart, however many there are and however they
 * lie: frames are hostile, and comparing each with each would take 67 million comparisons for one.
 */
#ifndef SEKISHO_EXPORT_APART_H
#define SEKISHO_EXPORT_APART_H

#include "export/frame_check.h"

struct apart_area {
	struct area area; /* not empty, within FRAME_WIDTH_MAX */
	uint16_t owner;   /* areas of one owner may overlap each other */
};

/* ERR_PROTOCOL: two of different owners overlap; ERR_NOMEM. count: at most 65,535. */
nodiscard enum err apart_check(const struct apart_area *areas, size_t count);

#endif
