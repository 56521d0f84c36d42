/*
 * folder.h - a test's temporary folders, gone with all that is in them when the program ends, also
 * when a test failed before its teardown.
 */
#ifndef SEKISHO_TESTS_FOLDER_H
#define SEKISHO_TESTS_FOLDER_H

#include "unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define UNIT_FOLDER 64
#define UNIT_FILE   (UNIT_FOLDER + 8)

static struct {
	char path[UNIT_FOLDER - 16]; /* of all folders of this program */
	pid_t owner;                 /* not its children */
} unit_folders;

static inline int unit_folder_remove_one(const char *path, const struct stat *stat, int flag,
					 struct FTW *ftw)
{
	(void)stat;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* With all that is in it; links are not followed. */
static inline void unit_folder_remove(const char *path)
{
	(void)nftw(path, unit_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void unit_folders_finish(void)
{
	if (getpid() == unit_folders.owner)
		unit_folder_remove(unit_folders.path);
}

static inline void unit_folders_init(void)
{
	const char *base = getenv("TMPDIR");
	int len = snprintf(unit_folders.path, sizeof(unit_folders.path), "%s/sekisho-unit-XXXXXX",
			   base && *base ? base : "/tmp");

	/* Names of sockets in it must fit as well. */
	if (len >= (int)sizeof(unit_folders.path))
		snprintf(unit_folders.path, sizeof(unit_folders.path), "/tmp/sekisho-unit-XXXXXX");
	assert_non_null(mkdtemp(unit_folders.path));
	/* Some tests run as nobody and must get through to theirs. */
	assert_int_equal(chmod(unit_folders.path, 0711), 0);
	unit_folders.owner = getpid();
	assert_int_equal(atexit(unit_folders_finish), 0);
}

/* A new empty folder that only this user can open. */
static inline void unit_folder(char ret_path[UNIT_FOLDER])
{
	if (!unit_folders.owner)
		unit_folders_init();
	snprintf(ret_path, UNIT_FOLDER, "%s/XXXXXX", unit_folders.path);
	assert_non_null(mkdtemp(ret_path));
}

/* A new empty file in a folder of its own; returns its descriptor. */
static inline int unit_file(char ret_path[UNIT_FILE])
{
	char folder[UNIT_FOLDER];
	int fd;

	unit_folder(folder);
	snprintf(ret_path, UNIT_FILE, "%s/file", folder);
	fd = open(ret_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

#endif
