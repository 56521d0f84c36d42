/*
 * peer.h - what the measuring viewer is connected to: a gateway, or an RFB server bare or behind
 * websockify.
 */
#ifndef SEKISHO_BENCH_PEER_H
#define SEKISHO_BENCH_PEER_H

#include <stdint.h>

#include "websocket.h"

struct peer_key {
	uint32_t keysym;
	uint16_t scancode; /* XT set 1, extended ones with 0xe000 */
};

struct peer;

struct peer_type {
	int (*fd)(const struct peer *peer);
	bool (*pending)(const struct peer *peer);
	/* Takes what comes next; *ret_frame: the picture changed. */
	enum err (*step)(struct peer *peer, bool *ret_frame);
	enum err (*key)(struct peer *peer, struct peer_key key); /* down and up */
	enum err (*pointer)(struct peer *peer, unsigned x, unsigned y, bool click); /* left */
	enum err (*wheel)(struct peer *peer, unsigned x, unsigned y, int notches);  /* down > 0 */
	const uint32_t *(*pixels)(const struct peer *peer, unsigned *ret_width,
				  unsigned *ret_height);
	uint64_t (*received)(const struct peer *peer); /* bytes from the network, with TLS */
	void (*free)(struct peer *peer);
};

struct peer {
	const struct peer_type *type;
};

/* Bytes that TCP has received on fd. */
uint64_t peer_received(int fd);

/* A session of a gateway. */
nodiscard enum err gateway_open(const struct websocket_target *target, struct peer **ret);

/* An RFB server on this port of localhost, or with a path behind a WebSocket there. encodings: as
 * libvncclient takes them. */
nodiscard enum err rfb_open(const struct websocket_target *target, const char *encodings,
			    struct peer **ret);

#endif
