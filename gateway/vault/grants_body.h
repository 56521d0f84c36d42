/*
 * grants_body.h - how bodies and answers say whom a grant is for, of what, and which rights it
 * gives (docs/protocol.md, "Rights").
 */
#ifndef SEKISHO_VAULT_GRANTS_BODY_H
#define SEKISHO_VAULT_GRANTS_BODY_H

#include "store/vault/grant_rows.h"
#include "vault/desk.h"

/* The members that say it, for desk_members. */
#define GRANTS_BODY_ROW    "account", "people", "record", "client", "clients", "everything"
#define GRANTS_BODY_RIGHTS "level", "number", "document", "preset", "take"

/* Whom and of what; ret's rights are none. ERR_INVALID; ERR_NOT_FOUND: he sees no such record, or
 * there is no such group; ERR_DENIED: groups and everything are for those who manage. */
nodiscard enum err grants_body_row(struct records *records, const struct desk_ask *ask,
				   struct desk_reply *reply, struct grant_row *ret);
/* ret_take: the row is to go. */
nodiscard enum err grants_body_rights(const struct desk_ask *ask, struct desk_reply *reply,
				      struct grant_rights *ret, bool *ret_take);

/* Each makes a new object, or nothing. who: whom it is shown to, with the names of groups and of
 * the records that he may see; NULL: it is for the audit log, without names. */
json_t *grants_body_say_rights(const struct grant_rights *rights);
json_t *grants_body_say_row(struct records *records, const struct grant_row *row,
			    const struct desk_person *who);

/* The record that an object is, and its client; 0: it is none. */
void grants_body_place(struct records *records, const struct grant_row *row,
		       struct desk_reply *reply);

#endif
