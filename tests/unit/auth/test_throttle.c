#include "unit/unit.h"

#include <stdio.h>

#include "auth/throttle.h"

enum { MINUTE_MS = 60 * 1000 };

static void waits_double_up_to_a_minute(void **state)
{
	static const int64_t wanted[] = { 0,    0,     0,     1000,      2000,     4000,
					  8000, 16000, 32000, MINUTE_MS, MINUTE_MS };

	(void)state;
	for (int64_t i = 0; i < (int64_t)(sizeof(wanted) / sizeof(wanted[0])); i++)
		assert_int_equal(throttle_wait_ms(i), wanted[i]);
	assert_int_equal(throttle_wait_ms(INT64_MAX), MINUTE_MS);
	assert_int_equal(throttle_wait_ms(-1), 0);
}

static void a_clock_set_back_locks_nobody_out(void **state)
{
	(void)state;
	assert_int_equal(throttle_left_ms(0, 1000), 0);
	assert_int_equal(throttle_left_ms(1000, 1000), 0);
	assert_int_equal(throttle_left_ms(1001, 1000), 1);
	assert_int_equal(throttle_left_ms(1000 + MINUTE_MS, 1000), MINUTE_MS);
	assert_int_equal(throttle_left_ms(1001 + MINUTE_MS, 1000), 0);
}

/* Tries as fast as allowed; how many went through in time_ms. */
static int tries_in(struct throttle *throttle, const char *address, int64_t from_ms,
		    int64_t time_ms)
{
	int64_t wait_ms = 0;
	int count = 0;

	for (int64_t now_ms = from_ms; now_ms < from_ms + time_ms;) {
		if (throttle_count(throttle, address, now_ms, &wait_ms) == OK) {
			count++;
			now_ms++;
		} else {
			assert_in_range(wait_ms, 1, MINUTE_MS);
			now_ms += wait_ms;
		}
	}
	return count;
}

static void an_address_slows_down(void **state)
{
	struct throttle *throttle;

	(void)state;
	assert_ok(throttle_new(8, &throttle));
	/* 20 free ones, then waits of 1 to 60 s: 7 in the first two minutes, then one a minute. */
	assert_in_range(tries_in(throttle, "192.0.2.1", 1000, 10 * MINUTE_MS), 28, 38);
	throttle_free(throttle);
}

static void a_refused_try_is_not_counted(void **state)
{
	struct throttle *throttle;
	int64_t first = 0, second = 0;

	(void)state;
	assert_ok(throttle_new(8, &throttle));
	for (int i = 0; i < THROTTLE_ADDRESS_FREE; i++)
		assert_ok(throttle_count(throttle, "192.0.2.1", 1000, &first));
	assert_err(throttle_count(throttle, "192.0.2.1", 1000, &first), ERR_THROTTLED);
	assert_err(throttle_count(throttle, "192.0.2.1", 1000, &second), ERR_THROTTLED);
	assert_int_equal(first, second);
	assert_int_equal(throttle_tries(throttle, "192.0.2.1"), THROTTLE_ADDRESS_FREE);
	assert_int_equal(throttle_tries(throttle, "192.0.2.2"), 0);
	assert_ok(throttle_count(throttle, "192.0.2.1", 1000 + first, &first));
	throttle_free(throttle);
}

static void the_right_ones_do_not_count(void **state)
{
	struct throttle *throttle;
	int64_t wait_ms;

	(void)state;
	assert_ok(throttle_new(8, &throttle));
	for (int i = 0; i < 100; i++) {
		assert_ok(throttle_count(throttle, "192.0.2.1", 1000, &wait_ms));
		throttle_refund(throttle, "192.0.2.1");
	}
	for (int i = 0; i < 100; i++) {
		if (throttle_count(throttle, "192.0.2.1", 1000, &wait_ms))
			throttle_forget(throttle, "192.0.2.1");
	}
	throttle_refund(throttle, "192.0.2.99");
	throttle_free(throttle);
}

static enum err exhaust(struct throttle *throttle, const char *address)
{
	int64_t wait_ms;
	enum err err = OK;

	for (int i = 0; i < THROTTLE_ADDRESS_FREE + 1 && !err; i++)
		err = throttle_count(throttle, address, 1000, &wait_ms);
	return err;
}

static void ipv6_counts_by_its_network(void **state)
{
	struct throttle *throttle;
	int64_t wait_ms;

	(void)state;
	assert_ok(throttle_new(8, &throttle));
	assert_err(exhaust(throttle, "2001:db8:1:2::1"), ERR_THROTTLED);
	assert_err(throttle_count(throttle, "2001:db8:1:2:ffff::9", 1000, &wait_ms), ERR_THROTTLED);
	assert_ok(throttle_count(throttle, "2001:db8:1:3::1", 1000, &wait_ms));
	/* The same IPv4 address, written both ways; its neighbour is another one. */
	assert_err(exhaust(throttle, "192.0.2.1"), ERR_THROTTLED);
	assert_err(throttle_count(throttle, "::ffff:192.0.2.1", 1000, &wait_ms), ERR_THROTTLED);
	assert_ok(throttle_count(throttle, "192.0.2.2", 1000, &wait_ms));
	/* What is no address at all shares one count. */
	assert_err(exhaust(throttle, "rubbish"), ERR_THROTTLED);
	assert_err(throttle_count(throttle, "", 1000, &wait_ms), ERR_THROTTLED);
	throttle_free(throttle);
}

static void memory_is_capped_and_time_forgets(void **state)
{
	struct throttle *throttle;
	int64_t wait_ms;
	char address[32];

	(void)state;
	assert_ok(throttle_new(4, &throttle));
	for (int i = 0; i < 1000; i++) {
		snprintf(address, sizeof(address), "192.0.%d.%d", i / 250, i % 250);
		assert_ok(throttle_count(throttle, address, 1000 + i, &wait_ms));
	}
	assert_err(exhaust(throttle, "198.51.100.1"), ERR_THROTTLED);
	assert_ok(throttle_count(throttle, "198.51.100.1", 3000 + THROTTLE_ADDRESS_FORGET_MS,
				 &wait_ms));
	assert_ok(throttle_count(throttle, "198.51.100.1", 3000 + THROTTLE_ADDRESS_FORGET_MS,
				 &wait_ms));
	throttle_free(throttle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double_up_to_a_minute),
		cmocka_unit_test(a_clock_set_back_locks_nobody_out),
		cmocka_unit_test(an_address_slows_down),
		cmocka_unit_test(a_refused_try_is_not_counted),
		cmocka_unit_test(the_right_ones_do_not_count),
		cmocka_unit_test(ipv6_counts_by_its_network),
		cmocka_unit_test(memory_is_capped_and_time_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
