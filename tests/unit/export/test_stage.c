/*
 * What a picture of the video shows: the desktops where they belong, the pointer, and the watermark
 * in every one.
 */
#include "export/stage.h"
#include "unit/export/frames.h"

static struct text *text;
static struct scene scene;
static struct stage stage;

static const struct watermark_facts facts = {
	.japanese = true,
	.auditor = "監査人 鈴木一郎",
	.purpose = "試験",
	.session = "0123456789abcdef0123456789abcdef",
	.person = "佐藤 花子",
	.host = "経理PC",
	.exported_s = 1790000000,
	.verdict = VERDICT_GREEN,
};

static void give(unsigned viewer, unsigned width, unsigned height, uint32_t colour)
{
	struct picture *picture = &scene.viewers[viewer].picture;

	free(picture->pixels);
	picture->pixels = malloc((size_t)width * height * sizeof(*picture->pixels));
	assert_non_null(picture->pixels);
	for (size_t i = 0; i < (size_t)width * height; i++)
		picture->pixels[i] = colour;
	picture->width = width;
	picture->height = height;
	scene.viewers[viewer].attached = scene.viewers[viewer].right = true;
}

static void draw(bool hidden, const struct watermark_moment *moment)
{
	assert_ok(stage_draw(&stage, &scene, hidden, moment));
}

static const struct watermark_moment now = { .time_ms = 1780000000000 };

static int set_up(void **state)
{
	(void)state;
	scene_init(&scene);
	return text_new(TEXT_FONT, &text) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	stage_finish(&stage);
	scene_finish(&scene);
	text_free(text);
	return 0;
}

/* Pixels of a part that differ from a colour. */
static size_t others(unsigned x, unsigned y, unsigned width, unsigned height, uint32_t colour)
{
	size_t count = 0;

	for (unsigned row = y; row < y + height; row++)
		for (unsigned column = x; column < x + width; column++)
			count += stage.pixels[row * stage.width + column] != colour;
	return count;
}

static uint32_t at(unsigned x, unsigned y)
{
	return stage.pixels[y * stage.width + x];
}

static void every_picture_has_the_watermark(void **state)
{
	static const uint32_t grounds[] = { 0, 0xffffff, 0x808080, 0x3060c0 };

	(void)state;
	assert_ok(stage_init(&stage, text, 1280, 720, &facts));
	assert_true(stage.height > 720 && stage.height % 2 == 0);
	for (size_t i = 0; i < ARRAY_SIZE(grounds); i++) {
		give(0, 1280, 720, grounds[i]);
		draw(false, &now);
		/* All over the desktop, in each quarter of it, but faintly. */
		for (unsigned part = 0; part < 4; part++)
			assert_in_range(
				others(part % 2 * 640, part / 2 * 360, 640, 360, grounds[i]), 1000,
				640 * 360 / 10);
		for (size_t p = 0; p < (size_t)1280 * 720; p++)
			for (unsigned shift = 0; shift <= 16; shift += 8)
				assert_true(abs((int)(stage.pixels[p] >> shift & 255) -
						(int)(grounds[i] >> shift & 255)) <= 40);
		/* Words in the bar. */
		assert_true(others(0, 720, 1280, stage.height - 720, 0x1b212b) > 4000);
	}
}

/* The bar says what it was given: each fact changes it. */
static void the_bar_says_every_fact(void **state)
{
	const size_t bytes = (size_t)1280 * 60 * 4;
	_cleanup_free_ uint32_t *usual = malloc(bytes);
	struct watermark_facts changed[] = { facts, facts, facts, facts, facts,
					     facts, facts, facts, facts };

	(void)state;
	changed[0].auditor = "監査人 鈴木二郎";
	changed[1].purpose = "試練";
	changed[2].session = "0123456789abcdef0123456789abcdee";
	changed[3].person = "佐藤 花代";
	changed[4].host = "総務PC";
	changed[5].exported_s++;
	changed[6].verdict = VERDICT_RED;
	changed[7].unlogged = true;
	changed[8].japanese = false;
	for (size_t i = 0; i <= ARRAY_SIZE(changed); i++) {
		stage_finish(&stage);
		assert_ok(stage_init(&stage, text, 1280, 720, i ? &changed[i - 1] : &facts));
		draw(true, &now);
		const uint32_t *bar = stage.pixels + (size_t)720 * 1280;
		const size_t size = MIN(bytes, (size_t)(stage.height - 720) * 1280 * 4);
		if (!i)
			memcpy(usual, bar, size);
		else if (memcmp(usual, bar, size) == 0)
			fail_msg("fact %zu is not in the bar", i - 1);
	}
}

static void the_bar_says_every_moment(void **state)
{
	const struct watermark_moment moments[] = {
		{ .time_ms = now.time_ms + 1000 },
		{ .time_ms = now.time_ms, .broken = true },
		{ .time_ms = now.time_ms, .unattended = true },
	};

	(void)state;
	assert_ok(stage_init(&stage, text, 1280, 720, &facts));
	const size_t size = (size_t)(stage.height - 720) * 1280 * 4;
	_cleanup_free_ uint32_t *usual = malloc(size);
	draw(true, &now);
	memcpy(usual, stage.pixels + (size_t)720 * 1280, size);
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		draw(true, &moments[i]);
		assert_true(memcmp(usual, stage.pixels + (size_t)720 * 1280, size) != 0);
	}
	/* Within a second nothing changes. */
	draw(true, &(struct watermark_moment){ .time_ms = now.time_ms + 999 });
	assert_memory_equal(usual, stage.pixels + (size_t)720 * 1280, size);
}

static bool is_near(uint32_t a, uint32_t b)
{
	for (unsigned shift = 0; shift <= 16; shift += 8)
		if (abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > 40)
			return false;
	return true;
}

static void monitors_lie_side_by_side(void **state)
{
	(void)state;
	assert_ok(stage_init(&stage, text, 1200, 400, &facts));
	give(0, 700, 400, 0xff0000);
	give(1, 500, 300, 0x00ff00);
	draw(false, &now);
	assert_true(is_near(at(699, 399), 0xff0000));
	assert_true(is_near(at(700, 0), 0x00ff00));
	assert_true(is_near(at(1199, 299), 0x00ff00));
	assert_true(is_near(at(1199, 301), 0));
	/* The second window is closed. */
	scene.viewers[1].attached = false;
	draw(false, &now);
	assert_true(is_near(at(600, 200), 0xff0000) && is_near(at(100, 200), 0));
	/* Larger than the video. */
	give(0, 2400, 400, 0x0000ff);
	draw(false, &now);
	assert_true(is_near(at(0, 200), 0x0000ff) && is_near(at(1199, 200), 0x0000ff));
	assert_true(is_near(at(600, 20), 0) && is_near(at(600, 380), 0));
}

static void huge_desktops_are_made_smaller(void **state)
{
	(void)state;
	assert_ok(stage_init(&stage, text, 7680, 4320, &facts));
	assert_int_equal(stage.width, 3840);
	assert_int_equal(stage.desktop, 2160);
	give(0, 7680, 4320, 0x406080);
	draw(false, &now);
	assert_true(is_near(at(3839, 2159), 0x406080));
}

static void the_pointer_is_where_it_was(void **state)
{
	static const uint8_t square[4 * 4 * 4] = { [0 ... 63] = 0xff };
	struct pointer_shape *shape = &scene.viewers[0].shape;

	(void)state;
	assert_ok(stage_init(&stage, text, 640, 480, &facts));
	give(0, 640, 480, 0x203040);
	scene.pointer.known = true;
	scene.pointer.x = 320;
	scene.pointer.y = 7;
	draw(false, &now);
	assert_int_equal(at(320, 7), 0); /* the arrow's edge */
	assert_int_equal(at(321, 9), 0xffffff);
	*shape = (struct pointer_shape){ .known = true,
					 .hot_x = 2,
					 .hot_y = 2,
					 .width = 4,
					 .height = 4,
					 .pixels = malloc(sizeof(square)) };
	memcpy(shape->pixels, square, sizeof(square));
	draw(false, &now);
	assert_true(is_near(at(318, 5), 0xffffff) && is_near(at(321, 8), 0xffffff));
	assert_true(is_near(at(322, 9), 0x203040));
	/* Half of it beyond the edge; a press shows. */
	scene.pointer.x = 639;
	scene.pointer.buttons = 1;
	draw(false, &now);
	assert_false(is_near(at(630, 7), 0x203040));
	/* The PC hides it. */
	scene.pointer.buttons = 0;
	free(util_take_ptr(shape->pixels));
	draw(false, &now);
	assert_true(is_near(at(639, 7), 0x203040));
}

/* Names come from recordings and certificates. */
static void words_may_be_anything(void **state)
{
	struct watermark_facts odd = facts;
	char lengthy[1025];

	(void)state;
	memset(lengthy, 'W', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = 0;
	odd.purpose = lengthy;
	odd.person = "葛\xf3\xa0\x84\x80城\n\x1b[31m\xe2\x80\xae";
	odd.host = "\xff\xfe";
	odd.auditor = "";
	assert_ok(stage_init(&stage, text, 16, 16, &odd));
	give(0, 16, 16, 0);
	draw(false, &now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_picture_has_the_watermark, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_bar_says_every_fact, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_bar_says_every_moment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(monitors_lie_side_by_side, set_up, tear_down),
		cmocka_unit_test_setup_teardown(huge_desktops_are_made_smaller, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_pointer_is_where_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(words_may_be_anything, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
