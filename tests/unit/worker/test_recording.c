/*
 * What a worker records: everything that its viewers are sent, so that playing from any keyframe on
 * shows what they saw, and what happens beside it.
 */
#include "unit/worker/session.h"

#include "export/picture.h"
#include "unit/paint.h"

enum { WIDTH = 640, HEIGHT = 400, VIEWERS = 2, CHUNKS = 512 };

static unsigned random_state;

static unsigned chance(unsigned count)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % count;
}

/* ---- the file --------------------------------------------------------------------------- */

struct opened {
	struct buf plain[CHUNKS];
	struct chunk_reader readers[CHUNKS];
	size_t count;
};

static void open_recording(const struct session *session, struct opened *opened)
{
	struct scan scan;
	struct buf der;
	*opened = (struct opened){ 0 };
	buf_init(&der, SEAL_DER_MAX);
	assert_ok(scan_init(&scan, session->recording, SCAN_HASHES));
	assert_ok(scan_all(&scan));
	assert_int_equal(scan.end, SCAN_WHOLE);
	assert_in_range(scan.count, 1, CHUNKS);
	for (size_t i = 0; i < scan.count; i++) {
		struct buf *plain = &opened->plain[i];
		buf_init(plain, CHUNK_MAX);
		assert_ok(scan_read(&scan, i, &der));
		assert_ok(seal_open(session->auditor.key, session->auditor.certificate, der.data,
				    der.len, plain));
		assert_ok(chunk_parse(plain->data, plain->len, &opened->readers[i]));
		assert_int_equal(opened->readers[i].head.sequence, i);
		if (i > 0)
			assert_memory_equal(opened->readers[i].head.previous,
					    scan.chunks[i - 1].hash, CHUNK_HASH);
	}
	opened->count = scan.count;
	scan_finish(&scan);
	buf_finish(&der);
}

static void close_recording(struct opened *opened)
{
	for (size_t i = 0; i < opened->count; i++)
		buf_finish(&opened->plain[i]);
}

/* Calls hear for each whole record from that chunk on. */
static void play(const struct opened *opened, size_t from,
		 void (*heard)(void *ctx, const struct record *record), void *ctx)
{
	struct record_joiner joiner;
	record_joiner_init(&joiner);
	for (size_t i = from; i < opened->count; i++) {
		struct chunk_reader reader = opened->readers[i];
		struct record record, whole;
		bool complete;
		while (chunk_next(&reader, &record)) {
			assert_ok(record_joiner_add(&joiner, &record, &complete, &whole));
			if (complete)
				heard(ctx, &whole);
		}
	}
	record_joiner_finish(&joiner);
}

static bool is_key(const struct opened *opened, size_t chunk)
{
	return opened->readers[chunk].head.flags & CHUNK_KEY;
}

/* ---- playing ---------------------------------------------------------------------------- */

struct player {
	struct picture pictures[VIEWERS];
	size_t keys;
};

static void show(void *ctx, const struct record *record)
{
	struct player *player = ctx;
	const struct wire_type *type;
	union wire_any any;
	if (record->kind != RECORD_SENT && record->kind != RECORD_KEY)
		return;
	assert_in_range(record->viewer, 0, VIEWERS - 1);
	struct picture *picture = &player->pictures[record->viewer];
	assert_ok(wire_decode(record->data, record->len, &type, &any));
	if (type->id != MSG_frame)
		return;
	player->keys += record->kind == RECORD_KEY;
	/* Of a viewer that comes later. */
	if (!picture->pixels && !any.frame.keyframe)
		return;
	assert_ok(picture_apply(picture, &any.frame));
}

static void player_finish(struct player *player)
{
	for (size_t i = 0; i < VIEWERS; i++)
		picture_finish(&player->pictures[i]);
}

/* From each start on the end is what the viewers had. Returns how many starts there are. */
static size_t compare(const struct opened *opened, const struct picture *live, size_t viewers)
{
	size_t starts = 0;
	for (size_t i = 0; i < opened->count; i++) {
		struct player player = { 0 };
		if (!is_key(opened, i))
			continue;
		starts++;
		play(opened, i, show, &player);
		for (size_t k = 0; k < viewers; k++) {
			assert_int_equal(player.pictures[k].width, live[k].width);
			assert_memory_equal(player.pictures[k].pixels, live[k].pixels,
					    (size_t)live[k].width * live[k].height * 4);
		}
		player_finish(&player);
	}
	return starts;
}

/* ---- the session ------------------------------------------------------------------------ */

struct audience {
	struct session session;
	struct watcher watchers[VIEWERS];
	struct picture live[VIEWERS];
	uint32_t unacknowledged[VIEWERS]; /* the last frame; 0: none */
};

static void hear_frames(struct audience *audience, size_t viewer)
{
	struct watcher *watcher = &audience->watchers[viewer];
	while (hear_of(watcher, MSG_frame)) {
		assert_ok(picture_apply(&audience->live[viewer], &watcher->any.frame));
		audience->unacknowledged[viewer] = watcher->any.frame.sequence;
	}
}

static void acknowledge(struct audience *audience, size_t viewer)
{
	struct msg_ack ack = { .sequence = audience->unacknowledged[viewer] };
	hear_frames(audience, viewer);
	ack.sequence = audience->unacknowledged[viewer];
	if (!ack.sequence)
		return;
	audience->unacknowledged[viewer] = 0;
	say(&audience->session, &audience->watchers[viewer], MSG_ack, &ack);
}

static bool has_all(const struct audience *audience, size_t viewer)
{
	const struct picture *live = &audience->live[viewer];
	for (unsigned y = 0; y < HEIGHT; y++)
		for (unsigned x = 0; x < WIDTH; x++) {
			uint32_t pixel;
			memcpy(&pixel, pc.pixels + y * pc.stride + (size_t)x * 4, 4);
			if ((pixel & 0xffffff) != live->pixels[y * WIDTH + x])
				return false;
		}
	return true;
}

/* Until everybody has everything. */
static void catch_up(struct audience *audience, size_t viewers)
{
	const uint64_t until_us = clock_mono_us() + 30000000;
	for (size_t i = 0; i < viewers; i++)
		while (!has_all(audience, i)) {
			assert_true(clock_mono_us() < until_us);
			for (size_t k = 0; k < viewers; k++)
				acknowledge(audience, k);
			assert_ok(loop_step(audience->session.loop, 2));
		}
	/* Nothing is on its way that the recording has already. */
	for (size_t i = 0; i < viewers; i++)
		hear_frames(audience, i);
}

static void begin(struct audience *audience, size_t viewers, uint16_t codecs)
{
	const struct msg_session_start msg = usual_start();
	struct msg_viewer_hello hello = { .version = VIEWER_VERSION, .codecs = codecs };
	*audience = (struct audience){ 0 };
	session_begin(&audience->session);
	pc.monitors = 2;
	start(&audience->session, &msg);
	settle(&audience->session);
	pc_size(WIDTH, HEIGHT);
	for (size_t i = 0; i < viewers; i++) {
		watch_monitor(&audience->session, &audience->watchers[i], (uint32_t)i + 1,
			      (uint8_t)i);
		say(&audience->session, &audience->watchers[i], MSG_viewer_hello, &hello);
		acknowledge(audience, i);
	}
}

static void end(struct audience *audience)
{
	const struct msg_session_stop stop = { .reason = END_LOGOUT };
	order(&audience->session, MSG_session_stop, &stop, -1);
	assert_int_equal(run_to_the_end(&audience->session), 0);
}

static void finish(struct audience *audience, size_t viewers)
{
	for (size_t i = 0; i < viewers; i++) {
		unwatch(&audience->watchers[i]);
		picture_finish(&audience->live[i]);
	}
	session_finish(&audience->session);
}

static void refresh(struct audience *audience, size_t viewer)
{
	const struct msg_refresh msg = { 0 };
	say(&audience->session, &audience->watchers[viewer], MSG_refresh, &msg);
}

/* ---- what the PC shows ------------------------------------------------------------------ */

static uint8_t *pixel_at(unsigned x, unsigned y)
{
	return pc.pixels + y * pc.stride + (size_t)x * 4;
}

static void paint(unsigned top, unsigned bottom, uint32_t which)
{
	for (unsigned y = top; y < bottom; y++)
		for (unsigned x = 0; x < WIDTH; x++) {
			uint32_t colour = paint_text(x, y, which);
			memcpy(pixel_at(x, y), &colour, 4);
		}
}

static void damaged(unsigned top, unsigned bottom)
{
	pc.remote.events->damaged(pc.remote.ctx, 0, (int)top, WIDTH, (int)(bottom - top));
	pc.remote.events->frame_done(pc.remote.ctx);
}

/* The page goes up by so many rows; told: as a copy, else only as damage. */
static void scroll(unsigned rows, uint32_t which, bool told)
{
	for (unsigned y = 0; y + rows < HEIGHT; y++)
		memmove(pixel_at(0, y), pixel_at(0, y + rows), (size_t)WIDTH * 4);
	if (told)
		pc.remote.events->copied(pc.remote.ctx, 0, (int)rows, 0, 0, WIDTH,
					 (int)(HEIGHT - rows));
	paint(HEIGHT - rows, HEIGHT, which);
	damaged(told ? HEIGHT - rows : 0, HEIGHT);
}

/* ---- tests ------------------------------------------------------------------------------ */

/*
 * A viewer that asks for a keyframe while another one is there has both recorded: with pages that
 * scroll, viewers that are behind, and copies that wait, in ever other orders.
 */
static void every_keyframe_leads_to_the_end(void **state)
{
	size_t starts = 0;
	(void)state;
	for (unsigned seed = 1; seed <= 6; seed++) {
		struct audience audience;
		struct opened opened;
		random_state = seed * 7919;
		begin(&audience, VIEWERS, 0);
		paint(0, HEIGHT, seed);
		damaged(0, HEIGHT);
		for (unsigned round = 0; round < 30; round++) {
			scroll(1 + chance(40), round + 100 * seed, chance(2));
			if (chance(3))
				acknowledge(&audience, 0);
			if (chance(3))
				acknowledge(&audience, 1);
			if (!chance(6))
				refresh(&audience, chance(VIEWERS));
			assert_ok(loop_step(audience.session.loop, (int)chance(3)));
		}
		catch_up(&audience, VIEWERS);
		end(&audience);
		open_recording(&audience.session, &opened);
		starts += compare(&opened, audience.live, VIEWERS);
		close_recording(&opened);
		finish(&audience, VIEWERS);
	}
	/* Or nothing was tested. */
	assert_in_range(starts, 6, 1000);
}

static void paint_film(unsigned round)
{
	for (unsigned y = 64; y < 320; y++)
		for (unsigned x = 64; x < 448; x++) {
			uint32_t colour = paint_photo(x, y, round);
			memcpy(pixel_at(x, y), &colour, 4);
		}
	pc.remote.events->damaged(pc.remote.ctx, 64, 64, 384, 256);
	pc.remote.events->frame_done(pc.remote.ctx);
}

/* A film that runs on past a keyframe is H.264 whose decoder begins there, too. */
static void films_begin_anew_at_a_keyframe(void **state)
{
	struct audience audience;
	struct opened opened;
	size_t videos = 0;
	(void)state;
	begin(&audience, VIEWERS, CODEC_JPEG | CODEC_H264);
	paint(0, HEIGHT, 1);
	damaged(0, HEIGHT);
	for (unsigned round = 0; videos < 60; round++) {
		assert_in_range(round, 0, 600);
		paint_film(round);
		for (size_t i = 0; i < VIEWERS; i++) {
			acknowledge(&audience, i);
			videos += audience.live[i].videos > 0;
		}
		if (videos > 10 && round % 12 == 0)
			refresh(&audience, 1);
		assert_ok(loop_step(audience.session.loop, 40));
		(void)usleep(20000);
	}
	catch_up(&audience, VIEWERS);
	end(&audience);
	open_recording(&audience.session, &opened);
	assert_in_range(compare(&opened, audience.live, VIEWERS), 2, 1000);
	close_recording(&opened);
	finish(&audience, VIEWERS);
}

struct heard {
	char events[4000]; /* "viewer-joined " … */
	unsigned pointers, keys, texts, last_keysym, masked, cursors, statuses, pongs, indexes;
	char text[64];
	uint8_t last_state;
};

static void note_input(struct heard *heard, uint16_t id, const union wire_any *any)
{
	if (id == MSG_pointer)
		heard->pointers++;
	if (id == MSG_key && any->key.down) {
		heard->keys++;
		heard->masked += !any->key.keysym && !any->key.scancode;
		heard->last_keysym = any->key.keysym;
	}
	if (id == MSG_text) {
		heard->texts++;
		snprintf(heard->text, sizeof(heard->text), "%s", any->text.text);
	}
}

static void note_record(void *ctx, const struct record *record)
{
	struct heard *heard = ctx;
	const struct wire_type *type;
	union wire_any any;
	size_t len = strlen(heard->events);
	if (record->kind == RECORD_EVENT)
		snprintf(heard->events + len, sizeof(heard->events) - len, "%.*s ",
			 (int)record->len, (const char *)record->data);
	heard->indexes += record->kind == RECORD_INDEX;
	if (record->kind != RECORD_SENT && record->kind != RECORD_INPUT)
		return;
	assert_ok(wire_decode(record->data, record->len, &type, &any));
	note_input(heard, type->id, &any);
	heard->pongs += type->id == MSG_pong;
	heard->cursors += type->id == MSG_cursor;
	if (type->id == MSG_status) {
		heard->statuses++;
		heard->last_state = any.status.state;
	}
}

static void press(struct audience *audience, uint32_t keysym)
{
	struct msg_key key = { .keysym = keysym, .down = 1 };
	say(&audience->session, &audience->watchers[0], MSG_key, &key);
	key.down = 0;
	say(&audience->session, &audience->watchers[0], MSG_key, &key);
}

/* Nothing goes from the PC to a device or back, and each way is noted now and then. */
static void copy_and_paste(struct audience *audience)
{
	const struct msg_clipboard paste = { .way = CLIPBOARD_PASTE }, wrong = { .way = 77 };
	for (int i = 0; i < 5; i++)
		pc.remote.events->clipboard(pc.remote.ctx);
	say(&audience->session, &audience->watchers[0], MSG_clipboard, &paste);
	say(&audience->session, &audience->watchers[0], MSG_clipboard, &wrong);
	pc_size(PC_WIDTH + 8, PC_HEIGHT);
}

static void work(struct audience *audience)
{
	static const uint8_t cursor[4] = { 1, 2, 3, 255 };
	const struct msg_pointer pointer = { .x = 3, .y = 4 };
	const struct msg_ping ping = { .number = 1 };
	const struct msg_text secret = { .text = "geheim" }, text = { .text = "仕訳" };
	struct watcher *watcher = &audience->watchers[0];
	pc.remote.events->cursor(pc.remote.ctx, 0, 0, 1, 1, cursor);
	say(&audience->session, watcher, MSG_pointer, &pointer);
	say(&audience->session, watcher, MSG_ping, &ping);
	/* A log-on screen may be there. */
	press(audience, 'g');
	say(&audience->session, watcher, MSG_text, &secret);
	press(audience, 0xff0d);
	press(audience, 'a');
	say(&audience->session, watcher, MSG_text, &text);
	copy_and_paste(audience);
}

static struct heard recorded_with(bool keys)
{
	const struct msg_session_start msg = usual_start();
	struct audience audience = { 0 };
	struct heard heard = { 0 };
	struct opened opened;
	session_begin(&audience.session);
	record_with(&audience.session, &msg, keys);
	start(&audience.session, &msg);
	watch(&audience.session, &audience.watchers[0], 1);
	say_hello(&audience.session, &audience.watchers[0]);
	work(&audience);
	end(&audience);
	open_recording(&audience.session, &opened);
	assert_true(opened.readers[opened.count - 1].head.flags & CHUNK_LAST);
	play(&opened, 0, note_record, &heard);
	close_recording(&opened);
	unwatch(&audience.watchers[0]);
	session_finish(&audience.session);
	return heard;
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;
	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

static void what_happens_is_recorded(void **state)
{
	struct heard heard = recorded_with(false);
	(void)state;
	assert_int_equal(heard.pointers, 1);
	assert_int_equal(heard.keys + heard.texts, 0);
	assert_int_equal(heard.pongs, 0);
	assert_int_equal(heard.cursors, 1);
	assert_int_equal(heard.indexes, 1);
	assert_int_equal(heard.last_state, SESSION_ENDED);
	assert_non_null(strstr(heard.events, WATCHER_JOINED));
	assert_non_null(strstr(heard.events, "\"clipboard-blocked\",\"way\":\"pc\",\"times\":1}"));
	assert_non_null(strstr(heard.events, "\"clipboard-blocked\",\"way\":\"paste\""));
	assert_int_equal(count_of(heard.events, "clipboard-blocked"), 2);
	assert_non_null(strstr(heard.events, "\"resize\",\"width\":328,\"height\":200}"));
	assert_non_null(strstr(heard.events, "\"viewer-left\""));
	assert_non_null(strstr(heard.events, "\"ended\",\"reason\":\"logout\""));
}

static void keys_where_policy_says_so(void **state)
{
	struct heard heard = recorded_with(true);
	(void)state;
	assert_int_equal(heard.keys, 3);
	assert_int_equal(heard.masked, 1);
	assert_int_equal(heard.last_keysym, 'a');
	assert_int_equal(heard.texts, 2);
	assert_string_equal(heard.text, "仕訳");
}

static void no_session_without_a_recorder(void **state)
{
	const struct msg_session_start msg = usual_start();
	struct session session;
	(void)state;
	session_begin(&session);
	order(&session, MSG_session_start, &msg, -1);
	assert_int_equal(last_state(&session).reason, END_RECORDING);
	assert_int_equal(run_to_the_end(&session), 0);
	assert_null(pc.pixels);
	session_finish(&session);
}

/* Nor with recipients of whom one cannot be sealed to. */
static void nor_with_a_wrong_recipient(void **state)
{
	const struct msg_session_start msg = usual_start();
	struct session session;
	(void)state;
	session_begin(&session);
	auditor_free(&session.auditor);
	session.auditor = auditor_make_as(&(struct auditor_plan){ .group = "P-384" });
	record_with(&session, &msg, false);
	order(&session, MSG_session_start, &msg, -1);
	assert_int_equal(last_state(&session).reason, END_RECORDING);
	assert_int_equal(run_to_the_end(&session), 0);
	session_finish(&session);
}

/* The broker hears how far it is, and at the end of all of it. */
static void the_last_mark_is_of_the_whole_file(void **state)
{
	const struct msg_session_start msg = usual_start();
	const struct msg_session_stop stop = { .reason = END_LOGOUT };
	struct msg_record_mark mark = { 0 };
	const union wire_any *any;
	struct session session;
	struct scan scan;
	(void)state;
	session_begin(&session);
	start(&session, &msg);
	order(&session, MSG_session_stop, &stop, -1);
	assert_int_equal(run_to_the_end(&session), 0);
	while ((any = told(&session, MSG_record_mark)))
		mark = any->record_mark;
	assert_int_equal(mark.last, 1);
	assert_ok(scan_init(&scan, session.recording, SCAN_HASHES));
	assert_ok(scan_all(&scan));
	assert_int_equal(mark.chunks, scan.count);
	assert_int_equal(mark.size, scan.size);
	assert_int_equal(mark.size, scan.file_size);
	assert_memory_equal(mark.hash, scan.running, sizeof(mark.hash));
	scan_finish(&scan);
	session_finish(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_keyframe_leads_to_the_end),
		cmocka_unit_test(films_begin_anew_at_a_keyframe),
		cmocka_unit_test(what_happens_is_recorded),
		cmocka_unit_test(keys_where_policy_says_so),
		cmocka_unit_test(no_session_without_a_recorder),
		cmocka_unit_test(nor_with_a_wrong_recipient),
		cmocka_unit_test(the_last_mark_is_of_the_whole_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
