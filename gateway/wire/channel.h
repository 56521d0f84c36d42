/*
 * channel.h - a socket of messages in an event loop: outgoing queue with a ceiling, incoming
 * dispatch.
 */
#ifndef SEKISHO_WIRE_CHANNEL_H
#define SEKISHO_WIRE_CHANNEL_H

#include "base/loop.h"
#include "wire/ipc.h"

struct channel;

struct channel_ops {
	/* fd: -1 or owned by the callee. msg lives until the return. May free the channel. */
	void (*message)(void *ctx, struct channel *channel, const struct wire_type *type,
			const union wire_any *msg, int fd);
	/* The peer is gone, or broke the protocol (ERR_PROTOCOL, already logged). Frees the channel
	 * itself after the return; ctx must forget it. */
	void (*closed)(void *ctx, struct channel *channel, enum err why);
};

/* Takes over fd. self and peer: whose messages may arrive. */
nodiscard enum err channel_new(struct loop *loop, int fd, enum wire_role self, enum wire_role peer,
			       const struct channel_ops *ops, void *ctx, struct channel **ret);

/* Closes at once, without the closed callback. NULL is allowed; allowed inside callbacks. */
void channel_free(struct channel *channel);

/*
 * Sends now or queues. pass_fd is taken over in every case, -1 for none. When 1 MiB is queued
 * already: ERR_FULL, and the peer counts as hung. Only logs nothing; the caller decides.
 */
nodiscard enum err channel_send(struct channel *channel, uint16_t id, const void *msg, int pass_fd);

/*
 * Blocks until a message of type id arrives and hands it to the caller; other messages are
 * dispatched as usual meanwhile. ERR_TIMEOUT, ERR_CLOSED. For start-up and for library callbacks
 * that must answer at once.
 */
nodiscard enum err channel_wait(struct channel *channel, uint16_t id, int timeout_ms,
				struct ipc_received *ret);

int channel_fd(const struct channel *channel);

#endif
