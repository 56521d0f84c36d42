#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "edge/api.h"
#include "edge/est.h"

#define ID   "0123456789abcdef0123456789abcdef"
#define OPEN "{\"host\":3,\"width\":1920,\"height\":1080,\"layout\":\"ja\""

static struct api_call call;
static struct route_params params;
static const char *field;

static enum err fill_bytes(enum method method, const char *path, const char *body, size_t len)
{
	struct api_head head = { .address = "192.0.2.1", .token = "tok" };
	const struct route *route;
	unsigned allowed;

	memset(head.device, 0xd5, sizeof(head.device));
	head.user = "tpm";
	head.code = "the code";
	field = NULL;
	if (router_match(api_routes, api_route_count, method, path, &route, &params, &allowed))
		assert_ok(router_match(api_enrol_routes, api_enrol_route_count, method, path,
				       &route, &params, &allowed));
	return api_fill(route, &params, &head, body, len, &call, &field);
}

static enum err fill(enum method method, const char *path, const char *body)
{
	return fill_bytes(method, path, body, strlen(body));
}

static void good(enum method method, const char *path, const char *body)
{
	assert_int_equal(fill(method, path, body), OK);
}

static void bad(const char *path, const char *body, const char *expected_field)
{
	assert_int_equal(fill(METHOD_POST, path, body), ERR_INVALID);
	assert_string_equal(field, expected_field);
}

static void the_head_is_filled(void **state)
{
	(void)state;
	good(METHOD_GET, "/api/me", "");
	assert_string_equal(call.msg.me.address, "192.0.2.1");
	assert_string_equal(call.msg.me.token, "tok");
	assert_int_equal(call.msg.me.device[0], 0xd5);
	assert_int_equal(call.msg.me.device[WIRE_DEVICE_ID - 1], 0xd5);
	api_call_finish(&call);
}

static void an_alarm_is_raised(void **state)
{
	(void)state;
	good(METHOD_GET, "/api/audit/checkpoint", "");
	assert_true(call.msg.audit_checkpoint.old == 0);
	api_call_finish(&call);
	good(METHOD_GET, "/api/audit/checkpoint/77", "");
	assert_true(call.msg.audit_checkpoint.old == 77);
	api_call_finish(&call);
	good(METHOD_POST, "/api/audit/alarm", "{\"kind\":\"fork\",\"kept\":7,\"shown\":0}");
	assert_string_equal(call.msg.audit_alarm.kind, "fork");
	assert_true(call.msg.audit_alarm.kept == 7);
	api_call_finish(&call);
	bad("/api/audit/alarm", "{\"kind\":\"\",\"kept\":7,\"shown\":0}", "kind");
	bad("/api/audit/alarm", "{\"kind\":\"fork\",\"kept\":-1,\"shown\":0}", "kept");
	bad("/api/audit/alarm", "{\"kind\":\"fork\",\"kept\":1}", "shown");
}

static void a_session_is_asked_for(void **state)
{
	const struct msg_session_open *open = &call.msg.session_open;

	(void)state;
	good(METHOD_POST, "/api/sessions",
	     OPEN ",\"keep\":true,\"client\":\"山田商店\",\"credentials\":{\"user\":\"佐藤\","
		  "\"password\":\"p\",\"domain\":"
		  "\"\"}}");
	assert_true(open->host == 3);
	assert_int_equal(open->width, 1920);
	assert_int_equal(open->height, 1080);
	assert_int_equal(open->layout, 0x411);
	assert_int_equal(open->keep, 1);
	assert_string_equal(open->user, "佐藤");
	assert_string_equal(open->password, "p");
	assert_string_equal(open->domain, "");
	assert_string_equal(open->client, "山田商店");
	assert_string_equal(open->address, "192.0.2.1");
	api_call_finish(&call);

	good(METHOD_POST, "/api/sessions",
	     "{\"host\":3,\"width\":64,\"height\":64,\"layout\":\"us\"}");
	assert_int_equal(open->layout, 0x409);
	assert_int_equal(open->keep, 0);
	assert_null(open->user);
	api_call_finish(&call);
}

static void the_path_is_filled_in(void **state)
{
	uint8_t expected[WIRE_SESSION_ID];

	(void)state;
	assert_int_equal(util_unhex(ID, expected, sizeof(expected)), OK);
	good(METHOD_POST, "/api/sessions/" ID "/unlock", "{\"password\":\"x\"}");
	assert_memory_equal(call.msg.session_unlock.session, expected, sizeof(expected));
	assert_string_equal(call.msg.session_unlock.password, "x");
	api_call_finish(&call);
	good(METHOD_DELETE, "/api/sessions/" ID, "");
	assert_memory_equal(call.msg.session_end.session, expected, sizeof(expected));
	api_call_finish(&call);
	good(METHOD_POST, "/api/hosts/77/wake", "{}");
	assert_true(call.msg.host_wake.host == 77);
	api_call_finish(&call);
}

/* What api_fill makes must be what the codec takes. */
static void every_message_can_be_encoded(void **state)
{
	static const char *const bodies[][2] = {
		{ "/api/login", "{\"account\":\"a\",\"password\":\"b\"}" },
		{ "/api/login/totp", "{\"code\":\"123456\"}" },
		{ "/api/logout", "{}" },
		{ "/api/sessions", OPEN "}" },
	};
	_cleanup_buf_ struct buf encoded;

	(void)state;
	buf_init(&encoded, WIRE_MESSAGE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		const struct route *route;
		unsigned allowed;

		assert_int_equal(router_match(api_routes, api_route_count, METHOD_POST,
					      bodies[i][0], &route, &params, &allowed),
				 OK);
		good(METHOD_POST, bodies[i][0], bodies[i][1]);
		buf_clear(&encoded);
		assert_int_equal(wire_encode(route->message, &call.msg, &encoded), OK);
		api_call_finish(&call);
	}
}

static void garbage_is_refused(void **state)
{
	static const char *const bodies[] = {
		" ",
		"x",
		"{",
		"}",
		"[]",
		"null",
		"1",
		"\"a\"",
		"{}x",
		"{} {}",
		"{\"account\"}",
		"{'account':'a'}",
		"{\"account\":\"a\",\"password\":\"b\",}",
		"\xff\xfe",
		"{\"account\":\"\xc3\x28\",\"password\":\"b\"}",
		"{\"account\":\"a\\u0000b\",\"password\":\"b\"}",
		"{\"account\":\"\\ud800\",\"password\":\"b\"}",
		"/**/{\"account\":\"a\",\"password\":\"b\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		bad("/api/login", bodies[i], "body");
	assert_int_equal(fill_bytes(METHOD_POST, "/api/login",
				    "{\"account\":\"a\0\",\"password\":\"b\"}", 31),
			 ERR_INVALID);
}

static void a_key_may_stand_once(void **state)
{
	(void)state;
	bad("/api/login", "{\"account\":\"a\",\"account\":\"b\",\"password\":\"c\"}", "body");
	bad("/api/login", "{\"account\":\"a\",\"\\u0061ccount\":\"b\",\"password\":\"c\"}", "body");
}

static void deep_nesting_is_refused(void **state)
{
	char body[API_BODY_MAX];
	size_t half = sizeof(body) / 2;

	(void)state;
	memset(body, '[', half);
	memset(body + half, ']', half);
	assert_int_equal(fill_bytes(METHOD_POST, "/api/login", body, sizeof(body)), ERR_INVALID);
	/* Brackets in strings do not count, escaped quotation marks do not end them. */
	good(METHOD_POST, "/api/login", "{\"account\":\"[[[[[[[[\",\"password\":\"\\\"{{{{{{{{\"}");
	api_call_finish(&call);
}

static void a_body_has_a_ceiling(void **state)
{
	char body[API_BODY_MAX + 1];

	(void)state;
	memset(body, ' ', sizeof(body));
	body[0] = '{';
	body[API_BODY_MAX - 1] = '}';
	assert_int_equal(fill_bytes(METHOD_POST, "/api/logout", body, API_BODY_MAX), OK);
	api_call_finish(&call);
	assert_int_equal(fill_bytes(METHOD_POST, "/api/logout", body, API_BODY_MAX + 1),
			 ERR_TOO_BIG);
}

static void unknown_fields_are_refused(void **state)
{
	(void)state;
	bad("/api/logout", "{\"x\":1}", "body");
	bad("/api/login", "{\"account\":\"a\",\"password\":\"b\",\"role\":\"admin\"}", "body");
	bad("/api/sessions",
	    OPEN
	    ",\"credentials\":{\"user\":\"a\",\"password\":\"b\",\"domain\":\"\",\"pin\":\"c\"}}",
	    "body");
}

static void missing_fields_are_named(void **state)
{
	(void)state;
	bad("/api/login", "", "account");
	bad("/api/login", "{}", "account");
	bad("/api/login", "{\"account\":\"a\"}", "password");
	bad("/api/sessions", "{\"host\":3,\"width\":1920,\"layout\":\"ja\"}", "height");
	bad("/api/sessions", OPEN ",\"credentials\":{\"user\":\"a\"}}", "password");
}

static void wrong_types_are_named(void **state)
{
	(void)state;
	bad("/api/login", "{\"account\":1,\"password\":\"b\"}", "account");
	bad("/api/login", "{\"account\":\"a\",\"password\":null}", "password");
	bad("/api/login/totp", "{\"code\":123456}", "code");
	bad("/api/sessions", "{\"host\":\"3\",\"width\":1920,\"height\":1080,\"layout\":\"ja\"}",
	    "host");
	bad("/api/sessions", "{\"host\":3,\"width\":1920.0,\"height\":1080,\"layout\":\"ja\"}",
	    "width");
	bad("/api/sessions", "{\"host\":3,\"width\":1920,\"height\":true,\"layout\":\"ja\"}",
	    "height");
	bad("/api/sessions", "{\"host\":3,\"width\":1920,\"height\":1080,\"layout\":\"de\"}",
	    "layout");
	bad("/api/sessions", "{\"host\":3,\"width\":1920,\"height\":1080,\"layout\":1041}",
	    "layout");
	bad("/api/sessions", OPEN ",\"keep\":1}", "keep");
	bad("/api/sessions", OPEN ",\"credentials\":[]}", "credentials");
	bad("/api/sessions", OPEN ",\"credentials\":null}", "credentials");
}

static void numbers_stay_in_range(void **state)
{
	(void)state;
	bad("/api/sessions", "{\"host\":0,\"width\":1920,\"height\":1080,\"layout\":\"ja\"}",
	    "host");
	bad("/api/sessions", "{\"host\":-3,\"width\":1920,\"height\":1080,\"layout\":\"ja\"}",
	    "host");
	bad("/api/sessions", "{\"host\":3,\"width\":7681,\"height\":1080,\"layout\":\"ja\"}",
	    "width");
	bad("/api/sessions", "{\"host\":3,\"width\":67456,\"height\":1080,\"layout\":\"ja\"}",
	    "width");
	bad("/api/sessions", "{\"host\":3,\"width\":63,\"height\":1080,\"layout\":\"ja\"}",
	    "width");
	bad("/api/sessions", "{\"host\":3,\"width\":1920,\"height\":4321,\"layout\":\"ja\"}",
	    "height");
	bad("/api/sessions",
	    "{\"host\":9223372036854775808,\"width\":1920,\"height\":1080,\"layout\":\"ja\"}",
	    "body");
}

static void password_of(size_t len, char *body, size_t room)
{
	char password[300];

	memset(password, 'p', len);
	password[len] = 0;
	snprintf(body, room, "{\"account\":\"a\",\"password\":\"%s\"}", password);
}

static void strings_have_a_length(void **state)
{
	char body[512];

	(void)state;
	password_of(256, body, sizeof(body));
	good(METHOD_POST, "/api/login", body);
	api_call_finish(&call);
	password_of(257, body, sizeof(body));
	bad("/api/login", body, "password");
	bad("/api/login", "{\"account\":\"\",\"password\":\"b\"}", "account");
	bad("/api/login/totp", "{\"code\":\"12345678901234567\"}", "code");
	/* Bytes count, not characters: 22 × 3 > 64. */
	bad("/api/login",
	    "{\"account\":\"ああああああああああああああああああああああ\",\"password\":\"b\"}",
	    "account");
}

static void get_has_no_body(void **state)
{
	(void)state;
	assert_int_equal(fill(METHOD_GET, "/api/me", "{}"), ERR_INVALID);
}

static void an_order_goes_on_as_it_is(void **state)
{
	static const char body[] = " {\"id\":7,\"reason\":\"[[[[[[\",\"x\":{\"y\":[{}]}}\n";
	static const char *const refused[] = {
		"",
		"[]",
		"1",
		"null",
		"\"a\"",
		"{",
		"{}{}",
		"{\"a\":1,\"a\":2}",
		"{\"a\":[[[[1]]]]}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\\u0000\"}",
	};

	(void)state;
	good(METHOD_POST, "/api/admin/device/revoke", body);
	assert_string_equal(call.msg.admin_order.command, "device revoke");
	assert_int_equal(call.msg.admin_order.arguments.len, strlen(body));
	assert_memory_equal(call.msg.admin_order.arguments.data, body, strlen(body));
	assert_int_equal(call.msg.admin_order.device[0], 0xd5);
	api_call_finish(&call);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		bad("/api/admin/device/revoke", refused[i], "body");
	good(METHOD_GET, "/api/admin/device/list", "");
	assert_string_equal(call.msg.admin_look.command, "device list");
	assert_int_equal(call.msg.admin_look.after, 0);
	api_call_finish(&call);
	good(METHOD_GET, "/api/admin/device/list/96", "");
	assert_string_equal(call.msg.admin_look.command, "device list");
	assert_int_equal(call.msg.admin_look.after, 96);
	api_call_finish(&call);
}

static void a_code_comes_with_its_request(void **state)
{
	(void)state;
	good(METHOD_POST, "/enrol/api/look", "{\"code\":\"abcd-EFGH\"}");
	assert_string_equal(call.msg.enrol_look.code, "abcd-EFGH");
	assert_int_equal(call.msg.enrol_look.device[0], 0xd5);
	api_call_finish(&call);
	good(METHOD_POST, "/enrol/api/request",
	     "{\"code\":\"c\",\"csr\":\"-----BEGIN\\n\",\"key_place\":\"tpm\"}");
	assert_string_equal(call.msg.enrol_request.code, "c");
	assert_int_equal(call.msg.enrol_request.csr.len, 11);
	assert_memory_equal(call.msg.enrol_request.csr.data, "-----BEGIN\n", 11);
	assert_int_equal(call.msg.enrol_request.key_place, KEY_TPM);
	api_call_finish(&call);
	good(METHOD_POST, "/enrol/api/file", "{\"code\":\"c\",\"compatible\":true}");
	assert_int_equal(call.msg.enrol_file.compatible, 1);
	api_call_finish(&call);
	good(METHOD_POST, "/api/device/renew", "{\"compatible\":true}");
	assert_int_equal(call.msg.device_renew.compatible, 1);
	api_call_finish(&call);
}

#define REQUEST(place) "{\"code\":\"c\",\"csr\":\"x\",\"key_place\":" place "}"

static void an_enrolment_has_a_form(void **state)
{
	static char code[100], body[13000];

	(void)state;
	bad("/enrol/api/look", "{}", "code");
	bad("/enrol/api/look", "{\"code\":\"\"}", "code");
	bad("/enrol/api/look", "{\"code\":1}", "code");
	memset(code, 'x', EST_CODE_MAX + 1);
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	bad("/enrol/api/look", body, "code");
	code[EST_CODE_MAX] = 0;
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	good(METHOD_POST, "/enrol/api/look", body);
	api_call_finish(&call);

	good(METHOD_POST, "/enrol/api/request", REQUEST("\"unknown\""));
	api_call_finish(&call);
	bad("/enrol/api/request", REQUEST("\"pkcs12\""), "key_place");
	bad("/enrol/api/request", REQUEST("\"moon\""), "key_place");
	bad("/enrol/api/request", REQUEST("1"), "key_place");
	bad("/enrol/api/request", "{\"code\":\"c\",\"csr\":\"\",\"key_place\":\"tpm\"}", "csr");
	snprintf(body, sizeof(body), "{\"code\":\"c\",\"csr\":\"%*s\",\"key_place\":\"tpm\"}",
		 EST_CSR_MAX, "x");
	good(METHOD_POST, "/enrol/api/request", body);
	api_call_finish(&call);
	snprintf(body, sizeof(body), "{\"code\":\"c\",\"csr\":\"%*s\",\"key_place\":\"tpm\"}",
		 EST_CSR_MAX + 1, "x");
	bad("/enrol/api/request", body, "csr");
	bad("/enrol/api/file", "{\"code\":\"c\"}", "compatible");
	bad("/api/device/renew", "{}", "compatible");
}

static void est_takes_any_bytes(void **state)
{
	static const char csr[] = "{\0\xff";
	static char big[EST_CSR_MAX + 1];

	(void)state;
	assert_ok(fill_bytes(METHOD_POST, "/.well-known/est/simpleenroll", csr, 3));
	assert_string_equal(call.msg.est_simpleenroll.user, "tpm");
	assert_string_equal(call.msg.est_simpleenroll.code, "the code");
	assert_int_equal(call.msg.est_simpleenroll.csr.len, 3);
	assert_memory_equal(call.msg.est_simpleenroll.csr.data, csr, 3);
	api_call_finish(&call);
	assert_ok(fill_bytes(METHOD_POST, "/.well-known/est/simplereenroll", big, EST_CSR_MAX));
	assert_int_equal(call.msg.est_simplereenroll.csr.len, EST_CSR_MAX);
	api_call_finish(&call);
	assert_err(fill_bytes(METHOD_POST, "/.well-known/est/simplereenroll", big, EST_CSR_MAX + 1),
		   ERR_TOO_BIG);
	bad("/.well-known/est/simpleenroll", "", "csr");
	good(METHOD_GET, "/.well-known/est/cacerts", "");
	api_call_finish(&call);
	assert_err(fill(METHOD_GET, "/.well-known/est/cacerts", "{}"), ERR_INVALID);
}

static void ocsp_asks_little(void **state)
{
	static char big[EST_QUESTION_MAX + 1];

	(void)state;
	assert_ok(fill_bytes(METHOD_POST, "/ocsp", big, EST_QUESTION_MAX));
	assert_int_equal(call.msg.ocsp.question.len, EST_QUESTION_MAX);
	api_call_finish(&call);
	assert_err(fill_bytes(METHOD_POST, "/ocsp", big, EST_QUESTION_MAX + 1), ERR_TOO_BIG);
	bad("/ocsp", "", "question");
	/* Its question came in the path. */
	assert_ok(fill(METHOD_GET, "/ocsp/MEIw", "0B0"));
	assert_memory_equal(call.msg.ocsp.question.data, "0B0", 3);
	api_call_finish(&call);
}

static void errors_read_as_documented(void **state)
{
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, 4096);
	assert_int_equal(api_error(&buf, ERR_INVALID, "width", 0), OK);
	assert_int_equal(api_error(&buf, ERR_THROTTLED, NULL, 12), OK);
	assert_int_equal(api_error(&buf, ERR_AUTH, NULL, 0), OK);
	assert_int_equal(buf_add(&buf, "", 1), OK);
	assert_string_equal((const char *)buf.data,
			    "{\"error\":\"invalid\",\"field\":\"width\"}"
			    "{\"error\":\"throttled\",\"retry_s\":12}{\"error\":\"auth\"}");
}

static void the_office_is_escaped(void **state)
{
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, 4096);
	assert_int_equal(api_office(&buf, "税理士法人\"山\"\\<b>", NULL), OK);
	assert_int_equal(buf_add(&buf, "", 1), OK);
	assert_string_equal(
		(const char *)buf.data,
		"{\"office\":\"税理士法人\\\"山\\\"\\\\<b>\",\"version\":\"" SEKISHO_VERSION "\"}");
}

static void the_enrolment_names_the_gateway(void **state)
{
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, 4096);
	assert_ok(api_office(&buf, "o", "https://[2001:db8::1]"));
	assert_ok(buf_add(&buf, "", 1));
	assert_string_equal((const char *)buf.data,
			    "{\"office\":\"o\",\"version\":\"" SEKISHO_VERSION
			    "\",\"gateway\":\"https://[2001:db8::1]/\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_is_filled),
		cmocka_unit_test(a_session_is_asked_for),
		cmocka_unit_test(an_alarm_is_raised),
		cmocka_unit_test(the_path_is_filled_in),
		cmocka_unit_test(every_message_can_be_encoded),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(a_key_may_stand_once),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(a_body_has_a_ceiling),
		cmocka_unit_test(unknown_fields_are_refused),
		cmocka_unit_test(missing_fields_are_named),
		cmocka_unit_test(wrong_types_are_named),
		cmocka_unit_test(numbers_stay_in_range),
		cmocka_unit_test(strings_have_a_length),
		cmocka_unit_test(get_has_no_body),
		cmocka_unit_test(an_order_goes_on_as_it_is),
		cmocka_unit_test(a_code_comes_with_its_request),
		cmocka_unit_test(an_enrolment_has_a_form),
		cmocka_unit_test(est_takes_any_bytes),
		cmocka_unit_test(ocsp_asks_little),
		cmocka_unit_test(errors_read_as_documented),
		cmocka_unit_test(the_office_is_escaped),
		cmocka_unit_test(the_enrolment_names_the_gateway),
	};

	api_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
