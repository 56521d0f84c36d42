/*
 * forget.h - for a picture of the whole surface that somebody else than the viewer got, and who
 * then gets the same frames: the recording.
 */
#ifndef SEKISHO_WORKER_DISPLAY_FORGET_H
#define SEKISHO_WORKER_DISPLAY_FORGET_H

#include "worker/display/damage.h"

/*
 * What the viewer shows otherwise than the surface does loses its hashes, so that no copy takes
 * pixels from there before they were sent; what it has approximately keeps them, as a copy of the
 * exact pixels is no worse. Copies that wait become changes. Nothing may be filmed.
 */
void forget_unlike(struct damage *damage, const struct surface *surface);

#endif
