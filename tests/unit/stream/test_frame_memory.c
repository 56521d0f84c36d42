/*
 * Frames without memory: each allocation fails once, in turn (the linker puts these functions in
 * place of the real ones). Nothing breaks, and a viewer that gets a keyframe after an error is as
 * well off as any other.
 */
#include "desk.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool armed;
static size_t calls, fail_at;

static bool fails(void)
{
	return armed && ++calls == fail_at;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

/* Frames as long as any is due; after an error the viewer begins anew. */
static void show(struct desk *desk)
{
	uint64_t end = desk->now_us + 41000;
	for (; desk->now_us < end; desk->now_us += DESK_TICK_US) {
		uint64_t due = frame_refresh_us(&desk->source);
		struct frame_wish wish = { .sequence = ++desk->sequence, .now_us = desk->now_us };
		const struct wire_type *type;
		bool empty;
		if (!damage_waiting(&desk->source.damage) && (!due || due > desk->now_us))
			continue;
		buf_clear(&desk->message);
		armed = true;
		enum err err = frame_next(&desk->source, &wish, &desk->message, &empty);
		armed = false;
		if (err) {
			assert_err(err, ERR_NOMEM);
			frame_source_refresh(&desk->source);
			continue;
		}
		if (empty)
			continue;
		assert_ok(wire_decode(desk->message.data, desk->message.len, &type, &desk->any));
		assert_ok(picture_apply(&desk->viewer, &desk->any.frame));
		desk->video_pixels += desk->viewer.videos;
	}
}

static enum err begin(struct desk *desk)
{
	armed = true;
	enum err err = frame_source_init(&desk->source, &desk->surface);
	if (!err)
		err = frame_source_resize(&desk->source);
	armed = false;
	desk->source.codecs = CODEC_JPEG | CODEC_H264;
	return err;
}

static void play(struct desk *desk)
{
	struct rect film = { 10, 20, 240, 180 }, all = { 0, 0, 320, 256 };
	desk_draw(desk, all, paint_text, 1);
	for (unsigned i = 0; i < 34; i++) {
		desk_film(desk, film, i);
		show(desk);
	}
	for (int i = 0; i < 8; i++)
		show(desk);
	assert_int_equal(desk_wrong(desk), 0);
}

static bool run(size_t fail)
{
	struct desk desk = { .now_us = 1000000, .viewer = { .strict = true } };
	surface_init(&desk.surface);
	assert_ok(surface_resize(&desk.surface, 320, 256));
	desk.changed_us = calloc(320 * 256, sizeof(*desk.changed_us));
	assert_non_null(desk.changed_us);
	buf_init(&desk.message, 80 * 1024 * 1024);
	calls = 0;
	fail_at = fail;
	if (!begin(&desk))
		play(&desk);
	desk_stop(&desk);
	return calls >= fail;
}

static void test_each_allocation_fails_once(void **state)
{
	(void)state;
	size_t fail = 1;
	while (run(fail))
		fail++;
	assert_true(fail > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_fails_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
