/*
 * opening.h - what playing and exporting a recording begin with: the auditor says what for, the
 * recording and the vault are there, a fresh code is used up with the audit entry. Every refusal is
 * in the audit log.
 */
#ifndef SEKISHO_BROKER_OPENING_H
#define SEKISHO_BROKER_OPENING_H

#include "broker/dispatch.h"
#include "store/recordings.h"

struct opening {
	struct recording_row row;
	struct session_row session;
	struct buf marks;  /* as msg_playback_open has them */
	const char *field; /* of an error */
	int fd;            /* the file, for reading; owned */
};

void opening_init(struct opening *opening);
void opening_finish(struct opening *opening);

/*
 * What has to be known before the code is used up: recording, purpose, vault and file are good.
 * ERR_NOT_FOUND, ERR_EXPIRED (disposed of), ERR_INVALID, ERR_LOCKED, ERR_WRONG_STATE,
 * ERR_UNAVAILABLE; opening->field says of what, or is NULL.
 */
nodiscard enum err opening_prepare(struct request *request, const uint8_t *session,
				   const char *purpose, struct opening *opening);

/* 4 to 256 characters, not all blanks, nothing that controls a terminal. */
bool opening_purpose_is_good(const char *text);

/*
 * The code's step and the entry, in one transaction; entry->detail is taken over. step: what it was
 * for, in the entry of a wrong code. Counted and
 * throttled like a code at log-in. ERR_THROTTLED: answered. ERR_LOGIN, ERR_LOCKED.
 */
nodiscard enum err opening_take_code(struct request *request, const char *code, const char *step,
				     const struct audit_entry *entry);

/* The same for what writes more than one entry: write is called in the transaction. */
typedef enum err opening_write(void *ctx, struct db *db);
nodiscard enum err opening_take_code_for(struct request *request, const char *code,
					 const char *step, opening_write *write, void *ctx);

/* OK when the vault is open; else ERR_LOCKED, ERR_WRONG_STATE (there is none yet), ERR_UNAVAILABLE.
 */
nodiscard enum err opening_check_vault(const struct broker *broker);

/* event: its name in the audit log; session and field may be NULL. */
nodiscard enum err opening_record_refusal(struct request *request, const char *event,
					  const uint8_t *session, enum err why, const char *field);
/* The same, and what a handler returns then: answered where there is a field. */
nodiscard enum err opening_refuse(struct request *request, const char *event,
				  const uint8_t *session, enum err why, const char *field);

#endif
