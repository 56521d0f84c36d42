/*
 * Who hears the PC, and when nobody does.
 */
#pragma GCC diagnostic ignored "-Wunused-function" /* not all of session.h is needed here */
#include "unit/worker/session.h"

#include <opus/opus.h>

#include "worker/audio/sound.h"

static struct msg_session_start loud_start(void)
{
	struct msg_session_start msg = usual_start();

	msg.protocol = PROTOCOL_RDP;
	msg.port = 3389;
	msg.audio = 1;
	return msg;
}

/* A viewer of this monitor that decodes so much; its hello's audio. */
static unsigned come(struct session *session, struct watcher *watcher, uint32_t number,
		     uint8_t monitor, uint16_t codecs)
{
	struct msg_viewer_hello hello = { .version = VIEWER_VERSION, .codecs = codecs };

	watch_monitor(session, watcher, number, monitor);
	say(session, watcher, MSG_viewer_hello, &hello);
	assert_true(hear_of(watcher, MSG_hello));
	return watcher->any.hello.audio;
}

/* What it has of the desktop is on its screen: nothing is on its way. */
static void acknowledge(struct session *session, struct watcher *watcher)
{
	while (hear_of(watcher, MSG_frame))
		say(session, watcher, MSG_ack,
		    &(struct msg_ack){ .sequence = watcher->any.frame.sequence });
}

/* The PC plays so many packets of noise. */
static void pc_plays(struct session *session, unsigned packets)
{
	int16_t samples[SOUND_FRAMES * 2];
	uint32_t random = 1;

	for (unsigned n = 0; n < packets; n++) {
		for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
			random = random * 1664525u + 1013904223u;
			samples[i] = (int16_t)((int32_t)random >> 18);
		}
		pc.remote.events->sound(pc.remote.ctx, samples, SOUND_FRAMES, 48000, 2);
	}
	settle(session);
}

/* Half a packet of a constant that is no silence. */
static void pc_plays_half(struct session *session)
{
	int16_t samples[SOUND_FRAMES];

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		samples[i] = 9999;
	pc.remote.events->sound(pc.remote.ctx, samples, SOUND_FRAMES / 2, 48000, 2);
	settle(session);
}

/* Packets that the viewer got, all of which Opus decodes; ret_last: sequence of the last. */
static unsigned heard(struct watcher *watcher, uint32_t *ret_last)
{
	int failed;
	OpusDecoder *decoder = opus_decoder_create(48000, 2, &failed);
	float pcm[SOUND_FRAMES * 2];
	unsigned count = 0;

	assert_int_equal(failed, OPUS_OK);
	while (hear_of(watcher, MSG_audio)) {
		const struct msg_audio *audio = &watcher->any.audio;

		assert_int_equal(opus_decode_float(decoder, audio->packet.data,
						   (opus_int32)audio->packet.len, pcm, SOUND_FRAMES,
						   0),
				 SOUND_FRAMES);
		assert_true(audio->time_us > 0 && audio->time_us <= clock_mono_us());
		*ret_last = audio->sequence;
		count++;
	}
	opus_decoder_destroy(decoder);
	return count;
}

static void test_a_viewer_hears(void **state)
{
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = loud_start();
	uint32_t last = 0;

	(void)state;
	session_begin_as(&session, PROTOCOL_RDP);
	start(&session, &msg);
	assert_true(pc.remote.config.audio);
	assert_int_equal(come(&session, &watcher, 1, 0, CODEC_OPUS | CODEC_JPEG), 1);
	acknowledge(&session, &watcher);
	pc_plays(&session, 10);
	assert_int_equal(heard(&watcher, &last), 10);
	assert_int_equal(last, 10);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_who_only_looks_hears_too(void **state)
{
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = loud_start();
	uint32_t last;

	(void)state;
	msg.view_only = 1;
	session_begin_as(&session, PROTOCOL_RDP);
	start(&session, &msg);
	assert_int_equal(come(&session, &watcher, 1, 0, CODEC_OPUS), 1);
	acknowledge(&session, &watcher);
	pc_plays(&session, 3);
	assert_int_equal(heard(&watcher, &last), 3);
	unwatch(&watcher);
	session_finish(&session);
}

/* Whatever comes from a remote that was told otherwise. */
static void test_policy_is_silent(void **state)
{
	static const struct {
		uint8_t protocol, audio;
	} cases[] = { { PROTOCOL_RDP, 0 }, { PROTOCOL_RDP, 2 }, { PROTOCOL_VNC, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct session session;
		struct watcher watcher;
		struct msg_session_start msg = loud_start();
		uint32_t last;

		msg.protocol = cases[i].protocol;
		msg.audio = cases[i].audio;
		session_begin_as(&session, cases[i].protocol);
		start(&session, &msg);
		assert_false(pc.remote.config.audio);
		assert_int_equal(come(&session, &watcher, 1, 0, CODEC_OPUS), 0);
		pc_plays(&session, 3);
		assert_int_equal(heard(&watcher, &last), 0);
		unwatch(&watcher);
		session_finish(&session);
	}
}

/* It may, but cannot: it is told that there would be sound, and gets none. */
static void test_a_viewer_without_opus(void **state)
{
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = loud_start();
	uint32_t last;

	(void)state;
	session_begin_as(&session, PROTOCOL_RDP);
	start(&session, &msg);
	assert_int_equal(come(&session, &watcher, 1, 0, CODEC_JPEG | CODEC_H264), 1);
	pc_plays(&session, 3);
	assert_int_equal(heard(&watcher, &last), 0);
	unwatch(&watcher);
	session_finish(&session);
}

/* The second window is the same person's: it would play everything twice. */
static void test_one_window_hears(void **state)
{
	struct session session;
	struct watcher first, second;
	struct msg_session_start msg = loud_start();
	uint32_t last;

	(void)state;
	session_begin_as(&session, PROTOCOL_RDP);
	pc.can_resize = true;
	pc.monitors = 2;
	start(&session, &msg);
	assert_int_equal(come(&session, &first, 1, 0, CODEC_OPUS), 1);
	assert_int_equal(come(&session, &second, 2, 1, CODEC_OPUS), 0);
	acknowledge(&session, &first);
	acknowledge(&session, &second);
	pc_plays(&session, 3);
	assert_int_equal(heard(&first, &last), 3);
	assert_int_equal(heard(&second, &last), 0);
	unwatch(&first);
	unwatch(&second);
	session_finish(&session);
}

/* What was played while nobody was there is not heard by who comes then, and was not encoded. */
static void test_nobody_listens(void **state)
{
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = loud_start();
	uint32_t last = 0;

	(void)state;
	session_begin_as(&session, PROTOCOL_RDP);
	start(&session, &msg);
	pc_plays(&session, 5);
	(void)come(&session, &watcher, 1, 0, CODEC_OPUS);
	assert_int_equal(heard(&watcher, &last), 0);
	unwatch(&watcher);
	settle(&session);
	pc_plays(&session, 5);
	(void)come(&session, &watcher, 2, 0, CODEC_OPUS);
	assert_int_equal(heard(&watcher, &last), 0);
	acknowledge(&session, &watcher);
	pc_plays(&session, 2);
	assert_int_equal(heard(&watcher, &last), 2);
	/* The counter would show what was encoded meanwhile. */
	assert_int_equal(last, 2);
	unwatch(&watcher);
	session_finish(&session);
}

/* Half of a packet was one listener's: the next one gets a whole one of what comes then. */
static void test_another_listener_begins_anew(void **state)
{
	struct session session;
	struct watcher first, second;
	struct msg_session_start msg = loud_start();
	uint32_t last = 0;

	(void)state;
	session_begin_as(&session, PROTOCOL_RDP);
	start(&session, &msg);
	(void)come(&session, &first, 1, 0, CODEC_OPUS);
	acknowledge(&session, &first);
	pc_plays_half(&session);
	(void)come(&session, &second, 2, 0, CODEC_OPUS);
	acknowledge(&session, &second);
	pc_plays_half(&session);
	assert_int_equal(heard(&second, &last), 0);
	pc_plays_half(&session);
	assert_int_equal(heard(&second, &last), 1);
	assert_int_equal(heard(&first, &last), 0);
	unwatch(&first);
	unwatch(&second);
	session_finish(&session);
}

/* A viewer that is greeted by nobody yet, or locked out, hears nothing. */
static void test_not_before_the_hello(void **state)
{
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = loud_start();
	uint32_t last;

	(void)state;
	session_begin_as(&session, PROTOCOL_RDP);
	start(&session, &msg);
	watch(&session, &watcher, 1);
	pc_plays(&session, 3);
	assert_int_equal(heard(&watcher, &last), 0);
	unwatch(&watcher);
	session_finish(&session);
}

static void test_a_locked_session_is_silent(void **state)
{
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = loud_start();
	uint32_t last;

	(void)state;
	msg.idle_lock_s = 0;
	session_begin_as(&session, PROTOCOL_RDP);
	start(&session, &msg);
	assert_int_equal(last_state(&session).state, SESSION_LOCKED);
	watch(&session, &watcher, 1);
	pc_plays(&session, 3);
	assert_int_equal(heard(&watcher, &last), 0);
	unwatch(&watcher);
	session_finish(&session);
}

/* Sound that would wait on the link, with a picture behind it, is given up. */
static void test_a_slow_link_is_silent(void **state)
{
	struct session session;
	struct watcher watcher;
	struct msg_session_start msg = loud_start();
	uint32_t last = 0;

	(void)state;
	session_begin_as(&session, PROTOCOL_RDP);
	start(&session, &msg);
	(void)come(&session, &watcher, 1, 0, CODEC_OPUS);
	assert_true(hear_of(&watcher, MSG_frame));
	uint32_t frame = watcher.any.frame.sequence;
	usleep(VIEWER_SOUND_LATE_US + 20000);
	pc_plays(&session, 3);
	assert_int_equal(heard(&watcher, &last), 0);
	say(&session, &watcher, MSG_ack, &(struct msg_ack){ .sequence = frame });
	acknowledge(&session, &watcher);
	pc_plays(&session, 3);
	assert_int_equal(heard(&watcher, &last), 3);
	/* The gap is seen. */
	assert_int_equal(last, 6);
	unwatch(&watcher);
	session_finish(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_viewer_hears),
		cmocka_unit_test(test_who_only_looks_hears_too),
		cmocka_unit_test(test_policy_is_silent),
		cmocka_unit_test(test_a_viewer_without_opus),
		cmocka_unit_test(test_one_window_hears),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_another_listener_begins_anew),
		cmocka_unit_test(test_not_before_the_hello),
		cmocka_unit_test(test_a_locked_session_is_silent),
		cmocka_unit_test(test_a_slow_link_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
