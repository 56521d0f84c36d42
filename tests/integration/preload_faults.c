/*
 * preload_faults.c - under a process of the gateway (LD_PRELOAD): its writes fail when a test says
 * so, its clock is set, and all that it writes and waits for is put down in one order, so that the
 * tests can make what a loss of power leaves at any moment. See faults.py, which has the same
 * layout.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { ROLES = 8, CONTROL_SIZE = 4096 };

enum op { OP_WRITE = 1, OP_SYNC, OP_TRUNCATE, OP_RENAME, OP_FALLOCATE, OPS = 8 };

struct control {
	_Atomic int64_t clock_s;          /* added to the wall clock */
	_Atomic uint64_t end;             /* of what is put down, from the beginning of the file */
	_Atomic int32_t tracing;          /* whether anything is */
	_Atomic int32_t fail[ROLES][OPS]; /* errno; 0: it works */
	_Atomic int32_t failed[ROLES][OPS]; /* how often it was told so */
};
_Static_assert(sizeof(struct control) <= CONTROL_SIZE, "the notes begin behind it");

/* Followed by len bytes of data, of OP_WRITE and OP_RENAME. */
struct note {
	_Atomic uint32_t op; /* written last */
	uint32_t role;
	uint64_t inode, offset, len;
};

static struct control *control;
static size_t size;
static unsigned role;

static const char *const roles[ROLES] = { "broker", "worker", "signer", "vault", "edge" };

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("FAULTS_CONTROL");
	struct stat status;

	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &status) < 0)
		abort();
	size = (size_t)status.st_size;
	control = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		abort();
	close(fd);
	for (role = 0; role < ROLES - 1; role++)
		if (roles[role] && strstr(program_invocation_short_name, roles[role]))
			break;
}

static bool fails(enum op op)
{
	int error = control ? control->fail[role][op] : 0;

	if (!error)
		return false;
	control->failed[role][op]++;
	errno = error;
	return true;
}

static bool is_file(int fd, struct stat *ret)
{
	return syscall(SYS_newfstatat, fd, "", ret, AT_EMPTY_PATH) == 0 && S_ISREG(ret->st_mode);
}

static void put(enum op op, uint64_t inode, uint64_t offset, const void *data, size_t len)
{
	const size_t whole = (sizeof(struct note) + len + 7) & ~(size_t)7;

	if (!control || !control->tracing)
		return;
	uint64_t at = atomic_fetch_add(&control->end, whole);
	if (at + whole > size)
		abort();
	struct note *note = (struct note *)((char *)control + at);
	note->role = role;
	note->inode = inode;
	note->offset = offset;
	note->len = len;
	if (len)
		memcpy(note + 1, data, len);
	note->op = op;
}

ssize_t write(int fd, const void *data, size_t len)
{
	struct stat status;

	if (fd <= STDERR_FILENO || !is_file(fd, &status))
		return syscall(SYS_write, fd, data, len);
	if (fails(OP_WRITE))
		return -1;
	/* Of files that are only appended to, or written from their beginning. */
	ssize_t done = syscall(SYS_write, fd, data, len);
	if (done > 0)
		put(OP_WRITE, status.st_ino, (uint64_t)status.st_size, data, (size_t)done);
	return done;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
	struct stat status;

	if (fails(OP_WRITE))
		return -1;
	ssize_t done = syscall(SYS_pwrite64, fd, data, len, offset);
	if (done > 0 && is_file(fd, &status))
		put(OP_WRITE, status.st_ino, (uint64_t)offset, data, (size_t)done);
	return done;
}

static int sync_by(long call, int fd)
{
	struct stat status;

	if (!is_file(fd, &status))
		return (int)syscall(call, fd);
	if (fails(OP_SYNC))
		return -1;
	int done = (int)syscall(call, fd);
	if (done == 0)
		put(OP_SYNC, status.st_ino, 0, NULL, 0);
	return done;
}

int fdatasync(int fd)
{
	return sync_by(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return sync_by(SYS_fsync, fd);
}

static int truncate_to(int fd, off64_t length)
{
	struct stat status;

	if (fails(OP_TRUNCATE))
		return -1;
	int done = (int)syscall(SYS_ftruncate, fd, length);
	if (done == 0 && is_file(fd, &status))
		put(OP_TRUNCATE, status.st_ino, (uint64_t)length, NULL, 0);
	return done;
}

int ftruncate64(int fd, off64_t length)
{
	return truncate_to(fd, length);
}

int ftruncate(int fd, off_t length)
{
	return truncate_to(fd, length);
}

static int allocate(int fd, int mode, off64_t offset, off64_t len)
{
	return fails(OP_FALLOCATE) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
	return allocate(fd, mode, offset, len);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	return allocate(fd, mode, offset, len);
}

/* The new name comes with what the file has; its inode stays. */
int rename(const char *from, const char *to)
{
	struct stat status;
	bool known = stat(from, &status) == 0;

	if (fails(OP_RENAME))
		return -1;
	int done = (int)syscall(SYS_rename, from, to);
	if (done == 0 && known)
		put(OP_RENAME, status.st_ino, 0, to, strlen(to));
	return done;
}

/* ---- the clock -------------------------------------------------------------------------- */

int clock_gettime(clockid_t id, struct timespec *ret)
{
	int done = (int)syscall(SYS_clock_gettime, id, ret);

	if (done == 0 && control && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ret->tv_sec += control->clock_s;
	return done;
}

time_t time(time_t *ret)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now = { 0 };

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}
