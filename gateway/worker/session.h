/*
 * session.h - the session's state as its modules share it, the one setter of states and the one way
 * to end. Private to the worker.
 */
#ifndef SEKISHO_WORKER_SESSION_H
#define SEKISHO_WORKER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "worker/clipboard.h"
#include "worker/ear.h"
#include "worker/hands.h"
#include "worker/limits.h"
#include "worker/link.h"
#include "worker/record/recorder.h"
#include "worker/remote/remote.h"
#include "worker/screen.h"
#include "worker/start.h"
#include "worker/stream/viewer.h"
#include "worker/watch.h"
#include "worker/worker.h"

enum {
	SESSION_WINDOWS = SCREEN_OUTPUTS - SCREEN_ASIDE,
	SESSION_CLOSING_MAX = 8, /* viewers that still get their last status */
};

/* One of the person's windows, each of which may show a monitor of its own. */
struct window {
	struct viewer *viewer; /* owned; the present one, or NULL */
	char joined[1024];     /* who it is, for the recording; may be empty */
	bool welcomed;         /* it got its hello, with what follows */
	bool can_resize;
	unsigned monitors;
	uint8_t buttons; /* of its pointer, as it said last */
	uint32_t told;   /* bits of enum notice_kind: what the PC cannot do */
};

struct worker {
	struct loop *loop;
	struct link link;
	enum protocol protocol;
	worker_remote_new make;
	enum session_state state;
	enum end_reason reason;
	struct start start;
	struct limits limits;
	struct screen screen;
	struct hands hands;
	struct ear ear;
	struct clipboard clipboard;
	struct recorder *recorder;              /* owned; NULL before session_record */
	struct remote *remote;                  /* owned */
	struct window windows[SESSION_WINDOWS]; /* the first is the session's */
	struct watch watch;
	struct viewer *closing[SESSION_CLOSING_MAX]; /* owned */
	struct loop_timer connect_timer; /* connects; then waits for the first picture */
	struct loop_timer limits_timer;
	struct loop_timer finish_timer;
	struct msg_worker_state reported;
	unsigned events;
	uint64_t ended_us;                 /* monotonic */
	char ended_who[WATCH_WHO_MAX + 1]; /* a JSON object of whoever ended it, or "" */
	char context[16 + 2 * WIRE_SESSION_ID];
};

/* Viewers that are there and have said hello. */
unsigned session_viewers(const struct worker *worker);

/* The only place where the state changes; viewer and broker are told. */
void session_set_state(struct worker *worker, enum session_state state);
/* The state that follows from the PC and the viewer, where neither time nor the broker decides. */
void session_settle(struct worker *worker);
/* The only way a session ends; the loop stops when the viewer has its last word. */
void session_end(struct worker *worker, enum end_reason reason);

/* Tells the broker state and size, when something is new. */
void session_report(struct worker *worker);
/* To everybody who got a hello. */
void session_tell_status(struct worker *worker);
/* For the audit log and the recording; a session has so many and no more. detail: a JSON object. */
void session_event(struct worker *worker, const char *event, const char *detail);
/* To all viewers. */
void session_notice(struct worker *worker, enum notice_kind kind, uint32_t seconds);

/* For the recording: what happens, beside what viewers are sent. viewer: its monitor. */
void session_happens(struct worker *worker, unsigned viewer, const char *event);
/* detail: a JSON object, of which the event gets the members. */
void session_happens_so(struct worker *worker, unsigned viewer, const char *event,
			const char *detail);

/* Acts on what time has brought and waits for the next. */
void session_run_limits(struct worker *worker);

/* The worker's limits_timer and finish_timer. */
void session_limits_due(struct loop_timer *timer);
void session_finish_due(struct loop_timer *timer);

#endif
