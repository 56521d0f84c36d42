/*
 * exporting.h - exports of recordings that go on: the monitor runs a process for each, the vault
 * opens the recording for it as for a player, and what it makes goes to the browser by a stream of
 * its own. Here is who, for whom, until when, and the audit entry of the end. One at a time for
 * each auditor.
 */
#ifndef SEKISHO_BROKER_EXPORTING_H
#define SEKISHO_BROKER_EXPORTING_H

#include "broker/addressee.h"
#include "broker/opening.h"

enum {
	EXPORTING_MOST = 2,               /* as the monitor allows */
	EXPORTING_ATTACH_S = 60,          /* until the stream must have been opened */
	EXPORTING_LENGTH_S = 8 * 3600,    /* until it ends */
	EXPORTING_WORDS_PER_MINUTE = 600, /* from the exporter, which says at most 4 in a second */
	EXPORTING_END_S = 2, /* for the process to end by itself, and the browser to hear why */
};

struct exporting_order {
	const uint8_t *session;  /* WIRE_SESSION_ID bytes */
	struct opening *opening; /* its file is taken over */
	const struct addressee *recipient;
	const char *purpose, *language;
	uint64_t from_us, to_us; /* to_us 0: to the end */
};

/* Before the code is used up. ERR_WRONG_STATE: the account exports already; ERR_UNAVAILABLE: others
 * do, as many as may. */
nodiscard enum err exporting_room(const struct broker *broker, int64_t account);

/*
 * The request's auditor may: has the exporter started. The "recording-export" entry is there
 * already; on failure "recording-export-failed" follows it. ERR_UNAVAILABLE, ERR_NOMEM.
 */
nodiscard enum err exporting_begin(struct request *request, const struct exporting_order *order);

/* The browser's end of the stream. ERR_NOT_FOUND: the request's login has not ordered it; ERR_USED:
 * the stream was taken already. */
nodiscard enum err exporting_take(struct request *request, const uint8_t session[WIRE_SESSION_ID],
				  int *ret_fd);

/* From the monitor. */
void exporting_exited(struct broker *broker, const struct msg_export_exited *msg);

/* From the vault, of one of its playbacks, which may be somebody's else. */
void exporting_vault_opened(struct broker *broker, const struct msg_playback_opened *msg);
void exporting_vault_gone(struct broker *broker);

/* A right was taken away; 0 stands for any. */
void exporting_cut(struct broker *broker, int64_t account, int64_t device);
void exporting_leave_login(struct broker *broker, int64_t login);
/* The recording is disposed of. */
void exporting_dispose(struct broker *broker, const uint8_t session[WIRE_SESSION_ID]);

/* Ends those of logins that are over. An export is no use of its login: it is a program that works,
 * nobody need be there, and how fast it goes on is for the recording to say, which may be hostile.
 */
void exporting_tick(struct broker *broker, int64_t now_s);

void exporting_forget_all(struct broker *broker);

#endif
