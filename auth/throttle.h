/*
 * throttle.h - slows tries down: how long to wait after so many failures, and the count for network
 * addresses, which lives in memory (those of accounts and devices are in the database and survive a
 * restart).
 */
#ifndef SEKISHO_AUTH_THROTTLE_H
#define SEKISHO_AUTH_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	THROTTLE_FREE = 3,           /* failures before the first wait */
	THROTTLE_MAX_MS = 60 * 1000, /* the longest wait */
	/* One address may stand for a whole office, where others are not to suffer for one person's
	   tries. */
	THROTTLE_ADDRESS_FREE = 20,
	THROTTLE_ADDRESS_FORGET_MS = 15 * 60 * 1000,
};

/* 0 below THROTTLE_FREE failures, then 1, 2, 4 … seconds up to THROTTLE_MAX_MS. */
int64_t throttle_wait_ms(int64_t failures);

/*
 * What is left of a wait that ends at next_try_ms, at least 0. An end further away than any wait
 * can be means that the clock was set back, and counts as over.
 */
int64_t throttle_left_ms(int64_t next_try_ms, int64_t now_ms);

struct throttle;

/* Remembers at most max addresses; the one unused longest makes room. ERR_NOMEM. */
nodiscard enum err throttle_new(size_t max, struct throttle **ret);
void throttle_free(struct throttle *throttle);
void throttle_freep(struct throttle **throttle);

/*
 * Counts a try from address before it is checked. ERR_THROTTLED, with *ret_wait_ms, when it comes
 * too early; then nothing is counted. IPv6 addresses count by their /64, because that is what one
 * subscriber gets.
 */
nodiscard enum err throttle_count(struct throttle *throttle, const char *address, int64_t now_ms,
				  int64_t *ret_wait_ms);
/* How many tries are counted against the address. */
int64_t throttle_tries(struct throttle *throttle, const char *address);
/* The try was right: takes its count back. */
void throttle_refund(struct throttle *throttle, const char *address);
/* Somebody logged in from there: nothing is held against the address any more. */
void throttle_forget(struct throttle *throttle, const char *address);

#endif
