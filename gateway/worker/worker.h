/*
 * worker.h - one desktop session: the broker's orders, the PC, the viewer, and the states between
 * start and end.
 */
#ifndef SEKISHO_WORKER_WORKER_H
#define SEKISHO_WORKER_WORKER_H

#include "base/loop.h"
#include "worker/remote/remote.h"

struct worker;

/* How a remote is made; the tests bring their own. */
typedef enum err (*worker_remote_new)(struct loop *loop, const struct remote_config *config,
				      const struct remote_events *events, void *ctx,
				      struct remote **ret);

/*
 * Takes over monitor_fd (wire/child.h) and begins when the broker says session_start, which must be
 * for this protocol. The session's end stops the loop with code 0.
 */
nodiscard enum err worker_new(struct loop *loop, int monitor_fd, enum protocol protocol,
			      worker_remote_new make, struct worker **ret);
void worker_free(struct worker *worker);

/* The gateway stops: ends the session, so that viewers and the recording get their last word. */
void worker_stop(struct worker *worker);

#endif
