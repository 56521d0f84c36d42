#include "unit/unit.h"

#include "base/util.h"
#include "worker/stream/input.h"
#include "worker/stream/keys.h"

static void test_pointer_stays_on_the_desktop(void **state)
{
	(void)state;
	struct msg_pointer pointer = {
		.x = 65535, .y = 800, .buttons = 0xff, .wheel_x = INT16_MIN, .wheel_y = INT16_MAX
	};
	input_clean_pointer(&pointer, 1280, 800);
	assert_int_equal(pointer.x, 1279);
	assert_int_equal(pointer.y, 799);
	assert_int_equal(pointer.buttons, INPUT_BUTTONS);
	assert_int_equal(pointer.wheel_x, -INPUT_WHEEL_MAX);
	assert_int_equal(pointer.wheel_y, INPUT_WHEEL_MAX);
	input_clean_pointer(&pointer, 0, 0);
	assert_int_equal(pointer.x, 0);
}

static void test_keys_that_exist(void **state)
{
	(void)state;
	static const struct {
		uint32_t keysym;
		uint16_t scancode;
		bool good;
		uint16_t left;
	} keys[] = {
		{ 'a', 0x1e, true, 0x1e },
		{ 0, 0x29, true, 0x29 },
		{ 0xff0d, 0xe01c, true, 0xe01c },
		{ 'a', 0, true, 0 },
		{ 0, 0, false, 0 },
		{ 'a', 0x80, true, 0 },
		{ 'a', 0xe09c, true, 0 },
		{ 'a', 0x121e, true, 0 },
		{ 0, 0xe000, false, 0 },
		{ 0x20000000, 0, false, 0 },
		{ 0x20000000, 0x1e, true, 0x1e },
		{ 0x01003042, 0, true, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct msg_key key = { .keysym = keys[i].keysym,
				       .scancode = keys[i].scancode,
				       .down = 200 };
		assert_int_equal(input_clean_key(&key), keys[i].good);
		assert_int_equal(key.scancode, keys[i].left);
		assert_int_equal(key.down, 1);
	}
}

static void test_text_without_controls(void **state)
{
	(void)state;
	char out[64];
	input_clean_text("a\x01\x1b[2J\x7fあ\n\t\r税", out);
	assert_string_equal(out, "a[2Jあ\n\t税");
	input_clean_text("\x02\x03", out);
	assert_string_equal(out, "");
}

static void test_rate(void **state)
{
	(void)state;
	struct input_rate rate;
	uint64_t wait = 0, now = 5000000;
	input_rate_init(&rate, now);
	for (int i = 0; i < INPUT_BURST; i++)
		assert_true(input_rate_take(&rate, now, &wait));
	assert_false(input_rate_take(&rate, now, &wait));
	assert_true(wait > 0 && wait <= 1000000 / INPUT_RATE);
	assert_true(input_rate_take(&rate, now + wait, &wait));
	assert_false(input_rate_take(&rate, now + 1500, &wait));
	/* After a pause the burst is back, and not more. */
	now += 3600000000u;
	for (int i = 0; i < INPUT_BURST; i++)
		assert_true(input_rate_take(&rate, now, &wait));
	assert_false(input_rate_take(&rate, now, &wait));
}

static void test_release_names_what_was_pressed(void **state)
{
	(void)state;
	struct keys keys = { 0 };
	uint32_t keysym = 'A';
	uint16_t scancode = 0x1e;
	assert_true(keys_change(&keys, &keysym, &scancode, true));
	keysym = 'a'; /* Shift went up first */
	assert_true(keys_change(&keys, &keysym, &scancode, false));
	assert_int_equal(keysym, 'A');
	assert_int_equal(keys.count, 0);
	assert_false(keys_change(&keys, &keysym, &scancode, false));
}

static void test_repeat_is_not_a_second_key(void **state)
{
	(void)state;
	struct keys keys = { 0 };
	for (int i = 0; i < 100; i++) {
		uint32_t keysym = 'x';
		uint16_t scancode = 0x2d;
		assert_true(keys_change(&keys, &keysym, &scancode, true));
	}
	assert_int_equal(keys.count, 1);
}

static void test_keys_without_scancode(void **state)
{
	(void)state;
	struct keys keys = { 0 };
	uint32_t a = 'a', b = 'b';
	uint16_t none = 0;
	struct keys_pressed pressed;
	assert_true(keys_change(&keys, &a, &none, true));
	assert_true(keys_change(&keys, &b, &none, true));
	assert_int_equal(keys.count, 2);
	assert_true(keys_change(&keys, &a, &none, false));
	assert_true(keys_pop(&keys, &pressed));
	assert_int_equal(pressed.keysym, 'b');
	assert_false(keys_pop(&keys, &pressed));
}

static void test_pressed_keys_are_limited(void **state)
{
	(void)state;
	struct keys keys = { 0 };
	for (uint16_t i = 1; i <= 100; i++) {
		uint32_t keysym = 0;
		uint16_t scancode = i;
		assert_int_equal(keys_change(&keys, &keysym, &scancode, true), i <= KEYS_MAX);
	}
	assert_int_equal(keys.count, KEYS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointer_stays_on_the_desktop),
		cmocka_unit_test(test_keys_that_exist),
		cmocka_unit_test(test_text_without_controls),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_release_names_what_was_pressed),
		cmocka_unit_test(test_repeat_is_not_a_second_key),
		cmocka_unit_test(test_keys_without_scancode),
		cmocka_unit_test(test_pressed_keys_are_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
