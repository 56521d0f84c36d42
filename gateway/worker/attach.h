/*
 * attach.h - viewers come to a session, use it, are replaced and leave.
 */
#ifndef SEKISHO_WORKER_ATTACH_H
#define SEKISHO_WORKER_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/enums.h"

struct worker;

/* A new viewer takes the place of the one before. Takes over fd. */
void attach_take(struct worker *worker, uint32_t number, int fd);

/* Takes the viewer away with a last word, or with SESSION_STARTING and END_NONE when it is gone
 * already. */
void attach_drop(struct worker *worker, enum session_state state, enum end_reason reason);

/* Some viewer still gets its last word. */
bool attach_closing(const struct worker *worker);

/* Frees all viewers at once. */
void attach_free(struct worker *worker);

/* What the PC cannot do: told to each viewer once. Their ctx is the worker. */
extern const struct hands_events attach_hands_events;

#endif
