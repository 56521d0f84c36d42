/*
 * tool_recording.c - makes minutes of an office's work for the player's test, with the gateway's
 * own encoders and chunks: somebody types, scrolls, turns to another window, watches a film, does
 * nothing, watches one on the whole desktop, and again does nothing. Writes the plaintext of all
 * chunks to standard output, each with its length (u32, little-endian) before it.
 *
 * In the lower right corner each picture has its number in black and white squares, so that a test
 * sees which one is shown.
 *
 * With a certificate in PEM the chunks are sealed to it instead: a recording's file.
 *
 * usage: tool-recording <width> <height> <minutes> [certificate]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/clock.h"
#include "record/seal.h"
#include "unit/paint.h"
#include "wire/enums.h"
#include "wire/wire.h"
#include "worker/audio/sound.h"
#include "worker/stream/frame.h"

enum {
	SQUARE = 16,
	SQUARES = 24,
	TICK_US = 33333,
	KEY_US = 10 * 1000 * 1000,      /* between keyframes for the recording, */
	KEY_LEAST_US = 3 * 1000 * 1000, /* or when there is so much to fetch: as recorder.h */
	KEY_MANY = 4 << 20,
};

static const uint64_t second_us = 1000 * 1000;
static const uint64_t wall_ms = 1790000000000;

struct maker {
	struct surface surface;
	struct frame_source viewer, key;
	struct sound *sound;
	struct buf message;
	struct chunk_writer chunks;
	uint64_t sequence, now_us, key_us;
	size_t bytes, key_bytes;
	uint32_t pictures;
	uint32_t flags;
	struct seal_recipients *recipients; /* NULL: plaintexts */
	struct buf der;
	uint8_t previous[CHUNK_HASH];
};

static void check(enum err err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "tool-recording: %s: %s\n", what, err_text_en(err));
	exit(1);
}

static void chunk_close(struct maker *maker, uint32_t flags)
{
	const uint8_t *plain;
	size_t len;

	if (!chunk_writer_is_begun(&maker->chunks))
		return;
	check(chunk_writer_end(&maker->chunks, maker->flags | flags, &plain, &len), "a chunk");
	maker->flags = 0;
	if (!maker->recipients) {
		fwrite(&(uint32_t){ (uint32_t)len }, sizeof(uint32_t), 1, stdout);
		fwrite(plain, 1, len, stdout);
		return;
	}
	buf_clear(&maker->der);
	check(seal_chunk(maker->recipients, plain, len, &maker->der), "sealing");
	check(seal_hash(maker->der.data, maker->der.len, maker->previous), "sealing");
	fwrite(maker->der.data, 1, maker->der.len, stdout);
}

static void seal_to(struct maker *maker, const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	uint8_t *der = NULL;
	const int len = certificate ? i2d_X509(certificate, &der) : 0;

	check(len > 0 ? OK : ERR_INVALID, "the certificate");
	check(seal_recipients_new(der, (size_t)len, clock_wall_s(), &maker->recipients),
	      "the certificate");
	OPENSSL_free(der);
	X509_free(certificate);
	fclose(file);
}

static void chunk_open(struct maker *maker)
{
	struct chunk_head head = {
		.sequence = maker->sequence++,
		.time_ms = wall_ms + maker->now_us / 1000,
		.start_us = maker->now_us,
	};

	if (chunk_writer_is_due(&maker->chunks, maker->now_us))
		chunk_close(maker, 0);
	memcpy(head.previous, maker->previous, sizeof(head.previous));
	if (!chunk_writer_is_begun(&maker->chunks))
		check(chunk_writer_begin(&maker->chunks, &head), "a chunk");
	else
		maker->sequence--;
}

static void put(struct maker *maker, enum record_kind kind, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len) {
		size_t taken;
		struct record record = {
			.kind = kind, .at_us = maker->now_us, .data = at, .len = len
		};

		chunk_open(maker);
		check(chunk_writer_add(&maker->chunks, &record, &taken), "a record");
		at += taken;
		len -= taken;
		if (len)
			chunk_close(maker, 0);
	}
}

static void put_text(struct maker *maker, enum record_kind kind, const char *text)
{
	put(maker, kind, text, strlen(text));
}

static void put_message(struct maker *maker, enum record_kind kind, enum wire_id id,
			const void *message)
{
	buf_clear(&maker->message);
	check(wire_encode(id, message, &maker->message), "a message");
	put(maker, kind, maker->message.data, maker->message.len);
}

static void pixel(struct maker *maker, unsigned x, unsigned y, uint32_t colour)
{
	uint8_t *at = maker->surface.data + (size_t)y * maker->surface.stride + x * SURFACE_PIXEL;

	memcpy(at, &colour, SURFACE_PIXEL);
}

static void paint(struct maker *maker, struct rect rect, paint_pixel *what, unsigned dx,
		  unsigned dy, uint32_t which)
{
	for (unsigned y = rect.y; y < rect.y + rect.height; y++)
		for (unsigned x = rect.x; x < rect.x + rect.width; x++)
			pixel(maker, x, y, what(x - rect.x + dx, y - rect.y + dy, which));
	damage_hint(&maker->viewer.damage, rect.x, rect.y, rect.width, rect.height);
}

static uint32_t plain_colour(unsigned x, unsigned y, uint32_t which)
{
	(void)x, (void)y;
	return which;
}

static void number(struct maker *maker)
{
	struct rect rect = { .y = (uint16_t)(maker->surface.height - SQUARE),
			     .width = SQUARE,
			     .height = SQUARE };

	for (unsigned bit = 0; bit < SQUARES; bit++) {
		rect.x = (uint16_t)(maker->surface.width - (bit + 1) * SQUARE);
		paint(maker, rect, plain_colour, 0, 0, maker->pictures >> bit & 1 ? 0xffffff : 0);
	}
}

/* What the viewer gets now, and what goes into the recording. */
static void show(struct maker *maker)
{
	struct frame_wish wish = { .sequence = maker->pictures + 1, .now_us = maker->now_us };
	bool empty;

	maker->pictures++;
	number(maker);
	buf_clear(&maker->message);
	check(frame_next(&maker->viewer, &wish, &maker->message, &empty), "a frame");
	if (empty)
		return;
	maker->bytes += maker->message.len;
	put(maker, RECORD_SENT, maker->message.data, maker->message.len);
}

static void keyframe(struct maker *maker)
{
	struct frame_wish wish = { .sequence = maker->pictures, .now_us = maker->now_us };
	bool empty;

	size_t many = 2 * maker->key_bytes > KEY_MANY ? 2 * maker->key_bytes : KEY_MANY;
	bool due = maker->bytes >= many && maker->now_us + KEY_US >= maker->key_us + KEY_LEAST_US;
	if (maker->now_us < maker->key_us && !due)
		return;
	chunk_close(maker, 0);
	maker->key_us = maker->now_us + KEY_US;
	/* As screen.c does: what goes on from here needs nothing from before. */
	frame_join(&maker->viewer);
	frame_source_refresh(&maker->key);
	buf_clear(&maker->message);
	check(frame_next(&maker->key, &wish, &maker->message, &empty), "a keyframe");
	maker->key_bytes = maker->message.len;
	maker->bytes = 0;
	chunk_open(maker);
	maker->flags = CHUNK_KEY;
	put(maker, RECORD_KEY, maker->message.data, maker->message.len);
}

static void tick(struct maker *maker)
{
	keyframe(maker);
	show(maker);
	maker->now_us += TICK_US;
}

static void point(struct maker *maker, unsigned x, unsigned y, uint8_t buttons)
{
	struct msg_pointer pointer = { .x = (uint16_t)(x % maker->surface.width),
				       .y = (uint16_t)(y % maker->surface.height),
				       .buttons = buttons };

	put_message(maker, RECORD_INPUT, MSG_pointer, &pointer);
}

static void type(struct maker *maker, uint32_t minute)
{
	struct rect letter = { .width = 8, .height = 16 };

	for (unsigned i = 0; i < 80; i++) {
		/* Every fourth minute in a password field. */
		struct msg_key key = { .keysym = minute % 4 == 3 ? 0 : 'a' + i % 26, .down = 1 };
		letter.x = (uint16_t)(200 + i % 60 * 8);
		letter.y = (uint16_t)(120 + i / 60 * 16);
		put_message(maker, RECORD_INPUT, MSG_key, &key);
		paint(maker, letter, paint_text, letter.x, letter.y, minute);
		tick(maker);
		key.down = 0;
		put_message(maker, RECORD_INPUT, MSG_key, &key);
		maker->now_us += 3 * TICK_US;
	}
}

/* The 20 ms that are complete. */
static void on_packet(void *ctx, uint32_t sequence, uint64_t now_us, const uint8_t *data,
		      size_t len)
{
	struct msg_audio audio = { .sequence = sequence,
				   .time_us = now_us,
				   .packet = { data, len } };

	put_message(ctx, RECORD_SENT, MSG_audio, &audio);
}

/* What a PC plays in a tick: a tone of a kilohertz. */
static void play(struct maker *maker)
{
	enum { FRAMES = 1600, PERIOD = 48, RATE = 48000 };
	int16_t samples[FRAMES];

	for (unsigned i = 0; i < FRAMES; i++)
		samples[i] = (int16_t)(i % PERIOD < PERIOD / 2 ? 4000 : -4000);
	check(sound_take(maker->sound, samples, FRAMES, RATE, 1, maker->now_us), "sound");
}

static void scroll(struct maker *maker, uint32_t minute)
{
	unsigned width = maker->surface.width * 3 / 4, height = maker->surface.height * 3 / 4;
	struct rect window = { 64, 64, (uint16_t)width, (uint16_t)height };

	for (unsigned i = 0; i < 150; i++) {
		point(maker, 300 + i, 400, 0);
		play(maker);
		paint(maker, window, paint_text, 0, i * 40, minute);
		tick(maker);
	}
}

static void turn(struct maker *maker, uint32_t minute)
{
	unsigned width = maker->surface.width, height = maker->surface.height;

	for (unsigned i = 0; i < 3; i++) {
		struct rect all = { 0, 0, (uint16_t)width, (uint16_t)(height - SQUARE) };
		struct rect photo = { 160, 160, (uint16_t)(width / 3), (uint16_t)(height / 3) };
		point(maker, 500 + 90 * i, 300, 1);
		paint(maker, all, paint_text, 0, 0, minute * 7 + i);
		paint(maker, photo, paint_photo, 0, 0, i);
		tick(maker);
		point(maker, 500 + 90 * i, 300, 0);
		maker->now_us += second_us;
	}
}

static void film(struct maker *maker, struct rect screen, uint32_t minute)
{
	for (unsigned i = 0; i < 200; i++) {
		paint(maker, screen, paint_photo, i * 5, i * 3, minute);
		tick(maker);
	}
}

static void rest(struct maker *maker)
{
	/* Until what was approximate is exact. */
	for (unsigned i = 0; i < 60; i++) {
		tick(maker);
		maker->now_us += TICK_US;
	}
}

static void minute_of(struct maker *maker, uint32_t minute)
{
	static const char *const events[] = {
		"{\"event\":\"viewer-joined\",\"device\":\"自宅ノート\",\"address\":\"203.0.113."
		"7\"}",
		"{\"event\":\"clipboard-blocked\",\"way\":\"pc\",\"times\":3}",
		"{\"event\":\"locked\"}",
		"{\"event\":\"watcher-joined\",\"account\":\"suzuki\"}",
	};
	const struct msg_hello hello = {
		.version = 2, .label = "経理PC", .monitors = 1, .audio = 1
	};
	unsigned width = maker->surface.width, height = maker->surface.height;
	const struct rect part = { 128, 128, (uint16_t)(width * 2 / 3 & ~1u),
				   (uint16_t)(height * 2 / 3 & ~1u) };
	const struct rect all = { .width = (uint16_t)width, .height = (uint16_t)(height - SQUARE) };
	uint64_t end_us = (minute + 1) * 60 * second_us;

	frame_source_refresh(&maker->viewer);
	maker->key_us = maker->now_us + KEY_US;
	if (minute == 0)
		put_text(maker, RECORD_META,
			 "{\"version\":1,\"session\":\"00000000000000000000000000000000\","
			 "\"account\":\"sato\",\"full_name\":\"佐藤 花子\",\"device\":1,"
			 "\"device_name\":\"自宅ノート\",\"address\":\"203.0.113.7\",\"host\":1,"
			 "\"host_name\":\"経理PC\",\"protocol\":\"rdp\","
			 "\"started_ms\":1790000000000,\"keys\":true}");
	else
		chunk_close(maker, 0);
	put_text(maker, RECORD_EVENT, events[minute % ARRAY_SIZE(events)]);
	put_message(maker, RECORD_SENT, MSG_hello, &hello);
	maker->flags = CHUNK_KEY;
	show(maker);
	type(maker, minute);
	scroll(maker, minute);
	turn(maker, minute);
	film(maker, part, minute);
	rest(maker);
	film(maker, all, minute);
	rest(maker);
	chunk_close(maker, 0);
	if (maker->now_us > end_us) {
		fprintf(stderr, "tool-recording: more than a minute of work\n");
		exit(1);
	}
	maker->now_us = end_us;
}

int main(int argc, char **argv)
{
	struct maker maker = { 0 };
	uint64_t values[3];

	if (argc != 4 && argc != 5)
		return 2;
	for (int i = 0; i < 3; i++)
		values[i] = strtoul(argv[i + 1], NULL, 10);
	surface_init(&maker.surface);
	check(surface_resize(&maker.surface, (unsigned)values[0], (unsigned)values[1]),
	      "a desktop");
	check(frame_source_init(&maker.viewer, &maker.surface), "a viewer");
	check(frame_source_resize(&maker.viewer), "a viewer");
	check(frame_source_init(&maker.key, &maker.surface), "a keyframe");
	check(frame_source_resize(&maker.key), "a keyframe");
	maker.viewer.codecs = CODEC_JPEG | CODEC_H264;
	check(sound_new(on_packet, &maker, &maker.sound), "sound");
	buf_init(&maker.message, 80 * 1024 * 1024);
	chunk_writer_init(&maker.chunks);
	buf_init(&maker.der, SEAL_DER_MAX);
	if (argc == 5)
		seal_to(&maker, argv[4]);
	for (uint32_t minute = 0; minute < values[2]; minute++)
		minute_of(&maker, minute);
	sound_free(maker.sound);
	chunk_writer_finish(&maker.chunks);
	seal_recipients_free(maker.recipients);
	buf_finish(&maker.der);
	buf_finish(&maker.message);
	frame_source_finish(&maker.viewer);
	frame_source_finish(&maker.key);
	surface_finish(&maker.surface);
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
