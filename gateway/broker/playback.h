/*
 * playback.h - recordings that auditors have opened. The vault shows them; here is who, why, until
 * when, and the audit entry of the end. One at a time for each auditor.
 */
#ifndef SEKISHO_BROKER_PLAYBACK_H
#define SEKISHO_BROKER_PLAYBACK_H

#include "broker/dispatch.h"

enum {
	PLAYBACK_ATTACH_S = 60,       /* until the stream must have been opened */
	PLAYBACK_LENGTH_S = 8 * 3600, /* until it ends */
	PLAYBACK_CLOSE_S = 2,         /* for the vault to say how much it showed */
};

struct playback_order {
	const uint8_t *session; /* WIRE_SESSION_ID bytes */
	int64_t host;
	struct bytes marks; /* as msg_playback_open has them */
	bool live;
	int fd; /* the file, taken over */
};

/*
 * The request's auditor may: tells the vault, and ends what that one had opened before. The
 * "recording-open" entry is there already; on failure "recording-closed" follows it.
 * ERR_UNAVAILABLE.
 */
nodiscard enum err playback_begin(struct request *request, const struct playback_order *order);

/* The player's end of the stream. ERR_NOT_FOUND: the request's login has not opened it; ERR_USED:
 * the stream was taken already. */
nodiscard enum err playback_take(struct request *request, const uint8_t session[WIRE_SESSION_ID],
				 int *ret_fd);

/* The request's login has opened it, and it goes on. *ret_host: the PC's number. */
bool playback_shows(const struct request *request, const uint8_t session[WIRE_SESSION_ID],
		    int64_t *ret_host);

/* From the vault. */
void playback_vault_opened(struct broker *broker, const struct msg_playback_opened *msg);
void playback_vault_progress(struct broker *broker, const struct msg_playback_progress *msg);
void playback_vault_closed(struct broker *broker, const struct msg_playback_closed *msg);
/* The vault is gone, and all that it showed. */
void playback_vault_gone(struct broker *broker);

/* A right was taken away; 0 stands for any. */
void playback_cut(struct broker *broker, int64_t account, int64_t device);
void playback_leave_login(struct broker *broker, int64_t login);
/* The recording is disposed of. */
void playback_dispose(struct broker *broker, const uint8_t session[WIRE_SESSION_ID]);

/* Ends those of logins that are over; those that show something keep their login. */
void playback_tick(struct broker *broker, int64_t now_s);

void playback_forget_all(struct broker *broker);

#endif
