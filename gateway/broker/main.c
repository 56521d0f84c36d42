/*
 * sekisho-broker: holds the database and decides. It has no network socket.
 */
#include <jansson.h>
#include <openssl/evp.h>
#include <signal.h>
#include <time.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "broker/broker.h"
#include "wire/child.h"

enum { OPEN_FILES = 4096 };

struct process {
	struct child child;
	struct loop *loop;
	struct broker *broker;
};

static void on_signal(void *ctx, int signal)
{
	struct process *process = ctx;

	/* Ctrl-C on a terminal reaches all processes; the monitor then stops them in order. */
	if (signal == SIGTERM && process->broker)
		broker_stop(process->broker);
}

/* The database's files, the recordings, the leaked passwords, nothing else of the file system, and
 * the admin socket's accept. */
static enum err confine(const struct child *child)
{
	static const char *const calls[] = {
		"accept4", "access",     "fchmod", "fchown",     "fdatasync", "fsync",  "ftruncate",
		"getcwd",  "lstat",      "mkdir",  "newfstatat", "open",      "openat", "readlink",
		"rename",  "fcntl-lock", "stat",   "statfs",     "unlink",
	};
	const char *leaked = child->settings.login_leaked_passwords;
	char recordings[SETTINGS_PATH];
	const struct sandbox_path paths[] = {
		{ child->state_dir, SANDBOX_WRITE },
		{ recordings, SANDBOX_WRITE },
		{ leaked, SANDBOX_READ },
	};
	const struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = ARRAY_SIZE(calls),
		.paths = paths,
		.path_count = ARRAY_SIZE(paths) - (*leaked ? 0 : 1),
		.open_files = OPEN_FILES,
		.may_lack_landlock = !child->settings.gateway_require_landlock,
	};

	settings_recordings(&child->settings, recordings);
	return sandbox_enter(&sandbox);
}

/* Fetched once from the provider here, while it may still load; likewise the time zone. */
static void warm_up(void)
{
	tzset();
	EVP_CIPHER_free(EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL));
	EVP_MD_free(EVP_MD_fetch(NULL, "SHA256", NULL));
}

static enum err start(struct process *process)
{
	const struct child *child = &process->child;
	struct loop *loop = process->loop;
	enum err err = loop_signal(loop, SIGTERM, on_signal, process);

	if (!err)
		err = loop_signal(loop, SIGINT, on_signal, process);
	/* First, so that the threads which the broker starts are confined too. */
	if (!err)
		err = confine(child);
	if (!err)
		err = broker_open(loop, &child->settings, child->state_dir, &process->broker);
	if (!err)
		err = child_channel(child, loop, &broker_monitor_ops, process->broker,
				    &process->broker->monitor);
	return err;
}

int main(int argc, char **argv)
{
	static struct process process;
	int code = 1;
	enum err err;

	child_start(&process.child, WIRE_BROKER, "broker", argc, argv);
	warm_up();
	/* Requests and answers on the admin socket hold passwords and TOTP secrets. */
	json_set_alloc_funcs(secret_malloc, secret_malloc_free);
	err = loop_new(&process.loop);
	if (!err)
		err = start(&process);
	if (err)
		log_error("start-failed", "folder=\"%s\" error=%s text=\"%s\"",
			  process.child.state_dir, err_code(err), err_text_en(err));
	else
		code = loop_run(process.loop);
	broker_close(process.broker);
	loop_free(process.loop);
	return code;
}
