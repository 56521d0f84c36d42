/*
 * start.h - keeps what session_start said: its strings point into a message that is gone after the
 * callback.
 */
#ifndef SEKISHO_WORKER_START_H
#define SEKISHO_WORKER_START_H

#include "base/secret.h"
#include "wire/wire.h"
#include "worker/remote/remote.h"

struct start {
	struct msg_session_start msg; /* strings and blobs point into data or password */
	struct secret *data;          /* owned; the message as encoded */
};

/* Copies. ERR_NOMEM, or ERR_PROTOCOL for values that make no sense or are for another program. */
nodiscard enum err start_keep(struct start *start, enum protocol protocol,
			      const struct msg_session_start *msg);

/* The PC as remote.h wants it; points into start. */
void start_remote_config(const struct start *start, struct remote_config *ret);

/* Policy lets the PC's sound out, and its protocol carries some. */
bool start_audio(const struct start *start);

/* Overwrites the password; the rest stays. */
void start_wipe(struct start *start);
void start_finish(struct start *start);

#endif
