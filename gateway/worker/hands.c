#include "worker/hands.h"

#include "base/clock.h"
#include "base/util.h"
#include "worker/stream/input.h"

static void on_resize_due(struct loop_timer *timer);

void hands_init(struct hands *hands, struct loop *loop, const struct hands_events *events,
		void *ctx)
{
	*hands = (struct hands){ .events = events, .ctx = ctx };
	loop_timer_init(loop, &hands->timer, on_resize_due);
}

void hands_finish(struct hands *hands)
{
	loop_timer_cancel(&hands->timer);
}

void hands_set_remote(struct hands *hands, struct remote *remote)
{
	hands->remote = remote;
	hands->keys.count = 0;
	hands->pointer = (struct msg_pointer){ 0 };
}

void hands_set_desktop(struct hands *hands, unsigned width, unsigned height)
{
	hands->desktop_width = width;
	hands->desktop_height = height;
}

static struct remote *driven(const struct hands *hands)
{
	return hands->view_only ? NULL : hands->remote;
}

void hands_key(struct hands *hands, const struct msg_key *key)
{
	struct remote *remote = driven(hands);
	uint32_t keysym = key->keysym;
	uint16_t scancode = key->scancode;
	if (remote && keys_change(&hands->keys, &keysym, &scancode, key->down))
		remote->ops->key(remote, keysym, scancode, key->down);
}

static bool is_ascii(const char *text)
{
	while (*text)
		if (*text++ & 0x80)
			return false;
	return true;
}

void hands_text(struct hands *hands, const char *text)
{
	struct remote *remote = driven(hands);
	if (!remote)
		return;
	if (remote->text == REMOTE_TEXT_NONE ||
	    (remote->text == REMOTE_TEXT_KEYS && !is_ascii(text)))
		hands->events->cannot_take_text(hands->ctx);
	/* Some of it may arrive all the same. */
	if (remote->text != REMOTE_TEXT_NONE)
		remote->ops->text(remote, text);
}

static void tell_pointer(struct remote *remote, const struct msg_pointer *pointer)
{
	remote->ops->pointer(remote, pointer->x, pointer->y, pointer->buttons, pointer->wheel_x,
			     pointer->wheel_y);
}

void hands_pointer(struct hands *hands, const struct msg_pointer *pointer)
{
	struct remote *remote = driven(hands);
	if (!remote)
		return;
	hands->pointer = *pointer;
	input_clean_pointer(&hands->pointer, hands->desktop_width, hands->desktop_height);
	tell_pointer(remote, &hands->pointer);
}

void hands_release(struct hands *hands)
{
	struct remote *remote = driven(hands);
	struct keys_pressed key;
	while (keys_pop(&hands->keys, &key))
		if (remote)
			remote->ops->key(remote, key.keysym, key.scancode, false);
	if (remote && hands->pointer.buttons) {
		hands->pointer.buttons = 0;
		hands->pointer.wheel_x = hands->pointer.wheel_y = 0;
		tell_pointer(remote, &hands->pointer);
	}
}

static unsigned clamp(unsigned value, unsigned most)
{
	return MAX(MIN(value, most), (unsigned)HANDS_MIN_SIZE);
}

static void ask_resize(struct hands *hands)
{
	struct remote *remote = hands->remote;
	unsigned width = hands->wish_width, height = hands->wish_height;
	bool same = width == hands->desktop_width && height == hands->desktop_height;
	hands->wish_width = hands->wish_height = 0;
	if (!remote || same)
		return;
	hands->resize_us = clock_mono_us();
	if (!remote->can_resize || !remote->ops->resize(remote, width, height))
		hands->events->cannot_resize(hands->ctx);
}

static void on_resize_due(struct loop_timer *timer)
{
	ask_resize(container_of(timer, struct hands, timer));
}

void hands_resize(struct hands *hands, unsigned width, unsigned height)
{
	if (hands->view_only || width == 0 || height == 0)
		return;
	/* Odd widths are refused by RDP (MS-RDPEDISP 2.2.2.2.1). */
	hands->wish_width = clamp(width, REMOTE_MAX_WIDTH) & ~1u;
	hands->wish_height = clamp(height, REMOTE_MAX_HEIGHT);
	uint64_t now = clock_mono_us(), next = hands->resize_us + HANDS_RESIZE_US;
	if (loop_timer_running(&hands->timer))
		return;
	if (!hands->resize_us || now >= next)
		ask_resize(hands);
	else
		loop_timer_set(&hands->timer, next - now);
}
