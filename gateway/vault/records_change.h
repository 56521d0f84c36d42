/*
 * records_change.h - what records say: entering, changing and reading it. Nobody else writes rows
 * of records' versions and numbers. All changes are within a transaction of records.h; the index
 * follows with its commit.
 *
 * What cannot be opened, or stands in another's place, is ERR_INVALID and named in the log and to
 * those whom it concerns.
 */
#ifndef SEKISHO_VAULT_RECORDS_CHANGE_H
#define SEKISHO_VAULT_RECORDS_CHANGE_H

#include "vault/content.h"
#include "vault/numbers.h"

/* Who does it, and when. */
struct change_by {
	uint64_t account;
	int64_t now_s;
};

/*
 * A new record of row's kind, state, client, parent, class and purposes; a client is its own
 * client. content and number may be NULL: there is none yet. Sets the rest of the row. ERR_INVALID:
 * the number is not right for that kind. ERR_NOT_FOUND: no such client, parent or class.
 */
nodiscard enum err record_create(struct records *records, struct record_row *row,
				 const struct content *content, const char *number,
				 const struct change_by *by);

/* That, with a number of its own (vault/staging.h). */
nodiscard enum err record_create_as(struct records *records, uint64_t id, struct record_row *row,
				    const struct content *content, const char *number,
				    const struct change_by *by);

/* The next version of what it says; row follows. */
nodiscard enum err record_put_version(struct records *records, struct record_row *row,
				      const struct content *content, const struct change_by *by);

/* Enters a number beside those that are there, and does not make it count. ERR_INVALID: it is not
 * right for that kind of record. */
nodiscard enum err record_put_number(struct records *records, const struct record_row *row,
				     const char *number, const struct change_by *by,
				     int64_t *ret_version);
/* Makes that version the number that counts; row follows. ERR_NOT_FOUND. */
nodiscard enum err record_use_number(struct records *records, struct record_row *row,
				     int64_t version);
/* Destroys a number that does not count. ERR_NOT_FOUND; ERR_WRONG_STATE: it counts. */
nodiscard enum err record_drop_number(struct records *records, const struct record_row *row,
				      int64_t version);

/* One version, 0: the newest. ERR_NOT_FOUND: there is none. content_finish. */
nodiscard enum err record_get_content(struct records *records, const struct record_row *row,
				      int64_t version, struct content *ret);
/* The digits of the number that counts. ERR_NOT_FOUND: there is none. The caller wipes them. */
nodiscard enum err record_get_number(struct records *records, const struct record_row *row,
				     char ret[NUMBERS_ROOM]);

/* All that is sealed of a record under a new group key, which row has afterwards. */
nodiscard enum err record_rewrap(struct records *records, struct record_row *row, uint64_t key);

#endif
