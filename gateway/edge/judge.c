#include "edge/judge.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"

static const char api_prefix[] = "/api/";

static void refuse(struct exchange *exchange, enum err why, const char *field)
{
	exchange->refusal = why;
	exchange->field = field;
}

/* ---- judging a request ------------------------------------------------------------------ */

static enum method method_of(struct lws *wsi)
{
	char *path;
	int len;

	switch (lws_http_get_uri_and_method(wsi, &path, &len)) {
	case LWSHUMETH_GET:
		return METHOD_GET;
	case LWSHUMETH_POST:
		return METHOD_POST;
	case LWSHUMETH_DELETE:
		return METHOD_DELETE;
	default:
		return METHOD_OTHER;
	}
}

#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
static void judge_name(const char *name, int len, void *opaque)
{
	bool *strange = opaque;

	/* With its colon. */
	if (len < 1 || !headers_name_fits(name, (size_t)len - 1))
		*strange = true;
}

static bool name_is_strange(struct lws *wsi)
{
	bool strange = false;

	return lws_hdr_custom_name_foreach(wsi, judge_name, &strange) || strange;
}
#else
/* Older ones do not name the fields they do not know, but say whether there is one of a name. */
static bool name_is_strange(struct lws *wsi)
{
	static const char *const framing[] = { "transfer-encoding", "content-length" };
	static const char spaces[] = " \t";
	char name[48];

	for (size_t i = 0; i < ARRAY_SIZE(framing) * 2; i++) {
		size_t len = strlen(framing[i / 2]);

		memcpy(name, framing[i / 2], len);
		while (len < sizeof(name) - 1) {
			name[len++] = spaces[i % 2];
			name[len] = ':';
			if (lws_hdr_custom_length(wsi, name, (int)len + 1) >= 0)
				return true;
		}
	}
	return false;
}
#endif

/*
 * Where the request ends must be beyond doubt (RFC 9112 §6.3), or the next one on this connection
 * is what its sender made of the rest. libwebsockets does not read chunked requests and takes a
 * POST without a length for an endless one.
 */
static enum err judge_framing(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	char field[64];

	/* A field with white space before its colon (RFC 9112 §5.1) is known to some by its name.
	 */
	if (name_is_strange(connection->wsi))
		return ERR_INVALID;
	connection_header(connection, WSI_TOKEN_HTTP_TRANSFER_ENCODING, field, sizeof(field));
	if (*field)
		return ERR_INVALID;
	connection_header(connection, WSI_TOKEN_HTTP_CONTENT_LENGTH, field, sizeof(field));
	if (!*field)
		return exchange->method == METHOD_POST ? ERR_INVALID : OK;
	if (headers_length(field, &exchange->expected))
		return ERR_INVALID;
	if (exchange->expected > API_RECORD_MAX)
		return ERR_TOO_BIG;
	return exchange->expected && exchange->method == METHOD_GET ? ERR_INVALID : OK;
}

/* RFC 9110 §10.1.1. */
static void judge_expectation(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	char field[64];

	connection_header(connection, WSI_TOKEN_HTTP_EXPECT, field, sizeof(field));
	exchange->waits = exchange->expected && !strcasecmp(field, "100-continue");
	if (!*field || !strcasecmp(field, "100-continue"))
		return;
	refuse(exchange, ERR_INVALID, "expect");
	exchange->status = 417;
	exchange->response.close = true;
}

static void judge_host(struct connection *connection)
{
	char host[512];

	connection_header(connection, WSI_TOKEN_HOST, host, sizeof(host));
	if (site_host_fits(&connection->listener->site, host))
		return;
	refuse(&connection->exchange, ERR_INVALID, "host");
	connection->exchange.status = 421; /* RFC 9110 §15.5.20 */
}

/* Against forged requests from other sites, besides SameSite=Strict. */
static void judge_origin(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	bool changes = exchange->method != METHOD_GET;
	char origin[512], type[128];

	connection_header(connection, WSI_TOKEN_ORIGIN, origin, sizeof(origin));
	connection_header(connection, WSI_TOKEN_HTTP_CONTENT_TYPE, type, sizeof(type));
	if ((*origin || changes) && !site_origin_fits(&connection->listener->site, origin))
		refuse(exchange, ERR_DENIED, "origin");
	else if (changes && !headers_is_json(type))
		refuse(exchange, ERR_DENIED, "content-type");
}

/*
 * Programs send no Origin, but a browser's page does with every POST and says whose it is: another
 * site's must not use the certificate that the browser has.
 */
static void judge_program(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	const char *wanted = exchange->route->kind == ROUTE_OCSP ? "application/ocsp-request"
								 : "application/pkcs10";
	char origin[512], type[128];

	connection_header(connection, WSI_TOKEN_ORIGIN, origin, sizeof(origin));
	connection_header(connection, WSI_TOKEN_HTTP_CONTENT_TYPE, type, sizeof(type));
	if (*origin && !site_origin_fits(&connection->listener->site, origin))
		refuse(exchange, ERR_DENIED, "origin");
	else if (exchange->method == METHOD_POST && !est_type_fits(type, wanted))
		refuse(exchange, ERR_DENIED, "content-type");
}

/* Without a code nothing is asked: some clients come without at first, to see what is wanted. */
static void judge_login(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	char field[256];
	enum err err;

	connection_header(connection, WSI_TOKEN_HTTP_AUTHORIZATION, field, sizeof(field));
	err = est_login_parse(field, &exchange->login);
	secret_wipe(field, sizeof(field));
	if (err)
		refuse(exchange, err, NULL);
}

static void judge_cookie(struct connection *connection)
{
	char cookies[4096];

	connection_header(connection, WSI_TOKEN_HTTP_COOKIE, cookies, sizeof(cookies));
	headers_cookie(cookies, connection->exchange.token);
	secret_wipe(cookies, sizeof(cookies));
}

static void judge_page(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	char args[64];
	enum err err;

	connection_header(connection, WSI_TOKEN_HTTP_URI_ARGS, args, sizeof(args));
	err = router_page(args, &exchange->params.number);
	if (err)
		refuse(exchange, err, "before");
}

/* Our own pages ask for nothing that is not there: somebody tries paths. */
static void log_unknown(const struct connection *connection, const char *path)
{
	char device[9];

	util_hex(connection->exchange.device, 4, device);
	log_warn("path-refused", "address=%s device=%s method=%s path=%s", connection->address_text,
		 device, method_name(connection->exchange.method), log_quote(path));
}

static void judge_api(struct connection *connection, const char *path)
{
	struct exchange *exchange = &connection->exchange;
	enum err err;

	err = router_match(api_routes, api_route_count, exchange->method, path, &exchange->route,
			   &exchange->params, &exchange->response.allowed);
	if (err) {
		log_unknown(connection, path);
		refuse(exchange, err, NULL);
		return;
	}
	judge_origin(connection);
	judge_cookie(connection);
	if (!exchange->refusal && exchange->route->kind == ROUTE_LIST)
		judge_page(connection);
	/* A stream that comes without an upgrade. */
	if (!exchange->refusal && exchange->route->kind == ROUTE_STREAM)
		refuse(exchange, ERR_INVALID, "upgrade");
}

static void find_file(struct connection *connection, const char *path)
{
	struct exchange *exchange = &connection->exchange;
	struct edge *edge = connection->edge;

	if (edge->files)
		exchange->file = static_find(edge->files, path);
	if (!exchange->file) {
		refuse(exchange, ERR_NOT_FOUND, NULL);
	} else if (exchange->method != METHOD_GET) {
		exchange->response.allowed = METHOD_GET;
		refuse(exchange, ERR_METHOD, NULL);
	}
}

static void judge_question(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	enum err err = est_question(exchange->params.question, &exchange->body);

	if (err)
		refuse(exchange, err, "question");
}

/* What one of its routes wants besides the right method. */
static void judge_enrol_route(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;
	const struct route *route = exchange->route;

	if (route->kind == ROUTE_PLAIN || route->kind == ROUTE_OFFICE)
		judge_origin(connection);
	else if (route->kind == ROUTE_EST || route->kind == ROUTE_OCSP)
		judge_program(connection);
	if (exchange->refusal)
		return;
	if (route->message == MSG_est_simpleenroll)
		judge_login(connection);
	else if (route->message == MSG_est_simplereenroll && !exchange->has_device)
		refuse(exchange, ERR_DENIED, "certificate");
	else if (exchange->params.question)
		judge_question(connection);
	exchange->params.question = NULL; /* the path does not last */
	if (!exchange->refusal && route->message)
		exchange->refusal = limits_question(connection->address, clock_mono_ms(),
						    &exchange->response.retry_s);
}

/* Only what a device without a certificate needs; above all, not the gateway's API. No cookie is
 * read: browsers send the gateway's to all its ports. */
static void judge_enrol(struct connection *connection, const char *path)
{
	static const char folder[] = "/enrol/";
	struct exchange *exchange = &connection->exchange;
	enum err err;

	/* A certificate that is not valid counts as none; then device is all zeros. */
	exchange->has_device = !connection_device(connection, exchange->device);
	err = router_match(api_enrol_routes, api_enrol_route_count, exchange->method, path,
			   &exchange->route, &exchange->params, &exchange->response.allowed);
	if (!err)
		judge_enrol_route(connection);
	else if (err != ERR_NOT_FOUND)
		refuse(exchange, err, NULL);
	else if (util_streq(path, "/"))
		find_file(connection, folder);
	else if (!strncmp(path, folder, sizeof(folder) - 1))
		find_file(connection, path);
	else
		refuse(exchange, err, NULL);
}

static void judge_gateway(struct connection *connection, const char *path)
{
	struct exchange *exchange = &connection->exchange;

	if (connection_device(connection, exchange->device)) {
		refuse(exchange, ERR_AUTH, "certificate");
		exchange->response.close = true;
		return;
	}
	exchange->has_device = true;
	if (!strncmp(path, api_prefix, sizeof(api_prefix) - 1))
		judge_api(connection, path);
	else
		find_file(connection, path);
}

/* Most take much less than the longest. */
static void judge_length(struct connection *connection)
{
	struct exchange *exchange = &connection->exchange;

	if (exchange->expected <=
	    (exchange->route ? api_body_max(exchange->route) : (size_t)API_BODY_MAX))
		return;
	refuse(exchange, ERR_TOO_BIG, NULL);
	exchange->response.close = true;
}

void judge_request(struct connection *connection, const char *path, size_t len)
{
	struct exchange *exchange = &connection->exchange;
	enum err err;

	exchange->method = method_of(connection->wsi);
	if (exchange->method == METHOD_OTHER) {
		/* HEAD among them, whose answer has no body: close, so that nobody has to know. */
		exchange->response.close = true;
		exchange->response.allowed = METHOD_GET | METHOD_POST | METHOD_DELETE;
		refuse(exchange, ERR_METHOD, NULL);
		return;
	}
	err = judge_framing(connection);

	if (!err && strlen(path) != len)
		err = ERR_INVALID;
	if (err) {
		refuse(exchange, err, err == ERR_TOO_BIG ? NULL : "framing");
		exchange->response.close = true;
		return;
	}
	err = limits_request(connection->listener->limits, connection->address, clock_mono_ms(),
			     &exchange->response.retry_s);
	if (err) {
		refuse(exchange, err, NULL);
		return;
	}
	judge_host(connection);
	if (!exchange->refusal)
		judge_expectation(connection);
	if (exchange->refusal)
		return;
	if (connection->listener->kind == LISTENER_ENROL)
		judge_enrol(connection, path);
	else
		judge_gateway(connection, path);
	judge_length(connection);
}
