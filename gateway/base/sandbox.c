#include "base/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <net/if.h>
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
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "base/util.h"

/* Newer than the kernel headers of Debian 12; landlock(7). */
#define FS_REFER                   (1ULL << 13)
#define FS_TRUNCATE                (1ULL << 14)
#define FS_IOCTL_DEV               (1ULL << 15)
#define NET_BIND_TCP               (1ULL << 0)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL               (1ULL << 1)

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* glibc names its heaps from 2.40 on */
#endif

struct ruleset { /* struct landlock_ruleset_attr of ABI 6; older kernels take zeros at the end */
	uint64_t fs, net, scoped;
};

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
	"close", "close_range", "dup", "fcntl", "fstat", "lseek", "newfstatat", "pread64", "pwrite64", "read", "readv",
	"write", "writev",
	/* open sockets */
	"getpeername", "getsockname", "getsockopt", "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto",
	"setsockopt", "shutdown",
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
/* A report needs them, and these paths, to name functions and lines. */
#define LOOKUP_ACTION SCMP_ACT_ALLOW
static const struct sandbox_path asan_paths[] = {
	{ "/proc", SANDBOX_READ },
	{ "/usr", SANDBOX_READ },
};
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

/* ---- seccomp -----------------------------------------------------------------------------------
 */

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

struct argument_rule {
	const char *name;
	unsigned argument;
	enum scmp_compare compare;
	uint64_t value, mask; /* value is the mask and mask the datum for SCMP_CMP_MASKED_EQ, as in
				 libseccomp */
};

static enum err add_arguments(scmp_filter_ctx filter, uint32_t action,
			      const struct argument_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct argument_rule *rule = &rules[i];
		struct scmp_arg_cmp compare = { rule->argument, rule->compare, rule->value,
						rule->mask };
		enum err err = add_rule(filter, action, rule->name, 1, &compare);
		if (err)
			return err;
	}
	return OK;
}

/* Calls whose arguments decide. */
static enum err add_common_arguments(scmp_filter_ctx filter)
{
	const struct argument_rule allowed[] = {
		/* threads, but no new process; clone3 hides its flags in memory, glibc then takes
		   clone */
		{ "clone", 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM,
		  CLONE_THREAD | CLONE_VM },
		{ "ioctl", 1, SCMP_CMP_EQ, FIONREAD, 0 },
		{ "ioctl", 1, SCMP_CMP_EQ, FIONBIO, 0 },
		{ "ioctl", 1, SCMP_CMP_EQ, TCGETS, 0 },
		{ "prctl", 0, SCMP_CMP_EQ, PR_SET_NAME, 0 },
		{ "prctl", 0, SCMP_CMP_EQ, PR_GET_NAME, 0 },
		{ "prctl", 0, SCMP_CMP_EQ, PR_SET_VMA, 0 },
		{ "prlimit64", 2, SCMP_CMP_EQ, 0, 0 }, /* reading only */
		{ "socketpair", 0, SCMP_CMP_EQ, AF_UNIX, 0 },
		{ "tgkill", 0, SCMP_CMP_EQ, (uint64_t)getpid(), 0 },
		{ "mmap", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
		{ "mprotect", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
	};
	enum err err = add_arguments(filter, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
	if (!err)
		err = add_rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	return err;
}

/*
 * Executable memory: only for who lists "mmap-exec" (plug-ins by dlopen). Else EACCES, so that name
 * services and converters which are plug-ins of glibc are left out instead of ending the process.
 */
static enum err add_executable(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	const struct argument_rule rules[] = {
		{ "mmap", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC },
		{ "mprotect", 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC },
	};
	uint32_t action = lists(sandbox, "mmap-exec") ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES);

	return add_arguments(filter, action, rules, ARRAY_SIZE(rules));
}

/*
 * New sockets: internet ones, and netlink of family route, which getaddrinfo asks for addresses.
 * Not AF_UNIX: without separate users the admin socket would be in reach.
 */
static enum err add_sockets(scmp_filter_ctx filter)
{
	const struct argument_rule allowed[] = {
		{ "socket", 0, SCMP_CMP_EQ, AF_INET, 0 },
		{ "socket", 0, SCMP_CMP_EQ, AF_INET6, 0 },
	};
	const struct scmp_arg_cmp netlink[] = {
		{ 0, SCMP_CMP_EQ, AF_NETLINK, 0 },
		{ 2, SCMP_CMP_EQ, NETLINK_ROUTE, 0 },
	};
	enum err err = add_arguments(filter, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
	if (!err)
		err = add_rule(filter, SCMP_ACT_ALLOW, "socket", ARRAY_SIZE(netlink), netlink);
	const struct argument_rule refused[] = {
		{ "socket", 0, SCMP_CMP_EQ, AF_UNIX, 0 },
		{ "socket", 0, SCMP_CMP_GT, AF_NETLINK, 0 },
	};
	if (!err)
		err = add_arguments(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), refused,
				    ARRAY_SIZE(refused));
	return err;
}

static enum err add_caller(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->syscall_count; i++) {
		const char *name = sandbox->syscalls[i];
		enum err err = OK;
		if (util_streq(name, "socket"))
			err = add_sockets(filter);
		else if (!util_streq(name, "mmap-exec"))
			err = add_rule(filter, SCMP_ACT_ALLOW, name, 0, NULL);
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

/* ---- Landlock ----------------------------------------------------------------------------------
 */

static enum err landlock_failed(const char *what)
{
	int saved_errno = errno;

	log_error("sandbox-landlock", "at=\"%s\" error=\"%s\"", what, strerror(saved_errno));
	return err_from_errno(saved_errno);
}

/* What this kernel's ABI can deny. REFER is never granted: nothing moves between directories. */
static struct ruleset landlock_handled(long abi)
{
	struct ruleset handled = { .fs = FS_REFER - 1 };

	if (abi >= 2)
		handled.fs |= FS_REFER;
	if (abi >= 3)
		handled.fs |= FS_TRUNCATE;
	if (abi >= 4)
		handled.net = NET_BIND_TCP; /* listeners come open from the monitor */
	if (abi >= 5)
		handled.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		handled.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return handled;
}

static enum err landlock_allow(int ruleset, const struct sandbox_path *path, uint64_t handled)
{
	const uint64_t of_files =
		LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
	uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	_cleanup_close_ int fd = open(path->path, O_PATH | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return errno == ENOENT ? OK : landlock_failed(path->path);
	if (fstat(fd, &status) < 0)
		return landlock_failed(path->path);
	if (path->access == SANDBOX_WRITE)
		rights |= LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE |
			  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
			  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
	rights &= handled;
	if (!S_ISDIR(status.st_mode))
		rights &= of_files;
	struct landlock_path_beneath_attr beneath = { .allowed_access = rights, .parent_fd = fd };
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
		return landlock_failed(path->path);
	return OK;
}

static enum err landlock_allow_all(int ruleset, const struct sandbox_path *paths, size_t count,
				   uint64_t handled)
{
	for (size_t i = 0; i < count; i++) {
		enum err err = landlock_allow(ruleset, &paths[i], handled);
		if (err)
			return err;
	}
	return OK;
}

/* ret_abi: 0 when the kernel has no Landlock. */
static enum err enter_landlock(const struct sandbox *sandbox, long *ret_abi)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1) {
		log_warn("sandbox-without-landlock", "reason=\"%s\"", strerror(errno));
		*ret_abi = 0;
		return OK;
	}
	struct ruleset handled = landlock_handled(abi);
	_cleanup_close_ int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (ruleset < 0)
		return landlock_failed("create");
	enum err err = landlock_allow_all(ruleset, sandbox->paths, sandbox->path_count, handled.fs);
#ifdef __SANITIZE_ADDRESS__
	if (!err)
		err = landlock_allow_all(ruleset, asan_paths, ARRAY_SIZE(asan_paths), handled.fs);
#endif
	if (err)
		return err;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return landlock_failed("restrict");
	*ret_abi = abi;
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

enum err sandbox_enter(const struct sandbox *sandbox)
{
	struct rlimit files = { sandbox->open_files, sandbox->open_files };
	long abi = 0;

	enum err err = check_one_thread();
	if (!err)
		err = sandbox_harden();
	if (err)
		return err;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
		log_error("sandbox-open-files", "limit=%zu error=\"%s\"", sandbox->open_files,
			  strerror(errno));
		return err_from_errno(errno);
	}
	err = enter_landlock(sandbox, &abi);
	if (!err)
		err = enter_seccomp(sandbox);
	if (!err)
		log_info("sandbox", "seccomp=yes landlock=%ld open_files=%zu", abi,
			 sandbox->open_files);
	return err;
}
