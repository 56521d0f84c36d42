/*
 * The device that FreeRDP's sound channel plays on, by itself.
 */
#include "unit/unit.h"

#include <string.h>

#include <freerdp/addin.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp_audio.h"

static const AUDIO_FORMAT cd = {
	.wFormatTag = WAVE_FORMAT_PCM,
	.nChannels = 2,
	.nSamplesPerSec = 44100,
	.nAvgBytesPerSec = 176400,
	.nBlockAlign = 4,
	.wBitsPerSample = 16,
};

static void test_takes(void **state)
{
	AUDIO_FORMAT format = cd;

	(void)state;
	assert_true(rdp_audio_takes(&format));
	format.nSamplesPerSec = 48000;
	assert_true(rdp_audio_takes(&format));
	format.nChannels = 1;
	format.nBlockAlign = 2;
	assert_true(rdp_audio_takes(&format));
	format.nSamplesPerSec = 44100;
	assert_true(rdp_audio_takes(&format));
}

static void test_refuses(void **state)
{
	static const struct {
		uint16_t tag, channels, align, bits, extra;
		uint32_t rate;
	} refused[] = {
		{ WAVE_FORMAT_UNKNOWN, 2, 4, 16, 0, 44100 },
		{ WAVE_FORMAT_ADPCM, 2, 4, 16, 0, 44100 },
		{ WAVE_FORMAT_AAC_MS, 2, 4, 16, 0, 44100 },
		{ WAVE_FORMAT_GSM610, 1, 65, 0, 2, 44100 },
		{ 0xfffe, 2, 4, 16, 22, 44100 }, /* extensible */
		{ WAVE_FORMAT_PCM, 0, 0, 16, 0, 44100 },
		{ WAVE_FORMAT_PCM, 3, 6, 16, 0, 44100 },
		{ WAVE_FORMAT_PCM, 65535, 4, 16, 0, 44100 },
		{ WAVE_FORMAT_PCM, 2, 0, 16, 0, 44100 },
		{ WAVE_FORMAT_PCM, 2, 2, 16, 0, 44100 },
		{ WAVE_FORMAT_PCM, 1, 4, 16, 0, 44100 },
		{ WAVE_FORMAT_PCM, 2, 65535, 16, 0, 44100 },
		{ WAVE_FORMAT_PCM, 2, 4, 8, 0, 44100 },
		{ WAVE_FORMAT_PCM, 2, 4, 0, 0, 44100 },
		{ WAVE_FORMAT_PCM, 2, 4, 24, 0, 44100 },
		{ WAVE_FORMAT_PCM, 2, 4, 16, 1, 44100 },
		{ WAVE_FORMAT_PCM, 2, 4, 16, 0, 0 },
		{ WAVE_FORMAT_PCM, 2, 4, 16, 0, 22050 },
		{ WAVE_FORMAT_PCM, 2, 4, 16, 0, 44101 },
		{ WAVE_FORMAT_PCM, 2, 4, 16, 0, 96000 },
		{ WAVE_FORMAT_PCM, 2, 4, 16, 0, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		AUDIO_FORMAT format = {
			.wFormatTag = refused[i].tag,
			.nChannels = refused[i].channels,
			.nSamplesPerSec = refused[i].rate,
			.nBlockAlign = refused[i].align,
			.wBitsPerSample = refused[i].bits,
			.cbSize = refused[i].extra,
		};

		assert_false(rdp_audio_takes(&format));
	}
}

/* Our device and PCM: with anything else the channel would look for the machine's own sound. */
static void test_arguments(void **state)
{
	ADDIN_ARGV *args = rdp_audio_arguments();
	bool device = false, pcm = false;

	(void)state;
	assert_non_null(args);
	assert_string_equal(args->argv[0], "rdpsnd");
	for (int i = 1; i < args->argc; i++) {
		device = device || util_streq(args->argv[i], "sys:sekisho");
		pcm = pcm || util_streq(args->argv[i], "format:1");
	}
	assert_true(device && pcm);
	freerdp_addin_argv_free(args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
