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
	desk_draw(&desk, everything, desk_text, 1);
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
	desk_draw(&desk, everything, desk_text, 1);
	for (unsigned i = 0; i < 60; i++) {
		desk_scroll(&desk, page, 40, i % 20 < 10 ? desk_photo : desk_text, i * 40);
		desk_pass(&desk, SCROLL_US);
		desk_check(&desk);
	}
	assert_true(desk.copied >= 59);
	assert_int_equal(desk.video_pixels, 0);
	desk_pass(&desk, DESK_EXACT_US);
	assert_int_equal(desk_wrong(&desk), 0);
	(void)desk_random(&desk);
	desk_stop(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_film_becomes_a_video),
		cmocka_unit_test(test_a_scroll_is_no_video),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
