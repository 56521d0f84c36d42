/*
 * clock.h - the two clocks. Wall time is for records and certificates; everything that waits or
 * expires while the process lives uses the monotonic one.
 */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include <stdint.h>

#include "base/err.h"

/* Seconds and milliseconds since 1970 UTC. */
int64_t clock_wall_s(void);
int64_t clock_wall_ms(void);

/* Microseconds since boot; never steps. */
uint64_t clock_mono_us(void);
static inline uint64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

/*
 * From now on the process's local time is that of this zone: a name of tzdata, "" for the machine's
 * own. Its file is read here, before a sandbox closes. ERR_INVALID: no name; ERR_NOMEM.
 */
nodiscard enum err clock_set_zone(const char *zone);

#endif
