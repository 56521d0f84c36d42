#include "unit/unit.h"

#include <freerdp/input.h>
#include <freerdp/scancode.h>

#include "worker/remote/rdp/rdp_input.h"

static void test_scancodes(void **state)
{
	(void)state;
	assert_int_equal(rdp_input_scancode(0x1e), RDP_SCANCODE_KEY_A);
	assert_int_equal(rdp_input_scancode(0xe01d), RDP_SCANCODE_RCONTROL);
	assert_int_equal(rdp_input_scancode(0xe053), RDP_SCANCODE_DELETE);
	assert_int_equal(rdp_input_scancode(0xe046), RDP_SCANCODE_PAUSE);
	/* the keys of a Japanese keyboard */
	assert_int_equal(rdp_input_scancode(0x29), 0x29);
	assert_int_equal(rdp_input_scancode(0x70), RDP_SCANCODE_HIRAGANA);
	assert_int_equal(rdp_input_scancode(0x73), RDP_SCANCODE_ABNT_C1);
	assert_int_equal(rdp_input_scancode(0x79), RDP_SCANCODE_CONVERT_JP);
	assert_int_equal(rdp_input_scancode(0x7b), RDP_SCANCODE_NONCONVERT_JP);
	assert_int_equal(rdp_input_scancode(0x7d), RDP_SCANCODE_BACKSLASH_JP);
	/* browsers' Print Screen */
	assert_int_equal(rdp_input_scancode(0x54), RDP_SCANCODE_PRINTSCREEN);
}

static void test_no_scancode(void **state)
{
	static const uint16_t none[] = { 0, 0x80, 0xff, 0xe000, 0xe080, 0xe11d, 0x011e, 0xffff };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(rdp_input_scancode(none[i]), 0);
}

static void test_keysym_char(void **state)
{
	(void)state;
	assert_int_equal(rdp_input_keysym_char('a'), 'a');
	assert_int_equal(rdp_input_keysym_char(0xe9), 0xe9);
	assert_int_equal(rdp_input_keysym_char(0x01006f22), 0x6f22);
	assert_int_equal(rdp_input_keysym_char(0x0101f600), 0x1f600);
	assert_int_equal(rdp_input_keysym_char(0xff0d), 0); /* Return */
	assert_int_equal(rdp_input_keysym_char(0x0d), 0);
	assert_int_equal(rdp_input_keysym_char(0x7f), 0);
	assert_int_equal(rdp_input_keysym_char(0x0100d800), 0); /* a surrogate */
	assert_int_equal(rdp_input_keysym_char(0x01110000), 0);
}

static void test_locks(void **state)
{
	uint32_t locks = 0;

	(void)state;
	assert_true(rdp_input_locks(0xffb1, false, &locks)); /* KP_1 */
	assert_int_equal(locks, KBD_SYNC_NUM_LOCK);
	assert_true(rdp_input_locks('A', false, &locks));
	assert_int_equal(locks, KBD_SYNC_NUM_LOCK | KBD_SYNC_CAPS_LOCK);
	assert_true(rdp_input_locks('a', true, &locks));
	assert_int_equal(locks, KBD_SYNC_NUM_LOCK | KBD_SYNC_CAPS_LOCK);
	assert_true(rdp_input_locks('A', true, &locks));
	assert_int_equal(locks, KBD_SYNC_NUM_LOCK);
	assert_true(rdp_input_locks(0xff9c, false, &locks)); /* KP_End */
	assert_int_equal(locks, 0);
	/* with Shift the keypad moves, whatever Num Lock is */
	assert_false(rdp_input_locks(0xff9c, true, &locks));
	assert_false(rdp_input_locks(0xff0d, false, &locks));
	assert_false(rdp_input_locks('1', false, &locks));
	assert_int_equal(locks, 0);
}

static struct rdp_mouse_event events[RDP_MAX_MOUSE_EVENTS];

static void assert_event(size_t i, unsigned flags, bool extended)
{
	assert_int_equal(events[i].flags, flags);
	assert_int_equal(events[i].extended, extended);
}

static void test_move_and_buttons(void **state)
{
	struct rdp_pointer_state pointer = { 0 };

	(void)state;
	assert_int_equal(rdp_input_mouse_events(&pointer, 0, 0, 0, 0, 0, events), 1);
	assert_event(0, PTR_FLAGS_MOVE, false);
	assert_int_equal(rdp_input_mouse_events(&pointer, 0, 0, 0, 0, 0, events), 0);
	assert_int_equal(rdp_input_mouse_events(&pointer, 3, 4, 1, 0, 0, events), 2);
	assert_event(0, PTR_FLAGS_MOVE, false);
	assert_event(1, PTR_FLAGS_BUTTON1 | PTR_FLAGS_DOWN, false);
	assert_int_equal(events[1].x, 3);
	assert_int_equal(events[1].y, 4);
	/* left goes up, middle and right go down */
	assert_int_equal(rdp_input_mouse_events(&pointer, 3, 4, 6, 0, 0, events), 3);
	assert_event(0, PTR_FLAGS_BUTTON1, false);
	assert_event(1, PTR_FLAGS_BUTTON3 | PTR_FLAGS_DOWN, false);
	assert_event(2, PTR_FLAGS_BUTTON2 | PTR_FLAGS_DOWN, false);
	assert_int_equal(rdp_input_mouse_events(&pointer, 3, 4, 24, 0, 0, events), 4);
	assert_event(2, PTR_XFLAGS_BUTTON1 | PTR_XFLAGS_DOWN, true);
	assert_event(3, PTR_XFLAGS_BUTTON2 | PTR_XFLAGS_DOWN, true);
}

static void test_wheel(void **state)
{
	struct rdp_pointer_state pointer = { .known = true };

	(void)state;
	/* down is negative in RDP: nine bits, two's complement */
	assert_int_equal(rdp_input_mouse_events(&pointer, 0, 0, 0, 0, 120, events), 1);
	assert_event(0, PTR_FLAGS_WHEEL | PTR_FLAGS_WHEEL_NEGATIVE | 0x88, false);
	assert_int_equal(rdp_input_mouse_events(&pointer, 0, 0, 0, 0, -150, events), 2);
	assert_event(0, PTR_FLAGS_WHEEL | 120, false);
	assert_event(1, PTR_FLAGS_WHEEL | 30, false);
	assert_int_equal(rdp_input_mouse_events(&pointer, 0, 0, 0, 120, 0, events), 1);
	assert_event(0, PTR_FLAGS_HWHEEL | 120, false);
	assert_int_equal(rdp_input_mouse_events(&pointer, 0, 0, 0, -1, 0, events), 1);
	assert_event(0, PTR_FLAGS_HWHEEL | 0x1ff, false);
}

static void test_wheel_is_capped(void **state)
{
	static const int extremes[] = { INT16_MIN, INT16_MAX, INT32_MIN, INT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(extremes) / sizeof(extremes[0]); i++) {
		struct rdp_pointer_state pointer = { 0 };

		assert_int_equal(rdp_input_mouse_events(&pointer, 1, 1, 31, extremes[i],
							extremes[i], events),
				 1 + 5 + 2 * RDP_MAX_NOTCHES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scancodes),        cmocka_unit_test(test_no_scancode),
		cmocka_unit_test(test_keysym_char),      cmocka_unit_test(test_locks),
		cmocka_unit_test(test_move_and_buttons), cmocka_unit_test(test_wheel),
		cmocka_unit_test(test_wheel_is_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
