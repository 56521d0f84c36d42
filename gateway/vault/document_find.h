/*
 * document_find.h - which document somebody speaks of, and whether he may: what the operations with
 * documents begin with. What he may not see is not there.
 */
#ifndef SEKISHO_VAULT_DOCUMENT_FIND_H
#define SEKISHO_VAULT_DOCUMENT_FIND_H

#include "vault/documents.h"
#include "vault/grants.h"

/* A document, its record, and what may be done with it. */
struct document_found {
	struct document_row row;
	struct record_row record;
	struct grant_rights rights;
};

/* err, with what of the body it is about. */
enum err document_wrong(struct desk_reply *reply, enum err err, const char *field);

/* A record that is still to be had, and that the person may see. ERR_NOT_FOUND, ERR_WRONG_STATE;
 * reply says which record it is about. */
nodiscard enum err document_find_record(struct records *records, const struct desk_ask *ask,
					uint64_t id, struct desk_reply *reply,
					struct document_found *ret);

/* right: of enum document_right, 0 for any. in_bin: it may be in the bin. ERR_NOT_FOUND,
 * ERR_DENIED, ERR_WRONG_STATE. */
nodiscard enum err document_find(struct records *records, const struct desk_ask *ask, uint64_t id,
				 uint8_t right, bool in_bin, struct desk_reply *reply,
				 struct document_found *ret);

/* right: of enum document_right. */
bool document_may(const struct document_found *found, uint8_t right);

/* What the audit log's entry says. ERR_NOMEM. */
nodiscard enum err document_say(struct desk_reply *reply, const struct document_found *found,
				int64_t version);

#endif
