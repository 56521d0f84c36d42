#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "edge/headers.h"

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct site site_of(const char *name, uint16_t port)
{
	struct site site;

	assert_int_equal(site_init(&site, name, port), OK);
	return site;
}

static void only_our_host_fits(void **state)
{
	struct site site = site_of("Office.Example.JP", 8443);

	(void)state;
	assert_true(site_host_fits(&site, "office.example.jp:8443"));
	assert_true(site_host_fits(&site, "OFFICE.example.jp:8443"));
	assert_false(site_host_fits(&site, "office.example.jp"));
	assert_false(site_host_fits(&site, "office.example.jp:443"));
	assert_false(site_host_fits(&site, "office.example.jp:8443 "));
	assert_false(site_host_fits(&site, "office.example.jp.:8443"));
	assert_false(site_host_fits(&site, "evil.example:8443"));
	assert_false(site_host_fits(&site, "evil-office.example.jp:8443"));
	assert_false(site_host_fits(&site, "office.example.jp:8443, evil"));
	assert_false(site_host_fits(&site, ""));
	assert_false(site_host_fits(&site, NULL));
}

static void the_usual_port_may_be_left_out(void **state)
{
	struct site site = site_of("office.example.jp", 443);

	(void)state;
	assert_true(site_host_fits(&site, "office.example.jp"));
	assert_true(site_host_fits(&site, "office.example.jp:443"));
	assert_false(site_host_fits(&site, "office.example.jp:8443"));
	assert_true(site_origin_fits(&site, "https://office.example.jp"));
	assert_false(site_origin_fits(&site, "https://office.example.jp:443"));
	assert_string_equal(site.connect, "wss://office.example.jp");
}

static void only_our_origin_fits(void **state)
{
	struct site site = site_of("office.example.jp", 8443);

	(void)state;
	assert_true(site_origin_fits(&site, "https://office.example.jp:8443"));
	assert_false(site_origin_fits(&site, "http://office.example.jp:8443"));
	assert_false(site_origin_fits(&site, "https://office.example.jp"));
	assert_false(site_origin_fits(&site, "https://office.example.jp:8444"));
	assert_false(site_origin_fits(&site, "https://office.example.jp:8443.evil.example"));
	assert_false(site_origin_fits(&site, "https://office.example.jp:8443/"));
	assert_false(site_origin_fits(&site, "null"));
	assert_false(site_origin_fits(&site, ""));
	assert_false(site_origin_fits(&site, NULL));
}

static void an_ipv6_address_gets_brackets(void **state)
{
	struct site site = site_of("::1", 8443);

	(void)state;
	assert_true(site_host_fits(&site, "[::1]:8443"));
	assert_true(site_origin_fits(&site, "https://[::1]:8443"));
	assert_false(site_host_fits(&site, "::1:8443"));
}

static void a_name_is_only_a_name(void **state)
{
	static const char *const bad[] = { "",    "a b",          "a/b", "a;b", "a\nb",
					   "a'b", "\xe5\xba\x97", "a_b", "a@b" };
	struct site site;
	char long_name[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(site_init(&site, bad[i], 443), ERR_INVALID);
	memset(long_name, 'a', sizeof(long_name));
	long_name[254] = 0;
	assert_int_equal(site_init(&site, long_name, 443), ERR_INVALID);
	long_name[253] = 0;
	assert_int_equal(site_init(&site, long_name, 443), OK);
	assert_true(site_of("localhost", 443).local);
	assert_false(site_of("localhost.example", 443).local);
}

static void token_is(const char *cookies, const char *expected)
{
	char token[HEADERS_TOKEN + 1] = "unset";

	headers_cookie(cookies, token);
	assert_string_equal(token, expected);
}

static void the_cookie_is_found(void **state)
{
	(void)state;
	token_is("__Host-sekisho=" TOKEN, TOKEN);
	token_is("a=b; __Host-sekisho=" TOKEN "; c=d", TOKEN);
	token_is("a=b;__Host-sekisho=" TOKEN ";", TOKEN);
	token_is(NULL, "");
	token_is("", "");
	token_is("a=b; c", "");
}

static void a_strange_cookie_is_none(void **state)
{
	(void)state;
	token_is("__Host-sekisho=", "");
	token_is("__Host-sekisho", "");
	token_is("__Host-sekisho=\"" TOKEN "\"", "");
	token_is("__Host-sekisho=" TOKEN "0", "");
	token_is("__Host-sekisho=" TOKEN " ", "");
	token_is("__Host-sekisho=G123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		 "");
	token_is("__Host-sekisho=0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		 "");
	token_is("__host-sekisho=" TOKEN, "");
	token_is("x__Host-sekisho=" TOKEN, "");
	token_is("a=__Host-sekisho=" TOKEN, "");
	token_is("__Host-sekisho =" TOKEN, "");
}

/* Which of two would count is a guess that an attacker could steer. */
static void two_cookies_are_none(void **state)
{
	(void)state;
	token_is("__Host-sekisho=" TOKEN "; __Host-sekisho=" TOKEN, "");
	token_is("__Host-sekisho=" TOKEN "; __Host-sekisho=" OTHER, "");
	token_is("__Host-sekisho=" TOKEN "; __Host-sekisho=", "");
	token_is("__Host-sekisho=; __Host-sekisho=" TOKEN, "");
}

static void json_is_the_only_type(void **state)
{
	(void)state;
	assert_true(headers_is_json("application/json"));
	assert_true(headers_is_json("Application/JSON"));
	assert_true(headers_is_json("application/json; charset=utf-8"));
	assert_true(headers_is_json("application/json;charset=UTF-8"));
	assert_false(headers_is_json("application/jsonx"));
	assert_false(headers_is_json("application/json; charset=shift_jis"));
	assert_false(headers_is_json("application/json, text/plain"));
	assert_false(headers_is_json("text/plain; application/json"));
	assert_false(headers_is_json("text/plain"));
	assert_false(headers_is_json(""));
	assert_false(headers_is_json(NULL));
}

static void a_length_is_digits(void **state)
{
	static const char *const bad[] = { "",    "-1",   "+1",         " 1",  "1 ", "0x10",
					   "1,1", "1, 1", "1234567890", "1e3", "?" };
	size_t length = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(headers_length(bad[i], &length), ERR_INVALID);
	assert_int_equal(length, 7);
	assert_int_equal(headers_length("0", &length), OK);
	assert_int_equal(length, 0);
	assert_int_equal(headers_length("999999999", &length), OK);
	assert_int_equal(length, 999999999);
}

static void a_word_is_found_whole(void **state)
{
	(void)state;
	assert_true(headers_listed("sekisho.1", "sekisho.1"));
	assert_true(headers_listed("sekisho.2, sekisho.1", "sekisho.1"));
	assert_true(headers_listed("sekisho.1,other", "sekisho.1"));
	assert_false(headers_listed("sekisho.10", "sekisho.1"));
	assert_false(headers_listed("W/sekisho.1", "sekisho.1"));
	assert_false(headers_listed("Sekisho.1", "sekisho.1"));
	assert_false(headers_listed("", "sekisho.1"));
	assert_false(headers_listed(NULL, "sekisho.1"));
}

static void a_field_name_is_a_token(void **state)
{
	static const char *const bad[] = { "",   "a b",   "transfer-encoding ", "a\t", "a\r\nb",
					   "a:", "a\x7f", "\xe5\xba\x97",       "a(b)" };

	(void)state;
	assert_true(headers_name_fits("x-forwarded-for", 15));
	assert_true(headers_name_fits("sec-ch-ua", 9));
	assert_true(headers_name_fits("!#$%&'*+-.^_`|~", 15));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(headers_name_fits(bad[i], strlen(bad[i])));
	assert_false(headers_name_fits("a\0b", 3));
}

static void an_etag_is_found_whole(void **state)
{
	(void)state;
	assert_true(headers_etag_listed("\"abc\"", "\"abc\""));
	assert_true(headers_etag_listed("W/\"abc\"", "\"abc\""));
	assert_true(headers_etag_listed("\"x\", \"abc\"", "\"abc\""));
	assert_false(headers_etag_listed("\"abcd\"", "\"abc\""));
	assert_false(headers_etag_listed("abc", "\"abc\""));
	assert_false(headers_etag_listed("", "\"abc\""));
	assert_false(headers_etag_listed(NULL, "\"abc\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_our_host_fits),
		cmocka_unit_test(the_usual_port_may_be_left_out),
		cmocka_unit_test(only_our_origin_fits),
		cmocka_unit_test(an_ipv6_address_gets_brackets),
		cmocka_unit_test(a_name_is_only_a_name),
		cmocka_unit_test(the_cookie_is_found),
		cmocka_unit_test(a_strange_cookie_is_none),
		cmocka_unit_test(two_cookies_are_none),
		cmocka_unit_test(json_is_the_only_type),
		cmocka_unit_test(a_length_is_digits),
		cmocka_unit_test(a_word_is_found_whole),
		cmocka_unit_test(a_field_name_is_a_token),
		cmocka_unit_test(an_etag_is_found_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
