/*
 * sessions.h - the table of desktop sessions: what a restarted broker needs to know again, and the
 * record of those that ended. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_SESSIONS_H
#define SEKISHO_STORE_SESSIONS_H

#include "store/accounts.h"
#include "store/db.h"
#include "store/hosts.h"

enum {
	SESSION_ROW_ID = 16,
	SESSION_CLIENT_MAX = 256,
	SESSION_WORDS_MAX = 256, /* characters of the reason that somebody gave for ending it */
};

struct session_row {
	uint8_t id[SESSION_ROW_ID];
	int64_t account;
	char account_name[ACCOUNT_NAME_MAX + 1]; /* from the table of accounts */
	int64_t device, login; /* that opened it or attached last; login 0: not known, or over */
	int64_t host;
	char host_name[HOST_NAME_MAX_BYTES + 1];
	bool view_only;
	int64_t state, reason; /* enum session_state, enum end_reason of wire/enums.h */
	int64_t started_s, until_s;
	int64_t ended_s;                     /* 0: lives */
	char client[SESSION_CLIENT_MAX + 1]; /* for whom and what for, as the person said */
	/* Of one that somebody ended: by full name, and why; else "". */
	char ended_by[ACCOUNT_FULL_NAME_MAX * 4 + 1];
	char ended_words[SESSION_WORDS_MAX * 4 + 1];
};

nodiscard enum err session_row_add(struct db *db, const struct session_row *row);
nodiscard enum err session_row_get(struct db *db, const uint8_t id[SESSION_ROW_ID],
				   struct session_row *ret);
/* Those that have not ended; then session_row_next until *ret_more is false. */
void session_row_list_live(struct query *query, struct db *db);
nodiscard enum err session_row_next(struct query *query, struct session_row *ret, bool *ret_more);

/* The row of one that ended stays as it is: ERR_NOT_FOUND. */
nodiscard enum err session_row_set_state(struct db *db, const uint8_t id[SESSION_ROW_ID],
					 int64_t state);
nodiscard enum err session_row_set_viewer(struct db *db, const uint8_t id[SESSION_ROW_ID],
					  int64_t device, int64_t login);
/* Who is about to end it, and why. */
nodiscard enum err session_row_set_words(struct db *db, const uint8_t id[SESSION_ROW_ID],
					 const char *by, const char *words);
nodiscard enum err session_row_end(struct db *db, const uint8_t id[SESSION_ROW_ID], int64_t reason,
				   int64_t ended_s);

#endif
