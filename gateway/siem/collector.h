/*
 * collector.h - brings a batch of messages to the collector over one TLS connection of its own, and
 * finds out whether the collector has read it all.
 *
 * Syslog over TLS (RFC 5425) knows no acknowledgement. What there is: the end. We say that we are
 * done (close_notify, then FIN) and wait until the collector has ended the connection too. A
 * collector that ends it has read everything before; one that closes with something unread, because
 * it was stopped or killed, answers with a reset, and so does its machine to what comes when nobody
 * listens any more. An end that it makes before ours does not count. One that ends its side alone,
 * as soon as ours has come and with everything still unread, cannot be told from one that has read:
 * its kernel has all of it, and TCP says no more than that.
 */
#ifndef SEKISHO_SIEM_COLLECTOR_H
#define SEKISHO_SIEM_COLLECTOR_H

#include "base/buf.h"
#include "wire/enums.h"
#include "wire/settings.h"

enum { COLLECTOR_TEXT = 256 };

struct collector {
	const char *address, *name, *folder; /* as the settings siem.* */
	uint16_t port;
	int timeout_ms;
};

struct collector_result {
	enum siem_trouble trouble; /* 0: the collector has read everything */
	char text[COLLECTOR_TEXT]; /* what a library said, ASCII; may be "" */
};

/* Blocks: timeout_ms while nothing moves, and six times as long in all, but for the name's
 * look-up, which has the resolver's own limits. Reads the folder's files each time. */
struct collector_result collector_deliver(const struct collector *collector,
					  const struct buf *messages);

#endif
