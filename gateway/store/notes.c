#include "store/notes.h"

#include <string.h>

static enum err note_room(struct db *db, const struct note_row *note)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT count(*), coalesce(sum(length(CAST(text AS BLOB))), 0) FROM note"
		   " WHERE session = ?");
	query_blob(&query, note->session, sizeof(note->session));
	enum err err = query_one(&query);
	if (err)
		return err;
	return query_col_i64(&query, 0) < NOTES_MAX &&
			       query_col_i64(&query, 1) + (int64_t)strlen(note->text) <= NOTES_BYTES
		       ? OK
		       : ERR_FULL;
}

enum err note_add(struct db *db, const struct note_row *note, int64_t *ret_id)
{
	_cleanup_query_ struct query query = { 0 };
	enum err err = note_room(db, note);

	if (err)
		return err;
	query_init(&query, db,
		   "INSERT INTO note (session, account, at_us, text, created_ms)"
		   " VALUES (?, ?, ?, ?, ?)");
	query_blob(&query, note->session, sizeof(note->session));
	query_i64(&query, note->account);
	query_i64(&query, note->at_us);
	query_str(&query, note->text);
	query_i64(&query, note->created_ms);
	err = query_run_one(&query);
	if (err)
		return err;
	*ret_id = db_last_id(db);
	return OK;
}

enum err note_withdraw(struct db *db, const struct note_row *note, int64_t now_ms)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE note SET withdrawn_ms = ? WHERE id = ? AND session = ? AND account = ?"
		   " AND withdrawn_ms = 0");
	query_i64(&query, now_ms);
	query_i64(&query, note->id);
	query_blob(&query, note->session, sizeof(note->session));
	query_i64(&query, note->account);
	return query_run_one(&query);
}

void note_list(struct query *query, struct db *db, const uint8_t session[SESSION_ROW_ID])
{
	query_init(
		query, db,
		"SELECT note.id, account, at_us, note.created_ms, withdrawn_ms, text,"
		" CASE full_name WHEN '' THEN name ELSE full_name END FROM note"
		" JOIN account ON account.id = account WHERE session = ? ORDER BY at_us, note.id");
	query_blob(query, session, SESSION_ROW_ID);
}

enum err note_next(struct query *query, struct note_row *ret, bool *ret_more)
{
	struct note_row note = { 0 };
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	note.id = query_col_i64(query, 0);
	note.account = query_col_i64(query, 1);
	note.at_us = query_col_i64(query, 2);
	note.created_ms = query_col_i64(query, 3);
	note.withdrawn_ms = query_col_i64(query, 4);
	query_col_str(query, 5, note.text, sizeof(note.text));
	query_col_str(query, 6, note.full_name, sizeof(note.full_name));
	if (query_err(query))
		return query_err(query);
	*ret = note;
	return OK;
}

enum err note_dispose(struct db *db, int64_t recording)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE note SET text = '' WHERE text <> '' AND session ="
		   " (SELECT session FROM recording WHERE id = ?)");
	query_i64(&query, recording);
	return query_run(&query, NULL);
}
