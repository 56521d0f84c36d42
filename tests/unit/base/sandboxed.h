/*
 * sandboxed.h - runs a function in a process of its own in a sandbox.
 */
#ifndef SEKISHO_TESTS_BASE_SANDBOXED_H
#define SEKISHO_TESTS_BASE_SANDBOXED_H

#include "unit/folder.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/util.h"

enum { DONE = 0, NOT_ENTERED = 99 };
static char folder[UNIT_FOLDER];
static char inside[UNIT_FOLDER + 4], outside[UNIT_FOLDER + 4];
static const char *const net_calls[] = { "socket", "bind", "connect" };

/* Returns the wait status of a child that entered the sandbox and ran func. */
static inline int run_in(const struct sandbox *sandbox, int (*func)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(sandbox_enter(sandbox) ? NOT_ENTERED : func());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static inline void assert_exits(const struct sandbox *sandbox, int (*func)(void), int code)
{
	int status = run_in(sandbox, func);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static const struct sandbox nothing = { .open_files = 64 };

static const struct sandbox network = { .syscalls = net_calls,
					.syscall_count = ARRAY_SIZE(net_calls),
					.open_files = 64 };

/* ---- our own mistakes ------------------------------------------------------------------- */

static inline int setup(void **state)
{
	char path[80];

	(void)state;
	unit_folder(folder);
	snprintf(inside, sizeof(inside), "%s/in", folder);
	snprintf(outside, sizeof(outside), "%s/out", folder);
	snprintf(path, sizeof(path), "%s/file", inside);
	return mkdir(inside, 0700) || util_write_file(path, "x", 1, 0600) ||
	       util_write_file(outside, "x", 1, 0600);
}

#endif
