/*
 * masks.h - which keys may be part of a password, as far as the gateway can know: nothing on the
 * screen says so. A log-on screen may be there when a session begins, after it was locked, and
 * after the keys that call one; Enter ends it once something was typed, as an Enter alone may only
 * have woken it. Pure logic.
 */
#ifndef SEKISHO_WORKER_RECORD_MASKS_H
#define SEKISHO_WORKER_RECORD_MASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/wire.h"

struct masks {
	bool shown;               /* no password is expected */
	bool typed;               /* something since one is expected */
	bool control, alt, super; /* held */
	unsigned hidden;          /* keys that went down masked and are not up yet */
};

/* A password may be asked for from now on; zeroed masks begin so. */
void masks_expect(struct masks *masks);

/* Whether this key must not be known; in the order in which they come. */
bool masks_key(struct masks *masks, const struct msg_key *key);

/* Whether text of an input method must not be known. */
bool masks_text(struct masks *masks);

#endif
