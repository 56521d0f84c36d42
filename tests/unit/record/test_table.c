/*
 * The table comes from the index where that is good, and from the chunks where it is not.
 */
#include "unit/record/recording.h"

enum { CHUNKS = 9, SIZE = 300 };

static struct auditor auditor, stranger;
static struct seal_recipients *recipients;

static void load(struct table *table, struct scan *scan, const struct buf *file, size_t step)
{
	const int fd = recording_file(file->data, file->len);
	bool done = false;

	assert_ok(scan_init(scan, fd, SCAN_PLACES));
	assert_ok(scan_all(scan));
	assert_ok(table_init(table, scan, auditor.key, auditor.certificate));
	while (!done)
		assert_ok(table_step(table, step, &done));
	close(fd);
}

static void expect_row(const struct table_row *got, const struct table_row *wanted)
{
	assert_int_equal(got->offset, wanted->offset);
	assert_int_equal(got->start_us, wanted->start_us);
	assert_int_equal(got->time_ms, wanted->time_ms);
	assert_int_equal(got->flags, wanted->flags);
	assert_int_equal(got->activity, wanted->activity);
	assert_int_equal(got->events, wanted->events);
}

static void expect_table(const struct recording *recording, const struct buf *file, bool from_index,
			 size_t damaged)
{
	for (size_t step = 1; step < 20; step += 6) {
		struct table table;
		struct scan scan;
		load(&table, &scan, file, step);
		assert_int_equal(table.count, recording->count);
		assert_int_equal(table.from_index, from_index);
		assert_int_equal(table.damaged, damaged);
		for (size_t i = 0; i < table.count && !damaged; i++)
			expect_row(&table.rows[i], &recording->rows[i]);
		table_finish(&table);
		scan_finish(&scan);
	}
}

static void rows_come_out_as_they_went_in(void **state)
{
	const struct table_row row = { .offset = UINT64_C(0x0102030405060708),
				       .start_us = UINT64_C(0x1112131415161718),
				       .time_ms = UINT64_C(0x2122232425262728),
				       .flags = 0x31323334,
				       .activity = 0x41424344,
				       .events = 0x5152 };
	static const uint8_t wanted[TABLE_ROW] =
		"\x08\x07\x06\x05\x04\x03\x02\x01\x18\x17\x16\x15\x14\x13\x12\x11"
		"\x28\x27\x26\x25\x24\x23\x22\x21\x34\x33\x32\x31\x44\x43\x42\x41\x52\x51";
	uint8_t bytes[TABLE_ROW];
	struct table_row again;

	(void)state;
	table_put_row(&row, bytes);
	assert_memory_equal(bytes, wanted, TABLE_ROW);
	table_get_row(bytes, &again);
	expect_row(&again, &row);
}

static void the_index_is_used(void **state)
{
	struct recording recording;

	(void)state;
	recording_init(&recording, 1, recipients);
	recording_make(&recording, CHUNKS, SIZE);
	assert_int_equal(recording.rows[3].activity, SIZE + 2);
	assert_int_equal(recording.rows[3].events, 1);
	expect_table(&recording, &recording.file, true, 0);
	recording_finish(&recording);
}

static void without_an_index_it_is_made_anew(void **state)
{
	struct recording recording;

	(void)state;
	recording_init(&recording, 1, recipients);
	for (size_t i = 0; i < CHUNKS; i++)
		recording_add(&recording, SIZE, 0);
	expect_table(&recording, &recording.file, false, 0);
	recording_finish(&recording);
}

static void a_recording_of_one_chunk_or_none(void **state)
{
	struct recording recording;

	(void)state;
	recording_init(&recording, 1, recipients);
	expect_table(&recording, &recording.file, false, 0);
	recording_make(&recording, 1, SIZE);
	expect_table(&recording, &recording.file, true, 0);
	recording_finish(&recording);
}

/* The rows before the last chunk are changed in one field each. */
static void an_index_that_does_not_fit_is_not_used(void **state)
{
	(void)state;
	for (int wrong = 0; wrong < 3; wrong++) {
		struct recording recording;
		recording_init(&recording, 1, recipients);
		for (size_t i = 0; i < CHUNKS; i++)
			recording_add(&recording, SIZE, 0);
		const struct table_row was = recording.rows[4];
		const size_t count = recording.count;
		if (wrong == 0)
			recording.rows[4].offset++;
		if (wrong == 1)
			recording.rows[4].start_us = recording.rows[3].start_us - 1;
		if (wrong == 2)
			recording.rows[4].time_ms = CHUNK_TIME_MAX + 1;
		recording_add(&recording, SIZE, CHUNK_LAST);
		assert_int_equal(recording.count, count + 1);
		recording.rows[4] = was;
		expect_table(&recording, &recording.file, false, 0);
		recording_finish(&recording);
	}
}

/* A chunk of a part of an index. */
static void add_part(struct recording *recording, const uint8_t *data, size_t len, bool more)
{
	const struct chunk_head head = recording_head(recording);
	struct chunk_writer writer;
	const uint8_t *plain;
	size_t size;

	chunk_writer_init(&writer);
	assert_ok(chunk_writer_begin(&writer, &head));
	record_add(&writer, RECORD_INDEX, data, len);
	writer.plain.data[CHUNK_HEAD + 2] = more ? RECORD_MORE : 0;
	assert_ok(chunk_writer_end(&writer, more ? 0 : CHUNK_LAST, &plain, &size));
	assert_ok(table_row_of(plain, size, recording->file.len, &recording->figures,
			       &recording->rows[recording->count]));
	recording_add_plain(recording, plain, size);
	chunk_writer_finish(&writer);
}

static void an_index_may_go_over_chunks(void **state)
{
	(void)state;
	for (int wrong = 0; wrong < 4; wrong++) {
		struct recording recording;
		struct buf index;
		recording_init(&recording, 1, recipients);
		buf_init(&index, 1024 * 1024);
		for (size_t i = 0; i < CHUNKS; i++)
			recording_add(&recording, SIZE, 0);
		assert_ok(table_put_index(recording.rows, CHUNKS, &index));
		if (wrong == 1)
			index.data[0]--; /* one row fewer than there are chunks before it */
		/* In its count, within a row, and in the last piece. */
		add_part(&recording, index.data, 3, wrong != 2);
		add_part(&recording, index.data + 3, 100, true);
		add_part(&recording, index.data + 103, index.len - 103, wrong == 3);
		expect_table(&recording, &recording.file, !wrong, 0);
		buf_finish(&index);
		recording_finish(&recording);
	}
}

/* The table as whoever does not believe the index makes it. */
static enum err load_distrusted(struct table *table, struct scan *scan, const struct buf *file,
				bool changed)
{
	const int fd = recording_file(file->data, file->len);
	enum err err = OK;
	bool done = false;

	assert_ok(scan_init(scan, fd, SCAN_PLACES));
	assert_ok(scan_all(scan));
	assert_ok(table_init(table, scan, auditor.key, auditor.certificate));
	table_distrust(table, changed);
	while (!err && !done)
		err = table_step(table, 3, &done);
	return err;
}

/* What nothing proves may lie about chunks that are good. */
static void a_distrusted_index_is_not_used(void **state)
{
	struct recording recording;
	struct table_row right;
	struct table table;
	struct scan scan;

	(void)state;
	recording_init(&recording, 1, recipients);
	for (size_t i = 0; i < CHUNKS; i++)
		recording_add(&recording, SIZE, 0);
	right = recording.rows[2];
	recording.rows[2].start_us = recording.rows[1].start_us;
	recording_add(&recording, SIZE, CHUNK_LAST);
	expect_table(&recording, &recording.file, true, 0);
	assert_ok(load_distrusted(&table, &scan, &recording.file, false));
	assert_false(table.from_index);
	expect_row(&table.rows[2], &right);
	table_finish(&table);
	scan_finish(&scan);
	recording_finish(&recording);
}

/* One that somebody put before the others, sealed to himself alone. */
static void a_first_chunk_for_others_hides_no_others(void **state)
{
	struct recording recording;
	struct table table;
	struct scan scan;

	(void)state;
	recording_init(&recording, 1, recipients_of(&stranger, 1));
	recording_add(&recording, SIZE, 0);
	seal_recipients_free(recording.recipients);
	recording.recipients = recipients;
	for (size_t i = 1; i < CHUNKS; i++)
		recording_add(&recording, SIZE, 0);
	for (int changed = 0; changed < 2; changed++) {
		assert_err(load_distrusted(&table, &scan, &recording.file, changed),
			   changed ? OK : ERR_DENIED);
		if (changed)
			expect_row(&table.rows[2], &recording.rows[2]);
		table_finish(&table);
		scan_finish(&scan);
	}
	recording_finish(&recording);
}

static void an_index_may_come_in_crumbs(void **state)
{
	enum { CRUMB = 7 };
	struct recording recording;
	struct buf index;

	(void)state;
	recording_init(&recording, 1, recipients);
	buf_init(&index, 1024 * 1024);
	for (size_t i = 0; i < CHUNKS; i++)
		recording_add(&recording, SIZE, 0);
	assert_ok(table_put_index(recording.rows, CHUNKS, &index));
	for (size_t at = 0; at < index.len; at += CRUMB)
		add_part(&recording, index.data + at, MIN((size_t)CRUMB, index.len - at),
			 at + CRUMB < index.len);
	expect_table(&recording, &recording.file, true, 0);
	buf_finish(&index);
	recording_finish(&recording);
}

static void what_cannot_be_opened_is_skipped(void **state)
{
	struct recording recording;
	struct table table;
	struct scan scan;

	(void)state;
	recording_init(&recording, 1, recipients);
	for (size_t i = 0; i < CHUNKS; i++)
		recording_add(&recording, SIZE, 0);
	recording.file.data[recording.offsets[4] - 1] ^= 1;
	expect_table(&recording, &recording.file, false, 1);
	load(&table, &scan, &recording.file, 3);
	assert_int_equal(table.rows[3].offset, recording.offsets[3]);
	assert_int_equal(table.rows[3].start_us, recording.rows[2].start_us);
	assert_int_equal(table.rows[3].activity, 0);
	expect_row(&table.rows[4], &recording.rows[4]);
	table_finish(&table);
	scan_finish(&scan);
	recording_finish(&recording);
}

/* A worker that somebody broke into seals what it likes: the rest can be played all the same. */
static void what_goes_back_in_time_is_skipped(void **state)
{
	struct recording recording;
	struct table table;
	struct scan scan;

	(void)state;
	recording_init(&recording, 1, recipients);
	for (size_t i = 0; i < CHUNKS; i++) {
		struct chunk_head head = recording_head(&recording);
		if (i == 4)
			head.start_us = 7;
		recording_add_as(&recording, &head, SIZE, 0);
	}
	expect_table(&recording, &recording.file, false, 1);
	load(&table, &scan, &recording.file, 3);
	assert_int_equal(table.rows[4].offset, recording.offsets[4]);
	assert_int_equal(table.rows[4].start_us, recording.rows[3].start_us);
	expect_row(&table.rows[5], &recording.rows[5]);
	table_finish(&table);
	scan_finish(&scan);
	recording_finish(&recording);
}

static void another_key_opens_no_table(void **state)
{
	struct recording recording;
	struct table table;
	struct scan scan;
	bool done = false;

	(void)state;
	recording_init(&recording, 1, recipients);
	recording_make(&recording, CHUNKS, SIZE);
	const int fd = recording_file(recording.file.data, recording.file.len);
	assert_ok(scan_init(&scan, fd, SCAN_PLACES));
	assert_ok(scan_all(&scan));
	assert_ok(table_init(&table, &scan, stranger.key, stranger.certificate));
	assert_err(table_step(&table, 100, &done), ERR_DENIED);
	assert_false(done);
	table_finish(&table);
	scan_finish(&scan);
	close(fd);
	recording_finish(&recording);
}

static int make_people(void **state)
{
	(void)state;
	auditor = auditor_make();
	stranger = auditor_make();
	recipients = recipients_of(&auditor, 1);
	return 0;
}

static int free_people(void **state)
{
	(void)state;
	seal_recipients_free(recipients);
	auditor_free(&auditor);
	auditor_free(&stranger);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_out_as_they_went_in),
		cmocka_unit_test(the_index_is_used),
		cmocka_unit_test(without_an_index_it_is_made_anew),
		cmocka_unit_test(a_recording_of_one_chunk_or_none),
		cmocka_unit_test(an_index_that_does_not_fit_is_not_used),
		cmocka_unit_test(an_index_may_go_over_chunks),
		cmocka_unit_test(a_distrusted_index_is_not_used),
		cmocka_unit_test(a_first_chunk_for_others_hides_no_others),
		cmocka_unit_test(an_index_may_come_in_crumbs),
		cmocka_unit_test(what_cannot_be_opened_is_skipped),
		cmocka_unit_test(what_goes_back_in_time_is_skipped),
		cmocka_unit_test(another_key_opens_no_table),
	};

	return cmocka_run_group_tests(tests, make_people, free_people);
}
