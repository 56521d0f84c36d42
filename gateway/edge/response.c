#include "edge/response.h"

#include <string.h>

#include "base/util.h"
#include "edge/router.h"

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 413, "Content Too Large" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 507, "Insufficient Storage" },
};

/*
 * What no page of ours needs; those with self it does, window-management for a PC's second monitor.
 * Only names that Chromium knows (https://www.w3.org/TR/permissions-policy/ leaves them to other
 * documents): about each of the others it complains on the console.
 */
#define PERMISSIONS                                                                                \
	"accelerometer=(), autoplay=(), camera=(), clipboard-read=(), clipboard-write=(), "        \
	"display-capture=(), encrypted-media=(), fullscreen=(self), gamepad=(), geolocation=(), "  \
	"gyroscope=(), hid=(), idle-detection=(), keyboard-map=(self), local-fonts=(), "           \
	"magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), "             \
	"publickey-credentials-get=(), screen-wake-lock=(), serial=(), storage-access=(), "        \
	"sync-xhr=(), usb=(), window-management=(self), xr-spatial-tracking=()"

/* connect-src names wss too: in older browsers 'self' does not cover it. On the enrolment's pages
 * it names the gateway, which they ask whether the new certificate works. */
#define PAGE_POLICY                                                                                \
	"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "             \
	"img-src 'self' data: blob:; connect-src 'self' %s; worker-src 'self'; font-src 'self'; "  \
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

void response_init(struct response *response)
{
	memset(response, 0, sizeof(*response));
	buf_init(&response->own, RESPONSE_BODY_MAX);
}

void response_finish(struct response *response)
{
	buf_wipe(&response->own);
	buf_finish(&response->own);
	response_init(response);
}

void response_json(struct response *response, int status)
{
	response->status = status;
	response->type = response->own.len ? "application/json" : NULL;
	response->body = (struct bytes){ response->own.data, response->own.len };
}

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Other";
}

size_t response_guard(struct response_guard *guard, const struct site *site, bool same_site)
{
	const struct response_field fields[] = {
		{ "Content-Security-Policy:", guard->policy },
		{ "X-Content-Type-Options:", "nosniff" },
		{ "Referrer-Policy:", "no-referrer" },
		{ "Cross-Origin-Opener-Policy:", "same-origin" },
		{ "Cross-Origin-Embedder-Policy:", "require-corp" },
		{ "Cross-Origin-Resource-Policy:", same_site ? "same-site" : "same-origin" },
		{ "Permissions-Policy:", PERMISSIONS },
		{ "Strict-Transport-Security:", "max-age=31536000" },
	};

	_Static_assert(ARRAY_SIZE(fields) == RESPONSE_GUARDS, "room for all");
	snprintf(guard->policy, sizeof(guard->policy), PAGE_POLICY, site->connect);
	memcpy(guard->fields, fields, sizeof(fields));
	return site->local ? RESPONSE_GUARDS - 1 : RESPONSE_GUARDS;
}

/*
 * strongSwan's `pki --est` takes the first 1,024 bytes for all of the header block, so that the
 * long policies of pages have no room there. What is no page needs no more than this.
 */
static enum err add_short_guard(struct buf *head)
{
	return buf_printf(head,
			  "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
			  "X-Content-Type-Options: nosniff\r\n"
			  "Referrer-Policy: no-referrer\r\n"
			  "Cross-Origin-Resource-Policy: same-origin\r\n");
}

static enum err add_guard(struct buf *head, const struct site *site, bool same_site)
{
	struct response_guard guard;
	size_t count = response_guard(&guard, site, same_site);
	enum err err = OK;

	for (size_t i = 0; !err && i < count; i++)
		err = buf_printf(head, "%s %s\r\n", guard.fields[i].name, guard.fields[i].value);
	return err;
}

/* RFC 6265bis §4.1.3.2: __Host- wants Secure, Path=/ and no Domain. */
static enum err add_cookie(struct buf *head, const char *cookie)
{
	static const char attributes[] = "Path=/; Secure; HttpOnly; SameSite=Strict";

	if (!*cookie)
		return OK;
	if (util_streq(cookie, "-"))
		return buf_printf(head, "Set-Cookie: " HEADERS_COOKIE "=; Max-Age=0; %s\r\n",
				  attributes);
	if (strlen(cookie) != HEADERS_TOKEN || cookie[strspn(cookie, "0123456789abcdef")])
		return ERR_INVALID;
	return buf_printf(head, "Set-Cookie: " HEADERS_COOKIE "=%s; %s\r\n", cookie, attributes);
}

static enum err add_allowed(struct buf *head, unsigned allowed)
{
	const char *separator = "";
	enum err err = buf_printf(head, "Allow: ");

	for (unsigned method = METHOD_GET; !err && method < METHOD_OTHER; method <<= 1) {
		if (!(allowed & method))
			continue;
		err = buf_printf(head, "%s%s", separator, method_name(method));
		separator = ", ";
	}
	return err ? err : buf_printf(head, "\r\n");
}

enum err response_head(const struct response *response, const struct site *site, struct buf *head)
{
	enum err err =
		buf_printf(head, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n", response->status,
			   phrase_of(response->status), response->body.len);

	if (!err && response->type)
		err = buf_printf(head, "Content-Type: %s\r\n", response->type);
	if (!err && response->base64)
		err = buf_printf(head, "Content-Transfer-Encoding: base64\r\n");
	if (!err && response->etag)
		err = buf_printf(head, "ETag: %s\r\nCache-Control: private, no-cache\r\n",
				 response->etag);
	if (!err && !response->etag)
		err = buf_printf(head, "Cache-Control: no-store\r\n");
	if (!err)
		err = add_cookie(head, response->cookie);
	if (!err && response->retry_s)
		err = buf_printf(head, "Retry-After: %u\r\n", response->retry_s);
	/* No charset (RFC 7617 §2.1): codes are ASCII, and not every EST client reads past the
	 * realm. */
	if (!err && response->challenge)
		err = buf_printf(head, "WWW-Authenticate: Basic realm=\"enrolment code\"\r\n");
	if (!err && response->allowed)
		err = add_allowed(head, response->allowed);
	if (!err && response->close)
		err = buf_printf(head, "Connection: close\r\n");
	if (!err)
		err = response->program ? add_short_guard(head)
					: add_guard(head, site, response->same_site);
	return err ? err : buf_printf(head, "\r\n");
}
