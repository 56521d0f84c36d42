#include "worker/remote/vnc/vnc_input.h"

#include <string.h>

#include "worker/remote/vnc/vnc.h"

enum {
	NOTCH = 120,
	KEYSYM_UNICODE = 0x01000000,
	KEYSYM_TAB = 0xff09,
	KEYSYM_RETURN = 0xff0d,
};

enum { WHEEL_UP = 8, WHEEL_DOWN = 16, WHEEL_LEFT = 32, WHEEL_RIGHT = 64, BACK = 128 };

static void send_key(struct vnc *vnc, uint32_t keysym, bool down)
{
	if (vnc_can_write(vnc) && !SendKeyEvent(vnc->client, keysym, down))
		vnc_fail(vnc, END_PC_CLOSED);
}

void vnc_input_key(struct remote *remote, uint32_t keysym, uint16_t scancode, bool down)
{
	(void)scancode;
	if (keysym)
		send_key(vnc_from(remote), keysym, down);
}

/* One character of well-formed UTF-8; moves on behind it. */
static uint32_t next_character(const unsigned char **text)
{
	const unsigned char *at = *text;
	unsigned more = at[0] < 0x80 ? 0 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
	uint32_t character = more ? at[0] & (0x3fu >> more) : at[0];
	for (unsigned i = 1; i <= more; i++)
		character = character << 6 | (at[i] & 0x3fu);
	*text = at + 1 + more;
	return character;
}

/* X protocol, appendix A: Latin-1 stands for itself, the rest of Unicode has a range of its own. */
static uint32_t keysym_of(uint32_t character)
{
	if (character == '\n')
		return KEYSYM_RETURN;
	if (character == '\t')
		return KEYSYM_TAB;
	return character < 0x100 ? character : KEYSYM_UNICODE | character;
}

void vnc_input_text(struct remote *remote, const char *text)
{
	struct vnc *vnc = vnc_from(remote);
	const unsigned char *at = (const unsigned char *)text;
	while (*at) {
		uint32_t keysym = keysym_of(next_character(&at));
		send_key(vnc, keysym, true);
		send_key(vnc, keysym, false);
	}
}

static void send_pointer(struct vnc *vnc, unsigned x, unsigned y, unsigned mask)
{
	if (vnc_can_write(vnc) && !SendPointerEvent(vnc->client, (int)x, (int)y, (int)mask))
		vnc_fail(vnc, END_PC_CLOSED);
}

/* A notch is a press and release of a button; what is less waits for the next movement. */
static void turn_wheel(struct vnc *vnc, unsigned x, unsigned y, int *rest, int steps,
		       unsigned backward, unsigned forward)
{
	*rest += steps;
	while (*rest >= NOTCH || *rest <= -NOTCH) {
		unsigned button = *rest > 0 ? forward : backward;
		*rest -= *rest > 0 ? NOTCH : -NOTCH;
		send_pointer(vnc, x, y, vnc->buttons | button);
		send_pointer(vnc, x, y, vnc->buttons);
	}
}

void vnc_input_pointer(struct remote *remote, unsigned x, unsigned y, unsigned buttons, int wheel_x,
		       int wheel_y)
{
	struct vnc *vnc = vnc_from(remote);
	vnc->buttons = (buttons & 7) | (buttons & 8 ? BACK : 0u);
	send_pointer(vnc, x, y, vnc->buttons);
	turn_wheel(vnc, x, y, &vnc->wheel_y, wheel_y, WHEEL_UP, WHEEL_DOWN);
	turn_wheel(vnc, x, y, &vnc->wheel_x, wheel_x, WHEEL_LEFT, WHEEL_RIGHT);
}
