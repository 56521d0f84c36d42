/*
 * recording.h - the broker's part of recordings: no session without one, whose file is made here
 * and written by the session's worker; a row and audit entries say how far it came, also after a
 * crash.
 */
#ifndef SEKISHO_BROKER_RECORDING_H
#define SEKISHO_BROKER_RECORDING_H

#include "broker/broker.h"
#include "store/recordings.h"

struct session;

enum {
	RECORDING_RECIPIENTS_MAX = 49152, /* as msg_session_record has room for */
	RECORDING_CHUNKS_MAX = 1000000,   /* docs/recording.md */
	RECORDING_AUDITORS_DAYS = 30,
	RECORDING_MARK_S = 15, /* on average, marks come no faster */
	RECORDING_MARKS = 16,  /* beyond that, until the worker counts as broken */
};

/* What a worker gets to record with. */
struct recording_start {
	int fd; /* owned; the empty file, for appending */
	struct buf recipients;
	char *meta; /* owned; a JSON object */
	bool keys;
};

struct recording_who {
	const char *account, *full_name, *device_name, *address;
	const struct host_row *host;
};

/* Whether a session may begin. ERR_RECORDING: *ret_why is why not, "no-auditor", "no-folder" or
 * "no-space". */
nodiscard enum err recording_ready(struct broker *broker, int64_t now_s, const char **ret_why);

/* For people: "ready", or what of the above is wrong, or "no-files": the newest recording's is not
 * there. */
const char *recording_condition(struct broker *broker, int64_t now_s);

/* When the last person's certificate ends that recordings are sealed to, if that is in less than so
 * many days or over; else, and where there never was one, 0. Then only the vault could open what is
 * recorded. */
int64_t recording_auditors_end(const struct broker *broker, int64_t now_s);

/* Says so in the log, once a day. */
void recording_warn(struct broker *broker, int64_t now_s);

/*
 * Makes the file, its row and audit entry; a transaction is open, and the session's row is in it.
 * When that is not committed, recording_abandon removes the file. The caller frees ret.
 */
nodiscard enum err recording_begin(struct broker *broker, const struct session_row *session,
				   const struct recording_who *who, struct recording_start **ret);
void recording_abandon(struct broker *broker, const struct session_row *session);
void recording_start_free(struct recording_start *start);

/* Tells the worker. */
nodiscard enum err recording_send(struct session *session, const struct recording_start *start);

/* The worker says how far it is. ERR_PROTOCOL: it cannot be. Any other: the session has to end, as
 * with ERR_FULL, when half of the space that one needs to begin is left. */
nodiscard enum err recording_mark(struct session *session, const struct msg_record_mark *mark);

/* The worker is gone: a recording that it did not end was cut off. */
void recording_over(struct broker *broker, const uint8_t session[SESSION_ROW_ID]);

/* The same for all sessions that have ended and that the broker does not know any more. */
nodiscard enum err recording_put_right(struct broker *broker);

/* Removes the file, for good; that there is none is no error. ERR_IO. */
nodiscard enum err recording_remove(struct broker *broker, const uint8_t session[SESSION_ROW_ID]);

/* Opens the file of a recording for reading. ERR_NOT_FOUND, ERR_IO. */
nodiscard enum err recording_open(struct broker *broker, const uint8_t session[SESSION_ROW_ID],
				  int *ret_fd);

#endif
