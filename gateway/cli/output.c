#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "cli/invite.h"
#include "cli/lang.h"
#include "cli/show.h"

/* command, argument, and the member of the answer that goes there; NULL: the invitation's sheet. */
static const struct {
	const char *command, *arg, *member;
	unsigned mode;
} outputs[] = {
	{ "device invite", "out", NULL, 0600 },
	{ "device export", "out", "csv", 0600 },
	{ "ca export", "out", "pem", 0644 },
	{ "auditor certify", "out", "certificate", 0644 },
	{ "recording certificate", "out", "certificate", 0644 },
};

/* The folder that path is to be in; a folder that is to be made may end in slashes. */
static char *folder_of(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len && path[len - 1] != '/')
		len--;
	return len ? strndup(path, len) : strdup("./");
}

enum err output_check(const char *path)
{
	_cleanup_free_ char *folder = folder_of(path);

	if (!folder)
		return ERR_NOMEM;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_EXISTS;
	return access(folder, W_OK | X_OK) < 0 ? err_from_errno(errno) : OK;
}

/* What stands before the place and behind it. */
static const struct why {
	enum err err;
	const char *en[2], *ja[2];
} whys[] = {
	{ ERR_EXISTS,
	  { "", " is there already: choose another name" },
	  { "", " はすでにあります。別の名前を指定してください" } },
	{ ERR_NOT_FOUND, { "there is no folder ", "" }, { "フォルダー ", " がありません" } },
	{ ERR_DENIED, { "you may not write in ", "" }, { "", " に書き込む権限がありません" } },
	{ ERR_FULL, { "no space is left in ", "" }, { "", " に空き容量がありません" } },
	{ ERR_IO,
	  { "", " cannot be written in: it is read-only, or its disk fails" },
	  { "", " に書き込めません。読み取り専用か、ディスクの異常です" } },
};

const char *output_why(enum err err, const char *path, char room[OUTPUT_WHY])
{
	_cleanup_free_ char *folder = folder_of(path);
	const char *place = err == ERR_EXISTS ? path : folder;

	for (size_t i = 0; place && i < ARRAY_SIZE(whys); i++) {
		const struct why *why = &whys[i];
		if (why->err != err)
			continue;
		snprintf(room, OUTPUT_WHY, "%s%s%s", lang(why->en[0], why->ja[0]), place,
			 lang(why->en[1], why->ja[1]));
		return room;
	}
	return lang(err_text_en(err), err_text_ja(err));
}

void output_refuse(const struct args *args, enum err err, const char *field, const char *message)
{
	const struct args_value *value = field ? args_find(args, field) : NULL;
	char room[OUTPUT_WHY];

	if (!message && value && value->arg->type == COMMAND_FILE_OUT)
		message = output_why(err, value->text, room);
	show_refusal(args->json, err, field, message);
}

enum err output_check_all(const struct args *args, const char **ret_name)
{
	for (size_t i = 0; i < args->value_count; i++) {
		const struct args_value *value = &args->values[i];
		enum err err =
			value->arg->type == COMMAND_FILE_OUT ? output_check(value->text) : OK;

		if (err) {
			*ret_name = value->arg->name;
			return err;
		}
	}
	return OK;
}

static enum err write_sheet(const json_t *body, const char *path)
{
	_cleanup_buf_ struct buf buf;
	enum err err;

	buf_init(&buf, INVITE_SHEET_MAX);
	err = invite_sheet(body, &buf);
	if (!err)
		err = util_write_file(path, buf.data, buf.len, 0600);
	buf_wipe(&buf);
	return err;
}

static enum err write_member(json_t *body, const char *member, const char *path, unsigned mode)
{
	const json_t *value = json_object_get(body, member);
	enum err err;

	if (!json_is_string(value))
		return ERR_PROTOCOL;
	err = util_write_file(path, json_string_value(value), json_string_length(value), mode);
	if (!err)
		json_object_del(body, member);
	return err;
}

enum err output_write_all(const struct args *args, json_t *body, const char **ret_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		const struct args_value *value = args_find(args, outputs[i].arg);
		enum err err;

		if (!value || !util_streq(args->command->name, outputs[i].command))
			continue;
		err = outputs[i].member
			      ? write_member(body, outputs[i].member, value->text, outputs[i].mode)
			      : write_sheet(body, value->text);
		if (err) {
			*ret_name = value->arg->name;
			return err;
		}
		json_object_set_new(body, "file", json_string(value->text));
	}
	return OK;
}
