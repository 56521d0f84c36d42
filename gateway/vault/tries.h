/*
 * tries.h - how often a wrong passphrase was given in a row, and how long the next one has to wait
 * for that. Counted on the disk before it is tried, so that no restart forgets it.
 */
#ifndef SEKISHO_VAULT_TRIES_H
#define SEKISHO_VAULT_TRIES_H

#include <stdint.h>

#include "base/err.h"

enum {
	TRIES_FREE = 3,           /* that nobody has to wait after */
	TRIES_WAIT_MS = 5 * 1000, /* after the next, then twice as long after each */
	TRIES_WAIT_MAX_MS = 5 * 60 * 1000,
};

struct tries {
	const char *folder; /* borrowed; the count is in <folder>/tries */
	int64_t failed;
	uint64_t last_ms; /* monotonic */
};

/* Those of before count as if the last had just been. */
void tries_open(struct tries *tries, const char *folder, uint64_t mono_ms);

/* How long until the next may be; 0: now. */
uint64_t tries_wait_ms(const struct tries *tries, uint64_t mono_ms);

/* Counts one as wrong, until it proves to be right. ERR_THROTTLED: not yet, and it does not count.
 */
nodiscard enum err tries_take(struct tries *tries, uint64_t mono_ms);

/* It was right. */
void tries_clear(struct tries *tries);
/* It was neither: it came to no comparison. */
void tries_give_back(struct tries *tries);

#endif
