#include "edge/router.h"

#include <string.h>

#include "base/util.h"

static enum err take_host(const char *text, size_t len, uint64_t *ret)
{
	char digits[20];
	int64_t value;
	enum err err;

	/* util_parse_i64 takes signs and leading zeros; one PC has one path. */
	if (!len || len >= sizeof(digits) || *text < '1' || *text > '9')
		return ERR_INVALID;
	memcpy(digits, text, len);
	digits[len] = 0;
	err = util_parse_i64(digits, 1, INT64_MAX, &value);
	if (err)
		return err;
	*ret = (uint64_t)value;
	return OK;
}

static enum err take_session(const char *text, size_t len, uint8_t ret[WIRE_SESSION_ID])
{
	char hex[2 * WIRE_SESSION_ID + 1];

	if (len != 2 * WIRE_SESSION_ID)
		return ERR_INVALID;
	memcpy(hex, text, len);
	hex[len] = 0;
	if (strspn(hex, "0123456789abcdef") != len)
		return ERR_INVALID;
	return util_unhex(hex, ret, WIRE_SESSION_ID);
}

static enum err take_segment(const char *pattern, size_t pattern_len, const char *text, size_t len,
			     struct route_params *params)
{
	if (pattern_len == 6 && !memcmp(pattern, "{host}", 6))
		return take_host(text, len, &params->host);
	if (pattern_len == 9 && !memcmp(pattern, "{session}", 9))
		return take_session(text, len, params->session);
	return len == pattern_len && !memcmp(text, pattern, len) ? OK : ERR_NOT_FOUND;
}

static enum err path_fits(const char *pattern, const char *path, struct route_params *params)
{
	while (*pattern == '/' && *path == '/') {
		size_t pattern_len = strcspn(pattern + 1, "/");
		size_t len = strcspn(path + 1, "/");

		if (take_segment(pattern + 1, pattern_len, path + 1, len, params))
			return ERR_NOT_FOUND;
		pattern += 1 + pattern_len;
		path += 1 + len;
	}
	return *pattern || *path ? ERR_NOT_FOUND : OK;
}

enum err router_match(const struct route *routes, size_t count, enum method method,
		      const char *path, const struct route **ret_route,
		      struct route_params *ret_params, unsigned *ret_allowed)
{
	unsigned allowed = 0;

	for (size_t i = 0; i < count; i++) {
		struct route_params params = { 0 };

		if (path_fits(routes[i].pattern, path, &params))
			continue;
		if (routes[i].method == method) {
			*ret_route = &routes[i];
			*ret_params = params;
			return OK;
		}
		allowed |= routes[i].method;
	}
	if (!allowed)
		return ERR_NOT_FOUND;
	*ret_allowed = allowed;
	return ERR_METHOD;
}

const char *method_name(enum method method)
{
	switch (method) {
	case METHOD_GET:
		return "GET";
	case METHOD_POST:
		return "POST";
	case METHOD_DELETE:
		return "DELETE";
	case METHOD_OTHER:
		break;
	}
	return "other";
}
