/*
 * requests.h - what somebody has asked for about a record, and somebody else decides: one open
 * request about a record at a time. Who may do what with it is life.h's. Changes are within a
 * transaction of records.h.
 */
#ifndef SEKISHO_VAULT_REQUESTS_H
#define SEKISHO_VAULT_REQUESTS_H

#include "store/vault/request_rows.h"
#include "vault/desk.h"
#include "vault/life.h"
#include "vault/records_change.h"

enum { REQUEST_WORDS = 512 /* characters of why, and of the answer */ };

/*
 * A new one. ready: it waits for nothing but approval. number: the version of the record's number
 * that is to be approved, 0: none. why: "" or the asker's words. ERR_WRONG_STATE: there is an open
 * one about the record.
 */
nodiscard enum err requests_add(struct records *records, const struct record_row *row,
				enum request_kind kind, bool ready, int64_t number, const char *why,
				const struct change_by *by, uint64_t *ret);

/* Checked. ERR_NOT_FOUND; ERR_INVALID: it was changed behind the vault's back. */
nodiscard enum err requests_get(struct records *records, uint64_t id, struct request_row *ret);
nodiscard enum err requests_open_of(struct records *records, uint64_t record,
				    struct request_row *ret);
nodiscard enum err requests_set(struct records *records, const struct request_row *request);

/* What was to be collected is entered: its request waits for approval, and so does the record,
 * whose row follows. ERR_WRONG_STATE: there is no such request. */
nodiscard enum err requests_entered(struct records *records, struct record_row *row);

/* What that person is in it. */
nodiscard enum err requests_part(struct records *records, const struct desk_person *who,
				 const struct request_row *request, const struct record_row *row,
				 struct life_part *ret);

/* {"why","answer"}, each "" when there is none. The caller frees. */
nodiscard enum err requests_words(struct records *records, const struct request_row *request,
				  const struct record_row *row, json_t **ret);
/* Seals them into the request, which is not stored yet; both "": there are none. */
nodiscard enum err requests_put_words(struct records *records, struct request_row *request,
				      const struct record_row *row, const char *why,
				      const char *answer);

/* The words of all requests about a record under the key that its row has now, or gone. from: the
 * group key that they are under. */
nodiscard enum err requests_rewrap(struct records *records, const struct record_row *row,
				   uint64_t from);
nodiscard enum err requests_wipe(struct records *records, uint64_t record);

#endif
