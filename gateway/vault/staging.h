/*
 * staging.h - many records that are entered in many transactions and are there for everybody all at
 * once, or not at all: until the last transaction their numbers are staged, and nobody sees them;
 * should that never come they are cleared away. Within a job (vault/jobs.h).
 */
#ifndef SEKISHO_VAULT_STAGING_H
#define SEKISHO_VAULT_STAGING_H

#include "vault/index.h"
#include "vault/records_change.h"

struct staging {
	struct records *records;
	uint64_t next, last; /* numbers that are still free */
	uint64_t counter;    /* of its own last change */
	bool others;         /* have changed something since it began */
	struct index_aside *aside;
};

/* For count records; seq: of the audit entry. staging_end in every case. */
nodiscard enum err staging_begin(struct staging *staging, struct records *records, size_t count,
				 uint64_t seq);
/* As record_create. ERR_WRONG_STATE: there are more than were announced. */
nodiscard enum err staging_enter(struct staging *staging, struct record_row *row,
				 const struct content *content, const char *number,
				 const struct change_by *by);
/* When the slice is over: lets the others go on. ERR_CLOSED. */
nodiscard enum err staging_pause(struct staging *staging);
/* What was entered last is on the disk: whether others have changed something is known. */
nodiscard enum err staging_rest(struct staging *staging);
/* Now they are there. */
nodiscard enum err staging_settle(struct staging *staging);
void staging_end(struct staging *staging);

/* Is that the number of one that is not there yet? */
bool staging_has(const struct records *records, uint64_t id);
/* Clears away what is staged. */
nodiscard enum err staging_sweep(struct records *records);

#endif
