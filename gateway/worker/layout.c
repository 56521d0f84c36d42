#include "worker/layout.h"

#include <string.h>

#include "base/util.h"

void layout_want(struct layout *layout, unsigned window, unsigned width, unsigned height)
{
	layout->windows[window].there = true;
	if (width == 0 || height == 0)
		return;
	layout->windows[window].width = width;
	layout->windows[window].height = height;
}

void layout_leave(struct layout *layout, unsigned window)
{
	layout->windows[window].there = false;
	layout->windows[window].width = layout->windows[window].height = 0;
}

static unsigned clamp(unsigned value, unsigned most)
{
	return MAX(MIN(value, most), (unsigned)LAYOUT_MIN_SIZE);
}

static struct rect monitor(unsigned x, unsigned width, unsigned height)
{
	/* Odd widths are refused by RDP (MS-RDPEDISP 2.2.2.2.1). */
	return (struct rect){ .x = (uint16_t)x,
			      .width = (uint16_t)(width & ~1u),
			      .height = (uint16_t)clamp(height, SURFACE_MAX_HEIGHT) };
}

static void size_of(const struct rect *rects, size_t count, unsigned *width, unsigned *height)
{
	*width = *height = 0;
	for (size_t i = 0; i < count; i++) {
		*width = MAX(*width, (unsigned)rects[i].x + rects[i].width);
		*height = MAX(*height, (unsigned)rects[i].y + rects[i].height);
	}
}

static bool same(const struct rect *a, size_t a_count, const struct rect *b, size_t b_count)
{
	return a_count == b_count && memcmp(a, b, a_count * sizeof(*a)) == 0;
}

/* Whether the desktop is this already. */
static bool is_shown(const struct layout *layout, const struct rect *rects, size_t count)
{
	unsigned width, height;

	size_of(rects, count, &width, &height);
	if (width != layout->width || height != layout->height)
		return false;
	return same(rects, count, layout->shown, layout->shown_count) ||
	       (count == 1 && layout->shown_count == 0);
}

size_t layout_wish(const struct layout *layout, unsigned most, struct rect rects[LAYOUT_MONITORS])
{
	unsigned left = 0;
	size_t count = 0;

	most = MIN(most, (unsigned)LAYOUT_MONITORS);
	/* Each stands at the right of the one before. */
	while (count < most && layout->windows[count].there && layout->windows[count].width) {
		/* Those to come keep room for the least. */
		unsigned width =
			SURFACE_MAX_WIDTH - left - (unsigned)(most - count - 1) * LAYOUT_MIN_SIZE;
		rects[count] = monitor(left, clamp(layout->windows[count].width, width),
				       layout->windows[count].height);
		left += rects[count++].width;
	}
	return is_shown(layout, rects, count) ? 0 : count;
}

static void show(struct layout *layout, const struct rect *rects, size_t count)
{
	memcpy(layout->shown, rects, count * sizeof(*rects));
	layout->shown_count = count;
}

void layout_asked(struct layout *layout, const struct rect *rects, size_t count)
{
	unsigned width, height;

	memcpy(layout->asked, rects, count * sizeof(*rects));
	layout->asked_count = count;
	size_of(rects, count, &width, &height);
	/* No new size will tell. */
	if (width == layout->width && height == layout->height)
		show(layout, rects, count);
}

void layout_desktop(struct layout *layout, unsigned width, unsigned height)
{
	unsigned asked_width, asked_height;

	layout->width = width;
	layout->height = height;
	size_of(layout->asked, layout->asked_count, &asked_width, &asked_height);
	if (asked_width == width && asked_height == height)
		show(layout, layout->asked, layout->asked_count);
	else
		layout->shown_count = 0;
}

bool layout_coming(const struct layout *layout, unsigned window)
{
	return window > 0 && window < layout->asked_count && window >= layout->shown_count;
}

unsigned layout_at(const struct layout *layout, uint16_t *x, uint16_t *y)
{
	for (unsigned i = 0; layout->shown_count > 1 && i < layout->shown_count; i++) {
		const struct rect *part = &layout->shown[i];
		if (*x < part->x || *x >= part->x + part->width || *y < part->y ||
		    *y >= part->y + part->height)
			continue;
		*x = (uint16_t)(*x - part->x);
		*y = (uint16_t)(*y - part->y);
		return i;
	}
	return 0;
}

struct rect layout_part(const struct layout *layout, unsigned window)
{
	if (layout->shown_count > 1 && window < layout->shown_count)
		return layout->shown[window];
	return (struct rect){ .width = (uint16_t)layout->width,
			      .height = (uint16_t)layout->height };
}
