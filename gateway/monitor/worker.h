/*
 * worker.h - the table of workers, one process for each session. The broker asks for them; they are
 * not started again. A restarted broker is given those that live.
 */
#ifndef SEKISHO_MONITOR_WORKER_H
#define SEKISHO_MONITOR_WORKER_H

#include "monitor/process.h"

struct worker;

struct workers {
	struct processes *processes; /* to find the broker */
	struct spawn_user user;
	size_t most; /* the setting session.total */
	struct worker *first;
	size_t count;
	bool stopping;
};

/* The status in worker_exited for one that could not be started (too many, no memory); see
 * waitpid(2). */
#define WORKER_NOT_STARTED UINT32_MAX

nodiscard enum err workers_init(struct workers *workers, struct processes *processes, size_t most);
/* Only after every worker has been reaped. */
void workers_finish(struct workers *workers);

/* MSG_worker_spawn and MSG_worker_kill. */
void workers_message(struct workers *workers, const struct wire_type *type,
		     const union wire_any *msg);

/* Links every live worker to a broker that has just started. */
void workers_adopt(struct workers *workers);

/* One of ours died? Then the broker is told. */
bool workers_reaped(struct workers *workers, pid_t pid, int status);

/* Sends the signal to all; from then on none is started. */
void workers_stop(struct workers *workers, int signal);

#endif
