/*
 * work.h - long work in slices, between which the loop gets on with everything else: a function
 * with a stack of its own (a thread) that stops where it says it can. It and the loop never run at
 * the same time, so neither has to lock anything; but what it has borrowed may be another after a
 * pause, and it pauses within no transaction. Of what was on its stack nothing stays in memory.
 */
#ifndef SEKISHO_VAULT_WORK_H
#define SEKISHO_VAULT_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct work;

/* What it has come to, for who waits. */
struct work_progress {
	size_t done, total; /* total 0: not known */
};

/* func begins with the first work_run. ERR_NOMEM. */
nodiscard enum err work_new(void (*func)(void *ctx), void *ctx, struct work **ret);
/* Ends it first: func hears ERR_CLOSED where it pauses, and has returned afterwards. NULL is
 * allowed. */
void work_free(struct work *work);

/* From the loop: goes on for about that long. True: it is done. */
bool work_run(struct work *work, uint64_t slice_us);

/* From func: is its time over? NULL is allowed: nobody waits. */
bool work_is_over(const struct work *work);
/* From func, when it is over: lets the others go on, and returns with the next slice. ERR_CLOSED:
 * it has to end. */
nodiscard enum err work_pause(struct work *work);

/* From func and from the loop. NULL is allowed. */
void work_note(struct work *work, size_t done, size_t total);
struct work_progress work_progress(const struct work *work);

#endif
