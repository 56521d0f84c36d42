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

static void on_signal(void *ctx, int signal)
{
	/* Ctrl-C on a terminal reaches all processes; the monitor then stops them in order. */
	if (signal == SIGTERM)
		loop_stop(ctx, 0);
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

static enum err start(struct child *child, struct loop *loop, struct broker **ret)
{
	enum err err = loop_signal(loop, SIGTERM, on_signal, loop);

	if (!err)
		err = loop_signal(loop, SIGINT, on_signal, loop);
	/* First, so that the threads which the broker starts are confined too. */
	if (!err)
		err = confine(child);
	if (!err)
		err = broker_open(loop, &child->settings, child->state_dir, ret);
	if (!err)
		err = child_channel(child, loop, &broker_monitor_ops, *ret, &(*ret)->monitor);
	return err;
}

int main(int argc, char **argv)
{
	static struct child child;
	struct broker *broker = NULL;
	struct loop *loop = NULL;
	int code = 1;
	enum err err;

	child_start(&child, WIRE_BROKER, "broker", argc, argv);
	warm_up();
	/* Requests and answers on the admin socket hold passwords and TOTP secrets. */
	json_set_alloc_funcs(secret_malloc, secret_malloc_free);
	err = loop_new(&loop);
	if (!err)
		err = start(&child, loop, &broker);
	if (err)
		log_error("start-failed", "folder=\"%s\" error=%s text=\"%s\"", child.state_dir,
			  err_code(err), err_text_en(err));
	else
		code = loop_run(loop);
	broker_close(broker);
	loop_free(loop);
	return code;
}
