/*
 * What a VNC server may say once it is connected: any bytes, in pieces of any size. The framebuffer
 * is exactly as large as the desktop, so that ASan sees a pixel beside it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "worker/remote/vnc/vnc.h"
#include "worker/remote/vnc/vnc_reader.h"

enum { WIDTH = 100, HEIGHT = 70, MOST = 256 * 1024, MOST_PIXELS = 1024 * 1024 };

struct desk {
	uint8_t *pixels;
	unsigned width, height;
};

static uint8_t *resized(void *ctx, unsigned width, unsigned height, size_t *ret_stride)
{
	struct desk *desk = ctx;
	free(desk->pixels);
	/* The largest desktops cost time and find nothing that smaller ones do not. */
	desk->pixels = width * height > MOST_PIXELS ? NULL : calloc(height, (size_t)width * 4);
	desk->width = width;
	desk->height = height;
	*ret_stride = (size_t)width * 4;
	return desk->pixels;
}

static void damaged(void *ctx, int x, int y, int width, int height)
{
	const struct desk *desk = ctx;
	if (x < 0 || y < 0 || width <= 0 || height <= 0 || (unsigned)(x + width) > desk->width ||
	    (unsigned)(y + height) > desk->height)
		abort();
}

static void copied(void *ctx, int from_x, int from_y, int x, int y, int width, int height)
{
	damaged(ctx, from_x, from_y, width, height);
	damaged(ctx, x, y, width, height);
}

static void frame_done(void *ctx)
{
	(void)ctx;
}

static void cursor(void *ctx, unsigned hot_x, unsigned hot_y, unsigned width, unsigned height,
		   const uint8_t *rgba)
{
	static volatile uint8_t sum;
	(void)ctx;
	(void)hot_x;
	(void)hot_y;
	if (width > REMOTE_MAX_CURSOR || height > REMOTE_MAX_CURSOR)
		abort();
	for (size_t i = 0; i < (size_t)width * height * 4; i++)
		sum = (uint8_t)(sum + rgba[i]);
}

static void ended(void *ctx, enum end_reason reason)
{
	(void)ctx;
	(void)reason;
}

static const struct remote_events events = {
	.resized = resized,
	.damaged = damaged,
	.copied = copied,
	.frame_done = frame_done,
	.able = frame_done,
	.cursor = cursor,
	.bell = frame_done,
	.clipboard = frame_done,
	.ended = ended,
};

static void feed(struct vnc *vnc, int fd, const uint8_t *data, size_t size)
{
	uint8_t rubbish[4096];
	/* The first byte says how large the pieces are. */
	size_t piece = size ? (size_t)data[0] * 16 + 1 : 1;
	for (size_t at = MIN(size, 1u); at < size && !vnc->failed; at += piece) {
		if (send(fd, data + at, MIN(piece, size - at), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return;
		while (vnc_reader_run(vnc))
			;
		/* What it asks for. */
		while (recv(fd, rubbish, sizeof(rubbish), MSG_DONTWAIT) > 0)
			;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct desk desk = { 0 };
	struct loop *loop;
	struct remote *remote;
	struct remote_config config = { .address = "", .user = "", .password = "", .domain = "" };
	int fds[2];
	if (size > MOST || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return 0;
	if (loop_new(&loop) || remote_vnc_new(loop, &config, &events, &desk, &remote))
		abort();
	struct vnc *vnc = vnc_from(remote);
	vnc->client = rfbGetClient(8, 3, 4);
	if (!vnc->client)
		abort();
	vnc->client->sock = fds[0];
	vnc_reader_init(vnc);
	if (!vnc_take_size(vnc, WIDTH, HEIGHT))
		abort();
	feed(vnc, fds[1], data, size);
	remote_free(remote);
	loop_free(loop);
	free(desk.pixels);
	close(fds[1]);
	return 0;
}
