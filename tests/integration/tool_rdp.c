/*
 * tool_rdp - drives the RDP client from a test script: connects as told by the arguments, then
 * obeys lines on stdin and prints what happens, one line an event.
 *
 *   tool-rdp address port security user password domain width height layout connect_s
 * pin|trust|refuse [audio|video|later]
 *
 * key KEYSYM SCANCODE DOWN | text … | pointer X Y BUTTONS WX WY | resize W H [W H] | hold 0|1 |
 * dump FILE (BGRX rows) | settle QUIET_MS MAX_MS | channels | support | frames | mirror | want |
 * sound FILE (keeps what is played from now on: 16-bit, interleaved) | heard | quit
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/util.h"
#include "wire/enums.h"
#include "worker/remote/rdp/rdp_channels.h"
#include "worker/remote/remote.h"

enum { LINE_MAX_BYTES = 4096 };

struct tool {
	struct loop *loop;
	struct remote *remote;
	struct loop_io input;
	struct loop_timer settle;
	uint64_t quiet_us, settle_end_us, last_damage_us;
	char line[LINE_MAX_BYTES];
	size_t len;
	bool trust, settling, closed, quit;
	uint8_t *pixels;
	bool later; /* H.264 is decoded when it is wanted */
	unsigned long units, passable;
	uint8_t *mirror; /* the picture of a viewer that gets each part as soon as it is told */
	unsigned width, height;
	size_t stride;
	unsigned long frames, damages, copies;
	FILE *sound;
	unsigned long heard; /* frames of sound */
	unsigned rate, channels, loudest;
	pthread_t thread;
	enum end_reason ended;
};

static uint8_t *tool_resized(void *ctx, unsigned width, unsigned height, size_t *ret_stride)
{
	struct tool *tool = ctx;

	free(tool->pixels);
	free(tool->mirror);
	tool->width = width;
	tool->height = height;
	tool->stride = ((size_t)width * 4 + 63) & ~(size_t)63;
	tool->pixels = aligned_alloc(64, tool->stride * (height + SURFACE_SPARE_ROWS));
	tool->mirror = calloc(height, tool->stride);
	if (!tool->pixels || !tool->mirror)
		return NULL;
	memset(tool->pixels, 0, tool->stride * height);
	*ret_stride = tool->stride;
	printf("resized %u %u\n", width, height);
	return tool->pixels;
}

static bool tool_is_inside(const struct tool *tool, int x, int y, int width, int height)
{
	return x >= 0 && y >= 0 && width >= 0 && height >= 0 && x + width <= (int)tool->width &&
	       y + height <= (int)tool->height;
}

static void tool_damaged(void *ctx, int x, int y, int width, int height)
{
	struct tool *tool = ctx;
	bool inside = tool_is_inside(tool, x, y, width, height);

	if (!inside)
		printf("damage-outside %d %d %d %d\n", x, y, width, height);
	for (int row = y; inside && row < y + height; row++) {
		size_t at = (size_t)row * tool->stride + (size_t)x * 4;

		memcpy(tool->mirror + at, tool->pixels + at, (size_t)width * 4);
	}
	if (tool->damages++ == 0)
		printf("painted\n");
	tool->last_damage_us = clock_mono_us();
}

static void tool_copied(void *ctx, int from_x, int from_y, int x, int y, int width, int height)
{
	struct tool *tool = ctx;

	if (!tool_is_inside(tool, from_x, from_y, width, height) ||
	    !tool_is_inside(tool, x, y, width, height)) {
		printf("damage-outside %d %d %d %d\n", x, y, width, height);
		return;
	}
	for (int i = 0; i < height; i++) {
		int row = y <= from_y ? i : height - 1 - i;

		memmove(tool->mirror + (size_t)(y + row) * tool->stride + (size_t)x * 4,
			tool->mirror + (size_t)(from_y + row) * tool->stride + (size_t)from_x * 4,
			(size_t)width * 4);
	}
	tool->copies++;
	tool->last_damage_us = clock_mono_us();
}

/* A worker whose viewers show H.264 themselves needs no pixels before it says so ("want"). */
static bool tool_video(void *ctx, struct remote_unit *unit)
{
	struct tool *tool = ctx;

	tool->units++;
	tool->passable += unit->passable;
	tool->last_damage_us = clock_mono_us();
	if (tool->units == 1)
		printf("video\n");
	return tool->later;
}

static void tool_decoded(void *ctx, const struct remote_unit *unit)
{
	for (size_t i = 0; i < unit->clip_count; i++)
		tool_damaged(ctx, unit->box.x + unit->clips[i].x, unit->box.y + unit->clips[i].y,
			     unit->clips[i].width, unit->clips[i].height);
}

static unsigned long tool_differs(const struct tool *tool)
{
	unsigned long count = 0;

	for (unsigned y = 0; y < tool->height; y++)
		for (unsigned x = 0; x < tool->width; x++) {
			size_t at = y * tool->stride + (size_t)x * 4;

			count += memcmp(tool->mirror + at, tool->pixels + at, 3) != 0;
		}
	return count;
}

static void tool_frame_done(void *ctx)
{
	((struct tool *)ctx)->frames++;
}

static void tool_cursor(void *ctx, unsigned hot_x, unsigned hot_y, unsigned width, unsigned height,
			const uint8_t *rgba)
{
	unsigned opaque = 0;

	(void)ctx;
	for (size_t i = 0; i < (size_t)width * height; i++)
		opaque += rgba[i * 4 + 3] > 0;
	printf("cursor %u %u %u %u %u\n", hot_x, hot_y, width, height, opaque);
}

static void tool_bell(void *ctx)
{
	(void)ctx;
	printf("bell\n");
}

static void tool_sound(void *ctx, const int16_t *samples, size_t frames, unsigned rate,
		       unsigned channels)
{
	struct tool *tool = ctx;

	if (!pthread_equal(pthread_self(), tool->thread))
		printf("sound-in-another-thread\n");
	if (tool->heard == 0 || rate != tool->rate || channels != tool->channels)
		printf("sound %u %u\n", rate, channels);
	tool->rate = rate;
	tool->channels = channels;
	tool->heard += frames;
	for (size_t i = 0; i < frames * channels; i++)
		tool->loudest = MAX(tool->loudest, (unsigned)abs(samples[i]));
	if (tool->sound &&
	    fwrite(samples, sizeof(*samples) * channels, frames, tool->sound) != frames)
		printf("sound-not-kept\n");
}

static bool tool_trust(void *ctx, const uint8_t fingerprint[32])
{
	char text[65];

	util_hex(fingerprint, 32, text);
	printf("trust %s\n", text);
	return ((struct tool *)ctx)->trust;
}

static void tool_refused(void *ctx, const char *name)
{
	(void)ctx;
	printf("channel-refused %s\n", name);
}

static void tool_ended(void *ctx, enum end_reason reason)
{
	struct tool *tool = ctx;

	tool->ended = reason;
	printf("ended %s\n", end_reason_code(reason));
}

static void tool_dump(struct tool *tool, const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "we");

	if (!file)
		return;
	for (unsigned y = 0; y < tool->height; y++)
		if (fwrite(tool->pixels + y * tool->stride, 4, tool->width, file) != tool->width)
			printf("dump-failed\n");
	printf("dumped %u %u\n", tool->width, tool->height);
}

static void tool_settled(struct loop_timer *timer)
{
	struct tool *tool = container_of(timer, struct tool, settle);
	uint64_t now = clock_mono_us();
	bool quiet = now - tool->last_damage_us >= tool->quiet_us;

	if (!quiet && now < tool->settle_end_us) {
		loop_timer_set(timer, 10000);
		return;
	}
	tool->settling = false;
	printf("settled %d frames %lu\n", quiet, tool->frames);
}

static void tool_numbers(const char *text, long numbers[5])
{
	char *end;

	for (size_t i = 0; i < 5; i++) {
		numbers[i] = strtol(text, &end, 0);
		text = end;
	}
}

/* One monitor, or two side by side. */
static void tool_resize(struct tool *tool, const long n[5])
{
	struct rect monitors[] = {
		{ .width = (uint16_t)n[0], .height = (uint16_t)n[1] },
		{ .x = (uint16_t)n[0], .width = (uint16_t)n[2], .height = (uint16_t)n[3] },
	};

	printf("resize %d\n", tool->remote->ops->resize(tool->remote, monitors, n[2] ? 2 : 1));
}

static void tool_command(struct tool *tool, char *line)
{
	const struct remote_ops *ops = tool->remote->ops;
	char *rest = strchr(line, ' ');
	char channels[512];
	long n[5];

	if (rest)
		*rest++ = 0;
	else
		rest = line + strlen(line);
	tool_numbers(rest, n);
	if (util_streq(line, "key")) {
		ops->key(tool->remote, (uint32_t)n[0], (uint16_t)n[1], n[2] != 0);
	} else if (util_streq(line, "text")) {
		ops->text(tool->remote, rest);
	} else if (util_streq(line, "pointer")) {
		ops->pointer(tool->remote, (unsigned)n[0], (unsigned)n[1], (unsigned)n[2],
			     (int)n[3], (int)n[4]);
	} else if (util_streq(line, "resize")) {
		tool_resize(tool, n);
	} else if (util_streq(line, "hold")) {
		ops->hold(tool->remote, n[0] != 0);
	} else if (util_streq(line, "dump")) {
		tool_dump(tool, rest);
	} else if (util_streq(line, "settle")) {
		tool->quiet_us = (uint64_t)n[0] * 1000;
		tool->last_damage_us = clock_mono_us();
		tool->settle_end_us = tool->last_damage_us + (uint64_t)n[1] * 1000;
		tool->settling = true;
		loop_timer_set(&tool->settle, 10000);
	} else if (util_streq(line, "channels")) {
		rdp_channels_describe(tool->remote, channels, sizeof(channels));
		printf("channels can_resize=%d %s\n", tool->remote->can_resize, channels);
	} else if (util_streq(line, "monitors")) {
		printf("monitors %u rtt %u\n", tool->remote->monitors, ops->rtt_us(tool->remote));
	} else if (util_streq(line, "support")) {
		printf("support text=%d\n", tool->remote->text);
	} else if (util_streq(line, "frames")) {
		printf("frames %lu damages %lu copies %lu\n", tool->frames, tool->damages,
		       tool->copies);
	} else if (util_streq(line, "want")) {
		printf("want %d units %lu passable %lu\n", ops->settle(tool->remote), tool->units,
		       tool->passable);
	} else if (util_streq(line, "mirror")) {
		printf("mirror differs %lu copies %lu\n", tool_differs(tool), tool->copies);
	} else if (util_streq(line, "sound")) {
		tool->sound = fopen(rest, "we");
	} else if (util_streq(line, "heard")) {
		printf("heard %lu loudest %u\n", tool->heard, tool->loudest);
	} else if (util_streq(line, "quit")) {
		tool->quit = true;
	} else {
		printf("unknown %s\n", line);
	}
}

static void tool_read(struct loop_io *io, uint32_t events)
{
	struct tool *tool = container_of(io, struct tool, input);
	ssize_t got = read(io->fd, tool->line + tool->len, sizeof(tool->line) - 1 - tool->len);

	(void)events;
	if (got <= 0) {
		loop_io_finish(io);
		tool->closed = true;
		return;
	}
	tool->len += (size_t)got;
}

/* Obeys the lines that have come, one after the other, waiting where they say so. */
static void tool_obey(struct tool *tool)
{
	char *end;

	while (!tool->settling && !tool->quit && tool->ended == END_NONE &&
	       (end = memchr(tool->line, '\n', tool->len))) {
		char line[LINE_MAX_BYTES];
		size_t len = (size_t)(end - tool->line);

		memcpy(line, tool->line, len);
		line[len] = 0;
		tool->len -= len + 1;
		memmove(tool->line, end + 1, tool->len);
		tool_command(tool, line);
	}
}

static int tool_run(struct tool *tool)
{
	if (loop_io_init(tool->loop, &tool->input, STDIN_FILENO, EPOLLIN, tool_read))
		return 1;
	loop_timer_init(tool->loop, &tool->settle, tool_settled);
	for (;;) {
		tool_obey(tool);
		if (tool->ended != END_NONE)
			return 3;
		if (tool->quit || (tool->closed && !tool->settling))
			return 0;
		if (loop_step(tool->loop, 1000))
			return 1;
	}
}

int main(int argc, char **argv)
{
	static const struct remote_events events = {
		.resized = tool_resized,
		.damaged = tool_damaged,
		.copied = tool_copied,
		.video = tool_video,
		.decoded = tool_decoded,
		.frame_done = tool_frame_done,
		.cursor = tool_cursor,
		.bell = tool_bell,
		.sound = tool_sound,
		.trust = tool_trust,
		.channel_refused = tool_refused,
		.ended = tool_ended,
	};
	struct tool tool = { 0 };
	struct remote_config config;
	enum end_reason reason = END_NONE;
	uint8_t pin[32];
	uint64_t begin;
	int code = 2;

	const char *more = argc == 13 ? argv[12] : "";

	if (argc != 12 && argc != 13)
		return 64;
	tool.later = util_streq(more, "later");
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_init("tool-rdp", LOG_LEVEL_DEBUG);
	config = (struct remote_config){
		.address = argv[1],
		.port = (uint16_t)atoi(argv[2]),
		.security = (enum security)atoi(argv[3]),
		.user = argv[4],
		.password = argv[5],
		.domain = argv[6],
		.width = (unsigned)atoi(argv[7]),
		.height = (unsigned)atoi(argv[8]),
		.layout = (uint32_t)strtoul(argv[9], NULL, 0),
		.connect_s = (unsigned)atoi(argv[10]),
		.audio = util_streq(more, "audio"),
		.video = tool.later || util_streq(more, "video"),
	};
	tool.thread = pthread_self();
	tool.trust = util_streq(argv[11], "trust");
	if (util_unhex(argv[11], pin, sizeof(pin)) == OK)
		config.pin = pin;
	if (loop_new(&tool.loop))
		return 1;
	if (remote_rdp_new(tool.loop, &config, &events, &tool, &tool.remote)) {
		loop_free(tool.loop);
		return 1;
	}
	begin = clock_mono_ms();
	if (tool.remote->ops->connect(tool.remote, &reason)) {
		printf("failed %s after %llu ms\n", end_reason_code(reason),
		       (unsigned long long)(clock_mono_ms() - begin));
	} else {
		printf("connected after %llu ms\n", (unsigned long long)(clock_mono_ms() - begin));
		code = tool_run(&tool);
	}
	loop_io_finish(&tool.input);
	remote_free(tool.remote);
	loop_free(tool.loop);
	if (tool.sound)
		fclose(tool.sound);
	free(tool.pixels);
	free(tool.mirror);
	return code;
}
