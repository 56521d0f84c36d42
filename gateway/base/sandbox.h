/*
 * sandbox.h - what a process gives up after start: seccomp filter (libseccomp), Landlock rules, no
 * new privileges, no core dumps. Deny by default; each process lists what it needs beside its
 * main().
 */
#ifndef SEKISHO_BASE_SANDBOX_H
#define SEKISHO_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct sandbox_path {
	const char *path;
	enum {
		SANDBOX_READ = 1,
		SANDBOX_WRITE = 2
	} access; /* WRITE includes reading, making and removing */
};

struct sandbox {
	/*
	 * Names of system calls beyond the common set (memory, clocks, poll, read/write on open
	 * descriptors, messages on open sockets, threads, exit). Any other call ends the process
	 * with SIGSYS, but looking up files by name fails with EACCES where it is not listed. A
	 * misspelt name is ERR_INVALID, and so is one whose arguments the common set checks.
	 * "socket" gives TCP and UDP of AF_INET and AF_INET6 and route netlink only, and TCP cannot
	 * bind. getaddrinfo needs socket, bind, connect and openat. Seven are no calls: "mmap-exec"
	 * allows executable memory, for dlopen, and "fcntl-lock" advisory locks; with
	 * "socket-refused", for libraries that try syslog, socket fails with EACCES, and so do a
	 * new process with "fork-refused", a new limit with "prlimit-refused", and asking which
	 * capabilities there are with "capabilities-refused"; with
	 * "append-only" a file opened for appending can be written at its end alone and space
	 * reserved behind it, so F_SETFL and pwrite fail with EPERM.
	 */
	const char *const *syscalls;
	size_t syscall_count;
	const struct sandbox_path *paths; /* a path that does not exist is left out */
	size_t path_count;
	size_t open_files;      /* RLIMIT_NOFILE */
	size_t data_size;       /* RLIMIT_DATA in bytes, 0: none. Not under ASan. */
	bool may_lack_landlock; /* starts on a kernel without, with a warning; else ERR_DENIED */
};

/* Before anything secret is read: no new privileges, not dumpable, RLIMIT_CORE 0. */
nodiscard enum err sandbox_harden(void);

/*
 * For good, and before any second thread (ERR_WRONG_STATE). Logs which layers hold, and
 * what is missing. Under ASan the few calls
 * that it needs are added, a refused call is named in the log before the process dies, and hardened
 * processes are not searched for leaks.
 */
nodiscard enum err sandbox_enter(const struct sandbox *sandbox);

#endif
