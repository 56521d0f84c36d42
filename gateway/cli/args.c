#include "cli/args.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/lang.h"
#include "cli/local.h"

enum { NUMBER_MAX_BITS = 53 /* what every reader of JSON keeps exactly */ };

struct parser {
	int argc;
	char *const *argv;
	int at;
	struct args *args;
	struct args_error *error;
};

static enum err fail(struct parser *parser, const char *fmt, ...) printf_like(2, 3);

static enum err fail(struct parser *parser, const char *fmt, ...)
{
	va_list list;

	va_start(list, fmt);
	vsnprintf(parser->error->text, sizeof(parser->error->text), fmt, list);
	va_end(list);
	/* The text goes to a terminal, and part of it came from somewhere. */
	for (char *c = parser->error->text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return ERR_INVALID;
}

#define FAIL(en, ja, ...) fail(parser, lang_is_ja() ? ja : en, __VA_ARGS__)

/* ---- words of the command -------------------------------------------------------------------- */

static bool is_group(const char *word)
{
	size_t len = strlen(word);
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)); i++)
		if (strncmp(command->name, word, len) == 0 && command->name[len] == ' ')
			return true;
	return false;
}

static enum err take_word(struct parser *parser, const char *word)
{
	struct args *args = parser->args;
	char name[2 * ARGS_GROUP_MAX];

	if (args->command)
		return FAIL("unexpected word \"%.64s\": values are given as --name VALUE",
			    "余分な語 \"%.64s\" があります。値は --名前 値 の形で指定してください",
			    word);
	int len = snprintf(name, sizeof(name), "%s%s%s", args->group, args->group[0] ? " " : "",
			   word);
	if ((size_t)len < sizeof(name) && !strchr(word, ' '))
		args->command = command_lookup(name);
	if (args->command)
		return OK;
	if (!args->group[0] && strlen(word) < sizeof(args->group) && is_group(word)) {
		snprintf(args->group, sizeof(args->group), "%s", word);
		return OK;
	}
	return FAIL("unknown command \"%.64s\": sekisho --help lists all",
		    "不明なコマンド \"%.64s\" です。一覧は sekisho --help で表示されます",
		    (size_t)len < sizeof(name) ? name : word);
}

/* ---- options --------------------------------------------------------------------------------- */

static bool has_value(const struct parser *parser)
{
	return parser->at < parser->argc && strncmp(parser->argv[parser->at], "--", 2) != 0;
}

/* "--name=value" or "--name value"; a next word that is an option itself counts as forgotten. */
static enum err take_value(struct parser *parser, const char *name, const char *inlined,
			   const char **ret)
{
	const char *value = inlined;

	if (!value && has_value(parser))
		value = parser->argv[parser->at++];
	if (!value || !*value)
		return FAIL("--%.64s needs a value", "--%.64s には値が必要です", name);
	*ret = value;
	return OK;
}

static enum err check_text(struct parser *parser, const char *name, const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len > max)
		return FAIL("--%.64s is too long: at most %zu bytes",
			    "--%.64s が長すぎます（%zu バイトまで）", name, max);
	if (!util_utf8_valid(text, len))
		return FAIL("--%.64s is not UTF-8", "--%.64s が UTF-8 ではありません", name);
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]))
			return FAIL("--%.64s has control characters",
				    "--%.64s に制御文字が含まれています", name);
	return OK;
}

static enum err check_value(struct parser *parser, struct args_value *value)
{
	const char *name = value->arg->name;

	switch (value->arg->type) {
	case COMMAND_NUMBER:
		if (util_parse_i64(value->text, 0, (INT64_C(1) << NUMBER_MAX_BITS) - 1,
				   &value->number))
			return FAIL("--%.64s must be a number, not \"%.64s\"",
				    "--%.64s は数字で指定してください（\"%.64s\" は使えません）",
				    name, value->text);
		return OK;
	case COMMAND_FILE_IN:
	case COMMAND_FILE_OUT:
		return check_text(parser, name, value->text, ARGS_PATH_MAX);
	case COMMAND_TEXT:
	case COMMAND_FLAG:
	case COMMAND_PASSWORD:
	default:
		return check_text(parser, name, value->text, ARGS_TEXT_MAX);
	}
}

static const struct command_arg *find_arg(const struct command *command, const char *name,
					  size_t len)
{
	for (size_t i = 0; command && i < command->arg_count; i++)
		if (strlen(command->args[i].name) == len &&
		    strncmp(command->args[i].name, name, len) == 0)
			return &command->args[i];
	return NULL;
}

static enum err take_arg(struct parser *parser, const struct command_arg *arg, const char *inlined)
{
	struct args *args = parser->args;
	struct args_value value = { .arg = arg };

	/* One that need not be given is asked for when its name is there, alone. */
	if (arg->type == COMMAND_PASSWORD && (arg->required || inlined || has_value(parser)))
		return FAIL("a password is never given on the command line: it is asked for, or "
			    "read from "
			    "standard input; leave out --%.64s",
			    "パスワードはコマンドラインでは指定できません。入力を求められるか、標準"
			    "入力から読み込みます。"
			    "--%.64s は不要です",
			    arg->name);
	if (args_find(args, arg->name))
		return FAIL("--%.64s is given twice", "--%.64s が二度指定されています", arg->name);
	if (args->value_count == ARGS_VALUES_MAX)
		return FAIL("more than %d options", "オプションが多すぎます（%d 個まで）",
			    ARGS_VALUES_MAX);
	if (arg->type == COMMAND_FLAG || arg->type == COMMAND_PASSWORD) {
		if (inlined)
			return FAIL("--%.64s takes no value", "--%.64s に値は指定できません",
				    arg->name);
	} else {
		enum err err = take_value(parser, arg->name, inlined, &value.text);
		if (!err)
			err = check_value(parser, &value);
		if (err)
			return err;
	}
	args->values[args->value_count++] = value;
	return OK;
}

static enum err take_config(struct parser *parser, const char *inlined)
{
	enum err err;

	if (parser->args->config)
		return FAIL("--%s is given twice", "--%s が二度指定されています", "config");
	err = take_value(parser, "config", inlined, &parser->args->config);
	return err ? err : check_text(parser, "config", parser->args->config, ARGS_PATH_MAX);
}

static enum err take_option(struct parser *parser, const char *option)
{
	const char *equals = strchr(option, '=');
	size_t len = equals ? (size_t)(equals - option) : strlen(option);
	const char *inlined = equals ? equals + 1 : NULL;
	const struct command_arg *arg = find_arg(parser->args->command, option, len);

	if (arg)
		return take_arg(parser, arg, inlined);
	if (len == strlen("config") && strncmp(option, "config", len) == 0)
		return take_config(parser, inlined);
	if (util_streq(option, "json"))
		parser->args->json = true;
	else if (util_streq(option, "help"))
		parser->args->action = ARGS_HELP;
	else if (util_streq(option, "version"))
		parser->args->action = ARGS_VERSION;
	else if (!parser->args->command)
		return FAIL("unknown option --%.*s: options of a command come after it",
			    "不明なオプション --%.*s "
			    "です。コマンドのオプションはコマンドの後に指定してください",
			    (int)MIN(len, (size_t)64), option);
	else
		return FAIL("unknown option --%.*s: sekisho %s --help lists all",
			    "不明なオプション --%.*s です。一覧は sekisho %s --help で表示されます",
			    (int)MIN(len, (size_t)64), option, parser->args->command->name);
	return OK;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum err check_complete(struct parser *parser)
{
	const struct args *args = parser->args;

	if (args->action != ARGS_RUN)
		return OK;
	if (!args->command && args->group[0])
		return FAIL("%s what? sekisho %s --help lists the commands",
			    "%s のどのコマンドですか。一覧は sekisho %s --help で表示されます",
			    args->group, args->group);
	if (!args->command)
		return fail(parser, "%s",
			    lang("no command: sekisho --help lists all",
				 "コマンドがありません。一覧は sekisho --help で表示されます"));
	for (size_t i = 0; i < args->command->arg_count; i++) {
		const struct command_arg *arg = &args->command->args[i];
		if (arg->required && arg->type != COMMAND_PASSWORD && !args_find(args, arg->name))
			return FAIL("%s needs --%s: %s", "%s には --%s（%s）が必要です",
				    args->command->name, arg->name, lang(arg->en, arg->ja));
	}
	return OK;
}

enum err args_parse(int argc, char *const *argv, struct args *ret, struct args_error *ret_error)
{
	struct args args = { .action = ARGS_RUN };
	struct parser parser = {
		.argc = argc, .argv = argv, .at = 1, .args = &args, .error = ret_error
	};
	enum err err = OK;

	while (!err && parser.at < argc) {
		const char *word = argv[parser.at++];
		if (util_streq(word, "-h"))
			args.action = ARGS_HELP;
		else if (strncmp(word, "--", 2) == 0)
			err = take_option(&parser, word + 2);
		else
			err = take_word(&parser, word);
	}
	if (!err)
		err = check_complete(&parser);
	if (err)
		return err;
	if (!args.config)
		args.config = ARGS_CONFIG_DEFAULT;
	*ret = args;
	return OK;
}

const struct args_value *args_find(const struct args *args, const char *name)
{
	for (size_t i = 0; i < args->value_count; i++)
		if (util_streq(args->values[i].arg->name, name))
			return &args->values[i];
	return NULL;
}
