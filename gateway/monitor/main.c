/*
 * sekishod - the monitor: starts, restarts and stops the processes of the gateway.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "monitor/monitor.h"
#include "monitor/refuse.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: sekishod <settings file>\n"
	"\n"
	"Runs the gateway in the foreground until SIGTERM or SIGINT and logs to stderr.\n"
	"Started as root, every process gets its own user (sekisho-edge, sekisho-broker, …).\n"
	"\n"
	"使い方: sekishod <設定ファイル>\n"
	"\n"
	"ゲートウェイを SIGTERM か SIGINT まで前面で動かします。ログは標準エラーに出ます。\n"
	"root で起動すると、プロセスごとに専用のユーザー（sekisho-edge、sekisho-broker "
	"など）で動きます。\n"
	"\n"
	"  --help     show this / この説明を表示する\n"
	"  --version  show the version / バージョンを表示する\n";

/* The folder of our own program, where the others are. */
static bool find_program_dir(char ret[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", ret, PATH_MAX - 1);

	if (len < 0) {
		refuse_errno("/proc/self/exe");
		return false;
	}
	ret[len] = 0;
	*strrchr(ret, '/') = 0;
	return true;
}

static int run(const char *settings_path)
{
	static struct settings settings;
	char program_dir[PATH_MAX], path[PATH_MAX];
	struct config_error error;

	if (!realpath(settings_path, path)) {
		refuse_errno("%s", settings_path);
		return EXIT_USAGE;
	}
	if (settings_read(path, &settings, &error)) {
		refuse(error.en, error.ja, "%s", error.where);
		return EXIT_USAGE;
	}
	if (!find_program_dir(program_dir))
		return EXIT_FAILURE;
	signal(SIGPIPE, SIG_IGN);
	log_init("monitor", LOG_LEVEL_INFO);
	return monitor_run(path, &settings, program_dir);
}

int main(int argc, char **argv)
{
	if (argc == 2 && util_streq(argv[1], "--help")) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && util_streq(argv[1], "--version")) {
		puts("sekishod " SEKISHO_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && argv[1][0] != '-')
		return run(argv[1]);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
