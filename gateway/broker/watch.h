/*
 * watch.h - people who look on at sessions: who may, since when, until when, and the audit entries
 * of what becomes of it. The worker shows the desktop and asks the person; here is who, and the
 * last word on taking over.
 */
#ifndef SEKISHO_BROKER_WATCH_H
#define SEKISHO_BROKER_WATCH_H

#include "broker/dispatch.h"
#include "broker/session.h"

enum {
	WATCH_ATTACH_S = 60, /* until the stream must have been opened */
	WATCH_MOST = 2,      /* on one session: places in its worker */
	WATCH_SAYS = 400,    /* entries in the audit log that one may cause */
};

struct watch;

/* Whether account may look on: ACCOUNT_WATCH_NO for all but administrators and auditors. */
enum account_watch watch_right(const struct account *account);

/*
 * The request's person may: the "session-watch" entry is there already. Ends the one that the same
 * person had of this session. ERR_FULL: two others look on.
 */
nodiscard enum err watch_begin(struct request *request, struct session *session,
			       const char *purpose);
/* Whether watch_begin would find no place. */
bool watch_full(const struct session *session, int64_t account);

/* The page's end of the stream. ERR_NOT_FOUND: the request's login has none; ERR_USED: it was taken
 * already; ERR_UNAVAILABLE. */
nodiscard enum err watch_take(struct request *request, const uint8_t session[WIRE_SESSION_ID],
			      int *ret_fd);

/* Names of those who look on, for lists. NULL: no memory. */
json_t *watch_names(const struct session *session);

/* From the session's worker. */
void watch_worker_says(struct session *session, const struct msg_watch_says *msg);

/* The session is over, or its worker gone. */
void watch_session_over(struct session *session);
/* A right was taken away; 0 stands for any. */
void watch_cut(struct broker *broker, int64_t account, int64_t device);
void watch_leave_login(struct broker *broker, int64_t login);

/* Ends those of logins that are over. */
void watch_tick(struct broker *broker, int64_t now_s);

/* What an earlier broker, or a full disk, has left without an end in the audit log gets one. */
nodiscard enum err watch_put_right(struct broker *broker);
void watch_forget_all(struct broker *broker);

#endif
