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
	hands->known = hands->could_resize = false;
	hands->keys.count = 0;
	hands->pointer = (struct msg_pointer){ 0 };
}

void hands_set_desktop(struct hands *hands, unsigned width, unsigned height)
{
	layout_desktop(&hands->layout, width, height);
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

void hands_pointer(struct hands *hands, unsigned window, const struct msg_pointer *pointer)
{
	struct remote *remote = driven(hands);
	struct rect part = layout_part(&hands->layout, window);
	if (!remote)
		return;
	hands->pointer = *pointer;
	input_clean_pointer(&hands->pointer, part.width, part.height);
	hands->pointer.x = (uint16_t)(hands->pointer.x + part.x);
	hands->pointer.y = (uint16_t)(hands->pointer.y + part.y);
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

static void ask_resize(struct hands *hands)
{
	struct remote *remote = hands->remote;
	struct rect rects[LAYOUT_MONITORS];
	size_t count =
		hands->known ? layout_wish(&hands->layout, MAX(remote->monitors, 1u), rects) : 0;
	if (count == 0)
		return;
	hands->resize_us = clock_mono_us();
	if (!remote->can_resize || !remote->ops->resize(remote, rects, count)) {
		hands->events->cannot_resize(hands->ctx);
		return;
	}
	layout_asked(&hands->layout, rects, count);
	hands->events->asked(hands->ctx);
}

static void on_resize_due(struct loop_timer *timer)
{
	ask_resize(container_of(timer, struct hands, timer));
}

static void ask_soon(struct hands *hands)
{
	uint64_t now = clock_mono_us(), next = hands->resize_us + HANDS_RESIZE_US;
	if (hands->view_only || loop_timer_running(&hands->timer))
		return;
	if (!hands->resize_us || now >= next)
		ask_resize(hands);
	else
		loop_timer_set(&hands->timer, next - now);
}

void hands_know(struct hands *hands)
{
	if (!hands->remote || (hands->known && hands->remote->can_resize == hands->could_resize))
		return;
	hands->known = true;
	hands->could_resize = hands->remote->can_resize;
	ask_soon(hands);
}

void hands_resize(struct hands *hands, unsigned window, unsigned width, unsigned height)
{
	layout_want(&hands->layout, window, width, height);
	ask_soon(hands);
}

void hands_leave(struct hands *hands, unsigned window)
{
	layout_leave(&hands->layout, window);
	ask_soon(hands);
}
