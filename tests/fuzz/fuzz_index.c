/*
 * Takes anything as the index of a recording whose chunks are 100 bytes each; the first byte is how
 * many it has. An index that fits is the one that would be written of its rows.
 */
#include <stdlib.h>
#include <string.h>

#include "record/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHUNKS = 256, CHUNK_SIZE = 100 };

static void expect(bool is_so)
{
	if (!is_so)
		abort();
}

static void check_rows(const uint8_t *index, size_t len, size_t count)
{
	struct table_row rows[CHUNKS];
	struct buf again;

	for (size_t i = 0; i < count; i++) {
		table_get_row(index + 4 + i * TABLE_ROW, &rows[i]);
		expect(rows[i].offset == i * CHUNK_SIZE);
		expect(!i || rows[i].start_us >= rows[i - 1].start_us);
		expect(rows[i].start_us <= CHUNK_TIME_MAX && rows[i].time_ms <= CHUNK_TIME_MAX);
	}
	buf_init(&again, len);
	expect(table_put_index(rows, count, &again) == OK);
	expect(again.len == len && memcmp(again.data, index, len) == 0);
	buf_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan_chunk chunks[CHUNKS] = { 0 };
	const struct scan scan = { .chunks = chunks, .count = size ? data[0] : 0 };

	for (size_t i = 0; i < CHUNKS; i++)
		chunks[i] = (struct scan_chunk){ .offset = i * CHUNK_SIZE, .len = CHUNK_SIZE };
	if (!size)
		return 0;
	for (size_t count = 0; count <= CHUNKS; count++) {
		if (!table_index_fits(data + 1, size - 1, &scan, count))
			continue;
		expect(count <= scan.count && size - 1 == 4 + count * TABLE_ROW);
		check_rows(data + 1, size - 1, count);
	}
	return 0;
}
