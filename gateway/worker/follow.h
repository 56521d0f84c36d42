/*
 * follow.h - H.264 of the PC on its way to viewers that decode it themselves: which viewer follows
 * the stream, what waits until its link has room, and what a viewer that comes a little late has
 * missed.
 */
#ifndef SEKISHO_WORKER_FOLLOW_H
#define SEKISHO_WORKER_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/remote/unit.h"

enum {
	/* Units since the stream began that are kept: a viewer that comes no later can follow. */
	FOLLOW_PAST = 16,
	FOLLOW_PAST_BYTES = 4 << 20,
	FOLLOW_WAITING = 24, /* for one viewer */
	FOLLOW_WAITING_BYTES = 8 << 20,
	/* Who keeps units waiting for longer is better served with what its link takes. */
	FOLLOW_LATE_US = 100000,
	FOLLOW_LATE_UNITS = 3,      /* one after another */
	FOLLOW_AGAIN_US = 10000000, /* after that, before it may follow again */
};

struct follow_past {
	struct remote_unit *units[FOLLOW_PAST]; /* owned; from the key unit on */
	size_t count, bytes;
};

struct follow_waiting {
	struct remote_unit *unit; /* owned */
	bool hidden;              /* only for the decoder */
	uint64_t since_us;
};

/* One viewer's. */
struct follow {
	struct follow_waiting waiting[FOLLOW_WAITING]; /* a ring */
	size_t first, count, bytes;
	bool running;        /* the next unit goes to it, too */
	uint32_t stream;     /* that it follows, or did last */
	uint32_t from, last; /* units that it got and that are drawn; 0: none */
	unsigned late;
	uint64_t not_before_us;
};

/* The unit is the stream's next. */
void follow_past_add(struct follow_past *past, struct remote_unit *unit);
void follow_past_clear(struct follow_past *past);

/*
 * The viewer, which has no unit of the stream yet, gets this one and what must go before. False: it
 * cannot be.
 */
bool follow_begin(struct follow *follow, const struct follow_past *past, struct remote_unit *unit,
		  uint64_t now_us);

/* The next unit, for a viewer that follows. False: it cannot keep up, and follows no more. */
bool follow_add(struct follow *follow, struct remote_unit *unit, uint64_t now_us);

/* The unit whose turn is next, or NULL; and it has been sent. */
const struct follow_waiting *follow_next(const struct follow *follow);
void follow_sent(struct follow *follow, uint64_t now_us);

/* It follows no more, but what waits still goes. */
void follow_leave(struct follow *follow);
/* It has nothing of it any more, and what waits is forgotten. */
void follow_drop(struct follow *follow);

/* The viewer got this unit, or it waits for it. */
bool follow_has(const struct follow *follow, const struct remote_unit *unit);

#endif
