#include "preview/room.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"

#define ROOM_OPTIONS "size=256m,nr_inodes=4096,mode=0700"
#define DATA_SIZE    ((size_t)1 << 30)
#define FILE_MAX     ((size_t)256 << 20)

enum { CPU_S = 40, OPEN_FILES = 128, PROCESSES = 64 /* threads are, too */ };

static enum err failed(const char *what)
{
	int saved_errno = errno;

	log_error("office-room", "at=\"%s\" error=\"%s\"", what, strerror(saved_errno));
	return err_from_errno(saved_errno);
}

/* ---- namespaces ------------------------------------------------------------------------------ */

static enum err write_line(const char *path, const char *line)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, line, strlen(line)) < 0 ? failed(path) : OK;
}

/* user_namespaces(7): the person keeps its number, and is nobody's group. */
static enum err own_namespaces(void)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
	/* Else these files of /proc are root's. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return failed("namespaces");
	enum err err = write_line("/proc/self/setgroups", "deny");
	if (!err)
		err = write_line("/proc/self/uid_map", users);
	if (!err)
		err = write_line("/proc/self/gid_map", groups);
	return err;
}

/* Memory over ROOM, for this process alone; the kernel frees it with the process, however that
 * ends. Landlock leaves modes and owners of all other files open, also the vault's, where all of
 * the gateway is one user: nothing of these can be changed. */
static enum err own_folder(void)
{
	struct mount_attr fixed = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &fixed, sizeof(fixed)) < 0 ||
	    mount("sekisho", ROOM, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, ROOM_OPTIONS) < 0 ||
	    chdir(ROOM) < 0)
		return failed(ROOM);
	return OK;
}

/* What a new user namespace gives to its first process. */
static enum err drop_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &head, none) < 0 ? failed("capset") : OK;
}

/* ---- limits ---------------------------------------------------------------------------------- */

static enum err limit(__rlimit_resource_t resource, rlim_t most)
{
	const struct rlimit limit = { most, most };

	return setrlimit(resource, &limit) < 0 ? failed("setrlimit") : OK;
}

static enum err limits(void)
{
	enum err err = limit(RLIMIT_CPU, CPU_S);

	if (!err)
		err = limit(RLIMIT_FSIZE, FILE_MAX);
	if (!err)
		err = limit(RLIMIT_NPROC, PROCESSES);
	return err;
}

static enum err confine(void)
{
	/* clang-format off */
	static const char *const calls[] = {
		"access", "capabilities-refused", "chdir", "chmod", "chown", "faccessat2",
		"fadvise64", "fchmod", "fchown", "fcntl-lock", "fdatasync", "fork-refused",
		"fstatfs", "fsync", "ftruncate", "getcwd", "getdents64", "link", "lstat",
		"mkdir", "mmap-exec", "newfstatat", "open", "openat", "pipe2",
		"prlimit-refused", "readlink", "rename", "rmdir", "socket-refused", "stat",
		"statfs", "statx", "umask", "unlink",
	};
	/* clang-format on */
	static const struct sandbox_path paths[] = {
		{ ROOM, SANDBOX_WRITE },
		{ "/dev/null", SANDBOX_READ },
		{ "/dev/urandom", SANDBOX_READ },
		{ "/etc/fonts", SANDBOX_READ },
		{ "/etc/ld.so.cache", SANDBOX_READ },
		{ "/etc/libreoffice", SANDBOX_READ },
		{ "/etc/localtime", SANDBOX_READ },
		{ "/usr/lib", SANDBOX_READ },
		{ "/usr/share", SANDBOX_READ },
		{ "/var/cache/fontconfig", SANDBOX_READ },
		{ "/var/lib/libreoffice", SANDBOX_READ },
		{ "/var/spool/libreoffice", SANDBOX_READ },
	};
	const struct sandbox sandbox = {
		.syscalls = calls,
		.syscall_count = ARRAY_SIZE(calls),
		.paths = paths,
		.path_count = ARRAY_SIZE(paths),
		.open_files = OPEN_FILES,
		.data_size = DATA_SIZE,
	};

	return sandbox_enter(&sandbox);
}

enum err room_enter(void)
{
	enum err err = own_namespaces();

	if (!err)
		err = own_folder();
	if (!err)
		err = drop_capabilities();
	if (!err)
		err = limits();
	return err ? err : confine();
}
