/*
 * grants.h - what a person may do with a record, by the rows that give it. Nothing is counted,
 * shown or found that a person may not see; every handler asks here first.
 */
#ifndef SEKISHO_VAULT_GRANTS_H
#define SEKISHO_VAULT_GRANTS_H

#include "vault/desk.h"
#include "vault/grants_decide.h"

/* What somebody may do with one record. ERR_NOT_FOUND: there is no such record; ERR_INVALID: its
 * row, or one that decides about it, is damaged. */
nodiscard enum err grants_of(struct records *records, const struct desk_person *who,
			     uint64_t record, struct grant_rights *ret);

/* ERR_NOT_FOUND unless there is such a record and he may see it, as if it were not there;
 * ERR_DENIED when he may see it but has not that level. */
nodiscard enum err grants_need(struct records *records, const struct desk_person *who,
			       uint64_t record, enum grant_level level);

/* For lists and search over many records: all that decides about one person, read once and kept
 * until a grant or a group changes. ERR_INVALID: a row is damaged. The caller frees. */
nodiscard enum err grants_view_open(struct records *records, const struct desk_person *who,
				    struct grants_view **ret);

/* What a record is called in lists; "" when nobody has said, or he may not see it. Borrowed until
 * the next change. */
const char *grants_name(struct records *records, const struct desk_person *who, uint64_t record);

/* What an account's view would be if that row were so, or with take were not there; not kept. */
nodiscard enum err grants_view_if(struct records *records, uint64_t account,
				  const struct grant_row *row, bool take, struct grants_view **ret);

/* Whoever changes a row of a grant or a group says so within the transaction: views are read anew
 * until it is over, and after it. */
nodiscard enum err grants_changed(struct records *records);
/* The transaction is over, either way, or the vault is sealed. */
void grants_settled(struct records *records);
void grants_close(struct records *records);

#endif
