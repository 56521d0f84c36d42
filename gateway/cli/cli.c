#include "cli/cli.h"

#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/admin.h"
#include "cli/args.h"
#include "cli/enrol.h"
#include "cli/exit.h"
#include "cli/help.h"
#include "cli/lang.h"
#include "cli/local.h"
#include "cli/machine.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "cli/prompt.h"
#include "cli/recording_export.h"
#include "cli/root.h"
#include "cli/sheets.h"
#include "cli/show.h"
#include "preview/libreoffice.h"
#include "wire/settings.h"

enum { FILE_IN_MAX = 16 * 1024, PKCS12_PASSWORD_MIN = 8, STATUS_REFUSED = 400 };

/* What a command carries from the first check to the answer. */
struct run {
	struct args args;
	struct settings settings;
	json_t *arguments;
	struct secret *password; /* of device enrol; others are in arguments */
	struct enrol *enrol;     /* NULL but for device enrol */
};

/* Passwords pass through jansson's memory. */
static void free_wiped(void *data)
{
	if (data)
		secret_wipe(data, malloc_usable_size(data));
	free(data);
}

static int refuse(const struct run *run, int code, enum err err, const char *field,
		  const char *message)
{
	output_refuse(&run->args, err, field, message);
	return code;
}

/* Takes body over. */
static int show_answer(const struct run *run, json_t *body)
{
	if (run->args.json) {
		show_json(stdout, body);
	} else {
		show_reply(stdout, body);
		json_decref(body);
	}
	return EXIT_DONE;
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* One that is chosen here, and not only repeated, is typed twice. */
static bool is_chosen(const struct command *command, const struct command_arg *arg)
{
	static const char *const repeated[] = {
		"host credentials", "ca unlock",    "ca rotate",     "ca take-root", "vault unseal",
		"vault rotate",     "vault shares", "vault machine", "vault token",
	};

	if (util_streq(command->name, "vault passphrase"))
		return util_streq(arg->name, "new");
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++)
		if (util_streq(command->name, repeated[i]))
			return false;
	return true;
}

static int ask_password(struct run *run, const struct command_arg *arg, struct secret **ret)
{
	enum err err =
		prompt_password(lang(arg->en, arg->ja), is_chosen(run->args.command, arg), ret);

	if (err == ERR_INVALID)
		return refuse(run, EXIT_REFUSED, err, NULL,
			      lang("the two passwords differ", "二つのパスワードが一致しません"));
	if (err == ERR_CLOSED)
		return refuse(
			run, EXIT_USAGE, err, NULL,
			lang("no password on standard input", "標準入力にパスワードがありません"));
	return err ? refuse(run, EXIT_REFUSED, err, arg->name, NULL) : EXIT_DONE;
}

static int ask_sheet(struct run *run, const struct command_arg *arg, struct secret **ret)
{
	unsigned row = 0;
	char text[128];
	enum err err = sheets_ask(lang(arg->en, arg->ja), &row, ret);

	if (!err)
		return EXIT_DONE;
	snprintf(text, sizeof(text), "%c: %s", 'A' + (int)row,
		 err == ERR_CLOSED ? lang("the row is missing", "この行がありません")
				   : lang("the row is mistyped", "この行に誤りがあります"));
	return refuse(run, EXIT_REFUSED, err, arg->name, text);
}

static bool is_sheet(const struct command_arg *arg)
{
	return strncmp(arg->name, "sheet-", strlen("sheet-")) == 0;
}

static int add_password(struct run *run, const struct command_arg *arg)
{
	_cleanup_secret_ struct secret *password = NULL;
	int code =
		is_sheet(arg) ? ask_sheet(run, arg, &password) : ask_password(run, arg, &password);

	if (code)
		return code;
	json_t *json = json_stringn(secret_text(password), secret_len(password));
	if (json_object_set_new(run->arguments, arg->name, json))
		return refuse(run, EXIT_REFUSED, ERR_INVALID, arg->name, NULL);
	return EXIT_DONE;
}

static int add_file(struct run *run, const struct args_value *value)
{
	_cleanup_free_ char *data = NULL;
	size_t len;
	enum err err = util_read_file(value->text, FILE_IN_MAX, &data, &len);

	if (!err && json_object_set_new(run->arguments, value->arg->name, json_stringn(data, len)))
		err = ERR_INVALID; /* not UTF-8 */
	return err ? refuse(run, EXIT_REFUSED, err, value->arg->name, NULL) : EXIT_DONE;
}

static int add_value(struct run *run, const struct args_value *value)
{
	json_t *json = NULL;

	switch (value->arg->type) {
	case COMMAND_FILE_IN:
		return add_file(run, value);
	case COMMAND_NUMBER:
		json = json_integer(value->number);
		break;
	case COMMAND_FLAG:
		json = json_true();
		break;
	case COMMAND_TEXT:
		json = json_string(value->text);
		break;
	case COMMAND_PASSWORD:
		return add_password(run, value->arg);
	case COMMAND_FILE_OUT: /* where the answer goes stays here */
	default:
		return EXIT_DONE;
	}
	if (json_object_set_new(run->arguments, value->arg->name, json))
		return refuse(run, EXIT_REFUSED, ERR_INVALID, value->arg->name, NULL);
	return EXIT_DONE;
}

/* The one that is asked for in any case. */
static const struct command_arg *password_arg(const struct command *command)
{
	for (size_t i = 0; i < command->arg_count; i++)
		if (command->args[i].type == COMMAND_PASSWORD && command->args[i].required)
			return &command->args[i];
	return NULL;
}

static bool takes(const struct command *command, const char *name)
{
	for (size_t i = 0; i < command->arg_count; i++)
		if (util_streq(command->args[i].name, name))
			return true;
	return false;
}

/* Every one that is asked for in any case, in the table's order. */
static int add_passwords(struct run *run)
{
	const struct command *command = run->args.command;
	int code = EXIT_DONE;

	for (size_t i = 0; !code && i < command->arg_count; i++)
		if (command->args[i].type == COMMAND_PASSWORD && command->args[i].required)
			code = add_password(run, &command->args[i]);
	return code;
}

/* What has to be there before an order is given that nobody could take the answer of. */
static const char *vault_wrong(const struct args *args, const char **ret_name)
{
	if (!util_streq(args->command->name, "vault machine") || args_find(args, "remove"))
		return NULL;
	*ret_name = "out";
	if (!args_find(args, "out"))
		return lang("say by --out where the credential goes",
			    "--out で credential の保存先を指定してください");
	return machine_check() ? lang("this machine has no /usr/bin/systemd-creds (systemd 250 or "
				      "newer)",
				      "このマシンには /usr/bin/systemd-creds（systemd 250 以降）"
				      "がありません")
			       : NULL;
}

/* Before anything is asked for. */
static void explain(const struct run *run)
{
	const char *name = run->args.command->name;
	bool recovers = util_streq(name, "vault recover");

	if ((recovers || util_streq(name, "vault init")) && !run->args.json &&
	    isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
		sheets_explain(stderr, recovers);
}

static int gather(struct run *run)
{
	const char *name = NULL;
	enum err err = output_check_all(&run->args, &name);
	const char *wrong = root_wrong(&run->args, &name);

	if (!wrong)
		wrong = vault_wrong(&run->args, &name);
	if (err || wrong)
		return refuse(run, wrong ? EXIT_USAGE : EXIT_REFUSED, wrong ? ERR_INVALID : err,
			      name, wrong);
	explain(run);
	run->arguments = json_object();
	for (size_t i = 0; i < run->args.value_count; i++) {
		int code = add_value(run, &run->args.values[i]);
		if (code)
			return code;
	}
	if (takes(run->args.command, "language") && !args_find(&run->args, "language"))
		json_object_set_new(run->arguments, "language", json_string(lang("en", "ja")));
	return add_passwords(run);
}

/* ---- device enrol ---------------------------------------------------------------------------- */

static int gather_enrol(struct run *run)
{
	enum err err = enrol_new(&run->args, &run->enrol);

	if (err)
		return refuse(run, EXIT_REFUSED, err, "out", NULL);
	if (!enrol_is_pem(run->enrol)) {
		const struct command_arg *arg = password_arg(run->args.command);
		int code = ask_password(run, arg, &run->password);
		if (code)
			return code;
		/* It guards a private key that may lie on a USB stick. */
		if (secret_len(run->password) < PKCS12_PASSWORD_MIN)
			return refuse(
				run, EXIT_REFUSED, ERR_INVALID, arg->name,
				lang("at least 8 characters", "8 文字以上で指定してください"));
	}
	run->arguments = enrol_request(run->enrol);
	return run->arguments ? EXIT_DONE : refuse(run, EXIT_REFUSED, ERR_CRYPTO, NULL, NULL);
}

static int finish_enrol(struct run *run, json_t *body)
{
	enum err err = enrol_write(run->enrol, body, run->password);
	json_t *id = json_object_get(body, "id");

	if (err) {
		fprintf(stderr, "sekisho: %s: %lld\n",
			lang("the device is registered but its file could not be written; revoke "
			     "it "
			     "by its number",
			     "端末は登録されましたがファイルを保存できませんでした。次の番号で失効"
			     "させてください"),
			(long long)json_integer_value(id));
		return refuse(run, EXIT_REFUSED, err, "out", NULL);
	}
	return show_answer(run, json_pack("{s:O?, s:s}", "id", id, "file",
					  args_find(&run->args, "out")->text));
}

/* ---- vault ----------------------------------------------------------------------------------- */

/* The sheets into their folder; without one they are shown. */
static enum err write_sheets(const struct run *run, json_t *body)
{
	const struct args_value *out = args_find(&run->args, "out");
	bool terminal = !run->args.json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
	enum err err = out ? sheets_write(body, out->text) : OK;

	if (!out && run->args.json)
		return OK;
	/* What could not be written is shown all the same: nobody could ask for it again. */
	if (!out || err)
		sheets_print(stdout, body);
	else if (terminal)
		sheets_finish(stderr, out->text);
	else
		json_object_set_new(body, "file", json_string(out->text));
	json_object_del(body, "sheets");
	json_object_del(body, "office");
	return err;
}

static enum err write_machine(const struct run *run, json_t *body)
{
	const struct args_value *key = args_find(&run->args, "with-key");
	const char *path = args_find(&run->args, "out")->text;
	enum err err = machine_seal(json_string_value(json_object_get(body, "secret")),
				    key ? key->text : "tpm2", path);

	json_object_del(body, "secret");
	if (!err)
		json_object_set_new(body, "file", json_string(path));
	return err;
}

/* What the vault gave this once. */
static enum err vault_write(const struct run *run, json_t *body, const char **ret_name)
{
	*ret_name = "out";
	if (sheets_are(body))
		return write_sheets(run, body);
	if (json_is_string(json_object_get(body, "secret")) &&
	    util_streq(run->args.command->name, "vault machine"))
		return write_machine(run, body);
	return OK;
}

/* Whether office files can be shown: the gateway's processes do not see that of the machine. */
static void add_libreoffice(json_t *body)
{
	const bool there = libreoffice_installed();

	json_array_append_new(
		json_object_get(body, "rows"),
		json_pack("[s, s, i]", "libreoffice", there ? "installed" : "none", 0));
	if (there)
		return;
	json_object_set_new(body, "hint",
			    json_string("to show files of Word, Excel and the like, apt install "
					"--no-install-recommends " LIBREOFFICE_PACKAGES));
	json_object_set_new(body, "hint_ja",
			    json_string("Word や Excel などの書類を表示するには、apt install "
					"--no-install-recommends " LIBREOFFICE_PACKAGES));
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* The order is done whatever becomes of its file: what did not get into it is shown. */
static int finish(struct run *run, json_t *body)
{
	const char *name = NULL;
	char why[OUTPUT_WHY];
	enum err err = output_write_all(&run->args, body, &name);

	if (!err)
		err = vault_write(run, body, &name);
	if (util_streq(run->args.command->name, "vault status"))
		add_libreoffice(body);
	if (!run->args.json)
		show_reply(stdout, body);
	if (!err)
		return EXIT_DONE;
	fprintf(stderr, "sekisho: --%s: %s\n", name,
		output_why(err, args_find(&run->args, name)->text, why));
	return EXIT_REFUSED;
}

static int explain_call(const struct run *run, enum err err)
{
	char text[512];
	const char *why = NULL;

	if (err == ERR_TOO_BIG || err == ERR_INVALID || err == ERR_NOMEM)
		return refuse(run, EXIT_REFUSED, err, NULL, NULL);
	if (err == ERR_DENIED)
		why = lang("only root and the gateway's administrators may use it",
			   "root とゲートウェイの管理者だけが使えます");
	if (err == ERR_NOT_FOUND || err == ERR_UNAVAILABLE)
		why = lang("the gateway does not run, or --config is another gateway's",
			   "ゲートウェイが動いていないか、--config が違います");
	if (err == ERR_TIMEOUT || err == ERR_CLOSED)
		why = lang("the broker does not answer: it is restarting or busy; try again in a "
			   "few seconds, and if it goes on look at the gateway's log (journalctl "
			   "-u sekisho) for lines of role=monitor and role=broker",
			   "ブローカーが応答しません。再起動中か、混み合っています。数秒後にやり直"
			   "し、続くようならゲートウェイのログ（journalctl -u sekisho）で "
			   "role=monitor と role=broker の行を見てください");
	if (!why)
		why = lang(err_text_en(err), err_text_ja(err));
	snprintf(text, sizeof(text), "%s/admin.sock: %s", run->settings.gateway_runtime_dir, why);
	return refuse(run, EXIT_UNREACHABLE, err == ERR_NOT_FOUND ? ERR_UNAVAILABLE : err, NULL,
		      text);
}

static bool is_refusal(unsigned status, const json_t *body)
{
	return status >= STATUS_REFUSED || json_object_get(body, "error");
}

static enum err call_once(const struct run *run, unsigned *ret_status, json_t **ret_body)
{
	const char *name = run->args.command->name;

	return admin_call(run->settings.gateway_runtime_dir, name, run->arguments,
			  util_streq(name, "status") ? ADMIN_STATUS_TIMEOUT_MS : ADMIN_TIMEOUT_MS,
			  ret_status, ret_body);
}

/* A list that is cut would be worse than none: the answer is all of its pages, or a refusal. */
static enum err call_all(const struct run *run, unsigned *ret_status, json_t **ret_body)
{
	json_t *whole = NULL, *page = NULL;
	enum err err = call_once(run, ret_status, &whole);
	bool more = false;

	if (!err && !is_refusal(*ret_status, whole))
		err = pages_next(whole, run->arguments, &more);
	while (!err && more) {
		err = call_once(run, ret_status, &page);
		if (!err && is_refusal(*ret_status, page)) {
			json_decref(whole);
			*ret_body = page;
			return OK;
		}
		if (!err)
			err = pages_add(whole, page);
		if (!err)
			err = pages_next(page, run->arguments, &more);
		json_decref(page);
		page = NULL;
	}
	if (err)
		json_decref(whole);
	else
		*ret_body = whole;
	return err;
}

/* After the order itself, or as the order: the root's key into its file. */
static int take_root(struct run *run)
{
	const char *path = root_path(&run->args);
	struct root_end end;
	enum err err = root_take(run->settings.gateway_runtime_dir,
				 json_object_get(run->arguments, "passphrase"), path, &end);
	bool refused = !err && is_refusal(end.status, end.body);

	if (!err && !refused) {
		json_object_set_new(end.body, "file", json_string(path));
		return show_answer(run, end.body);
	}
	fprintf(stderr, "sekisho: %s\n", root_hint(end.step));
	if (refused && run->args.json)
		show_json(stdout, json_incref(end.body));
	else if (refused)
		show_error(stderr, end.body);
	json_decref(end.body);
	if (refused)
		return EXIT_REFUSED;
	return end.step == ROOT_WRITE ? refuse(run, EXIT_REFUSED, err, path, NULL)
				      : explain_call(run, err);
}

static int call(struct run *run)
{
	unsigned status = 0;
	json_t *body = NULL;
	int code = EXIT_DONE;
	enum err err;

	if (util_streq(run->args.command->name, "ca take-root"))
		return take_root(run);
	err = call_all(run, &status, &body);
	if (err)
		return explain_call(run, err);
	if (is_refusal(status, body)) {
		code = EXIT_REFUSED;
		if (!run->args.json)
			show_error(stderr, body);
	} else if (run->enrol) {
		code = finish_enrol(run, body);
	} else if (root_path(&run->args)) {
		json_decref(body);
		return take_root(run);
	} else {
		code = finish(run, body);
	}
	if (run->args.json && (code || !run->enrol))
		show_json(stdout, json_incref(body));
	json_decref(body);
	return code;
}

static int run_remote(struct run *run)
{
	int code;

	if (!local_settings(&run->args, &run->settings))
		return EXIT_USAGE;
	code = util_streq(run->args.command->name, "device enrol") ? gather_enrol(run)
								   : gather(run);
	return code ? code : call(run);
}

int cli_main(int argc, char **argv)
{
	struct run run = { 0 };
	struct args_error error;
	int code;

	lang_init();
	json_set_alloc_funcs(malloc, free_wiped);
	if (args_parse(argc, argv, &run.args, &error)) {
		fprintf(stderr, "sekisho: %s\n", error.text);
		return EXIT_USAGE;
	}
	if (run.args.action == ARGS_HELP) {
		help_print(stdout, &run.args);
		return EXIT_DONE;
	}
	if (run.args.action == ARGS_VERSION)
		return local_version(&run.args);
	if (util_streq(run.args.command->name, "recording export"))
		code = recording_export(&run.args);
	else
		code = local_is(run.args.command) ? local_run(&run.args) : run_remote(&run);
	json_decref(run.arguments);
	secret_free(run.password);
	enrol_free(run.enrol);
	return code;
}
