/*
 * films.h - what a viewer shows before the surface does: H.264 that the PC has sent and the viewer
 * decodes. Tiles that such a picture has touched are filmed until the surface has caught up; then
 * what it has drawn is approximate, and made exact as everything else that is.
 */
#ifndef SEKISHO_WORKER_DISPLAY_FILMS_H
#define SEKISHO_WORKER_DISPLAY_FILMS_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/display/damage.h"

/*
 * The viewer gets pixels for this rectangle of the surface, which will show them too, but may not
 * do so yet. No video of ours may cover any of it.
 */
void films_draw(struct damage *damage, const struct rect *rect, uint64_t now_us);

/* The surface has caught up with all that was drawn. */
void films_settle(struct damage *damage, const struct surface *surface);

/* The viewer has nothing any more, as after damage_all: nothing is filmed. */
void films_forget(struct damage *damage);

/* Something is filmed. */
static inline bool films_any(const struct damage *damage)
{
	return damage->filmed > 0;
}

/* The surface must catch up before a frame is made: something else in a filmed tile is to be sent,
 * or one has been still for so long. */
bool films_awaited(const struct damage *damage, uint64_t now_us, uint64_t still_us);

/* When that will be if nothing happens; 0: never. */
uint64_t films_due_us(const struct damage *damage, uint64_t still_us);

#endif
