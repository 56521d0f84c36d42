#include "worker/record/recorder.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"
#include "worker/record/masks.h"
#include "worker/record/writer.h"

enum {
	WATCH_US = 1000000,
	INPUT_MAX = 4096,
	CURSOR_MAX = 1024 * 1024 + 64,
	/* MSG_frame: id, sequence, time_us, then keyframe. */
	FRAME_KEY_AT = 2 + 4 + 8,
	KEY_QUEUE = WRITER_QUEUE / 4, /* with more waiting, a keyframe waits too */
};

struct recorder {
	const struct recorder_events *events;
	void *ctx;
	struct writer *writer;     /* owned */
	struct writer_state state; /* as last seen */
	int wake;                  /* owned; eventfd, from the writer's thread */
	struct loop_io io;
	struct loop_timer watch;
	bool keys, ended, failed, held;
	enum err error; /* to be told */
	struct masks masks;
	uint64_t began_us, marked_us, held_us, progress_us; /* monotonic */
	uint64_t marked;
	unsigned viewers; /* bits */
	/* Since the last keyframe. */
	uint64_t key_us; /* monotonic */
	size_t frames, bytes, key_bytes;
	bool key_wanted;
};

/* ---- what the writer says --------------------------------------------------------------- */

static void fail(struct recorder *recorder, enum err err)
{
	if (recorder->failed)
		return;
	recorder->failed = true;
	log_error("recording-failed", "error=%s chunks=%llu", err_code(err),
		  (unsigned long long)recorder->state.chunks);
	recorder->events->failed(recorder->ctx, err);
}

static void tell_mark(struct recorder *recorder, uint64_t now_us)
{
	const struct writer_state *state = &recorder->state;
	struct msg_record_mark mark = { .chunks = state->chunks,
					.size = state->size,
					.last = state->done };
	bool due = state->chunks > recorder->marked &&
		   now_us - recorder->marked_us >= RECORDER_MARK_US;
	if (!due && !state->done && !(state->failed && state->chunks > recorder->marked))
		return;
	memcpy(mark.hash, state->hash, sizeof(mark.hash));
	recorder->marked = state->chunks;
	recorder->marked_us = now_us;
	recorder->events->mark(recorder->ctx, &mark);
}

static bool must_hold(const struct recorder *recorder, uint64_t now_us)
{
	const struct writer_state *state = &recorder->state;
	size_t most = recorder->held ? WRITER_QUEUE / 2 : WRITER_QUEUE;
	uint64_t at_us = now_us - recorder->began_us;
	bool late = state->unsynced_us && at_us - state->unsynced_us > RECORDER_LATE_US;
	return !state->failed && !state->done && (state->queued > most || late);
}

static void hold(struct recorder *recorder, uint64_t now_us)
{
	bool held = must_hold(recorder, now_us);
	if (held && !recorder->held)
		recorder->held_us = now_us;
	if (held != recorder->held) {
		log_warn("recording-held", "held=%d queued=%zu", held, recorder->state.queued);
		recorder->held = held;
		recorder->events->held(recorder->ctx, held);
	}
	uint64_t since_us = MAX(recorder->held_us, recorder->progress_us);
	if (held && now_us - since_us > RECORDER_STALL_US)
		fail(recorder, ERR_TIMEOUT);
}

static void update(struct recorder *recorder)
{
	struct writer_state before = recorder->state;
	uint64_t now_us = clock_mono_us();
	writer_state(recorder->writer, &recorder->state);
	const struct writer_state *state = &recorder->state;
	if (state->chunks != before.chunks || state->queued < before.queued)
		recorder->progress_us = now_us;
	if (state->chunks != before.chunks || state->done || state->failed)
		tell_mark(recorder, now_us);
	hold(recorder, now_us);
	if (recorder->error)
		fail(recorder, recorder->error);
	else if (state->failed)
		fail(recorder, state->failed);
	else if (state->full)
		fail(recorder, ERR_FULL);
	if (state->unsynced_us && !state->failed && !loop_timer_running(&recorder->watch))
		loop_timer_set(&recorder->watch, WATCH_US);
}

static void on_woken(struct loop_io *io, uint32_t events)
{
	struct recorder *recorder = container_of(io, struct recorder, io);
	uint64_t count;
	(void)events;
	if (read(recorder->wake, &count, sizeof(count)) == sizeof(count))
		update(recorder);
}

static void on_watch(struct loop_timer *timer)
{
	update(container_of(timer, struct recorder, watch));
}

/* In the writer's thread. */
static void on_changed(void *ctx)
{
	const struct recorder *recorder = ctx;
	const uint64_t one = 1;
	(void)!write(recorder->wake, &one, sizeof(one));
}

/* ---- life ------------------------------------------------------------------------------- */

static struct writer_record record_of(const struct recorder *recorder, enum record_kind kind,
				      unsigned viewer)
{
	return (struct writer_record){ .kind = kind,
				       .viewer = (uint8_t)viewer,
				       .at_us = MAX(clock_mono_us() - recorder->began_us,
						    (uint64_t)1),
				       .time_ms = clock_wall_ms() };
}

/* An error is told in a turn of its own: callers are in the middle of something. */
static void note(struct recorder *recorder, enum err err)
{
	if (err && !recorder->error) {
		recorder->error = err;
		loop_timer_set(&recorder->watch, 0);
	} else if (!loop_timer_running(&recorder->watch)) {
		loop_timer_set(&recorder->watch, WATCH_US);
	}
}

static bool takes(const struct recorder *recorder)
{
	return recorder && !recorder->ended && !recorder->failed;
}

static void add(struct recorder *recorder, const struct writer_record *record, const void *data,
		size_t len)
{
	note(recorder, writer_add(recorder->writer, record, data, len));
}

static enum err set_up(struct recorder *recorder, struct loop *loop,
		       const struct recorder_config *config)
{
	struct writer_config writing = { .fd = config->fd,
					 .recipients = config->recipients.data,
					 .recipients_len = config->recipients.len,
					 .changed = on_changed,
					 .ctx = recorder };
	memcpy(writing.session, config->session, sizeof(writing.session));
	enum err err = writer_new(&writing, &recorder->writer);
	if (!err && recorder->wake < 0)
		err = ERR_NOMEM;
	if (!err)
		err = loop_io_init(loop, &recorder->io, recorder->wake, EPOLLIN, on_woken);
	if (err)
		return err;
	const struct writer_record meta = record_of(recorder, RECORD_META, 0);
	return writer_add(recorder->writer, &meta, config->meta.data, config->meta.len);
}

enum err recorder_new(struct loop *loop, const struct recorder_config *config,
		      const struct recorder_events *events, void *ctx, struct recorder **ret)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	if (!recorder) {
		close(config->fd);
		return ERR_NOMEM;
	}
	*recorder = (struct recorder){ .events = events,
				       .ctx = ctx,
				       .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				       .keys = config->keys,
				       .began_us = clock_mono_us() };
	recorder->marked_us = recorder->key_us = recorder->began_us;
	loop_timer_init(loop, &recorder->watch, on_watch);
	enum err err = set_up(recorder, loop, config);
	if (err) {
		recorder_free(recorder);
		return err;
	}
	*ret = recorder;
	return OK;
}

enum err recorder_run(struct recorder *recorder)
{
	return recorder ? writer_run(recorder->writer) : OK;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	writer_free(recorder->writer);
	loop_timer_cancel(&recorder->watch);
	loop_io_finish(&recorder->io);
	util_closep(&recorder->wake);
	free(recorder);
}

void recorder_end(struct recorder *recorder)
{
	if (!recorder || recorder->ended)
		return;
	const struct writer_record end = record_of(recorder, RECORD_INDEX, 0);
	recorder->ended = true;
	enum err err = writer_run(recorder->writer);
	if (err)
		note(recorder, err);
	else
		writer_end(recorder->writer, end.at_us, end.time_ms);
}

bool recorder_over(const struct recorder *recorder)
{
	return !recorder || recorder->state.done || recorder->state.failed || recorder->error;
}

/* ---- what is recorded ------------------------------------------------------------------- */

void recorder_shown(struct recorder *recorder, unsigned viewer, bool shown)
{
	if (!takes(recorder))
		return;
	recorder->viewers &= ~(1u << viewer);
	recorder->viewers |= (unsigned)shown << viewer;
}

/* What a frame means for the next keyframe. True: playing can start at it. */
static bool count_frame(struct recorder *recorder, unsigned viewer, const uint8_t *message,
			size_t len)
{
	recorder->frames++;
	recorder->bytes += len;
	if (len <= FRAME_KEY_AT || !message[FRAME_KEY_AT])
		return false;
	/* Of one that is not alone it is not the whole. */
	if (recorder->viewers & ~(1u << viewer)) {
		recorder->key_wanted = true;
		return false;
	}
	recorder->key_us = clock_mono_us();
	recorder->key_bytes = len;
	recorder->frames = recorder->bytes = 0;
	recorder->key_wanted = false;
	return true;
}

void recorder_sent(struct recorder *recorder, unsigned viewer, const uint8_t *message, size_t len)
{
	if (!takes(recorder) || len < 2)
		return;
	unsigned id = message[0] | (unsigned)message[1] << 8;
	struct writer_record record = record_of(recorder, RECORD_SENT, viewer);
	if (id == MSG_pong)
		return;
	if (id == MSG_frame)
		record.begins = count_frame(recorder, viewer, message, len);
	add(recorder, &record, message, len);
}

static void add_message(struct recorder *recorder, enum record_kind kind, unsigned viewer,
			uint16_t id, const void *msg)
{
	const struct writer_record record = record_of(recorder, kind, viewer);
	struct buf buf;
	buf_init(&buf, kind == RECORD_INPUT ? INPUT_MAX : CURSOR_MAX);
	enum err err = wire_encode(id, msg, &buf);
	if (err)
		note(recorder, err);
	else
		add(recorder, &record, buf.data, buf.len);
	if (kind == RECORD_INPUT)
		buf_wipe(&buf);
	buf_finish(&buf);
}

void recorder_pointer(struct recorder *recorder, unsigned viewer, const struct msg_pointer *pointer)
{
	if (takes(recorder))
		add_message(recorder, RECORD_INPUT, viewer, MSG_pointer, pointer);
}

void recorder_resize(struct recorder *recorder, unsigned viewer, const struct msg_resize *resize)
{
	if (takes(recorder))
		add_message(recorder, RECORD_INPUT, viewer, MSG_resize, resize);
}

void recorder_key(struct recorder *recorder, unsigned viewer, const struct msg_key *key)
{
	if (!takes(recorder) || !recorder->keys)
		return;
	struct msg_key known = *key;
	if (masks_key(&recorder->masks, key))
		known.keysym = known.scancode = 0;
	add_message(recorder, RECORD_INPUT, viewer, MSG_key, &known);
}

void recorder_text(struct recorder *recorder, unsigned viewer, const char *text)
{
	if (!takes(recorder) || !recorder->keys)
		return;
	const struct msg_text known = { .text = masks_text(&recorder->masks) ? "•" : text };
	add_message(recorder, RECORD_INPUT, viewer, MSG_text, &known);
}

void recorder_expect_password(struct recorder *recorder)
{
	if (recorder)
		masks_expect(&recorder->masks);
}

void recorder_event(struct recorder *recorder, unsigned viewer, const char *json)
{
	if (!takes(recorder))
		return;
	const struct writer_record record = record_of(recorder, RECORD_EVENT, viewer);
	add(recorder, &record, json, strlen(json));
}

/* ---- keyframes -------------------------------------------------------------------------- */

bool recorder_wants_key(const struct recorder *recorder, bool *ret_late)
{
	*ret_late = false;
	if (!takes(recorder) || recorder->frames == 0 || recorder->state.queued > KEY_QUEUE)
		return false;
	uint64_t since_us = clock_mono_us() - recorder->key_us;
	size_t much =
		MAX(MAX(recorder->key_bytes, recorder->state.picture), (size_t)RECORDER_KEY_BYTES);
	size_t many = MAX(2 * much, (size_t)RECORDER_KEY_MANY);
	bool due = recorder->key_wanted || since_us >= RECORDER_KEY_MAX_US ||
		   (since_us >= RECORDER_KEY_LEAST_US && recorder->bytes >= many) ||
		   (since_us >= RECORDER_KEY_US &&
		    (recorder->frames >= RECORDER_KEY_FRAMES || recorder->bytes >= much));
	*ret_late = due && since_us >= 2 * (uint64_t)RECORDER_KEY_US;
	return due;
}

void recorder_picture(struct recorder *recorder, unsigned viewer, const struct surface *view,
		      const struct msg_cursor *cursor, bool first)
{
	if (!takes(recorder))
		return;
	struct writer_record record = record_of(recorder, RECORD_KEY, viewer);
	record.begins = first;
	if (first) {
		recorder->key_bytes = 0;
		recorder->key_us = clock_mono_us();
		recorder->frames = recorder->bytes = 0;
		recorder->key_wanted = false;
	}
	note(recorder, writer_add_picture(recorder->writer, &record, view, 0));
	if (cursor)
		add_message(recorder, RECORD_SENT, viewer, MSG_cursor, cursor);
}

bool recorder_holds(const struct recorder *recorder)
{
	return recorder && recorder->held;
}
