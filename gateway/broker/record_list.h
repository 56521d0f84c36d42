/*
 * record_list.h - the records that an entry of the audit log is about, where it is about many: it
 * is in the history of each of them.
 */
#ifndef SEKISHO_BROKER_RECORD_LIST_H
#define SEKISHO_BROKER_RECORD_LIST_H

#include "base/err.h"
#include "store/db.h"
#include "wire/wire.h"

enum { RECORD_LIST_MAX = 20000 /* so many rows has an export */ };

/* Begins zeroed. */
struct record_list {
	uint64_t *ids; /* owned */
	size_t count;
};

/* More of them, as record_about has them. ERR_PROTOCOL: too many, or no numbers of records. */
nodiscard enum err record_list_add(struct record_list *list, struct bytes records);
/* Within a transaction. */
nodiscard enum err record_list_note(const struct record_list *list, struct db *db, int64_t seq);
/* In one of its own. */
nodiscard enum err record_list_note_alone(const struct record_list *list, struct db *db,
					  int64_t seq);
void record_list_finish(struct record_list *list);

#endif
