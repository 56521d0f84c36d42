#include "certs/ca_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

static const char unfinished[] = ".new";

enum err ca_path(char path[CA_PATH], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(path, CA_PATH, fmt, args);
	va_end(args);
	return len >= 0 && len < CA_PATH ? OK : ERR_TOO_BIG;
}

static enum err sync_folder(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? err_from_errno(errno) : OK;
}

static enum err sync_parent(const char *path)
{
	char parent[CA_PATH];
	const char *slash = strrchr(path, '/');
	enum err err = ca_path(parent, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");

	return err ? err : sync_folder(parent);
}

static void closedirp(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

static enum err remove_all_in(const char *path)
{
	_cleanup_(closedirp) DIR *folder = opendir(path);
	enum err err = OK;

	if (!folder)
		return err_from_errno(errno);
	for (struct dirent *entry; !err && (entry = readdir(folder));) {
		char inner[CA_PATH];
		if (util_streq(entry->d_name, ".") || util_streq(entry->d_name, ".."))
			continue;
		err = ca_path(inner, "%s/%s", path, entry->d_name);
		if (!err)
			err = ca_folder_remove(inner);
	}
	return err;
}

enum err ca_folder_remove(const char *path)
{
	/* As deep as the path has room, and links are not followed. */
	if (unlink(path) == 0 || errno == ENOENT)
		return OK;
	if (errno != EISDIR && errno != EPERM)
		return err_from_errno(errno);
	enum err err = remove_all_in(path);
	if (!err && rmdir(path) < 0)
		err = err_from_errno(errno);
	return err;
}

enum err ca_folder_drop(const char *path)
{
	enum err err = ca_folder_remove(path);

	return err ? err : sync_parent(path);
}

enum err ca_folder_fresh(const char *path)
{
	enum err err = ca_folder_remove(path);

	if (!err && mkdir(path, 0700) < 0)
		err = err_from_errno(errno);
	return err;
}

enum err ca_folder_commit(const char *from, const char *to)
{
	struct stat status;
	enum err err = sync_folder(from);

	if (err)
		return err;
	if (lstat(to, &status) == 0)
		return ERR_EXISTS;
	if (rename(from, to) < 0)
		return err_from_errno(errno);
	err = sync_parent(to);
	/* Who was told of a failure must not meet the folder at the next start. */
	if (err && rename(to, from) < 0)
		return ERR_IO;
	return err;
}

static enum err exchange(const char *a, const char *b)
{
	return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0 ? err_from_errno(errno)
									: OK;
}

enum err ca_folder_replace(const char *from, const char *to)
{
	enum err err = sync_folder(from);

	if (!err)
		err = exchange(from, to);
	if (err)
		return err;
	err = sync_parent(to);
	if (err && exchange(from, to))
		return ERR_IO;
	return err;
}

static bool number_of(const char *name, uint32_t *ret)
{
	int64_t number;

	if (name[0] == '0' || util_parse_i64(name, 1, CA_NUMBER_MAX, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool is_unfinished(const char *name)
{
	size_t len = strlen(name), end = sizeof(unfinished) - 1;

	return len > end && util_streq(name + len - end, unfinished);
}

/* Keeps the highest max, sorted. */
static void insert(uint32_t *numbers, size_t max, size_t *count, uint32_t number)
{
	size_t at = *count;

	if (at == max) {
		if (number < numbers[max - 1])
			return;
		at--;
	} else {
		++*count;
	}
	for (; at > 0 && numbers[at - 1] < number; at--)
		numbers[at] = numbers[at - 1];
	numbers[at] = number;
}

enum err ca_folder_list(const char *path, uint32_t *numbers, size_t max, size_t *ret_count)
{
	_cleanup_(closedirp) DIR *folder = opendir(path);
	size_t count = 0;
	enum err err = OK;

	if (!folder)
		return err_from_errno(errno);
	for (struct dirent *entry; !err && (entry = readdir(folder));) {
		char inner[CA_PATH];
		uint32_t number;
		if (number_of(entry->d_name, &number)) {
			insert(numbers, max, &count, number);
		} else if (is_unfinished(entry->d_name)) {
			err = ca_path(inner, "%s/%s", path, entry->d_name);
			if (!err)
				err = ca_folder_remove(inner);
		}
	}
	if (!err)
		*ret_count = count;
	return err;
}
