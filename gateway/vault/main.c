/*
 * sekisho-vault: the process that holds root key and house key, and opens recordings with them. It
 * speaks to the broker, and to players through streams that the broker gives it.
 */
#include <jansson.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "base/util.h"
#include "vault/csv_rows.h"
#include "vault/vault.h"
#include "wire/child.h"

enum { OPEN_FILES = 128, TOKEN_FILES = 192 /* SoftHSM opens one per object */ };

struct process {
	struct child child;
	struct loop *loop;
	struct channel *monitor;
	struct vault vault;
	struct token *token; /* NULL: none is configured */
};

static void monitor_message(void *ctx, struct channel *channel, const struct wire_type *type,
			    const union wire_any *msg, int fd)
{
	struct process *process = ctx;

	(void)channel;
	if (type->id == MSG_scanner) {
		vault_scanner(&process->vault, msg->scanner.stream, fd);
		return;
	}
	/* Its end shows in its channel. */
	if (type->id == MSG_preview_exited)
		return;
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

static enum err want_scanner(void *ctx, uint32_t stream)
{
	const struct msg_scanner_wanted msg = { .stream = stream };
	struct process *process = ctx;

	return process->monitor ? channel_send(process->monitor, MSG_scanner_wanted, &msg, -1)
				: ERR_UNAVAILABLE;
}

static enum err spawn_preview(void *ctx, uint32_t stream, int fd)
{
	const struct msg_preview_spawn msg = { .number = stream };
	struct process *process = ctx;

	if (process->monitor)
		return channel_send(process->monitor, MSG_preview_spawn, &msg, fd);
	close(fd);
	return ERR_UNAVAILABLE;
}

static void kill_preview(void *ctx, uint32_t stream)
{
	const struct msg_preview_kill msg = { .number = stream };
	struct process *process = ctx;

	if (process->monitor && channel_send(process->monitor, MSG_preview_kill, &msg, -1))
		log_warn("preview-unkilled", "stream=%u", stream);
}

static const struct channel_ops monitor_ops = { monitor_message, monitor_closed };

static void on_signal(void *ctx, int signal)
{
	struct process *process = ctx;

	/* Ctrl-C on a terminal reaches all processes; the monitor then stops them in order. */
	if (signal == SIGTERM)
		loop_stop(process->loop, 0);
}

/* Its own folder, in which SQLite has the records; recordings come as descriptors. */
static enum err confine(const struct process *process)
{
	static const char *const calls[] = {
		"access",
		"fchmod",
		"fcntl-lock",
		"fdatasync",
		"fsync",
		"ftruncate",
		"getcwd",
		"getdents64",
		"lstat",
		"mkdir",
		"newfstatat",
		"open",
		"openat",
		"readlink",
		"rename",
		"renameat2",
		"stat",
		"statfs",
		"sync_file_range",
		"unlink",
		"unlinkat",
		/* From here on for a token alone, as in the signer. */
		"socket-refused",
	};
	enum { TOKEN_CALLS = 1, TOKEN_PATHS = 1 };
	const struct settings *settings = &process->child.settings;
	const struct sandbox_path paths[] = {
		{ process->child.state_dir, SANDBOX_WRITE },
		{ settings->vault_pkcs11_dir, SANDBOX_WRITE },
	};
	bool token = process->token != NULL;
	bool files = token && settings->vault_pkcs11_dir[0];
	const struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = ARRAY_SIZE(calls) - (token ? 0 : TOKEN_CALLS),
		.paths = paths,
		.path_count = ARRAY_SIZE(paths) - (files ? 0 : TOKEN_PATHS),
		.open_files = token ? TOKEN_FILES : OPEN_FILES,
		.may_lack_landlock = !settings->gateway_require_landlock,
	};

	return sandbox_enter(&sandbox);
}

/* Its libraries are loaded before the sandbox closes. */
static enum err open_token(struct process *process)
{
	const struct settings *settings = &process->child.settings;

	if (!settings->vault_pkcs11_module[0])
		return OK;
	enum err err = token_environment(settings->vault_pkcs11_environment);
	return err ? err
		   : token_open(settings->vault_pkcs11_module, settings->vault_pkcs11_key,
				&process->token);
}

static enum err start(struct process *process)
{
	int passphrase_fd = -1;
	enum err err = house_prepare();

	if (!err)
		err = clock_set_zone(process->child.settings.gateway_zone);
	if (!err)
		err = open_token(process);
	if (!err && process->child.settings.vault_passphrase_file[0])
		err = child_wait_file(FILE_VAULT_PASSPHRASE, &passphrase_fd);
	if (!err)
		err = loop_new(&process->loop);
	if (!err)
		err = loop_signal(process->loop, SIGTERM, on_signal, process);
	if (!err)
		err = loop_signal(process->loop, SIGINT, on_signal, process);
	csv_rows_prepare();
	if (!err)
		err = confine(process);
	if (!err)
		err = vault_init(&process->vault, process->loop, process->child.state_dir,
				 util_take_fd(&passphrase_fd));
	util_closep(&passphrase_fd);
	if (!err && process->token)
		vault_use_token(&process->vault, process->token,
				process->child.settings.vault_pkcs11_key);
	process->vault.documents.scan = process->child.settings.vault_clamd[0] != '\0';
	process->vault.documents.want_scanner = want_scanner;
	process->vault.documents.spawn_preview = spawn_preview;
	process->vault.documents.kill_preview = kill_preview;
	process->vault.documents.ctx = process;
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
	json_set_alloc_funcs(secret_malloc,
			     secret_malloc_free); /* what people entered is in JSON */
	enum err err = start(&process);
	if (err)
		log_error("start-failed", "folder=\"%s\" error=%s text=\"%s\"",
			  process.child.state_dir, err_code(err), err_text_en(err));
	else
		code = loop_run(process.loop);
	channel_free(process.monitor);
	vault_finish(&process.vault);
	token_close(process.token);
	loop_free(process.loop);
	return code;
}
