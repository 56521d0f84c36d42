/*
 * hands.h - the way of the input: from the viewers to the PC, remembering what is pressed, and
 * asking for desktop sizes no faster than a PC can follow.
 */
#ifndef SEKISHO_WORKER_HANDS_H
#define SEKISHO_WORKER_HANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "wire/wire.h"
#include "worker/layout.h"
#include "worker/remote/remote.h"
#include "worker/stream/keys.h"

enum {
	HANDS_RESIZE_US = 500000, /* between two requests */
};

struct hands_events {
	/* What the PC cannot do with the input, told each time. */
	void (*cannot_resize)(void *ctx);
	void (*cannot_take_text)(void *ctx);
	/* The PC was asked for other monitors: the parts of the windows may have changed. */
	void (*asked)(void *ctx);
};

struct hands {
	struct loop_timer timer;
	struct remote *remote; /* not owned; NULL: input goes nowhere */
	bool view_only;
	bool known, could_resize; /* what the PC said it can do, once it has said so */
	struct keys keys;
	struct msg_pointer pointer; /* as last told */
	struct layout layout;
	uint64_t resize_us; /* the last request */
	const struct hands_events *events;
	void *ctx;
};

void hands_init(struct hands *hands, struct loop *loop, const struct hands_events *events,
		void *ctx);
void hands_finish(struct hands *hands);

void hands_set_remote(struct hands *hands, struct remote *remote);
/* The PC has shown a picture, so what it can do is known: asks for what was wished before. */
void hands_know(struct hands *hands);
void hands_set_desktop(struct hands *hands, unsigned width, unsigned height);

void hands_key(struct hands *hands, const struct msg_key *key);
void hands_text(struct hands *hands, const char *text);
/* Where it is in this window. */
void hands_pointer(struct hands *hands, unsigned window, const struct msg_pointer *pointer);

/* Lets go of every key and button. */
void hands_release(struct hands *hands);

/* Brought into range; the last wish within half a second wins. 0: the viewer does not care. */
void hands_resize(struct hands *hands, unsigned window, unsigned width, unsigned height);
/* The window is gone, and its monitor with it. */
void hands_leave(struct hands *hands, unsigned window);

#endif
