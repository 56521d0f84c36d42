/*
 * content.h - what a version of a record says: a name, its reading, and the office's free fields by
 * their keys. Sealed it is a JSON object of the three.
 */
#ifndef SEKISHO_VAULT_CONTENT_H
#define SEKISHO_VAULT_CONTENT_H

#include <jansson.h>

#include "base/secret.h"
#include "vault/desk.h"

enum {
	CONTENT_NAME = 128,                 /* characters, of the reading too */
	CONTENT_BYTES = RECORD_SEALED - 28, /* as it is sealed */
};

struct content {
	const char *name, *kana; /* kana: "" when there is none */
	const json_t *fields;    /* an object of texts, or NULL */
	json_t *own;             /* what the rest is borrowed from, or NULL */
};
void content_finish(struct content *content);
#define _cleanup_content_ _cleanup_(content_finish)

/* "name", "kana" and "fields" of a body, all borrowed from it, for a record of that kind. old: the
 * fields that it has, or NULL. ERR_INVALID with reply->field; ERR_NOMEM. */
nodiscard enum err content_of_body(struct records *records, const struct desk_ask *ask,
				   struct desk_reply *reply, int64_t kind, const json_t *old,
				   struct content *ret);

/* As it is sealed; the caller frees. ERR_TOO_BIG: more than CONTENT_BYTES. ERR_NOMEM. */
nodiscard enum err content_write(const struct content *content, struct secret **ret);
/* ERR_INVALID: it is no such thing. content_finish. */
nodiscard enum err content_read(const struct secret *data, struct content *ret);

#endif
