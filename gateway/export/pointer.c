#include "export/pointer.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/util.h"

enum { RGBA = 4, DISC = 16, DISC_ALPHA = 110 };

static const uint32_t disc_colour = 0xf2c14e;

/* The usual arrow: X black, . white. */
static const char *const arrow[] = {
	"X",           "XX",           "X.X",        "X..X",      "X...X",
	"X....X",      "X.....X",      "X......X",   "X.......X", "X........X",
	"X.........X", "X......XXXXX", "X...X..X",   "X..XX..X",  "X.X  X..X",
	"XX   X..X",   "X     X..X",   "      X..X", "       XX",
};

enum err pointer_shape_set(struct pointer_shape *shape, const struct msg_cursor *cursor)
{
	const size_t size = (size_t)cursor->width * cursor->height * RGBA;
	uint8_t *pixels = NULL;

	if (cursor->width > POINTER_SIDE_MAX || cursor->height > POINTER_SIDE_MAX)
		return ERR_PROTOCOL;
	if (size && cursor->pixels.len) {
		pixels = malloc(size);
		if (!pixels)
			return ERR_NOMEM;
		if (ZSTD_decompress(pixels, size, cursor->pixels.data, cursor->pixels.len) !=
		    size) {
			free(pixels);
			return ERR_PROTOCOL;
		}
	}
	free(shape->pixels);
	*shape = (struct pointer_shape){ .known = true,
					 .hot_x = cursor->hot_x,
					 .hot_y = cursor->hot_y,
					 .width = cursor->width,
					 .height = cursor->height,
					 .pixels = pixels };
	return OK;
}

void pointer_shape_finish(struct pointer_shape *shape)
{
	free(shape->pixels);
	*shape = (struct pointer_shape){ 0 };
}

static uint32_t channel(uint32_t below, uint32_t above, unsigned alpha, unsigned shift)
{
	return ((below >> shift & 255) * (255 - alpha) + (above >> shift & 255) * alpha) / 255
	       << shift;
}

static void put(const struct canvas *canvas, int x, int y, uint32_t colour, unsigned alpha)
{
	if (x < 0 || y < 0 || (unsigned)x >= canvas->width || (unsigned)y >= canvas->height)
		return;
	uint32_t *pixel = &canvas->pixels[(size_t)y * canvas->stride + (size_t)x];
	*pixel = channel(*pixel, colour, alpha, 16) | channel(*pixel, colour, alpha, 8) |
		 channel(*pixel, colour, alpha, 0);
}

static void draw_disc(const struct canvas *canvas, int x, int y)
{
	for (int dy = -DISC; dy <= DISC; dy++)
		for (int dx = -DISC; dx <= DISC; dx++)
			if (dx * dx + dy * dy <= DISC * DISC)
				put(canvas, x + dx, y + dy, disc_colour, DISC_ALPHA);
}

static void draw_arrow(const struct canvas *canvas, int x, int y)
{
	for (int row = 0; row < (int)ARRAY_SIZE(arrow); row++)
		for (int column = 0; arrow[row][column]; column++)
			if (arrow[row][column] != ' ')
				put(canvas, x + column, y + row,
				    arrow[row][column] == 'X' ? 0 : 0xffffff, 255);
}

void pointer_draw(const struct pointer_shape *shape, const struct canvas *canvas, unsigned x,
		  unsigned y, bool pressed)
{
	const int left = (int)x - (int)MIN(shape->hot_x, shape->width);
	const int top = (int)y - (int)MIN(shape->hot_y, shape->height);

	if (pressed)
		draw_disc(canvas, (int)x, (int)y);
	if (!shape->known)
		draw_arrow(canvas, (int)x, (int)y);
	for (unsigned row = 0; shape->pixels && row < shape->height; row++)
		for (unsigned column = 0; column < shape->width; column++) {
			const uint8_t *from =
				shape->pixels + ((size_t)row * shape->width + column) * RGBA;
			const uint32_t colour =
				(uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
			put(canvas, left + (int)column, top + (int)row, colour, from[3]);
		}
}
