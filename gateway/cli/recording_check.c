#include "cli/recording_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/util.h"
#include "cli/exit.h"
#include "cli/lang.h"
#include "cli/recording.h"
#include "cli/recording_marks.h"
#include "cli/show.h"

enum { SESSION_HEX = 2 * CHUNK_SESSION, PATH_BYTES = 4096, FIRST_ROOM = 64 };

static const char suffix[] = ".skr";

/* clang-format off */
const struct command_arg recording_check_args[RECORDING_CHECK_ARGS] = {
	{ "folder", COMMAND_FILE_IN, true, "the folder of the recordings, or a copy of it",
	  "録画のフォルダー、またはその写し" },
	{ "marks", COMMAND_FILE_IN, true,
	  "the audit log: entries.jsonl of sekisho audit export --all, made after the copy",
	  "監査ログ（写しの後に作った sekisho audit export --all の entries.jsonl）" },
};
/* clang-format on */

/* What the log says of one recording. */
struct known {
	char session[SESSION_HEX + 1];
	struct recording_marks marks;
	bool disposed, seen; /* seen: its file is there */
};

struct check {
	const struct args *args;
	struct known *known; /* owned */
	size_t count, room;
	json_t *index; /* owned; session: its number in known */
	json_t *rows;  /* owned until they are shown */
	int code;
};

/* ---- the log ---------------------------------------------------------------------------- */

static struct known *find(const struct check *check, const char *session)
{
	const json_t *number = json_object_get(check->index, session);

	return number ? &check->known[json_integer_value(number)] : NULL;
}

static bool is_session(const char *text, size_t len)
{
	return len == SESSION_HEX && strspn(text, "0123456789abcdef") >= SESSION_HEX;
}

static enum err know(struct check *check, const char *session, struct known **ret)
{
	*ret = find(check, session);
	if (*ret)
		return OK;
	if (check->count == check->room) {
		const size_t room = MAX(2 * check->room, (size_t)FIRST_ROOM);
		struct known *more = reallocarray(check->known, room, sizeof(*more));
		if (!more)
			return ERR_NOMEM;
		check->known = more;
		check->room = room;
	}
	if (json_object_set_new(check->index, session, json_integer((json_int_t)check->count)) < 0)
		return ERR_NOMEM;
	struct known *known = &check->known[check->count++];
	*known = (struct known){ .disposed = false };
	memcpy(known->session, session, SESSION_HEX);
	*ret = known;
	return OK;
}

static enum err take_entry(void *ctx, const json_t *entry)
{
	const char *event = json_string_value(json_object_get(entry, "event"));
	const char *session = json_string_value(json_object_get(entry, "session"));
	const bool mark = event && util_streq(event, "recording-mark");
	const bool disposed = event && util_streq(event, "recording-disposed");
	struct known *known;

	if (!event)
		return ERR_INVALID;
	if (!mark && !disposed && !util_streq(event, "recording-start"))
		return OK;
	/* Whose it was is gone, and so is the recording: it is kept for a shorter time. */
	if (json_is_true(json_object_get(entry, "disposed")))
		return OK;
	if (!session || !is_session(session, strlen(session)))
		return ERR_INVALID;
	enum err err = know(ctx, session, &known);
	if (!err && mark)
		err = recording_marks_add(&known->marks, json_object_get(entry, "detail"));
	else if (!err)
		known->disposed = known->disposed || disposed;
	return err;
}

/* ---- verdicts --------------------------------------------------------------------------- */

/* What only a whole folder shows. */
static const struct finding {
	const char *code, *en, *ja;
} gone = { "gone", "the log knows this recording, and there is no file of it",
	   "監査ログにある録画のファイルがありません" },
  unknown = { "unknown", "the log knows nothing of this recording",
	      "監査ログにない録画のファイルです" },
  disposed = { "disposed", "by the log this recording was disposed of",
	       "監査ログでは廃棄済みの録画です" };

static void say(struct check *check, const char *session, const struct verify_result *result,
		const struct finding *finding)
{
	static const int codes[] = { [VERIFY_INTACT] = EXIT_DONE,
				     [VERIFY_CUT] = EXIT_AMBER,
				     [VERIFY_UNPROVEN] = EXIT_AMBER,
				     [VERIFY_TAMPERED] = EXIT_RED };
	const char *text = check->args->json ? finding->code : lang(finding->en, finding->ja);

	json_array_append_new(check->rows,
			      json_pack("[s, s, s, I, I]", session,
					recording_verdict_code(result->verdict), text,
					(json_int_t)result->chunks, (json_int_t)result->proven));
	check->code = MAX(check->code, codes[result->verdict]);
}

static void say_tampered(struct check *check, const char *session, const struct finding *finding)
{
	const struct verify_result result = { .verdict = VERIFY_TAMPERED };

	say(check, session, &result, finding);
}

static void say_verified(struct check *check, const char *session,
			 const struct verify_result *result)
{
	const struct finding finding = { verify_fault_code(result->fault),
					 verify_fault_text_en(result->fault),
					 verify_fault_text_ja(result->fault) };

	say(check, session, result, &finding);
}

static enum err judge(struct check *check, const struct known *known, int fd)
{
	struct verify_result result;
	struct scan scan;
	enum err err = scan_init(&scan, fd, SCAN_HASHES);

	if (err)
		return err;
	err = scan_all(&scan);
	if (!err)
		err = verify_marks(&scan, known->marks.marks, known->marks.count, &result);
	if (!err)
		say_verified(check, known->session, &result);
	scan_finish(&scan);
	return err;
}

/* ---- the folder ------------------------------------------------------------------------- */

static enum err check_file(struct check *check, int folder, const char *name)
{
	const size_t len = strlen(name);
	char session[SESSION_HEX + 1] = "";

	if (len != SESSION_HEX + strlen(suffix) || !util_streq(name + SESSION_HEX, suffix) ||
	    !is_session(name, SESSION_HEX))
		return OK;
	memcpy(session, name, SESSION_HEX);
	struct known *known = find(check, session);
	if (!known || known->disposed) {
		say_tampered(check, session, known ? &disposed : &unknown);
		return OK;
	}
	known->seen = true;
	_cleanup_close_ int fd =
		openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	return fd < 0 ? err_from_errno(errno) : judge(check, known, fd);
}

static enum err check_files(struct check *check, const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	enum err err = OK;

	if (!folder)
		return err_from_errno(errno);
	while (!err && (entry = readdir(folder)))
		err = check_file(check, dirfd(folder), entry->d_name);
	closedir(folder);
	return err;
}

static void check_missing(struct check *check)
{
	for (size_t i = 0; i < check->count; i++)
		if (!check->known[i].seen && !check->known[i].disposed)
			say_tampered(check, check->known[i].session, &gone);
}

/* ---- the whole -------------------------------------------------------------------------- */

static int refuse(const struct check *check, enum err err, const char *field, const char *message)
{
	show_refusal(check->args->json, err, field, message);
	return EXIT_REFUSED;
}

static int wrong_log(const struct check *check, enum err err, size_t line)
{
	char text[128];

	if (err != ERR_INVALID)
		return refuse(check, err, "marks", NULL);
	snprintf(text, sizeof(text),
		 lang_is_ja() ? "%zu 行目: 監査ログの記録として読めません"
			      : "line %zu: no entry of the audit log",
		 line);
	return refuse(check, err, "marks", text);
}

static int show(struct check *check)
{
	json_t *body = json_pack("{s:[s, s, s, s, s], s:O}", "columns", "session", "verdict",
				 "finding", "chunks", "proven", "rows", check->rows);

	if (check->args->json) {
		show_json(stdout, body);
	} else {
		show_reply(stdout, body);
		json_decref(body);
	}
	return check->code;
}

static int run(struct check *check)
{
	size_t line;
	enum err err =
		recording_log_read(args_find(check->args, "marks")->text, take_entry, check, &line);

	if (err)
		return wrong_log(check, err, line);
	err = check_files(check, args_find(check->args, "folder")->text);
	if (err)
		return refuse(check, err, "folder", NULL);
	check_missing(check);
	return show(check);
}

int recording_check(const struct args *args)
{
	struct check check = { .args = args, .index = json_object(), .rows = json_array() };
	const int code =
		check.index && check.rows ? run(&check) : refuse(&check, ERR_NOMEM, NULL, NULL);

	for (size_t i = 0; i < check.count; i++)
		recording_marks_finish(&check.known[i].marks);
	free(check.known);
	json_decref(check.index);
	json_decref(check.rows);
	return code;
}
