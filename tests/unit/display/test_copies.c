#include "unit/display/model.h"

/* A page: every row of it has pixels of its own, in every column of 64. */
static uint32_t page_pixel(unsigned x, int row)
{
	uint32_t value = ((uint32_t)row * 2654435761u) ^ (x / 5 * 40503u);
	value ^= value >> 13;
	return value * 69069u & 0xffffff;
}

static void draw_page(struct bench *bench, struct rect at, int scrolled)
{
	for (unsigned y = at.y; y < (unsigned)at.y + at.height; y++)
		for (unsigned x = at.x; x < (unsigned)at.x + at.width; x++)
			*pixel(bench, x, y) = page_pixel(x, (int)y + scrolled);
	damage_hint(&bench->damage, at.x, at.y, at.width, at.height);
}

/* As a PC does: the surface first, then the word. */
static void pc_copies(struct bench *bench, struct copy copy)
{
	uint32_t *held = malloc((size_t)copy.width * copy.height * sizeof(*held));
	assert_non_null(held);
	for (unsigned y = 0; y < copy.height; y++)
		memcpy(held + (size_t)y * copy.width, pixel(bench, copy.from_x, copy.from_y + y),
		       copy.width * sizeof(*held));
	for (unsigned y = 0; y < copy.height; y++)
		memcpy(pixel(bench, copy.x, copy.y + y), held + (size_t)y * copy.width,
		       copy.width * sizeof(*held));
	free(held);
	damage_copied(&bench->damage, &bench->surface, copy.from_x, copy.from_y, copy.x, copy.y,
		      copy.width, copy.height);
}

static void assert_all_taken(struct bench *bench)
{
	assert_false(damage_waiting(&bench->damage));
	assert_true(viewer_is_right(bench));
}

static void test_a_scrolled_page_is_one_copy(void **state)
{
	(void)state;
	static const int steps[] = { 40, -40, 3, -1, 250 };
	struct bench bench;
	struct rect all = { 0, 0, 500, 400 };
	int at = 0;
	bench_start(&bench, 500, 400);
	draw_page(&bench, all, at);
	take(&bench, SIZE_MAX);
	assert_int_equal(bench.copies, 0);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		at += steps[i];
		draw_page(&bench, all, at);
		take(&bench, SIZE_MAX);
		assert_int_equal(bench.copies, 1);
		assert_int_equal(bench.drawn, 500 * abs(steps[i]));
		assert_all_taken(&bench);
	}
	bench_stop(&bench);
}

static void test_the_list_has_limits(void **state)
{
	(void)state;
	struct copies copies;
	struct copy whole = { 0, 1, 0, 0, 100, 50 }, pixel = { 0, 1, 0, 0, 1, 1 };
	assert_ok(copies_init(&copies, 100, 50));
	for (int i = 0; i < COPIES_AREAS; i++)
		assert_true(copies_add(&copies, whole));
	assert_false(copies_add(&copies, pixel));
	assert_int_equal(copies.count, COPIES_AREAS);
	copies_clear(&copies);
	for (int i = 0; i < COPIES_MAX; i++)
		assert_true(copies_add(&copies, pixel));
	assert_false(copies_add(&copies, pixel));
	copies_finish(&copies);
}

/* A line that changes in the page's middle parts it; neither part may overwrite the other first. */
static void test_a_page_in_two_parts(void **state)
{
	(void)state;
	static const int steps[] = { 40, -40 };
	struct bench bench;
	struct rect all = { 0, 0, 256, 400 }, line = { 0, 200, 256, 1 };
	bench_start(&bench, 256, 400);
	draw_page(&bench, all, 40);
	take(&bench, SIZE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		draw_page(&bench, all, 40 + steps[i]);
		draw_page(&bench, line, 5000);
		take(&bench, SIZE_MAX);
		assert_int_equal(bench.copies, 2);
		assert_int_equal(bench.drawn, 256 * 40 + 256);
		assert_all_taken(&bench);
		draw_page(&bench, all, 40);
		take(&bench, SIZE_MAX);
	}
	bench_stop(&bench);
}

/* A small page scrolls while stripes flicker beside it: rows that are alike say nothing. */
static void test_rows_that_are_alike(void **state)
{
	(void)state;
	struct bench bench;
	struct rect page = { 0, 100, 64, 50 };
	bench_start(&bench, 64 * 30, 600);
	for (int pass = 0; pass < 2; pass++) {
		for (unsigned y = 0; y < 600; y++)
			for (unsigned x = 64; x < 64 * 30; x++)
				*pixel(&bench, x, y) = (y + (unsigned)pass) % 2 * 0xffffff;
		damage_hint(&bench.damage, 0, 0, 64 * 30, 600);
		draw_page(&bench, page, pass * 12);
		take(&bench, SIZE_MAX);
	}
	assert_int_equal(bench.copies, 1);
	assert_int_equal(bench.drawn, 64 * 29 * 600 + 64 * 12);
	assert_all_taken(&bench);
	bench_stop(&bench);
}

/* The bars stay, and what lies between the window's edge and the next column of 64 is drawn. */
static void test_a_page_inside_a_window(void **state)
{
	(void)state;
	struct bench bench;
	struct rect all = { 0, 0, 800, 600 }, page = { 100, 90, 570, 450 };
	bench_start(&bench, 800, 600);
	draw_page(&bench, all, 5000);
	draw_page(&bench, page, 0);
	take(&bench, SIZE_MAX);
	draw_page(&bench, page, 17);
	damage_hint(&bench.damage, 0, 0, 800, 600);
	take(&bench, SIZE_MAX);
	assert_int_equal(bench.copies, 1);
	assert_int_equal(bench.drawn, 8 * 64 * 17 + 2 * 64 * 450);
	assert_all_taken(&bench);
	bench_stop(&bench);
}

static void test_two_pages_in_one_frame(void **state)
{
	(void)state;
	struct bench bench;
	struct rect left = { 0, 0, 256, 600 }, right = { 320, 64, 256, 500 };
	bench_start(&bench, 640, 600);
	draw_page(&bench, left, 0);
	draw_page(&bench, right, 9000);
	take(&bench, SIZE_MAX);
	draw_page(&bench, left, 31);
	draw_page(&bench, right, 8990);
	take(&bench, SIZE_MAX);
	assert_int_equal(bench.copies, 2);
	assert_int_equal(bench.drawn, 256 * 31 + 256 * 10);
	assert_all_taken(&bench);
	bench_stop(&bench);
}

/* Rows of letters with empty ones between: as a terminal, where most rows are the same. */
static void draw_terminal(struct bench *bench, unsigned line)
{
	for (unsigned y = 0; y < bench->surface.height; y++)
		for (unsigned x = 0; x < bench->surface.width; x++) {
			unsigned row = y + line * 16, at = row % 16;
			bool empty = at < 3 || at > 12 || (row / 16 * 7 + x / 100) % 3 == 0;
			*pixel(bench, x, y) = empty ? 0 : page_pixel(x, (int)row);
		}
	damage_hint(&bench->damage, 0, 0, (int)bench->surface.width, (int)bench->surface.height);
}

static void test_a_terminal(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 640, 480);
	draw_terminal(&bench, 0);
	take(&bench, SIZE_MAX);
	for (unsigned line = 1; line < 20; line += line) {
		draw_terminal(&bench, line);
		take(&bench, SIZE_MAX);
		assert_true(bench.copies > 0);
		assert_true(bench.drawn <= 640 * line * 16);
		assert_all_taken(&bench);
	}
	bench_stop(&bench);
}

static void test_no_copies_of_what_has_not_moved(void **state)
{
	(void)state;
	struct bench bench;
	struct rect all = { 0, 0, 640, 480 }, word = { 100, 100, 60, 16 };
	bench_start(&bench, 640, 480);
	for (int i = 0; i < 5; i++) {
		/* Another picture, then a word. */
		draw_page(&bench, all, i * 100000);
		take(&bench, SIZE_MAX);
		assert_int_equal(bench.copies, 0);
		draw_page(&bench, word, i);
		take(&bench, SIZE_MAX);
		assert_int_equal(bench.copies, 0);
		assert_all_taken(&bench);
	}
	bench_stop(&bench);
}

static void test_the_pc_moves_a_window(void **state)
{
	(void)state;
	struct bench bench;
	struct rect all = { 0, 0, 700, 500 };
	struct copy copies[] = { { 100, 90, 133, 71, 300, 200 }, /* overlapping, both ways */
				 { 133, 71, 120, 80, 300, 200 },
				 { 0, 0, 1, 0, 699, 500 },
				 { 37, 41, 37, 300, 222, 190 } };
	bench_start(&bench, 700, 500);
	draw_page(&bench, all, 0);
	take(&bench, SIZE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		pc_copies(&bench, copies[i]);
		assert_true(damage_waiting(&bench.damage));
		assert_int_equal(take(&bench, SIZE_MAX), 0);
		assert_int_equal(bench.copies, 1);
		assert_all_taken(&bench);
	}
	/* Two in one frame, drawing after them, and a copy of what was just drawn. */
	struct rect drawn = { 200, 200, 90, 90 };
	pc_copies(&bench, copies[0]);
	pc_copies(&bench, copies[1]);
	draw_page(&bench, drawn, 777);
	pc_copies(&bench, (struct copy){ 190, 190, 400, 300, 110, 110 });
	take(&bench, SIZE_MAX);
	assert_int_equal(bench.copies, 2);
	assert_true(bench.drawn < 128 * 128 + 3 * 128 * 192);
	assert_all_taken(&bench);
	bench_stop(&bench);
}

/* A PC may say anything, as often as it likes. */
static void test_the_pc_copies_without_end(void **state)
{
	(void)state;
	struct bench bench;
	struct rect all = { 0, 0, 300, 300 };
	bench_start(&bench, 300, 300);
	draw_page(&bench, all, 0);
	take(&bench, SIZE_MAX);
	for (unsigned i = 0; i < 1000; i++)
		pc_copies(&bench, (struct copy){ 0, 0, 0, 1, 300, 299 });
	take(&bench, SIZE_MAX);
	assert_int_equal(bench.copies, 2);
	assert_all_taken(&bench);

	for (unsigned i = 0; i < 3 * COPIES_MAX; i++)
		pc_copies(&bench, (struct copy){ 0, (uint16_t)(1 + i % 250), 0, 0, 1, 1 });
	take(&bench, SIZE_MAX);
	assert_int_equal(bench.copies, COPIES_MAX / 2);
	assert_all_taken(&bench);

	static const int bad[][6] = {
		{ 0, 0, 0, 0, 300, 300 },
		{ -1, 0, 0, 0, 90, 90 },
		{ 0, 0, 211, 0, 90, 90 },
		{ 0, 0, 0, INT32_MAX, 90, 90 },
		{ 0, INT32_MAX, 0, 0, INT32_MAX, INT32_MAX },
		{ 5, 5, 9, 9, 0, 90 },
		{ 5, 5, 9, 9, -90, -90 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const int *b = bad[i];
		damage_copied(&bench.damage, &bench.surface, b[0], b[1], b[2], b[3], b[4], b[5]);
		take(&bench, SIZE_MAX);
		assert_int_equal(bench.copies, 0);
		assert_all_taken(&bench);
	}
	bench_stop(&bench);
}

/* More moved runs than a frame has copies: the rest is drawn. */
static void test_too_many_runs(void **state)
{
	(void)state;
	struct bench bench;
	enum { WIDTH = 64 * 60, HEIGHT = 2000 };
	bench_start(&bench, WIDTH, HEIGHT);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned y = 0; y < HEIGHT; y++)
			for (unsigned x = 0; x < WIDTH; x++) {
				/* Every 16 rows, elsewhere in each column, one that does not fit.
				 */
				bool odd = (y + x / 64 * 5) % 16 == 0;
				*pixel(&bench, x, y) =
					page_pixel(x, odd ? (int)(y + (pass + 1) * 50000)
							  : (int)(y + pass * 16));
			}
		damage_hint(&bench.damage, 0, 0, WIDTH, HEIGHT);
		take(&bench, SIZE_MAX);
	}
	assert_int_equal(bench.copies, COPIES_MAX);
	assert_all_taken(&bench);
	bench_stop(&bench);
}

static void test_a_keyframe_has_no_copies(void **state)
{
	(void)state;
	struct bench bench;
	struct rect all = { 0, 0, 500, 400 };
	bench_start(&bench, 500, 400);
	draw_page(&bench, all, 0);
	take(&bench, SIZE_MAX);
	pc_copies(&bench, (struct copy){ 0, 40, 0, 0, 500, 360 });
	draw_page(&bench, all, 60);
	/* A viewer that has nothing yet, in parts. */
	memset(bench.sent, 0xff, sizeof(*bench.sent) * 500 * 400);
	damage_all(&bench.damage);
	for (int at = 80; damage_waiting(&bench.damage); at += 20) {
		take(&bench, 50000);
		assert_true(at > 80 || bench.copies == 0);
		assert_true(viewer_is_right(&bench));
		if (at < 150)
			pc_copies(&bench, (struct copy){ 0, 20, 0, 0, 500, 380 });
	}
	assert_all_taken(&bench);
	draw_page(&bench, all, 9999);
	take(&bench, SIZE_MAX);
	draw_page(&bench, all, 9989);
	take(&bench, SIZE_MAX);
	assert_int_equal(bench.copies, 1);
	bench_stop(&bench);
}

static struct rect random_rect(struct bench *bench)
{
	unsigned x = next_random(bench) % bench->surface.width,
		 y = next_random(bench) % bench->surface.height;
	return (struct rect){ (uint16_t)x, (uint16_t)y,
			      (uint16_t)(1 + next_random(bench) % (bench->surface.width - x)),
			      (uint16_t)(1 + next_random(bench) % (bench->surface.height - y)) };
}

static void random_scroll(struct bench *bench)
{
	struct rect at = random_rect(bench);
	unsigned distance = next_random(bench) % at.height;
	struct copy copy = { at.x, at.y, at.x, at.y, at.width, (uint16_t)(at.height - distance) };
	if (next_random(bench) % 2)
		copy.y = (uint16_t)(at.y + distance);
	else
		copy.from_y = (uint16_t)(at.y + distance);
	struct rect drawn = { at.x, copy.y == at.y ? (uint16_t)(at.y + copy.height) : at.y,
			      at.width, (uint16_t)distance };
	/* A PC that says so, or one that only draws. */
	if (next_random(bench) % 3)
		for (unsigned y = 0; y < copy.height; y++) {
			unsigned row = copy.y > copy.from_y ? copy.height - 1 - y : y;
			memmove(pixel(bench, copy.x, copy.y + row),
				pixel(bench, copy.from_x, copy.from_y + row), copy.width * 4u);
		}
	else
		pc_copies(bench, copy);
	draw_page(bench, drawn, (int)(next_random(bench) % 100000));
	damage_hint(&bench->damage, at.x, at.y, at.width, at.height);
}

static void random_move(struct bench *bench)
{
	struct rect from = random_rect(bench), to = random_rect(bench);
	pc_copies(bench, (struct copy){ from.x, from.y, to.x, to.y, MIN(from.width, to.width),
					MIN(from.height, to.height) });
}

static void random_frame(struct bench *bench)
{
	size_t all = (size_t)bench->surface.width * bench->surface.height;
	switch (next_random(bench) % 16) {
	case 0: /* a late joiner, who has nothing of use */
	case 1:
		for (size_t i = 0; i < all; i++)
			bench->sent[i] = next_random(bench);
		damage_all(&bench->damage);
		take(bench, next_random(bench) % 2 ? SIZE_MAX : 1 + next_random(bench) % all);
		assert_int_equal(bench->copies, 0);
		break;
	case 2:
	case 3:
	case 4:
		take(bench, 1 + next_random(bench) % all);
		break;
	default:
		take(bench, SIZE_MAX);
		assert_false(damage_waiting(&bench->damage));
	}
	assert_true(viewer_is_right(bench));
}

static void test_anything_reaches_the_viewer(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = { { 400, 300 }, { 200, 700 }, { 64, 64 },
					     { 333, 130 }, { 1, 500 },   { 500, 1 } };
	size_t copies = 0;
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct bench bench;
		bench_start(&bench, sizes[s][0], sizes[s][1]);
		for (int round = 0; round < 250; round++) {
			for (uint32_t n = next_random(&bench) % 4; n > 0; n--)
				switch (next_random(&bench) % 4) {
				case 0:
					draw(&bench);
					break;
				case 1:
					random_move(&bench);
					break;
				default:
					random_scroll(&bench);
				}
			random_frame(&bench);
			copies += bench.copies;
		}
		bench_stop(&bench);
	}
	assert_true(copies > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_scrolled_page_is_one_copy),
		cmocka_unit_test(test_the_list_has_limits),
		cmocka_unit_test(test_a_page_in_two_parts),
		cmocka_unit_test(test_rows_that_are_alike),
		cmocka_unit_test(test_a_page_inside_a_window),
		cmocka_unit_test(test_two_pages_in_one_frame),
		cmocka_unit_test(test_a_terminal),
		cmocka_unit_test(test_no_copies_of_what_has_not_moved),
		cmocka_unit_test(test_the_pc_moves_a_window),
		cmocka_unit_test(test_the_pc_copies_without_end),
		cmocka_unit_test(test_too_many_runs),
		cmocka_unit_test(test_a_keyframe_has_no_copies),
		cmocka_unit_test(test_anything_reaches_the_viewer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
