/*
 * Where the chunks of a file are, and how what follows them is told apart.
 */
#include "unit/record/recording.h"

enum { CHUNKS = 6, SIZE = 700 };

static struct auditor auditor;
static struct seal_recipients *recipients;
static struct recording recording;

static void scan_bytes(const uint8_t *data, size_t len, enum scan_how how, struct scan *ret)
{
	const int fd = recording_file(data, len);

	assert_ok(scan_init(ret, fd, how));
	assert_ok(scan_all(ret));
	close(fd);
	ret->fd = -1;
}

static void expect_first(const struct scan *scan, size_t count)
{
	assert_int_equal(scan->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(scan->chunks[i].offset, recording.offsets[i]);
		assert_int_equal(scan->chunks[i].len,
				 recording.offsets[i + 1] - recording.offsets[i]);
		assert_false(scan->chunks[i].odd);
	}
	assert_int_equal(scan->size, recording.offsets[count]);
	if (count && scan->how == SCAN_HASHES)
		assert_memory_equal(scan->running, recording.marks[count - 1].hash, CHUNK_HASH);
}

static void a_whole_file(void **state)
{
	struct scan scan;

	(void)state;
	scan_bytes(recording.file.data, recording.file.len, SCAN_HASHES, &scan);
	expect_first(&scan, CHUNKS);
	assert_int_equal(scan.end, SCAN_WHOLE);
	scan_finish(&scan);
	scan_bytes(recording.file.data, recording.file.len, SCAN_PLACES, &scan);
	expect_first(&scan, CHUNKS);
	assert_int_equal(scan.end, SCAN_WHOLE);
	scan_finish(&scan);
	scan_bytes((const uint8_t *)"", 0, SCAN_HASHES, &scan);
	expect_first(&scan, 0);
	assert_int_equal(scan.end, SCAN_WHOLE);
	scan_finish(&scan);
}

/* At every byte. */
static void a_cut_file_is_read_up_to_its_last_whole_chunk(void **state)
{
	size_t whole = 0;

	(void)state;
	for (size_t len = 0; len <= recording.file.len; len++) {
		struct scan scan;
		if (len == recording.offsets[whole + 1])
			whole++;
		scan_bytes(recording.file.data, len, SCAN_HASHES, &scan);
		expect_first(&scan, whole);
		assert_int_equal(scan.end, len == recording.offsets[whole] ? SCAN_WHOLE : SCAN_CUT);
		assert_int_equal(scan.resume, 0);
		scan_finish(&scan);
	}
}

/* What a file system leaves that had given blocks but not written them. */
static void zeros_at_the_end_are_a_cut(void **state)
{
	uint8_t *data = calloc(1, recording.file.len + 600000);
	struct scan scan;

	(void)state;
	assert_non_null(data);
	memcpy(data, recording.file.data, recording.offsets[3]);
	for (size_t zeros = 1; zeros <= 600000; zeros = zeros * 7 + 1) {
		scan_bytes(data, recording.offsets[3] + zeros, SCAN_HASHES, &scan);
		expect_first(&scan, 3);
		assert_int_equal(scan.end, SCAN_CUT);
		scan_finish(&scan);
	}
	/* A hole, and chunks again. */
	const size_t from = recording.offsets[3] + 300001;
	memcpy(data + from, recording.file.data + recording.offsets[4],
	       recording.offsets[5] - recording.offsets[4]);
	scan_bytes(data, recording.offsets[3] + 600000, SCAN_HASHES, &scan);
	expect_first(&scan, 3);
	assert_int_equal(scan.end, SCAN_CUT);
	assert_int_equal(scan.resume, from);
	scan_finish(&scan);
	data[from - 1] = 1;
	scan_bytes(data, recording.offsets[3] + 600000, SCAN_HASHES, &scan);
	assert_int_equal(scan.end, SCAN_DAMAGED);
	scan_finish(&scan);
	free(data);
}

/* A crash writes nothing behind what it has cut. */
static void chunks_after_a_gap_are_damage(void **state)
{
	struct scan scan;
	struct buf file;

	(void)state;
	buf_init(&file, 1024 * 1024);
	assert_ok(buf_add(&file, recording.file.data, recording.offsets[2] - 5));
	const size_t resume = file.len;
	assert_ok(buf_add(&file, recording.file.data + recording.offsets[2],
			  recording.file.len - recording.offsets[2]));
	scan_bytes(file.data, file.len, SCAN_HASHES, &scan);
	/* The chunk with the missing end has taken the beginning of the next one for it. */
	assert_int_equal(scan.count, 2);
	assert_int_equal(scan.end, SCAN_DAMAGED);
	assert_int_equal(scan.resume, resume + recording.offsets[3] - recording.offsets[2]);
	scan_finish(&scan);
	buf_finish(&file);
}

/* The beginning of a chunk of 4 MiB. */
static const uint8_t long_head[] = { 0x30, 0x83, 0x3f, 0xff, 0xfb, 0x06, 0x0b, 0x2a, 0x86, 0x48,
				     0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17, 0xa0, 0x83,
				     0x3f, 0xff, 0xe9, 0x30, 0x83, 0x3f, 0xff, 0xe4, 0x02, 0x01 };

/* A length that leads behind the file's end looks like a cut, but not with chunks behind it. */
static void a_false_length_is_damage(void **state)
{
	struct scan scan;
	struct buf file;

	(void)state;
	buf_init(&file, 1024 * 1024);
	assert_ok(buf_add(&file, long_head, sizeof(long_head)));
	assert_ok(buf_add(&file, "0123456789", 10));
	scan_bytes(file.data, file.len, SCAN_HASHES, &scan);
	assert_int_equal(scan.end, SCAN_CUT);
	scan_finish(&scan);
	assert_ok(buf_add(&file, recording.file.data, recording.file.len));
	scan_bytes(file.data, file.len, SCAN_HASHES, &scan);
	assert_int_equal(scan.count, 0);
	assert_int_equal(scan.end, SCAN_DAMAGED);
	assert_int_equal(scan.resume, sizeof(long_head) + 10);
	scan_finish(&scan);
	buf_finish(&file);
}

/* What begins a chunk but does not fit into the file is none to go on from. */
static void only_whole_chunks_are_found_again(void **state)
{
	struct scan scan;
	struct buf file;

	(void)state;
	buf_init(&file, 1024 * 1024);
	assert_ok(buf_add(&file, "garbage", 7));
	assert_ok(buf_add(&file, long_head, sizeof(long_head)));
	scan_bytes(file.data, file.len, SCAN_HASHES, &scan);
	assert_int_equal(scan.end, SCAN_DAMAGED);
	assert_int_equal(scan.resume, 0);
	scan_finish(&scan);
	buf_finish(&file);
}

static void an_odd_chunk_is_marked(void **state)
{
	_cleanup_free_ uint8_t *changed = malloc(recording.file.len);
	struct scan scan;

	(void)state;
	assert_non_null(changed);
	memcpy(changed, recording.file.data, recording.file.len);
	changed[recording.offsets[3] - 17] = 15; /* the tag's length */
	scan_bytes(changed, recording.file.len, SCAN_HASHES, &scan);
	assert_int_equal(scan.count, CHUNKS);
	for (size_t i = 0; i < CHUNKS; i++)
		assert_int_equal(scan.chunks[i].odd, i == 2);
	scan_finish(&scan);
}

/* Over pieces of what is searched, too. */
static void chunks_are_found_again_wherever_they_are(void **state)
{
	static const size_t gaps[] = { 1,          31,     33,         262144 - 40, 262144 - 31,
				       262144 - 1, 262144, 262144 + 1, 262144 + 30, 600000 };
	const size_t len = recording.offsets[1];
	uint8_t *data = malloc(2 * len + 600000);

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		struct scan scan;
		memcpy(data, recording.file.data, len);
		memset(data + len, 0x30, gaps[i]);
		memcpy(data + len + gaps[i], recording.file.data, len);
		scan_bytes(data, 2 * len + gaps[i], SCAN_HASHES, &scan);
		expect_first(&scan, 1);
		assert_int_equal(scan.end, SCAN_DAMAGED);
		assert_int_equal(scan.resume, len + gaps[i]);
		scan_finish(&scan);
	}
	free(data);
}

static void steps_come_to_the_same_end(void **state)
{
	struct scan scan;
	bool done = false;
	size_t steps = 0;

	(void)state;
	const int fd = recording_file(recording.file.data, recording.file.len - 1);
	assert_ok(scan_init(&scan, fd, SCAN_HASHES));
	for (; !done; steps++)
		assert_ok(scan_step(&scan, 1, &done));
	expect_first(&scan, CHUNKS - 1);
	assert_int_equal(scan.end, SCAN_CUT);
	assert_in_range(steps, CHUNKS, CHUNKS + 3);
	scan_finish(&scan);
	close(fd);
}

static void chunks_are_read_one_by_one(void **state)
{
	struct scan scan;
	struct buf der;

	(void)state;
	const int fd = recording_file(recording.file.data, recording.file.len);
	buf_init(&der, SEAL_DER_MAX);
	assert_ok(scan_init(&scan, fd, SCAN_PLACES));
	assert_ok(scan_all(&scan));
	for (size_t i = 0; i < CHUNKS; i++) {
		assert_ok(scan_read(&scan, i, &der));
		assert_int_equal(der.len, recording.offsets[i + 1] - recording.offsets[i]);
		assert_memory_equal(der.data, recording.file.data + recording.offsets[i], der.len);
	}
	assert_err(scan_read(&scan, CHUNKS, &der), ERR_INVALID);
	assert_int_equal(ftruncate(fd, (off_t)recording.offsets[2]), 0);
	assert_err(scan_read(&scan, 2, &der), ERR_IO);
	scan_finish(&scan);
	buf_finish(&der);
	close(fd);
}

static void only_files_are_scanned(void **state)
{
	struct scan scan;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_err(scan_init(&scan, ends[0], SCAN_HASHES), ERR_INVALID);
	close(ends[0]);
	close(ends[1]);
	assert_err(scan_init(&scan, -1, SCAN_HASHES), ERR_IO);
}

static void a_file_has_a_size(void **state)
{
	struct scan scan;

	(void)state;
	const int fd = recording_file(recording.file.data, recording.file.len);
	/* Sparse: it takes no room. */
	if (ftruncate(fd, (off_t)SCAN_FILE_MAX + 1)) {
		close(fd);
		skip();
	}
	assert_ok(scan_init(&scan, fd, SCAN_HASHES));
	assert_ok(scan_all(&scan));
	assert_int_equal(scan.end, SCAN_TOO_LONG);
	assert_int_equal(scan.count, 0);
	scan_finish(&scan);
	close(fd);
}

static int make_recordings(void **state)
{
	(void)state;
	auditor = auditor_make();
	recipients = recipients_of(&auditor, 1);
	recording_init(&recording, 1, recipients);
	recording_make(&recording, CHUNKS, SIZE);
	return 0;
}

static int free_recordings(void **state)
{
	(void)state;
	recording_finish(&recording);
	seal_recipients_free(recipients);
	auditor_free(&auditor);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file),
		cmocka_unit_test(a_cut_file_is_read_up_to_its_last_whole_chunk),
		cmocka_unit_test(zeros_at_the_end_are_a_cut),
		cmocka_unit_test(chunks_after_a_gap_are_damage),
		cmocka_unit_test(a_false_length_is_damage),
		cmocka_unit_test(only_whole_chunks_are_found_again),
		cmocka_unit_test(an_odd_chunk_is_marked),
		cmocka_unit_test(chunks_are_found_again_wherever_they_are),
		cmocka_unit_test(steps_come_to_the_same_end),
		cmocka_unit_test(chunks_are_read_one_by_one),
		cmocka_unit_test(only_files_are_scanned),
		cmocka_unit_test(a_file_has_a_size),
	};

	return cmocka_run_group_tests(tests, make_recordings, free_recordings);
}
