#include "record/chunk.h"

#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "record/bytes.h"

static const char magic[8] = { 'S', 'K', 'R', 'E', 'C', '0', '0', '1' };

enum {
	AT_SESSION = sizeof(magic),
	AT_SEQUENCE = AT_SESSION + CHUNK_SESSION,
	AT_TIME = AT_SEQUENCE + 8,
	AT_START = AT_TIME + 8,
	AT_PREVIOUS = AT_START + 8,
	AT_FLAGS = AT_PREVIOUS + CHUNK_HASH,
	/* MSG_frame of wire/messages.def, which this library does not see; a test compares them. */
	FRAME_ID = 0x0803,
};
_Static_assert(AT_FLAGS + 4 == CHUNK_HEAD, "the header has no gaps");

static const uint32_t chunk_flags_known = CHUNK_KEY | CHUNK_LAST;

/* ---- figures --------------------------------------------------------------------------------- */

void chunk_figures_begin(struct chunk_figures *figures)
{
	figures->activity = 0;
	figures->events = 0;
}

static void count_sent(struct chunk_figures *figures, const struct record *record)
{
	const uint8_t bit = (uint8_t)(1U << record->viewer);

	if (!(figures->continuing & bit)) {
		const bool frame = record->len >= 2 && get_u16(record->data) == FRAME_ID;
		figures->frames = (uint8_t)(frame ? figures->frames | bit : figures->frames & ~bit);
	}
	if (figures->frames & bit)
		figures->activity += (uint32_t)record->len; /* a chunk is at most CHUNK_MAX */
	figures->continuing =
		(uint8_t)(record->more ? figures->continuing | bit : figures->continuing & ~bit);
}

void chunk_figures_add(struct chunk_figures *figures, const struct record *record)
{
	if (record->kind == RECORD_SENT)
		count_sent(figures, record);
	else if (record->kind == RECORD_EVENT && !record->more && figures->events < UINT16_MAX)
		figures->events++;
}

/* ---- writing --------------------------------------------------------------------------------- */

void chunk_writer_init(struct chunk_writer *writer)
{
	*writer = (struct chunk_writer){ 0 };
	buf_init(&writer->plain, CHUNK_MAX);
}

void chunk_writer_finish(struct chunk_writer *writer)
{
	buf_wipe(&writer->plain);
	buf_finish(&writer->plain);
}

bool chunk_writer_is_begun(const struct chunk_writer *writer)
{
	return writer->begun;
}

static bool is_in_range(const struct chunk_head *head)
{
	return head->sequence < CHUNK_COUNT_MAX && head->time_ms <= CHUNK_TIME_MAX &&
	       head->start_us <= CHUNK_TIME_MAX - CHUNK_DELTA_MAX_US;
}

enum err chunk_writer_begin(struct chunk_writer *writer, const struct chunk_head *head)
{
	uint8_t *at;
	enum err err;

	if (writer->begun)
		return ERR_WRONG_STATE;
	if (!is_in_range(head))
		return ERR_INVALID;
	buf_clear(&writer->plain);
	err = buf_reserve(&writer->plain, CHUNK_HEAD, &at);
	if (err)
		return err;
	memcpy(at, magic, sizeof(magic));
	memcpy(at + AT_SESSION, head->session, CHUNK_SESSION);
	put_u64(at + AT_SEQUENCE, head->sequence);
	put_u64(at + AT_TIME, head->time_ms);
	put_u64(at + AT_START, head->start_us);
	memcpy(at + AT_PREVIOUS, head->previous, CHUNK_HASH);
	put_u32(at + AT_FLAGS, 0);
	writer->plain.len = CHUNK_HEAD;
	writer->start_us = head->start_us;
	writer->begun = true;
	chunk_figures_begin(&writer->figures);
	return OK;
}

bool chunk_writer_is_due(const struct chunk_writer *writer, uint64_t now_us)
{
	return writer->begun &&
	       (writer->plain.len >= CHUNK_CLOSE_BYTES ||
		(now_us >= writer->start_us && now_us - writer->start_us >= CHUNK_CLOSE_US));
}

static void add_piece(struct chunk_writer *writer, const struct record *piece, uint32_t delta_us,
		      uint8_t *at)
{
	at[0] = (uint8_t)piece->kind;
	at[1] = piece->viewer;
	put_u16(at + 2, piece->more ? RECORD_MORE : 0);
	put_u32(at + 4, delta_us);
	put_u32(at + 8, (uint32_t)piece->len);
	memcpy(at + RECORD_HEAD, piece->data, piece->len);
	writer->plain.len += RECORD_HEAD + piece->len;
	chunk_figures_add(&writer->figures, piece);
}

/* How much of it the chunk has room for. A piece costs a header of its own. */
static size_t piece_size(const struct chunk_writer *writer, size_t len)
{
	const size_t room = CHUNK_MAX - writer->plain.len;

	return room < RECORD_HEAD ? 0 : MIN(MIN(len, (size_t)RECORD_MAX), room - RECORD_HEAD);
}

/* Nothing that the format cannot say, or that a reader would refuse. */
static bool is_addable(const struct record *record, uint64_t delta_us)
{
	return record->kind >= RECORD_META && record->kind <= RECORD_INDEX &&
	       record->viewer < RECORD_VIEWERS && record->len && delta_us <= CHUNK_DELTA_MAX_US;
}

enum err chunk_writer_add(struct chunk_writer *writer, const struct record *record,
			  size_t *ret_taken)
{
	const uint64_t delta_us =
		record->at_us > writer->start_us ? record->at_us - writer->start_us : 0;
	struct record piece = *record;
	size_t taken = 0;
	uint8_t *at;

	if (!writer->begun)
		return ERR_WRONG_STATE;
	if (!is_addable(record, delta_us))
		return ERR_INVALID;
	/* All of the room at once, so that nothing can fail between two pieces. */
	const size_t pieces = MIN(record->len, (size_t)CHUNK_MAX) / RECORD_MAX + 1;
	const size_t want = MIN(record->len, (size_t)CHUNK_MAX) + pieces * RECORD_HEAD;
	enum err err = buf_reserve(&writer->plain, MIN(want, CHUNK_MAX - writer->plain.len), &at);
	if (err)
		return err;
	while ((piece.len = piece_size(writer, record->len - taken)) > 0) {
		piece.data = record->data + taken;
		piece.more = taken + piece.len < record->len;
		add_piece(writer, &piece, (uint32_t)delta_us,
			  writer->plain.data + writer->plain.len);
		taken += piece.len;
	}
	*ret_taken = taken;
	return OK;
}

enum err chunk_writer_end(struct chunk_writer *writer, uint32_t flags, const uint8_t **ret_plain,
			  size_t *ret_len)
{
	if (!writer->begun)
		return ERR_WRONG_STATE;
	put_u32(writer->plain.data + AT_FLAGS, flags & chunk_flags_known);
	writer->begun = false;
	*ret_plain = writer->plain.data;
	*ret_len = writer->plain.len;
	return OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void parse_head(const uint8_t *at, struct chunk_head *ret)
{
	memcpy(ret->session, at + AT_SESSION, CHUNK_SESSION);
	ret->sequence = get_u64(at + AT_SEQUENCE);
	ret->time_ms = get_u64(at + AT_TIME);
	ret->start_us = get_u64(at + AT_START);
	memcpy(ret->previous, at + AT_PREVIOUS, CHUNK_HASH);
	ret->flags = get_u32(at + AT_FLAGS);
}

/* The record at the front, its length checked against what is left. */
static enum err parse_record(const struct chunk_reader *reader, struct record *ret)
{
	const uint8_t *at = reader->at;

	if (reader->left < RECORD_HEAD)
		return ERR_PROTOCOL;
	const uint16_t flags = get_u16(at + 2);
	const uint32_t delta_us = get_u32(at + 4), len = get_u32(at + 8);
	if (at[0] < RECORD_META || at[0] > RECORD_INDEX || at[1] >= RECORD_VIEWERS ||
	    (flags & ~RECORD_MORE) || delta_us > CHUNK_DELTA_MAX_US || len > RECORD_MAX ||
	    len > reader->left - RECORD_HEAD)
		return ERR_PROTOCOL;
	*ret = (struct record){
		.kind = at[0],
		.viewer = at[1],
		.more = flags & RECORD_MORE,
		.at_us = reader->head.start_us + delta_us,
		.data = at + RECORD_HEAD,
		.len = len,
	};
	return OK;
}

static void skip_record(struct chunk_reader *reader, const struct record *record)
{
	reader->at += RECORD_HEAD + record->len;
	reader->left -= RECORD_HEAD + record->len;
}

/* What the recording is of stands at its very beginning, and nowhere a second time. */
static bool meta_is_right(const struct chunk_reader *reader, const struct record *record,
			  bool first)
{
	return (record->kind == RECORD_META) == (first && !reader->head.sequence) &&
	       (record->kind != RECORD_META || !record->more);
}

static enum err check_records(struct chunk_reader reader)
{
	struct record record;
	bool first = true;

	if (!reader.left && !reader.head.sequence)
		return ERR_PROTOCOL;
	for (; reader.left; first = false) {
		enum err err = parse_record(&reader, &record);
		if (err)
			return err;
		if (!meta_is_right(&reader, &record, first))
			return ERR_PROTOCOL;
		skip_record(&reader, &record);
	}
	return OK;
}

enum err chunk_parse(const uint8_t *data, size_t len, struct chunk_reader *ret)
{
	struct chunk_reader reader = { 0 };

	if (len < CHUNK_HEAD || len > CHUNK_MAX || memcmp(data, magic, sizeof(magic)) != 0)
		return ERR_PROTOCOL;
	parse_head(data, &reader.head);
	if (!is_in_range(&reader.head) || (reader.head.flags & ~chunk_flags_known))
		return ERR_PROTOCOL;
	reader.at = data + CHUNK_HEAD;
	reader.left = len - CHUNK_HEAD;
	enum err err = check_records(reader);
	if (!err)
		*ret = reader;
	return err;
}

bool chunk_next(struct chunk_reader *reader, struct record *ret)
{
	if (parse_record(reader, ret))
		return false; /* the end: chunk_parse has checked the rest */
	skip_record(reader, ret);
	return true;
}

/* ---- payloads from pieces -------------------------------------------------------------------- */

void record_joiner_init(struct record_joiner *joiner)
{
	*joiner = (struct record_joiner){ 0 };
	for (size_t kind = 0; kind < ARRAY_SIZE(joiner->parts); kind++)
		for (size_t viewer = 0; viewer < RECORD_VIEWERS; viewer++)
			buf_init(&joiner->parts[kind][viewer], RECORD_MESSAGE_MAX);
}

void record_joiner_finish(struct record_joiner *joiner)
{
	for (size_t kind = 0; kind < ARRAY_SIZE(joiner->parts); kind++)
		for (size_t viewer = 0; viewer < RECORD_VIEWERS; viewer++) {
			buf_wipe(&joiner->parts[kind][viewer]);
			buf_finish(&joiner->parts[kind][viewer]);
		}
	joiner->held = 0;
	joiner->given = NULL;
}

void record_joiner_clear(struct record_joiner *joiner)
{
	record_joiner_finish(joiner);
	record_joiner_init(joiner);
}

static void empty_part(struct record_joiner *joiner, struct buf *part)
{
	joiner->held -= part->len;
	buf_wipe(part);
	buf_finish(part);
}

static enum err add_part(struct record_joiner *joiner, struct buf *part,
			 const struct record *record)
{
	enum err err = joiner->held + record->len > RECORD_MESSAGE_MAX
			       ? ERR_TOO_BIG
			       : buf_add(part, record->data, record->len);

	if (!err)
		joiner->held += record->len;
	return err;
}

enum err record_joiner_add(struct record_joiner *joiner, const struct record *record,
			   bool *ret_whole, struct record *ret)
{
	struct buf *part = &joiner->parts[record->kind][record->viewer];
	bool *dropping = &joiner->dropping[record->kind][record->viewer];
	enum err err;

	if (joiner->given)
		empty_part(joiner, joiner->given);
	joiner->given = NULL;
	*ret_whole = false;
	if (*dropping) {
		*dropping = record->more;
		return OK;
	}
	if (!part->len && !record->more) { /* the usual case costs no copy */
		*ret_whole = true;
		*ret = *record;
		return OK;
	}
	err = add_part(joiner, part, record);
	if (err) {
		empty_part(joiner, part);
		*dropping = record->more;
		return err;
	}
	if (record->more)
		return OK;
	*ret_whole = true;
	*ret = *record;
	ret->data = part->data;
	ret->len = part->len;
	joiner->given = part;
	return OK;
}
