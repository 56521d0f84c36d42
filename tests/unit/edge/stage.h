/*
 * stage.h - a connection without libwebsockets, TLS and broker: what http.c calls is played here,
 * so that a program may include it once.
 */
#ifndef SEKISHO_TESTS_EDGE_STAGE_H
#define SEKISHO_TESTS_EDGE_STAGE_H

#include "unit/unit.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "certs/identity.h"
#include "edge/http.h"
#include "edge/websocket.h"

#define CODE     "7K2M-Q9XR-4TBN-0VHC-8DJW-5EPS-3FGA"
#define BASIC    "Authorization: Basic dHBtOjdLMk0tUTlYUi00VEJOLTBWSEMtOERKVy01RVBTLTNGR0E="
#define EST      "/.well-known/est/"
#define PKCS10   "Content-Type: application/pkcs10"
#define JSON     "Content-Type: application/json"
#define OURS     "Origin: https://office.example:8443"
#define GATEWAYS "Origin: https://office.example"
#define LOOK     "{\"code\":\"" CODE "\"}"

static struct edge *edge;
static struct connection *connection;
static const char *const *fields; /* of the request, each "Name: value" */
static char method[16];
static char out[256 * 1024]; /* what was sent */
static size_t out_len;
static bool has_device;

/* The question to the broker, decoded from what would be sent, and what it answers. */
static struct buf asked;

static union wire_any question;
static uint16_t asked_id; /* 0: it was not asked */
static struct broker_request *waiting;
static struct msg_reply reply;
static struct bytes ca, list;
static uint32_t list_asked;

/* ---- the stage -------------------------------------------------------------------------- */

static const struct {
	enum lws_token_indexes token;
	const char *name;
} tokens[] = {
	{ WSI_TOKEN_HOST, "Host" },
	{ WSI_TOKEN_ORIGIN, "Origin" },
	{ WSI_TOKEN_HTTP_CONTENT_TYPE, "Content-Type" },
	{ WSI_TOKEN_HTTP_CONTENT_LENGTH, "Content-Length" },
	{ WSI_TOKEN_HTTP_TRANSFER_ENCODING, "Transfer-Encoding" },
	{ WSI_TOKEN_HTTP_AUTHORIZATION, "Authorization" },
	{ WSI_TOKEN_HTTP_EXPECT, "Expect" },
	{ WSI_TOKEN_HTTP_COOKIE, "Cookie" },
};

/* As libwebsockets has it: what comes twice is joined with a comma. */
static inline const char *field_of(enum lws_token_indexes token)
{
	static char value[16384];
	size_t len = 0;

	value[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		size_t name_len = strlen(tokens[i].name);

		if (tokens[i].token != token)
			continue;
		for (const char *const *at = fields; *at; at++)
			if (!strncmp(*at, tokens[i].name, name_len) && (*at)[name_len] == ':')
				len += (size_t)snprintf(value + len, sizeof(value) - len, "%s%s",
							len ? "," : "", *at + name_len + 2);
	}
	return value;
}

int lws_hdr_total_length(struct lws *wsi, enum lws_token_indexes token)
{
	(void)wsi;
	return (int)strlen(field_of(token));
}

int lws_hdr_copy(struct lws *wsi, char *dest, int room, enum lws_token_indexes token)
{
	const char *value = field_of(token);

	(void)wsi;
	if (strlen(value) >= (size_t)room)
		return -1;
	memcpy(dest, value, strlen(value) + 1);
	return (int)strlen(value);
}
#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
int lws_hdr_custom_name_foreach(struct lws *wsi, lws_hdr_custom_fe_cb_t callback, void *opaque)
{
	(void)wsi;
	(void)callback;
	(void)opaque;
	return 0;
}
#else
int lws_hdr_custom_length(struct lws *wsi, const char *name, int len)
{
	(void)wsi;
	(void)name;
	(void)len;
	return -1;
}
#endif
int lws_http_get_uri_and_method(struct lws *wsi, char **ret_path, int *ret_len)
{
	(void)wsi;
	(void)ret_path;
	(void)ret_len;
	if (!strcmp(method, "GET"))
		return LWSHUMETH_GET;
	if (!strcmp(method, "POST"))
		return LWSHUMETH_POST;
	return strcmp(method, "DELETE") ? LWSHUMETH_PUT : LWSHUMETH_DELETE;
}

int lws_write(struct lws *wsi, unsigned char *data, size_t len, enum lws_write_protocol protocol)
{
	(void)wsi;
	(void)protocol;
	assert_true(out_len + len < sizeof(out));
	memcpy(out + out_len, data, len);
	out_len += len;
	return (int)len;
}

int lws_callback_on_writable(struct lws *wsi)
{
	(void)wsi;
	return 0;
}

int lws_rx_flow_control(struct lws *wsi, int enable)
{
	(void)wsi;
	(void)enable;
	return 0;
}

void lws_set_timeout(struct lws *wsi, enum pending_timeout reason, int seconds)
{
	(void)wsi;
	(void)reason;
	(void)seconds;
}

int lws_http_transaction_completed(struct lws *wsi)
{
	(void)wsi;
	return 0;
}

int lws_partial_buffered(struct lws *wsi)
{
	(void)wsi;
	return 0;
}

struct lws *lws_get_network_wsi(struct lws *wsi)
{
	return wsi;
}

SSL *lws_get_ssl(struct lws *wsi)
{
	return (SSL *)(void *)wsi;
}

enum err identity_of_peer(const SSL *ssl, uint8_t ret_device[WIRE_DEVICE_ID])
{
	(void)ssl;
	if (!has_device)
		return ERR_AUTH;
	memset(ret_device, 0xd5, WIRE_DEVICE_ID);
	return OK;
}

struct bytes tls_ca_pem(const struct tls *tls)
{
	(void)tls;
	return ca;
}

struct bytes tls_crl_der(const struct tls *tls, uint32_t issuer)
{
	(void)tls;
	list_asked = issuer;
	return list;
}

void websocket_finish(struct connection *at)
{
	(void)at;
}

enum err broker_ask(struct broker *broker, uint16_t id, union wire_any *msg,
		    struct broker_request *request)
{
	const struct wire_type *type;

	(void)broker;
	asked_id = id;
	waiting = request;
	buf_clear(&asked);
	assert_ok(wire_encode(id, msg, &asked));
	assert_ok(wire_decode(asked.data, asked.len, &type, &question));
	return OK;
}

void broker_cancel(struct broker_request *request)
{
	if (waiting == request)
		waiting = NULL;
}

/* ---- asking ----------------------------------------------------------------------------- */

static inline const char *finish_answer(void)
{
	if (waiting) {
		struct broker_request *request = waiting;

		waiting = NULL;
		request->done(request, OK, &reply, -1);
	}
	for (int i = 0; i < 10 && connection->exchange.state == EXCHANGE_ANSWER; i++)
		http_writeable(connection);
	assert_int_equal(connection->exchange.state, EXCHANGE_NONE);
	out[out_len] = 0;
	return out;
}

static inline void begin(const char *how, const char *path, const char *const *more)
{
	static char line[16384];

	snprintf(method, sizeof(method), "%s", how);
	snprintf(line, sizeof(line), "%s", path);
	fields = more;
	out_len = 0;
	asked_id = 0;
	assert_int_equal(http_request(connection, line, strlen(line)), 0);
	/* libwebsockets does not keep it either. */
	memset(line, 'x', strlen(line));
}

static inline const char *request(const char *how, const char *path, const char *body, size_t len,
				  const char *const *more)
{
	const char *all[16] = { 0 };
	char length[64];
	size_t count = 0;

	while (more[count]) {
		all[count] = more[count];
		count++;
	}
	snprintf(length, sizeof(length), "Content-Length: %zu", len);
	if (len || !strcmp(how, "POST"))
		all[count] = length;
	begin(how, path, all);
	if (connection->exchange.state == EXCHANGE_BODY) {
		if (len)
			assert_int_equal(http_body(connection, body, len), 0);
		assert_int_equal(http_body_end(connection), 0);
	}
	return finish_answer();
}

#define HOST "Host: office.example:8443"

#define GET(path, ...)                                                                             \
	request("GET", path, NULL, 0, (const char *const[]){ HOST, ##__VA_ARGS__, NULL })

#define POST(path, body, ...)                                                                      \
	request("POST", path, body, strlen(body),                                                  \
		(const char *const[]){ HOST, ##__VA_ARGS__, NULL })

static inline void status_is(const char *answer, int status)
{
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (strncmp(answer, line, strlen(line)))
		fail_msg("not %d: %s", status, answer);
}

static inline void has(const char *answer, const char *text)
{
	if (!strstr(answer, text))
		fail_msg("no \"%s\" in:\n%s", text, answer);
}

static inline void has_not(const char *answer, const char *text)
{
	if (strstr(answer, text))
		fail_msg("\"%s\" in:\n%s", text, answer);
}

/* Refused with that status, and the broker was not asked. */
static inline void refused(const char *answer, int status, const char *text)
{
	status_is(answer, status);
	has(answer, text);
	assert_int_equal(asked_id, 0);
}

static inline void went_to(const char *answer, uint16_t id)
{
	status_is(answer, 200);
	assert_int_equal(asked_id, id);
}

static inline void connect_to(struct listener *listener)
{
	const struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = 1 };
	struct limits_address *address;

	if (connection)
		connection_free(connection);
	assert_ok(limits_connect(listener->limits, (const void *)&peer, clock_mono_ms(), &address));
	assert_ok(connection_new(listener, address, "192.0.2.1", &connection));
	connection->wsi = (void *)connection;
}

static inline int set_up(void **state)
{
	static struct settings settings;
	const struct limits_settings limits = { 64, 8, 600, 100, 8 };

	(void)state;
	edge = calloc(1, sizeof(*edge));
	assert_non_null(edge);
	snprintf(settings.gateway_office, sizeof(settings.gateway_office), "office");
	edge->settings = &settings;
	edge->gateway.kind = LISTENER_GATEWAY;
	edge->enrol.kind = LISTENER_ENROL;
	edge->gateway.edge = edge->enrol.edge = edge;
	assert_ok(site_init(&edge->gateway.site, "office.example", 443));
	assert_ok(site_init(&edge->enrol.site, "office.example", 8443));
	assert_ok(limits_new(&limits, &edge->gateway.limits));
	assert_ok(limits_new(&limits, &edge->enrol.limits));
	buf_init(&asked, WIRE_MESSAGE_MAX);
	reply = (struct msg_reply){ .status = 200, .cookie = "" };
	has_device = false;
	ca = list = (struct bytes){ 0 };
	connect_to(&edge->enrol);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	connection_free(connection);
	connection = NULL;
	limits_free(edge->gateway.limits);
	limits_free(edge->enrol.limits);
	buf_finish(&asked);
	free(edge);
	return 0;
}

/* ---- the rest of HTTP ------------------------------------------------------------------- */

#define stage_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
