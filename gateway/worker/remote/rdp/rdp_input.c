#include "worker/remote/rdp/rdp_input.h"

#include <freerdp/input.h>
#include <freerdp/scancode.h>
#include <freerdp/settings.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp.h"

enum { NOTCH = 120 };

uint32_t rdp_input_scancode(uint16_t xt)
{
	uint8_t code = (uint8_t)(xt & 0xff);

	if (xt ==
	    0x54) /* browsers have one code for Print Screen, the PC expects the key without Alt */
		return RDP_SCANCODE_PRINTSCREEN;
	if (xt >> 8 == 0 && code > 0 && code < 0x80)
		return MAKE_RDP_SCANCODE(code, false);
	if (xt >> 8 == 0xe0 && code > 0 && code < 0x80)
		return MAKE_RDP_SCANCODE(code, true);
	return 0;
}

uint32_t rdp_input_keysym_char(uint32_t keysym)
{
	uint32_t c = keysym;

	if ((keysym & 0xff000000) == 0x01000000) /* X11: Unicode keysyms */
		c = keysym & 0x00ffffff;
	else if (keysym > 0xff) /* the rest of Latin-1 and of the keysyms needs a key */
		return 0;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		return 0;
	return c;
}

static size_t add_wheel(struct rdp_mouse_event *events, int turn, uint16_t axis, uint16_t x,
			uint16_t y)
{
	int left = MAX(-RDP_MAX_NOTCHES * NOTCH, MIN(RDP_MAX_NOTCHES * NOTCH, turn));
	size_t count = 0;

	/* In single notches: hosts such as xrdp scroll one line per event, whatever its size. */
	while (left != 0) {
		int step = MAX(-NOTCH, MIN(NOTCH, left));

		/* [MS-RDPBCGR] 2.2.8.1.1.3.1.1.3: nine bits, two's complement. */
		events[count++] = (struct rdp_mouse_event){
			.flags = (uint16_t)(axis | ((unsigned)step & WheelRotationMask)),
			.x = x,
			.y = y,
		};
		left -= step;
	}
	return count;
}

size_t rdp_input_mouse_events(struct rdp_pointer_state *state, uint16_t x, uint16_t y,
			      unsigned buttons, int wheel_x, int wheel_y,
			      struct rdp_mouse_event events[RDP_MAX_MOUSE_EVENTS])
{
	static const struct {
		unsigned bit;
		uint16_t flag;
		bool extended;
	} map[] = {
		{ 1, PTR_FLAGS_BUTTON1, false },  { 2, PTR_FLAGS_BUTTON3, false },
		{ 4, PTR_FLAGS_BUTTON2, false },  { 8, PTR_XFLAGS_BUTTON1, true },
		{ 16, PTR_XFLAGS_BUTTON2, true },
	};
	unsigned changed = state->buttons ^ buttons;
	size_t count = 0;

	if (!state->known || state->x != x || state->y != y)
		events[count++] =
			(struct rdp_mouse_event){ .flags = PTR_FLAGS_MOVE, .x = x, .y = y };
	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (!(changed & map[i].bit))
			continue;
		events[count++] = (struct rdp_mouse_event){
			/* PTR_XFLAGS_DOWN is the same bit */
			.flags = (uint16_t)(map[i].flag |
					    (buttons & map[i].bit ? PTR_FLAGS_DOWN : 0)),
			.x = x,
			.y = y,
			.extended = map[i].extended,
		};
	}
	/* RDP counts turns away from the person as positive, we count down as positive. */
	count += add_wheel(events + count, -MAX(-INT16_MAX, wheel_y), PTR_FLAGS_WHEEL, x, y);
	count += add_wheel(events + count, wheel_x, PTR_FLAGS_HWHEEL, x, y);
	*state = (struct rdp_pointer_state){ .known = true, .x = x, .y = y, .buttons = buttons };
	return count;
}

/* The loop sees a broken connection at its next turn, so results of sending do not matter here. */
static void send_unicode(rdpInput *input, uint16_t unit, bool down)
{
	(void)freerdp_input_send_unicode_keyboard_event(input, down ? 0 : KBD_FLAGS_RELEASE, unit);
}

static void send_char(rdpInput *input, uint32_t c, bool down)
{
	if (c > 0xffff) {
		send_unicode(input, (uint16_t)(0xd800 + ((c - 0x10000) >> 10)), down);
		c = 0xdc00 + ((c - 0x10000) & 0x3ff);
	}
	send_unicode(input, (uint16_t)c, down);
}

bool rdp_input_locks(uint32_t keysym, bool shift, uint32_t *locks)
{
	/* X11's XK_KP_0 to XK_KP_9 and XK_KP_Decimal; XK_KP_Home to XK_KP_Delete are the same keys
	 * without Num Lock */
	bool digit = (keysym >= 0xffb0 && keysym <= 0xffb9) || keysym == 0xffae;
	bool move = keysym >= 0xff95 && keysym <= 0xff9f;
	bool upper = keysym >= 'A' && keysym <= 'Z';
	bool lower = keysym >= 'a' && keysym <= 'z';

	if (digit)
		*locks |= KBD_SYNC_NUM_LOCK;
	else if (move && !shift)
		*locks &= ~(uint32_t)KBD_SYNC_NUM_LOCK;
	else if ((upper && !shift) || (lower && shift))
		*locks |= KBD_SYNC_CAPS_LOCK;
	else if (upper || lower)
		*locks &= ~(uint32_t)KBD_SYNC_CAPS_LOCK;
	else
		return false;
	return true;
}

/* A keypad's digit must arrive as a digit, whatever state the PC was left in. */
static void follow_locks(struct rdp_remote *rdp, uint32_t keysym)
{
	rdpInput *input = rdp->instance->context->input;
	bool shift = rdp->pressed[RDP_SCANCODE_LSHIFT] || rdp->pressed[RDP_SCANCODE_RSHIFT];
	uint32_t locks = rdp->locks;

	if (!rdp_input_locks(keysym, shift, &locks) || (rdp->locks_known && locks == rdp->locks))
		return;
	(void)freerdp_input_send_synchronize_event(input, locks);
	rdp->locks = locks;
	rdp->locks_known = true;
	/* [MS-RDPBCGR] 2.2.8.1.1.3.1.1.5: it lets all keys go; those that are held must be pressed
	 * again. */
	for (uint32_t code = 0; code < ARRAY_SIZE(rdp->pressed); code++)
		if (rdp->pressed[code])
			(void)freerdp_input_send_keyboard_event_ex(input, TRUE, FALSE, code);
}

static bool is_lock_key(uint32_t code)
{
	return code == RDP_SCANCODE_CAPSLOCK || code == RDP_SCANCODE_NUMLOCK ||
	       code == RDP_SCANCODE_SCROLLLOCK;
}

static void press(struct rdp_remote *rdp, uint32_t code, uint32_t keysym, bool down)
{
	if (down && !rdp->pressed[code])
		follow_locks(rdp, keysym);
	(void)freerdp_input_send_keyboard_event_ex(rdp->instance->context->input, down,
						   down && rdp->pressed[code], code);
	rdp->pressed[code] = down;
	if (is_lock_key(code))
		rdp->locks_known = false;
}

void rdp_input_key(struct rdp_remote *rdp, uint32_t keysym, uint16_t scancode, bool down)
{
	rdpInput *input = rdp->instance->context->input;
	uint32_t code = rdp_input_scancode(scancode);
	uint32_t c = rdp_input_keysym_char(keysym);

	if (code == RDP_SCANCODE_PAUSE) {
		/* one event that is press and release, [MS-RDPBCGR] 2.2.8.1.1.3.1.1.1 */
		if (down)
			(void)freerdp_input_send_keyboard_pause_event(input);
	} else if (code) {
		press(rdp, code, keysym, down);
	} else if (c) {
		send_char(input, c, down);
	}
}

void rdp_input_pointer(struct rdp_remote *rdp, unsigned x, unsigned y, unsigned buttons,
		       int wheel_x, int wheel_y)
{
	rdpInput *input = rdp->instance->context->input;
	const rdpSettings *settings = rdp->instance->context->settings;
	unsigned width = freerdp_settings_get_uint32(settings, FreeRDP_DesktopWidth);
	unsigned height = freerdp_settings_get_uint32(settings, FreeRDP_DesktopHeight);
	struct rdp_mouse_event events[RDP_MAX_MOUSE_EVENTS];
	size_t count;

	/* Both are within REMOTE_MAX_*, checked when the desktop got its size. */
	x = MIN(x, width - 1);
	y = MIN(y, height - 1);
	if (!freerdp_settings_get_bool(settings, FreeRDP_HasHorizontalWheel))
		wheel_x = 0;
	count = rdp_input_mouse_events(&rdp->pointer, (uint16_t)x, (uint16_t)y, buttons, wheel_x,
				       wheel_y, events);
	for (size_t i = 0; i < count; i++) {
		if (events[i].extended)
			(void)freerdp_input_send_extended_mouse_event(input, events[i].flags,
								      events[i].x, events[i].y);
		else
			(void)freerdp_input_send_mouse_event(input, events[i].flags, events[i].x,
							     events[i].y);
	}
}

void rdp_input_start(struct rdp_remote *rdp)
{
	rdp->locks = KBD_SYNC_NUM_LOCK;
	(void)freerdp_input_send_synchronize_event(rdp->instance->context->input, rdp->locks);
	/* Hosts such as xrdp lose it while they log in, so the first key tells it again. */
	rdp->locks_known = false;
}
