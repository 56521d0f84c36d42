/*
 * watch.h - people who look on at somebody's session: each is one more viewer with a pace of its
 * own, of which the PC hears nothing (but see control.h), which the person sees by name, and which
 * sees nothing while the person is not there.
 */
#ifndef SEKISHO_WORKER_WATCH_H
#define SEKISHO_WORKER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "wire/enums.h"
#include "wire/wire.h"
#include "worker/screen.h"

enum {
	WATCH_PLACES = SCREEN_ASIDE,
	WATCH_ACCOUNT_MAX = 64, /* bytes, as messages.def has them */
	WATCH_NAME_MAX = 512,
	WATCH_PURPOSE_MAX = 1024,
	WATCH_WHO_MAX = 4096,
	/* Between two keyframes that one who looks on may ask for: they cost everybody. */
	WATCH_REFRESH_US = 2000000,
};

struct viewer;
struct worker;

struct watch_place {
	struct worker *worker;
	struct viewer *viewer; /* owned; NULL: the place is free */
	uint32_t number;       /* the broker's */
	char account[WATCH_ACCOUNT_MAX + 1], name[WATCH_NAME_MAX + 1];
	char purpose[WATCH_PURPOSE_MAX + 1];
	char who[WATCH_WHO_MAX + 1]; /* a JSON object */
	bool may_control;
	bool joined; /* its page has said hello, so that the person was told */
	bool shown;  /* it sees the desktop */
	uint64_t refreshed_us;
	struct loop_timer refresh;
	/* control.h */
	enum watch_state state;
	bool agreed;       /* by the person; not yet by the broker */
	uint64_t again_us; /* when it may ask again */
	struct loop_timer answer;
};

struct watch {
	struct watch_place places[WATCH_PLACES];
};

void watch_init(struct worker *worker);
/* Frees all at once. */
void watch_free(struct worker *worker);

/* From the broker. Takes over fd; without a free place it is closed, and the broker told. */
void watch_take(struct worker *worker, const struct msg_session_watch *msg, int fd);
void watch_stop(struct worker *worker, uint32_t number, enum end_reason reason);

/* All leave with a last word; tell: the broker hears of it. */
void watch_drop_all(struct worker *worker, enum session_state state, enum end_reason reason,
		    bool tell);

/* The person came or left, or the session was locked: they see the desktop, or no more. */
void watch_settle(struct worker *worker);

/* To one of the person's viewers, which is new: who looks on. */
void watch_tell(struct worker *worker, struct viewer *viewer);

/* For control.c: of that number, NULL: none. */
struct watch_place *watch_find(struct worker *worker, uint32_t number);
/* Person and watcher hear how it stands. */
void watch_tell_all(struct watch_place *place);
void watch_say(struct watch_place *place, enum watch_step step, enum watch_why why);
/* For the recording. */
void watch_record(const struct watch_place *place, const char *event, enum watch_why why);

#endif
