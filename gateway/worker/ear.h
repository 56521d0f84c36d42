/*
 * ear.h - brings the PC's sound to the one viewer that listens. While nobody does, nothing is
 * resampled, encoded or kept.
 */
#ifndef SEKISHO_WORKER_EAR_H
#define SEKISHO_WORKER_EAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/audio/sound.h"

struct viewer;

/* Embedded in its owner; zeroed: nothing was heard yet. */
struct ear {
	struct sound *sound;   /* owned; NULL until there is a listener */
	struct viewer *viewer; /* not owned; only inside ear_take */
	uint32_t listener;     /* the number of the last one */
	bool failed;           /* told in the log, once */
};

void ear_finish(struct ear *ear);

/* As remote_events.sound. viewer: who listens now, NULL: nobody. */
void ear_take(struct ear *ear, struct viewer *viewer, const int16_t *samples, size_t frames,
	      unsigned rate, unsigned channels);

#endif
