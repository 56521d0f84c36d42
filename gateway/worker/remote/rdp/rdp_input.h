/*
 * rdp_input.h - keyboard and mouse as RDP events.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_INPUT_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rdp_remote;

/* What was last told to the PC. */
struct rdp_pointer_state {
	bool known; /* false: nothing yet */
	uint16_t x, y;
	unsigned buttons;
};

struct rdp_mouse_event {
	uint16_t flags, x, y;
	bool extended; /* a TS_POINTERX_EVENT (back and forward) */
};

enum {
	RDP_MAX_NOTCHES = 10, /* wheel steps taken from one message, each way */
	RDP_MAX_MOUSE_EVENTS = 1 + 5 + 2 * (RDP_MAX_NOTCHES + 1),
};

/*
 * The events that lead from *state to the new position, buttons (bit 0 left, 1 middle, 2 right, 3
 * back, 4 forward) and wheel turns (120 a notch, right and down positive); *state follows. Returns
 * how many.
 */
size_t rdp_input_mouse_events(struct rdp_pointer_state *state, uint16_t x, uint16_t y,
			      unsigned buttons, int wheel_x, int wheel_y,
			      struct rdp_mouse_event events[RDP_MAX_MOUSE_EVENTS]);

/* FreeRDP's scancode for an XT one (0xe0xx: extended); 0 when there is none. */
uint32_t rdp_input_scancode(uint16_t xt);

/*
 * Num Lock and Caps Lock as the person's keyboard has them, seen from what a key press meant there:
 * *locks (KBD_SYNC_*) follows. False when the keysym says nothing about them.
 */
bool rdp_input_locks(uint32_t keysym, bool shift, uint32_t *locks);

/* The character an X11 keysym stands for, 0 when it is none. */
uint32_t rdp_input_keysym_char(uint32_t keysym);

/* struct remote_ops */
void rdp_input_key(struct rdp_remote *rdp, uint32_t keysym, uint16_t scancode, bool down);
void rdp_input_pointer(struct rdp_remote *rdp, unsigned x, unsigned y, unsigned buttons,
		       int wheel_x, int wheel_y);

/* Tells the PC the state of the lock keys that most keyboards are in, once the desktop is there. */
void rdp_input_start(struct rdp_remote *rdp);

#endif
