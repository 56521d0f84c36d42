#include "edge/accept.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"

enum { ACCEPT_TURN_MAX = 32 }; /* connections per turn */

static void address_text(const struct sockaddr_storage *peer, char *text, size_t room)
{
	const struct sockaddr_in6 *in6 = (const void *)peer;
	const struct sockaddr_in *in = (const void *)peer;

	text[0] = 0;
	if (peer->ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, text, (socklen_t)room);
	else if (peer->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, text, (socklen_t)room);
	else if (peer->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, text, (socklen_t)room);
}

static bool handshake_done(const struct connection *connection)
{
	SSL *ssl = connection->wsi ? lws_get_ssl(connection->wsi) : NULL;

	return ssl && SSL_is_init_finished(ssl);
}

/* Without a handshake, and so on the gateway without a certificate; the list has the newest first.
 */
static struct connection *oldest_unfinished(const struct listener *listener, size_t *ret_count)
{
	struct connection *oldest = NULL;

	*ret_count = 0;
	for (struct connection *at = listener->edge->connections; at; at = at->next) {
		if (at->listener != listener || !at->wsi || !at->address || handshake_done(at))
			continue;
		oldest = at;
		++*ret_count;
	}
	return oldest;
}

static void drop(struct connection *connection)
{
	log_debug("connection-dropped", "address=%s reason=handshake", connection->address_text);
	connection_uncount(connection);
	/* Asked to close it, libwebsockets would first wait for the peer's part of the TLS closure;
	 * now it finds it ended in this turn or the next. */
	if (shutdown(lws_get_socket_fd(connection->wsi), SHUT_RDWR) < 0)
		log_debug("connection-shutdown", "error=\"%s\"", strerror(errno));
}

/*
 * Strangers can connect, but not finish the handshake: they may have half of the connections among
 * them, and the oldest makes room for the next, who may be from the office.
 */
static enum err admit(struct listener *listener, const struct sockaddr_storage *peer,
		      struct limits_address **ret)
{
	const struct sockaddr *address = (const void *)peer;
	enum err err = limits_connect(listener->limits, address, clock_mono_ms(), ret);
	struct connection *oldest;
	size_t count;

	if (err && err != ERR_FULL)
		return err;
	oldest = oldest_unfinished(listener, &count);
	if (oldest && (err || count >= limits_most(listener->limits) / 2))
		drop(oldest);
	return err ? limits_connect(listener->limits, address, clock_mono_ms(), ret) : OK;
}

/* Takes over fd. */
static void adopt_connection(struct listener *listener, int fd, const struct sockaddr_storage *peer)
{
	struct edge *edge = listener->edge;
	lws_adopt_desc_t adopt = {
		.vh = listener->vhost,
		.type = (lws_adoption_type)(LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP |
					    LWS_ADOPT_ALLOW_SSL),
	};
	struct limits_address *address;
	struct connection *connection;
	struct lws *wsi;
	char text[64];
	int on = 1;

	address_text(peer, text, sizeof(text));
	if (admit(listener, peer, &address)) {
		log_debug("connection-refused", "address=%s reason=limit", text);
		close(fd);
		return;
	}
	if (connection_new(listener, address, text, &connection)) {
		limits_disconnect(listener->limits, address);
		close(fd);
		return;
	}
	/* A mouse move is a packet. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		log_debug("no-delay", "error=\"%s\"", strerror(errno));
	adopt.fd.sockfd = fd;
	adopt.opaque = connection;
	edge->adopting = connection;
	/* libwebsockets closes fd when it fails; with or without telling us that the wsi was
	 * destroyed. */
	wsi = lws_adopt_descriptor_vhost_via_info(&adopt);
	if (wsi && edge->adopting)
		connection->wsi = wsi;
	else if (edge->adopting)
		connection_free(connection);
	edge->adopting = NULL;
}

int accept_waiting(struct listener *listener)
{
	for (int i = 0; i < ACCEPT_TURN_MAX; i++) {
		struct sockaddr_storage peer = { 0 };
		socklen_t len = sizeof(peer);
		int fd = accept4(listener->fd, (struct sockaddr *)&peer, &len,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			adopt_connection(listener, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warn("accept-paused", "error=\"%s\"", strerror(errno));
			listener->paused = true;
			return lws_rx_flow_control(listener->wsi, 0);
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return 0;
	}
	return 0;
}
