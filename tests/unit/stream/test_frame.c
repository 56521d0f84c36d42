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
	struct frame_wish wish = { .sequence = sequence, .now_us = 77 };
	bool empty;
	buf_clear(&bench->message);
	assert_ok(frame_next(&bench->source, &wish, &bench->message, &empty));
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
	assert_int_equal(frame->copies.len % 12, 0);
	assert_int_equal(frame->rects.len % 8, 0);
	assert_int_equal(frame->copies.len && frame->keyframe, 0);
	assert_int_equal(frame->rects.len == 0, frame->raw_size == 0);
	assert_int_equal(frame->rects.len == 0, frame->data.len == 0);
	if (frame->rects.len)
		assert_int_equal(ZSTD_getFrameContentSize(frame->data.data, frame->data.len),
				 frame->raw_size);
	return frame;
}

static unsigned field_at(const uint8_t *data, size_t field)
{
	return (unsigned)(data[field * 2] | data[field * 2 + 1] << 8);
}

static unsigned rect_field(const struct msg_frame *frame, size_t rect, size_t field)
{
	return field_at(frame->rects.data + rect * 8, field);
}

static void assert_copy(const struct msg_frame *frame, const unsigned *fields)
{
	assert_int_equal(frame->copies.len, 12);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(field_at(frame->copies.data, i), fields[i]);
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

static void test_what_moves_is_copied(void **state)
{
	(void)state;
	struct bench bench;
	uint32_t random = 1;
	bench_start(&bench, 256, 200);
	for (size_t i = 0; i < bench.surface.size / 4; i++) {
		random = random * 1664525u + 1013904223u;
		((uint32_t *)bench.surface.data)[i] = random >> 8;
	}
	assert_non_null(next(&bench, 1));

	/* Seen: the page is 30 rows further. */
	memmove(bench.surface.data, bench.surface.data + 30 * bench.surface.stride,
		170 * bench.surface.stride);
	memset(bench.surface.data + 170 * bench.surface.stride, 9, 30 * bench.surface.stride);
	damage_hint(&bench.source.damage, 0, 0, 256, 200);
	const struct msg_frame *frame = next(&bench, 2);
	assert_non_null(frame);
	assert_copy(frame, (unsigned[]){ 0, 30, 0, 0, 256, 170 });
	assert_int_equal(frame->raw_size, 256 * 30 * 3);

	/* Said: a part moves to the right, and nothing else. */
	for (size_t y = 20; y < 120; y++)
		memmove(bench.surface.data + y * bench.surface.stride + 77 * 4,
			bench.surface.data + y * bench.surface.stride + 7 * 4, 100 * 4);
	damage_copied(&bench.source.damage, &bench.surface, 7, 20, 77, 20, 100, 100);
	frame = next(&bench, 3);
	assert_non_null(frame);
	assert_copy(frame, (unsigned[]){ 7, 20, 77, 20, 100, 100 });
	assert_int_equal(frame->raw_size, 0);
	assert_null(next(&bench, 4));

	/* Not for one who has nothing. */
	damage_copied(&bench.source.damage, &bench.surface, 7, 20, 77, 20, 100, 100);
	frame_source_refresh(&bench.source);
	frame = next(&bench, 4);
	assert_non_null(frame);
	assert_int_equal(frame->keyframe, 1);
	assert_int_equal(frame->copies.len, 0);
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

/* The sanitizer's, where it is there. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
						       : 0;
}

static void test_the_memory_of_a_large_frame_goes_back(void **state)
{
	(void)state;
	struct bench bench;
	struct frame_wish wish = { .sequence = 2, .now_us = 77 };
	bool empty;
	bench_start(&bench, 1000, 1000);
	assert_non_null(next(&bench, 1));
	size_t before = allocated();
	uint64_t due_us = frame_refresh_us(&bench.source);
	assert_in_range(due_us, 1000000, 5000000);
	for (int i = 0; i < 2; i++) {
		wish.now_us = i ? due_us : due_us - 1;
		buf_clear(&bench.message);
		assert_ok(frame_next(&bench.source, &wish, &bench.message, &empty));
		assert_true(empty);
		assert_int_equal(frame_refresh_us(&bench.source), i ? 0 : due_us);
		if (before)
			assert_int_equal(allocated() + 3 * 1000 * 1000 <= before, i);
	}
	/* The next one is none the worse. */
	frame_source_refresh(&bench.source);
	const struct msg_frame *frame = next(&bench, 3);
	assert_non_null(frame);
	assert_int_equal(frame->raw_size, 3 * 1000 * 1000);
	bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_is_a_keyframe_then_only_changes),
		cmocka_unit_test(test_a_new_size_is_a_keyframe),
		cmocka_unit_test(test_what_moves_is_copied),
		cmocka_unit_test(test_a_desktop_of_noise_goes_in_parts),
		cmocka_unit_test(test_the_memory_of_a_large_frame_goes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
