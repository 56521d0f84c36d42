/*
 * broker.h - what the broker process holds, and its links to the other processes. It has no network
 * socket and decides everything.
 */
#ifndef SEKISHO_BROKER_BROKER_H
#define SEKISHO_BROKER_BROKER_H

#include "audit/audit.h"
#include "auth/login.h"
#include "auth/throttle.h"
#include "base/loop.h"
#include "base/secret.h"
#include "broker/hasher.h"
#include "broker/reply.h"
#include "store/db.h"
#include "wire/channel.h"
#include "wire/settings.h"

struct admin;
struct checkpoints;
struct enrol;
struct host_watch;
struct pki;
struct playback;
struct quota;
struct session;
struct vault_link;

/* Of retention.h: the clock as it was looked at last. */
struct retention_clock {
	int64_t wall_ms;
	uint64_t mono_ms; /* 0: not yet */
};

struct broker {
	struct loop *loop;
	struct settings settings;
	struct login_policy policy;
	struct db *db;
	struct secret *key; /* of sealed.h */
	struct hasher *hasher;
	struct throttle *addresses; /* tries per network address */
	/* NULL while there is none. */
	struct channel *monitor, *edge, *signer, *probe, *vault;
	uint32_t edge_generation; /* counts the edges; answers for an earlier one are dropped */
	struct session *sessions;
	struct host_watch *hosts;
	struct pki *pki;
	struct vault_link *house;
	struct playback *playbacks;
	uint32_t playback_number; /* of the last */
	struct enrol *enrol;
	struct quota *quotas;
	struct admin *admin;
	struct checkpoints *checkpoints;
	struct retention_clock retention;
	struct loop_timer tick, purge;
};

/*
 * Opens the database and the sealing key in state_dir and takes up the sessions that lived before.
 * Errors are logged. The caller then sets broker->monitor to a channel with broker_monitor_ops and
 * the broker as its context.
 */
nodiscard enum err broker_open(struct loop *loop, const struct settings *settings,
			       const char *state_dir, struct broker **ret);
void broker_close(struct broker *broker);

extern const struct channel_ops broker_monitor_ops;

/* Sends to the monitor, ERR_UNAVAILABLE when it is gone. */
nodiscard enum err broker_tell_monitor(struct broker *broker, uint16_t id, const void *msg);

/* Writes one audit entry in a transaction of its own. */
nodiscard enum err broker_audit(struct broker *broker, const struct audit_entry *entry);

#endif
