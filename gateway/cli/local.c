#include "cli/local.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/audit.h"
#include "cli/auditor_key.h"
#include "cli/completion.h"
#include "cli/exit.h"
#include "cli/lang.h"
#include "cli/recording.h"
#include "cli/recording_check.h"
#include "cli/show.h"
#include "cli/text.h"
#include "wire/settings.h"

const struct command local_commands[] = {
	{ "config check", "check the settings file and show what is in effect",
	  "設定ファイルを検査し、有効な値を表示する", COMMAND_WEB_NO, NULL, 0 },
	{ "auditor key", "make an auditor's key and certificate request, without the gateway",
	  "監査人の鍵と証明書要求を作る（ゲートウェイ不要）", COMMAND_WEB_NO, auditor_key_args,
	  AUDITOR_KEY_ARGS },
	{ "recording verify", "check a recording's file, without the gateway",
	  "録画ファイルを検証する（ゲートウェイ不要）", COMMAND_WEB_NO, recording_verify_args,
	  RECORDING_VERIFY_ARGS },
	{ "recording check", "check all recordings of a folder, and that none is missing",
	  "フォルダーの全録画を検証し、欠けている録画を見つける", COMMAND_WEB_NO,
	  recording_check_args, RECORDING_CHECK_ARGS },
	{ "recording decrypt", "open a recording's file with an auditor's key, without the gateway",
	  "録画ファイルを監査人の鍵で開く（ゲートウェイ不要）", COMMAND_WEB_NO,
	  recording_decrypt_args, RECORDING_DECRYPT_ARGS },
	{ "audit verify",
	  "check that nothing in the audit log was changed or taken out, without the gateway",
	  "監査ログが改変・削除されていないことを確かめる（ゲートウェイ不要）", COMMAND_WEB_NO,
	  audit_verify_args, AUDIT_VERIFY_ARGS },
	{ "audit export", "write the audit log to a folder, for others to read and check",
	  "監査ログをフォルダーに書き出す（第三者による確認用）", COMMAND_WEB_NO, audit_export_args,
	  AUDIT_EXPORT_ARGS },
	{ "audit stamp",
	  "have the newest checkpoint stamped by a time stamping authority (RFC 3161)",
	  "最新のチェックポイントにタイムスタンプを受ける（RFC 3161）", COMMAND_WEB_NO,
	  audit_stamp_args, AUDIT_STAMP_ARGS },
	{ "completion bash", "print the completion script for bash",
	  "bash の補完スクリプトを出力する", COMMAND_WEB_NO, NULL, 0 },
	{ "version", "show the version", "バージョンを表示する", COMMAND_WEB_NO, NULL, 0 },
};
const size_t local_command_count = ARRAY_SIZE(local_commands);

const struct command *command_at(size_t index)
{
	if (index < command_count)
		return &commands[index];
	index -= command_count;
	return index < local_command_count ? &local_commands[index] : NULL;
}

const struct command *command_lookup(const char *name)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)); i++)
		if (util_streq(command->name, name))
			return command;
	return NULL;
}

bool local_is(const struct command *command)
{
	return command >= local_commands && command < local_commands + local_command_count;
}

static json_t *value_of(const struct settings *settings, const struct config_key *key)
{
	const void *at = (const char *)settings + key->offset;
	const struct config_listen *listen = at;
	char text[96];

	switch (key->type) {
	case CONFIG_INT:
		return json_integer(*(const int64_t *)at);
	case CONFIG_BOOL:
		return json_boolean(*(const bool *)at);
	case CONFIG_LISTEN:
		snprintf(text, sizeof(text), strchr(listen->address, ':') ? "[%s]:%u" : "%s:%u",
			 listen->address, (unsigned)listen->port);
		return json_string(text);
	case CONFIG_STRING:
	default:
		return json_string(at);
	}
}

static json_t *settings_table(const struct settings *settings)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < settings_count; i++) {
		const struct config_key *key = &settings_keys[i];
		char name[128];
		snprintf(name, sizeof(name), "%s.%s", key->section, key->name);
		json_array_append_new(rows, json_pack("[s, o, s]", name, value_of(settings, key),
						      lang(key->en, key->ja)));
	}
	return json_pack("{s:[s,s,s], s:o}", "columns", lang("key", "項目"), lang("value", "値"),
			 lang("meaning", "意味"), "rows", rows);
}

bool local_settings(const struct args *args, struct settings *ret)
{
	struct config_error error;

	if (settings_read(args->config, ret, &error) == OK)
		return true;
	json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "error", err_code(ERR_INVALID), "field",
				 error.where, "message", error.en, "message_ja", error.ja);
	if (args->json) {
		show_json(stdout, body);
	} else {
		show_error(stderr, body);
		json_decref(body);
	}
	return false;
}

int local_config_check(const struct args *args)
{
	struct settings settings;

	if (!local_settings(args, &settings))
		return EXIT_REFUSED;
	json_t *table = settings_table(&settings);
	if (args->json) {
		show_json(stdout, table);
	} else {
		show_reply(stdout, table);
		json_decref(table);
	}
	return EXIT_DONE;
}

int local_version(const struct args *args)
{
	if (args->json)
		show_json(stdout, json_pack("{s:s}", "version", SEKISHO_VERSION));
	else
		puts("sekisho " SEKISHO_VERSION);
	return EXIT_DONE;
}

int local_run(const struct args *args)
{
	if (util_streq(args->command->name, "config check"))
		return local_config_check(args);
	if (util_streq(args->command->name, "auditor key"))
		return auditor_key(args);
	if (util_streq(args->command->name, "recording verify"))
		return recording_verify(args);
	if (util_streq(args->command->name, "recording check"))
		return recording_check(args);
	if (util_streq(args->command->name, "recording decrypt"))
		return recording_decrypt(args);
	if (util_streq(args->command->name, "audit verify"))
		return audit_verify(args);
	if (util_streq(args->command->name, "audit export"))
		return audit_export(args);
	if (util_streq(args->command->name, "audit stamp"))
		return audit_stamp(args);
	if (util_streq(args->command->name, "completion bash")) {
		completion_bash(stdout);
		return EXIT_DONE;
	}
	return local_version(args);
}
