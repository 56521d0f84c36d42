/*
 * rules.h - whether what somebody wants a new record to be keeps the office's rules: class,
 * purposes, number, and where it belongs.
 */
#ifndef SEKISHO_VAULT_RULES_H
#define SEKISHO_VAULT_RULES_H

#include "vault/desk.h"

/* "class" and "purposes" of a body: each is there and not retired. Sets the row's. */
nodiscard enum err rules_take(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply, struct record_row *row);

/* Each by itself: it is there and may be chosen, or is a client that is active. ERR_NOT_FOUND,
 * ERR_WRONG_STATE. */
nodiscard enum err rules_class(struct records *records, uint64_t id);
nodiscard enum err rules_purpose(struct records *records, uint64_t id);
nodiscard enum err rules_client(struct records *records, uint64_t id);

/* "number" and "again" of a body are the same; ret is "" when there is none. The caller wipes. */
nodiscard enum err rules_number(const struct desk_ask *ask, struct desk_reply *reply,
				enum protected_kind kind, char ret[16]);

/* Into row: a client that is active, and for a dependant an employee of it; whoever asks may
 * change that. ERR_NOT_FOUND as if it were not there; ERR_WRONG_STATE. */
nodiscard enum err rules_place(struct records *records, const struct desk_ask *ask,
			       struct desk_reply *reply, struct record_row *row);

#endif
