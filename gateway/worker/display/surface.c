#include "worker/display/surface.h"

#include <sys/mman.h>

#include "base/util.h"

enum { ROW_ALIGN = 64 };

void surface_init(struct surface *surface)
{
	*surface = (struct surface){ 0 };
}

void surface_finish(struct surface *surface)
{
	if (surface->data)
		munmap(surface->data, surface->size);
	surface_init(surface);
}

enum err surface_resize(struct surface *surface, unsigned width, unsigned height)
{
	if (width == 0 || height == 0 || width > SURFACE_MAX_WIDTH || height > SURFACE_MAX_HEIGHT)
		return ERR_INVALID;
	size_t row, size;
	if (mul_overflows((size_t)width, (size_t)SURFACE_PIXEL, &row) ||
	    add_overflows(row, (size_t)ROW_ALIGN - 1, &row))
		return ERR_TOO_BIG;
	row -= row % ROW_ALIGN;
	if (mul_overflows(row, (size_t)height + SURFACE_SPARE_ROWS, &size))
		return ERR_TOO_BIG;
	/* Anonymous pages come zeroed and page-aligned. */
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return ERR_NOMEM;
	surface_finish(surface);
	*surface = (struct surface){
		.data = data, .width = width, .height = height, .stride = row, .size = size
	};
	return OK;
}
