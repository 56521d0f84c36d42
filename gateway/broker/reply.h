/*
 * reply.h - answers to the edge. An answer for an edge that has been restarted since is dropped.
 */
#ifndef SEKISHO_BROKER_REPLY_H
#define SEKISHO_BROKER_REPLY_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/enums.h"
#include "wire/wire.h"

struct broker;

/* Where an answer goes; a copy outlives the request. */
struct reply_to {
	uint32_t generation; /* of broker->edge_generation */
	uint32_t request;
};

enum { REPLY_CREATED = 201, REPLY_ACCEPTED = 202 };

/* Wipes and frees what json_dumps made, with the memory functions it was made with; NULL is
 * allowed. */
void reply_text_free(char *text);

/* body is taken over, NULL (out of memory while it was built) answers nomem. cookie: "" leaves, "-"
 * clears. */
void reply_json(struct broker *broker, const struct reply_to *to, unsigned status,
		const char *cookie, json_t *body);
/* With the time after which it may be asked again, 0 for none: as "retry_s" and as Retry-After.
 * body as of reply_json. */
void reply_json_later(struct broker *broker, const struct reply_to *to, unsigned status,
		      uint32_t retry_s, json_t *body);
/* Not JSON. */
void reply_body(struct broker *broker, const struct reply_to *to, unsigned status,
		enum body_kind kind, struct bytes body);
void reply_error(struct broker *broker, const struct reply_to *to, enum err err);
/* With the field that is wrong. */
void reply_error_field(struct broker *broker, const struct reply_to *to, enum err err,
		       const char *field);
void reply_throttled(struct broker *broker, const struct reply_to *to, int64_t wait_ms);
/* 409 "credentials": the PC's login is needed. */
void reply_credentials(struct broker *broker, const struct reply_to *to);
/* With a descriptor, which is taken over in every case. */
void reply_fd(struct broker *broker, const struct reply_to *to, json_t *body, int fd);

#endif
