#include "worker/display/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { LEFT, RIGHT, TOP, BOTTOM };

/* The box without all but its first or last tiles. */
static struct rect strip_of(const struct rect *box, int side)
{
	struct rect strip = *box;
	unsigned right = (unsigned)box->x + box->width, bottom = (unsigned)box->y + box->height;
	unsigned last_x = (right - 1) - (right - 1) % DAMAGE_TILE;
	unsigned last_y = (bottom - 1) - (bottom - 1) % DAMAGE_TILE;
	if (side == LEFT)
		strip.width = (uint16_t)(DAMAGE_TILE - box->x % DAMAGE_TILE);
	if (side == TOP)
		strip.height = (uint16_t)(DAMAGE_TILE - box->y % DAMAGE_TILE);
	if (side == RIGHT) {
		strip.x = (uint16_t)last_x;
		strip.width = (uint16_t)(right - last_x);
	}
	if (side == BOTTOM) {
		strip.y = (uint16_t)last_y;
		strip.height = (uint16_t)(bottom - last_y);
	}
	return strip;
}

enum err probe_start(struct probe *probe, const struct surface *surface, const struct rect *box,
		     uint64_t now_us)
{
	probe_stop(probe);
	probe->running = true;
	probe->since_us = now_us;
	probe->box = *box;
	for (int i = 0; i < PROBE_SIDES; i++) {
		struct rect strip = strip_of(box, i);
		uint32_t *pixels = calloc((size_t)strip.width * strip.height, sizeof(*pixels));
		if (!pixels) {
			probe_stop(probe);
			return ERR_NOMEM;
		}
		probe->sides[i].strip = strip;
		probe->sides[i].pixels = pixels;
		for (unsigned y = 0; y < strip.height; y++)
			memcpy(pixels + (size_t)y * strip.width,
			       surface_at(surface, strip.x, strip.y + y),
			       strip.width * sizeof(*pixels));
	}
	return OK;
}

void probe_stop(struct probe *probe)
{
	for (size_t i = 0; i < PROBE_SIDES; i++)
		free(probe->sides[i].pixels);
	*probe = (struct probe){ 0 };
}

/* columns: counts for each column of the strip, else for each row. */
static void compare(struct probe_side *side, const struct surface *surface, bool columns)
{
	const struct rect *strip = &side->strip;
	uint32_t counts[DAMAGE_TILE] = { 0 };
	for (unsigned y = 0; y < strip->height; y++) {
		const uint8_t *row = surface_at(surface, strip->x, strip->y + y);
		const uint32_t *kept = side->pixels + (size_t)y * strip->width;
		for (unsigned x = 0; x < strip->width; x++) {
			uint32_t pixel;
			memcpy(&pixel, row + (size_t)x * SURFACE_PIXEL, sizeof(pixel));
			counts[columns ? x : y] += ((pixel ^ kept[x]) & 0x00ffffff) != 0;
		}
	}
	for (size_t i = 0; i < DAMAGE_TILE; i++)
		side->lines[i] = MAX(side->lines[i], counts[i]);
}

void probe_compare(struct probe *probe, const struct surface *surface)
{
	probe->changes++;
	for (int i = 0; i < PROBE_SIDES; i++)
		compare(&probe->sides[i], surface, i == LEFT || i == RIGHT);
}

/* Of lines side by side: how many lie before the first that changes, or after the last. */
static unsigned still_before(const struct probe_side *side, unsigned lines, unsigned length)
{
	unsigned i = 0;
	while (i < lines && side->lines[i] * PROBE_SHARE < length)
		i++;
	return i;
}

static unsigned still_after(const struct probe_side *side, unsigned lines, unsigned length)
{
	unsigned i = lines;
	while (i > 0 && side->lines[i - 1] * PROBE_SHARE < length)
		i--;
	return lines - i;
}

struct rect probe_found(const struct probe *probe)
{
	const struct rect *box = &probe->box;
	const struct probe_side *sides = probe->sides;
	unsigned left = still_before(&sides[LEFT], sides[LEFT].strip.width, box->height);
	unsigned right = still_after(&sides[RIGHT], sides[RIGHT].strip.width, box->height);
	unsigned top = still_before(&sides[TOP], sides[TOP].strip.height, box->width);
	unsigned bottom = still_after(&sides[BOTTOM], sides[BOTTOM].strip.height, box->width);
	return (struct rect){ (uint16_t)(box->x + left), (uint16_t)(box->y + top),
			      (uint16_t)(box->width - left - right),
			      (uint16_t)(box->height - top - bottom) };
}
