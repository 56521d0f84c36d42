#include "edge/broker.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "wire/channel.h"

struct broker {
	struct loop *loop;
	struct broker_ops ops;
	struct buf csr;
	struct channel *channel; /* NULL while the broker is away */
	struct broker_request *first;
	size_t count;
	uint32_t last_id;
	uint32_t start_id; /* of the last edge_start */
};

enum err broker_new(struct loop *loop, const struct broker_ops *ops, const struct buf *csr,
		    struct broker **ret)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	enum err err;

	if (!broker)
		return ERR_NOMEM;
	broker->loop = loop;
	broker->ops = *ops;
	buf_init(&broker->csr, csr->max);
	err = buf_add(&broker->csr, csr->data, csr->len);
	if (err) {
		free(broker);
		return err;
	}
	*ret = broker;
	return OK;
}

static void remove_request(struct broker_request *request)
{
	struct broker *broker = request->broker;

	if (request->previous)
		request->previous->next = request->next;
	else
		broker->first = request->next;
	if (request->next)
		request->next->previous = request->previous;
	request->previous = request->next = NULL;
	request->broker = NULL;
	broker->count--;
}

static void fail_all(struct broker *broker, enum err why)
{
	while (broker->first) {
		struct broker_request *request = broker->first;

		remove_request(request);
		request->done(request, why, NULL, -1);
	}
}

void broker_free(struct broker *broker)
{
	if (!broker)
		return;
	channel_free(broker->channel);
	broker->channel = NULL;
	fail_all(broker, ERR_UNAVAILABLE);
	buf_finish(&broker->csr);
	free(broker);
}

static void take_reply(struct broker *broker, const struct msg_reply *reply, int fd)
{
	_cleanup_close_ int owned = fd;

	if (reply->request == broker->start_id) {
		log_error("edge-start-refused", "status=%u%s", reply->status,
			  reply->status == err_status(ERR_LOCKED) ? " hint=\"sekisho ca unlock\""
								  : "");
		return;
	}
	for (struct broker_request *request = broker->first; request; request = request->next) {
		if (request->id != reply->request)
			continue;
		remove_request(request);
		request->done(request, OK, reply, util_take_fd(&owned));
		return;
	}
	log_debug("reply-too-late", "request=%u status=%u", reply->request, reply->status);
}

static void take_message(void *ctx, struct channel *channel, const struct wire_type *type,
			 const union wire_any *msg, int fd)
{
	struct broker *broker = ctx;

	(void)channel;
	switch (type->id) {
	case MSG_reply:
		take_reply(broker, &msg->reply, fd);
		break;
	case MSG_edge_config:
		broker->ops.config(broker->ops.ctx, &msg->edge_config);
		break;
	default:
		log_error("broker-unexpected", "message=%s", type->name);
		if (fd >= 0)
			close(fd);
	}
}

static void link_lost(void *ctx, struct channel *channel, enum err why)
{
	struct broker *broker = ctx;

	(void)channel;
	log_warn("broker-away", "error=%s requests=%zu", err_code(why), broker->count);
	broker->channel = NULL;
	fail_all(broker, ERR_UNAVAILABLE);
}

static const struct channel_ops channel_ops = { .message = take_message, .closed = link_lost };

static uint32_t next_id(struct broker *broker)
{
	/* 0 marks what the broker sends unasked. */
	if (++broker->last_id == 0)
		broker->last_id = 1;
	return broker->last_id;
}

enum err broker_renew(struct broker *broker)
{
	struct msg_edge_start start = { .csr = { broker->csr.data, broker->csr.len } };

	if (!broker->channel)
		return ERR_UNAVAILABLE;
	start.request = broker->start_id = next_id(broker);
	return channel_send(broker->channel, MSG_edge_start, &start, -1);
}

enum err broker_link(struct broker *broker, int fd)
{
	enum err err;

	channel_free(broker->channel);
	broker->channel = NULL;
	fail_all(broker, ERR_UNAVAILABLE);
	err = channel_new(broker->loop, fd, WIRE_EDGE, WIRE_BROKER, &channel_ops, broker,
			  &broker->channel);
	/* A CRL may have changed while nobody could say so. */
	return err ? err : broker_renew(broker);
}

enum err broker_wait(struct broker *broker)
{
	struct ipc_received *received = calloc(1, sizeof(*received));
	enum err err;

	if (!received)
		return ERR_NOMEM;
	if (!broker->channel) {
		free(received);
		return ERR_UNAVAILABLE;
	}
	err = channel_wait(broker->channel, MSG_edge_config, BROKER_START_MS, received);
	if (!err) {
		broker->ops.config(broker->ops.ctx, &received->msg.edge_config);
		ipc_received_finish(received);
	}
	free(received);
	return err;
}

enum err broker_ask(struct broker *broker, uint16_t id, union wire_any *msg,
		    struct broker_request *request)
{
	enum err err;

	if (!broker->channel || broker->count >= BROKER_REQUESTS_MAX)
		return ERR_UNAVAILABLE;
	request->id = next_id(broker);
	msg->me.request = request->id; /* every request begins with it */
	err = channel_send(broker->channel, id, msg, -1);
	if (err == ERR_FULL || err == ERR_CLOSED)
		return ERR_UNAVAILABLE;
	if (err)
		return err;
	request->broker = broker;
	request->message = id;
	request->deadline_ms =
		clock_mono_ms() + (id == MSG_record_ask ? BROKER_RECORD_MS : BROKER_ANSWER_MS);
	request->previous = NULL;
	request->next = broker->first;
	if (broker->first)
		broker->first->previous = request;
	broker->first = request;
	broker->count++;
	return OK;
}

void broker_cancel(struct broker_request *request)
{
	struct broker *broker = request->broker;

	if (!broker)
		return;
	remove_request(request);
	if (request->message == MSG_record_ask && broker->channel) {
		const struct msg_record_ask_gone msg = { .request = request->id };
		enum err err = channel_send(broker->channel, MSG_record_ask_gone, &msg, -1);

		if (err)
			log_warn("record-ask-gone", "error=%s", err_code(err));
	}
}

static struct broker_request *find_overdue(const struct broker *broker, uint64_t now_ms)
{
	struct broker_request *request = broker->first;

	while (request && request->deadline_ms > now_ms)
		request = request->next;
	return request;
}

void broker_tick(struct broker *broker, uint64_t now_ms)
{
	struct broker_request *request;

	while ((request = find_overdue(broker, now_ms))) {
		remove_request(request);
		request->done(request, ERR_TIMEOUT, NULL, -1);
	}
}
