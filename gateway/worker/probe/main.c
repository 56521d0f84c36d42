/*
 * sekisho-probe - looks whether PCs answer and wakes them, on the broker's behalf. It reads nothing
 * from a PC.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "wire/child.h"
#include "worker/probe/probe.h"
#include "worker/probe/wake.h"

enum { PROBE_OPEN_FILES = 256 };

struct probe_process {
	struct child child;
	struct loop *loop;
	struct channel *monitor, *broker; /* broker: NULL while there is none */
	struct resolver *resolver;
	struct prober *prober;
};

/* ---- waking ----------------------------------------------------------------------------- */

struct wake_job {
	uint64_t host;
	uint8_t mac[WAKE_MAC];
};

static void wake_resolved(void *ctx, struct addrinfo *list)
{
	_cleanup_free_ struct wake_job *job = ctx;
	enum err err = wake_send(list, job->mac);

	if (err)
		log_warn("wake-failed", "host=%" PRIu64 " error=%s", job->host, err_code(err));
	if (list)
		freeaddrinfo(list);
}

static void wake_at(struct probe_process *process, const struct msg_wake *msg, const char *address,
		    uint16_t port)
{
	struct wake_job *job = malloc(sizeof(*job));
	enum err err = ERR_NOMEM;

	if (job) {
		job->host = msg->host;
		memcpy(job->mac, msg->mac, WAKE_MAC);
		err = resolver_ask(process->resolver, address, port, SOCK_DGRAM, wake_resolved,
				   job);
	}
	if (err) {
		log_warn("wake-failed", "host=%" PRIu64 " error=%s", msg->host, err_code(err));
		free(job);
	}
}

static void wake(struct probe_process *process, const struct msg_wake *msg)
{
	/* Cards listen to every port; switches and relays know discard (9) and echo (7). */
	static const uint16_t ports[] = { 9, 7 };
	const char *colon = strchr(msg->address, ':');
	char address[256];
	int64_t port;

	/* An IPv4 address may name the port of its relay; an IPv6 address has more colons. */
	if (colon && !strchr(colon + 1, ':') && !util_parse_i64(colon + 1, 1, UINT16_MAX, &port)) {
		snprintf(address, sizeof(address), "%.*s", (int)(colon - msg->address),
			 msg->address);
		wake_at(process, msg, address, (uint16_t)port);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		wake_at(process, msg, msg->address, ports[i]);
}

/* ---- the broker ------------------------------------------------------------------------- */

static void probed(void *ctx, const struct msg_probed *msg)
{
	struct probe_process *process = ctx;

	if (!process->broker)
		return;
	enum err err = channel_send(process->broker, MSG_probed, msg, -1);
	if (err)
		log_warn("answer-lost", "host=%" PRIu64 " error=%s", msg->host, err_code(err));
}

static void broker_message(void *ctx, struct channel *channel, const struct wire_type *type,
			   const union wire_any *msg, int fd)
{
	struct probe_process *process = ctx;

	(void)channel;
	if (fd >= 0)
		close(fd);
	if (type->id == MSG_wake) {
		wake(process, &msg->wake);
	} else if (type->id == MSG_probe) {
		enum err err = prober_probe(process->prober, &msg->probe);
		if (err)
			log_warn("probe-failed", "host=%" PRIu64 " error=%s", msg->probe.host,
				 err_code(err));
	}
}

static void broker_closed(void *ctx, struct channel *channel, enum err why)
{
	struct probe_process *process = ctx;

	(void)why;
	if (process->broker == channel)
		process->broker = NULL;
}

static const struct channel_ops broker_ops = { broker_message, broker_closed };

/* ---- the monitor ------------------------------------------------------------------------ */

static void monitor_message(void *ctx, struct channel *channel, const struct wire_type *type,
			    const union wire_any *msg, int fd)
{
	struct probe_process *process = ctx;

	(void)channel;
	if (type->id != MSG_link || msg->link.peer != WIRE_BROKER) {
		log_error("message-unexpected", "type=%s", type->name);
		if (fd >= 0)
			close(fd);
		return;
	}
	channel_free(process->broker);
	process->broker = NULL;
	enum err err = channel_new(process->loop, fd, WIRE_PROBE, WIRE_BROKER, &broker_ops, process,
				   &process->broker);
	if (err) {
		log_error("link-failed", "error=%s", err_code(err));
		loop_stop(process->loop, EXIT_FAILURE);
	}
}

static void monitor_closed(void *ctx, struct channel *channel, enum err why)
{
	struct probe_process *process = ctx;

	(void)channel;
	(void)why;
	loop_stop(process->loop, EXIT_SUCCESS);
}

static const struct channel_ops monitor_ops = { monitor_message, monitor_closed };

/* ---- start ------------------------------------------------------------------------------ */

static enum err enter_sandbox(const struct settings *settings)
{
	static const char *const calls[] = { "socket", "connect", "bind", "openat" };
	/* What getaddrinfo reads, and reads again when the network changes. */
	static const struct sandbox_path paths[] = {
		{ "/etc", SANDBOX_READ },
		{ "/run/systemd/resolve", SANDBOX_READ },
		{ "/run/resolvconf", SANDBOX_READ },
		{ "/run/NetworkManager", SANDBOX_READ },
		{ "/run/connman", SANDBOX_READ },
	};
	const struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = ARRAY_SIZE(calls),
		.paths = paths,
		.path_count = ARRAY_SIZE(paths),
		.open_files = PROBE_OPEN_FILES,
		.may_lack_landlock = !settings->gateway_require_landlock,
	};
	return sandbox_enter(&sandbox);
}

static void stop_asked(void *ctx, int signal)
{
	struct probe_process *process = ctx;

	(void)signal;
	loop_stop(process->loop, EXIT_SUCCESS);
}

static enum err start(struct probe_process *process)
{
	/* Signals first, so that the resolver's threads have them blocked. */
	enum err err = loop_new(&process->loop);

	if (!err)
		err = loop_signal(process->loop, SIGTERM, stop_asked, process);
	if (!err)
		err = enter_sandbox(&process->child.settings);
	if (!err)
		err = resolver_new(process->loop, &process->resolver);
	if (!err)
		err = prober_new(process->loop, process->resolver, probed, process,
				 &process->prober);
	if (!err)
		err = child_channel(&process->child, process->loop, &monitor_ops, process,
				    &process->monitor);
	return err;
}

int main(int argc, char **argv)
{
	static struct probe_process process;

	/* Names that a dead server cannot hold up for long; resolv.conf(5). */
	setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
	child_start(&process.child, WIRE_PROBE, "probe", argc, argv);
	enum err err = start(&process);
	if (err) {
		log_error("start-failed", "error=%s", err_code(err));
		return EXIT_FAILURE;
	}
	/* Nothing is freed: a thread may be inside getaddrinfo for seconds yet. */
	return loop_run(process.loop);
}
