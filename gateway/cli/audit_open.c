#include "cli/audit_open.h"

#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "cli/exit.h"
#include "cli/lang.h"
#include "cli/local.h"
#include "cli/output.h"
#include "cli/show.h"

const char *audit_value(const struct args *args, const char *name)
{
	const struct args_value *value = args_find(args, name);

	return value ? value->text : NULL;
}

int audit_refuse(const struct args *args, enum err err, const char *field, const char *message)
{
	output_refuse(args, err, field, message);
	return EXIT_REFUSED;
}

static int refuse_log(const struct args *args, enum err err, const char *path)
{
	char text[ARGS_PATH_MAX + 256];
	const char *why = lang(err_text_en(err), err_text_ja(err));

	if (err == ERR_WRONG_STATE)
		why = lang(
			"made by another version of the program; start this gateway once, or use "
			"the program that made it",
			"別のバージョンで作られています。このゲートウェイを一度起動するか、作成した"
			"バ"
			"ージョンのコマンドを使ってください");
	if (err == ERR_INTERNAL || err == ERR_IO)
		why = lang("this is no database of the gateway, or it is damaged beyond reading",
			   "ゲートウェイのデータベースではないか、読めないほど壊れています");
	snprintf(text, sizeof(text), "%s: %s", path, why);
	return audit_refuse(args, err, "file", text);
}

static enum err open_log(struct audit_log *log)
{
	struct stat status;

	if (stat(log->path, &status) == 0 && S_ISDIR(status.st_mode))
		return export_open(log->path, &log->folder);
	return db_open_read(log->path, &log->db);
}

static int take_key(const struct args *args, struct audit_log *log, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	enum err err = util_read_file(path, AUDIT_KEYS * NOTE_KEY_TEXT, &text, &len);

	/* One in each line. */
	for (char *rest = text, *line; !err && (line = strsep(&rest, "\n"));) {
		if (!*line)
			continue;
		err = log->key_count < AUDIT_KEYS
			      ? note_key_parse(line, &log->keys[log->key_count++])
			      : ERR_TOO_BIG;
	}
	if (!err && !log->key_count)
		err = ERR_INVALID;
	return err ? audit_refuse(args, err, "key", NULL) : EXIT_DONE;
}

static int take_anchor(const struct args *args, struct audit_log *log, const char *path)
{
	struct audit_note *anchor = &log->anchors[log->anchor_count];
	_cleanup_free_ char *text = NULL;
	struct checkpoint checkpoint;
	size_t len;
	enum err err = util_read_file(path, AUDIT_NOTE_MAX, &text, &len);

	if (!err)
		err = checkpoint_read(text, len, &checkpoint);
	if (!err && strlen(text) != len)
		err = ERR_INVALID;
	if (err)
		return audit_refuse(args, err, "checkpoint", NULL);
	anchor->size = (int64_t)checkpoint.size;
	memcpy(anchor->note, text, len + 1);
	log->anchor_count++;
	return EXIT_DONE;
}

/* The one beside an exported log. It is as good as the others, or false: also where it cannot be
 * read. */
static enum err take_folders(struct audit_log *log)
{
	struct audit_note *anchor = &log->anchors[log->anchor_count];
	char path[ARGS_PATH_MAX + 16];
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/checkpoint", log->path);
	enum err err = util_read_file(path, AUDIT_NOTE_MAX, &text, &len);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err && err != ERR_TOO_BIG)
		return err;
	*anchor = (struct audit_note){ .size = -1 };
	if (!err && strlen(text) == len)
		memcpy(anchor->note, text, len);
	log->anchor_count++;
	return OK;
}

/* The signer's own files: whoever broke into the broker cannot write them. */
static int take_gateways(const struct args *args, struct audit_log *log,
			 const struct settings *settings)
{
	char path[ARGS_PATH_MAX + 1];
	int code = EXIT_DONE;

	snprintf(log->path, sizeof(log->path), "%s/broker/sekisho.db", settings->gateway_state_dir);
	snprintf(path, sizeof(path), "%s/signer/audit/vkey", settings->gateway_state_dir);
	if (!audit_value(args, "key") && access(path, R_OK) == 0)
		code = take_key(args, log, path);
	snprintf(path, sizeof(path), "%s/signer/audit/checkpoint", settings->gateway_state_dir);
	if (!code && access(path, R_OK) == 0)
		code = take_anchor(args, log, path);
	return code;
}

int audit_log_open(const struct args *args, struct audit_log *log)
{
	const char *file = audit_value(args, "file"), *key = audit_value(args, "key"),
		   *anchor = audit_value(args, "checkpoint");
	struct settings settings;
	int code = EXIT_DONE;
	enum err err;

	*log = (struct audit_log){ .db = NULL };
	if (file) {
		snprintf(log->path, sizeof(log->path), "%s", file);
	} else {
		if (!local_settings(args, &settings))
			return EXIT_USAGE;
		code = take_gateways(args, log, &settings);
	}
	if (!code && key)
		code = take_key(args, log, key);
	if (!code && anchor)
		code = take_anchor(args, log, anchor);
	if (code)
		return code;
	err = open_log(log);
	if (!err && log->folder)
		err = take_folders(log);
	return err ? refuse_log(args, err, log->path) : EXIT_DONE;
}

void audit_log_close(struct audit_log *log)
{
	db_close(log->db);
	export_close(log->folder);
}
