/*
 * headers.h - judges what a request's header fields say, strictly: Host, Origin, Cookie,
 * Content-Type, Content-Length. Pure functions; no header field is trusted further than these say.
 */
#ifndef SEKISHO_EDGE_HEADERS_H
#define SEKISHO_EDGE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HEADERS_TOKEN = 64 }; /* hex digits of a session cookie */

#define HEADERS_COOKIE "__Host-sekisho"

/* What one listener is called from outside. */
struct site {
	char host[280]; /* "name:port", the name in lower case, an IPv6 address in brackets */
	char host_default[280]; /* without the port when that is 443, else "" */
	char origin[300];       /* RFC 6454: "https://name:port", without the port when it is 443 */
	char connect[300]; /* what its pages may ask besides it: the same with wss:, or another site
			    */
	bool local;        /* the name is localhost: no HSTS, which would hold for all its ports */
};

/* ERR_INVALID: the name does not fit or has characters that no host name has. */
nodiscard enum err site_init(struct site *site, const char *name, uint16_t port);

/* Its pages open no WebSockets but may ask other's origin. */
void site_ask(struct site *site, const struct site *other);

/* Against DNS rebinding: only our own name. NULL and "" never fit. */
bool site_host_fits(const struct site *site, const char *host);
bool site_origin_fits(const struct site *site, const char *origin);

/*
 * Finds the session cookie in a Cookie field (RFC 6265 §4.2.1). ret_token becomes "" when there is
 * none, when it is not exactly HEADERS_TOKEN lower-case hex digits, or when it is there twice: then
 * the caller is not logged in.
 */
void headers_cookie(const char *cookies, char ret_token[HEADERS_TOKEN + 1]);

/* application/json, with no parameter but charset=utf-8. */
bool headers_is_json(const char *content_type);

/* Digits only, at most nine of them; ERR_INVALID. */
nodiscard enum err headers_length(const char *content_length, size_t *ret);

/* Whether a list with commas (RFC 9110 §5.6.1) has the word, in just these letters. */
bool headers_listed(const char *field, const char *word);

/* Whether a field's name is one (RFC 9110 §5.6.2): without white space, above all. */
bool headers_name_fits(const char *name, size_t len);

/* Whether an If-None-Match field (RFC 9110 §13.1.2) names etag, which has its quotes. */
bool headers_etag_listed(const char *field, const char *etag);

#endif
