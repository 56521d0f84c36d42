#include "vault/playback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "vault/recording.h"
#include "wire/ipc.h"

enum { ROWS_PER_MESSAGE = PLAYBACK_PIECE / TABLE_ROW, WORK_SOON_US = 1 };

struct playback {
	struct loop *loop;
	const struct house *house;
	const struct playback_ops *ops;
	void *ctx;
	uint32_t number, chunks;
	struct recording recording;
	bool ready;  /* the recording has been looked at */
	bool failed; /* and cannot be played: why says so */
	enum play_error why;
	struct loop_io io; /* its descriptor is owned */
	bool attached;     /* now or before */
	bool started;      /* play_start came */
	/* What is under way to the player. */
	bool info_sent;
	size_t rows_sent;
	bool telling;          /* what was recorded since was asked for */
	uint64_t grown_ms;     /* when it was last looked at */
	bool wanted;           /* a chunk was asked for */
	bool sending, damaged; /* plain, or that the chunk is damaged */
	uint32_t sequence;     /* of that chunk */
	size_t sent;
	struct buf plain;
	struct bucket bucket;
	uint64_t said_ms; /* when progress was last called */
	struct loop_timer work, pause, length;
};

uint32_t playback_number(const struct playback *playback)
{
	return playback->number;
}

uint32_t playback_chunks(const struct playback *playback)
{
	return playback->chunks;
}

/* ---- the end ---------------------------------------------------------------------------- */

static void drop_stream(struct playback *playback)
{
	int fd = playback->io.fd;

	loop_io_finish(&playback->io);
	if (fd >= 0)
		close(fd);
	playback->io.fd = -1;
}

/* A stream that is full is closed without the word. */
static void say_error(struct playback *playback, enum play_error why, const char *detail)
{
	const struct msg_play_error error = { .error = (uint8_t)why, .detail = detail };

	if (playback->io.fd < 0 || !playback->started)
		return;
	if (ipc_send(playback->io.fd, MSG_play_error, &error, -1))
		log_debug("play-error-unsent", "playback=%u", playback->number);
}

void playback_end(struct playback *playback, enum play_error why)
{
	say_error(playback, why, "");
	drop_stream(playback);
	playback->ops->closed(playback->ctx, playback);
}

static void length_over(struct loop_timer *timer)
{
	playback_end(container_of(timer, struct playback, length), PLAY_ENDED);
}

/* The player broke the protocol: the edge closes with 4002 (WIRE_STREAM_VIOLATION in wire.h). */
static void violation(struct playback *playback, const char *what)
{
	const uint8_t byte = WIRE_STREAM_VIOLATION;

	log_warn("player-protocol", "playback=%u what=%s", playback->number, what);
	if (send(playback->io.fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("violation-unsent", "playback=%u error=\"%s\"", playback->number,
			  strerror(errno));
	drop_stream(playback);
	playback->ops->closed(playback->ctx, playback);
}

/* ---- to the player ---------------------------------------------------------------------- */

static struct bytes bytes_of(const struct buf *buf)
{
	return (struct bytes){ buf->data, buf->len };
}

static enum err send_info(struct playback *playback)
{
	const struct recording *recording = &playback->recording;
	struct msg_play_info info = {
		.version = PLAYBACK_VERSION,
		.chunks = (uint32_t)recording->scan.count,
		.verdict = (uint8_t)recording->verdict,
		.verdict_detail = recording->detail,
		.meta = bytes_of(&recording->meta),
	};

	memcpy(info.session, recording->session, sizeof(info.session));
	enum err err = ipc_send(playback->io.fd, MSG_play_info, &info, -1);
	playback->info_sent = !err;
	return err;
}

static enum err send_rows(struct playback *playback)
{
	const struct recording *recording = &playback->recording;
	size_t count = MIN(recording->table.count - playback->rows_sent, (size_t)ROWS_PER_MESSAGE);
	struct msg_play_table msg = { .first = (uint32_t)playback->rows_sent };
	_cleanup_buf_ struct buf rows;

	buf_init(&rows, PLAYBACK_PIECE);
	enum err err = recording_rows(recording, playback->rows_sent, count, &rows);
	msg.rows = bytes_of(&rows);
	if (!err)
		err = ipc_send(playback->io.fd, MSG_play_table, &msg, -1);

	if (err)
		return err;
	playback->rows_sent += count;
	if (playback->rows_sent == recording->table.count)
		playback->telling = false;
	return OK;
}

static void chunk_over(struct playback *playback)
{
	playback->sending = playback->damaged = false;
	buf_wipe(&playback->plain);
}

static void say_progress(struct playback *playback)
{
	uint64_t now_ms = clock_mono_ms();

	if (now_ms - playback->said_ms < PLAYBACK_SAY_MS)
		return;
	playback->said_ms = now_ms;
	playback->ops->progress(playback->ctx, playback);
}

static enum err send_piece(struct playback *playback)
{
	const struct buf *plain = &playback->plain;
	size_t len = MIN(plain->len - playback->sent, (size_t)PLAYBACK_PIECE);
	const struct msg_play_data data = {
		.sequence = playback->sequence,
		.offset = (uint32_t)playback->sent,
		.total = (uint32_t)plain->len,
		.data = { plain->data + playback->sent, len },
	};
	enum err err = ipc_send(playback->io.fd, MSG_play_data, &data, -1);

	if (err)
		return err;
	playback->sent += len;
	if (playback->sent < plain->len)
		return OK;
	playback->chunks++;
	chunk_over(playback);
	say_progress(playback);
	return OK;
}

static enum err send_damaged(struct playback *playback)
{
	char number[16];
	const struct msg_play_error error = { .error = PLAY_DAMAGED, .detail = number };

	snprintf(number, sizeof(number), "%u", playback->sequence);
	enum err err = ipc_send(playback->io.fd, MSG_play_error, &error, -1);
	if (!err)
		chunk_over(playback);
	return err;
}

/* ---- from the player -------------------------------------------------------------------- */

enum outcome {
	GO_ON,
	WAIT_READ,  /* for the player to say something */
	WAIT_WRITE, /* for the player to read */
	WAIT_OTHER, /* for a timer */
	GONE        /* playback is no more */
};

static enum outcome ended(struct playback *playback, enum play_error why)
{
	playback_end(playback, why);
	return GONE;
}

static enum outcome broken(struct playback *playback, const char *what)
{
	violation(playback, what);
	return GONE;
}

static enum outcome open_chunk(struct playback *playback)
{
	int64_t wait_ms = 0;

	if (bucket_take(&playback->bucket, PLAYBACK_CHUNKS_PER_MINUTE, clock_mono_ms(), &wait_ms)) {
		loop_timer_set(&playback->pause, (uint64_t)wait_ms * 1000);
		return WAIT_OTHER;
	}
	enum err err = recording_chunk(&playback->recording, playback->house, playback->sequence,
				       &playback->plain);
	playback->wanted = false;
	if (err == ERR_INVALID)
		return broken(playback, "no-such-chunk");
	if (err == ERR_LOCKED)
		return ended(playback, PLAY_SEALED);
	if (err && err != ERR_PROTOCOL && err != ERR_DENIED)
		log_warn("chunk-unread", "playback=%u chunk=%u error=%s", playback->number,
			 playback->sequence, err_code(err));
	playback->sent = 0;
	playback->sending = true;
	playback->damaged = err != OK;
	return GO_ON;
}

/* Not more often than somebody could notice. */
static void grow(struct playback *playback)
{
	uint64_t now_ms = clock_mono_ms();
	enum err err = OK;

	playback->telling = true;
	if (now_ms - playback->grown_ms >= PLAYBACK_GROW_MS)
		err = recording_grow(&playback->recording, playback->house);
	playback->grown_ms = now_ms;
	if (err)
		log_warn("recording-not-grown", "playback=%u error=%s", playback->number,
			 err_code(err));
}

static enum outcome take_message(struct playback *playback, const struct ipc_received *received)
{
	if (received->type->id == MSG_play_start && !playback->started) {
		if (received->msg.play_start.version != PLAYBACK_VERSION)
			return broken(playback, "version");
		playback->started = true;
		return GO_ON;
	}
	if (received->type->id == MSG_play_chunk && playback->started) {
		playback->sequence = received->msg.play_chunk.sequence;
		playback->wanted = true;
		return GO_ON;
	}
	if (received->type->id == MSG_play_more && playback->started) {
		grow(playback);
		return GO_ON;
	}
	return broken(playback, "order");
}

static enum outcome receive(struct playback *playback)
{
	static struct ipc_received received; /* large; one thread */
	enum err err = ipc_receive(playback->io.fd, WIRE_PLAYER, WIRE_VAULT, &received);
	if (err == ERR_UNAVAILABLE)
		return WAIT_READ;
	if (err == ERR_PROTOCOL)
		return broken(playback, "message");
	if (err)
		return ended(playback, PLAY_ENDED);
	enum outcome outcome = take_message(playback, &received);
	ipc_received_finish(&received);
	return outcome;
}

/* ---- one thing after another ------------------------------------------------------------ */

static enum outcome after_send(struct playback *playback, enum err err)
{
	if (!err)
		return GO_ON;
	if (err == ERR_UNAVAILABLE)
		return WAIT_WRITE;
	log_warn("play-unsent", "playback=%u error=%s", playback->number, err_code(err));
	return ended(playback, PLAY_ENDED);
}

static enum outcome next(struct playback *playback)
{
	if (!playback->started)
		return receive(playback);
	if (playback->failed)
		return ended(playback, playback->why);
	if (!playback->ready)
		return WAIT_OTHER;
	if (!playback->info_sent)
		return after_send(playback, send_info(playback));
	if (playback->telling || playback->rows_sent < playback->recording.table.count)
		return after_send(playback, send_rows(playback));
	if (playback->damaged)
		return after_send(playback, send_damaged(playback));
	if (playback->sending)
		return after_send(playback, send_piece(playback));
	if (playback->wanted)
		return open_chunk(playback);
	return receive(playback);
}

static void set_events(struct playback *playback, uint32_t events)
{
	enum err err = loop_io_set(&playback->io, events);

	if (err) {
		log_error("play-watch", "playback=%u error=%s", playback->number, err_code(err));
		playback_end(playback, PLAY_ENDED);
	}
}

static void pump(struct playback *playback)
{
	enum outcome outcome = GO_ON;

	if (playback->io.fd < 0)
		return;
	for (int i = 0; outcome == GO_ON && i < PLAYBACK_TURN; i++)
		outcome = next(playback);
	if (outcome == GO_ON) /* others' turn */
		loop_timer_set(&playback->pause, WORK_SOON_US);
	if (outcome != GONE)
		set_events(playback, outcome == WAIT_READ    ? EPOLLIN
				     : outcome == WAIT_WRITE ? EPOLLOUT
							     : 0);
}

static void pause_over(struct loop_timer *timer)
{
	pump(container_of(timer, struct playback, pause));
}

static void ready(struct loop_io *io, uint32_t events)
{
	struct playback *playback = container_of(io, struct playback, io);

	/* While nothing is read a player that has gone shows like this alone. */
	if (!(events & (EPOLLIN | EPOLLOUT)) && events & (EPOLLHUP | EPOLLERR))
		playback_end(playback, PLAY_ENDED);
	else
		pump(playback);
}

/* ---- before playing --------------------------------------------------------------------- */

static enum play_error reason_of(enum err err)
{
	return err == ERR_LOCKED ? PLAY_SEALED : err == ERR_DENIED ? PLAY_FOREIGN : PLAY_DAMAGED;
}

static void work_due(struct loop_timer *timer)
{
	struct playback *playback = container_of(timer, struct playback, work);
	bool done = false;
	enum err err =
		recording_step(&playback->recording, playback->house, &playback->plain, &done);

	if (!err && !done) {
		loop_timer_set(&playback->work, WORK_SOON_US);
		return;
	}
	playback->ready = !err;
	playback->failed = err != OK;
	playback->why = reason_of(err);
	if (err)
		log_warn("recording-unplayable", "playback=%u error=%s", playback->number,
			 err_code(err));
	playback->ops->opened(playback->ctx, playback, err, playback->recording.verdict);
	pump(playback);
}

/* ---- life ------------------------------------------------------------------------------- */

enum err playback_new(struct loop *loop, const struct house *house,
		      const struct msg_playback_open *msg, int fd, const struct playback_ops *ops,
		      void *ctx, struct playback **ret)
{
	_cleanup_close_ int owned = fd;
	struct playback *playback = calloc(1, sizeof(*playback));

	if (!playback)
		return ERR_NOMEM;
	enum err err = recording_init(&playback->recording, msg, util_take_fd(&owned));
	if (err) {
		free(playback);
		return err;
	}
	playback->loop = loop;
	playback->house = house;
	playback->ops = ops;
	playback->ctx = ctx;
	playback->number = msg->playback;
	playback->io.fd = -1;
	buf_init(&playback->plain, CHUNK_MAX);
	loop_timer_init(loop, &playback->work, work_due);
	loop_timer_init(loop, &playback->pause, pause_over);
	loop_timer_init(loop, &playback->length, length_over);
	loop_timer_set(&playback->work, WORK_SOON_US);
	loop_timer_set(&playback->length, msg->seconds * 1000000ULL);
	*ret = playback;
	return OK;
}

void playback_free(struct playback *playback)
{
	if (!playback)
		return;
	loop_timer_cancel(&playback->work);
	loop_timer_cancel(&playback->pause);
	loop_timer_cancel(&playback->length);
	drop_stream(playback);
	recording_finish(&playback->recording);
	buf_wipe(&playback->plain);
	buf_finish(&playback->plain);
	free(playback);
}

enum err playback_attach(struct playback *playback, int fd)
{
	_cleanup_close_ int owned = fd;

	if (playback->attached)
		return ERR_EXISTS;
	enum err err = loop_io_init(playback->loop, &playback->io, fd, EPOLLIN, ready);
	if (err) {
		playback->io.fd = -1;
		return err;
	}
	util_take_fd(&owned);
	playback->attached = true;
	return OK;
}
