/*
 * folder.h - the directories that the gateway keeps its state in, and the locks that keep a second
 * monitor out of them.
 */
#ifndef SEKISHO_MONITOR_FOLDER_H
#define SEKISHO_MONITOR_FOLDER_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Makes the last component of path (parents with mode 0755) or checks what is there: a directory,
 * no symbolic link, of that owner; a wider mode is narrowed. Says why on stderr. ERR_DENIED,
 * ERR_IO.
 */
nodiscard enum err folder_make(const char *path, mode_t mode, uid_t uid, gid_t gid);

struct folder_lock {
	int state_fd; /* the state directory itself, locked */
	int pid_fd; /* <runtime_dir>/sekishod.pid, locked; holds our pid, empty after a clean end */
};

/* ERR_EXISTS when another monitor runs on either directory; says so on stderr. */
nodiscard enum err folder_lock(const char *state_dir, const char *runtime_dir,
			       struct folder_lock *ret);
void folder_unlock(struct folder_lock *lock);

#endif
