/*
 * disposal_rows.h - which records are due, what is left of one that was disposed of, and what of
 * its documents has to go with it. Changes of guarded rows go between guard_before and guard_after
 * (vault/guard.h).
 */
#ifndef SEKISHO_STORE_VAULT_DISPOSAL_ROWS_H
#define SEKISHO_STORE_VAULT_DISPOSAL_ROWS_H

#include "store/vault/record_rows.h"

struct disposal_row {
	uint64_t record;
	int64_t disposed;
	uint64_t asked_by, approved_by;
	bool early; /* before its years were over */
	int64_t versions, numbers, documents;
	uint64_t key_destroyed;
	uint64_t counter; /* meta's, of this change */
	uint64_t seq;     /* of the audit entry that let it happen */
};

nodiscard enum err disposal_insert(struct db *db, const struct disposal_row *row);
nodiscard enum err disposal_by_record(struct db *db, uint64_t record, struct disposal_row *ret);

/* Ended ones that are due on that day or before, the longest due first; then those that have been
 * in the bin since removed_s or longer: column 0 is the record's number. */
void disposal_select_due(struct query *query, struct db *db, int64_t day, int64_t removed_s);

/* Records that belong to this one and are neither disposed of nor refused: column 0. */
void disposal_select_below(struct query *query, struct db *db, uint64_t record);

/* The next record after one whose parent that is. ERR_NOT_FOUND: there is no more. */
nodiscard enum err disposal_next_below(struct db *db, uint64_t parent, uint64_t after,
				       uint64_t *ret);

/* Is anything still kept under that group key? */
nodiscard enum err disposal_key_used(struct db *db, uint64_t key, bool *ret);

/* How many numbers of a record there are. */
nodiscard enum err disposal_numbers(struct db *db, uint64_t record, int64_t *ret);

/* One version of a document of a record. */
struct document_key_row {
	uint64_t document;
	int64_t version;
	uint8_t data_key[RECORD_DATA_KEY];
};
/* All of a record, by document and version. */
void document_key_select(struct query *query, struct db *db, uint64_t record);
nodiscard enum err document_key_next(struct query *query, struct document_key_row *ret,
				     bool *ret_more);
nodiscard enum err document_key_set(struct db *db, const struct document_key_row *row);

/* The first document of a record: ERR_NOT_FOUND. Deletes one with its versions. */
nodiscard enum err document_first(struct db *db, uint64_t record, uint64_t *ret);
nodiscard enum err document_delete(struct db *db, uint64_t document);

#endif
