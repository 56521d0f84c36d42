/*
 * viewer.c - a viewer without a screen for tests/bench/run: decodes and acknowledges what comes,
 * types and turns the wheel, and measures the time from a key to the picture that answers it.
 *
 *   bench-viewer gateway|rfb port [path ca [cert key]]
 *
 * Environment: BENCH_COOKIE, BENCH_CODECS (bits of enum codec), BENCH_ENCODINGS.
 * Commands on standard input, each answered with a line:
 *   start watch|type|wheel|page <ms>   measures from now on, with an input every so many ms
 *   stop                               answers with the figures as JSON
 *   click <x> <y>                      also leaves the pointer there
 *   picture <file>                     writes what would be on the screen as PPM
 * The first line, "ready <width> <height>", comes with the first picture.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "export/picture.h"
#include "peer.h"

enum {
	LATENCIES = 65536,
	WHEEL_TURN = 60, /* notches until the other direction */
	PAGE_TURN = 20,
	KEY_RETURN = 0xff0d,
	KEY_PAGE_UP = 0xff55,
	KEY_PAGE_DOWN = 0xff56,
	REFRESH_HZ = 60,
	MARK = 24, /* pixels of a square in the corner, black or white: a bit of a number */
	MARK_BITS = 4,
	LINE = 60, /* characters typed until Return */
};

struct viewer {
	struct peer *peer;
	void (*input)(struct viewer *viewer); /* NULL: only watches */
	bool ready, ended;
	uint64_t interval_us, due_us;
	unsigned inputs; /* since the start */
	uint64_t frames, bytes, start_us;
	uint64_t shown, slot; /* refreshes of a 60 Hz screen with something new, and the last */
	uint64_t marks;       /* changes of the number in the corner */
	unsigned mark;
	uint64_t waiting_us; /* when the oldest unanswered key was sent, or 0 */
	uint32_t latencies_us[LATENCIES];
	size_t latencies;
	uint32_t random;
};

static void fail_on(enum err err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "bench-viewer: %s: %s\n", what, err_text_en(err));
	exit(1);
}

static struct peer_key key_for(char letter)
{
	static const char rows[][11] = { "qwertyuiop", "asdfghjkl", "zxcvbnm" };
	static const uint16_t first[] = { 0x10, 0x1e, 0x2c };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = strchr(rows[i], letter);
		if (at)
			return (struct peer_key){ (uint32_t)letter,
						  (uint16_t)(first[i] + (at - rows[i])) };
	}
	return (struct peer_key){ ' ', 0x39 };
}

static void send_key(struct viewer *viewer, struct peer_key key)
{
	if (!viewer->waiting_us)
		viewer->waiting_us = clock_mono_us();
	fail_on(viewer->peer->type->key(viewer->peer, key), "key");
}

static void input_type(struct viewer *viewer)
{
	static const char text[] = "the quick brown fox jumps over a lazy dog ";
	if (viewer->inputs % LINE == LINE - 1)
		send_key(viewer, (struct peer_key){ KEY_RETURN, 0x1c });
	else
		send_key(viewer, key_for(text[viewer->inputs % (sizeof(text) - 1)]));
}

static void input_page(struct viewer *viewer)
{
	bool down = viewer->inputs / PAGE_TURN % 2 == 0;
	send_key(viewer, down ? (struct peer_key){ KEY_PAGE_DOWN, 0xe051 }
			      : (struct peer_key){ KEY_PAGE_UP, 0xe049 });
}

static void input_wheel(struct viewer *viewer)
{
	unsigned width, height;
	viewer->peer->type->pixels(viewer->peer, &width, &height);
	int notches = viewer->inputs / WHEEL_TURN % 2 == 0 ? 1 : -1;
	fail_on(viewer->peer->type->wheel(viewer->peer, width / 2, height / 2, notches), "wheel");
}

/* The times vary by ±20 %, so that no timer of a server beats in step with them. */
static void give_input(struct viewer *viewer)
{
	viewer->input(viewer);
	viewer->inputs++;
	viewer->random = viewer->random * 1664525u + 1013904223u;
	viewer->due_us += viewer->interval_us * (800 + (viewer->random >> 8) % 400) / 1000;
}

static void count_frame(struct viewer *viewer, const uint32_t *pixels, unsigned width,
			unsigned height)
{
	viewer->frames++;
	uint64_t slot = clock_mono_us() * REFRESH_HZ / 1000000;
	viewer->shown += slot != viewer->slot;
	viewer->slot = slot;
	if (width < MARK * MARK_BITS || height < MARK)
		return;
	unsigned mark = 0;
	for (unsigned bit = 0; bit < MARK_BITS; bit++) {
		size_t x = bit * MARK + MARK / 2;
		mark |= (pixels[(size_t)MARK / 2 * width + x] >> 15 & 1) << bit;
	}
	viewer->marks += mark != viewer->mark;
	viewer->mark = mark;
}

static void take_frame(struct viewer *viewer)
{
	unsigned width, height;
	const uint32_t *pixels = viewer->peer->type->pixels(viewer->peer, &width, &height);
	count_frame(viewer, pixels, width, height);
	if (viewer->waiting_us && viewer->latencies < LATENCIES)
		viewer->latencies_us[viewer->latencies++] =
			(uint32_t)(clock_mono_us() - viewer->waiting_us);
	viewer->waiting_us = 0;
	if (!viewer->ready)
		printf("ready %u %u\n", width, height);
	viewer->ready = true;
}

static void do_start(struct viewer *viewer, const char *mode, unsigned ms)
{
	static const struct {
		const char *name;
		void (*input)(struct viewer *viewer);
	} modes[] = { { "watch", NULL },
		      { "type", input_type },
		      { "wheel", input_wheel },
		      { "page", input_page } };
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (util_streq(modes[i].name, mode))
			viewer->input = modes[i].input;
	viewer->interval_us = MAX(ms, 1u) * 1000ULL;
	viewer->start_us = clock_mono_us();
	viewer->due_us = viewer->start_us + viewer->interval_us / 2;
	viewer->bytes = viewer->peer->type->received(viewer->peer);
	viewer->frames = viewer->shown = viewer->marks = 0;
	viewer->inputs = 0;
	viewer->latencies = 0;
	viewer->waiting_us = 0;
	printf("started\n");
}

static void do_stop(struct viewer *viewer)
{
	viewer->input = NULL;
	printf("{\"seconds\": %.6f, \"frames\": %lu, \"shown\": %lu, \"marks\": %lu, \"bytes\": "
	       "%lu, \"inputs\": %u, "
	       "\"latencies_ms\": [",
	       (double)(clock_mono_us() - viewer->start_us) / 1e6, viewer->frames, viewer->shown,
	       viewer->marks, viewer->peer->type->received(viewer->peer) - viewer->bytes,
	       viewer->inputs);
	for (size_t i = 0; i < viewer->latencies; i++)
		printf("%s%.3f", i ? ", " : "", viewer->latencies_us[i] / 1e3);
	printf("]}\n");
}

static void do_picture(const struct viewer *viewer, const char *path)
{
	unsigned width, height;
	const uint32_t *pixels = viewer->peer->type->pixels(viewer->peer, &width, &height);
	fail_on(picture_write(path, pixels, width, height), "picture");
	printf("written\n");
}

static void take_command(struct viewer *viewer)
{
	char line[4096], word[16];
	unsigned a, b;
	if (!fgets(line, sizeof(line), stdin)) {
		viewer->ended = true;
		return;
	}
	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "start %15s %u", word, &a) == 2) {
		do_start(viewer, word, a);
	} else if (util_streq(line, "stop")) {
		do_stop(viewer);
	} else if (sscanf(line, "click %u %u", &a, &b) == 2) {
		fail_on(viewer->peer->type->pointer(viewer->peer, a, b, true), "click");
		printf("clicked\n");
	} else if (!strncmp(line, "picture ", strlen("picture "))) {
		do_picture(viewer, line + strlen("picture "));
	} else {
		fail_on(ERR_INVALID, line);
	}
}

static void step(struct viewer *viewer)
{
	bool frame = false;
	fail_on(viewer->peer->type->step(viewer->peer, &frame), "stream");
	if (frame)
		take_frame(viewer);
}

static int time_left(const struct viewer *viewer, uint64_t now)
{
	if (viewer->peer->type->pending(viewer->peer))
		return 0;
	if (!viewer->input)
		return -1;
	return viewer->due_us <= now ? 0 : (int)((viewer->due_us - now + 999) / 1000);
}

static void run(struct viewer *viewer)
{
	while (!viewer->ended) {
		struct pollfd poll_on[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
					     { .fd = viewer->peer->type->fd(viewer->peer),
					       .events = POLLIN } };
		if (poll(poll_on, 2, time_left(viewer, clock_mono_us())) < 0)
			break;
		if (poll_on[0].revents)
			take_command(viewer);
		if (viewer->input && viewer->due_us <= clock_mono_us())
			give_input(viewer);
		if (poll_on[1].revents || viewer->peer->type->pending(viewer->peer))
			step(viewer);
	}
}

int main(int argc, char **argv)
{
	static struct viewer viewer = { .random = 1 };
	int64_t port = 0;
	if ((argc != 3 && argc != 5 && argc != 7) || util_parse_i64(argv[2], 1, 65535, &port))
		fail_on(ERR_INVALID, "bench-viewer gateway|rfb port [path ca [cert key]]");
	/* One line is one command, read as it comes: poll(2) must see the next one. */
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct websocket_target target = { .port = (unsigned)port,
					   .cookie = getenv("BENCH_COOKIE") };
	if (argc > 3) {
		target.path = argv[3];
		target.ca = argv[4];
	}
	if (argc > 5) {
		target.cert = argv[5];
		target.key = argv[6];
	}
	if (util_streq(argv[1], "gateway")) {
		target.protocol = "sekisho.1";
		fail_on(gateway_open(&target, &viewer.peer), "gateway");
	} else {
		const char *encodings = getenv("BENCH_ENCODINGS");
		fail_on(rfb_open(&target, encodings ? encodings : "raw copyrect", &viewer.peer),
			"rfb");
	}
	run(&viewer);
	viewer.peer->type->free(viewer.peer);
	return 0;
}
