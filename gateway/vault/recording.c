#include "vault/recording.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static uint64_t get_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static enum err take_marks(struct recording *recording, struct bytes marks)
{
	size_t count = marks.len / RECORDING_MARK;

	if (marks.len % RECORDING_MARK)
		return ERR_INVALID;
	recording->marks = calloc(count + 1, sizeof(*recording->marks));
	if (!recording->marks)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *at = marks.data + i * RECORDING_MARK;
		struct verify_mark *mark = &recording->marks[i];

		mark->chunks = get_u64(at);
		mark->size = get_u64(at + 8);
		memcpy(mark->hash, at + 16, sizeof(mark->hash));
		mark->last = at[16 + CHUNK_HASH] != 0;
	}
	recording->mark_count = count;
	return OK;
}
_Static_assert(RECORDING_MARK == 8 + 8 + CHUNK_HASH + 1, "as messages.def says");

enum err recording_init(struct recording *recording, const struct msg_playback_open *msg, int fd)
{
	*recording = (struct recording){ .fd = fd, .live = msg->live != 0, .verdict = VERDICT_RED };
	memcpy(recording->session, msg->session, sizeof(recording->session));
	buf_init(&recording->meta, RECORDING_META_MAX);
	buf_init(&recording->der, SEAL_DER_MAX);
	enum err err = take_marks(recording, msg->marks);
	if (!err)
		err = scan_init(&recording->scan, fd, SCAN_HASHES);
	if (err) {
		recording->stage = RECORDING_DONE; /* no scan to finish */
		free(util_take_ptr(recording->marks));
		util_closep(&recording->fd);
		recording->fd = -1;
	}
	return err;
}

void recording_finish(struct recording *recording)
{
	scan_finish(&recording->scan);
	table_finish(&recording->table);
	buf_wipe(&recording->meta);
	buf_finish(&recording->meta);
	buf_finish(&recording->der);
	free(util_take_ptr(recording->marks));
	util_closep(&recording->fd);
	recording->fd = -1;
}

/* ---- the verdict ------------------------------------------------------------------------ */

/* What the marks prove, in the three colours that the player shows. */
static enum err judge(struct recording *recording)
{
	struct verify_result result = { 0 };
	enum err err =
		verify_marks(&recording->scan, recording->marks, recording->mark_count, &result);
	const char *fault = verify_fault_code(result.fault);

	if (err)
		return err;
	recording->verdict = result.verdict == VERIFY_INTACT     ? VERDICT_GREEN
			     : result.verdict == VERIFY_TAMPERED ? VERDICT_RED
								 : VERDICT_AMBER;
	if (recording->verdict == VERDICT_AMBER && recording->live)
		fault = "live";
	else if (result.verdict == VERIFY_UNPROVEN)
		fault = "no-marks";
	snprintf(recording->detail, sizeof(recording->detail),
		 "{\"fault\":\"%s\",\"first\":%llu,\"last\":%llu,\"proven\":%llu,\"chunks\":%llu}",
		 fault, (unsigned long long)result.first_bad, (unsigned long long)result.last_bad,
		 (unsigned long long)result.proven, (unsigned long long)result.chunks);
	return OK;
}

/* ---- chunks ----------------------------------------------------------------------------- */

/* The file may be written by somebody who broke into the broker, also after it was walked over. */
static enum err check_place(const struct recording *recording, uint32_t sequence,
			    const struct chunk_head *head)
{
	static const uint8_t nothing[CHUNK_HASH];
	const uint8_t *previous = sequence ? recording->scan.chunks[sequence - 1].hash : nothing;

	return memcmp(head->session, recording->session, sizeof(head->session)) == 0 &&
			       head->sequence == sequence &&
			       memcmp(head->previous, previous, CHUNK_HASH) == 0
		       ? OK
		       : ERR_PROTOCOL;
}
_Static_assert((int)CHUNK_SESSION == (int)WIRE_SESSION_ID, "a session's id");

static enum err read_chunk(struct recording *recording, uint32_t sequence)
{
	uint8_t hash[CHUNK_HASH];
	enum err err = scan_read(&recording->scan, sequence, &recording->der);

	if (!err)
		err = seal_hash(recording->der.data, recording->der.len, hash);
	if (!err && memcmp(hash, recording->scan.chunks[sequence].hash, sizeof(hash)) != 0)
		err = ERR_PROTOCOL;
	return err;
}

enum err recording_chunk(struct recording *recording, const struct house *house, uint32_t sequence,
			 struct buf *plain)
{
	struct chunk_reader reader;

	buf_wipe(plain);
	if (sequence >= recording->scan.count)
		return ERR_INVALID;
	if (!house->key)
		return ERR_LOCKED;
	enum err err = read_chunk(recording, sequence);
	/* Sealed to the house's key whatever its certificate was then. */
	if (!err)
		err = seal_open(house->key, NULL, recording->der.data, recording->der.len, plain);
	if (err == ERR_CRYPTO || err == ERR_TOO_BIG)
		err = ERR_PROTOCOL;
	if (!err)
		err = chunk_parse(plain->data, plain->len, &reader);
	if (!err)
		err = check_place(recording, sequence, &reader.head);
	if (err)
		buf_wipe(plain);
	return err;
}

/* ---- before playing --------------------------------------------------------------------- */

static enum err take_meta(struct recording *recording, const struct buf *plain)
{
	struct chunk_reader reader;
	struct record record;

	if (plain->len && chunk_parse(plain->data, plain->len, &reader) == OK &&
	    chunk_next(&reader, &record) && record.kind == RECORD_META && !record.more &&
	    record.len <= RECORDING_META_MAX &&
	    util_utf8_valid((const char *)record.data, record.len))
		return buf_add(&recording->meta, record.data, record.len);
	return buf_add(&recording->meta, "{}", 2);
}

/*
 * A chunk that does not open is the player's to show, not a reason to play nothing. One that is not
 * sealed to the house key is such a chunk when somebody tampered with the file; else all are.
 */
static enum err open_or_leave(struct recording *recording, const struct house *house,
			      uint32_t sequence, struct buf *plain)
{
	enum err err = recording_chunk(recording, house, sequence, plain);

	if (err == ERR_DENIED && recording->verdict == VERDICT_RED)
		err = OK;
	return err == ERR_PROTOCOL ? OK : err;
}

static enum err read_meta(struct recording *recording, const struct house *house, struct buf *plain)
{
	enum err err = OK;

	if (recording->scan.count)
		err = open_or_leave(recording, house, 0, plain);
	if (!err)
		err = take_meta(recording, plain);
	if (!err)
		err = table_init(&recording->table, &recording->scan, house->key, NULL);
	/* An index is as good as the marks that cover it. */
	if (!err && recording->verdict != VERDICT_GREEN)
		table_distrust(&recording->table, recording->verdict == VERDICT_RED);
	return err;
}

static enum err step(struct recording *recording, const struct house *house, struct buf *plain)
{
	bool done = false;
	enum err err = house->key ? OK : ERR_LOCKED;

	if (err)
		return err;
	switch (recording->stage) {
	case RECORDING_SCANS:
		err = scan_step(&recording->scan, RECORDING_STEP_BYTES, &done);
		if (!err && done)
			err = judge(recording);
		break;
	case RECORDING_META_READ:
		err = read_meta(recording, house, plain);
		done = true;
		break;
	case RECORDING_TABLES:
		if (recording->scan.count)
			err = table_step(&recording->table, RECORDING_STEP_CHUNKS, &done);
		else
			done = true;
		break;
	case RECORDING_DONE:
		return OK;
	}
	if (!err && done)
		recording->stage++;
	return err;
}

enum err recording_step(struct recording *recording, const struct house *house, struct buf *plain,
			bool *ret_done)
{
	enum err err = step(recording, house, plain);

	buf_wipe(plain);
	*ret_done = !err && recording->stage == RECORDING_DONE;
	return err;
}

enum err recording_grow(struct recording *recording, const struct house *house)
{
	bool done;
	enum err err = house->key ? OK : ERR_LOCKED;

	if (!recording->live || recording->stage != RECORDING_DONE || !recording->scan.count)
		return OK;
	if (!err)
		err = scan_more(&recording->scan);
	if (!err)
		err = scan_step(&recording->scan, RECORDING_STEP_BYTES, &done);
	if (!err)
		err = table_more(&recording->table);
	return err ? err : table_step(&recording->table, RECORDING_STEP_CHUNKS, &done);
}

enum err recording_rows(const struct recording *recording, size_t first, size_t count,
			struct buf *rows)
{
	uint8_t row[TABLE_ROW];
	enum err err = OK;

	for (size_t i = first; !err && i < first + count; i++) {
		table_put_row(&recording->table.rows[i], row);
		err = buf_add(rows, row, sizeof(row));
	}
	return err;
}
