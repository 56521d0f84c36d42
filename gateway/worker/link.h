/*
 * link.h - the worker's channels: to the monitor, which brings a new channel to the broker whenever
 * that one restarts.
 */
#ifndef SEKISHO_WORKER_LINK_H
#define SEKISHO_WORKER_LINK_H

#include "wire/channel.h"

struct link_ops {
	/* A new broker channel is there; says who we are on it. */
	void (*broker_came)(void *ctx);
	void (*broker_left)(void *ctx);
	/* fd as in channel_ops. */
	void (*message)(void *ctx, const struct wire_type *type, const union wire_any *msg, int fd);
	/* The monitor is gone: the gateway stops. */
	void (*monitor_left)(void *ctx);
};

struct link {
	struct loop *loop;
	const struct link_ops *ops;
	void *ctx;
	struct channel *monitor, *broker; /* owned; NULL while gone */
};

/* Takes over monitor_fd. */
nodiscard enum err link_init(struct link *link, struct loop *loop, int monitor_fd,
			     const struct link_ops *ops, void *ctx);
void link_finish(struct link *link);

/* To the broker. Without one the message is dropped: a new one is told the state by broker_came. */
void link_send(struct link *link, uint16_t id, const void *msg);

#endif
