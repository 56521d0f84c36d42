/*
 * websocket.h - the client side of RFC 6455 over TLS, blocking, for the measuring viewer.
 */
#ifndef SEKISHO_BENCH_WEBSOCKET_H
#define SEKISHO_BENCH_WEBSOCKET_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct websocket_target {
	unsigned port; /* of localhost */
	const char *path;
	const char *ca;   /* file of the only trusted CA */
	const char *cert; /* files of the device's certificate and key, or NULL */
	const char *key;
	const char *protocol; /* subprotocol, or NULL */
	const char *cookie;   /* or NULL */
};

struct websocket {
	int fd;
	SSL_CTX *tls; /* owned */
	SSL *ssl;     /* owned */
	uint8_t *in;  /* owned; what was read and not yet taken lies in [at, end) */
	size_t at, end;
};

/* A plain TCP connection to this port of localhost, or -1. */
int websocket_connect(unsigned port);

/* Connects and upgrades; says on stderr what was refused. */
nodiscard enum err websocket_open(struct websocket *ws, const struct websocket_target *target);
void websocket_finish(struct websocket *ws);

/* Something is there already, so that no poll(2) would tell. */
bool websocket_pending(const struct websocket *ws);

/* Waits for a whole message and puts it into message; a ping is answered and leaves it empty.
 * ERR_CLOSED, ERR_PROTOCOL. */
nodiscard enum err websocket_receive(struct websocket *ws, struct buf *message);

/* One binary message. */
nodiscard enum err websocket_send(struct websocket *ws, const void *data, size_t len);

#endif
