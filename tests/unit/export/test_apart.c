#include "unit/unit.h"

#include <stdlib.h>
#include <time.h>

#include "base/util.h"
#include "export/apart.h"

enum { ALL = FRAME_RECTS_MAX + FRAME_PARTS_MAX };

static struct apart_area areas[ALL];

static bool overlap(struct area a, struct area b)
{
	return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height &&
	       b.y < a.y + a.height;
}

/* Each with each. */
static bool are_apart(size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			if (areas[i].owner != areas[k].owner &&
			    overlap(areas[i].area, areas[k].area))
				return false;
	return true;
}

static void edges_may_touch(void **state)
{
	static const struct {
		struct area other;
		bool apart;
	} rows[] = {
		{ { 10, 4, 3, 6 }, true }, { { 0, 4, 5, 6 }, true },  { { 5, 0, 5, 4 }, true },
		{ { 5, 10, 5, 1 }, true }, { { 9, 9, 1, 1 }, false }, { { 5, 4, 1, 1 }, false },
		{ { 0, 0, 6, 5 }, false }, { { 9, 0, 9, 9 }, false }, { { 0, 0, 99, 99 }, false },
		{ { 6, 5, 2, 2 }, false },
	};

	(void)state;
	assert_ok(apart_check(areas, 0));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		areas[0] = (struct apart_area){ { 5, 4, 5, 6 }, 1 };
		areas[1] = (struct apart_area){ rows[i].other, 2 };
		assert_err(apart_check(areas, 2), rows[i].apart ? OK : ERR_PROTOCOL);
		areas[1].owner = 1;
		assert_ok(apart_check(areas, 2));
	}
}

static void any_areas(void **state)
{
	unsigned seed = 2026, found = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		const size_t count = 2 + (size_t)rand_r(&seed) % 9;
		for (size_t i = 0; i < count; i++)
			areas[i] = (struct apart_area){ { (unsigned)rand_r(&seed) % 28,
							  (unsigned)rand_r(&seed) % 28,
							  1 + (unsigned)rand_r(&seed) % 7,
							  1 + (unsigned)rand_r(&seed) % 7 },
							(uint16_t)(rand_r(&seed) % 3) };
		found += are_apart(count);
		assert_err(apart_check(areas, count), are_apart(count) ? OK : ERR_PROTOCOL);
	}
	assert_in_range(found, 300, 2700);
}

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As many as a frame may have, above each other on its left half and on its right. */
static void the_worst_frame(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALL; i++)
		areas[i] = i < FRAME_PARTS_MAX
				   ? (struct apart_area){ { 0, i, 960, 1 }, (uint16_t)i }
				   : (struct apart_area){ { 3840, 0, 1, 1024 }, FRAME_PARTS_MAX };
	double began = cpu_s();
	assert_ok(apart_check(areas, ALL));
	double took = cpu_s() - began;
	/* A part with a rectangle, for all of them: what it must not come to. */
	volatile size_t overlapping = 0;
	began = cpu_s();
	for (size_t i = 0; i < FRAME_PARTS_MAX; i++)
		for (size_t k = FRAME_PARTS_MAX; k < ALL; k++)
			if (overlap(areas[i].area, areas[k].area))
				overlapping++;
	assert_true(took < (cpu_s() - began) / 2);
	assert_int_equal(overlapping, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_may_touch),
		cmocka_unit_test(any_areas),
		cmocka_unit_test(the_worst_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
