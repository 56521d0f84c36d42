/*
 * Records become pictures: which frames count, what damage does, and whose window is open.
 */
#include "export/scene.h"
#include "unit/export/frames.h"

static struct scene scene;
static struct buf message;

static int set_up(void **state)
{
	(void)state;
	scene_init(&scene);
	buf_init(&message, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_finish(&scene);
	buf_finish(&message);
	return 0;
}

static void take(enum record_kind kind, unsigned viewer, const void *data, size_t len)
{
	const struct record record = {
		.kind = kind, .viewer = (uint8_t)viewer, .data = data, .len = len
	};

	scene.changed = false;
	assert_ok(scene_take(&scene, &record));
}

static void take_message(enum record_kind kind, unsigned viewer, enum wire_id id, const void *msg)
{
	buf_clear(&message);
	assert_ok(wire_encode(id, msg, &message));
	take(kind, viewer, message.data, message.len);
}

/* A frame that makes all of the desktop one grey, or a corner of it. */
static void take_frame(enum record_kind kind, unsigned viewer, bool keyframe, uint8_t grey)
{
	static struct frames frames;

	frames_start(&frames, keyframe);
	frames_rect(&frames, 0, 0, keyframe ? SIDE : 4, keyframe ? SIDE : 4, grey);
	frames_pack(&frames);
	take_message(kind, viewer, MSG_frame, &frames.frame);
}

static void event(unsigned viewer, const char *json)
{
	take(RECORD_EVENT, viewer, json, strlen(json));
}

static unsigned grey(unsigned viewer, unsigned x, unsigned y)
{
	return frames_grey(&scene.viewers[viewer].picture, x, y);
}

static void it_begins_with_a_keyframe(void **state)
{
	unsigned width, height;

	(void)state;
	take_frame(RECORD_SENT, 0, false, 1);
	assert_false(scene.changed);
	scene_size(&scene, &width, &height);
	assert_int_equal(width, 0);
	take_frame(RECORD_KEY, 0, true, 5);
	assert_true(scene.changed && scene.viewers[0].right);
	assert_int_equal(grey(0, 9, 9), 5);
	take_frame(RECORD_SENT, 0, false, 7);
	assert_int_equal(grey(0, 3, 3), 7);
	/* A keyframe for the recording alone says nothing new. */
	take_frame(RECORD_KEY, 0, true, 200);
	assert_false(scene.changed);
	assert_int_equal(grey(0, 9, 9), 5);
	take_frame(RECORD_SENT, 0, true, 201);
	assert_int_equal(grey(0, 9, 9), 201);
	assert_false(scene_is_broken(&scene));
}

static void damage_lasts_until_a_keyframe(void **state)
{
	(void)state;
	/* Nothing was right, so nothing is broken. */
	scene_damage(&scene);
	take(RECORD_SENT, 0, "rest of something", 17);
	assert_false(scene_is_broken(&scene));
	take_frame(RECORD_SENT, 0, true, 5);
	scene_damage(&scene);
	assert_true(scene_is_broken(&scene) && scene.changed);
	take_frame(RECORD_SENT, 0, false, 9);
	assert_int_equal(grey(0, 0, 0), 5);
	assert_true(scene_is_broken(&scene));
	take_frame(RECORD_KEY, 0, true, 11);
	assert_false(scene_is_broken(&scene));
	assert_int_equal(grey(0, 0, 0), 11);
	/* No message, and a frame that breaks a rule, are as bad. */
	take(RECORD_SENT, 0, "nonsense", 8);
	assert_true(scene_is_broken(&scene));
	take_frame(RECORD_SENT, 0, true, 12);
	struct msg_frame wrong = { .width = SIDE, .height = SIDE, .raw_size = 3 };
	take_message(RECORD_SENT, 0, MSG_frame, &wrong);
	assert_true(scene_is_broken(&scene));
	assert_int_equal(grey(0, 0, 0), 12);
	/* What the viewer says is not for it to show, nor the other way about. */
	take_frame(RECORD_SENT, 0, true, 13);
	take_message(RECORD_SENT, 0, MSG_pointer, &(struct msg_pointer){ .x = 3 });
	assert_true(scene_is_broken(&scene) && !scene.pointer.known);
}

static void monitors_come_and_go(void **state)
{
	unsigned width, height;

	(void)state;
	take_frame(RECORD_SENT, 0, true, 1);
	take_frame(RECORD_SENT, 1, true, 2);
	scene_size(&scene, &width, &height);
	assert_int_equal(width, 2 * SIDE);
	assert_int_equal(height, SIDE);
	event(1, "{\"event\":\"resize\"}");
	assert_true(scene_shows(&scene, 1));
	event(1, "{\"event\":\"viewer-left\"}");
	assert_false(scene_shows(&scene, 1));
	event(0, "{\"event\":\"viewer-left\"}");
	assert_true(scene_shows(&scene, 0) && !scene.viewers[0].attached);
	event(0, "{\"event\":");
	event(0, "[]");
	/* A third monitor there is not. */
	take_frame(RECORD_SENT, 3, true, 2);
	assert_false(scene.changed);
}

static void pointers_and_shapes(void **state)
{
	uint8_t rgba[2 * 2 * 4] = { 9 }, packed[64];
	struct msg_cursor cursor = { .hot_x = 1, .width = 2, .height = 2 };

	(void)state;
	take_message(RECORD_INPUT, 1, MSG_pointer,
		     &(struct msg_pointer){ .x = 7, .y = 8, .buttons = 1 });
	assert_true(scene.pointer.known && scene.changed);
	assert_int_equal(scene.pointer.viewer, 1);
	assert_int_equal(scene.pointer.x, 7);
	cursor.pixels = (struct bytes){ packed, ZSTD_compress(packed, sizeof(packed), rgba,
							      sizeof(rgba), 1) };
	take_message(RECORD_SENT, 0, MSG_cursor, &cursor);
	const struct pointer_shape *shape = &scene.viewers[0].shape;
	assert_true(shape->known && shape->pixels && shape->pixels[0] == 9);
	/* Wrong ones change nothing. */
	cursor.height = 3;
	take_message(RECORD_SENT, 0, MSG_cursor, &cursor);
	cursor.width = POINTER_SIDE_MAX + 1;
	take_message(RECORD_SENT, 0, MSG_cursor, &cursor);
	assert_int_equal(shape->height, 2);
	cursor = (struct msg_cursor){ 0 };
	take_message(RECORD_SENT, 0, MSG_cursor, &cursor);
	assert_true(shape->known && !shape->pixels);
}

static void sizes_alone_decode_nothing(void **state)
{
	unsigned width, height;

	(void)state;
	scene.sizes_alone = true;
	take_frame(RECORD_SENT, 0, true, 1);
	scene_size(&scene, &width, &height);
	assert_int_equal(width, SIDE);
	assert_null(scene.viewers[0].picture.pixels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_begins_with_a_keyframe, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_lasts_until_a_keyframe, set_up, tear_down),
		cmocka_unit_test_setup_teardown(monitors_come_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pointers_and_shapes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sizes_alone_decode_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
