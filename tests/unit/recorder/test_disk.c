/*
 * The file of a recording on disks that fail. The C library's calls are replaced here: the real
 * ones are the kernel's.
 */
#include "unit/folder.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "worker/record/disk.h"

static struct {
	int sync_errno, write_errno, fallocate_errno; /* 0: works */
	size_t short_writes;                          /* bytes that one takes at most; 0: all */
	unsigned syncs, interrupts;
} fault;

int fdatasync(int fd)
{
	fault.syncs++;
	if (!fault.sync_errno)
		return (int)syscall(SYS_fdatasync, fd);
	errno = fault.sync_errno;
	return -1;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	if (!fault.fallocate_errno)
		return (int)syscall(SYS_fallocate, fd, mode, offset, len);
	errno = fault.fallocate_errno;
	return -1;
}

ssize_t write(int fd, const void *data, size_t len)
{
	if (fd > 2 && fault.write_errno) {
		errno = fault.write_errno;
		return -1;
	}
	if (fd > 2 && fault.interrupts) {
		fault.interrupts--;
		errno = EINTR;
		return -1;
	}
	if (fd > 2 && fault.short_writes)
		len = MIN(len, fault.short_writes);
	return syscall(SYS_write, fd, data, len);
}

static struct disk disk;
static int file;

static int setup(void **state)
{
	char path[UNIT_FILE];
	(void)state;
	memset(&fault, 0, sizeof(fault));
	close(unit_file(path));
	file = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	assert_true(file >= 0);
	disk_init(&disk, fcntl(file, F_DUPFD_CLOEXEC, 0));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	disk_finish(&disk);
	close(file);
	return 0;
}

static void holds(const char *text)
{
	char data[64] = { 0 };
	struct stat status;
	assert_int_equal(fstat(file, &status), 0);
	assert_int_equal(status.st_size, strlen(text));
	assert_int_equal(pread(file, data, sizeof(data) - 1, 0), strlen(text));
	assert_string_equal(data, text);
}

static enum err append(const char *text)
{
	return disk_append(&disk, (const uint8_t *)text, strlen(text));
}

static void what_is_appended_is_on_the_disk(void **state)
{
	(void)state;
	fault.short_writes = 2;
	fault.interrupts = 3;
	assert_int_equal(append("one"), OK);
	assert_int_equal(append("two"), OK);
	assert_int_equal(fault.syncs, 2);
	assert_int_equal(disk.size, 6);
	holds("onetwo");
}

static void nothing_follows_a_failure(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EFBIG, EROFS };
	(void)state;
	assert_int_equal(append("one"), OK);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(errors); i++) {
		int error = errors[i / 2], *which = i % 2 ? &fault.sync_errno : &fault.write_errno;
		bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
		disk.failed = false;
		*which = error;
		assert_int_equal(append("t"), full ? ERR_FULL : ERR_IO);
		*which = 0;
		assert_int_equal(append("two"), ERR_IO);
		assert_int_equal(disk.size, 3);
	}
	holds("onettttt");
}

static void space_is_reserved_ahead(void **state)
{
	struct stat status;
	(void)state;
	assert_int_equal(disk_reserve(&disk), OK);
	if (!disk.reserves)
		skip();
	assert_int_equal(disk.reserved, DISK_STEP);
	assert_int_equal(fstat(file, &status), 0);
	assert_int_equal(status.st_size, 0);
	assert_true(status.st_blocks * 512 >= DISK_STEP);
	disk.size = DISK_STEP - DISK_AHEAD;
	assert_int_equal(disk_reserve(&disk), OK);
	assert_int_equal(disk.reserved, DISK_STEP);
	disk.size++;
	assert_int_equal(disk_reserve(&disk), OK);
	assert_int_equal(disk.reserved, 2 * DISK_STEP);
}

static void a_full_disk_is_noticed_before(void **state)
{
	(void)state;
	fault.fallocate_errno = ENOSPC;
	assert_int_equal(disk_reserve(&disk), ERR_FULL);
	assert_int_equal(append("one"), OK);
	fault.fallocate_errno = EIO;
	assert_int_equal(disk_reserve(&disk), ERR_IO);
}

static void file_systems_that_cannot(void **state)
{
	(void)state;
	fault.fallocate_errno = EOPNOTSUPP;
	assert_int_equal(disk_reserve(&disk), OK);
	assert_false(disk.reserves);
	assert_int_equal(append("one"), OK);
	holds("one");
}

int main(void)
{
#define row(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		row(what_is_appended_is_on_the_disk), row(nothing_follows_a_failure),
		row(space_is_reserved_ahead),         row(a_full_disk_is_noticed_before),
		row(file_systems_that_cannot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
