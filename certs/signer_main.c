/*
 * sekisho-signer: the process that holds the office CA's key. It speaks to the broker alone.
 */
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "certs/issuer.h"
#include "wire/child.h"
#include "wire/enums.h"

enum { CERTIFICATE_MAX = 8192, CRL_MAX = 65536, OPEN_FILES = 32 };

struct signer {
	struct child child;
	struct loop *loop;
	struct channel *monitor;
	struct channel *broker; /* NULL while there is none */
	struct issuer issuer;
};

static void send_to_broker(struct signer *signer, uint16_t id, const void *msg)
{
	enum err err = channel_send(signer->broker, id, msg, -1);

	if (err)
		log_warn("answer-lost", "error=%s", err_code(err));
}

static void answer_sign(struct signer *signer, const struct msg_sign *order)
{
	_cleanup_buf_ struct buf certificate, ca;
	struct msg_certified answer = { .request = order->request };

	buf_init(&certificate, CERTIFICATE_MAX);
	buf_init(&ca, CERTIFICATE_MAX);
	enum err err =
		issuer_sign(&signer->issuer, order, clock_wall_ms(), clock_mono_ms(), &certificate);
	if (!err)
		err = issuer_ca(&signer->issuer, &ca);
	if (err) {
		log_warn("sign-refused", "profile=%s error=%s", cert_profile_code(order->profile),
			 err_code(err));
		answer.error = (uint8_t)err;
	} else {
		log_info("signed", "profile=%s name=%s owner=%s", cert_profile_code(order->profile),
			 log_quote(order->name), log_quote(order->owner));
		answer.certificate = (struct bytes){ certificate.data, certificate.len };
		answer.ca = (struct bytes){ ca.data, ca.len };
	}
	send_to_broker(signer, MSG_certified, &answer);
}

static void answer_show_ca(struct signer *signer, const struct msg_show_ca *order)
{
	_cleanup_buf_ struct buf ca;
	struct msg_certified answer = { .request = order->request };

	buf_init(&ca, CERTIFICATE_MAX);
	answer.error = (uint8_t)issuer_ca(&signer->issuer, &ca);
	if (!answer.error)
		answer.ca = (struct bytes){ ca.data, ca.len };
	send_to_broker(signer, MSG_certified, &answer);
}

static void answer_make_crl(struct signer *signer, const struct msg_make_crl *order)
{
	_cleanup_buf_ struct buf crl;
	struct msg_made_crl answer = { .request = order->request };

	buf_init(&crl, CRL_MAX);
	enum err err =
		issuer_make_crl(&signer->issuer, order, clock_wall_ms(), clock_mono_ms(), &crl);
	if (err) {
		log_warn("crl-refused", "error=%s", err_code(err));
		answer.error = (uint8_t)err;
	} else {
		answer.crl = (struct bytes){ crl.data, crl.len };
	}
	send_to_broker(signer, MSG_made_crl, &answer);
}

static void on_broker_message(void *ctx, struct channel *channel, const struct wire_type *type,
			      const union wire_any *msg, int fd)
{
	struct signer *signer = ctx;

	(void)channel;
	util_closep(&fd);
	switch (type->id) {
	case MSG_sign:
		answer_sign(signer, &msg->sign);
		break;
	case MSG_show_ca:
		answer_show_ca(signer, &msg->show_ca);
		break;
	case MSG_make_crl:
		answer_make_crl(signer, &msg->make_crl);
		break;
	default:
		log_warn("unexpected-message", "type=%s", type->name);
	}
}

/* The monitor starts another broker and sends a link to it. */
static void on_broker_closed(void *ctx, struct channel *channel, enum err why)
{
	struct signer *signer = ctx;

	(void)channel;
	signer->broker = NULL;
	log_info("broker-gone", "error=%s", err_code(why));
}

static const struct channel_ops broker_ops = { on_broker_message, on_broker_closed };

static void on_monitor_message(void *ctx, struct channel *channel, const struct wire_type *type,
			       const union wire_any *msg, int fd)
{
	struct signer *signer = ctx;

	(void)channel;
	if (type->id != MSG_link || msg->link.peer != WIRE_BROKER) {
		util_closep(&fd);
		log_warn("unexpected-message", "type=%s", type->name);
		return;
	}
	channel_free(util_take_ptr(signer->broker));
	enum err err = channel_new(signer->loop, fd, WIRE_SIGNER, WIRE_BROKER, &broker_ops, signer,
				   &signer->broker);
	if (err)
		log_error("broker-link", "error=%s", err_code(err));
}

static void on_monitor_closed(void *ctx, struct channel *channel, enum err why)
{
	struct signer *signer = ctx;

	(void)channel;
	signer->monitor = NULL;
	loop_stop(signer->loop, why == ERR_CLOSED ? 0 : 1);
}

static const struct channel_ops monitor_ops = { on_monitor_message, on_monitor_closed };

static void on_signal(void *ctx, int signal)
{
	struct signer *signer = ctx;

	/* Ctrl-C on a terminal reaches all processes; the monitor then stops them in order. */
	if (signal == SIGTERM)
		loop_stop(signer->loop, 0);
}

static enum err confine(const struct settings *settings)
{
	/* The journal: files are open already, and none is opened later. */
	static const char *const calls[] = { "fsync", "ftruncate" };
	const struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = ARRAY_SIZE(calls),
		.open_files = OPEN_FILES,
		.may_lack_landlock = !settings->gateway_require_landlock,
	};

	return sandbox_enter(&sandbox);
}

static enum err open_issuer(struct signer *signer)
{
	bool made = false;
	enum err err = issuer_init(&signer->issuer, signer->child.state_dir,
				   signer->child.settings.gateway_office, clock_wall_s(), &made);

	if (!err && made)
		log_info("ca-made", "folder=\"%s\"", signer->child.state_dir);
	return err;
}

static enum err start(struct signer *signer)
{
	enum err err = open_issuer(signer);

	if (!err)
		err = loop_new(&signer->loop);
	if (!err)
		err = loop_signal(signer->loop, SIGTERM, on_signal, signer);
	if (!err)
		err = loop_signal(signer->loop, SIGINT, on_signal, signer);
	if (!err)
		err = confine(&signer->child.settings);
	if (!err)
		err = child_channel(&signer->child, signer->loop, &monitor_ops, signer,
				    &signer->monitor);
	return err;
}

int main(int argc, char **argv)
{
	static struct signer signer = { .issuer.journal.fd = -1 };
	int code = 1;

	child_start(&signer.child, WIRE_SIGNER, "signer", argc, argv);
	enum err err = start(&signer);
	if (err)
		log_error("start-failed", "folder=\"%s\" error=%s text=\"%s\"",
			  signer.child.state_dir, err_code(err), err_text_en(err));
	else
		code = loop_run(signer.loop);
	channel_free(signer.broker);
	channel_free(signer.monitor);
	loop_free(signer.loop);
	issuer_finish(&signer.issuer);
	return code;
}
