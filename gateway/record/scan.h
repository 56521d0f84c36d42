/*
 * scan.h - walks a recording's file by the headers of its sealed chunks, without any key: where
 * each begins, its hash, the running hash, and how the file ends.
 *
 * It works in steps, so that a process with other work can do some of it in between, and reads by
 * pread in pieces: never more than one buffer in memory, whatever the file is.
 */
#ifndef SEKISHO_RECORD_SCAN_H
#define SEKISHO_RECORD_SCAN_H

#include "record/seal.h"

/* Bytes of a recording's file. */
#define SCAN_FILE_MAX (UINT64_C(1) << 40)

/* How what follows the last whole chunk looks. */
enum scan_end {
	SCAN_WHOLE,   /* nothing follows */
	SCAN_CUT,     /* the beginning of a chunk, or zeros: what a crash leaves */
	SCAN_DAMAGED, /* something else */
	SCAN_TOO_LONG /* more than CHUNK_COUNT_MAX chunks or SCAN_FILE_MAX bytes */
};

struct scan_chunk {
	uint64_t offset;
	uint32_t len;
	bool odd;                 /* its length is right, but shape_check refuses it */
	uint8_t hash[CHUNK_HASH]; /* of the DER; zeros with SCAN_PLACES */
};

enum scan_how {
	SCAN_HASHES, /* reads everything */
	SCAN_PLACES  /* headers only: fast; no hashes, no shape_check, no search after the end */
};

struct scan {
	struct scan_chunk *chunks; /* owned */
	size_t count;
	uint64_t size;               /* bytes of all whole chunks */
	uint64_t file_size;          /* when it began; what is appended later is not looked at */
	uint8_t running[CHUNK_HASH]; /* over all whole chunks */
	enum scan_end end;           /* once it is done */
	uint64_t resume; /* where chunks begin again after what is no chunk; 0: nowhere */
	/* for scan.c */
	int fd;
	enum scan_how how;
	size_t room;
	bool searching, zeros;
	uint64_t searched; /* up to this offset */
	struct buf buffer;
};

/* fd is borrowed until scan_finish and must be seekable: ERR_INVALID if not a regular file. */
nodiscard enum err scan_init(struct scan *scan, int fd, enum scan_how how);
void scan_finish(struct scan *scan);

/*
 * Goes on for about so many bytes (one chunk at the least). *ret_done: nothing is left to do.
 * What is wrong with the file is no error but scan->end. ERR_IO, ERR_NOMEM, ERR_CRYPTO: start over.
 */
nodiscard enum err scan_step(struct scan *scan, uint64_t bytes, bool *ret_done);

/*
 * The file, of which a scan was done, may have grown since: what follows the last whole chunk is
 * looked at anew by scan_step. ERR_INVALID: it is shorter.
 */
nodiscard enum err scan_more(struct scan *scan);

/* All steps. */
nodiscard enum err scan_all(struct scan *scan);

/*
 * Reads chunk number index into der, which is emptied first; its ceiling need not be above
 * SEAL_DER_MAX. ERR_INVALID: no such chunk, ERR_IO, ERR_NOMEM.
 */
nodiscard enum err scan_read(const struct scan *scan, size_t index, struct buf *der);

#endif
