/*
 * handle_note.c - notes of auditors at times of a recording, while they have it open. Each is in
 * the audit log with its words, and so is that one was taken back.
 */
#include <string.h>

#include "base/clock.h"
#include "broker/handlers.h"
#include "broker/opening.h"
#include "broker/playback.h"
#include "broker/quota.h"
#include "broker/session.h"
#include "store/notes.h"

enum { NOTES_AUDIT_BYTES = AUDIT_DETAIL_MAX - 100 }; /* as JSON */

/* Nobody hears of notes, nor makes one, in passing. */
static enum err check_open(struct request *request, const uint8_t *session, int64_t *ret_host)
{
	return playback_shows(request, session, ret_host) ? OK : ERR_WRONG_STATE;
}

static json_t *note_json(const struct note_row *note, int64_t account)
{
	return json_pack("{s:I, s:I, s:s, s:s, s:b, s:I, s:o}", "id", (json_int_t)note->id, "at",
			 (json_int_t)note->at_us, "text", note->withdrawn_ms ? "" : note->text,
			 "author", note->full_name, "mine", note->account == account, "created",
			 (json_int_t)note->created_ms, "withdrawn",
			 note->withdrawn_ms ? json_integer((json_int_t)note->withdrawn_ms)
					    : json_null());
}

static enum err list(struct request *request, const uint8_t *session, json_t *notes)
{
	_cleanup_query_ struct query query = { 0 };
	struct note_row note;
	bool more;
	enum err err;

	note_list(&query, request->broker->db, session);
	while (!(err = note_next(&query, &note, &more)) && more)
		if (json_array_append_new(notes, note_json(&note, request->account.id)))
			return ERR_NOMEM;
	return err;
}

enum err handle_note_list(struct request *request)
{
	const uint8_t *session = request->msg->note_list.session;
	json_t *notes = json_array();
	int64_t host;
	enum err err = notes ? check_open(request, session, &host) : ERR_NOMEM;

	if (!err)
		err = list(request, session, notes);
	if (err) {
		json_decref(notes);
		return err == ERR_WRONG_STATE
			       ? opening_refuse(request, "recording-refused", session, err, NULL)
			       : err;
	}
	reply_json(request->broker, &request->to, 200, "", json_pack("{s:o}", "notes", notes));
	return OK;
}

/* 1 to NOTE_CHARACTERS, in one line, not blanks alone; nothing that turns the direction of what is
 * printed around it. */
static bool text_is_good(const char *text)
{
	size_t characters = 0;

	for (const char *at = text; *at; at++)
		characters += ((uint8_t)*at & 0xc0) != 0x80;
	return util_text_plain(text) && characters <= NOTE_CHARACTERS && !util_text_blank(text);
}

/* The entry says all that the row says, or the note is not taken. */
static enum err take_detail(json_t *detail, struct audit_entry *entry)
{
	if (!detail)
		return ERR_NOMEM;
	if (json_dumpb(detail, NULL, 0, JSON_COMPACT) > NOTES_AUDIT_BYTES) {
		json_decref(detail);
		return ERR_TOO_BIG;
	}
	entry->detail = detail;
	return OK;
}

static enum err add(struct request *request, struct note_row *note, int64_t host)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	struct audit_entry entry = request_audit(request, "recording-note", NULL);
	char id[SESSION_ID_TEXT + 1];
	enum err err = db_tx_begin(&tx, db);

	util_hex(note->session, sizeof(note->session), id);
	entry.session = id;
	entry.host = host;
	if (!err)
		err = note_add(db, note, &note->id);
	if (!err)
		err = take_detail(json_pack("{s:I, s:I, s:s}", "note", (json_int_t)note->id,
					    "at_us", (json_int_t)note->at_us, "text", note->text),
				  &entry);
	if (!err)
		err = audit_append(db, &entry);
	return err ? err : db_tx_commit(&tx);
}

/* Not too often, and only while its auditor has the recording open; else *ret_refused is true, and
 * it was answered. */
static enum err check(struct request *request, struct note_row *note, const uint8_t *session,
		      int64_t *ret_host, bool *ret_refused)
{
	enum err err = quota_take(request->broker, &request->to, request->account.id, QUOTA_NOTE);

	*ret_refused = true;
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	note->account = request->account.id;
	memcpy(note->session, session, sizeof(note->session));
	err = check_open(request, note->session, ret_host);
	if (err)
		return opening_refuse(request, "recording-refused", note->session, err, NULL);
	*ret_refused = false;
	return OK;
}

enum err handle_note_add(struct request *request)
{
	const struct msg_note_add *msg = &request->msg->note_add;
	struct note_row note = { .at_us = (int64_t)msg->at, .created_ms = clock_wall_ms() };
	int64_t host;
	bool refused;
	enum err err = check(request, &note, msg->session, &host, &refused);

	if (err || refused)
		return err;
	if (!text_is_good(msg->text)) {
		reply_error_field(request->broker, &request->to, ERR_INVALID, "text");
		return OK;
	}
	snprintf(note.text, sizeof(note.text), "%s", msg->text);
	snprintf(note.full_name, sizeof(note.full_name), "%s",
		 *request->account.full_name ? request->account.full_name : request->account.name);
	err = add(request, &note, host);
	if (!err)
		reply_json(request->broker, &request->to, REPLY_CREATED, "",
			   note_json(&note, request->account.id));
	return err;
}

static enum err withdraw(struct request *request, const struct note_row *note, int64_t host)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	char id[SESSION_ID_TEXT + 1];
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = note_withdraw(db, note, clock_wall_ms());
	if (err)
		return err;
	struct audit_entry entry = request_audit(request, "recording-note-withdrawn",
						 json_pack("{s:I}", "note", (json_int_t)note->id));
	util_hex(note->session, sizeof(note->session), id);
	entry.session = id;
	entry.host = host;
	err = audit_append(db, &entry);
	return err ? err : db_tx_commit(&tx);
}

/* Whose words they are takes them back. */
enum err handle_note_withdraw(struct request *request)
{
	const struct msg_note_withdraw *msg = &request->msg->note_withdraw;
	struct note_row note = { .id = (int64_t)msg->note };
	int64_t host;
	bool refused;
	enum err err = check(request, &note, msg->session, &host, &refused);

	if (err || refused)
		return err;
	err = withdraw(request, &note, host);
	if (!err)
		reply_json(request->broker, &request->to, 200, "", json_object());
	return err;
}
