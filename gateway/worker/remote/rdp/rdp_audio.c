#include "worker/remote/rdp/rdp_audio.h"

#include <freerdp/addin.h>

#include "base/log.h"
#include "base/util.h"
#include "worker/remote/rdp/rdp.h"

enum {
	BLOCK_SAMPLES = 2048, /* handed over at once */
	SAMPLE_BYTES = 2,
	VOLUME_FULL = 0xffff,
};

/* One for each channel the PC has opened; FreeRDP frees it with the channel. */
struct rdp_audio {
	rdpsndDevicePlugin plugin; /* first: audio_from casts */
	struct rdp_remote *rdp;
	uint32_t volume[2]; /* left and right, of VOLUME_FULL */
};

static struct rdp_audio *audio_from(rdpsndDevicePlugin *plugin)
{
	return container_of(plugin, struct rdp_audio, plugin);
}

bool rdp_audio_takes(const AUDIO_FORMAT *format)
{
	return format->wFormatTag == WAVE_FORMAT_PCM && format->wBitsPerSample == 16 &&
	       (format->nChannels == 1 || format->nChannels == 2) &&
	       (format->nSamplesPerSec == 44100 || format->nSamplesPerSec == 48000) &&
	       format->nBlockAlign == SAMPLE_BYTES * format->nChannels && format->cbSize == 0;
}

static BOOL format_supported(rdpsndDevicePlugin *plugin, const AUDIO_FORMAT *format)
{
	(void)plugin;
	return rdp_audio_takes(format);
}

/*
 * The channel offers the PC every format that FreeRDP can decode, whatever the device says of it.
 * So those that are not ours are taken off the PC's list, which is the channel's own and not
 * constant.
 */
static UINT formats_announced(rdpsndDevicePlugin *plugin, const AUDIO_FORMAT *formats, size_t count)
{
	AUDIO_FORMAT *list = (AUDIO_FORMAT *)(uintptr_t)formats;
	size_t taken = 0;

	(void)plugin;
	for (size_t i = 0; i < count; i++) {
		if (rdp_audio_takes(&list[i]))
			taken++;
		else
			list[i].wFormatTag = WAVE_FORMAT_UNKNOWN;
	}
	log_info("rdp-audio-formats", "announced=%zu taken=%zu", count, taken);
	return CHANNEL_RC_OK;
}

static BOOL open_device(rdpsndDevicePlugin *plugin, const AUDIO_FORMAT *format, UINT32 latency)
{
	(void)plugin;
	(void)latency;
	return rdp_audio_takes(format);
}

static void close_device(rdpsndDevicePlugin *plugin)
{
	(void)plugin;
}

static UINT32 get_volume(rdpsndDevicePlugin *plugin)
{
	const struct rdp_audio *audio = audio_from(plugin);

	return audio->volume[1] << 16 | audio->volume[0];
}

/* [MS-RDPEA] 2.2.3.8: the left channel is in the low word. */
static BOOL set_volume(rdpsndDevicePlugin *plugin, UINT32 volume)
{
	struct rdp_audio *audio = audio_from(plugin);

	audio->volume[0] = volume & 0xffff;
	audio->volume[1] = volume >> 16;
	return TRUE;
}

/* Little-endian and not aligned as it comes. */
static int16_t sample(const BYTE *data, uint32_t volume)
{
	int16_t value = (int16_t)(data[0] | data[1] << 8);

	if (volume == VOLUME_FULL)
		return value;
	return (int16_t)((int64_t)value * volume / VOLUME_FULL);
}

/* Returns how many milliseconds later it is heard, for the confirmation that the PC waits for. */
static UINT play(rdpsndDevicePlugin *plugin, const AUDIO_FORMAT *format, const BYTE *data,
		 size_t size)
{
	struct rdp_audio *audio = audio_from(plugin);
	struct rdp_remote *rdp = audio->rdp;
	int16_t samples[BLOCK_SAMPLES];
	size_t left;

	if (!rdp_audio_takes(format))
		return 0;
	left = size / format->nBlockAlign * format->nChannels;
	while (left > 0) {
		size_t count = MIN(left, (size_t)BLOCK_SAMPLES);

		for (size_t i = 0; i < count; i++, data += SAMPLE_BYTES)
			samples[i] =
				sample(data, audio->volume[format->nChannels == 2 ? i % 2 : 0]);
		rdp_events(rdp)->sound(rdp->remote.ctx, samples, count / format->nChannels,
				       format->nSamplesPerSec, format->nChannels);
		left -= count;
	}
	return 0;
}

static void free_device(rdpsndDevicePlugin *plugin)
{
	free(audio_from(plugin));
}

UINT VCAPITYPE rdp_audio_entry(PFREERDP_RDPSND_DEVICE_ENTRY_POINTS points)
{
	rdpContext *context = freerdp_rdpsnd_get_context(points->rdpsnd);
	struct rdp_audio *audio = context ? calloc(1, sizeof(*audio)) : NULL;

	if (!audio)
		return CHANNEL_RC_NO_MEMORY;
	*audio = (struct rdp_audio){
		.plugin = { .FormatSupported = format_supported,
			    .Open = open_device,
			    .GetVolume = get_volume,
			    .SetVolume = set_volume,
			    .Close = close_device,
			    .Free = free_device,
			    .ServerFormatAnnounce = formats_announced,
			    .PlayEx = play },
		.rdp = rdp_of(context),
		.volume = { VOLUME_FULL, VOLUME_FULL },
	};
	points->pRegisterRdpsndDevice(points->rdpsnd, &audio->plugin);
	return CHANNEL_RC_OK;
}

ADDIN_ARGV *rdp_audio_arguments(void)
{
	/* latency: sound that is not more than this ahead of real time is not dropped before it is
	 * here, where its own bound is (worker/audio/sound.h). */
	static const char *const argv[] = { "rdpsnd", "sys:" RDP_AUDIO_SUBSYSTEM, "format:1",
					    "latency:1000" };

	return freerdp_addin_argv_new(ARRAY_SIZE(argv), argv);
}
