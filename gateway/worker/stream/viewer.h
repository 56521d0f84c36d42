/*
 * viewer.h - one viewer's stream: its socket, what waits to be sent, its pacing, and its messages
 * checked and handed on. A viewer that breaks the protocol is cut off; the session does not mind.
 */
#ifndef SEKISHO_WORKER_STREAM_VIEWER_H
#define SEKISHO_WORKER_STREAM_VIEWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "wire/enums.h"
#include "wire/wire.h"
#include "worker/stream/input.h"
#include "worker/stream/pacing.h"
#include "worker/stream/packets.h"

enum {
	VIEWER_VERSION = 3,
	VIEWER_LINGER_US = 1000000, /* for the last status to leave */
	VIEWER_HELLO_US = 10000000, /* until a viewer must have said who it is */
	/* Room for a packet or two on the way to the edge: what waits longer should wait here,
	 * where a later word can still go before it. */
	VIEWER_SEND_BYTES = 65536,
	/* With a frame on its way for longer, more than a hidden page takes, sound would only wait
	 * on the link, and what is to be seen behind it. */
	VIEWER_SOUND_LATE_US = 500000,
};

struct viewer;

/* What a viewer says of taking over (control.h). */
enum viewer_control { VIEWER_ASKS, VIEWER_AGREES, VIEWER_REFUSES, VIEWER_ENDS };

/*
 * The viewer stays valid during every callback but gone, after which it is freed. viewer_close and
 * the send functions may be called inside all of them.
 */
struct viewer_ops {
	void (*hello)(void *ctx, struct viewer *viewer, unsigned width, unsigned height);
	/* Checked, but not clipped to the desktop. */
	void (*key)(void *ctx, struct viewer *viewer, const struct msg_key *key);
	void (*text)(void *ctx, struct viewer *viewer, const char *text);
	void (*pointer)(void *ctx, struct viewer *viewer, const struct msg_pointer *pointer);
	void (*resize)(void *ctx, struct viewer *viewer, unsigned width, unsigned height);
	void (*release_keys)(void *ctx, struct viewer *viewer);
	void (*still_here)(void *ctx, struct viewer *viewer);
	/* Something was to be pasted or dropped there. */
	void (*clipboard)(void *ctx, struct viewer *viewer, enum clipboard_way way);
	/* watch: who is answered, for AGREES and REFUSES. NULL: nobody asks. */
	void (*control)(void *ctx, struct viewer *viewer, enum viewer_control what, uint32_t watch);
	/* It wants to know how long the ways are; answered with MSG_pong. */
	void (*ping)(void *ctx, struct viewer *viewer, uint32_t number);
	/* It lost its picture and wants a keyframe. */
	void (*refresh)(void *ctx, struct viewer *viewer);
	/* A frame was acknowledged, or the socket has room again. */
	void (*room)(void *ctx, struct viewer *viewer);
	/* A whole message leaves; frames in the order in which they were built. NULL: nobody asks.
	 */
	void (*sent)(void *ctx, struct viewer *viewer, const uint8_t *message, size_t len);
	/* The stream is over: ERR_CLOSED, or ERR_PROTOCOL when the viewer broke the rules. OK after
	 * viewer_close. */
	void (*gone)(void *ctx, struct viewer *viewer, enum err why);
};

struct viewer {
	struct loop *loop;
	const struct viewer_ops *ops;
	void *ctx;
	uint32_t number;  /* the broker's */
	unsigned monitor; /* for the owner */
	bool aside;       /* of somebody who looks on: neither recorded nor waited for */
	int fd;           /* owned */
	struct loop_io io;
	struct loop_timer timer; /* hello, input rate or linger, whichever the state asks for */
	struct packets packets;
	struct pacing pacing;
	struct input_rate rate;
	bool greeted;    /* viewer_hello came */
	unsigned codecs; /* bits of enum codec that it decodes */
	bool paused;     /* input waits for the rate */
	bool closing;
};

/* Takes over fd in every case. */
nodiscard enum err viewer_new(struct loop *loop, int fd, uint32_t number,
			      const struct viewer_ops *ops, void *ctx, struct viewer **ret);

/* At once and without the gone callback; not from inside a callback of the same viewer. NULL is
 * allowed. */
void viewer_free(struct viewer *viewer);

/* Sends a small message, now or as soon as it fits; a newer one of the same id (and notice kind)
 * replaces a waiting one. */
void viewer_send(struct viewer *viewer, uint16_t id, const void *msg);

/* One that replaces only waiting ones of the same sub-key. */
void viewer_send_keyed(struct viewer *viewer, unsigned sub_key, uint16_t id, const void *msg);

/* One packet of sound, now or never, to a viewer that decodes Opus: none waits for long. */
void viewer_send_sound(struct viewer *viewer, const struct msg_audio *msg);

/* A frame may be built: none is held and its link has room. */
bool viewer_can_frame(const struct viewer *viewer);

/* The frame in viewer->packets is complete. */
void viewer_send_frame(struct viewer *viewer);

/* The last word: status, then the end of the stream; gone follows. */
void viewer_close(struct viewer *viewer, enum session_state state, enum end_reason reason);

#endif
