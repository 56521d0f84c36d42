#include "edge/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "edge/accept.h"
#include "edge/http.h"
#include "edge/websocket.h"

enum {
	LIBRARY_LINES_MAX = 20, /* of libwebsockets in the log, per minute */
	RENEW_AGAIN_S = 3600,
	/* A whole packet with its header: else libwebsockets sends it in pieces of what it receives
	   at most. */
	WRITE_MAX = EDGE_PACKET_MAX + 64,
};

/* ---- TLS connections -------------------------------------------------------------------- */

/*
 * An Upgrade field is there. Only WebSocket goes on: libwebsockets would also take "h2c", inside
 * TLS too, and after an unknown one looks at the field again although it may be freed
 * (CVE-2025-11677). So the in argument is never touched, and everything else ends here.
 */
static int confirm_upgrade(struct connection *connection)
{
	char upgrade[32];
	enum err err;

	if (connection->exchange.state != EXCHANGE_NONE)
		return -1;
	connection_header(connection, WSI_TOKEN_UPGRADE, upgrade, sizeof(upgrade));
	err = strcasecmp(upgrade, "websocket") ? ERR_INVALID : websocket_judge(connection);
	return err ? http_refuse(connection, err) : 0;
}

static int connection_event(struct connection *connection, enum lws_callback_reasons reason,
			    void *in, size_t len)
{
	/* Dropped, but what it had sent before is still read. */
	if (!connection->address && reason != LWS_CALLBACK_WSI_DESTROY)
		return -1;
	switch ((int)reason) {
	case LWS_CALLBACK_HTTP:
		return http_request(connection, in, len);
	case LWS_CALLBACK_HTTP_BODY:
		return http_body(connection, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return http_body_end(connection);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return http_writeable(connection);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return confirm_upgrade(connection);
	/* Another or no subprotocol; and CONNECT, which libwebsockets takes for the wish to go raw.
	 */
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RAW_ADOPT:
	case LWS_CALLBACK_RAW_RX:
	case LWS_CALLBACK_RAW_WRITEABLE:
		return -1;
	case LWS_CALLBACK_WSI_DESTROY:
		if (connection->edge->adopting == connection)
			connection->edge->adopting = NULL;
		lws_set_opaque_user_data(connection->wsi, NULL);
		connection_free(connection);
		return 0;
	default:
		return 0;
	}
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		   size_t len)
{
	struct connection *connection;
	struct listener *listener;

	switch ((int)reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		listener = lws_vhost_user(in);
		refused_watch(&listener->edge->refused, user);
		return tls_setup(listener->edge->tls, user, listener->kind == LISTENER_GATEWAY) ? -1
												: 0;
	case LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION:
		/* libwebsockets' own callback would let anything in without this; identity_require
		 * removes it. */
		return !len;
	case LWS_CALLBACK_PROTOCOL_INIT:
	case LWS_CALLBACK_PROTOCOL_DESTROY:
		return 0;
	default:
		break;
	}
	connection = connection_of(wsi);
	if (!connection)
		return 0;
	connection->wsi = wsi;
	return connection_event(connection, reason, in, len);
}

static int on_websocket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			size_t len)
{
	struct connection *connection = connection_of(wsi);

	(void)user;
	if (!connection)
		return 0;
	switch ((int)reason) {
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return connection->stream.state == STREAM_ACCEPTED ? 0 : -1;
	case LWS_CALLBACK_ESTABLISHED:
		return websocket_established(connection);
	case LWS_CALLBACK_RECEIVE:
		return websocket_receive(connection, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return websocket_writeable(connection);
	case LWS_CALLBACK_WSI_DESTROY:
		return connection_event(connection, reason, in, len);
	default:
		return 0;
	}
}

/* ---- other descriptors ------------------------------------------------------------------ */

static int on_loop(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		   size_t len)
{
	struct edge *edge = lws_get_opaque_user_data(wsi);

	(void)user;
	(void)in;
	(void)len;
	if (reason != LWS_CALLBACK_RAW_RX_FILE || !edge)
		return 0;
	if (loop_step(edge->loop, 0)) {
		log_error("loop-failed", "error=\"%s\"", strerror(errno));
		edge->code = 1;
		edge->stopping = true;
	}
	return 0;
}

static int on_stream(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		     size_t len)
{
	struct connection *connection = connection_of(wsi);

	(void)user;
	(void)in;
	(void)len;
	if (!connection)
		return reason == LWS_CALLBACK_RAW_RX_FILE ? -1 : 0; /* its WebSocket is gone */
	switch ((int)reason) {
	case LWS_CALLBACK_RAW_RX_FILE:
		return websocket_file_readable(connection);
	case LWS_CALLBACK_RAW_WRITEABLE_FILE:
		return websocket_file_writeable(connection);
	case LWS_CALLBACK_RAW_CLOSE_FILE:
		websocket_file_closed(connection);
		return 0;
	default:
		return 0;
	}
}

static int on_listener(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		       size_t len)
{
	struct listener *listener = lws_get_opaque_user_data(wsi);

	(void)user;
	(void)in;
	(void)len;
	if (reason == LWS_CALLBACK_RAW_RX_FILE && listener)
		return accept_waiting(listener);
	if (reason == LWS_CALLBACK_RAW_CLOSE_FILE && listener && !listener->edge->stopping) {
		log_error("listener-lost", "listener=%s", listener_kind_code(listener->kind));
		listener->edge->code = 1;
		listener->edge->stopping = true;
	}
	return 0;
}

/* ---- every second ----------------------------------------------------------------------- */

static void resume_listener(struct listener *listener)
{
	if (!listener->paused)
		return;
	listener->paused = false;
	if (lws_rx_flow_control(listener->wsi, 1))
		log_error("listener-stuck", "listener=%s", listener_kind_code(listener->kind));
}

static void renew_certificate(struct edge *edge)
{
	int64_t now_s = clock_wall_s();

	if (now_s < tls_renew_at(edge->tls) || now_s < edge->renew_tried_s + RENEW_AGAIN_S)
		return;
	edge->renew_tried_s = now_s;
	log_info("certificate-renew", "%s", "");
	if (broker_renew(edge->broker))
		log_warn("certificate-renew-failed", "reason=\"no broker\"");
}

static void on_tick(lws_sorted_usec_list_t *sul)
{
	struct edge *edge = container_of(sul, struct edge, tick);
	uint64_t now_ms = clock_mono_ms();

	http_tick(edge, now_ms);
	for (struct connection *at = edge->connections; at; at = at->next)
		websocket_tick(at);
	broker_tick(edge->broker, now_ms);
	refused_tick(&edge->refused, now_ms);
	resume_listener(&edge->gateway);
	resume_listener(&edge->enrol);
	renew_certificate(edge);
	if (now_ms / 1000 % 60 == 0)
		edge->library_lines = 0;
	lws_sul_schedule(edge->context, 0, &edge->tick, on_tick, LWS_US_PER_SEC);
}

/* ---- start ------------------------------------------------------------------------------ */

static const struct lws_protocols outer_protocols[] = {
	{ .name = "http", .callback = on_http, .tx_packet_size = WRITE_MAX },
	{ .name = WEBSOCKET_PROTOCOL,
	  .callback = on_websocket,
	  .rx_buffer_size = EDGE_VIEWER_MAX,
	  .tx_packet_size = WRITE_MAX },
	{ .name = NULL },
};

static const struct lws_protocols inner_protocols[] = {
	{ .name = "loop", .callback = on_loop },
	{ .name = "listener", .callback = on_listener },
	{ .name = "stream", .callback = on_stream },
	{ .name = NULL },
};

static struct edge *library_edge; /* libwebsockets' logger has no argument */

static void library_log(int level, const char *line)
{
	int len = (int)strcspn(line, "\n");

	(void)level;
	/* What a peer does wrong comes here too: it must not fill the log. */
	if (!library_edge || library_edge->library_lines++ >= LIBRARY_LINES_MAX)
		return;
	log_warn("libwebsockets", "text=\"%.*s\"", len, line);
}

static enum err make_context(struct edge *edge)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.user = edge,
		.timeout_secs = EDGE_HEADER_S,
		.max_http_header_data2 = EDGE_HEADER_BYTES,
		.max_http_header_pool2 =
			(unsigned)edge->settings->limits_connections + EDGE_ENROL_CONNECTIONS,
		.pt_serv_buf_size = 16384,
	};

	edge->keepalive.secs_since_valid_ping = (uint16_t)edge->settings->limits_ping_seconds;
	edge->keepalive.secs_since_valid_hangup =
		(uint16_t)(3 * edge->settings->limits_ping_seconds);
	library_edge = edge;
	lws_set_log_level(LLL_ERR, library_log);
	edge->context = lws_create_context(&info);
	return edge->context ? OK : ERR_UNAVAILABLE;
}

/* For the pages that libwebsockets answers with by itself, as to an unknown method. */
static const struct lws_protocol_vhost_options *guard_fields(struct listener *listener)
{
	struct lws_protocol_vhost_options *fields = listener->guard_fields;
	size_t count = response_guard(&listener->guard, &listener->site, false);

	for (size_t i = 0; i < count; i++) {
		fields[i].name = listener->guard.fields[i].name;
		fields[i].value = listener->guard.fields[i].value;
		fields[i].next = i + 1 < count ? &fields[i + 1] : NULL;
	}
	return fields;
}

static struct lws_vhost *make_vhost(struct edge *edge, struct listener *listener, const char *name)
{
	struct lws_context_creation_info info = {
		.port = listener ? CONTEXT_PORT_NO_LISTEN_SERVER : CONTEXT_PORT_NO_LISTEN,
		.vhost_name = name,
		.protocols = listener ? outer_protocols : inner_protocols,
		.user = listener,
		.options = LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.keepalive_timeout = EDGE_IDLE_S,
		.timeout_secs_ah_idle = EDGE_HEADER_S,
		.retry_and_idle_policy = &edge->keepalive,
		/* The HTTP/2 of 4.1 lacks later fixes. */
		.alpn = "http/1.1",
	};

	if (listener) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
				LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
		info.headers = guard_fields(listener);
	}
	return lws_create_vhost(edge->context, &info);
}

static enum err adopt_file(struct edge *edge, int fd, const char *protocol, void *opaque,
			   struct lws **ret)
{
	lws_adopt_desc_t adopt = {
		.vh = edge->inner,
		.type = LWS_ADOPT_RAW_FILE_DESC,
		.fd.filefd = fd,
		.vh_prot_name = protocol,
		.opaque = opaque,
	};

	*ret = lws_adopt_descriptor_vhost_via_info(&adopt);
	return *ret ? OK : ERR_UNAVAILABLE;
}

static enum err adopt_inner(struct edge *edge)
{
	int copy = fcntl(loop_fd(edge->loop), F_DUPFD_CLOEXEC, 0);
	struct lws *wsi;
	enum err err;

	if (copy < 0)
		return err_from_errno(errno);
	err = adopt_file(edge, copy, "loop", edge, &wsi);
	if (!err)
		err = adopt_file(edge, edge->gateway.fd, "listener", &edge->gateway,
				 &edge->gateway.wsi);
	if (!err)
		err = adopt_file(edge, edge->enrol.fd, "listener", &edge->enrol, &edge->enrol.wsi);
	return err;
}

enum err server_start(struct edge *edge)
{
	enum err err = make_context(edge);

	refused_init(&edge->refused);
	site_ask(&edge->enrol.site, &edge->gateway.site);
	if (!err) {
		edge->inner = make_vhost(edge, NULL, "inner");
		edge->gateway.vhost = make_vhost(edge, &edge->gateway, "gateway");
		edge->enrol.vhost = make_vhost(edge, &edge->enrol, "enrol");
		if (!edge->inner || !edge->gateway.vhost || !edge->enrol.vhost)
			err = ERR_UNAVAILABLE;
	}
	if (!err)
		err = adopt_inner(edge);
	if (err) {
		log_error("server-start", "error=%s", err_code(err));
		return err;
	}
	lws_sul_schedule(edge->context, 0, &edge->tick, on_tick, LWS_US_PER_SEC);
	return OK;
}

int server_run(struct edge *edge)
{
	while (!edge->stopping)
		if (lws_service(edge->context, 0) < 0) {
			log_error("service-failed", "error=\"%s\"", strerror(errno));
			return 1;
		}
	return edge->code;
}

void server_finish(struct edge *edge)
{
	edge->stopping = true;
	if (edge->context)
		lws_context_destroy(edge->context);
	edge->context = NULL;
	refused_finish(&edge->refused);
}
