/*
 * disk.h - a recording's file: it only grows, what was appended is on the disk, and space for what
 * comes next is reserved, so that a disk that fills up is noticed while there is room for an end.
 */
#ifndef SEKISHO_WORKER_RECORD_DISK_H
#define SEKISHO_WORKER_RECORD_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	DISK_AHEAD = 4 * 1024 * 1024, /* bytes that are reserved behind the end, at least */
	DISK_STEP = 8 * 1024 * 1024,  /* that are reserved at once */
};

struct disk {
	int fd;                  /* owned; opened for appending */
	uint64_t size, reserved; /* bytes of the file, and up to where space is reserved */
	bool reserves;           /* the file system can */
	bool failed;             /* there may be half a chunk at the end */
};

/* Takes over fd, of an empty file. */
void disk_init(struct disk *disk, int fd);
/* Closes. The broker gives back what was reserved and not used: who cuts files could cut off more.
 */
void disk_finish(struct disk *disk);

/* Reserves, when it is time to. ERR_FULL: there is no more, but what was reserved before can be
 * written. ERR_IO. */
nodiscard enum err disk_reserve(struct disk *disk);

/* Appends, and returns when it is on the disk. After a failure a part may be there, and nothing is
 * appended any more. ERR_FULL, ERR_IO. */
nodiscard enum err disk_append(struct disk *disk, const uint8_t *data, size_t len);

#endif
