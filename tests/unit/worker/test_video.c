/*
 * The PC's H.264 through a worker: who follows it, who does not, and that everybody's picture is
 * the PC's in the end. The stand-in decodes when it is asked to, as the RDP client does.
 */
#include "unit/worker/session.h"

#include "export/picture.h"
#include "unit/film.h"
#include "worker/follow.h"
#include "worker/remote/rdp/rdp_h264.h"
#include "worker/session.h"

enum { MOST_WAITING = 64, BOX = 192, BOX_X = 65, BOX_Y = 4, STILL_MS = 3000 };

/* The PC's stream, and what of it is not decoded yet. */
static struct film film;
static struct rdp_h264 *decoder;
static struct remote_unit *waiting[MOST_WAITING];
static size_t waiting_count;
static uint32_t numbers, stream;
static bool asked;
static unsigned random_state;

static const struct rect box = { BOX_X, BOX_Y, BOX, BOX };
static const struct rect all = { 0, 0, BOX, BOX };

static unsigned chance(unsigned count)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % count;
}

static void decode_first(void)
{
	struct remote_unit *unit = waiting[0];
	memmove(waiting, waiting + 1, --waiting_count * sizeof(*waiting));
	assert_ok(rdp_h264_decode(decoder, unit->data, unit->len));
	for (size_t i = 0; i < unit->clip_count; i++) {
		const struct rect *clip = &unit->clips[i];
		assert_ok(rdp_h264_draw(decoder, clip,
					pc.pixels + (size_t)(BOX_Y + clip->y) * pc.stride +
						(size_t)(BOX_X + clip->x) * 4,
					pc.stride));
	}
	if (!waiting_count)
		asked = false;
	pc.remote.events->decoded(pc.remote.ctx, unit);
	unit_unref(unit);
}

static void catch_up(void)
{
	while (waiting_count)
		decode_first();
}

static bool video_settle(struct remote *remote)
{
	(void)remote;
	asked = waiting_count > 0;
	return !waiting_count;
}

static struct remote_ops video_ops;

/* The next picture of the film; only these clips of it are shown. True: nobody needs its pixels. */
static bool show_clips(bool key, const struct rect *clips, size_t count)
{
	struct remote_unit *unit;
	uint8_t *named = NULL;
	size_t len;
	film_next(&film, key);
	if (key)
		assert_ok(rdp_h264_name_colours(film.packet->data, (size_t)film.packet->size,
						&named, &len));
	assert_ok(unit_new(clips, count, key ? named : film.packet->data,
			   key ? len : (size_t)film.packet->size, &unit));
	free(named);
	unit->passable = unit_scan(unit->data, unit->len, &unit->key);
	unit->stream = stream;
	unit->number = ++numbers;
	unit->box = box;
	assert_true(waiting_count < MOST_WAITING);
	bool passed = pc.remote.events->video(pc.remote.ctx, unit);
	waiting[waiting_count++] = unit;
	if (!passed || asked)
		catch_up();
	return passed;
}

static bool show(bool key)
{
	bool passed = show_clips(key, &all, 1);
	pc.remote.events->frame_done(pc.remote.ctx);
	return passed;
}

/* Something else is drawn; over what waits only after that. */
static void draw(struct rect at, uint32_t colour)
{
	bool apart = at.x >= BOX_X + BOX || at.x + at.width <= BOX_X || at.y >= BOX_Y + BOX ||
		     at.y + at.height <= BOX_Y;
	if (!apart)
		catch_up();
	for (unsigned y = at.y; y < (unsigned)at.y + at.height; y++)
		for (unsigned x = at.x; x < (unsigned)at.x + at.width; x++)
			memcpy(pc.pixels + y * pc.stride + (size_t)x * 4, &colour, 4);
	pc.remote.events->damaged(pc.remote.ctx, at.x, at.y, at.width, at.height);
}

/* ---- viewers ---------------------------------------------------------------------------- */

struct person {
	struct watcher watcher;
	struct picture picture;
	size_t frames, keyframes;
	uint32_t unanswered; /* the last sequence, when it does not answer */
	bool silent;
};

static void come(struct session *session, struct person *person, uint32_t number, uint8_t monitor,
		 uint16_t codecs)
{
	struct msg_viewer_hello hello = { .version = VIEWER_VERSION, .codecs = codecs };
	*person = (struct person){ .picture = { .strict = true } };
	watch_monitor(session, &person->watcher, number, monitor);
	say(session, &person->watcher, MSG_viewer_hello, &hello);
}

static void go(struct person *person)
{
	unwatch(&person->watcher);
	picture_finish(&person->picture);
}

static void answer(struct session *session, struct person *person)
{
	struct msg_ack ack = { .sequence = person->unanswered };
	if (ack.sequence)
		say(session, &person->watcher, MSG_ack, &ack);
	person->unanswered = 0;
}

/* Takes every frame that is there. */
static void look(struct session *session, struct person *person)
{
	while (hear_of(&person->watcher, MSG_frame)) {
		const struct msg_frame *frame = &person->watcher.any.frame;
		assert_ok(picture_apply(&person->picture, frame));
		person->frames++;
		person->keyframes += frame->keyframe;
		person->unanswered = frame->sequence;
		if (!person->silent)
			answer(session, person);
	}
}

static size_t wrong(const struct person *person)
{
	size_t count = 0;
	for (unsigned y = 0; y < PC_HEIGHT; y++)
		for (unsigned x = 0; x < PC_WIDTH; x++) {
			uint32_t is;
			memcpy(&is, pc.pixels + y * pc.stride + (size_t)x * 4, 4);
			count += (is & 0xffffff) != person->picture.pixels[y * PC_WIDTH + x];
		}
	return count;
}

static bool is_exact(const struct person *person)
{
	return !memchr(person->picture.kinds, PICTURE_H264, (size_t)PC_WIDTH * PC_HEIGHT) &&
	       wrong(person) == 0;
}

/* Until everybody's picture is exact, in the worker's own time. */
static void until_exact(struct session *session, struct person *people, size_t count)
{
	uint64_t until = clock_mono_us() + (uint64_t)STILL_MS * 1000;
	for (;;) {
		size_t right = 0;
		assert_ok(loop_step(session->loop, 10));
		if (asked)
			catch_up();
		for (size_t i = 0; i < count; i++) {
			look(session, &people[i]);
			right += !waiting_count && is_exact(&people[i]);
		}
		if (right == count)
			return;
		if (clock_mono_us() > until)
			fail_msg("%zu pixels are wrong, %zu units wait", wrong(&people[0]),
				 waiting_count);
	}
}

static void begin(struct session *session)
{
	struct msg_session_start msg = usual_start();
	session_begin(session);
	pc.monitors = 2;
	pc.can_resize = true;
	start(session, &msg);
	video_ops = pc_ops;
	video_ops.settle = video_settle;
	pc.remote.ops = &video_ops;
	film_start(&film, BOX, BOX);
	assert_ok(rdp_h264_new(BOX, BOX, &decoder));
	numbers = 0;
	stream = 1;
	asked = false;
	random_state = 7;
}

static void end(struct session *session)
{
	while (waiting_count)
		unit_unref(waiting[--waiting_count]);
	session_finish(session);
	film_stop(&film);
	rdp_h264_free(decoder);
}

static const uint16_t codecs = CODEC_JPEG | CODEC_H264 | CODEC_AVC420;

/* ---- tests ------------------------------------------------------------------------------ */

static void test_follows_and_becomes_exact(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	begin(&session);
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(show(i == 0));
		look(&session, &person);
		assert_int_equal(person.picture.passed, i + 1);
	}
	/* Nothing was decoded, and nothing else was sent. */
	assert_int_equal(waiting_count, 5);
	assert_int_equal(person.frames, 6);
	until_exact(&session, &person, 1);
	/* That is known: what did not change is not sent again. */
	size_t frames = person.frames;
	pc.remote.events->damaged(pc.remote.ctx, 0, 0, PC_WIDTH, PC_HEIGHT);
	pc.remote.events->frame_done(pc.remote.ctx);
	settle(&session);
	look(&session, &person);
	assert_int_equal(person.frames, frames);
	/* It goes on following. */
	assert_true(show(false));
	look(&session, &person);
	assert_int_equal(person.picture.passed, 6);
	until_exact(&session, &person, 1);
	assert_int_equal(person.keyframes, 1);
	go(&person);
	end(&session);
}

/* Of two streams it follows one; the other as soon as nothing of the first is left to do. */
static void test_another_stream(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	begin(&session);
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	assert_true(show(true));
	stream = 2;
	assert_false(show(true));
	/* That has not cost it the first one. */
	assert_true(session.worker->screen.outputs[0].follow.running);
	look(&session, &person);
	until_exact(&session, &person, 1);
	size_t passed = person.picture.passed;
	assert_true(show(true));
	look(&session, &person);
	assert_int_equal(person.picture.passed, passed + 1);
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

static void test_who_cannot(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	begin(&session);
	come(&session, &person, 1, 0, CODEC_JPEG | CODEC_H264);
	look(&session, &person);
	for (unsigned i = 0; i < 4; i++) {
		assert_false(show(i == 0));
		look(&session, &person);
	}
	assert_int_equal(waiting_count, 0);
	assert_int_equal(person.picture.passed, 0);
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

/* A stream that began before the viewer was there. */
static void test_comes_a_little_late(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	begin(&session);
	for (unsigned i = 0; i < FOLLOW_PAST - 1; i++)
		assert_false(show(i == 0));
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	until_exact(&session, &person, 1);
	const struct rect part = { 10, 10, 100, 50 };
	assert_true(show_clips(false, &part, 1));
	look(&session, &person);
	/* What it has missed came hidden, all of it. */
	assert_int_equal(person.picture.passed, FOLLOW_PAST);
	for (unsigned y = 0; y < PC_HEIGHT; y++)
		for (unsigned x = 0; x < PC_WIDTH; x++) {
			bool shown = x >= BOX_X + 10 && x < BOX_X + 110 && y >= BOX_Y + 10 &&
				     y < BOX_Y + 60;
			assert_int_equal(person.picture.kinds[y * PC_WIDTH + x],
					 shown ? PICTURE_H264 : PICTURE_EXACT);
		}
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

/* What a late viewer missed may have more clips than one picture that is shown. */
static void test_missed_more_clips_than_anybody_takes(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	struct rect clips[PICTURES_CLIPS + 1000];
	for (size_t i = 0; i < ARRAY_SIZE(clips); i++)
		clips[i] = (struct rect){ (uint16_t)(i % (BOX / 2) * 2),
					  (uint16_t)(i / (BOX / 2) * 2), 1, 1 };
	begin(&session);
	assert_false(show_clips(true, clips, ARRAY_SIZE(clips)));
	assert_false(show(false));
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	until_exact(&session, &person, 1);
	assert_true(show(false));
	look(&session, &person);
	assert_int_equal(person.picture.passed, 3);
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

static void test_comes_too_late(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	begin(&session);
	for (unsigned i = 0; i < FOLLOW_PAST; i++)
		assert_false(show(i == 0));
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	assert_false(show(false));
	look(&session, &person);
	assert_int_equal(person.picture.passed, 0);
	/* From the next key picture on. */
	assert_true(show(true));
	look(&session, &person);
	assert_int_equal(person.picture.passed, 1);
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

/* A second window has no such decoder: it gets pixels, the first one goes on following. */
static void test_two_of_whom_one_follows(void **state)
{
	(void)state;
	struct session session;
	struct person people[2];
	begin(&session);
	come(&session, &people[0], 1, 0, codecs);
	look(&session, &people[0]);
	assert_true(show(true));
	assert_true(show(false));
	come(&session, &people[1], 2, 1, CODEC_JPEG);
	/* The newcomer's keyframe waits for what was not decoded. */
	uint64_t until = clock_mono_us() + 5000000;
	while (!people[1].frames && clock_mono_us() < until) {
		assert_ok(loop_step(session.loop, 10));
		if (asked)
			catch_up();
		look(&session, &people[0]);
		look(&session, &people[1]);
	}
	assert_int_equal(people[1].keyframes, 1);
	assert_int_equal(wrong(&people[1]), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(show(false));
		assert_int_equal(waiting_count, 0);
		look(&session, &people[0]);
		look(&session, &people[1]);
	}
	assert_int_equal(people[0].picture.passed, 5);
	until_exact(&session, people, 2);
	go(&people[0]);
	go(&people[1]);
	end(&session);
}

/* What is drawn beside the film, in tiles of its own and in the film's. */
static void test_drawn_beside(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	begin(&session);
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	assert_true(show(true));
	look(&session, &person);
	draw((struct rect){ 0, 100, 20, 20 }, 0x00ff00);
	pc.remote.events->frame_done(pc.remote.ctx);
	settle(&session);
	look(&session, &person);
	assert_int_equal(person.picture.pixels[110 * PC_WIDTH + 10], 0x00ff00);
	assert_int_equal(waiting_count, 1);
	/* The film's first tile begins one pixel left of it. */
	draw((struct rect){ 64, 100, 1, 1 }, 0x0000ff);
	pc.remote.events->frame_done(pc.remote.ctx);
	settle(&session);
	assert_true(asked);
	catch_up();
	settle(&session);
	look(&session, &person);
	assert_int_equal(person.picture.pixels[100 * PC_WIDTH + 64], 0x0000ff);
	/* Over the film, and the film over that. */
	draw((struct rect){ 100, 50, 90, 90 }, 0xff0000);
	pc.remote.events->frame_done(pc.remote.ctx);
	look(&session, &person);
	assert_int_equal(person.picture.pixels[60 * PC_WIDTH + 110], 0xff0000);
	assert_true(show(false));
	look(&session, &person);
	assert_int_not_equal(person.picture.pixels[60 * PC_WIDTH + 110], 0xff0000);
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

/* Some of the picture stands while the rest goes on: what stands becomes exact. */
static void test_what_stands_becomes_exact(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	const struct rect left = { 0, 0, BOX / 2, BOX };
	begin(&session);
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	assert_true(show(true));
	look(&session, &person);
	uint64_t until = clock_mono_us() + (uint64_t)STILL_MS * 1000;
	size_t at = (size_t)(BOX_Y + BOX / 2) * PC_WIDTH + BOX_X + BOX - 10;
	while (person.picture.kinds[at] != PICTURE_EXACT && clock_mono_us() < until) {
		assert_ok(loop_step(session.loop, 20));
		if (asked)
			catch_up();
		assert_true(show_clips(false, &left, 1));
		look(&session, &person);
		if (waiting_count > 30)
			catch_up();
	}
	assert_int_equal(person.picture.kinds[at], PICTURE_EXACT);
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

/* A viewer that takes everything late leaves the stream, and gets what it can take. */
static void test_cannot_keep_up(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	begin(&session);
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	assert_true(show(true));
	look(&session, &person);
	person.silent = true;
	uint32_t answered = 2;
	/* As many as may be on their way. */
	for (unsigned i = 0; i < FLOW_NEAR; i++)
		assert_true(show(false));
	assert_true(pc.held);
	bool followed = true;
	for (unsigned i = 0; followed && i < 10; i++) {
		struct msg_ack ack = { .sequence = ++answered };
		followed = show(false);
		/* Longer than a unit may wait. */
		usleep(FOLLOW_LATE_US + 10000);
		say(&session, &person.watcher, MSG_ack, &ack);
		look(&session, &person);
	}
	assert_false(followed);
	assert_int_equal(waiting_count, 0);
	/* Not at the next key picture either. */
	person.silent = false;
	answer(&session, &person);
	look(&session, &person);
	size_t passed = person.picture.passed;
	assert_false(show(true));
	until_exact(&session, &person, 1);
	assert_int_equal(person.picture.passed, passed);
	go(&person);
	end(&session);
}

/* A keyframe is of the pixels as they are by then, and the stream begins again after it. */
static void test_refresh(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	struct msg_refresh refresh = { 0 };
	begin(&session);
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	assert_true(show(true));
	assert_true(show(false));
	look(&session, &person);
	say(&session, &person.watcher, MSG_refresh, &refresh);
	look(&session, &person);
	assert_int_equal(person.keyframes, 1);
	assert_true(asked);
	/* What comes before the keyframe is in it. */
	assert_false(show(false));
	settle(&session);
	look(&session, &person);
	assert_int_equal(person.keyframes, 2);
	assert_true(is_exact(&person));
	/* The past is short enough. */
	assert_true(show(false));
	look(&session, &person);
	assert_int_equal(person.picture.passed, 2 + 4);
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

/* Rubbish that no viewer is given, in the middle of a stream. */
static void test_not_passable(void **state)
{
	(void)state;
	struct session session;
	struct person person;
	struct remote_unit *unit;
	begin(&session);
	come(&session, &person, 1, 0, codecs);
	look(&session, &person);
	assert_true(show(true));
	assert_ok(unit_new(&all, 1, (const uint8_t *)"rubbish", 7, &unit));
	unit->stream = 1;
	unit->number = ++numbers;
	unit->box = box;
	assert_false(pc.remote.events->video(pc.remote.ctx, unit));
	catch_up();
	pc.remote.events->decoded(pc.remote.ctx, unit);
	unit_unref(unit);
	look(&session, &person);
	/* What follows builds on something that was not passed on. */
	assert_false(show(false));
	look(&session, &person);
	assert_int_equal(person.picture.passed, 1);
	assert_true(show(true));
	look(&session, &person);
	assert_int_equal(person.picture.passed, 2);
	until_exact(&session, &person, 1);
	go(&person);
	end(&session);
}

/* A window that shows another monitor has no say. */
static void test_another_monitor(void **state)
{
	(void)state;
	struct session session;
	struct person people[2];
	struct rect parts[] = { { 0, 0, BOX_X + BOX, PC_HEIGHT },
				{ BOX_X + BOX, 0, PC_WIDTH - BOX_X - BOX, PC_HEIGHT } };
	begin(&session);
	come(&session, &people[0], 1, 0, codecs);
	come(&session, &people[1], 2, 1, 0);
	for (unsigned i = 0; i < 2; i++)
		screen_place(&session.worker->screen, session.worker->windows[i].viewer, &parts[i]);
	settle(&session);
	look(&session, &people[0]);
	look(&session, &people[1]);
	assert_true(show(true));
	look(&session, &people[0]);
	look(&session, &people[1]);
	assert_int_equal(waiting_count, 1);
	assert_int_equal(people[0].picture.passed, 1);
	assert_int_equal(people[1].picture.width, parts[1].width);
	go(&people[0]);
	go(&people[1]);
	end(&session);
}

/* ---- the recording ---------------------------------------------------------------------- */

/* How many keyframes of its own the recording has of that viewer, and the last of them. */
static size_t recorded_keys(const struct session *session, uint8_t viewer, struct picture *last)
{
	struct scan scan;
	struct buf der, plain;
	size_t count = 0;
	buf_init(&der, SEAL_DER_MAX);
	buf_init(&plain, CHUNK_MAX);
	assert_ok(scan_init(&scan, session->recording, SCAN_HASHES));
	assert_ok(scan_all(&scan));
	for (size_t i = 0; i < scan.count; i++) {
		struct chunk_reader reader;
		struct record record;
		const struct wire_type *type;
		union wire_any any;
		buf_clear(&plain);
		assert_ok(scan_read(&scan, i, &der));
		assert_ok(seal_open(session->auditor.key, session->auditor.certificate, der.data,
				    der.len, &plain));
		assert_ok(chunk_parse(plain.data, plain.len, &reader));
		while (chunk_next(&reader, &record)) {
			if (record.kind != RECORD_KEY || record.viewer != viewer)
				continue;
			assert_ok(wire_decode(record.data, record.len, &type, &any));
			assert_ok(picture_apply(last, &any.frame));
			count++;
		}
	}
	scan_finish(&scan);
	buf_finish(&der);
	buf_finish(&plain);
	return count;
}

/* Playing can start while a viewer follows, with the picture that the viewer had; it follows on. */
static void test_a_keyframe_for_the_recording(void **state)
{
	(void)state;
	struct session session;
	struct person people[2];
	struct picture picture = { 0 };
	const struct msg_refresh refresh = { 0 };
	const struct msg_session_stop stop = { .reason = END_LOGOUT };
	struct rect parts[] = { { 0, 0, BOX_X + BOX, PC_HEIGHT },
				{ BOX_X + BOX, 0, PC_WIDTH - BOX_X - BOX, PC_HEIGHT } };
	begin(&session);
	come(&session, &people[0], 1, 0, codecs);
	come(&session, &people[1], 2, 1, 0);
	for (unsigned i = 0; i < 2; i++)
		screen_place(&session.worker->screen, session.worker->windows[i].viewer, &parts[i]);
	settle(&session);
	for (unsigned i = 0; i < 6; i++) {
		/* The whole of one that is not alone is no start: one is wanted now. */
		if (i == 3)
			say(&session, &people[1].watcher, MSG_refresh, &refresh);
		assert_true(show(i == 0));
		look(&session, &people[0]);
		look(&session, &people[1]);
		if (asked)
			catch_up();
	}
	assert_int_equal(people[0].picture.passed, 6);
	catch_up();
	order(&session, MSG_session_stop, &stop, -1);
	assert_int_equal(run_to_the_end(&session), 0);
	assert_true(recorded_keys(&session, 0, &picture) > 0);
	size_t film_pixels = 0;
	for (unsigned y = BOX_Y; y < BOX_Y + BOX; y++)
		for (unsigned x = BOX_X; x < BOX_X + BOX; x++)
			film_pixels += picture.pixels[y * picture.width + x] != 0;
	assert_in_range(film_pixels, BOX * BOX / 2, BOX * BOX);
	picture_finish(&picture);
	go(&people[0]);
	go(&people[1]);
	end(&session);
}

static struct rect somewhere(unsigned width, unsigned height)
{
	unsigned x = chance(width), y = chance(height);
	return (struct rect){ (uint16_t)x, (uint16_t)y, (uint16_t)(1 + chance(width - x)),
			      (uint16_t)(1 + chance(height - y)) };
}

static void copy_somewhere(void)
{
	struct rect from = somewhere(PC_WIDTH / 2, PC_HEIGHT / 2);
	unsigned x = chance(PC_WIDTH / 2), y = chance(PC_HEIGHT / 2);
	catch_up();
	uint8_t *held = malloc((size_t)from.width * 4 * from.height);
	assert_non_null(held);
	for (size_t i = 0; i < from.height; i++)
		memcpy(held + i * from.width * 4,
		       pc.pixels + (from.y + i) * pc.stride + (size_t)from.x * 4,
		       (size_t)from.width * 4);
	for (size_t i = 0; i < from.height; i++)
		memcpy(pc.pixels + (y + i) * pc.stride + (size_t)x * 4, held + i * from.width * 4,
		       (size_t)from.width * 4);
	free(held);
	pc.remote.events->copied(pc.remote.ctx, from.x, from.y, (int)x, (int)y, from.width,
				 from.height);
}

/* Everything in any order: every frame keeps the rules, and in the end every picture is right. */
static void test_anything(void **state)
{
	(void)state;
	struct session session;
	struct person people[2];
	begin(&session);
	come(&session, &people[0], 1, 0, codecs);
	come(&session, &people[1], 2, 1, codecs);
	for (unsigned round = 0; round < 6; round++) {
		for (unsigned i = 0; i < 60; i++) {
			struct rect clips[2] = { somewhere(BOX, BOX / 2), { 0 } };
			clips[1] = (struct rect){ clips[0].x, BOX / 2, clips[0].width,
						  (uint16_t)(1 + i) };
			switch (chance(8)) {
			case 0:
				draw(somewhere(PC_WIDTH, PC_HEIGHT), random_state & 0xffffff);
				break;
			case 1:
				copy_somewhere();
				break;
			case 2:
				pc.remote.events->frame_done(pc.remote.ctx);
				break;
			case 3:
				settle(&session);
				break;
			case 4:
				people[chance(2)].silent = chance(4) == 0;
				break;
			default:
				(void)show_clips(numbers == 0 || chance(20) == 0, clips,
						 1 + chance(2));
				break;
			}
			if (asked || waiting_count > MOST_WAITING / 2)
				catch_up();
			look(&session, &people[0]);
			look(&session, &people[1]);
		}
		for (unsigned i = 0; i < 2; i++) {
			people[i].silent = false;
			answer(&session, &people[i]);
		}
		until_exact(&session, people, 2);
	}
	assert_true(people[0].picture.passed > 60);
	go(&people[0]);
	go(&people[1]);
	end(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_and_becomes_exact),
		cmocka_unit_test(test_another_stream),
		cmocka_unit_test(test_who_cannot),
		cmocka_unit_test(test_comes_a_little_late),
		cmocka_unit_test(test_missed_more_clips_than_anybody_takes),
		cmocka_unit_test(test_comes_too_late),
		cmocka_unit_test(test_two_of_whom_one_follows),
		cmocka_unit_test(test_drawn_beside),
		cmocka_unit_test(test_what_stands_becomes_exact),
		cmocka_unit_test(test_cannot_keep_up),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_not_passable),
		cmocka_unit_test(test_another_monitor),
		cmocka_unit_test(test_a_keyframe_for_the_recording),
		cmocka_unit_test(test_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
