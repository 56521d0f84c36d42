/* Where LibreOffice is shut in: what a process in it can no longer reach, and that nothing is left
 * of it. */
#include "unit/folder.h"
#include "unit/preview/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/sandbox.h"
#include "base/util.h"
#include "preview/room.h"

/* In a process of its own; what it returns is 0 when all is well, else the line. */
static int in_a_room(int (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_harden() || room_enter())
			_exit(255);
		_exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ % 250 + 1;                                                 \
	} while (0)

static char outside[UNIT_FILE], elsewhere[] = "/dev/shm/sekisho-room-XXXXXX";

static int check_files(void)
{
	static const char *const closed[] = { "/etc/passwd", "/etc/hostname", "/var/lib",
					      "/root",       "/home",         "/run" };
	struct statfs kind;

	for (size_t i = 0; i < ARRAY_SIZE(closed); i++)
		MUST(open(closed[i], O_RDONLY) < 0 && errno == EACCES);
	/* What others have in this folder is not there. */
	MUST(open(outside, O_RDONLY) < 0);
	MUST(statfs(ROOM, &kind) == 0 && kind.f_type == 0x01021994); /* tmpfs(5) */
	int fd = open(ROOM "/word", O_RDWR | O_CREAT | O_EXCL, 0600);
	MUST(fd >= 0 && write(fd, "word", 4) == 4);
	MUST(open("/usr/lib/os-release", O_RDONLY) >= 0);
	MUST(open("/usr/share/word", O_RDWR | O_CREAT, 0600) < 0);
	/* So fontconfig locks a cache of its own, where the system's is older than the fonts. */
	MUST(link(ROOM "/word", ROOM "/lock") == 0 && unlink(ROOM "/lock") == 0);
	MUST(link("/usr/lib/os-release", ROOM "/release") < 0);
	/* Nor can what Landlock says nothing about be changed. */
	MUST(chmod(elsewhere, 0644) < 0 && errno == EROFS);
	MUST(chown(elsewhere, (uid_t)-1, (gid_t)-1) < 0 && errno == EROFS);
	MUST(chmod(ROOM "/word", 0644) == 0);
	return 0;
}

static void its_files_are_its_own(void **state)
{
	(void)state;
	int fd = mkstemp(elsewhere);
	assert_true(fd >= 0);
	close(fd);
	close(unit_file(outside));
	int line = in_a_room(check_files);
	unlink(elsewhere);
	assert_int_equal(line, 0);
	assert_int_equal(access(ROOM "/word", F_OK), -1);
	assert_int_equal(access(outside, F_OK), 0);
}

static int check_size(void)
{
	enum { PIECE = 1024 * 1024, PIECES = 200 };
	static uint8_t piece[PIECE];
	int first = open(ROOM "/1", O_WRONLY | O_CREAT | O_EXCL, 0600);
	int second = open(ROOM "/2", O_WRONLY | O_CREAT | O_EXCL, 0600);

	for (int i = 0; i < PIECES; i++)
		MUST(write(first, piece, PIECE) == PIECE);
	for (int i = 0; i < PIECES; i++)
		if (write(second, piece, PIECE) != PIECE)
			return 0;
	return 1;
}

static void its_files_have_an_end(void **state)
{
	(void)state;
	assert_int_equal(in_a_room(check_size), 0);
}

static int check_network(void)
{
	int pair[2];

	MUST(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
	MUST(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 && errno == EACCES);
	return 0;
}

static int check_processes(void)
{
	const struct rlimit more = { 1000, 1000 };

	MUST(fork() < 0 && errno == EACCES);
	MUST(setrlimit(RLIMIT_NOFILE, &more) < 0 && errno == EACCES);
	MUST(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) < 0 && errno == EACCES);
	return 0;
}

static void it_starts_no_process_and_stays_within_its_limits(void **state)
{
	(void)state;
	assert_int_equal(in_a_room(check_processes), 0);
}

static void it_has_no_network(void **state)
{
	(void)state;
	assert_int_equal(in_a_room(check_network), 0);
}

static int check_limits(void)
{
	static const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_CPU, 40 },       { RLIMIT_FSIZE, 256 << 20 }, { RLIMIT_NOFILE, 128 },
		{ RLIMIT_NPROC, 64 },     { RLIMIT_CORE, 0 },
#ifndef __SANITIZE_ADDRESS__
		{ RLIMIT_DATA, 1 << 30 },
#endif
	};
	struct rlimit limit;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		MUST(prlimit(0, limits[i].what, NULL, &limit) == 0 &&
		     limit.rlim_max == limits[i].most);
	return 0;
}

static void its_time_and_memory_are_limited(void **state)
{
	(void)state;
	assert_int_equal(in_a_room(check_limits), 0);
}

/* Seen from outside, while it waits. */
static void it_has_namespaces_and_no_rights(void **state)
{
	static const char *const kinds[] = { "user", "mnt", "net", "ipc" };
	int ready[2], go[2];
	char byte, path[64], ours[64], its[64], text[4096] = "";

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (room_enter() || write(ready[1], "", 1) != 1)
			_exit(255);
		close(go[1]);
		_exit(read(go[0], &byte, 1) != 0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kinds[i]);
		ssize_t len = readlink(path, its, sizeof(its) - 1);
		/* Not dumpable: only root may look. */
		if (len < 0 && geteuid() != 0)
			continue;
		assert_true(len > 0);
		its[len] = '\0';
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		len = readlink(path, ours, sizeof(ours) - 1);
		assert_true(len > 0);
		ours[len] = '\0';
		assert_string_not_equal(its, ours);
	}
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_non_null(strstr(text, "\nCapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(text, "\nCapEff:\t0000000000000000\n"));
	assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
	close(go[1]);
	close(go[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* On machines that give no user namespaces (containers, hardened kernels) nothing goes on. */
static void without_namespaces_there_is_none(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		refuse_namespaces();
		_exit(sandbox_harden() || room_enter() != ERR_DENIED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Some containers give no namespaces to anybody. */
static bool gives_namespaces(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) < 0);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
	enum { SKIPPED = 77 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_files_are_its_own),
		cmocka_unit_test(its_files_have_an_end),
		cmocka_unit_test(it_has_no_network),
		cmocka_unit_test(it_starts_no_process_and_stays_within_its_limits),
		cmocka_unit_test(its_time_and_memory_are_limited),
		cmocka_unit_test(it_has_namespaces_and_no_rights),
		cmocka_unit_test(without_namespaces_there_is_none),
	};

	if (!gives_namespaces()) {
		puts("this machine gives no user namespaces");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
