/*
 * child.h - the start of every process that the monitor runs: log, settings, hardening, and the
 * channel to the monitor on descriptor 3.
 */
#ifndef SEKISHO_WIRE_CHILD_H
#define SEKISHO_WIRE_CHILD_H

#include "wire/channel.h"
#include "wire/settings.h"

enum { CHILD_MONITOR_FD = 3 };

struct child {
	enum wire_role role;
	struct settings settings;
	char state_dir[300]; /* this role's own folder: <state_dir>/<role>, exists, mode 0700, owned
				by its user */
};

/*
 * argv: settings file. Sets up the log, reads the settings, hardens (base/sandbox.h), blocks
 * SIGPIPE. Ends the process with a clear line when anything is wrong, also when started by hand
 * without a monitor.
 */
void child_start(struct child *child, enum wire_role role, const char *name, int argc, char **argv);

/*
 * Blocks until the monitor has sent a link to peer, or a listener or file of the kind, and returns
 * its descriptor. For processes that start before their event loop. ERR_TIMEOUT after 10 s,
 * ERR_CLOSED.
 */
nodiscard enum err child_wait_link(enum wire_role peer, int *ret_fd);
nodiscard enum err child_wait_listener(unsigned kind, int *ret_fd);
nodiscard enum err child_wait_file(unsigned kind, int *ret_fd);

/*
 * The channel to the monitor for the event loop, at most once. What came during the waits above and
 * was not taken (a link to another peer, worker_started …) goes to ops->message first, in order,
 * after *ret is set; ops must not free the channel during that.
 */
nodiscard enum err child_channel(const struct child *child, struct loop *loop,
				 const struct channel_ops *ops, void *ctx, struct channel **ret);

#endif
