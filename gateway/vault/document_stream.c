#include "vault/document_stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/util.h"

enum { TURN = 16 /* steps before others have their turn */, SOON_US = 1 };

/* What the broker is told of an end. */
static enum err err_of(enum document_end why)
{
	static const enum err errs[] = {
		[DOCUMENT_END_NONE] = OK,
		[DOCUMENT_END_SIZE] = ERR_TOO_BIG,
		[DOCUMENT_END_SUM] = ERR_INVALID,
		[DOCUMENT_END_INFECTED] = ERR_DENIED,
		[DOCUMENT_END_SCANNER] = ERR_UNAVAILABLE,
		[DOCUMENT_END_DISK] = ERR_FULL,
		[DOCUMENT_END_DAMAGED] = ERR_INVALID,
		[DOCUMENT_END_ENDED] = ERR_CLOSED,
		[DOCUMENT_END_TIME] = ERR_TIMEOUT,
		[DOCUMENT_END_SEALED] = ERR_LOCKED,
		[DOCUMENT_END_FAILED] = ERR_INTERNAL,
		[DOCUMENT_END_FORMAT] = ERR_INVALID,
		[DOCUMENT_END_PROGRAM] = ERR_UNAVAILABLE,
		[DOCUMENT_END_LIMITS] = ERR_TOO_BIG,
	};

	return (size_t)why < ARRAY_SIZE(errs) ? errs[why] : ERR_INTERNAL;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* A socket that is closed while something is unread in it takes from the other side, too, what that
 * has not read: the last word. */
static void hang_up(int fd)
{
	uint8_t byte;

	if (fd < 0)
		return;
	if (shutdown(fd, SHUT_RD) < 0)
		log_debug("document-shutdown", "error=\"%s\"", strerror(errno));
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0)
		;
	close(fd);
}

static void drop(struct document_stream *stream)
{
	struct document_stream **link = &stream->all->first;
	int fd = stream->io.fd;

	while (*link != stream)
		link = &(*link)->next;
	*link = stream->next;
	stream->all->count--;
	loop_timer_cancel(&stream->idle);
	loop_timer_cancel(&stream->turn);
	loop_io_finish(&stream->io);
	hang_up(fd);
	stream->ops->free(stream);
}

static enum document_step over(struct document_stream *stream, enum err err)
{
	struct document_streams *all = stream->all;
	uint32_t number = stream->number;
	uint64_t bytes = stream->bytes;

	log_info("document-stream-closed", "stream=%u bytes=%llu result=%s", number,
		 (unsigned long long)bytes, err ? err_code(err) : "ok");
	drop(stream);
	if (all->closed)
		all->closed(all->ctx, number, bytes, err);
	return STEP_GONE;
}

/* The page has gone. */
static enum document_step left(struct document_stream *stream)
{
	return over(stream, stream->at_rest ? OK : ERR_CLOSED);
}

/* A page that does not read hears nothing. */
enum document_step document_stream_end(struct document_stream *stream, enum document_end why,
				       const uint8_t *sum)
{
	struct msg_document_end end = { .error = (uint8_t)why, .bytes = stream->bytes };

	if (sum)
		memcpy(end.sum, sum, sizeof(end.sum));
	if (stream->io.fd >= 0 && ipc_send(stream->io.fd, MSG_document_end, &end, -1))
		log_debug("document-end-unsent", "stream=%u", stream->number);
	return over(stream, err_of(why));
}

enum document_step document_stream_broken(struct document_stream *stream, const char *what)
{
	const uint8_t byte = WIRE_STREAM_VIOLATION;

	log_warn("page-protocol", "stream=%u what=%s", stream->number, what);
	if (send(stream->io.fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("violation-unsent", "stream=%u error=\"%s\"", stream->number,
			  strerror(errno));
	return over(stream, ERR_PROTOCOL);
}

static void idle_due(struct loop_timer *timer)
{
	document_stream_end(container_of(timer, struct document_stream, idle), DOCUMENT_END_TIME,
			    NULL);
}

/* ---- one thing after another ----------------------------------------------------------------- */

static void moved(struct document_stream *stream)
{
	loop_timer_set(&stream->idle, DOCUMENT_IDLE_S * 1000000ULL);
}

enum document_step document_stream_send(struct document_stream *stream, uint16_t id,
					const void *msg)
{
	enum err err = ipc_send(stream->io.fd, id, msg, -1);

	if (err == ERR_UNAVAILABLE)
		return STEP_WRITE;
	if (err)
		return over(stream, err);
	moved(stream);
	return STEP_GO_ON;
}

static enum document_step hear(struct document_stream *stream)
{
	static struct ipc_received received; /* large; one thread */
	enum err err = ipc_receive(stream->io.fd, WIRE_PAGE, WIRE_VAULT, &received);

	if (err == ERR_UNAVAILABLE)
		return STEP_READ;
	if (err == ERR_PROTOCOL)
		return document_stream_broken(stream, "message");
	if (err)
		return left(stream);
	moved(stream);
	enum document_step step = stream->ops->message(stream, &received);
	ipc_received_finish(&received);
	return step;
}

static void set_events(struct document_stream *stream, uint32_t events)
{
	enum err err = loop_io_set(&stream->io, events);

	if (err) {
		log_error("document-watch", "stream=%u error=%s", stream->number, err_code(err));
		document_stream_end(stream, DOCUMENT_END_FAILED, NULL);
	}
}

static void pump(struct document_stream *stream)
{
	enum document_step step = STEP_GO_ON;

	for (int i = 0; step == STEP_GO_ON && i < TURN; i++) {
		step = stream->ops->next(stream);
		if (step == STEP_READ)
			step = hear(stream);
	}
	if (step == STEP_GO_ON)
		loop_timer_set(&stream->turn, SOON_US);
	if (step != STEP_GONE)
		set_events(stream, step == STEP_READ ? EPOLLIN : step == STEP_WRITE ? EPOLLOUT : 0);
}

void document_stream_wake(struct document_stream *stream)
{
	if (stream->io.fd >= 0)
		loop_timer_set(&stream->turn, SOON_US);
}

static void turn_due(struct loop_timer *timer)
{
	pump(container_of(timer, struct document_stream, turn));
}

static void ready(struct loop_io *io, uint32_t events)
{
	struct document_stream *stream = container_of(io, struct document_stream, io);

	/* While nothing is read a page that has gone shows like this alone. */
	if (!(events & (EPOLLIN | EPOLLOUT)) && events & (EPOLLHUP | EPOLLERR))
		left(stream);
	else
		pump(stream);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Nobody takes them all. */
static bool is_full(const struct document_streams *all, uint64_t account)
{
	unsigned own = 0;

	for (const struct document_stream *at = all->first; at; at = at->next)
		own += at->account == account;
	return all->count >= DOCUMENT_STREAMS_MAX || own >= DOCUMENT_STREAMS_OF_ONE;
}

enum err document_stream_add(struct document_streams *all, struct document_stream *stream,
			     const struct document_stream_ops *ops, uint32_t *ret_number)
{
	if (is_full(all, stream->account))
		return ERR_FULL;
	stream->all = all;
	stream->ops = ops;
	stream->number = ++all->last;
	if (!stream->number) /* 0 stands for none */
		stream->number = ++all->last;
	stream->io.fd = -1;
	loop_timer_init(all->loop, &stream->idle, idle_due);
	loop_timer_init(all->loop, &stream->turn, turn_due);
	loop_timer_set(&stream->idle, DOCUMENT_ATTACH_S * 1000000ULL);
	stream->next = all->first;
	all->first = stream;
	all->count++;
	*ret_number = stream->number;
	return OK;
}

struct document_stream *document_streams_find(struct document_streams *all, uint32_t number)
{
	struct document_stream *stream = all->first;

	while (stream && stream->number != number)
		stream = stream->next;
	return stream;
}

enum err document_streams_attach(struct document_streams *all, uint32_t number, const char *who,
				 int fd)
{
	_cleanup_close_ int owned = fd;
	struct document_stream *stream = document_streams_find(all, number);

	if (!stream)
		return ERR_NOT_FOUND;
	if (stream->attached)
		return ERR_EXISTS;
	enum err err = loop_io_init(all->loop, &stream->io, fd, 0, ready);
	if (err) {
		stream->io.fd = -1;
		return err;
	}
	util_take_fd(&owned);
	stream->attached = true;
	snprintf(stream->who, sizeof(stream->who), "%s", who);
	moved(stream);
	document_stream_wake(stream);
	return OK;
}

void document_streams_close(struct document_streams *all, uint32_t number, enum document_end why)
{
	struct document_stream *stream = document_streams_find(all, number);

	if (stream)
		document_stream_end(stream, why, NULL);
}

void document_streams_close_all(struct document_streams *all, enum document_end why)
{
	while (all->first)
		document_stream_end(all->first, why, NULL);
}

void document_streams_close_record(struct document_streams *all, uint64_t record,
				   enum document_end why)
{
	struct document_stream *next;

	for (struct document_stream *at = all->first; at; at = next) {
		next = at->next;
		if (at->record == record)
			document_stream_end(at, why, NULL);
	}
}

void document_streams_finish(struct document_streams *all)
{
	while (all->first)
		drop(all->first);
}
