/*
 * recorder.h - what leaves the office is recorded as it leaves: what viewers are sent, what they
 * send as far as policy says, and what happens. It ends the session when it cannot. For the
 * session's thread alone; all but recorder_new may be called with NULL, for a session without.
 */
#ifndef SEKISHO_WORKER_RECORD_RECORDER_H
#define SEKISHO_WORKER_RECORD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "wire/wire.h"
#include "worker/display/surface.h"

enum {
	RECORDER_MARK_US = 30000000,    /* between two marks for the audit log */
	RECORDER_KEY_US = 10000000,     /* between two keyframes, when there is much to see */
	RECORDER_KEY_MAX_US = 60000000, /* when there is little */
	RECORDER_KEY_FRAMES = 300,      /* what is much: so many frames, */
	RECORDER_KEY_BYTES = 65536,     /* or so many bytes and no less than a keyframe has */
	/* So much to fetch before a picture can be shown takes an auditor too long. */
	RECORDER_KEY_MANY = 4 << 20,
	RECORDER_KEY_LEAST_US = 3000000, /* between two keyframes for that reason */
	RECORDER_LATE_US = 2000000,  /* what is not on the disk by then holds the session back */
	RECORDER_STALL_US = 2000000, /* held back, without progress: the end */
};

struct recorder;

/* ctx as given; none is called from inside a function of this module. */
struct recorder_events {
	/* So much is on the disk; every RECORDER_MARK_US and at the end. */
	void (*mark)(void *ctx, const struct msg_record_mark *mark);
	/* Nothing more may be shown for now; or again. */
	void (*held)(void *ctx, bool held);
	/* It cannot go on: the session must end. Once. ERR_FULL, ERR_IO, ERR_TIMEOUT, ... */
	void (*failed)(void *ctx, enum err err);
};

struct recorder_config {
	int fd; /* as writer_config; taken over in every case */
	const uint8_t *session;
	struct bytes recipients, meta;
	bool keys; /* keys and text too */
};

/* The first record is meta; nothing is written before recorder_run. Errors as writer_new. */
nodiscard enum err recorder_new(struct loop *loop, const struct recorder_config *config,
				const struct recorder_events *events, void *ctx,
				struct recorder **ret);
/* Begins to write, in a thread that is confined as the caller is now. */
nodiscard enum err recorder_run(struct recorder *recorder);
/* What was not ended breaks off. */
void recorder_free(struct recorder *recorder);

/* Everything is written, with the last chunk; then mark is called. Nothing is taken any more. */
void recorder_end(struct recorder *recorder);
/* Nothing is left to wait for. */
bool recorder_over(const struct recorder *recorder);

/* ---- what is recorded ------------------------------------------------------------------------ */

/* A viewer, by its monitor, begins and ceases to see the desktop. */
void recorder_shown(struct recorder *recorder, unsigned viewer, bool shown);

/* A whole message of block 0x08, as it leaves. */
void recorder_sent(struct recorder *recorder, unsigned viewer, const uint8_t *message, size_t len);

/* Keys and text only as policy says, and masked where they may be a password. */
void recorder_pointer(struct recorder *recorder, unsigned viewer,
		      const struct msg_pointer *pointer);
void recorder_resize(struct recorder *recorder, unsigned viewer, const struct msg_resize *resize);
void recorder_key(struct recorder *recorder, unsigned viewer, const struct msg_key *key);
void recorder_text(struct recorder *recorder, unsigned viewer, const char *text);
/* The PC may ask for a password from now on. */
void recorder_expect_password(struct recorder *recorder);

/* json: an object with "event". */
void recorder_event(struct recorder *recorder, unsigned viewer, const char *json);

/* ---- keyframes ------------------------------------------------------------------------------- */

/* It is time for one; late: for long. */
bool recorder_wants_key(const struct recorder *recorder, bool *ret_late);

/*
 * The whole picture of each viewer, one after another without anything in between, first: the first
 * of them. It is copied. cursor: as last sent, NULL: none.
 */
void recorder_picture(struct recorder *recorder, unsigned viewer, const struct surface *view,
		      const struct msg_cursor *cursor, bool first);

/* The session is to be held back. */
bool recorder_holds(const struct recorder *recorder);

#endif
