/*
 * Memory that runs out anywhere is said as ERR_NOMEM, leaks nothing, and leaves what was there.
 */
#include "unit/record/recording.h"

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static long left = -1; /* allocations that succeed before one fails; -1: all do */

static bool fails(void)
{
	return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

static struct auditor auditor;
static struct seal_recipients *recipients;
static struct recording recording;
static int file = -1;

static enum err write_and_seal(void)
{
	const struct chunk_head head = { .time_ms = 1 };
	const struct record record = { .kind = RECORD_META,
				       .data = (const uint8_t *)"{}",
				       .len = 2 };
	struct chunk_writer writer;
	const uint8_t *plain;
	struct buf der;
	size_t taken, len;

	chunk_writer_init(&writer);
	buf_init(&der, SEAL_DER_MAX);
	enum err err = chunk_writer_begin(&writer, &head);
	if (!err)
		err = chunk_writer_add(&writer, &record, &taken);
	if (!err)
		err = chunk_writer_end(&writer, CHUNK_LAST, &plain, &len);
	if (!err)
		err = seal_chunk(recipients, plain, len, &der);
	assert_int_equal(der.len != 0, err == OK);
	chunk_writer_finish(&writer);
	buf_finish(&der);
	return err;
}

static enum err make_recipients(void)
{
	struct seal_recipients *made = NULL;
	static uint8_t der[4096];
	static size_t len;

	if (!len) {
		uint8_t *at = der;
		len = (size_t)i2d_X509(auditor.certificate, &at);
	}
	enum err err = seal_recipients_new(der, len, clock_wall_s(), &made);
	assert_int_equal(made != NULL, err == OK);
	seal_recipients_free(made);
	return err;
}

static enum err load_table(struct scan *scan)
{
	struct table table;
	bool done = false;
	enum err err = table_init(&table, scan, auditor.key, auditor.certificate);

	while (!err && !done)
		err = table_step(&table, 2, &done);
	if (!err)
		assert_int_equal(table.count, recording.count);
	table_finish(&table);
	return err;
}

static enum err scan_and_load(void)
{
	struct scan scan;
	enum err err = scan_init(&scan, file, SCAN_HASHES);

	if (!err)
		err = scan_all(&scan);
	if (!err)
		err = load_table(&scan);
	scan_finish(&scan);
	return err;
}

static enum err join(void)
{
	struct record piece = {
		.kind = RECORD_SENT, .more = true, .data = (const uint8_t *)"12345678", .len = 8
	};
	struct record_joiner joiner;
	struct record whole;
	bool is_whole;
	enum err err = OK;

	record_joiner_init(&joiner);
	for (int i = 0; !err && i < 40; i++)
		err = record_joiner_add(&joiner, &piece, &is_whole, &whole);
	piece.more = false;
	if (!err)
		err = record_joiner_add(&joiner, &piece, &is_whole, &whole);
	record_joiner_finish(&joiner);
	assert_int_equal(joiner.held, 0);
	return err;
}

static const struct {
	const char *what;
	enum err (*run)(void);
} works[] = {
	{ "write and seal", write_and_seal },
	{ "recipients", make_recipients },
	{ "scan and load", scan_and_load },
	{ "join", join },
};

static void each_allocation_may_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
		enum err err = ERR_NOMEM;
		long at = 0;
		for (; err; at++) {
			left = at;
			err = works[i].run();
			left = -1;
			if (err && err != ERR_NOMEM)
				fail_msg("%s, allocation %ld: %s", works[i].what, at,
					 err_code(err));
		}
		if (at < 2)
			fail_msg("%s: no allocation failed", works[i].what);
	}
}

static int make(void **state)
{
	(void)state;
	auditor = auditor_make();
	recipients = recipients_of(&auditor, 1);
	recording_init(&recording, 1, recipients);
	recording_make(&recording, 4, 50);
	file = recording_file(recording.file.data, recording.file.len);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	close(file);
	recording_finish(&recording);
	seal_recipients_free(recipients);
	auditor_free(&auditor);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
