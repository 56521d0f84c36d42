#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "worker/remote/unit.h"

static struct remote_unit *unit_of(const struct rect *clips, size_t count)
{
	struct remote_unit *unit;
	assert_ok(unit_new(clips, count, (const uint8_t *)"data", 4, &unit));
	return unit;
}

static void test_copies(void **state)
{
	(void)state;
	struct rect clip = { 1, 2, 3, 4 };
	uint8_t data[] = { 1, 2, 3 };
	struct remote_unit *unit;
	assert_ok(unit_new(&clip, 1, data, sizeof(data), &unit));
	data[0] = 9;
	clip.x = 9;
	assert_int_equal(unit->data[0], 1);
	assert_int_equal(unit->clips[0].x, 1);
	for (size_t i = 0; i < UNIT_PADDING; i++)
		assert_int_equal(unit->data[sizeof(data) + i], 0);
	unit_unref(unit_ref(unit));
	assert_int_equal(unit->len, sizeof(data));
	unit_unref(unit);
	unit_unref(NULL);
	assert_err(unit_new(&clip, 1, data, UNIT_BYTES + 1, &unit), ERR_TOO_BIG);
}

static void test_clips_are_joined(void **state)
{
	(void)state;
	/* Three tiles and two in the next row, a gap, and one beside. */
	const struct rect tiles[] = { { 0, 0, 64, 64 },  { 64, 0, 64, 64 },  { 128, 0, 10, 64 },
				      { 0, 64, 64, 64 }, { 64, 64, 64, 64 }, { 192, 64, 64, 64 } };
	struct remote_unit *unit = unit_of(tiles, ARRAY_SIZE(tiles));
	assert_int_equal(unit->clip_count, 3);
	assert_int_equal(unit->clips[0].width, 138);
	assert_int_equal(unit->clips[1].width, 128);
	assert_int_equal(unit->clips[2].x, 192);
	assert_int_equal(unit->clip.width, 256);
	assert_int_equal(unit->clip.height, 128);
	unit_unref(unit);
	/* Runs of the same width below each other. */
	unit = unit_of(tiles + 3, 2);
	assert_int_equal(unit->clip_count, 1);
	unit_unref(unit);
	const struct rect rows[] = { { 8, 0, 9, 4 }, { 8, 4, 9, 4 }, { 8, 8, 8, 4 } };
	unit = unit_of(rows, ARRAY_SIZE(rows));
	assert_int_equal(unit->clip_count, 2);
	assert_int_equal(unit->clips[0].height, 8);
	unit_unref(unit);
	unit = unit_of(NULL, 0);
	assert_int_equal(unit->clip_count, 0);
	unit_unref(unit);
}

static void test_hides(void **state)
{
	(void)state;
	const struct rect large = { 0, 0, 100, 100 }, small = { 0, 50, 100, 50 };
	const struct rect two[] = { { 0, 0, 100, 99 }, { 0, 99, 99, 1 } };
	struct remote_unit *whole = unit_of(&large, 1), *part = unit_of(&small, 1);
	struct remote_unit *holes = unit_of(two, 2);
	assert_true(unit_hides(whole, part));
	assert_true(unit_hides(whole, holes));
	assert_true(unit_hides(whole, whole));
	assert_false(unit_hides(part, whole));
	assert_false(unit_hides(holes, whole));
	assert_false(unit_hides(holes, holes));
	part->stream = 1;
	assert_false(unit_hides(whole, part));
	unit_unref(whole);
	unit_unref(part);
	unit_unref(holes);
}

#define START "\0\0\1"
#define SPS   START "\x67\x42"
#define PPS   START "\x68\xce"
#define SEI   START "\x06\x05"
#define IDR   START "\x65\x88"
#define NEXT  START "\x41\x9a"
#define MORE  START "\x41\x40"

static const struct {
	const char *what, *data;
	size_t len;
	bool passable, key;
} units[] = {
#define UNIT(what, data, passable, key)                                                            \
	{                                                                                          \
		what, data, sizeof(data) - 1, passable, key                                        \
	}
	UNIT("key picture", SPS PPS IDR, true, true),
	UNIT("with what encoders add", "\0\0" SPS PPS SEI IDR, true, true),
	UNIT("in two slices", SPS PPS IDR START "\x65\x40", true, true),
	UNIT("the next", NEXT, true, false),
	UNIT("the next in slices", SEI NEXT MORE, true, false),
	UNIT("the next with new picture parameters", PPS NEXT, true, false),
	UNIT("nothing", "", false, false),
	UNIT("no start code", "\x65\x88\x88\x88", false, false),
	UNIT("something before", "\7" NEXT, false, false),
	UNIT("no picture", SPS PPS, false, false),
	UNIT("no sequence parameters", PPS IDR, false, false),
	UNIT("no picture parameters", SPS IDR, false, false),
	UNIT("sequence parameters in passing", SPS NEXT, false, false),
	UNIT("two pictures", NEXT NEXT, false, false),
	UNIT("two key pictures", SPS PPS IDR IDR, false, false),
	UNIT("a key picture and another", SPS PPS IDR MORE, false, false),
	UNIT("data partition", START "\x42\x9a", false, false),
	UNIT("another layer", NEXT START "\x74\x80", false, false),
	UNIT("the forbidden bit", START "\xc1\x9a", false, false),
	UNIT("cut off", NEXT START "\x41", false, false),
	UNIT("an empty one at the end", NEXT "\0\0\1", false, false),
};

static void test_scan(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint8_t data[64];
		bool key = true;
		memcpy(data, units[i].data, units[i].len);
		bool passable = unit_scan(data, units[i].len, &key);
		if (passable != units[i].passable || key != units[i].key)
			fail_msg("%s: passable %d, key %d", units[i].what, passable, key);
	}
}

static bool is_modest(const char *what, size_t len, unsigned times, size_t most_slices)
{
	static uint8_t data[UNIT_NALS * 8];
	for (unsigned i = 0; i < times; i++)
		memcpy(data + i * len, what, len);
	return unit_is_modest(data, times * len, most_slices);
}

/* Each slice may draw the whole picture again, and each unit takes memory in decoders. */
static void test_modest(void **state)
{
	static const char *const slices[] = { IDR, NEXT, START "\x42\x9a", START "\x74\x80" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slices); i++) {
		assert_true(is_modest(slices[i], sizeof(IDR) - 1, 30, 30));
		assert_false(is_modest(slices[i], sizeof(IDR) - 1, 31, 30));
	}
	assert_true(is_modest(SEI, sizeof(SEI) - 1, UNIT_NALS, 0));
	assert_false(is_modest(SEI, sizeof(SEI) - 1, UNIT_NALS + 1, 0));
	assert_false(is_modest(PPS, sizeof(PPS) - 1, UNIT_NALS + 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies), cmocka_unit_test(test_clips_are_joined),
		cmocka_unit_test(test_hides),  cmocka_unit_test(test_scan),
		cmocka_unit_test(test_modest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
