/*
 * siem.h - how far the audit log has come to the collector.
 */
#ifndef SEKISHO_STORE_SIEM_H
#define SEKISHO_STORE_SIEM_H

#include "store/db.h"

/* Number of the last entry that the collector has, and when it had it; both 0: none yet. */
nodiscard enum err siem_cursor_get(struct db *db, int64_t *ret_seq, int64_t *ret_ms);

/* It never goes back: ERR_WRONG_STATE. */
nodiscard enum err siem_cursor_set(struct db *db, int64_t seq, int64_t now_ms);

#endif
