#include "unit/unit.h"

#include "base/bucket.h"

static void so_many_a_minute(void **state)
{
	struct bucket bucket = { 0 };
	int64_t wait_ms = 0;

	(void)state;
	for (int i = 0; i < 12; i++)
		assert_ok(bucket_take(&bucket, 12, 1000, &wait_ms));
	assert_err(bucket_take(&bucket, 12, 1000, &wait_ms), ERR_THROTTLED);
	assert_int_equal(wait_ms, 5000);
	/* A refusal takes nothing. */
	assert_err(bucket_take(&bucket, 12, 5999, &wait_ms), ERR_THROTTLED);
	assert_int_equal(wait_ms, 1);
	assert_ok(bucket_take(&bucket, 12, 6000, &wait_ms));
	assert_err(bucket_take(&bucket, 12, 6000, &wait_ms), ERR_THROTTLED);
}

static void never_more_than_a_minutes_worth(void **state)
{
	struct bucket bucket = { 0 };
	int64_t wait_ms;
	int taken = 0;

	(void)state;
	assert_ok(bucket_take(&bucket, 60, 0, &wait_ms));
	while (bucket_take(&bucket, 60, 3600000, &wait_ms) == OK)
		taken++;
	assert_int_equal(taken, 60);
}

/* The clock does not run backwards, but two readings may come in the wrong order. */
static void an_earlier_time_gives_nothing(void **state)
{
	struct bucket bucket = { 0 };
	int64_t wait_ms;

	(void)state;
	for (int i = 0; i < 60; i++)
		assert_ok(bucket_take(&bucket, 60, 100000, &wait_ms));
	assert_err(bucket_take(&bucket, 60, 0, &wait_ms), ERR_THROTTLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_a_minute),
		cmocka_unit_test(never_more_than_a_minutes_worth),
		cmocka_unit_test(an_earlier_time_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
