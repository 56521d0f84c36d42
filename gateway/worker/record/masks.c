#include "worker/record/masks.h"

/* X11 keysyms. */
enum {
	KEY_RETURN = 0xff0d,
	KEY_KP_ENTER = 0xff8d,
	KEY_SHIFT_L = 0xffe1,
	KEY_CONTROL_L = 0xffe3,
	KEY_CONTROL_R = 0xffe4,
	KEY_ALT_L = 0xffe9,
	KEY_ALT_R = 0xffea,
	KEY_SUPER_L = 0xffeb,
	KEY_SUPER_R = 0xffec,
	KEY_HYPER_R = 0xffee, /* the last modifier */
	KEY_DELETE = 0xffff,
	KEY_KP_DELETE = 0xff9f,
};

void masks_expect(struct masks *masks)
{
	masks->shown = false;
	masks->typed = false;
}

static void note_modifier(struct masks *masks, const struct msg_key *key)
{
	bool down = key->down != 0;
	if (key->keysym == KEY_CONTROL_L || key->keysym == KEY_CONTROL_R)
		masks->control = down;
	else if (key->keysym == KEY_ALT_L || key->keysym == KEY_ALT_R)
		masks->alt = down;
	else if (key->keysym == KEY_SUPER_L || key->keysym == KEY_SUPER_R)
		masks->super = down;
}

static bool is_modifier(uint32_t keysym)
{
	return keysym >= KEY_SHIFT_L && keysym <= KEY_HYPER_R;
}

/* Ctrl+Alt+Del, and Windows+L, which locks. */
static bool calls_logon(const struct masks *masks, const struct msg_key *key)
{
	bool secure = key->keysym == KEY_DELETE || key->keysym == KEY_KP_DELETE;
	bool lock = key->keysym == 'l' || key->keysym == 'L';
	return key->down && ((secure && masks->control && masks->alt) || (lock && masks->super));
}

bool masks_key(struct masks *masks, const struct msg_key *key)
{
	bool enter = key->keysym == KEY_RETURN || key->keysym == KEY_KP_ENTER;
	note_modifier(masks, key);
	if (!key->down) {
		bool hide = masks->hidden > 0 && !enter;
		masks->hidden -= hide;
		return hide;
	}
	if (calls_logon(masks, key)) {
		masks_expect(masks);
		return false;
	}
	if (enter) {
		masks->shown = masks->shown || masks->typed;
		return false;
	}
	masks->typed = masks->typed || !is_modifier(key->keysym);
	masks->hidden += !masks->shown;
	return !masks->shown;
}

bool masks_text(struct masks *masks)
{
	masks->typed = true;
	return !masks->shown;
}
