/* Requests as text in, answers as text out: the judge and what follows, with libwebsockets, TLS and
 * the broker played by this file. */
#include "unit/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
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
static const char *field_of(enum lws_token_indexes token)
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

static const char *finish_answer(void)
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

static void begin(const char *how, const char *path, const char *const *more)
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

static const char *request(const char *how, const char *path, const char *body, size_t len,
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

static void status_is(const char *answer, int status)
{
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (strncmp(answer, line, strlen(line)))
		fail_msg("not %d: %s", status, answer);
}

static void has(const char *answer, const char *text)
{
	if (!strstr(answer, text))
		fail_msg("no \"%s\" in:\n%s", text, answer);
}

static void has_not(const char *answer, const char *text)
{
	if (strstr(answer, text))
		fail_msg("\"%s\" in:\n%s", text, answer);
}

/* Refused with that status, and the broker was not asked. */
static void refused(const char *answer, int status, const char *text)
{
	status_is(answer, status);
	has(answer, text);
	assert_int_equal(asked_id, 0);
}

static void went_to(const char *answer, uint16_t id)
{
	status_is(answer, 200);
	assert_int_equal(asked_id, id);
}

static void connect_to(struct listener *listener)
{
	const struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = 1 };
	struct limits_address *address;

	if (connection)
		connection_free(connection);
	assert_ok(limits_connect(listener->limits, (const void *)&peer, clock_mono_ms(), &address));
	assert_ok(connection_new(listener, address, "192.0.2.1", &connection));
	connection->wsi = (void *)connection;
}

static int set_up(void **state)
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

static int tear_down(void **state)
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

/* ---- EST -------------------------------------------------------------------------------- */

static void a_program_enrols(void **state)
{
	static const uint8_t none[WIRE_DEVICE_ID];
	const struct msg_est_simpleenroll *msg = &question.est_simpleenroll;
	const char *answer;

	(void)state;
	reply.kind = BODY_PKCS7;
	reply.body = (struct bytes){ (const uint8_t *)"MIIB", 4 };
	answer = POST(EST "simpleenroll", "csr", PKCS10, BASIC);
	went_to(answer, MSG_est_simpleenroll);
	assert_string_equal(msg->user, "tpm");
	assert_string_equal(msg->code, CODE);
	assert_memory_equal(msg->csr.data, "csr", 3);
	assert_string_equal(msg->address, "192.0.2.1");
	assert_string_equal(msg->token, "");
	assert_memory_equal(msg->device, none, sizeof(none));
	has(answer, "\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\n");
	has(answer, "\r\nContent-Transfer-Encoding: base64\r\n");
	has(answer, "\r\n\r\nMIIB");
	assert_in_range(strlen(answer), 300, 1004);
	has_not(answer, "WWW-Authenticate");
	went_to(POST(EST "simpleenroll", "csr", PKCS10 "; charset=x", BASIC, OURS,
		     "Content-Transfer-Encoding: base64"),
		MSG_est_simpleenroll);
}

static void a_waiting_program_is_told_when(void **state)
{
	const char *answer;

	(void)state;
	reply.status = 202;
	reply.retry_s = 20;
	answer = POST(EST "simpleenroll", "csr", PKCS10, BASIC);
	status_is(answer, 202);
	has(answer, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n");
	has(answer, "\r\nRetry-After: 20\r\n");
	has_not(answer, "\r\nContent-Type");
	has_not(answer, "Content-Transfer-Encoding");
}

/* libest comes without at first; the connection stays, and nothing is asked. */
static void who_has_no_code_is_asked_for_it(void **state)
{
	static const char challenge[] = "\r\nWWW-Authenticate: Basic realm=\"";
	const char *answer;

	(void)state;
	answer = POST(EST "simpleenroll", "csr", PKCS10);
	refused(answer, 401, challenge);
	has(answer, "{\"error\":\"code\"}");
	has_not(answer, "Connection: close");
	refused(POST(EST "simpleenroll", "csr", PKCS10, "Authorization: Basic dHBtOg=="), 401,
		challenge);
	refused(POST(EST "simpleenroll", "csr", PKCS10, "Authorization: Bearer x"), 401, challenge);
	refused(POST(EST "simpleenroll", "csr", PKCS10, BASIC, BASIC), 401, challenge);
	refused(POST(EST "simpleenroll", "csr", PKCS10, "Authorization: Basic YToAYg=="), 401,
		challenge);
	went_to(POST(EST "simpleenroll", "csr", PKCS10, BASIC), MSG_est_simpleenroll);
}

static void a_wrong_code_is_asked_for_again(void **state)
{
	const char *answer;

	(void)state;
	reply.status = 401;
	reply.body = (struct bytes){ (const uint8_t *)"{}", 2 };
	answer = POST(EST "simpleenroll", "csr", PKCS10, BASIC);
	status_is(answer, 401);
	assert_int_equal(asked_id, MSG_est_simpleenroll);
	has(answer, "\r\nWWW-Authenticate: Basic ");
	has(answer, "\r\nContent-Type: application/json\r\n");
	has_not(answer, "Content-Transfer-Encoding");
	/* A browser would put up a window of its own. */
	answer = POST("/enrol/api/look", LOOK, OURS, JSON);
	status_is(answer, 401);
	has_not(answer, "WWW-Authenticate");
}

static void a_renewal_needs_a_certificate(void **state)
{
	(void)state;
	refused(POST(EST "simplereenroll", "csr", PKCS10), 403, "\"field\":\"certificate\"");
	refused(POST(EST "simplereenroll", "csr", PKCS10, BASIC), 403, "certificate");
	has_device = true;
	reply.kind = BODY_PKCS7;
	went_to(POST(EST "simplereenroll", "csr", PKCS10), MSG_est_simplereenroll);
	assert_int_equal(question.est_simplereenroll.device[0], 0xd5);
	assert_memory_equal(question.est_simplereenroll.csr.data, "csr", 3);
}

/* The certificate that a browser has must not work for another site's page. */
static void est_is_not_for_pages_of_others(void **state)
{
	static const char *const foreign[] = { GATEWAYS, "Origin: null",
					       "Origin: https://evil.example",
					       "Origin: https://office.example:8443.evil.example" };

	(void)state;
	has_device = true;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		refused(POST(EST "simplereenroll", "csr", PKCS10, foreign[i]), 403, "\"origin\"");
		refused(POST(EST "simpleenroll", "csr", PKCS10, BASIC, foreign[i]), 403, "origin");
		refused(GET(EST "cacerts", foreign[i]), 403, "origin");
		refused(POST("/ocsp", "q", "Content-Type: application/ocsp-request", foreign[i]),
			403, "origin");
		refused(POST("/enrol/api/look", LOOK, JSON, foreign[i]), 403, "origin");
		refused(GET("/enrol/api/office", foreign[i]), 403, "origin");
	}
}

static void bodies_have_a_type(void **state)
{
	static const char *const wrong[] = { "Content-Type: text/plain", JSON,
					     "Content-Type: application/x-www-form-urlencoded",
					     "X: y" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused(POST(EST "simpleenroll", "csr", BASIC, wrong[i]), 403, "\"content-type\"");
	refused(POST(EST "simpleenroll", "csr", BASIC, PKCS10, JSON), 403, "content-type");
	refused(POST("/ocsp", "q", PKCS10), 403, "content-type");
	refused(POST("/enrol/api/look", LOOK, OURS, PKCS10), 403, "content-type");
	refused(POST("/enrol/api/look", LOOK, OURS), 403, "content-type");
	/* What a page sends says whose it is. */
	refused(POST("/enrol/api/look", LOOK, JSON), 403, "\"origin\"");
}

static void bodies_have_a_size(void **state)
{
	static char big[API_BODY_MAX + 1];
	const char *answer;

	(void)state;
	memset(big, 'A', sizeof(big));
	big[EST_CSR_MAX] = 0;
	went_to(POST(EST "simpleenroll", big, PKCS10, BASIC), MSG_est_simpleenroll);
	big[EST_CSR_MAX] = 'A';
	big[EST_CSR_MAX + 1] = 0;
	refused(POST(EST "simpleenroll", big, PKCS10, BASIC), 413, "too-big");
	big[EST_CSR_MAX + 1] = 'A';
	answer = request("POST", EST "simpleenroll", big, sizeof(big),
			 (const char *const[]){ HOST, PKCS10, BASIC, NULL });
	refused(answer, 413, "Connection: close");
	refused(POST(EST "simpleenroll", "", PKCS10, BASIC), 400, "\"csr\"");
	refused(POST("/ocsp", "", "Content-Type: application/ocsp-request"), 400, "\"question\"");
}

static void what_everybody_may_read(void **state)
{
	const char *answer;

	(void)state;
	reply.kind = BODY_CSRATTRS;
	reply.body = (struct bytes){ (const uint8_t *)"MAA=", 4 };
	answer = GET(EST "csrattrs");
	went_to(answer, MSG_est_csrattrs);
	has(answer,
	    "\r\nContent-Type: application/csrattrs\r\nContent-Transfer-Encoding: base64\r\n");
	reply.kind = BODY_PKCS7;
	went_to(GET(EST "cacerts"), MSG_est_cacerts);
	refused(POST(EST "cacerts", "x", PKCS10), 405, "\r\nAllow: GET\r\n");
	refused(GET(EST "simpleenroll", BASIC), 405, "\r\nAllow: POST\r\n");
}

/* ---- OCSP, lists, the CA ---------------------------------------------------------------- */

static void ocsp_comes_both_ways(void **state)
{
	const char *answer;

	(void)state;
	reply.kind = BODY_OCSP;
	reply.body = (struct bytes){ (const uint8_t *)"der", 3 };
	answer = request(
		"POST", "/ocsp", "0\0q", 3,
		(const char *const[]){ HOST, "Content-Type: application/ocsp-request", NULL });
	went_to(answer, MSG_ocsp);
	assert_int_equal(question.ocsp.question.len, 3);
	assert_memory_equal(question.ocsp.question.data, "0\0q", 3);
	has(answer, "\r\nContent-Type: application/ocsp-response\r\n");
	has_not(answer, "Content-Transfer-Encoding");
	went_to(GET("/ocsp/MAD//w=="), MSG_ocsp);
	assert_int_equal(question.ocsp.question.len, 4);
	assert_memory_equal(question.ocsp.question.data, "0\0\xff\xff", 4);
	refused(GET("/ocsp/MAD//w="), 400, "\"question\"");
	refused(GET("/ocsp/../../etc"), 400, "\"question\"");
	refused(GET("/ocsp/"), 404, "not-found");
}

static void lists_and_the_ca_are_public(void **state)
{
	const char *answer;

	(void)state;
	refused(GET("/ca.crt"), 404, "not-found");
	refused(GET("/crl.der"), 404, "not-found");
	ca = (struct bytes){ (const uint8_t *)"-----BEGIN", 10 };
	list = (struct bytes){ (const uint8_t *)"0list", 5 };
	answer = GET("/ca.crt");
	status_is(answer, 200);
	has(answer, "\r\nContent-Type: application/x-x509-ca-cert\r\n");
	has(answer, "\r\n\r\n-----BEGIN");
	answer = GET("/crl.der");
	status_is(answer, 200);
	assert_int_equal(list_asked, 0);
	has(answer, "\r\nContent-Type: application/pkix-crl\r\n");
	status_is(GET("/crl/7.der"), 200);
	assert_int_equal(list_asked, 7);
	/* Not the number that is left of it in 32 bits. */
	refused(GET("/crl/4294967303.der"), 404, "not-found");
}

/* ---- the two ports ---------------------------------------------------------------------- */

static void ports_do_not_mix(void **state)
{
	static const char *const gateway[] = {
		"/api/office",      "/api/me",       "/api/admin/device/list",
		"/enrol/../api/me", "/enrol/api/me", "/api"
	};
	static const char *const enrol[] = { "/enrol/api/office", EST "cacerts", "/ca.crt",
					     "/crl.der", "/ocsp/MAD//w==" };

	(void)state;
	has_device = true;
	for (size_t i = 0; i < ARRAY_SIZE(gateway); i++)
		refused(GET(gateway[i]), 404, "not-found");
	refused(POST("/api/login", "{}", OURS, JSON), 404, "not-found");
	refused(POST("/api/device/renew", "{}", OURS, JSON), 404, "not-found");
	connect_to(&edge->gateway);
	for (size_t i = 0; i < ARRAY_SIZE(enrol); i++)
		refused(request("GET", enrol[i], NULL, 0,
				(const char *const[]){ "Host: office.example", NULL }),
			404, "not-found");
	refused(request("POST", EST "simpleenroll", "csr", 3,
			(const char *const[]){ "Host: office.example", PKCS10, BASIC, NULL }),
		404, "not-found");
	refused(request("POST", "/enrol/api/look", LOOK, strlen(LOOK),
			(const char *const[]){ "Host: office.example", GATEWAYS, JSON, NULL }),
		404, "not-found");
}

static const char *at_gateway(const char *how, const char *path, const char *body)
{
	return request(how, path, body, strlen(body),
		       (const char *const[]){ "Host: office.example", GATEWAYS, JSON,
					      "Cookie: __Host-sekisho="
					      "0123456789abcdef0123456789abcdef"
					      "0123456789abcdef0123456789abcdef",
					      NULL });
}

static void administrators_give_orders(void **state)
{
	(void)state;
	has_device = true;
	connect_to(&edge->gateway);
	went_to(at_gateway("GET", "/api/admin/device/list", ""), MSG_admin_look);
	assert_string_equal(question.admin_look.command, "device list");
	assert_int_equal(strlen(question.admin_look.token), HEADERS_TOKEN);
	assert_int_equal(question.admin_look.device[0], 0xd5);
	went_to(at_gateway("POST", "/api/admin/device/revoke", "{\"id\":7}"), MSG_admin_order);
	assert_string_equal(question.admin_order.command, "device revoke");
	assert_memory_equal(question.admin_order.arguments.data, "{\"id\":7}", 8);
	went_to(at_gateway("POST", "/api/device/renew", "{\"compatible\":false}"),
		MSG_device_renew);
	refused(at_gateway("POST", "/api/admin/device/revoke", "[]"), 400, "body");
	refused(at_gateway("DELETE", "/api/admin/device/revoke", "{}"), 405, "Allow: GET, POST");
	refused(request("POST", "/api/admin/device/revoke", "{}", 2,
			(const char *const[]){ "Host: office.example", JSON, NULL }),
		403, "origin");
	has_device = false;
	refused(at_gateway("GET", "/api/admin/device/list", ""), 401, "certificate");
}

/* Nothing is known of who asks there but the certificate; cookies go to all ports of a host. */
static void the_enrolment_reads_no_cookie(void **state)
{
	(void)state;
	went_to(POST("/enrol/api/look", LOOK, OURS, JSON,
		     "Cookie: __Host-sekisho=0123456789abcdef0123456789abcdef"
		     "0123456789abcdef0123456789abcdef"),
		MSG_enrol_look);
	assert_string_equal(question.enrol_look.token, "");
	assert_string_equal(question.enrol_look.code, CODE);
	reply.cookie = "-";
	has_device = true;
	went_to(POST("/enrol/api/look", LOOK, OURS, JSON), MSG_enrol_look);
	assert_int_equal(question.enrol_look.device[0], 0xd5);
}

static void only_the_gateways_office_is_for_other_ports(void **state)
{
	const char *answer = GET("/enrol/api/office");

	(void)state;
	status_is(answer, 200);
	has(answer, "\"gateway\":\"https://office.example/\"");
	has(answer, "Cross-Origin-Resource-Policy: same-origin\r\n");
	has_device = true;
	connect_to(&edge->gateway);
	answer = at_gateway("GET", "/api/office", "");
	status_is(answer, 200);
	has(answer, "Cross-Origin-Resource-Policy: same-site\r\n");
	has_not(answer, "\"gateway\"");
	has(at_gateway("GET", "/api/me", ""), "Cross-Origin-Resource-Policy: same-origin\r\n");
	has(at_gateway("GET", "/", ""), "Cross-Origin-Resource-Policy: same-origin\r\n");
	has_device = false;
	has(at_gateway("GET", "/api/office", ""), "Cross-Origin-Resource-Policy: same-origin\r\n");
}

/* ---- the rest of HTTP ------------------------------------------------------------------- */

static void a_body_is_asked_for(void **state)
{
	static const char *const good[] = {
		HOST, PKCS10, BASIC, "Content-Length: 3", "Expect: 100-Continue", NULL
	};
	static const char *const bad[] = { HOST, PKCS10, "Content-Length: 3",
					   "Expect: 100-continue", NULL };
	static const char *const strange[] = { HOST,          PKCS10, BASIC, "Content-Length: 3",
					       "Expect: tea", NULL };

	(void)state;
	begin("POST", EST "simpleenroll", good);
	out[out_len] = 0;
	assert_string_equal(out, "HTTP/1.1 100 Continue\r\n\r\n");
	out_len = 0;
	assert_int_equal(http_body(connection, "csr", 3), 0);
	assert_int_equal(http_body_end(connection), 0);
	went_to(finish_answer(), MSG_est_simpleenroll);
	/* Refused at once, and nothing more is read: whether the body comes is open. */
	begin("POST", EST "simpleenroll", bad);
	refused(finish_answer(), 401, "Connection: close");
	begin("POST", EST "simpleenroll", strange);
	refused(finish_answer(), 417, "Connection: close");
	status_is(GET("/enrol/api/office"), 200);
}

/* What follows a body before its answer is no request of ours; an empty line is none at all. */
static void behind_a_body_comes_nothing(void **state)
{
	static const char *const all[] = { HOST, PKCS10, BASIC, "Content-Length: 3", NULL };
	static const char *const more[] = { "GET", "\r\n\r\n", "\n", "x" };

	(void)state;
	begin("POST", EST "simpleenroll", all);
	assert_int_equal(http_body(connection, "csr", 3), 0);
	assert_int_equal(http_body_end(connection), 0);
	assert_int_equal(http_body(connection, "\r\n", 2), 0);
	assert_int_equal(http_body(connection, NULL, 0), 0);
	assert_int_equal(http_body_end(connection), 0);
	has(finish_answer(), "\r\nConnection: close\r\n");
	assert_int_equal(asked_id, MSG_est_simpleenroll);
	assert_int_equal(question.est_simpleenroll.csr.len, 3);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		begin("POST", EST "simpleenroll", all);
		assert_int_equal(http_body(connection, "csr", 3), 0);
		assert_int_equal(http_body_end(connection), 0);
		assert_int_equal(http_body(connection, more[i], strlen(more[i])), 0);
		assert_int_equal(http_body_end(connection), -1);
		finish_answer();
	}
}

static void where_a_body_ends_is_certain(void **state)
{
	static const char *const cases[][3] = {
		{ "X: y", "X: y", "X: y" },
		{ "Content-Length: 3", "Content-Length: 4", "X: y" },
		{ "Content-Length: 3", "Transfer-Encoding: chunked", "X: y" },
		{ "Transfer-Encoding: chunked", "X: y", "X: y" },
		{ "Content-Length: +3", "X: y", "X: y" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const all[] = { HOST,        PKCS10,      BASIC, cases[i][0],
					    cases[i][1], cases[i][2], NULL };

		begin("POST", EST "simpleenroll", all);
		refused(finish_answer(), 400, "Connection: close");
	}
	refused(request("PUT", EST "simpleenroll", "csr", 3,
			(const char *const[]){ HOST, PKCS10, BASIC, "X-HTTP-Method-Override: POST",
					       NULL }),
		405, "Connection: close");
	refused(GET("/.well-known/est/simpleenroll", "X-HTTP-Method-Override: POST"), 405,
		"Allow: POST");
	refused(request("GET", "/ca.crt", NULL, 0, (const char *const[]){ "Host: evil", NULL }),
		421, "host");
}

static void strange_replies_are_not_passed_on(void **state)
{
	static const struct {
		uint16_t status;
		uint8_t kind;
	} cases[] = { { 99, BODY_JSON },     { 199, BODY_JSON }, { 600, BODY_JSON },
		      { 200, BODY_OCSP },    { 200, 99 },        { 200, BODY_PKCS7 },
		      { 200, BODY_CSRATTRS } };

	(void)state;
	reply.body = (struct bytes){ (const uint8_t *)"secret", 6 };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answer;

		reply.status = cases[i].status;
		reply.kind = cases[i].kind;
		answer = POST("/enrol/api/look", LOOK, OURS, JSON);
		status_is(answer, 500);
		has_not(answer, "secret");
	}
	reply.kind = BODY_OCSP;
	status_is(GET(EST "cacerts"), 500);
	reply.kind = BODY_PKCS7;
	status_is(GET("/ocsp/MAD//w=="), 500);
}

static void guesses_are_counted(void **state)
{
	const char *answer = "";
	unsigned passed = 0;

	(void)state;
	/* Without a code nothing is guessed. */
	for (int i = 0; i < 100; i++)
		refused(POST(EST "simpleenroll", "csr", PKCS10), 401, "code");
	for (int i = 0; i < LIMITS_QUESTIONS + 10; i++) {
		answer = POST(EST "simpleenroll", "csr", PKCS10, BASIC);
		if (!asked_id)
			break;
		passed++;
	}
	assert_in_range(passed, LIMITS_QUESTIONS, LIMITS_QUESTIONS + 1);
	refused(answer, 429, "\r\nRetry-After: ");
	refused(POST("/enrol/api/look", LOOK, OURS, JSON), 429, "throttled");
	/* The page still comes. */
	status_is(GET("/enrol/api/office"), 200);
}

static bool in_memory(const void *memory, size_t len, const char *text)
{
	return memory && memmem(memory, len, text, strlen(text));
}

static void no_code_in_connection(void)
{
	const struct buf *body = &connection->exchange.body;

	assert_false(in_memory(connection, sizeof(*connection), "7K2M"));
	assert_false(in_memory(body->data, body->room, "7K2M"));
}

static void a_code_is_gone_once_it_is_asked(void **state)
{
	static const char *const all[] = { HOST, PKCS10, BASIC, "Content-Length: 34", NULL };

	(void)state;
	begin("POST", EST "simpleenroll", all);
	assert_true(in_memory(connection, sizeof(*connection), "7K2M"));
	assert_int_equal(http_body(connection, CODE, 34), 0);
	assert_int_equal(http_body_end(connection), 0);
	assert_non_null(waiting);
	no_code_in_connection();
	finish_answer();
	no_code_in_connection();
}

/* Neither in what stays of a connection nor in what is written down. */
static void a_code_is_kept_nowhere(void **state)
{
	char log[65536];
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	size_t len;

	(void)state;
	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	log_init("edge", LOG_LEVEL_DEBUG);
	POST(EST "simpleenroll", CODE, PKCS10, BASIC);
	assert_int_equal(asked_id, MSG_est_simpleenroll);
	POST("/enrol/api/look", LOOK, OURS, JSON);
	assert_int_equal(asked_id, MSG_enrol_look);
	POST("/enrol/api/look", "{\"kode\":\"" CODE "\"}", OURS, JSON);
	POST(EST "simpleenroll/" CODE, CODE, PKCS10, BASIC);
	POST("/enrol/" CODE, LOOK, OURS, JSON);
	log_init("edge", LOG_LEVEL_INFO);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	rewind(file);
	len = fread(log, 1, sizeof(log), file);
	fclose(file);
	assert_true(in_memory(log, len, "path=" EST "simpleenroll status=200"));
	assert_false(in_memory(log, len, "7K2M"));
	no_code_in_connection();
}

/* What the answers have in them goes through one place for all connections. */
static void an_answer_is_kept_nowhere(void **state)
{
	static const char password[] = "{\"password\":\"KAGO-NOTO-RI77\"}";

	(void)state;
	reply.body = (struct bytes){ (const uint8_t *)password, sizeof(password) - 1 };
	POST("/enrol/api/look", LOOK, OURS, JSON);
	assert_true(in_memory(out, out_len, "KAGO-NOTO-RI77"));
	assert_false(in_memory(edge->out, sizeof(edge->out), "KAGO-NOTO-RI77"));
	assert_false(in_memory(connection, sizeof(*connection), "KAGO-NOTO-RI77"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_program_enrols),
		TEST(a_waiting_program_is_told_when),
		TEST(who_has_no_code_is_asked_for_it),
		TEST(a_wrong_code_is_asked_for_again),
		TEST(a_renewal_needs_a_certificate),
		TEST(est_is_not_for_pages_of_others),
		TEST(bodies_have_a_type),
		TEST(bodies_have_a_size),
		TEST(what_everybody_may_read),
		TEST(ocsp_comes_both_ways),
		TEST(lists_and_the_ca_are_public),
		TEST(ports_do_not_mix),
		TEST(administrators_give_orders),
		TEST(the_enrolment_reads_no_cookie),
		TEST(only_the_gateways_office_is_for_other_ports),
		TEST(a_body_is_asked_for),
		TEST(behind_a_body_comes_nothing),
		TEST(where_a_body_ends_is_certain),
		TEST(strange_replies_are_not_passed_on),
		TEST(guesses_are_counted),
		TEST(a_code_is_gone_once_it_is_asked),
		TEST(a_code_is_kept_nowhere),
		TEST(an_answer_is_kept_nowhere),
	};

	api_init();
	log_init("edge", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
