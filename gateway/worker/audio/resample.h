/*
 * resample.h - brings the PC's PCM to what Opus takes: 48 kHz and two channels.
 */
#ifndef SEKISHO_WORKER_AUDIO_RESAMPLE_H
#define SEKISHO_WORKER_AUDIO_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <speex/speex_resampler.h>

#include "base/err.h"

enum {
	RESAMPLE_RATE = 48000,
	RESAMPLE_CHANNELS = 2,
	RESAMPLE_BLOCK = 960, /* frames that come out at once, at most */
};

/* Embedded in its owner; zeroed: nothing is set up. */
struct resample {
	SpeexResamplerState *state; /* owned; NULL while the rate is right already */
	unsigned rate, channels;    /* of what comes in */
};

/* 44.1 or 48 kHz, one or two channels. */
bool resample_takes(unsigned rate, unsigned channels);

/* Does nothing when it is set up for that already. ERR_INVALID: not one that it takes; ERR_NOMEM.
 */
nodiscard enum err resample_init(struct resample *resample, unsigned rate, unsigned channels);
void resample_finish(struct resample *resample);

/* Forgets the sound before, so that none of it is mixed into what comes next. */
void resample_reset(struct resample *resample);

/*
 * Takes some of frames from samples (interleaved) and writes at most room of its own, interleaved,
 * to out; room: at most RESAMPLE_BLOCK. Returns how many were taken.
 */
size_t resample_run(struct resample *resample, const int16_t *samples, size_t frames, int16_t *out,
		    size_t room, size_t *ret_made);

#endif
