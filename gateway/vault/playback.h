/*
 * playback.h - one recording that an auditor has opened, and the stream to the player: chunks are
 * opened as it asks for them, one at a time, and at a limited rate. What it says is hostile; when
 * it does not read it is not served. No plaintext stays longer than it takes to send it.
 */
#ifndef SEKISHO_VAULT_PLAYBACK_H
#define SEKISHO_VAULT_PLAYBACK_H

#include "base/loop.h"
#include "vault/house.h"
#include "wire/wire.h"

enum {
	PLAYBACK_VERSION = 1,
	PLAYBACK_CHUNKS_PER_MINUTE = 6000, /* all at once if they have been saved up */
	PLAYBACK_PIECE = 60000,            /* bytes of play_data's data, at most */
	PLAYBACK_SAY_MS = 20 * 1000,
	PLAYBACK_GROW_MS = 500, /* between two looks at what was recorded since */
	PLAYBACK_TURN = 16,     /* messages in one turn of the loop */
};

struct playback;

struct playback_ops {
	/* The file has been looked at. */
	void (*opened)(void *ctx, struct playback *playback, enum err err, enum verdict verdict);
	/* Chunks went to the player; at most every PLAYBACK_SAY_MS. */
	void (*progress)(void *ctx, struct playback *playback);
	/* It is over; the callee frees it. */
	void (*closed)(void *ctx, struct playback *playback);
};

/*
 * house is borrowed, and may be sealed any time; fd is taken over in every case. ERR_INVALID: marks
 * or file are none. ERR_NOMEM. Callbacks come from the loop, but for playback_end's.
 */
nodiscard enum err playback_new(struct loop *loop, const struct house *house,
				const struct msg_playback_open *msg, int fd,
				const struct playback_ops *ops, void *ctx, struct playback **ret);
/* Closes the stream without a word. NULL is allowed. */
void playback_free(struct playback *playback);

uint32_t playback_number(const struct playback *playback);
/* How many went to the player. */
uint32_t playback_chunks(const struct playback *playback);

/* The stream to the player, taken over in every case. ERR_EXISTS: there was one. */
nodiscard enum err playback_attach(struct playback *playback, int fd);

/* Tells the player why, if it listens, and ends: calls closed, so playback is gone on return. */
void playback_end(struct playback *playback, enum play_error why);

#endif
