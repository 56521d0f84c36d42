#include "siem/courier.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/util.h"
#include "siem/syslog.h"

static void forget_batch(struct courier *courier)
{
	loop_timer_cancel(&courier->again);
	buf_clear(&courier->messages);
	courier->first = courier->next = 0;
	courier->sending = false;
	courier->pause_s = COURIER_FIRST_PAUSE_S;
}

static void tell_broker(struct courier *courier, uint16_t id, const void *msg)
{
	enum err err = courier->broker ? channel_send(courier->broker, id, msg, -1) : ERR_CLOSED;

	if (err)
		log_warn("answer-lost", "error=%s", err_code(err));
}

/* ---- delivering ------------------------------------------------------------------------- */

static void delivered(struct courier *courier)
{
	const struct msg_siem_delivered msg = { .first = courier->first,
						.last = courier->next - 1 };

	forget_batch(courier);
	tell_broker(courier, MSG_siem_delivered, &msg);
}

static void not_delivered(struct courier *courier, const struct collector_result *result)
{
	const struct msg_siem_failed msg = { .kind = (uint8_t)result->trouble,
					     .text = result->text,
					     .retry_s = (uint32_t)courier->pause_s };

	log_warn("collector", "error=%s text=%s first=%" PRIu64 " retry_s=%u",
		 siem_trouble_code(result->trouble), log_quote(result->text), courier->first,
		 msg.retry_s);
	loop_timer_set(&courier->again, (uint64_t)courier->pause_s * 1000000);
	courier->pause_s = MIN(courier->pause_s * 2, courier->settings->siem_retry_seconds);
	tell_broker(courier, MSG_siem_failed, &msg);
}

static void deliver(struct loop_timer *timer)
{
	struct courier *courier = container_of(timer, struct courier, again);
	const struct settings *settings = courier->settings;
	const struct collector collector = {
		.address = settings->siem_address,
		.name = settings->siem_name,
		.folder = settings->siem_certificate_dir,
		.port = (uint16_t)settings->siem_port,
		.timeout_ms = (int)settings->siem_timeout_seconds * 1000,
	};
	const struct collector_result result = collector_deliver(&collector, &courier->messages);

	if (result.trouble)
		not_delivered(courier, &result);
	else
		delivered(courier);
}

/* ---- the broker ------------------------------------------------------------------------- */

static enum err take_entry(struct courier *courier, const struct msg_siem_entry *entry)
{
	if (courier->sending || (courier->next && entry->seq != courier->next) || !entry->seq)
		return ERR_PROTOCOL;
	if (!courier->next)
		courier->first = entry->seq;
	courier->next = entry->seq + 1;
	return syslog_add(&courier->messages, entry, courier->settings->gateway_name);
}

static enum err take_order(struct courier *courier, const struct msg_siem_send *send)
{
	if (courier->sending || !courier->next || send->first != courier->first ||
	    send->last != courier->next - 1)
		return ERR_PROTOCOL;
	courier->sending = true;
	loop_timer_set(&courier->again, 0);
	return OK;
}

static void broker_message(void *ctx, struct channel *channel, const struct wire_type *type,
			   const union wire_any *msg, int fd)
{
	struct courier *courier = ctx;
	enum err err = ERR_PROTOCOL;

	util_closep(&fd);
	if (type->id == MSG_siem_entry)
		err = take_entry(courier, &msg->siem_entry);
	else if (type->id == MSG_siem_send)
		err = take_order(courier, &msg->siem_send);
	if (!err)
		return;
	/* Nothing may be left out: the next process begins anew with the same batch. */
	log_error("batch-refused", "type=%s error=%s", type->name, err_code(err));
	channel_free(channel);
	courier->broker = NULL;
	loop_stop(courier->loop, EXIT_FAILURE);
}

static void broker_closed(void *ctx, struct channel *channel, enum err why)
{
	struct courier *courier = ctx;

	(void)channel;
	(void)why;
	courier->broker = NULL;
	forget_batch(courier);
}

static const struct channel_ops broker_ops = { broker_message, broker_closed };

enum err courier_link(struct courier *courier, int fd)
{
	channel_free(util_take_ptr(courier->broker));
	forget_batch(courier);
	return channel_new(courier->loop, fd, WIRE_SIEM, WIRE_BROKER, &broker_ops, courier,
			   &courier->broker);
}

/* ---- life ------------------------------------------------------------------------------- */

void courier_init(struct courier *courier, struct loop *loop, const struct settings *settings)
{
	*courier = (struct courier){ .loop = loop, .settings = settings };
	buf_init(&courier->messages, COURIER_BYTES_MAX);
	loop_timer_init(loop, &courier->again, deliver);
	forget_batch(courier);
}

void courier_finish(struct courier *courier)
{
	loop_timer_cancel(&courier->again);
	channel_free(courier->broker);
	buf_finish(&courier->messages);
}
