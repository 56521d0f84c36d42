#include "worker/stream/viewer.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"

enum { MESSAGES_A_TURN = 64 }; /* so that one viewer cannot keep the loop busy */

static void on_ready(struct loop_io *io, uint32_t events);
static void on_timer(struct loop_timer *timer);

static void on_began(void *ctx, const struct buf *message)
{
	struct viewer *viewer = ctx;
	viewer->ops->sent(viewer->ctx, viewer, message->data, message->len);
}

enum err viewer_new(struct loop *loop, int fd, uint32_t number, const struct viewer_ops *ops,
		    void *ctx, struct viewer **ret)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	if (!viewer) {
		close(fd);
		return ERR_NOMEM;
	}
	*viewer =
		(struct viewer){ .loop = loop, .ops = ops, .ctx = ctx, .number = number, .fd = fd };
	const int room = VIEWER_SEND_BYTES;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
		log_debug("viewer-room", "viewer=%u", number);
	packets_init(&viewer->packets, fd);
	if (ops->sent) {
		viewer->packets.began = on_began;
		viewer->packets.ctx = viewer;
	}
	pacing_init(&viewer->pacing);
	input_rate_init(&viewer->rate, clock_mono_us());
	loop_timer_init(loop, &viewer->timer, on_timer);
	enum err err = loop_io_init(loop, &viewer->io, fd, EPOLLIN, on_ready);
	if (err) {
		viewer_free(viewer);
		return err;
	}
	loop_timer_set(&viewer->timer, VIEWER_HELLO_US);
	*ret = viewer;
	return OK;
}

/*
 * unix(7) sockets that are closed with unread messages give the other side ECONNRESET before what
 * it was sent: the last status would be lost. After shutdown nothing new can come, so emptying the
 * queue is enough.
 */
static void close_stream(int fd)
{
	uint8_t byte;
	shutdown(fd, SHUT_RDWR);
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0)
		;
	close(fd);
}

void viewer_free(struct viewer *viewer)
{
	if (!viewer)
		return;
	loop_timer_cancel(&viewer->timer);
	loop_io_finish(&viewer->io);
	packets_finish(&viewer->packets);
	close_stream(viewer->fd);
	free(viewer);
}

static void viewer_end(struct viewer *viewer, enum err why)
{
	const uint8_t violation = WIRE_STREAM_VIOLATION;
	/* When the socket is full the edge sees an ordinary end instead, which is as good. */
	if (why == ERR_PROTOCOL)
		(void)send(viewer->fd, &violation, sizeof(violation), MSG_DONTWAIT | MSG_NOSIGNAL);
	viewer->ops->gone(viewer->ctx, viewer, why);
	viewer_free(viewer);
}

static void watch(struct viewer *viewer)
{
	bool reading = !viewer->paused && !viewer->closing;
	uint32_t events = (reading ? EPOLLIN : 0u) | (viewer->packets.blocked ? EPOLLOUT : 0u);
	if (viewer->io.loop && events != viewer->io.events && loop_io_set(&viewer->io, events))
		log_warn("viewer-watch", "viewer=%u", viewer->number);
}

/*
 * Sends what fits. An error is left to the loop, which reports the same socket as hung up in its
 * next turn: senders need not be prepared for the viewer to vanish under them.
 */
static void flush(struct viewer *viewer)
{
	if (packets_send(&viewer->packets))
		viewer->packets.blocked = true;
	watch(viewer);
}

void viewer_send_keyed(struct viewer *viewer, unsigned sub_key, uint16_t id, const void *msg)
{
	if (viewer->closing)
		return;
	enum err err = packets_add_small(&viewer->packets, (unsigned)id << 8 | sub_key, id, msg);
	if (err)
		log_warn("viewer-send", "viewer=%u message=0x%04x error=%s", viewer->number, id,
			 err_code(err));
	flush(viewer);
}

void viewer_send(struct viewer *viewer, uint16_t id, const void *msg)
{
	viewer_send_keyed(viewer, 0, id, msg);
}

void viewer_send_sound(struct viewer *viewer, const struct msg_audio *msg)
{
	uint64_t waiting_us = flow_waiting_us(&viewer->pacing.flow, clock_mono_us());
	if (viewer->closing || !(viewer->codecs & CODEC_OPUS))
		return;
	if (waiting_us > VIEWER_SOUND_LATE_US) {
		packets_drop_sound(&viewer->packets);
		return;
	}
	enum err err = packets_add_sound(&viewer->packets, MSG_audio, msg);
	if (err)
		log_warn("viewer-sound", "viewer=%u error=%s", viewer->number, err_code(err));
	flush(viewer);
}

bool viewer_can_frame(const struct viewer *viewer)
{
	return viewer->greeted && !viewer->closing && packets_frame_free(&viewer->packets) &&
	       pacing_open(&viewer->pacing);
}

void viewer_send_frame(struct viewer *viewer)
{
	const struct buf *frame = &viewer->packets.frame;
	packets_add_frame(&viewer->packets);
	if (viewer->ops->sent)
		viewer->ops->sent(viewer->ctx, viewer, frame->data, frame->len);
	flush(viewer);
}

void viewer_close(struct viewer *viewer, enum session_state state, enum end_reason reason)
{
	if (viewer->closing)
		return;
	struct msg_status status = { .state = (uint8_t)state, .reason = (uint8_t)reason };
	packets_drop_frame(&viewer->packets);
	packets_drop_sound(&viewer->packets);
	viewer_send(viewer, MSG_status, &status);
	viewer->closing = true;
	watch(viewer);
	/* Also when all is sent already: gone must not be called from inside the caller. */
	loop_timer_set(&viewer->timer, packets_idle(&viewer->packets) ? 0 : VIEWER_LINGER_US);
}

static void take_hello(struct viewer *viewer, const struct msg_viewer_hello *hello)
{
	viewer->greeted = true;
	viewer->codecs = hello->codecs;
	loop_timer_cancel(&viewer->timer);
	if (hello->version == VIEWER_VERSION) {
		viewer->ops->hello(viewer->ctx, viewer, hello->width, hello->height);
		return;
	}
	log_info("viewer-version", "viewer=%u version=%u", viewer->number, hello->version);
	viewer_close(viewer, SESSION_ENDED, END_VERSION);
}

static void take_input(struct viewer *viewer, const struct wire_type *type, union wire_any *any)
{
	char text[INPUT_MESSAGE_MAX];

	switch (type->id) {
	case MSG_key:
		if (input_clean_key(&any->key))
			viewer->ops->key(viewer->ctx, viewer, &any->key);
		break;
	case MSG_text:
		input_clean_text(any->text.text, text);
		if (*text)
			viewer->ops->text(viewer->ctx, viewer, text);
		secret_wipe(text, sizeof(text));
		break;
	case MSG_pointer:
		viewer->ops->pointer(viewer->ctx, viewer, &any->pointer);
		break;
	case MSG_resize:
		viewer->ops->resize(viewer->ctx, viewer, any->resize.width, any->resize.height);
		break;
	case MSG_release_keys:
		viewer->ops->release_keys(viewer->ctx, viewer);
		break;
	case MSG_still_here:
		viewer->ops->still_here(viewer->ctx, viewer);
		break;
	case MSG_clipboard:
		if (any->clipboard.way > CLIPBOARD_PC && any->clipboard.way <= CLIPBOARD_KEYS)
			viewer->ops->clipboard(viewer->ctx, viewer,
					       (enum clipboard_way)any->clipboard.way);
		break;
	default:
		break;
	}
}

static void take_control(struct viewer *viewer, const struct wire_type *type,
			 const union wire_any *any)
{
	enum viewer_control what = type->id == MSG_control_ask    ? VIEWER_ASKS
				   : type->id == MSG_control_end  ? VIEWER_ENDS
				   : any->control_answer.yes == 1 ? VIEWER_AGREES
								  : VIEWER_REFUSES;
	uint32_t watch = type->id == MSG_control_answer ? any->control_answer.watch : 0;
	if (viewer->ops->control)
		viewer->ops->control(viewer->ctx, viewer, what, watch);
}

static enum err take_message(struct viewer *viewer, const struct wire_type *type,
			     union wire_any *any)
{
	if (viewer->greeted == (type->id == MSG_viewer_hello))
		return ERR_PROTOCOL;
	switch (type->id) {
	case MSG_viewer_hello:
		take_hello(viewer, &any->viewer_hello);
		return OK;
	case MSG_ack: {
		enum err err = pacing_ack(&viewer->pacing, any->ack.sequence, clock_mono_us(),
					  any->ack.decode_us);
		if (!err)
			viewer->ops->room(viewer->ctx, viewer);
		return err;
	}
	case MSG_refresh:
		viewer->ops->refresh(viewer->ctx, viewer);
		return OK;
	case MSG_ping:
		viewer->ops->ping(viewer->ctx, viewer, any->ping.number);
		return OK;
	case MSG_control_ask:
	case MSG_control_answer:
	case MSG_control_end:
		take_control(viewer, type, any);
		return OK;
	default:
		take_input(viewer, type, any);
		return OK;
	}
}

/* OK, ERR_UNAVAILABLE (nothing more), ERR_CLOSED or ERR_PROTOCOL. */
static enum err receive_one(struct viewer *viewer)
{
	uint8_t data[INPUT_MESSAGE_MAX + 1]; /* one more byte tells a message that is too long */
	const struct wire_type *type;
	union wire_any any;
	ssize_t len;
	do
		len = recv(viewer->fd, data, sizeof(data), MSG_DONTWAIT);
	while (len < 0 && errno == EINTR);
	if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return ERR_UNAVAILABLE;
	if (len <= 0)
		return ERR_CLOSED;
	if (len > INPUT_MESSAGE_MAX)
		return ERR_PROTOCOL;
	enum err err = wire_decode(data, (size_t)len, &type, &any);
	if (!err && (type->from != WIRE_VIEWER || type->to != WIRE_WORKER))
		err = ERR_PROTOCOL;
	if (!err)
		err = take_message(viewer, type, &any);
	secret_wipe(data, (size_t)len);
	secret_wipe(&any, sizeof(any));
	return err;
}

static enum err receive_some(struct viewer *viewer)
{
	uint64_t wait_us;
	for (int i = 0; i < MESSAGES_A_TURN && !viewer->closing; i++) {
		if (!input_rate_take(&viewer->rate, clock_mono_us(), &wait_us)) {
			viewer->paused = true;
			/* A little batch instead of one message a wake-up. */
			loop_timer_set(&viewer->timer, wait_us + 10000);
			watch(viewer);
			return OK;
		}
		enum err err = receive_one(viewer);
		if (err)
			return err == ERR_UNAVAILABLE ? OK : err;
	}
	return OK;
}

static void on_ready(struct loop_io *io, uint32_t events)
{
	struct viewer *viewer = container_of(io, struct viewer, io);
	bool was_blocked = viewer->packets.blocked;
	enum err err = packets_send(&viewer->packets);
	if (!err && (events & EPOLLIN) && !viewer->closing)
		err = receive_some(viewer);
	else if (!err && (events & (EPOLLHUP | EPOLLERR)))
		err = ERR_CLOSED;
	if (!err && was_blocked && !viewer->packets.blocked && !viewer->closing)
		viewer->ops->room(viewer->ctx, viewer);
	if (err == ERR_PROTOCOL)
		log_warn("viewer-protocol", "viewer=%u", viewer->number);
	if (err || (viewer->closing && packets_idle(&viewer->packets)))
		viewer_end(viewer, err);
	else
		watch(viewer);
}

static void on_timer(struct loop_timer *timer)
{
	struct viewer *viewer = container_of(timer, struct viewer, timer);
	if (viewer->closing) {
		viewer_end(viewer, OK);
	} else if (!viewer->greeted) {
		log_warn("viewer-silent", "viewer=%u", viewer->number);
		viewer_end(viewer, ERR_PROTOCOL);
	} else {
		viewer->paused = false;
		watch(viewer);
	}
}
