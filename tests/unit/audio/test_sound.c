/*
 * PCM of a PC in, Opus packets out: decoded again, they hold the tone that went in.
 */
#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include <opus/opus.h>

#include "base/util.h"
#include "worker/audio/resample.h"
#include "worker/audio/sound.h"

enum { SECOND_US = 1000000, NOW_US = 5 * SECOND_US, HEARD_MAX = RESAMPLE_RATE };

struct listener {
	struct sound *sound;
	OpusDecoder *decoder;
	unsigned packets;
	uint32_t sequence; /* of the last packet */
	uint64_t now_us;
	size_t largest;
	float left[HEARD_MAX], right[HEARD_MAX];
	size_t heard;
};

static void take_packet(void *ctx, uint32_t sequence, uint64_t now_us, const uint8_t *data,
			size_t len)
{
	struct listener *listener = ctx;
	float pcm[SOUND_FRAMES * RESAMPLE_CHANNELS];
	int frames;

	assert_true(len > 2 && len <= SOUND_PACKET_MAX);
	assert_true(sequence > listener->sequence);
	frames = opus_decode_float(listener->decoder, data, (opus_int32)len, pcm, SOUND_FRAMES, 0);
	assert_int_equal(frames, SOUND_FRAMES);
	for (size_t i = 0; i < SOUND_FRAMES && listener->heard < HEARD_MAX; i++) {
		listener->left[listener->heard] = pcm[2 * i];
		listener->right[listener->heard++] = pcm[2 * i + 1];
	}
	listener->packets++;
	listener->sequence = sequence;
	listener->now_us = now_us;
	listener->largest = MAX(listener->largest, len);
}

static int set_up(void **state)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int failed;

	assert_non_null(listener);
	listener->decoder = opus_decoder_create(RESAMPLE_RATE, RESAMPLE_CHANNELS, &failed);
	assert_int_equal(failed, OPUS_OK);
	assert_int_equal(sound_new(take_packet, listener, &listener->sound), OK);
	*state = listener;
	return 0;
}

static int tear_down(void **state)
{
	struct listener *listener = *state;

	sound_free(listener->sound);
	opus_decoder_destroy(listener->decoder);
	free(listener);
	return 0;
}

/* A sine of hertz in every channel, continued from frame begin on. */
static void tone(int16_t *samples, size_t begin, size_t frames, unsigned rate, unsigned channels,
		 double hertz)
{
	for (size_t i = 0; i < frames; i++)
		for (unsigned c = 0; c < channels; c++)
			samples[i * channels + c] = (int16_t)lrint(
				12000 * sin(2 * M_PI * hertz * (double)(begin + i) / rate));
}

/* Goertzel: the part of the power of the samples that is at hertz, 0 to 1. */
static double share(const float *samples, size_t count, double hertz)
{
	double coefficient = 2 * cos(2 * M_PI * hertz / RESAMPLE_RATE), a = 0, b = 0, power = 0;

	for (size_t i = 0; i < count; i++) {
		double next = samples[i] + coefficient * a - b;

		b = a;
		a = next;
		power += (double)samples[i] * samples[i];
	}
	return (a * a + b * b - coefficient * a * b) / (power * (double)count / 2);
}

/* Half a second in odd pieces, as they come from a PC in real time. */
static void play_tone(struct listener *listener, unsigned rate, unsigned channels, double hertz)
{
	int16_t samples[777 * RESAMPLE_CHANNELS];

	for (size_t at = 0; at < rate / 2; at += 777) {
		tone(samples, at, 777, rate, channels, hertz);
		assert_int_equal(sound_take(listener->sound, samples, 777, rate, channels,
					    NOW_US + at * SECOND_US / rate),
				 OK);
	}
}

static void hears(const struct listener *listener, double hertz)
{
	/* Without the beginning, where the codec has nothing to build on. */
	const size_t begin = RESAMPLE_RATE / 10, count = RESAMPLE_RATE / 5;

	assert_true(listener->packets >= 24 && listener->packets <= 26);
	assert_true(listener->heard >= begin + count);
	assert_true(share(listener->left + begin, count, hertz) > 0.95);
	assert_true(share(listener->right + begin, count, hertz) > 0.95);
	assert_true(share(listener->left + begin, count, hertz * 1.1) < 0.05);
}

static void test_tone(void **state)
{
	struct listener *listener = *state;

	play_tone(listener, 48000, 2, 440);
	hears(listener, 440);
	/* 96 kbit/s: so that a change of the bit rate is seen */
	assert_true(listener->largest < 500);
	assert_true(listener->now_us >= NOW_US + SECOND_US / 2 - 40000);
}

static void test_resamples(void **state)
{
	struct listener *listener = *state;

	play_tone(listener, 44100, 2, 1000);
	hears(listener, 1000);
}

static void test_mono(void **state)
{
	struct listener *listener = *state;

	play_tone(listener, 44100, 1, 1000);
	hears(listener, 1000);
}

static void test_mono_without_resampling(void **state)
{
	struct listener *listener = *state;

	play_tone(listener, 48000, 1, 1000);
	hears(listener, 1000);
}

static void test_the_sides_stay_apart(void **state)
{
	struct listener *listener = *state;
	int16_t samples[480 * 2];

	for (size_t at = 0; at < 24000; at += 480) {
		tone(samples, at, 480, 48000, 2, 500);
		for (size_t i = 0; i < 480; i++)
			samples[2 * i + 1] = 0;
		assert_int_equal(sound_take(listener->sound, samples, 480, 48000, 2, NOW_US + at),
				 OK);
	}
	assert_true(share(listener->left + 4800, 9600, 500) > 0.95);
	double left = 0, right = 0;
	for (size_t i = 4800; i < 14400; i++) {
		left += fabsf(listener->left[i]);
		right += fabsf(listener->right[i]);
	}
	assert_true(right < left / 10);
}

static void test_changes_its_format(void **state)
{
	struct listener *listener = *state;
	int16_t samples[4410 * 2];

	tone(samples, 0, 4410, 44100, 1, 300);
	assert_int_equal(sound_take(listener->sound, samples, 4410, 44100, 1, NOW_US), OK);
	tone(samples, 0, 4410, 48000, 2, 300);
	assert_int_equal(sound_take(listener->sound, samples, 4410, 48000, 2, NOW_US), OK);
	assert_int_equal(listener->packets, 9);
}

static void test_formats(void **state)
{
	static const struct {
		unsigned rate, channels;
	} refused[] = { { 0, 0 },     { 0, 2 },     { 48000, 0 },      { 48000, 3 },
			{ 8000, 1 },  { 22050, 2 }, { 96000, 2 },      { 192000, 2 },
			{ 44101, 2 }, { 48000, 8 }, { UINT32_MAX, 2 }, { 44100, UINT32_MAX } };
	struct listener *listener = *state;
	const int16_t samples[2] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_false(resample_takes(refused[i].rate, refused[i].channels));
		assert_int_equal(sound_take(listener->sound, samples, 1, refused[i].rate,
					    refused[i].channels, NOW_US),
				 ERR_INVALID);
	}
	assert_true(resample_takes(44100, 1) && resample_takes(44100, 2));
	assert_true(resample_takes(48000, 1) && resample_takes(48000, 2));
	assert_int_equal(listener->packets, 0);
}

/* Sound that comes faster than it can be heard costs no more than sound in real time. */
static void test_a_flood_is_cut_off(void **state)
{
	struct listener *listener = *state;
	_cleanup_free_ int16_t *samples = calloc(48000 * 2, sizeof(*samples));

	assert_non_null(samples);
	tone(samples, 0, 48000, 48000, 2, 300);
	for (int i = 0; i < 100; i++)
		assert_int_equal(sound_take(listener->sound, samples, 48000, 48000, 2, NOW_US), OK);
	assert_int_equal(listener->packets, SOUND_AHEAD_US / 20000);
	/* A fifth of a second later there is room for that much. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(sound_take(listener->sound, samples, 48000, 48000, 2,
					    NOW_US + SECOND_US / 5),
				 OK);
	assert_int_equal(listener->packets, (SOUND_AHEAD_US + SECOND_US / 5) / 20000);
	/* A long pause is not saved up. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(sound_take(listener->sound, samples, 48000, 48000, 2,
					    NOW_US + 1000ull * SECOND_US),
				 OK);
	assert_int_equal(listener->packets, (2 * SOUND_AHEAD_US + SECOND_US / 5) / 20000);
}

static void test_silence_is_not_sent(void **state)
{
	struct listener *listener = *state;
	int16_t samples[SOUND_FRAMES * 2] = { 0 };
	uint64_t now = NOW_US;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		samples[i] = i % 2 ? SOUND_QUIET_PEAK : -SOUND_QUIET_PEAK;
	for (int i = 0; i < 100; i++, now += 20000)
		assert_int_equal(sound_take(listener->sound, samples, SOUND_FRAMES, 48000, 2, now),
				 OK);
	assert_int_equal(listener->packets, SOUND_QUIET_PACKETS);
	assert_int_equal(listener->sequence, SOUND_QUIET_PACKETS);
	/* The gap shows in the numbers. */
	tone(samples, 0, SOUND_FRAMES, 48000, 2, 300);
	assert_int_equal(sound_take(listener->sound, samples, SOUND_FRAMES, 48000, 2, now), OK);
	assert_int_equal(listener->packets, SOUND_QUIET_PACKETS + 1);
	assert_int_equal(listener->sequence, 101);
	/* The next silence begins as the first did. */
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		samples[i] = 0;
	for (int i = 0; i < 100; i++, now += 20000)
		assert_int_equal(sound_take(listener->sound, samples, SOUND_FRAMES, 48000, 2, now),
				 OK);
	assert_in_range(listener->packets, SOUND_QUIET_PACKETS + 2, 2 * SOUND_QUIET_PACKETS + 1);
}

static void test_soft_sound_is_sent(void **state)
{
	struct listener *listener = *state;
	int16_t samples[SOUND_FRAMES * 2] = { 0 };

	samples[SOUND_FRAMES] = SOUND_QUIET_PEAK + 1;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(sound_take(listener->sound, samples, SOUND_FRAMES, 48000, 2,
					    NOW_US + i * 20000),
				 OK);
	assert_int_equal(listener->packets, 10);
}

/* What was left of one listener's packet does not reach the next. */
static void test_reset(void **state)
{
	struct listener *listener = *state;
	int16_t samples[SOUND_FRAMES * 2];

	tone(samples, 0, SOUND_FRAMES, 48000, 2, 300);
	assert_int_equal(sound_take(listener->sound, samples, SOUND_FRAMES - 1, 48000, 2, NOW_US),
			 OK);
	sound_reset(listener->sound);
	assert_int_equal(sound_take(listener->sound, samples, 1, 48000, 2, NOW_US), OK);
	assert_int_equal(listener->packets, 0);
	assert_int_equal(sound_take(listener->sound, samples, SOUND_FRAMES - 1, 48000, 2, NOW_US),
			 OK);
	assert_int_equal(listener->packets, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_resamples, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mono, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mono_without_resampling, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_sides_stay_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes_its_format, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_formats, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_flood_is_cut_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silence_is_not_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_soft_sound_is_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reset, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
