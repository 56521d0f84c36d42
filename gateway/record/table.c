#include "record/table.h"

#include <string.h>

#include "base/util.h"
#include "record/bytes.h"

enum { COUNT_BYTES = 4, INDEX_MAX = COUNT_BYTES + CHUNK_COUNT_MAX * TABLE_ROW };

/* ---- encoding -------------------------------------------------------------------------------- */

void table_put_row(const struct table_row *row, uint8_t ret[TABLE_ROW])
{
	put_u64(ret, row->offset);
	put_u64(ret + 8, row->start_us);
	put_u64(ret + 16, row->time_ms);
	put_u32(ret + 24, row->flags);
	put_u32(ret + 28, row->activity);
	put_u16(ret + 32, row->events);
}

void table_get_row(const uint8_t at[TABLE_ROW], struct table_row *ret)
{
	*ret = (struct table_row){
		.offset = get_u64(at),
		.start_us = get_u64(at + 8),
		.time_ms = get_u64(at + 16),
		.flags = get_u32(at + 24),
		.activity = get_u32(at + 28),
		.events = get_u16(at + 32),
	};
}

enum err table_put_index(const struct table_row *rows, size_t count, struct buf *buf)
{
	uint8_t *at;
	enum err err;

	if (count > CHUNK_COUNT_MAX)
		return ERR_TOO_BIG;
	err = buf_reserve(buf, COUNT_BYTES + count * TABLE_ROW, &at);
	if (err)
		return err;
	put_u32(at, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		table_put_row(&rows[i], at + COUNT_BYTES + i * TABLE_ROW);
	buf->len += COUNT_BYTES + count * TABLE_ROW;
	return OK;
}

enum err table_row_of(const uint8_t *plain, size_t len, uint64_t offset,
		      struct chunk_figures *figures, struct table_row *ret)
{
	struct chunk_reader reader;
	struct record record;
	enum err err = chunk_parse(plain, len, &reader);

	if (err)
		return err;
	chunk_figures_begin(figures);
	while (chunk_next(&reader, &record))
		chunk_figures_add(figures, &record);
	*ret = (struct table_row){
		.offset = offset,
		.start_us = reader.head.start_us,
		.time_ms = reader.head.time_ms,
		.flags = reader.head.flags,
		.activity = figures->activity,
		.events = figures->events,
	};
	return OK;
}

bool table_index_fits(const uint8_t *index, size_t len, const struct scan *scan, size_t count)
{
	struct table_row row, before = { 0 };

	if (count > scan->count || len != COUNT_BYTES + count * TABLE_ROW ||
	    get_u32(index) != count)
		return false;
	for (size_t i = 0; i < count; i++, before = row) {
		table_get_row(index + COUNT_BYTES + i * TABLE_ROW, &row);
		if (row.offset != scan->chunks[i].offset || row.start_us < before.start_us ||
		    row.start_us > CHUNK_TIME_MAX || row.time_ms > CHUNK_TIME_MAX)
			return false;
	}
	return true;
}

/* ---- loading --------------------------------------------------------------------------------- */

static const uint8_t *tail_data(const struct table_tail *tail)
{
	return tail->data + tail->room - tail->len;
}

static void tail_finish(struct table_tail *tail)
{
	free(tail->data);
	*tail = (struct table_tail){ 0 };
}

enum err table_init(struct table *table, const struct scan *scan, EVP_PKEY *key, X509 *certificate)
{
	*table = (struct table){
		.scan = scan, .key = key, .certificate = certificate, .next = scan->count
	};
	buf_init(&table->der, SEAL_DER_MAX);
	buf_init(&table->plain, SEAL_DER_MAX);
	table->rows = calloc(scan->count ? scan->count : 1, sizeof(*table->rows));
	return table->rows ? OK : ERR_NOMEM;
}

static void end_search(struct table *table)
{
	table->indexed = true;
	table->next = table->count;
	tail_finish(&table->index);
}

void table_distrust(struct table *table, bool changed)
{
	table->changed = changed;
	end_search(table);
}

void table_finish(struct table *table)
{
	buf_wipe(&table->plain);
	buf_finish(&table->plain);
	buf_finish(&table->der);
	tail_finish(&table->index);
	free(table->rows);
	table->rows = NULL;
}

static enum err open_chunk(struct table *table, size_t number)
{
	enum err err = scan_read(table->scan, number, &table->der);

	buf_wipe(&table->plain);
	if (!err)
		err = seal_open(table->key, table->certificate, table->der.data, table->der.len,
				&table->plain);
	return err;
}

/* An index is gathered from its end, so a piece goes before those that are there: they lie at the
 * end of their room, which doubles, so that many small pieces cost no more than one. */
static enum err put_before(struct table_tail *index, const uint8_t *data, size_t len)
{
	if (len > INDEX_MAX - index->len)
		return ERR_TOO_BIG;
	if (len > index->room - index->len) {
		size_t room = MIN(MAX(2 * index->room, index->len + len), (size_t)INDEX_MAX);
		uint8_t *larger = malloc(room);
		if (!larger)
			return ERR_NOMEM;
		if (index->len)
			memcpy(larger + room - index->len, tail_data(index), index->len);
		free(index->data);
		index->data = larger;
		index->room = room;
	}
	index->len += len;
	memcpy(index->data + index->room - index->len, data, len);
	return OK;
}

/* The pieces of an index in the chunk that is open. *ret_more: the last of them goes on in the next
 * chunk. */
static enum err gather(struct table *table, bool *ret_any, bool *ret_more)
{
	struct buf pieces;
	struct chunk_reader reader;
	struct record record = { 0 };
	enum err err = chunk_parse(table->plain.data, table->plain.len, &reader);

	buf_init(&pieces, CHUNK_MAX);
	*ret_any = *ret_more = false;
	while (!err && chunk_next(&reader, &record)) {
		if (record.kind != RECORD_INDEX)
			continue;
		err = buf_add(&pieces, record.data, record.len);
		*ret_any = true;
		*ret_more = record.more;
	}
	if (!err && *ret_any)
		err = put_before(&table->index, pieces.data, pieces.len);
	buf_finish(&pieces);
	return err;
}

static void use_index(struct table *table)
{
	for (; table->count < table->next; table->count++)
		table_get_row(tail_data(&table->index) + COUNT_BYTES + table->count * TABLE_ROW,
			      &table->rows[table->count]);
	table->from_index = true;
}

/* One chunk further to the front, until the index is whole or cannot be one. */
static enum err index_step(struct table *table)
{
	const bool first = table->next == table->scan->count;
	bool any = false, more = false;
	enum err err = table->next ? open_chunk(table, table->next - 1) : ERR_PROTOCOL;

	if (err == ERR_IO || err == ERR_NOMEM)
		return err;
	if (!err)
		err = gather(table, &any, &more);
	if (err == ERR_NOMEM)
		return err;
	if (err || !any || more == first) {
		end_search(table);
		return OK;
	}
	table->next--;
	if (table->index.len && table_index_fits(tail_data(&table->index), table->index.len,
						 table->scan, table->next)) {
		use_index(table);
		end_search(table);
	}
	return OK;
}

static enum err open_step(struct table *table)
{
	const size_t number = table->next;
	struct table_row *row = &table->rows[number];
	enum err err = open_chunk(table, number);

	if (err == ERR_IO || err == ERR_NOMEM || (err == ERR_DENIED && !number && !table->changed))
		return err;
	if (!err)
		err = table_row_of(table->plain.data, table->plain.len,
				   table->scan->chunks[number].offset, &table->figures, row);
	/* Readers find a time in the table by halving it. */
	if (!err && number && row->start_us < table->rows[number - 1].start_us)
		err = ERR_PROTOCOL;
	if (err) {
		*row = number ? table->rows[number - 1] : (struct table_row){ 0 };
		row->flags = row->activity = 0;
		row->events = 0;
		row->offset = table->scan->chunks[number].offset;
		table->figures = (struct chunk_figures){ 0 };
		table->damaged++;
	}
	table->next++;
	table->count++;
	return OK;
}

enum err table_more(struct table *table)
{
	struct table_row *rows;

	if (table->scan->count == table->count)
		return OK;
	rows = reallocarray(table->rows, table->scan->count, sizeof(*rows));
	if (!rows)
		return ERR_NOMEM;
	memset(rows + table->count, 0, (table->scan->count - table->count) * sizeof(*rows));
	table->rows = rows;
	end_search(table);
	return OK;
}

enum err table_step(struct table *table, size_t chunks, bool *ret_done)
{
	enum err err = OK;

	for (; !err && chunks && table->count < table->scan->count; chunks--)
		err = table->indexed ? open_step(table) : index_step(table);
	if (!err)
		*ret_done = table->count == table->scan->count;
	return err;
}
