#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "edge/response.h"
#include "edge/router.h"

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char text[RESPONSE_HEAD_MAX + 1];

static const char *head_for(const struct response *response, const char *name)
{
	_cleanup_buf_ struct buf head;
	struct site site;

	assert_ok(site_init(&site, name, 8443));
	buf_init(&head, RESPONSE_HEAD_MAX);
	assert_ok(response_head(response, &site, &head));
	memcpy(text, head.data, head.len);
	text[head.len] = 0;
	return text;
}

static const char *head_of(const struct response *response)
{
	return head_for(response, "office.example");
}

static void has(const char *head, const char *line)
{
	if (!strstr(head, line))
		fail_msg("no \"%s\" in:\n%s", line, head);
}

static void has_not(const char *head, const char *line)
{
	if (strstr(head, line))
		fail_msg("\"%s\" in:\n%s", line, head);
}

static void every_answer_is_guarded(void **state)
{
	struct response response;
	const char *head;

	(void)state;
	response_init(&response);
	response_json(&response, 404);
	head = head_of(&response);
	has(head, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n");
	has(head, "\r\nContent-Security-Policy: default-src 'none'; script-src 'self' "
		  "'wasm-unsafe-eval'; ");
	has(head, "connect-src 'self' wss://office.example:8443;");
	has(head, "frame-ancestors 'none'\r\n");
	has_not(head, "unsafe-inline");
	has_not(head, "'unsafe-eval'");
	has(head, "\r\nStrict-Transport-Security: max-age=31536000\r\n");
	has(head, "\r\nX-Content-Type-Options: nosniff\r\n");
	has(head, "\r\nReferrer-Policy: no-referrer\r\n");
	has(head, "\r\nCross-Origin-Opener-Policy: same-origin\r\n");
	has(head, "\r\nCross-Origin-Embedder-Policy: require-corp\r\n");
	has(head, "\r\nCross-Origin-Resource-Policy: same-origin\r\n");
	has(head, "camera=()");
	has(head, "keyboard-map=(self)");
	has(head, "window-management=(self)");
	has_not(head, "ambient-light-sensor"); /* Chromium complains about what it does not know */
	has(head, "\r\nCache-Control: no-store\r\n");
	has_not(head, "Set-Cookie");
	has_not(head, "Content-Type:");
	assert_string_equal(head + strlen(head) - 4, "\r\n\r\n");
}

/* It would hold for every other server that a developer runs on localhost. */
static void localhost_gets_no_hsts(void **state)
{
	struct response response;

	(void)state;
	response_init(&response);
	response_json(&response, 200);
	has_not(head_for(&response, "localhost"), "Strict-Transport-Security");
}

static void a_file_is_kept_but_asked_for(void **state)
{
	struct response response;
	const char *head;

	(void)state;
	response_init(&response);
	response.status = 200;
	response.type = "text/html; charset=utf-8";
	response.etag = "\"abc\"";
	response.body = (struct bytes){ (const uint8_t *)"12345", 5 };
	head = head_of(&response);
	has(head, "Content-Length: 5\r\n");
	has(head, "Content-Type: text/html; charset=utf-8\r\n");
	has(head, "ETag: \"abc\"\r\nCache-Control: private, no-cache\r\n");
	has_not(head, "no-store");
}

static void the_cookie_is_set_and_cleared(void **state)
{
	struct response response;

	(void)state;
	response_init(&response);
	response_json(&response, 200);
	memcpy(response.cookie, TOKEN, sizeof(TOKEN));
	has(head_of(&response), "\r\nSet-Cookie: __Host-sekisho=" TOKEN
				"; Path=/; Secure; HttpOnly; SameSite=Strict\r\n");
	memcpy(response.cookie, "-", 2);
	has(head_of(&response), "\r\nSet-Cookie: __Host-sekisho=; Max-Age=0; Path=/; Secure; "
				"HttpOnly; SameSite=Strict\r\n");
}

static void a_strange_cookie_is_never_sent(void **state)
{
	static const char *const strange[] = {
		"x", "abc", "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"a\r\nX: 1"
	};
	struct response response;
	struct site site;

	(void)state;
	assert_ok(site_init(&site, "office.example", 443));
	response_init(&response);
	response_json(&response, 200);
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		_cleanup_buf_ struct buf head;

		buf_init(&head, RESPONSE_HEAD_MAX);
		snprintf(response.cookie, sizeof(response.cookie), "%s", strange[i]);
		assert_err(response_head(&response, &site, &head), ERR_INVALID);
	}
}

static void the_rest_is_said_when_there_is_any(void **state)
{
	struct response response;
	const char *head;

	(void)state;
	response_init(&response);
	response_json(&response, 405);
	response.allowed = METHOD_GET | METHOD_DELETE;
	response.retry_s = 12;
	response.close = true;
	head = head_of(&response);
	has(head, "\r\nAllow: GET, DELETE\r\n");
	has(head, "\r\nRetry-After: 12\r\n");
	has(head, "\r\nConnection: close\r\n");
}

static void est_is_told_what_it_needs(void **state)
{
	struct response response;
	const char *head;

	(void)state;
	response_init(&response);
	response_json(&response, 200);
	has_not(head_of(&response), "Content-Transfer-Encoding");
	has_not(head_of(&response), "WWW-Authenticate");
	response.base64 = true;
	response.challenge = true;
	head = head_of(&response);
	has(head, "\r\nContent-Transfer-Encoding: base64\r\n");
	has(head, "\r\nWWW-Authenticate: Basic realm=\"");
}

/* strongSwan's buffer for it has 1,024 bytes. */
static void programs_get_a_short_head(void **state)
{
	struct response response;
	const char *head;

	(void)state;
	response_init(&response);
	response_json(&response, 401);
	response.type = "application/pkcs7-mime; smime-type=certs-only";
	response.base64 = response.challenge = response.close = response.program = true;
	response.retry_s = UINT32_MAX;
	response.allowed = METHOD_GET | METHOD_POST | METHOD_DELETE;
	head = head_of(&response);
	assert_in_range(strlen(head), 400, 1000);
	has(head, "\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
	has(head, "\r\nX-Content-Type-Options: nosniff\r\n");
	has(head, "\r\nCross-Origin-Resource-Policy: same-origin\r\n");
	has(head, "\r\nCache-Control: no-store\r\n");
}

/* Nothing else of the gateway may be loaded by pages of another port. */
static void only_what_says_so_is_for_other_ports(void **state)
{
	struct response response;
	const char *head;

	(void)state;
	response_init(&response);
	response_json(&response, 200);
	response.same_site = true;
	head = head_of(&response);
	has(head, "\r\nCross-Origin-Resource-Policy: same-site\r\n");
	has_not(head, "Cross-Origin-Resource-Policy: same-origin");
	response.same_site = false;
	has_not(head_of(&response), "same-site");
}

static void the_enrolment_may_ask_the_gateway(void **state)
{
	_cleanup_buf_ struct buf head;
	struct site enrol, gateway;
	struct response response;

	(void)state;
	assert_ok(site_init(&enrol, "office.example", 8443));
	assert_ok(site_init(&gateway, "office.example", 443));
	site_ask(&enrol, &gateway);
	response_init(&response);
	response_json(&response, 200);
	buf_init(&head, RESPONSE_HEAD_MAX);
	assert_ok(response_head(&response, &enrol, &head));
	assert_ok(buf_add(&head, "", 1));
	has((const char *)head.data, "connect-src 'self' https://office.example;");
	has_not((const char *)head.data, "wss:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_is_guarded),
		cmocka_unit_test(localhost_gets_no_hsts),
		cmocka_unit_test(a_file_is_kept_but_asked_for),
		cmocka_unit_test(the_cookie_is_set_and_cleared),
		cmocka_unit_test(a_strange_cookie_is_never_sent),
		cmocka_unit_test(the_rest_is_said_when_there_is_any),
		cmocka_unit_test(est_is_told_what_it_needs),
		cmocka_unit_test(programs_get_a_short_head),
		cmocka_unit_test(only_what_says_so_is_for_other_ports),
		cmocka_unit_test(the_enrolment_may_ask_the_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
