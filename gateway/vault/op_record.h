/*
 * op_record.h - what the handlers of records share.
 */
#ifndef SEKISHO_VAULT_OP_RECORD_H
#define SEKISHO_VAULT_OP_RECORD_H

#include "vault/grants.h"
#include "vault/records_change.h"

/* A record, and what the one who asks may do with it. */
struct record_seen {
	struct record_row row;
	struct grant_rights rights;
};

/* The body's "record"; the reply says what it is about. ERR_NOT_FOUND: there is none, or he may not
 * see it; ERR_DENIED: not that level. ERR_INVALID with field "damaged". */
nodiscard enum err record_seen_get(struct records *records, const struct desk_ask *ask,
				   struct desk_reply *reply, enum grant_level level,
				   struct record_seen *ret);

/* The name that lists have for a record, "" when there is none or he may not see it. */
const char *record_seen_name(const struct records *records, const struct grants_view *view,
			     uint64_t record);

#endif
