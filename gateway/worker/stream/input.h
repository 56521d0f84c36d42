/*
 * input.h - what a viewer may send: values brought into range, and how much of it.
 */
#ifndef SEKISHO_WORKER_STREAM_INPUT_H
#define SEKISHO_WORKER_STREAM_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/wire.h"

enum {
	INPUT_MESSAGE_MAX = 4096, /* bytes (docs/protocol.md §4) */
	INPUT_RATE = 1000,        /* messages in a second */
	INPUT_BURST = 500,
	INPUT_BUTTONS = 0x1f,
	INPUT_WHEEL_MAX = 120 * 20, /* in one message */
};

/* A token bucket. */
struct input_rate {
	uint64_t filled_us; /* until when tokens were given */
	unsigned tokens;
};

void input_rate_init(struct input_rate *rate, uint64_t now_us);

/* Takes one token. False: wait; ret_wait_us until there is one. */
bool input_rate_take(struct input_rate *rate, uint64_t now_us, uint64_t *ret_wait_us);

/* False: the key means nothing and is dropped. A scancode that no keyboard has becomes 0. */
bool input_clean_key(struct msg_key *key);

/* Puts the position inside the desktop and cuts off unknown buttons and absurd wheel steps. */
void input_clean_pointer(struct msg_pointer *pointer, unsigned width, unsigned height);

/* Copies text without control characters except line feed and tab; out has room for strlen(text)
 * + 1. */
void input_clean_text(const char *text, char *out);

#endif
