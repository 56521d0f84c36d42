#include "monitor/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/util.h"
#include "monitor/refuse.h"

#define SUBJECT "%s = %s"

static bool is_ours_alone(const struct stat *status)
{
	return (status->st_uid == 0 || status->st_uid == geteuid()) && !(status->st_mode & 077);
}

static enum err check(const char *setting, const char *path, const struct stat *status)
{
	if (!S_ISREG(status->st_mode) || status->st_size == 0) {
		refuse("not a file with a passphrase in it; write one line into it",
		       "パスフレーズの入ったファイルではありません。1 行で書いてください", SUBJECT,
		       setting, path);
		return ERR_INVALID;
	}
	if (!is_ours_alone(status)) {
		refuse("others may read the passphrase; run: chown root FILE && chmod 600 FILE",
		       "他のユーザーがパスフレーズを読めます。chown root と chmod 600 "
		       "を実行してください",
		       SUBJECT, setting, path);
		return ERR_DENIED;
	}
	if (status->st_size > PASSPHRASE_FILE_MAX) {
		refuse("larger than 4 KiB; a passphrase is one line",
		       "4 KiB を超えています。パスフレーズは 1 行です", SUBJECT, setting, path);
		return ERR_TOO_BIG;
	}
	return OK;
}

enum err passphrase_open(const char *setting, const char *path, int *ret_fd)
{
	/* Not to wait for the other end of a pipe. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0) {
		int saved_errno = errno;
		refuse_errno(SUBJECT, setting, path);
		return err_from_errno(saved_errno);
	}
	enum err err = check(setting, path, &status);
	if (!err)
		*ret_fd = util_take_fd(&fd);
	return err;
}
