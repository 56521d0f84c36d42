#include "monitor/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/util.h"
#include "monitor/refuse.h"

static enum err folder_failed(const char *path)
{
	int saved_errno = errno;

	refuse_errno("%s", path);
	return err_from_errno(saved_errno);
}

static enum err make_parents(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);
		if (len >= sizeof(part))
			return ERR_TOO_BIG;
		memcpy(part, path, len);
		part[len] = 0;
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return folder_failed(part);
	}
	return OK;
}

static enum err check(const char *path, int fd, mode_t mode, uid_t uid)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return folder_failed(path);
	if (status.st_uid != uid) {
		refuse("the directory belongs to another user; give it to the right one with chown "
		       "-R",
		       "フォルダーの所有者が違います。chown -R で直してください",
		       "%s (uid %u, expected %u)", path, (unsigned)status.st_uid, (unsigned)uid);
		return ERR_DENIED;
	}
	if (status.st_mode & 07777 & ~mode && fchmod(fd, mode) < 0)
		return folder_failed(path);
	return OK;
}

enum err folder_make(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	enum err err = make_parents(path);

	if (err)
		return err;
	bool made = mkdir(path, mode) == 0;
	if (!made && errno != EEXIST)
		return folder_failed(path);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return folder_failed(path);
	/* The umask may have taken bits away that role users need. */
	if (made && ((uid != geteuid() && fchown(fd, uid, gid) < 0) || fchmod(fd, mode) < 0))
		return folder_failed(path);
	return check(path, fd, mode, uid);
}

static enum err lock_fd(int fd, const char *path)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return OK;
	if (errno != EWOULDBLOCK)
		return folder_failed(path);
	refuse("another sekishod runs on this directory; stop it first or use other directories",
	       "別の sekishod "
	       "がこのフォルダーで動いています。停止するか、別のフォルダーを指定してください",
	       "%s", path);
	return ERR_EXISTS;
}

static enum err write_pid(int fd, const char *path)
{
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return folder_failed(path);
	return OK;
}

enum err folder_lock(const char *state_dir, const char *runtime_dir, struct folder_lock *ret)
{
	char path[PATH_MAX];

	_cleanup_close_ int state_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd < 0)
		return folder_failed(state_dir);
	enum err err = lock_fd(state_fd, state_dir);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/sekishod.pid", runtime_dir);
	_cleanup_close_ int pid_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (pid_fd < 0)
		return folder_failed(path);
	err = lock_fd(pid_fd, runtime_dir);
	if (!err)
		err = write_pid(pid_fd, path);
	if (err)
		return err;
	*ret = (struct folder_lock){ util_take_fd(&state_fd), util_take_fd(&pid_fd) };
	return OK;
}

void folder_unlock(struct folder_lock *lock)
{
	/* The file stays: removing it could remove the one a new monitor has just locked. */
	if (ftruncate(lock->pid_fd, 0) < 0)
		refuse_errno("sekishod.pid");
	close(lock->pid_fd);
	close(lock->state_fd);
}
