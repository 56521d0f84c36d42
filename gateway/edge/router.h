/*
 * router.h - finds the row of a table that a method and a path belong to. Patterns are literal
 * segments and at most one "{host}", "{size}", "{filter}" or "{issuer}.der" (decimal, 1 to 2^63-1),
 * "{session}" (32 lower-case hex digits), "{monitor}" (1), or, at the end, "{command}" (two or
 * three words of a-z and -), "{command}/{after}" (the same and a number), "{question}" (all that
 * follows), or "{operation}" (the words of one of wire/record_ops.def with a hyphen between).
 */
#ifndef SEKISHO_EDGE_ROUTER_H
#define SEKISHO_EDGE_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include "wire/wire.h"

enum method { METHOD_GET = 1, METHOD_POST = 2, METHOD_DELETE = 4, METHOD_OTHER = 8 };

enum { ROUTER_COMMAND = 64 }; /* bytes, as messages.def has it */

struct api_field;

enum route_kind {
	ROUTE_PLAIN, /* JSON both ways */
	ROUTE_LIST,  /* JSON of which "?before=" and a number asks for the next page */
	ROUTE_STREAM,
	ROUTE_ADMIN, /* JSON of which only the form is known here */
	ROUTE_EST,   /* RFC 7030 */
	ROUTE_OCSP,  /* RFC 6960 */
	/* What the edge answers by itself. */
	ROUTE_OFFICE,
	ROUTE_CA,
	ROUTE_CRL,
};

struct route {
	enum method method;
	const char *pattern;
	uint16_t message;               /* of messages.def; 0: the edge answers by itself */
	const struct api_field *fields; /* of the body, in api.c; ends with a NULL name */
	size_t param_offset;            /* of the path's parameter in the message */
	enum route_kind kind;
};

struct route_params {
	uint64_t number; /* host, size, filter, issuer, after, before */
	uint8_t session[WIRE_SESSION_ID];
	uint8_t monitor;                  /* 0: the path names none */
	uint16_t operation;               /* of wire/record_ops.def */
	char command[ROUTER_COMMAND + 1]; /* its words with a blank between */
	const char *question;             /* in the path */
};

/* ERR_NOT_FOUND; ERR_METHOD: the path exists with the methods in *ret_allowed. "GET", "POST" … */
nodiscard enum err router_match(const struct route *routes, size_t count, enum method method,
				const char *path, const struct route **ret_route,
				struct route_params *ret_params, unsigned *ret_allowed);

/* The number of a page: args is what follows "?", "" for none, which is 0. ERR_INVALID. */
nodiscard enum err router_page(const char *args, uint64_t *ret_before);

const char *method_name(enum method method);

#endif
