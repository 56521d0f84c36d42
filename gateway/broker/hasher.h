/*
 * hasher.h - two threads that do Argon2id, so that the event loop never waits for it and no more
 * than two hashes take memory at once.
 */
#ifndef SEKISHO_BROKER_HASHER_H
#define SEKISHO_BROKER_HASHER_H

#include <stdbool.h>

#include "auth/password.h"
#include "base/loop.h"

enum {
	HASHER_THREADS = 2,
	HASHER_QUEUE_MAX = 16, /* waiting; about 3 s of work */
};

struct hasher;

/* Starts the threads. */
nodiscard enum err hasher_new(struct loop *loop, struct hasher **ret);
/* Waits for the threads; drops what waits, without its callback. Jobs that are done but not
 * delivered must not be left. */
void hasher_free(struct hasher *hasher);

/* Whether the next job will be taken. */
bool hasher_has_room(struct hasher *hasher);

/* In the loop's thread. result: as of password_verify or password_hash; hash: "" unless one was
 * made. */
typedef void hasher_done(void *ctx, enum err result, const char *hash);

/*
 * Compares with hash; with NULL it takes as long and is wrong. The password is copied.
 * ERR_UNAVAILABLE: the queue is full. ERR_NOMEM. done is called only after OK.
 */
nodiscard enum err hasher_verify(struct hasher *hasher, const struct secret *password,
				 const char *hash, hasher_done *done, void *ctx);
nodiscard enum err hasher_hash(struct hasher *hasher, const struct secret *password,
			       hasher_done *done, void *ctx);

#endif
