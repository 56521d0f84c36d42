/*
 * bucket.h - a rate limit: so many in a minute, all at once if they have been saved up. The owner
 * zeroes it.
 */
#ifndef SEKISHO_BASE_BUCKET_H
#define SEKISHO_BASE_BUCKET_H

#include <stdint.h>

#include "base/err.h"

struct bucket {
	uint64_t used_ms; /* 60,000 when nothing is left */
	uint64_t seen_ms; /* monotonic */
};

/* ERR_THROTTLED, with the milliseconds until the next one in *ret_wait_ms; then nothing is taken.
 */
nodiscard enum err bucket_take(struct bucket *bucket, unsigned per_minute, uint64_t mono_ms,
			       int64_t *ret_wait_ms);

#endif
