/*
 * records.h - what the broker knows of the vault's records without knowing them: how far they had
 * come, which were disposed of, and which entries of the audit log are about which.
 */
#ifndef SEKISHO_STORE_RECORDS_H
#define SEKISHO_STORE_RECORDS_H

#include "store/db.h"

/* The highest counter of the vault's; it never goes back: ERR_WRONG_STATE. */
nodiscard enum err record_floor_get(struct db *db, uint64_t *ret_counter);
nodiscard enum err record_floor_set(struct db *db, uint64_t counter);

/* More root keys than anybody makes, and few enough for the next one to be counted, too. */
enum { VAULT_GENERATION_MAX = 1 << 30 };

/* The highest generation of a root key that the vault was open with; a lower one changes nothing,
 * one above VAULT_GENERATION_MAX is ERR_INVALID.
 */
nodiscard enum err vault_floor_get(struct db *db, uint64_t *ret_generation);
nodiscard enum err vault_floor_raise(struct db *db, uint64_t generation);

/* Harmless when it is there already, or is not there. */
nodiscard enum err record_disposed_add(struct db *db, uint64_t record, int64_t seq);
/* The disposal that this entry let happen did not. */
nodiscard enum err record_disposed_drop(struct db *db, int64_t seq);
/* All, in order; then record_disposed_next until *ret_more is false. */
void record_disposed_list(struct query *query, struct db *db);
nodiscard enum err record_disposed_next(struct query *query, uint64_t *ret_record, bool *ret_more);

/* That an entry of the audit log is about the record: audit_row_record lists them. */
nodiscard enum err record_entry_add(struct db *db, uint64_t record, int64_t seq);

#endif
