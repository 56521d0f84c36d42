/*
 * session.h - a worker in a test: we are its monitor, its broker and its viewers, and its PC is a
 * stand-in that does what it is told and writes down what it is asked.
 */
#ifndef SEKISHO_TESTS_UNIT_WORKER_SESSION_H
#define SEKISHO_TESTS_UNIT_WORKER_SESSION_H

#include "unit/record/recording.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <zstd.h>

#include "base/clock.h"
#include "base/util.h"
#include "wire/ipc.h"
#include "worker/session.h"
#include "worker/stream/packets.h"
#include "worker/stream/viewer.h"

enum { PC_WIDTH = 320, PC_HEIGHT = 200, JOURNAL = 4000 };

#define WATCHER_JOINED "{\"event\":\"viewer-joined\",\"address\":\"192.0.2.7\"}"

/* ---- the PC ----------------------------------------------------------------------------- */

static struct stand_in {
	struct remote remote;
	enum end_reason refuse; /* connecting fails */
	unsigned monitors;
	bool can_resize, ask_trust, trusted, freed, held, silent;
	uint8_t *pixels;
	size_t stride;
	char journal[JOURNAL]; /* "key 61 1e down\n" … */
	char password[64];     /* as it was while connecting */
	unsigned connect_s;
} pc;

static void pc_write(const char *format, ...) printf_like(1, 2);
static void pc_write(const char *format, ...)
{
	size_t len = strlen(pc.journal);
	va_list args;
	va_start(args, format);
	vsnprintf(pc.journal + len, sizeof(pc.journal) - len, format, args);
	va_end(args);
}

static void pc_size(unsigned width, unsigned height)
{
	pc.pixels = pc.remote.events->resized(pc.remote.ctx, width, height, &pc.stride);
	assert_non_null(pc.pixels);
}

static void pc_draw(unsigned x, unsigned y, uint32_t colour)
{
	memcpy(pc.pixels + y * pc.stride + (size_t)x * 4, &colour, 4);
	pc.remote.events->damaged(pc.remote.ctx, (int)x, (int)y, 1, 1);
	pc.remote.events->frame_done(pc.remote.ctx);
}

static enum err pc_connect(struct remote *remote, enum end_reason *ret_reason)
{
	static const uint8_t fingerprint[32] = { 0xab };
	snprintf(pc.password, sizeof(pc.password), "%s", remote->config.password);
	pc.connect_s = remote->config.connect_s;
	if (pc.ask_trust)
		pc.trusted = remote->events->trust(remote->ctx, fingerprint);
	*ret_reason = pc.ask_trust && !pc.trusted ? END_PC_CERTIFICATE : pc.refuse;
	if (*ret_reason)
		return ERR_DENIED;
	remote->can_resize = pc.can_resize;
	remote->monitors = pc.monitors;
	pc_size(PC_WIDTH, PC_HEIGHT);
	if (!pc.silent)
		pc_draw(0, 0, 0x123456);
	return OK;
}

static void pc_key(struct remote *remote, uint32_t keysym, uint16_t scancode, bool down)
{
	(void)remote;
	pc_write("key %x %x %s\n", keysym, scancode, down ? "down" : "up");
}

static void pc_text(struct remote *remote, const char *text)
{
	(void)remote;
	pc_write("text %s\n", text);
}

static void pc_pointer(struct remote *remote, unsigned x, unsigned y, unsigned buttons, int wheel_x,
		       int wheel_y)
{
	(void)remote;
	pc_write("pointer %u %u %x %d %d\n", x, y, buttons, wheel_x, wheel_y);
}

static bool pc_resize(struct remote *remote, const struct rect *monitors, size_t count)
{
	assert_in_range(count, 1, MAX(remote->monitors, 1u));
	pc_write("resize");
	for (size_t i = 0; i < count; i++)
		pc_write(" %u %u", monitors[i].width, monitors[i].height);
	pc_write("\n");
	return true;
}

static uint32_t pc_rtt_us(struct remote *remote)
{
	(void)remote;
	return 4321;
}

static void pc_hold(struct remote *remote, bool held)
{
	(void)remote;
	pc.held = held;
}

static void pc_free(struct remote *remote)
{
	(void)remote;
	pc.freed = true;
}

static const struct remote_ops pc_ops = {
	.connect = pc_connect,
	.key = pc_key,
	.text = pc_text,
	.pointer = pc_pointer,
	.resize = pc_resize,
	.rtt_us = pc_rtt_us,
	.hold = pc_hold,
	.free = pc_free,
};

static enum err pc_new(struct loop *loop, const struct remote_config *config,
		       const struct remote_events *events, void *ctx, struct remote **ret)
{
	pc.remote = (struct remote){
		.ops = &pc_ops, .events = events, .ctx = ctx, .loop = loop, .config = *config
	};
	*ret = &pc.remote;
	return OK;
}

/* ---- the worker ------------------------------------------------------------------------- */

struct session {
	struct loop *loop;
	struct worker *worker;
	int monitor, broker; /* our ends */
	int recording;       /* its file */
	struct auditor auditor;
	struct ipc_received received;
};

static void settle(struct session *session)
{
	for (int i = 0; i < 20; i++)
		assert_ok(loop_step(session->loop, 0));
}

static void new_broker(struct session *session)
{
	int fds[2];
	struct msg_link link = { .peer = WIRE_BROKER };
	assert_ok(ipc_pair(fds));
	assert_ok(ipc_send(session->monitor, MSG_link, &link, fds[1]));
	close(fds[1]);
	if (session->broker >= 0)
		close(session->broker);
	session->broker = fds[0];
	settle(session);
}

static void session_begin_as(struct session *session, enum protocol protocol)
{
	int fds[2];
	memset(&pc, 0, sizeof(pc));
	memset(session, 0, sizeof(*session));
	session->broker = -1;
	session->recording = memfd_create("recording", MFD_CLOEXEC);
	assert_true(session->recording >= 0);
	session->auditor = auditor_make();
	assert_ok(ipc_pair(fds));
	session->monitor = fds[0];
	assert_ok(loop_new(&session->loop));
	assert_ok(worker_new(session->loop, fds[1], protocol, pc_new, &session->worker));
	new_broker(session);
}

static inline void session_begin(struct session *session)
{
	session_begin_as(session, PROTOCOL_VNC);
}

static void session_finish(struct session *session)
{
	worker_free(session->worker);
	loop_free(session->loop);
	close(session->recording);
	auditor_free(&session->auditor);
	close(session->monitor);
	if (session->broker >= 0)
		close(session->broker);
}

static void order(struct session *session, uint16_t id, const void *msg, int fd)
{
	assert_ok(ipc_send(session->broker, id, msg, fd));
	settle(session);
}

static struct msg_session_start usual_start(void)
{
	return (struct msg_session_start){
		.session = { 1, 2, 3 },
		.label = "経理PC",
		.protocol = PROTOCOL_VNC,
		.security = SECURITY_AUTO,
		.address = "192.0.2.1",
		.port = 5900,
		.user = "taro",
		.password = "geheim",
		.width = 1280,
		.height = 800,
		.connect_s = 10,
		.idle_warn_s = 600,
		.idle_lock_s = 900,
		.idle_logoff_s = 7200,
		.resume_s = 900,
		.length_s = 43200,
	};
}

static void record_with(struct session *session, const struct msg_session_start *msg, bool keys)
{
	static const char meta[] = "{\"version\":1}";
	struct msg_session_record record = { .meta = { (const uint8_t *)meta, sizeof(meta) - 1 },
					     .keys = keys };
	struct buf der;
	buf_init(&der, SEAL_CERTIFICATES_MAX);
	auditor_add(&session->auditor, &der);
	record.recipients = (struct bytes){ der.data, der.len };
	memcpy(record.session, msg->session, sizeof(record.session));
	order(session, MSG_session_record, &record, session->recording);
	buf_finish(&der);
}

static void start(struct session *session, const struct msg_session_start *msg)
{
	if (!session->worker->recorder)
		record_with(session, msg, false);
	order(session, MSG_session_start, msg, -1);
}

/* The worker's next message of this type, others are passed over; NULL when there is none. */
static const union wire_any *told(struct session *session, uint16_t id)
{
	for (;;) {
		enum err err =
			ipc_receive(session->broker, WIRE_WORKER, WIRE_BROKER, &session->received);
		if (err)
			return NULL;
		if (session->received.type->id == id)
			return &session->received.msg;
	}
}

/* The newest state that the worker told. */
static inline struct msg_worker_state last_state(struct session *session)
{
	const union wire_any *any;
	struct msg_worker_state last = { 0 };
	while ((any = told(session, MSG_worker_state)))
		last = any->worker_state;
	return last;
}

/* Steps until the loop was told to stop; the worker's code. */
static inline int run_to_the_end(struct session *session)
{
	return loop_run(session->loop);
}

/* ---- viewers ---------------------------------------------------------------------------- */

struct watcher {
	int fd;
	uint8_t packet[PACKETS_MAX + 1];
	struct buf message;
	bool partial; /* message is not complete yet */
	union wire_any any;
};

static void watch_monitor(struct session *session, struct watcher *watcher, uint32_t number,
			  uint8_t monitor)
{
	int fds[2];
	struct msg_session_viewer viewer = { .viewer = number,
					     .monitor = monitor,
					     .joined = WATCHER_JOINED };
	assert_ok(ipc_pair(fds));
	watcher->fd = fds[0];
	watcher->partial = false;
	buf_init(&watcher->message, 80 * 1024 * 1024);
	order(session, MSG_session_viewer, &viewer, fds[1]);
	close(fds[1]);
}

static inline void watch(struct session *session, struct watcher *watcher, uint32_t number)
{
	watch_monitor(session, watcher, number, 0);
}

static void unwatch(struct watcher *watcher)
{
	if (watcher->fd >= 0)
		close(watcher->fd);
	watcher->fd = -1;
	buf_finish(&watcher->message);
}

static void say(struct session *session, struct watcher *watcher, uint16_t id, const void *msg)
{
	struct buf buf;
	buf_init(&buf, WIRE_MESSAGE_MAX);
	assert_ok(wire_encode(id, msg, &buf));
	assert_int_equal(send(watcher->fd, buf.data, buf.len, MSG_NOSIGNAL), buf.len);
	buf_finish(&buf);
	settle(session);
}

static void say_hello_sized(struct session *session, struct watcher *watcher, uint16_t width,
			    uint16_t height)
{
	struct msg_viewer_hello hello = { .version = VIEWER_VERSION,
					  .width = width,
					  .height = height };
	say(session, watcher, MSG_viewer_hello, &hello);
}

static inline void say_hello(struct session *session, struct watcher *watcher)
{
	say_hello_sized(session, watcher, 0, 0);
}

/* The id of the next message; 0: none, or not all of it yet; -1: the stream ended. */
static int hear(struct watcher *watcher)
{
	const struct wire_type *type;
	if (!watcher->partial)
		buf_clear(&watcher->message);
	for (;;) {
		ssize_t len =
			recv(watcher->fd, watcher->packet, sizeof(watcher->packet), MSG_DONTWAIT);
		if (len < 0) {
			assert_int_equal(errno, EAGAIN);
			return 0;
		}
		if (len == 0)
			return -1;
		assert_ok(buf_add(&watcher->message, watcher->packet + 1, (size_t)len - 1));
		watcher->partial = watcher->packet[0] != 0;
		if (!watcher->partial)
			break;
	}
	assert_ok(wire_decode(watcher->message.data, watcher->message.len, &type, &watcher->any));
	return type->id;
}

/* The next message of this type; false when the viewer got none. */
static bool hear_of(struct watcher *watcher, uint16_t id)
{
	int heard;
	do
		heard = hear(watcher);
	while (heard > 0 && heard != id);
	return heard == id;
}

/* The stream ended, and the last word was this status. */
static inline void assert_dismissed(struct watcher *watcher, enum session_state state,
				    enum end_reason reason)
{
	struct msg_status last = { 0 };
	int heard;
	while ((heard = hear(watcher)) > 0)
		if (heard == MSG_status)
			last = watcher->any.status;
	assert_int_equal(heard, -1);
	assert_string_equal(session_state_code(last.state), session_state_code(state));
	assert_string_equal(end_reason_code(last.reason), end_reason_code(reason));
}

/* A session with its viewer, who has seen everything so far. */
static inline void begin_watched(struct session *session, struct watcher *watcher,
				 const struct msg_session_start *msg)
{
	session_begin(session);
	pc.can_resize = true;
	start(session, msg);
	watch(session, watcher, 1);
	say_hello(session, watcher);
	while (hear(watcher) > 0)
		;
	assert_int_equal(last_state(session).state, SESSION_ACTIVE);
}

/* Acknowledges the frame that must be there; its size in pixels. */
static inline size_t take_pixels(struct session *session, struct watcher *watcher, bool keyframe)
{
	assert_true(hear_of(watcher, MSG_frame));
	assert_int_equal(watcher->any.frame.keyframe, keyframe);
	size_t pixels = watcher->any.frame.raw_size / 3;
	struct msg_ack ack = { .sequence = watcher->any.frame.sequence };
	say(session, watcher, MSG_ack, &ack);
	return pixels;
}

static inline void begin_two(struct session *session, struct watcher *first, struct watcher *second)
{
	struct msg_session_start msg = usual_start();
	session_begin(session);
	pc.can_resize = true;
	pc.monitors = 2;
	start(session, &msg);
	watch(session, first, 1);
	say_hello_sized(session, first, PC_WIDTH, PC_HEIGHT);
	assert_true(hear_of(first, MSG_hello));
	assert_int_equal(first->any.hello.monitor, 0);
	assert_int_equal(first->any.hello.monitors, 2);
	take_pixels(session, first, true);
	watch_monitor(session, second, 2, 1);
	say_hello_sized(session, second, 301, 240);
	assert_true(hear_of(second, MSG_hello));
	assert_int_equal(second->any.hello.monitor, 1);
}

static inline void make_two(struct session *session, struct watcher *first, struct watcher *second)
{
	begin_two(session, first, second);
	assert_string_equal(pc.journal, "resize 320 200 300 240\n");
	/* Not the whole desktop for a moment. */
	assert_false(hear_of(second, MSG_frame));
	pc_size(620, 240);
	pc_draw(0, 0, 1);
	settle(session);
	assert_int_equal(take_pixels(session, first, true), 320 * 200);
	assert_int_equal(take_pixels(session, second, true), 300 * 240);
	assert_int_equal(second->any.frame.width, 300);
	assert_int_equal(last_state(session).viewers, 2);
	*pc.journal = '\0';
}

#endif
