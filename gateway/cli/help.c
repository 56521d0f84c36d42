#include "cli/help.h"

#include <string.h>

#include "base/util.h"
#include "cli/lang.h"
#include "cli/local.h"
#include "cli/text.h"
#include "wire/settings.h"

enum { NAME_COLUMNS = 22, KEY_COLUMNS = 31 };

static void put_row(FILE *out, const char *name, const char *text)
{
	fputs("  ", out);
	text_put(out, name, NAME_COLUMNS);
	fprintf(out, " %s\n", text);
}

static const char *placeholder(enum command_arg_type type)
{
	switch (type) {
	case COMMAND_NUMBER:
		return " N";
	case COMMAND_FILE_IN:
	case COMMAND_FILE_OUT:
		return " FILE";
	case COMMAND_TEXT:
		return " TEXT";
	case COMMAND_FLAG:
	case COMMAND_PASSWORD:
	default:
		return "";
	}
}

static void put_general(FILE *out)
{
	fprintf(out, "\n%s\n", lang("Options everywhere:", "共通オプション:"));
	put_row(out, "--config FILE",
		lang("settings of the gateway (default " ARGS_CONFIG_DEFAULT ")",
		     "ゲートウェイの設定ファイル（既定は " ARGS_CONFIG_DEFAULT "）"));
	put_row(out, "--json", lang("the answer as JSON", "結果を JSON で表示する"));
	put_row(out, "--help", lang("this text", "この説明を表示する"));
}

static void put_exit_codes(FILE *out)
{
	fprintf(out, "\n%s\n",
		lang("Exit code: 0 done, 1 refused or failed, 2 wrong usage, 3 the gateway cannot "
		     "be reached; of what verifies also 4 amber, 5 red.",
		     "終了コード: 0 成功、1 拒否または失敗、2 使い方の誤り、3 "
		     "ゲートウェイに接続できない。検証では 4 黄、5 赤"));
}

static void put_commands(FILE *out, const char *group)
{
	const struct command *command;
	size_t len = strlen(group);

	fprintf(out, "%s sekisho %s%s[--%s]\n\n", lang("Usage:", "使い方:"),
		len ? group : "COMMAND", len ? " COMMAND " : " ",
		lang("option VALUE]... [--help", "オプション 値]... [--help"));
	fprintf(out, "%s\n", lang("Commands:", "コマンド:"));
	for (size_t i = 0; (command = command_at(i)); i++)
		if (len == 0 ||
		    (strncmp(command->name, group, len) == 0 && command->name[len] == ' '))
			put_row(out, command->name, lang(command->en, command->ja));
	put_general(out);
	put_exit_codes(out);
}

static void put_arg(FILE *out, const struct command_arg *arg)
{
	char name[64];

	snprintf(name, sizeof(name), "--%s%s", arg->name, placeholder(arg->type));
	put_row(out, name, lang(arg->en, arg->ja));
}

/* What the settings file may hold: messages about a wrong line point here. */
static void put_settings(FILE *out)
{
	fprintf(out, "\n%s\n",
		lang("Settings, with their defaults:", "設定項目（かっこ内は既定値）:"));
	for (size_t i = 0; i < settings_count; i++) {
		const struct config_key *key = &settings_keys[i];
		char name[128];
		snprintf(name, sizeof(name), "%s.%s", key->section, key->name);
		fputs("  ", out);
		text_put(out, name, KEY_COLUMNS);
		fprintf(out, " %s (%s)\n", lang(key->en, key->ja),
			key->fallback ? key->fallback : "-");
	}
}

/* A password that is always needed is asked for unnamed. */
static bool is_option(const struct command_arg *arg)
{
	return arg->type != COMMAND_PASSWORD || !arg->required;
}

static bool asks_password(const struct command *command)
{
	for (size_t i = 0; i < command->arg_count; i++)
		if (command->args[i].type == COMMAND_PASSWORD)
			return true;
	return false;
}

static void put_command(FILE *out, const struct command *command)
{
	fprintf(out, "%s sekisho %s", lang("Usage:", "使い方:"), command->name);
	for (size_t i = 0; i < command->arg_count; i++) {
		const struct command_arg *arg = &command->args[i];
		if (is_option(arg))
			fprintf(out, arg->required ? " --%s%s" : " [--%s%s]", arg->name,
				placeholder(arg->type));
	}
	fprintf(out, "\n\n%s\n", lang(command->en, command->ja));
	if (command->arg_count)
		fprintf(out, "\n%s\n", lang("Options:", "オプション:"));
	for (size_t i = 0; i < command->arg_count; i++)
		if (is_option(&command->args[i]))
			put_arg(out, &command->args[i]);
	if (asks_password(command))
		fprintf(out, "\n%s\n",
			lang("The password is asked for on a terminal, else read as one line from "
			     "standard input.",
			     "パスワードは端末では入力を求められ、それ以外では標準入力から 1 "
			     "行読み込みます。"));
	put_general(out);
	if (util_streq(command->name, "config check"))
		put_settings(out);
}

void help_print(FILE *out, const struct args *args)
{
	if (args->command)
		put_command(out, args->command);
	else
		put_commands(out, args->group);
}
