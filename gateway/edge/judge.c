#include "edge/judge.h"

#include <string.h>

#include "base/clock.h"
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
	if (exchange->expected > API_BODY_MAX)
		return ERR_TOO_BIG;
	return exchange->expected && exchange->method == METHOD_GET ? ERR_INVALID : OK;
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

static void judge_cookie(struct connection *connection)
{
	char cookies[4096];

	connection_header(connection, WSI_TOKEN_HTTP_COOKIE, cookies, sizeof(cookies));
	headers_cookie(cookies, connection->exchange.token);
	secret_wipe(cookies, sizeof(cookies));
}

static void judge_api(struct connection *connection, const char *path)
{
	struct exchange *exchange = &connection->exchange;
	enum err err;

	err = router_match(api_routes, api_route_count, exchange->method, path, &exchange->route,
			   &exchange->params, &exchange->response.allowed);
	if (err) {
		refuse(exchange, err, NULL);
		return;
	}
	judge_origin(connection);
	judge_cookie(connection);
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

static void copy_body(struct response *response, struct bytes body, const char *type)
{
	/* A copy: an update may replace the original before this is sent. */
	if (buf_add(&response->own, body.data, body.len))
		return;
	response->type = type;
}

/* Only what a device without a certificate needs; above all, no API. */
static void judge_enrol(struct connection *connection, const char *path)
{
	static const char folder[] = "/enrol/";
	struct exchange *exchange = &connection->exchange;
	struct edge *edge = connection->edge;

	if (util_streq(path, "/ca.crt") && exchange->method == METHOD_GET)
		copy_body(&exchange->response, tls_ca_pem(edge->tls), "application/x-x509-ca-cert");
	else if (util_streq(path, "/crl.der") && exchange->method == METHOD_GET &&
		 tls_crl_der(edge->tls).len)
		copy_body(&exchange->response, tls_crl_der(edge->tls), "application/pkix-crl");
	else if (util_streq(path, "/"))
		find_file(connection, folder);
	else if (!strncmp(path, folder, sizeof(folder) - 1))
		find_file(connection, path);
	else
		refuse(exchange, ERR_NOT_FOUND, NULL);
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
	if (exchange->refusal)
		return;
	if (connection->listener->kind == LISTENER_ENROL)
		judge_enrol(connection, path);
	else
		judge_gateway(connection, path);
}
