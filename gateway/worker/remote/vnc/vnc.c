#include "worker/remote/vnc/vnc.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/remote/dial.h"
#include "worker/remote/vnc/vnc_connect.h"
#include "worker/remote/vnc/vnc_input.h"
#include "worker/remote/vnc/vnc_reader.h"

const char vnc_tag = 0;

enum { /* RFC 6143 §7.5; SetDesktopSize from the community's RFB specification */
       SET_PIXEL_FORMAT = 0,
       SET_ENCODINGS = 2,
       SET_DESKTOP_SIZE = 251,
};

bool vnc_fail(struct vnc *vnc, enum end_reason reason)
{
	if (vnc->failed != END_NONE)
		return false;
	vnc->failed = reason;
	loop_io_finish(&vnc->io);
	loop_timer_cancel(&vnc->stall);
	loop_timer_set(&vnc->timer, 0);
	return false;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* The library waits without end for a full socket; our messages are far smaller than what EPOLLOUT
 * promises. */
bool vnc_can_write(struct vnc *vnc)
{
	if (vnc->failed != END_NONE || !vnc->client)
		return false;
	struct pollfd poller = { .fd = vnc->client->sock, .events = POLLOUT };
	if (poll(&poller, 1, 0) == 1 && (poller.revents & POLLOUT))
		return true;
	log_warn("vnc-not-reading", "buffer=full");
	return vnc_fail(vnc, END_PC_TIMEOUT);
}

bool vnc_write(struct vnc *vnc, const void *data, size_t len)
{
	if (!vnc_can_write(vnc))
		return false;
	return WriteToRFBServer(vnc->client, data, (unsigned)len) || vnc_fail(vnc, END_PC_CLOSED);
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value & 0xffff);
}

void vnc_ask(struct vnc *vnc)
{
	if (vnc->asked || vnc->held || !vnc_can_write(vnc))
		return;
	bool incremental = !vnc->ask_whole;
	vnc->asked = true;
	vnc->ask_whole = false;
	if (!SendFramebufferUpdateRequest(vnc->client, 0, 0, (int)vnc->width, (int)vnc->height,
					  incremental))
		vnc_fail(vnc, END_PC_CLOSED);
}

/* BGRX as the framebuffer has it: 32 bits, little-endian, red at bit 16. */
static bool send_format(struct vnc *vnc)
{
	uint8_t message[20] = {
		SET_PIXEL_FORMAT, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0
	};
	return vnc_write(vnc, message, sizeof(message));
}

/* Exactly what vnc_reader.c knows. The library's own list would ask for more. */
static bool send_encodings(struct vnc *vnc)
{
	static const int32_t encodings[] = { 1 /* copyrect */,
					     0 /* raw */,
					     -239 /* cursor */,
					     -240 /* XCursor */,
					     -308 /* ExtendedDesktopSize */,
					     -223 /* DesktopSize */ };
	uint8_t message[4 + 4 * ARRAY_SIZE(encodings)] = { SET_ENCODINGS };
	uint8_t *at = put16(message + 2, ARRAY_SIZE(encodings));
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++)
		at = put32(at, (uint32_t)encodings[i]);
	return vnc_write(vnc, message, sizeof(message));
}

/* ---- reading ---------------------------------------------------------------------------- */

static void on_ready(struct loop_io *io, uint32_t events)
{
	struct vnc *vnc = container_of(io, struct vnc, io);
	(void)events;
	if (vnc_reader_run(vnc))
		loop_timer_set(&vnc->timer, 0);
	/* A message that began must go on. */
	if (vnc->failed == END_NONE && vnc->reader.in_message && !loop_timer_running(&vnc->stall))
		loop_timer_set(&vnc->stall, (uint64_t)vnc->remote.config.connect_s * 1000000);
}

static void on_stall(struct loop_timer *timer)
{
	struct vnc *vnc = container_of(timer, struct vnc, stall);
	uint64_t limit = (uint64_t)vnc->remote.config.connect_s * 1000000,
		 quiet = clock_mono_us() - vnc->progress_us;
	if (!vnc->reader.in_message)
		return;
	if (quiet < limit) {
		loop_timer_set(timer, limit - quiet);
		return;
	}
	log_warn("vnc-stalled", "seconds=%u", vnc->remote.config.connect_s);
	vnc_fail(vnc, END_PC_TIMEOUT);
}

/* TLS may hold decrypted bytes that no poll reports, so reading goes on here until it says "nothing
 * there". */
static void on_timer(struct loop_timer *timer)
{
	struct vnc *vnc = container_of(timer, struct vnc, timer);
	if (!vnc->connected)
		return;
	if (vnc->failed == END_NONE) {
		on_ready(&vnc->io, 0);
		return;
	}
	vnc->connected = false;
	vnc->remote.events->ended(vnc->remote.ctx, vnc->failed);
}

bool vnc_take_size(struct vnc *vnc, unsigned width, unsigned height)
{
	if (width < REMOTE_MIN_SIZE || height < REMOTE_MIN_SIZE || width > REMOTE_MAX_WIDTH ||
	    height > REMOTE_MAX_HEIGHT) {
		log_warn("vnc-size", "width=%u height=%u", width, height);
		return vnc_fail(vnc, END_PC_TOO_BIG);
	}
	vnc->pixels = vnc->remote.events->resized(vnc->remote.ctx, width, height, &vnc->stride);
	if (!vnc->pixels)
		return vnc_fail(vnc, END_GATEWAY);
	vnc->width = width;
	vnc->height = height;
	vnc->ask_whole = true;
	return true;
}

/* ---- remote_ops ------------------------------------------------------------------------- */

/* The picture, then the loop. What went wrong is in vnc->failed. */
static enum err begin(struct vnc *vnc)
{
	rfbClient *client = vnc->client;
	vnc->progress_us = clock_mono_us();
	vnc_reader_init(vnc);
	if (!vnc_take_size(vnc, client->si.framebufferWidth, client->si.framebufferHeight))
		return ERR_PROTOCOL;
	if (!send_format(vnc) || !send_encodings(vnc))
		return ERR_CLOSED;
	vnc_ask(vnc);
	if (vnc->failed)
		return ERR_CLOSED;
	enum err err = loop_io_init(vnc->remote.loop, &vnc->io, client->sock, EPOLLIN, on_ready);
	if (err)
		return err;
	vnc->connected = true;
	/* The library may have read ahead. */
	loop_timer_set(&vnc->timer, 0);
	return OK;
}

static enum err op_connect(struct remote *remote, enum end_reason *ret_reason)
{
	struct vnc *vnc = vnc_from(remote);
	enum err err = vnc_connect(vnc, ret_reason);
	if (err)
		return err;
	err = begin(vnc);
	if (err)
		*ret_reason = vnc->failed ? vnc->failed : END_GATEWAY;
	return err;
}

static bool op_resize(struct remote *remote, const struct rect *monitors, size_t count)
{
	struct vnc *vnc = vnc_from(remote);
	uint8_t message[8 + 16] = { SET_DESKTOP_SIZE };
	unsigned width = monitors->width, height = monitors->height;
	if (!remote->can_resize || count != 1)
		return false;
	uint8_t *at = put16(put16(message + 2, width), height);
	*at = 1; /* screens */
	at = put32(at + 2, vnc->screen_id);
	at = put16(put16(put32(at, 0), width), height);
	put32(at, vnc->screen_flags);
	return vnc_write(vnc, message, sizeof(message));
}

static uint32_t op_rtt_us(struct remote *remote)
{
	struct vnc *vnc = vnc_from(remote);
	return vnc->connected ? remote_rtt_us(vnc->client->sock) : 0;
}

static void op_hold(struct remote *remote, bool held)
{
	struct vnc *vnc = vnc_from(remote);
	vnc->held = held;
	if (vnc->connected && !vnc->reader.in_message)
		vnc_ask(vnc);
}

static void op_free(struct remote *remote)
{
	struct vnc *vnc = vnc_from(remote);
	loop_io_finish(&vnc->io);
	loop_timer_cancel(&vnc->timer);
	loop_timer_cancel(&vnc->stall);
	if (vnc->client)
		rfbClientCleanup(vnc->client);
	vnc->magic = 0;
	free(vnc);
}

static const struct remote_ops vnc_ops = {
	.connect = op_connect,
	.key = vnc_input_key,
	.text = vnc_input_text,
	.pointer = vnc_input_pointer,
	.resize = op_resize,
	.rtt_us = op_rtt_us,
	.hold = op_hold,
	.free = op_free,
};

enum err remote_vnc_new(struct loop *loop, const struct remote_config *config,
			const struct remote_events *events, void *ctx, struct remote **ret)
{
	struct vnc *vnc = calloc(1, sizeof(*vnc));
	if (!vnc)
		return ERR_NOMEM;
	vnc->magic = VNC_MAGIC;
	vnc->ca_fd = -1;
	vnc->remote = (struct remote){
		.ops = &vnc_ops, .events = events, .ctx = ctx, .loop = loop, .config = *config
	};
	loop_timer_init(loop, &vnc->timer, on_timer);
	loop_timer_init(loop, &vnc->stall, on_stall);
	*ret = &vnc->remote;
	return OK;
}
