/*
 * Each test forks a process, puts it into a sandbox and looks at how it ends: the layers cannot be
 * taken off again. The child answers with exit codes, because most calls for printing are gone.
 */
#include "unit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/sandbox.h"
#include "base/util.h"

enum { DONE = 0, NOT_ENTERED = 99 };

static char folder[UNIT_FOLDER];
static char inside[UNIT_FOLDER + 4], outside[UNIT_FOLDER + 4];

static const char *const file_calls[] = { "openat", "open",      "unlink",  "unlinkat",
					  "rename", "ftruncate", "truncate" };
static const char *const net_calls[] = { "socket", "bind", "connect" };

/* Returns the wait status of a child that entered the sandbox and ran func. */
static int run_in(const struct sandbox *sandbox, int (*func)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(sandbox_enter(sandbox) ? NOT_ENTERED : func());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_exits(const struct sandbox *sandbox, int (*func)(void), int code)
{
	int status = run_in(sandbox, func);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void assert_sigsys(const struct sandbox *sandbox, int (*func)(void))
{
	int status = run_in(sandbox, func);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static const struct sandbox nothing = { .open_files = 64 };

static void *thread_main(void *arg)
{
	return arg;
}

/* What every process does in its loop, among it starting threads, has to go on. */
static int ordinary(void)
{
	pthread_t thread;
	int fds[2];
	char byte = 'x';
	struct timespec now;
	void *memory = malloc(1 << 20);
	int good = memory && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0;

	free(memory);
	good = good && send(fds[0], &byte, 1, 0) == 1 && recv(fds[1], &byte, 1, 0) == 1;
	good = good && clock_gettime(CLOCK_MONOTONIC, &now) == 0;
	good = good && pthread_create(&thread, NULL, thread_main, NULL) == 0 &&
	       pthread_join(thread, NULL) == 0;
	return good ? DONE : 1;
}

static void test_ordinary_work_goes_on(void **state)
{
	(void)state;
	assert_exits(&nothing, ordinary, DONE);
}

static int fork_child(void)
{
	return fork() == 0 ? DONE : 1;
}

static int exec_shell(void)
{
	char *argv[] = { (char *)"/bin/true", NULL };

	return execv(argv[0], argv);
}

static int kill_parent(void)
{
	return kill(getppid(), 0);
}

static int signal_other(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int trace(void)
{
	return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static int open_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 1 : DONE;
}

static int unix_pair_only(void)
{
	int fds[2];

	return socketpair(AF_INET, SOCK_SEQPACKET, 0, fds);
}

/* sendto on one would reach any datagram socket in the file system. */
static int datagram_pair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds);
}

static int stream_pair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static int raise_limit(void)
{
	struct rlimit limit = { 128, 128 };

	return setrlimit(RLIMIT_NOFILE, &limit);
}

static void test_forbidden_calls_end_the_process(void **state)
{
	(void)state;
	assert_sigsys(&nothing, fork_child);
	assert_sigsys(&nothing, exec_shell);
	assert_sigsys(&nothing, kill_parent);
	assert_sigsys(&nothing, signal_other);
	assert_sigsys(&nothing, trace);
	assert_sigsys(&nothing, open_socket);
	assert_sigsys(&nothing, unix_pair_only);
	assert_sigsys(&nothing, datagram_pair);
	assert_sigsys(&nothing, stream_pair);
	assert_sigsys(&nothing, raise_limit);
}

static int sockets(void)
{
	if (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ||
	    socket(AF_INET6, SOCK_DGRAM, 0) < 0 || socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) < 0 ||
	    socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP) < 0)
		return 1;
	if (socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) < 0)
		return 2;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EAFNOSUPPORT)
		return 3;
	if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || errno != EAFNOSUPPORT)
		return 4;
	return DONE;
}

static const struct sandbox network = { .syscalls = net_calls,
					.syscall_count = ARRAY_SIZE(net_calls),
					.open_files = 64 };

static int raw_socket(void)
{
	return socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
}

static int raw_tcp_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
}

static int ping_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
}

static int other_stream(void)
{
	return socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
}

static int other_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static void test_sockets(void **state)
{
	(void)state;
	assert_exits(&network, sockets, DONE);
	assert_sigsys(&network, raw_socket);
	assert_sigsys(&network, raw_tcp_socket);
	assert_sigsys(&network, ping_socket);
	assert_sigsys(&network, other_stream);
	assert_sigsys(&network, other_netlink);
}

/* Would connect without Landlock having a say. */
static int fast_open(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return (int)sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to));
}

static int fast_open_message(void)
{
	struct msghdr message = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return (int)sendmsg(fd, &message, MSG_FASTOPEN);
}

static int fast_open_messages(void)
{
	struct mmsghdr message = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return sendmmsg(fd, &message, 1, MSG_FASTOPEN);
}

static void test_no_fast_open(void **state)
{
	(void)state;
	assert_sigsys(&network, fast_open);
	assert_sigsys(&network, fast_open_message);
	assert_sigsys(&network, fast_open_messages);
}

/* ---- fcntl -------------------------------------------------------------------------------------
 */

static int ordinary_fcntl(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0 || fcntl(fds[0], F_GETFD) < 0 ||
	    fcntl(fds[0], F_SETFD, FD_CLOEXEC) < 0)
		return 1;
	if (fcntl(fds[0], F_SETFL, fcntl(fds[0], F_GETFL) | O_NONBLOCK) < 0 ||
	    !(fcntl(fds[0], F_GETFL) & O_NONBLOCK))
		return 2;
	return fcntl(fds[0], F_DUPFD, 10) < 0 || fcntl(fds[0], F_DUPFD_CLOEXEC, 10) < 0 ? 3 : DONE;
}

/* These three make the kernel send any signal to any process of the same user. */
static int set_owner(void)
{
	struct f_owner_ex owner = { F_OWNER_PID, getppid() };

	return fcntl(STDIN_FILENO, F_SETOWN_EX, &owner);
}

static int set_old_owner(void)
{
	return fcntl(STDIN_FILENO, F_SETOWN, getppid());
}

static int set_signal(void)
{
	return fcntl(STDIN_FILENO, F_SETSIG, SIGKILL);
}

static int set_async(void)
{
	return fcntl(STDIN_FILENO, F_SETFL, O_ASYNC | O_NONBLOCK);
}

static int notify(void)
{
	return fcntl(STDIN_FILENO, F_NOTIFY, DN_CREATE);
}

static int lock(void)
{
	struct flock whole = { .l_type = F_WRLCK };

	return fcntl(STDIN_FILENO, F_SETLK, &whole) < 0 && errno != EBADF ? 1 : DONE;
}

static void test_fcntl(void **state)
{
	const char *const calls[] = { "fcntl-lock" };
	const struct sandbox locks = { .syscalls = calls, .syscall_count = 1, .open_files = 64 };

	(void)state;
	assert_exits(&nothing, ordinary_fcntl, DONE);
	assert_sigsys(&nothing, set_owner);
	assert_sigsys(&nothing, set_old_owner);
	assert_sigsys(&nothing, set_signal);
	assert_sigsys(&nothing, set_async);
	assert_sigsys(&nothing, notify);
	assert_sigsys(&nothing, lock);
	assert_exits(&locks, lock, DONE);
	assert_sigsys(&locks, set_owner);
}

/* As syslog(3) does, which libraries call when something is wrong. */
static int refused_socket(void)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (socket(families[i], SOCK_DGRAM, 0) >= 0 || errno != EACCES)
			return 1;
	return DONE;
}

static void test_socket_refused(void **state)
{
	const char *const calls[] = { "socket-refused" };
	const struct sandbox refused = { .syscalls = calls, .syscall_count = 1, .open_files = 64 };

	(void)state;
	assert_sigsys(&nothing, refused_socket);
	assert_exits(&refused, refused_socket, DONE);
}

static int executable_memory(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page != MAP_FAILED || errno != EACCES)
		return 1;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return 2;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 || errno != EACCES ? 3 : DONE;
}

static int may_execute_memory(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 1 : DONE;
}

static void test_executable_memory(void **state)
{
	const char *const calls[] = { "mmap-exec" };
	const struct sandbox plugins = { .syscalls = calls, .syscall_count = 1, .open_files = 64 };

	(void)state;
	assert_exits(&nothing, executable_memory, DONE);
	assert_exits(&plugins, may_execute_memory, DONE);
}

static int odd_ioctl(void)
{
	int waiting;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0 ||
	    ioctl(fds[0], FIONREAD, &waiting) < 0)
		return 1;
	return ioctl(fds[0], FIOASYNC, &waiting);
}

static void test_ioctl(void **state)
{
	(void)state;
	assert_sigsys(&nothing, odd_ioctl);
}

/* ---- files -------------------------------------------------------------------------------------
 */

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

/* ---- the PC's port alone -----------------------------------------------------------------------
 */

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

/* ---- a kernel without Landlock -----------------------------------------------------------------
 */

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

/* ---- hardening ---------------------------------------------------------------------------------
 */

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

/* ---- our own mistakes --------------------------------------------------------------------------
 */

static int not_reached(void)
{
	return DONE;
}

/* Its bare name would free it of its rules. */
static void test_call_with_rules_cannot_be_listed(void **state)
{
	static const char *const all[] = { "fcntl", "socketpair", "ioctl", "mmap", "sendto" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct sandbox sandbox = { .syscalls = &all[i],
						 .syscall_count = 1,
						 .open_files = 64 };
		assert_exits(&sandbox, not_reached, NOT_ENTERED);
	}
}

static void test_misspelt_call_is_an_error(void **state)
{
	const char *const calls[] = { "opneat" };
	const struct sandbox sandbox = { .syscalls = calls, .syscall_count = 1, .open_files = 64 };

	(void)state;
	assert_exits(&sandbox, not_reached, NOT_ENTERED);
}

/* arm_sync_file_range exists on other architectures only. */
static void test_call_of_another_architecture_is_left_out(void **state)
{
	const char *const calls[] = { "arm_sync_file_range", "s390_pci_mmio_read" };
	const struct sandbox sandbox = { .syscalls = calls, .syscall_count = 2, .open_files = 64 };

	(void)state;
	assert_exits(&sandbox, not_reached, DONE);
}

static void *thread_wait(void *arg)
{
	pause();
	return arg;
}

static void test_second_thread_is_refused(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, thread_wait, NULL))
			_exit(1);
		_exit(sandbox_enter(&nothing) == ERR_WRONG_STATE ? DONE : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DONE);
}

static int setup(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary_work_goes_on),
		cmocka_unit_test(test_forbidden_calls_end_the_process),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_no_fast_open),
		cmocka_unit_test(test_fcntl),
		cmocka_unit_test(test_socket_refused),
		cmocka_unit_test(test_executable_memory),
		cmocka_unit_test(test_ioctl),
		cmocka_unit_test(test_landlock_paths),
		cmocka_unit_test(test_unlisted_open_is_refused),
		cmocka_unit_test(test_no_new_listeners),
		cmocka_unit_test(test_connect_only),
		cmocka_unit_test(test_without_landlock),
		cmocka_unit_test(test_harden),
		cmocka_unit_test(test_open_files),
		cmocka_unit_test(test_data_size),
		cmocka_unit_test(test_call_with_rules_cannot_be_listed),
		cmocka_unit_test(test_misspelt_call_is_an_error),
		cmocka_unit_test(test_call_of_another_architecture_is_left_out),
		cmocka_unit_test(test_second_thread_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
