#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/landlock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "monitor/folder.h"
#include "monitor/helper.h"
#include "monitor/listen.h"
#include "monitor/passphrase.h"
#include "monitor/refuse.h"
#include "monitor/scanner.h"
#include "monitor/worker.h"
#include "wire/child.h"

enum {
	MONITOR_STOP_US = 3 * 1000 * 1000,
	MONITOR_WORKERS_US = 2 * 1000 * 1000, /* for workers to end what they record */
};

/* Of whose keys, and which setting names the file. */
static const struct {
	enum wire_role role;
	uint8_t kind; /* enum file_kind */
	const char *setting;
	size_t offset; /* in struct settings */
} passphrase_rows[] = {
	{ WIRE_SIGNER, FILE_CA_PASSPHRASE, "ca.passphrase_file",
	  offsetof(struct settings, ca_passphrase_file) },
	{ WIRE_VAULT, FILE_VAULT_PASSPHRASE, "vault.passphrase_file",
	  offsetof(struct settings, vault_passphrase_file) },
};
enum { MONITOR_PASSPHRASES = ARRAY_SIZE(passphrase_rows) };

struct monitor {
	const struct settings *settings;
	struct loop *loop;
	struct folder_lock lock;
	int listeners[PROCESS_LISTENERS];     /* -1: not open */
	int passphrases[MONITOR_PASSPHRASES]; /* as passphrase_rows; -1: none is configured */
	struct spawn_place place;
	struct processes processes;
	struct workers workers;
	struct helpers exports, previews;
	bool stopping;
	struct loop_timer patience; /* runs while stopping */
};

/* ---- before the loop -------------------------------------------------------------------- */

/* The broker's, wherever it is. */
static enum err make_recordings(struct monitor *monitor)
{
	char path[SETTINGS_PATH];

	settings_recordings(monitor->settings, path);
	for (size_t i = 0; i < PROCESS_COUNT; i++) {
		const struct process *process = &monitor->processes.list[i];
		if (process->row->role == WIRE_BROKER)
			return folder_make(path, 0700, process->user.uid, process->user.gid);
	}
	return ERR_INTERNAL;
}

static enum err make_folders(struct monitor *monitor)
{
	const char *state_dir = monitor->settings->gateway_state_dir;
	const struct processes *processes = &monitor->processes;
	char path[300];
	/* Other users must get through to their own folder, but not list it. */
	mode_t mode = geteuid() == 0 ? 0711 : 0700;

	enum err err = folder_make(state_dir, mode, geteuid(), getegid());
	for (size_t i = 0; !err && i < PROCESS_COUNT; i++) {
		const struct process *process = &processes->list[i];
		if (!process->wanted)
			continue;
		snprintf(path, sizeof(path), "%s/%s", state_dir, process->row->name);
		err = folder_make(path, 0700, process->user.uid, process->user.gid);
	}
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/worker", state_dir);
	err = folder_make(path, 0700, monitor->workers.user.uid, monitor->workers.user.gid);
	if (!err)
		err = make_recordings(monitor);
	if (!err)
		err = folder_make(monitor->settings->gateway_runtime_dir, 0755, geteuid(),
				  getegid());
	return err;
}

static enum err open_listeners(struct monitor *monitor)
{
	const struct settings *settings = monitor->settings;
	int *fds = monitor->listeners;

	enum err err =
		listen_tcp(&settings->gateway_listen, "gateway.listen", &fds[LISTENER_GATEWAY]);
	if (!err)
		err = listen_tcp(&settings->gateway_enrol_listen, "gateway.enrol_listen",
				 &fds[LISTENER_ENROL]);
	if (!err)
		err = listen_admin(settings->gateway_runtime_dir, &fds[LISTENER_ADMIN]);
	return err;
}

static enum err open_passphrases(struct monitor *monitor)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < MONITOR_PASSPHRASES; i++) {
		const char *path = (const char *)monitor->settings + passphrase_rows[i].offset;
		if (*path)
			err = passphrase_open(passphrase_rows[i].setting, path,
					      &monitor->passphrases[i]);
	}
	return err;
}

/* ---- events ----------------------------------------------------------------------------- */

/* Signer and vault wait for it. One that gets none ends after a while, and is started again. */
static void send_passphrase(struct monitor *monitor, struct process *process)
{
	for (size_t i = 0; i < MONITOR_PASSPHRASES; i++) {
		const struct msg_file msg = { .kind = passphrase_rows[i].kind };
		if (passphrase_rows[i].role != process->row->role || monitor->passphrases[i] < 0)
			continue;
		int fd = fcntl(monitor->passphrases[i], F_DUPFD_CLOEXEC, CHILD_MONITOR_FD + 1);
		if (fd < 0)
			log_error("file-failed", "child=%s error=\"%s\"", process->row->name,
				  strerror(errno));
		else
			process_send(process, MSG_file, &msg, fd);
	}
}

static void process_started(void *ctx, struct process *process)
{
	struct monitor *monitor = ctx;

	if (process->row->role == WIRE_BROKER) {
		workers_adopt(&monitor->workers);
		helpers_end_all(&monitor->exports);
	} else {
		send_passphrase(monitor, process);
	}
	if (process->row->role == WIRE_VAULT)
		helpers_end_all(&monitor->previews);
}

/* The vault's upload is refused when there is none. */
static void send_scanner(struct monitor *monitor, struct process *vault, uint32_t stream)
{
	const struct msg_scanner msg = { .stream = stream };
	int fd = -1;
	enum err err = scanner_connect(monitor->settings->vault_clamd, &fd);

	if (err)
		log_error("scanner-unreachable", "clamd=\"%s\" error=%s",
			  monitor->settings->vault_clamd, err_code(err));
	process_send(vault, MSG_scanner, &msg, fd);
}

static void process_message(void *ctx, struct process *process, const struct wire_type *type,
			    const union wire_any *msg, int fd)
{
	struct monitor *monitor = ctx;

	/* The channel lets through only what messages.def has from this role to the monitor. */
	if (type->id == MSG_export_spawn) {
		helpers_spawn(&monitor->exports, msg->export_spawn.number, fd);
		return;
	}
	if (type->id == MSG_preview_spawn) {
		helpers_spawn(&monitor->previews, msg->preview_spawn.number, fd);
		return;
	}
	util_closep(&fd);
	if (type->id == MSG_scanner_wanted)
		send_scanner(monitor, process, msg->scanner_wanted.stream);
	else if (type->id == MSG_export_kill)
		helpers_kill(&monitor->exports, msg->export_kill.number);
	else if (type->id == MSG_preview_kill)
		helpers_kill(&monitor->previews, msg->preview_kill.number);
	else
		workers_message(&monitor->workers, type, msg);
}

static const struct process_ops monitor_process_ops = { process_started, process_message };

/* After the workers, whose last words the others take. */
static void stop_processes(struct monitor *monitor)
{
	processes_stop(&monitor->processes, SIGTERM);
	loop_timer_set(&monitor->patience, MONITOR_STOP_US);
}

static void check_stopped(struct monitor *monitor)
{
	if (monitor->stopping && !monitor->processes.stopping && monitor->workers.count == 0)
		stop_processes(monitor);
	if (monitor->processes.stopping && !processes_running(&monitor->processes) &&
	    monitor->workers.count == 0 && monitor->exports.count == 0 &&
	    monitor->previews.count == 0)
		loop_stop(monitor->loop, EXIT_SUCCESS);
}

static void children_ended(void *ctx, int signal)
{
	struct monitor *monitor = ctx;
	pid_t pid;
	int status;

	(void)signal;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!processes_reaped(&monitor->processes, pid, status) &&
		    !workers_reaped(&monitor->workers, pid, status) &&
		    !helpers_reaped(&monitor->exports, pid, status))
			helpers_reaped(&monitor->previews, pid, status);
	check_stopped(monitor);
}

static void stop_asked(void *ctx, int signal)
{
	struct monitor *monitor = ctx;

	if (monitor->stopping)
		return;
	log_info("stopping", "signal=%s", sigabbrev_np(signal));
	monitor->stopping = true;
	workers_stop(&monitor->workers, SIGTERM);
	helpers_stop(&monitor->exports, SIGKILL);
	helpers_stop(&monitor->previews, SIGKILL);
	loop_timer_set(&monitor->patience, MONITOR_WORKERS_US);
	check_stopped(monitor);
}

static void patience_over(struct loop_timer *timer)
{
	struct monitor *monitor = container_of(timer, struct monitor, patience);

	if (!monitor->processes.stopping) {
		log_warn("workers-stopped-by-force", "workers=%zu", monitor->workers.count);
		workers_stop(&monitor->workers, SIGKILL);
		stop_processes(monitor);
		return;
	}
	log_warn("stopping-by-force", "after_s=%d", MONITOR_STOP_US / 1000000);
	processes_stop(&monitor->processes, SIGKILL);
	workers_stop(&monitor->workers, SIGKILL);
}

static void reload_asked(void *ctx, int signal)
{
	(void)ctx;
	(void)signal;
	log_info("reload-ignored",
		 "settings are read at start; restart the gateway to change them");
}

static enum err watch_signals(struct monitor *monitor)
{
	enum err err = loop_signal(monitor->loop, SIGCHLD, children_ended, monitor);

	if (!err)
		err = loop_signal(monitor->loop, SIGTERM, stop_asked, monitor);
	if (!err)
		err = loop_signal(monitor->loop, SIGINT, stop_asked, monitor);
	if (!err)
		err = loop_signal(monitor->loop, SIGHUP, reload_asked, monitor);
	return err;
}

/* ---- life ------------------------------------------------------------------------------- */

static bool kernel_good(const struct settings *settings)
{
	if (landlock_abi() || !settings->gateway_require_landlock)
		return true;
	refuse("this kernel has no Landlock, which shuts the processes off from files; use Linux "
	       "5.13 or later with landlock in lsm=, or set gateway.require_landlock = no",
	       "プロセスをファイルから隔離する Landlock がカーネルにありません。lsm= に landlock "
	       "を含む Linux 5.13 以降を使うか、gateway.require_landlock = no と設定してください",
	       "gateway.require_landlock = yes");
	return false;
}

static int run_locked(struct monitor *monitor)
{
	const char *runtime_dir = monitor->settings->gateway_runtime_dir;
	int code = EXIT_FAILURE;

	if (open_passphrases(monitor) == OK && open_listeners(monitor) == OK) {
		log_info("started", "version=%s users=%s", SEKISHO_VERSION,
			 geteuid() == 0 ? "separate" : "one");
		if (geteuid() != 0)
			log_warn("one-user", "separation=off reason=\"not started as root\"");
		processes_start(&monitor->processes);
		code = loop_run(monitor->loop);
		listen_admin_remove(runtime_dir);
		log_info("stopped", "code=%d", code);
	}
	for (size_t kind = 0; kind < PROCESS_LISTENERS; kind++)
		if (monitor->listeners[kind] >= 0)
			close(monitor->listeners[kind]);
	for (size_t i = 0; i < MONITOR_PASSPHRASES; i++)
		util_closep(&monitor->passphrases[i]);
	return code;
}

static int run_with_loop(struct monitor *monitor)
{
	const struct settings *settings = monitor->settings;

	loop_timer_init(monitor->loop, &monitor->patience, patience_over);
	if (!kernel_good(settings) ||
	    processes_init(&monitor->processes, monitor->loop, settings, &monitor->place,
			   monitor->listeners, &monitor_process_ops, monitor) ||
	    workers_init(&monitor->workers, &monitor->processes, (size_t)settings->session_total) ||
	    helpers_init(&monitor->exports, &helper_export, &monitor->processes) ||
	    helpers_init(&monitor->previews, &helper_preview, &monitor->processes) ||
	    make_folders(monitor) ||
	    folder_lock(settings->gateway_state_dir, settings->gateway_runtime_dir, &monitor->lock))
		return EXIT_FAILURE;
	enum err err = watch_signals(monitor);
	int code = EXIT_FAILURE;
	if (err)
		log_error("start-failed", "error=%s", err_code(err));
	else
		code = run_locked(monitor);
	workers_finish(&monitor->workers);
	helpers_finish(&monitor->exports);
	helpers_finish(&monitor->previews);
	processes_finish(&monitor->processes);
	folder_unlock(&monitor->lock);
	return code;
}

int monitor_run(const char *settings_path, const struct settings *settings, const char *program_dir)
{
	struct monitor monitor = {
		.settings = settings,
		.listeners = { -1, -1, -1, -1 },
		.passphrases = { -1, -1 },
		.place = { program_dir, settings_path },
	};
	/* No filter of its own: it would bind the children too. They inherit this, and add theirs.
	 */
	enum err err = sandbox_harden();

	if (!err)
		err = loop_new(&monitor.loop);
	if (err) {
		refuse(err_text_en(err), err_text_ja(err), "start");
		return EXIT_FAILURE;
	}
	int code = run_with_loop(&monitor);
	loop_free(monitor.loop);
	return code;
}
