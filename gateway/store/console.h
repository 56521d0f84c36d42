/*
 * console.h - what an auditor looks through: sessions and the audit log, by time, the newest first.
 * A page looks at so many rows at most, whether they fit or not, so that no filter keeps the broker
 * busy. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_CONSOLE_H
#define SEKISHO_STORE_CONSOLE_H

#include "store/accounts.h"
#include "store/audit_rows.h"
#include "store/devices.h"
#include "store/hosts.h"
#include "store/sessions.h"

enum {
	CONSOLE_PAGE = 100,    /* rows of a page at most */
	CONSOLE_WINDOW = 2000, /* rows that are looked at for it at most */
};

/* Strings outlive the query; "" and 0 stand for anything. */
struct console_filter {
	const char *person, *pc;
	const char *client; /* a part of it */
	const char *event;  /* one of the audit log, or what a worker has told; in the session */
	int64_t device;
	int64_t from_ms, to_ms; /* since 1970 UTC; to is the first that is too late */
	int64_t shortest_s, longest_s;
};

/* Where in a list one is: time in the list's own unit and number of a row. Zero: before the newest,
 * and as an end behind the oldest. */
struct console_place {
	int64_t time, number;
};

struct console_session {
	struct console_place place;
	struct session_row row;
	char full_name[ACCOUNT_FULL_NAME_MAX * 4 + 1];
	char device[DEVICE_NAME_MAX + 1];
	char address[AUDIT_ADDRESS_MAX + 1]; /* as of its opening; "" once disposed of */
	int64_t recording;                   /* enum recording_state; 0: there is none */
	int64_t size;
	bool hold;
};

/* Where the window behind after ends; zero: it reaches the end of the list. */
nodiscard enum err console_session_window(struct db *db, const struct console_filter *filter,
					  struct console_place after,
					  struct console_place *ret_end);
/* Sessions that have ended, of the window; then console_session_next until *ret_more is false. */
void console_session_list(struct query *query, struct db *db, const struct console_filter *filter,
			  struct console_place after, struct console_place end, int64_t now_s);
/* Those that live, without a window: there are not many. */
void console_live_list(struct query *query, struct db *db, const struct console_filter *filter,
		       struct console_place after, int64_t now_s);
nodiscard enum err console_session_next(struct query *query, struct console_session *ret,
					bool *ret_more);

/* What happened in a session: how often which event, by which account. */
struct console_event {
	char event[AUDIT_EVENT_MAX + 1];
	char account[AUDIT_ACCOUNT_MAX + 1];
	int64_t count;
};

/* session: in hexadecimal, outlives the query. Then console_event_next until *ret_more is false. */
void console_event_list(struct query *query, struct db *db, const char *session);
nodiscard enum err console_event_next(struct query *query, struct console_event *ret,
				      bool *ret_more);

/* ---- the audit log ---------------------------------------------------------------------- */

enum console_list {
	CONSOLE_LOGINS,   /* logins and refusals */
	CONSOLE_ACTS,     /* of administrators, and of the gateway by itself */
	CONSOLE_WATCHING, /* who looked at what */
	CONSOLE_ALARMS,
	CONSOLE_LISTS
};

struct console_entry {
	struct audit_row row; /* without salt and commitment */
	char full_name[ACCOUNT_FULL_NAME_MAX * 4 + 1];
	char device[DEVICE_NAME_MAX + 1];
	char host[HOST_NAME_MAX_BYTES + 1];
	/* A login with a device or from an address of which the log knew nothing of that person. */
	bool first_device, first_address;
};

/* "logins", "acts", "watching", "alarms". ERR_INVALID. */
nodiscard enum err console_list_parse(const char *name, enum console_list *ret);

/* As for sessions; of the filter person, event and time count. */
nodiscard enum err console_entry_window(struct db *db, enum console_list list,
					const struct console_filter *filter,
					struct console_place after, struct console_place *ret_end);
void console_entry_list(struct query *query, struct db *db, enum console_list list,
			const struct console_filter *filter, struct console_place after,
			struct console_place end);
/* Those of a session, but for the marks of its recording, the oldest first, at most
 * CONSOLE_WINDOW. */
void console_entry_session(struct query *query, struct db *db, const char *session);
nodiscard enum err console_entry_next(struct query *query, struct console_entry *ret,
				      bool *ret_more);

/* ---- what there is to choose from ------------------------------------------------------- */

struct console_choice {
	int64_t number; /* of a device */
	char name[DEVICE_NAME_MAX + 1];
	char more[ACCOUNT_FULL_NAME_MAX * 4 + 1]; /* full name of a person; owner of a device */
};

void console_people(struct query *query, struct db *db);
/* Also those that have been removed since. */
void console_pcs(struct query *query, struct db *db);
void console_devices(struct query *query, struct db *db);
nodiscard enum err console_choice_next(struct query *query, struct console_choice *ret,
				       bool *ret_more);

#endif
