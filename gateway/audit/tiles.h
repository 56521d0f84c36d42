/*
 * tiles.h - where things are in an exported log: C2SP tlog-tiles (c2sp.org/tlog-tiles), and beside
 * them what a person can read (docs/audit.md).
 */
#ifndef SEKISHO_AUDIT_TILES_H
#define SEKISHO_AUDIT_TILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	TILES_WIDTH = 256, /* hashes or entries in a full tile */
	TILES_HEIGHT = 8,  /* levels of the tree in one */
	TILES_LEVELS = 8,
	TILES_PATH = 4096,
	TILES_ENTRIES = -1, /* the level of the entries' bundles */
};

/* The file of a tile; width 0 or TILES_WIDTH: a full one. ERR_TOO_BIG. */
nodiscard enum err tiles_path(const char *folder, int level, uint64_t index, unsigned width,
			      char ret_path[TILES_PATH]);

#endif
