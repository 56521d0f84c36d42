/*
 * What a vault says is checked: its table, its chunks and their order.
 */
#include "export/source.h"
#include "unit/unit.h"

#include <string.h>

#include "base/util.h"

enum { CHUNKS = 3 };

static struct ports ports;
static struct source source;
static int vault, control, sink;

static int set_up(void **state)
{
	int a[2], b[2], c[2];

	(void)state;
	if (ipc_pair(a) || ipc_pair(b) || ipc_pair(c))
		return -1;
	ports_init(&ports, a[0]);
	ports.source = b[0];
	ports.sink = c[0];
	control = a[1];
	vault = b[1];
	sink = c[1];
	source_init(&source, &ports);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	source_finish(&source);
	ports_finish(&ports);
	util_closep(&vault);
	util_closep(&control);
	util_closep(&sink);
	return 0;
}

static void say(uint16_t id, const void *msg)
{
	assert_ok(ipc_send(vault, id, msg, -1));
}

static void say_info(uint32_t chunks)
{
	say(MSG_play_info,
	    &(struct msg_play_info){
		    .version = 1, .session = { 7 }, .chunks = chunks, .verdict = VERDICT_GREEN });
}

/* Chunk i begins at i × step seconds. */
static void say_rows(uint32_t first, size_t count, int64_t step)
{
	uint8_t rows[2 * CHUNKS * TABLE_ROW];

	for (size_t i = 0; i < count; i++) {
		const struct table_row row = {
			.start_us = (uint64_t)((step < 0 ? 9000000 : 1000000) +
					       (int64_t)(first + i) * step * 1000000),
			.flags = (first + i) % 2 ? 0 : CHUNK_KEY,
		};
		table_put_row(&row, rows + i * TABLE_ROW);
	}
	say(MSG_play_table,
	    &(struct msg_play_table){ .first = first, .rows = { rows, count * TABLE_ROW } });
}

static void begin(void)
{
	say_info(CHUNKS);
	say_rows(0, CHUNKS, 1);
	assert_ok(source_begin(&source));
}

static void the_table_comes_in_parts(void **state)
{
	(void)state;
	say_info(CHUNKS);
	say_rows(0, 1, 1);
	say_rows(1, 2, 1);
	assert_ok(source_begin(&source));
	assert_int_equal(source.count, CHUNKS);
	assert_int_equal(source.verdict, VERDICT_GREEN);
	assert_int_equal(source_key_before(&source, 0), 0);
	assert_int_equal(source_key_before(&source, 2999999), 0);
	assert_int_equal(source_key_before(&source, 3000000), 2);
}

static void rows_before_info(void)
{
	say_rows(0, CHUNKS, 1);
}

static void rows_with_a_gap(void)
{
	say_info(CHUNKS);
	say_rows(1, 2, 1);
}

static void more_rows_than_chunks(void)
{
	say_info(CHUNKS);
	say_rows(0, CHUNKS + 1, 1);
}

static void times_that_go_back(void)
{
	say_info(CHUNKS);
	say_rows(0, CHUNKS, -1);
}

static void no_chunks(void)
{
	say_info(0);
}

static void too_many_chunks(void)
{
	say_info(CHUNK_COUNT_MAX + 1);
}

static void another_version(void)
{
	say(MSG_play_info, &(struct msg_play_info){ .version = 2, .chunks = 1 });
}

static void wrong_tables_are_refused(void **state)
{
	static void (*const wrong[])(void) = {
		rows_before_info, rows_with_a_gap, more_rows_than_chunks, times_that_go_back,
		no_chunks,        too_many_chunks, another_version,
	};

	tear_down(state);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(set_up(state), 0);
		wrong[i]();
		assert_err(source_begin(&source), ERR_PROTOCOL);
		tear_down(state);
	}
	assert_int_equal(set_up(state), 0);
}

static void a_verdict_that_is_none_is_red(void **state)
{
	(void)state;
	say(MSG_play_info, &(struct msg_play_info){ .version = 1, .chunks = 1, .verdict = 9 });
	say_rows(0, 1, 1);
	assert_ok(source_begin(&source));
	assert_int_equal(source.verdict, VERDICT_RED);
}

static void refusals_say_why(void **state)
{
	(void)state;
	say(MSG_play_error, &(struct msg_play_error){ .error = PLAY_SEALED });
	assert_err(source_begin(&source), ERR_DENIED);
	assert_int_equal(source.why, PLAY_SEALED);
}

/* A chunk's plaintext with one event. */
static void make_chunk(struct chunk_writer *writer, uint64_t sequence, uint8_t session,
		       uint64_t start_us, const uint8_t **ret, size_t *ret_len)
{
	const struct chunk_head head = { .session = { session },
					 .sequence = sequence,
					 .start_us = start_us };
	const struct record record = { .kind = sequence ? RECORD_EVENT : RECORD_META,
				       .at_us = start_us,
				       .data = (const uint8_t *)"{}",
				       .len = 2 };
	size_t taken;

	chunk_writer_init(writer);
	assert_ok(chunk_writer_begin(writer, &head));
	assert_ok(chunk_writer_add(writer, &record, &taken));
	assert_ok(chunk_writer_end(writer, 0, ret, ret_len));
}

/* In two pieces. */
static void say_chunk(uint64_t sequence, uint8_t session, uint64_t start_us)
{
	struct chunk_writer writer;
	const uint8_t *plain;
	size_t len;

	make_chunk(&writer, sequence, session, start_us, &plain, &len);
	struct msg_play_data data = { .sequence = (uint32_t)sequence,
				      .total = (uint32_t)len,
				      .data = { plain, 10 } };
	say(MSG_play_data, &data);
	data.offset = 10;
	data.data = (struct bytes){ plain + 10, len - 10 };
	say(MSG_play_data, &data);
	chunk_writer_finish(&writer);
}

static void chunks_come_in_order(void **state)
{
	struct chunk_reader reader;
	bool damaged;

	(void)state;
	begin();
	say_chunk(0, 7, 1000000);
	assert_ok(source_next(&source, &reader, &damaged));
	assert_false(damaged);
	assert_int_equal(reader.head.sequence, 0);
	say(MSG_play_error, &(struct msg_play_error){ .error = PLAY_DAMAGED, .detail = "1" });
	assert_ok(source_next(&source, &reader, &damaged));
	assert_true(damaged);
	say_chunk(2, 7, 3000000);
	assert_ok(source_next(&source, &reader, &damaged));
	assert_false(damaged);
	assert_err(source_next(&source, &reader, &damaged), ERR_NOT_FOUND);
	/* Back: what was asked for is not asked for again until then. */
	assert_ok(source_seek(&source, 2));
	say_chunk(2, 7, 3000000);
	assert_ok(source_next(&source, &reader, &damaged));
	assert_false(damaged);
}

static void chunks_from_elsewhere_are_damaged(void **state)
{
	struct chunk_reader reader;
	bool damaged;

	(void)state;
	begin();
	say_chunk(0, 8, 1000000); /* another session */
	assert_ok(source_next(&source, &reader, &damaged));
	assert_true(damaged);
}

static void another_time_than_the_tables(void **state)
{
	struct chunk_reader reader;
	bool damaged;

	(void)state;
	begin();
	say_chunk(0, 7, 1000001);
	assert_ok(source_next(&source, &reader, &damaged));
	assert_true(damaged);
}

static void pieces_out_of_order(void **state)
{
	const uint8_t bytes[8] = { 0 };
	struct msg_play_data data = { .total = 8, .data = { bytes, 4 }, .offset = 4 };
	struct chunk_reader reader;
	bool damaged;

	(void)state;
	begin();
	say(MSG_play_data, &data);
	assert_err(source_next(&source, &reader, &damaged), ERR_PROTOCOL);
	data.offset = 0;
	data.total = 3;
	say(MSG_play_data, &data);
	assert_err(source_next(&source, &reader, &damaged), ERR_PROTOCOL);
	data.total = CHUNK_MAX + 1;
	say(MSG_play_data, &data);
	assert_err(source_next(&source, &reader, &damaged), ERR_PROTOCOL);
	say(MSG_play_error, &(struct msg_play_error){ .error = PLAY_DAMAGED, .detail = "2" });
	assert_err(source_next(&source, &reader, &damaged), ERR_PROTOCOL);
	say(MSG_play_error, &(struct msg_play_error){ .error = PLAY_ENDED });
	assert_err(source_next(&source, &reader, &damaged), ERR_DENIED);
}

static void whoever_goes_ends_it(void **state)
{
	struct chunk_reader reader;
	bool damaged;
	int *const ends[] = { &vault, &control, &sink };

	tear_down(state);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		assert_int_equal(set_up(state), 0);
		begin();
		close(*ends[i]);
		*ends[i] = -1;
		assert_err(source_next(&source, &reader, &damaged), ERR_CLOSED);
		tear_down(state);
	}
	assert_int_equal(set_up(state), 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_table_comes_in_parts),      test(wrong_tables_are_refused),
		test(a_verdict_that_is_none_is_red), test(refusals_say_why),
		test(chunks_come_in_order),          test(chunks_from_elsewhere_are_damaged),
		test(another_time_than_the_tables),  test(pieces_out_of_order),
		test(whoever_goes_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
