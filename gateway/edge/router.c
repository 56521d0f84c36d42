#include "edge/router.h"

#include <string.h>

#include "base/util.h"
#include "wire/record_ops.h"

static enum err take_number(const char *text, size_t len, uint64_t *ret)
{
	char digits[20];
	int64_t value;
	enum err err;

	/* util_parse_i64 takes signs and leading zeros; one thing has one path. */
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

/* The first one is the path without. */
static enum err take_monitor(const char *text, size_t len, uint8_t *ret)
{
	if (len != 1 || *text != '1')
		return ERR_NOT_FOUND;
	*ret = 1;
	return OK;
}

static enum err take_command(const char *text, char ret[ROUTER_COMMAND + 1])
{
	size_t len = strlen(text), words = 1;

	if (len > ROUTER_COMMAND)
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < len; i++) {
		bool first = i == 0 || text[i - 1] == '/';

		ret[i] = text[i];
		if (text[i] == '/' && !first && text[i + 1]) {
			ret[i] = ' ';
			words++;
		} else if (!(text[i] >= 'a' && text[i] <= 'z') && !(text[i] == '-' && !first)) {
			return ERR_NOT_FOUND;
		}
	}
	ret[len] = 0;
	return words == 2 || words == 3 ? OK : ERR_NOT_FOUND;
}

/* A command and, as its last segment, after which number a list goes on. */
static enum err take_page(const char *text, struct route_params *params)
{
	const char *slash = strrchr(text, '/');
	char command[ROUTER_COMMAND + 1];
	size_t len = slash ? (size_t)(slash - text) : 0;

	if (!slash || len > ROUTER_COMMAND)
		return ERR_NOT_FOUND;
	memcpy(command, text, len);
	command[len] = 0;
	if (take_command(command, params->command))
		return ERR_NOT_FOUND;
	return take_number(slash + 1, strlen(slash + 1), &params->number);
}

static enum err take_operation(const char *text, uint16_t *ret)
{
	const struct record_op *op = strchr(text, ' ') ? NULL : record_op_by_words(text);

	if (!op)
		return ERR_NOT_FOUND;
	*ret = op->number;
	return OK;
}

static bool is(const char *pattern, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(pattern, word, len);
}

static enum err take_segment(const char *pattern, size_t pattern_len, const char *text, size_t len,
			     struct route_params *params)
{
	static const char suffix[] = ".der";
	const size_t suffix_len = sizeof(suffix) - 1;

	if (is(pattern, pattern_len, "{host}") || is(pattern, pattern_len, "{size}") ||
	    is(pattern, pattern_len, "{filter}"))
		return take_number(text, len, &params->number);
	if (is(pattern, pattern_len, "{session}"))
		return take_session(text, len, params->session);
	if (is(pattern, pattern_len, "{monitor}"))
		return take_monitor(text, len, &params->monitor);
	if (!is(pattern, pattern_len, "{issuer}.der"))
		return len == pattern_len && !memcmp(text, pattern, len) ? OK : ERR_NOT_FOUND;
	if (len <= suffix_len || memcmp(text + len - suffix_len, suffix, suffix_len))
		return ERR_NOT_FOUND;
	return take_number(text, len - suffix_len, &params->number);
}

static enum err path_fits(const char *pattern, const char *path, struct route_params *params)
{
	while (*pattern == '/' && *path == '/') {
		size_t pattern_len = strcspn(pattern + 1, "/");
		size_t len = strcspn(path + 1, "/");

		if (util_streq(pattern, "/{command}"))
			return take_command(path + 1, params->command);
		if (util_streq(pattern, "/{command}/{after}"))
			return take_page(path + 1, params);
		if (util_streq(pattern, "/{operation}"))
			return take_operation(path + 1, &params->operation);
		if (util_streq(pattern, "/{question}")) {
			params->question = path + 1;
			return *params->question ? OK : ERR_NOT_FOUND;
		}
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

enum err router_page(const char *args, uint64_t *ret_before)
{
	static const char name[] = "before=";

	*ret_before = 0;
	if (!*args)
		return OK;
	if (strncmp(args, name, sizeof(name) - 1) != 0)
		return ERR_INVALID;
	args += sizeof(name) - 1;
	return take_number(args, strlen(args), ret_before);
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
