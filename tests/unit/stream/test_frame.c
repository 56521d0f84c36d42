#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "wire/wire.h"
#include "worker/stream/frame.h"

struct bench {
	struct surface surface;
	struct frame_source source;
	struct buf message;
	union wire_any any;
};

static void bench_start(struct bench *bench, unsigned width, unsigned height)
{
	surface_init(&bench->surface);
	assert_ok(surface_resize(&bench->surface, width, height));
	assert_ok(frame_source_init(&bench->source, &bench->surface));
	assert_ok(frame_source_resize(&bench->source));
	buf_init(&bench->message, 80 * 1024 * 1024);
}

static void bench_stop(struct bench *bench)
{
	frame_source_finish(&bench->source);
	surface_finish(&bench->surface);
	buf_finish(&bench->message);
}

static const struct msg_frame *next(struct bench *bench, uint32_t sequence)
{
	const struct wire_type *type;
	bool empty;
	buf_clear(&bench->message);
	assert_ok(frame_next(&bench->source, sequence, 77, &bench->message, &empty));
	if (empty) {
		assert_int_equal(bench->message.len, 0);
		return NULL;
	}
	assert_ok(wire_decode(bench->message.data, bench->message.len, &type, &bench->any));
	assert_int_equal(type->id, MSG_frame);
	const struct msg_frame *frame = &bench->any.frame;
	assert_int_equal(frame->sequence, sequence);
	assert_int_equal(frame->time_us, 77);
	assert_int_equal(frame->width, bench->surface.width);
	assert_int_equal(frame->height, bench->surface.height);
	assert_int_equal(frame->copies.len, 0);
	assert_int_equal(frame->rects.len % 8, 0);
	assert_int_equal(ZSTD_getFrameContentSize(frame->data.data, frame->data.len),
			 frame->raw_size);
	return frame;
}

static unsigned rect_field(const struct msg_frame *frame, size_t rect, size_t field)
{
	const uint8_t *at = frame->rects.data + rect * 8 + field * 2;
	return (unsigned)(at[0] | at[1] << 8);
}

static void test_first_is_a_keyframe_then_only_changes(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 200, 100);
	const struct msg_frame *frame = next(&bench, 1);
	assert_non_null(frame);
	assert_int_equal(frame->keyframe, 1);
	assert_int_equal(frame->raw_size, 200 * 100 * 3);
	damage_hint(&bench.source.damage, 0, 0, 200, 100);
	assert_null(next(&bench, 2));

	bench.surface.data[50 * bench.surface.stride + 4 * 70 + 1] = 9;
	damage_hint(&bench.source.damage, 70, 50, 1, 1);
	frame = next(&bench, 2);
	assert_non_null(frame);
	assert_int_equal(frame->keyframe, 0);
	assert_int_equal(frame->rects.len, 8);
	assert_int_equal(rect_field(frame, 0, 0), 64);
	assert_int_equal(rect_field(frame, 0, 1), 50);
	assert_int_equal(rect_field(frame, 0, 2), 64);
	assert_int_equal(rect_field(frame, 0, 3), 1);

	frame_source_refresh(&bench.source);
	frame = next(&bench, 3);
	assert_non_null(frame);
	assert_int_equal(frame->keyframe, 1);
	bench_stop(&bench);
}

static void test_a_new_size_is_a_keyframe(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 200, 100);
	assert_non_null(next(&bench, 1));
	assert_ok(surface_resize(&bench.surface, 320, 64));
	assert_ok(frame_source_resize(&bench.source));
	const struct msg_frame *frame = next(&bench, 2);
	assert_non_null(frame);
	assert_int_equal(frame->keyframe, 1);
	assert_int_equal(frame->raw_size, 320 * 64 * 3);
	bench_stop(&bench);
}

/* The largest desktop full of noise does not fit into a message: black first, then parts, all of
 * them. */
static void test_a_desktop_of_noise_goes_in_parts(void **state)
{
	(void)state;
	struct bench bench;
	uint32_t random = 1;
	size_t pixels = 0;
	bench_start(&bench, SURFACE_MAX_WIDTH, SURFACE_MAX_HEIGHT);
	for (size_t i = 0; i < bench.surface.size / 4; i++) {
		random = random * 1664525u + 1013904223u;
		((uint32_t *)bench.surface.data)[i] = random ^ random >> 13;
	}
	const struct msg_frame *frame = next(&bench, 1);
	assert_non_null(frame);
	assert_int_equal(frame->keyframe, 1);
	assert_true(frame->data.len < 100000);
	assert_true(damage_waiting(&bench.source.damage));
	for (uint32_t sequence = 2; damage_waiting(&bench.source.damage); sequence++) {
		frame = next(&bench, sequence);
		assert_non_null(frame);
		assert_int_equal(frame->keyframe, 0);
		pixels += frame->raw_size / 3;
	}
	assert_int_equal(pixels, (size_t)SURFACE_MAX_WIDTH * SURFACE_MAX_HEIGHT);
	bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_is_a_keyframe_then_only_changes),
		cmocka_unit_test(test_a_new_size_is_a_keyframe),
		cmocka_unit_test(test_a_desktop_of_noise_goes_in_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
