#include "worker/record/writer.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/util.h"
#include "record/seal.h"
#include "record/table.h"
#include "wire/wire.h"
#include "worker/encode/lossless.h"
#include "worker/record/disk.h"

enum {
	MESSAGE_MAX = LOSSLESS_MAX_DATA + 65536,
	INDEX_MAX = CHUNK_COUNT_MAX * TABLE_ROW + 4,
	ROWS_FIRST = 1024,
	KEEP_ROOM = 256 * 1024, /* of buffers between two keyframes */
	/* Chunks that are kept for the index at the end, and before these for what comes until the
	 * session has ended. */
	CHUNKS_INDEX = INDEX_MAX / (CHUNK_MAX / 2) + 1,
	CHUNKS_ENDING = 64,
	/* What comes waits so long for more: each chunk costs as much as some hundred small
	 * records. It is to be on the disk after two seconds, so a slow disk gets more of them. */
	WAIT_US = 1500000,
	WAIT_SLOW_US = 1000000,
	SLOW_US = 100000, /* to seal and append a chunk */
};

/* What waits. */
struct item {
	struct item *next;
	struct writer_record record;
	unsigned width, height; /* of a picture's pixels; 0: data is the payload */
	uint32_t sequence;
	size_t len;
	uint8_t data[];
};

struct writer {
	/* Shared, under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct item *first, **last; /* owned */
	struct writer_state state;
	bool ending, abandoned;
	bool slow;            /* the last chunk took longer than SLOW_US */
	uint64_t deadline_us; /* monotonic; when what waits is to be on the disk, nearly */
	uint64_t end_us;
	int64_t end_ms;
	/* The session's. */
	pthread_t thread;
	bool running;
	void (*changed)(void *ctx);
	void *ctx;
	/* The thread's. */
	struct seal_recipients *recipients;
	uint8_t session[CHUNK_SESSION];
	struct disk disk;
	struct chunk_writer chunk;
	uint32_t flags;    /* of the chunk that is begun */
	uint64_t at_us;    /* of the record at hand; 0: none */
	uint64_t chunk_ms; /* its time */
	uint64_t took_us;  /* to seal and append the last one */
	uint8_t previous[CHUNK_HASH], running_hash[CHUNK_HASH];
	uint64_t chunks, most;  /* most: that a recording may have */
	struct table_row *rows; /* owned */
	size_t row_room;
	struct buf der, message;
	struct lossless *lossless; /* owned; NULL until a picture comes */
};

/* What was typed may be a secret. */
static void free_item(struct item *item)
{
	if (item && item->record.kind == RECORD_INPUT)
		secret_wipe(item->data, item->len);
	free(item);
}

static void free_items(struct item *item)
{
	while (item) {
		struct item *next = item->next;
		free_item(item);
		item = next;
	}
}

/* ---- chunks: the thread's side ---------------------------------------------------------- */

static enum err keep_row(struct writer *writer, uint32_t flags)
{
	if (writer->chunks == writer->row_room) {
		size_t room = MAX(2 * writer->row_room, (size_t)ROWS_FIRST);
		struct table_row *rows = realloc(writer->rows, room * sizeof(*rows));
		if (!rows)
			return ERR_NOMEM;
		writer->rows = rows;
		writer->row_room = room;
	}
	writer->rows[writer->chunks] = (struct table_row){
		.offset = writer->disk.size,
		.start_us = writer->chunk.start_us,
		.time_ms = writer->chunk_ms,
		.flags = flags,
		.activity = writer->chunk.figures.activity,
		.events = writer->chunk.figures.events,
	};
	return OK;
}

static void tell(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->slow = writer->took_us > SLOW_US;
	writer->state.chunks = writer->chunks;
	writer->state.size = writer->disk.size;
	memcpy(writer->state.hash, writer->running_hash, sizeof(writer->state.hash));
	writer->state.unsynced_us = writer->at_us   ? writer->at_us
				    : writer->first ? writer->first->record.at_us
						    : 0;
	pthread_mutex_unlock(&writer->lock);
	writer->changed(writer->ctx);
}

static enum err reserve(struct writer *writer)
{
	enum err err = disk_reserve(&writer->disk);
	bool many = writer->chunks + CHUNKS_INDEX + CHUNKS_ENDING >= writer->most;
	if (err != ERR_FULL && (err || !many))
		return err;
	/* The session ends now, in what was reserved before. */
	pthread_mutex_lock(&writer->lock);
	writer->state.full = true;
	pthread_mutex_unlock(&writer->lock);
	return OK;
}

static enum err end_chunk(struct writer *writer, uint32_t flags)
{
	const uint8_t *plain;
	size_t len;
	flags |= writer->flags;
	uint64_t began_us = clock_mono_us();
	enum err err = reserve(writer);
	if (!err)
		err = chunk_writer_end(&writer->chunk, flags, &plain, &len);
	if (!err)
		err = keep_row(writer, flags);
	buf_clear(&writer->der);
	if (!err)
		err = seal_chunk(writer->recipients, plain, len, &writer->der);
	if (!err)
		err = disk_append(&writer->disk, writer->der.data, writer->der.len);
	if (!err)
		err = seal_hash(writer->der.data, writer->der.len, writer->previous);
	if (!err)
		err = seal_running(writer->running_hash, writer->previous);
	if (err)
		return err;
	writer->chunks++;
	writer->flags = 0;
	writer->took_us = clock_mono_us() - began_us;
	tell(writer);
	return OK;
}

static enum err begin_chunk(struct writer *writer, const struct writer_record *record)
{
	uint64_t kept = record->kind == RECORD_INDEX ? 0 : CHUNKS_INDEX;
	if (writer->chunks + kept >= writer->most)
		return ERR_FULL;
	struct chunk_head head = { .sequence = writer->chunks,
				   .time_ms = (uint64_t)record->time_ms,
				   .start_us = record->at_us };
	memcpy(head.session, writer->session, sizeof(head.session));
	memcpy(head.previous, writer->previous, sizeof(head.previous));
	writer->chunk_ms = head.time_ms;
	return chunk_writer_begin(&writer->chunk, &head);
}

static enum err put(struct writer *writer, const struct writer_record *record, const uint8_t *data,
		    size_t len)
{
	bool over = record->begins || chunk_writer_is_due(&writer->chunk, record->at_us);
	enum err err = OK;
	writer->at_us = record->at_us;
	if (over && chunk_writer_is_begun(&writer->chunk))
		err = end_chunk(writer, 0);
	if (record->begins)
		writer->flags |= CHUNK_KEY;
	while (!err && len) {
		struct record piece = { .kind = record->kind,
					.viewer = record->viewer,
					.at_us = record->at_us,
					.data = data,
					.len = len };
		size_t taken = 0;
		if (!chunk_writer_is_begun(&writer->chunk))
			err = begin_chunk(writer, record);
		if (!err)
			err = chunk_writer_add(&writer->chunk, &piece, &taken);
		if (err)
			break;
		data += taken;
		len -= taken;
		if (len || chunk_writer_is_due(&writer->chunk, record->at_us))
			err = end_chunk(writer, 0);
	}
	return err;
}

/* ---- pictures --------------------------------------------------------------------------- */

static enum err encode(struct writer *writer, const struct item *item)
{
	const struct surface view = { .data = (uint8_t *)(uintptr_t)item->data,
				      .width = item->width,
				      .height = item->height,
				      .stride = (size_t)item->width * SURFACE_PIXEL };
	const struct rect all = { .width = (uint16_t)item->width,
				  .height = (uint16_t)item->height };
	struct lossless_data data = { 0 };
	enum err err = writer->lossless ? OK : lossless_new(&writer->lossless);
	if (!err)
		err = lossless_encode(writer->lossless, &view, &all, 1, LOSSLESS_ANY, &data);
	if (err)
		return err;
	const struct msg_frame frame = {
		.sequence = item->sequence,
		.time_us = item->record.at_us,
		.keyframe = 1,
		.width = all.width,
		.height = all.height,
		.rects = { (const uint8_t *)&all, sizeof(all) },
		.raw_size = data.raw_size,
		.data = { data.data, data.len },
	};
	buf_clear(&writer->message);
	return wire_encode(MSG_frame, &frame, &writer->message);
}

static enum err put_picture(struct writer *writer, const struct item *item)
{
	enum err err = encode(writer, item);
	/* A desktop of noise is larger than a message: playing starts at an earlier one. */
	if (err == ERR_TOO_BIG)
		return OK;
	pthread_mutex_lock(&writer->lock);
	writer->state.picture = writer->message.len;
	pthread_mutex_unlock(&writer->lock);
	if (!err)
		err = put(writer, &item->record, writer->message.data, writer->message.len);
	if (writer->message.room > KEEP_ROOM) {
		lossless_rest(writer->lossless);
		buf_finish(&writer->message);
		buf_init(&writer->message, MESSAGE_MAX);
	}
	return err;
}

/* ---- the thread ------------------------------------------------------------------------- */

/* Under the lock. A batch is as much as a chunk takes, or what came since: more often the
 * thread does not wake. */
static void wait(struct writer *writer)
{
	const struct timespec until = { .tv_sec = (time_t)(writer->deadline_us / 1000000),
					.tv_nsec = (long)(writer->deadline_us % 1000000 * 1000) };
	if (writer->first)
		pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
	else
		pthread_cond_wait(&writer->wake, &writer->lock);
}

static bool is_ready(const struct writer *writer)
{
	bool batch = writer->first && (writer->state.queued >= CHUNK_CLOSE_BYTES ||
				       clock_mono_us() >= writer->deadline_us);
	return batch || writer->ending || writer->abandoned;
}

/* All that waits. ret_end: nothing comes after it. */
static struct item *take(struct writer *writer, bool *ret_end)
{
	pthread_mutex_lock(&writer->lock);
	while (!is_ready(writer))
		wait(writer);
	struct item *batch = writer->first;
	*ret_end = writer->ending || writer->abandoned;
	writer->first = NULL;
	writer->last = &writer->first;
	pthread_mutex_unlock(&writer->lock);
	return batch;
}

static void written(struct writer *writer, const struct item *item)
{
	pthread_mutex_lock(&writer->lock);
	writer->state.queued -= item->len;
	pthread_mutex_unlock(&writer->lock);
}

/* Takes over the batch. */
static enum err write_batch(struct writer *writer, struct item *batch)
{
	enum err err = OK;
	while (batch && !err) {
		struct item *item = batch;
		err = item->width ? put_picture(writer, item)
				  : put(writer, &item->record, item->data, item->len);
		batch = item->next;
		written(writer, item);
		free_item(item);
	}
	free_items(batch);
	writer->at_us = 0;
	if (!err && chunk_writer_is_begun(&writer->chunk))
		err = end_chunk(writer, 0);
	else
		tell(writer);
	return err;
}

/* The last chunk, with the index of those before. */
static enum err finish(struct writer *writer)
{
	const struct writer_record record = { .kind = RECORD_INDEX,
					      .at_us = writer->end_us,
					      .time_ms = writer->end_ms };
	_cleanup_buf_ struct buf index;
	size_t at = 0;
	buf_init(&index, INDEX_MAX);
	enum err err = table_put_index(writer->rows, writer->chunks, &index);
	while (!err && at < index.len) {
		const struct record piece = { .kind = RECORD_INDEX,
					      .at_us = writer->end_us,
					      .data = index.data + at,
					      .len = index.len - at };
		size_t taken = 0;
		err = begin_chunk(writer, &record);
		if (!err)
			err = chunk_writer_add(&writer->chunk, &piece, &taken);
		at += taken;
		if (!err)
			err = end_chunk(writer, at < index.len ? 0 : CHUNK_LAST);
	}
	return err;
}

static void fail(struct writer *writer, enum err err)
{
	pthread_mutex_lock(&writer->lock);
	writer->state.failed = err;
	free_items(writer->first);
	writer->first = NULL;
	writer->last = &writer->first;
	writer->state.queued = 0;
	writer->state.unsynced_us = 0;
	pthread_mutex_unlock(&writer->lock);
	writer->changed(writer->ctx);
}

static void done(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->state.done = true;
	pthread_mutex_unlock(&writer->lock);
	writer->changed(writer->ctx);
}

static void *work(void *arg)
{
	struct writer *writer = arg;
	enum err err = OK;
	bool end = false;
	/* From outside it would want a file of /proc. */
	pthread_setname_np(pthread_self(), "recorder");
	while (!err && !end)
		err = write_batch(writer, take(writer, &end));
	if (!err && writer->ending)
		err = finish(writer);
	disk_finish(&writer->disk);
	if (err)
		fail(writer, err);
	else if (writer->ending)
		done(writer);
	return NULL;
}

/* ---- the session's side ----------------------------------------------------------------- */

static enum err init_locks(struct writer *writer)
{
	pthread_condattr_t attributes;
	if (pthread_mutex_init(&writer->lock, NULL))
		return ERR_NOMEM;
	if (pthread_condattr_init(&attributes))
		return ERR_NOMEM;
	int failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (!failed)
		failed = pthread_cond_init(&writer->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return failed ? ERR_NOMEM : OK;
}

enum err writer_new(const struct writer_config *config, struct writer **ret)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	if (!writer) {
		close(config->fd);
		return ERR_NOMEM;
	}
	disk_init(&writer->disk, config->fd);
	chunk_writer_init(&writer->chunk);
	buf_init(&writer->der, SEAL_DER_MAX);
	buf_init(&writer->message, MESSAGE_MAX);
	writer->last = &writer->first;
	writer->changed = config->changed;
	writer->ctx = config->ctx;
	memcpy(writer->session, config->session, sizeof(writer->session));
	writer->most = config->chunks_most ? config->chunks_most : CHUNK_COUNT_MAX;
	enum err err = init_locks(writer);
	if (!err)
		err = seal_recipients_new(config->recipients, config->recipients_len,
					  clock_wall_s(), &writer->recipients);
	/* What begins shall have room for an end. */
	if (!err)
		err = disk_reserve(&writer->disk);
	if (err) {
		writer_free(writer);
		return err;
	}
	*ret = writer;
	return OK;
}

enum err writer_run(struct writer *writer)
{
	sigset_t all, before;
	if (writer->running)
		return OK;
	/* Signals are the session's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&writer->thread, NULL, work, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return ERR_NOMEM;
	writer->running = true;
	return OK;
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	if (writer->running) {
		pthread_mutex_lock(&writer->lock);
		writer->abandoned = true;
		pthread_cond_signal(&writer->wake);
		pthread_mutex_unlock(&writer->lock);
		pthread_join(writer->thread, NULL);
	}
	free_items(writer->first);
	disk_finish(&writer->disk);
	chunk_writer_finish(&writer->chunk);
	seal_recipients_free(writer->recipients);
	lossless_free(writer->lossless);
	buf_finish(&writer->der);
	buf_finish(&writer->message);
	free(writer->rows);
	pthread_cond_destroy(&writer->wake);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

/* Under the lock. */
static void enqueue(struct writer *writer, struct item *item)
{
	bool first = !writer->first;
	size_t before = writer->state.queued;
	if (first)
		writer->deadline_us = clock_mono_us() + (writer->slow ? WAIT_SLOW_US : WAIT_US);
	if (!writer->state.unsynced_us)
		writer->state.unsynced_us = item->record.at_us;
	writer->state.queued += item->len;
	*writer->last = item;
	writer->last = &item->next;
	if (first || (before < CHUNK_CLOSE_BYTES && writer->state.queued >= CHUNK_CLOSE_BYTES))
		pthread_cond_signal(&writer->wake);
}

/* Takes over item. */
static enum err post(struct writer *writer, struct item *item)
{
	enum err err = OK;
	pthread_mutex_lock(&writer->lock);
	bool over = writer->state.failed || writer->ending;
	if (!over && writer->state.queued > WRITER_QUEUE + WRITER_SLACK)
		err = ERR_FULL;
	if (!over && !err)
		enqueue(writer, util_take_ptr(item));
	pthread_mutex_unlock(&writer->lock);
	free_item(item);
	return err;
}

enum err writer_add(struct writer *writer, const struct writer_record *record, const uint8_t *data,
		    size_t len)
{
	struct item *item = malloc(sizeof(*item) + len);
	if (!item)
		return ERR_NOMEM;
	*item = (struct item){ .record = *record, .len = len };
	memcpy(item->data, data, len);
	return post(writer, item);
}

enum err writer_add_picture(struct writer *writer, const struct writer_record *record,
			    const struct surface *view, uint32_t sequence)
{
	size_t row = (size_t)view->width * SURFACE_PIXEL, size = row * view->height;
	struct item *item = malloc(sizeof(*item) + size);
	if (!item)
		return ERR_NOMEM;
	*item = (struct item){ .record = *record,
			       .width = view->width,
			       .height = view->height,
			       .sequence = sequence,
			       .len = size };
	for (unsigned y = 0; y < view->height; y++)
		memcpy(item->data + y * row, surface_at(view, 0, y), row);
	return post(writer, item);
}

void writer_end(struct writer *writer, uint64_t at_us, int64_t time_ms)
{
	pthread_mutex_lock(&writer->lock);
	writer->end_us = at_us;
	writer->end_ms = time_ms;
	writer->ending = true;
	pthread_cond_signal(&writer->wake);
	pthread_mutex_unlock(&writer->lock);
}

void writer_state(struct writer *writer, struct writer_state *ret)
{
	pthread_mutex_lock(&writer->lock);
	*ret = writer->state;
	pthread_mutex_unlock(&writer->lock);
}
