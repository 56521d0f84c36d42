#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ZONE_ROOM = 80 };

static struct timespec now(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return ts;
}

int64_t clock_wall_s(void)
{
	return now(CLOCK_REALTIME).tv_sec;
}

int64_t clock_wall_ms(void)
{
	struct timespec ts = now(CLOCK_REALTIME);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

uint64_t clock_mono_us(void)
{
	struct timespec ts = now(CLOCK_MONOTONIC);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* No path: tzset would open any file. */
static bool is_zone(const char *zone)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+-/";

	return zone[0] != '/' && !zone[strspn(zone, allowed)] && strlen(zone) < ZONE_ROOM - 1;
}

enum err clock_set_zone(const char *zone)
{
	char value[ZONE_ROOM];

	if (!is_zone(zone))
		return ERR_INVALID;
	snprintf(value, sizeof(value), ":%s", zone);
	if (*zone && setenv("TZ", value, 1))
		return ERR_NOMEM;
	tzset();
	return OK;
}
