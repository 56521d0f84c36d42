/*
 * saved_filters.h - what an auditor looks for again and again, under a name. Errors are those of
 * db.h.
 */
#ifndef SEKISHO_STORE_SAVED_FILTERS_H
#define SEKISHO_STORE_SAVED_FILTERS_H

#include "store/db.h"

enum {
	SAVED_FILTERS = 50 /* of an account at most */,
	SAVED_NAME_MAX = 64,
	SAVED_QUERY_MAX = 1024
};

struct saved_filter {
	int64_t id;
	char name[SAVED_NAME_MAX * 4 + 1]; /* characters of up to 4 bytes */
	char query[SAVED_QUERY_MAX + 1];   /* bytes, as messages.def has it */
};

/* One of that name is replaced. ERR_FULL: there are as many as may be. */
nodiscard enum err saved_filter_put(struct db *db, int64_t account, const char *name,
				    const char *text, int64_t *ret_id);
/* ERR_NOT_FOUND, also for somebody else's. */
nodiscard enum err saved_filter_remove(struct db *db, int64_t account, int64_t id);
/* By name; then saved_filter_next until *ret_more is false. */
void saved_filter_list(struct query *query, struct db *db, int64_t account);
nodiscard enum err saved_filter_next(struct query *query, struct saved_filter *ret, bool *ret_more);

#endif
