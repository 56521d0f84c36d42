#include "worker/record/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum err from_errno(int saved_errno)
{
	bool full = saved_errno == ENOSPC || saved_errno == EDQUOT || saved_errno == EFBIG;
	return full ? ERR_FULL : ERR_IO;
}

void disk_init(struct disk *disk, int fd)
{
	*disk = (struct disk){ .fd = fd, .reserves = true };
}

void disk_finish(struct disk *disk)
{
	if (disk->fd < 0)
		return;
	close(disk->fd);
	disk->fd = -1;
}

enum err disk_reserve(struct disk *disk)
{
	if (!disk->reserves || disk->reserved >= disk->size + DISK_AHEAD)
		return OK;
	uint64_t from = disk->reserved > disk->size ? disk->reserved : disk->size;
	if (fallocate(disk->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, DISK_STEP) == 0) {
		disk->reserved = from + DISK_STEP;
		return OK;
	}
	if (errno == EOPNOTSUPP || errno == ENOSYS) {
		disk->reserves = false;
		return OK;
	}
	/* Asked again with the next chunk. */
	return errno == EINTR ? OK : from_errno(errno);
}

static enum err write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t done = write(fd, data, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? from_errno(errno) : ERR_IO;
		data += done;
		len -= (size_t)done;
	}
	return OK;
}

enum err disk_append(struct disk *disk, const uint8_t *data, size_t len)
{
	enum err err = disk->failed ? ERR_IO : write_all(disk->fd, data, len);
	if (!err && fdatasync(disk->fd) < 0)
		err = from_errno(errno);
	/* Readers know half a chunk at the end for a crash; behind it there must be nothing. */
	disk->failed = err != OK;
	if (!err)
		disk->size += len;
	return err;
}
