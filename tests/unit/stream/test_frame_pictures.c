#include "desk.h"

enum { FILM_US = 41000, SCROLL_US = 33000 };

static const struct rect everything = { 0, 0, 800, 600 };

/* Its edges lie between tiles, and everything beside it is text that must stay as it is. */
static void test_a_film_becomes_a_video(void **state)
{
	(void)state;
	struct desk desk;
	struct rect film = { 101, 77, 415, 301 };
	desk_start(&desk, 800, 600, CODEC_JPEG | CODEC_H264);
	desk_draw(&desk, everything, paint_text, 1);
	for (unsigned i = 0; i < 60; i++) {
		desk_film(&desk, film, i);
		desk_pass(&desk, FILM_US);
		desk_check(&desk);
		if (i == 28)
			desk_forget(&desk);
	}
	const struct rect *cover = &desk.source.damage.covers[0];
	assert_memory_equal(cover, &film, sizeof(film));
	assert_int_equal(desk.jpeg_pixels, 0);
	assert_int_equal(desk.exact_pixels, 0);
	assert_int_equal(desk.video_pixels, (size_t)film.width * film.height * 31);
	assert_true(desk.bytes < 31 * 4000);
	assert_true(desk_wrong(&desk) > 0);
	desk_pass(&desk, DESK_EXACT_US);
	assert_int_equal(desk_wrong(&desk), 0);
	assert_non_null(desk.source.pictures.streams[0].video);
	desk_pass(&desk, REGION_KEPT_US);
	assert_null(desk.source.pictures.streams[0].video);
	assert_int_equal(frame_refresh_us(&desk.source), 0);
	desk_stop(&desk);
}

static void test_a_scroll_is_no_video(void **state)
{
	(void)state;
	struct desk desk;
	struct rect page = { 101, 77, 515, 401 };
	desk_start(&desk, 800, 600, CODEC_JPEG | CODEC_H264);
	desk_draw(&desk, everything, paint_text, 1);
	for (unsigned i = 0; i < 60; i++) {
		desk_scroll(&desk, page, 40, i % 20 < 10 ? paint_photo : paint_text, i * 40);
		desk_pass(&desk, SCROLL_US);
		desk_check(&desk);
	}
	assert_true(desk.copied >= 59);
	assert_int_equal(desk.video_pixels, 0);
	desk_pass(&desk, DESK_EXACT_US);
	assert_int_equal(desk_wrong(&desk), 0);
	desk_stop(&desk);
}

/* Lines of different length, as in a log. */
static uint32_t paint_log(unsigned x, unsigned y, uint32_t which)
{
	uint32_t line = paint_hash(y / 16, which, 5);
	uint32_t length = line % 5 ? line % 60 : line / 5 % 900;

	return x < length ? paint_text(x, y, which) : 0xffffff;
}

/* Everything changes all the time, twenty screens of text a second. */
static void test_text_is_never_lossy(void **state)
{
	(void)state;
	struct desk desk;
	desk_start(&desk, 800, 600, CODEC_JPEG | CODEC_H264);
	for (unsigned i = 0; i < 80; i++) {
		desk_draw(&desk, everything, i < 40 ? paint_text : paint_log, i);
		desk_pass(&desk, FILM_US);
		assert_int_equal(desk_wrong(&desk), 0);
	}
	assert_int_equal(desk.jpeg_pixels, 0);
	assert_int_equal(desk.video_pixels, 0);
	desk_stop(&desk);
}

/* One that appears alone is not worth two ways; a large one comes as a picture first. */
static void test_photos(void **state)
{
	(void)state;
	struct desk desk;
	struct rect small = { 128, 128, 192, 192 }, large = { 64, 64, 640, 448 };
	desk_start(&desk, 800, 600, CODEC_JPEG | CODEC_H264);
	desk_draw(&desk, everything, paint_text, 1);
	desk_pass(&desk, 500000);
	desk_draw(&desk, small, paint_photo, 1);
	desk_pass(&desk, DESK_TICK_US);
	assert_int_equal(desk.jpeg_pixels, 0);
	assert_int_equal(desk_wrong(&desk), 0);

	desk_draw(&desk, large, paint_photo, 2);
	desk_pass(&desk, DESK_TICK_US);
	assert_int_equal(desk.jpeg_pixels, (640 - 128) * 448);
	assert_true(desk_wrong(&desk) > 100000);
	uint64_t looked = desk.source.regions.classes.looked;
	for (int i = 0; i < 10; i++) {
		damage_hint(&desk.source.damage, 0, 0, 800, 600);
		desk_pass(&desk, DESK_TICK_US);
	}
	assert_int_equal(desk.source.regions.classes.looked, looked);
	desk_pass(&desk, DESK_EXACT_US);
	assert_int_equal(desk_wrong(&desk), 0);
	assert_int_equal(desk.jpeg_pixels, (640 - 128) * 448);
	desk_stop(&desk);
}

/* What a JPEG drew may be scrolled, and is exact soon after the last step all the same. */
static void test_photos_scroll(void **state)
{
	(void)state;
	struct desk desk;
	desk_start(&desk, 800, 600, CODEC_JPEG | CODEC_H264);
	desk_draw(&desk, everything, paint_text, 1);
	desk_pass(&desk, 500000);
	desk_draw(&desk, everything, paint_photo, 2);
	desk_pass(&desk, DESK_TICK_US);
	for (unsigned i = 0; i < 20; i++) {
		desk_scroll(&desk, everything, 40, paint_photo, i * 40);
		desk_pass(&desk, SCROLL_US);
		desk_check(&desk);
	}
	assert_true(desk.copied >= 20);
	assert_true(desk.exact_pixels < 2 * 800 * 600);
	desk_pass(&desk, DESK_EXACT_US);
	assert_int_equal(desk_wrong(&desk), 0);
	desk_stop(&desk);
}

static void test_viewers_without_codecs(void **state)
{
	(void)state;
	static const unsigned codecs[] = { 0, CODEC_JPEG };
	struct rect film = { 64, 64, 400, 300 };
	for (size_t c = 0; c < ARRAY_SIZE(codecs); c++) {
		struct desk desk;
		desk_start(&desk, 640, 480, codecs[c]);
		for (unsigned i = 0; i < 40; i++) {
			desk_film(&desk, film, i);
			desk_pass(&desk, FILM_US);
			desk_check(&desk);
			if (i == 30)
				desk_forget(&desk);
		}
		assert_int_equal(desk.video_pixels, 0);
		if (codecs[c])
			assert_int_equal(desk.jpeg_pixels, 9 * 400 * 300);
		else
			assert_int_equal(desk.jpeg_pixels, 0);
		desk_pass(&desk, DESK_EXACT_US);
		assert_int_equal(desk_wrong(&desk), 0);
		desk_stop(&desk);
	}
}

/* A keyframe ends the stream; the film goes on with a key picture at once. */
static void test_a_keyframe_during_a_film(void **state)
{
	(void)state;
	struct desk desk;
	struct rect film = { 64, 64, 400, 300 };
	desk_start(&desk, 640, 480, CODEC_JPEG | CODEC_H264);
	for (unsigned i = 0; i < 45; i++) {
		if (i == 35 || i == 37) {
			frame_source_refresh(&desk.source);
			desk_film(&desk, film, i);
			desk_pass(&desk, FILM_US);
			assert_int_equal(desk_wrong(&desk), 0);
			continue;
		}
		desk_forget(&desk);
		desk_film(&desk, film, i);
		desk_pass(&desk, FILM_US);
		desk_check(&desk);
		assert_true(i < 30 || desk.video_pixels > 0);
	}
	desk_pass(&desk, DESK_EXACT_US);
	assert_int_equal(desk_wrong(&desk), 0);
	desk_stop(&desk);
}

/* Letters go on beside a film, exactly and at once, also in a tile that the film has a part of. */
static void test_typing_beside_a_film(void **state)
{
	(void)state;
	struct desk desk;
	struct rect film = { 101, 77, 415, 301 };
	desk_start(&desk, 800, 600, CODEC_JPEG | CODEC_H264);
	desk_draw(&desk, everything, paint_text, 1);
	for (unsigned i = 0; i < 60; i++) {
		struct rect letter = { (uint16_t)(518 + i % 5 * 8), 96, 8, 16 };
		desk_film(&desk, film, i);
		desk_draw(&desk, letter, paint_text, i);
		letter.x = (uint16_t)(letter.x - 448);
		desk_draw(&desk, letter, paint_text, i);
		desk_pass(&desk, FILM_US);
		desk_check(&desk);
		for (unsigned y = 77; i > 30 && y < 378; y++)
			for (unsigned x = 64; x < 101; x++)
				assert_int_equal(desk.viewer.pixels[y * 800 + x],
						 desk_at(&desk, y * 800 + x));
		for (unsigned y = 77; i > 30 && y < 378; y++)
			for (unsigned x = 516; x < 576; x++)
				assert_int_equal(desk.viewer.pixels[y * 800 + x],
						 desk_at(&desk, y * 800 + x));
	}
	assert_true(desk.video_pixels > 0);
	desk_stop(&desk);
}

/* Where a part of it stands, photos may change, but pictures have only so many pixels. */
static void test_half_a_film_stands(void **state)
{
	(void)state;
	struct desk desk;
	struct rect all = { 0, 0, 512, 384 }, left = { 0, 0, 256, 384 },
		    right = { 256, 0, 256, 384 };
	desk_start(&desk, 512, 384, CODEC_JPEG | CODEC_H264);
	for (unsigned i = 0; i < 60; i++) {
		desk_film(&desk, i < 40 ? all : left, i);
		if (i == 50 || i == 51)
			desk_draw(&desk, right, paint_photo, i);
		/* Nor is what changes once there a film again. */
		if (i == 58)
			desk_draw(&desk, right, paint_text, i);
		desk_pass(&desk, FILM_US);
		desk_check(&desk);
		for (unsigned y = 0; i == 58 && y < 384; y++)
			for (unsigned x = 256; x < 512; x++)
				assert_int_equal(desk.viewer.pixels[y * 512 + x],
						 desk_at(&desk, y * 512 + x));
	}
	assert_int_equal(desk.source.regions.list[0].state, REGION_RUNNING);
	desk_stop(&desk);
}

static void test_two_films(void **state)
{
	(void)state;
	struct desk desk;
	struct rect one = { 10, 10, 300, 200 }, other = { 451, 333, 299, 251 };
	desk_start(&desk, 800, 600, CODEC_JPEG | CODEC_H264);
	desk_draw(&desk, everything, paint_text, 1);
	for (unsigned i = 0; i < 70; i++) {
		desk_film(&desk, one, i);
		if (i > 10)
			desk_film(&desk, other, i);
		desk_pass(&desk, FILM_US);
		desk_check(&desk);
		if (i == 60)
			desk_forget(&desk);
	}
	assert_int_equal(desk.video_pixels, 9 * (300 * 200 + 299 * 251));
	assert_int_equal(desk.exact_pixels, 0);
	desk_pass(&desk, DESK_EXACT_US);
	assert_int_equal(desk_wrong(&desk), 0);
	desk_stop(&desk);
}

/* On a slow link: no frame is larger than allowed, and in the end everything is exact. */
static void test_budget(void **state)
{
	(void)state;
	static const size_t budgets[] = { 3000, 10000, 50000 };
	for (size_t b = 0; b < ARRAY_SIZE(budgets); b++) {
		struct desk desk;
		struct rect page = { 0, 64, 800, 536 };
		struct rect photo = { 200, 100, 500, 400 }, word = { 20, 20, 40, 16 };
		desk_start(&desk, 800, 600, CODEC_JPEG | CODEC_H264);
		assert_true(desk_frame(&desk));
		desk.budget = budgets[b];
		desk_draw(&desk, page, paint_text, 1);
		desk_draw(&desk, photo, paint_photo, 1);
		for (unsigned i = 0; i < 40; i++) {
			/* Small things go first, in the very next frame. */
			desk_draw(&desk, word, paint_text, i + 100);
			assert_true(desk_frame(&desk));
			for (unsigned y = 20; b > 0 && y < 36; y++)
				for (unsigned x = 20; x < 60; x++)
					assert_int_equal(desk.viewer.pixels[y * 800 + x],
							 desk_at(&desk, y * 800 + x));
			desk.now_us += 2 * DESK_TICK_US;
			desk_check(&desk);
		}
		for (int i = 0; i < 400 && desk_wrong(&desk); i++)
			desk_pass(&desk, 10 * DESK_TICK_US);
		assert_int_equal(desk_wrong(&desk), 0);
		desk_stop(&desk);
	}
}

static void random_draw(struct desk *desk, uint32_t which)
{
	unsigned width = desk->surface.width, height = desk->surface.height;
	unsigned x = desk_random(desk) % width, y = desk_random(desk) % height;
	struct rect at = { (uint16_t)x, (uint16_t)y,
			   (uint16_t)(1 + desk_random(desk) % (width - x)),
			   (uint16_t)(1 + desk_random(desk) % (height - y)) };
	switch (desk_random(desk) % 6) {
	case 0:
		desk_draw(desk, at, paint_photo, which);
		break;
	case 1:
		desk_scroll(desk, at, desk_random(desk) % at.height, paint_photo, which);
		break;
	case 2:
		desk_scroll(desk, at, desk_random(desk) % at.height, paint_text, which);
		break;
	case 3:
		desk_move(desk, at);
		break;
	default:
		at.width = MIN(at.width, 40);
		at.height = MIN(at.height, 20);
		desk_draw(desk, at, paint_text, which);
	}
}

/* Whatever happens in whatever order. */
static void test_anything(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = { { 512, 384 }, { 333, 259 }, { 130, 900 } };
	size_t jpegs = 0, videos = 0, copied = 0;
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct desk desk;
		desk_start(&desk, sizes[s][0], sizes[s][1], CODEC_JPEG | CODEC_H264);
		struct rect film = { 17, 23, (uint16_t)MIN(300, sizes[s][0] - 17), 200 };
		for (uint32_t i = 0; i < 240; i++) {
			if (i / 40 % 2)
				desk_film(&desk, film, i);
			for (uint32_t n = desk_random(&desk) % 3; n > 0 && i % 80 > 20; n--)
				random_draw(&desk, i);
			if (desk_random(&desk) % 60 == 0)
				frame_source_refresh(&desk.source);
			if (desk_random(&desk) % 40 == 0)
				desk.budget = desk_random(&desk) % 2 ? 0 : 5000 + i * 50;
			if (i % 100 == 99)
				desk.source.codecs = desk_random(&desk) % 4;
			desk_pass(&desk, (1 + desk_random(&desk) % 12) * DESK_TICK_US);
			if (i % 4 == 0)
				desk_check(&desk);
		}
		desk.budget = 0;
		desk_pass(&desk, 2 * DESK_EXACT_US);
		assert_int_equal(desk_wrong(&desk), 0);
		jpegs += desk.jpeg_pixels;
		videos += desk.video_pixels;
		copied += desk.copied;
		desk_stop(&desk);
	}
	assert_true(jpegs > 1000000 && videos > 1000000 && copied > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_film_becomes_a_video),
		cmocka_unit_test(test_a_scroll_is_no_video),
		cmocka_unit_test(test_text_is_never_lossy),
		cmocka_unit_test(test_photos),
		cmocka_unit_test(test_photos_scroll),
		cmocka_unit_test(test_viewers_without_codecs),
		cmocka_unit_test(test_a_keyframe_during_a_film),
		cmocka_unit_test(test_typing_beside_a_film),
		cmocka_unit_test(test_half_a_film_stands),
		cmocka_unit_test(test_two_films),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
