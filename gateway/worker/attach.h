/*
 * attach.h - viewers come to a session, use it, are replaced and leave. The first window is the
 * session's: one more, for the PC's second monitor, is there only as long as it is.
 */
#ifndef SEKISHO_WORKER_ATTACH_H
#define SEKISHO_WORKER_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/enums.h"
#include "wire/wire.h"

struct viewer;
struct worker;

/* A new viewer takes the place of the one before of the same monitor. Takes over fd. */
void attach_take(struct worker *worker, const struct msg_session_viewer *msg, int fd);

/* Takes all viewers away with a last word. */
void attach_drop(struct worker *worker, enum session_state state, enum end_reason reason);

/* A viewer that has left gets a last word and is freed then; attach_forget in its gone callback
 * says whether it was one of those. Takes it over. */
void attach_dismiss(struct worker *worker, struct viewer *viewer, enum session_state state,
		    enum end_reason reason);
bool attach_forget(struct worker *worker, const struct viewer *viewer);

/* Some viewer still gets its last word. */
bool attach_closing(const struct worker *worker);

/* Frees all viewers at once. */
void attach_free(struct worker *worker);

/* Each viewer once: what does not work. */
void attach_tell_once(struct worker *worker, enum notice_kind kind);

/* A message to every viewer that sees the desktop. */
void attach_send(struct worker *worker, uint16_t id, const void *msg);

/* The viewer that hears the PC: the session's own, when it can; NULL: nobody. */
struct viewer *attach_listener(const struct worker *worker);

/* The desktop is another, or its monitors: each viewer gets its part. */
void attach_place(struct worker *worker);

/* What a hello says of the PC may be known better by now: those whom it told otherwise get another.
 */
void attach_know(struct worker *worker);

/* Their ctx is the worker. */
extern const struct hands_events attach_hands_events;

#endif
