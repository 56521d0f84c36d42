#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "export/codecs.h"
#include "unit/paint.h"
#include "worker/encode/pictures.h"

enum { PLENTY = 1 << 20 };

static void start(struct surface *surface, unsigned width, unsigned height)
{
	surface_init(surface);
	assert_ok(surface_resize(surface, width, height));
}

static void paint(struct surface *surface, unsigned shift)
{
	for (unsigned y = 0; y < surface->height; y++)
		for (unsigned x = 0; x < surface->width; x++) {
			uint32_t pixel = paint_photo(x + 3 * shift, y + shift, 1) | 0x5a000000;
			memcpy(surface->data + y * surface->stride + x * 4, &pixel, 4);
		}
}

/* Mean difference of a channel, in thousandths; what the person sees as the same is below 3000. */
static unsigned difference(const struct surface *surface, const struct rect *rect,
			   const struct codecs *codecs)
{
	uint64_t sum = 0;
	for (unsigned y = 0; y < rect->height; y++)
		for (unsigned x = 0; x < rect->width; x++) {
			const uint8_t *here = surface_at(surface, rect->x + x, rect->y + y);
			uint32_t there = codecs->pixels[(size_t)y * codecs->width + x];
			for (unsigned i = 0; i < 3; i++)
				sum += (unsigned)abs((int)here[i] - (int)(there >> 8 * i & 255));
		}
	return (unsigned)(sum * 1000 / 3 / ((uint64_t)rect->width * rect->height));
}

static enum err decode(struct codecs *codecs, const struct video_picture *picture,
		       const struct rect *rect)
{
	const struct codecs_unit unit = { .data = picture->data,
					  .len = picture->len,
					  .key = picture->key,
					  .width = rect->width,
					  .height = rect->height,
					  .more = 1 };

	return codecs_h264(codecs, &unit);
}

static void test_jpegs_of_any_size(void **state)
{
	(void)state;
	static const struct rect rects[] = {
		{ 0, 0, 1, 1 },      { 7, 9, 1, 300 },     { 3, 2, 1000, 1 },
		{ 64, 64, 128, 64 }, { 11, 13, 515, 333 }, { 0, 0, 1920, 700 },
	};
	struct surface surface;
	struct codecs codecs = { 0 };
	struct jpeg *jpeg;
	const uint8_t *data;
	size_t len;
	start(&surface, 1920, 700);
	paint(&surface, 0);
	assert_ok(jpeg_new(&jpeg));
	for (size_t i = 0; i < ARRAY_SIZE(rects); i++) {
		assert_ok(jpeg_encode(jpeg, &surface, &rects[i], JPEG_QUALITY, &data, &len));
		assert_ok(codecs_jpeg(&codecs, data, len, rects[i].width, rects[i].height));
		assert_int_equal(codecs.width, rects[i].width);
		assert_int_equal(codecs.height, rects[i].height);
		assert_true(difference(&surface, &rects[i], &codecs) < 4000);
	}
	jpeg_free(jpeg);
	codecs_finish(&codecs);
	surface_finish(&surface);
}

/* As large as a desktop may be: what does not fit into a frame stays for the next. */
static void test_the_largest_desktop(void **state)
{
	(void)state;
	struct surface surface;
	struct pictures pictures;
	struct rect rect = { 0, 0, SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT };
	start(&surface, SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT);
	uint32_t *pixels = (uint32_t *)surface.data;
	for (size_t i = 0; i < surface.size / 4; i++)
		pixels[i] = paint_hash((uint32_t)i, 0, 0);
	pictures_init(&pictures);
	pictures_clear(&pictures);
	assert_ok(pictures_add(&pictures, &surface, &rect, SIZE_MAX, 1));
	assert_true(rect.height < SURFACE_MAX_HEIGHT && rect.height % 64 == 0);
	assert_true(pictures.data.len > 1000000 && pictures.data.len <= PICTURES_DATA);
	pictures_finish(&pictures);
	surface_finish(&surface);
}

static void test_jpegs_fit_into_what_is_left(void **state)
{
	(void)state;
	struct surface surface;
	struct pictures pictures;
	start(&surface, 1280, 720);
	paint(&surface, 0);
	pictures_init(&pictures);
	for (size_t most = 2000; most < 100000; most = most * 3 / 2) {
		struct rect rect = { 0, 0, 1280, 720 }, more = { 0, 0, 640, 640 };
		pictures_clear(&pictures);
		assert_ok(pictures_add(&pictures, &surface, &rect, most, 1));
		assert_true(pictures.data.len <= most || (rect.width == 64 && rect.height == 64));
		assert_true(rect.width % 64 == 0 && (rect.height % 64 == 0 || rect.height == 720));
		size_t before = pictures.data.len;
		assert_err(pictures_add(&pictures, &surface, &more, 10, 1), ERR_FULL);
		assert_int_equal(pictures.data.len, before);
	}
	struct rect tile = { 0, 0, 64, 64 };
	pictures_clear(&pictures);
	for (int i = 0; i < PICTURES_MAX; i++)
		assert_ok(pictures_add(&pictures, &surface, &tile, PLENTY, 1));
	assert_err(pictures_add(&pictures, &surface, &tile, PLENTY, 1), ERR_FULL);
	pictures_finish(&pictures);
	surface_finish(&surface);
}

/* What makes an odd size even is like its neighbours, not what lay in memory. */
static void check_beyond(const struct codecs *codecs, const struct rect *rect)
{
	for (unsigned y = 0; codecs->width > rect->width && y < rect->height; y++) {
		const uint32_t *end = codecs->pixels + (y + 1) * codecs->width - 2;
		assert_true(abs((int)(end[0] >> 8 & 255) - (int)(end[1] >> 8 & 255)) < 24);
	}
	for (unsigned x = 0; codecs->height > rect->height && x < rect->width; x++) {
		const uint32_t *end = codecs->pixels + (codecs->height - 2) * codecs->width + x;
		int below = (int)(end[codecs->width] >> 8 & 255);
		assert_true(abs((int)(end[0] >> 8 & 255) - below) < 24);
	}
}

static void test_videos_of_any_size(void **state)
{
	(void)state;
	static const struct rect rects[] = {
		{ 0, 0, 128, 128 },   { 13, 5, 129, 131 }, { 1, 0, 130, 515 },
		{ 900, 9, 331, 128 }, { 0, 0, 1279, 719 },
	};
	struct surface surface;
	struct codecs codecs = { 0 };
	start(&surface, 1279, 719);
	for (size_t i = 0; i < ARRAY_SIZE(rects); i++) {
		struct video *video;
		struct video_picture picture;
		const struct rect *rect = &rects[i];
		assert_ok(video_new(rect->width, rect->height, PLENTY, &video));
		assert_true(video_fits(video, rect->width, rect->height));
		assert_false(video_fits(video, rect->width, rect->height + 1u));
		for (unsigned n = 0; n < 6; n++) {
			paint(&surface, n);
			assert_ok(video_encode(video, &surface, rect->x, rect->y, n == 3, PLENTY,
					       &picture));
			assert_int_equal(picture.key, n == 0 || n == 3);
			assert_ok(decode(&codecs, &picture, rect));
			assert_int_equal(codecs.width, rect->width + rect->width % 2);
			assert_int_equal(codecs.height, rect->height + rect->height % 2);
			assert_true(difference(&surface, rect, &codecs) < 4000);
			check_beyond(&codecs, rect);
		}
		video_free(video);
	}
	codecs_finish(&codecs);
	surface_finish(&surface);
}

static void test_videos_have_limits(void **state)
{
	(void)state;
	struct video *video;
	assert_err(video_new(VIDEO_MAX_WIDTH + 2, 128, PLENTY, &video), ERR_TOO_BIG);
	assert_err(video_new(SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT, PLENTY, &video), ERR_TOO_BIG);
	assert_err(video_new(4096, 2306, PLENTY, &video), ERR_TOO_BIG);
}

/* Another film in each picture, so that they are large. */
static size_t average(struct video *video, struct surface *surface, size_t budget)
{
	struct video_picture picture;
	size_t sum = 0;
	for (unsigned n = 0; n < 24; n++) {
		paint(surface, n * 37);
		assert_ok(video_encode(video, surface, 0, 0, false, budget, &picture));
		sum += n >= 12 ? picture.len : 0;
	}
	return sum / 12;
}

static void test_videos_follow_the_budget(void **state)
{
	(void)state;
	struct surface surface;
	struct video *video;
	struct video_picture picture;
	start(&surface, 640, 480);
	paint(&surface, 0);
	assert_ok(video_new(640, 480, PLENTY, &video));
	size_t free = average(video, &surface, PLENTY);
	size_t half = average(video, &surface, free / 2);
	(void)average(video, &surface, PLENTY);
	size_t again = average(video, &surface, PLENTY);
	assert_true(half <= free * 7 / 10);
	assert_true(again >= half * 12 / 10);
	video_free(video);
	/* The very first picture, too. */
	assert_ok(video_new(640, 480, PLENTY, &video));
	assert_ok(video_encode(video, &surface, 0, 0, false, PLENTY, &picture));
	size_t large = picture.len;
	video_free(video);
	assert_ok(video_new(640, 480, 5000, &video));
	assert_ok(video_encode(video, &surface, 0, 0, false, 5000, &picture));
	assert_true(picture.len < large / 2);
	video_free(video);
	surface_finish(&surface);
}

/* The pixels that a jump to the end of these pictures has to decode, counted from the outside. */
static size_t replay_of(size_t before, const struct pictures *pictures, const struct rect *rect)
{
	bool key = pictures->table.data[2];
	return (key ? 0 : before) + (size_t)rect->width * rect->height + PICTURES_REPLAY_EACH;
}

/* Films of any size, alone and side by side. */
static void test_films_are_never_long_to_replay(void **state)
{
	(void)state;
	static const struct rect covers[][2] = {
		{ { 0, 0, 1280, 720 } },
		{ { 0, 0, 256, 256 }, { 512, 0, 640, 360 } },
	};
	struct surface surface;
	struct damage damage;
	start(&surface, 1280, 720);
	damage_init(&damage);
	assert_ok(damage_resize(&damage, &surface));
	for (size_t films = 1; films <= ARRAY_SIZE(covers); films++) {
		struct region regions[] = { { .start = 1 }, { .start = 2 } };
		struct pictures pictures;
		size_t replay[2] = { 0 }, most = 0;
		unsigned keys = 0;
		pictures_init(&pictures);
		for (unsigned n = 0; n < 160; n++)
			for (size_t i = 0; i < films; i++) {
				const struct rect *rect = &covers[films - 1][i];
				damage.covers[i] = *rect;
				pictures_clear(&pictures);
				assert_ok(pictures_add_region(&pictures, &surface, &damage,
							      &regions[i], i, true, PLENTY, n));
				keys += pictures.table.data[2];
				replay[i] = replay_of(replay[i], &pictures, rect);
				most = MAX(most, replay[0] + replay[1]);
			}
		pictures_finish(&pictures);
		/* The one whose turn it is not may add its picture first. */
		assert_in_range(most, PICTURES_REPLAY, PICTURES_REPLAY + 3 * 1280 * 720);
		assert_in_range(keys, films + 1, films * 4);
	}
	damage_finish(&damage);
	surface_finish(&surface);
}

/* How much larger the steps at the edges of blocks are than those beside them, in percent. */
static unsigned blocks_seen(const struct codecs *codecs)
{
	uint64_t edges = 0, others = 0;
	for (unsigned y = 0; y < codecs->height; y++)
		for (unsigned x = 16; x < codecs->width; x += 16) {
			const uint32_t *at = codecs->pixels + (size_t)y * codecs->width + x;
			edges += (unsigned)abs((int)(at[0] >> 8 & 255) - (int)(at[-1] >> 8 & 255));
			others += (unsigned)abs((int)(at[2] >> 8 & 255) - (int)(at[1] >> 8 & 255));
		}
	return (unsigned)(edges * 100 / MAX(others, 1u));
}

/* On a narrow link pictures are coarse, and their blocks are smoothed; then it is wide again. */
static void test_coarse_videos_show_no_blocks(void **state)
{
	(void)state;
	static const size_t budgets[] = { PLENTY, 400, PLENTY };
	static const struct rect all = { 0, 0, 640, 480 };
	struct surface surface;
	struct video *video;
	struct video_picture picture;
	struct codecs codecs = { 0 };
	start(&surface, 640, 480);
	assert_ok(video_new(640, 480, PLENTY, &video));
	for (unsigned n = 0; n < 3 * 24; n++) {
		paint(&surface, n);
		assert_ok(video_encode(video, &surface, 0, 0, false, budgets[n / 24], &picture));
		assert_ok(decode(&codecs, &picture, &all));
		if (n % 24 == 23)
			assert_true(blocks_seen(&codecs) < 120); /* 132 without the filter */
	}
	codecs_finish(&codecs);
	video_free(video);
	surface_finish(&surface);
}

static void cover(struct damage *damage, struct surface *surface, struct region *region)
{
	damage_init(damage);
	assert_ok(damage_resize(damage, surface));
	damage->covers[0] = (struct rect){ 0, 0, 256, 256 };
	damage_look(damage, surface, 1);
	*region = (struct region){
		.state = REGION_RUNNING, .box = { 0, 0, 4, 4 }, .start = 1, .changed = true
	};
	for (size_t i = 0; i < 16; i++)
		damage_cover(damage, surface, i, 1);
}

/* A picture that did not fit is one that the viewer's decoder has not seen. */
static void test_a_picture_that_does_not_fit(void **state)
{
	(void)state;
	struct surface surface;
	struct pictures pictures;
	struct damage damage;
	struct region region;
	uint8_t *room;
	start(&surface, 256, 256);
	paint(&surface, 0);
	cover(&damage, &surface, &region);
	pictures_init(&pictures);
	for (int i = 0; i < 4; i++) {
		pictures_clear(&pictures);
		assert_ok(buf_reserve(&pictures.data, PICTURES_DATA, &room));
		pictures.data.len = i == 2 ? PICTURES_DATA : 0;
		region.changed = true;
		enum err err = pictures_add_region(&pictures, &surface, &damage, &region, 0, true,
						   PLENTY, 1);
		assert_err(err, i == 2 ? ERR_FULL : OK);
		assert_int_equal(region.changed, i == 2);
		if (i != 2)
			assert_int_equal(pictures.table.data[2], i != 1);
	}
	pictures_finish(&pictures);
	damage_finish(&damage);
	surface_finish(&surface);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jpegs_of_any_size),
		cmocka_unit_test(test_the_largest_desktop),
		cmocka_unit_test(test_jpegs_fit_into_what_is_left),
		cmocka_unit_test(test_videos_of_any_size),
		cmocka_unit_test(test_videos_have_limits),
		cmocka_unit_test(test_videos_follow_the_budget),
		cmocka_unit_test(test_films_are_never_long_to_replay),
		cmocka_unit_test(test_coarse_videos_show_no_blocks),
		cmocka_unit_test(test_a_picture_that_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
