/* A path in the first line and a body after it: what the edge makes of it, on either port, must be
 * a message that the codec takes. The line is also read as the header fields that strangers send.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "edge/api.h"
#include "edge/est.h"
#include "edge/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct est_login login;

static bool plain(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return util_utf8_valid(text, strlen(text));
}

/* What is taken has one form only. */
static void read_fields(const char *line)
{
	char token[HEADERS_TOKEN + 1];
	struct buf der;

	headers_cookie(line, token);
	if (strlen(token) != 0 && strlen(token) != HEADERS_TOKEN)
		abort();
	if (!est_login_parse(line, &login) &&
	    (!*login.code || !plain(login.user) || !plain(login.code)))
		abort();
	if (est_type_fits(line, "application/pkcs10") && strlen(line) < 18)
		abort();
	buf_init(&der, EST_QUESTION_MAX);
	if (!est_question(line, &der) && der.len != strlen(line) / 4 * 3 &&
	    line[strlen(line) - 1] != '=')
		abort();
	buf_finish(&der);
}

static void check(const struct route *route, const struct route_params *params, const char *body,
		  size_t len)
{
	const struct api_head head = {
		.address = "192.0.2.1", .token = "", .user = login.user, .code = login.code
	};
	const char *field = NULL;
	struct api_call call;
	struct buf encoded;

	if (api_fill(route, params, &head, body, len, &call, &field)) {
		if (!field)
			abort();
		return;
	}
	buf_init(&encoded, WIRE_MESSAGE_MAX);
	if (route->message && wire_encode(route->message, &call.msg, &encoded))
		abort();
	buf_finish(&encoded);
	api_call_finish(&call);
}

static void route_in(const struct route *routes, size_t count, const char *path, const char *body,
		     size_t len)
{
	static const enum method methods[] = { METHOD_GET, METHOD_POST, METHOD_DELETE };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct route *route;
		struct route_params params;
		unsigned allowed;

		if (!router_match(routes, count, methods[i], path, &route, &params, &allowed))
			check(route, &params, body, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = memchr(data, '\n', size);
	size_t len = line_end ? (size_t)(line_end - data) : 0;
	const char *body;
	char path[512];

	if (!line_end || len >= sizeof(path))
		return 0;
	api_init();
	body = (const char *)line_end + 1;
	memcpy(path, data, len);
	path[len] = 0;
	read_fields(path);
	route_in(api_routes, api_route_count, path, body, size - len - 1);
	route_in(api_enrol_routes, api_enrol_route_count, path, body, size - len - 1);
	return 0;
}
