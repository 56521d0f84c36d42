/*
 * sekisho-siem: brings the audit log to a collector. It reads nothing but what the broker hands it,
 * and the network is the collector's port alone. Entries are translated here, not in the broker:
 * what speaks to the network is the part to lose, and the broker stays small.
 */
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>

#include "base/landlock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "siem/courier.h"
#include "wire/child.h"

enum { OPEN_FILES = 64 };

struct process {
	struct child child;
	struct loop *loop;
	struct channel *monitor;
	struct courier courier;
};

static void monitor_message(void *ctx, struct channel *channel, const struct wire_type *type,
			    const union wire_any *msg, int fd)
{
	struct process *process = ctx;

	(void)channel;
	if (type->id != MSG_link || msg->link.peer != WIRE_BROKER) {
		util_closep(&fd);
		log_warn("unexpected-message", "type=%s", type->name);
		return;
	}
	enum err err = courier_link(&process->courier, fd);
	if (err)
		log_error("broker-link", "error=%s", err_code(err));
}

static void monitor_closed(void *ctx, struct channel *channel, enum err why)
{
	struct process *process = ctx;

	(void)channel;
	process->monitor = NULL;
	loop_stop(process->loop, why == ERR_CLOSED ? 0 : 1);
}

static const struct channel_ops monitor_ops = { monitor_message, monitor_closed };

/* What is being delivered is delivered first: nothing is sent twice at an orderly end. */
static void on_signal(void *ctx, int signal)
{
	struct process *process = ctx;

	if (signal == SIGTERM)
		loop_stop(process->loop, 0);
}

static enum err confine(const struct process *process)
{
	static const char *const calls[] = { "socket", "connect", "bind", "openat", "access" };
	const struct settings *settings = &process->child.settings;
	/* The certificates, and what getaddrinfo reads. */
	const struct sandbox_path paths[] = {
		{ settings->siem_certificate_dir, SANDBOX_READ },
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
		.open_files = OPEN_FILES,
		.may_lack_landlock = !settings->gateway_require_landlock,
	};
	enum err err = landlock_connect_only((uint16_t)settings->siem_port);

	return err ? err : sandbox_enter(&sandbox);
}

static enum err start(struct process *process)
{
	enum err err = loop_new(&process->loop);

	if (err)
		return err;
	courier_init(&process->courier, process->loop, &process->child.settings);
	err = loop_signal(process->loop, SIGTERM, on_signal, process);
	if (!err)
		err = loop_signal(process->loop, SIGINT, on_signal, process);
	if (!err)
		err = confine(process);
	return err ? err
		   : child_channel(&process->child, process->loop, &monitor_ops, process,
				   &process->monitor);
}

/* Its settings and algorithms are read while files may be. */
static bool warm_up(void)
{
	SSL_CTX *ctx = OPENSSL_init_ssl(0, NULL) ? SSL_CTX_new(TLS_client_method()) : NULL;

	SSL_CTX_free(ctx);
	return ctx != NULL;
}

int main(int argc, char **argv)
{
	static struct process process;
	int code = EXIT_FAILURE;

	/* Names that a dead server cannot hold up for long; resolv.conf(5). */
	setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
	child_start(&process.child, WIRE_SIEM, "siem", argc, argv);
	enum err err = warm_up() ? start(&process) : ERR_CRYPTO;
	if (err)
		log_error("start-failed", "error=%s text=\"%s\"", err_code(err), err_text_en(err));
	else
		code = loop_run(process.loop);
	channel_free(process.monitor);
	if (process.loop)
		courier_finish(&process.courier);
	loop_free(process.loop);
	return code;
}
