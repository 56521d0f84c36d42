#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "edge/api.h"
#include "edge/router.h"

#define ID "0123456789abcdef0123456789abcdef"

static const struct route *match(enum method method, const char *path,
				 struct route_params *ret_params)
{
	const struct route *route = NULL;
	unsigned allowed = 0;

	assert_int_equal(router_match(api_routes, api_route_count, method, path, &route, ret_params,
				      &allowed),
			 OK);
	return route;
}

static void refused(enum method method, const char *path, enum err expected)
{
	const struct route *route = NULL;
	struct route_params params;
	unsigned allowed = 0;

	assert_int_equal(
		router_match(api_routes, api_route_count, method, path, &route, &params, &allowed),
		expected);
	assert_null(route);
}

static void every_row_is_found_by_its_own_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < api_route_count; i++) {
		const char *pattern = api_routes[i].pattern;
		const char *brace = strchr(pattern, '{');
		struct route_params params;
		char path[200];

		if (brace)
			snprintf(path, sizeof(path), "%.*s%s%s", (int)(brace - pattern), pattern,
				 brace[1] == 'h' ? "42" : ID, strchr(brace, '}') + 1);
		else
			snprintf(path, sizeof(path), "%s", pattern);
		assert_ptr_equal(match(api_routes[i].method, path, &params), &api_routes[i]);
	}
}

static void parameters_are_taken(void **state)
{
	struct route_params params;
	uint8_t expected[WIRE_SESSION_ID];

	(void)state;
	match(METHOD_POST, "/api/hosts/9223372036854775807/wake", &params);
	assert_true(params.host == INT64_MAX);
	assert_int_equal(util_unhex(ID, expected, sizeof(expected)), OK);
	assert_int_equal(match(METHOD_GET, "/api/sessions/" ID "/stream", &params)->kind,
			 ROUTE_STREAM);
	assert_memory_equal(params.session, expected, sizeof(expected));
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
	assert_int_equal(router_match(api_routes, api_route_count, METHOD_DELETE, "/api/sessions",
				      &route, &params, &allowed),
			 ERR_METHOD);
	assert_int_equal(allowed, METHOD_GET | METHOD_POST);
	refused(METHOD_GET, "/api/login", ERR_METHOD);
	refused(METHOD_OTHER, "/api/me", ERR_METHOD);
}

/* A request that changes something must carry an Origin, which only POST and DELETE are asked for.
 */
static void nothing_changes_by_get(void **state)
{
	static const uint16_t reading[] = {
		0, MSG_me, MSG_host_list, MSG_session_list, MSG_session_show, MSG_session_attach
	};

	(void)state;
	for (size_t i = 0; i < api_route_count; i++) {
		bool found = false;

		for (size_t j = 0; j < ARRAY_SIZE(reading); j++)
			found |= api_routes[i].message == reading[j];
		assert_int_equal(found, api_routes[i].method == METHOD_GET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_own_path),
		cmocka_unit_test(parameters_are_taken),
		cmocka_unit_test(strange_parameters_are_no_path),
		cmocka_unit_test(paths_are_exact),
		cmocka_unit_test(the_wrong_method_names_the_right_ones),
		cmocka_unit_test(nothing_changes_by_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
