/*
 * clipboard.h - nothing is copied between the PC and a device: that somebody tried is recorded, in
 * the audit log, and told to the person.
 */
#ifndef SEKISHO_WORKER_CLIPBOARD_H
#define SEKISHO_WORKER_CLIPBOARD_H

#include <stdint.h>

#include "wire/enums.h"

enum {
	CLIPBOARD_WAYS = CLIPBOARD_KEYS + 1,
	CLIPBOARD_NOTE_US = 60000000, /* between two events of one way */
	CLIPBOARD_ENTRIES = 32, /* of a session in the audit log; the recording has them all */
};

struct worker;

/* All zeros to begin with. */
struct clipboard {
	unsigned entries;
	struct {
		uint64_t noted_us; /* monotonic; 0: never */
		unsigned times;    /* since then */
	} ways[CLIPBOARD_WAYS];
};

void clipboard_tried(struct worker *worker, enum clipboard_way way);

#endif
