/*
 * courier.h - one batch of the audit log on its way: taken from the broker, translated, and brought
 * to the collector as often as it takes. It keeps nothing on the disk: the log itself is what
 * waits.
 */
#ifndef SEKISHO_SIEM_COURIER_H
#define SEKISHO_SIEM_COURIER_H

#include "base/loop.h"
#include "siem/collector.h"
#include "wire/channel.h"

enum { COURIER_BYTES_MAX = 1024 * 1024, COURIER_FIRST_PAUSE_S = 1 };

struct courier {
	struct loop *loop;
	const struct settings *settings;
	struct channel *broker; /* NULL while there is none */
	struct buf messages;    /* of the batch */
	uint64_t first, next;   /* entries of the batch; equal: none */
	bool sending;
	int64_t pause_s;
	struct loop_timer again;
};

void courier_init(struct courier *courier, struct loop *loop, const struct settings *settings);
void courier_finish(struct courier *courier);

/* Takes over a link to the broker in place of the one before, whose batch is dropped. */
nodiscard enum err courier_link(struct courier *courier, int fd);

#endif
