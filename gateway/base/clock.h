/*
 * clock.h - the two clocks. Wall time is for records and certificates; everything that waits or
 * expires while the process lives uses the monotonic one.
 */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include <stdint.h>

/* Seconds and milliseconds since 1970 UTC. */
int64_t clock_wall_s(void);
int64_t clock_wall_ms(void);

/* Microseconds since boot; never steps. */
uint64_t clock_mono_us(void);
static inline uint64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

#endif
