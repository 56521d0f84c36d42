/*
 * Who may follow the PC's H.264 and for how long, and what is kept for it at most. Time is made up.
 */
#include "unit/unit.h"

#include "worker/follow.h"

enum { SMALL = 100, LARGE = 1 << 20, DONE_LATE = FOLLOW_LATE_US + 1 };

static uint8_t data[FOLLOW_WAITING_BYTES];
static uint32_t numbers;

static struct remote_unit *unit_of(uint32_t stream, bool key, size_t len)
{
	struct remote_unit *unit;
	assert_ok(unit_new(NULL, 0, data, len, &unit));
	unit->stream = stream;
	unit->number = ++numbers;
	unit->passable = true;
	unit->key = key;
	return unit;
}

static void happen(struct follow_past *past, uint32_t stream, bool key, size_t len)
{
	struct remote_unit *unit = unit_of(stream, key, len);
	follow_past_add(past, unit);
	unit_unref(unit);
}

/* The stream's next unit, for a viewer that has none yet. */
static bool begin(struct follow *follow, struct follow_past *past, uint32_t stream, bool key,
		  uint64_t now_us)
{
	struct remote_unit *unit = unit_of(stream, key, SMALL);
	follow_past_add(past, unit);
	bool begun = follow_begin(follow, past, unit, now_us);
	unit_unref(unit);
	return begun;
}

static bool add(struct follow *follow, size_t len, uint64_t now_us)
{
	struct remote_unit *unit = unit_of(1, false, len);
	bool added = follow_add(follow, unit, now_us);
	unit_unref(unit);
	return added;
}

static void finish(struct follow *follow, struct follow_past *past)
{
	follow_drop(follow);
	follow_past_clear(past);
}

static void test_past_is_bounded(void **state)
{
	(void)state;
	struct follow_past past = { 0 };
	for (unsigned i = 0; i < FOLLOW_PAST_BYTES / LARGE; i++)
		happen(&past, 1, i == 0, LARGE);
	assert_int_equal(past.bytes, FOLLOW_PAST_BYTES);
	/* Then nobody can follow before the next key unit. */
	happen(&past, 1, false, 1);
	assert_int_equal(past.count, 0);
	happen(&past, 1, false, 1);
	assert_int_equal(past.count, 0);
	happen(&past, 1, true, FOLLOW_PAST_BYTES + 1);
	assert_int_equal(past.count, 0);
	for (unsigned i = 0; i < FOLLOW_PAST; i++)
		happen(&past, 1, i == 0, SMALL);
	assert_int_equal(past.count, FOLLOW_PAST);
	happen(&past, 1, false, SMALL);
	assert_int_equal(past.count, 0);
	assert_int_equal(past.bytes, 0);
}

static void test_past_is_of_one_stream_without_gaps(void **state)
{
	(void)state;
	struct follow_past past = { 0 };
	struct follow follow = { 0 };
	happen(&past, 1, true, SMALL);
	assert_false(begin(&follow, &past, 2, false, 1));
	happen(&past, 1, true, SMALL);
	numbers++;
	assert_false(begin(&follow, &past, 1, false, 1));
	happen(&past, 1, true, SMALL);
	assert_true(begin(&follow, &past, 1, false, 1));
	assert_true(follow_next(&follow)->hidden);
	finish(&follow, &past);
}

/* The surface was moved: what came before would be decoded for another place. */
static void test_past_has_one_place(void **state)
{
	(void)state;
	struct follow_past past = { 0 };
	struct follow follow = { 0 };
	happen(&past, 1, true, SMALL);
	struct remote_unit *unit = unit_of(1, false, SMALL);
	unit->box.x = 2;
	follow_past_add(&past, unit);
	assert_false(follow_begin(&follow, &past, unit, 1));
	assert_null(follow_next(&follow));
	unit_unref(unit);
	finish(&follow, &past);
}

static void test_waiting_is_bounded(void **state)
{
	(void)state;
	struct follow_past past = { 0 };
	struct follow follow = { 0 };
	assert_true(begin(&follow, &past, 1, true, 1));
	for (unsigned i = 1; i < FOLLOW_WAITING; i++)
		assert_true(add(&follow, SMALL, 1));
	assert_false(add(&follow, SMALL, 1));
	/* What waits still goes. */
	assert_false(follow.running);
	assert_int_equal(follow.count, FOLLOW_WAITING);
	follow_drop(&follow);
	follow = (struct follow){ 0 };
	assert_true(begin(&follow, &past, 1, true, 1));
	assert_true(add(&follow, FOLLOW_WAITING_BYTES - SMALL, 1));
	assert_false(add(&follow, 1, 1));
	finish(&follow, &past);
}

static void test_late_one_after_another(void **state)
{
	(void)state;
	struct follow_past past = { 0 };
	struct follow follow = { 0 };
	uint64_t now = 1;
	assert_true(begin(&follow, &past, 1, true, now));
	for (unsigned i = 0; i < 3 * FOLLOW_LATE_UNITS; i++) {
		/* All but each third. */
		now += i % FOLLOW_LATE_UNITS == FOLLOW_LATE_UNITS - 1 ? 1 : DONE_LATE;
		follow_sent(&follow, now);
		assert_true(add(&follow, SMALL, now));
	}
	for (unsigned i = 0; i < FOLLOW_LATE_UNITS; i++) {
		assert_true(i == 0 || add(&follow, SMALL, now));
		now += DONE_LATE;
		follow_sent(&follow, now);
	}
	assert_false(add(&follow, SMALL, now));
	/* Not again at once. */
	follow_drop(&follow);
	assert_false(begin(&follow, &past, 1, true, now + FOLLOW_AGAIN_US - 1));
	assert_true(begin(&follow, &past, 1, true, now + FOLLOW_AGAIN_US));
	finish(&follow, &past);
}

/* All that it has missed comes at once: the last of that has waited for the others. */
static void test_hidden_ones_are_not_late(void **state)
{
	(void)state;
	struct follow_past past = { 0 };
	struct follow follow = { 0 };
	for (unsigned i = 0; i < 2 * FOLLOW_LATE_UNITS; i++)
		happen(&past, 1, i == 0, SMALL);
	assert_true(begin(&follow, &past, 1, false, 1));
	while (follow_next(&follow)->hidden)
		follow_sent(&follow, 1 + DONE_LATE);
	assert_true(add(&follow, SMALL, 1 + DONE_LATE));
	finish(&follow, &past);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_past_is_bounded),
		cmocka_unit_test(test_past_is_of_one_stream_without_gaps),
		cmocka_unit_test(test_past_has_one_place),
		cmocka_unit_test(test_waiting_is_bounded),
		cmocka_unit_test(test_late_one_after_another),
		cmocka_unit_test(test_hidden_ones_are_not_late),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
