#include "worker/audio/sound.h"

#include <stdbool.h>
#include <stdlib.h>

#include <opus/opus.h>

#include "base/util.h"
#include "worker/audio/resample.h"

enum {
	COMPLEXITY = 5
}; /* of 10: half the work of the full search, the same to the ear at this rate */

struct sound {
	sound_packet packet;
	void *ctx;
	OpusEncoder *encoder; /* owned */
	struct resample resample;
	int16_t pcm[SOUND_FRAMES * RESAMPLE_CHANNELS];
	size_t filled; /* frames of pcm */
	uint32_t sequence;
	unsigned quiet;    /* packets of silence in a row that were sent */
	uint64_t heard_us; /* until when the sound that came would last, were it played at once */
};

static enum err make_encoder(OpusEncoder **ret)
{
	int failed;
	OpusEncoder *encoder = opus_encoder_create(RESAMPLE_RATE, RESAMPLE_CHANNELS,
						   OPUS_APPLICATION_AUDIO, &failed);

	if (failed != OPUS_OK)
		return ERR_NOMEM;
	if (opus_encoder_ctl(encoder, OPUS_SET_BITRATE(SOUND_BIT_RATE)) != OPUS_OK ||
	    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(COMPLEXITY)) != OPUS_OK ||
	    opus_encoder_ctl(encoder, OPUS_SET_LSB_DEPTH(16)) != OPUS_OK) {
		opus_encoder_destroy(encoder);
		return ERR_INTERNAL;
	}
	*ret = encoder;
	return OK;
}

enum err sound_new(sound_packet packet, void *ctx, struct sound **ret)
{
	struct sound *sound = calloc(1, sizeof(*sound));
	enum err err = sound ? make_encoder(&sound->encoder) : ERR_NOMEM;

	if (err) {
		free(sound);
		return err;
	}
	sound->packet = packet;
	sound->ctx = ctx;
	*ret = sound;
	return OK;
}

void sound_free(struct sound *sound)
{
	if (!sound)
		return;
	opus_encoder_destroy(sound->encoder);
	resample_finish(&sound->resample);
	free(sound);
}

void sound_reset(struct sound *sound)
{
	(void)opus_encoder_ctl(sound->encoder, OPUS_RESET_STATE);
	resample_reset(&sound->resample);
	sound->filled = 0;
	sound->quiet = 0;
}

/* So many of frames may be taken now. */
static size_t allowed(struct sound *sound, size_t frames, unsigned rate, uint64_t now_us)
{
	uint64_t most;

	sound->heard_us = MAX(sound->heard_us, now_us);
	most = (now_us + SOUND_AHEAD_US - sound->heard_us) * rate / 1000000;
	frames = (size_t)MIN(most, (uint64_t)frames);
	sound->heard_us += (uint64_t)frames * 1000000 / rate;
	return frames;
}

static bool is_quiet(const struct sound *sound)
{
	for (size_t i = 0; i < ARRAY_SIZE(sound->pcm); i++)
		if (sound->pcm[i] > SOUND_QUIET_PEAK || sound->pcm[i] < -SOUND_QUIET_PEAK)
			return false;
	return true;
}

static enum err send_packet(struct sound *sound, uint64_t now_us)
{
	uint8_t data[SOUND_PACKET_MAX];
	uint32_t sequence = ++sound->sequence;
	opus_int32 len;

	sound->filled = 0;
	if (!is_quiet(sound))
		sound->quiet = 0;
	else if (sound->quiet == SOUND_QUIET_PACKETS)
		return OK;
	else
		sound->quiet++;
	len = opus_encode(sound->encoder, sound->pcm, SOUND_FRAMES, data, sizeof(data));
	if (len < 0)
		return ERR_INTERNAL;
	if (len > 2) /* less need not be sent, says opus_encode */
		sound->packet(sound->ctx, sequence, now_us, data, (size_t)len);
	return OK;
}

enum err sound_take(struct sound *sound, const int16_t *samples, size_t frames, unsigned rate,
		    unsigned channels, uint64_t now_us)
{
	enum err err = resample_init(&sound->resample, rate, channels);

	if (err)
		return err;
	frames = allowed(sound, frames, rate, now_us);
	while (frames > 0) {
		size_t made;
		size_t taken = resample_run(&sound->resample, samples, frames,
					    sound->pcm + sound->filled * RESAMPLE_CHANNELS,
					    SOUND_FRAMES - sound->filled, &made);

		if (taken == 0 && made == 0)
			return ERR_INTERNAL;
		samples += taken * channels;
		frames -= taken;
		sound->filled += made;
		if (sound->filled == SOUND_FRAMES)
			err = send_packet(sound, now_us);
		if (err)
			return err;
	}
	return OK;
}
