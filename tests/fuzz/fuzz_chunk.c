/*
 * Takes anything as the plaintext of a chunk, as whoever has an auditor's certificate can seal it.
 * What is accepted is made of records that lie in it, one after another, and has a row in the
 * table.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "record/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so)
{
	if (!is_so)
		abort();
}

/* Twice over, so that pieces meet those of another chunk. */
static void join(struct chunk_reader reader, struct record_joiner *joiner)
{
	struct record record, whole;
	bool is_whole;

	while (chunk_next(&reader, &record)) {
		const enum err err = record_joiner_add(joiner, &record, &is_whole, &whole);
		expect(err == OK);
		if (!is_whole)
			continue;
		expect(!record.more && whole.kind == record.kind && whole.viewer == record.viewer);
		expect(whole.len >= record.len && whole.at_us == record.at_us);
		if (record.len)
			expect(memcmp(whole.data + whole.len - record.len, record.data,
				      record.len) == 0);
	}
}

static size_t walk(struct chunk_reader reader, const uint8_t *data)
{
	const uint8_t *at = data + CHUNK_HEAD;
	struct record record;

	while (chunk_next(&reader, &record)) {
		expect(record.data == at + RECORD_HEAD && record.len <= RECORD_MAX);
		expect(record.kind >= RECORD_META && record.kind <= RECORD_INDEX);
		expect(record.viewer < RECORD_VIEWERS);
		expect(record.at_us >= reader.head.start_us && record.at_us <= CHUNK_TIME_MAX);
		expect((record.kind != RECORD_META) ==
		       (at != data + CHUNK_HEAD || reader.head.sequence));
		at = record.data + record.len;
	}
	return (size_t)(at - data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chunk_figures figures = { 0 };
	struct record_joiner joiner;
	struct chunk_reader reader;
	struct table_row row;

	if (chunk_parse(data, size, &reader)) {
		expect(table_row_of(data, size, 0, &figures, &row) == ERR_PROTOCOL);
		return 0;
	}
	expect(size >= CHUNK_HEAD && size <= CHUNK_MAX);
	expect(walk(reader, data) == size);
	record_joiner_init(&joiner);
	join(reader, &joiner);
	join(reader, &joiner);
	record_joiner_finish(&joiner);
	expect(table_row_of(data, size, 7, &figures, &row) == OK);
	expect(row.offset == 7 && row.flags == reader.head.flags && row.activity <= size);
	return 0;
}
