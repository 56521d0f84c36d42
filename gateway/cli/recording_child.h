/*
 * recording_child.h - sekisho-export beside the CLI: started, fed, and what it makes written to a
 * file that has its name only when it is whole.
 */
#ifndef SEKISHO_CLI_RECORDING_CHILD_H
#define SEKISHO_CLI_RECORDING_CHILD_H

#include "cli/recording_feed.h"
#include "wire/enums.h"

struct recording_child {
	const char *out;            /* borrowed */
	uint64_t bytes;             /* of the file so far */
	uint8_t sha256[CHUNK_HASH]; /* of all of it, at the end */
	enum export_error error;    /* when it says why there is none */
	/* How far it is; borrowed. */
	void (*progress)(void *ctx, unsigned permille, uint64_t bytes);
	void *ctx;
};

/*
 * All of it. feed has what its owner sets. ERR_EXISTS: out is there. ERR_FULL, ERR_IO, ERR_DENIED,
 * ERR_NOT_FOUND: of out. ERR_UNAVAILABLE: the program does not start. ERR_CLOSED: interrupted, or
 * it died. ERR_WRONG_STATE: see error. In every case but OK nothing of the file stays.
 */
nodiscard enum err recording_child_run(struct recording_child *child, struct recording_feed *feed,
				       const struct msg_export_start *start);

#endif
