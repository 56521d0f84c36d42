#include "unit/folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/exit.h"
#include "cli/lang.h"
#include "cli/local.h"

enum { WORDS_MAX = 40 };

/* Parses the words after "sekisho", up to NULL. */
static enum err parse(struct args *args, struct args_error *error, va_list list)
{
	char *argv[WORDS_MAX + 1] = { (char *)"sekisho" };
	int argc = 1;

	while (argc < WORDS_MAX && (argv[argc] = va_arg(list, char *)))
		argc++;
	memset(error, 0, sizeof(*error));
	return args_parse(argc, argv, args, error);
}

__attribute__((sentinel)) static struct args good(const char *first, ...)
{
	char *argv[WORDS_MAX + 1] = { (char *)"sekisho", (char *)first };
	int argc = 2;
	struct args args = { 0 };
	struct args_error error = { "" };
	va_list list;

	va_start(list, first);
	while (argc < WORDS_MAX && (argv[argc] = va_arg(list, char *)))
		argc++;
	va_end(list);
	if (args_parse(argc, argv, &args, &error))
		fail_msg("refused: %s", error.text);
	return args;
}

/* Refused with a text that has this in it. */
__attribute__((sentinel)) static void bad(const char *expected, ...)
{
	struct args args;
	struct args_error error;
	va_list list;

	va_start(list, expected);
	enum err err = parse(&args, &error, list);
	va_end(list);
	assert_int_equal(err, ERR_INVALID);
	if (!strstr(error.text, expected))
		fail_msg("\"%s\" has no \"%s\"", error.text, expected);
}

static int in_english(void **state)
{
	(void)state;
	setenv("LC_ALL", "C", 1);
	lang_init();
	return 0;
}

static void test_good(void **state)
{
	(void)state;
	struct args args = good("user", "add", "--name", "sato", "--full-name=佐藤 花子", NULL);
	assert_int_equal(args.action, ARGS_RUN);
	assert_string_equal(args.command->name, "user add");
	assert_int_equal(args.value_count, 2);
	assert_string_equal(args_find(&args, "name")->text, "sato");
	assert_string_equal(args_find(&args, "full-name")->text, "佐藤 花子");
	assert_null(args_find(&args, "role"));
	assert_false(args.json);
	assert_string_equal(args.config, "/etc/sekisho/sekisho.conf");
	args = good("device", "revoke", "--id", "17", NULL);
	assert_int_equal(args_find(&args, "id")->number, 17);
	args = good("host", "grant", "--name", "a", "--view-only", "--user", "b", NULL);
	assert_non_null(args_find(&args, "view-only"));
	args = good("status", NULL);
	assert_string_equal(args.command->name, "status");
}

static void test_options_everywhere(void **state)
{
	(void)state;
	struct args args = good("--config", "a.conf", "--json", "user", "list", NULL);
	assert_string_equal(args.config, "a.conf");
	assert_true(args.json);
	args = good("user", "--json", "list", "--config=b.conf", NULL);
	assert_string_equal(args.config, "b.conf");
	assert_true(args.json);
	bad("--config is given twice", "--config", "a", "status", "--config", "b", NULL);
	bad("--config needs a value", "status", "--config", NULL);
}

static void test_unknown_command(void **state)
{
	(void)state;
	bad("no command", NULL);
	bad("unknown command \"frobnicate\"", "frobnicate", NULL);
	bad("unknown command \"user frobnicate\"", "user", "frobnicate", NULL);
	bad("unknown command", "", NULL);
	bad("user what?", "user", NULL);
	bad("unexpected word \"more\"", "user", "list", "more", NULL);
	/* The name of a command as one word is no command. */
	bad("unknown command", "user list", "x", NULL);
	bad("unknown command",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaa",
	    NULL);
	bad("unknown command", "user",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaa",
	    NULL);
}

static void test_unknown_option(void **state)
{
	(void)state;
	bad("unknown option --frob:", "user", "add", "--frob", "x", NULL);
	/* The value of a misspelt option is not repeated: it may be something that should not be on
	 * a screen. */
	struct args args;
	struct args_error error;
	char *argv[] = { (char *)"sekisho", (char *)"user", (char *)"add",
			 (char *)"--pasword=geheim" };
	assert_int_equal(args_parse(4, argv, &args, &error), ERR_INVALID);
	assert_null(strstr(error.text, "geheim"));
	bad("unknown option --name:", "--name", "x", "user", "add", NULL);
	bad("unknown option --nam:", "user", "add", "--nam", "x", NULL);
	bad("unknown option --:", "user", "add", "--", NULL);
	bad("unexpected word \"-x\"", "user", "list", "-x", NULL);
}

static void test_missing_and_doubled(void **state)
{
	(void)state;
	bad("user add needs --name", "user", "add", NULL);
	bad("device enrol needs --name", "device", "enrol", "--user", "a", "--out", "b", NULL);
	bad("--name is given twice", "user", "add", "--name", "a", "--name", "b", NULL);
	bad("--view-only is given twice", "host", "grant", "--view-only", "--view-only", NULL);
	bad("--name needs a value", "user", "add", "--name", NULL);
	bad("--name needs a value", "user", "add", "--name", "--json", NULL);
	bad("--name needs a value", "user", "add", "--name=", NULL);
	bad("--view-only takes no value", "host", "grant", "--view-only=1", NULL);
}

static void test_values(void **state)
{
	char longest[ARGS_TEXT_MAX + 2], path[ARGS_PATH_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	memset(path, 'x', sizeof(path));
	longest[ARGS_TEXT_MAX] = '\0';
	path[ARGS_PATH_MAX] = '\0';
	good("user", "add", "--name", longest, NULL);
	good("status", "--config", path, NULL);
	longest[ARGS_TEXT_MAX] = 'x';
	longest[ARGS_TEXT_MAX + 1] = '\0';
	path[ARGS_PATH_MAX] = 'x';
	path[ARGS_PATH_MAX + 1] = '\0';
	bad("--name is too long", "user", "add", "--name", longest, NULL);
	bad("--config is too long", "status", "--config", path, NULL);
	bad("--out is too long", "device", "enrol", "--out", path, NULL);
	bad("--name is not UTF-8", "user", "add", "--name", "\xff\xfe", NULL);
	bad("--name has control characters", "user", "add", "--name", "a\033[2J", NULL);
	bad("--id must be a number", "device", "revoke", "--id", "x", NULL);
	bad("--id must be a number", "device", "revoke", "--id", "-1", NULL);
	bad("--id must be a number", "device", "revoke", "--id", "1x", NULL);
	bad("--id must be a number", "device", "revoke", "--id", "99999999999999999999", NULL);
}

/* Everybody on the machine can read argv. */
static void test_password_is_no_option(void **state)
{
	struct args args;
	struct args_error error;
	char *argv[] = { (char *)"sekisho", (char *)"user", (char *)"add", (char *)"--password",
			 (char *)"geheim" };

	(void)state;
	assert_int_equal(args_parse(5, argv, &args, &error), ERR_INVALID);
	assert_non_null(strstr(error.text, "never given on the command line"));
	assert_null(strstr(error.text, "geheim"));
	bad("never given on the command line", "user", "add", "--password=geheim", NULL);
}

/* One that is not always needed is named without a value, and then asked for. */
static void test_optional_password(void **state)
{
	struct args args;
	struct args_error error;
	char *argv[] = { (char *)"sekisho", (char *)"ca", (char *)"rotate", (char *)"--passphrase",
			 (char *)"geheim" };

	(void)state;
	args = good("ca", "rotate", NULL);
	assert_null(args_find(&args, "passphrase"));
	args = good("ca", "rotate", "--passphrase", "--new-root", NULL);
	assert_non_null(args_find(&args, "passphrase"));
	assert_non_null(args_find(&args, "new-root"));
	bad("never given on the command line", "ca", "rotate", "--passphrase=geheim", NULL);
	assert_int_equal(args_parse(5, argv, &args, &error), ERR_INVALID);
	assert_non_null(strstr(error.text, "never given on the command line"));
	assert_null(strstr(error.text, "geheim"));
	bad("given twice", "ca", "rotate", "--passphrase", "--passphrase", NULL);
}

static void test_error_text_is_harmless(void **state)
{
	(void)state;
	bad("unknown command \"?[2J\"", "\033[2J", NULL);
	bad("not \"??x\"", "device", "revoke", "--id", "\n\tx", NULL);
}

static void test_help(void **state)
{
	(void)state;
	struct args args = good("--help", NULL);
	assert_int_equal(args.action, ARGS_HELP);
	assert_null(args.command);
	args = good("user", "--help", NULL);
	assert_int_equal(args.action, ARGS_HELP);
	assert_string_equal(args.group, "user");
	/* Nothing that is required is missed. */
	args = good("user", "add", "-h", NULL);
	assert_int_equal(args.action, ARGS_HELP);
	assert_string_equal(args.command->name, "user add");
	args = good("--version", NULL);
	assert_int_equal(args.action, ARGS_VERSION);
}

static void test_japanese(void **state)
{
	(void)state;
	setenv("LC_ALL", "ja_JP.UTF-8", 1);
	lang_init();
	bad("不明なコマンド", "frobnicate", NULL);
	/* LC_ALL goes before LANG, an empty one does not count. */
	setenv("LC_ALL", "", 1);
	setenv("LC_MESSAGES", "", 1);
	setenv("LANG", "ja_JP.UTF-8", 1);
	lang_init();
	assert_true(lang_is_ja());
	setenv("LC_ALL", "en_GB.UTF-8", 1);
	lang_init();
	assert_false(lang_is_ja());
	unsetenv("LANG");
	unsetenv("LC_MESSAGES");
}

static void test_every_command_is_reachable(void **state)
{
	const struct command *command;
	size_t count = 0;

	(void)state;
	for (; (command = command_at(count)); count++) {
		char name[64];
		assert_true(strlen(command->name) < sizeof(name));
		memcpy(name, command->name, strlen(command->name) + 1);
		char *space = strchr(name, ' ');
		if (space)
			*space = '\0';
		struct args args = good(name, space ? space + 1 : "--help", "--help", NULL);
		assert_ptr_equal(args.command, command);
		/* Texts in both languages; several passwords only where all are asked for anyway.
		 */
		size_t passwords = 0, asked = 0;
		assert_true(command->en[0] && command->ja[0]);
		for (size_t i = 0; i < command->arg_count; i++) {
			assert_true(command->args[i].en[0] && command->args[i].ja[0]);
			passwords += command->args[i].type == COMMAND_PASSWORD;
			asked += command->args[i].type == COMMAND_PASSWORD &&
				 command->args[i].required;
		}
		assert_true(passwords <= 1 || passwords == asked);
		assert_true(command->arg_count <= ARGS_VALUES_MAX);
	}
	assert_int_equal(count, command_count + local_command_count);
}

/* The whole program, with its output away. */
static char said[16 * 1024];

__attribute__((sentinel)) static int run(const char *first, ...)
{
	char *argv[WORDS_MAX + 1] = { (char *)"sekisho", (char *)first };
	int argc = first ? 2 : 1;
	va_list list;

	va_start(list, first);
	while (first && argc < WORDS_MAX && (argv[argc] = va_arg(list, char *)))
		argc++;
	va_end(list);
	fflush(stdout);
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	FILE *sink = tmpfile();
	assert_non_null(sink);
	dup2(fileno(sink), STDOUT_FILENO);
	dup2(fileno(sink), STDERR_FILENO);
	int code = cli_main(argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(sink);
	said[fread(said, 1, sizeof(said) - 1, sink)] = 0;
	fclose(sink);
	return code;
}

static void test_exit_codes(void **state)
{
	char conf[UNIT_FILE];
	int fd = unit_file(conf);

	(void)state;
	assert_true(dprintf(fd, "[gateway]\nruntime_dir = /tmp/sekisho-nobody-here\n") > 0);
	assert_int_equal(run("--help", NULL), EXIT_DONE);
	assert_int_equal(run("user", "add", "--help", NULL), EXIT_DONE);
	assert_int_equal(run("completion", "bash", NULL), EXIT_DONE);
	assert_int_equal(run("version", NULL), EXIT_DONE);
	assert_int_equal(run(NULL, NULL), EXIT_USAGE);
	assert_int_equal(run("user", "add", NULL), EXIT_USAGE);
	assert_int_equal(run("config", "check", "--config", conf, NULL), EXIT_DONE);
	assert_int_equal(run("config", "check", "--config", conf, "--json", NULL), EXIT_DONE);
	assert_int_equal(run("config", "check", "--config", "/nonexistent", NULL), EXIT_REFUSED);
	assert_int_equal(run("status", "--config", conf, NULL), EXIT_UNREACHABLE);
	assert_true(dprintf(fd, "colour = blue\n") > 0);
	assert_int_equal(run("config", "check", "--config", conf, NULL), EXIT_REFUSED);
	assert_int_equal(run("status", "--config", conf, NULL), EXIT_USAGE);
	close(fd);
}

/* The settings' errors and explanations are in the person's language. */
static void test_settings_in_both_languages(void **state)
{
	char conf[UNIT_FILE];
	int fd = unit_file(conf);

	(void)state;
	assert_int_equal(run("config", "check", "--config", conf, NULL), EXIT_DONE);
	assert_non_null(strstr(said, "seconds a PC may take to answer"));
	assert_true(dprintf(fd, "[login]\nfailures = 1\n") > 0);
	assert_int_equal(run("config", "check", "--config", conf, NULL), EXIT_REFUSED);
	assert_non_null(strstr(said, ":2: login.failures: \"1\" is not allowed: a whole number "
				     "from 3 to 100"));
	assert_int_equal(run("config", "check", "--config", conf, "--json", NULL), EXIT_REFUSED);
	assert_non_null(strstr(said, "\"message_ja\":\"「1」は使えません"));
	setenv("LC_ALL", "ja_JP.UTF-8", 1);
	lang_init();
	assert_int_equal(run("status", "--config", conf, NULL), EXIT_USAGE);
	assert_non_null(strstr(said, ":2: login.failures: 「1」は使えません。3～100 の整数"));
	assert_int_equal(run("config", "check", "--help", NULL), EXIT_DONE);
	assert_non_null(strstr(said, "PC の応答を待つ秒数 (10)"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, in_english),
		cmocka_unit_test_setup(test_options_everywhere, in_english),
		cmocka_unit_test_setup(test_unknown_command, in_english),
		cmocka_unit_test_setup(test_unknown_option, in_english),
		cmocka_unit_test_setup(test_missing_and_doubled, in_english),
		cmocka_unit_test_setup(test_values, in_english),
		cmocka_unit_test_setup(test_password_is_no_option, in_english),
		cmocka_unit_test_setup(test_optional_password, in_english),
		cmocka_unit_test_setup(test_error_text_is_harmless, in_english),
		cmocka_unit_test_setup(test_help, in_english),
		cmocka_unit_test_setup(test_japanese, in_english),
		cmocka_unit_test_setup(test_every_command_is_reachable, in_english),
		cmocka_unit_test_setup(test_exit_codes, in_english),
		cmocka_unit_test_setup(test_settings_in_both_languages, in_english),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
