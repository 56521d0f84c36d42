/*
 * Each test forks a process, puts it into a sandbox and looks at how it ends: the layers cannot be
 * taken off again. The child answers with exit codes, because most calls for printing are gone.
 */
#include "unit/base/sandboxed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

static void assert_sigsys(const struct sandbox *sandbox, int (*func)(void))
{
	int status = run_in(sandbox, func);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

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

/* ---- fcntl ------------------------------------------------------------------------------ */

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

/* ---- our own mistakes ------------------------------------------------------------------- */

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
		cmocka_unit_test(test_call_with_rules_cannot_be_listed),
		cmocka_unit_test(test_misspelt_call_is_an_error),
		cmocka_unit_test(test_call_of_another_architecture_is_left_out),
		cmocka_unit_test(test_second_thread_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
