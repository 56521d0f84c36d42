#include "worker/remote/rdp/rdp_surfaces.h"

#include <string.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp_h264.h"

enum {
	PIXEL = 4, /* bytes */
	/* Surfaces have no limit in the standard: so many desktops of pixels, and small desktops
	 * more. */
	SURFACE_AREAS = 4,
	LEAST_PIXELS = 16 << 20,
	/* One message paints at most so many times the surface; more is only meant to keep us busy.
	 */
	PAINT_AREAS = 16,
};

struct rdp_tile {
	unsigned width, height;
	uint8_t pixels[];
};

void rdp_surfaces_init(struct rdp_surfaces *surfaces, const struct remote_events *events, void *ctx)
{
	*surfaces = (struct rdp_surfaces){ .events = events, .ctx = ctx };
}

static void surface_free(struct rdp_surface *surface)
{
	free(surface->own);
	rdp_h264_free(surface->h264);
	free(surface);
}

void rdp_surfaces_clear(struct rdp_surfaces *surfaces)
{
	struct rdp_screen screen = surfaces->screen;

	for (size_t i = 0; i < surfaces->count; i++)
		surface_free(surfaces->list[i]);
	for (unsigned slot = 1; surfaces->tiles && slot <= RDP_MAX_TILES; slot++)
		rdp_surfaces_evict(surfaces, (uint16_t)slot);
	free(surfaces->tiles);
	rdp_surfaces_init(surfaces, surfaces->events, surfaces->ctx);
	surfaces->screen = screen;
}

void rdp_surfaces_finish(struct rdp_surfaces *surfaces)
{
	rdp_surfaces_clear(surfaces);
	surfaces->screen = (struct rdp_screen){ 0 };
}

static void copy_rows(uint8_t *to, size_t to_stride, const uint8_t *from, size_t from_stride,
		      unsigned width, unsigned height)
{
	for (unsigned y = 0; y < height; y++)
		memcpy(to + y * to_stride, from + y * from_stride, (size_t)width * PIXEL);
}

static uint8_t *at(const struct rdp_surface *surface, unsigned x, unsigned y)
{
	return surface->data + y * surface->stride + (size_t)x * PIXEL;
}

static uint8_t *screen_at(const struct rdp_surfaces *surfaces, unsigned x, unsigned y)
{
	return surfaces->screen.pixels + y * surfaces->screen.stride + (size_t)x * PIXEL;
}

static bool in_framebuffer(const struct rdp_surface *surface)
{
	return surface->data && !surface->own;
}

/* --- memory --- */

/* The pages are the kernel's zeroed ones until something is drawn. */
static enum err give_memory(struct rdp_surface *surface)
{
	size_t stride = (size_t)rdp_surface_aligned(surface->width) * PIXEL;

	surface->own = calloc(rdp_surface_aligned(surface->height) + SURFACE_SPARE_ROWS, stride);
	if (!surface->own)
		return ERR_NOMEM;
	surface->data = surface->own;
	surface->stride = stride;
	return OK;
}

static enum err leave(struct rdp_surface *surface)
{
	const uint8_t *before = surface->data;
	size_t stride = surface->stride;
	enum err err;

	if (!in_framebuffer(surface))
		return OK;
	err = give_memory(surface);
	if (!err)
		copy_rows(surface->own, surface->stride, before, stride, surface->width,
			  surface->height);
	return err;
}

enum err rdp_surfaces_leave(struct rdp_surfaces *surfaces)
{
	for (size_t i = 0; i < surfaces->count; i++) {
		enum err err = leave(surfaces->list[i]);

		if (err)
			return err;
	}
	surfaces->screen = (struct rdp_screen){ 0 };
	return OK;
}

enum err rdp_surfaces_write_apart(struct rdp_surface *surface)
{
	return surface->data ? leave(surface) : give_memory(surface);
}

enum err rdp_surfaces_write(struct rdp_surface *surface, uint32_t right, uint32_t bottom)
{
	bool inside = right <= surface->width && bottom <= surface->height;

	if (right > rdp_surface_aligned(surface->width) ||
	    bottom > rdp_surface_aligned(surface->height))
		return ERR_PROTOCOL;
	return inside && surface->data ? OK : rdp_surfaces_write_apart(surface);
}

/* --- the desktop --- */

/* Overlapping ones cannot share the framebuffer's memory. */
static bool overlap(const struct rdp_surface *a, const struct rdp_surface *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static bool fits(const struct rdp_surfaces *surfaces, const struct rdp_surface *surface)
{
	const struct rdp_screen *screen = &surfaces->screen;

	if (!screen->pixels || surface->x + surface->width > screen->width ||
	    surface->y + surface->height > screen->height)
		return false;
	for (size_t i = 0; i < surfaces->count; i++) {
		const struct rdp_surface *other = surfaces->list[i];

		if (other != surface && other->mapped && overlap(other, surface))
			return false;
	}
	return true;
}

bool rdp_surfaces_show(struct rdp_surfaces *surfaces, const struct rdp_surface *surface,
		       const RECTANGLE_16 *rect, struct rect *ret_shown)
{
	const struct rdp_screen *screen = &surfaces->screen;
	unsigned right = MIN((unsigned)rect->right, surface->width);
	unsigned bottom = MIN((unsigned)rect->bottom, surface->height);
	unsigned left = rect->left, top = rect->top, x, y;

	if (!surface->mapped || !surface->data || !screen->pixels || surface->x >= screen->width ||
	    surface->y >= screen->height)
		return false;
	right = MIN(right, screen->width - surface->x);
	bottom = MIN(bottom, screen->height - surface->y);
	if (left >= right || top >= bottom)
		return false;
	x = surface->x + left;
	y = surface->y + top;
	if (!in_framebuffer(surface))
		copy_rows(screen_at(surfaces, x, y), screen->stride, at(surface, left, top),
			  surface->stride, right - left, bottom - top);
	surfaces->shown = true;
	*ret_shown = (struct rect){ (uint16_t)x, (uint16_t)y, (uint16_t)(right - left),
				    (uint16_t)(bottom - top) };
	return true;
}

void rdp_surfaces_drawn(struct rdp_surfaces *surfaces, const struct rdp_surface *surface,
			const RECTANGLE_16 *rect)
{
	struct rect shown;

	if (rdp_surfaces_show(surfaces, surface, rect, &shown))
		surfaces->events->damaged(surfaces->ctx, shown.x, shown.y, shown.width,
					  shown.height);
}

/* Shows all of it, and moves it into the framebuffer when it can be there. */
static void show(struct rdp_surfaces *surfaces, struct rdp_surface *surface)
{
	const RECTANGLE_16 all = { 0, 0, (UINT16)surface->width, (UINT16)surface->height };

	rdp_surfaces_drawn(surfaces, surface, &all);
	if (!fits(surfaces, surface))
		return;
	free(surface->own);
	surface->own = NULL;
	surface->data = screen_at(surfaces, surface->x, surface->y);
	surface->stride = surfaces->screen.stride;
}

void rdp_surfaces_enter(struct rdp_surfaces *surfaces, const struct rdp_screen *screen)
{
	surfaces->screen = *screen;
	for (size_t i = 0; i < surfaces->count; i++)
		if (surfaces->list[i]->mapped)
			show(surfaces, surfaces->list[i]);
}

enum err rdp_surfaces_map(struct rdp_surfaces *surfaces, uint16_t id, uint32_t x, uint32_t y)
{
	struct rdp_surface *surface = rdp_surfaces_find(surfaces, id);
	enum err err;

	if (!surface || x > UINT16_MAX || y > UINT16_MAX)
		return ERR_PROTOCOL;
	err = leave(surface);
	surface->mapped = true;
	surface->x = x;
	surface->y = y;
	for (size_t i = 0; !err && i < surfaces->count; i++) {
		struct rdp_surface *other = surfaces->list[i];

		if (other != surface && other->mapped && overlap(other, surface))
			err = leave(other);
	}
	if (!err)
		show(surfaces, surface);
	return err;
}

/* --- their life --- */

struct rdp_surface *rdp_surfaces_find(const struct rdp_surfaces *surfaces, uint32_t id)
{
	for (size_t i = 0; i < surfaces->count; i++)
		if (surfaces->list[i]->id == id)
			return surfaces->list[i];
	return NULL;
}

enum err rdp_surfaces_create(struct rdp_surfaces *surfaces, uint16_t id, unsigned width,
			     unsigned height)
{
	uint64_t desktop = (uint64_t)surfaces->screen.width * surfaces->screen.height;
	uint64_t most = MAX(SURFACE_AREAS * desktop, (uint64_t)LEAST_PIXELS);
	uint64_t wanted = (uint64_t)rdp_surface_aligned(width) * rdp_surface_aligned(height);
	struct rdp_surface *surface;

	if (width == 0 || height == 0 || rdp_surfaces_find(surfaces, id))
		return ERR_PROTOCOL;
	if (surfaces->count == RDP_MAX_SURFACES || wanted > most ||
	    surfaces->pixels > most - wanted)
		return ERR_TOO_BIG;
	surface = malloc(sizeof(*surface));
	if (!surface)
		return ERR_NOMEM;
	*surface = (struct rdp_surface){ .id = id, .width = width, .height = height };
	surfaces->list[surfaces->count++] = surface;
	surfaces->pixels += wanted;
	return OK;
}

void rdp_surfaces_delete(struct rdp_surfaces *surfaces, uint16_t id)
{
	for (size_t i = 0; i < surfaces->count; i++) {
		struct rdp_surface *surface = surfaces->list[i];

		if (surface->id != id)
			continue;
		surfaces->pixels -= (uint64_t)rdp_surface_aligned(surface->width) *
				    rdp_surface_aligned(surface->height);
		surfaces->list[i] = surfaces->list[--surfaces->count];
		surface_free(surface);
		return;
	}
}

/* --- drawing --- */

static bool is_inside(const RECTANGLE_16 *rect, const struct rdp_surface *surface)
{
	return rect->left <= rect->right && rect->right <= surface->width &&
	       rect->top <= rect->bottom && rect->bottom <= surface->height;
}

static uint64_t area(const RECTANGLE_16 *rect)
{
	return (uint64_t)(rect->right - rect->left) * (uint64_t)(rect->bottom - rect->top);
}

static bool paints_too_much(const struct rdp_surface *surface, uint64_t pixels)
{
	return pixels > (uint64_t)PAINT_AREAS * surface->width * surface->height;
}

static void fill_rect(const struct rdp_surface *surface, const RECTANGLE_16 *rect, uint32_t pixel)
{
	size_t len = (size_t)(rect->right - rect->left) * PIXEL;
	uint8_t *first = at(surface, rect->left, rect->top);

	if (area(rect) == 0)
		return;
	for (size_t i = 0; i < len; i += PIXEL)
		memcpy(first + i, &pixel, PIXEL);
	for (unsigned y = 1; y < (unsigned)(rect->bottom - rect->top); y++)
		memcpy(first + y * surface->stride, first, len);
}

enum err rdp_surfaces_fill(struct rdp_surfaces *surfaces, const RDPGFX_SOLID_FILL_PDU *fill)
{
	struct rdp_surface *surface = rdp_surfaces_find(surfaces, fill->surfaceId);
	const uint8_t bytes[PIXEL] = { fill->fillPixel.B, fill->fillPixel.G, fill->fillPixel.R,
				       0xff };
	uint64_t pixels = 0;
	uint32_t pixel;
	enum err err;

	if (!surface)
		return ERR_PROTOCOL;
	for (unsigned i = 0; i < fill->fillRectCount; i++) {
		if (!is_inside(&fill->fillRects[i], surface))
			return ERR_PROTOCOL;
		pixels += area(&fill->fillRects[i]);
	}
	if (paints_too_much(surface, pixels))
		return ERR_PROTOCOL;
	err = rdp_surfaces_write(surface, 0, 0);
	memcpy(&pixel, bytes, PIXEL);
	for (unsigned i = 0; !err && i < fill->fillRectCount; i++) {
		fill_rect(surface, &fill->fillRects[i], pixel);
		rdp_surfaces_drawn(surfaces, surface, &fill->fillRects[i]);
	}
	return err;
}

/* As if through a buffer: rows that are still to be read are not written before. */
static void move_rect(const struct rdp_surface *from, const RECTANGLE_16 *rect,
		      const struct rdp_surface *to, unsigned x, unsigned y)
{
	unsigned height = rect->bottom - rect->top;
	size_t len = (size_t)(rect->right - rect->left) * PIXEL;
	bool upwards = from != to || y <= rect->top;

	for (unsigned i = 0; i < height; i++) {
		unsigned row = upwards ? i : height - 1 - i;

		memmove(at(to, x, y + row), at(from, rect->left, rect->top + row), len);
	}
}

/* The framebuffer has it already when both lie there. */
static void tell_moved(struct rdp_surfaces *surfaces, const struct rdp_surface *from,
		       const RECTANGLE_16 *rect, const struct rdp_surface *to,
		       const RECTANGLE_16 *target)
{
	if (!in_framebuffer(from) || !in_framebuffer(to)) {
		rdp_surfaces_drawn(surfaces, to, target);
		return;
	}
	surfaces->events->copied(surfaces->ctx, (int)(from->x + rect->left),
				 (int)(from->y + rect->top), (int)(to->x + target->left),
				 (int)(to->y + target->top), rect->right - rect->left,
				 rect->bottom - rect->top);
}

/* Where a rectangle of this size comes to lie; false: not inside the surface. */
static bool place(const struct rdp_surface *surface, const RDPGFX_POINT16 *point, unsigned width,
		  unsigned height, RECTANGLE_16 *ret)
{
	if (point->x + width > surface->width || point->y + height > surface->height)
		return false;
	*ret = (RECTANGLE_16){ point->x, point->y, (UINT16)(point->x + width),
			       (UINT16)(point->y + height) };
	return true;
}

enum err rdp_surfaces_move(struct rdp_surfaces *surfaces, const RDPGFX_SURFACE_TO_SURFACE_PDU *move)
{
	struct rdp_surface *from = rdp_surfaces_find(surfaces, move->surfaceIdSrc);
	struct rdp_surface *to = rdp_surfaces_find(surfaces, move->surfaceIdDest);
	const RECTANGLE_16 *rect = &move->rectSrc;
	RECTANGLE_16 target;
	enum err err;

	if (!from || !to || !is_inside(rect, from) ||
	    paints_too_much(to, area(rect) * move->destPtsCount))
		return ERR_PROTOCOL;
	err = rdp_surfaces_write(from, 0, 0);
	if (!err)
		err = rdp_surfaces_write(to, 0, 0);
	for (unsigned i = 0; !err && area(rect) > 0 && i < move->destPtsCount; i++) {
		if (!place(to, &move->destPts[i], rect->right - rect->left,
			   rect->bottom - rect->top, &target))
			return ERR_PROTOCOL;
		move_rect(from, rect, to, target.left, target.top);
		tell_moved(surfaces, from, rect, to, &target);
	}
	return err;
}

/* --- the cache --- */

void rdp_surfaces_evict(struct rdp_surfaces *surfaces, uint16_t slot)
{
	struct rdp_tile *tile;

	if (!surfaces->tiles || slot == 0 || slot > RDP_MAX_TILES)
		return;
	tile = surfaces->tiles[slot - 1];
	if (tile)
		surfaces->tile_bytes -= (uint64_t)tile->width * tile->height * PIXEL;
	free(tile);
	surfaces->tiles[slot - 1] = NULL;
}

enum err rdp_surfaces_keep(struct rdp_surfaces *surfaces, const RDPGFX_SURFACE_TO_CACHE_PDU *keep)
{
	const RECTANGLE_16 *rect = &keep->rectSrc;
	struct rdp_surface *surface = rdp_surfaces_find(surfaces, keep->surfaceId);
	uint64_t bytes = surface && is_inside(rect, surface) ? area(rect) * PIXEL : 0;
	struct rdp_tile *tile;
	enum err err;

	if (bytes == 0 || keep->cacheSlot == 0 || keep->cacheSlot > RDP_MAX_TILES)
		return ERR_PROTOCOL;
	if (!surfaces->tiles)
		surfaces->tiles = calloc(RDP_MAX_TILES, sizeof(struct rdp_tile *));
	err = surfaces->tiles ? rdp_surfaces_write(surface, 0, 0) : ERR_NOMEM;
	if (err)
		return err;
	rdp_surfaces_evict(surfaces, keep->cacheSlot);
	if (bytes > RDP_MAX_TILE_BYTES || surfaces->tile_bytes > RDP_MAX_TILE_BYTES - bytes)
		return ERR_TOO_BIG;
	tile = malloc(sizeof(*tile) + bytes);
	if (!tile)
		return ERR_NOMEM;
	tile->width = rect->right - rect->left;
	tile->height = rect->bottom - rect->top;
	copy_rows(tile->pixels, (size_t)tile->width * PIXEL, at(surface, rect->left, rect->top),
		  surface->stride, tile->width, tile->height);
	surfaces->tiles[keep->cacheSlot - 1] = tile;
	surfaces->tile_bytes += bytes;
	return OK;
}

enum err rdp_surfaces_put(struct rdp_surfaces *surfaces, const RDPGFX_CACHE_TO_SURFACE_PDU *put)
{
	struct rdp_surface *surface = rdp_surfaces_find(surfaces, put->surfaceId);
	bool known = surfaces->tiles && put->cacheSlot > 0 && put->cacheSlot <= RDP_MAX_TILES;
	const struct rdp_tile *tile = known ? surfaces->tiles[put->cacheSlot - 1] : NULL;
	RECTANGLE_16 target;
	enum err err;

	if (!surface || !tile ||
	    paints_too_much(surface, (uint64_t)tile->width * tile->height * put->destPtsCount))
		return ERR_PROTOCOL;
	err = rdp_surfaces_write(surface, 0, 0);
	for (unsigned i = 0; !err && i < put->destPtsCount; i++) {
		if (!place(surface, &put->destPts[i], tile->width, tile->height, &target))
			return ERR_PROTOCOL;
		copy_rows(at(surface, target.left, target.top), surface->stride, tile->pixels,
			  (size_t)tile->width * PIXEL, tile->width, tile->height);
		rdp_surfaces_drawn(surfaces, surface, &target);
	}
	return err;
}
