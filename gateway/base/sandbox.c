#include "base/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/log.h"
#include "base/util.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* glibc names its heaps from 2.40 on */
#endif

/* clang-format off */
static const char *const common_calls[] = {
	/* memory */
	"brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock",
	/* clocks */
	"clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time", "timerfd_create",
	"timerfd_gettime", "timerfd_settime",
	/* waiting */
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "poll", "ppoll",
	"pselect6", "select",
	/* open descriptors; glibc's fstat() is newfstatat, which opens nothing */
	"close", "close_range", "dup", "fstat", "lseek", "newfstatat", "pread64", "read", "readv",
	"write", "writev",
	/* open sockets */
	"getpeername", "getsockname", "getsockopt", "recvfrom", "recvmmsg", "recvmsg", "setsockopt",
	"shutdown",
	/* threads and signals */
	"exit", "exit_group", "futex", "get_robust_list", "getcpu", "gettid", "membarrier", "restart_syscall", "rseq",
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield",
	"set_robust_list", "set_tid_address", "sigaltstack", "signalfd4",
	/* about itself */
	"getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "getrlimit", "getrusage", "getuid", "sysinfo",
	"uname",
};
/* clang-format on */

/*
 * Libraries look for optional files at any time (time zone, locale, number of processors), so these
 * fail with EACCES instead of ending a process that does not list them.
 */
static const char *const lookup_calls[] = {
	"access", "faccessat", "faccessat2", "getcwd", "lstat", "open",
	"openat", "readlink",  "readlinkat", "stat",   "statx",
};

#ifndef __SANITIZE_ADDRESS__
#define LOOKUP_ACTION SCMP_ACT_ERRNO(EACCES)
#else
/* A report needs them, and paths in landlock.c, to name functions and lines. */
#define LOOKUP_ACTION SCMP_ACT_ALLOW
static bool hardened;

/*
 * LeakSanitizer stops the process with ptrace(2), which neither the filter nor PR_SET_DUMPABLE
 * allows: hardened processes are not searched for leaks, the unit tests of the same code are. See
 * sanitizer/lsan_interface.h.
 */
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
	return hardened;
}

/* Development builds say which call it was before they end as release builds do. */
static void explain_sigsys(int signal, siginfo_t *info, void *context)
{
	(void)context;
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
	log_error("seccomp-refused", "syscall=%s number=%d", name ? name : "unknown",
		  info->si_syscall);
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigaction(signal, &action, NULL);
	raise(signal);
}
#endif

enum err sandbox_harden(void)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0)
		return err_from_errno(errno);
#ifdef __SANITIZE_ADDRESS__
	hardened = true;
#endif
	return OK;
}

/* ---- seccomp ---------------------------------------------------------------------------- */

static bool lists(const struct sandbox *sandbox, const char *name)
{
	for (size_t i = 0; i < sandbox->syscall_count; i++)
		if (util_streq(sandbox->syscalls[i], name))
			return true;
	return false;
}

static enum err seccomp_failed(const char *name, int negative_errno)
{
	log_error("sandbox-seccomp", "syscall=%s error=\"%s\"", name, strerror(-negative_errno));
	return err_from_errno(-negative_errno);
}

/* One rule; a call that this architecture does not have is left out. */
static enum err add_rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
			 const struct scmp_arg_cmp *compare)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return seccomp_failed(name, -EINVAL);
	if (number < 0) {
		log_debug("sandbox-no-such-call", "syscall=%s", name);
		return OK;
	}
	int failed = seccomp_rule_add_array(filter, action, number, count, compare);
	if (failed)
		return seccomp_failed(name, failed);
	return OK;
}

static enum err add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names,
			  size_t count, const struct sandbox *without)
{
	for (size_t i = 0; i < count; i++) {
		if (without && lists(without, names[i]))
			continue;
		enum err err = add_rule(filter, action, names[i], 0, NULL);
		if (err)
			return err;
	}
	return OK;
}

/* All of the comparisons must hold. */
struct argument_rule {
	const char *name;
	unsigned count;
	struct scmp_arg_cmp compare[3];
};

/* clang-format off */
#define IS(argument, value) { argument, SCMP_CMP_EQ, value, 0 }
#define BITS(argument, mask, value) { argument, SCMP_CMP_MASKED_EQ, mask, value }
#define ABOVE(argument, value) { argument, SCMP_CMP_GT, value, 0 }

enum { TGKILL_RULE = 0, SOCKET_TYPE = 0xf }; /* type without SOCK_CLOEXEC and SOCK_NONBLOCK */

static struct argument_rule common_arguments[] = {
	{ "tgkill", 1, { IS(0, 0) } }, /* itself: filled in */
	/* threads, but no new process; clone3 hides its flags in memory, glibc then takes clone */
	{ "clone", 1, { BITS(0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM) } },
	{ "ioctl", 1, { IS(1, FIONREAD) } },
	{ "ioctl", 1, { IS(1, FIONBIO) } },
	{ "ioctl", 1, { IS(1, TCGETS) } },
	{ "prctl", 1, { IS(0, PR_SET_NAME) } },
	{ "prctl", 1, { IS(0, PR_GET_NAME) } },
	{ "prctl", 1, { IS(0, PR_SET_VMA) } },
	{ "prlimit64", 1, { IS(2, 0) } }, /* reading only */
	/* Not SOCK_DGRAM: sendto would reach any socket in the file system. */
	{ "socketpair", 2, { IS(0, AF_UNIX), BITS(1, SOCKET_TYPE, SOCK_SEQPACKET) } },
	{ "fcntl", 1, { IS(1, F_GETFD) } },
	{ "fcntl", 1, { IS(1, F_SETFD) } },
	{ "fcntl", 1, { IS(1, F_GETFL) } },
	{ "fcntl", 1, { IS(1, F_DUPFD) } },
	{ "fcntl", 1, { IS(1, F_DUPFD_CLOEXEC) } },
	/* MSG_FASTOPEN connects without Landlock being asked. */
	{ "sendto", 1, { BITS(3, MSG_FASTOPEN, 0) } },
	{ "sendmsg", 1, { BITS(2, MSG_FASTOPEN, 0) } },
	{ "sendmmsg", 1, { BITS(3, MSG_FASTOPEN, 0) } },
	{ "mmap", 1, { BITS(2, PROT_EXEC, 0) } },
	{ "mprotect", 1, { BITS(2, PROT_EXEC, 0) } },
};
/* clang-format on */

static enum err add_arguments(scmp_filter_ctx filter, uint32_t action,
			      const struct argument_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum err err =
			add_rule(filter, action, rules[i].name, rules[i].count, rules[i].compare);
		if (err)
			return err;
	}
	return OK;
}

/* Calls whose arguments decide. */
static enum err add_common_arguments(scmp_filter_ctx filter)
{
	common_arguments[TGKILL_RULE].compare[0].datum_a = (scmp_datum_t)getpid();
	enum err err = add_arguments(filter, SCMP_ACT_ALLOW, common_arguments,
				     ARRAY_SIZE(common_arguments));
	if (!err)
		err = add_rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	return err;
}

/* Listed by its bare name, such a call would be free of its rules. */
static bool has_arguments(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(common_arguments); i++)
		if (util_streq(common_arguments[i].name, name))
			return true;
	return false;
}

/*
 * Executable memory: only for who lists "mmap-exec" (plug-ins by dlopen). Else EACCES, so that name
 * services and converters which are plug-ins of glibc are left out instead of ending the process.
 */
static enum err add_executable(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	const struct argument_rule rules[] = {
		{ "mmap", 1, { BITS(2, PROT_EXEC, PROT_EXEC) } },
		{ "mprotect", 1, { BITS(2, PROT_EXEC, PROT_EXEC) } },
	};
	uint32_t action = lists(sandbox, "mmap-exec") ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES);

	return add_arguments(filter, action, rules, ARRAY_SIZE(rules));
}

/* Advisory locks, which databases take; they send no signals. */
static enum err add_locks(scmp_filter_ctx filter)
{
	const struct argument_rule allowed[] = {
		{ "fcntl", 1, { IS(1, F_GETLK) } },
		{ "fcntl", 1, { IS(1, F_SETLK) } },
		{ "fcntl", 1, { IS(1, F_SETLKW) } },
	};

	return add_arguments(filter, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
}

/*
 * Who lists "append-only" holds a file, opened for appending, of which nothing may be lost: it can
 * reserve space behind the end and write there, but not write elsewhere, nor turn appending off,
 * nor take anything out. ftruncate is not listed then. Whether a descriptor waits can be changed by
 * ioctl(FIONBIO).
 */
static enum err add_writing(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	/* Not F_SETOWN, F_SETSIG and O_ASYNC: the kernel would kill others of the same user. */
	const struct argument_rule flags = { "fcntl", 2, { IS(1, F_SETFL), BITS(2, O_ASYNC, 0) } };
	const struct argument_rule no_flags = { "fcntl", 1, { IS(1, F_SETFL) } };
	const struct argument_rule reserve = { "fallocate", 1, { IS(1, FALLOC_FL_KEEP_SIZE) } };
	enum err err;

	if (!lists(sandbox, "append-only")) {
		err = add_rule(filter, SCMP_ACT_ALLOW, "pwrite64", 0, NULL);
		return err ? err : add_arguments(filter, SCMP_ACT_ALLOW, &flags, 1);
	}
	err = add_arguments(filter, SCMP_ACT_ERRNO(EPERM), &no_flags, 1);
	if (!err)
		err = add_rule(filter, SCMP_ACT_ERRNO(EPERM), "pwrite64", 0, NULL);
	return err ? err : add_arguments(filter, SCMP_ACT_ALLOW, &reserve, 1);
}

static enum err add_internet(scmp_filter_ctx filter, unsigned family)
{
	/* Nothing but TCP and UDP: Landlock's ports are those of TCP, and of no MPTCP. */
	const unsigned kinds[][2] = {
		{ SOCK_STREAM, 0 },
		{ SOCK_STREAM, IPPROTO_TCP },
		{ SOCK_DGRAM, 0 },
		{ SOCK_DGRAM, IPPROTO_UDP },
	};
	enum err err = OK;

	for (size_t i = 0; !err && i < ARRAY_SIZE(kinds); i++) {
		const struct argument_rule allowed = {
			"socket",
			3,
			{ IS(0, family), BITS(1, SOCKET_TYPE, kinds[i][0]), IS(2, kinds[i][1]) }
		};
		err = add_arguments(filter, SCMP_ACT_ALLOW, &allowed, 1);
	}
	return err;
}

/*
 * New sockets: internet ones, and netlink of family route, which getaddrinfo asks for addresses.
 * Not AF_UNIX: without separate users the admin socket would be in reach.
 */
static enum err add_sockets(scmp_filter_ctx filter)
{
	const struct argument_rule netlink = { "socket",
					       2,
					       { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) } };
	const struct argument_rule refused[] = {
		{ "socket", 1, { IS(0, AF_UNIX) } },
		{ "socket", 1, { ABOVE(0, AF_NETLINK) } },
	};
	enum err err = add_internet(filter, AF_INET);

	if (!err)
		err = add_internet(filter, AF_INET6);
	if (!err)
		err = add_arguments(filter, SCMP_ACT_ALLOW, &netlink, 1);
	if (!err)
		err = add_arguments(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), refused,
				    ARRAY_SIZE(refused));
	return err;
}

/* What libraries try and can do without fails with EACCES instead of ending the process. */
static const struct {
	const char *word;
	struct argument_rule rule;
} refusals[] = {
	{ "socket-refused", { "socket", 0, { { 0 } } } },
	{ "socket-refused", { "socketpair", 1, { BITS(1, SOCKET_TYPE, SOCK_STREAM) } } },
	{ "fork-refused", { "clone", 1, { BITS(0, CLONE_THREAD, 0) } } },
	{ "capabilities-refused", { "prctl", 1, { IS(0, PR_CAPBSET_READ) } } }, /* libcap's start */
	{ "prlimit-refused", { "prlimit64", 1, { ABOVE(2, 0) } } },
};

/* Whether it is such a word. */
static enum err add_refusals(scmp_filter_ctx filter, const char *word, bool *ret_is)
{
	enum err err = OK;

	*ret_is = false;
	for (size_t i = 0; !err && i < ARRAY_SIZE(refusals); i++)
		if (util_streq(refusals[i].word, word)) {
			*ret_is = true;
			err = add_arguments(filter, SCMP_ACT_ERRNO(EACCES), &refusals[i].rule, 1);
		}
	return err;
}

static enum err add_call(scmp_filter_ctx filter, const char *name)
{
	bool is_refusal;
	enum err err = add_refusals(filter, name, &is_refusal);

	if (is_refusal)
		return err;
	if (util_streq(name, "socket"))
		return add_sockets(filter);
	if (util_streq(name, "fcntl-lock"))
		return add_locks(filter);
	if (util_streq(name, "mmap-exec") || util_streq(name, "append-only"))
		return OK; /* add_executable, add_writing */
	if (has_arguments(name))
		return seccomp_failed(name, -EINVAL);
	return add_rule(filter, SCMP_ACT_ALLOW, name, 0, NULL);
}

static enum err add_caller(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->syscall_count; i++) {
		enum err err = add_call(filter, sandbox->syscalls[i]);
		if (err)
			return err;
	}
	return OK;
}

static enum err add_everything(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	enum err err =
		add_names(filter, SCMP_ACT_ALLOW, common_calls, ARRAY_SIZE(common_calls), NULL);

	if (!err)
		err = add_common_arguments(filter);
	if (!err)
		err = add_executable(filter, sandbox);
	if (!err)
		err = add_writing(filter, sandbox);
	if (!err)
		err = add_caller(filter, sandbox);
	if (!err)
		err = add_names(filter, LOOKUP_ACTION, lookup_calls, ARRAY_SIZE(lookup_calls),
				sandbox);
	return err;
}

static void filter_releasep(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static enum err enter_seccomp(const struct sandbox *sandbox)
{
	uint32_t action = SCMP_ACT_KILL_PROCESS;

#ifdef __SANITIZE_ADDRESS__
	struct sigaction explain = { .sa_sigaction = explain_sigsys, .sa_flags = SA_SIGINFO };
	if (sigaction(SIGSYS, &explain, NULL) < 0)
		return err_from_errno(errno);
	action = SCMP_ACT_TRAP;
#endif
	_cleanup_(filter_releasep) scmp_filter_ctx filter = seccomp_init(action);
	if (!filter)
		return ERR_NOMEM;
	int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!failed)
		failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* binary tree */
	if (failed)
		return seccomp_failed("-", failed);
	enum err err = add_everything(filter, sandbox);
	if (err)
		return err;
	failed = seccomp_load(filter);
	if (failed)
		return seccomp_failed("-", failed);
	return OK;
}

/* Both layers bind only the calling thread and those it starts later. */
static enum err check_one_thread(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned count = 0;

	if (!tasks) {
		log_error("sandbox-threads", "error=\"/proc/self/task: %s\"", strerror(errno));
		return err_from_errno(errno);
	}
	for (struct dirent *task; (task = readdir(tasks));)
		count += task->d_name[0] != '.';
	closedir(tasks);
	if (count != 1) {
		log_error("sandbox-threads", "threads=%u allowed=1", count);
		return ERR_WRONG_STATE;
	}
	return OK;
}

static enum err limit(int resource, size_t most)
{
	const struct rlimit limit = { most, most };

	if (setrlimit((__rlimit_resource_t)resource, &limit) == 0)
		return OK;
	log_error("sandbox-limit", "resource=%d limit=%zu error=\"%s\"", resource, most,
		  strerror(errno));
	return err_from_errno(errno);
}

static enum err enter_limits(const struct sandbox *sandbox)
{
	enum err err = limit(RLIMIT_NOFILE, sandbox->open_files);

#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
	if (!err && sandbox->data_size)
		err = limit(RLIMIT_DATA, sandbox->data_size);
#endif
	return err;
}

enum err sandbox_enter(const struct sandbox *sandbox)
{
	long abi = 0;

	enum err err = check_one_thread();
	if (!err)
		err = sandbox_harden();
	if (!err)
		err = enter_limits(sandbox);
	if (!err)
		err = landlock_enter(sandbox, &abi);
	if (!err)
		err = enter_seccomp(sandbox);
	if (!err)
		log_info("sandbox", "seccomp=yes landlock=%ld open_files=%zu", abi,
			 sandbox->open_files);
	return err;
}
