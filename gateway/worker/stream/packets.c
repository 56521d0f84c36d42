#include "worker/stream/packets.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "wire/wire.h"

void packets_init(struct packets *packets, int fd)
{
	*packets = (struct packets){ .fd = fd };
	buf_init(&packets->frame, PACKETS_FRAME_MAX);
	buf_init(&packets->small, PACKETS_SMALL_MAX);
	buf_init(&packets->sounding, PACKETS_SOUND_MAX);
	for (size_t i = 0; i < PACKETS_SMALL_QUEUE; i++)
		buf_init(&packets->queue[i].message, PACKETS_SMALL_MAX);
	for (size_t i = 0; i < PACKETS_SOUND_QUEUE; i++)
		buf_init(&packets->sound[i], PACKETS_SOUND_MAX);
}

void packets_finish(struct packets *packets)
{
	buf_finish(&packets->frame);
	buf_finish(&packets->small);
	buf_finish(&packets->sounding);
	for (size_t i = 0; i < PACKETS_SMALL_QUEUE; i++)
		buf_finish(&packets->queue[i].message);
	for (size_t i = 0; i < PACKETS_SOUND_QUEUE; i++)
		buf_finish(&packets->sound[i]);
	packets->current = NULL;
	packets->queued = packets->sound_queued = 0;
	packets->frame_waiting = false;
}

bool packets_frame_free(const struct packets *packets)
{
	return !packets->frame_waiting && packets->current != &packets->frame;
}

struct buf *packets_frame(struct packets *packets)
{
	buf_clear(&packets->frame);
	return &packets->frame;
}

void packets_add_frame(struct packets *packets)
{
	packets->frame_waiting = true;
}

void packets_drop_frame(struct packets *packets)
{
	packets->frame_waiting = false;
}

bool packets_idle(const struct packets *packets)
{
	return !packets->current && !packets->frame_waiting && packets->queued == 0 &&
	       packets->sound_queued == 0;
}

/* Takes the entry out and puts it last, so that its buffer is used again. */
static struct packets_small *move_last(struct packets *packets, size_t place)
{
	struct packets_small entry = packets->queue[place];
	memmove(&packets->queue[place], &packets->queue[place + 1],
		(packets->queued - place - 1) * sizeof(packets->queue[0]));
	packets->queue[packets->queued - 1] = entry;
	return &packets->queue[packets->queued - 1];
}

enum err packets_add_small(struct packets *packets, unsigned key, uint16_t id, const void *msg)
{
	size_t place = 0;
	while (place < packets->queued && packets->queue[place].key != key)
		place++;
	if (place == packets->queued) {
		if (packets->queued == PACKETS_SMALL_QUEUE)
			return ERR_FULL;
		packets->queued++;
	}
	struct packets_small *entry = move_last(packets, place);
	entry->key = key;
	buf_clear(&entry->message);
	enum err err = wire_encode(id, msg, &entry->message);
	if (err)
		packets->queued--;
	return err;
}

static void drop_oldest_sound(struct packets *packets)
{
	packets->sound_first = (packets->sound_first + 1) % PACKETS_SOUND_QUEUE;
	packets->sound_queued--;
}

enum err packets_add_sound(struct packets *packets, uint16_t id, const void *msg)
{
	if (packets->sound_queued == PACKETS_SOUND_QUEUE)
		drop_oldest_sound(packets);
	size_t place = (packets->sound_first + packets->sound_queued) % PACKETS_SOUND_QUEUE;
	buf_clear(&packets->sound[place]);
	enum err err = wire_encode(id, msg, &packets->sound[place]);
	if (!err)
		packets->sound_queued++;
	return err;
}

void packets_drop_sound(struct packets *packets)
{
	packets->sound_queued = 0;
}

static void begin_sound(struct packets *packets)
{
	struct buf spare = packets->sounding;
	packets->sounding = packets->sound[packets->sound_first];
	packets->sound[packets->sound_first] = spare;
	drop_oldest_sound(packets);
	packets->current = &packets->sounding;
}

/* Small messages first: a status must not wait behind the next frame. */
static bool begin_next(struct packets *packets)
{
	if (packets->queued > 0) {
		struct buf spare = packets->small;
		packets->small = packets->queue[0].message;
		packets->queue[0].message = spare;
		move_last(packets, 0);
		packets->queued--;
		packets->current = &packets->small;
	} else if (packets->sound_queued > 0) {
		begin_sound(packets);
	} else if (packets->frame_waiting) {
		packets->frame_waiting = false;
		packets->current = &packets->frame;
	} else {
		return false;
	}
	packets->sent = 0;
	if (packets->began && packets->current != &packets->frame)
		packets->began(packets->ctx, packets->current);
	return true;
}

static enum err send_packet(struct packets *packets)
{
	size_t left = packets->current->len - packets->sent;
	size_t len = MIN(left, (size_t)PACKETS_MAX - 1);
	uint8_t more = len < left;
	struct iovec parts[] = {
		{ .iov_base = &more, .iov_len = 1 },
		{ .iov_base = packets->current->data + packets->sent, .iov_len = len },
	};
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };
	ssize_t done;
	do
		done = sendmsg(packets->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	if (done < 0) {
		/* ENOBUFS: the kernel is short of memory for now; EPOLLOUT comes all the same. */
		bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
		return full ? ERR_UNAVAILABLE : ERR_CLOSED;
	}
	packets->sent += len;
	return OK;
}

enum err packets_send(struct packets *packets)
{
	packets->blocked = false;
	for (;;) {
		if (!packets->current && !begin_next(packets))
			return OK;
		enum err err = send_packet(packets);
		if (err == ERR_UNAVAILABLE) {
			packets->blocked = true;
			return OK;
		}
		if (err)
			return err;
		if (packets->sent == packets->current->len)
			packets->current = NULL;
	}
}
