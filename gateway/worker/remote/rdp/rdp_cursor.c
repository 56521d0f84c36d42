#include "worker/remote/rdp/rdp_cursor.h"

#include <stdlib.h>
#include <string.h>

#include <freerdp/codec/color.h>
#include <freerdp/gdi/gdi.h>

#include "worker/remote/rdp/rdp.h"

/* FreeRDP keeps pointers of this class in its pointer cache. */
struct cursor {
	rdpPointer base;
	uint8_t *rgba; /* owned; NULL: the PC sent something unusable, shown as the arrow */
};

uint8_t *rdp_cursor_convert(const rdpPointer *pointer, const gdiPalette *palette)
{
	size_t stride = (size_t)pointer->width * 4;
	uint8_t *rgba;

	if (pointer->width == 0 || pointer->width > REMOTE_MAX_CURSOR || pointer->height == 0 ||
	    pointer->height > REMOTE_MAX_CURSOR)
		return NULL;
	rgba = calloc(pointer->height, stride);
	if (!rgba)
		return NULL;
	if (!freerdp_image_copy_from_pointer_data(
		    rgba, PIXEL_FORMAT_RGBA32, (UINT32)stride, 0, 0, pointer->width,
		    pointer->height, pointer->xorMaskData, pointer->lengthXorMask,
		    pointer->andMaskData, pointer->lengthAndMask, pointer->xorBpp, palette)) {
		free(rgba);
		return NULL;
	}
	return rgba;
}

void rdp_cursor_arrow(uint8_t rgba[RDP_ARROW_WIDTH * RDP_ARROW_HEIGHT * 4])
{
	/* X black, . white */
	static const char shape[RDP_ARROW_HEIGHT][RDP_ARROW_WIDTH + 1] = {
		"X           ", "XX          ", "X.X         ", "X..X        ", "X...X       ",
		"X....X      ", "X.....X     ", "X......X    ", "X.......X   ", "X........X  ",
		"X.........X ", "X......XXXXX", "X...X..X    ", "X..XX..X    ", "X.X  X..X   ",
		"XX   X..X   ", "X     X..X  ", "      X..X  ", "       XX   ",
	};

	for (size_t y = 0; y < RDP_ARROW_HEIGHT; y++) {
		for (size_t x = 0; x < RDP_ARROW_WIDTH; x++) {
			uint8_t *pixel = rgba + (y * RDP_ARROW_WIDTH + x) * 4;

			memset(pixel, shape[y][x] == '.' ? 255 : 0, 3);
			pixel[3] = shape[y][x] == ' ' ? 0 : 255;
		}
	}
}

static BOOL cursor_new(rdpContext *context, rdpPointer *pointer)
{
	struct cursor *cursor = (struct cursor *)pointer;

	cursor->rgba = rdp_cursor_convert(pointer, &context->gdi->palette);
	return TRUE;
}

static void cursor_free(rdpContext *context, rdpPointer *pointer)
{
	struct cursor *cursor = (struct cursor *)pointer;

	(void)context;
	free(cursor->rgba);
	cursor->rgba = NULL;
}

static BOOL cursor_set_default(rdpContext *context)
{
	struct rdp_remote *rdp = rdp_of(context);
	uint8_t rgba[RDP_ARROW_WIDTH * RDP_ARROW_HEIGHT * 4];

	rdp_cursor_arrow(rgba);
	rdp_events(rdp)->cursor(rdp->remote.ctx, 0, 0, RDP_ARROW_WIDTH, RDP_ARROW_HEIGHT, rgba);
	return TRUE;
}

static BOOL cursor_set_null(rdpContext *context)
{
	struct rdp_remote *rdp = rdp_of(context);

	rdp_events(rdp)->cursor(rdp->remote.ctx, 0, 0, 0, 0, NULL);
	return TRUE;
}

static BOOL cursor_set(rdpContext *context, rdpPointer *pointer)
{
	struct rdp_remote *rdp = rdp_of(context);
	const struct cursor *cursor = (const struct cursor *)pointer;

	if (!cursor->rgba)
		return cursor_set_default(context);
	/* The hot spot comes from the PC and may lie outside. */
	rdp_events(rdp)->cursor(rdp->remote.ctx, MIN(pointer->xPos, pointer->width - 1),
				MIN(pointer->yPos, pointer->height - 1), pointer->width,
				pointer->height, cursor->rgba);
	return TRUE;
}

/* The PC would move the pointer; the person's hand decides. */
static BOOL cursor_set_position(rdpContext *context, UINT32 x, UINT32 y)
{
	(void)context;
	(void)x;
	(void)y;
	return TRUE;
}

void rdp_cursor_register(rdpGraphics *graphics)
{
	const rdpPointer pointer = {
		.size = sizeof(struct cursor),
		.New = cursor_new,
		.Free = cursor_free,
		.Set = cursor_set,
		.SetNull = cursor_set_null,
		.SetDefault = cursor_set_default,
		.SetPosition = cursor_set_position,
	};

	graphics_register_pointer(graphics, &pointer);
}
