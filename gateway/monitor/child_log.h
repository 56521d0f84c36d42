/*
 * child_log.h - the log of one child: its stderr is a pipe, and the monitor alone writes to the
 * log, under the child's role and pid. A broken child can lie about itself only, and not much:
 * lines have a length and a rate, and what is above is counted.
 */
#ifndef SEKISHO_MONITOR_CHILD_LOG_H
#define SEKISHO_MONITOR_CHILD_LOG_H

#include <sys/types.h>

#include "base/loop.h"

enum {
	CHILD_LOG_LINE = 4096,     /* bytes of a line; the rest of a longer one is dropped */
	CHILD_LOG_BURST = 2000,    /* lines at once: a report of AddressSanitizer */
	CHILD_LOG_PER_SECOND = 200 /* lines in the long run */
};

/* Embedded, zeroed by its owner. Rate and count go on over the lives of a child. */
struct child_log {
	struct loop_io io; /* the reading end, ours while open */
	struct loop_timer report;
	const char *role;
	pid_t pid;
	bool open, skipping;
	size_t len; /* of the line so far */
	uint64_t credit_us, filled_us;
	unsigned long dropped; /* lines that were not reported yet */
	char line[CHILD_LOG_LINE + 1];
};

/* role: a constant. ret_write_end: for the child's stderr; the caller closes it. */
nodiscard enum err child_log_open(struct child_log *log, struct loop *loop, const char *role,
				  int *ret_write_end);

/* Once it is known, before the loop goes on. */
void child_log_set_pid(struct child_log *log, pid_t pid);

/* Takes what the child still had to say, and closes. Harmless when not open. */
void child_log_close(struct child_log *log);

#endif
