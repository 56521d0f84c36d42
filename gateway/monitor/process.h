/*
 * process.h - the processes that always run: one table of roles and one of the links between them.
 * Each is started again when it dies, with a pause that grows, and gets its links and listeners
 * anew.
 */
#ifndef SEKISHO_MONITOR_PROCESS_H
#define SEKISHO_MONITOR_PROCESS_H

#include "base/loop.h"
#include "monitor/child_log.h"
#include "monitor/spawn.h"
#include "wire/channel.h"
#include "wire/enums.h"
#include "wire/settings.h"

enum { PROCESS_COUNT = 6, PROCESS_LISTENERS = LISTENER_ADMIN + 1 };

struct process_row {
	enum wire_role role;
	const char *name;
	unsigned listeners; /* 1 << kind of those it gets */
	size_t setting; /* in struct settings: a text without which it does not run; 0: it always
			   does */
};

/* Constant, PROCESS_COUNT rows. */
extern const struct process_row process_rows[];

struct processes;

struct process {
	const struct process_row *row;
	struct processes *all;
	bool wanted; /* by the settings; others are never started */
	struct spawn_user user;
	pid_t pid;               /* 0: does not run */
	struct channel *channel; /* NULL: does not run, or is being killed */
	struct loop_timer again;
	struct loop_timer grace; /* runs from the end of its channel until it ends itself */
	uint64_t started_us, pause_us;
	struct child_log log;
};

struct process_ops {
	/* A process runs and has its links. */
	void (*started)(void *ctx, struct process *process);
	/* A message to the monitor; only brokers have any. fd: -1 or owned by the callee. */
	void (*message)(void *ctx, struct process *process, const struct wire_type *type,
			const union wire_any *msg, int fd);
};

struct processes {
	struct loop *loop;
	const struct spawn_place *place;
	const int *listeners; /* by kind, PROCESS_LISTENERS; not owned */
	const struct process_ops *ops;
	void *ctx;
	struct process list[PROCESS_COUNT];
	bool stopping;
};

/* Finds the users and checks the programs; says on stderr what is missing. Starts nothing yet. */
nodiscard enum err processes_init(struct processes *processes, struct loop *loop,
				  const struct settings *settings, const struct spawn_place *place,
				  const int *listeners, const struct process_ops *ops, void *ctx);
/* Only after every process has been reaped. */
void processes_finish(struct processes *processes);

/* Starts all; what fails is tried again like one that died. */
void processes_start(struct processes *processes);

/* One of ours died? Then it is started again after its pause, unless stopping. */
bool processes_reaped(struct processes *processes, pid_t pid, int status);

/* Sends the signal to all; from then on none is started. */
void processes_stop(struct processes *processes, int signal);
bool processes_running(const struct processes *processes);

/* The running process of the role or NULL. */
struct process *processes_find(struct processes *processes, enum wire_role role);

/* Sends to the process; pass_fd is taken over. One that does not take its messages is hung and
 * killed. */
void process_send(struct process *process, uint16_t id, const void *msg, int pass_fd);

/* "exit code 1", "signal 9 KILL", … into text. */
void process_describe_end(int status, char *text, size_t room);

#endif
