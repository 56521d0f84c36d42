/*
 * vnc_input.h - keys, text and pointer as RFB messages.
 */
#ifndef SEKISHO_WORKER_REMOTE_VNC_VNC_INPUT_H
#define SEKISHO_WORKER_REMOTE_VNC_VNC_INPUT_H

#include <stdbool.h>
#include <stdint.h>

struct remote;

/* The functions of struct remote_ops. RFB knows keys by keysym; a key without one is dropped. */
void vnc_input_key(struct remote *remote, uint32_t keysym, uint16_t scancode, bool down);
void vnc_input_text(struct remote *remote, const char *text);
/* RFB's eight buttons: left, middle, right, wheel up, down, left, right, back. There is none left
 * for forward. */
void vnc_input_pointer(struct remote *remote, unsigned x, unsigned y, unsigned buttons, int wheel_x,
		       int wheel_y);

#endif
