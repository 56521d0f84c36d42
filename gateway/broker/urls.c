#include "broker/urls.h"

#include <stdio.h>
#include <string.h>

enum { HTTPS_PORT = 443 };

/* RFC 3986 §3.2.2: an IPv6 address stands in brackets. */
static void put_url(char ret[URLS_MAX], const char *name, int64_t public_port, uint16_t port)
{
	const char *open = strchr(name, ':') ? "[" : "", *close = *open ? "]" : "";

	if (!public_port)
		public_port = port;
	if (public_port == HTTPS_PORT)
		snprintf(ret, URLS_MAX, "https://%s%s%s/", open, name, close);
	else
		snprintf(ret, URLS_MAX, "https://%s%s%s:%d/", open, name, close, (int)public_port);
}

void urls_gateway(const struct settings *settings, char ret[URLS_MAX])
{
	put_url(ret, settings->gateway_name, settings->gateway_public_port,
		settings->gateway_listen.port);
}

void urls_enrol(const struct settings *settings, char ret[URLS_MAX])
{
	put_url(ret, settings->gateway_name, settings->gateway_enrol_public_port,
		settings->gateway_enrol_listen.port);
}
