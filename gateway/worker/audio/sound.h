/*
 * sound.h - the PC's sound on its way to a viewer: 16-bit PCM in, Opus packets of 20 ms out. It
 * runs in the worker's thread and keeps no more than the packet that is being filled.
 */
#ifndef SEKISHO_WORKER_AUDIO_SOUND_H
#define SEKISHO_WORKER_AUDIO_SOUND_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	SOUND_FRAMES = 960,      /* in a packet: 20 ms at 48 kHz */
	SOUND_PACKET_MAX = 1276, /* bytes: RFC 6716 §3.2.1, and its first byte */
	SOUND_BIT_RATE = 96000,  /* on average; music is transparent there */
	SOUND_AHEAD_US = 500000, /* how far a PC may be ahead of real time */
	SOUND_QUIET_PACKETS = 5, /* of silence that are sent before it is left out */
	SOUND_QUIET_PEAK = 3,    /* of 32767: -80 dB counts as silence */
};

struct sound;

/*
 * A packet; sequence counts those that were left out for silence too. Called from inside
 * sound_take. data: until the return.
 */
typedef void (*sound_packet)(void *ctx, uint32_t sequence, uint64_t now_us, const uint8_t *data,
			     size_t len);

/* ERR_NOMEM. */
nodiscard enum err sound_new(sound_packet packet, void *ctx, struct sound **ret);
/* NULL is allowed. */
void sound_free(struct sound *sound);

/*
 * Interleaved samples as they came from the PC. What is more than SOUND_AHEAD_US ahead of real time
 * is dropped before it costs anything. ERR_INVALID: rate or channels that resample_takes refuses;
 * ERR_NOMEM, ERR_INTERNAL.
 */
nodiscard enum err sound_take(struct sound *sound, const int16_t *samples, size_t frames,
			      unsigned rate, unsigned channels, uint64_t now_us);

/* Another listener: forgets what the one before was about to hear. */
void sound_reset(struct sound *sound);

#endif
