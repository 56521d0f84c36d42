/*
 * recording_out.h - an opened recording as files in a folder: plain.bin, the plaintexts of all
 * chunks one after another, and records.jsonl, a line per record that says where in it the payload
 * lies and what can be read of it.
 */
#ifndef SEKISHO_CLI_RECORDING_OUT_H
#define SEKISHO_CLI_RECORDING_OUT_H

#include <stdio.h>

#include "record/chunk.h"

struct recording_out {
	FILE *plain, *records;
	uint64_t offset; /* bytes in plain.bin */
	uint64_t count;  /* records */
};

/* Makes the folder, mode 0700, and the files, 0600. ERR_EXISTS, ERR_NOT_FOUND: the folder above it
 * is not there, ERR_DENIED, ERR_IO. The caller finishes. */
nodiscard enum err recording_out_begin(struct recording_out *out, const char *path);

/* One opened chunk. ERR_PROTOCOL: it breaks the format; then nothing of it is written. */
nodiscard enum err recording_out_add(struct recording_out *out, const uint8_t *plain, size_t len);

/* Everything is on the disk, or ERR_FULL or ERR_IO. */
nodiscard enum err recording_out_end(struct recording_out *out);
void recording_out_finish(struct recording_out *out);

#endif
