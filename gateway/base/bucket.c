#include "base/bucket.h"

#include "base/util.h"

enum { MINUTE_MS = 60000 };

enum err bucket_take(struct bucket *bucket, unsigned per_minute, uint64_t mono_ms,
		     int64_t *ret_wait_ms)
{
	uint64_t cost_ms = MINUTE_MS / per_minute;
	uint64_t passed = mono_ms - MIN(bucket->seen_ms, mono_ms);

	bucket->used_ms -= MIN(bucket->used_ms, passed);
	bucket->seen_ms = mono_ms;
	if (bucket->used_ms + cost_ms > MINUTE_MS) {
		*ret_wait_ms = (int64_t)(bucket->used_ms + cost_ms - MINUTE_MS);
		return ERR_THROTTLED;
	}
	bucket->used_ms += cost_ms;
	return OK;
}
