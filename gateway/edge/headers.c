#include "edge/headers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
}

enum err site_init(struct site *site, const char *name, uint16_t port)
{
	char lower[254] = "";
	size_t len = strlen(name);
	const char *open, *close;

	if (!len || len >= sizeof(lower))
		return ERR_INVALID;
	for (size_t i = 0; i < len; i++) {
		lower[i] = (char)tolower((unsigned char)name[i]);
		if (!name_char(lower[i]))
			return ERR_INVALID;
	}
	/* RFC 3986 §3.2.2 */
	open = strchr(lower, ':') ? "[" : "";
	close = *open ? "]" : "";
	memset(site, 0, sizeof(*site));
	snprintf(site->host, sizeof(site->host), "%s%s%s:%u", open, lower, close, port);
	if (port == 443)
		snprintf(site->host_default, sizeof(site->host_default), "%s%s%s", open, lower,
			 close);
	snprintf(site->origin, sizeof(site->origin), "https://%s",
		 port == 443 ? site->host_default : site->host);
	snprintf(site->connect, sizeof(site->connect), "wss://%s",
		 port == 443 ? site->host_default : site->host);
	site->local = util_streq(lower, "localhost");
	return OK;
}

void site_ask(struct site *site, const struct site *other)
{
	memcpy(site->connect, other->origin, sizeof(site->connect));
}

bool site_host_fits(const struct site *site, const char *host)
{
	if (!host || !*host)
		return false;
	return !strcasecmp(host, site->host) || !strcasecmp(host, site->host_default);
}

bool site_origin_fits(const struct site *site, const char *origin)
{
	return origin && util_streq(origin, site->origin);
}

static bool is_token(const char *text, size_t len)
{
	if (len != HEADERS_TOKEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	return true;
}

void headers_cookie(const char *cookies, char ret_token[HEADERS_TOKEN + 1])
{
	static const char name[] = HEADERS_COOKIE "=";
	unsigned found = 0;

	ret_token[0] = 0;
	while (cookies && *cookies) {
		size_t len;

		cookies += strspn(cookies, " ");
		len = strcspn(cookies, ";");
		if (len >= sizeof(name) - 1 && !memcmp(cookies, name, sizeof(name) - 1)) {
			const char *value = cookies + sizeof(name) - 1;
			size_t value_len = len - (sizeof(name) - 1);

			found++;
			if (is_token(value, value_len)) {
				memcpy(ret_token, value, HEADERS_TOKEN);
				ret_token[HEADERS_TOKEN] = 0;
			}
		}
		cookies += len;
		cookies += *cookies == ';';
	}
	if (found > 1)
		ret_token[0] = 0;
}

bool headers_is_json(const char *content_type)
{
	static const char type[] = "application/json";
	const char *rest;

	if (!content_type || strncasecmp(content_type, type, sizeof(type) - 1))
		return false;
	rest = content_type + sizeof(type) - 1;
	rest += strspn(rest, " \t");
	if (!*rest)
		return true;
	if (*rest++ != ';')
		return false;
	rest += strspn(rest, " \t");
	return !strcasecmp(rest, "charset=utf-8");
}

enum err headers_length(const char *content_length, size_t *ret)
{
	size_t value = 0;

	if (!*content_length || strlen(content_length) > 9)
		return ERR_INVALID;
	for (; *content_length; content_length++) {
		if (*content_length < '0' || *content_length > '9')
			return ERR_INVALID;
		value = value * 10 + (size_t)(*content_length - '0');
	}
	*ret = value;
	return OK;
}

static bool listed(const char *field, const char *word, bool weak)
{
	while (field && *field) {
		size_t len;

		field += strspn(field, " \t,");
		if (weak && !strncmp(field, "W/", 2))
			field += 2;
		len = strcspn(field, ", \t");
		if (len == strlen(word) && !memcmp(field, word, len))
			return true;
		field += len;
	}
	return false;
}

bool headers_listed(const char *field, const char *word)
{
	return listed(field, word, false);
}

bool headers_name_fits(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("!#$%&'*+-.^_`|~", name[i]))
			return false;
	return len && !memchr(name, 0, len);
}

bool headers_etag_listed(const char *field, const char *etag)
{
	return listed(field, etag, true);
}
