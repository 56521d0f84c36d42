/*
 * records.h - the vault's protected records while it is open: database, keys, guard and what is
 * known in memory, and the transactions in which they change. What they say is sealed
 * (vault/sealing), who may what is grants.h's, what may be asked desk.h's.
 */
#ifndef SEKISHO_VAULT_RECORDS_H
#define SEKISHO_VAULT_RECORDS_H

#include <jansson.h>

#include "store/vault/record_rows.h"
#include "store/vault/staging_rows.h"
#include "vault/doom.h"
#include "vault/guard.h"
#include "vault/keyring.h"
#include "wire/enums.h"

enum records_state {
	RECORDS_SEALED,      /* nothing is in memory */
	RECORDS_WAITING,     /* open, until the broker has said how far they had come */
	RECORDS_READY,       /* everything may be asked */
	RECORDS_ROLLED_BACK, /* older than what the broker knows: nothing may be */
	RECORDS_DAMAGED,     /* rows were taken away, added or put back: nothing may be */
};

/* For people who did not ask: event of the audit log, detail: numbers and codes, borrowed. */
typedef void records_notice(void *ctx, const char *event, const json_t *detail);

struct records {
	const char *folder; /* borrowed */
	enum records_state state;
	struct db *db;
	struct keyring keyring;
	struct guard guard;
	struct index *index;    /* vault/index.h */
	struct secret *numbers; /* the key that finds numbers */
	uint64_t counter;       /* of committed changes */
	uint64_t seq;           /* the highest entry of the audit log that let something happen */
	struct db_tx tx;
	struct doom doom;            /* what is destroyed with the commit */
	struct grants_views *views;  /* vault/grants: what is known of who may see what */
	struct documents *documents; /* borrowed; set once, after records_init */
	struct imports *imports;     /* vault/imports.h; NULL: none */
	struct exports *exports;     /* vault/exports.h; NULL: none */
	struct staging_row staging;  /* vault/staging.h: numbers of records that nobody sees yet */
	bool settling;               /* those were checked for the last time: no other change now */
	struct work *work;           /* whose slice it is (vault/jobs.h); NULL: nobody waits */
	struct jobs *jobs;           /* borrowed; set once, after records_init; NULL: none */
	uint64_t grants_changes;     /* rises with each change of who may what */
	records_notice *notice;
	void *notice_ctx;
	json_t *found; /* at the unsealing, for notice: [event, detail] each; NULL: nothing */
};

/* Sealed. folder and ctx are borrowed. */
void records_init(struct records *records, const char *folder, records_notice *notice, void *ctx);

/* Opens databases and keys with the root key of that generation, checks every guarded row, reads
 * all names, and then waits for records_floor. On an error it is sealed. ERR_INVALID, ERR_LOGIN as
 * of keyring_open; ERR_UNAVAILABLE: another process has them open. */
nodiscard enum err records_open(struct records *records, const struct secret *root,
				int64_t generation);
/* Rolls back what is not committed and wipes everything. Harmless when sealed. */
void records_seal(struct records *records);

/* What the broker says (record_floor): disposed are records that must be no more; those that are
 * there, out of an old copy, are disposed of again. last: that was all. On an error nothing may be
 * asked. */
nodiscard enum err records_floor(struct records *records, uint64_t counter,
				 const uint64_t *disposed, size_t count, bool last);
/* The link is new: what the broker said before does not count any more. */
void records_forget_floor(struct records *records);

/* OK when RECORDS_READY; else what to answer: ERR_LOCKED, or ERR_UNAVAILABLE with ret_field
 * "rolled-back", "damaged" or "starting". */
nodiscard enum err records_usable(const struct records *records, const char **ret_field);

/*
 * A change of anything in records.db is between these. seq: of the audit entry that lets it happen,
 * 0: none. On a failure of records_commit nothing has changed. records_abort: harmless after a
 * commit.
 */
nodiscard enum err records_begin(struct records *records);
nodiscard enum err records_commit(struct records *records, uint64_t seq);
void records_abort(struct records *records);
/* The same for staged records: what the index has to know of them is put aside. */
struct index_aside;
nodiscard enum err records_commit_aside(struct records *records, uint64_t seq,
					struct index_aside **aside);

/* Something sealed is not what was sealed there: names it in the log and to those whom it concerns;
 * the rest goes on. */
void records_damaged(struct records *records, const char *table, uint64_t row, int64_t version);

/* A record's row, checked. ERR_NOT_FOUND; ERR_INVALID: it was changed behind the vault's back. */
nodiscard enum err records_row(struct records *records, uint64_t id, struct record_row *ret);
/* Within a transaction: the row as it shall be. The index follows. */
nodiscard enum err records_set_row(struct records *records, const struct record_row *row);
nodiscard enum err records_add_row(struct records *records, const struct record_row *row);

#endif
