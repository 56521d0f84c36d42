/*
 * Every way to change a recording is found and named; what a crash leaves is told apart from it.
 */
#include "unit/record/recording.h"

enum { CHUNKS = 12, SIZE = 120 };

static struct auditor auditor, stranger;
static struct seal_recipients *recipients, *strangers;
static struct recording recording, other;

/* A file that was made from the recording, and the marks that are shown with it. */
struct tried {
	struct buf file;
	struct verify_mark marks[CHUNKS + 1];
	size_t mark_count;
	const struct auditor *key; /* NULL: without */
	const uint8_t *session;
	bool all_denied;
};

static void tried_init(struct tried *tried)
{
	*tried = (struct tried){ 0 };
	buf_init(&tried->file, 1024 * 1024);
}

static void add_chunks(struct tried *tried, const struct recording *from, size_t first, size_t end)
{
	assert_ok(buf_add(&tried->file, from->file.data + from->offsets[first],
			  from->offsets[end] - from->offsets[first]));
}

static void add_mark(struct tried *tried, size_t chunks)
{
	tried->marks[tried->mark_count++] = recording.marks[chunks - 1];
}

static void open_all(const struct tried *tried, const struct scan *scan,
		     struct verify_inside *inside)
{
	struct buf der, plain;

	buf_init(&der, SEAL_DER_MAX);
	buf_init(&plain, SEAL_DER_MAX);
	for (size_t i = 0; i < scan->count; i++) {
		buf_clear(&plain);
		assert_ok(scan_read(scan, i, &der));
		const enum err err = seal_open(tried->key->key, tried->key->certificate, der.data,
					       der.len, &plain);
		verify_inside_add(inside, err, plain.data, plain.len);
	}
	buf_finish(&der);
	buf_finish(&plain);
}

static struct verify_result verify(struct tried *tried)
{
	const int fd = recording_file(tried->file.data, tried->file.len);
	struct verify_inside inside;
	struct verify_result result;
	struct scan scan;

	assert_ok(scan_init(&scan, fd, SCAN_HASHES));
	assert_ok(scan_all(&scan));
	assert_ok(verify_marks(&scan, tried->marks, tried->mark_count, &result));
	if (tried->key) {
		verify_inside_init(&inside, &scan, tried->session, &result);
		open_all(tried, &scan, &inside);
		const enum err err = verify_inside_end(&inside);
		assert_true(err == OK || err == ERR_DENIED);
		tried->all_denied = err == ERR_DENIED;
	}
	scan_finish(&scan);
	close(fd);
	return result;
}

/* ---- one thing after the other ---------------------------------------------------------- */

static void nothing(struct tried *t)
{
	add_chunks(t, &recording, 0, CHUNKS);
}

static void drop_one(struct tried *t)
{
	add_chunks(t, &recording, 0, 5);
	add_chunks(t, &recording, 6, CHUNKS);
}

static void drop_first(struct tried *t)
{
	add_chunks(t, &recording, 1, CHUNKS);
}

static void drop_last(struct tried *t)
{
	add_chunks(t, &recording, 0, CHUNKS - 1);
}

static void drop_all(struct tried *t)
{
	(void)t;
}

static void swap_two(struct tried *t)
{
	add_chunks(t, &recording, 0, 5);
	add_chunks(t, &recording, 6, 7);
	add_chunks(t, &recording, 5, 6);
	add_chunks(t, &recording, 7, CHUNKS);
}

static void replay_one(struct tried *t)
{
	add_chunks(t, &recording, 0, 6);
	add_chunks(t, &recording, 5, 6);
	add_chunks(t, &recording, 6, CHUNKS);
}

static void put_foreign_chunk(struct tried *t)
{
	add_chunks(t, &recording, 0, 5);
	add_chunks(t, &other, 5, 6);
	add_chunks(t, &recording, 6, CHUNKS);
}

static void put_foreign_recording(struct tried *t)
{
	add_chunks(t, &other, 0, CHUNKS);
}

static void append_chunk(struct tried *t)
{
	add_chunks(t, &recording, 0, CHUNKS);
	add_chunks(t, &recording, CHUNKS - 1, CHUNKS);
}

static void append_bytes(struct tried *t)
{
	add_chunks(t, &recording, 0, CHUNKS);
	assert_ok(buf_add(&t->file, "0", 1));
}

static void append_zeros(struct tried *t)
{
	static const uint8_t zeros[4096];

	add_chunks(t, &recording, 0, CHUNKS);
	assert_ok(buf_add(&t->file, zeros, sizeof(zeros)));
}

static void cut_in_a_chunk(struct tried *t)
{
	add_chunks(t, &recording, 0, 8);
	t->file.len -= 100;
}

static void cut_out_bytes(struct tried *t)
{
	add_chunks(t, &recording, 0, 6);
	t->file.len -= 10;
	add_chunks(t, &recording, 6, CHUNKS);
}

/* The length of a tag: whatever it says, this is no chunk of ours. */
static void change_shape(struct tried *t)
{
	nothing(t);
	t->file.data[recording.offsets[6] - 17] = 15;
}

/* Whoever has an auditor's certificate can make a chunk with all that is known of the others. */
static void forge_chunk(struct tried *t)
{
	struct recording forged;

	recording_init(&forged, 1, recipients);
	for (size_t i = 0; i < 5; i++)
		recording_add(&forged, SIZE, i ? 0 : CHUNK_KEY);
	struct chunk_head head = recording_head(&recording);
	head.sequence = 5;
	head.start_us = 5000000;
	assert_ok(seal_hash(recording.file.data + recording.offsets[4],
			    recording.offsets[5] - recording.offsets[4], head.previous));
	recording_add_as(&forged, &head, SIZE + 1, 0);
	add_chunks(t, &recording, 0, 5);
	add_chunks(t, &forged, 5, 6);
	add_chunks(t, &recording, 6, CHUNKS);
	recording_finish(&forged);
}

static void seal_to_others(struct tried *t)
{
	struct recording changed;

	recording_init(&changed, 1, strangers);
	for (size_t i = 0; i < 6; i++)
		recording_add(&changed, SIZE, 0);
	add_chunks(t, &recording, 0, 5);
	add_chunks(t, &changed, 5, 6);
	add_chunks(t, &recording, 6, CHUNKS);
	recording_finish(&changed);
}

static void crash_between_chunks(struct tried *t)
{
	add_chunks(t, &recording, 0, 9);
}

static void crash_in_a_chunk(struct tried *t)
{
	add_chunks(t, &recording, 0, 10);
	t->file.len -= 7;
}

enum marks { NO_MARKS, MARKS_TO_8, MARKS_TO_END };

/* marks: after 4 and 8 chunks, and at the end. With the key the bad chunk is known exactly. */
static const struct {
	const char *what;
	void (*change)(struct tried *tried);
	enum marks marks;
	enum verify_verdict verdict;
	enum verify_fault fault;
	int first, last, proven;
	enum verify_verdict key_verdict;
	enum verify_fault key_fault;
	int key_bad;
} cases[] = {
	/* clang-format off */
	{ "nothing", nothing, MARKS_TO_END, VERIFY_INTACT, VERIFY_FINE, 0, 0, 12, VERIFY_INTACT, VERIFY_FINE, 0 },
	{ "no end in the log", nothing, MARKS_TO_8, VERIFY_CUT, VERIFY_NO_END, 0, 0, 8, VERIFY_CUT, VERIFY_NO_END, 0 },
	{ "no marks", nothing, NO_MARKS, VERIFY_UNPROVEN, VERIFY_FINE, 0, 0, 0, VERIFY_UNPROVEN, VERIFY_FINE, 0 },
	{ "crash between chunks", crash_between_chunks, MARKS_TO_8, VERIFY_CUT, VERIFY_NO_END, 0, 0, 8, VERIFY_CUT, VERIFY_NO_END, 0 },
	{ "crash in a chunk", crash_in_a_chunk, MARKS_TO_8, VERIFY_CUT, VERIFY_PART_OF_CHUNK, 0, 0, 8, VERIFY_CUT, VERIFY_PART_OF_CHUNK, 0 },
	{ "crash, no marks", crash_between_chunks, NO_MARKS, VERIFY_UNPROVEN, VERIFY_FINE, 0, 0, 0, VERIFY_CUT, VERIFY_NO_END, 0 },
	{ "crash in a chunk, no marks", crash_in_a_chunk, NO_MARKS, VERIFY_CUT, VERIFY_PART_OF_CHUNK, 0, 0, 0, VERIFY_CUT, VERIFY_PART_OF_CHUNK, 0 },
	{ "cut before a mark", cut_in_a_chunk, MARKS_TO_8, VERIFY_TAMPERED, VERIFY_MISSING, 4, 7, 4, VERIFY_TAMPERED, VERIFY_MISSING, 7 },
	{ "cut before the end", cut_in_a_chunk, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_MISSING, 4, 7, 4, VERIFY_TAMPERED, VERIFY_MISSING, 7 },
	{ "a chunk dropped", drop_one, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_CHANGED, 4, 7, 4, VERIFY_TAMPERED, VERIFY_ORDER, 5 },
	{ "a chunk dropped, no marks", drop_one, NO_MARKS, VERIFY_UNPROVEN, VERIFY_FINE, 0, 0, 0, VERIFY_TAMPERED, VERIFY_ORDER, 5 },
	{ "the first dropped", drop_first, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_CHANGED, 0, 3, 0, VERIFY_TAMPERED, VERIFY_ORDER, 0 },
	{ "the last dropped", drop_last, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_MISSING, 8, 11, 8, VERIFY_TAMPERED, VERIFY_MISSING, 11 },
	{ "the last dropped, no marks", drop_last, NO_MARKS, VERIFY_UNPROVEN, VERIFY_FINE, 0, 0, 0, VERIFY_CUT, VERIFY_NO_END, 0 },
	{ "all dropped", drop_all, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_MISSING, 0, 3, 0, VERIFY_TAMPERED, VERIFY_MISSING, 0 },
	{ "empty, no marks", drop_all, NO_MARKS, VERIFY_CUT, VERIFY_NO_END, 0, 0, 0, VERIFY_CUT, VERIFY_NO_END, 0 },
	{ "two swapped", swap_two, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_CHANGED, 4, 7, 4, VERIFY_TAMPERED, VERIFY_ORDER, 5 },
	{ "one replayed", replay_one, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_CHANGED, 4, 7, 4, VERIFY_TAMPERED, VERIFY_ORDER, 6 },
	{ "a chunk of another recording", put_foreign_chunk, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_CHANGED, 4, 7, 4, VERIFY_TAMPERED, VERIFY_FOREIGN, 5 },
	{ "a chunk of another recording, no marks", put_foreign_chunk, NO_MARKS, VERIFY_UNPROVEN, VERIFY_FINE, 0, 0, 0, VERIFY_TAMPERED, VERIFY_FOREIGN, 5 },
	{ "another recording", put_foreign_recording, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_CHANGED, 0, 3, 0, VERIFY_TAMPERED, VERIFY_FOREIGN, 0 },
	{ "a chunk appended", append_chunk, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_ADDED, 12, 12, 12, VERIFY_TAMPERED, VERIFY_ORDER, 12 },
	{ "a byte appended", append_bytes, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_ADDED, 12, 12, 12, VERIFY_TAMPERED, VERIFY_ADDED, 12 },
	{ "zeros appended", append_zeros, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_ADDED, 12, 12, 12, VERIFY_TAMPERED, VERIFY_ADDED, 12 },
	{ "bytes cut out", cut_out_bytes, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_DAMAGED, 4, 6, 4, VERIFY_TAMPERED, VERIFY_FORGED, 5 },
	{ "bytes cut out, no marks", cut_out_bytes, NO_MARKS, VERIFY_TAMPERED, VERIFY_DAMAGED, 0, 6, 0, VERIFY_TAMPERED, VERIFY_FORGED, 5 },
	{ "another shape", change_shape, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_DAMAGED, 5, 5, 4, VERIFY_TAMPERED, VERIFY_DAMAGED, 5 },
	{ "another shape, no marks", change_shape, NO_MARKS, VERIFY_TAMPERED, VERIFY_DAMAGED, 5, 5, 0, VERIFY_TAMPERED, VERIFY_DAMAGED, 5 },
	{ "a forged chunk", forge_chunk, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_CHANGED, 4, 7, 4, VERIFY_TAMPERED, VERIFY_CHAIN, 5 },
	{ "a forged chunk, no marks", forge_chunk, NO_MARKS, VERIFY_UNPROVEN, VERIFY_FINE, 0, 0, 0, VERIFY_TAMPERED, VERIFY_CHAIN, 5 },
	{ "a chunk sealed to others", seal_to_others, MARKS_TO_END, VERIFY_TAMPERED, VERIFY_CHANGED, 4, 7, 4, VERIFY_TAMPERED, VERIFY_NOT_FOR_KEY, 5 },
	/* clang-format on */
};

static void put_marks(struct tried *tried, enum marks marks)
{
	if (marks == NO_MARKS)
		return;
	add_mark(tried, 4);
	add_mark(tried, 8);
	if (marks == MARKS_TO_END)
		add_mark(tried, CHUNKS);
}

static void expect(const char *what, const struct verify_result *got, enum verify_verdict verdict,
		   enum verify_fault fault, int first, int last)
{
	const bool bad = verdict == VERIFY_TAMPERED;

	if (got->verdict != verdict || got->fault != fault ||
	    (bad && (got->first_bad != (uint64_t)first || got->last_bad != (uint64_t)last)))
		fail_msg("%s: verdict %d, %s, chunks %d to %d", what, (int)got->verdict,
			 verify_fault_code(got->fault), (int)got->first_bad, (int)got->last_bad);
}

static void each_change_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tried tried;
		tried_init(&tried);
		cases[i].change(&tried);
		put_marks(&tried, cases[i].marks);
		struct verify_result result = verify(&tried);
		expect(cases[i].what, &result, cases[i].verdict, cases[i].fault, cases[i].first,
		       cases[i].last);
		assert_int_equal(result.proven, cases[i].proven);
		tried.key = &auditor;
		tried.session = cases[i].marks == NO_MARKS ? NULL : recording.session;
		result = verify(&tried);
		expect(cases[i].what, &result, cases[i].key_verdict, cases[i].key_fault,
		       cases[i].key_bad,
		       cases[i].key_fault == VERIFY_MISSING ? cases[i].last : cases[i].key_bad);
		assert_int_equal(result.proven, cases[i].proven);
		buf_finish(&tried.file);
	}
}

/* ---- every byte ------------------------------------------------------------------------- */

static void flip_bytes(size_t from, size_t end, size_t step)
{
	struct tried tried;

	tried_init(&tried);
	nothing(&tried);
	put_marks(&tried, MARKS_TO_END);
	for (size_t i = from; i < end; i += step) {
		size_t chunk = 0;
		while (recording.offsets[chunk + 1] <= i)
			chunk++;
		tried.file.data[i] ^= (uint8_t)(1U << (i % 8));
		struct verify_result result = verify(&tried);
		if (result.verdict != VERIFY_TAMPERED || result.first_bad > chunk ||
		    result.last_bad < chunk || result.proven > chunk)
			fail_msg("byte %zu of chunk %zu: verdict %d, %s", i, chunk,
				 (int)result.verdict, verify_fault_code(result.fault));
		tried.key = &auditor;
		result = verify(&tried);
		if (result.verdict != VERIFY_TAMPERED || result.first_bad != chunk ||
		    (result.last_bad != chunk && result.fault != VERIFY_MISSING))
			fail_msg("byte %zu of chunk %zu with the key: verdict %d, %s at %d", i,
				 chunk, (int)result.verdict, verify_fault_code(result.fault),
				 (int)result.first_bad);
		tried.key = NULL;
		tried.file.data[i] ^= (uint8_t)(1U << (i % 8));
	}
	buf_finish(&tried.file);
}

static void every_byte_of_a_chunks_head_counts(void **state)
{
	(void)state;
	flip_bytes(recording.offsets[5], recording.offsets[5] + 300, 1);
}

static void bytes_all_over_the_file_count(void **state)
{
	(void)state;
	flip_bytes(0, recording.file.len, 61);
}

/* ---- the key ---------------------------------------------------------------------------- */

/* It says nothing about the recording. */
static void a_strangers_key_changes_no_verdict(void **state)
{
	struct tried tried;

	(void)state;
	tried_init(&tried);
	nothing(&tried);
	put_marks(&tried, MARKS_TO_END);
	tried.key = &stranger;
	struct verify_result result = verify(&tried);
	assert_true(tried.all_denied);
	assert_int_equal(result.verdict, VERIFY_INTACT);
	assert_int_equal(result.opened, 0);
	tried.key = &auditor;
	result = verify(&tried);
	assert_false(tried.all_denied);
	assert_int_equal(result.opened, CHUNKS);
	buf_finish(&tried.file);
}

/* All that is inside fits, but it is not the recording that was asked for. */
static void the_session_is_the_one_that_was_asked_for(void **state)
{
	struct tried tried;

	(void)state;
	tried_init(&tried);
	put_foreign_recording(&tried);
	tried.key = &auditor;
	assert_int_equal(verify(&tried).verdict, VERIFY_UNPROVEN);
	tried.session = recording.session;
	struct verify_result result = verify(&tried);
	expect("session", &result, VERIFY_TAMPERED, VERIFY_FOREIGN, 0, 0);
	buf_finish(&tried.file);
}

/* What a program of somebody else could have recorded. */
static struct verify_result verify_plain(const struct chunk_head *heads, size_t count)
{
	struct recording made;
	struct tried tried;

	recording_init(&made, 1, recipients);
	for (size_t i = 0; i < count; i++) {
		struct chunk_head head = recording_head(&made);
		head.start_us = heads[i].start_us;
		head.time_ms = heads[i].time_ms;
		recording_add_as(&made, &head, SIZE, heads[i].flags);
	}
	tried_init(&tried);
	add_chunks(&tried, &made, 0, count);
	tried.key = &auditor;
	const struct verify_result result = verify(&tried);
	buf_finish(&tried.file);
	recording_finish(&made);
	return result;
}

static void times_and_ends_are_looked_at(void **state)
{
	struct chunk_head heads[3] = { { .start_us = 5, .time_ms = 9000 },
				       { .start_us = 5, .time_ms = 1000 },
				       { .start_us = 9, .flags = CHUNK_LAST } };
	struct verify_result result = verify_plain(heads, 3);

	(void)state;
	/* The wall clock may step back. */
	expect("a good one", &result, VERIFY_UNPROVEN, VERIFY_FINE, 0, 0);
	heads[1].start_us = 4;
	result = verify_plain(heads, 3);
	expect("time", &result, VERIFY_TAMPERED, VERIFY_CLOCK, 1, 1);
	heads[1].start_us = 5;
	heads[1].flags = CHUNK_LAST;
	result = verify_plain(heads, 3);
	expect("two ends", &result, VERIFY_TAMPERED, VERIFY_AFTER_LAST, 2, 2);
}

static void what_is_no_chunk_inside_is_named(void **state)
{
	struct recording made;
	struct tried tried;

	(void)state;
	recording_init(&made, 1, recipients);
	recording_add(&made, SIZE, 0);
	recording_add_plain(&made, (const uint8_t *)"SKREC001", 8);
	tried_init(&tried);
	add_chunks(&tried, &made, 0, 2);
	tried.key = &auditor;
	struct verify_result result = verify(&tried);
	expect("no chunk", &result, VERIFY_TAMPERED, VERIFY_MALFORMED, 1, 1);
	buf_finish(&tried.file);
	recording_finish(&made);
}

/* ---- marks ------------------------------------------------------------------------------ */

static void marks_must_agree(void **state)
{
	struct tried tried;

	(void)state;
	for (int wrong = 0; wrong < 5; wrong++) {
		tried_init(&tried);
		nothing(&tried);
		put_marks(&tried, MARKS_TO_END);
		if (wrong == 0)
			tried.marks[1].chunks = 3;
		if (wrong == 1)
			tried.marks[1].size = tried.marks[0].size;
		if (wrong == 2)
			tried.marks[1].last = true;
		if (wrong == 3)
			tried.marks[1] =
				(struct verify_mark){ .chunks = 4, .size = tried.marks[0].size };
		if (wrong == 4)
			tried.marks[1] = (struct verify_mark){ .chunks = 4, .size = 9 };
		const struct verify_result result = verify(&tried);
		assert_int_equal(result.verdict, VERIFY_TAMPERED);
		assert_int_equal(result.fault, VERIFY_MARKS);
		buf_finish(&tried.file);
	}
}

/* The recorder may say the same twice, and a mark before the first chunk. */
static void marks_may_repeat(void **state)
{
	struct tried tried;

	(void)state;
	tried_init(&tried);
	nothing(&tried);
	tried.mark_count = 1;
	add_mark(&tried, 4);
	add_mark(&tried, 4);
	add_mark(&tried, CHUNKS);
	assert_int_equal(verify(&tried).verdict, VERIFY_INTACT);
	/* The size is looked at as well as the hash. */
	tried.marks[1].size++;
	tried.marks[2].size++;
	const struct verify_result result = verify(&tried);
	expect("size", &result, VERIFY_TAMPERED, VERIFY_CHANGED, 0, 3);
	buf_finish(&tried.file);
}

static void places_alone_prove_nothing(void **state)
{
	const int fd = recording_file(recording.file.data, recording.file.len);
	struct verify_result result;
	struct scan scan;

	(void)state;
	assert_ok(scan_init(&scan, fd, SCAN_PLACES));
	assert_ok(scan_all(&scan));
	assert_err(verify_marks(&scan, recording.marks, CHUNKS, &result), ERR_INVALID);
	scan_finish(&scan);
	close(fd);
}

static int make_recordings(void **state)
{
	(void)state;
	auditor = auditor_make();
	stranger = auditor_make();
	recipients = recipients_of(&auditor, 1);
	strangers = recipients_of(&stranger, 1);
	recording_init(&recording, 1, recipients);
	recording_make(&recording, CHUNKS, SIZE);
	recording_init(&other, 2, recipients);
	recording_make(&other, CHUNKS, SIZE);
	return 0;
}

static int free_recordings(void **state)
{
	(void)state;
	recording_finish(&recording);
	recording_finish(&other);
	seal_recipients_free(recipients);
	seal_recipients_free(strangers);
	auditor_free(&auditor);
	auditor_free(&stranger);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_is_named),
		cmocka_unit_test(every_byte_of_a_chunks_head_counts),
		cmocka_unit_test(bytes_all_over_the_file_count),
		cmocka_unit_test(a_strangers_key_changes_no_verdict),
		cmocka_unit_test(the_session_is_the_one_that_was_asked_for),
		cmocka_unit_test(times_and_ends_are_looked_at),
		cmocka_unit_test(what_is_no_chunk_inside_is_named),
		cmocka_unit_test(marks_must_agree),
		cmocka_unit_test(marks_may_repeat),
		cmocka_unit_test(places_alone_prove_nothing),
	};

	return cmocka_run_group_tests(tests, make_recordings, free_recordings);
}
