/* Requests as text in, answers as text out: the judge and what follows, with libwebsockets, TLS and
 * the broker played by this file. */
#include "unit/edge/stage.h"

#include "base/log.h"

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
		stage_test(ports_do_not_mix),
		stage_test(administrators_give_orders),
		stage_test(the_enrolment_reads_no_cookie),
		stage_test(only_the_gateways_office_is_for_other_ports),
		stage_test(a_body_is_asked_for),
		stage_test(behind_a_body_comes_nothing),
		stage_test(where_a_body_ends_is_certain),
		stage_test(strange_replies_are_not_passed_on),
		stage_test(guesses_are_counted),
		stage_test(a_code_is_gone_once_it_is_asked),
		stage_test(a_code_is_kept_nowhere),
		stage_test(an_answer_is_kept_nowhere),
	};

	api_init();
	log_init("edge", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
