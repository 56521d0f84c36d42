#include "export/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { VERSION = 1, AHEAD = 4 };

void source_init(struct source *source, struct ports *ports)
{
	*source = (struct source){ .ports = ports };
	buf_init(&source->plain, CHUNK_MAX);
}

void source_finish(struct source *source)
{
	buf_wipe(&source->plain);
	buf_finish(&source->plain);
	free(source->rows);
	source->rows = NULL;
}

static enum err refused(struct source *source, uint8_t why)
{
	source->why = why;
	return ERR_DENIED;
}

/* ---- the table ------------------------------------------------------------------------------- */

static enum err take_info(struct source *source, const struct msg_play_info *info)
{
	if (source->rows || info->version != VERSION || !info->chunks ||
	    info->chunks > CHUNK_COUNT_MAX || info->meta.len > SOURCE_META_MAX)
		return ERR_PROTOCOL;
	source->rows = calloc(info->chunks, sizeof(*source->rows));
	if (!source->rows)
		return ERR_NOMEM;
	memcpy(source->session, info->session, sizeof(source->session));
	memcpy(source->meta, info->meta.data, info->meta.len);
	source->meta[info->meta.len] = 0;
	source->count = info->chunks;
	/* What is not known to be green is not. */
	source->verdict = info->verdict == VERDICT_GREEN || info->verdict == VERDICT_AMBER
				  ? info->verdict
				  : VERDICT_RED;
	return OK;
}

/* *filled: rows that are there. Times do not go back. */
static enum err take_rows(struct source *source, const struct msg_play_table *table,
			  uint32_t *filled)
{
	const size_t count = table->rows.len / TABLE_ROW;

	if (!source->rows || !count || table->rows.len % TABLE_ROW || table->first != *filled ||
	    count > source->count - *filled)
		return ERR_PROTOCOL;
	for (size_t i = 0; i < count; i++) {
		struct table_row *row = &source->rows[*filled];
		table_get_row(table->rows.data + i * TABLE_ROW, row);
		if (row->start_us > CHUNK_TIME_MAX || row->time_ms > CHUNK_TIME_MAX ||
		    (*filled && row->start_us < row[-1].start_us))
			return ERR_PROTOCOL;
		++*filled;
	}
	return OK;
}

enum err source_begin(struct source *source)
{
	const struct msg_play_start start = { .version = VERSION };
	const struct ipc_received *received = &source->ports->received;
	uint32_t filled = 0;
	enum err err = ports_ask(source->ports, MSG_play_start, &start);

	while (!err && (!source->rows || filled < source->count)) {
		err = ports_hear(source->ports);
		if (err)
			break;
		if (received->type->id == MSG_play_info)
			err = take_info(source, &received->msg.play_info);
		else if (received->type->id == MSG_play_table)
			err = take_rows(source, &received->msg.play_table, &filled);
		else if (received->type->id == MSG_play_error)
			err = refused(source, received->msg.play_error.error);
		else
			err = ERR_PROTOCOL;
	}
	return err;
}

uint32_t source_key_before(const struct source *source, uint64_t us)
{
	uint32_t key = 0;

	for (uint32_t i = 0; i < source->count && source->rows[i].start_us <= us; i++)
		if (source->rows[i].flags & CHUNK_KEY)
			key = i;
	return key;
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static enum err ask_ahead(struct source *source)
{
	enum err err = OK;

	while (!err && source->asked < source->count && source->asked < source->answered + AHEAD) {
		const struct msg_play_chunk chunk = { .sequence = source->asked };
		err = ports_ask(source->ports, MSG_play_chunk, &chunk);
		source->asked++;
	}
	return err;
}

static enum err take_piece(struct source *source, const struct msg_play_data *data, bool *ret_whole)
{
	if (data->sequence != source->answered || data->offset != source->plain.len ||
	    data->total > CHUNK_MAX || !data->data.len ||
	    data->data.len > data->total - source->plain.len)
		return ERR_PROTOCOL;
	enum err err = buf_add(&source->plain, data->data.data, data->data.len);
	*ret_whole = !err && source->plain.len == data->total;
	return err;
}

/* Of a damaged chunk detail is the number. */
static enum err take_error(struct source *source, const struct msg_play_error *error)
{
	int64_t number;

	if (error->error != PLAY_DAMAGED)
		return refused(source, error->error);
	/* Without a number it is the recording as a whole. */
	if (util_parse_i64(error->detail, 0, CHUNK_COUNT_MAX, &number))
		return refused(source, PLAY_DAMAGED);
	return number == source->answered ? OK : ERR_PROTOCOL;
}

/* The answer for the chunk that is next. */
static enum err receive_chunk(struct source *source, bool *ret_damaged)
{
	const struct ipc_received *received = &source->ports->received;
	bool whole = false;
	enum err err = ask_ahead(source);

	buf_wipe(&source->plain);
	*ret_damaged = false;
	while (!err && !whole && !*ret_damaged) {
		err = ports_hear(source->ports);
		if (err)
			break;
		if (received->type->id == MSG_play_data) {
			err = take_piece(source, &received->msg.play_data, &whole);
		} else if (received->type->id == MSG_play_error) {
			err = take_error(source, &received->msg.play_error);
			*ret_damaged = !err;
		} else {
			err = ERR_PROTOCOL;
		}
	}
	if (!err)
		source->answered++;
	return err;
}

enum err source_seek(struct source *source, uint32_t sequence)
{
	bool damaged;
	enum err err = OK;

	while (!err && source->answered < source->asked)
		err = receive_chunk(source, &damaged);
	source->asked = source->answered = sequence;
	return err;
}

static bool belongs(const struct source *source, const struct chunk_head *head, uint32_t sequence)
{
	return head->sequence == sequence && head->start_us == source->rows[sequence].start_us &&
	       memcmp(head->session, source->session, sizeof(head->session)) == 0;
}
_Static_assert((int)CHUNK_SESSION == (int)WIRE_SESSION_ID, "a session's id");

enum err source_next(struct source *source, struct chunk_reader *ret, bool *ret_damaged)
{
	const uint32_t sequence = source->answered;
	bool damaged = false;

	if (sequence >= source->count)
		return ERR_NOT_FOUND;
	enum err err = receive_chunk(source, &damaged);
	if (err)
		return err;
	*ret_damaged = damaged || chunk_parse(source->plain.data, source->plain.len, ret) ||
		       !belongs(source, &ret->head, sequence);
	return OK;
}
