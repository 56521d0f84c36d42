/*
 * sekisho-edge - what the internet can reach: TLS, HTTP and WebSockets. It decides nothing; it
 * checks the form, names the device that the handshake proved, and asks the broker.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "edge/server.h"

/* Looks at the certificate of another CA; a descriptor, because timers of the loop do not show. */
static struct watch {
	struct loop_io io;
	struct tls_folder *folder; /* NULL: not set */
} watch = { .io.fd = -1 };

enum {
	ADDRESSES_MAX = 4096,
	CSR_MAX = 8192,
	FILES_SPARE = 64 + REFUSED_MAX,
	FILES_PER_CONNECTION = 3,
};

static void take_config(void *ctx, const struct msg_edge_config *config)
{
	struct edge *edge = ctx;
	enum err err = tls_update(edge->tls, config);

	if (err)
		log_error("edge-config-refused", "error=%s", err_code(err));
	else
		log_info("edge-config", "crl=%s", config->crl.len ? "yes" : "no");
}

static void take_message(void *ctx, struct channel *channel, const struct wire_type *type,
			 const union wire_any *msg, int fd)
{
	struct edge *edge = ctx;

	(void)channel;
	if (type->id == MSG_link && msg->link.peer == WIRE_BROKER) {
		log_info("broker-link", "%s", "");
		if (broker_link(edge->broker, fd))
			log_error("broker-link-failed", "%s", "");
		return;
	}
	log_error("monitor-unexpected", "message=%s", type->name);
	if (fd >= 0)
		close(fd);
}

static void monitor_lost(void *ctx, struct channel *channel, enum err why)
{
	struct edge *edge = ctx;

	(void)channel;
	log_info("monitor-gone", "error=%s", err_code(why));
	edge->monitor = NULL;
	edge->stopping = true;
}

static const struct channel_ops monitor_ops = { .message = take_message, .closed = monitor_lost };

static void stop(void *ctx, int signal)
{
	struct edge *edge = ctx;

	log_info("stopping", "signal=%d", signal);
	edge->stopping = true;
}

static enum err set_up_loop(struct edge *edge)
{
	enum err err = loop_new(&edge->loop);

	if (!err)
		err = loop_signal(edge->loop, SIGTERM, stop, edge);
	if (!err)
		err = loop_signal(edge->loop, SIGINT, stop, edge);
	return err;
}

static enum err set_up_listener(struct edge *edge, struct listener *listener,
				enum listener_kind kind, uint16_t port)
{
	enum err err;

	listener->edge = edge;
	listener->kind = kind;
	err = site_init(&listener->site, edge->settings->gateway_name, port);
	if (err) {
		log_error("settings",
			  "key=gateway.name value=\"%s\" allowed=\"a host name or address\"",
			  edge->settings->gateway_name);
		return err;
	}
	err = child_wait_listener(kind, &listener->fd);
	if (err)
		log_error("no-listener", "listener=%s error=%s", listener_kind_code(kind),
			  err_code(err));
	return err;
}

static enum err set_up_limits(struct edge *edge)
{
	const struct settings *settings = edge->settings;
	const struct limits_settings gateway = {
		.connections = (size_t)settings->limits_connections,
		.connections_per_address = (size_t)settings->limits_connections_per_address,
		.requests_per_minute = (uint32_t)settings->limits_requests_per_minute,
		.addresses = MAX((size_t)settings->limits_connections, (size_t)ADDRESSES_MAX),
		.ipv6_bytes = 8,
	};
	struct limits_settings enrol = gateway;
	enum err err;

	enrol.connections = EDGE_ENROL_CONNECTIONS;
	enrol.connections_per_address = EDGE_ENROL_PER_ADDRESS;
	enrol.addresses = ADDRESSES_MAX;
	enrol.ipv6_bytes = 6; /* whoever has a /48 has 65,536 of the networks above */
	err = limits_new(&gateway, &edge->gateway.limits);
	return err ? err : limits_new(&enrol, &edge->enrol.limits);
}

static enum err set_up_files(struct edge *edge)
{
	const char *folder = edge->settings->gateway_viewer_dir;
	enum err err = static_load(folder, &edge->files);

	/* The API and the streams work without; whoever packages no viewer brings their own. */
	if (err == ERR_NOT_FOUND) {
		log_warn("no-viewer", "path=\"%s\"", folder);
		return OK;
	}
	if (!err)
		log_info("viewer", "path=\"%s\" files=%zu", folder, static_count(edge->files));
	return err;
}

/* The certificate comes from the signer by way of the broker. */
static enum err set_up_office(struct edge *edge, const char *folder)
{
	const struct broker_ops ops = { .config = take_config, .ctx = edge };
	_cleanup_buf_ struct buf csr;
	int fd;
	enum err err;

	buf_init(&csr, CSR_MAX);
	err = tls_open(folder, &edge->tls);
	if (!err)
		err = tls_request(edge->tls, edge->settings->gateway_name, &csr);
	if (!err)
		err = broker_new(edge->loop, &ops, &csr, &edge->broker);
	if (!err)
		err = child_wait_link(WIRE_BROKER, &fd);
	if (!err)
		err = broker_link(edge->broker, fd);
	if (!err)
		err = broker_wait(edge->broker);
	if (!err && tls_renew_at(edge->tls) == INT64_MAX)
		err = ERR_CRYPTO; /* what came was refused, and logged */
	if (err)
		log_error("no-certificate", "error=%s", err_code(err));
	return err;
}

static void look_again(struct loop_io *io, uint32_t events)
{
	uint64_t times;

	(void)events;
	if (read(io->fd, &times, sizeof(times)) == (ssize_t)sizeof(times))
		tls_folder_look(watch.folder, clock_wall_s());
}

/* gateway.certificate_dir: before the sandbox, which must know where its links lead. */
static enum err set_up_certificate_dir(struct edge *edge)
{
	const struct itimerspec every = { .it_interval.tv_sec = TLS_FOLDER_LOOK_S,
					  .it_value.tv_sec = TLS_FOLDER_LOOK_S };
	const struct settings *settings = edge->settings;
	enum err err;
	int fd;

	if (!*settings->gateway_certificate_dir)
		return OK;
	err = tls_folder_new(settings->gateway_certificate_dir, settings->gateway_name,
			     clock_wall_s(), &watch.folder);
	if (err)
		return err;
	tls_show(edge->tls, watch.folder);
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) < 0)
		return err_from_errno(errno);
	return loop_io_init(edge->loop, &watch.io, fd, EPOLLIN, look_again);
}

static size_t files_wanted(const struct edge *edge)
{
	size_t connections = (size_t)edge->settings->limits_connections + EDGE_ENROL_CONNECTIONS;

	return connections * FILES_PER_CONNECTION + FILES_SPARE;
}

/* Before libwebsockets sizes its tables by it. */
static enum err limit_files(const struct edge *edge)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_from_errno(errno);
	if (limit.rlim_max < files_wanted(edge)) {
		log_error("open-files", "allowed=%llu wanted=%zu",
			  (unsigned long long)limit.rlim_max, files_wanted(edge));
		return ERR_FULL;
	}
	limit.rlim_cur = files_wanted(edge);
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? err_from_errno(errno) : OK;
}

static enum err close_in(const struct edge *edge, const char *folder)
{
	/* Names of files only with a folder to read them from. */
	static const char *const calls[] = { "accept4", "openat" };
	struct sandbox_path paths[1 + TLS_FOLDER_PLACES] = { { folder, SANDBOX_WRITE } };
	struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = 1,
		.paths = paths,
		.path_count = 1,
		.open_files = files_wanted(edge),
		.may_lack_landlock = !edge->settings->gateway_require_landlock,
	};

	if (watch.folder) {
		sandbox.syscall_count = ARRAY_SIZE(calls);
		sandbox.path_count += tls_folder_places(watch.folder, paths + 1);
	}
	return sandbox_enter(&sandbox);
}

/* Of the address that people type: a port forwarding may stand in between. */
static uint16_t public_port(int64_t outside, const struct config_listen *inside)
{
	return outside ? (uint16_t)outside : inside->port;
}

static enum err start(struct edge *edge, struct child *child)
{
	const struct settings *settings = &child->settings;
	enum err err;

	edge->settings = settings;
	err = limit_files(edge);
	if (!err)
		err = set_up_loop(edge);
	if (!err)
		err = set_up_listener(
			edge, &edge->gateway, LISTENER_GATEWAY,
			public_port(settings->gateway_public_port, &settings->gateway_listen));
	if (!err)
		err = set_up_listener(edge, &edge->enrol, LISTENER_ENROL,
				      public_port(settings->gateway_enrol_public_port,
						  &settings->gateway_enrol_listen));
	if (!err)
		err = set_up_limits(edge);
	if (!err)
		err = set_up_files(edge);
	if (!err)
		err = set_up_office(edge, child->state_dir);
	if (!err)
		err = set_up_certificate_dir(edge);
	if (!err)
		err = server_start(edge);
	if (!err)
		err = close_in(edge, child->state_dir);
	if (!err)
		err = child_channel(child, edge->loop, &monitor_ops, edge, &edge->monitor);
	return err;
}

int main(int argc, char **argv)
{
	static struct child child;
	static struct edge edge;
	enum err err;
	int code;

	api_init();
	child_start(&child, WIRE_EDGE, "edge", argc, argv);
	err = start(&edge, &child);
	if (err) {
		log_error("start-failed", "error=%s", err_code(err));
		return 1;
	}
	log_info("started", "gateway=%s enrol=%s", edge.gateway.site.origin,
		 edge.enrol.site.origin);
	code = server_run(&edge);
	server_finish(&edge);
	channel_free(edge.monitor);
	broker_free(edge.broker);
	limits_free(edge.gateway.limits);
	limits_free(edge.enrol.limits);
	static_free(edge.files);
	tls_free(edge.tls);
	loop_io_finish(&watch.io);
	if (watch.io.fd >= 0)
		close(watch.io.fd);
	tls_folder_free(watch.folder);
	loop_free(edge.loop);
	return code;
}
