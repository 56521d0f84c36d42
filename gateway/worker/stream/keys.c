#include "worker/stream/keys.h"

#include <string.h>

/* The physical key decides; only keys without one (some soft keyboards) are told apart by keysym.
 */
static size_t find(const struct keys *keys, uint32_t keysym, uint16_t scancode)
{
	size_t i = 0;
	while (i < keys->count) {
		const struct keys_pressed *key = &keys->pressed[i];
		if (key->scancode == scancode && (scancode || key->keysym == keysym))
			break;
		i++;
	}
	return i;
}

bool keys_change(struct keys *keys, uint32_t *keysym, uint16_t *scancode, bool down)
{
	size_t place = find(keys, *keysym, *scancode);
	if (down) {
		if (place < keys->count) {
			*keysym = keys->pressed[place].keysym; /* repeated */
			return true;
		}
		if (keys->count == KEYS_MAX)
			return false;
		keys->pressed[keys->count++] = (struct keys_pressed){ *keysym, *scancode };
		return true;
	}
	if (place == keys->count)
		return false;
	*keysym = keys->pressed[place].keysym;
	keys->count--;
	memmove(&keys->pressed[place], &keys->pressed[place + 1],
		(keys->count - place) * sizeof(keys->pressed[0]));
	return true;
}

bool keys_pop(struct keys *keys, struct keys_pressed *ret)
{
	if (keys->count == 0)
		return false;
	*ret = keys->pressed[--keys->count];
	return true;
}
