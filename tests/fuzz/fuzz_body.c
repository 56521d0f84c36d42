/* A path in the first line and a body after it: what the edge makes of it must be a message that
 * the codec takes. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "edge/api.h"
#include "edge/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct route *route, const struct route_params *params, const char *body,
		  size_t len)
{
	const struct api_head head = { .address = "192.0.2.1", .token = "" };
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum method methods[] = { METHOD_GET, METHOD_POST, METHOD_DELETE };
	const uint8_t *line_end = memchr(data, '\n', size);
	char path[512], token[HEADERS_TOKEN + 1];
	size_t len = line_end ? (size_t)(line_end - data) : 0;

	if (!line_end || len >= sizeof(path))
		return 0;
	api_init();
	memcpy(path, data, len);
	path[len] = 0;
	headers_cookie(path, token);
	if (strlen(token) != 0 && strlen(token) != HEADERS_TOKEN)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct route *route;
		struct route_params params;
		unsigned allowed;

		if (!router_match(api_routes, api_route_count, methods[i], path, &route, &params,
				  &allowed))
			check(route, &params, (const char *)line_end + 1, size - len - 1);
	}
	return 0;
}
