#include "worker/ear.h"

#include "base/clock.h"
#include "base/log.h"
#include "worker/stream/viewer.h"

static void on_packet(void *ctx, uint32_t sequence, uint64_t now_us, const uint8_t *data,
		      size_t len)
{
	struct ear *ear = ctx;
	struct msg_audio msg = { .sequence = sequence, .time_us = now_us, .packet = { data, len } };

	viewer_send_sound(ear->viewer, &msg);
}

void ear_finish(struct ear *ear)
{
	sound_free(ear->sound);
	*ear = (struct ear){ 0 };
}

static enum err get_ready(struct ear *ear, const struct viewer *viewer)
{
	enum err err = ear->sound ? OK : sound_new(on_packet, ear, &ear->sound);

	if (err)
		return err;
	/* What another listener was about to hear is not theirs. */
	if (ear->listener != viewer->number)
		sound_reset(ear->sound);
	ear->listener = viewer->number;
	return OK;
}

void ear_take(struct ear *ear, struct viewer *viewer, const int16_t *samples, size_t frames,
	      unsigned rate, unsigned channels)
{
	enum err err;

	if (!viewer)
		return;
	err = get_ready(ear, viewer);
	ear->viewer = viewer;
	if (!err)
		err = sound_take(ear->sound, samples, frames, rate, channels, clock_mono_us());
	ear->viewer = NULL;
	if (err && !ear->failed)
		log_warn("sound", "error=%s rate=%u channels=%u", err_code(err), rate, channels);
	ear->failed = err != OK;
}
