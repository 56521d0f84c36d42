#include "record/scan.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

enum {
	SEARCH_PIECE = 256 * 1024,
	HEAD_BEFORE_TYPE_MIN = 2, /* bytes that shape_head wants before the type */
	HEAD_BEFORE_TYPE_MAX = 6,
	CHUNKS_FIRST = 1024,
};

static enum err read_at(const struct scan *scan, uint64_t offset, uint8_t *data, size_t len)
{
	while (len) {
		ssize_t got = pread(scan->fd, data, len, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_IO; /* it was as long as this before */
		data += got;
		offset += (uint64_t)got;
		len -= (size_t)got;
	}
	return OK;
}

enum err scan_init(struct scan *scan, int fd, enum scan_how how)
{
	struct stat stat;

	if (fstat(fd, &stat))
		return ERR_IO;
	if (!S_ISREG(stat.st_mode))
		return ERR_INVALID;
	*scan = (struct scan){ .fd = fd, .how = how, .file_size = (uint64_t)stat.st_size };
	buf_init(&scan->buffer, SEAL_DER_MAX);
	return OK;
}

void scan_finish(struct scan *scan)
{
	buf_finish(&scan->buffer);
	free(scan->chunks);
	*scan = (struct scan){ .fd = -1 };
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static enum err make_room(struct scan *scan)
{
	const size_t room = scan->room ? 2 * scan->room : CHUNKS_FIRST;

	if (scan->count < scan->room)
		return OK;
	struct scan_chunk *chunks = reallocarray(scan->chunks, room, sizeof(*chunks));
	if (!chunks)
		return ERR_NOMEM;
	scan->chunks = chunks;
	scan->room = room;
	return OK;
}

static enum err hash_chunk(struct scan *scan, struct scan_chunk *chunk)
{
	size_t recipients;
	uint8_t *at;
	enum err err;

	buf_clear(&scan->buffer);
	err = buf_reserve(&scan->buffer, chunk->len, &at);
	if (!err)
		err = read_at(scan, chunk->offset, at, chunk->len);
	if (err)
		return err;
	chunk->odd = shape_check(at, chunk->len, &recipients) != OK;
	err = seal_hash(at, chunk->len, chunk->hash);
	return err ? err : seal_running(scan->running, chunk->hash);
}

static enum err add_chunk(struct scan *scan, size_t size)
{
	struct scan_chunk chunk = { .offset = scan->size, .len = (uint32_t)size };
	enum err err = make_room(scan);

	if (!err && scan->how == SCAN_HASHES)
		err = hash_chunk(scan, &chunk);
	if (err)
		return err;
	scan->chunks[scan->count++] = chunk;
	scan->size += size;
	return OK;
}

/* ---- what follows the last whole one ---------------------------------------------------- */

/* Whether a chunk that fits into the file begins so. */
static bool begins_chunk(const struct scan *scan, uint64_t offset, const uint8_t *data, size_t len)
{
	size_t size;

	return shape_head(data, len, &size) == SHAPE_CHUNK && size <= scan->file_size - offset;
}

static bool is_zero(const uint8_t *data, size_t len)
{
	return !len || (!data[0] && memcmp(data, data + 1, len - 1) == 0);
}

/* The first place in the piece at scan->searched where a chunk begins, or the piece's end. */
static size_t find_chunk(const struct scan *scan, const uint8_t *data, size_t len)
{
	const uint8_t *at = data, *type;
	size_t type_len;
	const uint8_t *wanted = shape_type(&type_len);

	while ((type = memmem(at, len - (size_t)(at - data), wanted, type_len))) {
		for (size_t before = HEAD_BEFORE_TYPE_MAX; before >= HEAD_BEFORE_TYPE_MIN;
		     before--) {
			const size_t place = (size_t)(type - data) - before;
			if ((size_t)(type - data) >= before &&
			    begins_chunk(scan, scan->searched + place, data + place, len - place))
				return place;
		}
		at = type + 1;
	}
	return len;
}

/* One piece. Pieces overlap by what is needed to see a beginning, which would be missed if it lay
 * across two. */
static enum err search_step(struct scan *scan, bool *ret_done)
{
	const size_t len = (size_t)MIN(scan->file_size - scan->searched, (uint64_t)SEARCH_PIECE);
	const bool last = scan->searched + len == scan->file_size;
	uint8_t *data;
	enum err err;

	buf_clear(&scan->buffer);
	err = buf_reserve(&scan->buffer, SEARCH_PIECE, &data);
	if (!err)
		err = read_at(scan, scan->searched, data, len);
	if (err)
		return err;
	const size_t place = find_chunk(scan, data, len);
	scan->zeros = scan->zeros && is_zero(data, place);
	if (place < len)
		scan->resume = scan->searched + place;
	scan->searched += len - (last ? 0 : SHAPE_HEAD);
	*ret_done = last || scan->resume;
	return OK;
}

/* Zeros are blocks that a file system gave but had not written. */
static void judge_end(struct scan *scan, bool could_be_cut)
{
	const bool cut = scan->zeros || (could_be_cut && !scan->resume);

	scan->end = cut ? SCAN_CUT : SCAN_DAMAGED;
}

static enum err search(struct scan *scan, bool *ret_done)
{
	enum err err = search_step(scan, ret_done);

	if (!err && *ret_done)
		judge_end(scan, scan->end == SCAN_CUT);
	return err;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* What is no whole chunk is left: how it begins says whether a crash can have left it. */
static void begin_search(struct scan *scan, enum shape_start start, const uint8_t *head, size_t len,
			 bool *ret_done)
{
	scan->end = start == SHAPE_OTHER ? SCAN_DAMAGED : SCAN_CUT;
	scan->zeros = is_zero(head, len);
	scan->searching = true;
	scan->searched = scan->size + 1;
	*ret_done = scan->how == SCAN_PLACES || scan->searched == scan->file_size;
	if (*ret_done)
		judge_end(scan, scan->end == SCAN_CUT);
}

static enum err chunk_step(struct scan *scan, bool *ret_done)
{
	const uint64_t left = scan->file_size - scan->size;
	const size_t len = (size_t)MIN(left, (uint64_t)SHAPE_HEAD);
	uint8_t head[SHAPE_HEAD];
	size_t size = 0;
	enum err err;

	*ret_done = true;
	if (!left) {
		scan->end = SCAN_WHOLE;
		return OK;
	}
	if (scan->count == CHUNK_COUNT_MAX || scan->file_size > SCAN_FILE_MAX) {
		scan->end = SCAN_TOO_LONG;
		return OK;
	}
	err = read_at(scan, scan->size, head, len);
	if (err)
		return err;
	const enum shape_start start = shape_head(head, len, &size);
	if (start != SHAPE_CHUNK || size > left) {
		begin_search(scan, start, head, len, ret_done);
		return OK;
	}
	*ret_done = false;
	return add_chunk(scan, size);
}

enum err scan_step(struct scan *scan, uint64_t bytes, bool *ret_done)
{
	bool done = false;
	uint64_t from, read = 0;
	enum err err;

	do {
		from = scan->searching ? scan->searched : scan->size;
		err = scan->searching ? search(scan, &done) : chunk_step(scan, &done);
		if (err)
			return err;
		read += (scan->searching ? scan->searched : scan->size) - from + SHAPE_HEAD;
	} while (!done && read < bytes);
	*ret_done = done;
	return OK;
}

enum err scan_more(struct scan *scan)
{
	struct stat stat;

	if (fstat(scan->fd, &stat))
		return ERR_IO;
	if ((uint64_t)stat.st_size < scan->file_size)
		return ERR_INVALID;
	scan->file_size = (uint64_t)stat.st_size;
	scan->searching = scan->zeros = false;
	scan->searched = scan->resume = 0;
	return OK;
}

enum err scan_all(struct scan *scan)
{
	bool done = false;
	enum err err;

	do
		err = scan_step(scan, UINT64_MAX, &done);
	while (!err && !done);
	return err;
}

enum err scan_read(const struct scan *scan, size_t index, struct buf *der)
{
	uint8_t *at;
	enum err err;

	if (index >= scan->count)
		return ERR_INVALID;
	buf_clear(der);
	err = buf_reserve(der, scan->chunks[index].len, &at);
	if (!err)
		err = read_at(scan, scan->chunks[index].offset, at, scan->chunks[index].len);
	if (!err)
		der->len = scan->chunks[index].len;
	return err;
}
