#include "unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "wire/ipc.h"
#include "worker/stream/viewer.h"

struct bench {
	struct loop *loop;
	struct viewer *viewer; /* NULL when gone */
	int fd;                /* the viewer's end */
	int hellos, keys, texts, pointers, resizes, releases, stills, refreshes, rooms, gone;
	uint32_t pinged;
	enum err why;
	struct msg_key key;
	unsigned clipboards;
	enum clipboard_way way;
	char text[1100];
	uint8_t packet[PACKETS_MAX + 1];
	size_t len;
};

static void on_hello(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	struct bench *bench = ctx;
	(void)viewer;
	assert_int_equal(width, 1280);
	assert_int_equal(height, 800);
	bench->hellos++;
}

static void on_key(void *ctx, struct viewer *viewer, const struct msg_key *key)
{
	struct bench *bench = ctx;
	(void)viewer;
	bench->keys++;
	bench->key = *key;
}

static void on_text(void *ctx, struct viewer *viewer, const char *text)
{
	struct bench *bench = ctx;
	(void)viewer;
	bench->texts++;
	snprintf(bench->text, sizeof(bench->text), "%s", text);
}

static void on_pointer(void *ctx, struct viewer *viewer, const struct msg_pointer *pointer)
{
	struct bench *bench = ctx;
	(void)viewer;
	(void)pointer;
	bench->pointers++;
}

static void on_resize(void *ctx, struct viewer *viewer, unsigned width, unsigned height)
{
	struct bench *bench = ctx;
	(void)viewer;
	(void)width;
	(void)height;
	bench->resizes++;
}

static void on_release(void *ctx, struct viewer *viewer)
{
	(void)viewer;
	((struct bench *)ctx)->releases++;
}

static void on_still(void *ctx, struct viewer *viewer)
{
	(void)viewer;
	((struct bench *)ctx)->stills++;
}

static void on_clipboard(void *ctx, struct viewer *viewer, enum clipboard_way way)
{
	(void)viewer;
	((struct bench *)ctx)->way = way;
	((struct bench *)ctx)->clipboards++;
}

static void on_ping(void *ctx, struct viewer *viewer, uint32_t number)
{
	(void)viewer;
	((struct bench *)ctx)->pinged = number;
}

static void on_refresh(void *ctx, struct viewer *viewer)
{
	(void)viewer;
	((struct bench *)ctx)->refreshes++;
}

static void on_room(void *ctx, struct viewer *viewer)
{
	(void)viewer;
	((struct bench *)ctx)->rooms++;
}

static void on_gone(void *ctx, struct viewer *viewer, enum err why)
{
	struct bench *bench = ctx;
	assert_ptr_equal(viewer, bench->viewer);
	bench->viewer = NULL;
	bench->gone++;
	bench->why = why;
}

static const struct viewer_ops ops = {
	.hello = on_hello,
	.key = on_key,
	.text = on_text,
	.pointer = on_pointer,
	.resize = on_resize,
	.release_keys = on_release,
	.still_here = on_still,
	.clipboard = on_clipboard,
	.ping = on_ping,
	.refresh = on_refresh,
	.room = on_room,
	.gone = on_gone,
};

static void bench_start(struct bench *bench)
{
	int fds[2];
	*bench = (struct bench){ 0 };
	assert_ok(ipc_pair(fds));
	assert_ok(loop_new(&bench->loop));
	assert_ok(viewer_new(bench->loop, fds[0], 5, &ops, bench, &bench->viewer));
	bench->fd = fds[1];
}

static void bench_stop(struct bench *bench)
{
	viewer_free(bench->viewer);
	if (bench->fd >= 0)
		close(bench->fd);
	loop_free(bench->loop);
}

/* Turns of the loop until nothing is due at once. */
static void turn(struct bench *bench)
{
	for (int i = 0; i < 20; i++)
		assert_ok(loop_step(bench->loop, 0));
}

static void say_raw(struct bench *bench, const void *data, size_t len)
{
	assert_int_equal(send(bench->fd, data, len, MSG_NOSIGNAL), len);
	turn(bench);
}

static void say(struct bench *bench, uint16_t id, const void *msg)
{
	struct buf buf;
	buf_init(&buf, WIRE_MESSAGE_MAX);
	assert_ok(wire_encode(id, msg, &buf));
	say_raw(bench, buf.data, buf.len);
	buf_finish(&buf);
}

static void say_hello(struct bench *bench)
{
	struct msg_viewer_hello hello = { .version = VIEWER_VERSION, .width = 1280, .height = 800 };
	say(bench, MSG_viewer_hello, &hello);
}

/* The id of the next message, of one packet; 0: none, -1: end of stream. */
static int hear(struct bench *bench)
{
	ssize_t len = recv(bench->fd, bench->packet, sizeof(bench->packet), MSG_DONTWAIT);
	if (len < 0)
		return 0;
	if (len == 0)
		return -1;
	if (len == 1)
		return bench->packet[0];
	assert_int_equal(bench->packet[0], 0);
	return bench->packet[1] | bench->packet[2] << 8;
}

static void test_input_is_handed_on(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	say_hello(&bench);
	assert_int_equal(bench.hellos, 1);
	say(&bench, MSG_key, &(struct msg_key){ .keysym = 'a', .scancode = 0x1e, .down = 1 });
	assert_int_equal(bench.keys, 1);
	assert_int_equal(bench.key.keysym, 'a');
	say(&bench, MSG_key, &(struct msg_key){ .keysym = 0, .scancode = 0 });
	assert_int_equal(bench.keys, 1);
	say(&bench, MSG_text, &(struct msg_text){ .text = "税理士\x1b" });
	assert_string_equal(bench.text, "税理士");
	say(&bench, MSG_text, &(struct msg_text){ .text = "\x1b" });
	assert_int_equal(bench.texts, 1);
	say(&bench, MSG_pointer, &(struct msg_pointer){ .x = 1 });
	say(&bench, MSG_resize, &(struct msg_resize){ .width = 1 });
	say(&bench, MSG_release_keys, &(struct msg_release_keys){ 0 });
	say(&bench, MSG_still_here, &(struct msg_still_here){ 0 });
	say(&bench, MSG_clipboard, &(struct msg_clipboard){ .way = CLIPBOARD_DROP });
	/* Not what a PC alone does, nor anything else. */
	say(&bench, MSG_clipboard, &(struct msg_clipboard){ .way = CLIPBOARD_PC });
	say(&bench, MSG_clipboard, &(struct msg_clipboard){ .way = CLIPBOARD_KEYS + 1 });
	assert_int_equal(bench.clipboards, 1);
	assert_int_equal(bench.way, CLIPBOARD_DROP);
	say(&bench, MSG_refresh, &(struct msg_refresh){ 0 });
	assert_int_equal(bench.pointers + bench.resizes + bench.releases + bench.stills +
				 bench.refreshes,
			 5);
	say(&bench, MSG_ping, &(struct msg_ping){ .number = 42 });
	assert_int_equal(bench.pinged, 42);
	assert_int_equal(bench.gone, 0);
	bench_stop(&bench);
}

/* Each of these ends the stream as a violation. */
static void test_violations(void **state)
{
	(void)state;
	static const uint8_t rubbish[] = { 1, 2, 3, 4 }, empty_id[] = { 0x03 };
	static const uint8_t from_worker[] = { 0x06, 0x08, 1, 0, 0, 0 }; /* a pong */
	static const uint8_t to_broker[] = { 0x44, 0x04, 1, 0, 0, 0 };   /* a worker_pong */
	static const uint8_t short_key[] = { 0x03, 0x09, 1, 0, 0 };
	static const uint8_t long_ping[] = { 0x09, 0x09, 1, 0, 0, 0, 9 };
	static const uint8_t bad_text[] = { 0x04, 0x09, 2, 0, 0, 0, 0xff, 0xfe, 0 };
	static const uint8_t huge_text[] = { 0x04, 0x09, 0xff, 0xff, 0xff, 0xff, 'a', 0 };
	static const uint8_t wrong_ack[] = { 0x02, 0x09, 1, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t second_hello[] = { 0x01, 0x09, 1, 0, 0, 0, 0, 0 };
	static uint8_t too_long[INPUT_MESSAGE_MAX + 1];
	static const struct {
		const uint8_t *data;
		size_t len;
	} cases[] = {
		{ rubbish, sizeof(rubbish) },         { empty_id, sizeof(empty_id) },
		{ from_worker, sizeof(from_worker) }, { to_broker, sizeof(to_broker) },
		{ short_key, sizeof(short_key) },     { long_ping, sizeof(long_ping) },
		{ bad_text, sizeof(bad_text) },       { huge_text, sizeof(huge_text) },
		{ wrong_ack, sizeof(wrong_ack) },     { second_hello, sizeof(second_hello) },
		{ too_long, sizeof(too_long) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bench bench;
		bench_start(&bench);
		say_hello(&bench);
		say_raw(&bench, cases[i].data, cases[i].len);
		if (bench.gone != 1)
			fail_msg("case %zu was let through", i);
		assert_err(bench.why, ERR_PROTOCOL);
		assert_int_equal(hear(&bench), WIRE_STREAM_VIOLATION);
		assert_int_equal(hear(&bench), -1);
		bench_stop(&bench);
	}
}

static void test_nothing_before_hello(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	say(&bench, MSG_key, &(struct msg_key){ .keysym = 'a', .down = 1 });
	assert_int_equal(bench.keys, 0);
	assert_err(bench.why, ERR_PROTOCOL);
	bench_stop(&bench);
}

static void test_another_version_gets_a_status_only(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	say(&bench, MSG_viewer_hello, &(struct msg_viewer_hello){ .version = VIEWER_VERSION + 1 });
	assert_int_equal(bench.hellos, 0);
	assert_int_equal(hear(&bench), MSG_status);
	assert_int_equal(bench.packet[3], SESSION_ENDED);
	assert_int_equal(bench.packet[4], END_VERSION);
	assert_int_equal(hear(&bench), -1);
	assert_int_equal(bench.gone, 1);
	bench_stop(&bench);
}

static void test_left_viewer_is_reported(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	say_hello(&bench);
	close(bench.fd);
	bench.fd = -1;
	turn(&bench);
	assert_int_equal(bench.gone, 1);
	assert_err(bench.why, ERR_CLOSED);
	bench_stop(&bench);
}

static void test_close_says_why(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	say_hello(&bench);
	viewer_close(bench.viewer, SESSION_LOCKED, END_NONE);
	/* Nothing more comes in or goes out. */
	viewer_send(bench.viewer, MSG_bell, &(struct msg_bell){ 0 });
	assert_false(viewer_can_frame(bench.viewer));
	say(&bench, MSG_key, &(struct msg_key){ .keysym = 'a', .down = 1 });
	assert_int_equal(bench.keys, 0);
	assert_int_equal(hear(&bench), MSG_status);
	assert_int_equal(bench.packet[3], SESSION_LOCKED);
	assert_int_equal(hear(&bench), -1);
	assert_int_equal(bench.gone, 1);
	assert_ok(bench.why);
	bench_stop(&bench);
}

/* A viewer that reads nothing holds nobody up for longer than the linger time. */
static void test_stuck_viewer_is_cut_off(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	say_hello(&bench);
	uint8_t *end;
	struct buf *frame = packets_frame(&bench.viewer->packets);
	assert_ok(buf_reserve(frame, 4000000, &end));
	memset(end, 0, 4000000);
	frame->len = 4000000;
	viewer_send_frame(bench.viewer);
	assert_true(bench.viewer->packets.blocked);
	/* Little of it is out of our hands. */
	assert_true(bench.viewer->packets.sent <= 2 * (size_t)PACKETS_MAX);
	uint64_t start = clock_mono_us();
	viewer_close(bench.viewer, SESSION_ENDED, END_LENGTH);
	while (!bench.gone)
		assert_ok(loop_step(bench.loop, -1));
	uint64_t took = clock_mono_us() - start;
	assert_true(took >= VIEWER_LINGER_US && took < 2 * VIEWER_LINGER_US);
	bench_stop(&bench);
}

/* More than a person can do is taken at the allowed rate, not dropped and not at once. */
static void test_flood_is_slowed_down(void **state)
{
	(void)state;
	struct bench bench;
	struct buf buf;
	int sent = 0;
	bench_start(&bench);
	say_hello(&bench);
	buf_init(&buf, 64);
	assert_ok(wire_encode(MSG_pointer, &(struct msg_pointer){ .x = 1 }, &buf));
	uint64_t start = clock_mono_us();
	while (clock_mono_us() - start < 300000 ||
	       (bench.pointers < INPUT_BURST && clock_mono_us() - start < 5000000)) {
		while (send(bench.fd, buf.data, buf.len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			sent++;
		assert_ok(loop_step(bench.loop, 5));
	}
	assert_true(bench.pointers >= INPUT_BURST);
	assert_true(bench.pointers <=
		    INPUT_BURST + (int)((clock_mono_us() - start) * INPUT_RATE / 1000000) + 2);
	assert_int_equal(bench.gone, 0);
	while (bench.pointers < sent && clock_mono_us() - start < 5000000)
		assert_ok(loop_step(bench.loop, 50));
	assert_int_equal(bench.pointers, sent);
	buf_finish(&buf);
	bench_stop(&bench);
}

static void test_frames_and_acknowledgements(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench);
	assert_false(viewer_can_frame(bench.viewer));
	say_hello(&bench);
	for (uint32_t i = 1; i <= FLOW_NEAR; i++) {
		assert_true(viewer_can_frame(bench.viewer));
		struct msg_frame frame = { .sequence = i };
		assert_ok(wire_encode(MSG_frame, &frame, packets_frame(&bench.viewer->packets)));
		pacing_sent(&bench.viewer->pacing, clock_mono_us(), 100, false);
		viewer_send_frame(bench.viewer);
		assert_int_equal(hear(&bench), MSG_frame);
	}
	assert_false(viewer_can_frame(bench.viewer));
	say(&bench, MSG_ack, &(struct msg_ack){ .sequence = 1 });
	assert_int_equal(bench.rooms, 1);
	assert_true(viewer_can_frame(bench.viewer));
	say(&bench, MSG_ack, &(struct msg_ack){ .sequence = 1 });
	assert_err(bench.why, ERR_PROTOCOL);
	bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_is_handed_on),
		cmocka_unit_test(test_violations),
		cmocka_unit_test(test_nothing_before_hello),
		cmocka_unit_test(test_another_version_gets_a_status_only),
		cmocka_unit_test(test_left_viewer_is_reported),
		cmocka_unit_test(test_close_says_why),
		cmocka_unit_test(test_stuck_viewer_is_cut_off),
		cmocka_unit_test(test_flood_is_slowed_down),
		cmocka_unit_test(test_frames_and_acknowledgements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
