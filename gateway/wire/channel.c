#include "wire/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"

enum {
	CHANNEL_QUEUE_MAX = 1024 * 1024,
	CHANNEL_TURN_MAX =
		64, /* messages taken per turn, so that one busy peer cannot starve the others */
};

struct channel_queued {
	struct channel_queued *next;
	uint16_t id;
	int fd;
	size_t len;
	uint8_t data[];
};

struct channel {
	struct loop_io io;
	enum wire_role self, peer;
	const struct channel_ops *ops;
	void *ctx;
	struct channel_queued *queue, **queue_end;
	size_t queued;
	unsigned busy; /* inside a callback: freeing waits */
	bool dead;
};

static void queued_free(struct channel_queued *queued)
{
	if (queued->fd >= 0)
		close(queued->fd);
	secret_wipe(queued->data, queued->len);
	free(queued);
}

static void destroy(struct channel *channel)
{
	struct channel_queued *queued, *next;

	for (queued = channel->queue; queued; queued = next) {
		next = queued->next;
		queued_free(queued);
	}
	free(channel);
}

void channel_free(struct channel *channel)
{
	if (!channel || channel->dead)
		return;
	channel->dead = true;
	loop_io_finish(&channel->io);
	close(channel->io.fd);
	if (!channel->busy)
		destroy(channel);
}

static void leave(struct channel *channel)
{
	if (--channel->busy == 0 && channel->dead)
		destroy(channel);
}

static void lost(struct channel *channel, enum err why)
{
	if (why == ERR_PROTOCOL)
		log_error("ipc-broken", "self=%d peer=%d", (int)channel->self, (int)channel->peer);
	channel->ops->closed(channel->ctx, channel, why);
	channel_free(channel);
}

static enum err flush(struct channel *channel)
{
	while (channel->queue) {
		struct channel_queued *queued = channel->queue;
		const struct wire_type *type;
		union wire_any msg;
		enum err err = wire_decode(queued->data, queued->len, &type, &msg);

		if (!err)
			err = ipc_send(channel->io.fd, queued->id, &msg, queued->fd);
		if (err == ERR_UNAVAILABLE)
			return OK;
		if (err)
			return err;
		channel->queue = queued->next;
		if (!channel->queue)
			channel->queue_end = &channel->queue;
		channel->queued -= queued->len;
		queued_free(queued);
	}
	return loop_io_set(&channel->io, EPOLLIN);
}

static void deliver(struct channel *channel, struct ipc_received *received)
{
	int fd = util_take_fd(&received->fd);

	channel->ops->message(channel->ctx, channel, received->type, &received->msg, fd);
	ipc_received_finish(received);
}

static void ready(struct loop_io *io, uint32_t events)
{
	struct channel *channel = container_of(io, struct channel, io);
	enum err sent = OK, err = OK;
	struct ipc_received received;

	channel->busy++;
	/* A peer that is gone may have said why: its last messages are read before it counts as
	 * lost. */
	if (events & EPOLLOUT)
		sent = flush(channel);
	for (int i = 0; !err && !channel->dead && i < CHANNEL_TURN_MAX; i++) {
		err = ipc_receive(channel->io.fd, channel->peer, channel->self, &received);
		if (!err)
			deliver(channel, &received);
	}
	if (err == ERR_UNAVAILABLE)
		err = sent;
	if (err && !channel->dead)
		lost(channel, err);
	leave(channel);
}

enum err channel_new(struct loop *loop, int fd, enum wire_role self, enum wire_role peer,
		     const struct channel_ops *ops, void *ctx, struct channel **ret)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	enum err err;

	if (!channel) {
		close(fd);
		return ERR_NOMEM;
	}
	*channel = (struct channel){ .self = self, .peer = peer, .ops = ops, .ctx = ctx };
	channel->queue_end = &channel->queue;
	err = loop_io_init(loop, &channel->io, fd, EPOLLIN, ready);
	if (err) {
		close(fd);
		free(channel);
		return err;
	}
	*ret = channel;
	return OK;
}

static enum err enqueue(struct channel *channel, uint16_t id, const void *msg, int fd)
{
	struct channel_queued *queued;
	struct buf buf;
	enum err err;

	buf_init(&buf, WIRE_MESSAGE_MAX);
	err = wire_encode(id, msg, &buf);
	if (!err && channel->queued + buf.len > CHANNEL_QUEUE_MAX)
		err = ERR_FULL;
	queued = err ? NULL : malloc(sizeof(*queued) + buf.len);
	if (!err && !queued)
		err = ERR_NOMEM;
	if (!err) {
		*queued = (struct channel_queued){ .id = id, .fd = fd, .len = buf.len };
		memcpy(queued->data, buf.data, buf.len);
		*channel->queue_end = queued;
		channel->queue_end = &queued->next;
		channel->queued += buf.len;
		err = loop_io_set(&channel->io, EPOLLIN | EPOLLOUT);
	}
	buf_wipe(&buf);
	buf_finish(&buf);
	return err;
}

enum err channel_send(struct channel *channel, uint16_t id, const void *msg, int pass_fd)
{
	_cleanup_close_ int fd = pass_fd;
	enum err err;

	if (channel->dead)
		return ERR_CLOSED;
	if (!channel->queue) {
		err = ipc_send(channel->io.fd, id, msg, fd);
		if (err != ERR_UNAVAILABLE)
			return err;
	}
	err = enqueue(channel, id, msg, fd);
	/* Once queued, the queue owns the descriptor. */
	if (!err)
		util_take_fd(&fd);
	return err;
}

/* OK with the message in ret, ERR_UNAVAILABLE when another one was dispatched. */
static enum err receive_wanted(struct channel *channel, uint16_t id, struct ipc_received *ret)
{
	enum err err = ipc_receive(channel->io.fd, channel->peer, channel->self, ret);

	if (err || ret->type->id == id)
		return err;
	deliver(channel, ret);
	return channel->dead ? ERR_CLOSED : ERR_UNAVAILABLE;
}

enum err channel_wait(struct channel *channel, uint16_t id, int timeout_ms,
		      struct ipc_received *ret)
{
	uint64_t until = clock_mono_ms() + (uint64_t)timeout_ms;
	enum err err;

	channel->busy++;
	for (;;) {
		uint64_t now = clock_mono_ms();
		struct pollfd poll_fd = { .fd = channel->io.fd, .events = POLLIN };

		if (now >= until || poll(&poll_fd, 1, (int)(until - now)) == 0) {
			err = ERR_TIMEOUT;
			break;
		}
		err = receive_wanted(channel, id, ret);
		if (err != ERR_UNAVAILABLE)
			break;
	}
	leave(channel);
	return err;
}

int channel_fd(const struct channel *channel)
{
	return channel->io.fd;
}
