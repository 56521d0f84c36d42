#include "base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "base/util.h"

/* Newer than the kernel headers of Debian 12; landlock(7). */
#define FS_REFER                   (1ULL << 13)
#define FS_TRUNCATE                (1ULL << 14)
#define FS_IOCTL_DEV               (1ULL << 15)
#define NET_BIND_TCP               (1ULL << 0)
#define NET_CONNECT_TCP            (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL               (1ULL << 1)

enum { RULE_NET_PORT = 2, ABI_WITH_NET = 4, PORT_DNS = 53 };

struct ruleset { /* struct landlock_ruleset_attr of ABI 6; older kernels take zeros at the end */
	uint64_t fs, net, scoped;
};

struct net_port { /* struct landlock_net_port_attr */
	uint64_t allowed, port;
};

#ifdef __SANITIZE_ADDRESS__
/* A report needs these to name functions and lines. */
static const struct sandbox_path asan_paths[] = {
	{ "/proc", SANDBOX_READ },
	{ "/usr", SANDBOX_READ },
};
#endif

long landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 1 ? 0 : abi;
}

static enum err failed(const char *what)
{
	int saved_errno = errno;

	log_error("sandbox-landlock", "at=\"%s\" error=\"%s\"", what, strerror(saved_errno));
	return err_from_errno(saved_errno);
}

/* What this kernel's ABI can deny. REFER is never granted: nothing moves between directories. */
static struct ruleset handled_by(long abi)
{
	struct ruleset handled = { .fs = FS_REFER - 1 };

	if (abi >= 2)
		handled.fs |= FS_REFER;
	if (abi >= 3)
		handled.fs |= FS_TRUNCATE;
	if (abi >= ABI_WITH_NET)
		handled.net = NET_BIND_TCP; /* listeners come open from the monitor */
	if (abi >= 5)
		handled.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		handled.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return handled;
}

static enum err allow(int ruleset, const struct sandbox_path *path, uint64_t handled)
{
	const uint64_t of_files =
		LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
	uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	_cleanup_close_ int fd = open(path->path, O_PATH | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return errno == ENOENT ? OK : failed(path->path);
	if (fstat(fd, &status) < 0)
		return failed(path->path);
	if (path->access == SANDBOX_WRITE)
		rights |= LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE |
			  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
			  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
	rights &= handled;
	if (!S_ISDIR(status.st_mode))
		rights &= of_files;
	struct landlock_path_beneath_attr beneath = { .allowed_access = rights, .parent_fd = fd };
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
		return failed(path->path);
	return OK;
}

static enum err allow_all(int ruleset, const struct sandbox_path *paths, size_t count,
			  uint64_t handled)
{
	for (size_t i = 0; i < count; i++) {
		enum err err = allow(ruleset, &paths[i], handled);
		if (err)
			return err;
	}
	return OK;
}

static enum err create(const struct ruleset *handled, int *ret_fd)
{
	int fd = (int)syscall(SYS_landlock_create_ruleset, handled, sizeof(*handled), 0);

	if (fd < 0)
		return failed("create");
	*ret_fd = fd;
	return OK;
}

static enum err restrict_self(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? failed("restrict") : OK;
}

static enum err without(const struct sandbox *sandbox)
{
	if (!sandbox->may_lack_landlock) {
		log_error("sandbox-without-landlock",
			  "error=\"this kernel has no Landlock (Linux 5.13 or later, with landlock "
			  "among its lsm=)\" setting=gateway.require_landlock");
		return ERR_DENIED;
	}
	log_warn("sandbox-without-landlock", "setting=gateway.require_landlock value=no");
	return OK;
}

enum err landlock_enter(const struct sandbox *sandbox, long *ret_abi)
{
	_cleanup_close_ int ruleset = -1;
	long abi = landlock_abi();

	*ret_abi = abi;
	if (!abi)
		return without(sandbox);
	struct ruleset handled = handled_by(abi);
	enum err err = create(&handled, &ruleset);
	if (!err)
		err = allow_all(ruleset, sandbox->paths, sandbox->path_count, handled.fs);
#ifdef __SANITIZE_ADDRESS__
	if (!err)
		err = allow_all(ruleset, asan_paths, ARRAY_SIZE(asan_paths), handled.fs);
#endif
	if (!err)
		err = restrict_self(ruleset);
	return err;
}

static enum err allow_port(int ruleset, uint16_t port)
{
	const struct net_port rule = { NET_CONNECT_TCP, port };

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
		return failed("port");
	return OK;
}

enum err landlock_connect_only(uint16_t port)
{
	const struct ruleset handled = { .net = NET_CONNECT_TCP };
	_cleanup_close_ int ruleset = -1;

	if (landlock_abi() < ABI_WITH_NET)
		return OK;
	enum err err = create(&handled, &ruleset);
	if (!err)
		err = allow_port(ruleset, port);
	if (!err)
		err = allow_port(ruleset, PORT_DNS);
	if (!err)
		err = restrict_self(ruleset);
	return err;
}
