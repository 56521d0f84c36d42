/*
 * response.h - one HTTP answer: its header block with all security header fields, and its body.
 */
#ifndef SEKISHO_EDGE_RESPONSE_H
#define SEKISHO_EDGE_RESPONSE_H

#include <stdbool.h>

#include "base/buf.h"
#include "edge/headers.h"
#include "wire/wire.h"

enum { RESPONSE_BODY_MAX = 128 * 1024, RESPONSE_HEAD_MAX = 4096, RESPONSE_GUARDS = 8 };

struct response {
	int status;
	const char *type;  /* Content-Type; NULL with an empty body */
	const char *etag;  /* NULL: must not be stored by anybody */
	struct bytes body; /* of own, or of something that outlives the response */
	struct buf own;
	char cookie[HEADERS_TOKEN + 1]; /* a new value, "-" to clear, "" to leave */
	unsigned retry_s;               /* Retry-After, 0 for none */
	unsigned allowed;               /* Allow: methods of enum method, 0 for none */
	bool challenge;                 /* the code is wanted as HTTP Basic */
	bool base64;                    /* the body is, and its reader wants that said */
	bool same_site;                 /* pages of other ports may ask for it */
	bool program;                   /* for no browser: a header block of 1,000 bytes at most */
	bool close;                     /* the connection ends after it */
	size_t sent;                    /* of the body */
	bool head_sent;
};

/* The security header fields, which every answer has. */
struct response_field {
	const char *name; /* with its colon */
	const char *value;
};

struct response_guard {
	char policy[800];
	struct response_field fields[RESPONSE_GUARDS];
};

/* Fills guard, whose fields point into it; how many there are: no HSTS for localhost. */
size_t response_guard(struct response_guard *guard, const struct site *site, bool same_site);

void response_init(struct response *response);
void response_finish(struct response *response);

/* A JSON body from response->own. */
void response_json(struct response *response, int status);

/* Appends the header block with its empty line. ERR_INVALID for a cookie that is not a token. */
nodiscard enum err response_head(const struct response *response, const struct site *site,
				 struct buf *head);

#endif
