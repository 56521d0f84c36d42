/*
 * sekisho-vault: the process that holds the house key and opens recordings with it. It speaks to
 * the broker, and to players through streams that the broker gives it.
 */
#include <openssl/evp.h>
#include <signal.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "vault/vault.h"
#include "wire/child.h"

enum { OPEN_FILES = 128 };

struct process {
	struct child child;
	struct loop *loop;
	struct channel *monitor;
	struct vault vault;
};

static void monitor_message(void *ctx, struct channel *channel, const struct wire_type *type,
			    const union wire_any *msg, int fd)
{
	struct process *process = ctx;

	(void)channel;
	if (type->id != MSG_link || msg->link.peer != WIRE_BROKER) {
		util_closep(&fd);
		log_warn("unexpected-message", "type=%s", type->name);
		return;
	}
	enum err err = vault_link(&process->vault, fd);
	if (err)
		log_error("broker-link", "error=%s", err_code(err));
}

static void monitor_closed(void *ctx, struct channel *channel, enum err why)
{
	struct process *process = ctx;

	(void)channel;
	process->monitor = NULL;
	loop_stop(process->loop, why == ERR_CLOSED ? 0 : 1);
}

static const struct channel_ops monitor_ops = { monitor_message, monitor_closed };

static void on_signal(void *ctx, int signal)
{
	struct process *process = ctx;

	/* Ctrl-C on a terminal reaches all processes; the monitor then stops them in order. */
	if (signal == SIGTERM)
		loop_stop(process->loop, 0);
}

/* Its own folder; recordings come as descriptors. */
static enum err confine(const struct process *process)
{
	static const char *const calls[] = {
		"fsync", "lstat", "newfstatat", "openat", "rename", "renameat2", "stat", "unlink",
	};
	const struct sandbox_path paths[] = { { process->child.state_dir, SANDBOX_WRITE } };
	const struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = ARRAY_SIZE(calls),
		.paths = paths,
		.path_count = ARRAY_SIZE(paths),
		.open_files = OPEN_FILES,
		.may_lack_landlock = !process->child.settings.gateway_require_landlock,
	};

	return sandbox_enter(&sandbox);
}

static enum err start(struct process *process)
{
	int passphrase_fd = -1;
	enum err err = house_prepare();

	if (!err && process->child.settings.vault_passphrase_file[0])
		err = child_wait_file(FILE_VAULT_PASSPHRASE, &passphrase_fd);
	if (!err)
		err = loop_new(&process->loop);
	if (!err)
		err = loop_signal(process->loop, SIGTERM, on_signal, process);
	if (!err)
		err = loop_signal(process->loop, SIGINT, on_signal, process);
	if (!err)
		err = confine(process);
	if (!err)
		err = vault_init(&process->vault, process->loop, process->child.state_dir,
				 util_take_fd(&passphrase_fd));
	util_closep(&passphrase_fd);
	if (!err)
		err = child_channel(&process->child, process->loop, &monitor_ops, process,
				    &process->monitor);
	return err;
}

int main(int argc, char **argv)
{
	static struct process process = { .vault.passphrase_fd = -1 };
	int code = 1;

	child_start(&process.child, WIRE_VAULT, "vault", argc, argv);
	enum err err = start(&process);
	if (err)
		log_error("start-failed", "folder=\"%s\" error=%s text=\"%s\"",
			  process.child.state_dir, err_code(err), err_text_en(err));
	else
		code = loop_run(process.loop);
	channel_free(process.monitor);
	vault_finish(&process.vault);
	loop_free(process.loop);
	return code;
}
