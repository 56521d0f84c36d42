/*
 * disposal.h - destroying what records say: versions, numbers and documents, and the group key that
 * they were under. What else is kept under that is wrapped anew under another one first, so that no
 * copy of the database that somebody has kept can be opened with what the vault still has. All
 * within a transaction of records.h; keys and files go when it is committed.
 */
#ifndef SEKISHO_VAULT_DISPOSAL_H
#define SEKISHO_VAULT_DISPOSAL_H

#include "store/vault/disposal_rows.h"
#include "vault/records.h"

/* How much there was. */
struct disposal_count {
	int64_t versions, numbers, documents;
};

/* Whether it may be disposed of today: its years are over, or it has been in the bin for DUE_BIN
 * days, and it is not on hold. ERR_WRONG_STATE, with ret_field "hold" where it is that. */
nodiscard enum err disposal_may(const struct record_row *row, int64_t now_s,
				const char **ret_field);
/* Are its years not over? Then it is out of the bin. */
bool disposal_early(const struct record_row *row, int64_t now_s);

/* What it says is gone, as of something that was refused; the key stays, as others have it. */
nodiscard enum err disposal_wipe(struct records *records, struct record_row *row,
				 struct disposal_count *ret);

/* Before disposal_destroy, within a job and no transaction: what else is kept under the keys of
 * these goes under others, in as many transactions as it takes. It is as good as before should
 * nothing come after it. seq: of the audit entry. */
nodiscard enum err disposal_make_way(struct records *records, const struct record_row *rows,
				     size_t count, uint64_t seq);

/* That, with the words of their requests and with their group keys, which are in their rows
 * afterwards; they are STATE_DISPOSED then. ret: of each. */
nodiscard enum err disposal_destroy(struct records *records, struct record_row *rows, size_t count,
				    int64_t now_s, struct disposal_count *ret);

/* Records that were disposed of, as the broker knows, and are there again, out of an old copy:
 * disposes of them. Not within a transaction. ret: how many there were. */
nodiscard enum err disposal_again(struct records *records, const uint64_t *ids, size_t count,
				  size_t *ret);

#endif
