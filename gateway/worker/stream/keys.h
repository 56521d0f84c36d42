/*
 * keys.h - which keys and buttons the PC believes pressed, so that none stays stuck when a viewer
 * goes away, and a release always names what was pressed.
 */
#ifndef SEKISHO_WORKER_STREAM_KEYS_H
#define SEKISHO_WORKER_STREAM_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEYS_MAX = 32 }; /* pressed at once; more are ignored */

struct keys_pressed {
	uint32_t keysym;
	uint16_t scancode;
};

struct keys {
	struct keys_pressed pressed[KEYS_MAX];
	size_t count;
};

/*
 * A key goes down or up. False: nothing to tell the PC (released but never pressed, or too many).
 * On release the keysym becomes the one that was pressed: with Shift let go in between the viewer
 * names another.
 */
bool keys_change(struct keys *keys, uint32_t *keysym, uint16_t *scancode, bool down);

/* Takes one pressed key out, the last first; false when there is none. */
bool keys_pop(struct keys *keys, struct keys_pressed *ret);

#endif
