/*
 * What is put into chunks comes out of them again, and nothing that breaks the format is read.
 */
#include "unit/record/recording.h"

#include <stdlib.h>

#include "record/bytes.h"
#include "record/chunk.h"
#include "wire/wire.h"

static const struct chunk_head first = { .time_ms = 1800000000000, .start_us = 7 };

/* A chunk of one META record. */
static size_t plain_of(uint8_t *plain, size_t room, const struct chunk_head *head)
{
	struct chunk_writer writer;
	const uint8_t *data;
	size_t len;

	chunk_writer_init(&writer);
	assert_int_equal(chunk_writer_begin(&writer, head), OK);
	record_add(&writer, head->sequence ? RECORD_SENT : RECORD_META, "{}", 2);
	assert_int_equal(chunk_writer_end(&writer, head->flags, &data, &len), OK);
	assert_true(len <= room);
	memcpy(plain, data, len);
	chunk_writer_finish(&writer);
	return len;
}

static void the_frame_is_the_one_of_the_wire(void **state)
{
	struct chunk_figures figures = { 0 };
	uint8_t frame[8];

	(void)state;
	put_u16(frame, MSG_frame);
	chunk_figures_add(&figures,
			  &(struct record){ .kind = RECORD_SENT, .data = frame, .len = 8 });
	put_u16(frame, MSG_cursor);
	chunk_figures_add(&figures,
			  &(struct record){ .kind = RECORD_SENT, .data = frame, .len = 8 });
	assert_int_equal(figures.activity, 8);
}

static void a_header_comes_out_as_it_went_in(void **state)
{
	struct chunk_head head = { .sequence = 999999,
				   .time_ms = 1800000000123,
				   .start_us = 987654321,
				   .flags = CHUNK_KEY | CHUNK_LAST };
	struct chunk_reader reader;
	uint8_t plain[256];

	(void)state;
	memset(head.session, 0xab, sizeof(head.session));
	memset(head.previous, 0xcd, sizeof(head.previous));
	const size_t len = plain_of(plain, sizeof(plain), &head);
	assert_int_equal(chunk_parse(plain, len, &reader), OK);
	assert_memory_equal(reader.head.session, head.session, sizeof(head.session));
	assert_memory_equal(reader.head.previous, head.previous, sizeof(head.previous));
	assert_int_equal(reader.head.sequence, head.sequence);
	assert_int_equal(reader.head.time_ms, head.time_ms);
	assert_int_equal(reader.head.start_us, head.start_us);
	assert_int_equal(reader.head.flags, head.flags);
}

/* docs/recording.md, byte by byte. */
static void the_bytes_are_those_of_the_format(void **state)
{
	static const uint8_t tail[] = { 1, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, '{', '}' };
	uint8_t wanted[84 + sizeof(tail)] = "SKREC001", plain[256];
	struct chunk_head head = first;

	(void)state;
	head.flags = CHUNK_LAST;
	memset(head.session, 0x11, 16);
	memset(wanted + 8, 0x11, 16);
	memcpy(wanted + 32, "\x00\x50\x5c\x18\xa3\x01", 6);
	wanted[40] = 7;
	wanted[80] = 2;
	memcpy(wanted + 84, tail, sizeof(tail));
	assert_int_equal(CHUNK_HEAD, 84);
	assert_int_equal(plain_of(plain, sizeof(plain), &head), sizeof(wanted));
	assert_memory_equal(plain, wanted, sizeof(wanted));
}

static const struct {
	const char *what;
	size_t at;
	uint8_t value;
} wrong[] = {
	{ "magic", 7, '2' },
	{ "sequence over the limit", 26, 0x10 },
	{ "sequence in its highest byte", 31, 1 },
	{ "time that JavaScript cannot count", 38, 0x20 },
	{ "start that JavaScript cannot count", 46, 0x20 },
	{ "flag of the chunk", 80, 4 },
	{ "flag of the chunk in its highest byte", 83, 0x80 },
	{ "kind 0", 84, 0 },
	{ "kind 7", 84, 7 },
	{ "viewer 4", 85, 4 },
	{ "flag of the record", 86, 2 },
	{ "flag of the record, high byte", 87, 1 },
	{ "record over an hour late", 91, 0xd7 },
	{ "record longer than what is left", 92, 3 },
	{ "record shorter than what is left", 92, 1 },
	{ "record of 4 GB", 95, 0xff },
	{ "the first chunk begins without its meta", 84, 2 },
	{ "meta in pieces", 86, 1 },
};

static void what_breaks_the_format_is_refused(void **state)
{
	struct chunk_reader reader;
	uint8_t plain[256];

	(void)state;
	const size_t len = plain_of(plain, sizeof(plain), &first);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		uint8_t changed[256];
		memcpy(changed, plain, len);
		changed[wrong[i].at] = wrong[i].value;
		if (chunk_parse(changed, len, &reader) != ERR_PROTOCOL)
			fail_msg("%s", wrong[i].what);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(chunk_parse(plain, cut, &reader), ERR_PROTOCOL);
	assert_int_equal(chunk_parse(plain, len, &reader), OK);
}

static void meta_comes_once(void **state)
{
	struct chunk_head second = first;
	struct chunk_reader reader;
	uint8_t plain[256];

	(void)state;
	second.sequence = 1;
	size_t len = plain_of(plain, sizeof(plain), &second);
	assert_int_equal(chunk_parse(plain, len, &reader), OK);
	plain[CHUNK_HEAD] = RECORD_META;
	assert_int_equal(chunk_parse(plain, len, &reader), ERR_PROTOCOL);

	len = plain_of(plain, sizeof(plain), &first);
	memcpy(plain + len, plain + CHUNK_HEAD, len - CHUNK_HEAD);
	assert_int_equal(chunk_parse(plain, 2 * len - CHUNK_HEAD, &reader), ERR_PROTOCOL);
}

static void a_chunk_has_a_size(void **state)
{
	uint8_t *plain = calloc(1, CHUNK_MAX + RECORD_HEAD);
	struct chunk_reader reader;

	(void)state;
	assert_non_null(plain);
	size_t len = plain_of(plain, CHUNK_MAX, &first);
	for (; len + RECORD_HEAD <= CHUNK_MAX; len += RECORD_HEAD)
		plain[len] = RECORD_SENT;
	assert_int_equal(chunk_parse(plain, len, &reader), OK);
	plain[len] = RECORD_SENT;
	assert_int_equal(chunk_parse(plain, len + RECORD_HEAD, &reader), ERR_PROTOCOL);
	free(plain);
}

static void a_record_has_a_size(void **state)
{
	const size_t size = CHUNK_HEAD + 2 * RECORD_HEAD + 2 + RECORD_MAX + 1;
	uint8_t *plain = calloc(1, size);
	struct chunk_reader reader;

	(void)state;
	assert_non_null(plain);
	size_t len = plain_of(plain, size, &first);
	plain[len] = RECORD_SENT;
	put_u32(plain + len + 8, RECORD_MAX);
	assert_err(chunk_parse(plain, size - 1, &reader), OK);
	put_u32(plain + len + 8, RECORD_MAX + 1);
	assert_err(chunk_parse(plain, size, &reader), ERR_PROTOCOL);
	free(plain);
}

static void a_writer_says_what_it_cannot(void **state)
{
	struct record record = { .kind = RECORD_SENT, .data = (const uint8_t *)"xy", .len = 2 };
	struct chunk_head head = first;
	struct chunk_writer writer;
	const uint8_t *plain;
	size_t taken = 77, len;

	(void)state;
	chunk_writer_init(&writer);
	assert_false(chunk_writer_is_begun(&writer));
	assert_false(chunk_writer_is_due(&writer, UINT64_MAX));
	assert_int_equal(chunk_writer_add(&writer, &record, &taken), ERR_WRONG_STATE);
	assert_int_equal(chunk_writer_end(&writer, 0, &plain, &len), ERR_WRONG_STATE);
	head.sequence = CHUNK_COUNT_MAX;
	assert_int_equal(chunk_writer_begin(&writer, &head), ERR_INVALID);
	head = first;
	head.time_ms = CHUNK_TIME_MAX + 1;
	assert_int_equal(chunk_writer_begin(&writer, &head), ERR_INVALID);
	head = first;
	head.start_us = CHUNK_TIME_MAX;
	assert_int_equal(chunk_writer_begin(&writer, &head), ERR_INVALID);
	assert_int_equal(chunk_writer_begin(&writer, &first), OK);
	assert_int_equal(chunk_writer_begin(&writer, &first), ERR_WRONG_STATE);
	record.kind = 0;
	assert_int_equal(chunk_writer_add(&writer, &record, &taken), ERR_INVALID);
	record.kind = RECORD_INDEX + 1;
	assert_int_equal(chunk_writer_add(&writer, &record, &taken), ERR_INVALID);
	record.kind = RECORD_SENT;
	record.viewer = RECORD_VIEWERS;
	assert_int_equal(chunk_writer_add(&writer, &record, &taken), ERR_INVALID);
	record.viewer = 0;
	record.len = 0;
	assert_int_equal(chunk_writer_add(&writer, &record, &taken), ERR_INVALID);
	record.len = 2;
	record.at_us = first.start_us + CHUNK_DELTA_MAX_US + 1;
	assert_int_equal(chunk_writer_add(&writer, &record, &taken), ERR_INVALID);
	assert_int_equal(taken, 77);
	chunk_writer_finish(&writer);
}

static void a_chunk_is_due_by_size_or_age(void **state)
{
	static uint8_t data[CHUNK_CLOSE_BYTES];
	struct chunk_writer writer;

	(void)state;
	chunk_writer_init(&writer);
	assert_int_equal(chunk_writer_begin(&writer, &first), OK);
	assert_false(chunk_writer_is_due(&writer, 0));
	assert_false(chunk_writer_is_due(&writer, first.start_us + CHUNK_CLOSE_US - 1));
	assert_true(chunk_writer_is_due(&writer, first.start_us + CHUNK_CLOSE_US));
	record_add(&writer, RECORD_SENT, data, CHUNK_CLOSE_BYTES - CHUNK_HEAD - RECORD_HEAD - 1);
	assert_false(chunk_writer_is_due(&writer, first.start_us));
	record_add(&writer, RECORD_SENT, data, 1);
	assert_true(chunk_writer_is_due(&writer, first.start_us));
	chunk_writer_finish(&writer);
}

/* ---- random records in, the same out ---------------------------------------------------- */

enum { RANDOM_RECORDS = 400 };

struct story {
	struct record records[RANDOM_RECORDS];
	struct chunk_writer writer;
	struct record_joiner joiner;
	size_t read, chunks;
	uint64_t now_us;
};

static size_t random_below(size_t limit)
{
	uint32_t value;

	util_random(&value, sizeof(value));
	return value % limit;
}

static void make_record(struct story *story, size_t number)
{
	static const size_t most[] = { 20, 20, 5000, 5000, 300000, 3 * RECORD_MAX };
	struct record *record = &story->records[number];
	/* All sizes, and often those at the edges. */
	size_t len = 1 + random_below(most[random_below(number % 16 ? 5 : 6)]);
	if (random_below(40) == 0)
		len = RECORD_MAX + random_below(3) - 1;
	uint8_t *data = malloc(len);

	assert_non_null(data);
	util_random(data, len);
	*record = (struct record){ .kind = number ? RECORD_SENT + random_below(4) : RECORD_META,
				   .viewer = (uint8_t)random_below(RECORD_VIEWERS),
				   .at_us = story->now_us,
				   .data = data,
				   .len = number ? len : MIN(len, (size_t)100) };
	story->now_us += random_below(400000);
}

static void read_chunk(struct story *story, uint32_t flags)
{
	const uint8_t *plain;
	struct chunk_reader reader;
	struct record piece, whole;
	bool is_whole;
	size_t len;

	assert_int_equal(chunk_writer_end(&story->writer, flags, &plain, &len), OK);
	assert_true(len <= CHUNK_MAX);
	assert_int_equal(chunk_parse(plain, len, &reader), OK);
	assert_int_equal(reader.head.flags, flags);
	while (chunk_next(&reader, &piece)) {
		assert_true(piece.len <= RECORD_MAX);
		assert_int_equal(record_joiner_add(&story->joiner, &piece, &is_whole, &whole), OK);
		if (!is_whole)
			continue;
		const struct record *wanted = &story->records[story->read++];
		assert_int_equal(whole.kind, wanted->kind);
		assert_int_equal(whole.viewer, wanted->viewer);
		assert_int_equal(whole.at_us, wanted->at_us);
		assert_int_equal(whole.len, wanted->len);
		assert_memory_equal(whole.data, wanted->data, wanted->len);
	}
	story->chunks++;
}

static void begin_chunk(struct story *story)
{
	const struct chunk_head head = { .sequence = story->chunks, .start_us = story->now_us };

	assert_int_equal(chunk_writer_begin(&story->writer, &head), OK);
}

static void write_record(struct story *story, size_t number)
{
	struct record left = story->records[number];

	while (left.len) {
		size_t taken;
		if (!chunk_writer_is_begun(&story->writer))
			begin_chunk(story);
		assert_int_equal(chunk_writer_add(&story->writer, &left, &taken), OK);
		left.data += taken;
		left.len -= taken;
		if (left.len || chunk_writer_is_due(&story->writer, story->now_us))
			read_chunk(story, 0);
	}
}

static void records_come_out_as_they_went_in(void **state)
{
	struct story *story = calloc(1, sizeof(*story));

	(void)state;
	assert_non_null(story);
	chunk_writer_init(&story->writer);
	record_joiner_init(&story->joiner);
	for (size_t i = 0; i < RANDOM_RECORDS; i++) {
		make_record(story, i);
		/* The clock of a record that goes over chunks is the chunk's. */
		story->now_us = story->records[i].at_us;
		write_record(story, i);
		story->now_us += random_below(400000);
	}
	if (chunk_writer_is_begun(&story->writer))
		read_chunk(story, CHUNK_LAST);
	assert_int_equal(story->read, RANDOM_RECORDS);
	assert_true(story->chunks > 20);
	for (size_t i = 0; i < RANDOM_RECORDS; i++)
		free((void *)(uintptr_t)story->records[i].data);
	record_joiner_finish(&story->joiner);
	chunk_writer_finish(&story->writer);
	free(story);
}

static void figures_count_frames_and_events(void **state)
{
	struct chunk_writer writer;
	uint8_t *frame = calloc(1, 3 * RECORD_MAX);
	struct record record = { .kind = RECORD_SENT, .data = frame, .len = 3 * RECORD_MAX };
	size_t taken, len;
	const uint8_t *plain;

	(void)state;
	assert_non_null(frame);
	put_u16(frame, MSG_frame);
	chunk_writer_init(&writer);
	assert_int_equal(chunk_writer_begin(&writer, &first), OK);
	record_add(&writer, RECORD_EVENT, "{}", 2);
	record_add(&writer, RECORD_EVENT, "{}", 2);
	record_add(&writer, RECORD_KEY, frame, 500);
	assert_int_equal(chunk_writer_add(&writer, &record, &taken), OK);
	assert_int_equal(writer.figures.activity, taken);
	assert_int_equal(writer.figures.events, 2);
	assert_int_equal(chunk_writer_end(&writer, 0, &plain, &len), OK);
	/* The rest of a frame begins with anything, and is one all the same. */
	assert_int_equal(chunk_writer_begin(&writer, &first), OK);
	record.data += taken;
	record.len -= taken;
	assert_int_equal(chunk_writer_add(&writer, &record, &taken), OK);
	assert_int_equal(taken, record.len);
	record_add(&writer, RECORD_SENT, "\x04\x08zzz", 5);
	assert_int_equal(writer.figures.activity, taken);
	assert_int_equal(writer.figures.events, 0);
	chunk_writer_finish(&writer);
	free(frame);
}

static void pieces_are_bounded(void **state)
{
	uint8_t *data = calloc(1, RECORD_MAX);
	struct record piece = {
		.kind = RECORD_SENT, .more = true, .data = data, .len = RECORD_MAX
	};
	struct record other = { .kind = RECORD_EVENT, .data = data, .len = 3 }, whole;
	struct record_joiner joiner;
	bool is_whole;

	(void)state;
	assert_non_null(data);
	record_joiner_init(&joiner);
	for (size_t i = 0; i < RECORD_MESSAGE_MAX / RECORD_MAX; i++) {
		piece.viewer = i % RECORD_VIEWERS;
		assert_int_equal(record_joiner_add(&joiner, &piece, &is_whole, &whole), OK);
	}
	assert_int_equal(record_joiner_add(&joiner, &piece, &is_whole, &whole), ERR_TOO_BIG);
	/* What is left of it does not come out as a message of its own. */
	piece.more = false;
	assert_int_equal(record_joiner_add(&joiner, &piece, &is_whole, &whole), OK);
	assert_false(is_whole);
	assert_int_equal(record_joiner_add(&joiner, &piece, &is_whole, &whole), OK);
	assert_true(is_whole);
	assert_int_equal(whole.len, RECORD_MAX);
	assert_int_equal(record_joiner_add(&joiner, &other, &is_whole, &whole), OK);
	assert_true(is_whole && whole.len == 3);
	record_joiner_clear(&joiner);
	assert_int_equal(joiner.held, 0);
	record_joiner_finish(&joiner);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frame_is_the_one_of_the_wire),
		cmocka_unit_test(a_header_comes_out_as_it_went_in),
		cmocka_unit_test(the_bytes_are_those_of_the_format),
		cmocka_unit_test(what_breaks_the_format_is_refused),
		cmocka_unit_test(meta_comes_once),
		cmocka_unit_test(a_chunk_has_a_size),
		cmocka_unit_test(a_record_has_a_size),
		cmocka_unit_test(a_writer_says_what_it_cannot),
		cmocka_unit_test(a_chunk_is_due_by_size_or_age),
		cmocka_unit_test(records_come_out_as_they_went_in),
		cmocka_unit_test(figures_count_frames_and_events),
		cmocka_unit_test(pieces_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
