#include "cli/audit.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/stamp.h"
#include "base/util.h"
#include "cli/audit_open.h"
#include "cli/audit_verdict.h"
#include "cli/exit.h"
#include "cli/lang.h"
#include "cli/output.h"
#include "cli/show.h"

/* clang-format off */
#define ARG_FILE                                                                                   \
	{ "file", COMMAND_FILE_IN, false,                                                          \
	  "a copy of the broker's sekisho.db, or an exported folder (default: the gateway's own)", \
	  "broker の sekisho.db の写し、または書き出したフォルダー（既定はこのゲートウェイのもの）" }
#define ARG_KEY                                                                                    \
	{ "key", COMMAND_FILE_IN, false,                                                           \
	  "file with the verifier key, or with several, the newest last (default on the gateway: the signer's)",                     \
	  "検証鍵のファイル。複数の鍵は古い順に1行ずつ（ゲートウェイ上での既定は署名プロセスの鍵）" }
#define ARG_TSA(text_en, text_ja) { "tsa", COMMAND_FILE_IN, false, text_en, text_ja }

const struct command_arg audit_verify_args[AUDIT_VERIFY_ARGS] = {
	ARG_FILE,
	ARG_KEY,
	{ "checkpoint", COMMAND_FILE_IN, false,
	  "a checkpoint that was kept elsewhere; the log has to agree with it",
	  "別に保管したチェックポイント（これとも照合する）" },
	{ "stamp", COMMAND_FILE_IN, false, "a time stamp of audit stamp; with --tsa",
	  "audit stamp のタイムスタンプ（--tsa とともに）" },
	ARG_TSA("certificates (PEM) of the authority that stamped",
		"タイムスタンプ局の証明書（PEM）"),
};

const struct command_arg audit_export_args[AUDIT_EXPORT_ARGS] = {
	{ "out", COMMAND_FILE_OUT, true, "the folder to make", "保存先フォルダー（新しく作成）" },
	ARG_FILE,
	ARG_KEY,
	{ "all", COMMAND_FLAG, false, "also entries that no checkpoint covers yet",
	  "まだチェックポイントのない記録も書き出す" },
};

const struct command_arg audit_stamp_args[AUDIT_STAMP_ARGS] = {
	{ "url", COMMAND_TEXT, false, "the authority's address, http://…; the stamp goes to --out",
	  "タイムスタンプ局のアドレス（http://…）。結果は --out に保存" },
	{ "out", COMMAND_FILE_OUT, false, "where to write the stamp, or without --url the request",
	  "タイムスタンプの保存先（--url なしでは要求の保存先）" },
	{ "in", COMMAND_FILE_IN, false, "check the stamp in this file; with --tsa",
	  "このファイルのタイムスタンプを確かめる（--tsa とともに）" },
	ARG_TSA("certificates (PEM) of the authority, to check the stamp",
		"タイムスタンプ局の証明書（PEM）。確認に使う"),
	ARG_FILE,
};
/* clang-format on */

static int show(const struct args *args, json_t *body, int code)
{
	if (!body)
		return audit_refuse(args, ERR_NOMEM, NULL, NULL);
	if (args->json) {
		show_json(stdout, body);
	} else {
		show_reply(stdout, body);
		json_decref(body);
	}
	return code;
}

/* ---- stamps ----------------------------------------------------------------------------- */

struct stamp {
	char *data; /* owned */
	size_t len;
	struct audit_note note; /* what it stamps */
	int64_t time_s;
};

/* The note with that digest. */
static enum err find_note(const struct audit_log *log, const uint8_t digest[TREE_HASH],
			  struct audit_note *ret)
{
	struct verify_db reader = { .db = NULL };
	struct verify_source source =
		log->db ? verify_db_source(&reader, log->db) : export_source(log->folder);
	uint8_t hash[TREE_HASH];
	bool more = true;
	enum err err = OK;

	while (!err && more) {
		err = source.note(source.ctx, ret, &more);
		if (err || !more)
			break;
		if (EVP_Digest(ret->note, strlen(ret->note), hash, NULL, EVP_sha256(), NULL) != 1)
			err = ERR_CRYPTO;
		else if (memcmp(hash, digest, TREE_HASH) == 0)
			break;
	}
	verify_db_finish(&reader);
	return err || more ? err : ERR_NOT_FOUND;
}

static int wrong_stamp(const struct args *args, enum err err, const char *field)
{
	const char *why = NULL;

	if (err == ERR_INVALID)
		why = lang("this is no time stamp that was granted",
			   "発行されたタイムスタンプではありません");
	if (err == ERR_CRYPTO)
		why = lang("the stamp is not signed by this authority, or it was changed",
			   "このタイムスタンプ局の署名ではないか、書き換えられています");
	if (err == ERR_NOT_FOUND && util_streq(field, "stamp"))
		why = lang("it stamps no checkpoint of this log",
			   "この監査ログのチェックポイントに対するものではありません");
	return audit_refuse(args, err, field, why);
}

/* Reads and checks the stamp in the file that argument name names. */
static int stamp_read(const struct args *args, const struct audit_log *log, const char *name,
		      struct stamp *stamp)
{
	const char *tsa = audit_value(args, "tsa");
	uint8_t digest[TREE_HASH];
	enum err err;

	if (!tsa)
		return audit_refuse(
			args, ERR_INVALID, "tsa",
			lang("without the authority's certificates a stamp proves nothing",
			     "タイムスタンプ局の証明書がなければ確かめられません"));
	err = util_read_file(audit_value(args, name), STAMP_RESPONSE_MAX, &stamp->data,
			     &stamp->len);
	if (err)
		return audit_refuse(args, err, name, NULL);
	err = stamp_imprint(stamp->data, stamp->len, digest);
	if (!err)
		err = find_note(log, digest, &stamp->note);
	if (err)
		return wrong_stamp(args, err, "stamp");
	err = stamp_check(stamp->data, stamp->len, stamp->note.note, strlen(stamp->note.note), tsa,
			  &stamp->time_s);
	return err ? wrong_stamp(args, err, err == ERR_NOT_FOUND ? "tsa" : "stamp") : EXIT_DONE;
}

static int show_stamp(const struct args *args, const struct stamp *stamp, const char *path)
{
	return show(args,
		    json_pack("{s:I, s:I, s:s*}", "entries", (json_int_t)stamp->note.size,
			      "stamped", (json_int_t)stamp->time_s, "file", path),
		    EXIT_DONE);
}

static int no_checkpoint(const struct args *args)
{
	return audit_refuse(
		args, ERR_NOT_FOUND, "checkpoint",
		lang("the log has no checkpoint yet: see whether the signer runs and is unlocked "
		     "(sekisho status)",
		     "まだチェックポイントがありません。署名プロセスの状態を確かめてください"
		     "（sekisho status）"));
}

static int newest_note(const struct args *args, const struct audit_log *log, struct audit_note *ret)
{
	enum err err;

	if (!log->db)
		return audit_refuse(args, ERR_INVALID, "file",
				    lang("stamps are asked for with the database",
					 "データベースのファイルを指定してください"));
	err = audit_note_last(log->db, ret);
	if (err == ERR_NOT_FOUND)
		return no_checkpoint(args);
	return err ? audit_refuse(args, err, "file", NULL) : EXIT_DONE;
}

static int write_out(const struct args *args, const struct buf *buf)
{
	const char *out = audit_value(args, "out");
	enum err err = util_write_file(out, buf->data, buf->len, 0644);

	return err ? audit_refuse(args, err, "out", NULL) : EXIT_DONE;
}

/* What was stamped is believed when it answers our question; with --tsa also who says so. */
static int fetch(const struct args *args, const struct audit_note *note, const struct buf *request)
{
	const char *tsa = audit_value(args, "tsa");
	struct stamp stamp = { .note = *note };
	_cleanup_buf_ struct buf response;
	enum err err;
	int code;

	buf_init(&response, STAMP_RESPONSE_MAX);
	err = stamp_fetch(audit_value(args, "url"), request, &response);
	if (err == ERR_INVALID)
		return audit_refuse(args, err, "url",
				    lang("an address that begins with http://",
					 "http:// で始まるアドレスを指定してください"));
	if (!err)
		err = stamp_answers(response.data, response.len, request);
	if (!err && tsa)
		err = stamp_check(response.data, response.len, note->note, strlen(note->note), tsa,
				  &stamp.time_s);
	if (err == ERR_UNAVAILABLE)
		return audit_refuse(args, err, "url",
				    lang("the authority does not answer as one (RFC 3161)",
					 "タイムスタンプ局から正しい応答がありません"));
	if (err)
		return wrong_stamp(args, err, err == ERR_NOT_FOUND ? "tsa" : "url");
	code = write_out(args, &response);
	return code ? code : show_stamp(args, &stamp, audit_value(args, "out"));
}

static int ask_stamp(const struct args *args, const struct audit_log *log)
{
	struct audit_note note;
	_cleanup_buf_ struct buf request;
	int code = newest_note(args, log, &note);
	enum err err;

	buf_init(&request, STAMP_REQUEST_MAX);
	if (code)
		return code;
	err = stamp_request(note.note, strlen(note.note), &request);
	if (err)
		return audit_refuse(args, err, NULL, NULL);
	if (audit_value(args, "url"))
		return fetch(args, &note, &request);
	code = write_out(args, &request);
	return code ? code
		    : show(args,
			   json_pack("{s:I, s:s}", "entries", (json_int_t)note.size, "file",
				     audit_value(args, "out")),
			   EXIT_DONE);
}

int audit_stamp(const struct args *args)
{
	const char *in = audit_value(args, "in");
	struct stamp stamp = { .data = NULL };
	struct audit_log log;
	int code;

	if (!in == !audit_value(args, "out") || (in && audit_value(args, "url"))) {
		audit_refuse(args, ERR_INVALID, "out",
			     lang("either --out, or --in",
				  "--out か --in のどちらかを指定してください"));
		return EXIT_USAGE;
	}
	/* Before the authority is asked. */
	enum err err = in ? OK : output_check(audit_value(args, "out"));
	if (err)
		return audit_refuse(args, err, "out", NULL);
	code = audit_log_open(args, &log);
	if (!code && in)
		code = stamp_read(args, &log, "in", &stamp);
	if (!code)
		code = in ? show_stamp(args, &stamp, in) : ask_stamp(args, &log);
	free(stamp.data);
	audit_log_close(&log);
	return code;
}

/* ---- verify ----------------------------------------------------------------------------- */

static int judge(const struct args *args, const struct audit_log *log, const struct stamp *stamp)
{
	static const int codes[] = {
		[VERIFY_GREEN] = EXIT_DONE, [VERIFY_AMBER] = EXIT_AMBER, [VERIFY_RED] = EXIT_RED
	};
	const struct note_key *key = log->key_count ? &log->keys[log->key_count - 1] : NULL;
	struct verify_db reader = { .db = NULL };
	struct verify_source source =
		log->db ? verify_db_source(&reader, log->db) : export_source(log->folder);
	const struct verify_wish wish = { log->keys, log->key_count, log->anchors,
					  log->anchor_count };
	struct log_verdict verdict;
	enum err err = verify_log(&source, &wish, &verdict);

	verify_db_finish(&reader);
	if (err)
		return audit_refuse(args, err, NULL, NULL);
	json_t *body = audit_verdict_json(&verdict, key);
	if (stamp->data)
		json_object_set_new(body, "stamped", json_integer(stamp->time_s));
	if (args->json)
		return show(args, body, codes[verify_color(verdict.finding)]);
	json_decref(body);
	audit_verdict_print(stdout, &verdict, key);
	if (stamp->data)
		show_stamp(args, stamp, NULL);
	return codes[verify_color(verdict.finding)];
}

int audit_verify(const struct args *args)
{
	struct stamp stamp = { .data = NULL };
	struct audit_log log;
	int code = audit_log_open(args, &log);

	if (!code && audit_value(args, "stamp")) {
		code = stamp_read(args, &log, "stamp", &stamp);
		/* The source of the notes is read from its start again. */
		audit_log_close(&log);
		if (!code)
			code = audit_log_open(args, &log);
		else
			log = (struct audit_log){ .db = NULL };
	}
	if (!code)
		code = judge(args, &log, &stamp);
	free(stamp.data);
	audit_log_close(&log);
	return code;
}

/* ---- export ----------------------------------------------------------------------------- */

static enum err export_size(const struct args *args, struct db *db, uint64_t *ret_size)
{
	struct audit_note note;
	int64_t last;
	enum err err;

	if (args_find(args, "all")) {
		err = audit_row_last(db, &last);
		*ret_size = (uint64_t)last;
		return err;
	}
	err = audit_note_last(db, &note);
	if (!err)
		*ret_size = (uint64_t)note.size;
	return err;
}

static int export_to(const struct args *args, const struct audit_log *log)
{
	const char *out = audit_value(args, "out");
	char key[NOTE_KEY_TEXT + 1] = "";
	uint64_t size = 0;
	enum err err = log->db ? output_check(out) : ERR_INVALID;

	if (err)
		return audit_refuse(args, err, log->db ? "out" : "file", NULL);
	err = export_size(args, log->db, &size);
	if (err == ERR_NOT_FOUND)
		return no_checkpoint(args);
	if (!err && log->key_count)
		err = note_key_format(&log->keys[log->key_count - 1], key);
	if (!err)
		err = export_write(log->db, size, key[0] ? key : NULL, out);
	if (err)
		return audit_refuse(
			args, err, err == ERR_INVALID ? "file" : "out",
			err == ERR_INVALID
				? lang("entries are missing: sekisho audit verify says which",
				       "記録が欠けています。sekisho audit verify "
				       "で確かめてください")
				: NULL);
	return show(args, json_pack("{s:I, s:s}", "entries", (json_int_t)size, "file", out),
		    EXIT_DONE);
}

int audit_export(const struct args *args)
{
	struct audit_log log;
	int code = audit_log_open(args, &log);

	if (!code)
		code = export_to(args, &log);
	audit_log_close(&log);
	return code;
}
