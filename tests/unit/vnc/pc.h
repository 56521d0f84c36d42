/*
 * pc.h - a VNC server for tests that says exactly what a test wants, in a thread of its own on a
 * free loopback port, and the worker's side of the connection.
 */
#ifndef SEKISHO_TESTS_UNIT_VNC_PC_H
#define SEKISHO_TESTS_UNIT_VNC_PC_H

#include "unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "worker/remote/remote.h"

struct pc;

typedef void (*pc_script)(struct pc *pc, int fd);

struct pc {
	int listener;
	uint16_t port;
	pthread_t thread;
	pc_script script; /* called for each connection, which is closed afterwards */
	const void *arg;
	size_t arg_len;
	volatile int connections;
	volatile int seen; /* for the script to leave a mark */
};

/* ---- what scripts use; a peer that left makes them end soon
 * -------------------------------------- */

static inline bool pc_say(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline bool pc_hear(int fd, void *data, size_t len)
{
	uint8_t *at = data;
	while (len > 0) {
		ssize_t got = recv(fd, at, len, 0);
		if (got <= 0)
			return false;
		at += got;
		len -= (size_t)got;
	}
	return true;
}

/* Until the other side closes. */
static inline void pc_wait_closed(int fd)
{
	uint8_t data[4096];
	while (recv(fd, data, sizeof(data), 0) > 0)
		;
}

/* Up to and including the client's choice of the one type offered. */
static inline bool pc_versions(int fd)
{
	uint8_t version[12];
	return pc_say(fd, "RFB 003.008\n", 12) && pc_hear(fd, version, 12) &&
	       memcmp(version, "RFB 003.008\n", 12) == 0;
}

static inline bool pc_none(int fd)
{
	static const uint8_t types[] = { 1, 1 }, good[4] = { 0 };
	uint8_t chosen, shared;
	return pc_versions(fd) && pc_say(fd, types, sizeof(types)) && pc_hear(fd, &chosen, 1) &&
	       chosen == 1 && pc_say(fd, good, 4) && pc_hear(fd, &shared, 1);
}

/* Then ServerInit, and the client's format, encodings and first request. */
static inline bool pc_begin(int fd, unsigned width, unsigned height)
{
	uint8_t init[24] = { (uint8_t)(width >> 8),
			     (uint8_t)width,
			     (uint8_t)(height >> 8),
			     (uint8_t)height,
			     32,
			     24,
			     0,
			     1,
			     0,
			     255,
			     0,
			     255,
			     0,
			     255,
			     16,
			     8,
			     0 };
	uint8_t format[20], encodings[4], list[256], request[10];
	if (!pc_none(fd) || !pc_say(fd, init, sizeof(init)) || !pc_hear(fd, format, sizeof(format)))
		return false;
	if (!pc_hear(fd, encodings, sizeof(encodings)) || encodings[0] != 2 || encodings[3] > 60)
		return false;
	return pc_hear(fd, list, encodings[3] * 4u) && pc_hear(fd, request, sizeof(request)) &&
	       request[0] == 3;
}

static void *pc_run(void *arg)
{
	struct pc *pc = arg;
	for (;;) {
		int fd = accept(pc->listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		pc->connections++;
		pc->script(pc, fd);
		close(fd);
	}
}

static inline void pc_start(struct pc *pc, pc_script script, const void *arg, size_t arg_len)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	*pc = (struct pc){ .script = script, .arg = arg, .arg_len = arg_len };
	pc->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(pc->listener >= 0);
	assert_int_equal(bind(pc->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(pc->listener, 8), 0);
	assert_int_equal(getsockname(pc->listener, (struct sockaddr *)&address, &len), 0);
	pc->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&pc->thread, NULL, pc_run, pc), 0);
}

static inline void pc_stop(struct pc *pc)
{
	shutdown(pc->listener, SHUT_RDWR);
	pthread_join(pc->thread, NULL);
	close(pc->listener);
}

/* ---- the worker's side
 * --------------------------------------------------------------------------- */

enum { DESK_WIDTH = 7680, DESK_HEIGHT = 4320 };

struct desk {
	struct loop *loop;
	struct remote *remote;
	uint8_t *pixels;
	unsigned width, height;
	size_t stride;
	int sizes, damages, copies, dones, ables, bells, clipboards, cursors, ended;
	int copied[6]; /* the last one: from x, y, to x, y, width, height */
	unsigned cursor_width, cursor_height, hot_x, hot_y;
	uint8_t cursor[REMOTE_MAX_CURSOR * REMOTE_MAX_CURSOR * 4];
	enum end_reason reason; /* why connecting failed, or the end */
};

static uint8_t *desk_resized(void *ctx, unsigned width, unsigned height, size_t *ret_stride)
{
	struct desk *desk = ctx;
	free(desk->pixels);
	desk->stride = (width * 4 + 63) & ~63u;
	desk->pixels = calloc(height, desk->stride);
	desk->width = width;
	desk->height = height;
	desk->sizes++;
	*ret_stride = desk->stride;
	return desk->pixels;
}

static void desk_damaged(void *ctx, int x, int y, int width, int height)
{
	struct desk *desk = ctx;
	assert_true(x >= 0 && y >= 0 && width > 0 && height > 0);
	assert_true((unsigned)(x + width) <= desk->width && (unsigned)(y + height) <= desk->height);
	desk->damages++;
}

static void desk_copied(void *ctx, int from_x, int from_y, int x, int y, int width, int height)
{
	struct desk *desk = ctx;
	assert_true(from_x >= 0 && from_y >= 0);
	assert_true((unsigned)(from_x + width) <= desk->width &&
		    (unsigned)(from_y + height) <= desk->height);
	assert_true(x >= 0 && y >= 0 && width > 0 && height > 0);
	assert_true((unsigned)(x + width) <= desk->width && (unsigned)(y + height) <= desk->height);
	memcpy(desk->copied, (int[]){ from_x, from_y, x, y, width, height }, sizeof(desk->copied));
	desk->copies++;
}

static void desk_done(void *ctx)
{
	((struct desk *)ctx)->dones++;
}

static void desk_able(void *ctx)
{
	((struct desk *)ctx)->ables++;
}

static void desk_cursor(void *ctx, unsigned hot_x, unsigned hot_y, unsigned width, unsigned height,
			const uint8_t *rgba)
{
	struct desk *desk = ctx;
	assert_true(width <= REMOTE_MAX_CURSOR && height <= REMOTE_MAX_CURSOR);
	desk->cursors++;
	desk->hot_x = hot_x;
	desk->hot_y = hot_y;
	desk->cursor_width = width;
	desk->cursor_height = height;
	if (rgba)
		memcpy(desk->cursor, rgba, (size_t)width * height * 4);
}

static void desk_bell(void *ctx)
{
	((struct desk *)ctx)->bells++;
}

static void desk_clipboard(void *ctx)
{
	((struct desk *)ctx)->clipboards++;
}

static void desk_ended(void *ctx, enum end_reason reason)
{
	struct desk *desk = ctx;
	desk->ended++;
	desk->reason = reason;
}

static const struct remote_events desk_events = {
	.resized = desk_resized,
	.damaged = desk_damaged,
	.copied = desk_copied,
	.frame_done = desk_done,
	.able = desk_able,
	.cursor = desk_cursor,
	.bell = desk_bell,
	.clipboard = desk_clipboard,
	.ended = desk_ended,
};

/* OK or the error of connect; the reason is in desk->reason. */
static inline enum err desk_connect_as(struct desk *desk, const struct pc *pc,
				       struct remote_config config)
{
	config.address = config.address ? config.address : "127.0.0.1";
	config.port = pc->port;
	config.user = config.user ? config.user : "";
	config.password = config.password ? config.password : "";
	config.domain = "";
	config.connect_s = 1;
	*desk = (struct desk){ 0 };
	assert_ok(loop_new(&desk->loop));
	assert_ok(remote_vnc_new(desk->loop, &config, &desk_events, desk, &desk->remote));
	return desk->remote->ops->connect(desk->remote, &desk->reason);
}

static inline enum err desk_connect(struct desk *desk, const struct pc *pc)
{
	return desk_connect_as(desk, pc, (struct remote_config){ .security = SECURITY_NONE });
}

/* Runs the loop until the condition holds; fails after ten seconds. */
#define desk_until(desk, condition)                                                                \
	do {                                                                                       \
		uint64_t until_ = clock_mono_ms() + 10000;                                         \
		while (!(condition)) {                                                             \
			if (clock_mono_ms() > until_)                                              \
				fail_msg("waited in vain for %s; reason %s", #condition,           \
					 end_reason_code((desk)->reason));                         \
			assert_ok(loop_step((desk)->loop, 50));                                    \
		}                                                                                  \
	} while (0)

static inline void desk_close(struct desk *desk)
{
	remote_free(desk->remote);
	loop_free(desk->loop);
	free(desk->pixels);
}

#endif
