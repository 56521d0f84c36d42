/*
 * api.h - the HTTP API as two tables, one for each port: method, path, message to the broker,
 * fields of the body.
 * Whether the caller may do it is the broker's decision; here only the form is checked.
 */
#ifndef SEKISHO_EDGE_API_H
#define SEKISHO_EDGE_API_H

#include <jansson.h>

#include "base/buf.h"
#include "edge/router.h"

enum {
	API_BODY_MAX = 16 * 1024,
	API_RECORD_MAX = 64 * 1024, /* of what is asked of the vault's records */
	API_DEPTH_MAX = 4,          /* the deepest body we know has two levels */
};

struct api_head {
	uint8_t device[WIRE_DEVICE_ID];
	const char *address; /* as text */
	const char *token;   /* the cookie's value or "" */
	const char *user;    /* of EST's HTTP Basic, as code; NULL for others */
	const char *code;
};

/* A request in the form of a message; its strings live in the body or in what api_fill was given.
 */
struct api_call {
	union wire_any msg;
	json_t *body; /* owned, may be NULL */
};

extern const struct route api_routes[];
extern const size_t api_route_count;
extern const struct route api_enrol_routes[];
extern const size_t api_enrol_route_count;

/* Once per process: memory that held a body is wiped when jansson frees it. */
void api_init(void);

/* Of a body. */
size_t api_body_max(const struct route *route);

/*
 * Reads a body of len bytes by the route's fields. ERR_INVALID with *ret_field naming what is wrong
 * ("body" for the whole), ERR_TOO_BIG. A field that is not in the table is wrong too. The caller
 * finishes the call.
 */
nodiscard enum err api_fill(const struct route *route, const struct route_params *params,
			    const struct api_head *head, const char *body, size_t len,
			    struct api_call *ret_call, const char **ret_field);
void api_call_finish(struct api_call *call);

/* {"error":code,"field":field,"retry_s":n}; field NULL and retry_s 0 are left out. */
nodiscard enum err api_error(struct buf *buf, enum err error, const char *field, unsigned retry_s);

/* {"office":name,"version":…,"gateway":URL}; gateway is the portal's origin, or NULL to leave it
 * out. */
nodiscard enum err api_office(struct buf *buf, const char *office, const char *gateway);

#endif
