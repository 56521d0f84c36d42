#include "unit/unit.h"

#include "worker/layout.h"

static size_t wish(const struct layout *layout, struct rect *rects)
{
	return layout_wish(layout, 2, rects);
}

static void assert_rect(struct rect rect, unsigned x, unsigned width, unsigned height)
{
	assert_int_equal(rect.x, x);
	assert_int_equal(rect.y, 0);
	assert_int_equal(rect.width, width);
	assert_int_equal(rect.height, height);
}

static void test_one_window(void **state)
{
	(void)state;
	struct layout layout = { 0 };
	struct rect rects[LAYOUT_MONITORS];
	layout_desktop(&layout, 1280, 800);
	assert_int_equal(wish(&layout, rects), 0);
	layout_want(&layout, 0, 0, 0);
	assert_int_equal(wish(&layout, rects), 0);
	layout_want(&layout, 0, 1280, 800);
	assert_int_equal(wish(&layout, rects), 0);
	layout_want(&layout, 0, 1001, 65535);
	assert_int_equal(wish(&layout, rects), 1);
	assert_rect(rects[0], 0, 1000, 4320);
	layout_asked(&layout, rects, 1);
	assert_rect(layout_part(&layout, 0), 0, 1280, 800);
	layout_desktop(&layout, 1000, 4320);
	assert_int_equal(wish(&layout, rects), 0);
	assert_rect(layout_part(&layout, 0), 0, 1000, 4320);
	layout_leave(&layout, 0);
	assert_int_equal(wish(&layout, rects), 0);
}

static void test_two_windows(void **state)
{
	(void)state;
	struct layout layout = { 0 };
	struct rect rects[LAYOUT_MONITORS];
	layout_desktop(&layout, 1280, 800);
	layout_want(&layout, 0, 1280, 800);
	layout_want(&layout, 1, 1024, 900);
	/* A PC with one monitor is not asked for two. */
	assert_int_equal(layout_wish(&layout, 1, rects), 0);
	assert_int_equal(wish(&layout, rects), 2);
	assert_rect(rects[0], 0, 1280, 800);
	assert_rect(rects[1], 1280, 1024, 900);
	layout_asked(&layout, rects, 2);
	assert_true(layout_coming(&layout, 1));
	assert_false(layout_coming(&layout, 0));
	/* Until the PC follows, both show the whole. */
	assert_rect(layout_part(&layout, 1), 0, 1280, 800);
	layout_desktop(&layout, 2304, 900);
	assert_false(layout_coming(&layout, 1));
	assert_rect(layout_part(&layout, 0), 0, 1280, 800);
	assert_rect(layout_part(&layout, 1), 1280, 1024, 900);
	assert_int_equal(wish(&layout, rects), 0);
	/* One changes its own monitor only. */
	layout_want(&layout, 0, 800, 600);
	assert_int_equal(wish(&layout, rects), 2);
	assert_rect(rects[0], 0, 800, 600);
	assert_rect(rects[1], 800, 1024, 900);
	layout_asked(&layout, rects, 2);
	layout_desktop(&layout, 1824, 900);
	assert_rect(layout_part(&layout, 1), 800, 1024, 900);
	/* The second goes. */
	layout_leave(&layout, 1);
	assert_int_equal(wish(&layout, rects), 1);
	assert_rect(rects[0], 0, 800, 600);
	layout_asked(&layout, rects, 1);
	assert_rect(layout_part(&layout, 0), 0, 800, 600);
	layout_desktop(&layout, 800, 600);
	assert_rect(layout_part(&layout, 0), 0, 800, 600);
	assert_rect(layout_part(&layout, 1), 0, 800, 600);
}

static void test_a_pc_that_does_as_it_likes(void **state)
{
	(void)state;
	struct layout layout = { 0 };
	struct rect rects[LAYOUT_MONITORS];
	layout_desktop(&layout, 1280, 800);
	layout_want(&layout, 0, 1280, 800);
	layout_want(&layout, 1, 1280, 800);
	assert_int_equal(wish(&layout, rects), 2);
	layout_asked(&layout, rects, 2);
	layout_desktop(&layout, 1920, 1200);
	assert_rect(layout_part(&layout, 0), 0, 1920, 1200);
	assert_rect(layout_part(&layout, 1), 0, 1920, 1200);
	layout_desktop(&layout, 2560, 800);
	assert_rect(layout_part(&layout, 1), 1280, 1280, 800);
	/* Somebody at the PC changes it. */
	layout_desktop(&layout, 1920, 1200);
	assert_rect(layout_part(&layout, 0), 0, 1920, 1200);
	assert_rect(layout_part(&layout, 1), 0, 1920, 1200);
}

/* From one monitor to two of the same size together, and back: no new size tells. */
static void test_same_size_together(void **state)
{
	(void)state;
	struct layout layout = { 0 };
	struct rect rects[LAYOUT_MONITORS];
	layout_desktop(&layout, 2000, 800);
	layout_want(&layout, 0, 1000, 800);
	layout_want(&layout, 1, 1000, 800);
	assert_int_equal(wish(&layout, rects), 2);
	layout_asked(&layout, rects, 2);
	assert_rect(layout_part(&layout, 1), 1000, 1000, 800);
	layout_leave(&layout, 1);
	layout_want(&layout, 0, 2000, 800);
	assert_int_equal(wish(&layout, rects), 1);
	layout_asked(&layout, rects, 1);
	assert_rect(layout_part(&layout, 0), 0, 2000, 800);
}

static void test_limits(void **state)
{
	(void)state;
	struct layout layout = { 0 };
	struct rect rects[LAYOUT_MONITORS];
	layout_desktop(&layout, 1280, 800);
	layout_want(&layout, 0, 65535, 1);
	layout_want(&layout, 1, 65535, 65535);
	assert_int_equal(wish(&layout, rects), 2);
	assert_rect(rects[0], 0, SURFACE_MAX_WIDTH - LAYOUT_MIN_SIZE, LAYOUT_MIN_SIZE);
	assert_rect(rects[1], SURFACE_MAX_WIDTH - LAYOUT_MIN_SIZE, LAYOUT_MIN_SIZE,
		    SURFACE_MAX_HEIGHT);
	layout_want(&layout, 0, 5120, 1440);
	assert_int_equal(wish(&layout, rects), 2);
	assert_rect(rects[1], 5120, 2560, SURFACE_MAX_HEIGHT);
	layout_want(&layout, 1, 1, 1);
	assert_int_equal(wish(&layout, rects), 2);
	assert_rect(rects[1], 5120, LAYOUT_MIN_SIZE, LAYOUT_MIN_SIZE);
	/* The second alone is no monitor. */
	layout_leave(&layout, 0);
	assert_int_equal(wish(&layout, rects), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_window),
		cmocka_unit_test(test_two_windows),
		cmocka_unit_test(test_a_pc_that_does_as_it_likes),
		cmocka_unit_test(test_same_size_together),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
