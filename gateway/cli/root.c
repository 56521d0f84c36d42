#include "cli/root.h"

#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "cli/admin.h"
#include "cli/lang.h"

enum { KEY_MAX = 16 * 1024, REFUSED = 400 };

static const char *text_of(const struct args *args, const char *name)
{
	const struct args_value *value = args_find(args, name);

	return value ? value->text : NULL;
}

const char *root_path(const struct args *args)
{
	return text_of(args, util_streq(args->command->name, "ca take-root") ? "out" : "take-root");
}

const char *root_wrong(const struct args *args, const char **ret_name)
{
	if (!util_streq(args->command->name, "ca rotate") || !root_path(args))
		return NULL;
	*ret_name = "take-root";
	if (!args_find(args, "passphrase"))
		return lang("it leaves the gateway under the passphrase only: add --passphrase",
			    "パスフレーズなしでは移せません。--passphrase を付けてください");
	if (args_find(args, "root") && !args_find(args, "new-root"))
		return lang("it is not on the gateway: the file of --root has it",
			    "ルート CA の鍵はゲートウェイになく、--root のファイルにあります");
	return NULL;
}

/* root: NULL to fetch it, else the proof that we have it. */
static enum err ask(const char *runtime_dir, const json_t *passphrase, const char *root,
		    struct root_end *end)
{
	json_t *arguments = json_pack("{s:O, s:s*}", "passphrase", passphrase, "root", root);
	enum err err;

	json_decref(end->body);
	end->body = NULL;
	err = arguments ? admin_call(runtime_dir, "ca take-root", arguments, ADMIN_TIMEOUT_MS,
				     &end->status, &end->body)
			: ERR_NOMEM;
	json_decref(arguments);
	return err;
}

static bool is_refused(const struct root_end *end)
{
	return end->status >= REFUSED || json_object_get(end->body, "error");
}

/* What gets to the gateway as a proof is what a later reader of the file will get. */
static enum err write_and_read(const json_t *root, const char *path, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	size_t len = json_string_length(root);
	enum err err = json_is_string(root) && len ? OK : ERR_PROTOCOL;

	if (!err)
		err = util_write_file(path, json_string_value(root), len, 0600);
	if (!err)
		err = util_read_file(path, KEY_MAX, &text, &len);
	if (!err && !util_streq(text, json_string_value(root)))
		err = ERR_IO;
	if (!err)
		*ret_text = util_take_ptr(text);
	else if (text)
		secret_wipe(text, len);
	return err;
}

enum err root_take(const char *runtime_dir, const json_t *passphrase, const char *path,
		   struct root_end *ret_end)
{
	_cleanup_free_ char *text = NULL;
	enum err err;

	*ret_end = (struct root_end){ .step = ROOT_FETCH };
	err = ask(runtime_dir, passphrase, NULL, ret_end);
	if (err || is_refused(ret_end))
		return err;
	ret_end->step = ROOT_WRITE;
	err = write_and_read(json_object_get(ret_end->body, "root"), path, &text);
	if (err)
		return err;
	ret_end->step = ROOT_REMOVE;
	err = ask(runtime_dir, passphrase, text, ret_end);
	secret_wipe(text, strlen(text));
	return err;
}

const char *root_hint(enum root_step step)
{
	if (step == ROOT_REMOVE)
		return lang(
			"the file has the root's key, but the gateway may have it still: "
			"sekisho ca show says so; then take it once more, into another file, "
			"by sekisho ca take-root",
			"ルート CA "
			"の鍵はファイルに保存しましたが、ゲートウェイにも残っている可能性が"
			"あります。sekisho ca show で確かめ、残っていれば sekisho ca take-root で"
			"別のファイルに移してください");
	return lang("the root's key is still on the gateway: take it by sekisho ca take-root",
		    "ルート CA の鍵はまだゲートウェイにあります。sekisho ca take-root "
		    "で移してください");
}
