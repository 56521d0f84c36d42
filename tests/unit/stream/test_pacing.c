#include "unit/unit.h"

#include "worker/stream/pacing.h"

enum { T = 1000000, BYTES = 500 };

static bool due(const struct pacing *pacing, uint64_t now)
{
	uint64_t wait;
	return pacing_due(pacing, now, &wait);
}

static uint64_t wait_of(const struct pacing *pacing, uint64_t now)
{
	uint64_t wait;
	assert_false(pacing_due(pacing, now, &wait));
	return wait;
}

static void test_an_isolated_change_leaves_at_once(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	assert_int_equal(wait_of(&pacing, T), 0);
	pacing_damaged(&pacing, T, PACING_MAX_WAIT_US);
	assert_int_equal(wait_of(&pacing, T), PACING_MAX_WAIT_US);
	pacing_frame_done(&pacing, T + 100);
	assert_true(due(&pacing, T + 100));
	assert_int_equal(pacing_next(&pacing), 1);
	pacing_sent(&pacing, T, BYTES, false);
	assert_int_equal(wait_of(&pacing, T + 200), 0);
}

static void test_a_pc_without_frame_ends_is_not_waited_for(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	pacing_damaged(&pacing, T, PACING_MAX_WAIT_US);
	pacing_damaged(&pacing, T + 5000, PACING_MAX_WAIT_US); /* does not put it off */
	assert_int_equal(wait_of(&pacing, T + PACING_MAX_WAIT_US - 1), 1);
	assert_true(due(&pacing, T + PACING_MAX_WAIT_US));
}

static void test_frame_end_without_damage_is_nothing(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	pacing_frame_done(&pacing, T);
	assert_int_equal(wait_of(&pacing, T + 100000), 0);
}

static void test_two_frames_and_no_more(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	for (uint32_t i = 1; i <= FLOW_NEAR; i++) {
		assert_true(pacing_open(&pacing));
		pacing_damaged(&pacing, T, 0);
		assert_true(due(&pacing, T));
		assert_int_equal(pacing_next(&pacing), i);
		pacing_sent(&pacing, T, BYTES, false);
	}
	assert_false(pacing_open(&pacing));
	pacing_damaged(&pacing, T, 0);
	pacing_frame_done(&pacing, T);
	assert_int_equal(wait_of(&pacing, T + 3600ull * T), 0); /* only an acknowledgement helps */
	assert_ok(pacing_ack(&pacing, 1, T + 900, 500));
	assert_int_equal(pacing.flow.decode_us, 500);
	assert_true(due(&pacing, T + PACING_GATHER_US));
}

static void test_a_second_frame_gathers_for_a_millisecond(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	pacing_damaged(&pacing, T, 0);
	pacing_sent(&pacing, T, BYTES, false);
	pacing_damaged(&pacing, T, PACING_MAX_WAIT_US);
	pacing_frame_done(&pacing, T);
	assert_int_equal(wait_of(&pacing, T), PACING_GATHER_US);
	assert_true(due(&pacing, T + PACING_GATHER_US));
}

static void test_false_alarm_uses_no_number(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	pacing_damaged(&pacing, T, 0);
	pacing_sent(&pacing, T, 0, false);
	assert_int_equal(pacing_next(&pacing), 1);
	assert_true(pacing_open(&pacing));
	assert_int_equal(wait_of(&pacing, T + 100000), 0);
}

static void test_after_a_resize_the_pc_is_waited_for(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	pacing_resized(&pacing, T + 100000);
	pacing_damaged(&pacing, T + 10, PACING_MAX_WAIT_US);
	assert_int_equal(wait_of(&pacing, T + 50000), 50000);
	assert_true(due(&pacing, T + 100000));
	pacing_frame_done(&pacing, T + 60000);
	assert_true(due(&pacing, T + 60000));
}

/* What would only wait on the link is decided later; an acknowledgement need not be waited for. */
static void test_a_slow_link_has_its_turns(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	pacing.flow.known = true;
	pacing.flow.rate = 100000;
	pacing.flow.base_us = 100000;
	pacing_damaged(&pacing, T, 0);
	assert_int_equal(pacing_budget(&pacing), 4096);
	pacing_sent(&pacing, T, 4000, true);
	pacing_damaged(&pacing, T, 0);
	assert_true(pacing_open(&pacing));
	assert_int_equal(wait_of(&pacing, T), 30000);
	assert_true(due(&pacing, T + 30000));
}

static void test_wrong_acknowledgements(void **state)
{
	(void)state;
	struct pacing pacing;
	pacing_init(&pacing);
	assert_err(pacing_ack(&pacing, 0, T, 0), ERR_PROTOCOL);
	assert_err(pacing_ack(&pacing, 1, T, 0), ERR_PROTOCOL);
	pacing_damaged(&pacing, T, 0);
	pacing_sent(&pacing, T, BYTES, false);
	assert_err(pacing_ack(&pacing, 2, T, 0), ERR_PROTOCOL);
	assert_ok(pacing_ack(&pacing, 1, T, 0));
	assert_err(pacing_ack(&pacing, 1, T, 0), ERR_PROTOCOL);
	assert_err(pacing_ack(&pacing, 0xffffffff, T, 0), ERR_PROTOCOL);
}

static void test_numbers_wrap(void **state)
{
	(void)state;
	struct pacing pacing = { .sent = UINT32_MAX, .acked = UINT32_MAX };
	pacing_damaged(&pacing, T, 0);
	assert_int_equal(pacing_next(&pacing), 0);
	pacing_sent(&pacing, T, BYTES, false);
	assert_true(pacing_open(&pacing));
	assert_ok(pacing_ack(&pacing, 0, T, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_isolated_change_leaves_at_once),
		cmocka_unit_test(test_a_pc_without_frame_ends_is_not_waited_for),
		cmocka_unit_test(test_frame_end_without_damage_is_nothing),
		cmocka_unit_test(test_two_frames_and_no_more),
		cmocka_unit_test(test_a_second_frame_gathers_for_a_millisecond),
		cmocka_unit_test(test_false_alarm_uses_no_number),
		cmocka_unit_test(test_after_a_resize_the_pc_is_waited_for),
		cmocka_unit_test(test_a_slow_link_has_its_turns),
		cmocka_unit_test(test_wrong_acknowledgements),
		cmocka_unit_test(test_numbers_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
