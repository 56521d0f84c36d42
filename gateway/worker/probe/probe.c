#include "worker/probe/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/util.h"

struct probe {
	struct probe *next; /* waiting or running */
	struct prober *prober;
	struct msg_probe msg;
	char address[256]; /* msg.address points here */
	uint64_t started_us;
	bool resolving; /* the resolver still has us */
	bool answered;
	struct addrinfo *list, *at; /* addresses, and the one being tried */
	struct loop_io io;
	int fd; /* -1 */
	struct loop_timer timeout;
};

struct prober {
	struct loop *loop;
	struct resolver *resolver;
	probe_func *probed;
	void *ctx;
	struct probe *waiting, **waiting_end, *running;
	size_t waiting_count, running_count;
	bool starting; /* inside run_waiting */
};

static void disconnect(struct probe *probe)
{
	if (probe->fd < 0)
		return;
	loop_io_finish(&probe->io);
	close(util_take_fd(&probe->fd));
}

static void probe_free(struct probe *probe)
{
	disconnect(probe);
	loop_timer_cancel(&probe->timeout);
	if (probe->list)
		freeaddrinfo(probe->list);
	free(probe);
}

static void run_waiting(struct prober *prober);

static void unlink_running(struct prober *prober, struct probe *probe)
{
	struct probe **at = &prober->running;

	while (*at != probe)
		at = &(*at)->next;
	*at = probe->next;
}

/* Says the result; the probe is gone after this, or when the resolver gives it back. */
static void answer(struct probe *probe, bool reachable)
{
	struct prober *prober = probe->prober;
	uint64_t took_us = clock_mono_us() - probe->started_us;
	const struct msg_probed msg = { .host = probe->msg.host,
					.reachable = reachable,
					.took_us = (uint32_t)MIN(took_us, UINT32_MAX) };

	probe->answered = true;
	prober->running_count--;
	loop_timer_cancel(&probe->timeout);
	disconnect(probe);
	if (!probe->resolving) {
		unlink_running(prober, probe);
		probe_free(probe);
	}
	prober->probed(prober->ctx, &msg);
	run_waiting(prober);
}

/*
 * With TCP_QUICKACK off the kernel holds back the handshake's last acknowledgement, and with no
 * linger close() sends a reset instead: the server's accept() never returns. Otherwise every look
 * would count as a failed login with servers that shut out an address after some connections
 * without one (TigerVNC).
 */
static bool set_options(int fd)
{
	const struct linger reset = { 1, 0 };
	const int off = 0;

	return setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0;
}

static void ready(struct loop_io *io, uint32_t events);

/* One address. */
static bool begin_connect(struct probe *probe, const struct addrinfo *info)
{
	probe->fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd < 0)
		return false;
	bool good = set_options(probe->fd) &&
		    (connect(probe->fd, info->ai_addr, info->ai_addrlen) == 0 ||
		     errno == EINPROGRESS) &&
		    loop_io_init(probe->prober->loop, &probe->io, probe->fd, EPOLLOUT, ready) == OK;
	if (!good)
		close(util_take_fd(&probe->fd));
	return good;
}

static void try_next(struct probe *probe)
{
	for (; probe->at; probe->at = probe->at->ai_next) {
		if (begin_connect(probe, probe->at)) {
			probe->at = probe->at->ai_next;
			return;
		}
	}
	answer(probe, false);
}

static void ready(struct loop_io *io, uint32_t events)
{
	struct probe *probe = container_of(io, struct probe, io);
	int failure = 0;
	socklen_t len = sizeof(failure);

	(void)events;
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &failure, &len) == 0 && failure == 0) {
		answer(probe, true);
		return;
	}
	disconnect(probe);
	try_next(probe);
}

static void resolved(void *ctx, struct addrinfo *list)
{
	struct probe *probe = ctx;

	probe->resolving = false;
	probe->list = list;
	probe->at = list;
	if (probe->answered) {
		unlink_running(probe->prober, probe);
		probe_free(probe);
		return;
	}
	try_next(probe);
}

static void timed_out(struct loop_timer *timer)
{
	answer(container_of(timer, struct probe, timeout), false);
}

static void run(struct prober *prober, struct probe *probe)
{
	probe->next = prober->running;
	prober->running = probe;
	prober->running_count++;
	probe->started_us = clock_mono_us();
	probe->resolving = true;
	loop_timer_set(&probe->timeout, PROBE_TIMEOUT_US);
	if (resolver_ask(prober->resolver, probe->address, probe->msg.port, SOCK_STREAM, resolved,
			 probe)) {
		probe->resolving = false;
		answer(probe, false);
	}
}

static void run_waiting(struct prober *prober)
{
	/* Those that are answered at once come back here: one after the other, not one inside the
	 * other. */
	if (prober->starting)
		return;
	prober->starting = true;
	while (prober->waiting && prober->running_count < PROBE_AT_ONCE) {
		struct probe *probe = prober->waiting;
		prober->waiting = probe->next;
		prober->waiting_count--;
		if (!prober->waiting)
			prober->waiting_end = &prober->waiting;
		run(prober, probe);
	}
	prober->starting = false;
}

enum err prober_new(struct loop *loop, struct resolver *resolver, probe_func *probed, void *ctx,
		    struct prober **ret)
{
	struct prober *prober = calloc(1, sizeof(*prober));

	if (!prober)
		return ERR_NOMEM;
	*prober =
		(struct prober){ .loop = loop, .resolver = resolver, .probed = probed, .ctx = ctx };
	prober->waiting_end = &prober->waiting;
	*ret = prober;
	return OK;
}

static void free_list(struct probe *probe)
{
	while (probe) {
		struct probe *next = probe->next;
		probe_free(probe);
		probe = next;
	}
}

void prober_free(struct prober *prober)
{
	if (!prober)
		return;
	free_list(prober->waiting);
	free_list(prober->running);
	free(prober);
}

enum err prober_probe(struct prober *prober, const struct msg_probe *msg)
{
	size_t len = strlen(msg->address);
	struct probe *probe;

	if (prober->waiting_count >= PROBE_WAITING_MAX)
		return ERR_FULL;
	if (len >= sizeof(probe->address))
		return ERR_TOO_BIG;
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return ERR_NOMEM;
	*probe = (struct probe){ .prober = prober, .msg = *msg, .fd = -1 };
	memcpy(probe->address, msg->address, len + 1);
	probe->msg.address = probe->address;
	loop_timer_init(prober->loop, &probe->timeout, timed_out);
	*prober->waiting_end = probe;
	prober->waiting_end = &probe->next;
	prober->waiting_count++;
	run_waiting(prober);
	return OK;
}
