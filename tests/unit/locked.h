/*
 * locked.h - whether memory is locked and left out of core dumps, as the kernel says. For one file
 * of a test: AddressSanitizer makes mlock(2) do nothing, so here it is what it is without.
 */
#ifndef SEKISHO_TESTS_LOCKED_H
#define SEKISHO_TESTS_LOCKED_H

#include "unit/unit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int mlock(const void *start, size_t len)
{
	return (int)syscall(SYS_mlock, start, len);
}

/* VmFlags of smaps (proc(5)): lo, locked; dd, not in a core dump. */
static void assert_locked(const void *data)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	uintptr_t from = 0, to = 0, at = (uintptr_t)data;
	char line[512];
	bool seen = false;

	assert_non_null(maps);
	while (!seen && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			continue;
		seen = from <= at && at < to && strncmp(line, "VmFlags:", 8) == 0;
	}
	fclose(maps);
	assert_true(seen);
	assert_non_null(strstr(line, " lo"));
	assert_non_null(strstr(line, " dd"));
}

#endif
