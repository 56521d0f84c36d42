#include "edge/http.h"

#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"
#include "edge/judge.h"

/* ---- answering -------------------------------------------------------------------------- */

static void answer(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;

	/* RFC 9110 §11.6.1. Not to the page, or the browser would ask for a password by itself. */
	exchange->response.challenge = exchange->route &&
				       exchange->route->message == MSG_est_simpleenroll &&
				       exchange->response.status == 401;
	exchange->response.program = exchange->route && exchange->route->kind == ROUTE_EST;
	exchange->state = EXCHANGE_ANSWER;
	exchange->deadline_ms = 0;
	/* Without reading, libwebsockets would not call back for writing either. */
	if (lws_rx_flow_control(connection->wsi, 1))
		exchange->response.close = true;
	lws_set_timeout(connection->wsi, PENDING_TIMEOUT_HTTP_CONTENT, EDGE_SEND_S);
	lws_callback_on_writable(connection->wsi);
}

static void fill_error(struct response *response, enum err why, const char *field, int status)
{
	buf_clear(&response->own);
	/* Without memory the status alone must do. */
	if (api_error(&response->own, why, field, response->retry_s))
		buf_clear(&response->own);
	response_json(response, status ? status : err_status(why));
}

static void answer_error(struct connection *connection, enum err why, const char *field, int status)
{
	fill_error(&connection->exchange.response, why, field, status);
	answer(connection);
}

static void answer_file(struct connection *connection)
{
	const struct static_file *file = connection->exchange.file;
	struct response *response = &connection->exchange.response;
	char known[256];

	connection_header(connection, WSI_TOKEN_HTTP_IF_NONE_MATCH, known, sizeof(known));
	response->etag = file->etag;
	if (headers_etag_listed(known, file->etag)) {
		response->status = 304;
	} else {
		response->status = 200;
		response->type = file->type;
		response->body = (struct bytes){ file->data, file->len };
	}
	answer(connection);
}

static enum err own_office(const struct connection *connection, struct response *response)
{
	const struct edge *edge = connection->edge;
	bool gateway = connection->listener->kind == LISTENER_GATEWAY;

	/* The enrolment's page asks for it to see whether the new certificate works. */
	response->same_site = gateway;
	return api_office(&response->own, edge->settings->gateway_office,
			  gateway ? NULL : edge->gateway.site.origin);
}

static enum err copy(struct response *response, struct bytes body)
{
	/* An update may replace the original before this is sent. */
	return body.len ? buf_add(&response->own, body.data, body.len) : ERR_NOT_FOUND;
}

/* Without a number the newest issuing CA's. */
static enum err own_list(const struct connection *connection, struct response *response)
{
	uint64_t issuer = connection->exchange.params.number;

	if (issuer > UINT32_MAX)
		return ERR_NOT_FOUND;
	return copy(response, tls_crl_der(connection->edge->tls, (uint32_t)issuer));
}

/* What needs no broker. */
static void answer_own(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	struct response *response = &exchange->response;
	const char *type = "application/json";
	enum err err;

	if (exchange->route->kind == ROUTE_OFFICE) {
		err = own_office(connection, response);
	} else if (exchange->route->kind == ROUTE_CA) {
		type = "application/x-x509-ca-cert";
		err = copy(response, tls_ca_pem(connection->edge->tls));
	} else {
		type = "application/pkix-crl"; /* RFC 2585 §4.2 */
		err = own_list(connection, response);
	}
	if (err) {
		answer_error(connection, err, NULL, 0);
		return;
	}
	response_json(response, 200);
	response->type = type;
	answer(connection);
}

/* EST's and OCSP's answers are for those who asked for them. */
static bool kind_fits(const struct route *route, unsigned kind)
{
	switch (kind) {
	case BODY_JSON:
		return true;
	case BODY_PKCS7:
	case BODY_CSRATTRS:
		return route->kind == ROUTE_EST;
	case BODY_OCSP:
		return route->kind == ROUTE_OCSP;
	default:
		return false;
	}
}

static void take_reply(struct exchange *exchange, const struct msg_reply *reply)
{
	struct response *response = &exchange->response;

	if (reply->status < 200 || reply->status > 599 ||
	    !kind_fits(exchange->route, reply->kind) ||
	    buf_add(&response->own, reply->body.data, reply->body.len)) {
		log_error("reply-unusable", "status=%u kind=%u bytes=%zu", reply->status,
			  reply->kind, reply->body.len);
		buf_clear(&response->own);
		response_json(response, 500);
		return;
	}
	snprintf(response->cookie, sizeof(response->cookie), "%s", reply->cookie);
	response->retry_s = reply->retry_s;
	response_json(response, reply->status);
	if (response->type) {
		response->type = est_answer_type(reply->kind);
		response->base64 = est_answer_base64(reply->kind);
	}
}

static void reply_came(struct broker_request *request, enum err err, const struct msg_reply *reply,
		       int fd)
{
	struct connection *connection = container_of(request, struct connection, exchange.request);

	if (fd >= 0)
		close(fd); /* only session_attach has one, and that is not asked here */
	if (err) {
		answer_error(connection, err, NULL, 0);
		return;
	}
	take_reply(&connection->exchange, reply);
	answer(connection);
}

static void ask(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	struct api_head head = {
		.address = connection->address_text,
		.token = exchange->token,
		.user = exchange->login.user,
		.code = exchange->login.code,
	};
	const char *field = NULL;
	struct api_call call;
	enum err err;

	memcpy(head.device, exchange->device, sizeof(head.device));
	err = api_fill(exchange->route, &exchange->params, &head, (const char *)exchange->body.data,
		       exchange->body.len, &call, &field);
	if (err) {
		answer_error(connection, err, field, 0);
		return;
	}
	exchange->request.done = reply_came;
	err = broker_ask(connection->edge->broker, exchange->route->message, &call.msg,
			 &exchange->request);
	api_call_finish(&call);
	if (err) {
		answer_error(connection, err, NULL, 0);
		return;
	}
	exchange->state = EXCHANGE_ASKED;
	/* Nothing is read before the answer, or libwebsockets would spin on what came early. */
	if (lws_rx_flow_control(connection->wsi, 0))
		exchange->response.close = true;
}

/* The whole request is here. */
static void proceed(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;

	exchange->deadline_ms = 0;
	lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
	if (exchange->refusal)
		answer_error(connection, exchange->refusal, exchange->field, exchange->status);
	else if (exchange->file)
		answer_file(connection);
	else if (!exchange->route->message)
		answer_own(connection);
	else
		ask(connection);
	buf_wipe(&exchange->body);
	secret_wipe(&exchange->login, sizeof(exchange->login));
}

/* ---- one exchange after another --------------------------------------------------------- */

static void reset(struct exchange *exchange)
{
	struct buf body = exchange->body;
	struct response response = exchange->response;

	broker_cancel(&exchange->request);
	buf_wipe(&body);
	response_finish(&response);
	secret_wipe(exchange, sizeof(*exchange));
	exchange->body = body;
	exchange->response = response;
}

static void log_exchange(const struct connection *connection)
{
	const struct exchange *exchange = &connection->exchange;
	const char *path = exchange->route  ? exchange->route->pattern
			   : exchange->file ? "file"
					    : "other";
	char device[9] = "-";

	if (exchange->has_device)
		util_hex(exchange->device, 4, device);
	/* The pattern, not the path: that may hold anything. */
	log_line(exchange->file ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "request",
		 "listener=%s method=%s path=%s status=%d device=%s address=%s ms=%llu",
		 listener_kind_code(connection->listener->kind), method_name(exchange->method),
		 path, exchange->response.status, device, connection->address_text,
		 (unsigned long long)((clock_mono_us() - exchange->started_us) / 1000));
}

/*
 * RFC 9110 §10.1.1: curl and others keep back a longer body until they are told to send it. Refused
 * already, it may come or not, so that nothing else can on this connection.
 */
static int tell_to_go_on(struct connection *connection)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const size_t len = sizeof(text) - 1;
	uint8_t *start = connection->edge->out + LWS_PRE;

	if (connection->exchange.refusal) {
		connection->exchange.response.close = true;
		return 0;
	}
	memcpy(start, text, len);
	return lws_write(connection->wsi, start, len, LWS_WRITE_HTTP) < (int)len ? -1 : 0;
}

int http_request(struct connection *connection, const char *path, size_t len)
{
	struct exchange *exchange = &connection->exchange;

	reset(exchange);
	exchange->started_us = clock_mono_us();
	judge_request(connection, path, len);
	if (exchange->waits && tell_to_go_on(connection))
		return -1;
	/* libwebsockets reports the end of a POST's body even when it is empty. */
	if (!exchange->response.close && (exchange->expected || exchange->method == METHOD_POST)) {
		exchange->state = EXCHANGE_BODY;
		exchange->deadline_ms = clock_mono_ms() + EDGE_BODY_MS;
		return 0;
	}
	proceed(connection);
	return 0;
}

int http_body(struct connection *connection, const void *data, size_t len)
{
	struct exchange *exchange = &connection->exchange;

	/* Of an empty body data is NULL. */
	if (exchange->state != EXCHANGE_BODY && len)
		exchange->more |= len > 2 || memcmp(data, "\r\n", len) != 0;
	if (exchange->state != EXCHANGE_BODY || exchange->refusal)
		return 0; /* of a request that is refused already */
	return buf_add(&exchange->body, data, len) ? -1 : 0;
}

int http_body_end(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;

	/*
	 * A second request before the answer to a POST: libwebsockets takes it for more body. A
	 * mere end of a line behind the body (RFC 9112 §2.2; libest sends it) costs the connection
	 * only after the answer.
	 */
	if (exchange->state != EXCHANGE_BODY) {
		if (exchange->more && !exchange->response.close)
			return -1;
		exchange->response.close = true;
		return 0;
	}
	proceed(connection);
	return 0;
}

/* The header block and as much of the body as fits, in one write. */
static int send_part(struct connection *connection)
{
	struct response *response = &connection->exchange.response;
	uint8_t *start = connection->edge->out + LWS_PRE;
	size_t room = EDGE_PACKET_MAX, len = 0, part;
	bool failed;

	if (!response->head_sent) {
		_cleanup_buf_ struct buf head;
		enum err err;

		buf_init(&head, RESPONSE_HEAD_MAX);
		err = response_head(response, &connection->listener->site, &head);
		if (err) {
			log_error("response-head", "error=%s", err_code(err));
			return -1;
		}
		memcpy(start, head.data, head.len);
		len = head.len;
		buf_wipe(&head);
		response->head_sent = true;
	}
	part = MIN(room - len, response->body.len - response->sent);
	if (part)
		memcpy(start + len, response->body.data + response->sent, part);
	len += part;
	response->sent += part;
	failed = lws_write(connection->wsi, start, len, LWS_WRITE_HTTP) < (int)len;
	/* Passwords, cookies and codes go out here, and who uses it next may be long after. */
	if (!connection->exchange.file)
		secret_wipe(start, len);
	return failed ? -1 : 0;
}

static bool all_sent(const struct response *response)
{
	return response->head_sent && response->sent == response->body.len;
}

static int finish(struct connection *connection)
{
	bool close_after = connection->exchange.response.close;

	log_exchange(connection);
	reset(&connection->exchange);
	return close_after || lws_http_transaction_completed(connection->wsi) ? -1 : 0;
}

int http_refuse(struct connection *connection, enum err why)
{
	struct response *response = &connection->exchange.response;

	reset(&connection->exchange);
	connection->exchange.started_us = clock_mono_us();
	connection->exchange.method = METHOD_GET;
	response->close = true;
	fill_error(response, why, why == ERR_INVALID ? "upgrade" : NULL, 0);
	/* It fits into a write; who does not take it is closed without. */
	if (!send_part(connection))
		log_exchange(connection);
	reset(&connection->exchange);
	return -1;
}

int http_writeable(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;

	if (exchange->state != EXCHANGE_ANSWER)
		return 0;
	if (!all_sent(&exchange->response)) {
		if (send_part(connection))
			return -1;
		lws_set_timeout(connection->wsi, PENDING_TIMEOUT_HTTP_CONTENT, EDGE_SEND_S);
	}
	/* What libwebsockets still keeps counts as not sent, or http_tick would lose sight of the
	 * connection. */
	if (all_sent(&exchange->response) && !lws_partial_buffered(connection->wsi))
		return finish(connection);
	lws_callback_on_writable(connection->wsi);
	return 0;
}

/* ---- every second ----------------------------------------------------------------------- */

static void end_connection(struct connection *connection)
{
	lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static bool answering(const struct connection *connection)
{
	return connection->wsi && connection->exchange.state == EXCHANGE_ANSWER;
}

/* More requests wait in the socket. */
static bool sent_more(const struct connection *connection)
{
	char byte;

	return recv(lws_get_socket_fd(connection->wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool library_spins(const struct edge *edge)
{
	return lws_service_adjust_timeout(edge->context, 1000, 0) == 0;
}

/*
 * More requests wait inside libwebsockets, which does not say whose: the one without which it stops
 * spinning when it is not read from.
 */
static void end_spinning(struct edge *edge)
{
	bool others;

	if (!library_spins(edge))
		return;
	for (struct connection *at = edge->connections; at; at = at->next)
		if (answering(at) && lws_rx_flow_control(at->wsi, 0))
			end_connection(at);
	others = library_spins(edge);
	for (struct connection *at = edge->connections; at; at = at->next) {
		if (!answering(at))
			continue;
		if (lws_rx_flow_control(at->wsi, 1)) {
			end_connection(at);
		} else if (!others && library_spins(edge)) {
			log_debug("request-too-early", "address=%s", at->address_text);
			end_connection(at);
			if (lws_rx_flow_control(at->wsi, 0))
				others = true;
		}
	}
}

/*
 * While an answer is not taken, libwebsockets does not read further requests but keeps looking at
 * them, which would keep the processor busy for as long as a peer likes. No browser sends them
 * early.
 */
void http_tick(struct edge *edge, uint64_t now_ms)
{
	for (struct connection *at = edge->connections; at; at = at->next) {
		bool overdue = at->exchange.deadline_ms && at->exchange.deadline_ms <= now_ms;

		if (at->wsi && (overdue || (answering(at) && sent_more(at))))
			end_connection(at);
	}
	end_spinning(edge);
}
