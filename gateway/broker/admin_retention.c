/*
 * admin_retention.c - sekisho retention …, and what stands for a recording's life: hold, release
 * and the certificate of its disposal.
 */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "broker/admin.h"
#include "broker/session.h"
#include "store/retention.h"
#include "wire/enums.h"

enum { NAME_CHARACTERS = 64, REASON_CHARACTERS = 256, DAYS_MAX = 36500 };

/* ---- classes ---------------------------------------------------------------------------- */

enum err admin_retention_list(struct admin_call *call)
{
	_cleanup_query_ struct query query = { 0 };
	struct retention_row row;
	bool more;
	enum err err = admin_columns(call, "name,days,hosts,recordings,held");

	if (err)
		return err;
	retention_list(&query, call->broker->db);
	while (!(err = retention_next(&query, &row, &more)) && more) {
		err = admin_row(call, json_pack("[s, I, I, I, I]", row.name, (json_int_t)row.days,
						(json_int_t)row.hosts, (json_int_t)row.recordings,
						(json_int_t)row.held));
		if (err)
			break;
	}
	return err;
}

enum err admin_retention_set(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	const char *name = admin_text(call, "class");
	int64_t days = admin_number(call, "days", 0);
	enum err err;

	if (!admin_name_valid(name, NAME_CHARACTERS, RETENTION_NAME_MAX))
		return admin_wrong(call, ERR_INVALID, "class",
				   "1 to 64 characters, no control characters");
	if (days < 1 || days > DAYS_MAX)
		return admin_wrong(call, ERR_INVALID, "days", "1 to 36500");
	err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = retention_set(call->broker->db, name, days);
	return err ? err
		   : admin_commit(call, &tx, "retention-set",
				  json_pack("{s:s, s:I}", "class", name, "days", (json_int_t)days));
}

/* ---- hold ------------------------------------------------------------------------------- */

static enum err set_hold(struct admin_call *call, bool hold, const char *event)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	const char *reason = admin_text(call, "reason");
	int64_t id = admin_number(call, "id", 0);
	enum err err;

	if (!admin_name_valid(reason, REASON_CHARACTERS, 4 * REASON_CHARACTERS))
		return admin_wrong(call, ERR_INVALID, "reason",
				   "1 to 256 characters, no control characters");
	err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = retention_hold(call->broker->db, id, hold, hold ? reason : "");
	if (err == ERR_NOT_FOUND)
		return admin_wrong(call, err, "id",
				   "there is no recording of this number, or it was disposed "
				   "of, or is so already");
	return err ? err
		   : admin_commit(call, &tx, event,
				  json_pack("{s:I, s:s}", "recording", (json_int_t)id, "reason",
					    reason));
}

enum err admin_recording_hold(struct admin_call *call)
{
	return set_hold(call, true, "recording-hold");
}

enum err admin_recording_release(struct admin_call *call)
{
	return set_hold(call, false, "recording-release");
}

/* ---- certificate ------------------------------------------------------------------------ */

static void time_text(int64_t time_ms, char ret[32])
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(ret, 32, "%Y-%m-%d %H:%M:%S %z", &tm))
		ret[0] = '\0';
}

/* The newest checkpoint that covers the entry; "" when there is none yet. */
static enum err covering_note(struct db *db, int64_t seq, struct audit_note *ret)
{
	enum err err = audit_note_last(db, ret);

	if (err == ERR_NOT_FOUND || (!err && ret->size < seq)) {
		ret->note[0] = '\0';
		return OK;
	}
	return err;
}

static enum err write_certificate(struct admin_call *call, const struct recording_row *row,
				  const struct session_row *session, char **ret)
{
	struct audit_note note = { 0 };
	char id[SESSION_ID_TEXT + 1], hash[2 * RECORDING_HASH + 1], started[32], ended[32],
		disposed[32];
	enum err err = covering_note(call->broker->db, row->disposed_seq, &note);

	if (err)
		return err;
	util_hex(row->session, sizeof(row->session), id);
	util_hex(row->hash, sizeof(row->hash), hash);
	time_text(row->started_ms, started);
	time_text(row->ended_ms, ended);
	time_text(row->disposed_ms, disposed);
	if (asprintf(ret,
		     "録画の廃棄証明書 / Certificate of disposal of a recording\n\n"
		     "事務所 / Office: %s\n"
		     "録画番号 / Recording: %lld\n"
		     "セッション / Session: %s\n"
		     "利用者 / Person: %s\n"
		     "PC: %s\n"
		     "開始 / Started: %s\n"
		     "終了 / Ended: %s\n"
		     "大きさ / Size: %lld bytes, %lld chunks\n"
		     "連鎖ハッシュ / Running hash (SHA-256): %s\n"
		     "保存区分 / Class: %s, %lld 日 / days\n"
		     "廃棄日時 / Disposed: %s\n"
		     "監査ログの項目 / Entry of the audit log: %lld\n\n"
		     "保存期間が過ぎたため、録画のファイルを削除しました。録画の記録と監査ログの項"
		     "目は残り、"
		     "sekisho audit verify で確かめられます。\n"
		     "The recording's file was removed because its time was over. Its entries stay "
		     "in the "
		     "audit log, which sekisho audit verify checks.\n\n%s%s",
		     call->broker->settings.gateway_office, (long long)row->id, id,
		     session->account_name, session->host_name, started, ended,
		     (long long)row->size, (long long)row->chunks, hash, row->retention,
		     (long long)row->keep_days, disposed, (long long)row->disposed_seq,
		     note.note[0] ? "監査ログの署名 / Signed checkpoint of the audit log:\n\n" : "",
		     note.note) < 0)
		return ERR_NOMEM;
	return OK;
}

enum err admin_recording_certificate(struct admin_call *call)
{
	_cleanup_free_ char *text = NULL;
	struct session_row session;
	struct recording_row row;
	enum err err = recording_row_by_id(call->broker->db, admin_number(call, "id", 0), &row);

	if (err == ERR_NOT_FOUND || (!err && row.state != RECORDING_DISPOSED))
		return admin_wrong(call, ERR_NOT_FOUND, "id",
				   "there is no recording of this number that was disposed of");
	if (!err)
		err = session_row_get(call->broker->db, row.session, &session);
	if (!err)
		err = write_certificate(call, &row, &session, &text);
	if (err)
		return err;
	call->result = json_pack("{s:s}", "certificate", text);
	return call->result ? OK : ERR_NOMEM;
}
