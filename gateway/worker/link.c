#include "worker/link.h"

#include "base/log.h"
#include "base/util.h"

/* ---- broker ----------------------------------------------------------------------------- */

static void broker_message(void *ctx, struct channel *channel, const struct wire_type *type,
			   const union wire_any *msg, int fd)
{
	struct link *link = ctx;
	(void)channel;
	link->ops->message(link->ctx, type, msg, fd);
}

static void broker_closed(void *ctx, struct channel *channel, enum err why)
{
	struct link *link = ctx;
	if (channel != link->broker)
		return;
	log_warn("broker-left", "error=%s", err_code(why));
	link->broker = NULL;
	link->ops->broker_left(link->ctx);
}

static const struct channel_ops broker_ops = { .message = broker_message, .closed = broker_closed };

static void use_broker(struct link *link, int fd)
{
	struct channel *broker;
	enum err err =
		channel_new(link->loop, fd, WIRE_WORKER, WIRE_BROKER, &broker_ops, link, &broker);
	if (err) {
		log_error("broker-link", "error=%s", err_code(err));
		return;
	}
	channel_free(link->broker);
	link->broker = broker;
	link->ops->broker_came(link->ctx);
}

/* ---- monitor ---------------------------------------------------------------------------- */

static void monitor_message(void *ctx, struct channel *channel, const struct wire_type *type,
			    const union wire_any *msg, int fd)
{
	(void)channel;
	if (type->id == MSG_link && msg->link.peer == WIRE_BROKER)
		use_broker(ctx, fd);
	else if (fd >= 0)
		close(fd);
}

static void monitor_closed(void *ctx, struct channel *channel, enum err why)
{
	struct link *link = ctx;
	(void)channel;
	log_warn("monitor-left", "error=%s", err_code(why));
	link->monitor = NULL;
	link->ops->monitor_left(link->ctx);
}

static const struct channel_ops monitor_ops = { .message = monitor_message,
						.closed = monitor_closed };

enum err link_init(struct link *link, struct loop *loop, int monitor_fd, const struct link_ops *ops,
		   void *ctx)
{
	*link = (struct link){ .loop = loop, .ops = ops, .ctx = ctx };
	return channel_new(loop, monitor_fd, WIRE_WORKER, WIRE_MONITOR, &monitor_ops, link,
			   &link->monitor);
}

void link_finish(struct link *link)
{
	channel_free(link->broker);
	channel_free(link->monitor);
	link->broker = link->monitor = NULL;
}

void link_send(struct link *link, uint16_t id, const void *msg)
{
	enum err err = link->broker ? channel_send(link->broker, id, msg, -1) : ERR_CLOSED;
	if (err)
		log_warn("broker-send", "message=0x%04x error=%s", id, err_code(err));
}
