#include "cli/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "cli/exit.h"
#include "cli/lang.h"
#include "cli/output.h"
#include "cli/recording_key.h"
#include "cli/recording_marks.h"
#include "cli/recording_out.h"
#include "cli/show.h"
#include "record/verify.h"

enum {
	SESSION_HEX = 2 * CHUNK_SESSION,
	SCAN_PIECE = 16 * 1024 * 1024,
	PROGRESS_EVERY_MS = 200,
};

/* clang-format off */
#define ARG_FILE                                                                                   \
	{ "file", COMMAND_FILE_IN, true, "the recording (.skr)", "録画ファイル（.skr）" }
#define ARG_MARKS                                                                                  \
	{ "marks", COMMAND_FILE_IN, false,                                                         \
	  "the audit log's marks: entries.jsonl of sekisho audit export",                          \
	  "監査ログの記録（sekisho audit export の entries.jsonl）" }
#define ARG_SESSION                                                                                \
	{ "session", COMMAND_TEXT, false,                                                          \
	  "the session's id, 32 hexadecimal digits (default: the file's name)",                    \
	  "セッション ID、16 進数 32 桁（既定はファイル名）" }
#define ARG_KEY(required)                                                                          \
	{ "key", COMMAND_FILE_IN, required,                                                        \
	  "the auditor's private key, PEM or PKCS#12; a passphrase is asked for",                  \
	  "監査人の秘密鍵（PEM または PKCS#12）。パスフレーズは入力を求められます" }
#define ARG_CERT                                                                                   \
	{ "cert", COMMAND_FILE_IN, false, "the auditor's certificate, PEM or DER",                 \
	  "監査人の証明書（PEM または DER）" }
/* clang-format on */

const struct command_arg recording_verify_args[RECORDING_VERIFY_ARGS] = {
	ARG_FILE, ARG_MARKS, ARG_SESSION, ARG_KEY(false), ARG_CERT,
};

const struct command_arg recording_decrypt_args[RECORDING_DECRYPT_ARGS] = {
	ARG_FILE,
	ARG_KEY(true),
	ARG_CERT,
	{ "out", COMMAND_FILE_OUT, true, "the folder to make for what is inside",
	  "中身の保存先フォルダー（新しく作成）" },
	ARG_MARKS,
	ARG_SESSION,
};

struct work {
	const struct args *args;
	int fd;
	struct recording_marks marks;
	struct recording_key key;
	struct scan scan;
	struct buf der, plain;
	struct recording_out out;
	bool writing;
	struct verify_result result;
	struct verify_inside inside;
	uint64_t shown_ms; /* the progress was */
};

static const char *value_of(const struct args *args, const char *name)
{
	const struct args_value *value = args_find(args, name);

	return value ? value->text : NULL;
}

/* message: NULL for the error's own text. */
static int refuse(const struct args *args, int code, enum err err, const char *field,
		  const char *message)
{
	output_refuse(args, err, field, message);
	return code;
}

/* ---- progress -------------------------------------------------------------------------------- */

static void show_progress(struct work *work, const char *what, uint64_t done, uint64_t all)
{
	const uint64_t now_ms = clock_mono_ms();

	if (work->args->json || !isatty(STDERR_FILENO) || !all ||
	    now_ms - work->shown_ms < PROGRESS_EVERY_MS)
		return;
	work->shown_ms = now_ms;
	fprintf(stderr, "\r%s %3u %%", what, (unsigned)(done * 100 / all));
	fflush(stderr);
}

/* The line is free again for what is said next. */
static void end_progress(struct work *work)
{
	if (work->shown_ms)
		fputs("\r\033[K", stderr);
	work->shown_ms = 0;
}

/* ---- what is given ---------------------------------------------------------------------- */

static bool is_session(const char *text, size_t len)
{
	return len == SESSION_HEX && strspn(text, "0123456789abcdef") >= SESSION_HEX;
}

/* As --session says, or the file's name; false when there is neither. */
static bool session_of(const struct args *args, char ret[SESSION_HEX + 1])
{
	const char *path = value_of(args, "file"), *given = value_of(args, "session");
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *from = given ? given : name;

	if (!is_session(from, given ? strlen(given) : strcspn(name, ".")))
		return false;
	memcpy(ret, from, SESSION_HEX);
	ret[SESSION_HEX] = 0;
	return true;
}

static int wrong_marks(const struct work *work, enum err err)
{
	char text[256];

	if (err == ERR_NOT_FOUND && work->marks.line)
		return refuse(work->args, EXIT_REFUSED, err, "marks",
			      lang("no mark of this recording is in the file",
				   "この録画の記録がファイルにありません"));
	if (err != ERR_INVALID)
		return refuse(work->args, EXIT_REFUSED, err, "marks", NULL);
	snprintf(
		text, sizeof(text),
		lang_is_ja()
			? "%zu 行目: 監査ログの録画の記録として読めないか、別のセッションのものです"
			  "（--session で指定できます）"
			: "line %zu: no whole mark of a recording, or one of another session "
			  "(--session says which)",
		work->marks.line);
	return refuse(work->args, EXIT_REFUSED, err, "marks", text);
}

static int load_marks(struct work *work)
{
	const char *path = value_of(work->args, "marks");
	char session[SESSION_HEX + 1];
	const bool known = session_of(work->args, session);

	if (!known && args_find(work->args, "session"))
		return refuse(work->args, EXIT_USAGE, ERR_INVALID, "session",
			      lang("32 hexadecimal digits in lower case",
				   "小文字の 16 進数 32 桁で指定してください"));
	if (path) {
		enum err err = recording_marks_read(path, known ? session : NULL, &work->marks);
		if (err)
			return wrong_marks(work, err);
	}
	if (known)
		work->marks.session_known =
			util_unhex(session, work->marks.session, CHUNK_SESSION) == OK;
	return EXIT_DONE;
}

static int load_key(struct work *work)
{
	const char *key = value_of(work->args, "key"), *cert = value_of(work->args, "cert");
	const char *field = NULL, *wrong = NULL;

	if (!key && cert)
		return refuse(work->args, EXIT_USAGE, ERR_INVALID, "cert",
			      lang("it needs --key too", "--key も指定してください"));
	if (!key)
		return EXIT_DONE;
	enum err err = recording_key_load(key, cert, &work->key, &field, &wrong);
	return err ? refuse(work->args, EXIT_REFUSED, err, field, wrong) : EXIT_DONE;
}

static int open_file(struct work *work)
{
	work->fd = open(value_of(work->args, "file"), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum err err = work->fd < 0 ? err_from_errno(errno)
				    : scan_init(&work->scan, work->fd, SCAN_HASHES);

	return err ? refuse(work->args, EXIT_REFUSED, err, "file", NULL) : EXIT_DONE;
}

static int begin_out(struct work *work)
{
	const char *path = value_of(work->args, "out");
	enum err err = path ? recording_out_begin(&work->out, path) : OK;

	work->writing = path && !err;
	return err ? refuse(work->args, EXIT_REFUSED, err, "out", NULL) : EXIT_DONE;
}

/* ---- the work --------------------------------------------------------------------------- */

static enum err scan_whole(struct work *work)
{
	bool done = false;
	enum err err = OK;

	while (!err && !done) {
		err = scan_step(&work->scan, SCAN_PIECE, &done);
		show_progress(work, lang("reading", "読み取り中"),
			      MAX(work->scan.size, work->scan.searched), work->scan.file_size);
	}
	return err;
}

static enum err open_chunk(struct work *work, size_t number)
{
	enum err err = scan_read(&work->scan, number, &work->der), opened;

	if (err)
		return err;
	buf_wipe(&work->plain);
	opened = seal_open(work->key.key, work->key.certificate, work->der.data, work->der.len,
			   &work->plain);
	if (opened == ERR_NOMEM)
		return opened;
	verify_inside_add(&work->inside, opened, work->plain.data, work->plain.len);
	if (opened || !work->writing)
		return OK;
	/* One that breaks the format is a fault by now, and left out. */
	err = recording_out_add(&work->out, work->plain.data, work->plain.len);
	return err == ERR_PROTOCOL ? OK : err;
}

static enum err open_all(struct work *work, bool *ret_wrong_key)
{
	enum err err = OK;

	verify_inside_init(&work->inside, &work->scan,
			   work->marks.session_known ? work->marks.session : NULL, &work->result);
	for (size_t i = 0; !err && i < work->scan.count; i++) {
		err = open_chunk(work, i);
		show_progress(work, lang("opening", "復号中"), i + 1, work->scan.count);
	}
	if (err)
		return err;
	*ret_wrong_key = verify_inside_end(&work->inside) == ERR_DENIED;
	return work->writing ? recording_out_end(&work->out) : OK;
}

/* ---- the report ------------------------------------------------------------------------- */

const char *recording_verdict_code(enum verify_verdict verdict)
{
	static const char *const codes[] = { [VERIFY_INTACT] = "intact",
					     [VERIFY_CUT] = "cut",
					     [VERIFY_TAMPERED] = "tampered",
					     [VERIFY_UNPROVEN] = "unproven" };

	return codes[verdict];
}

static const char *finding_text(const struct verify_result *result)
{
	if (result->verdict == VERIFY_INTACT)
		return lang("it is what was recorded, from its beginning to its end",
			    "最初から最後まで、録画されたときのままです");
	if (result->verdict == VERIFY_UNPROVEN)
		return lang("nothing wrong was found, but only the audit log's marks prove it "
			    "(--marks)",
			    "問題は見つかりませんでしたが、監査ログの記録（--"
			    "marks）がなければ証明にはな"
			    "りません");
	return lang(verify_fault_text_en(result->fault), verify_fault_text_ja(result->fault));
}

static void add_bad(json_t *body, const struct verify_result *result)
{
	if (result->verdict != VERIFY_TAMPERED)
		return;
	json_object_set_new(body, "first_bad", json_integer((json_int_t)result->first_bad));
	json_object_set_new(body, "last_bad", json_integer((json_int_t)result->last_bad));
}

static json_t *places(const struct scan *scan)
{
	char hex[2 * CHUNK_HASH + 1];
	json_t *rows = json_array();

	for (size_t i = 0; i < scan->count; i++) {
		const struct scan_chunk *chunk = &scan->chunks[i];
		util_hex(chunk->hash, CHUNK_HASH, hex);
		json_array_append_new(rows, json_pack("{s:I, s:I, s:s}", "offset",
						      (json_int_t)chunk->offset, "size",
						      (json_int_t)chunk->len, "sha256", hex));
	}
	return rows;
}

static json_t *report(const struct work *work)
{
	const struct verify_result *result = &work->result;
	char hash[2 * CHUNK_HASH + 1], session[SESSION_HEX + 1] = "";
	json_t *body;

	util_hex(work->scan.running, CHUNK_HASH, hash);
	if (work->inside.session_known)
		util_hex(work->inside.session, CHUNK_SESSION, session);
	else if (work->marks.session_known)
		util_hex(work->marks.session, CHUNK_SESSION, session);
	body = json_pack("{s:s, s:s, s:s*, s:I, s:I, s:I, s:s}", "verdict",
			 recording_verdict_code(result->verdict), "finding",
			 work->args->json ? verify_fault_code(result->fault) : finding_text(result),
			 "session", *session ? session : NULL, "size",
			 (json_int_t)work->scan.file_size, "chunks", (json_int_t)result->chunks,
			 "proven", (json_int_t)result->proven, "hash", hash);
	add_bad(body, result);
	if (work->key.key)
		json_object_set_new(body, "opened", json_integer((json_int_t)result->opened));
	if (work->scan.end != SCAN_WHOLE)
		json_object_set_new(body, "whole", json_integer((json_int_t)work->scan.size));
	if (work->scan.resume)
		json_object_set_new(body, "resume", json_integer((json_int_t)work->scan.resume));
	if (work->writing)
		json_object_set_new(body, "records", json_integer((json_int_t)work->out.count));
	if (work->args->json)
		json_object_set_new(body, "places", places(&work->scan));
	return body;
}

/* Who only wants to read gives no marks, and has what opens. */
static int exit_code(const struct work *work)
{
	switch (work->result.verdict) {
	case VERIFY_INTACT:
		return EXIT_DONE;
	case VERIFY_UNPROVEN:
		return work->writing ? EXIT_DONE : EXIT_AMBER;
	case VERIFY_CUT:
		return EXIT_AMBER;
	case VERIFY_TAMPERED:
	default:
		return EXIT_RED;
	}
}

static int show_report(const struct work *work)
{
	json_t *body = report(work);

	if (work->args->json) {
		show_json(stdout, body);
	} else {
		show_reply(stdout, body);
		json_decref(body);
	}
	return exit_code(work);
}

/* ---- the whole -------------------------------------------------------------------------- */

static int work_through(struct work *work)
{
	bool wrong_key = false;
	enum err err = scan_whole(work);

	if (!err)
		err = verify_marks(&work->scan, work->marks.marks, work->marks.count,
				   &work->result);
	if (!err && work->key.key)
		err = open_all(work, &wrong_key);
	end_progress(work);
	if (err)
		return refuse(work->args, EXIT_REFUSED, err, err == ERR_FULL ? "out" : "file",
			      NULL);
	if (wrong_key)
		return refuse(work->args, EXIT_REFUSED, ERR_DENIED, "key",
			      lang("the recording is not sealed to this key",
				   "この録画はこの鍵に宛てて封緘されていません"));
	return show_report(work);
}

static void finish(struct work *work)
{
	buf_wipe(&work->plain);
	buf_finish(&work->plain);
	buf_finish(&work->der);
	recording_out_finish(&work->out);
	recording_key_finish(&work->key);
	recording_marks_finish(&work->marks);
	scan_finish(&work->scan);
	util_closep(&work->fd);
}

/* What is given is read before anything is made or asked. */
static int run(const struct args *args)
{
	struct work work = { .args = args, .fd = -1 };
	int code;

	buf_init(&work.der, SEAL_DER_MAX);
	buf_init(&work.plain, SEAL_DER_MAX);
	code = open_file(&work);
	if (!code)
		code = load_marks(&work);
	if (!code)
		code = load_key(&work);
	if (!code)
		code = begin_out(&work);
	if (!code)
		code = work_through(&work);
	finish(&work);
	return code;
}

int recording_verify(const struct args *args)
{
	return run(args);
}

int recording_decrypt(const struct args *args)
{
	return run(args);
}
