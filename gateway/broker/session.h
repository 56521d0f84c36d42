/*
 * session.h - desktop sessions: one worker process each. A session has a named state, one function
 * that changes it, and one that ends it with its reason; the row in the database follows, so that a
 * restarted broker takes the live ones up again.
 */
#ifndef SEKISHO_BROKER_SESSION_H
#define SEKISHO_BROKER_SESSION_H

#include "broker/broker.h"
#include "broker/recording.h"
#include "store/sessions.h"
#include "wire/enums.h"

enum {
	SESSION_ID_TEXT = 2 * WIRE_SESSION_ID,
	SESSION_SPAWN_S = 5,    /* until a worker must have started */
	SESSION_ADOPT_S = 5,    /* until a worker of an earlier broker must have come back */
	SESSION_STOP_MS = 2000, /* from session_stop to the kill */
	SESSION_CUT_MS = 900,   /* the same when a right was taken away */
	SESSION_KILLS = 3,      /* asked for, until the process counts as gone */
	SESSION_PING_S = 5,
	SESSION_SILENT_S = 20,   /* without a pong, then it is killed */
	SESSION_SAYS = 200,      /* entries in the audit log that a worker may cause */
	SESSION_SAYS_VIEWER = 8, /* and more for each viewer that we let in */
	SESSION_SHOW_S = 600,    /* how long the end of a session can be asked for */
	SESSION_MONITORS = 2,    /* that windows may show */
};

/* What the worker needs at its start. The secrets are freed as soon as they are sent. */
struct session_start {
	struct secret *user, *password, *domain; /* NULL: none given */
	uint8_t protocol;                        /* of the PC: enum protocol */
	uint16_t width, height;
	uint32_t layout;
	bool kept;                         /* the login for the PC is one that is kept sealed */
	struct recording_start *recording; /* owned */
};

struct session {
	struct session *next;
	struct broker *broker;
	struct session_row row;
	char id_text[SESSION_ID_TEXT + 1];
	struct channel *worker; /* NULL: not yet, not again, or gone */
	bool process;           /* the monitor has, or may have, a process for it */
	bool used_kept;         /* the login for the PC is one that was kept */
	bool adopted;           /* the worker had its orders from an earlier broker */
	bool pictured;          /* the PC has shown a picture, as far as we know */
	bool workers_word;      /* the reason of the end is the worker's, not ours */
	bool unsaved;           /* the end is not in the database yet */
	uint8_t viewers;
	uint8_t kills; /* asked for */
	uint32_t viewer_number;
	char *ended_who;    /* owned; for session_terminate: who ended it, as JSON */
	uint32_t marks;     /* of the recording, by the worker since this broker's start */
	uint64_t marked_ms; /* monotonic: the first of them */
	uint32_t said;      /* by the worker, of what goes into the audit log */
	uint32_t may_say;   /* until it counts as broken; more with each viewer */
	uint64_t pong_ms;   /* monotonic */
	bool opener_waits;
	struct reply_to opener;
	struct session_start start;
	struct loop_timer timer; /* start, adoption, or the kill */
};

/* Takes up what the database says lives. */
nodiscard enum err session_load(struct broker *broker);
/* Forgets all without ending them. */
void session_forget_all(struct broker *broker);

/* NULL when there is none in memory. */
struct session *session_find(struct broker *broker, const uint8_t id[WIRE_SESSION_ID]);
struct session *session_find_text(struct broker *broker, const char *id);
/* The live one on a host. */
struct session *session_on_host(struct broker *broker, int64_t host);
size_t session_count(const struct broker *broker, int64_t account);
bool session_alive(const struct session *session);

/*
 * A session whose row is in the database: asks the monitor for its worker and answers opener when
 * that runs. start is taken over in every case. On failure the session has ended.
 */
nodiscard enum err session_new(struct broker *broker, const struct session_row *row,
			       struct session_start *start, const struct reply_to *opener);

/* Frees the secrets, and closes the recording. */
void session_start_finish(struct session_start *start);

/* The one way to end: tells the worker, kills it after kill_ms, writes row and audit entry.
 * Harmless on one that has ended. */
void session_finish(struct session *session, enum end_reason reason, unsigned kill_ms);

/* The same for one whom somebody ends, for a reason that the person and the recording are told. */
void session_terminate(struct session *session, const struct account *by, const char *words);

/* Ends what a right was taken away from; 0 stands for any. The reason says which: to the PC, else
 * the device, else the account. At most 1 s until the last worker is gone. */
void session_cut(struct broker *broker, int64_t account, int64_t device, int64_t host);

/* A viewer for the session, of one of the PC's monitors: *ret_fd is its end of the stream. */
nodiscard enum err session_add_viewer(struct session *session, unsigned monitor, const char *joined,
				      int *ret_fd);
/*
 * The viewers of a login that is over leave; the sessions stay. device is the login's: viewers from
 * before this broker's start are known by it alone.
 */
void session_leave_login(struct broker *broker, int64_t login, int64_t device);

/* Puts an event (docs/recording.md) into the recordings of the account's live sessions.
 * ERR_UNAVAILABLE: not into all of them, as a worker takes nothing more. */
nodiscard enum err session_mark(struct broker *broker, int64_t account, const char *event);

/* The password was right: the worker shows the picture again. ERR_UNAVAILABLE while there is no
 * worker. */
nodiscard enum err session_unlock(struct session *session);

/* From the monitor. Takes over fd. */
void session_worker_started(struct broker *broker, const struct msg_worker_started *msg, int fd);
void session_worker_exited(struct broker *broker, const struct msg_worker_exited *msg);

/*
 * A session that is looked at keeps its login; a login that is over, or is not known, sends its
 * viewers away.
 */
void session_check_login(struct session *session, int64_t now_s);

/* Every SESSION_PING_S: pings, the silent, the overdue, logins in use. */
void session_tick(struct broker *broker);

json_t *session_json(const struct session_row *row);

/* For session_*.c only: changes the state in memory and in the database. */
void session_set_state(struct session *session, enum session_state state);
/* Sends session_start. */
nodiscard enum err session_send_start(struct session *session);
extern const struct channel_ops session_worker_ops;

#endif
