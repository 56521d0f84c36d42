/*
 * spawn.h - forks and executes one of the gateway's programs with nothing but descriptors 0 to 3, a
 * clean environment and, when started as root, its own user.
 */
#ifndef SEKISHO_MONITOR_SPAWN_H
#define SEKISHO_MONITOR_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn_user {
	uid_t uid;
	gid_t gid;
	bool change; /* we are root and it is another user */
};

/*
 * The user sekisho-<role>. When not root: ourselves. As root a missing user is ERR_NOT_FOUND and
 * said on stderr with the way to make it.
 */
nodiscard enum err spawn_find_user(const char *role, struct spawn_user *ret);

struct spawn_place {
	const char *program_dir;   /* of the programs sekisho-<role> */
	const char *settings_path; /* absolute; the only argument */
};

/* ERR_NOT_FOUND and a line on stderr when the program is not there. */
nodiscard enum err spawn_check(const struct spawn_place *place, const char *role);

/* What a new process is given; all stays the caller's. */
struct spawn_gift {
	int channel_fd;   /* becomes descriptor 3 */
	int log_fd;       /* becomes stdout and stderr */
	bool first_to_go; /* when memory runs out */
	int nice;         /* setpriority(2); 0: as everybody */
};

/*
 * The process dies with the calling thread. A program that cannot be executed shows as exit code
 * 127.
 */
nodiscard enum err spawn_process(const struct spawn_place *place, const char *role,
				 const struct spawn_user *user, const struct spawn_gift *gift,
				 pid_t *ret_pid);

#endif
