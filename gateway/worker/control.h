/*
 * control.h - keyboard and pointer go to somebody who looks on, after the person has agreed and
 * until one of them ends it. Meanwhile the person's own keys and clicks do nothing but take them
 * back.
 */
#ifndef SEKISHO_WORKER_CONTROL_H
#define SEKISHO_WORKER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/enums.h"
#include "wire/wire.h"

enum {
	CONTROL_ANSWER_S = 60, /* no answer by then means no */
	CONTROL_AGAIN_S = 30,  /* after a no, until the same one may ask again */
};

struct loop_timer;
struct watch_place;
struct worker;

/* It may ask, and there is something to be had. */
bool control_possible(const struct watch_place *place);

/* A watcher asks. When it may not now, it hears when. */
void control_ask(struct watch_place *place);
/* Seconds that the person has to answer; 0: nothing was asked, or it was answered. */
uint32_t control_answer_left(const struct watch_place *place);
/* The person's answer, to the one who asked. */
void control_answer(struct worker *worker, uint32_t watch, bool yes);
/* The broker's: it is in the audit log. */
void control_allowed(struct worker *worker, const struct msg_watch_control *msg);

/* Whether somebody else controls. */
bool control_active(const struct worker *worker);
/* The person takes back. */
void control_take_back(struct worker *worker);
/* Ends control or asking of this one; harmless when there is neither. */
void control_end(struct watch_place *place, enum watch_why why);

/* Input of one who looks on: dropped unless that one controls. place may be NULL. */
void control_key(struct watch_place *place, const struct msg_key *key);
void control_text(struct watch_place *place, const char *text);
void control_pointer(struct watch_place *place, const struct msg_pointer *pointer);
void control_release(struct watch_place *place);

/* The place's answer timer. */
void control_answer_due(struct loop_timer *timer);

#endif
