/*
 * faults.h - writes that go wrong: the process dies at one, the disk is full from then on, or the
 * power fails, and of what nobody had waited for only some is there.
 */
#ifndef SEKISHO_TESTS_VAULT_FAULTS_H
#define SEKISHO_TESTS_VAULT_FAULTS_H

#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"

/* A write that nobody has waited for; of a rename before and after its names. */
struct fault_note {
	struct fault_note *next;
	int fd;
	off_t at, size; /* of the file before it */
	size_t len, old_len;
	char *data, *old;
};

static struct {
	long left;  /* writes until it happens; 0: never */
	bool full;  /* the disk is, from then on; else the process dies */
	bool torn;  /* half of that write is still done */
	bool power; /* it dies because the power does */
	long count; /* so many were there */
	struct fault_note *notes;
	char renamed[2][512]; /* the last one's names, until its folder is on the disk */
} fault;

typedef ssize_t write_call(int fd, const void *data, size_t len, off_t at);
typedef int truncate_call(int fd, off_t size);
static write_call *real_pwrite;
static truncate_call *real_ftruncate;

/* ---- power -------------------------------------------------------------------------------------
 */

static inline void fault_note(int fd, const void *data, size_t len, off_t at, off_t size)
{
	struct fault_note *note;
	struct stat st;

	if (!fault.power || fstat(fd, &st) < 0)
		return;
	note = calloc(1, sizeof(*note));
	note->next = fault.notes;
	note->fd = fd;
	note->at = data ? at : size;
	note->size = st.st_size;
	note->len = len;
	note->data = data ? memcpy(malloc(len + 1), data, len) : NULL;
	/* What it overwrites, or cuts off. */
	note->old_len = data ? len : (size_t)MAX(st.st_size - size, (off_t)0);
	note->old = malloc(note->old_len + 1);
	const ssize_t got = pread(fd, note->old, note->old_len, note->at);
	note->old_len = got > 0 ? (size_t)got : 0;
	fault.notes = note;
}

static inline void fault_synced(int fd)
{
	struct fault_note **link = &fault.notes;
	struct stat st;

	if (fault.power && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		fault.renamed[0][0] = '\0';
	while (*link) {
		struct fault_note *note = *link;

		if (note->fd != fd) {
			link = &note->next;
			continue;
		}
		*link = note->next;
		free(note->data);
		free(note->old);
		free(note);
	}
}

/* As if none of them had been; then again, in their order, those that the disk had come to. */
static inline void fault_lose_power(void)
{
	struct fault_note *forward = NULL;

	while (fault.notes) {
		struct fault_note *note = fault.notes;

		fault.notes = note->next;
		note->next = forward;
		forward = note;
		if (real_pwrite(note->fd, note->old, note->old_len, note->at) < 0 ||
		    real_ftruncate(note->fd, note->size) < 0)
			_exit(3);
	}
	for (; forward; forward = forward->next) {
		if (rand() % 2)
			continue;
		if (forward->data
			    ? real_pwrite(forward->fd, forward->data, forward->len, forward->at) < 0
			    : real_ftruncate(forward->fd, forward->at) < 0)
			_exit(3);
	}
	if (fault.renamed[0][0] && rand() % 2)
		renameat(AT_FDCWD, fault.renamed[1], AT_FDCWD, fault.renamed[0]);
}

/* ---- each write --------------------------------------------------------------------------------
 */

static inline bool goes_wrong(void)
{
	fault.count++;
	return fault.left && --fault.left <= 0;
}

static inline void fault_die(void)
{
	if (fault.power)
		fault_lose_power();
	kill(getpid(), SIGKILL);
}

static inline ssize_t faulty_pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (!goes_wrong()) {
		fault_note(fd, data, len, at, 0);
		return real_pwrite(fd, data, len, at);
	}
	if (fault.torn && !fault.power && real_pwrite(fd, data, len / 2, at) < 0)
		fault.torn = false;
	if (!fault.full)
		fault_die();
	fault.left = 1; /* it stays full */
	errno = ENOSPC;
	return -1;
}

static inline int faulty_ftruncate(int fd, off_t size)
{
	if (!goes_wrong()) {
		fault_note(fd, NULL, 0, 0, size);
		return real_ftruncate(fd, size);
	}
	if (!fault.full)
		fault_die();
	fault.left = 1;
	return real_ftruncate(fd, size); /* making it smaller needs no room */
}

static inline void fault_prepare(void)
{
	static const char *const writes[] = { "pwrite", "pwrite64" };
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		sqlite3_syscall_ptr real = vfs->xGetSystemCall(vfs, writes[i]);

		if (!real)
			continue;
		real_pwrite = (write_call *)real;
		assert_int_equal(
			vfs->xSetSystemCall(vfs, writes[i], (sqlite3_syscall_ptr)faulty_pwrite),
			SQLITE_OK);
		found = true;
	}
	assert_true(found);
	real_ftruncate = (truncate_call *)vfs->xGetSystemCall(vfs, "ftruncate");
	assert_int_equal(
		vfs->xSetSystemCall(vfs, "ftruncate", (sqlite3_syscall_ptr)faulty_ftruncate),
		SQLITE_OK);
}

#endif
