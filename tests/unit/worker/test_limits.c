#include "unit/unit.h"

#include "base/util.h"
#include "worker/limits.h"

#define S(seconds) ((uint64_t)(seconds)*1000000 + 5000000)

static const struct limits_config config = { .idle_warn_s = 600,
					     .idle_lock_s = 900,
					     .idle_logoff_s = 7200,
					     .resume_s = 120,
					     .length_s = 43200 };

static struct limits attached(const struct limits_config *with)
{
	struct limits limits;
	limits_init(&limits, with, S(0));
	limits_viewer_came(&limits);
	return limits;
}

/* The next event must be this one at exactly this second. */
static void expect(struct limits *limits, uint64_t *now, unsigned at, enum limits_event event)
{
	uint64_t wait = 0;
	assert_int_equal(limits_next(limits, *now, &wait), LIMITS_NOTHING);
	assert_int_equal(*now + wait, S(at));
	assert_int_equal(limits_next(limits, S(at) - 1, &wait), LIMITS_NOTHING);
	assert_int_equal(wait, 1);
	*now = S(at);
	assert_int_equal(limits_next(limits, *now, &wait), event);
}

static void test_idle_warns_locks_and_ends(void **state)
{
	(void)state;
	struct limits limits = attached(&config);
	uint64_t now = S(0);
	expect(&limits, &now, 600, LIMITS_WARN_IDLE);
	assert_int_equal(limits_idle_left(&limits, now), 300);
	expect(&limits, &now, 900, LIMITS_LOCK);
	expect(&limits, &now, 7200, LIMITS_END_IDLE);
}

static void test_input_starts_over(void **state)
{
	(void)state;
	struct limits limits = attached(&config);
	uint64_t now = S(0);
	assert_false(limits_input(&limits, S(100)));
	now = S(100);
	expect(&limits, &now, 700, LIMITS_WARN_IDLE);
	assert_true(limits_input(&limits, S(800)));
	assert_false(limits_input(&limits, S(800)));
	now = S(800);
	expect(&limits, &now, 1400, LIMITS_WARN_IDLE);
	expect(&limits, &now, 1700, LIMITS_LOCK);
}

static void test_unlocking_starts_over(void **state)
{
	(void)state;
	struct limits limits = attached(&config);
	uint64_t now = S(0);
	expect(&limits, &now, 600, LIMITS_WARN_IDLE);
	expect(&limits, &now, 900, LIMITS_LOCK);
	limits_unlocked(&limits, S(1000));
	limits_viewer_came(&limits);
	now = S(1000);
	expect(&limits, &now, 1600, LIMITS_WARN_IDLE);
	expect(&limits, &now, 1900, LIMITS_LOCK);
}

static void test_length(void **state)
{
	(void)state;
	struct limits_config short_one = config;
	struct limits limits;
	uint64_t now = S(0);
	short_one.length_s = 500;
	limits = attached(&short_one);
	expect(&limits, &now, 500 - LIMITS_LENGTH_WARN_S, LIMITS_WARN_LENGTH);
	assert_int_equal(limits_length_left(&limits, now), LIMITS_LENGTH_WARN_S);
	limits_input(&limits, S(499));
	expect(&limits, &now, 500, LIMITS_END_LENGTH);
}

/* A limit of 0 allows nothing. */
static void test_length_of_nothing(void **state)
{
	(void)state;
	struct limits_config none = config;
	uint64_t wait;
	none.length_s = 0;
	struct limits limits = attached(&none);
	assert_int_equal(limits_next(&limits, S(0), &wait), LIMITS_END_LENGTH);
}

static void test_a_session_shorter_than_the_warning(void **state)
{
	(void)state;
	struct limits_config brief = config;
	uint64_t wait, now = S(0);
	brief.length_s = 60;
	struct limits limits = attached(&brief);
	assert_int_equal(limits_next(&limits, now, &wait), LIMITS_WARN_LENGTH);
	assert_int_equal(limits_length_left(&limits, now), 60);
	expect(&limits, &now, 60, LIMITS_END_LENGTH);
}

static void test_waiting_for_the_viewer(void **state)
{
	(void)state;
	struct limits limits = attached(&config);
	uint64_t now = S(10);
	limits_viewer_left(&limits, now);
	expect(&limits, &now, 130, LIMITS_END_RESUME);

	limits = attached(&config);
	limits_viewer_left(&limits, S(10));
	limits_viewer_came(&limits);
	now = S(20);
	expect(&limits, &now, 600, LIMITS_WARN_IDLE);
}

/* No resuming allowed does not mean that nobody can ever come. */
static void test_the_first_viewer_has_time(void **state)
{
	(void)state;
	struct limits_config none = config;
	struct limits limits;
	uint64_t now = S(0), wait;
	none.resume_s = 0;
	limits_init(&limits, &none, now);
	expect(&limits, &now, LIMITS_FIRST_VIEWER_S, LIMITS_END_RESUME);

	limits = attached(&none);
	limits_viewer_left(&limits, S(30));
	assert_int_equal(limits_next(&limits, S(30), &wait), LIMITS_END_RESUME);
}

/* A locked session waits for its password, not for its viewer; one that was left before it locked
 * still ends. */
static void test_locked_sessions(void **state)
{
	(void)state;
	struct limits_config lock = config;
	struct limits limits;
	uint64_t now = S(0);
	lock.resume_s = 1000;
	limits = attached(&lock);
	expect(&limits, &now, 600, LIMITS_WARN_IDLE);
	expect(&limits, &now, 900, LIMITS_LOCK);
	expect(&limits, &now, 7200, LIMITS_END_IDLE);

	limits = attached(&lock);
	limits_viewer_left(&limits, S(10));
	now = S(10);
	expect(&limits, &now, 600, LIMITS_WARN_IDLE);
	expect(&limits, &now, 900, LIMITS_LOCK);
	expect(&limits, &now, 1010, LIMITS_END_RESUME);
}

static void test_a_gateway_without_broker(void **state)
{
	(void)state;
	struct limits limits = attached(&config);
	uint64_t now = S(10);
	limits_broker_left(&limits, now);
	limits_broker_came(&limits);
	limits_broker_left(&limits, S(20));
	now = S(20);
	expect(&limits, &now, 20 + LIMITS_BROKER_S, LIMITS_END_BROKER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_warns_locks_and_ends),
		cmocka_unit_test(test_input_starts_over),
		cmocka_unit_test(test_unlocking_starts_over),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_length_of_nothing),
		cmocka_unit_test(test_a_session_shorter_than_the_warning),
		cmocka_unit_test(test_waiting_for_the_viewer),
		cmocka_unit_test(test_the_first_viewer_has_time),
		cmocka_unit_test(test_locked_sessions),
		cmocka_unit_test(test_a_gateway_without_broker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
