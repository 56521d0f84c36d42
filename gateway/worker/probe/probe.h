/*
 * probe.h - finds out whether a PC answers: a TCP handshake that is broken off before its last
 * step, so that the PC's server never sees a connection. Nothing is ever read from a PC.
 */
#ifndef SEKISHO_PROBE_PROBE_H
#define SEKISHO_PROBE_PROBE_H

#include "wire/wire.h"
#include "worker/probe/resolve.h"

enum {
	PROBE_AT_ONCE = 64,
	PROBE_WAITING_MAX = 1024,
	PROBE_TIMEOUT_US = 2 * 1000 * 1000, /* name and handshake together */
};

struct prober;

/* msg lives until the return. */
typedef void probe_func(void *ctx, const struct msg_probed *msg);

/* The resolver must live longer. */
nodiscard enum err prober_new(struct loop *loop, struct resolver *resolver, probe_func *probed,
			      void *ctx, struct prober **ret);
/* After resolver_free, whose late answers it takes. Drops what is in work without an answer. */
void prober_free(struct prober *prober);

/*
 * Answered once by probed, perhaps before the return. At most PROBE_AT_ONCE run, others wait for
 * their turn. ERR_FULL: PROBE_WAITING_MAX wait already.
 */
nodiscard enum err prober_probe(struct prober *prober, const struct msg_probe *msg);

#endif
