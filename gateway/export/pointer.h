/*
 * pointer.h - the person's pointer: how the PC said that it looks, and where it was.
 */
#ifndef SEKISHO_EXPORT_POINTER_H
#define SEKISHO_EXPORT_POINTER_H

#include <stdbool.h>

#include "text/text.h"
#include "wire/wire.h"

enum { POINTER_SIDE_MAX = 384 /* as gateway/worker/remote/remote.h */ };

struct pointer_shape {
	bool known; /* else it is the usual arrow */
	unsigned hot_x, hot_y, width, height;
	uint8_t *pixels; /* owned; RGBA, straight alpha; NULL: the PC hides it */
};

/* Hostile. ERR_PROTOCOL, ERR_NOMEM: the shape stays as it was. */
nodiscard enum err pointer_shape_set(struct pointer_shape *shape, const struct msg_cursor *cursor);
void pointer_shape_finish(struct pointer_shape *shape);

/* With its hot spot there; pressed: with a disc around it, so that a click is seen. */
void pointer_draw(const struct pointer_shape *shape, const struct canvas *canvas, unsigned x,
		  unsigned y, bool pressed);

#endif
