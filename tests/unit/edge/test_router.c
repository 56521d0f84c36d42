#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "edge/api.h"
#include "edge/router.h"

#define ID "0123456789abcdef0123456789abcdef"

/* The gateway's table, or the enrolment's. */
static const struct route *table;
static size_t table_count;

static void use(bool enrol)
{
	table = enrol ? api_enrol_routes : api_routes;
	table_count = enrol ? api_enrol_route_count : api_route_count;
}

static int use_gateway(void **state)
{
	(void)state;
	use(false);
	return 0;
}

static const struct route *match(enum method method, const char *path,
				 struct route_params *ret_params)
{
	const struct route *route = NULL;
	unsigned allowed = 0;

	assert_ok(router_match(table, table_count, method, path, &route, ret_params, &allowed));
	return route;
}

static void refused(enum method method, const char *path, enum err expected)
{
	const struct route *route = NULL;
	struct route_params params;
	unsigned allowed = 0;

	assert_err(router_match(table, table_count, method, path, &route, &params, &allowed),
		   expected);
	assert_null(route);
}

static const char *example_of(const char *pattern)
{
	static const char *const examples[][2] = {
		{ "{host}", "42" },         { "{size}", "42" },
		{ "{filter}", "42" },       { "{session}", ID },
		{ "{issuer}", "2" },        { "{command}", "device/list" },
		{ "{question}", "MEIw/x" }, { "{operation}", "people-list" },
	};
	const char *brace = strchr(pattern, '{');
	static char path[200];

	snprintf(path, sizeof(path), "%s", pattern);
	for (size_t i = 0; brace && i < ARRAY_SIZE(examples); i++)
		if (!strncmp(brace, examples[i][0], strlen(examples[i][0])))
			snprintf(path, sizeof(path), "%.*s%s%s", (int)(brace - pattern), pattern,
				 examples[i][1], strchr(brace, '}') + 1);
	if (strstr(path, "{after}"))
		memcpy(strstr(path, "{after}"), "7", 2);
	if (strstr(path, "{monitor}"))
		memcpy(strstr(path, "{monitor}"), "1", 2);
	return path;
}

static void every_row_is_found_by_its_own_path(void **state)
{
	(void)state;
	for (int enrol = 0; enrol < 2; enrol++) {
		use(enrol);
		for (size_t i = 0; i < table_count; i++) {
			struct route_params params;

			assert_ptr_equal(
				match(table[i].method, example_of(table[i].pattern), &params),
				&table[i]);
		}
	}
}

/* Strangers reach the enrolment's port: nothing of the gateway may be there, nor the other way. */
static void the_ports_share_nothing(void **state)
{
	static const enum method methods[] = { METHOD_GET, METHOD_POST, METHOD_DELETE };

	(void)state;
	for (int enrol = 0; enrol < 2; enrol++) {
		size_t count = enrol ? api_route_count : api_enrol_route_count;
		const struct route *others = enrol ? api_routes : api_enrol_routes;

		use(enrol);
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < ARRAY_SIZE(methods); j++)
				refused(methods[j], example_of(others[i].pattern), ERR_NOT_FOUND);
	}
}

static void commands_are_words(void **state)
{
	static const char *const bad[] = {
		"device",        "device/",         "device/list/",   "/device/list",
		"device//list",  "device/list/a/b", "device/List",    "device/list1",
		"device list",   "device/-list",    "-device/list",   "device/li_st",
		"device/%6cist", "device/..",       "../api/me",      "device/list x",
		"dévice/list",   "device.list",     "device\tlist/x", "",
	};
	char path[200] = "/api/admin/", many[ROUTER_COMMAND];
	struct route_params params;

	(void)state;
	match(METHOD_GET, "/api/admin/device/list", &params);
	assert_string_equal(params.command, "device list");
	match(METHOD_POST, "/api/admin/host/forget-pin/now", &params);
	assert_string_equal(params.command, "host forget-pin now");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(path, sizeof(path), "/api/admin/%s", bad[i]);
		refused(METHOD_GET, path, ERR_NOT_FOUND);
	}
	memset(many, 'x', sizeof(many));
	snprintf(path, sizeof(path), "/api/admin/a/%.*s", ROUTER_COMMAND - 2, many);
	assert_int_equal(strlen((match(METHOD_GET, path, &params), params.command)),
			 ROUTER_COMMAND);
	snprintf(path, sizeof(path), "/api/admin/a/%.*s", ROUTER_COMMAND - 1, many);
	refused(METHOD_GET, path, ERR_NOT_FOUND);
	refused(METHOD_DELETE, "/api/admin/device/list", ERR_METHOD);
}

static void a_list_goes_on_after_a_number(void **state)
{
	static const char *const bad[] = {
		"device/list/0",   "device/list/01",    "device/list/-1",
		"device/list/1/",  "device/list/1x",    "device/list/9223372036854775808",
		"device/7",        "device/list/a/b/7", "list//7",
		"device/list/7/8",
	};
	char path[200];
	struct route_params params;

	(void)state;
	match(METHOD_GET, "/api/admin/device/list/9223372036854775807", &params);
	assert_string_equal(params.command, "device list");
	assert_int_equal(params.number, INT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(path, sizeof(path), "/api/admin/%s", bad[i]);
		refused(METHOD_GET, path, ERR_NOT_FOUND);
	}
	refused(METHOD_POST, "/api/admin/device/list/7", ERR_METHOD);
}

static void lists_have_a_number(void **state)
{
	static const char *const bad[] = {
		"/crl/.der",   "/crl/0.der",  "/crl/01.der",
		"/crl/x.der",  "/crl/1",      "/crl/1.derx",
		"/crl/1.DER",  "/crl/-1.der", "/crl/1.2.der",
		"/crl/1.der/", "/crl/1..der", "/crl/",
		"/crl",        "/crl.der/",   "/crl/9223372036854775808.der",
	};
	struct route_params params;

	(void)state;
	use(true);
	match(METHOD_GET, "/crl/12.der", &params);
	assert_true(params.number == 12);
	match(METHOD_GET, "/crl.der", &params);
	assert_true(params.number == 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(METHOD_GET, bad[i], ERR_NOT_FOUND);
	refused(METHOD_POST, "/crl/12.der", ERR_METHOD);
}

static void the_office_has_one_ca(void **state)
{
	static const char *const bad[] = {
		"/.well-known/est/office/simpleenroll",
		"/.well-known/est/simpleenroll/",
		"/.well-known/est/",
		"/.well-known/est",
		"/.well-known/est//simpleenroll",
		"/.well-known/est/serverkeygen",
		"/.well-known/est/fullcmc",
		"/est/simpleenroll",
	};

	(void)state;
	use(true);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(METHOD_POST, bad[i], ERR_NOT_FOUND);
	refused(METHOD_GET, "/.well-known/est/office/cacerts", ERR_NOT_FOUND);
}

static void a_question_is_all_that_follows(void **state)
{
	struct route_params params;

	(void)state;
	use(true);
	match(METHOD_GET, "/ocsp/MEIw//x=", &params);
	assert_string_equal(params.question, "MEIw//x=");
	refused(METHOD_GET, "/ocsp/", ERR_NOT_FOUND);
	refused(METHOD_GET, "/ocsp", ERR_METHOD);
	refused(METHOD_POST, "/ocsp/MEIw", ERR_METHOD);
}

static void parameters_are_taken(void **state)
{
	struct route_params params;
	uint8_t expected[WIRE_SESSION_ID];

	(void)state;
	match(METHOD_POST, "/api/hosts/9223372036854775807/wake", &params);
	assert_true(params.number == INT64_MAX);
	assert_int_equal(util_unhex(ID, expected, sizeof(expected)), OK);
	assert_int_equal(match(METHOD_GET, "/api/sessions/" ID "/stream", &params)->kind,
			 ROUTE_STREAM);
	assert_memory_equal(params.session, expected, sizeof(expected));
	assert_int_equal(params.monitor, 0);
	assert_int_equal(match(METHOD_GET, "/api/sessions/" ID "/stream/1", &params)->kind,
			 ROUTE_STREAM);
	assert_memory_equal(params.session, expected, sizeof(expected));
	assert_int_equal(params.monitor, 1);
}

static void strange_parameters_are_no_path(void **state)
{
	static const char *const bad[] = {
		"/api/hosts//wake",
		"/api/hosts/0/wake",
		"/api/hosts/-1/wake",
		"/api/hosts/+1/wake",
		"/api/hosts/01/wake",
		"/api/hosts/1x/wake",
		"/api/hosts/ 1/wake",
		"/api/hosts/9223372036854775808/wake",
		"/api/hosts/99999999999999999999999999/wake",
		"/api/hosts/1/wake/",
		"/api/hosts/1/wak",
		"/api/hosts/1",
		"/api/hosts/1/../1/wake",
		"/api/hosts/{host}/wake",
	};
	static const char *const bad_ids[] = {
		"/api/sessions/",
		"/api/sessions/0123456789abcdef0123456789abcde",
		"/api/sessions/0123456789abcdef0123456789abcdef0",
		"/api/sessions/0123456789ABCDEF0123456789abcdef",
		"/api/sessions/g123456789abcdef0123456789abcdef",
		"/api/sessions/{session}",
		"/api/sessions/" ID "/",
		"/api/sessions/" ID "/nothing",
		"/api/sessions/" ID "/stream/0",
		"/api/sessions/" ID "/stream/2",
		"/api/sessions/" ID "/stream/01",
		"/api/sessions/" ID "/stream/11",
		"/api/sessions/" ID "/stream/",
		"/api/sessions/" ID "/stream/{monitor}",
		"/api/sessions/" ID "/stream/1/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(METHOD_POST, bad[i], ERR_NOT_FOUND);
	for (size_t i = 0; i < ARRAY_SIZE(bad_ids); i++)
		refused(METHOD_GET, bad_ids[i], ERR_NOT_FOUND);
}

static void paths_are_exact(void **state)
{
	static const char *const bad[] = {
		"",        "/",      "/api",     "/api/",  "/api/me/",    "/api//me",   "//api/me",
		"/API/me", "/api/m", "/api/mee", "api/me", "/api/me?x=1", "/api/me/me", "/api/%6de",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(METHOD_GET, bad[i], ERR_NOT_FOUND);
}

static void the_wrong_method_names_the_right_ones(void **state)
{
	const struct route *route = NULL;
	struct route_params params;
	unsigned allowed = 0;

	(void)state;
	assert_err(router_match(table, table_count, METHOD_DELETE, "/api/sessions", &route, &params,
				&allowed),
		   ERR_METHOD);
	assert_int_equal(allowed, METHOD_GET | METHOD_POST);
	refused(METHOD_GET, "/api/login", ERR_METHOD);
	refused(METHOD_OTHER, "/api/me", ERR_METHOD);
}

/* A request that changes something must carry an Origin, which only POST and DELETE are asked for.
 */
static void nothing_changes_by_get(void **state)
{
	static const uint16_t reading[] = { 0,
					    MSG_me,
					    MSG_host_list,
					    MSG_session_list,
					    MSG_session_show,
					    MSG_session_attach,
					    MSG_recording_list,
					    MSG_recording_attach,
					    MSG_recording_export_attach,
					    MSG_auditor_list,
					    MSG_note_list,
					    MSG_live_list,
					    MSG_live_attach,
					    MSG_record_attach,
					    MSG_admin_look,
					    MSG_audit_checkpoint,
					    MSG_audit_choices,
					    MSG_audit_session,
					    MSG_est_cacerts,
					    MSG_est_csrattrs };

	(void)state;
	for (int enrol = 0; enrol < 2; enrol++) {
		use(enrol);
		for (size_t i = 0; i < table_count; i++) {
			bool found = false;

			if (table[i].message == MSG_ocsp)
				continue; /* changes nothing either way */
			for (size_t j = 0; j < ARRAY_SIZE(reading); j++)
				found |= table[i].message == reading[j];
			/* What an auditor looks for goes in a body too: addresses are kept in logs.
			 */
			if (table[i].message >= MSG_audit_sessions &&
			    table[i].message <= MSG_audit_entries)
				assert_int_equal(table[i].method, METHOD_POST);
			else
				assert_int_equal(found, table[i].method == METHOD_GET);
		}
	}
}

static void a_page_has_a_number(void **state)
{
	static const char *const bad[] = { "before=",
					   "before=0",
					   "before=-1",
					   "before=01",
					   "before=9223372036854775808",
					   "before=1&before=2",
					   "before=1x",
					   "after=1",
					   "x",
					   "?",
					   "Before=1" };
	uint64_t before = 7;

	(void)state;
	assert_ok(router_page("", &before));
	assert_int_equal(before, 0);
	assert_ok(router_page("before=42", &before));
	assert_int_equal(before, 42);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_err(router_page(bad[i], &before), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_row_is_found_by_its_own_path, use_gateway),
		cmocka_unit_test_setup(the_ports_share_nothing, use_gateway),
		cmocka_unit_test_setup(commands_are_words, use_gateway),
		cmocka_unit_test_setup(a_list_goes_on_after_a_number, use_gateway),
		cmocka_unit_test_setup(lists_have_a_number, use_gateway),
		cmocka_unit_test_setup(the_office_has_one_ca, use_gateway),
		cmocka_unit_test_setup(a_question_is_all_that_follows, use_gateway),
		cmocka_unit_test_setup(parameters_are_taken, use_gateway),
		cmocka_unit_test_setup(strange_parameters_are_no_path, use_gateway),
		cmocka_unit_test_setup(paths_are_exact, use_gateway),
		cmocka_unit_test_setup(the_wrong_method_names_the_right_ones, use_gateway),
		cmocka_unit_test_setup(nothing_changes_by_get, use_gateway),
		cmocka_unit_test(a_page_has_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
