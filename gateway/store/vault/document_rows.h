/*
 * document_rows.h - documents of records and their versions. What they are called and the keys of
 * their files are sealed; changes of a document's row go between guard_before and guard_after
 * (vault/guard.h).
 */
#ifndef SEKISHO_STORE_VAULT_DOCUMENT_ROWS_H
#define SEKISHO_STORE_VAULT_DOCUMENT_ROWS_H

#include "store/vault/record_rows.h"

enum { DOCUMENT_SEALED = 4096 };

struct document_row {
	uint64_t id, record;
	int64_t version;  /* the newest that may be had; 0: none yet */
	int64_t versions; /* the highest number that was given */
	int64_t created;
	uint64_t created_by;
	int64_t removed; /* 0: it is not in the bin */
};

/* The number that the next document gets. */
nodiscard enum err document_next_id(struct db *db, uint64_t *ret);
/* row->id: as document_next_id's. Its MAC is still missing: guard_after. */
nodiscard enum err document_insert(struct db *db, const struct document_row *row);
/* All that may change: version, versions, removed. ERR_NOT_FOUND. */
nodiscard enum err document_update(struct db *db, const struct document_row *row);
nodiscard enum err document_by_id(struct db *db, uint64_t id, struct document_row *ret);
/* Those of a record in the order of ids, after the one given: document_next. */
void document_select(struct query *query, struct db *db, uint64_t record, uint64_t after);
nodiscard enum err document_next(struct query *query, struct document_row *ret, bool *ret_more);

struct document_version_row {
	uint64_t document;
	int64_t version, made;
	uint64_t made_by;
	uint64_t size; /* bytes of the document */
	uint8_t data_key[RECORD_DATA_KEY];
	const uint8_t *sealed; /* while it is read: SQLite's, until the next step */
	size_t sealed_len;
	bool quarantined;
};

nodiscard enum err document_version_insert(struct db *db, const struct document_version_row *row);
/* One version, or with version 0 all of them, the newest first: document_version_next. */
void document_version_select(struct query *query, struct db *db, uint64_t document,
			     int64_t version);
/* What is in quarantine, of all records. */
void document_version_quarantined(struct query *query, struct db *db);
nodiscard enum err document_version_next(struct query *query, struct document_version_row *ret,
					 bool *ret_more);
/* ERR_NOT_FOUND. */
nodiscard enum err document_version_delete(struct db *db, uint64_t document, int64_t version);
nodiscard enum err document_version_exists(struct db *db, uint64_t document, int64_t version,
					   bool *ret);

#endif
