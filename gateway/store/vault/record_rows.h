/*
 * record_rows.h - records, their versions and their numbers, sealed: what they say is the vault's
 * to open. Changes of a record's row go between guard_before and guard_after (vault/guard.h).
 */
#ifndef SEKISHO_STORE_VAULT_RECORD_ROWS_H
#define SEKISHO_STORE_VAULT_RECORD_ROWS_H

#include "store/db.h"

enum {
	RECORD_PURPOSES = 32,
	RECORD_PURPOSE = 8,    /* bytes of a purpose's number, big-endian */
	RECORD_DATA_KEY = 40,  /* wrapped */
	RECORD_SEALED = 65536, /* of a version, at most */
	RECORD_SEALED_NUMBER = 64,
	RECORD_FOUND = 32,
};

/* As record_next reads them. */
#define RECORD_COLUMNS                                                                             \
	"record.id, kind, state, client, parent, class, purposes, key, record.version,"            \
	" number_version, created, created_by, started, due, removed, disposed, hold"

struct record_row {
	uint64_t id;
	int64_t kind, state; /* enum protected_kind, enum protected_state */
	uint64_t client;     /* of a client: its own id */
	uint64_t parent;     /* 0: none */
	uint64_t class;
	uint8_t purposes[RECORD_PURPOSES * RECORD_PURPOSE]; /* rising */
	size_t purpose_count;
	uint64_t key;                    /* the group key's number */
	int64_t version, number_version; /* 0: there is none yet */
	int64_t created;
	uint64_t created_by;
	bool has_started, has_due;
	int64_t started, due; /* dates: days since 1970 */
	int64_t removed;      /* 0: it is not in the bin */
	int64_t disposed;     /* 0: it is not */
	bool hold;            /* it must not be disposed of */
};

/* The purpose at a place, and all of them; ids: different ones, rising, at most RECORD_PURPOSES. */
uint64_t record_purpose(const struct record_row *row, size_t at);
void record_set_purposes(struct record_row *row, const uint64_t *ids, size_t count);

/* The number that the next record gets. */
nodiscard enum err record_next_id(struct db *db, uint64_t *ret);

/* One whose versions and numbers are gone, and of which nothing else speaks. ERR_NOT_FOUND. */
nodiscard enum err record_delete(struct db *db, uint64_t id);

/* row->id: as record_next_id's. Its MAC is still missing: guard_after. ERR_NOT_FOUND: no such
 * class, client or parent. */
nodiscard enum err record_insert(struct db *db, const struct record_row *row);

/* All that may change: state, class, key, versions, dates, removed, disposed, hold. ERR_NOT_FOUND.
 */
nodiscard enum err record_update(struct db *db, const struct record_row *row);

nodiscard enum err record_by_id(struct db *db, uint64_t id, struct record_row *ret);

/* Rows in the order of ids, after the one given; record_next reads them. client 0: of all. */
void record_select(struct query *query, struct db *db, uint64_t client, uint64_t after);
/* Those of one group key. */
void record_select_key(struct query *query, struct db *db, uint64_t key);
nodiscard enum err record_next(struct query *query, struct record_row *ret, bool *ret_more);

/* sealed: of a version or of a number, as sealing_put made it. */
struct record_sealed {
	uint64_t record;
	int64_t version;
	int64_t made;
	uint64_t made_by;
	uint8_t data_key[RECORD_DATA_KEY];
	const uint8_t *sealed; /* while it is read: SQLite's, until the next step */
	size_t sealed_len;
};

nodiscard enum err record_version_insert(struct db *db, const struct record_sealed *version);
/* One version, or with version 0 all of them, the newest first: record_version_next. */
void record_version_select(struct query *query, struct db *db, uint64_t record, int64_t version);
nodiscard enum err record_version_next(struct query *query, struct record_sealed *ret,
				       bool *ret_more);

nodiscard enum err record_number_insert(struct db *db, const struct record_sealed *number,
					const uint8_t found[RECORD_FOUND]);
/* ERR_NOT_FOUND. */
nodiscard enum err record_number_delete(struct db *db, uint64_t record, int64_t version);
void record_number_select(struct query *query, struct db *db, uint64_t record, int64_t version);
nodiscard enum err record_number_next(struct query *query, struct record_sealed *ret,
				      bool *ret_more);
/* Records that have, in the newest version, a number of this MAC: column 0, in the order of ids. */
void record_number_find(struct query *query, struct db *db, const uint8_t found[RECORD_FOUND]);

/* For a new group key. */
nodiscard enum err record_version_set_key(struct db *db, uint64_t record, int64_t version,
					  const uint8_t data_key[RECORD_DATA_KEY]);
nodiscard enum err record_number_set_key(struct db *db, uint64_t record, int64_t version,
					 const uint8_t data_key[RECORD_DATA_KEY]);

/* All versions and numbers of a record, for its disposal; ret_versions: how many versions. */
nodiscard enum err record_sealed_delete(struct db *db, uint64_t record, int64_t *ret_versions);

#endif
