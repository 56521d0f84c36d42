#include "edge/websocket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"

enum { STREAM_UNSENT_BYTES = 32768 };

static struct connection *connection_of_stream(struct stream *stream)
{
	return container_of(stream, struct connection, stream);
}

/* ---- before ----------------------------------------------------------------------------- */

static enum err judge_session(struct connection *connection)
{
	struct stream *stream = &connection->stream;
	const struct route *route;
	unsigned allowed, retry_s;
	char path[256];
	enum err err;

	/* A POST can ask for an upgrade too, and then has no such token. */
	connection_header(connection, WSI_TOKEN_GET_URI, path, sizeof(path));
	err = router_match(api_routes, api_route_count, METHOD_GET, path, &route, &stream->params,
			   &allowed);
	if (err)
		return err;
	if (route->kind != ROUTE_STREAM)
		return ERR_NOT_FOUND;
	stream->asks = route->message;
	if (stream->asks == MSG_record_attach)
		buf_init(&stream->message, EDGE_PAGE_MAX);
	err = limits_request(connection->listener->limits, connection->address, clock_mono_ms(),
			     &retry_s);
	return err ? err : connection_device(connection, stream->device);
}

static enum err judge_headers(struct connection *connection)
{
	const struct site *site = &connection->listener->site;
	char field[512], cookies[4096];

	connection_header(connection, WSI_TOKEN_HOST, field, sizeof(field));
	if (!site_host_fits(site, field))
		return ERR_DENIED;
	connection_header(connection, WSI_TOKEN_ORIGIN, field, sizeof(field));
	if (!site_origin_fits(site, field))
		return ERR_DENIED;
	connection_header(connection, WSI_TOKEN_VERSION, field, sizeof(field));
	if (!util_streq(field, "13")) /* RFC 6455 §4.1 */
		return ERR_INVALID;
	connection_header(connection, WSI_TOKEN_PROTOCOL, field, sizeof(field));
	if (!headers_listed(field, WEBSOCKET_PROTOCOL))
		return ERR_INVALID;
	connection_header(connection, WSI_TOKEN_HTTP_COOKIE, cookies, sizeof(cookies));
	headers_cookie(cookies, connection->stream.token);
	secret_wipe(cookies, sizeof(cookies));
	return OK;
}

enum err websocket_judge(struct connection *connection)
{
	enum err err = ERR_NOT_FOUND;

	if (connection->listener->kind == LISTENER_GATEWAY &&
	    connection->stream.state == STREAM_NONE)
		err = judge_session(connection);
	if (!err)
		err = judge_headers(connection);
	if (err) {
		log_info("stream-refused", "error=%s address=%s", err_code(err),
			 connection->address_text);
		return err;
	}
	connection->stream.state = STREAM_ACCEPTED;
	connection->stream.started_us = clock_mono_us();
	return OK;
}

/* ---- asking ----------------------------------------------------------------------------- */

unsigned websocket_refusal(unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return WEBSOCKET_LOGIN;
	case 404:
	case 409:
	case 423:
		return WEBSOCKET_ENDED;
	default:
		return WEBSOCKET_TRY_LATER;
	}
}

static void log_stream(const struct stream *stream, const char *event, unsigned status)
{
	char session[2 * WIRE_SESSION_ID + 1], device[9];

	util_hex(stream->params.session, WIRE_SESSION_ID, session);
	util_hex(stream->device, 4, device);
	log_info(event, "session=%s device=%s code=%u ms=%llu", session, device, status,
		 (unsigned long long)((clock_mono_us() - stream->started_us) / 1000));
}

/* Closes as soon as the socket takes it. */
static void close_soon(struct connection *connection, unsigned status)
{
	struct stream *stream = &connection->stream;

	if (stream->state >= STREAM_CLOSING)
		return;
	stream->state = STREAM_CLOSING;
	stream->status = status;
	lws_set_timeout(connection->wsi, PENDING_TIMEOUT_CLOSE_SEND, EDGE_HEADER_S);
	lws_callback_on_writable(connection->wsi);
}

/* From a callback of the WebSocket itself. */
static int close_now(struct connection *connection, unsigned status)
{
	log_stream(&connection->stream, "stream-closed", status);
	connection->stream.state = STREAM_CLOSED;
	lws_close_reason(connection->wsi, (enum lws_close_status)status, NULL, 0);
	return -1;
}

/*
 * A copy of the descriptor is watched: libwebsockets closes what it watches at the first hang-up,
 * while the worker's last packets, its reason among them, may still be in the socket.
 */
static enum err watch(struct connection *connection)
{
	struct stream *stream = &connection->stream;
	lws_adopt_desc_t adopt = {
		.vh = connection->edge->inner,
		.type = LWS_ADOPT_RAW_FILE_DESC,
		.vh_prot_name = "stream",
		.opaque = connection,
	};
	int copy = fcntl(stream->fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return err_from_errno(errno);
	adopt.fd.filefd = copy;
	stream->file = lws_adopt_descriptor_vhost_via_info(&adopt);
	if (!stream->file) {
		close(copy);
		return ERR_UNAVAILABLE;
	}
	return OK;
}

/*
 * Little is unsent in the kernel: what the viewer's link does not take stays on this side, where a
 * smaller message may still go before it, and with the worker, who sends what the desktop shows by
 * then. What is on its way is not limited by it.
 */
static void hold_back(struct connection *connection)
{
	const int bytes = STREAM_UNSENT_BYTES;

	if (setsockopt(lws_get_socket_fd(connection->wsi), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes,
		       sizeof(bytes)) < 0)
		log_debug("stream-unsent", "error=\"%s\"", strerror(errno));
}

static void attach_answered(struct broker_request *request, enum err err,
			    const struct msg_reply *reply, int fd)
{
	struct stream *stream = container_of(request, struct stream, request);
	struct connection *connection = connection_of_stream(stream);
	_cleanup_close_ int owned = fd;

	if (err || reply->status != 200) {
		close_soon(connection,
			   err ? WEBSOCKET_TRY_LATER : websocket_refusal(reply->status));
		return;
	}
	if (owned < 0) {
		log_error("attach-without-stream", "status=%u", reply->status);
		close_soon(connection, WEBSOCKET_BROKEN);
		return;
	}
	stream->fd = util_take_fd(&owned);
	err = watch(connection);
	if (err || lws_rx_flow_control(connection->wsi, 1)) {
		log_error("stream-watch", "error=%s", err_code(err));
		close_soon(connection, WEBSOCKET_TRY_LATER);
		return;
	}
	hold_back(connection);
	stream->state = STREAM_OPEN;
	log_stream(stream, "stream-open", 0);
}

static enum err ask(struct connection *connection)
{
	struct stream *stream = &connection->stream;
	union wire_any msg = { .session_attach = {
				       .address = connection->address_text,
				       .token = stream->token,
			       } };

	memcpy(msg.session_attach.device, stream->device, sizeof(msg.session_attach.device));
	memcpy(msg.session_attach.session, stream->params.session,
	       sizeof(msg.session_attach.session));
	/* The others have no more than that. */
	if (stream->asks == MSG_session_attach)
		msg.session_attach.monitor = stream->params.monitor;
	return broker_ask(connection->edge->broker, stream->asks, &msg, &stream->request);
}
_Static_assert(offsetof(struct msg_recording_attach, session) ==
			       offsetof(struct msg_session_attach, session) &&
		       offsetof(struct msg_recording_export_attach, session) ==
			       offsetof(struct msg_session_attach, session) &&
		       offsetof(struct msg_live_attach, session) ==
			       offsetof(struct msg_session_attach, session) &&
		       offsetof(struct msg_record_attach, stream) ==
			       offsetof(struct msg_session_attach, session),
	       "all are filled alike");

int websocket_established(struct connection *connection)
{
	struct stream *stream = &connection->stream;
	enum err err;

	if (stream->state != STREAM_ACCEPTED)
		return -1;
	stream->state = STREAM_ASKED;
	stream->request.done = attach_answered;
	err = ask(connection);
	secret_wipe(stream->token, sizeof(stream->token));
	if (err) {
		close_soon(connection, WEBSOCKET_TRY_LATER);
		return 0;
	}
	return lws_rx_flow_control(connection->wsi, 0) ? -1 : 0;
}

/* ---- worker to viewer ------------------------------------------------------------------- */

int websocket_file_readable(struct connection *connection)
{
	/* The packet stays in the socket until the viewer's side can take it. */
	if (lws_rx_flow_control(connection->stream.file, 0))
		return -1;
	lws_callback_on_writable(connection->wsi);
	return 0;
}

void websocket_file_closed(struct connection *connection)
{
	connection->stream.file = NULL;
	if (connection->stream.state == STREAM_OPEN)
		lws_callback_on_writable(connection->wsi);
}

/* The worker hung up: because the session has ended, or for a newer viewer of the same monitor. */
static unsigned status_at_end(const struct connection *connection)
{
	const struct stream *stream = &connection->stream;

	/* Several may look on, none in another's place. */
	if (stream->asks == MSG_live_attach)
		return WEBSOCKET_ENDED;
	for (const struct connection *other = connection->edge->connections; other;
	     other = other->next)
		if (other != connection &&
		    (other->stream.state == STREAM_ASKED || other->stream.state == STREAM_OPEN) &&
		    other->stream.asks == stream->asks &&
		    other->stream.params.monitor == stream->params.monitor &&
		    memcmp(other->stream.params.session, stream->params.session, WIRE_SESSION_ID) ==
			    0)
			return WEBSOCKET_REPLACED;
	return WEBSOCKET_ENDED;
}

/* Nothing there now. */
static int wait_for_packet(struct connection *connection)
{
	struct stream *stream = &connection->stream;

	if (!stream->file)
		return close_now(connection, status_at_end(connection));
	return lws_rx_flow_control(stream->file, 1) ? close_now(connection, WEBSOCKET_BROKEN) : 0;
}

int websocket_writeable(struct connection *connection)
{
	struct stream *stream = &connection->stream;
	uint8_t *packet = connection->edge->out + LWS_PRE;
	ssize_t got;

	if (stream->state == STREAM_CLOSING)
		return close_now(connection, stream->status);
	if (stream->state != STREAM_OPEN)
		return 0;
	do {
		got = recv(stream->fd, packet, EDGE_PACKET_MAX + 1, MSG_DONTWAIT | MSG_TRUNC);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return wait_for_packet(connection);
	if (got <= 0)
		return close_now(connection, status_at_end(connection));
	/* From the worker to us: it reads what the viewer says, we do not. */
	if (got == 1 && packet[0] == WIRE_STREAM_VIOLATION)
		return close_now(connection, WEBSOCKET_PROTOCOL_ERROR);
	if (got > EDGE_PACKET_MAX) {
		log_error("packet-too-big", "bytes=%zd allowed=%d", got, EDGE_PACKET_MAX);
		return close_now(connection, WEBSOCKET_BROKEN);
	}
	if (lws_write(connection->wsi, packet, (size_t)got, LWS_WRITE_BINARY) < (int)got)
		return -1;
	lws_callback_on_writable(connection->wsi);
	return 0;
}

/* ---- viewer to worker ------------------------------------------------------------------- */

/* ERR_UNAVAILABLE: no room in the socket. */
static enum err forward(struct stream *stream)
{
	ssize_t sent;
	enum err err = OK;

	do {
		sent = send(stream->fd, stream->message.data, stream->message.len,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		err = errno == ENOBUFS ? ERR_UNAVAILABLE : err_from_errno(errno);
	/* When the worker has gone, what it left to read ends the stream; input has no taker any
	 * more. */
	if (err != ERR_UNAVAILABLE)
		buf_wipe(&stream->message);
	return err == ERR_UNAVAILABLE ? err : OK;
}

int websocket_receive(struct connection *connection, const void *data, size_t len)
{
	struct stream *stream = &connection->stream;

	if (stream->state >= STREAM_CLOSING)
		return 0;
	if (stream->state != STREAM_OPEN || stream->stuck)
		return close_now(connection, WEBSOCKET_BROKEN);
	if (!lws_frame_is_binary(connection->wsi) || buf_add(&stream->message, data, len))
		return close_now(connection, WEBSOCKET_PROTOCOL_ERROR);
	if (!lws_is_final_fragment(connection->wsi) ||
	    lws_remaining_packet_payload(connection->wsi))
		return 0;
	/* An empty packet would read as the end of the stream. */
	if (!stream->message.len)
		return close_now(connection, WEBSOCKET_PROTOCOL_ERROR);
	if (!forward(stream))
		return 0;
	stream->stuck = true;
	if (lws_rx_flow_control(connection->wsi, 0))
		return close_now(connection, WEBSOCKET_BROKEN);
	if (stream->file)
		lws_callback_on_writable(stream->file);
	return 0;
}

int websocket_file_writeable(struct connection *connection)
{
	struct stream *stream = &connection->stream;

	if (!stream->stuck || forward(stream))
		return 0;
	stream->stuck = false;
	if (lws_rx_flow_control(connection->wsi, 1))
		close_soon(connection, WEBSOCKET_BROKEN);
	return 0;
}

void websocket_tick(struct connection *connection)
{
	/* libwebsockets forgets the wish to write when that is said inside the callback for
	 * writing. */
	if (connection->stream.stuck && connection->stream.file)
		lws_callback_on_writable(connection->stream.file);
}

void websocket_finish(struct connection *connection)
{
	struct stream *stream = &connection->stream;

	broker_cancel(&stream->request);
	if (stream->file) {
		lws_set_opaque_user_data(stream->file, NULL);
		lws_set_timeout(stream->file, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
		stream->file = NULL;
	}
	if (stream->state == STREAM_OPEN)
		log_stream(stream, "stream-lost", 0);
	stream->state = STREAM_NONE;
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	buf_wipe(&stream->message);
	buf_finish(&stream->message);
}
