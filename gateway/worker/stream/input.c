#include "worker/stream/input.h"

#include "base/util.h"

enum {
	TOKEN_US = 1000000 / INPUT_RATE,
	KEYSYM_MAX = 0x1fffffff, /* X protocol, appendix A: 29 bits */
	SCANCODE_EXTENDED = 0xe000,
	SCANCODE_MAX = 0x7f, /* the eighth bit says "released" in set 1 */
};

void input_rate_init(struct input_rate *rate, uint64_t now_us)
{
	*rate = (struct input_rate){ .filled_us = now_us, .tokens = INPUT_BURST };
}

bool input_rate_take(struct input_rate *rate, uint64_t now_us, uint64_t *ret_wait_us)
{
	uint64_t fresh = (now_us - rate->filled_us) / TOKEN_US;
	rate->filled_us += fresh * TOKEN_US;
	rate->tokens = (unsigned)MIN(rate->tokens + fresh, (uint64_t)INPUT_BURST);
	if (rate->tokens == 0) {
		*ret_wait_us = rate->filled_us + TOKEN_US - now_us;
		return false;
	}
	rate->tokens--;
	return true;
}

bool input_clean_key(struct msg_key *key)
{
	if (key->keysym > KEYSYM_MAX)
		key->keysym = 0;
	uint16_t code = key->scancode & 0xff, prefix = key->scancode & 0xff00;
	if (code > SCANCODE_MAX || (prefix != 0 && prefix != SCANCODE_EXTENDED) || code == 0)
		key->scancode = 0;
	key->down = key->down != 0;
	return key->keysym || key->scancode;
}

static int16_t clip_wheel(int16_t steps)
{
	return (int16_t)MAX(MIN((int)steps, (int)INPUT_WHEEL_MAX), -(int)INPUT_WHEEL_MAX);
}

void input_clean_pointer(struct msg_pointer *pointer, unsigned width, unsigned height)
{
	pointer->x = (uint16_t)MIN((unsigned)pointer->x, width ? width - 1 : 0);
	pointer->y = (uint16_t)MIN((unsigned)pointer->y, height ? height - 1 : 0);
	pointer->buttons &= INPUT_BUTTONS;
	pointer->wheel_x = clip_wheel(pointer->wheel_x);
	pointer->wheel_y = clip_wheel(pointer->wheel_y);
}

void input_clean_text(const char *text, char *out)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if ((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t')
			*out++ = *text;
	}
	*out = '\0';
}
