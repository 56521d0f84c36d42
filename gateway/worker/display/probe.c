#include "worker/display/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "worker/display/damage.h"

static void keep(const struct surface *surface, const struct rect *strip, uint32_t *pixels)
{
	for (unsigned y = 0; y < strip->height; y++)
		memcpy(pixels + (size_t)y * strip->width,
		       surface_at(surface, strip->x, strip->y + y), strip->width * sizeof(*pixels));
}

/* Where the next tile begins, or the last one. */
static unsigned tile_after(unsigned at)
{
	return at - at % DAMAGE_TILE + DAMAGE_TILE;
}

enum err probe_start(struct probe *probe, const struct surface *surface, const struct rect *box,
		     uint64_t now_us)
{
	unsigned right = (unsigned)box->x + box->width, bottom = (unsigned)box->y + box->height;
	unsigned in_left = tile_after(box->x), in_right = (right - 1) - (right - 1) % DAMAGE_TILE;
	unsigned in_top = tile_after(box->y), in_low = (bottom - 1) - (bottom - 1) % DAMAGE_TILE;
	struct rect left = *box, end = *box, top = *box, low = *box;
	left.width = (uint16_t)(in_left - box->x);
	end.x = (uint16_t)in_right;
	end.width = (uint16_t)(right - in_right);
	top.height = (uint16_t)(in_top - box->y);
	low.y = (uint16_t)in_low;
	low.height = (uint16_t)(bottom - in_low);
	probe_stop(probe);
	*probe = (struct probe){ .running = true,
				 .since_us = now_us,
				 .box = *box,
				 .left = in_left,
				 .right = in_right,
				 .top = in_top,
				 .bottom = in_low,
				 .strips = { left, end, top, low } };
	for (size_t i = 0; i < PROBE_STRIPS; i++) {
		const struct rect *strip = &probe->strips[i];
		probe->pixels[i] = calloc((size_t)strip->width * strip->height, SURFACE_PIXEL);
		if (!probe->pixels[i]) {
			probe_stop(probe);
			return ERR_NOMEM;
		}
		keep(surface, strip, probe->pixels[i]);
	}
	return OK;
}

void probe_stop(struct probe *probe)
{
	for (size_t i = 0; i < PROBE_STRIPS; i++)
		free(probe->pixels[i]);
	*probe = (struct probe){ 0 };
}

/* The first and last pixel of a row that differ; false: none. */
static bool differ(const uint8_t *now, const uint32_t *kept, unsigned width, unsigned *ret_first,
		   unsigned *ret_last)
{
	const uint32_t colours = 0x00ffffff;
	unsigned first = 0, last = width;
	uint32_t pixel;
	for (; first < width; first++) {
		memcpy(&pixel, now + (size_t)first * SURFACE_PIXEL, sizeof(pixel));
		if ((pixel ^ kept[first]) & colours)
			break;
	}
	if (first == width)
		return false;
	do {
		last--;
		memcpy(&pixel, now + (size_t)last * SURFACE_PIXEL, sizeof(pixel));
	} while (!((pixel ^ kept[last]) & colours));
	*ret_first = first;
	*ret_last = last;
	return true;
}

void probe_compare(struct probe *probe, const struct surface *surface)
{
	probe->changes++;
	for (size_t i = 0; i < PROBE_STRIPS; i++) {
		const struct rect *strip = &probe->strips[i];
		unsigned first, last;
		for (unsigned y = 0; y < strip->height; y++) {
			if (!differ(surface_at(surface, strip->x, strip->y + y),
				    probe->pixels[i] + (size_t)y * strip->width, strip->width,
				    &first, &last))
				continue;
			probe->left = MIN(probe->left, strip->x + first);
			probe->right = MAX(probe->right, strip->x + last + 1);
			probe->top = MIN(probe->top, (unsigned)strip->y + y);
			probe->bottom = MAX(probe->bottom, (unsigned)strip->y + y + 1);
		}
	}
}

struct rect probe_found(const struct probe *probe)
{
	return (struct rect){ (uint16_t)probe->left, (uint16_t)probe->top,
			      (uint16_t)(probe->right - probe->left),
			      (uint16_t)(probe->bottom - probe->top) };
}
