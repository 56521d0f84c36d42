/*
 * notes.h - what auditors note at times of recordings: only ever added and marked as taken back.
 * Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_NOTES_H
#define SEKISHO_STORE_NOTES_H

#include "store/accounts.h"
#include "store/sessions.h"

enum {
	NOTE_CHARACTERS = 400,
	NOTE_TEXT_MAX = NOTE_CHARACTERS * 4, /* bytes */
	NOTES_MAX = 200,                     /* of a recording */
	NOTES_BYTES = 32 * 1024,             /* of all their texts */
};

struct note_row {
	int64_t id, account;
	uint8_t session[SESSION_ROW_ID];
	int64_t at_us;                    /* since the recording began */
	int64_t created_ms, withdrawn_ms; /* withdrawn_ms 0: it stands */
	char text[NOTE_TEXT_MAX + 1];
	char full_name[ACCOUNT_FULL_NAME_MAX * 4 + 1]; /* the author's; or the account's name */
};

/* session, account, at_us, text and created_ms count. ERR_FULL: the recording has as many, or as
 * much text, as one may have. */
nodiscard enum err note_add(struct db *db, const struct note_row *note, int64_t *ret_id);

/* ERR_NOT_FOUND: there is none of this author in this recording, or it was taken back before. */
nodiscard enum err note_withdraw(struct db *db, const struct note_row *note, int64_t now_ms);

/* Those of a recording, by their time in it; then note_next until *ret_more is false. session must
 * outlive the query. */
void note_list(struct query *query, struct db *db, const uint8_t session[SESSION_ROW_ID]);
nodiscard enum err note_next(struct query *query, struct note_row *ret, bool *ret_more);

/* The texts go: the recording, by its number, was disposed of in this transaction. */
nodiscard enum err note_dispose(struct db *db, int64_t recording);

#endif
