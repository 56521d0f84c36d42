#include "worker/audio/resample.h"

#include <string.h>

#include "base/util.h"

enum { QUALITY = 4 }; /* of 10; Speex's own for desktops, 100 dB of stop band */

bool resample_takes(unsigned rate, unsigned channels)
{
	return (rate == 44100 || rate == RESAMPLE_RATE) &&
	       (channels == 1 || channels == RESAMPLE_CHANNELS);
}

enum err resample_init(struct resample *resample, unsigned rate, unsigned channels)
{
	SpeexResamplerState *state = NULL;
	int failed = RESAMPLER_ERR_SUCCESS;

	if (!resample_takes(rate, channels))
		return ERR_INVALID;
	if (resample->rate == rate && resample->channels == channels)
		return OK;
	if (rate != RESAMPLE_RATE)
		state = speex_resampler_init(channels, rate, RESAMPLE_RATE, QUALITY, &failed);
	if (failed != RESAMPLER_ERR_SUCCESS)
		return ERR_NOMEM;
	resample_finish(resample);
	*resample = (struct resample){ .state = state, .rate = rate, .channels = channels };
	return OK;
}

void resample_finish(struct resample *resample)
{
	if (resample->state)
		speex_resampler_destroy(resample->state);
	*resample = (struct resample){ 0 };
}

void resample_reset(struct resample *resample)
{
	if (resample->state)
		speex_resampler_reset_mem(resample->state);
}

/* From its end, so that it can be done in place. */
static void make_stereo(int16_t *samples, size_t frames)
{
	for (size_t i = frames; i-- > 0;)
		samples[2 * i] = samples[2 * i + 1] = samples[i];
}

size_t resample_run(struct resample *resample, const int16_t *samples, size_t frames, int16_t *out,
		    size_t room, size_t *ret_made)
{
	spx_uint32_t taken = (spx_uint32_t)MIN(frames, (size_t)RESAMPLE_BLOCK);
	spx_uint32_t made = (spx_uint32_t)MIN(room, (size_t)RESAMPLE_BLOCK);

	if (resample->state) {
		if (speex_resampler_process_interleaved_int(resample->state, samples, &taken, out,
							    &made))
			taken = made = 0;
	} else {
		taken = made = MIN(taken, made);
		memcpy(out, samples, (size_t)taken * resample->channels * sizeof(*out));
	}
	if (resample->channels == 1)
		make_stereo(out, made);
	*ret_made = made;
	return taken;
}
