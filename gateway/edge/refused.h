/*
 * refused.h - keeps a connection that was refused in the handshake open for a moment, so that the
 * peer reads the alert that says why. Closed at once, with the peer's last records unread, TCP
 * would send a reset behind the alert, which some systems let overtake it (RFC 9112 §9.6), and
 * browsers that find the connection gone go on sending no certificate, also when the person has one
 * by then.
 */
#ifndef SEKISHO_EDGE_REFUSED_H
#define SEKISHO_EDGE_REFUSED_H

#include <openssl/ssl.h>
#include <stdint.h>

/* With more at once the oldest is closed earlier. */
enum { REFUSED_MAX = 64, REFUSED_MS = 2000 };

struct refused {
	struct kept_open {
		int fd; /* owned; -1 */
		uint64_t until_ms;
	} kept[REFUSED_MAX];
	size_t next; /* the oldest, whose place is taken next */
};

void refused_init(struct refused *refused);
void refused_finish(struct refused *refused);

/* Watches the handshakes of ctx, which may not outlive refused. */
void refused_watch(struct refused *refused, SSL_CTX *ctx);

/* Keeps a copy of the socket fd, which stays the caller's; now_ms as clock_mono_ms tells it. */
void refused_keep(struct refused *refused, int fd, uint64_t now_ms);

/* Closes those whose time is over; to be called about every second. */
void refused_tick(struct refused *refused, uint64_t now_ms);

#endif
