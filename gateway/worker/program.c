#include "worker/program.h"
#include "worker/waiting.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

#include "base/landlock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "wire/child.h"

/* An RDP desktop of 7680 × 4320 takes 0.98 GB; a PC that takes more ends its own session alone. */
#define DATA_SIZE ((size_t)3 << 29)

enum {
	OPEN_FILES = 128,
	EXIT_FAILED = 2,
	MMAP_THRESHOLD = 256 * 1024,
	TRIM_THRESHOLD = 512 * 1024,
};

/*
 * Connecting needs sockets of its own; FreeRDP and GnuTLS open certificate stores, time zones and
 * the like read-only, and VeNCrypt's CA goes through a memfd.
 */
static const char *const syscalls[] = {
	"socket",
	"connect",
	"bind",
	"openat",
	"readlink",
	"readlinkat",
	"newfstatat",
	"statx",
	"stat",
	"lstat",
	"access",
	"faccessat",
	"faccessat2",
	"getdents64",
	"memfd_create",
	/* the recording */
	"append-only",
	"fdatasync",
	"pipe2",
	"getcwd",
	"sched_setaffinity",
	/* landlock_connect_only */
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
};

static const struct sandbox_path paths[] = {
	{ "/usr", SANDBOX_READ },
	{ "/lib", SANDBOX_READ },
	{ "/lib64", SANDBOX_READ },
	{ "/etc", SANDBOX_READ },
	/* Where /etc/resolv.conf may point to. */
	{ "/run/systemd/resolve", SANDBOX_READ },
	{ "/run/NetworkManager", SANDBOX_READ },
	{ "/run/resolvconf", SANDBOX_READ },
};

static enum err confine(const struct settings *settings)
{
	const struct sandbox sandbox = {
		.syscalls = syscalls,
		.syscall_count = ARRAY_SIZE(syscalls),
		.paths = paths,
		.path_count = ARRAY_SIZE(paths),
		.open_files = OPEN_FILES,
		.data_size = DATA_SIZE,
		.may_lack_landlock = !settings->gateway_require_landlock,
	};

	return sandbox_enter(&sandbox);
}

/* One arena and no growing thresholds: what is freed goes back to the kernel, however large it was.
 */
static void give_memory_back(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
}

static worker_remote_new make_remote;

/* Who breaks in through the PC finds that PC's port alone: before connecting, and its threads. */
static enum err make_confined(struct loop *loop, const struct remote_config *config,
			      const struct remote_events *events, void *ctx, struct remote **ret)
{
	enum err err = landlock_connect_only(config->port);

	return err ? err : make_remote(loop, config, events, ctx, ret);
}

static void on_signal(void *ctx, int signal)
{
	(void)signal;
	worker_stop(ctx);
}

/* Ctrl+C on a terminal reaches all processes. */
static enum err watch_signals(struct loop *loop, struct worker *worker)
{
	enum err err = loop_signal(loop, SIGTERM, on_signal, worker);

	return err ? err : loop_signal(loop, SIGINT, on_signal, worker);
}

int program_run(const struct program *program, int argc, char **argv)
{
	struct child child;
	struct loop *loop;
	struct worker *worker;

	child_start(&child, WIRE_WORKER, "worker", argc, argv);
	/* Libraries look for settings of the user who runs them; there is none. */
	setenv("HOME", "/nonexistent", 1);
	give_memory_back();
	enum err err = waiting_works() ? OK : ERR_INTERNAL;
	if (!err && program->prepare)
		err = program->prepare();
	if (err) {
		log_error("worker-start", "protocol=%s error=%s", protocol_code(program->protocol),
			  err_code(err));
		return EXIT_FAILED;
	}
	if (confine(&child.settings))
		return EXIT_FAILED;
	if (loop_new(&loop))
		return EXIT_FAILED;
	make_remote = program->make;
	err = worker_new(loop, CHILD_MONITOR_FD, program->protocol, make_confined, &worker);
	if (!err)
		err = watch_signals(loop, worker);
	if (err) {
		log_error("worker-start", "error=%s", err_code(err));
		return EXIT_FAILED;
	}
	int code = loop_run(loop);
	worker_free(worker);
	loop_free(loop);
	return code;
}
