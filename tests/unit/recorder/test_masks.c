#include "unit/unit.h"

#include "worker/record/masks.h"

enum {
	ENTER = 0xff0d,
	SHIFT = 0xffe1,
	CONTROL = 0xffe3,
	ALT = 0xffe9,
	SUPER = 0xffeb,
	DELETE = 0xffff
};

static bool goes(struct masks *masks, uint32_t keysym, bool down)
{
	const struct msg_key key = { .keysym = keysym, .down = down };
	return masks_key(masks, &key);
}

static void until_enter(void **state)
{
	struct masks masks = { 0 };
	(void)state;
	assert_true(goes(&masks, 'p', true));
	assert_true(goes(&masks, 'p', false));
	/* Held until after Enter: its name must not come out on the way up. */
	assert_true(goes(&masks, 'q', true));
	assert_false(goes(&masks, ENTER, true));
	assert_true(goes(&masks, 'q', false));
	assert_false(goes(&masks, ENTER, false));
	assert_false(goes(&masks, 'a', true));
	assert_false(goes(&masks, 'a', false));
	assert_false(masks_text(&masks));
	masks_expect(&masks);
	assert_true(goes(&masks, 'a', true));
	assert_true(masks_text(&masks));
}

/* An Enter that only wakes a log-on screen does not lay the password open. */
static void not_by_the_enter_that_wakes(void **state)
{
	struct masks masks = { 0 };
	(void)state;
	assert_false(goes(&masks, ENTER, true));
	assert_false(goes(&masks, ENTER, false));
	assert_true(goes(&masks, SHIFT, true));
	assert_false(goes(&masks, ENTER, true));
	assert_false(goes(&masks, ENTER, false));
	assert_true(goes(&masks, 'P', true));
	assert_true(goes(&masks, 'P', false));
	assert_true(goes(&masks, SHIFT, false));
	assert_false(goes(&masks, ENTER, true));
	assert_false(goes(&masks, 'a', true));
	masks_expect(&masks);
	assert_false(goes(&masks, ENTER, true));
	assert_true(masks_text(&masks));
	assert_false(goes(&masks, ENTER, true));
	assert_false(masks_text(&masks));
}

static struct masks working(void)
{
	struct masks masks = { 0 };
	(void)goes(&masks, 'p', true);
	(void)goes(&masks, 'p', false);
	(void)goes(&masks, ENTER, true);
	(void)goes(&masks, ENTER, false);
	return masks;
}

static void after_what_calls_a_logon(void **state)
{
	struct masks masks = working();
	(void)state;
	assert_false(goes(&masks, CONTROL, true));
	assert_false(goes(&masks, ALT, true));
	assert_false(goes(&masks, DELETE, true));
	assert_false(goes(&masks, DELETE, false));
	assert_false(goes(&masks, ALT, false));
	assert_false(goes(&masks, CONTROL, false));
	assert_true(goes(&masks, 'p', true));
	masks = working();
	assert_false(goes(&masks, SUPER, true));
	assert_false(goes(&masks, 'l', true));
	assert_true(goes(&masks, 'p', true));
	masks = working();
	assert_false(goes(&masks, 'l', true));
	assert_false(goes(&masks, DELETE, true));
	assert_false(goes(&masks, 'p', true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_enter),
		cmocka_unit_test(not_by_the_enter_that_wakes),
		cmocka_unit_test(after_what_calls_a_logon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
