/*
 * A frame is taken as a whole or not at all, whatever is wrong with it.
 */
#include "unit/export/frames.h"

#include <dirent.h>

static struct picture picture;
static struct frames frames;

static void start(void)
{
	frames_begin(&picture, 10);
	frames_start(&frames, false);
}

/* Refused, and every pixel is as it was. */
static void refused(const char *what)
{
	const size_t size = SIDE * SIDE * sizeof(*picture.pixels);
	_cleanup_free_ uint32_t *before = malloc(size);

	memcpy(before, picture.pixels, size);
	if (picture_apply(&picture, &frames.frame) != ERR_PROTOCOL)
		fail_msg("%s was taken", what);
	if (memcmp(before, picture.pixels, size) != 0)
		fail_msg("%s changed the picture", what);
	picture_finish(&picture);
}

static void taken(void)
{
	assert_ok(picture_apply(&picture, &frames.frame));
}

static void rectangles_and_copies(void **state)
{
	(void)state;
	start();
	frames_copy(&frames, 0, 0, 4, 0, 8, 8);
	frames_rect(&frames, 2, 3, 5, 1, 77);
	frames_rect(&frames, 30, 30, 2, 2, 99);
	frames_pack(&frames);
	taken();
	assert_int_equal(frames_grey(&picture, 2, 3), 77);
	assert_int_equal(frames_grey(&picture, 6, 3), 77);
	assert_int_equal(frames_grey(&picture, 7, 3), 10);
	assert_int_equal(frames_grey(&picture, 31, 31), 99);
	/* Each copy as through a buffer of its own, the second of what the first has made. */
	frames_start(&frames, false);
	frames_copy(&frames, 2, 3, 3, 3, 5, 1);
	frames_copy(&frames, 2, 3, 20, 20, 6, 1);
	taken();
	assert_int_equal(frames_grey(&picture, 7, 3), 77);
	assert_int_equal(frames_grey(&picture, 25, 20), 77);
	picture_finish(&picture);
}

static void sizes_agree(void **state)
{
	(void)state;
	start();
	frames_rect(&frames, 0, 0, 4, 4, 1);
	frames_pack(&frames);
	frames.frame.raw_size -= 3;
	refused("less raw data than pixels");
	start();
	frames_rect(&frames, 0, 0, 4, 4, 1);
	frames_pack(&frames);
	frames.frame.data.len--;
	refused("a cut zstd frame");
	/* One that unpacks to another size. */
	start();
	frames_rect(&frames, 0, 0, 4, 4, 1);
	frames.frame.raw_size += 3;
	frames_pack(&frames);
	frames.frame.raw_size -= 3;
	refused("more raw data than pixels");
	/* As small as it says, and not as large as its rectangles. */
	start();
	frames_rect(&frames, 0, 0, 4, 4, 1);
	frames.frame.raw_size -= 3;
	frames_pack(&frames);
	refused("fewer pixels than the rectangles have");
	start();
	frames_rect(&frames, 29, 0, 4, 4, 1);
	frames_pack(&frames);
	refused("a rectangle outside");
	start();
	frames_copy(&frames, 0, 29, 0, 0, 4, 4);
	refused("a copy from outside");
	start();
	for (int i = 0; i < 5; i++)
		frames_copy(&frames, 0, 0, 0, 0, SIDE, SIDE);
	refused("copies of more than four desktops");
	start();
	frames_rect(&frames, 0, 0, SIDE, SIDE, 1);
	frames_rect(&frames, 0, 0, 1, 1, 1);
	frames_pack(&frames);
	refused("more pixels than the desktop has");
}

static void desktops_change_by_keyframes(void **state)
{
	(void)state;
	start();
	frames.frame.width = SIDE - 1;
	frames_rect(&frames, 0, 0, SIDE - 1, SIDE, 1);
	frames_pack(&frames);
	refused("another size without a keyframe");
	start();
	frames.frame.keyframe = 1;
	frames_rect(&frames, 0, 0, SIDE, SIDE - 1, 1);
	frames_pack(&frames);
	refused("a keyframe that does not cover the desktop");
	start();
	frames.frame.width = 7681;
	refused("a desktop that is too wide");
	start();
	frames.frame.height = 0;
	refused("a desktop without pixels");
	start();
	frames.frame.keyframe = 1;
	frames.frame.width = 16;
	frames.frame.height = 8;
	frames_rect(&frames, 0, 0, 16, 8, 200);
	frames_pack(&frames);
	taken();
	assert_int_equal(picture.width, 16);
	assert_int_equal(frames_grey(&picture, 15, 7), 200);
	picture_finish(&picture);
}

static void put_jpeg(struct area area, unsigned width, unsigned height, int flags)
{
	size_t len;
	uint8_t *jpeg = frames_jpeg(width, height, 200, flags, &len);

	frames_picture(&frames, CODEC_JPEG, area, jpeg, len);
	tjFree(jpeg);
}

static void jpegs_are_what_the_frame_says(void **state)
{
	const struct area area = { 8, 8, 16, 16 };

	(void)state;
	start();
	put_jpeg(area, 16, 16, 0);
	frames_rect(&frames, 0, 0, 8, 8, 3);
	frames_pack(&frames);
	taken();
	assert_in_range(frames_grey(&picture, 8, 8), 198, 202);
	assert_int_equal(frames_grey(&picture, 7, 7), 3);
	picture_finish(&picture);
	start();
	put_jpeg(area, 16, 17, 0);
	refused("a JPEG of another size");
	start();
	put_jpeg(area, 16, 16, TJFLAG_PROGRESSIVE);
	refused("a progressive JPEG");
	start();
	put_jpeg(area, 16, 16, 0);
	frames_rect(&frames, 20, 20, 8, 8, 3);
	frames_pack(&frames);
	refused("a JPEG under a rectangle");
	start();
	put_jpeg(area, 16, 16, 0);
	frames.frame.keyframe = 1;
	frames_rect(&frames, 0, 0, SIDE, SIDE, 3);
	frames_pack(&frames);
	refused("a keyframe with a picture");
	/* What came before it in the frame does not happen either. */
	start();
	frames_copy(&frames, 0, 0, 1, 1, 9, 9);
	frames_rect(&frames, 0, 0, 4, 4, 55);
	frames_pack(&frames);
	put_jpeg(area, 16, 16, 0);
	memset(frames.pictures + frames.frame.picture_data.len / 2, 0xff,
	       frames.frame.picture_data.len / 2 - 2);
	refused("a damaged JPEG");
}

/* H.264 lies on the browser's canvas only, so nothing can be copied from there. */
static void films_are_not_copied(void **state)
{
	(void)state;
	start();
	picture.kinds[5 * SIDE + 5] = PICTURE_H264;
	frames_copy(&frames, 4, 4, 20, 20, 4, 4);
	refused("a copy of a film");
	/* An earlier copy has covered it. */
	start();
	picture.kinds[5 * SIDE + 5] = PICTURE_H264;
	frames_copy(&frames, 10, 10, 4, 4, 4, 4);
	frames_copy(&frames, 4, 4, 20, 20, 4, 4);
	taken();
	picture_finish(&picture);
}

static void films_are_decoders_own(void **state)
{
	static const uint8_t nonsense[] = { 0, 0, 0, 1, 0x67, 66, 0, 40, 1, 2, 3, 4, 5 };
	const struct area area = { 0, 0, 16, 16 };

	(void)state;
	for (unsigned key = 0; key < 2; key++) {
		start();
		frames_picture(&frames, CODEC_H264, area, nonsense, sizeof(nonsense));
		frames.table[2] = (uint8_t)key;
		refused("H.264 that is none");
	}
	/* Where frames begin in the middle of a film, what builds on its beginning is left out. */
	start();
	picture.midway = true;
	frames_picture(&frames, CODEC_H264, area, nonsense, sizeof(nonsense));
	frames_rect(&frames, 20, 20, 4, 4, 55);
	frames_pack(&frames);
	taken();
	assert_true(picture_lacks(&picture));
	assert_int_equal(frames_grey(&picture, 5, 5), 10);
	assert_int_equal(frames_grey(&picture, 20, 20), 55);
	frames_start(&frames, false);
	frames_rect(&frames, 0, 0, 16, 16, 66);
	frames_pack(&frames);
	taken();
	assert_false(picture_lacks(&picture));
	picture_finish(&picture);
	start();
	frames_picture(&frames, CODEC_H264, area, nonsense, sizeof(nonsense));
	frames.table[1] = FRAME_STREAMS;
	refused("a stream too many");
	start();
	frames_picture(&frames, CODEC_OPUS, area, nonsense, sizeof(nonsense));
	refused("sound as a picture");
}

/* The frames that the browser's decoder is tested with: what one refuses so does the other. What is
 * in a picture is not looked at here. */
static void the_browsers_corpus(void **state)
{
	char path[512];
	size_t len, count = 0;
	const char *source = getenv("SEKISHO_SOURCE");
	static struct frame_plan plan;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/frame", source ? source : ".");
	DIR *folder = opendir(path);
	if (!folder)
		skip();
	for (struct dirent *file; (file = readdir(folder));) {
		const struct wire_type *type;
		union wire_any any;
		_cleanup_free_ char *data = NULL;
		const bool content = strncmp(file->d_name, "bad-jpeg", 8) == 0 ||
				     strncmp(file->d_name, "bad-h264", 8) == 0;
		if (file->d_name[0] == '.' || content)
			continue;
		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/frame/%s", source, file->d_name);
		assert_ok(util_read_file(path, 1 << 20, &data, &len));
		assert_ok(wire_decode((uint8_t *)data, len, &type, &any));
		const enum err err =
			frame_check(&any.frame, any.frame.width, any.frame.height, &plan);
		if (err != (strncmp(file->d_name, "fine-", 5) ? ERR_PROTOCOL : OK))
			fail_msg("%s: %s", file->d_name, err_code(err));
		count++;
	}
	closedir(folder);
	assert_true(count > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rectangles_and_copies),
		cmocka_unit_test(sizes_agree),
		cmocka_unit_test(desktops_change_by_keyframes),
		cmocka_unit_test(jpegs_are_what_the_frame_says),
		cmocka_unit_test(films_are_not_copied),
		cmocka_unit_test(films_are_decoders_own),
		cmocka_unit_test(the_browsers_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
