/*
 * packets.h - sends messages to the viewer as packets (docs/protocol.md §4) over a SOCK_SEQPACKET
 * socket that may be full at any time. One frame at most is held; small messages wait in a short
 * queue and go between frames, and so does sound, of which the oldest is given up when it waits too
 * long.
 */
#ifndef SEKISHO_WORKER_STREAM_PACKETS_H
#define SEKISHO_WORKER_STREAM_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	PACKETS_MAX = 65536,      /* bytes of a packet, the leading "more" byte included */
	PACKETS_SMALL_QUEUE = 24, /* small messages that may wait */
	PACKETS_SOUND_QUEUE = 15, /* packets of sound that may wait: 300 ms */
	PACKETS_SOUND_MAX = 2048, /* bytes of one */
	PACKETS_SMALL_MAX = 1024 * 1024 + 64, /* bytes of one; a cursor is the largest */
	PACKETS_FRAME_MAX = 64 * 1024 * 1024 + 512 * 1024,
};

/* A waiting small message. A newer one with the same key takes its place. */
struct packets_small {
	unsigned key;
	struct buf message;
};

struct packets {
	int fd; /* not owned */
	/* Hears of each message but frames when it begins to leave; NULL: nobody does. */
	void (*began)(void *ctx, const struct buf *message);
	void *ctx;
	struct buf *current; /* what is being sent: &frame, &small, &sounding or NULL */
	size_t sent;         /* bytes of current that went out */
	struct buf frame;    /* held until sent */
	bool frame_waiting;  /* frame holds one that was not begun */
	struct buf small;    /* the small message that was begun */
	struct packets_small queue[PACKETS_SMALL_QUEUE];
	size_t queued;
	struct buf sounding;                   /* the packet of sound that was begun */
	struct buf sound[PACKETS_SOUND_QUEUE]; /* a ring */
	size_t sound_first, sound_queued;
	bool blocked; /* the socket was full: call packets_send when it is writable */
};

void packets_init(struct packets *packets, int fd);
void packets_finish(struct packets *packets);

/* The buffer for the next frame, empty; only while packets_frame_free. Give it to packets_add_frame
 * when filled. */
struct buf *packets_frame(struct packets *packets);
bool packets_frame_free(const struct packets *packets);
void packets_add_frame(struct packets *packets);

/* Drops a frame that was not begun. */
void packets_drop_frame(struct packets *packets);

/*
 * Queues message id; key: messages of one key replace each other, e.g. the id. ERR_FULL: the viewer
 * takes nothing and the queue is full. ERR_NOMEM, ERR_TOO_BIG.
 */
nodiscard enum err packets_add_small(struct packets *packets, unsigned key, uint16_t id,
				     const void *msg);

/* Queues a message of sound. When the queue is full the oldest one is dropped: it would come too
 * late. ERR_NOMEM, ERR_TOO_BIG. */
nodiscard enum err packets_add_sound(struct packets *packets, uint16_t id, const void *msg);

/* Drops all sound that was not begun. */
void packets_drop_sound(struct packets *packets);

/* Sends what the socket takes; packets->blocked says whether something is left. ERR_CLOSED: the
 * viewer is gone. */
nodiscard enum err packets_send(struct packets *packets);

/* Nothing is left to send. */
bool packets_idle(const struct packets *packets);

#endif
