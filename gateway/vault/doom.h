/*
 * doom.h - what is destroyed when a change of the records is on the disk, and not before: group
 * keys that nothing is kept under any more, and files of documents. Should the power fail in
 * between, doom_sweep finds the keys when the vault is opened; document_file_sweep the files.
 */
#ifndef SEKISHO_VAULT_DOOM_H
#define SEKISHO_VAULT_DOOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct records;

struct doomed {
	uint64_t id;     /* a key's, or a document's */
	int64_t version; /* of the document; 0: it is a key */
};

/* Within a transaction. */
struct doom {
	struct doomed *all;
	size_t count, room;
	bool wiped; /* something sealed was deleted: it must not stay beside the database */
};

nodiscard enum err doom_key(struct doom *doom, uint64_t key);
nodiscard enum err doom_file(struct doom *doom, uint64_t document, int64_t version);

/* After the commit; what fails is logged and found again by a sweep. */
void doom_do(struct doom *doom, struct records *records);
/* After a roll back, and at the end. */
void doom_clear(struct doom *doom);

/* Destroys all group keys that nothing is kept under. Not within a transaction. */
nodiscard enum err doom_sweep(struct records *records);

#endif
