#include "unit/base/sandboxed.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/landlock.h"

static const char *const file_calls[] = { "openat", "open",      "unlink",  "unlinkat",
					  "rename", "ftruncate", "truncate" };

/* ---- files ------------------------------------------------------------------------------ */

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int read_only_folder(void)
{
	char made[80];

	snprintf(made, sizeof(made), "%s/made", inside);
	if (opens(outside, O_RDONLY) != EACCES || opens("/etc/passwd", O_RDONLY) != EACCES)
		return 1;
	if (opens(made, O_RDWR | O_CREAT) != EACCES)
		return 2;
	snprintf(made, sizeof(made), "%s/file", inside);
	if (opens(made, O_WRONLY) != EACCES || truncate(made, 0) == 0)
		return 3;
	return opens(made, O_RDONLY) ? 4 : DONE;
}

static int writable_folder(void)
{
	char made[80], moved[80];

	snprintf(made, sizeof(made), "%s/made", inside);
	snprintf(moved, sizeof(moved), "%s/moved", inside);
	if (opens(outside, O_RDONLY) != EACCES)
		return 1;
	if (opens(made, O_RDWR | O_CREAT) != 0 || rename(made, moved) < 0 || unlink(moved) < 0)
		return 2;
	return DONE;
}

static void test_landlock_paths(void **state)
{
	const struct sandbox_path paths[] = { { inside, SANDBOX_READ },
					      { "/nonexistent/folder", SANDBOX_WRITE } };
	struct sandbox sandbox = { .syscalls = file_calls,
				   .syscall_count = ARRAY_SIZE(file_calls),
				   .paths = paths,
				   .path_count = ARRAY_SIZE(paths),
				   .open_files = 64 };
	const struct sandbox_path writable = { inside, SANDBOX_WRITE };

	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 3)
		skip();
	assert_exits(&sandbox, read_only_folder, DONE);
	sandbox.paths = &writable;
	sandbox.path_count = 1;
	assert_exits(&sandbox, writable_folder, DONE);
}

static int binds(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 && errno == EACCES ? DONE : 1;
}

static int opens_unlisted(void)
{
	return opens("/etc/passwd", O_RDONLY) == EACCES ? DONE : 1;
}

/* Libraries try optional files at any time: refused, but no reason to die. */
static void test_unlisted_open_is_refused(void **state)
{
	(void)state;
	assert_exits(&nothing, opens_unlisted, DONE);
}

static void test_no_new_listeners(void **state)
{
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 4)
		skip();
	assert_exits(&network, binds, DONE);
}

/* ---- the PC's port alone ---------------------------------------------------------------- */

/* A listener's port on the loopback address. */
static in_port_t listener(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &len), 0);
	return any.sin_port;
}

static in_port_t pc_port, other_port;

/* 0 or errno. */
static int connects(in_port_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = port };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

static int pc_only(void)
{
	if (connects(other_port) || landlock_connect_only(ntohs(pc_port)))
		return 1;
	if (connects(pc_port))
		return 2;
	if (connects(other_port) != EACCES)
		return 3;
	/* DNS over TCP: refused by nobody there, not by the rules. */
	return connects(htons(53)) == EACCES ? 4 : DONE;
}

static void test_connect_only(void **state)
{
	const char *const calls[] = { "socket", "connect", "landlock_create_ruleset",
				      "landlock_add_rule", "landlock_restrict_self" };
	const struct sandbox worker = { .syscalls = calls,
					.syscall_count = ARRAY_SIZE(calls),
					.open_files = 64 };

	(void)state;
	if (landlock_abi() < 4)
		skip();
	pc_port = listener();
	other_port = listener();
	assert_exits(&worker, pc_only, DONE);
}

/* ---- a kernel without Landlock ---------------------------------------------------------- */

static int run_without_landlock(const struct sandbox *sandbox)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
		if (!filter ||
		    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP),
				     SCMP_SYS(landlock_create_ruleset), 0) ||
		    seccomp_load(filter))
			_exit(1);
		seccomp_release(filter);
		enum err err = sandbox_enter(sandbox);
		_exit(err == ERR_DENIED ? NOT_ENTERED : (int)err);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_without_landlock(void **state)
{
	const struct sandbox may = { .open_files = 64, .may_lack_landlock = true };

	(void)state;
	assert_int_equal(run_without_landlock(&nothing), NOT_ENTERED);
	assert_int_equal(run_without_landlock(&may), OK);
}

/* ---- hardening -------------------------------------------------------------------------- */

static void test_harden(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit core = { 1, 1 };
		if (sandbox_harden() || getrlimit(RLIMIT_CORE, &core) < 0)
			_exit(NOT_ENTERED);
		bool good = core.rlim_cur == 0 && core.rlim_max == 0;
		good = good && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
		       prctl(PR_GET_DUMPABLE) == 0;
		_exit(good ? DONE : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DONE);
}

static int file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return 1;
	return files.rlim_cur == 64 && files.rlim_max == 64 ? DONE : 2;
}

static void test_open_files(void **state)
{
	(void)state;
	assert_exits(&nothing, file_limit, DONE);
}

static int too_much_memory(void)
{
	const size_t most = 64u << 20;
	void *small =
		mmap(NULL, most / 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *large = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return small == MAP_FAILED || large != MAP_FAILED ? 1 : DONE;
}

static void test_data_size(void **state)
{
	const struct sandbox sandbox = { .open_files = 64, .data_size = 64u << 20 };

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* its own memory counts */
#endif
	assert_exits(&sandbox, too_much_memory, DONE);
}

/* ---- a file of which nothing may be lost ------------------------------------------------ */

static int kept; /* opened for appending, with KEPT in it */
#define KEPT "recording"

static int it_can_be_appended_to(void)
{
	int on = 1;
	bool good = write(kept, "!", 1) == 1 && fdatasync(kept) == 0 &&
		    (fallocate(kept, FALLOC_FL_KEEP_SIZE, 4096, 4096) == 0 || errno == EOPNOTSUPP);

	return good && ioctl(kept, FIONBIO, &on) == 0 && fcntl(kept, F_GETFL) & O_APPEND ? DONE : 1;
}

static int it_cannot_be_written_elsewhere(void)
{
	bool flags = fcntl(kept, F_SETFL, 0) == 0,
	     nonblocking = fcntl(kept, F_SETFL, O_NONBLOCK) == 0;
	bool written = pwrite(kept, "x", 1, 0) == 1;

	if (lseek(kept, 0, SEEK_SET) != 0 || write(kept, "?", 1) != 1)
		return 1;
	return flags || nonblocking || written ? 2 : DONE;
}

static int it_cannot_be_cut(void)
{
	return ftruncate(kept, 1);
}

static const int taking[] = { 0,
			      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      FALLOC_FL_ZERO_RANGE,
			      FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			      FALLOC_FL_COLLAPSE_RANGE,
			      FALLOC_FL_INSERT_RANGE,
			      FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE };
static size_t turn;

static int nothing_can_be_taken_out(void)
{
	return fallocate(kept, taking[turn], 0, 4096);
}

static void assert_killed(const struct sandbox *sandbox, int (*func)(void))
{
	int status = run_in(sandbox, func);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void test_append_only(void **state)
{
	static const char *const calls[] = { "append-only", "fdatasync" };
	const struct sandbox sandbox = { .syscalls = calls,
					 .syscall_count = ARRAY_SIZE(calls),
					 .open_files = 64 };
	char path[UNIT_FOLDER + 8], data[32] = "";

	(void)state;
	snprintf(path, sizeof(path), "%s/kept", folder);
	kept = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_int_equal(write(kept, KEPT, strlen(KEPT)), strlen(KEPT));
	assert_exits(&sandbox, it_can_be_appended_to, DONE);
	assert_exits(&sandbox, it_cannot_be_written_elsewhere, DONE);
	assert_killed(&sandbox, it_cannot_be_cut);
	for (turn = 0; turn < ARRAY_SIZE(taking); turn++)
		assert_killed(&sandbox, nothing_can_be_taken_out);
	assert_int_equal(pread(kept, data, sizeof(data) - 1, 0), strlen(KEPT "!?"));
	assert_string_equal(data, KEPT "!?");
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_landlock_paths),
		cmocka_unit_test(test_unlisted_open_is_refused),
		cmocka_unit_test(test_no_new_listeners),
		cmocka_unit_test(test_connect_only),
		cmocka_unit_test(test_without_landlock),
		cmocka_unit_test(test_harden),
		cmocka_unit_test(test_open_files),
		cmocka_unit_test(test_data_size),
		cmocka_unit_test(test_append_only),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
